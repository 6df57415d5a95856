//! A store made all at once, by a rebuild. It is thrown away if that is interrupted, so nothing waits for the disk and
//! nothing is taken back; every session is written once, in the order of the numbers; an index, and the tables of
//! addresses inside the tunnel, of names and of alerts' reasons, is made when all rows are there, which is a sort instead
//! of a look into a tree for each row.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::{Store, StoreError, alert, assigned, checkpoint, parts, reason, write};
use crate::fold::{Outcome, SessionChange, Sighting};

/// The indices that stay: by them what is old is found and taken out, day by day.
const KEPT_INDICES: [&str; 3] = ["session_by_start", "alert_by_changed", "notice_by_changed"];

/// A store that is being made.
#[derive(Debug)]
pub(crate) struct Bulk {
    store: Store,
    /// The statements that make the indices and triggers.
    indices: Vec<String>,
    /// Places that are in it.
    places: HashSet<i64>,
}

impl Bulk {
    /// Takes a store that nobody else has open.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub(crate) fn begin(store: Store) -> Result<Bulk, StoreError> {
        let indices = take_indices(&store.connection).map_err(|error| store.flawed(error))?;
        Ok(Bulk { store, indices, places: HashSet::new() })
    }

    /// The VPN servers and alerts of an outcome.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub(crate) fn write_rest(&mut self, outcome: &Outcome) -> Result<(), StoreError> {
        let connection = &self.store.connection;
        let written = write::servers(connection, outcome).and_then(|()| alert::write(connection, outcome));
        written.map_err(|error| self.store.flawed(error))
    }

    /// Sessions as they stand, in the order of their numbers.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub(crate) fn write_sessions(&mut self, changes: &[SessionChange]) -> Result<(), StoreError> {
        let Bulk { store, places, .. } = self;
        let written = store.connection.transaction().and_then(|transaction| {
            for change in changes {
                if let SessionChange::Stands(_, Some(placed)) = change
                    && places.insert(placed.id)
                {
                    write::place(&transaction, placed)?;
                }
                write::session_change(&transaction, change)?;
            }
            transaction.commit()
        });
        written.map_err(|error| self.store.flawed(error))
    }

    /// Takes out alerts and sessions that began and were last seen before this, ns since 1970 UTC.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub(crate) fn forget_before(&mut self, unix_ns: u64) -> Result<(), StoreError> {
        let connection = &self.store.connection;
        let forgotten = write::forget_sessions(connection, unix_ns)
            .and_then(|()| alert::forget_before(connection, unix_ns));
        forgotten.map_err(|error| self.store.flawed(error))
    }

    /// Puts in what the fold has in the end, and makes a store of it that can be opened. To be synced by whoever takes it
    /// into force.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub(crate) fn finish(
        mut self,
        position: u64,
        sightings: impl Iterator<Item = Sighting>,
        octets: &[u8],
    ) -> Result<(), StoreError> {
        let indices = std::mem::take(&mut self.indices);
        let finish = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            // All of them: what is followed now is all that a store has.
            transaction.execute("DELETE FROM sighting", [])?;
            write::sightings(&transaction, sightings)?;
            checkpoint::replace_within(&transaction, octets)?;
            write::position(&transaction, position)?;
            transaction.commit()?;
            // Before there are triggers again, which come behind the indices.
            assigned::fill(connection)?;
            parts::fill(connection)?;
            reason::fill(connection)?;
            for index in indices {
                connection.execute(&index, params![])?;
            }
            connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
        };
        let finished = finish(&mut self.store.connection);
        finished.map_err(|error| self.store.flawed(error))
    }
}

/// Takes the triggers away, and the indices but for a few, and returns what makes them again.
fn take_indices(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144;")?;
    let mut select = connection.prepare(
        "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY type, name",
    )?;
    let taken: Vec<(String, String, String)> = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut statements = Vec::new();
    for (sort, name, statement) in
        taken.into_iter().filter(|(_, name, _)| !KEPT_INDICES.contains(&name.as_str()))
    {
        connection.execute(&format!("DROP {sort} \"{name}\""), [])?;
        statements.push(statement);
    }
    Ok(statements)
}
