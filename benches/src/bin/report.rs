//! Shows the results of a run of benches as one page of HTML, compared with those of an earlier run.
#![forbid(unsafe_code)]

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use benches::{
    measure::{Measurement, WHOLE},
    report::{Results, page},
};
use clap::Parser;

#[derive(Parser)]
#[command(name = "report", about = "Show what was measured, and what changed, as one page", version)]
struct Arguments {
    /// The results: lines of JSON, as `cargo xtask bench --json` writes them
    #[arg(required_unless_present = "missing")]
    results: Option<PathBuf>,
    /// The results of an earlier run to compare with
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// The page
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    /// Instead of a page, print the line that says that a bench is missing
    #[arg(long, hide = true, num_args = 2, value_names = ["BENCH", "REASON"], conflicts_with = "results")]
    missing: Option<Vec<String>>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some([bench, reason]) = arguments.missing.as_deref() {
        Measurement::missing(bench, "everything", WHOLE, reason).report();
        return Ok(());
    }
    let results = Results::read(&arguments.results.unwrap_or_default())?;
    let earlier = arguments.against.as_deref().map(Results::read).transpose()?;
    let page = page(&results, earlier.as_ref())?;
    fs::write(&arguments.out, page).with_context(|| format!("cannot write {}", arguments.out.display()))
}
