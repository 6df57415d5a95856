-- Lists find the alerts of one state by an index, and who is at risk comes from one alone: bodies are of kilobytes, and tens of
-- thousands may be open.
DROP INDEX alert_open;
CREATE INDEX alert_open ON alert (number, severity, user, body ->> '$.score') WHERE is_open;
CREATE INDEX alert_closed ON alert (number, severity) WHERE NOT is_open;
