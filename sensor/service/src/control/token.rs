//! Tokens of the API. Kept is a digest: whoever reads the file cannot ask the API with it.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

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

/// What a token may do besides reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// Close alerts and comment on them.
    Decide,
    /// The same, and change settings, accounts and tokens.
    Administer,
}

impl Right {
    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            Right::Decide => "decide",
            Right::Administer => "administer",
        }
    }

    fn of(may_decide: bool, may_administer: bool) -> Option<Right> {
        match (may_decide, may_administer) {
            (_, true) => Some(Right::Administer),
            (true, false) => Some(Right::Decide),
            (false, false) => None,
        }
    }
}

/// What a token of this right may do.
fn may(right: Option<Right>) -> Vec<&'static str> {
    match right {
        None => vec!["read"],
        Some(Right::Decide) => vec!["read", "decide"],
        Some(Right::Administer) => vec!["read", "decide", "administer"],
    }
}

/// Whose good token a request came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bearer {
    /// The token's name.
    pub(crate) name: String,
    /// Whether it may do more than read.
    pub(crate) right: Option<Right>,
}

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TokenRow {
    /// Its name, which the audit log says.
    pub name: String,
    /// What it may do: `read`, `decide`, `administer`.
    pub may: Vec<&'static str>,
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
    /// Makes a token that reads, and has this right besides. It is good for `lifetime_s` seconds, or until it is removed.
    ///
    /// # Errors
    /// [`ControlError::TokenName`], [`ControlError::TokenExists`], [`ControlError::Sqlite`].
    pub fn add_token(
        &self,
        name: &str,
        right: Option<Right>,
        lifetime_s: Option<u64>,
    ) -> Result<NewToken, ControlError> {
        let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
        if !(1..=64).contains(&name.len()) || !name.bytes().all(allowed) {
            return Err(ControlError::TokenName(name.to_owned()));
        }
        let token = random(PREFIX);
        let now = now_unix_s();
        let expires =
            lifetime_s.map(|seconds| now.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX)));
        let added = self.connection.execute(
            "INSERT INTO token (name, digest, created, expires, may_decide, may_administer)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (name) DO NOTHING",
            params![
                name,
                digest(token.reveal()),
                now,
                expires,
                right.is_some(),
                right == Some(Right::Administer)
            ],
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
                .prepare("SELECT name, created, last_used, expires, may_decide, may_administer FROM token ORDER BY name")?;
            let rows = select.query_map([], |row| {
                Ok(TokenRow {
                    name: row.get(0)?,
                    may: may(Right::of(row.get(4)?, row.get(5)?)),
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

    /// Whose token this is, if it is good now. It is looked up by its digest: how long that takes tells nothing about
    /// the tokens there are.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub(crate) fn check_token(&self, token: &str) -> Result<Option<Bearer>, ControlError> {
        let now = now_unix_s();
        let digest = digest(token);
        let found: Option<(String, Option<i64>, Option<Right>)> = self
            .connection
            .query_row(
                "SELECT name, last_used, may_decide, may_administer FROM token
                 WHERE digest = ?1 AND (expires IS NULL OR expires > ?2)",
                params![digest, now],
                |row| Ok((row.get(0)?, row.get(1)?, Right::of(row.get(2)?, row.get(3)?))),
            )
            .optional()
            .map_err(|error| self.flawed(error))?;
        let Some((name, last_used, right)) = found else { return Ok(None) };
        if last_used.is_none_or(|last| now - last >= LAST_USED_S || now < last) {
            self.connection
                .execute("UPDATE token SET last_used = ?2 WHERE digest = ?1", params![digest, now])
                .map_err(|error| self.flawed(error))?;
        }
        Ok(Some(Bearer { name, right }))
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
        let token = control.add_token("reports", None, None).unwrap();
        let found = |token: &NewToken| control.check_token(token.reveal()).unwrap();
        assert!(token.reveal().starts_with(PREFIX) && token.reveal().len() == PREFIX.len() + 43);
        assert!(!format!("{token:?}").contains(token.reveal()));
        assert_eq!(found(&token), Some(Bearer { name: "reports".into(), right: None }));
        assert!(control.tokens().unwrap()[0].last_used.is_some());
        assert!(matches!(
            control.add_token("reports", Some(Right::Decide), None),
            Err(ControlError::TokenExists(_))
        ));
        assert!(matches!(control.add_token("no name", None, None), Err(ControlError::TokenName(_))));
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
        assert_eq!(found(&token), None);
    }

    #[test]
    fn a_token_decides_only_if_it_was_made_to() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open(folder.path()).unwrap();
        let token = control.add_token("desk", Some(Right::Decide), None).unwrap();
        control.add_token("reports", None, None).unwrap();
        let found = control.check_token(token.reveal()).unwrap();
        assert_eq!(found, Some(Bearer { name: "desk".into(), right: Some(Right::Decide) }));
        let token = control.add_token("setup", Some(Right::Administer), None).unwrap();
        let found = control.check_token(token.reveal()).unwrap();
        assert_eq!(found.and_then(|bearer| bearer.right), Some(Right::Administer));
        let may: Vec<_> = control.tokens().unwrap().into_iter().map(|row| row.may).collect();
        assert_eq!(may, [vec!["read", "decide"], vec!["read"], vec!["read", "decide", "administer"]]);
    }

    #[test]
    fn a_token_expires() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open(folder.path()).unwrap();
        let (good, over) = (
            control.add_token("good", None, Some(3600)).unwrap(),
            control.add_token("over", None, Some(0)).unwrap(),
        );
        assert!(control.check_token(good.reveal()).unwrap().is_some());
        assert_eq!(control.check_token(over.reveal()).unwrap(), None);
    }
}
