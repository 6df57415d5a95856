//! Which seeds are for choosing parameters and which for reporting: what was chosen on one is never reported on the same.

use clap::ValueEnum;

use crate::organisation::Size;

/// A set of organisations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Set {
    /// For choosing thresholds and weights
    Tuning,
    /// For reporting
    HeldBack,
}

impl Set {
    /// The seeds of its organisations; the first two of them for a quick look.
    pub fn seeds(self, quick: bool) -> Vec<u64> {
        let first = match self {
            Set::Tuning => 1,
            Set::HeldBack => 101,
        };
        (first..first + if quick { 2 } else { 8 }).collect()
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Set::Tuning => "tuning",
            Set::HeldBack => "held-back",
        }
    }
}

/// How large its organisations are.
pub fn size(quick: bool) -> Size {
    if quick { Size::QUICK } else { Size::FULL }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_organisation_is_in_both_sets() {
        let tuning = Set::Tuning.seeds(false);
        assert!(Set::HeldBack.seeds(false).iter().all(|seed| !tuning.contains(seed)));
        assert!(tuning.starts_with(&Set::Tuning.seeds(true)));
    }
}
