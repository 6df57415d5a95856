//! Lines over a figure that rises, such as load or clients, with the spread at each point.

use plotters::{
    chart::{ChartBuilder, LabelAreaPosition},
    drawing::IntoDrawingArea as _,
    element::{Circle, PathElement, Text},
    prelude::SVGBackend,
    series::LineSeries,
    style::{
        Color as _,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::{Drawing, Ink, WIDTH, axis::Axis, text};
use crate::report::figure::figure;

const HEIGHT: u32 = 230;
/// Room for the figures left of the axis, and below it.
const LEFT: u32 = 60;
const BELOW: u32 = 40;

/// One line.
pub(in crate::report) struct Series {
    pub(in crate::report) ink: Ink,
    /// In any order.
    pub(in crate::report) points: Vec<Point>,
}

/// A median with its spread.
#[derive(Clone, Copy)]
pub(in crate::report) struct Point {
    pub(in crate::report) x: f64,
    /// Median, 10th and 90th percentile.
    pub(in crate::report) spread: [f64; 3],
}

/// What the axes say.
pub(in crate::report) struct Axes<'a> {
    /// Below the horizontal axis.
    pub(in crate::report) x: &'a str,
    /// The unit of the values.
    pub(in crate::report) unit: &'a str,
}

/// Draws them over common axes.
pub(in crate::report) fn lines(series: &[Series], axes: &Axes<'_>) -> anyhow::Result<Drawing> {
    let mut svg = String::new();
    let points = || series.iter().flat_map(|series| &series.points);
    let across = Axis::over(points().map(|point| point.x));
    let upwards = Axis::over(points().flat_map(|point| point.spread));
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_top(10)
            .margin_right(22)
            .set_label_area_size(LabelAreaPosition::Left, LEFT)
            .set_label_area_size(LabelAreaPosition::Bottom, BELOW)
            .build_cartesian_2d(across.ends[0]..across.ends[1], upwards.ends[0]..upwards.ends[1])?;
        let plain = text(Ink::Text);
        for mark in &upwards.marks {
            let line = [(across.ends[0], *mark), (across.ends[1], *mark)];
            chart.plotting_area().draw(&PathElement::new(line.to_vec(), Ink::Grid.color()))?;
            let (x, y) = chart.backend_coord(&(across.ends[0], *mark));
            let beside = plain.pos(Pos::new(HPos::Right, VPos::Center));
            root.draw(&Text::new(figure(upwards.value(*mark), axes.unit), (x - 6, y), beside))?;
        }
        for mark in &across.marks {
            let (x, y) = chart.backend_coord(&(*mark, upwards.ends[0]));
            let below = plain.pos(Pos::new(HPos::Center, VPos::Top));
            root.draw(&Text::new(figure(across.value(*mark), "1"), (x, y + 6), below))?;
        }
        let name = plain.pos(Pos::new(HPos::Center, VPos::Bottom));
        let center = (LEFT + WIDTH) as i32 / 2;
        root.draw(&Text::new(super::shortened(axes.x, 40), (center, HEIGHT as i32 - 2), name))?;
        for Series { ink, points } in series {
            let mut points = points.clone();
            points.sort_by(|one, other| one.x.total_cmp(&other.x));
            let place =
                |point: &Point, index: usize| (across.place(point.x), upwards.place(point.spread[index]));
            for point in &points {
                let spread = vec![place(point, 1), place(point, 2)];
                chart.draw_series([PathElement::new(spread, ink.color().stroke_width(1))])?;
                chart.draw_series([Circle::new(place(point, 0), 3, ink.color().filled())])?;
            }
            let line = points.iter().map(|point| place(point, 0));
            chart.draw_series(LineSeries::new(line, ink.color().stroke_width(2)))?;
        }
        root.present()?;
    }
    Ok(Drawing { svg, logarithmic: upwards.is_logarithmic() })
}
