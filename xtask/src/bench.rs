//! `cargo xtask bench`: builds and runs the benches, gathers their results.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::Stdio,
};

use anyhow::{Context as _, ensure};

use crate::program::cargo;

/// What there is to run: programs of the package `benches`, each printing lines of JSON.
const BENCHES: [&str; 1] = ["digest"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which benches; all of them without any
    #[arg(value_parser = BENCHES.to_vec())]
    names: Vec<String>,
    /// Write the results to FILE, a line of JSON each
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fewer and shorter runs: to see that everything works, not to quote
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut json = match &arguments.json {
        Some(path) => Some(File::create(path).with_context(|| format!("cannot write {}", path.display()))?),
        None => None,
    };
    for name in
        BENCHES.iter().filter(|name| arguments.names.is_empty() || arguments.names.iter().any(|n| n == *name))
    {
        let mut bench = cargo();
        bench.args(["run", "--quiet", "--release", "--package", "benches", "--bin", name, "--"]);
        if arguments.quick {
            bench.arg("--quick");
        }
        let mut child =
            bench.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot run {bench:?}"))?;
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).lines() {
                let line = line?;
                if let Some(json) = &mut json {
                    writeln!(json, "{line}")?;
                }
            }
        }
        let status = child.wait()?;
        ensure!(status.success(), "the bench {name} failed: {status}");
    }
    Ok(())
}
