//! Drawings as SVG inside the page: shares from 0 to 1 over a figure.

use plotters::{
    chart::{ChartBuilder, LabelAreaPosition},
    drawing::IntoDrawingArea as _,
    element::{PathElement, Polygon, Text},
    prelude::SVGBackend,
    series::LineSeries,
    style::{
        Color as _, IntoFont as _, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::ink::Ink;

pub(super) const WIDTH: u32 = 400;
pub(super) const HEIGHT: u32 = 250;
/// Room for the figures left of the axis, and below it.
const LEFT: u32 = 42;
const BELOW: u32 = 40;

/// The horizontal axis.
pub(super) struct Across<'a> {
    pub(super) name: &'a str,
    /// By powers of ten.
    pub(super) is_logarithmic: bool,
    pub(super) ends: [f64; 2],
}

/// One line.
pub(super) struct Line {
    pub(super) ink: Ink,
    /// In the order of the first.
    pub(super) points: Vec<(f64, f64)>,
    /// Between which two lines it is believed to be.
    pub(super) band: Vec<(f64, f64, f64)>,
}

impl Across<'_> {
    fn place(&self, value: f64) -> f64 {
        if self.is_logarithmic { value.max(f64::MIN_POSITIVE).log10() } else { value }
    }

    /// Places with what is written at them.
    fn marks(&self) -> Vec<(f64, String)> {
        let [low, high] = self.ends.map(|end| self.place(end));
        if self.is_logarithmic {
            let powers = low.ceil() as i32..=high.floor() as i32;
            return powers.map(|power| (f64::from(power), format!("{}", 10_f64.powi(power)))).collect();
        }
        (0..=4).map(|part| low + (high - low) * f64::from(part) / 4.0).map(|at| (at, short(at))).collect()
    }
}

fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || value == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn text(ink: Ink) -> TextStyle<'static> {
    // `plotters` sizes text by its line, 1.24 times the height that SVG has.
    ("system-ui, sans-serif", 12.0 * 1.24).into_font().color(&ink.color().to_rgba())
}

/// Draws them over common axes.
pub(super) fn lines(lines: &[Line], across: &Across<'_>) -> anyhow::Result<String> {
    let mut svg = String::new();
    let [low, high] = across.ends.map(|end| across.place(end));
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_top(10)
            .margin_right(16)
            .set_label_area_size(LabelAreaPosition::Left, LEFT)
            .set_label_area_size(LabelAreaPosition::Bottom, BELOW)
            .build_cartesian_2d(low..high, 0.0..1.0)?;
        let plain = text(Ink::Text);
        for mark in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
            let line = vec![(low, mark), (high, mark)];
            chart.plotting_area().draw(&PathElement::new(line, Ink::Grid.color()))?;
            let (x, y) = chart.backend_coord(&(low, mark));
            let beside = plain.pos(Pos::new(HPos::Right, VPos::Center));
            root.draw(&Text::new(format!("{mark:.1}"), (x - 6, y), beside))?;
        }
        for (at, words) in across.marks() {
            chart.plotting_area().draw(&PathElement::new(vec![(at, 0.0), (at, 1.0)], Ink::Grid.color()))?;
            let (x, y) = chart.backend_coord(&(at, 0.0));
            let below = plain.pos(Pos::new(HPos::Center, VPos::Top));
            root.draw(&Text::new(words, (x, y + 6), below))?;
        }
        let name = plain.pos(Pos::new(HPos::Center, VPos::Bottom));
        root.draw(&Text::new(across.name, ((LEFT + WIDTH) as i32 / 2, HEIGHT as i32 - 2), name))?;
        let inside = |x: f64| (low..=high).contains(&x);
        for Line { ink, points, band } in lines {
            let edge = |read: fn(&(f64, f64, f64)) -> f64| {
                band.iter().map(move |it| (across.place(it.0), read(it))).filter(|(x, _)| inside(*x))
            };
            let upper: Vec<_> = edge(|it| it.2).collect();
            let around: Vec<_> = upper.into_iter().rev().chain(edge(|it| it.1)).collect();
            if !around.is_empty() {
                chart.draw_series([Polygon::new(around, ink.color().mix(0.15).filled())])?;
            }
            let line = points
                .iter()
                .map(|(x, y)| (across.place(*x), *y))
                .filter(|(x, y)| inside(*x) && y.is_finite());
            chart.draw_series(LineSeries::new(line, ink.color().stroke_width(2)))?;
        }
        root.present()?;
    }
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_its_band_are_drawn_inside_the_axes() {
        let line = Line {
            ink: Ink::Series(0),
            points: vec![(1e-5, 0.1), (1e-3, 0.5), (1.0, 1.0)],
            band: vec![(1e-3, 0.4, 0.6), (1.0, 0.9, 1.0)],
        };
        let across = Across { name: "false-positive rate", is_logarithmic: true, ends: [1e-4, 1.0] };
        let svg = lines(&[line], &across).unwrap();
        assert!(svg.contains("<svg") && svg.contains("0.0001") && svg.contains("<polygon"));
        assert!(!svg.contains("NaN") && !svg.contains("href"));
    }

    #[test]
    fn marks_are_round() {
        let across = Across { name: "", is_logarithmic: false, ends: [0.0, 20.0] };
        let words: Vec<_> = across.marks().into_iter().map(|(_, words)| words).collect();
        assert_eq!(words, ["0", "5.00", "10.0", "15.0", "20.0"]);
    }
}
