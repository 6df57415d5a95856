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

/// How many points there are, connections from all of them, and connections from elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpotCount {
    /// Points.
    pub places: usize,
    /// Connections.
    pub connections: i64,
    /// Connections of which no position is known.
    pub elsewhere: i64,
}

impl StoreReader {
    /// How many points [`spots_on_line`](Self::spots_on_line) has without a limit.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn spots_on_line_count(&self) -> Result<SpotCount, StoreError> {
        let query = format!(
            "{OPEN_SPOTS} SELECT count(*), coalesce(sum(connections), 0),
                 (SELECT coalesce(sum(connections), 0) FROM open) FROM spots"
        );
        let count = |row: &rusqlite::Row<'_>| {
            let places = usize::try_from(row.get::<_, i64>(0)?).unwrap_or_default();
            let (connections, all): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok(SpotCount { places, connections, elsewhere: all - connections })
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

#[cfg(test)]
mod tests {
    use super::{super::Store, *};

    #[test]
    fn who_is_on_line_at_no_known_place_is_counted_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let store = Store::open(&path).unwrap();
        let reader = StoreReader::open(&path).unwrap();
        assert_eq!(reader.spots_on_line_count().unwrap(), SpotCount::default());
        // At a place with a position, at one without, at none; one that is over.
        let fill = "
            INSERT INTO place (id, whereabouts, name, latitude, longitude, kinds, anycast)
            VALUES (1, 'place', 'Lyon', 45.8, 4.8, '', 0), (2, 'country', 'SE', NULL, NULL, '', 0);
            INSERT INTO session (number, server, session_id, start, start_source, last_seen, ended, assigned, place)
            VALUES (1, 1, 'a', 1, 'start', 1, NULL, '', 1), (2, 1, 'b', 1, 'start', 1, NULL, '', 1),
                (3, 1, 'c', 1, 'start', 1, NULL, '', 2), (4, 1, 'd', 1, 'start', 1, NULL, '', NULL),
                (5, 1, 'e', 1, 'start', 1, 2, '', NULL);";
        store.connection.execute_batch(fill).unwrap();
        let expected = SpotCount { places: 1, connections: 2, elsewhere: 2 };
        assert_eq!(reader.spots_on_line_count().unwrap(), expected);
    }
}
