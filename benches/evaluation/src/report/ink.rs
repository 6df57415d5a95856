//! Colours, one pair each for a light and a dark page: `plotters` writes the light one, the page's style sheet replaces it
//! where the reader's scheme is dark.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// A colour by what it is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ink {
    /// Letters.
    Text,
    /// Lines that help to read.
    Grid,
    /// What is shown: told apart also by those who see red and green alike.
    Series(usize),
}

const SERIES: [(u32, u32); 8] = [
    (0x0B_6BCB, 0x58_A6FF),
    (0xC2_570C, 0xFF_A657),
    (0x0A_7F5A, 0x3F_C9A0),
    (0x8E_44AD, 0xD2_A8FF),
    (0x8A_6A00, 0xE3_C04B),
    (0xB0_2A5B, 0xFF_8FB1),
    (0x4A_5568, 0xA9_B4C4),
    (0x00_7C91, 0x5F_D4E8),
];

impl Ink {
    fn pair(self) -> (u32, u32) {
        match self {
            Ink::Text => (0x1F_2328, 0xE6_EDF3),
            Ink::Grid => (0xD5_DAE0, 0x33_3B45),
            Ink::Series(index) => SERIES[index % SERIES.len()],
        }
    }

    pub(super) fn color(self) -> RGBColor {
        let [_, red, green, blue] = self.pair().0.to_be_bytes();
        RGBColor(red, green, blue)
    }

    /// As SVG has it, outside the drawings.
    pub(super) fn hex(self) -> String {
        format!("#{:06X}", self.pair().0)
    }

    /// The class that gives an element outside the drawings this colour as its background.
    pub(super) fn class(self) -> String {
        format!("ink-{:06x}", self.pair().0)
    }
}

/// The rules that set the colours of drawings and legends.
pub(super) fn style() -> String {
    let (mut light, mut dark) = (String::new(), String::new());
    for ink in [Ink::Text, Ink::Grid].into_iter().chain((0..SERIES.len()).map(Ink::Series)) {
        let ((on_light, on_dark), class) = (ink.pair(), ink.class());
        // Writing to a string cannot fail.
        let _ = writeln!(light, ".{class}{{background:#{on_light:06X}}}");
        let _ = writeln!(
            dark,
            ".{class}{{background:#{on_dark:06X}}}svg [fill=\"#{on_light:06X}\"]{{fill:#{on_dark:06X}}}\
             svg [stroke=\"#{on_light:06X}\"]{{stroke:#{on_dark:06X}}}"
        );
    }
    format!("{light}@media (prefers-color-scheme:dark){{\n{dark}}}\n")
}
