//! Where connections came from, address by address.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    SessionFilter, StoreError, StoreReader,
    row::{network_name, rfc3339},
};

/// An address that connections came from, and where it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LocationRow {
    /// The client's address outside the tunnel.
    pub address: String,
    /// The place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The provider: `AS3320 Deutsche Telekom AG`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// In so many connections.
    pub connections: i64,
    /// Last sign of life.
    pub last_seen: String,
}

impl StoreReader {
    /// Where the sessions that a filter takes came from, the latest seen first.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn locations(&self, filter: &SessionFilter, limit: usize) -> Result<Vec<LocationRow>, StoreError> {
        let (condition, values) = filter.condition();
        let query = format!(
            "SELECT remote, place.name, asn, organisation, count(*), max(last_seen) AS last FROM {}
             WHERE {condition} AND remote IS NOT NULL GROUP BY remote, session.place
             ORDER BY last DESC, remote, session.place LIMIT {limit}",
            filter.tables()
        );
        self.rows(&query, &values, |row| {
            let organisation: Option<String> = row.get(3)?;
            Ok(LocationRow {
                address: row.get(0)?,
                place: row.get(1)?,
                network: row.get::<_, Option<i64>>(2)?.map(|asn| network_name(asn, organisation.as_deref())),
                connections: row.get(4)?,
                last_seen: rfc3339(row.get(5)?),
            })
        })
    }
}
