//! The input log: what the fold goes by besides the journal, each with the place in the journal at which it takes
//! effect. Only ever appended to, and durable before anything that follows from it is stored. In SQLite, because that
//! brings transactions, checks and a way to take a person's traces out.

use std::{net::IpAddr, path::Path};

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use crate::{
    Meaning,
    fold::{Decision, Resolved},
};

/// Name of the file in the service's folder.
pub(crate) const FILE: &str = "inputs.sqlite";

/// One input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "input")]
pub enum Input {
    /// From here on records mean this.
    Meaning(Box<Meaning>),
    /// From here on addresses are resolved anew, by the databases with this fingerprint.
    Databases {
        /// Of all databases and sites together.
        fingerprint: String,
    },
    /// An address was resolved. Known when the record at its position is taken.
    Place {
        /// The address.
        address: IpAddr,
        /// What was found.
        resolved: Box<Resolved>,
    },
    /// Somebody decided about an alert.
    Decision(Box<Decision>),
    /// So late it was when nothing came: ns since 1970 UTC.
    Tick {
        /// ns since 1970 UTC.
        unix_ns: u64,
    },
}

/// An input at its position: it takes effect behind the record with this sequence (a [`Input::Place`] before it).
#[derive(Debug, Clone, PartialEq)]
pub struct Placing {
    /// Sequence in the journal; 0: before the first.
    pub position: u64,
    /// What takes effect.
    pub input: Input,
}

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputsError {
    /// SQLite, or the disk below it.
    #[error("the input log: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// An entry that this release cannot read.
    #[error("the input log, entry {entry}: {reason}; it was written by a later release, or is damaged")]
    Entry {
        /// Its number.
        entry: i64,
        /// What is wrong.
        reason: serde_json::Error,
    },
}

/// The log.
#[derive(Debug)]
pub struct Inputs {
    connection: Connection,
}

impl Inputs {
    /// Opens the log in the service's folder, makes it if there is none.
    ///
    /// # Errors
    /// [`InputsError::Sqlite`].
    pub fn open(folder: &Path) -> Result<Inputs, InputsError> {
        let connection = Connection::open(folder.join(FILE))?;
        // FULL: an entry is on the disk before what follows from it is stored.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             PRAGMA busy_timeout = 5000;
             CREATE TABLE IF NOT EXISTS input (
                 entry INTEGER PRIMARY KEY AUTOINCREMENT, position INTEGER NOT NULL, body TEXT NOT NULL
             ) STRICT;",
        )?;
        Ok(Inputs { connection })
    }

    /// Opens it to be read beside a running service.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn open_read_only(folder: &Path) -> Result<Inputs, InputsError> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(folder.join(FILE), flags)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        Ok(Inputs { connection })
    }

    /// Appends all of them or none. Durable when this returns.
    ///
    /// # Errors
    /// [`InputsError::Sqlite`].
    pub fn append(&mut self, placings: &[Placing]) -> Result<(), InputsError> {
        if placings.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        {
            let mut insert =
                transaction.prepare_cached("INSERT INTO input (position, body) VALUES (?1, ?2)")?;
            for placing in placings {
                let body = serde_json::to_string(&placing.input)
                    .map_err(|reason| InputsError::Entry { entry: 0, reason })?;
                insert.execute(params![placing.position as i64, body])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Position of the last one; 0 without any.
    ///
    /// # Errors
    /// [`InputsError::Sqlite`].
    pub fn last_position(&self) -> Result<u64, InputsError> {
        let query = "SELECT position FROM input ORDER BY entry DESC LIMIT 1";
        let last: Option<i64> = self.connection.query_row(query, [], |row| row.get(0)).optional()?;
        Ok(last.unwrap_or(0) as u64)
    }

    /// At most `limit` of those behind the entry `after`, in the order in which they take effect, with the number of
    /// each.
    ///
    /// # Errors
    /// [`InputsError`].
    pub fn after(&self, after: i64, limit: usize) -> Result<Vec<(i64, Placing)>, InputsError> {
        let mut select = self.connection.prepare_cached(
            "SELECT entry, position, body FROM input WHERE entry > ?1 ORDER BY entry LIMIT ?2",
        )?;
        let mut rows = select.query(params![after, limit as i64])?;
        let mut placings = Vec::new();
        while let Some(row) = rows.next()? {
            let (entry, position): (i64, i64) = (row.get(0)?, row.get(1)?);
            let body = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
            let input = serde_json::from_str(body).map_err(|reason| InputsError::Entry { entry, reason })?;
            placings.push((entry, Placing { position: position as u64, input }));
        }
        Ok(placings)
    }

    /// The number of the last entry there ever was; 0 without any.
    ///
    /// # Errors
    /// [`InputsError::Sqlite`].
    pub fn last_entry(&self) -> Result<i64, InputsError> {
        let query = "SELECT seq FROM sqlite_sequence WHERE name = 'input'";
        let last: Option<i64> = self.connection.query_row(query, [], |row| row.get(0)).optional()?;
        Ok(last.unwrap_or(0))
    }

    /// Takes away those that a checkpoint covers, and cleans the place where they stood.
    ///
    /// # Errors
    /// [`InputsError::Sqlite`].
    pub fn remove_up_to(&mut self, entry: i64) -> Result<(), InputsError> {
        self.connection.execute("DELETE FROM input WHERE entry <= ?1", [entry])?;
        self.connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?;
        Ok(())
    }
}
