//! Drawings, as SVG from here: colours are the style sheet's. Called by pages.
//!
//! | file | what lives there |
//! |---|---|
//! | `week` | hours of the week |
//! | `calendar` | days of half a year |
//! | `timeline` | connections of thirty days |
//! | `lines` | values over time |
//! | `heat` | how many took how long, over time |

mod calendar;
mod heat;
mod lines;
mod timeline;
mod week;

pub(super) use calendar::{calendar, calendar_figures};
pub(super) use heat::heat;
pub(super) use lines::{Line, lines};
pub(super) use timeline::{Bar, DAYS, Drawn, timeline};
pub(super) use week::{week, week_figures};

const DAYS_OF_WEEK: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Steps of colour, none and full included.
const STEPS: u64 = 5;

/// The step of colour of a count.
fn step(count: u64, most: u64) -> u64 {
    if count == 0 || most == 0 {
        0
    } else {
        1 + count.saturating_sub(1).saturating_mul(STEPS - 1) / most.max(1)
    }
}

/// Seconds for people: `230 µs`, `1.5 ms`.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        s if s <= 0.0 => "0".to_owned(),
        s if s < 1e-3 => format!("{:.0} \u{b5}s", s * 1e6),
        s if s < 1.0 => format!("{} ms", digits(s * 1e3)),
        s => format!("{} s", digits(s)),
    }
}

/// A number with as many digits as tell something.
pub(super) fn digits(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// `2026-11-23` of days since 1970.
pub(super) fn date(unix_day: i64) -> String {
    let time = jiff::Timestamp::from_second(unix_day.saturating_mul(86_400));
    time.map_or_else(|_| "\u{2013}".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(
            [0.0, 230e-6, 1.5e-3, 0.25, 2.0].map(seconds),
            ["0", "230 \u{b5}s", "1.50 ms", "250 ms", "2 s"]
        );
        assert_eq!([3.0, 1.2345, 12.345, 123.45].map(digits), ["3", "1.23", "12.3", "123"]);
        assert_eq!(date(20_780), "2026-11-23");
        assert_eq!([step(0, 7), step(1, 7), step(7, 7), step(1, 1)], [0, 1, 4, 1]);
    }
}
