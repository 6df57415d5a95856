-- Whom the running service is to forget. Release 2. States: pending, cleaning, done. The body names the person and goes
-- with it; what is left says when and how much, and nothing about whom.
CREATE TABLE forget (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL,
    body TEXT,
    progress TEXT,
    error TEXT,
    who TEXT NOT NULL,
    made INTEGER NOT NULL,
    finished INTEGER,
    pseudonym TEXT NOT NULL UNIQUE,
    records INTEGER NOT NULL DEFAULT 0,
    sessions INTEGER NOT NULL DEFAULT 0
) STRICT;
