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
/// Those of connections in alerts, so that the newest are seen beside them.
const ALERT_PARTS_MAX: usize = 300;

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

/// What of thirty days is drawn, where that is not all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Drawn {
    /// So many connections.
    pub(in super::super) connections: usize,
    /// All that began from then on, seconds since 1970 UTC; of those before, what is in alerts.
    pub(in super::super) whole_from_s: i64,
    /// And of those in alerts not all.
    pub(in super::super) are_alerts_cut: bool,
}

/// `bars`: the newest first. `today`: days since 1970 in this zone, the lowest row. `whole_from_s`: of those that began before,
/// the ones in alerts alone are among them.
pub(in super::super) fn timeline(
    bars: &[Bar],
    today: i64,
    zone: &Zone,
    whole_from_s: Option<i64>,
) -> (Markup, Option<Drawn>) {
    let first = today - DAYS + 1;
    let (begin_s, end_s) = (zone.begin_s(first), zone.begin_s(today + 1));
    let is_shown = |bar: &&Bar| bar.end_s >= begin_s && bar.start_s < end_s;
    let (in_alerts, others): (Vec<&Bar>, Vec<&Bar>) =
        bars.iter().filter(is_shown).partition(|bar| bar.is_alert);
    let all = in_alerts.len() + others.len();
    let mut parts = 0;
    // How many of them are drawn.
    let mut room = |bars: &[&Bar], parts_max: usize| {
        let fits = |bar: &&&Bar| {
            let more = days(bar, zone, begin_s, end_s).len();
            let fits = parts + more <= parts_max;
            parts += if fits { more } else { 0 };
            fits
        };
        bars.iter().take_while(fits).count()
    };
    let (alerts, beside) = (room(&in_alerts, ALERT_PARTS_MAX), room(&others, PARTS_MAX));
    // What did not find room began before all that did.
    let left_out = [others.get(beside), in_alerts.get(alerts)].into_iter().flatten();
    let whole_from_s = whole_from_s.max(left_out.map(|bar| bar.start_s.saturating_add(1)).max());
    let are_alerts_cut = alerts < in_alerts.len();
    let drawn =
        whole_from_s.map(|whole_from_s| Drawn { connections: alerts + beside, whole_from_s, are_alerts_cut });
    // Those in alerts are drawn over the others.
    let bars: Vec<&Bar> =
        others[..beside].iter().rev().chain(in_alerts[..alerts].iter().rev()).copied().collect();
    let shown = if bars.len() < all { format!("{} of {all}", bars.len()) } else { all.to_string() };
    let mut summary =
        format!("{shown} connections in thirty days since {}, {alerts} of them in alerts", date(first));
    let partly = whole_from_s.filter(|whole| *whole > begin_s).map(|whole| whole.min(end_s - 1));
    if let Some(whole) = partly {
        summary.push_str(&format!("; of those before {} the ones in alerts alone", zone.minute(whole)));
    }
    let (width, height) = (LEFT + 24.0 * HOUR, TOP + DAYS * ROW);
    let plot = html! {
        div.drawn tabindex="0" role="region" aria-label="Thirty days" { svg.timeline viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(summary) {
            @for hour in (0..24).step_by(3) {
                @let x = LEFT + f64::from(hour) * HOUR;
                text x=(x) y=(TOP - 4) { (hour) " h" }
                line.grid x1=(x) x2=(x) y1=(TOP) y2=(height) {}
            }
            @for row in 0..DAYS {
                @if row % 3 == DAYS % 3 || row == DAYS - 1 { text x="0" y=(TOP + row * ROW + ROW - 2) { (date(first + row)) } }
            }
            @if let Some(whole) = partly {
                @let (day, hour) = (zone.day(whole), zone.clock_s(whole).rem_euclid(DAY_S) as f64 / 3600.0);
                @let title = html! { title { "Of what began before " (zone.minute(whole)) ", what is in alerts alone is drawn" } };
                @if day > first { rect.partly x=(LEFT) y=(TOP) width=(24.0 * HOUR) height=((day - first) * ROW) { (title) } }
                rect.partly x=(LEFT) y=(TOP + (day - first) * ROW) width=(tenth(hour * HOUR)) height=(ROW) { (title) }
            }
            @for bar in &bars {
                @for (day, from, to) in days(bar, zone, begin_s, end_s) {
                    // Told apart by an outline as well as by colour.
                    rect class=(if bar.is_alert { "bar alert" } else { "bar" })
                        x=(tenth(LEFT + from * HOUR)) y=(TOP + (day - first) * ROW + 2)
                        width=(tenth(((to - from) * HOUR).max(NARROW))) height=(ROW - 3) rx="1" { title { (bar.label) } }
                }
            }
        } }
        @if alerts > 0 || partly.is_some() {
            ul.legend {
                li { span."mark square" {} "connections" }
                @if alerts > 0 { li { span."mark square alert" {} "connections in alerts" } }
                @if partly.is_some() { li { span."mark square partly" {} "of what began then, those in alerts alone" } }
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
        let (drawn, _) = timeline(&[bar(evening, evening + 7200)], 20_752, &zone, None);
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
            None,
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
        let (drawn, left) = timeline(&long, today, &Zone::default(), None);
        assert_eq!(left.map(|left| left.connections), Some(20));
        let drawn = drawn.into_string();
        let parts = |class: &str| drawn.matches(&format!("class=\"{class}\"")).count();
        assert_eq!((parts("bar alert"), parts("bar")), (30, PARTS_MAX / 30 * 30 - 30));
        assert!(drawn.contains("20 of 300 connections in thirty days since"));
        // A connection of years is drawn on the days that are shown.
        assert_eq!(days_of_utc(&bar(0, i64::MAX / 2), today - 29, today).len(), 30);
    }

    #[test]
    fn what_is_drawn_in_part_says_from_when_on_it_is_whole_and_is_marked() {
        let today = 20_780;
        let midnight = today * DAY_S;
        // Half a day ago; ten days ago, in an alert.
        let bars = [bar(midnight, midnight + 60), bar(midnight - 10 * DAY_S + 1, midnight - 10 * DAY_S + 61)];
        let whole_from_s = midnight - 6 * 3600;
        let (cut, left) = timeline(&bars, today, &Zone::default(), Some(whole_from_s));
        let expected = Drawn { connections: 2, whole_from_s, are_alerts_cut: false };
        assert_eq!(left, Some(expected));
        let cut = cut.into_string();
        for part in [
            "2 connections in thirty days since 2026-10-25, 1 of them in alerts; of those before 2026-11-22 18:00 the ones in alerts alone",
            // 28 days and three quarters of one.
            "class=\"partly\" x=\"74\" y=\"16\" width=\"576\" height=\"336\"",
            "class=\"partly\" x=\"74\" y=\"352\" width=\"432\" height=\"12\"",
            "class=\"mark square partly\"",
        ] {
            assert!(cut.contains(part), "{part}: {cut}");
        }
        // Behind all that is drawn, nothing is marked; the words still say it.
        let (cut, left) = timeline(&bars, today, &Zone::default(), Some(midnight - 40 * DAY_S));
        assert_eq!(left.map(|left| left.whole_from_s), Some(midnight - 40 * DAY_S));
        assert!(!cut.into_string().contains("partly"));
    }

    #[test]
    fn those_in_alerts_leave_room_for_the_newest() {
        let midnight = 20_780 * DAY_S;
        let bar = |day: i64, is_alert| Bar { is_alert, ..bar(midnight - day * DAY_S, midnight) };
        // Of 29 days each and of a day, all of them there today.
        let mut bars = vec![bar(0, false); 400];
        bars.extend(vec![bar(29, true); 40]);
        let (drawn, left) = timeline(&bars, 20_780, &Zone::default(), None);
        let drawn = drawn.into_string();
        assert_eq!(drawn.matches("class=\"bar alert\"").count(), 300);
        assert_eq!(drawn.matches("class=\"bar\"").count(), 300);
        let expected = Drawn { connections: 310, whole_from_s: midnight + 1, are_alerts_cut: true };
        assert_eq!(left, Some(expected));
    }
}
