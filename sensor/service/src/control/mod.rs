//! What people decide and do, in `control.sqlite` beside the store: tokens of the API, the audit log, requests to forget
//! a person. No rebuild makes it again, and none touches it.
//!
//! | file | what lives there |
//! |---|---|
//! | `schema.sql`, `schema-2.sql` to `schema-8.sql` | the tables |
//! | `token` | who may ask the API, and who may decide |
//! | `account`, `visit` | who may sign in at the portal; who is signed in |
//! | `provider` | accounts of people whom an OpenID provider knows |
//! | `audit` | who looked at whom, how long that is kept, and how a person is forgotten in it |
//! | `decision` | what people decided about alerts, on its way to the service |
//! | `request` | whom the running service is to forget, and what is left of those that it has |
//!
//! Called by the API, the command line and the running service, each with a connection of its own.

mod account;
mod audit;
mod decision;
mod provider;
mod request;
mod token;
mod visit;

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use account::{AccountRow, KEEPS_ROLE, LINK_S, Role};
pub use audit::{AuditEntry, AuditFilter, AuditRow};
pub use request::{ForgetRequest, ForgetState, Names, Tombstone};
pub(crate) use token::Bearer;
pub use token::{NewToken, Right, TokenRow};
pub(crate) use visit::Proof;
pub use visit::{IDLE_S, VISIT_S};

/// Name of the file in the service's folder.
pub const FILE: &str = "control.sqlite";

const MIGRATIONS: [&str; 8] = [
    include_str!("schema.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
    include_str!("schema-7.sql"),
    include_str!("schema-8.sql"),
];
/// What `user_version` must be once [`MIGRATIONS`] were made.
const RELEASE: i64 = MIGRATIONS.len() as i64;
/// Longest wait for another process's lock: each holds it for one small transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why what people decide cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// SQLite, or the disk below it.
    #[error("{}: {error}", .path.display())]
    Sqlite {
        /// Its file.
        path: PathBuf,
        /// What SQLite says.
        error: rusqlite::Error,
    },
    /// The file or its folder.
    #[error("{}: {error}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Written by a later release.
    #[error("{} is of release {found}, this program knows {RELEASE}: use the later program", .path.display())]
    Release {
        /// Its file.
        path: PathBuf,
        /// Its release.
        found: i64,
    },
    /// A token's name that is taken.
    #[error("there is a token {0:?} already: remove it first, or choose another name")]
    TokenExists(String),
    /// A token's name that cannot be one.
    #[error("{0:?} is no token name: 1 to 64 letters, digits, '.', '_' and '-'")]
    TokenName(String),
    /// A change that would leave nobody who can set anything.
    #[error("{0:?} is the only administrator: make another one first")]
    LastAdministrator(String),
    /// A link for a new account that does not say what it may do.
    #[error("there is no account {0:?} yet: say whether it is to be an analyst or an administrator")]
    NoRole(String),
    /// An account's name that cannot be one.
    #[error("{0:?} is no account name: 1 to 64 letters, digits, '.', '_', '-' and '@'")]
    AccountName(String),
}

/// Tokens, audit log, requests.
#[derive(Debug)]
pub struct Control {
    connection: Connection,
    path: PathBuf,
}

impl Control {
    /// Opens what lies below a state directory; makes it, for its owner alone, if there is none.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn open(state_dir: &Path) -> Result<Control, ControlError> {
        let folder = crate::folder(state_dir);
        let is_new = !folder.exists();
        crate::make_folder(state_dir).map_err(|error| ControlError::Io {
            path: folder.clone(),
            error: io::Error::other(error.to_string()),
        })?;
        if is_new {
            give_to_owner_of(state_dir, &folder)?;
        }
        let path = folder.join(FILE);
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(_) => give_to_owner_of(&folder, &path)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(ControlError::Io { path, error }),
        }
        let flawed = |error| ControlError::Sqlite { path: path.clone(), error };
        let connection = Connection::open(&path).map_err(flawed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(flawed)?;
        // Synced with each transaction: an audit entry that a loss of power takes is one that an intruder may take.
        write_ahead(&connection).map_err(flawed)?;
        connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;").map_err(flawed)?;
        let mut control = Control { connection, path };
        control.migrate()?;
        Ok(control)
    }

    fn migrate(&mut self) -> Result<(), ControlError> {
        let path = self.path.clone();
        let flawed = |error| ControlError::Sqlite { path: path.clone(), error };
        // The lock before the look: two processes may open a new file at once.
        let step =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(flawed)?;
        let found: i64 = step.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(flawed)?;
        if !(0..=RELEASE).contains(&found) {
            return Err(ControlError::Release { path: path.clone(), found });
        }
        for release in found..RELEASE {
            step.execute_batch(MIGRATIONS[release as usize]).map_err(flawed)?;
            step.pragma_update(None, "user_version", release + 1).map_err(flawed)?;
        }
        step.commit().map_err(flawed)
    }

    /// Work of several parts, all of which is done or, behind an error, none: what is looked at in it stays so until its end,
    /// whatever other processes do. Such work within such work is a part of it.
    ///
    /// # Errors
    /// Those of the work; [`ControlError::Sqlite`].
    pub fn at_once<T>(
        &self,
        work: impl FnOnce(&Control) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        if !self.connection.is_autocommit() {
            return work(self);
        }
        let step = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate);
        let step = step.map_err(|error| self.flawed(error))?;
        let done = work(self)?;
        step.commit().map_err(|error| self.flawed(error))?;
        Ok(done)
    }

    /// Writes a line of the audit log as a part of what it tells of, [`at_once`](Self::at_once): neither is there without the
    /// other.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`]: then what it is about must not be done.
    pub fn note(&self, entry: &AuditEntry<'_>) -> Result<(), ControlError> {
        self.at_once(|control| {
            audit::insert(&control.connection, entry).map_err(|error| control.flawed(error))
        })
    }

    fn flawed(&self, error: rusqlite::Error) -> ControlError {
        ControlError::Sqlite { path: self.path.clone(), error }
    }
}

/// Waits for whoever does the same to a new file: SQLite asks no busy handler where two that read want to write
/// (<https://sqlite.org/c3ref/busy_handler.html>), and says at once that the file is locked.
fn write_ahead(connection: &Connection) -> Result<(), rusqlite::Error> {
    let started = Instant::now();
    loop {
        match connection.execute_batch("PRAGMA journal_mode = WAL;") {
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
                    && started.elapsed() < BUSY_TIMEOUT =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

/// A command that root gives before the service ran first must not keep the service from its own files.
fn give_to_owner_of(model: &Path, path: &Path) -> Result<(), ControlError> {
    let failed = |error| ControlError::Io { path: path.to_owned(), error };
    let (model, made) = (fs::metadata(model).map_err(failed)?, fs::metadata(path).map_err(failed)?);
    if (model.uid(), model.gid()) == (made.uid(), made.gid()) {
        return Ok(());
    }
    match chown(path, Some(model.uid()), Some(model.gid())) {
        // Only root may; whoever else made it is its owner.
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied => Err(failed(error)),
        _ => Ok(()),
    }
}

/// Since 1970 UTC.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Seconds since 1970 UTC.
fn now_unix_s() -> i64 {
    now().as_secs() as i64
}

/// A moment for people and machines.
fn rfc3339(unix_s: i64) -> String {
    jiff::Timestamp::from_second(unix_s).map_or_else(|_| "-".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    /// As when the service starts for the first time and a command makes a token in that moment.
    #[test]
    fn several_that_open_a_new_file_in_the_same_moment_all_have_it() {
        for _ in 0..40 {
            let folder = tempfile::tempdir().unwrap();
            let together = Barrier::new(4);
            std::thread::scope(|scope| {
                let open = || {
                    together.wait();
                    Control::open(folder.path()).map(drop)
                };
                let opening: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
                for opened in opening {
                    opened.join().unwrap().unwrap();
                }
            });
        }
    }
}
