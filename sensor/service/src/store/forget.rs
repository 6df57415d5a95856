//! A person goes out of the store, free pages and the log of what SQLite has written ahead included.

use std::{collections::BTreeSet, path::Path};

use rusqlite::{Connection, OpenFlags, Row, params, types::ValueRef};

use super::{Store, StoreError, alert, checkpoint, empty_wal};
use crate::{fold::Sort, forget::Person};

/// What is to go.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Going {
    /// Sessions by number.
    pub(crate) sessions: BTreeSet<i64>,
    /// Alerts that name the person.
    pub(crate) alerts: alert::Naming,
    /// Users and devices that are in no other session.
    pub(crate) seen: BTreeSet<(Sort, String)>,
}

impl Store {
    /// Whether the file is a store.
    pub(crate) fn is_at(path: &Path) -> bool {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('session', 'sighting', 'checkpoint')";
        let count = Connection::open_with_flags(path, flags)
            .and_then(|store| store.query_row(tables, [], |row| row.get::<_, i64>(0)));
        count.is_ok_and(|count| count == 3)
    }

    /// How a user's name was written in the sessions that are here.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub(crate) fn written(&self, key: &str) -> Result<Vec<String>, StoreError> {
        let read = || {
            let mut select = self.connection.prepare(
                "SELECT user_original FROM session WHERE user = ?1 AND user_original IS NOT NULL
                 UNION SELECT original FROM sighting WHERE sort = 1 AND name = ?1 AND original IS NOT NULL",
            )?;
            let rows = select.query_map([key], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.flawed(error))
    }

    /// What is of a person, or names the person.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub(crate) fn of_person(&self, person: &Person) -> Result<Going, StoreError> {
        self.look_for(person).map_err(|error| self.flawed(error))
    }

    fn look_for(&self, person: &Person) -> rusqlite::Result<Going> {
        let mut going = Going::default();
        let mut select = self.connection.prepare(
            "SELECT number, session_id, user, user_original, device, software, operating_system, user_group FROM session",
        )?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (id, user, device) = (text(row, 1)?, text(row, 2)?, text(row, 4)?);
            let texts = [text(row, 3)?, device, text(row, 5)?, text(row, 6)?, text(row, 7)?];
            if person.has_row(user, id.unwrap_or_default(), texts) {
                going.sessions.insert(row.get(0)?);
                let seen = [(Sort::User, user), (Sort::Device, device)];
                going.seen.extend(seen.into_iter().filter_map(|(sort, name)| Some((sort, name?.to_owned()))));
            }
        }
        let mut seen = std::mem::take(&mut going.seen);
        let stays = |sort: Sort, name: &str| -> rusqlite::Result<bool> {
            let column = if sort == Sort::User { "user" } else { "device" };
            let query = format!("SELECT number FROM session WHERE {column} = ?1");
            let mut select = self.connection.prepare_cached(&query)?;
            let mut numbers = select.query_map([name], |row| row.get::<_, i64>(0))?;
            numbers.try_fold(false, |stays, number| {
                number.map(|number| stays || !going.sessions.contains(&number))
            })
        };
        let mut staying = Vec::new();
        for (sort, name) in &seen {
            if stays(*sort, name)? {
                staying.push((*sort, name.clone()));
            }
        }
        for one in &staying {
            seen.remove(one);
        }
        // Whose sessions retention has taken, and who is seen all the same.
        let mut select = self.connection.prepare("SELECT sort, name FROM sighting WHERE sort IN (1, 2)")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (is_user, name) = (row.get::<_, i64>(0)? == 1, text(row, 1)?.unwrap_or_default());
            if is_user && name == person.key() {
                seen.insert((Sort::User, name.to_owned()));
            } else if !is_user && person.is_in(name) {
                seen.insert((Sort::Device, name.to_owned()));
            }
        }
        going.seen = seen;
        going.alerts = alert::find(&self.connection, person)?;
        Ok(going)
    }

    /// Takes it out and puts the state without it in the place of the checkpoint, both or neither.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub(crate) fn forget(&mut self, going: &Going, octets: &[u8]) -> Result<(), StoreError> {
        let path = self.path.clone();
        self.take_out(going, octets).map_err(|error| StoreError::Sqlite { path, error })
    }

    fn take_out(&mut self, going: &Going, octets: &[u8]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut session = transaction.prepare("DELETE FROM session WHERE number = ?1")?;
            for number in &going.sessions {
                session.execute([number])?;
            }
            alert::forget(&transaction, &going.alerts)?;
            let mut sighting = transaction.prepare("DELETE FROM sighting WHERE sort = ?1 AND name = ?2")?;
            for (sort, name) in &going.seen {
                sighting.execute(params![*sort as u8, name])?;
            }
        }
        transaction.execute(
            "DELETE FROM place WHERE NOT EXISTS (SELECT 1 FROM session WHERE session.place = place.id)",
            [],
        )?;
        checkpoint::replace_within(&transaction, octets)?;
        transaction.commit()
    }

    /// Writes the file anew without free pages, and empties the log beside it: what was taken out is in neither.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`]; it needs room for a second store meanwhile.
    pub(crate) fn clean(&self) -> Result<(), StoreError> {
        let cleaned = self.connection.execute_batch("VACUUM").and_then(|()| empty_wal(&self.connection));
        cleaned.map_err(|error| self.flawed(error))
    }
}

/// A text that may be absent, without a copy.
fn text<'r>(row: &'r Row<'_>, at: usize) -> rusqlite::Result<Option<&'r str>> {
    match row.get_ref(at)? {
        ValueRef::Null => Ok(None),
        value => Ok(Some(value.as_str()?)),
    }
}
