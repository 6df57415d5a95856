//! Coasts and borders of the world, as `make.py` wrote them.

use std::sync::LazyLock;

const OCTETS: &[u8] = include_bytes!("world.bin");
/// Units of a degree in the file.
const UNITS: f64 = 100.0;

/// Degrees east, degrees north.
pub(super) type Point = (f64, f64);

/// Lines of the world.
pub(super) struct World {
    /// Rings around land and lakes; the first point is the last.
    pub(super) coasts: Vec<Vec<Point>>,
    /// Lines between countries.
    pub(super) borders: Vec<Vec<Point>>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut octets = OCTETS;
    World { coasts: lines(&mut octets), borders: lines(&mut octets) }
});

pub(super) fn world() -> &'static World {
    &WORLD
}

fn lines(octets: &mut &[u8]) -> Vec<Vec<Point>> {
    let (mut x, mut y) = (0, 0);
    let mut lines = Vec::new();
    for _ in 0..number(octets) {
        let mut line = Vec::new();
        for _ in 0..number(octets) {
            x += signed(octets);
            y += signed(octets);
            line.push((x as f64 / UNITS, y as f64 / UNITS));
        }
        lines.push(line);
    }
    lines
}

fn signed(octets: &mut &[u8]) -> i64 {
    let number = number(octets) as i64;
    if number & 1 == 0 { number / 2 } else { -(number / 2) - 1 }
}

/// 0 behind the end: the file is ours, and a test reads all of it.
fn number(octets: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let Some((first, rest)) = octets.split_first() else { return 0 };
        *octets = rest;
        number |= u64::from(first & 127) << shift;
        if first & 128 == 0 {
            break;
        }
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_is_whole() {
        let mut octets = OCTETS;
        let (coasts, borders) = (lines(&mut octets), lines(&mut octets));
        assert!(octets.is_empty(), "{} octets are left", octets.len());
        assert!(coasts.len() > 1000 && borders.len() > 300, "{} {}", coasts.len(), borders.len());
        for (x, y) in coasts.iter().chain(&borders).flatten() {
            assert!((-180.0..=180.0).contains(x) && (-90.0..=90.0).contains(y), "{x} {y}");
        }
        assert!(coasts.iter().all(|ring| ring.len() >= 4 && ring.first() == ring.last()));
    }
}
