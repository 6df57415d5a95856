//! The audit log: who looked at whom.

use rusqlite::{Connection, Row, ToSql, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Control, ControlError, now_unix_s, rfc3339};
use crate::forget::words;

/// How long a line is kept, seconds: two years, so that what comes out at a yearly review can still be looked into.
const AGE_MAX_S: i64 = 2 * 365 * 86_400;
/// Lines that are kept: some 200 MB. One person who looks at a page every ten seconds of her working day writes as many in
/// more than two years.
const LINES_MAX: i64 = 1_000_000;
/// The oldest lines that are looked at with each new one, whether they are too many by now.
const LOOKED_AT: i64 = 4;
/// And at once where nothing is written: a transaction of some milliseconds.
const STEP: i64 = 1000;
/// When the oldest line was written that no age takes away.
const AGELESS: i64 = i64::MIN;

/// A line's columns, as [`row`] reads them.
const COLUMNS: &str = "number, time, who, action, subject, details";

/// Something that somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry<'a> {
    /// A token's name, or the account on this host: `root@console`.
    pub who: &'a str,
    /// What: `user.show`, `sessions.list`, `token.add`.
    pub action: &'a str,
    /// Whom or what it is about.
    pub subject: Option<&'a str>,
    /// More about it, text.
    pub details: Option<&'a str>,
}

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditRow {
    /// Its number.
    pub number: i64,
    /// RFC 3339.
    pub time: String,
    /// Who.
    pub who: String,
    /// What.
    pub action: String,
    /// Whom or what it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

/// Which lines, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this one: `carol@portal`, `uid 0`, a token's name.
    pub who: Option<String>,
    /// Of this sort: `user.show`.
    pub action: Option<String>,
    /// About this one.
    pub subject: Option<String>,
    /// Older than the line of this number: the last of the page before.
    pub before: Option<i64>,
}

impl AuditFilter {
    /// What it asks for besides about whom, for the audit log: `who=carol@portal`.
    pub fn details(&self) -> Option<String> {
        let parts = [("who", &self.who), ("action", &self.action)];
        let parts: Vec<String> = parts
            .into_iter()
            .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}={value}")))
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

impl AuditFilter {
    /// As SQL, with its values behind those of `before` and `limit`.
    fn query<'f>(&'f self, values: &mut Vec<&'f dyn ToSql>) -> String {
        let mut conditions = "number < ?1".to_owned();
        for (column, value) in [("subject", &self.subject), ("who", &self.who), ("action", &self.action)] {
            let Some(value) = value else { continue };
            // With the sign its index is not taken: the one before has fewer lines.
            let sign = if values.len() > 2 { "+" } else { "" };
            values.push(value);
            conditions.push_str(&format!(" AND {sign}{column} = ?{}", values.len()));
        }
        format!("SELECT {COLUMNS} FROM audit WHERE {conditions} ORDER BY number DESC LIMIT ?2")
    }
}

fn row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        number: row.get(0)?,
        time: rfc3339(row.get(1)?),
        who: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        details: row.get(5)?,
    })
}

/// A line beside what it tells of, in one transaction: neither is there without the other.
pub(super) fn insert(connection: &Connection, entry: &AuditEntry<'_>) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO audit (time, who, action, subject, details) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![now_unix_s(), entry.who, entry.action, entry.subject, entry.details],
    )?;
    // By their number alone: a host whose clock is wrong as it boots writes lines before it is right.
    trim(connection, LOOKED_AT, AGELESS).map(drop)
}

/// Takes out of the oldest `lines` those from before `since` (seconds since 1970 UTC), and those that are too many by now; how
/// many went.
fn trim(connection: &Connection, lines: i64, since: i64) -> rusqlite::Result<usize> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM audit WHERE number IN (SELECT number FROM audit ORDER BY number LIMIT ?1)
             AND (time < ?2 OR number <= (SELECT max(number) FROM audit) - ?3)",
    )?;
    delete.execute([lines, since, LINES_MAX])
}

impl Control {
    /// Writes a line; durable when this returns. Some that are too old, or too many by now, go.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`]: then what it is about must not be done.
    pub fn write_audit(&self, entry: &AuditEntry<'_>) -> Result<(), ControlError> {
        let write = || {
            let step = self.connection.unchecked_transaction()?;
            insert(&step, entry)?;
            step.commit()
        };
        write().map_err(|error| self.flawed(error))
    }

    /// Takes some of the lines that are too old out of the log; whether there may be more of them. The clock should have had
    /// the time to be set right: by one that is years ahead all lines are too old.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub(crate) fn trim_audit(&self) -> Result<bool, ControlError> {
        let gone =
            trim(&self.connection, STEP, now_unix_s() - AGE_MAX_S).map_err(|error| self.flawed(error))?;
        Ok(i64::try_from(gone).is_ok_and(|gone| gone >= STEP))
    }

    /// The newest `limit` lines that a filter takes, the newest first. Each of its members has an index; of several the
    /// first of `subject`, `who`, `action` is looked through.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn audit_of(&self, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditRow>, ControlError> {
        let read = || {
            let (before, limit) =
                (filter.before.unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX));
            let mut values: Vec<&dyn ToSql> = vec![&before, &limit];
            let query = filter.query(&mut values);
            let mut select = self.connection.prepare_cached(&query)?;
            let rows = select.query_map(&values[..], row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.flawed(error))
    }

    /// All actions that are in the log, by name.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn audit_actions(&self) -> Result<Vec<String>, ControlError> {
        // From action to action in the index: there are some tens of them.
        let query = "WITH RECURSIVE found (action) AS (
                SELECT min(action) FROM audit
                UNION ALL
                SELECT (SELECT min(action) FROM audit WHERE action > found.action) FROM found
                WHERE found.action IS NOT NULL)
            SELECT action FROM found WHERE action IS NOT NULL";
        let read = || {
            let mut select = self.connection.prepare_cached(query)?;
            let rows = select.query_map([], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.flawed(error))
    }

    /// The newest `limit` lines, the oldest of them first.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn audit(&self, limit: usize) -> Result<Vec<AuditRow>, ControlError> {
        let read = || {
            let query = format!(
                "SELECT {COLUMNS} FROM (SELECT * FROM audit ORDER BY number DESC LIMIT ?1) ORDER BY number"
            );
            let mut select = self.connection.prepare(&query)?;
            let rows = select.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.flawed(error))
    }

    /// Puts a pseudonym in the place of all these names in the audit log, in any letter case, where each stands whole,
    /// and takes them out of the request that they come from; all or nothing.
    pub(super) fn forget_names(
        &mut self,
        request: i64,
        names: &[String],
        pseudonym: &str,
    ) -> Result<(), ControlError> {
        // The longest first: `alice@contoso.example` must not lose its `alice` alone.
        let mut names: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        names.sort_unstable_by_key(|name| std::cmp::Reverse(name.len()));
        let replaced = self.replace(request, &names, pseudonym);
        replaced.map_err(|error| self.flawed(error))
    }

    fn replace(&mut self, request: i64, names: &[&str], pseudonym: &str) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut select = transaction.prepare("SELECT number, who, subject, details FROM audit")?;
            let mut update = transaction
                .prepare("UPDATE audit SET who = ?2, subject = ?3, details = ?4 WHERE number = ?1")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let old: [Option<String>; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
                let new = old.clone().map(|text| {
                    text.map(|text| {
                        names.iter().fold(text, |text, name| words::without(&text, name, pseudonym))
                    })
                });
                if new != old {
                    update.execute(params![row.get::<_, i64>(0)?, new[0], new[1], new[2]])?;
                }
            }
        }
        transaction
            .execute("UPDATE forget SET state = 'cleaning', body = NULL WHERE number = ?1", [request])?;
        transaction.commit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_come_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open(folder.path()).unwrap();
        for subject in ["mallory@contoso.example", "bob"] {
            let (who, action) = ("reports", "user.show");
            let entry = AuditEntry { who, action, subject: Some(subject), details: None };
            control.write_audit(&entry).unwrap();
        }
        let rows = control.audit(10).unwrap();
        let subjects: Vec<_> = rows.iter().map(|row| row.subject.as_deref().unwrap()).collect();
        assert_eq!(subjects, ["mallory@contoso.example", "bob"]);
        assert_eq!(control.audit(1).unwrap(), rows[1..]);
    }

    fn note(control: &Control, who: &str, action: &str, subject: Option<&str>) {
        control.write_audit(&AuditEntry { who, action, subject, details: None }).unwrap();
    }

    fn numbers(control: &Control, who: &str, action: &str, subject: &str, before: Option<i64>) -> Vec<i64> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let filter = AuditFilter { who: some(who), action: some(action), subject: some(subject), before };
        control.audit_of(&filter, 3).unwrap().iter().map(|row| row.number).collect()
    }

    #[test]
    fn lines_are_found_by_who_what_and_about_whom_page_by_page() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open(folder.path()).unwrap();
        assert!(control.audit_actions().unwrap().is_empty());
        for _ in 0..2 {
            note(&control, "carol@portal", "user.show", Some("alice"));
            note(&control, "carol@portal", "users.list", None);
            note(&control, "reports", "users.list", Some("alice"));
        }
        assert_eq!(numbers(&control, "", "", "", None), [6, 5, 4]);
        assert_eq!(numbers(&control, "", "", "", Some(4)), [3, 2, 1]);
        assert_eq!(numbers(&control, "carol@portal", "", "", None), [5, 4, 2]);
        assert_eq!(numbers(&control, "carol@portal", "", "", Some(2)), [1]);
        assert_eq!(numbers(&control, "", "users.list", "", None), [6, 5, 3]);
        assert_eq!(numbers(&control, "", "", "alice", None), [6, 4, 3]);
        assert_eq!(numbers(&control, "carol@portal", "users.list", "", None), [5, 2]);
        assert_eq!(numbers(&control, "reports", "users.list", "alice", Some(6)), [3]);
        assert!(numbers(&control, "carol@portal", "users.list", "alice", None).is_empty());
        assert_eq!(control.audit_actions().unwrap(), ["user.show", "users.list"]);
    }

    #[test]
    fn a_page_of_a_filter_is_read_over_an_index_and_sorted_by_none() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open(folder.path()).unwrap();
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        for (subject, who, action, index) in [
            ("", "a", "b", "by_who"),
            ("", "", "b", "by_action"),
            ("c", "", "", "by_subject"),
            ("c", "a", "b", "by_subject"),
        ] {
            let filter =
                AuditFilter { subject: some(subject), who: some(who), action: some(action), before: None };
            let mut values: Vec<&dyn ToSql> = vec![&9, &3];
            let query = format!("EXPLAIN QUERY PLAN {}", filter.query(&mut values));
            let mut select = control.connection.prepare(&query).unwrap();
            let plan = select.query_map(&values[..], |row| row.get::<_, String>(3)).unwrap();
            let [plan] = &plan.collect::<Result<Vec<_>, _>>().unwrap()[..] else {
                panic!("{query}: more than one step")
            };
            assert!(plan.contains(index) && plan.contains("number<?"), "{query}: {plan}");
        }
    }

    #[test]
    fn what_is_too_much_goes_with_what_is_new_and_what_is_too_old_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open(folder.path()).unwrap();
        let insert = |number: i64, age_s: i64| {
            let insert =
                "INSERT INTO audit (number, time, who, action) VALUES (?1, ?2, 'carol@portal', 'users.list')";
            control.connection.execute(insert, [number, now_unix_s() - age_s]).unwrap();
        };
        let left = || numbers(&control, "carol@portal", "", "", None);
        insert(1, AGE_MAX_S + 60);
        insert(2, AGE_MAX_S - 60);
        insert(3, 0);
        note(&control, "dave@portal", "users.list", None);
        assert_eq!(left(), [3, 2, 1], "the clock may be wrong");
        assert!(!control.trim_audit().unwrap());
        assert_eq!(left(), [3, 2], "too old");
        insert(LINES_MAX + 1, 0);
        note(&control, "dave@portal", "users.list", None);
        assert_eq!(left(), [LINES_MAX + 1, 3], "too many");

        for number in 0..STEP + 10 {
            insert(LINES_MAX + 10 + number, AGE_MAX_S + 60);
        }
        insert(3 * LINES_MAX, 0);
        assert!(control.trim_audit().unwrap(), "in steps");
        assert!(!control.trim_audit().unwrap());
        assert_eq!(left(), [3 * LINES_MAX]);
    }
}
