//! How many requests took how long, over time: a column a point, longer times on top.

use maud::{Markup, html};

use super::{super::zone::Zone, lines::clock, seconds, step};

const WIDTH: f64 = 600.0;
const ROW: f64 = 10.0;
const LEFT: f64 = 62.0;
const TOP: f64 = 6.0;
const BOTTOM: f64 = 20.0;

/// `heat`: of each point how many in each row. `bounds_s`: the longest time of each row.
pub(in super::super) fn heat(
    what: &str,
    unix_s: &[u64],
    heat: &[Vec<u64>],
    bounds_s: &[f64],
    zone: &Zone,
) -> Markup {
    let count = |row: usize| heat.iter().filter_map(|point| point.get(row)).sum::<u64>();
    let mut used = (0..bounds_s.len()).filter(|row| count(*row) > 0);
    let (Some(low), Some(high)) = (used.clone().next(), used.next_back()) else {
        return html! { p.quiet { (what) ": nothing was measured yet." } };
    };
    let most = heat.iter().flatten().copied().max().unwrap_or(0);
    let rows = high - low + 1;
    let height = TOP + BOTTOM + rows as f64 * ROW;
    let wide = (WIDTH - LEFT) / heat.len().max(1) as f64;
    let common = (low..=high).max_by_key(|row| count(*row)).unwrap_or(low);
    let summary = format!(
        "{what}: most took up to {}, the longest up to {}",
        seconds(bounds_s[common]),
        seconds(bounds_s[high])
    );
    html! {
        figure.plot {
            figcaption { (what) }
            div.drawn tabindex="0" role="region" aria-label=(what) { svg viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label=(summary) {
                @for row in low..=high {
                    @let y = TOP + (high - row) as f64 * ROW;
                    @if (high - row) % 2 == 0 { text.scale x=(LEFT - 6.0) y=(y + ROW - 1.0) { (seconds(bounds_s[row])) } }
                    @for (index, point) in heat.iter().enumerate() {
                        @let count = point.get(row).copied().unwrap_or(0);
                        @if count > 0 {
                            rect class={ "step" (shade(count, most)) } x=(tenth(LEFT + index as f64 * wide)) y=(y)
                                width=(tenth(wide + 0.3)) height=(ROW) {}
                        }
                    }
                }
                @if let (Some(first), Some(last)) = (unix_s.first(), unix_s.last()) {
                    text x=(LEFT) y=(height - 4.0) data-unix=(first) { (clock(*first, zone)) tspan { " " (zone.name()) } }
                    text.scale x=(WIDTH) y=(height - 4.0) data-unix=(last) { (clock(*last, zone)) }
                }
            } }
        }
    }
}

/// By its logarithm: one slow request among thousands is what one looks for.
fn shade(count: u64, most: u64) -> u64 {
    let log = |count: u64| (count as f64 * 1000.0).ln() as u64 + 1;
    step(
        if count == 0 { 0 } else { log(count).saturating_sub(log(1)) + 1 },
        log(most).saturating_sub(log(1)) + 1,
    )
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_slow_request_is_seen_and_empty_rows_are_not() {
        let bounds = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1];
        let points = vec![vec![0, 0, 5000, 0, 0, 0], vec![0, 0, 4000, 0, 1, 0]];
        let drawn = heat("Total", &[1000, 1010], &points, &bounds, &Zone::default()).into_string();
        assert_eq!(drawn.matches("<rect").count(), 3);
        assert!(drawn.contains("Total: most took up to 100 \u{b5}s, the longest up to 10 ms"), "{drawn}");
        assert_eq!((shade(1, 5000), shade(5000, 5000), shade(0, 5000)), (1, 4, 0));
        assert!(
            heat("Total", &[], &[], &bounds, &Zone::default()).into_string().contains("nothing was measured")
        );
    }
}
