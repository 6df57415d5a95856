-- Alerts as they stand, and what happened to them in its order. `body` is JSON. Times are ns since 1970 UTC.
CREATE TABLE alert (
    number INTEGER PRIMARY KEY,
    user TEXT,
    severity INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE INDEX alert_by_user ON alert (user, number) WHERE user IS NOT NULL;
-- Those of an address or a VPN server: few, and looked through for users whom they list.
CREATE INDEX alert_of_no_user ON alert (number) WHERE user IS NULL;
CREATE INDEX alert_by_changed ON alert (changed);

CREATE TABLE notice (
    sequence INTEGER PRIMARY KEY,
    alert INTEGER NOT NULL,
    news TEXT NOT NULL,
    is_held INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE INDEX notice_by_alert ON notice (alert);
CREATE INDEX notice_by_changed ON notice (changed);

-- For whoever searches for a session id.
CREATE INDEX session_by_id ON session (session_id);
