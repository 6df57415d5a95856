//! The way between two places, over the ground: a great circle.

use maud::{Markup, html};

use super::{super::text, Point, drawing};
use crate::store::{JourneyRow, SpotRow, journey::angle};

/// Points of the line that is drawn.
const STEPS: usize = 64;
/// Airliners cruise at it, kilometres an hour.
const AIRLINER_KMH: f64 = 900.0;

/// A journey on a map, and in words.
pub(in super::super) fn journey(journey: &JourneyRow) -> Markup {
    let spots = super::spots(&[journey.from.clone(), journey.to.clone()]);
    let ways = way(spots[0].point(), spots[1].point());
    let time = match journey.seconds {
        0 => "at the same time".to_owned(),
        seconds => format!("within {}", text::duration(seconds)),
    };
    let summary = format!(
        "From {} to {}, {:.0} km {time}",
        text::visible(&journey.from.name),
        text::visible(&journey.to.name),
        journey.km
    );
    html! {
        div.mapped {
            (drawing(&spots, &ways, &summary))
            dl {
                dt { "From" } dd { (place(&journey.from)) (at("last seen there", journey.left.as_deref())) }
                dt { "To" } dd { (place(&journey.to)) (at("first seen there", journey.arrived.as_deref())) }
                dt { "Distance" } dd { (format!("{:.0} km", journey.km))
                    @if journey.km_least < journey.km { ", at least " (format!("{:.0} km", journey.km_least)) } }
                dt { "Time between" } dd { @if journey.seconds == 0 { "none: both at once" } @else { (text::duration(journey.seconds)) } }
                dt { "Speed" } dd {
                    @match journey.kmh_least {
                        Some(kmh) => { "at least " (format!("{kmh:.0} km/h")) @if kmh > AIRLINER_KMH { ": faster than an airliner" } },
                        None => "nobody is at two places at once",
                    }
                }
            }
        }
    }
}

fn at(what: &str, moment: Option<&str>) -> Markup {
    html! { @if let Some(moment) = moment { ", " (what) " " (text::moment(moment)) } }
}

fn place(spot: &SpotRow) -> Markup {
    html! { (text::stranger(&spot.name)) @if spot.radius_km > 0 { ", known to " (spot.radius_km) " km" } }
}

/// Points of the great circle; in two lines where it leaves the map at one side and comes back at the other.
fn way(from: Point, to: Point) -> Vec<Vec<Point>> {
    let angle = angle(from, to);
    // The same place, or the other end of the earth, to which all ways are as short.
    if angle.sin() < 1e-6 {
        return vec![vec![from, to]];
    }
    let on_ball = |(east, north): Point| {
        let (east, north) = (east.to_radians(), north.to_radians());
        [north.cos() * east.cos(), north.cos() * east.sin(), north.sin()]
    };
    let (a, b) = (on_ball(from), on_ball(to));
    let mut lines = vec![Vec::new()];
    for step in 0..=STEPS {
        let part = step as f64 / STEPS as f64;
        let (of_a, of_b) = (((1.0 - part) * angle).sin() / angle.sin(), (part * angle).sin() / angle.sin());
        let [x, y, z] = [0, 1, 2].map(|axis| a[axis] * of_a + b[axis] * of_b);
        let point = (y.atan2(x).to_degrees(), z.atan2(x.hypot(y)).to_degrees());
        let leaves = lines
            .last()
            .and_then(|line| line.last())
            .is_some_and(|last: &Point| (last.0 - point.0).abs() > 180.0);
        if leaves {
            lines.push(Vec::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push(point);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, longitude: f64, latitude: f64) -> SpotRow {
        SpotRow {
            name: name.to_owned(),
            country: None,
            latitude,
            longitude,
            radius_km: 50,
            connections: 1,
            last_start: None,
        }
    }

    #[test]
    fn the_way_bends_north_and_goes_over_the_date_line() {
        let line = &way((2.35, 48.86), (-74.01, 40.71))[0];
        assert!(line.iter().any(|(_, north)| *north > 50.0), "the great circle, not the parallel");
        let lines = way((139.7, 35.7), (-122.4, 37.8));
        assert_eq!(lines.len(), 2, "Tokyo to San Francisco leaves the map once");
        assert_eq!(way((1.0, 1.0), (1.0, 1.0)).len(), 1);
        let both = JourneyRow::new(place("Paris", 2.35, 48.86), place("New York", -74.01, 40.71), 0);
        let drawn = journey(&both).into_string();
        assert!(drawn.contains("class=\"way\"") && drawn.contains("both at once"), "{drawn}");
    }

    #[test]
    fn time_and_the_least_speed_stand_beside_the_map() {
        let drawn = |seconds| {
            let (paris, new_york) = (place("Paris", 2.35, 48.86), place("New York", -74.01, 40.71));
            journey(&JourneyRow::new(paris, new_york, seconds)).into_string()
        };
        for (seconds, time, speed) in [
            (3600, "1 h", "at least 5738 km/h: faster than an airliner</dd>"),
            (36_000, "10 h", "at least 574 km/h</dd>"),
        ] {
            let drawn = drawn(seconds);
            for told in [&format!("within {time}"), &format!("<dt>Time between</dt><dd>{time}"), speed] {
                assert!(drawn.contains(told), "{told}: {drawn}");
            }
            assert!(!drawn.contains("both at once"), "{drawn}");
        }
    }
}
