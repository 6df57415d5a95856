//! The part of the world that a map shows: degrees to units of the drawing, and what lies outside cut off.
//!
//! The projection is equirectangular, true to scale along the parallel in the middle, so that a circle on the ground is
//! nearly one on the map where the part is small.

use super::world::Point;

/// Units of a drawing.
pub(super) const WIDTH: f64 = 1000.0;
/// The same, downwards.
pub(super) const HEIGHT: f64 = 480.0;
/// Least of the world that is shown, degrees of latitude: a city alone tells nobody where it is.
const SPAN_MIN: f64 = 12.0;
/// What is to be seen takes this much less than the drawing.
const ROOM: f64 = 1.3;
/// Kilometres of a degree of latitude.
const DEGREE_KM: f64 = 111.2;
/// Points nearer than this to the one before are left out, units. Nobody sees them.
const NEAR: i32 = 2;
/// Beyond the edge, so that a line along it does not show, units.
const BEYOND: f64 = 8.0;

/// How degrees become units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct View {
    /// Degrees east of the left edge.
    left: f64,
    /// Degrees north of the upper edge.
    top: f64,
    /// Units of a degree of longitude.
    across: f64,
    /// Units of a degree of latitude.
    down: f64,
}

impl View {
    /// Nearly all of the world.
    pub(super) fn world() -> View {
        let units = WIDTH / 360.0;
        View { left: -180.0, top: HEIGHT / units / 2.0, across: units, down: units }
    }

    /// The smallest that has all these points, each with so many kilometres around it.
    pub(super) fn around(points: &[(Point, f64)]) -> View {
        let (mut west, mut east, mut south, mut north) = (f64::MAX, f64::MIN, f64::MAX, f64::MIN);
        for &((longitude, latitude), radius_km) in points {
            let high = radius_km / DEGREE_KM;
            let wide = high / narrowed(latitude);
            (west, east) = (west.min(longitude - wide), east.max(longitude + wide));
            (south, north) = (south.min(latitude - high), north.max(latitude + high));
        }
        if points.is_empty() {
            return View::world();
        }
        let middle = ((west + east) / 2.0, ((south + north) / 2.0).clamp(-85.0, 85.0));
        let narrow = narrowed(middle.1);
        let high = ((north - south) * ROOM).max(SPAN_MIN);
        let wide = (east - west) * ROOM;
        let down = (HEIGHT / high).min(WIDTH / (wide * narrow).max(1.0));
        let across = down * narrow;
        if across < WIDTH / 360.0 || down < HEIGHT / 180.0 {
            return View::world();
        }
        let left = (middle.0 - WIDTH / across / 2.0).clamp(-180.0, 180.0 - WIDTH / across);
        let top = (middle.1 + HEIGHT / down / 2.0).clamp(HEIGHT / down - 90.0, 90.0);
        View { left, top, across, down }
    }

    /// Where a point is drawn.
    pub(super) fn point(&self, (longitude, latitude): Point) -> (f64, f64) {
        ((longitude - self.left) * self.across, (self.top - latitude) * self.down)
    }

    /// Half the width and half the height of a circle of so many kilometres, there.
    pub(super) fn circle(&self, (_, latitude): Point, radius_km: f64) -> (f64, f64) {
        let high = radius_km / DEGREE_KM;
        (high / narrowed(latitude) * self.across, high * self.down)
    }

    /// The part of a ring that is shown, as a ring; empty if that is nothing one could see.
    pub(super) fn ring(&self, ring: &[Point]) -> Vec<(i32, i32)> {
        let mut points: Vec<(f64, f64)> = ring.iter().map(|point| self.point(*point)).collect();
        let is_near = points.iter().any(|(x, y)| (0.0..=WIDTH).contains(x) || (0.0..=HEIGHT).contains(y));
        if !is_near {
            return Vec::new();
        }
        // Sutherland and Hodgman's way, an edge at a time.
        cut(&mut points, |(x, _)| x + BEYOND);
        cut(&mut points, |(x, _)| WIDTH + BEYOND - x);
        cut(&mut points, |(_, y)| y + BEYOND);
        cut(&mut points, |(_, y)| HEIGHT + BEYOND - y);
        let thinned = thinned(&points);
        if thinned.len() < 3 { Vec::new() } else { thinned }
    }

    /// The parts of a line that are shown.
    pub(super) fn line(&self, line: &[Point]) -> Vec<Vec<(i32, i32)>> {
        let points: Vec<(f64, f64)> = line.iter().map(|point| self.point(*point)).collect();
        let mut parts = Vec::new();
        let mut part = Vec::new();
        for pair in points.windows(2) {
            let [(ax, ay), (bx, by)] = [pair[0], pair[1]];
            let is_outside =
                ax.max(bx) < 0.0 || ax.min(bx) > WIDTH || ay.max(by) < 0.0 || ay.min(by) > HEIGHT;
            if is_outside {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            if part.is_empty() {
                part.push(pair[0]);
            }
            part.push(pair[1]);
        }
        parts.push(part);
        parts.iter().map(|part| thinned(part)).filter(|part| part.len() >= 2).collect()
    }
}

/// How much shorter a degree of longitude is at this latitude. Not less than near the poles, where nobody lives.
fn narrowed(latitude: f64) -> f64 {
    latitude.to_radians().cos().max(0.1)
}

/// Takes away the part of a ring where `inside` is below 0.
fn cut(points: &mut Vec<(f64, f64)>, inside: impl Fn((f64, f64)) -> f64) {
    let mut kept = Vec::with_capacity(points.len());
    let Some(&(mut before)) = points.last() else { return };
    for &point in &*points {
        let (from, to) = (inside(before), inside(point));
        if (from < 0.0) != (to < 0.0) {
            let part = from / (from - to);
            kept.push((before.0 + (point.0 - before.0) * part, before.1 + (point.1 - before.1) * part));
        }
        if to >= 0.0 {
            kept.push(point);
        }
        before = point;
    }
    *points = kept;
}

/// Whole units, without what is too near to be seen. The last point stays.
fn thinned(points: &[(f64, f64)]) -> Vec<(i32, i32)> {
    let mut thinned: Vec<(i32, i32)> = Vec::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let point = (x.round() as i32, y.round() as i32);
        let off = thinned.last().map_or(i32::MAX, |last| (last.0 - point.0).abs() + (last.1 - point.1).abs());
        if off >= NEAR || (off > 0 && index + 1 == points.len()) {
            thinned.push(point);
        }
    }
    thinned
}

#[cfg(test)]
mod tests {
    use super::*;

    const LYON: Point = (4.84, 45.76);
    const OSLO: Point = (10.75, 59.91);

    #[test]
    fn what_is_asked_for_is_in_the_drawing() {
        for points in [
            vec![(LYON, 1.0)],
            vec![(LYON, 50.0), (OSLO, 300.0)],
            vec![((-179.0, 71.0), 10.0)],
            vec![((179.9, -77.0), 1.0)],
            vec![((-70.0, -33.0), 100.0), ((151.0, -33.8), 100.0)],
        ] {
            let view = View::around(&points);
            for (point, _) in points {
                let (x, y) = view.point(point);
                assert!((0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y), "{point:?}: {x} {y}");
            }
        }
        assert_eq!(View::around(&[]), View::world());
        assert_eq!(View::around(&[((-170.0, 0.0), 1.0), ((170.0, 0.0), 1.0)]), View::world());
    }

    #[test]
    fn a_circle_on_the_ground_is_nearly_one_on_the_map() {
        let view = View::around(&[(OSLO, 100.0)]);
        let (wide, high) = view.circle(OSLO, 100.0);
        assert!((wide / high - 1.0).abs() < 0.05, "{wide} {high}");
        // A degree of latitude north of it, and the circle's edge, are as far off.
        let (_, y) = view.point(OSLO);
        let (_, north) = view.point((OSLO.0, OSLO.1 + 100.0 / DEGREE_KM));
        assert!((y - north - high).abs() < 0.01);
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let view = View::world();
        // Around all of it, and one corner of it.
        let all = view.ring(&[(-400.0, 200.0), (400.0, 200.0), (400.0, 0.0), (-400.0, 0.0), (-400.0, 200.0)]);
        assert!(all.iter().all(|(x, y)| (-8..=1008).contains(x) && (-8..=488).contains(y)), "{all:?}");
        assert!(all.contains(&(1008, 240)), "{all:?}");
        assert!(view.ring(&[(200.0, 100.0), (201.0, 100.0), (201.0, 101.0), (200.0, 100.0)]).is_empty());
        assert_eq!(view.line(&[(-300.0, 0.0), (-200.0, 0.0), (0.0, 0.0), (90.0, 0.0)]).len(), 1);
        assert!(view.line(&[(-300.0, 0.0), (-200.0, 0.0)]).is_empty());
    }
}
