//! Where connections are on a map: places that have a position, with how many.

use serde::Serialize;
use utoipa::ToSchema;

use super::{StoreError, StoreReader};

/// The points that open connections come from.
const OPEN_SPOTS: &str = "WITH open AS MATERIALIZED
        (SELECT place, count(*) AS connections FROM session INDEXED BY session_open
         WHERE ended IS NULL GROUP BY place),
    spots AS
        (SELECT name, country, latitude, longitude, coalesce(radius_km, 0) AS radius_km, sum(connections) AS connections
         FROM open JOIN place ON place.id = open.place
         WHERE latitude IS NOT NULL AND longitude IS NOT NULL
         GROUP BY name, latitude, longitude, place.radius_km)";

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

/// How many points there are, and connections from all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpotCount {
    /// Points.
    pub places: usize,
    /// Connections.
    pub connections: i64,
}

impl StoreReader {
    /// How many points [`spots_on_line`](Self::spots_on_line) has without a limit.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn spots_on_line_count(&self) -> Result<SpotCount, StoreError> {
        let query = format!("{OPEN_SPOTS} SELECT count(*), coalesce(sum(connections), 0) FROM spots");
        let count = |row: &rusqlite::Row<'_>| {
            let places = usize::try_from(row.get::<_, i64>(0)?).unwrap_or_default();
            Ok(SpotCount { places, connections: row.get(1)? })
        };
        Ok(self.rows(&query, &[], count)?.pop().unwrap_or_default())
    }

    /// Where those are who are on line, the most frequent first. Read from an index of the open sessions alone.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn spots_on_line(&self, limit: usize) -> Result<Vec<SpotRow>, StoreError> {
        let query = format!(
            "{OPEN_SPOTS} SELECT name, country, latitude, longitude, radius_km, connections FROM spots
             ORDER BY connections DESC, name LIMIT {limit}"
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
