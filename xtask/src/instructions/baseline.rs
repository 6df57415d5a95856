//! The figures that are committed, and the comparison of new ones with them.

use std::{fmt, fs, path::Path};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// What a request costs in one bench by one path.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct Figure {
    pub(super) bench: String,
    /// `scalar`, `avx2`, `avx512`.
    pub(super) path: String,
    /// Instructions a request; of the AVX-512 kernel, those of its code.
    pub(super) instructions: f64,
    /// By what share it may be more: 0.01 is one in a hundred. In the baseline this is what counts; that of a new
    /// figure is for a baseline that does not have it yet.
    pub(super) tolerance: f64,
}

/// How a figure compares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    Within,
    /// More than the baseline and its tolerance: fails.
    Above,
    /// Less than the baseline by more than its tolerance: the baseline should be lowered, or it gates nothing.
    Below,
    /// Not in the baseline: fails.
    Missing,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Within => "ok",
            Verdict::Above => "MORE THAN ALLOWED",
            Verdict::Below => "less: lower the baseline",
            Verdict::Missing => "NOT IN THE BASELINE",
        })
    }
}

/// All figures that are committed.
#[derive(Debug, Default)]
pub(super) struct Baseline(Vec<Figure>);

impl Baseline {
    pub(super) fn read(file: &Path) -> anyhow::Result<Baseline> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Baseline(serde_json::from_str(&text).with_context(|| format!("{}", file.display()))?))
    }

    /// The figure of the same bench and path.
    pub(super) fn of(&self, figure: &Figure) -> Option<&Figure> {
        self.0.iter().find(|base| base.bench == figure.bench && base.path == figure.path)
    }

    pub(super) fn compare(&self, figure: &Figure) -> Verdict {
        let Some(base) = self.of(figure) else { return Verdict::Missing };
        let allowed = base.instructions * base.tolerance;
        let more = figure.instructions - base.instructions;
        match more {
            more if more > allowed => Verdict::Above,
            more if more < -allowed => Verdict::Below,
            _ => Verdict::Within,
        }
    }

    /// Those that are committed but not among `figures`: nothing gates them any more.
    pub(super) fn stale<'a>(&'a self, figures: &'a [Figure]) -> impl Iterator<Item = &'a Figure> {
        let counted = |base: &Figure| figures.iter().any(|it| it.bench == base.bench && it.path == base.path);
        self.0.iter().filter(move |base| !counted(base))
    }

    /// A baseline of these figures, with the tolerances of this one.
    pub(super) fn replaced_by(&self, figures: &[Figure]) -> Baseline {
        let kept = |figure: &Figure| Figure {
            // More digits than repeat would only make differences to read.
            instructions: (figure.instructions * 10.0).round() / 10.0,
            tolerance: self.of(figure).map_or(figure.tolerance, |base| base.tolerance),
            ..figure.clone()
        };
        Baseline(figures.iter().map(kept).collect())
    }

    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(&self.0)? + "\n";
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(bench: &str, path: &str, instructions: f64, tolerance: f64) -> Figure {
        Figure { bench: bench.to_owned(), path: path.to_owned(), instructions, tolerance }
    }

    fn baseline() -> Baseline {
        Baseline(vec![figure("parse", "scalar", 400.0, 0.01), figure("worker", "avx2", 5000.0, 0.002)])
    }

    #[test]
    fn the_tolerance_of_the_baseline_decides_in_both_directions() {
        let compare = |count| baseline().compare(&figure("parse", "scalar", count, 0.5));
        assert_eq!(compare(400.0), Verdict::Within);
        assert_eq!(compare(404.0), Verdict::Within);
        assert_eq!(compare(404.1), Verdict::Above);
        assert_eq!(compare(396.0), Verdict::Within);
        assert_eq!(compare(395.9), Verdict::Below);
        // Each figure by its own.
        assert_eq!(baseline().compare(&figure("worker", "avx2", 5010.1, 0.5)), Verdict::Above);
    }

    #[test]
    fn what_the_baseline_lacks_is_missing_even_if_the_bench_has_another_path() {
        assert_eq!(baseline().compare(&figure("parse", "avx2", 1.0, 0.5)), Verdict::Missing);
        assert_eq!(Baseline::default().compare(&figure("parse", "scalar", 1.0, 0.5)), Verdict::Missing);
    }

    #[test]
    fn what_nothing_counts_any_more_is_stale() {
        let baseline = baseline();
        let counted = [figure("parse", "scalar", 1.0, 0.5), figure("worker", "scalar", 1.0, 0.5)];
        assert_eq!(baseline.stale(&counted).collect::<Vec<_>>(), [&figure("worker", "avx2", 5000.0, 0.002)]);
    }

    #[test]
    fn a_blessed_baseline_has_the_new_figures_and_keeps_tolerances() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("baseline.json");
        let counted = [figure("parse", "scalar", 401.26, 0.5), figure("digest", "avx2", 900.0, 0.03)];
        baseline().replaced_by(&counted).write(&file).unwrap();
        let blessed = Baseline::read(&file).unwrap();
        assert_eq!(
            blessed.0,
            [figure("parse", "scalar", 401.3, 0.01), figure("digest", "avx2", 900.0, 0.03)]
        );
    }
}
