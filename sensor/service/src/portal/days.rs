//! Days of the viewer's zone as forms send them, and what they mean to a filter.

use axum::http::StatusCode;
use jiff::{Timestamp, civil::Date};
use maud::{Markup, html};

use super::{Refused, people::query_part, zone::Zone};

/// A day that is written as forms write it.
pub(super) fn day(text: &str) -> Option<Date> {
    // Longer ones have a time.
    text.parse().ok().filter(|_| text.len() == 10)
}

/// When a day begins in this zone, ns since 1970 UTC; empty: none.
///
/// # Errors
/// When this is no day.
pub(super) fn begins(text: &str, zone: &Zone) -> Result<Option<i64>, Refused> {
    moment(text, |day| zone.begin_of(day))
}

/// When a day is over: that day is still meant.
///
/// # Errors
/// When this is no day.
pub(super) fn ends(text: &str, zone: &Zone) -> Result<Option<i64>, Refused> {
    moment(text, |day| zone.begin_of(day.tomorrow().ok()?))
}

fn moment(text: &str, of: impl FnOnce(Date) -> Option<Timestamp>) -> Result<Option<i64>, Refused> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let moment = day(text.trim()).and_then(of).and_then(|time| i64::try_from(time.as_nanosecond()).ok());
    let refused = || Refused(StatusCode::BAD_REQUEST, format!("{text:?} is no day: write it as 2026-01-31."));
    moment.map(Some).ok_or_else(refused)
}

/// The fields of a form for both.
pub(super) fn fields(since: &str, until: &str, zone: &Zone) -> Markup {
    html! {
        label { "From (day of " (zone.name()) ")" input type="date" name="since" value=(since); }
        label { "To, that day included" input type="date" name="until" value=(until); }
    }
}

/// The same as parts of an address: `&since=2026-01-01&until=2026-01-31`; nothing for what is empty.
pub(super) fn parts(since: &str, until: &str) -> String {
    let part = |name: &str, text: &str| match text.trim() {
        "" => String::new(),
        text => format!("&{name}={}", query_part(text)),
    };
    part("since", since) + &part("until", until)
}

/// The same in words.
pub(super) fn said(since: &str, until: &str, zone: &Zone) -> Vec<String> {
    [("since", since.trim()), ("until", until.trim())]
        .iter()
        .filter(|(_, day)| !day.is_empty())
        .map(|(word, day)| format!("{word} {day} {}", zone.name()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{super::zone::tests::zone, *};

    const HOUR_NS: i64 = 3_600_000_000_000;
    const DAY_NS: i64 = 24 * HOUR_NS;

    #[test]
    fn a_day_is_a_day() {
        let utc = Zone::default();
        assert_eq!(begins("", &utc).ok().unwrap(), None);
        assert_eq!(begins("1970-01-02", &utc).ok().unwrap(), Some(DAY_NS));
        assert_eq!(ends("1970-01-02", &utc).ok().unwrap(), Some(2 * DAY_NS));
        assert!(begins("yesterday", &utc).is_err() && ends("9999-12-31", &utc).is_err());
        assert_eq!(parts(" ", "2026-01-31"), "&until=2026-01-31");
    }

    #[test]
    fn a_day_is_that_of_the_viewer_s_zone_with_all_its_hours() {
        let both = |day: &str, zone: &Zone| {
            (begins(day, zone).ok().unwrap().unwrap(), ends(day, zone).ok().unwrap().unwrap())
        };
        let kathmandu = zone("Asia/Kathmandu");
        let (begin, end) = both("2026-09-24", &kathmandu);
        assert_eq!((begin, end - begin), (1_790_187_300 * 1_000_000_000, DAY_NS), "2026-09-23T18:15:00Z");
        for (day, hours) in [("2026-03-29", 23), ("2026-10-25", 25)] {
            let (begin, end) = both(day, &zone("Europe/Berlin"));
            assert_eq!((end - begin) / HOUR_NS, hours, "{day}");
        }
        assert!(begins("2026-09-24T10:00", &kathmandu).is_err() && begins("20260924", &kathmandu).is_err());
        assert_eq!(said("2026-09-24", "", &kathmandu), ["since 2026-09-24 Asia/Kathmandu"]);
    }
}
