-- Every page reads a bounded number of rows, over an index. None holds what an update of a running connection changes.
DROP INDEX session_open;
CREATE INDEX session_open ON session (start, server, place) WHERE ended IS NULL;
DROP INDEX session_by_place;
CREATE INDEX session_by_place ON session (place, start) WHERE place IS NOT NULL;
CREATE INDEX session_by_server ON session (server, start);
CREATE INDEX alert_open ON alert (number, severity, user) WHERE is_open;
CREATE INDEX alert_by_verdict ON alert (body ->> '$.state.verdict', number) WHERE NOT is_open;
