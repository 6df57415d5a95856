-- Why alerts were raised: a row for each detection and feature that an alert's reasons name; triggers keep it. Bodies are
-- of kilobytes, and there may be tens of thousands. Release 7.
CREATE TABLE alert_reason (
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    PRIMARY KEY (name, number)
) STRICT, WITHOUT ROWID;

-- Of the open ones, since those that are closed become many.
CREATE INDEX alert_reason_open ON alert_reason (name, number) WHERE is_open;

CREATE TRIGGER reasons_with_alert AFTER INSERT ON alert BEGIN
    INSERT INTO alert_reason (name, number, is_open)
        SELECT value ->> '$.detection', new.number, new.is_open FROM json_each(new.body, '$.reasons')
        UNION
        SELECT value ->> '$.feature', new.number, new.is_open FROM json_each(new.body, '$.reasons')
        WHERE value ->> '$.feature' IS NOT NULL;
END;

CREATE TRIGGER reasons_changed AFTER UPDATE OF body, is_open ON alert BEGIN
    DELETE FROM alert_reason WHERE number = old.number AND name IN
        (SELECT value ->> '$.detection' FROM json_each(old.body, '$.reasons')
        UNION ALL SELECT value ->> '$.feature' FROM json_each(old.body, '$.reasons'));
    INSERT INTO alert_reason (name, number, is_open)
        SELECT value ->> '$.detection', new.number, new.is_open FROM json_each(new.body, '$.reasons')
        UNION
        SELECT value ->> '$.feature', new.number, new.is_open FROM json_each(new.body, '$.reasons')
        WHERE value ->> '$.feature' IS NOT NULL;
END;

CREATE TRIGGER reasons_gone AFTER DELETE ON alert BEGIN
    DELETE FROM alert_reason WHERE number = old.number AND name IN
        (SELECT value ->> '$.detection' FROM json_each(old.body, '$.reasons')
        UNION ALL SELECT value ->> '$.feature' FROM json_each(old.body, '$.reasons'));
END;
