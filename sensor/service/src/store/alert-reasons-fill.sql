-- Makes the table of all alerts that there are: of an older store behind `alert-reasons.sql`, and of one that is made all at
-- once.
DELETE FROM alert_reason;
INSERT INTO alert_reason (name, number, is_open)
    SELECT reason.value ->> '$.detection', number, is_open FROM alert, json_each(body, '$.reasons') AS reason
    UNION
    SELECT reason.value ->> '$.feature', number, is_open FROM alert, json_each(body, '$.reasons') AS reason
    WHERE reason.value ->> '$.feature' IS NOT NULL
    ORDER BY 1, 2;
