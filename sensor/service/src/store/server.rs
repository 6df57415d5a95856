//! VPN servers, and how many connections of each are open.

use rusqlite::{Row, ToSql};

use super::{
    StoreError, StoreReader,
    row::{ServerRow, rfc3339},
};

/// Open connections of each, by their index alone.
const OPEN: &str = "WITH open AS MATERIALIZED
    (SELECT server, count(*) AS connections FROM session INDEXED BY session_open WHERE ended IS NULL GROUP BY server)";

impl StoreReader {
    /// VPN servers with higher numbers than this, by number.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn servers(&self, after: i64, limit: usize) -> Result<Vec<ServerRow>, StoreError> {
        self.servers_in("WHERE number > ?1 ORDER BY number", &[Box::new(after)], limit)
    }

    /// VPN servers, those with the most open connections first, then by number.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn busiest_servers(&self, limit: usize) -> Result<Vec<ServerRow>, StoreError> {
        self.servers_in("ORDER BY connections DESC, number", &[], limit)
    }

    /// Connections that are open, through all VPN servers.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn on_line(&self) -> Result<i64, StoreError> {
        let query = "SELECT count(*) FROM session INDEXED BY session_open WHERE ended IS NULL";
        Ok(self.rows(query, &[], |row| row.get(0))?.pop().unwrap_or(0))
    }

    fn servers_in(
        &self,
        order: &str,
        values: &[Box<dyn ToSql>],
        limit: usize,
    ) -> Result<Vec<ServerRow>, StoreError> {
        let query = format!(
            "{OPEN} SELECT number, client, identifier, address, first, last, count, connections FROM
                 (SELECT server.*, coalesce(open.connections, 0) AS connections
                  FROM server LEFT JOIN open ON open.server = server.number {order} LIMIT {limit}) AS found
             LEFT JOIN sighting ON sort = 3
                 AND name = client || char(10) || coalesce(identifier, '') || char(10) || coalesce(address, '')
             {order}"
        );
        self.rows(&query, values, server)
    }
}

fn server(row: &Row<'_>) -> rusqlite::Result<ServerRow> {
    Ok(ServerRow {
        number: row.get(0)?,
        client: row.get(1)?,
        nas_identifier: row.get(2)?,
        nas_address: row.get(3)?,
        first_seen: rfc3339(row.get::<_, Option<i64>>(4)?.unwrap_or(0)),
        last_seen: rfc3339(row.get::<_, Option<i64>>(5)?.unwrap_or(0)),
        connections: row.get::<_, Option<i64>>(6)?.unwrap_or(0),
        open: row.get(7)?,
    })
}
