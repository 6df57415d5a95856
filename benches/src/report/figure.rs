//! Figures as people read them: three digits and a unit that fits.

/// A value with its unit, as [`crate::measure::Measurement::unit`] names it: `316 ns`, `3.16 M/s`, `12.0 MiB`.
pub(super) fn figure(value: f64, unit: &str) -> String {
    let (scaled, suffix) = match unit {
        "ns" => scale(value, 1000.0, &[" ns", " µs", " ms", " s"]),
        "1/s" => scale(value, 1000.0, &["/s", " k/s", " M/s", " G/s"]),
        "B" => scale(value, 1024.0, &[" B", " KiB", " MiB", " GiB"]),
        "1" => scale(value, 1000.0, &["", " k", " M", " G"]),
        "%" => (value, " %"),
        other => return format!("{} {other}", digits(value)),
    };
    format!("{}{suffix}", digits(scaled))
}

/// How many times: `12.1×`.
pub(super) fn times(ratio: f64) -> String {
    format!("{}×", digits(ratio))
}

/// The largest unit in which the value is at least 1.
fn scale(value: f64, step: f64, suffixes: &[&'static str]) -> (f64, &'static str) {
    let mut scaled = value;
    let mut index = 0;
    // 999.6 would be written as 1000.
    while scaled.abs() >= step - 0.5 && index + 1 < suffixes.len() {
        scaled /= step;
        index += 1;
    }
    (scaled, suffixes[index])
}

fn digits(value: f64) -> String {
    let size = value.abs();
    if value == value.trunc() && size < 1000.0 || size >= 99.95 {
        format!("{value:.0}")
    } else if size >= 9.995 {
        format!("{value:.1}")
    } else if size >= 0.01 {
        format!("{value:.2}")
    } else {
        format!("{value:.1e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_a_unit_that_fits() {
        assert_eq!(figure(316.4, "ns"), "316 ns");
        assert_eq!(figure(999.7, "ns"), "1.00 µs");
        assert_eq!(figure(12_345.0, "ns"), "12.3 µs");
        assert_eq!(figure(3_160_000.0, "1/s"), "3.16 M/s");
        assert_eq!(figure(12.0 * 1024.0 * 1024.0, "B"), "12 MiB");
        assert_eq!(figure(0.0, "%"), "0 %");
        assert_eq!(figure(0.25, "1"), "0.25");
        assert_eq!(figure(5.5, "widgets"), "5.50 widgets");
        assert_eq!(times(12.08), "12.1×");
    }
}
