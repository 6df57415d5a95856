-- For whoever looks in the audit log for somebody, for an action, or for what was done about somebody. Release 7.
-- The first has the action too: a program's token writes most lines, and few of them of one sort.
CREATE INDEX audit_by_who ON audit (who, number, action);
CREATE INDEX audit_by_action ON audit (action, number);
CREATE INDEX audit_by_subject ON audit (subject, number) WHERE subject IS NOT NULL;
