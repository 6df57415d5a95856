-- Whom of an OpenID provider an account belongs to, beside its password: one may have both. Release 8. Before, this stood in
-- the password's column, and a link that set a password overwrote it. No digest of a password begins so, and an empty one is
-- none.
ALTER TABLE account ADD COLUMN person TEXT;
UPDATE account SET person = password, password = '' WHERE password LIKE 'oidc:%';
