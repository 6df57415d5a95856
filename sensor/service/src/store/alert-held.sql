-- Whether what an alert says now was held back is read from this index alone, and those that ever said something that was
-- are found without a look at all others. Release 8.
DROP INDEX notice_by_alert;
CREATE INDEX notice_by_alert ON notice (alert, sequence, is_held);
CREATE INDEX notice_held ON notice (alert) WHERE is_held;
