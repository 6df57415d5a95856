//! One number for all that a store says: equal for a live store and its rebuild. Rows that nothing refers to (a place
//! that a session had for a moment) and the checkpoint's octets are not part of it.

use std::{fmt, path::Path};

use rusqlite::{Connection, types::ValueRef};
use sha2::{Digest as _, Sha256};

use super::{StoreError, open_read_only};

/// What counts, in an order that does not depend on how it came to be.
const QUERIES: [&str; 8] = [
    "SELECT session.*, server.*, place.* FROM session
         LEFT JOIN server ON server.number = session.server LEFT JOIN place ON place.id = session.place
     ORDER BY session.number",
    "SELECT address, began, session FROM assigned_address ORDER BY address, began, session",
    "SELECT name FROM user_name ORDER BY name",
    "SELECT name FROM device_name ORDER BY name",
    "SELECT sort, name, first, last, count, original FROM sighting ORDER BY sort, name",
    "SELECT number, user, severity, is_open, changed, body FROM alert ORDER BY number",
    "SELECT name, number, is_open FROM alert_reason ORDER BY name, number",
    "SELECT sequence, alert, news, is_held, changed, body FROM notice ORDER BY sequence",
];

/// The digest of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The last record in it.
    pub position: u64,
    /// Sessions in it.
    pub sessions: u64,
    /// SHA-256 over all rows.
    pub sha256: [u8; 32],
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sha256.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl Digest {
    /// Of the store in this file, as it is at one moment, also beside a running service.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn of(path: &Path) -> Result<Digest, StoreError> {
        let mut connection = open_read_only(path)?;
        digest(&mut connection).map_err(|error| StoreError::Sqlite { path: path.to_owned(), error })
    }
}

fn digest(connection: &mut Connection) -> rusqlite::Result<Digest> {
    let snapshot = connection.transaction()?;
    let mut hash = Sha256::new();
    for query in QUERIES {
        let mut select = snapshot.prepare(query)?;
        let columns = select.column_count();
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                match row.get_ref(column)? {
                    ValueRef::Null => hash.update(b"n"),
                    ValueRef::Integer(value) => field(&mut hash, b'i', &value.to_be_bytes()),
                    ValueRef::Real(value) => field(&mut hash, b'r', &value.to_bits().to_be_bytes()),
                    ValueRef::Text(octets) => field(&mut hash, b't', octets),
                    ValueRef::Blob(octets) => field(&mut hash, b'b', octets),
                }
            }
            hash.update(b"\n");
        }
        hash.update(b"\n");
    }
    let count = |query| snapshot.query_row(query, [], |row| row.get::<_, i64>(0));
    Ok(Digest {
        position: count("SELECT coalesce(max(value), 0) FROM meta WHERE name = 'position'")? as u64,
        sessions: count("SELECT count(*) FROM session")? as u64,
        sha256: hash.finalize().into(),
    })
}

/// With its length in front: no two rows of different fields look the same.
fn field(hash: &mut Sha256, sort: u8, octets: &[u8]) {
    hash.update([sort]);
    hash.update((octets.len() as u64).to_be_bytes());
    hash.update(octets);
}
