//! Which users a text means that somebody types: a part of the key under which a user is known, or of the name as a VPN
//! server writes it.

use insight::vpn::names::{NameForm, Realms, UserName};

use rusqlite::ToSql;

use super::{StoreError, StoreReader, UserRow};

/// What the keys of users have in common that are looked for. By default nothing: all users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserPart {
    /// The key holds this, before its ending.
    pub(super) holds: String,
    /// The key ends so: `@` and a realm.
    pub(super) ending: Option<String>,
}

impl UserPart {
    /// Of everybody whose key holds this text, in any letter case.
    pub fn of_key(text: &str) -> UserPart {
        UserPart { holds: text.to_lowercase(), ending: None }
    }

    /// Of everybody whose name may begin or go on so, where the text is a name with a realm: `CONTOSO\ali`.
    fn of_name(text: &str, realms: &Realms) -> Option<UserPart> {
        let (name, _) = UserName::parse(text.as_bytes(), None, realms).ok()??;
        if !matches!(name.form, NameForm::DownLevel | NameForm::Principal) {
            return None;
        }
        let key = name.key.into_owned();
        Some(match key.rfind('@') {
            Some(at) if at > 0 => {
                UserPart { holds: key[..at].to_owned(), ending: Some(key[at..].to_owned()) }
            }
            _ => UserPart { holds: key, ending: None },
        })
    }

    /// Whether it is of this key.
    pub(super) fn is_of(&self, key: &str) -> bool {
        let before = match &self.ending {
            Some(ending) => key.strip_suffix(&**ending),
            None => Some(key),
        };
        before.is_some_and(|before| before.contains(&*self.holds))
    }
}

impl StoreReader {
    /// Who is called exactly so, with any realm, by key.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn users_called(&self, part: &UserPart, limit: usize) -> Result<Vec<UserRow>, StoreError> {
        let key = format!("{}{}", part.holds, part.ending.as_deref().unwrap_or_default());
        let query = format!(
            "SELECT name FROM sighting WHERE sort = 1 AND name = ?1
             UNION ALL
             SELECT * FROM (SELECT name FROM sighting WHERE sort = 1 AND name >= ?2 AND name < ?3
                 ORDER BY name LIMIT {limit})
             LIMIT {limit}"
        );
        let realms =
            [format!("{key}@"), format!("{key}@\u{10ffff}")].map(|end| Box::new(end) as Box<dyn ToSql>);
        let [begin, end] = realms;
        let keys: Vec<String> = self.rows(&query, &[Box::new(key), begin, end], |row| row.get(0))?;
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.users_named(&keys.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Whom a text means: those whose key holds it; where there is nobody, and it is a name with a realm, those whose
    /// name it may be a part of.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn user_part(&self, typed: &str, realms: &Realms) -> Result<UserPart, StoreError> {
        let of_key = UserPart::of_key(typed.trim());
        match UserPart::of_name(typed, realms) {
            Some(of_name) if self.users(&of_key, None, 1)?.is_empty() => Ok(of_name),
            _ => Ok(of_key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_user_is_found_by_the_name_as_it_is_written_and_by_parts_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(crate::store::FILE);
        let store = Store::open(&path).unwrap();
        let all = [
            "alice@hq.example",
            "alice@other.example",
            "malice",
            "bob@hq.example",
            "dom\\\\carol",
            "hq.example",
            "z\0oe@hq.example",
            "zo\u{e9}@hq.example",
        ];
        for key in all {
            let query = "INSERT INTO sighting (sort, name, first, last, count) VALUES (1, ?1, 1, 1, 1)";
            store.connection.execute(query, [key]).unwrap();
        }
        let realms = Realms::new(&[vec!["hq.example", "CONTOSO", "contoso.example"]]).unwrap();
        let reader = StoreReader::open(&path).unwrap();
        for (typed, expected) in [
            ("CONTOSO\\alice", &["alice@hq.example"][..]),
            ("contoso\\ALI", &["alice@hq.example"]),
            ("Contoso/Alice", &["alice@hq.example"]),
            ("alice@CONTOSO.example", &["alice@hq.example"]),
            (" alice@hq.example ", &["alice@hq.example"]),
            ("alice@other", &["alice@other.example"]),
            ("LICE", &["alice@hq.example", "alice@other.example", "malice"]),
            ("CONTOSO\\z", &["z\0oe@hq.example", "zo\u{e9}@hq.example"]),
            ("CONTOSO\\O\u{e9}", &["zo\u{e9}@hq.example"]),
            // Not in the realm.
            ("CONTOSO\\hq", &[]),
            ("e@CONTOSO.example", &["alice@hq.example", "z\0oe@hq.example"]),
            ("contoso\\", &[]),
            ("elsewhere\\alice", &[]),
            // A key that holds a backslash is one as well.
            ("dom\\\\car", &["dom\\\\carol"]),
        ] {
            let part = reader.user_part(typed, &realms).unwrap();
            let mut found: Vec<String> =
                reader.users(&part, None, 10).unwrap().into_iter().map(|user| user.user).collect();
            found.sort();
            assert_eq!(found, expected, "{typed}");
            let of: Vec<&str> = all.into_iter().filter(|key| part.is_of(key)).collect();
            assert_eq!(of.len(), expected.len(), "{typed}: {of:?}");
        }
        assert_eq!(reader.users(&UserPart::default(), None, 10).unwrap().len(), all.len());
    }
}
