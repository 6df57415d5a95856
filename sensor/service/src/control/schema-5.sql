-- Who signs in at the portal. Release 5. Times are seconds since 1970 UTC; of links and cookies digests alone are kept.
CREATE TABLE account (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    password TEXT NOT NULL,
    made INTEGER NOT NULL,
    last_used INTEGER
) STRICT;

CREATE TABLE link (
    digest BLOB PRIMARY KEY,
    account TEXT NOT NULL,
    role TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT;

CREATE TABLE visit (
    digest BLOB PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    began INTEGER NOT NULL,
    last_used INTEGER NOT NULL
) STRICT;
