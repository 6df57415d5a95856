//! `cargo xtask bench`: builds and runs the benches, gathers their results ([`crate::report`]).

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use anyhow::{Context as _, ensure};

use crate::{
    program::{self, cargo_for, sensor},
    report::Files,
};

/// What there is to run: programs of the package `benches`, but for the first, each printing lines of JSON.
const BENCHES: [&str; 10] =
    ["digest", "replay", "scale", "wire", "latency", "knobs", "memory", "load", "insight", "portal"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which benches; all of them without any
    #[arg(value_parser = BENCHES)]
    names: Vec<String>,
    #[command(flatten)]
    files: Files,
    /// Fewer and shorter runs: to see that everything works, not to quote
    #[arg(long)]
    quick: bool,
    /// Options for the one bench that is named: `load -- --rate 50000`; `load -- --help` shows them
    #[arg(last = true, value_name = "OPTION")]
    options: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let (names, options) = (&arguments.names, &arguments.options);
    ensure!(
        options.is_empty() || names.len() == 1,
        "{} is an option of one bench: name that one",
        options.join(" ")
    );
    let mut gathering = arguments.files.gather(names.is_empty())?;
    // The whole-path benches run the sensor itself.
    let sensor = sensor(true)?;
    for name in BENCHES.iter().filter(|name| names.is_empty() || names.iter().any(|n| n == *name)) {
        let mut bench = cargo_for("run", name);
        bench.args(["--quiet", "--release", "--"]);
        if arguments.quick {
            bench.arg("--quick");
        }
        bench.args(options).env(program::PROGRAM, &sensor);
        let mut child =
            bench.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot run {bench:?}"))?;
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).lines() {
                let line = line?;
                if !line.starts_with('{') {
                    // Help, say: the results themselves are shown on standard error.
                    println!("{line}");
                } else if let Some(gathering) = &mut gathering {
                    gathering.add(&line)?;
                }
            }
        }
        let status = child.wait()?;
        ensure!(status.success(), "the bench {name} failed: {status}");
    }
    gathering.map_or(Ok(()), |gathering| gathering.finish())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    impl std::fmt::Debug for Arguments {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Arguments").field("names", &self.names).finish_non_exhaustive()
        }
    }

    fn arguments(line: &str) -> Result<Arguments, clap::Error> {
        let words = ["bench"].into_iter().chain(line.split_whitespace());
        Ok(Line::try_parse_from(words)?.arguments)
    }

    #[test]
    fn what_stands_behind_the_dashes_goes_to_the_bench() {
        let load = arguments("load --json /tmp/x --quick -- --rate 50000 --json").unwrap();
        assert_eq!((load.names, load.quick), (vec!["load".to_owned()], true));
        assert_eq!(load.options, ["--rate", "50000", "--json"]);
        assert_eq!(arguments("--quick wire load").unwrap().names, ["wire", "load"]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert!(arguments("speed").unwrap_err().to_string().contains("digest, replay"));
        let two = arguments("wire load -- --rate 5").unwrap();
        assert!(run(&two).unwrap_err().to_string().contains("name that one"));
    }
}
