//! `cargo xtask instructions`: the gate on what a request costs. Times gate nothing, because a busy machine would fail
//! them and a loose limit would pass what matters; instructions are the same on every run. They are compared with
//! `benches/baseline.json`, each with a tolerance of its own.

mod baseline;
mod callgrind;
mod disassembly;

use std::{
    fs::File,
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};
use baseline::{Baseline, Figure, Verdict};
use callgrind::Callgrind;

/// Where the baseline is, from the workspace's root.
const BASELINE: &str = "benches/baseline.json";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Make the new figures the baseline, instead of comparing with it
    #[arg(long)]
    bless: bool,
    /// Write the figures to FILE, a line of JSON each, as `cargo xtask bench` does
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let file = crate::program::root().join(BASELINE);
    // The first one is made by blessing.
    let baseline =
        if arguments.bless && !file.exists() { Baseline::default() } else { Baseline::read(&file)? };
    let callgrind = Callgrind::new()?;
    println!("instructions a request, counted by {}", callgrind.version);
    println!(
        "{:<8} {:<12} {:>10} {:>10} {:>9} {:>9}",
        "bench", "path", "counted", "baseline", "change", "allowed"
    );
    let mut figures = Vec::new();
    for work in &callgrind::WORKS {
        let progress = std::io::stderr().is_terminal();
        if progress {
            eprint!("counting {} of {}", figures.len() + 1, callgrind::WORKS.len());
        }
        let figure = callgrind.count(work);
        if progress {
            eprint!("\r{:24}\r", "");
        }
        let figure = figure?;
        println!("{}", line(&figure, &baseline));
        figures.push(figure);
    }
    // valgrind knows no AVX-512: its kernel is counted as it stands, not as it runs.
    for figure in disassembly::avx512()? {
        println!("{}", line(&figure, &baseline));
        figures.push(figure);
    }
    if let Some(json) = &arguments.json {
        write_results(callgrind.program(), &figures, json)?;
    }
    if arguments.bless {
        baseline.replaced_by(&figures).write(&file)?;
        println!("{BASELINE} has these figures now: commit it together with the change that made them");
        return Ok(());
    }
    judge(&figures, &baseline)
}

/// A line of the table.
fn line(figure: &Figure, baseline: &Baseline) -> String {
    let count = figure.instructions;
    let compared = baseline.of(figure).map_or_else(String::new, |base| {
        let expected = base.instructions;
        let change = if count == expected { 0.0 } else { (count / expected - 1.0) * 100.0 };
        format!("{expected:>10.1} {change:>+8.2}% {:>+8.2}%", base.tolerance * 100.0)
    });
    let verdict = baseline.compare(figure);
    format!("{:<8} {:<12} {count:>10.1} {compared:<30}  {verdict}", figure.bench, figure.path)
}

/// An error if anything costs more than it may, or is not compared at all.
fn judge(figures: &[Figure], baseline: &Baseline) -> anyhow::Result<()> {
    let names = |verdict: Verdict| -> Vec<String> {
        let those = figures.iter().filter(|figure| baseline.compare(figure) == verdict);
        those.map(|figure| format!("{} {}", figure.bench, figure.path)).collect()
    };
    let stale: Vec<_> = baseline.stale(figures).map(|base| format!("{} {}", base.bench, base.path)).collect();
    let (above, below, missing) = (names(Verdict::Above), names(Verdict::Below), names(Verdict::Missing));
    if !below.is_empty() {
        println!(
            "{} cost less than the baseline: run `cargo xtask instructions --bless` and commit {BASELINE}, so that \
             it stays so",
            below.join(", ")
        );
    }
    ensure!(
        missing.is_empty() && stale.is_empty(),
        "{BASELINE} lacks [{}] and has [{}] that nothing counts: run `cargo xtask instructions --bless` and commit it",
        missing.join(", "),
        stale.join(", ")
    );
    ensure!(
        above.is_empty(),
        "more instructions a request than the baseline allows: {} (see the table). Find what was added \
         (`callgrind_annotate` shows where instructions go); if they are worth it, run `cargo xtask instructions \
         --bless` and commit {BASELINE} with the reason",
        above.join(", ")
    );
    Ok(())
}

/// The figures as the benches write theirs, by the same program.
fn write_results(program: &Path, figures: &[Figure], json: &Path) -> anyhow::Result<()> {
    let mut results = File::create(json).with_context(|| format!("cannot write {}", json.display()))?;
    for figure in figures {
        let mut report = Command::new(program);
        report.args(["report", &figure.bench, &figure.path, &figure.instructions.to_string()]);
        let output = report.output().with_context(|| format!("cannot run {report:?}"))?;
        ensure!(output.status.success(), "{report:?}: {}", String::from_utf8_lossy(&output.stderr));
        results.write_all(&output.stdout).with_context(|| format!("cannot write {}", json.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(counts: [f64; 2]) -> Vec<Figure> {
        let figure = |(bench, count): (&str, f64)| Figure {
            bench: bench.to_owned(),
            path: "scalar".to_owned(),
            instructions: count,
            tolerance: 0.01,
        };
        ["parse", "worker"].into_iter().zip(counts).map(figure).collect()
    }

    fn baseline(figures: &[Figure]) -> Baseline {
        Baseline::default().replaced_by(figures)
    }

    #[test]
    fn one_figure_above_fails_and_is_named_with_what_to_do() {
        let base = baseline(&figures([400.0, 5000.0]));
        let error = judge(&figures([400.0, 5051.0]), &base).unwrap_err().to_string();
        assert!(error.contains("allows: worker scalar (") && error.contains("--bless"), "{error}");
        let line = line(&figures([400.0, 5051.0])[1], &base);
        assert!(
            ["5051.0", "5000.0", "+1.02%", "+1.00%", "MORE"].iter().all(|it| line.contains(it)),
            "{line}"
        );
    }

    #[test]
    fn within_and_below_pass() {
        let base = baseline(&figures([400.0, 5000.0]));
        judge(&figures([403.0, 4960.0]), &base).unwrap();
        judge(&figures([300.0, 4000.0]), &base).unwrap();
    }

    #[test]
    fn what_cannot_be_compared_fails_in_both_directions() {
        let both = figures([400.0, 5000.0]);
        let missing = judge(&both, &baseline(&both[..1])).unwrap_err().to_string();
        assert!(missing.contains("lacks [worker scalar] and has []"), "{missing}");
        let stale = judge(&both[1..], &baseline(&both)).unwrap_err().to_string();
        assert!(stale.contains("lacks [] and has [parse scalar]"), "{stale}");
    }
}
