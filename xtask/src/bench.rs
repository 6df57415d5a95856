//! `cargo xtask bench`: builds and runs the benches, gathers their results ([`crate::report`]).

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use anyhow::{Context as _, ensure};

use crate::{program::cargo, report::Files};

/// What there is to run: programs of the package `benches`, each printing lines of JSON.
const BENCHES: [&str; 1] = ["replay"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which benches; all of them without any
    #[arg(value_parser = BENCHES.to_vec())]
    names: Vec<String>,
    #[command(flatten)]
    files: Files,
    /// Fewer and shorter runs: to see that everything works, not to quote
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut gathering = arguments.files.gather(arguments.names.is_empty())?;
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
                if let Some(gathering) = &mut gathering {
                    gathering.add(&line)?;
                }
            }
        }
        let status = child.wait()?;
        ensure!(status.success(), "the bench {name} failed: {status}");
    }
    gathering.map_or(Ok(()), |gathering| gathering.finish())
}
