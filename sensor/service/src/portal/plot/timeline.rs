//! The connections of thirty days: a row a day of the viewer's zone, to the right the hours that clocks show there.

use maud::{Markup, html};

use super::{super::zone::Zone, date};

/// Days that are drawn, today included.
pub(in super::super) const DAYS: i64 = 30;
const DAY_S: i64 = 86_400;
/// Units of an hour and of a day's row.
const HOUR: f64 = 24.0;
const ROW: i64 = 12;
const LEFT: f64 = 74.0;
const TOP: i64 = 16;
/// Narrower bars would not be seen.
const NARROW: f64 = 2.0;
/// Parts of bars that are drawn, one for each day of a connection: two for each of 300 that last a night. Those of a month
/// each would make a page of megabytes.
const PARTS_MAX: usize = 600;

/// A connection.
#[derive(Debug, Clone)]
pub(in super::super) struct Bar {
    /// When it began, seconds since 1970 UTC.
    pub(in super::super) start_s: i64,
    /// When it ended, or now.
    pub(in super::super) end_s: i64,
    /// What is said about it. Of a stranger, made visible.
    pub(in super::super) label: String,
    /// Whether an alert lists it.
    pub(in super::super) is_alert: bool,
}

/// `bars`: the newest first. `today`: days since 1970 in this zone, the lowest row. `is_cut`: there are older ones in these days. With
/// how many of them are drawn, if not all that there are.
pub(in super::super) fn timeline(
    bars: &[Bar],
    today: i64,
    zone: &Zone,
    is_cut: bool,
) -> (Markup, Option<usize>) {
    let first = today - DAYS + 1;
    let (begin_s, end_s) = (zone.begin_s(first), zone.begin_s(today + 1));
    let is_shown = |bar: &&Bar| bar.end_s >= begin_s && bar.start_s < end_s;
    let mut bars: Vec<&Bar> = bars.iter().filter(is_shown).collect();
    let all = bars.len();
    // Those in alerts are there in any case, and are drawn over the others.
    bars.sort_by_key(|bar| !bar.is_alert);
    let mut parts = 0;
    let fits = |bar: &&Bar| {
        parts += days(bar, zone, begin_s, end_s).len();
        parts <= PARTS_MAX
    };
    let mut bars: Vec<&Bar> = bars.into_iter().take_while(fits).collect();
    bars.reverse();
    let alerts = bars.iter().filter(|bar| bar.is_alert).count();
    let newest = if is_cut { "The newest " } else { "" };
    let shown = if bars.len() < all { format!("{} of {all}", bars.len()) } else { all.to_string() };
    let summary = format!(
        "{newest}{shown} connections in thirty days since {}, {alerts} of them in alerts",
        date(first)
    );
    let drawn = (is_cut || bars.len() < all).then_some(bars.len());
    let (width, height) = (LEFT + 24.0 * HOUR, TOP + DAYS * ROW);
    let plot = html! {
        svg.timeline viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(summary) {
            @for hour in (0..24).step_by(3) {
                @let x = LEFT + f64::from(hour) * HOUR;
                text x=(x) y=(TOP - 4) { (hour) " h" }
                line.grid x1=(x) x2=(x) y1=(TOP) y2=(height) {}
            }
            @for row in 0..DAYS {
                @if row % 3 == DAYS % 3 || row == DAYS - 1 { text x="0" y=(TOP + row * ROW + ROW - 2) { (date(first + row)) } }
            }
            @for bar in &bars {
                @for (day, from, to) in days(bar, zone, begin_s, end_s) {
                    // Told apart by an outline as well as by colour.
                    rect class=(if bar.is_alert { "bar alert" } else { "bar" })
                        x=(tenth(LEFT + from * HOUR)) y=(TOP + (day - first) * ROW + 2)
                        width=(tenth(((to - from) * HOUR).max(NARROW))) height=(ROW - 3) rx="1" { title { (bar.label) } }
                }
            }
        }
        @if alerts > 0 {
            ul.legend {
                li { span."mark square" {} "connections" }
                li { span."mark square alert" {} "connections in alerts" }
            }
        }
    };
    (plot, drawn)
}

/// The days between two moments on which a connection was there, with the hours of each. An hour that clocks show twice is
/// there twice, one over the other, and one that they leave out is left out.
fn days(bar: &Bar, zone: &Zone, begin_s: i64, end_s: i64) -> Vec<(i64, f64, f64)> {
    let hours = |seconds: i64| seconds as f64 / 3600.0;
    let stretches = zone.stretches(bar.start_s.max(begin_s), bar.end_s.max(bar.start_s).min(end_s - 1));
    let days = |(start, end): (i64, i64)| {
        (start.div_euclid(DAY_S)..=end.div_euclid(DAY_S))
            .map(move |day| (day, hours((start - day * DAY_S).max(0)), hours((end - day * DAY_S).min(DAY_S))))
    };
    stretches.into_iter().flat_map(days).collect()
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::{super::super::zone::tests::zone, *};

    /// Of a connection on one of thirty days of UTC.
    fn days_of_utc(bar: &Bar, first: i64, today: i64) -> Vec<(i64, f64, f64)> {
        days(bar, &Zone::default(), first * DAY_S, (today + 1) * DAY_S)
    }

    #[test]
    fn days_and_hours_are_those_of_the_viewer_s_zone_also_where_clocks_are_set() {
        let parts = |start_s, end_s, name| {
            let zone = zone(name);
            let mut parts = days(&bar(start_s, end_s), &zone, zone.begin_s(20_740), zone.begin_s(20_770));
            for (_, from, to) in &mut parts {
                (*from, *to) = (tenth(*from), tenth(*to));
            }
            parts
        };
        // 2026-10-25T17:00:00Z to 19:00:00Z.
        let evening = 1_792_947_600;
        assert_eq!(parts(evening, evening + 7200, "UTC"), [(20_751, 17.0, 19.0)]);
        assert_eq!(parts(evening, evening + 7200, "America/St_Johns"), [(20_751, 14.5, 16.5)]);
        // Midnight lies in it.
        assert_eq!(
            parts(evening, evening + 7200, "Asia/Kathmandu"),
            [(20_751, 22.8, 24.0), (20_752, 0.0, 0.8)]
        );
        // A day of 25 hours: all of it, and the hour from 2 to 3 twice.
        let day = (zone("Europe/Berlin").begin_s(20_751), zone("Europe/Berlin").begin_s(20_752) - 1);
        assert_eq!(day.1 + 1 - day.0, 25 * 3600);
        assert_eq!(parts(day.0, day.1, "Europe/Berlin"), [(20_751, 0.0, 3.0), (20_751, 2.0, 24.0)]);
        // The row is the viewer's day.
        let zone = zone("Asia/Kathmandu");
        let (drawn, _) = timeline(&[bar(evening, evening + 7200)], 20_752, &zone, false);
        let drawn = drawn.into_string();
        assert_eq!(drawn.matches("class=\"bar\"").count(), 2, "{drawn}");
        assert!(drawn.contains(">2026-10-26</text>"), "{drawn}");
    }

    fn bar(start_s: i64, end_s: i64) -> Bar {
        Bar { start_s, end_s, label: "Lyon".to_owned(), is_alert: start_s % 2 == 1 }
    }

    #[test]
    fn a_night_is_two_bars_what_is_old_is_none_and_there_are_so_many() {
        let today = 20_780;
        let midnight = today * DAY_S;
        assert_eq!(
            days_of_utc(&bar(midnight - 3600, midnight + 7200), today - 29, today),
            [(today - 1, 23.0, 24.0), (today, 0.0, 2.0)]
        );
        let drawn = timeline(
            &[bar(midnight + 1, midnight + 60), bar(midnight - 3600, midnight + 7200), bar(0, 60)],
            today,
            &Zone::default(),
            false,
        );
        assert_eq!(drawn.1, None, "all of them");
        let drawn = drawn.0.into_string();
        assert_eq!(
            (drawn.matches("class=\"bar\"").count(), drawn.matches("class=\"bar alert\"").count()),
            (2, 1),
            "{drawn}"
        );
        assert!(
            drawn.contains("2 connections in thirty days since 2026-10-25, 1 of them in alerts"),
            "{drawn}"
        );
        // Connections of a month each are a page of megabytes, drawn whole; those in alerts come first.
        let mut long = vec![bar(0, midnight); 300];
        long[299].is_alert = true;
        let (drawn, count) = timeline(&long, today, &Zone::default(), false);
        assert_eq!(count, Some(20));
        let drawn = drawn.into_string();
        let parts = |class: &str| drawn.matches(&format!("class=\"{class}\"")).count();
        assert_eq!((parts("bar alert"), parts("bar")), (30, PARTS_MAX / 30 * 30 - 30));
        assert!(drawn.contains("20 of 300 connections in thirty days since"));
        let (cut, count) = timeline(&[bar(midnight, midnight + 60)], today, &Zone::default(), true);
        assert_eq!(count, Some(1));
        let cut = cut.into_string();
        assert!(cut.contains("The newest 1 connections in thirty days"), "{cut}");
        // A connection of years is drawn on the days that are shown.
        assert_eq!(days_of_utc(&bar(0, i64::MAX / 2), today - 29, today).len(), 30);
    }
}
