//! Numbers as people read them, in as few places as a table has. Used by the commands that print tables.

use jiff::Timestamp;

/// A moment by RFC 3339, UTC, with microseconds; `-` where it lies outside the calendar.
pub(super) fn rfc3339(unix_ns: u64) -> String {
    match Timestamp::from_nanosecond(i128::from(unix_ns)) {
        Ok(time) => format!("{time:.6}"),
        Err(_) => "-".to_owned(),
    }
}

/// Three digits and a unit.
pub(super) fn duration(ns: u64) -> String {
    let (value, unit) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (ns as f64 / 1e3, "us"),
        1_000_000..1_000_000_000 => (ns as f64 / 1e6, "ms"),
        _ => (ns as f64 / 1e9, "s"),
    };
    format!("{} {unit}", three_digits(value))
}

/// The same for seconds.
pub(super) fn seconds(seconds: f64) -> String {
    // Negative and not-a-number become 0: a clock that was set back is no reason to show nonsense.
    duration((seconds * 1e9).round() as u64)
}

/// A long time in its two greatest units: `3 d 4 h`, `5 min 6 s`, `2 min`.
pub(super) fn age(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let (great, rest) = match seconds {
        0..60 => (format!("{seconds} s"), String::new()),
        60..3_600 => (format!("{minutes} min"), format!(" {} s", seconds % 60)),
        3_600..86_400 => (format!("{hours} h"), format!(" {} min", minutes % 60)),
        _ => (format!("{days} d"), format!(" {} h", hours % 24)),
    };
    if rest.starts_with(" 0 ") { great } else { great + &rest }
}

/// A rate or another number that need not be whole: three digits below 1,000, whole with separators above.
pub(super) fn number(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        ..1e3 => three_digits(value),
        _ => count(value.round() as u64),
    }
}

/// A whole number with a separator every three digits; above a hundred million in millions.
pub(super) fn count(value: u64) -> String {
    if value >= 100_000_000 {
        return format!("{} M", grouped(value / 1_000_000));
    }
    grouped(value)
}

fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three digits and a binary unit.
pub(super) fn bytes(bytes: f64) -> String {
    let mut value = bytes;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            return if unit == "B" {
                format!("{value:.0} B")
            } else {
                format!("{} {unit}", three_digits(value))
            };
        }
        value /= 1024.0;
    }
    format!("{} TiB", three_digits(value))
}

fn three_digits(value: f64) -> String {
    // At the edges the rounding gives a digit more: 9.996 is 10.0, not 10.00.
    let digits = match value {
        ..9.995 => 2,
        9.995..99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        for (ns, shown) in [
            (7, "7 ns"),
            (1_000, "1.00 us"),
            (12_340, "12.3 us"),
            (99_960, "100 us"),
            (123_400, "123 us"),
            (1_234_000, "1.23 ms"),
            (2_500_000_000, "2.50 s"),
        ] {
            assert_eq!(duration(ns), shown);
        }
        assert_eq!(
            (seconds(0.000_25), seconds(-1.0), seconds(f64::NAN)),
            ("250 us".into(), "0 ns".into(), "0 ns".into())
        );
    }

    #[test]
    fn ages_have_two_units() {
        let shown = [0, 59, 61, 120, 3_660, 86_400 * 3 + 3_600 * 4].map(age);
        assert_eq!(shown, ["0 s", "59 s", "1 min 1 s", "2 min", "1 h 1 min", "3 d 4 h"]);
    }

    #[test]
    fn numbers_are_short_and_grouped() {
        let shown = [0.0, 0.25, 12.34, 999.4, 1_234.6, 1_234_567.0].map(number);
        assert_eq!(shown, ["0", "0.25", "12.3", "999", "1,235", "1,234,567"]);
        let shown = [0, 999, 1_000, 99_999_999, 100_000_000, 1 << 60].map(count);
        assert_eq!(shown, ["0", "999", "1,000", "99,999,999", "100 M", "1,152,921,504,606 M"]);
    }

    #[test]
    fn bytes_are_binary() {
        let shown = [0.0, 1_023.0, 1_536.0, (16u64 << 30) as f64, 3e15].map(bytes);
        assert_eq!(shown, ["0 B", "1023 B", "1.50 KiB", "16.0 GiB", "2728 TiB"]);
    }
}
