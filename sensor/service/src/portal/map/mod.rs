//! Maps, as SVG from here. Called by pages.
//!
//! | file | what lives there |
//! |---|---|
//! | `world.bin`, `make.py` | coasts and borders, and how they were made of Natural Earth's |
//! | `world` | reads them |
//! | `view` | the part that is shown: degrees to units, the rest cut off |
//! | `journey` | the way between two places, over the ground |

mod journey;
mod view;
mod world;

use std::fmt::Write as _;

use maud::{Markup, html};

use super::text;
use crate::store::{SpotCount, SpotRow};
use view::{HEIGHT, View, WIDTH};
use world::Point;

pub(super) use journey::journey;

/// Spots on one map, the first ones. More would hide each other.
const SPOTS_MAX: usize = 150;
/// Rows of the list beside a map.
const ROWS_MAX: usize = 12;
/// How many spots have their number written beside them.
const NUMBERED_MAX: usize = 25;

/// Something at a place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spot {
    /// The place's name.
    pub(super) name: String,
    /// Degrees north.
    pub(super) latitude: f64,
    /// Degrees east.
    pub(super) longitude: f64,
    /// How far off that may be; 0: it is not said.
    pub(super) radius_km: i64,
    /// How many connections.
    pub(super) count: i64,
}

impl Spot {
    fn point(&self) -> Point {
        (self.longitude, self.latitude)
    }

    fn said(&self) -> String {
        let connections = if self.count == 1 { "connection" } else { "connections" };
        let known = match self.radius_km {
            0 => String::new(),
            radius_km => format!(", known to {radius_km} km"),
        };
        format!("{}: {} {connections}{known}", text::visible(&self.name), self.count)
    }
}

/// Spots of what the store says.
pub(super) fn spots(rows: &[SpotRow]) -> Vec<Spot> {
    let spot = |row: &SpotRow| Spot {
        name: row.name.clone(),
        latitude: row.latitude,
        longitude: row.longitude,
        radius_km: row.radius_km,
        count: row.connections,
    };
    rows.iter().map(spot).collect()
}

/// All that there are, the most frequent first, on a map and in words. `elsewhere`: connections of which no position is known.
pub(super) fn places(spots: &[Spot], elsewhere: i64, what: &str) -> Markup {
    let connections = spots.iter().map(|spot| spot.count).sum();
    places_of(spots, SpotCount { places: spots.len(), connections, elsewhere }, what)
}

/// Connections by place, the most frequent first, on a map and in words. `all`: those places among them that were not read.
pub(super) fn places_of(spots: &[Spot], all: SpotCount, what: &str) -> Markup {
    if spots.is_empty() {
        return html! { p { "No position is known of any of them: the databases of places tell none." } };
    }
    let is_known = spots.iter().any(|spot| spot.radius_km > 0);
    let drawn = spots.len().min(SPOTS_MAX);
    let is_cut = drawn < all.places;
    let number = match is_cut {
        true => format!("the {drawn} places with the most connections, of {}", all.places),
        false => format!("{} places", all.places),
    };
    let summary = format!("{what}: {number}, most at {}", spots[0].said());
    html! {
        div.mapped {
            (drawing(spots, &[], &summary))
            div {
                (listed(&spots[..drawn.min(ROWS_MAX)], is_known, &html! { caption { (what) } }))
                @if all.places > ROWS_MAX {
                    @let named: i64 = spots.iter().take(ROWS_MAX).map(|spot| spot.count).sum();
                    p.quiet {
                        "And " (all.places - ROWS_MAX) " more places with " (all.connections - named) " connections."
                        @if is_cut { " On the map are the " (drawn) " with the most connections, of " (all.places) "." }
                    }
                    // Whoever has no mouse reads here what the spots are.
                    @if drawn > ROWS_MAX { details {
                        summary { "The others on the map" }
                        (listed(&spots[ROWS_MAX..drawn], is_known, &html! { caption.unseen { (what) ", further places" } }))
                    } }
                }
                @if all.elsewhere > 0 {
                    p.quiet {
                        @if all.elsewhere == 1 { "1 connection is" } @else { (all.elsewhere) " connections are" }
                        " not on the map: no position is known."
                    }
                }
            }
        }
    }
}

fn listed(spots: &[Spot], is_known: bool, caption: &Markup) -> Markup {
    html! {
        table.list {
            (caption)
            thead { tr { th scope="col" { "Place" } th.figure scope="col" { "Connections" } @if is_known { th.figure scope="col" { "Known to" } } } }
            tbody { @for spot in spots { tr {
                td { (text::stranger(&spot.name)) }
                td.figure { (spot.count) }
                @if is_known { td.figure { (spot.radius_km) " km" } }
            } } }
        }
    }
}

/// The map alone: spots, and lines between places.
fn drawing(spots: &[Spot], ways: &[Vec<Point>], summary: &str) -> Markup {
    let spots = &spots[..spots.len().min(SPOTS_MAX)];
    let mut seen: Vec<(Point, f64)> =
        spots.iter().map(|spot| (spot.point(), spot.radius_km as f64)).collect();
    seen.extend(ways.iter().flatten().map(|point| (*point, 0.0)));
    let view = View::around(&seen);
    let world = world::world();
    let (mut land, mut borders, mut lines) = (String::new(), String::new(), String::new());
    world.coasts.iter().for_each(|ring| draw(&mut land, &view.ring(ring), true));
    world.borders.iter().flat_map(|line| view.line(line)).for_each(|line| draw(&mut borders, &line, false));
    ways.iter().flat_map(|way| view.line(way)).for_each(|line| draw(&mut lines, &line, false));
    html! {
            svg.map viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(summary) {
                rect.sea width=(WIDTH) height=(HEIGHT) {}
                path.land fill-rule="evenodd" d=(land) {}
                path.border d=(borders) {}
                @if !lines.is_empty() { path.way d=(lines) {} }
                @for spot in spots {
                    @let (wide, high) = view.circle(spot.point(), spot.radius_km as f64);
                    @let (x, y) = view.point(spot.point());
    // One that the spot hides is left out.
                    @if high > size(spot.count) { ellipse.around cx=(unit(x)) cy=(unit(y)) rx=(unit(wide)) ry=(unit(high)) {} }
                }
                // Over all circles: a large one hides no spot.
                @for (index, spot) in spots.iter().enumerate() {
                    @let (x, y) = view.point(spot.point());
                    circle.spot cx=(unit(x)) cy=(unit(y)) r=(unit(size(spot.count))) { title { (spot.said()) } }
                    @if index < NUMBERED_MAX && spot.count > 1 {
                        text.number x=(unit(x + size(spot.count) + 4.0)) y=(unit(y + 5.0)) { (spot.count) }
                    }
                }
            }
        }
}

/// By area: ten times the connections are a spot three times as wide.
fn size(count: i64) -> f64 {
    (4.0 + 2.0 * (count.max(1) as f64).sqrt()).min(22.0)
}

/// Tenths are finer than a pixel.
fn unit(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Adds a line to a path: the first point as it is, each other by how far off the one before it is.
fn draw(path: &mut String, points: &[(i32, i32)], is_ring: bool) {
    let Some(&(x, y)) = points.first() else { return };
    // Writing to a string does not fail.
    let _ = write!(path, "M{x} {y}l");
    let mut before = (x, y);
    for (index, &(x, y)) in points.iter().enumerate().skip(1) {
        let (dx, dy) = (x - before.0, y - before.1);
        let between = if index == 1 || dx < 0 { "" } else { " " };
        let within = if dy < 0 { "" } else { " " };
        let _ = write!(path, "{between}{dx}{within}{dy}");
        before = (x, y);
    }
    if is_ring {
        path.push('z');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(name: &str, longitude: f64, latitude: f64, count: i64) -> Spot {
        Spot { name: name.to_owned(), latitude, longitude, radius_km: 50, count }
    }

    #[test]
    fn a_map_has_its_spots_and_says_them() {
        let drawn =
            places(&[spot("Lyon", 4.84, 45.76, 7), spot("<b>", -74.0, 40.7, 1)], 0, "On line").into_string();
        assert!(
            drawn.contains("aria-label=\"On line: 2 places, most at Lyon: 7 connections, known to 50 km\"")
        );
        assert_eq!((drawn.matches("<circle").count(), drawn.matches("<ellipse").count()), (2, 0));
        let vague = Spot { radius_km: 1500, ..spot("Russia", 60.0, 60.0, 1) };
        assert_eq!(
            places(&[vague], 0, "On line").into_string().matches("<ellipse").count(),
            1,
            "a spot hides no such circle"
        );
        let unsaid = Spot { radius_km: 0, ..spot("Lyon", 4.84, 45.76, 7) };
        let unsaid = places(&[unsaid], 0, "On line").into_string();
        assert!(
            unsaid.contains("Lyon: 7 connections\"") && !unsaid.contains(" km") && !unsaid.contains("Known")
        );
        assert!(drawn.contains("&lt;b&gt;: 1 connection, ") && !drawn.contains("<b>"));
        assert!(!drawn.contains("style="), "the policy forbids it");
    }

    #[test]
    fn a_map_says_what_it_leaves_out() {
        let spots: Vec<Spot> =
            (0..150).map(|i| spot("Somewhere", f64::from(i) - 75.0, 10.0, i64::from(200 - i))).collect();
        let all = SpotCount { places: 173, connections: 20_000, elsewhere: 7 };
        let cut = places_of(&spots, all, "On line").into_string();
        let listed: i64 = (0..12).map(|i| 200 - i).sum();
        for part in [
            "aria-label=\"On line: the 150 places with the most connections, of 173, most at Somewhere: 200",
            &format!("And 161 more places with {} connections.", 20_000 - listed),
            "On the map are the 150 with the most connections, of 173.",
            "7 connections are not on the map: no position is known.",
        ] {
            assert!(cut.contains(part), "{part}: {cut}");
        }
        let whole = places(&spots, 0, "On line").into_string();
        assert!(
            whole.contains("On line: 150 places, most at") && !whole.contains("On the map are"),
            "{whole}"
        );
        assert!(!whole.contains("not on the map"), "{whole}");
        // Each spot is a row, those behind the first twelve in what is unfolded.
        assert_eq!(whole.matches("<td class=\"figure\">").count(), 2 * 150, "{whole}");
        let (_, others) = whole.split_once("<details>").unwrap();
        assert_eq!(others.matches("<bdi>Somewhere</bdi>").count(), 138, "{others}");
        let many: Vec<Spot> = spots.iter().chain(&spots[..20]).cloned().collect();
        let drawn = places(&many, 0, "On line").into_string();
        assert!(drawn.contains("the 150 places with the most connections, of 170"), "{drawn}");
    }

    #[test]
    fn the_whole_world_is_small() {
        let spots: Vec<Spot> = (0..1000)
            .map(|i| {
                spot("Somewhere, Far Away, XX", f64::from(i % 360) - 180.0, f64::from(i % 140) - 70.0, 3)
            })
            .collect();
        let drawn = places(&spots, 0, "On line").into_string();
        assert!(drawn.len() < 70_000, "{}", drawn.len());
        let near = places(&spots[180..181], 0, "On line").into_string();
        assert!(near.len() < 40_000, "{}", near.len());
        assert!(near.contains("class=\"land\""));
    }

    #[test]
    fn a_path_is_written_short() {
        let mut path = String::new();
        draw(&mut path, &[(1, 2), (3, 1), (2, 4), (2, 5)], true);
        assert_eq!(path, "M1 2l2-1-1 3 0 1z");
    }
}
