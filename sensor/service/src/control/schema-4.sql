-- Tokens that may decide about alerts; the others read.
ALTER TABLE token ADD COLUMN may_decide INTEGER NOT NULL DEFAULT 0;
