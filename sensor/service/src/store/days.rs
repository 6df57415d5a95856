//! On which days and in which hours of the week somebody connected.

const SECOND_NS: i64 = 1_000_000_000;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

/// What a clock shows that is set to UTC.
pub(super) fn utc(unix_s: i64) -> i64 {
    unix_s
}

/// How many of these moments, ns since 1970 UTC and ascending, lie on each day of a clock, days since 1970. `clock`: what it
/// shows at a second since 1970 UTC, as seconds since 1970 by itself.
pub(crate) fn days(starts_unix_ns: &[i64], clock: impl Fn(i64) -> i64) -> Vec<(i64, u64)> {
    let day = |start: &i64| clock(start.div_euclid(SECOND_NS)).div_euclid(DAY_S);
    let days = starts_unix_ns.chunk_by(|one, other| day(one) == day(other));
    days.map(|moments| (day(&moments[0]), moments.len() as u64)).collect()
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
    use super::*;

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
}
