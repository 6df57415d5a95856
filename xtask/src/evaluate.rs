//! `cargo xtask evaluate`: builds the sensor and the program `evaluate` of the package `evaluation`, and says how well
//! abnormal connections are found. The program makes the organisations up and draws the page, so that this one needs
//! neither.

use std::path::{Path, PathBuf};

use crate::program::{cargo_for, sensor, succeed};

/// Where the files are left unless they are wanted elsewhere.
const FOLDER: &str = "target/evaluation";
/// Where the documentation has figures and their drawing.
const PAGE: &str = "sensor/docs/detection.md";
const DRAWING: &str = "sensor/docs/detection-roc.svg";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which organisations: those for choosing parameters, or those for reporting
    #[arg(long, value_parser = ["tuning", "held-back"], default_value = "held-back")]
    set: String,
    /// Fewer and smaller organisations: to see that everything works, not to quote
    #[arg(long)]
    quick: bool,
    /// Instead of made-up organisations, take the public set of logins for risk-based authentication, a CSV
    #[arg(long, value_name = "FILE", conflicts_with_all = ["set", "quick"])]
    rba_csv: Option<PathBuf>,
    /// Score with the four baselines alone; the sensor is not built
    #[arg(long)]
    baselines_only: bool,
    /// Read the sensor's scores instead of running it: a folder of files named by the organisation's seed (101.jsonl)
    #[arg(long, value_name = "PATH", conflicts_with = "baselines_only")]
    scores: Option<PathBuf>,
    /// Write the figures to FILE, a line of JSON each [default: target/evaluation/results.jsonl]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Show the figures as one page in FILE [default: target/evaluation/report.html]
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the figures into the documentation, with the ROC as a drawing; with FIGURES those that an evaluation before
    /// left there, and nothing is evaluated
    #[arg(long, value_name = "FIGURES", conflicts_with_all = ["set", "quick", "rba_csv", "baselines_only"])]
    docs: Option<Option<PathBuf>>,
    /// Options of the program itself: '-- --seed 101'; '-- --help' shows them
    #[arg(last = true, value_name = "OPTION")]
    options: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(Some(figures)) = &arguments.docs {
        return document(figures);
    }
    let mut evaluate = cargo_for("run", "evaluate");
    evaluate.args(["--quiet", "--release", "--"]);
    match &arguments.rba_csv {
        Some(file) => evaluate.arg("--rba-csv").arg(file),
        None => evaluate.args(["--set", &arguments.set]),
    };
    if arguments.quick {
        evaluate.arg("--quick");
    }
    if arguments.baselines_only {
        evaluate.arg("--baselines-only");
    } else if let Some(scores) = &arguments.scores {
        evaluate.arg("--scores").arg(scores);
    } else {
        evaluate.arg("--sensor").arg(sensor(true)?);
    }
    let default = |file: &Option<PathBuf>, name| file.clone().unwrap_or_else(|| Path::new(FOLDER).join(name));
    let (json, html) = (default(&arguments.json, "results.jsonl"), default(&arguments.html, "report.html"));
    evaluate.arg("--json").arg(&json).arg("--html").arg(&html).args(&arguments.options);
    succeed(&mut evaluate)?;
    eprintln!("the page: {}\nthe figures: {}", html.display(), json.display());
    if arguments.docs.is_some() { document(&json) } else { Ok(()) }
}

fn document(figures: &Path) -> anyhow::Result<()> {
    let mut evaluate = cargo_for("run", "evaluate");
    evaluate.args(["--quiet", "--release", "--", "document", "--page", PAGE, "--svg", DRAWING]);
    succeed(evaluate.arg("--figures").arg(figures))?;
    eprintln!("the documentation: {PAGE}, {DRAWING}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn arguments(line: &str) -> Result<Arguments, clap::Error> {
        let words = ["evaluate"].into_iter().chain(line.split_whitespace());
        Ok(Line::try_parse_from(words)?.arguments)
    }

    #[test]
    fn what_is_reported_was_not_tuned_on_unless_asked_for() {
        assert_eq!(arguments("").unwrap().set, "held-back");
        let tuning = arguments("--set tuning --quick -- --seed 2").unwrap();
        assert_eq!((&*tuning.set, tuning.quick), ("tuning", true));
        assert_eq!(tuning.options, ["--seed", "2"]);
        assert!(arguments("--set mine").is_err());
        assert!(arguments("--rba-csv x.csv --set tuning").is_err());
        assert!(arguments("--rba-csv x.csv").is_ok());
    }

    #[test]
    fn what_the_documentation_has_is_of_a_whole_evaluation() {
        assert_eq!(arguments("").unwrap().docs, None);
        assert_eq!(arguments("--docs").unwrap().docs, Some(None));
        assert_eq!(arguments("--docs a.jsonl").unwrap().docs, Some(Some("a.jsonl".into())));
        for part in ["--quick", "--set tuning", "--rba-csv x.csv", "--baselines-only"] {
            assert!(arguments(&format!("--docs {part}")).is_err(), "{part}");
        }
    }
}
