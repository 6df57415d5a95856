//! Names by a part of them: an index of three letters says which few may hold it. Where that are many, whoever asks finds
//! enough of them soon by looking at one name after the other.

use rusqlite::Connection;

use super::{StoreError, StoreReader};

/// So many are taken from the index at most. Where more names may hold a part, one in a hundred of 100,000 does, and ten
/// are found among a thousand.
const NAMES_MAX: usize = 1_000;

/// Letters of a token of the index.
const LETTERS: usize = 3;

/// So many tokens of a part are asked for at most: the first say enough.
const TOKENS_MAX: usize = 16;

/// What has names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    User,
    Device,
    Place,
}

impl Named {
    fn table(self) -> &'static str {
        match self {
            Named::User => "user",
            Named::Device => "device",
            Named::Place => "place",
        }
    }
}

impl StoreReader {
    /// The numbers of all whose name may hold this part, in any case of its letters, as a list in JSON. `None`: too many,
    /// or the index cannot say.
    pub(super) fn may_hold(&self, named: Named, part: &str) -> Result<Option<String>, StoreError> {
        let found =
            self.first_that_may_hold(named, part, NAMES_MAX + 1)?.filter(|found| found.len() <= NAMES_MAX);
        // Numbers can always be written.
        Ok(found.map(|found| serde_json::to_string(&found).unwrap_or_default()))
    }

    /// The numbers of so many of them at most. `None`: the index cannot say.
    pub(super) fn first_that_may_hold(
        &self,
        named: Named,
        part: &str,
        limit: usize,
    ) -> Result<Option<Vec<i64>>, StoreError> {
        let table = named.table();
        // NUL is no letter to the index.
        let letters: Vec<char> = part.chars().filter(|c| *c != '\0').collect();
        let found: Vec<i64> = if letters.len() >= LETTERS {
            let query = format!("SELECT rowid FROM {table}_part WHERE {table}_part MATCH ?1 LIMIT {limit}");
            self.rows(&query, &[Box::new(tokens(&letters))], |row| row.get(0))?
        } else if !letters.is_empty() && letters.iter().all(char::is_ascii) {
            let first: String = letters.iter().map(char::to_ascii_lowercase).collect();
            let end = format!("{first}\u{10ffff}");
            let query = format!(
                "SELECT DISTINCT doc FROM {table}_three WHERE term >= ?1 AND term < ?2 LIMIT {limit}"
            );
            self.rows(&query, &[Box::new(first), Box::new(end)], |row| row.get(0))?
        } else {
            // How the index folds the case of other letters is its own matter.
            return Ok(None);
        };
        Ok(Some(found))
    }
}

/// What asks the index for names with all of these letters' threes.
fn tokens(letters: &[char]) -> String {
    let threes = letters.windows(LETTERS).take(TOKENS_MAX);
    let quoted = threes.map(|three| {
        let three: String = three.iter().collect();
        format!("\"{}\"", three.replace('"', "\"\""))
    });
    quoted.collect::<Vec<_>>().join(" AND ")
}

/// Makes the index anew in a store that has all its names and no triggers.
pub(super) fn fill(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(include_str!("parts-fill.sql"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        super::{Store, UserPart},
        *,
    };

    /// Names that differ in few letters, with what an index of letters may stumble over.
    const NAMES: [&str; 14] = [
        "anna@contoso.example",
        "hanna@contoso.example",
        "ann",
        "an",
        "a",
        "an\0na",
        "o'neill \"neil\" -*^",
        "100%_\\",
        "李伟",
        "οδυσσεύς",
        "straße",
        "\u{1}\u{1}",
        "n",
        "contoso\\ann",
    ];

    fn see(store: &Store, sort: u8, name: &str, last: i64) {
        let statement = "INSERT INTO sighting (sort, name, first, last, count) VALUES (?1, ?2, ?3, ?3, 1)
             ON CONFLICT DO UPDATE SET last = ?3";
        store.connection.execute(statement, (sort, name, last)).unwrap();
    }

    /// Everything that can be asked for of these names, and what is in none.
    fn parts(names: &[String]) -> BTreeSet<String> {
        let mut parts: BTreeSet<String> = ["x", "gw", "nnaa", "ANNA", "\0"].map(str::to_owned).into();
        for name in names {
            let letters: Vec<char> = name.chars().collect();
            for from in 0..letters.len() {
                parts.extend((from..letters.len()).map(|to| letters[from..=to].iter().collect()));
            }
        }
        parts
    }

    fn exactly_so(part: &str) -> UserPart {
        UserPart { holds: part.to_owned(), ending: None }
    }

    fn check(path: &std::path::Path, names: &[String]) {
        let reader = StoreReader::open(path).unwrap();
        for part in parts(names) {
            let lowered = part.to_ascii_lowercase();
            let holding: BTreeSet<&str> = names
                .iter()
                .map(|name| &**name)
                .filter(|name| name.to_ascii_lowercase().contains(&lowered))
                .collect();
            let users = reader.users(&exactly_so(&part), None, 100).unwrap();
            let exactly: BTreeSet<&str> =
                names.iter().map(|name| &**name).filter(|name| name.contains(&part)).collect();
            assert_eq!(users.iter().map(|user| &*user.user).collect::<BTreeSet<_>>(), exactly, "{part:?}");
            if !part.contains('\0') {
                let devices = reader.devices_with(&part, None, 100).unwrap();
                let devices: BTreeSet<&str> =
                    devices.iter().map(|device| &*device.name).filter(|name| !name.contains('\0')).collect();
                let holding = holding.iter().copied().filter(|name| !name.contains('\0')).collect();
                assert_eq!(devices, holding, "{part:?}");
            }
        }
    }

    #[test]
    fn every_part_of_every_name_finds_it_and_nothing_else_as_names_come_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let store = Store::open(&path).unwrap();
        let mut names: Vec<String> = NAMES.map(str::to_owned).into();
        for (last, name) in (1..).zip(&names) {
            see(&store, 1, name, last);
            see(&store, 2, name, last);
            // Seen again it is the same one.
            see(&store, 1, name, last + 100);
        }
        check(&path, &names);
        let gone = names.split_off(7);
        store.connection.execute("DELETE FROM sighting WHERE last % 100 > 7", []).unwrap();
        check(&path, &names);
        let left: i64 = store
            .connection
            .query_row("SELECT count(*) FROM user_three WHERE term = 'str' OR term >= '李'", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(left, 0, "no letters of whom is gone: {gone:?}");
        // At once, as a rebuild does it.
        fill(&store.connection).unwrap();
        check(&path, &names);
    }

    #[test]
    fn a_store_of_the_release_before_gets_its_index_when_it_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let store = Store::open(&path).unwrap();
        let names: Vec<String> = NAMES.map(str::to_owned).into();
        for name in &names {
            see(&store, 1, name, 1);
            see(&store, 2, name, 1);
        }
        // As that release has it.
        store
            .connection
            .execute_batch(
                "DROP TRIGGER user_name_new; DROP TRIGGER user_name_gone; DROP TRIGGER device_name_new;
                 DROP TRIGGER device_name_gone; DROP TRIGGER place_new; DROP TRIGGER place_gone;
                 DROP INDEX place_by_network; DROP TABLE user_three; DROP TABLE device_three;
                 DROP TABLE place_three; DROP TABLE user_part; DROP TABLE device_part; DROP TABLE place_part;
                 DROP TABLE user_name; DROP TABLE device_name; DROP INDEX alert_closed; DROP TABLE alert_reason;
                 DROP TRIGGER reasons_with_alert; DROP TRIGGER reasons_changed; DROP TRIGGER reasons_gone;
                 DROP INDEX notice_held; DROP INDEX session_long_by_user;
                 DROP INDEX session_long_by_remote; DROP INDEX place_by_name; DROP INDEX place_by_country;
                 DROP INDEX alert_by_risk; PRAGMA user_version = 4;",
            )
            .unwrap();
        drop(store);
        drop(Store::open(&path).unwrap());
        check(&path, &names);
    }

    #[test]
    fn many_that_hold_a_part_are_looked_for_one_after_the_other_the_latest_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let store = Store::open(&path).unwrap();
        store
            .connection
            .execute_batch(
                "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 3000)
                 INSERT INTO sighting (sort, name, first, last, count) SELECT 1, 'user' || n, n, n, 1 FROM number",
            )
            .unwrap();
        let reader = StoreReader::open(&path).unwrap();
        assert_eq!(reader.may_hold(Named::User, "user").unwrap(), None);
        assert_eq!(reader.may_hold(Named::User, "u").unwrap(), None);
        assert!(reader.may_hold(Named::User, "user2999").unwrap().is_some());
        assert_eq!(reader.may_hold(Named::User, "gw").unwrap().as_deref(), Some("[]"));
        let found = |part, after| reader.users(&exactly_so(part), after, 2).unwrap();
        let names =
            |rows: Vec<crate::store::UserRow>| rows.into_iter().map(|row| row.user).collect::<Vec<_>>();
        assert_eq!(names(found("user", None)), ["user3000", "user2999"]);
        assert_eq!(names(found("user", Some((2999, "user2999")))), ["user2998", "user2997"]);
        assert_eq!(names(found("r29", None)), ["user2999", "user2998"]);
        assert_eq!(names(found("r29", Some((290, "user290")))), ["user29"]);
    }

    #[test]
    fn places_are_found_by_name_network_and_number_and_go_with_their_last_connection() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let store = Store::open(&path).unwrap();
        for (id, name, asn, organisation) in [
            (1, "Paris, France", Some(3215), Some("Orange S.A.")),
            (2, "Berlin, Germany", Some(3320), Some("Deutsche Telekom AG")),
            (3, "Head office", None, None),
        ] {
            store
                .connection
                .execute(
                    "INSERT OR IGNORE INTO place (id, whereabouts, name, asn, organisation, kinds, anycast)
                     VALUES (?1, 'place', ?2, ?3, ?4, '', 0)",
                    (id, name, asn, organisation),
                )
                .unwrap();
        }
        let reader = StoreReader::open(&path).unwrap();
        let found = |part: &str| -> Vec<i64> {
            reader.places_with(part, 10).unwrap().into_iter().map(|place| place.id).collect()
        };
        assert_eq!(found("PARIS"), [1]);
        assert_eq!(found("an"), [1, 2]);
        assert_eq!(found("telekom"), [2]);
        assert_eq!(found("as3320"), [2]);
        assert_eq!(found("office"), [3]);
        assert_eq!(found("e"), [1, 2, 3]);
        store.connection.execute("DELETE FROM place WHERE id = 2", []).unwrap();
        assert!(found("telekom").is_empty() && found("as3320").is_empty());
        assert_eq!(found("an"), [1]);
    }
}
