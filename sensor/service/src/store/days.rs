//! When somebody connected: moments, days and hours of the week; and the newest of the connections.

use super::{SessionFilter, StoreError, StoreReader};

const HOUR_NS: i64 = 3_600_000_000_000;
const DAY_NS: i64 = 24 * HOUR_NS;

/// So many of somebody's connections are counted for shares, spots, hours and days, the newest: what a page shows is then
/// bounded by an index, also of an account that a machine uses each minute.
pub const NEWEST_COUNTED: usize = 2_000;

impl StoreReader {
    /// When the sessions that a filter takes began, ns since 1970 UTC, ascending. For filters that [`StoreReader::newest`]
    /// has narrowed.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn starts(&self, filter: &SessionFilter) -> Result<Vec<i64>, StoreError> {
        let (condition, values) = filter.condition();
        let query = format!("SELECT start FROM {} WHERE {condition} ORDER BY start", filter.tables());
        self.rows(&query, &values, |row| row.get(0))
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

/// How many of these moments, ascending, lie on each day, days since 1970 UTC.
pub(super) fn days(starts_unix_ns: &[i64]) -> Vec<(i64, u64)> {
    let days = starts_unix_ns.chunk_by(|one, other| one.div_euclid(DAY_NS) == other.div_euclid(DAY_NS));
    days.map(|day| (day[0].div_euclid(DAY_NS), day.len() as u64)).collect()
}

/// How many of these moments lie in each hour of the week, Monday 0 h UTC first.
pub(super) fn hours(starts_unix_ns: &[i64]) -> Vec<u64> {
    let mut hours = vec![0; 168];
    for start in starts_unix_ns {
        // 1970 began on a Thursday.
        hours[(start.div_euclid(HOUR_NS) + 72).rem_euclid(168) as usize] += 1;
    }
    hours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_are_those_of_utc_and_none_is_left_out() {
        // 2026-11-23 is a Monday.
        let monday = 20_780 * DAY_NS;
        let starts = [-1, monday - 1, monday, monday + HOUR_NS - 1, monday + 25 * HOUR_NS];
        assert_eq!(days(&starts), [(-1, 1), (20_779, 1), (20_780, 2), (20_781, 1)]);
        let hours = hours(&starts);
        assert_eq!((hours[0], hours[25], hours[167], hours[71]), (2, 1, 1, 1));
        assert_eq!(hours.iter().sum::<u64>(), 5);
    }
}
