//! Tokens of the API. Kept is a digest: whoever reads the file cannot ask the API with it.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Control, ControlError, now_unix_s, rfc3339};

/// What every token begins with, so that people and secret scanners know one.
const PREFIX: &str = "vpns_";
/// `last_used` is written at most this often, seconds: it tells which tokens are in use, and a write for each request
/// would cost a sync.
const LAST_USED_S: i64 = 60;

/// A new token, shown once.
pub struct NewToken(String);

impl NewToken {
    /// The token itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewToken(..)")
    }
}

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenRow {
    /// Its name, which the audit log says.
    pub name: String,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
    /// RFC 3339; it is refused from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

impl Control {
    /// Makes a token that is good for `lifetime_s` seconds, or until it is removed.
    ///
    /// # Errors
    /// [`ControlError::TokenName`], [`ControlError::TokenExists`], [`ControlError::Sqlite`].
    pub fn add_token(&self, name: &str, lifetime_s: Option<u64>) -> Result<NewToken, ControlError> {
        let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
        if !(1..=64).contains(&name.len()) || !name.bytes().all(allowed) {
            return Err(ControlError::TokenName(name.to_owned()));
        }
        let token = random(PREFIX);
        let now = now_unix_s();
        let expires =
            lifetime_s.map(|seconds| now.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX)));
        let added = self.connection.execute(
            "INSERT INTO token (name, digest, created, expires) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO NOTHING",
            params![name, digest(token.reveal()), now, expires],
        );
        match added {
            Ok(0) => Err(ControlError::TokenExists(name.to_owned())),
            Ok(_) => Ok(token),
            Err(error) => Err(self.flawed(error)),
        }
    }

    /// All tokens, by name.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn tokens(&self) -> Result<Vec<TokenRow>, ControlError> {
        let read = || {
            let mut select = self
                .connection
                .prepare("SELECT name, created, last_used, expires FROM token ORDER BY name")?;
            let rows = select.query_map([], |row| {
                Ok(TokenRow {
                    name: row.get(0)?,
                    created: rfc3339(row.get(1)?),
                    last_used: row.get::<_, Option<i64>>(2)?.map(rfc3339),
                    expires: row.get::<_, Option<i64>>(3)?.map(rfc3339),
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.flawed(error))
    }

    /// Removes a token; whether there was one.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn remove_token(&self, name: &str) -> Result<bool, ControlError> {
        let removed = self.connection.execute("DELETE FROM token WHERE name = ?1", [name]);
        removed.map(|count| count > 0).map_err(|error| self.flawed(error))
    }

    /// The name of a token that is good now. It is looked up by its digest: how long that takes tells nothing about
    /// the tokens there are.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn check_token(&self, token: &str) -> Result<Option<String>, ControlError> {
        let now = now_unix_s();
        let digest = digest(token);
        let found: Option<(String, Option<i64>)> = self
            .connection
            .query_row(
                "SELECT name, last_used FROM token WHERE digest = ?1 AND (expires IS NULL OR expires > ?2)",
                params![digest, now],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(|error| self.flawed(error))?;
        let Some((name, last_used)) = found else { return Ok(None) };
        if last_used.is_none_or(|last| now - last >= LAST_USED_S || now < last) {
            self.connection
                .execute("UPDATE token SET last_used = ?2 WHERE digest = ?1", params![digest, now])
                .map_err(|error| self.flawed(error))?;
        }
        Ok(Some(name))
    }
}

/// A new one with this before it.
pub(super) fn random(prefix: &str) -> NewToken {
    NewToken(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())))
}

/// A token has 256 random bits: no slow digest makes it harder to guess.
pub(super) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn a_token_is_good_until_it_is_removed_and_is_nowhere_in_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open(folder.path()).unwrap();
        let token = control.add_token("reports", None).unwrap();
        assert!(token.reveal().starts_with(PREFIX) && token.reveal().len() == PREFIX.len() + 43);
        assert!(!format!("{token:?}").contains(token.reveal()));
        assert_eq!(control.check_token(token.reveal()).unwrap().as_deref(), Some("reports"));
        assert!(control.tokens().unwrap()[0].last_used.is_some());
        assert!(matches!(control.add_token("reports", None), Err(ControlError::TokenExists(_))));
        assert!(matches!(control.add_token("no name", None), Err(ControlError::TokenName(_))));
        for file in fs::read_dir(crate::folder(folder.path())).unwrap() {
            let path = file.unwrap().path();
            let octets = fs::read(&path).unwrap();
            let secret = token.reveal().as_bytes();
            assert!(!octets.windows(secret.len()).any(|part| part == secret), "{}", path.display());
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600,
                "{}",
                path.display()
            );
        }
        assert!(control.remove_token("reports").unwrap());
        assert!(!control.remove_token("reports").unwrap());
        assert_eq!(control.check_token(token.reveal()).unwrap(), None);
    }

    #[test]
    fn a_token_expires() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open(folder.path()).unwrap();
        let (good, over) =
            (control.add_token("good", Some(3600)).unwrap(), control.add_token("over", Some(0)).unwrap());
        assert_eq!(control.check_token(good.reveal()).unwrap().as_deref(), Some("good"));
        assert_eq!(control.check_token(over.reveal()).unwrap(), None);
    }
}
