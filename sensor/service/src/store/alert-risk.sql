-- Who is at risk comes from the severest open alerts, by this index alone. Release 10.
CREATE INDEX alert_by_risk ON alert (severity, body ->> '$.score', number, user) WHERE is_open;
