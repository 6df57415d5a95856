//! Where connections are on a map: places that have a position, with how many.

use serde::Serialize;
use utoipa::ToSchema;

use super::{StoreError, StoreReader};

/// A point that connections came from.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SpotRow {
    /// The place.
    pub name: String,
    /// Two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Within how many kilometres of that.
    pub radius_km: i64,
    /// Connections.
    pub connections: i64,
    /// The newest of them began then; absent where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_start: Option<String>,
}

impl StoreReader {
    /// Where those are who are on line, the most frequent first. Read from an index of the open sessions alone.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn spots_on_line(&self, limit: usize) -> Result<Vec<SpotRow>, StoreError> {
        let query = format!(
            "WITH open AS MATERIALIZED
                 (SELECT place, count(*) AS connections FROM session INDEXED BY session_open
                  WHERE ended IS NULL GROUP BY place)
             SELECT name, country, latitude, longitude, coalesce(radius_km, 0), sum(connections) AS connections
             FROM open JOIN place ON place.id = open.place
             WHERE latitude IS NOT NULL AND longitude IS NOT NULL
             GROUP BY name, latitude, longitude, radius_km ORDER BY connections DESC, name LIMIT {limit}"
        );
        self.rows(&query, &[], spot)
    }
}

fn spot(row: &rusqlite::Row<'_>) -> rusqlite::Result<SpotRow> {
    Ok(SpotRow {
        name: row.get(0)?,
        country: row.get(1)?,
        latitude: row.get(2)?,
        longitude: row.get(3)?,
        radius_km: row.get(4)?,
        connections: row.get(5)?,
        last_start: None,
    })
}
