-- Who is at risk comes from the severest open alerts, by this index alone; lists by number need neither users nor scores.
-- Release 10.
CREATE INDEX alert_by_risk ON alert (severity, body ->> '$.score', number, user) WHERE is_open;
DROP INDEX alert_open;
CREATE INDEX alert_open ON alert (number, severity) WHERE is_open;
