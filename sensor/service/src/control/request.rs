//! Whom the running service is to forget: put in by the command line, taken and executed by the service. The row stays, as
//! the tombstone of somebody who has no name any more.

use rusqlite::{OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use super::{Control, ControlError, now_unix_s, rfc3339};

/// The names of the person. Kept until nothing else holds them, so that a crash leaves enough to go on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// As typed.
    pub typed: String,
    /// The user's key.
    pub key: String,
    /// All ways in which the name was found to be written.
    pub written: Vec<String>,
}

/// Somebody who is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgetRequest {
    /// Its number.
    pub number: i64,
    /// Who it is; `None` once only the file itself is left to be cleaned.
    pub names: Option<Names>,
    /// What stands in the place of the names from then on.
    pub pseudonym: String,
}

/// How far a request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForgetState {
    /// Nobody took it yet, or it is being executed.
    Pending {
        /// What is being done.
        progress: Option<String>,
        /// Why the last attempt failed. It is made again.
        error: Option<String>,
    },
    /// It was executed.
    Done(Tombstone),
}

/// What is left of somebody who was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tombstone {
    /// What stands in the place of the names in the audit log.
    pub pseudonym: String,
    /// When it was asked for, RFC 3339.
    pub asked: String,
    /// Who asked.
    pub who: String,
    /// When it was done, RFC 3339.
    pub done: String,
    /// Records of the journal that are tombstones since.
    pub records: u64,
    /// Sessions that left the store.
    pub sessions: u64,
}

impl Control {
    /// Asks for a person to be forgotten; the number of the request.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn ask_to_forget(&self, names: &Names, who: &str) -> Result<i64, ControlError> {
        let pseudonym = format!("forgotten-{:016x}", rand::random::<u64>());
        let put = self.connection.execute(
            "INSERT INTO forget (state, body, who, made, pseudonym) VALUES ('pending', ?1, ?2, ?3, ?4)",
            params![body(names), who, now_unix_s(), pseudonym],
        );
        put.map(|_| self.connection.last_insert_rowid()).map_err(|error| self.flawed(error))
    }

    /// The oldest request that is not done.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn next_to_forget(&self) -> Result<Option<ForgetRequest>, ControlError> {
        let read = |row: &Row<'_>| {
            let body: Option<String> = row.get(1)?;
            let names = body.map(|body| {
                let wrong =
                    |error| rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, error);
                serde_json::from_str(&body).map_err(|error| wrong(Box::new(error)))
            });
            Ok(ForgetRequest { number: row.get(0)?, names: names.transpose()?, pseudonym: row.get(2)? })
        };
        let query =
            "SELECT number, body, pseudonym FROM forget WHERE state <> 'done' ORDER BY number LIMIT 1";
        self.connection.query_row(query, [], read).optional().map_err(|error| self.flawed(error))
    }

    /// Says how far a request is.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn tell_forgetting(
        &self,
        number: i64,
        progress: &str,
        error: Option<&str>,
    ) -> Result<(), ControlError> {
        self.change(
            "UPDATE forget SET progress = ?2, error = ?3 WHERE number = ?1",
            params![number, progress, error],
        )
    }

    /// Keeps all names that were found, and counts what was taken out on the way.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn keep_names(&self, number: i64, names: &Names) -> Result<(), ControlError> {
        self.change("UPDATE forget SET body = ?2 WHERE number = ?1", params![number, body(names)])
    }

    /// Counts what was taken out, over all attempts.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn count_forgotten(&self, number: i64, records: u64, sessions: u64) -> Result<(), ControlError> {
        self.change(
            "UPDATE forget SET records = records + ?2, sessions = sessions + ?3 WHERE number = ?1",
            params![number, records as i64, sessions as i64],
        )
    }

    /// The last steps: the names leave the audit log and the request, and the file and what SQLite has written ahead are
    /// cleaned of them.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`]: ask again, what was done is done.
    pub fn finish_forgetting(&mut self, request: &ForgetRequest) -> Result<(), ControlError> {
        if let Some(names) = &request.names {
            let all: Vec<String> = names.written.iter().chain([&names.typed, &names.key]).cloned().collect();
            self.forget_names(request.number, &all, &request.pseudonym)?;
        }
        let cleaned =
            self.connection.execute_batch("VACUUM").and_then(|()| crate::store::empty_wal(&self.connection));
        cleaned.map_err(|error| self.flawed(error))?;
        self.change(
            "UPDATE forget SET state = 'done', finished = ?2, progress = NULL, error = NULL WHERE number = ?1",
            params![request.number, now_unix_s()],
        )
    }

    /// How far a request is; `None` if there is none of this number.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn forget_state(&self, number: i64) -> Result<Option<ForgetState>, ControlError> {
        let read = |row: &Row<'_>| {
            if row.get_ref(0)?.as_str()? != "done" {
                return Ok(ForgetState::Pending { progress: row.get(1)?, error: row.get(2)? });
            }
            Ok(ForgetState::Done(Tombstone {
                pseudonym: row.get(3)?,
                asked: rfc3339(row.get(4)?),
                who: row.get(5)?,
                done: rfc3339(row.get(6)?),
                records: row.get::<_, i64>(7)? as u64,
                sessions: row.get::<_, i64>(8)? as u64,
            }))
        };
        let query =
            "SELECT state, progress, error, pseudonym, made, who, coalesce(finished, 0), records, sessions
                     FROM forget WHERE number = ?1";
        self.connection.query_row(query, [number], read).optional().map_err(|error| self.flawed(error))
    }

    pub(super) fn change(
        &self,
        statement: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<(), ControlError> {
        self.connection.execute(statement, values).map(|_| ()).map_err(|error| self.flawed(error))
    }
}

fn body(names: &Names) -> String {
    // Texts alone cannot fail to be written.
    serde_json::to_string(names).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::control::AuditEntry;

    #[test]
    fn a_request_survives_the_process_and_leaves_a_tombstone_without_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let (asks, serves) = (Control::open(folder.path()).unwrap(), Control::open(folder.path()).unwrap());
        assert_eq!(serves.next_to_forget().unwrap(), None);
        let typed =
            || Names { typed: "MALLORY".into(), key: "mallory@contoso.example".into(), written: vec![] };
        for subject in ["mallory@contoso.example", "bob", "mallory2"] {
            let details = format!("asked for {subject}, not bob");
            let entry = AuditEntry {
                who: "reports",
                action: "user.show",
                subject: Some(subject),
                details: Some(&details),
            };
            asks.write_audit(&entry).unwrap();
        }
        let number = asks.ask_to_forget(&typed(), "uid 0").unwrap();
        let request = serves.next_to_forget().unwrap().unwrap();
        assert_eq!((request.number, request.names), (number, Some(typed())));
        let names = Names { written: vec!["CONTOSO\\mallory".into()], ..typed() };
        serves.keep_names(number, &names).unwrap();
        serves.tell_forgetting(number, "journal", Some("no room")).unwrap();
        serves.count_forgotten(number, 5, 0).unwrap();
        serves.count_forgotten(number, 1, 2).unwrap();
        let (progress, error) = (Some("journal".into()), Some("no room".into()));
        assert_eq!(asks.forget_state(number).unwrap(), Some(ForgetState::Pending { progress, error }));

        let mut restarted = Control::open(folder.path()).unwrap();
        let request = restarted.next_to_forget().unwrap().unwrap();
        assert_eq!(request.names, Some(names));
        restarted.finish_forgetting(&request).unwrap();
        let Some(ForgetState::Done(tombstone)) = asks.forget_state(number).unwrap() else { panic!() };
        assert_eq!((tombstone.records, tombstone.sessions, &*tombstone.who), (6, 2, "uid 0"));
        assert_eq!(restarted.next_to_forget().unwrap(), None);
        let subjects: Vec<_> = asks.audit(9).unwrap().into_iter().map(|row| row.subject.unwrap()).collect();
        assert_eq!(subjects, [&*tombstone.pseudonym, "bob", "mallory2"]);
        for file in fs::read_dir(crate::folder(folder.path())).unwrap() {
            let octets = fs::read(file.unwrap().path()).unwrap();
            let found =
                octets.windows(8).any(|part| part[..7].eq_ignore_ascii_case(b"mallory") && part[7] != b'2');
            assert!(!found);
        }
        assert_eq!(asks.forget_state(99).unwrap(), None);
    }
}
