//! On which days somebody connected, and the connections of the last of them.

use super::{SessionFilter, StoreError, StoreReader};

const DAY_NS: i64 = 86_400_000_000_000;

/// So many of somebody's connections are counted for shares, spots, hours and days, the newest: what a page shows is then
/// bounded by an index, also of an account that a machine uses each minute.
pub const NEWEST_COUNTED: usize = 2_000;

impl StoreReader {
    /// How many of the sessions that a filter takes began on each day, days since 1970 UTC, ascending.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn days(&self, filter: &SessionFilter) -> Result<Vec<(i64, u64)>, StoreError> {
        let (condition, values) = filter.condition();
        let query = format!(
            "SELECT start / {DAY_NS} AS day, count(*) FROM {} WHERE {condition} GROUP BY day ORDER BY day",
            filter.tables()
        );
        self.rows(&query, &values, |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))
    }

    /// The filter, narrowed to the newest [`NEWEST_COUNTED`] sessions that it takes. For filters by user or device, whose
    /// index has the start.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn newest(&self, filter: &SessionFilter) -> Result<SessionFilter, StoreError> {
        let (condition, values) = filter.condition();
        let query = format!(
            "SELECT start FROM {} WHERE {condition} ORDER BY start DESC LIMIT 1 OFFSET {}",
            filter.tables(),
            NEWEST_COUNTED - 1
        );
        let oldest: Option<i64> = self.rows(&query, &values, |row| row.get(0))?.pop();
        Ok(SessionFilter { since_unix_ns: filter.since_unix_ns.max(oldest), ..filter.clone() })
    }
}
