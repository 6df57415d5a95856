//! What the fold made, in SQLite: written by the service alone, read by anybody on the host beside it.
//!
//! | file | what lives there |
//! |---|---|
//! | `schema.sql` | the tables |
//! | `write` | [`Outcome`](crate::fold::Outcome)s go in |
//! | `checkpoint` | the state of the fold, in pieces |
//! | `alerts.sql`, `alert` | alerts and what happened to them |
//! | `alert-reasons.sql`, `alert-reasons-fill.sql`, `reason` | alerts by why they were raised |
//! | `alert_query` | which alerts there are, and whose connections they list |
//! | `bulk` | a store made all at once, by a rebuild |
//! | `forget` | a person goes out, free pages included |
//! | `read` | [`StoreReader`]: users, sessions, devices, places, sensors come out |
//! | `session_filter` | which sessions are asked for |
//! | `from_place` | those from one place or country |
//! | `place` | places by what they are called |
//! | `server` | VPN servers, and who is on line |
//! | `page` | all that there is about one user |
//! | `usual` | what is usual for one user |
//! | `newest` | the newest connections of somebody, and what they have in common |
//! | `location`, `spot`, `days` | where and on which days connections began, for lists, maps and calendars |
//! | `journey` | the two places of an alert about travel |
//! | `find` | what one box finds |
//! | `risk` | who and what is at risk |
//! | `indices.sql`, `alert-lists.sql`, `alert-held.sql` | indices by which pages stay quick |
//! | `by-name.sql`, `alert-risk.sql` | places and devices by name, open alerts by how severe they are |
//! | `lasting.sql` | connections that last, by which those are found that were there at a moment |
//! | `assigned.sql`, `assigned` | who had an address inside the tunnel |
//! | `parts.sql`, `parts-fill.sql`, `parts` | names by a part of them |
//! | `row` | what comes out: plain rows for tables, JSON and the API |
//! | `digest` | one number for all that it says |
//!
//! Everything in it can be made again from the inputs, so a sync is left to WAL checkpoints: after a loss of power the
//! store is some moments older, and the fold goes on from there.

mod alert;
mod alert_query;
mod assigned;
mod bulk;
mod checkpoint;
mod days;
mod digest;
mod find;
mod forget;
mod from_place;
pub(crate) mod journey;
mod location;
mod newest;
mod page;
mod parts;
mod place;
mod read;
mod reason;
mod risk;
mod row;
mod server;
mod session_filter;
mod spot;
mod user_part;
mod usual;
mod write;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

pub use alert_query::{AlertFilter, AlertState};
pub use assigned::FoundAssigned;
pub(crate) use bulk::Bulk;
pub use days::{STARTS_COUNTED, Starts};
pub(crate) use days::{days, hours};
pub use digest::Digest;
pub use find::FoundServer;
pub use journey::JourneyRow;
pub use location::LocationRow;
pub use newest::{Feature, NEWEST_COUNTED, Newest};
pub use page::{DayRow, SHARES_MAX, UserPage};
pub use place::FoundPlace;
pub use read::StoreReader;
pub use risk::{BODIES_MAX, ByRisk, OPEN_ALERTS_MAX, RiskPosition};
pub use row::{DeviceRow, PlaceRow, SeenRow, ServerRow, SessionRow, Share, UserRow};
pub use session_filter::SessionFilter;
pub use spot::{SpotCount, SpotRow};
pub use user_part::UserPart;
pub use usual::{Spread, UsualPage, UsualValue};

/// Name of the file in the service's folder.
pub const FILE: &str = "store.sqlite";

/// What `user_version` must be. A store with a lower one is taken forward by [`MIGRATIONS`], one with a higher one
/// belongs to a later release.
pub(crate) const RELEASE: i64 = MIGRATIONS.len() as i64;

/// Each takes a store from the release of its index to the next.
const MIGRATIONS: [&str; 10] = [
    include_str!("schema.sql"),
    include_str!("alerts.sql"),
    include_str!("indices.sql"),
    include_str!("assigned.sql"),
    concat!(include_str!("parts.sql"), include_str!("parts-fill.sql")),
    include_str!("alert-lists.sql"),
    concat!(include_str!("alert-reasons.sql"), include_str!("alert-reasons-fill.sql")),
    include_str!("alert-held.sql"),
    include_str!("lasting.sql"),
    concat!(include_str!("by-name.sql"), include_str!("alert-risk.sql")),
];

/// Longest wait for somebody else's lock: a backup or a person's `sqlite3` beside the service.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What a reader keeps of what it has read, KiB as SQLite wants them: the pages of [`NEWEST_COUNTED`] connections, which a
/// user's page reads more than once, lie in 8 MiB of a large store.
const READER_CACHE: i64 = -16_384;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// SQLite, or the disk below it.
    #[error("the store {}: {error}", .path.display())]
    Sqlite {
        /// Its file.
        path: PathBuf,
        /// What SQLite says.
        error: rusqlite::Error,
    },
    /// Written by a later release.
    #[error(
        "the store {} is of release {found}, this program knows {RELEASE}: use the later program, or move the file away \
         and run `vpn-sensor rebuild`",
        .path.display()
    )]
    Release {
        /// Its file.
        path: PathBuf,
        /// Its release.
        found: i64,
    },
    /// Of an earlier release, or just being made: the service takes it forward.
    #[error(
        "the store {} is not made yet (release {found} of {RELEASE}): the service makes it when it starts, which takes \
         minutes for a large one of an earlier release; start it, or ask again in a moment",
        .path.display()
    )]
    Unmade {
        /// Its file.
        path: PathBuf,
        /// Its release; 0: there is nothing in it.
        found: i64,
    },
    /// It takes longer than [`StoreReader::give_up_after`] says.
    #[error(
        "the question takes too long and was given up: ask about less, by one user, device, address, place, VPN server or \
         session id and nothing else, or about a shorter time"
    )]
    TooLong,
    /// There is none.
    #[error("there is no store in {}: no service has run with it yet", .0.display())]
    Missing(PathBuf),
}

impl StoreError {
    /// Whether trying again later can help: somebody else holds a lock, or the disk is full.
    pub fn may_pass(&self) -> bool {
        matches!(self, StoreError::Sqlite { error, .. } if may_pass(error))
    }
}

/// Whether what SQLite says may pass.
pub(crate) fn may_pass(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, SystemIoFailure};
    let code = error.sqlite_error_code();
    code.is_some_and(|code| matches!(code, DatabaseBusy | DatabaseLocked | DiskFull | SystemIoFailure))
}

/// Writes what SQLite has written ahead into the file, and empties the log: what was overwritten is in neither then.
pub(crate) fn empty_wal(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| match row.get(0)? {
        0i64 => Ok(()),
        _ => Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some("another process reads it".to_owned()),
        )),
    })
}

/// The store, to be written.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the store in this file, makes it if there is none, takes an older one forward.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        let flawed = |error| StoreError::Sqlite { path: path.to_owned(), error };
        let connection = Connection::open(path).map_err(flawed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(flawed)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;
                 PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000;
                 PRAGMA journal_size_limit = 67108864;",
            )
            .map_err(flawed)?;
        let mut store = Store { connection, path: path.to_owned() };
        store.migrate()?;
        Ok(store)
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn migrate(&mut self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let flawed = |error| StoreError::Sqlite { path: path.clone(), error };
        let found: i64 =
            self.connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(flawed)?;
        if !(0..=RELEASE).contains(&found) {
            return Err(StoreError::Release { path: path.clone(), found });
        }
        for release in found..RELEASE {
            let step = self.connection.transaction().map_err(flawed)?;
            step.execute_batch(MIGRATIONS[release as usize]).map_err(flawed)?;
            step.pragma_update(None, "user_version", release + 1).map_err(flawed)?;
            step.commit().map_err(flawed)?;
        }
        Ok(())
    }

    fn flawed(&self, error: rusqlite::Error) -> StoreError {
        StoreError::Sqlite { path: self.path.clone(), error }
    }

    /// Copies all of it, as it is between two outcomes, into a new file.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`]: the file is there already, or the disk.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let copied = self.connection.execute("VACUUM INTO ?1", [path.display().to_string()]);
        copied.map(|_| ()).map_err(|error| StoreError::Sqlite { path: path.to_owned(), error })
    }
}

/// Opens the file for reading only.
fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        let folder = path.parent().unwrap_or(path);
        return Err(StoreError::Missing(folder.to_owned()));
    }
    let flawed = |error| StoreError::Sqlite { path: path.to_owned(), error };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(flawed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(flawed)?;
    connection.pragma_update(None, "cache_size", READER_CACHE).map_err(flawed)?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(flawed)?;
    match found {
        RELEASE => Ok(connection),
        0..RELEASE => Err(StoreError::Unmade { path: path.to_owned(), found }),
        _ => Err(StoreError::Release { path: path.to_owned(), found }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_being_made_is_no_later_programs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let opened = || open_read_only(&path).map(drop);
        assert!(matches!(opened(), Err(StoreError::Missing(_))));
        let mut made = Connection::open(&path).unwrap();
        made.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        let step = made.transaction().unwrap();
        step.execute_batch("CREATE TABLE first (a)").unwrap();
        assert!(matches!(opened(), Err(StoreError::Unmade { found: 0, .. })));
        step.rollback().unwrap();
        drop(Store::open(&path).unwrap());
        opened().unwrap();
        made.pragma_update(None, "user_version", RELEASE - 1).unwrap();
        let told = opened().unwrap_err().to_string();
        let (before, next) = (RELEASE - 1, RELEASE + 1);
        assert!(told.contains(&format!("is not made yet (release {before} of {RELEASE})")), "{told}");
        made.pragma_update(None, "user_version", RELEASE + 1).unwrap();
        let told = opened().unwrap_err().to_string();
        let later = format!("is of release {next}, this program knows {RELEASE}: use the later program");
        assert!(told.contains(&later), "{told}");
    }
}
