//! Shows the results of a run of benches as one page of HTML, compared with those of an earlier run.
#![forbid(unsafe_code)]

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use benches::report::{Results, page};
use clap::Parser;

#[derive(Parser)]
#[command(name = "report", about = "Show what was measured, and what changed, as one page", version)]
struct Arguments {
    /// The results: lines of JSON, as `cargo xtask bench --json` writes them
    results: PathBuf,
    /// The results of an earlier run to compare with
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// The page
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let results = Results::read(&arguments.results)?;
    let earlier = arguments.against.as_deref().map(Results::read).transpose()?;
    let page = page(&results, earlier.as_ref())?;
    fs::write(&arguments.out, page).with_context(|| format!("cannot write {}", arguments.out.display()))
}
