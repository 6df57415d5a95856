-- Connections that lasted more than a day, and those that are open, by whose they are and where they came from. Who was there
-- at a moment began within the day before it, or is found here: without a look at all that began before. None holds what an
-- update of a running connection changes. Release 9.
CREATE INDEX session_long_by_user ON session (user, start, ended)
    WHERE ended IS NULL OR ended - start > 86400000000000;
CREATE INDEX session_long_by_remote ON session (remote, start, ended)
    WHERE remote IS NOT NULL AND (ended IS NULL OR ended - start > 86400000000000);
