//! How many connections began on each day of half a year: a column a week, Monday on top.

use maud::{Markup, html};

use super::{STEPS, date, step};

const WEEKS: i64 = 27;
/// From one cell to the next; the style sheet draws twelve of it.
const CELL: i64 = 14;
const LEFT: i64 = 34;
const TOP: i64 = 16;

/// `days`: days since 1970 with how many began on them. `today`: the last that is shown.
pub(in super::super) fn calendar(days: &[(i64, u64)], today: i64) -> Markup {
    // 1970 began on a Thursday.
    let weekday = |day: i64| (day + 3).rem_euclid(7);
    let first = today - weekday(today) - 7 * (WEEKS - 1);
    let shown: Vec<(i64, u64)> =
        days.iter().copied().filter(|(day, _)| (first..=today).contains(day)).collect();
    let busiest = shown.iter().copied().max_by_key(|(day, count)| (*count, *day));
    let most = busiest.map_or(0, |(_, count)| count);
    let summary = busiest.map_or_else(
        || format!("No connections since {}", date(first)),
        |(day, count)| {
            format!(
                "Connections on {} days since {}, most on {}: {count}",
                shown.len(),
                date(first),
                date(day)
            )
        },
    );
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
                        rect class={ "step" (step(count, most)) } x=(LEFT + week * CELL) y=(TOP + row * CELL) {
                            title { (date(day)) ": " (count) }
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
        let drawn = calendar(&[(20_500, 9), (20_700, 3), (20_780, 2)], 20_780).into_string();
        assert_eq!(
            drawn.matches("<rect").count(),
            26 * 7 + 1 + 5,
            "the week has one day; what five colours mean"
        );
        assert!(drawn.contains(">none</text>") && drawn.contains(">3 a day</text>"), "{drawn}");
        assert!(drawn.contains("2026-11-23: 2") && drawn.contains("most on 2026-09-04: 3"), "{drawn}");
        assert!(drawn.contains(">Nov</text>") && !drawn.contains(">Apr</text>"));
        assert!(calendar(&[], 20_780).into_string().contains("No connections since 2026-05-25"));
    }
}
