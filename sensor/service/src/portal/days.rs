//! Days of UTC as forms send them, and what they mean to a filter.

use axum::http::StatusCode;
use maud::{Markup, html};

use super::{Refused, people::query_part};

const DAY_NS: i64 = 86_400_000_000_000;

/// When a day begins, ns since 1970 UTC; empty: none.
///
/// # Errors
/// When this is no day.
pub(super) fn begins(text: &str) -> Result<Option<i64>, Refused> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let read = || {
        let begins: jiff::Timestamp = format!("{}T00:00:00Z", text.trim()).parse().ok()?;
        i64::try_from(begins.as_nanosecond()).ok()
    };
    let refused = || Refused(StatusCode::BAD_REQUEST, format!("{text:?} is no day: write it as 2026-01-31."));
    read().map(Some).ok_or_else(refused)
}

/// When a day is over: that day is still meant.
///
/// # Errors
/// When this is no day.
pub(super) fn ends(text: &str) -> Result<Option<i64>, Refused> {
    Ok(begins(text)?.map(|begins| begins.saturating_add(DAY_NS)))
}

/// The fields of a form for both.
pub(super) fn fields(since: &str, until: &str) -> Markup {
    html! {
        label { "From (day of UTC)" input type="date" name="since" value=(since); }
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
pub(super) fn said(since: &str, until: &str) -> Vec<String> {
    [("since", since.trim()), ("until", until.trim())]
        .iter()
        .filter(|(_, day)| !day.is_empty())
        .map(|(word, day)| format!("{word} {day} UTC"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_day() {
        assert_eq!(begins("").ok().unwrap(), None);
        assert_eq!(begins("1970-01-02").ok().unwrap(), Some(DAY_NS));
        assert_eq!(ends("1970-01-02").ok().unwrap(), Some(2 * DAY_NS));
        assert!(begins("yesterday").is_err() && ends("9999-12-31").is_err());
        assert_eq!(parts(" ", "2026-01-31"), "&until=2026-01-31");
    }
}
