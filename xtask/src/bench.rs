//! `cargo xtask bench`: builds and runs the benches, gathers their results.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::Stdio,
};

use anyhow::{Context as _, bail, ensure};

use crate::program::{build, cargo};

/// What there is to run: programs of the package `benches`, each printing lines of JSON.
const BENCHES: [&str; 7] = ["digest", "replay", "scale", "wire", "latency", "memory", "load"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which benches (digest, replay, scale, wire, latency, memory, load), all of them without any; behind one name also its own options, such
    /// as `load --rate 50000`: `load --help` shows them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "NAME")]
    names: Vec<String>,
    /// Write the results to FILE, a line of JSON each
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fewer and shorter runs: to see that everything works, not to quote
    #[arg(long)]
    quick: bool,
}

/// What to run, and how.
#[derive(Debug, Default, PartialEq)]
struct Chosen {
    names: Vec<&'static str>,
    json: Option<PathBuf>,
    quick: bool,
    /// For the bench itself.
    options: Vec<String>,
}

impl Arguments {
    /// Takes our own options out of what stands behind the names; the rest belongs to the one bench that is named.
    fn choose(&self) -> anyhow::Result<Chosen> {
        let mut chosen = Chosen { json: self.json.clone(), quick: self.quick, ..Chosen::default() };
        let mut words = self.names.iter();
        let mut named = true;
        while let Some(word) = words.next() {
            named &= !word.starts_with('-');
            if named {
                let known = BENCHES.iter().find(|bench| *bench == word);
                // A bench may take arguments without dashes, behind its options only.
                match known {
                    Some(bench) => chosen.names.push(bench),
                    None => bail!("there is no bench {word}: there are {}", BENCHES.join(", ")),
                }
            } else if word == "--quick" {
                chosen.quick = true;
            } else if word == "--json" {
                chosen.json = Some(words.next().context("--json needs a file")?.into());
            } else if let Some(path) = word.strip_prefix("--json=") {
                chosen.json = Some(path.into());
            } else {
                chosen.options.push(word.clone());
            }
        }
        ensure!(
            chosen.options.is_empty() || chosen.names.len() == 1,
            "{} is an option of one bench: name that one",
            chosen.options.join(" ")
        );
        if chosen.names.is_empty() {
            chosen.names = BENCHES.to_vec();
        }
        Ok(chosen)
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let chosen = arguments.choose()?;
    let mut json = match &chosen.json {
        Some(path) => Some(File::create(path).with_context(|| format!("cannot write {}", path.display()))?),
        None => None,
    };
    // The whole-path benches run the sensor itself.
    let sensor = build(true)?;
    for name in &chosen.names {
        let mut bench = cargo();
        bench.args(["run", "--quiet", "--release", "--package", "benches", "--bin", name, "--"]);
        if chosen.quick {
            bench.arg("--quick");
        }
        bench.args(&chosen.options).env("VPN_SENSOR_BIN", &sensor);
        let mut child =
            bench.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot run {bench:?}"))?;
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).lines() {
                let line = line?;
                match &mut json {
                    Some(json) if line.starts_with('{') => writeln!(json, "{line}")?,
                    // Help, say: the results themselves are shown on standard error.
                    _ if !line.starts_with('{') => println!("{line}"),
                    _ => {}
                }
            }
        }
        let status = child.wait()?;
        ensure!(status.success(), "the bench {name} failed: {status}");
    }
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

    fn chosen(line: &str) -> anyhow::Result<Chosen> {
        let words = ["bench"].into_iter().chain(line.split_whitespace());
        Line::try_parse_from(words)?.arguments.choose()
    }

    #[test]
    fn options_behind_a_name_go_to_that_bench_and_ours_stay() {
        let options = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let load = chosen("load --rate 50000 --json /tmp/x --mix sources=2 --quick").unwrap();
        assert_eq!(load.names, ["load"]);
        assert_eq!((load.json, load.quick), (Some("/tmp/x".into()), true));
        assert_eq!(load.options, options(&["--rate", "50000", "--mix", "sources=2"]));
        assert_eq!(chosen("load --help").unwrap().options, options(&["--help"]));
    }

    #[test]
    fn without_a_name_all_run() {
        assert_eq!(chosen("").unwrap().names, BENCHES);
        let quick = chosen("--quick --json=/tmp/y").unwrap();
        assert_eq!(
            (quick.quick, quick.json, quick.names.len()),
            (true, Some("/tmp/y".into()), BENCHES.len())
        );
        assert_eq!(chosen("wire load --quick").unwrap().names, ["wire", "load"]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert!(chosen("speed").unwrap_err().to_string().contains("there is no bench speed"));
        assert!(chosen("wire load --rate 5").unwrap_err().to_string().contains("name that one"));
        assert!(chosen("load --json").unwrap_err().to_string().contains("needs a file"));
    }
}
