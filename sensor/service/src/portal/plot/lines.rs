//! Values over time, as lines with a legend and the newest value of each.

use maud::{Markup, html};

use super::super::{text, zone::Zone};

const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 62.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 20.0;
/// Colours of lines in the style sheet; more lines begin anew, dashed.
const COLOURS: usize = 6;

/// One line.
pub(in super::super) struct Line<'a> {
    /// What it is.
    pub(in super::super) name: String,
    /// Its values, one a point.
    pub(in super::super) values: &'a [f64],
}

/// `unix_s`: when each point is. `shown`: a value for people. `what`: what is drawn, in words.
pub(in super::super) fn lines(
    what: &str,
    unix_s: &[u64],
    lines: &[Line<'_>],
    shown: fn(f64) -> String,
    zone: &Zone,
) -> Markup {
    let values = lines.iter().flat_map(|line| line.values).copied();
    let most = values.fold(0.0, f64::max);
    let (Some(first), Some(last)) = (unix_s.first(), unix_s.last()) else {
        return html! { p.quiet { (what) ": nothing was measured yet." } };
    };
    let (wide, high) = (WIDTH - LEFT, HEIGHT - TOP - BOTTOM);
    let span = last.saturating_sub(*first).max(1) as f64;
    let x = |at: u64| LEFT + at.saturating_sub(*first) as f64 / span * wide;
    let y = |value: f64| TOP + high - if most > 0.0 { value / most * high } else { 0.0 };
    let newest =
        |line: &Line<'_>| format!("{} {}", line.name, shown(line.values.last().copied().unwrap_or(0.0)));
    let summary = format!(
        "{what}: at most {}; now {}",
        shown(most),
        lines.iter().map(newest).collect::<Vec<_>>().join(", ")
    );
    html! {
        figure.plot {
            figcaption { (what) }
            div.drawn tabindex="0" role="region" aria-label=(what) { svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(summary) {
                @for (part, value) in [(0.0, most), (0.5, most / 2.0), (1.0, 0.0)] {
                    line.grid x1=(LEFT) x2=(WIDTH) y1=(TOP + part * high) y2=(TOP + part * high) {}
                    text.scale x=(LEFT - 6.0) y=(TOP + part * high + 4.0) { (shown(value)) }
                }
                text x=(LEFT) y=(HEIGHT - 4.0) data-unix=(first) { (clock(*first, zone)) tspan { " " (zone.name()) } }
                text.scale x=(WIDTH) y=(HEIGHT - 4.0) data-unix=(last) { (clock(*last, zone)) }
                @for (index, line) in lines.iter().enumerate() {
                    polyline class={ "line " (look(index)) } points=(points(line, unix_s, x, y)) { title { (line.name) } }
                }
            } }
            ul.legend { @for (index, line) in lines.iter().enumerate() {
                li { span class={ "mark " (look(index)) } {} (text::stranger(&newest(line))) }
            } }
        }
    }
}

/// The classes by which a line and its legend look the same, and unlike every other of twelve.
fn look(index: usize) -> String {
    let again = if index / COLOURS % 2 == 1 { " again" } else { "" };
    format!("line{}{again}", index % COLOURS)
}

fn points(line: &Line<'_>, unix_s: &[u64], x: impl Fn(u64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let points = unix_s.iter().zip(line.values).map(|(at, value)| format!("{:.0},{:.1}", x(*at), y(*value)));
    points.collect::<Vec<_>>().join(" ")
}

/// An end of the axis of time: the hour in the viewer's zone, the absolute moment on hover. The script writes the hour as
/// is usual where she is, and the zone beside the first.
pub(super) fn clock(unix_s: u64, zone: &Zone) -> Markup {
    let unix_s = i64::try_from(unix_s).unwrap_or(0);
    let time = jiff::Timestamp::from_second(unix_s).unwrap_or_default();
    html! { (zone.minute(unix_s).get(11..).unwrap_or_default()) title { (time) } }
}

#[cfg(test)]
mod tests {
    use super::{super::super::zone::tests::zone, *};

    #[test]
    fn an_axis_has_the_hours_of_the_viewer_s_zone_and_says_which_it_is() {
        // 2026-11-23T10:30:00Z.
        let ends = [1_795_429_800, 1_795_433_400];
        let drawn = |zone: &Zone| lines("Requests", &ends, &[], super::super::digits, zone).into_string();
        let kathmandu = drawn(&zone("Asia/Kathmandu"));
        for part in [
            ">16:15<title>2026-11-23T10:30:00Z</title><tspan> Asia/Kathmandu</tspan>",
            ">17:15<title>2026-11-23T11:30:00Z",
        ] {
            assert!(kathmandu.contains(part), "{part} is not in {kathmandu}");
        }
        assert!(
            drawn(&Zone::default()).contains(">10:30<title>2026-11-23T10:30:00Z</title><tspan> UTC</tspan>")
        );
    }

    #[test]
    fn no_two_lines_of_a_plot_look_the_same() {
        let values = [1.0, 2.0];
        let ten: Vec<Line<'_>> =
            (0..10).map(|line| Line { name: format!("verdict {line}"), values: &values }).collect();
        let drawn =
            lines("Verdicts", &[1000, 1010], &ten, super::super::digits, &Zone::default()).into_string();
        let looks = |before: &str| -> std::collections::BTreeSet<&str> {
            drawn.split(before).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
        };
        let of_lines = looks("polyline class=\"line ");
        assert_eq!(of_lines.len(), 10, "{of_lines:?}");
        assert_eq!(of_lines, looks("span class=\"mark "), "as in the legend");
    }

    #[test]
    fn a_plot_says_what_it_shows() {
        let (a, b) = ([1.0, 4.0, 2.0], [0.0, 0.0, 1.0]);
        let both = [Line { name: "a".to_owned(), values: &a }, Line { name: "<b>".to_owned(), values: &b }];
        let drawn = lines("Requests", &[1000, 1010, 1020], &both, super::super::digits, &Zone::default())
            .into_string();
        assert!(drawn.contains("Requests: at most 4; now a 2, &lt;b&gt; 1"), "{drawn}");
        assert!(drawn.contains("points=\"62,100.5 331,12.0 600,71.0"), "{drawn}");
        assert!(!drawn.contains("<b>") && !drawn.contains("style="));
        assert!(
            lines("Requests", &[], &[], super::super::digits, &Zone::default())
                .into_string()
                .contains("nothing was measured")
        );
    }
}
