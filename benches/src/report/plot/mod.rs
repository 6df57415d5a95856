//! Drawings as SVG inside the page, by `plotters`: text stays text, and colours change with the reader's scheme.

mod axis;
mod bars;
mod ink;
mod lines;

pub(super) use bars::{Bar, bars, parts};
pub(super) use ink::{Ink, style};
pub(super) use lines::{Axes, Point, Series, lines};

/// A finished drawing.
pub(super) struct Drawing {
    /// An `svg` element.
    pub(super) svg: String,
    /// Whether the values' axis goes by powers of ten.
    pub(super) logarithmic: bool,
}

/// Width of a drawing, so small that its text can be read on a phone.
const WIDTH: u32 = 400;
/// Height of the text in pixels of the drawing.
const TEXT: f64 = 12.0;
/// `plotters` sizes text by its line, 1.24 times the height that SVG has.
const LINE: f64 = TEXT * 1.24;
/// The width of an average letter at that height.
const LETTER: f64 = 6.4;

/// A font of the reader's own.
fn text(ink: Ink) -> plotters::style::TextStyle<'static> {
    use plotters::style::{Color as _, IntoFont as _};
    ("system-ui, sans-serif", LINE).into_font().color(&ink.color().to_rgba())
}

/// At most so many letters, with an ellipsis for the rest.
fn shortened(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    text.chars().take(letters.saturating_sub(1)).chain(['…']).collect()
}
