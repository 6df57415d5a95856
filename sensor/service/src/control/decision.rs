//! What people decided about alerts: put in by the command line and the API, taken by the running service, which makes
//! inputs of it.

use rusqlite::{OptionalExtension as _, params};

use super::{Control, ControlError, now};
use crate::{alert::Verdict, fold::Decision};

impl Control {
    /// Puts a decision in; its number, and what was put in. No two have the same time and say the same: by that each is
    /// known again in the alert ([`crate::alert::effect`]).
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn decide(
        &self,
        alert: u64,
        verdict: Option<Verdict>,
        comment: Option<&str>,
        by: &str,
    ) -> Result<(i64, Decision), ControlError> {
        let unix_ns = now().as_nanos() as u64;
        let comment = comment.map(str::to_owned);
        let decision = Decision { alert, unix_ns, by: by.to_owned(), verdict, comment };
        // A structure of texts and numbers cannot fail to be written.
        let body = serde_json::to_string(&decision).unwrap_or_default();
        let put = self.connection.execute("INSERT INTO decision (body) VALUES (?1)", [body]);
        put.map(|_| (self.connection.last_insert_rowid(), decision)).map_err(|error| self.flawed(error))
    }

    /// The oldest decision that was not taken, and its number.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn next_decision(&self) -> Result<Option<(i64, Decision)>, ControlError> {
        let query = "SELECT number, body FROM decision WHERE body IS NOT NULL ORDER BY number LIMIT 1";
        let read = |row: &rusqlite::Row<'_>| {
            let wrong = |error: serde_json::Error| {
                rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, error.into())
            };
            Ok((row.get(0)?, serde_json::from_str(row.get_ref(1)?.as_str()?).map_err(wrong)?))
        };
        self.connection.query_row(query, [], read).optional().map_err(|error| self.flawed(error))
    }

    /// How many decisions were not taken yet: all, and those about this alert.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn decisions_waiting(&self, alert: u64) -> Result<(u64, u64), ControlError> {
        let query = "SELECT count(*), count(*) FILTER (WHERE body ->> '$.alert' = ?1) FROM decision WHERE body IS NOT NULL";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64));
        self.connection.query_row(query, [alert as i64], read).map_err(|error| self.flawed(error))
    }

    /// A decision was taken: it is in the input log.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn took_decision(&self, number: i64) -> Result<(), ControlError> {
        self.change("UPDATE decision SET body = NULL WHERE number = ?1", params![number])
    }

    /// Whether a decision was taken.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn is_taken(&self, number: i64) -> Result<bool, ControlError> {
        let query = "SELECT body IS NULL FROM decision WHERE number = ?1";
        let taken = self.connection.query_row(query, [number], |row| row.get(0)).optional();
        taken.map(|taken| taken.unwrap_or(true)).map_err(|error| self.flawed(error))
    }
}
