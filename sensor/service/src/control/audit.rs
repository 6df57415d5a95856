//! The audit log: who looked at whom.

use rusqlite::params;
use serde::Serialize;

use super::{Control, ControlError, now_unix_s, rfc3339};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

impl Control {
    /// Writes a line; durable when this returns.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`]: then what it is about must not be done.
    pub fn write_audit(&self, entry: &AuditEntry<'_>) -> Result<(), ControlError> {
        let written = self.connection.execute(
            "INSERT INTO audit (time, who, action, subject, details) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![now_unix_s(), entry.who, entry.action, entry.subject, entry.details],
        );
        written.map(|_| ()).map_err(|error| self.flawed(error))
    }

    /// The newest `limit` lines, the oldest of them first.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn audit(&self, limit: usize) -> Result<Vec<AuditRow>, ControlError> {
        let read = || {
            let mut select = self.connection.prepare(
                "SELECT number, time, who, action, subject, details FROM
                 (SELECT * FROM audit ORDER BY number DESC LIMIT ?1) ORDER BY number",
            )?;
            let rows = select.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                Ok(AuditRow {
                    number: row.get(0)?,
                    time: rfc3339(row.get(1)?),
                    who: row.get(2)?,
                    action: row.get(3)?,
                    subject: row.get(4)?,
                    details: row.get(5)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.flawed(error))
    }

    /// Puts one new pseudonym, `forgotten-` and eight hexadecimal digits, in the place of all these names in the audit
    /// log, in any letter case, where each stands whole; overwrites what was there in the file and the log beside it.
    /// The pseudonym.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`]; nothing changed, or the old text may still be in the log beside the file.
    pub fn forget_names(&mut self, names: &[String]) -> Result<String, ControlError> {
        let pseudonym = format!("forgotten-{:08x}", rand::random::<u32>());
        // The longest first: `alice@contoso.example` must not lose its `alice` alone.
        let mut names: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
        names.sort_unstable_by_key(|name| std::cmp::Reverse(name.len()));
        let path = self.path.clone();
        let replaced = self.replace(&names, &pseudonym);
        replaced.map(|()| pseudonym).map_err(|error| ControlError::Sqlite { path, error })
    }

    fn replace(&mut self, names: &[&str], pseudonym: &str) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut select = transaction.prepare("SELECT number, who, subject, details FROM audit")?;
            let mut update = transaction
                .prepare("UPDATE audit SET who = ?2, subject = ?3, details = ?4 WHERE number = ?1")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let old: [Option<String>; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
                let new = old.clone().map(|text| {
                    text.map(|text| names.iter().fold(text, |text, name| without(&text, name, pseudonym)))
                });
                if new != old {
                    update.execute(params![row.get::<_, i64>(0)?, new[0], new[1], new[2]])?;
                }
            }
        }
        transaction.commit()?;
        // What was overwritten is still in the write-ahead log until that is emptied.
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| match row.get(0)? {
            0i64 => Ok(()),
            _ => Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                Some("another process reads it: try again".to_owned()),
            )),
        })
    }
}

/// `text` with `other` in the place of `name`, where that is not part of a longer name.
fn without(text: &str, name: &str, other: &str) -> String {
    let text: Vec<char> = text.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let same = |(a, b): (&char, &char)| a == b || a.to_lowercase().eq(b.to_lowercase());
    // A dot that ends a sentence is no part of a name.
    let is_part = |at: usize| {
        let letter = |at: usize| text.get(at).is_some_and(|c| c.is_alphanumeric());
        text.get(at).is_some_and(|c| match c {
            '_' | '-' | '@' | '\\' | '$' => true,
            '.' => letter(at + 1) && at.checked_sub(1).is_some_and(letter),
            c => c.is_alphanumeric(),
        })
    };
    let mut result = String::new();
    let mut at = 0;
    while at < text.len() {
        let end = at + name.len();
        let stands_here = end <= text.len()
            && text[at..end].iter().zip(&name).all(same)
            && !at.checked_sub(1).is_some_and(is_part)
            && !is_part(end);
        if stands_here {
            result.push_str(other);
            at = end;
        } else {
            result.push(text[at]);
            at += 1;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn forgetting_takes_whole_names_in_any_letter_case() {
        let forget = |text| without(text, "alice", "X");
        assert_eq!(forget("user=Alice, then ALICE."), "user=X, then X.");
        for other in
            ["malice", "alice2", "alice@fabrikam.example", "FABRIKAM\\alice", "alice.smith", "alice-pc"]
        {
            assert_eq!(forget(other), other);
        }
        assert_eq!(without("straße ΑΛΕΞΗ", "αλεξη", "X"), "straße X");
    }

    #[test]
    fn a_forgotten_person_is_in_no_octet_of_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(folder.path()).unwrap();
        for subject in ["mallory@contoso.example", "bob"] {
            let details = format!("asked for CONTOSO\\{subject}");
            let entry = AuditEntry {
                who: "reports",
                action: "user.show",
                subject: Some(subject),
                details: Some(&details),
            };
            control.write_audit(&entry).unwrap();
        }
        let names = ["mallory@contoso.example", "CONTOSO\\mallory@contoso.example"].map(str::to_owned);
        let pseudonym = control.forget_names(&names).unwrap();
        let rows = control.audit(10).unwrap();
        assert_eq!(rows[0].subject.as_deref(), Some(&*pseudonym));
        assert_eq!(rows[0].details.as_deref(), Some(&*format!("asked for {pseudonym}")));
        assert_eq!(rows[1].subject.as_deref(), Some("bob"));
        assert_eq!(control.audit(1).unwrap(), rows[1..]);
        for file in fs::read_dir(crate::folder(folder.path())).unwrap() {
            let octets = fs::read(file.unwrap().path()).unwrap();
            assert!(!octets.windows(7).any(|part| part.eq_ignore_ascii_case(b"mallory")));
        }
    }
}
