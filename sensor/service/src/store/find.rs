//! What one box finds: addresses, session ids, devices and VPN servers by the beginning or a part of what they are called. Each question reads a few rows of an index, or all of a small table.

use rusqlite::{Row, ToSql};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    StoreError, StoreReader,
    parts::Named,
    row::{SeenRow, rfc3339},
};

/// A VPN server that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FoundServer {
    /// Its number in this store.
    pub number: i64,
    /// What it calls itself, or its address, or the client that it is.
    pub name: String,
    /// The client of the configuration.
    pub client: String,
}

impl StoreReader {
    /// Addresses outside the tunnel that begin so, ascending.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn addresses_beginning(&self, beginning: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        self.beginning("session", "remote", beginning, limit)
    }

    /// Acct-Session-Ids that begin so, in any case of their Latin letters, ascending.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn session_ids_beginning(&self, beginning: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        self.beginning("session", "session_id COLLATE NOCASE", beginning, limit)
    }

    /// Steps through the column's index, in the order that the column is given with, from value to value: one that a
    /// million rows have costs as much as any other.
    pub(super) fn beginning(
        &self,
        table: &str,
        column: &str,
        beginning: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        // Behind all that begin so: no text has the last character of Unicode twice.
        let end = format!("{beginning}\u{10ffff}\u{10ffff}");
        let query = format!(
            "WITH RECURSIVE found (value, number) AS (
                 SELECT min({column}), 1 FROM {table} WHERE {column} >= ?1 AND {column} < ?2
                 UNION ALL
                 SELECT (SELECT min({column}) FROM {table} WHERE {column} > found.value AND {column} < ?2), number + 1
                 FROM found WHERE found.value IS NOT NULL AND number < {limit})
             SELECT value FROM found WHERE value IS NOT NULL"
        );
        self.rows(&query, &[Box::new(beginning.to_owned()), Box::new(end)], |row| row.get(0))
    }

    /// Devices whose name holds this, in any case of its Latin letters; the latest seen first.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn devices_with(
        &self,
        part: &str,
        after: Option<(i64, &str)>,
        limit: usize,
    ) -> Result<Vec<SeenRow>, StoreError> {
        let (last, name) = after.unwrap_or((i64::MAX, ""));
        let mut values: Vec<Box<dyn ToSql>> =
            vec![Box::new(last), Box::new(name.to_owned()), Box::new(holding(part))];
        let among = match self.may_hold(Named::Device, part)? {
            Some(few) => {
                values.push(Box::new(few));
                "(SELECT value FROM json_each(?4)) CROSS JOIN device_name ON number = value
                 CROSS JOIN sighting ON sort = 2 AND sighting.name = device_name.name"
            }
            None => "sighting INDEXED BY sighting_by_last",
        };
        let query = format!(
            "SELECT sighting.name, first, last, count FROM
                 (SELECT sighting.name FROM {among}
                  WHERE sort = 2 AND (last < ?1 OR (last = ?1 AND sighting.name > ?2))
                  AND sighting.name LIKE ?3 ESCAPE '\\'
                  ORDER BY last DESC, sighting.name LIMIT {limit}) AS found
             CROSS JOIN sighting ON sort = 2 AND sighting.name = found.name
             ORDER BY last DESC, sighting.name"
        );
        self.rows(&query, &values, seen)
    }

    /// Devices that are called so, in any case of its Latin letters; the latest seen first.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn devices_called(&self, name: &str, limit: usize) -> Result<Vec<SeenRow>, StoreError> {
        let query = format!(
            "SELECT sighting.name, first, last, count FROM device_name INDEXED BY device_by_name
             CROSS JOIN sighting ON sort = 2 AND sighting.name = device_name.name
             WHERE device_name.name = ?1 COLLATE NOCASE ORDER BY last DESC, sighting.name LIMIT {limit}"
        );
        self.rows(&query, &[Box::new(name.to_owned())], seen)
    }

    /// Devices by their names, in the order of those; none is known by some of them, perhaps.
    pub(super) fn devices_named(&self, names: &[&str]) -> Result<Vec<SeenRow>, StoreError> {
        let query = "SELECT name, first, last, count FROM json_each(?1) AS wanted
             CROSS JOIN sighting ON sort = 2 AND sighting.name = wanted.value ORDER BY wanted.key";
        // Plain data can always be written.
        let names = serde_json::to_string(names).unwrap_or_default();
        self.rows(query, &[Box::new(names)], seen)
    }

    /// VPN servers whose client, NAS-Identifier or address holds this, in any case of its Latin letters; first those that are
    /// called so.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn servers_with(&self, part: &str, limit: usize) -> Result<Vec<FoundServer>, StoreError> {
        let query = format!(
            "SELECT number, coalesce(identifier, address, client), client FROM server
             WHERE client LIKE ?1 ESCAPE '\\' OR identifier LIKE ?1 ESCAPE '\\' OR address LIKE ?1 ESCAPE '\\'
             ORDER BY coalesce(?2 COLLATE NOCASE IN (identifier, address, client), FALSE) DESC, number LIMIT {limit}"
        );
        self.rows(&query, &[Box::new(holding(part)), Box::new(part.to_owned())], |row| {
            Ok(FoundServer { number: row.get(0)?, name: row.get(1)?, client: row.get(2)? })
        })
    }
}

fn seen(row: &Row<'_>) -> rusqlite::Result<SeenRow> {
    Ok(SeenRow {
        name: row.get(0)?,
        first_seen: rfc3339(row.get(1)?),
        last_seen: rfc3339(row.get(2)?),
        count: row.get(3)?,
        last_unix_ns: row.get(2)?,
    })
}

/// A pattern for what holds this text, whatever it is.
pub(super) fn holding(part: &str) -> String {
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for c in part.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
