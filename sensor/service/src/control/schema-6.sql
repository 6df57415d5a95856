-- Tokens that may change settings, accounts and tokens, and decide besides. Release 6.
ALTER TABLE token ADD COLUMN may_administer INTEGER NOT NULL DEFAULT 0;
