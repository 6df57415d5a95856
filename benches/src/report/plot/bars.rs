//! Bars from left to right, each with its spread and its figure.

use plotters::{
    chart::ChartBuilder,
    drawing::IntoDrawingArea as _,
    element::{PathElement, Rectangle, Text},
    prelude::SVGBackend,
    style::{
        Color as _,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::{Drawing, Ink, LETTER, WIDTH, axis::Axis, shortened, text};
use crate::report::figure::figure;

/// Pixels from one bar to the next.
const PITCH: u32 = 21;
/// The scale below.
const SCALE: u32 = 24;
/// Letters of a bar's name.
const NAME: usize = 22;

/// One bar.
pub(in crate::report) struct Bar {
    pub(in crate::report) name: String,
    /// Median, 10th and 90th percentile; none for one that is missing.
    pub(in crate::report) spread: Option<[f64; 3]>,
    /// The figure at its end, or why there is none.
    pub(in crate::report) figure: String,
    pub(in crate::report) ink: Ink,
}

/// Draws values of this unit that are to be compared, over one axis: by powers of ten if they are far apart.
pub(in crate::report) fn bars(bars: &[Bar], unit: &str) -> anyhow::Result<Drawing> {
    draw(bars, unit, &Axis::over(values(bars)))
}

/// The same for parts of a whole: always from zero, so that lengths are shares.
pub(in crate::report) fn parts(bars: &[Bar], unit: &str) -> anyhow::Result<Drawing> {
    draw(bars, unit, &Axis::linear(values(bars)))
}

fn values(bars: &[Bar]) -> impl Iterator<Item = f64> {
    bars.iter().flat_map(|bar| bar.spread.into_iter().flatten())
}

fn draw(bars: &[Bar], unit: &str, axis: &Axis) -> anyhow::Result<Drawing> {
    let mut svg = String::new();
    let height = PITCH * bars.len() as u32 + SCALE;
    // Digits are wider than letters are in the mean: a short name may have nothing else.
    let letters = |longest: usize| (longest as f64 * LETTER) as u32 + 16;
    let name_width = letters(bars.iter().map(|bar| bar.name.chars().count().min(NAME)).max().unwrap_or(0));
    let figure_width = letters(bars.iter().map(|bar| bar.figure.chars().count()).max().unwrap_or(0));
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        let rows = bars.len().max(1) as f64;
        let mut chart = ChartBuilder::on(&root)
            .margin_right(figure_width.min(WIDTH * 2 / 5))
            .set_label_area_size(plotters::chart::LabelAreaPosition::Left, name_width)
            .set_label_area_size(plotters::chart::LabelAreaPosition::Bottom, SCALE)
            // The first row is the topmost.
            .build_cartesian_2d(axis.ends[0]..axis.ends[1], rows..0.0)?;
        let middle = |h_pos| Pos::new(h_pos, VPos::Center);
        let plain = text(Ink::Text);
        for mark in &axis.marks {
            let line = [(*mark, 0.0), (*mark, rows)];
            chart.plotting_area().draw(&PathElement::new(line.to_vec(), Ink::Grid.color()))?;
            let (x, y) = chart.backend_coord(&(*mark, rows));
            let below = plain.pos(Pos::new(HPos::Center, VPos::Top));
            root.draw(&Text::new(figure(axis.value(*mark), unit), (x, y + 6), below))?;
        }
        for (row, bar) in bars.iter().enumerate() {
            let row = row as f64;
            let (left, center) = chart.backend_coord(&(axis.ends[0], row + 0.5));
            let name = shortened(&bar.name, NAME);
            root.draw(&Text::new(name, (left - 6, center), plain.pos(middle(HPos::Right))))?;
            let mut end = left;
            if let Some([median, p10, p90]) = bar.spread {
                let place = |value| axis.place(value);
                let corners = [(axis.ends[0], row + 0.15), (place(median), row + 0.85)];
                chart.draw_series([Rectangle::new(corners, bar.ink.color().filled())])?;
                let spread = [(place(p10), row + 0.5), (place(p90), row + 0.5)];
                chart
                    .draw_series([PathElement::new(spread.to_vec(), Ink::Spread.color().stroke_width(2))])?;
                end = chart.backend_coord(&(place(median.max(p90)), row)).0;
            }
            root.draw(&Text::new(bar.figure.clone(), (end + 6, center), plain.pos(middle(HPos::Left))))?;
        }
        root.present()?;
    }
    Ok(Drawing { svg, logarithmic: axis.is_logarithmic() })
}
