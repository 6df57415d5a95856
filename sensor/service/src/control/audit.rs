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
