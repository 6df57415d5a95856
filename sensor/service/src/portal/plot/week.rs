//! Hours of the week.

use maud::{Markup, html};

use super::{super::zone::Zone, DAYS_OF_WEEK as DAYS, step};

/// From one cell to the next; the style sheet draws twelve of it.
const CELL: usize = 14;
const LEFT: usize = 34;
const TOP: usize = 16;

/// How many connections began in each hour of the week; Monday 0 h of the zone first, 168 of them.
pub(in super::super) fn week(hours: &[u64], zone: &Zone) -> Markup {
    let zone = zone.name();
    let most = hours.iter().copied().max().unwrap_or(0);
    let (width, height) = (LEFT + 24 * CELL, TOP + 7 * CELL);
    let busiest = hours.iter().enumerate().max_by_key(|(_, count)| **count).filter(|_| most > 0);
    let summary = busiest.map_or_else(
        || "No connections".to_owned(),
        |(hour, count)| format!("Most began on {} at {} h {zone}: {count}", DAYS[hour / 24 % 7], hour % 24),
    );
    html! {
        svg.week viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(summary) {
            @for hour in (0..24).step_by(6) {
                text x=(LEFT + hour * CELL) y=(TOP - 4) { (hour) }
            }
            @for (day, name) in DAYS.iter().enumerate() {
                text x="0" y=(TOP + day * CELL + CELL - 3) { (name) }
            }
            @for (hour, count) in hours.iter().take(168).enumerate() {
                rect class={ "step" (step(*count, most)) } x=(LEFT + hour % 24 * CELL) y=(TOP + hour / 24 * CELL) {
                    @if *count > 0 { title { (DAYS[hour / 24]) " " (hour % 24) " h " (zone) ": " (count) } }
                }
            }
        }
    }
}

/// The same as figures, for whoever has no mouse: a row an hour.
pub(in super::super) fn week_figures(hours: &[u64]) -> Markup {
    let count = |day: usize, hour: usize| hours.get(day * 24 + hour).copied().unwrap_or(0);
    html! {
        details {
            summary { "Hours as figures" }
            div.drawn tabindex="0" role="region" aria-label="Hours as figures" { table.figures {
                caption.unseen { "How many connections began in each hour of the week; hours without any are left out" }
                thead { tr { th scope="col" { "Hour" } @for name in DAYS { th scope="col" { (name) } } } }
                tbody { @for hour in (0..24).filter(|hour| (0..7).any(|day| count(day, *hour) > 0)) { tr {
                    th scope="row" { (hour) }
                    @for day in 0..7 { td { (count(day, hour)) } }
                } } }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::zone::tests::zone, *};

    #[test]
    fn an_hour_is_that_of_the_viewer_s_clock_in_summer_and_in_winter() {
        // 10:30 UTC on Monday 2026-07-06 and on Monday 2026-11-23; 18:15 UTC on Sunday 2026-11-22.
        let starts = [1_783_333_800, 1_795_429_800, 1_795_371_300].map(|second| second * 1_000_000_000);
        let all = |zone: &Zone| {
            let hours = zone.hours(&starts);
            hours.into_iter().enumerate().filter(|(_, count)| *count > 0).collect::<Vec<_>>()
        };
        assert_eq!(all(&Zone::default()), [(10, 2), (162, 1)]);
        assert_eq!(all(&zone("America/St_Johns")), [(7, 1), (8, 1), (158, 1)]);
        assert_eq!(all(&zone("Asia/Kathmandu")), [(0, 1), (16, 2)]);
        let drawn = week(&zone("Asia/Kathmandu").hours(&starts), &zone("Asia/Kathmandu")).into_string();
        assert!(drawn.contains("Most began on Mon at 16 h Asia/Kathmandu: 2"), "{drawn}");
        assert!(!drawn.contains("UTC"), "{drawn}");
    }

    #[test]
    fn a_week_has_all_its_hours_and_says_which_is_the_busiest() {
        let mut hours = vec![0; 168];
        (hours[0], hours[33]) = (1, 7);
        let drawn = week(&hours, &Zone::default()).into_string();
        assert_eq!(drawn.matches("<rect").count(), 168);
        assert!(drawn.contains("Most began on Tue at 9 h UTC: 7"));
        assert_eq!(drawn.matches("class=\"step0\"").count(), 166);
        assert!(week(&[0; 168], &Zone::default()).into_string().contains("No connections"));
        let figures = week_figures(&hours).into_string();
        let cells = |hour: &str, counts: [u64; 7]| {
            let cells: String = counts.iter().map(|count| format!("<td>{count}</td>")).collect();
            format!("<th scope=\"row\">{hour}</th>{cells}</tr>")
        };
        for row in [cells("0", [1, 0, 0, 0, 0, 0, 0]), cells("9", [0, 7, 0, 0, 0, 0, 0])] {
            assert!(figures.contains(&row), "{row}: {figures}");
        }
        assert_eq!(figures.matches("<tr>").count(), 1 + 2, "hours without any are left out: {figures}");
    }
}
