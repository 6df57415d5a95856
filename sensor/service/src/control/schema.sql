-- What no rebuild makes again. Times are seconds since 1970 UTC. Release 1.
CREATE TABLE token (
    name TEXT PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    last_used INTEGER,
    expires INTEGER
) STRICT;

CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT,
    details TEXT
) STRICT;
