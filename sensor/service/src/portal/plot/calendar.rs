//! How many connections began on each day of half a year: a column a week, Monday on top.

use maud::{Markup, html};

use super::{DAYS_OF_WEEK as DAYS, STEPS, date, step};

const WEEKS: i64 = 27;
/// From one cell to the next; the style sheet draws twelve of it.
const CELL: i64 = 14;
const LEFT: i64 = 34;
const TOP: i64 = 16;
/// Where the legend says what is not counted.
const UNCOUNTED: i64 = 200;

/// The first day of the calendar and the first of which all are counted: one behind `today`, where there is none.
fn span(today: i64, counted_from: Option<i64>) -> (i64, i64) {
    // 1970 began on a Thursday.
    let first = today - (today + 3).rem_euclid(7) - 7 * (WEEKS - 1);
    (first, counted_from.map_or(first, |day| day.clamp(first, today + 1)))
}

/// The same as figures, for whoever has no mouse: a row a week.
pub(in super::super) fn calendar_figures(
    days: &[(i64, u64)],
    today: i64,
    counted_from: Option<i64>,
) -> Markup {
    let (first, counted) = span(today, counted_from);
    let count = |day: i64| days.binary_search_by_key(&day, |(day, _)| *day).map_or(0, |at| days[at].1);
    let is_told = |monday: i64| monday < counted || (monday..monday + 7).any(|day| count(day) > 0);
    html! {
        details {
            summary { "Days as figures" }
            div.drawn tabindex="0" role="region" aria-label="Days as figures" { table.figures {
                caption.unseen { "How many connections began on each day; weeks without any are left out" @if counted > first { "; a dash: not counted" } }
                thead { tr { th scope="col" { "Week of" } @for name in DAYS { th scope="col" { (name) } } } }
                tbody { @for monday in (0..WEEKS).map(|week| first + 7 * week).filter(|monday| is_told(*monday)) { tr {
                    th scope="row" { (date(monday)) }
                    @for day in monday..monday + 7 {
                        td { @if day > today {} @else if day < counted { "\u{2013}" } @else { (count(day)) } }
                    }
                } } }
            } }
        }
    }
}

/// `days`: days since 1970 with how many began on them. `today`: the last that is shown. `counted_from`: the first of which all
/// are counted, where there are more than that.
pub(in super::super) fn calendar(days: &[(i64, u64)], today: i64, counted_from: Option<i64>) -> Markup {
    let (first, counted) = span(today, counted_from);
    let shown: Vec<(i64, u64)> =
        days.iter().copied().filter(|(day, _)| (counted..=today).contains(day)).collect();
    let busiest = shown.iter().copied().max_by_key(|(day, count)| (*count, *day));
    let most = busiest.map_or(0, |(_, count)| count);
    let mut summary = match busiest {
        _ if counted > today => "No day is counted: too many connections".to_owned(),
        None => format!("No connections since {}", date(counted)),
        Some((day, count)) => {
            let (days, since) = (shown.len(), date(counted));
            format!("Connections on {days} days since {since}, most on {}: {count}", date(day))
        }
    };
    if (first + 1..=today).contains(&counted) {
        summary.push_str("; days before that are not counted");
    }
    let (width, legend) = (LEFT + WEEKS * CELL, TOP + 7 * CELL + 6);
    let height = legend + CELL;
    html! {
        svg.calendar viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(summary) {
            @for (row, name) in [(0, "Mon"), (2, "Wed"), (4, "Fri"), (6, "Sun")] {
                text x="0" y=(TOP + row * CELL + CELL - 3) { (name) }
            }
            @for week in 0..WEEKS {
                @let monday = first + 7 * week;
                @if let Some(month) = month_begun(monday) {
                    text x=(LEFT + week * CELL) y=(TOP - 4) { (month) }
                }
                @for row in 0..7 {
                    @let day = monday + row;
                    @if day <= today {
                        @let count = shown.binary_search_by_key(&day, |(day, _)| *day).map_or(0, |at| shown[at].1);
                        @if day < counted {
                            rect.uncounted x=(LEFT + week * CELL) y=(TOP + row * CELL) { title { (date(day)) ": not counted" } }
                        } @else {
                            rect class={ "step" (step(count, most)) } x=(LEFT + week * CELL) y=(TOP + row * CELL) {
                                title { (date(day)) ": " (count) }
                            }
                        }
                    }
                }
            }
            @if most > 0 {
                text x="0" y=(legend + CELL - 3) { "none" }
                @for shade in 0..STEPS as i64 {
                    rect class={ "step" (shade) } x=(LEFT + shade * CELL) y=(legend) {}
                }
                text x=(LEFT + STEPS as i64 * CELL + 2) y=(legend + CELL - 3) { (most) " a day" }
            }
            @if counted > first {
                rect.uncounted x=(UNCOUNTED) y=(legend) {}
                text x=(UNCOUNTED + CELL + 2) y=(legend + CELL - 3) {
                    "not counted" @if counted <= today { ": before " (date(counted)) }
                }
            }
        }
    }
}

/// The month that begins in the week of this Monday.
fn month_begun(monday: i64) -> Option<String> {
    let first = (monday..monday + 7).find(|day| date(*day).ends_with("-01"))?;
    let time = jiff::Timestamp::from_second(first * 86_400).ok()?;
    Some(time.strftime("%b").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_ends_today_and_knows_its_months() {
        // 2026-11-23, a Monday.
        let drawn = calendar(&[(20_500, 9), (20_700, 3), (20_780, 2)], 20_780, None).into_string();
        assert_eq!(
            drawn.matches("<rect").count(),
            26 * 7 + 1 + 5,
            "the week has one day; what five colours mean"
        );
        assert!(drawn.contains(">none</text>") && drawn.contains(">3 a day</text>"), "{drawn}");
        assert!(drawn.contains("2026-11-23: 2") && drawn.contains("most on 2026-09-04: 3"), "{drawn}");
        assert!(drawn.contains(">Nov</text>") && !drawn.contains(">Apr</text>"));
        assert!(!drawn.contains("counted"), "{drawn}");
        assert!(calendar(&[], 20_780, None).into_string().contains("No connections since 2026-05-25"));
    }

    #[test]
    fn a_day_that_is_not_counted_is_not_a_day_without_connections() {
        // Of 20,763, 2026-11-06, a part alone was read.
        let days: Vec<(i64, u64)> = (20_763..=20_780).map(|day| (day, 110)).collect();
        let drawn = calendar(&days, 20_780, Some(20_764)).into_string();
        let title = |day: &str| {
            let (_, rest) = drawn.split_once(&format!("<title>{day}: ")).unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        for (day, said) in [
            ("2026-05-25", "not counted"),
            ("2026-11-06", "not counted"),
            ("2026-11-07", "110"),
            ("2026-11-23", "110"),
        ] {
            assert_eq!(title(day), said, "{day}");
        }
        assert_eq!(drawn.matches("class=\"uncounted\"").count(), 166 + 1, "those days, and what that means");
        assert_eq!(drawn.matches("class=\"step0\"").count(), 1, "what none means: {drawn}");
        for part in [
            "Connections on 17 days since 2026-11-07, most on 2026-11-23: 110; days before that are not counted",
            ">not counted: before 2026-11-07</text>",
        ] {
            assert!(drawn.contains(part), "{part}: {drawn}");
        }
        let busy = calendar(&[(20_780, 40_000)], 20_780, Some(20_781)).into_string();
        assert!(
            busy.contains("No day is counted: too many connections") && !busy.contains("step0"),
            "{busy}"
        );
        let long_ago = calendar(&[(20_780, 1)], 20_780, Some(20_000)).into_string();
        assert!(!long_ago.contains("counted"), "{long_ago}");
    }

    #[test]
    fn every_day_is_a_figure_too() {
        // 2026-11-24, a Tuesday.
        let (days, today) = ([(20_779, 7), (20_780, 3), (20_781, 2)], 20_781);
        let figures = calendar_figures(&days, today, Some(20_774)).into_string();
        let row = |monday: &str| {
            let (_, rest) = figures.split_once(&format!("<th scope=\"row\">{monday}</th>")).unwrap();
            rest.split_once("</tr>").unwrap().0.replace("</td>", "").replace("<td>", "|")
        };
        assert_eq!(row("2026-11-23"), "|3|2|||||");
        assert_eq!(row("2026-11-16"), "|\u{2013}|0|0|0|0|0|7");
        assert_eq!(row("2026-05-25"), "|\u{2013}|\u{2013}|\u{2013}|\u{2013}|\u{2013}|\u{2013}|\u{2013}");
        assert!(figures.contains("a dash: not counted") && figures.len() < 5_000, "{}", figures.len());
        let all = calendar_figures(&days, today, None).into_string();
        assert!(
            !all.contains("\u{2013}") && all.matches("<tr>").count() == 1 + 2,
            "weeks without any are left out: {all}"
        );
    }
}
