//! The audit log: who looked at whom.

use rusqlite::params;
use serde::Serialize;

use super::{Control, ControlError, now_unix_s, rfc3339};
use crate::forget::words;

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
}
