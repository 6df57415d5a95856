//! Figures beside those of an earlier run, and what of that is more than chance.

use super::{
    figure::{figure, times},
    results::{Results, same},
    wording::{self, Better},
};
use crate::measure::{MISSING, Measurement};

/// Fewer runs have no spread to judge by.
const RUNS_TO_JUDGE: usize = 3;

/// A figure with all that it is compared with.
#[derive(Debug)]
pub(super) struct Row<'r> {
    pub(super) measured: &'r Measurement,
    /// Paths of the same run, and how many times better than they.
    pub(super) ratios: Vec<(&'r str, f64)>,
    pub(super) earlier: Option<&'r Measurement>,
    pub(super) change: Change,
}

/// What became of a figure since the earlier run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    /// The spreads do not overlap; how many times better, infinite if it came from or went to nothing.
    Better(f64),
    /// The same the other way: how many times worse.
    Worse(f64),
    /// The spreads overlap.
    WithinSpread,
    /// Not there earlier, too few runs, or nothing that is better or worse.
    NotJudged,
}

impl Row<'_> {
    pub(super) fn is_missing(&self) -> bool {
        self.measured.metric == MISSING
    }

    /// `1.31× better`, or the two values if there is no sensible factor.
    pub(super) fn change_in_words(&self) -> String {
        let words = |factor: f64, word: &str| match self.earlier {
            Some(earlier) if !factor.is_finite() => {
                let unit = &self.measured.unit;
                format!(
                    "{word}: from {} to {}",
                    figure(earlier.median, unit),
                    figure(self.measured.median, unit)
                )
            }
            _ => format!("{} {word}", times(factor)),
        };
        match self.change {
            Change::Better(factor) => words(factor, "better"),
            Change::Worse(factor) => words(factor, "worse"),
            Change::WithinSpread => "within spread".to_owned(),
            Change::NotJudged => String::new(),
        }
    }
}

/// The figures of one bench, one row each, compared with an earlier run if there is one.
pub(super) fn rows<'r>(results: &'r Results, earlier: Option<&'r Results>, bench: &'r str) -> Vec<Row<'r>> {
    let mut rows: Vec<Row<'r>> = Vec::new();
    for measured in results.of(bench) {
        let ratio = measured.baseline.as_deref().zip(measured.ratio);
        // A path is its own baseline where a bench reports the baseline itself.
        let ratio = ratio.filter(|(baseline, _)| *baseline != measured.path);
        if let Some(row) = rows.iter_mut().find(|row| same(row.measured, measured)) {
            row.ratios.extend(ratio);
            continue;
        }
        let before = earlier.and_then(|earlier| earlier.counterpart(measured));
        let change = before.map_or(Change::NotJudged, |before| change(before, measured));
        rows.push(Row { measured, ratios: ratio.into_iter().collect(), earlier: before, change });
    }
    rows
}

/// A change counts only if the two intervals from p10 to p90 do not overlap.
pub(super) fn change(before: &Measurement, now: &Measurement) -> Change {
    let Some(better) = wording::better(&now.metric) else { return Change::NotJudged };
    if before.runs.min(now.runs) < RUNS_TO_JUDGE || before.unit != now.unit {
        return Change::NotJudged;
    }
    if before.p10 <= now.p90 && now.p10 <= before.p90 {
        return Change::WithinSpread;
    }
    let (small, large) = (before.median.min(now.median), before.median.max(now.median));
    let factor = if small > 0.0 { large / small } else { f64::INFINITY };
    if (now.median < before.median) == (better == Better::Smaller) {
        Change::Better(factor)
    } else {
        Change::Worse(factor)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::results::tests::{measured, results},
        *,
    };

    const TIME: [&str; 4] = ["replay", "four vendors", "tmpfs", "time_per_request"];
    const RATE: [&str; 4] = ["replay", "four vendors", "tmpfs", "requests_per_second"];

    #[test]
    fn a_change_counts_only_beyond_both_spreads() {
        let before = measured(TIME, "ns", [90.0, 100.0, 110.0]);
        let now = |spread| change(&before, &measured(TIME, "ns", spread));
        assert_eq!(now([40.0, 50.0, 89.0]), Change::Better(2.0));
        assert_eq!(now([111.0, 150.0, 160.0]), Change::Worse(1.5));
        // Touching is overlapping, from either side, and so is lying inside or around.
        assert_eq!(now([40.0, 50.0, 90.0]), Change::WithinSpread);
        assert_eq!(now([110.0, 150.0, 160.0]), Change::WithinSpread);
        assert_eq!(now([95.0, 96.0, 97.0]), Change::WithinSpread);
        assert_eq!(now([10.0, 20.0, 900.0]), Change::WithinSpread);
    }

    #[test]
    fn a_rate_gets_better_upwards() {
        let before = measured(RATE, "1/s", [90.0, 100.0, 110.0]);
        let now = |spread| change(&before, &measured(RATE, "1/s", spread));
        assert_eq!(now([190.0, 200.0, 210.0]), Change::Better(2.0));
        assert_eq!(now([40.0, 50.0, 60.0]), Change::Worse(2.0));
    }

    #[test]
    fn what_has_no_spread_or_no_better_is_not_judged() {
        let before = measured(TIME, "ns", [100.0; 3]);
        let mut once = measured(TIME, "ns", [50.0; 3]);
        once.runs = 1;
        assert_eq!(change(&before, &once), Change::NotJudged);
        let describes = ["wire", "window 256", "xdp", "others_share_of_a_core"];
        let judged = change(&measured(describes, "1", [0.0; 3]), &measured(describes, "1", [1.0; 3]));
        assert_eq!(judged, Change::NotJudged);
    }

    #[test]
    fn something_from_nothing_has_no_factor() {
        let lost = ["wire", "window 256", "xdp", "lost"];
        let before = results(&[measured(lost, "%", [0.0; 3])]);
        let now = results(&[measured(lost, "%", [4.0, 5.0, 6.0])]);
        let rows = rows(&now, Some(&before), "wire");
        assert_eq!(rows[0].change, Change::Worse(f64::INFINITY));
        assert_eq!(rows[0].change_in_words(), "worse: from 0 % to 5 %");
    }

    #[test]
    fn one_row_has_all_that_a_figure_is_compared_with() {
        let own = measured(["wire", "window 256", "xdp", "cpu_per_request"], "ns", [2.0, 3.0, 4.0]);
        let run = results(&[own.clone().against("freeradius-detail", &[12.0]), own.against("echo", &[0.8])]);
        let rows = rows(&run, None, "wire");
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].ratios, [("freeradius-detail", 12.0), ("echo", 0.8)]);
        assert_eq!(rows[0].change, Change::NotJudged);
    }
}
