//! On which days and in which hours of the week somebody connected.

use super::{StoreError, StoreReader};

/// So many of a user's connections are counted for days and hours, the newest: 200 a day in half a year. When they began is
/// all that is read, from one index.
pub const STARTS_COUNTED: usize = 40_000;

const STARTS_QUERY: &str = "SELECT start FROM session WHERE user = ?1 ORDER BY start DESC LIMIT ?2";

const SECOND_NS: i64 = 1_000_000_000;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

/// When somebody's connections began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Starts {
    /// Ns since 1970 UTC, ascending.
    pub unix_ns: Vec<i64>,
    /// Whether there are older ones, which are not among them.
    pub is_cut: bool,
}

impl StoreReader {
    /// When the newest `limit` connections of the user with this key began.
    pub(super) fn starts(&self, key: &str, limit: usize) -> Result<Starts, StoreError> {
        let one_more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let values: [Box<dyn rusqlite::ToSql>; 2] = [Box::new(key.to_owned()), Box::new(one_more)];
        let mut unix_ns = self.rows(STARTS_QUERY, &values, |row| row.get(0))?;
        let is_cut = unix_ns.len() > limit;
        unix_ns.truncate(limit);
        unix_ns.reverse();
        Ok(Starts { unix_ns, is_cut })
    }
}

/// What a clock shows that is set to UTC.
pub(super) fn utc(unix_s: i64) -> i64 {
    unix_s
}

/// How many of these moments, ns since 1970 UTC and ascending, lie on each day of a clock, days since 1970. `clock`: what it
/// shows at a second since 1970 UTC, as seconds since 1970 by itself.
pub(crate) fn days(starts_unix_ns: &[i64], clock: impl Fn(i64) -> i64) -> Vec<(i64, u64)> {
    let mut days: Vec<(i64, u64)> = Vec::new();
    for start in starts_unix_ns {
        let day = clock(start.div_euclid(SECOND_NS)).div_euclid(DAY_S);
        match days.last_mut() {
            Some((last, count)) if *last == day => *count += 1,
            _ => days.push((day, 1)),
        }
    }
    days
}

/// How many of these moments lie in each hour of the week of that clock, Monday 0 h first.
pub(crate) fn hours(starts_unix_ns: &[i64], clock: impl Fn(i64) -> i64) -> Vec<u64> {
    let mut hours = vec![0; 168];
    for start in starts_unix_ns {
        // 1970 began on a Thursday.
        hours[(clock(start.div_euclid(SECOND_NS)).div_euclid(HOUR_S) + 72).rem_euclid(168) as usize] += 1;
    }
    hours
}

#[cfg(test)]
mod tests {
    use super::{super::Store, *};

    const HOUR_NS: i64 = HOUR_S * SECOND_NS;
    const DAY_NS: i64 = DAY_S * SECOND_NS;

    #[test]
    fn days_and_hours_are_those_of_utc_and_none_is_left_out() {
        // 2026-11-23 is a Monday.
        let monday = 20_780 * DAY_NS;
        let starts = [-1, monday - 1, monday, monday + HOUR_NS - 1, monday + 25 * HOUR_NS];
        assert_eq!(days(&starts, utc), [(-1, 1), (20_779, 1), (20_780, 2), (20_781, 1)]);
        let hours = hours(&starts, utc);
        assert_eq!((hours[0], hours[25], hours[167], hours[71]), (2, 1, 1, 1));
        assert_eq!(hours.iter().sum::<u64>(), 5);
    }

    #[test]
    fn when_connections_began_is_read_from_an_index_alone_and_says_whether_there_are_older_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let store = Store::open(&path).unwrap();
        let fill = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100)
            INSERT INTO session (number, server, session_id, start, start_source, last_seen, user, assigned)
            SELECT n, 1, 's', n * 37 % 101, 'start', 0, 'user' || (n % 2), '' FROM n";
        store.connection.execute_batch(fill).unwrap();
        let reader = StoreReader::open(&path).unwrap();
        let all = reader.starts("user1", 50).unwrap();
        assert_eq!((all.unix_ns.len(), all.is_cut), (50, false));
        assert!(all.unix_ns.is_sorted(), "{all:?}");
        let newest = reader.starts("user1", 49).unwrap();
        assert_eq!(newest, Starts { unix_ns: all.unix_ns[1..].to_vec(), is_cut: true });
        assert_eq!(reader.starts("nobody", 49).unwrap(), Starts::default());
        let plan = reader.plan(STARTS_QUERY, &[Box::new("user1"), Box::new(49)]);
        assert_eq!(plan, ["SEARCH session USING COVERING INDEX session_by_user (user=?)"]);
    }
}
