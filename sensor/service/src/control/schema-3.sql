-- What people decided about alerts. The body is gone once the service has taken it: then it is an input.
CREATE TABLE decision (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    body TEXT
) STRICT;
