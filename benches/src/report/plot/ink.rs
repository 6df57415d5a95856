//! The colours, one pair each for a light and a dark page. `plotters` writes the light one into the drawing; the page's
//! style sheet, which comes from here too, replaces it where the reader's scheme is dark.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// A colour by what it is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::report) enum Ink {
    /// Letters.
    Text,
    /// Lines that help to read.
    Grid,
    /// The spread on top of a bar.
    Spread,
    /// What is compared with.
    Peer,
    /// What is measured: told apart also by those who see red and green alike.
    Series(usize),
}

/// How many [`Ink::Series`] there are before they begin anew.
const SERIES: [(u32, u32); 6] = [
    (0x0B_6BCB, 0x58_A6FF),
    (0xC2_570C, 0xFF_A657),
    (0x0A_7F5A, 0x3F_C9A0),
    (0x8E_44AD, 0xD2_A8FF),
    (0x8A_6A00, 0xE3_C04B),
    (0xB0_2A5B, 0xFF_8FB1),
];

impl Ink {
    /// On a light and on a dark page.
    fn pair(self) -> (u32, u32) {
        match self {
            Ink::Text => (0x1F_2328, 0xE6_EDF3),
            Ink::Grid => (0xD5_DAE0, 0x33_3B45),
            Ink::Spread => (0x10_1418, 0xF5_F8FA),
            Ink::Peer => (0x87_909B, 0x7D_8894),
            Ink::Series(index) => SERIES[index % SERIES.len()],
        }
    }

    pub(super) fn color(self) -> RGBColor {
        let [_, red, green, blue] = self.pair().0.to_be_bytes();
        RGBColor(red, green, blue)
    }

    /// The class that gives an element outside the drawings this colour as its background.
    pub(in crate::report) fn class(self) -> String {
        format!("ink-{:06x}", self.pair().0)
    }

    fn all() -> impl Iterator<Item = Ink> {
        let series = (0..SERIES.len()).map(Ink::Series);
        [Ink::Text, Ink::Grid, Ink::Spread, Ink::Peer].into_iter().chain(series)
    }
}

/// The rules that set the colours of drawings and legends.
pub(in crate::report) fn style() -> String {
    let (mut light, mut dark) = (String::new(), String::new());
    for ink in Ink::all() {
        let ((on_light, on_dark), class) = (ink.pair(), ink.class());
        // Writing to a string cannot fail.
        let _ = writeln!(light, ".{class}{{background:#{on_light:06X}}}");
        let _ = writeln!(
            dark,
            ".{class}{{background:#{on_dark:06X}}}\
             svg [fill=\"#{on_light:06X}\"]{{fill:#{on_dark:06X}}}\
             svg [stroke=\"#{on_light:06X}\"]{{stroke:#{on_dark:06X}}}"
        );
    }
    format!("{light}@media (prefers-color-scheme:dark){{\n{dark}}}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_inks_share_a_colour_of_the_light_page() {
        // The dark page's rules find an ink by it.
        let colours: BTreeSet<_> = Ink::all().map(|ink| ink.pair().0).collect();
        assert_eq!(colours.len(), Ink::all().count());
    }
}
