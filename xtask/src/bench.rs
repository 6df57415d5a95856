//! `cargo xtask bench`: builds and runs the benches, gathers their results ([`crate::report`]).

use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    process::{Command, Stdio},
    thread,
};

use anyhow::ensure;

use crate::{
    program::{self, cargo_for, sensor},
    report::{Files, Gathering, missing},
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
    let mut failed = Vec::new();
    for name in BENCHES.iter().filter(|name| names.is_empty() || names.iter().any(|n| n == *name)) {
        let mut bench = cargo_for("run", name);
        bench.args(["--quiet", "--release", "--"]);
        if arguments.quick {
            bench.arg("--quick");
        }
        bench.args(options).env(program::PROGRAM, &sensor);
        let Gathered { reason, is_lacking } = gathered(&mut bench, gathering.as_mut())?;
        // Who names a bench wants its figures; of all of them those that the host can have.
        if is_lacking && !names.is_empty() {
            failed.push(*name);
        }
        if let Some(reason) = reason {
            eprintln!("the bench {name} failed: {reason}");
            if let Some(gathering) = &mut gathering {
                match missing(name, &reason) {
                    Ok(line) => gathering.add(&line)?,
                    Err(error) => eprintln!("the results do not say so: {error:#}"),
                }
            }
            failed.push(*name);
        }
    }
    if let Some(gathering) = gathering {
        gathering.finish()?;
    }
    ensure!(
        failed.is_empty(),
        "these benches failed, or the host cannot run them: {}; what they said is above, and `cargo xtask bench {}` runs them again",
        failed.join(", "),
        failed.join(" ")
    );
    Ok(())
}

/// What became of a bench.
struct Gathered {
    /// Why it failed.
    reason: Option<String>,
    /// Whether it said that this host lacks what all of it needs.
    is_lacking: bool,
}

/// Runs one bench to its end and gathers its lines. What a bench fails by is no error here, since the others can be
/// measured without it.
///
/// # Errors
/// When the lines cannot be kept.
fn gathered(bench: &mut Command, mut gathering: Option<&mut Gathering>) -> anyhow::Result<Gathered> {
    let mut child = match bench.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => {
            return Ok(Gathered { reason: Some(format!("it cannot be run: {error}")), is_lacking: false });
        }
    };
    let said = child.stderr.take().map(|errors| thread::spawn(move || passed_on(errors)));
    let mut is_lacking = false;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            if !line.starts_with('{') {
                // Help, say: the results themselves are shown on standard error.
                println!("{line}");
                continue;
            }
            is_lacking |= is_whole_bench_missing(&line);
            if let Some(gathering) = &mut gathering {
                gathering.add(&line)?;
            }
        }
    }
    let status = child.wait()?;
    let said = said.and_then(|thread| thread.join().ok()).unwrap_or_default();
    let reason = (!status.success()).then(|| match last_error(&said) {
        error if error.is_empty() => status.to_string(),
        error => format!("{error} ({status})"),
    });
    Ok(Gathered { reason, is_lacking })
}

/// Whether a line of results says that there is nothing to measure here (`benches` has the same words).
fn is_whole_bench_missing(line: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(line)
        .is_ok_and(|line| line["metric"] == "missing" && line["path"] == "the whole bench")
}

/// So much of what a bench said last is kept for the reason of its failure, octets.
const KEPT: usize = 4096;

/// Passes on what a bench says to whoever watches, at once; returns the end of it.
fn passed_on(mut errors: impl Read) -> String {
    let mut last = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = errors.read(&mut buffer) {
        let _ = std::io::stderr().write_all(&buffer[..count]);
        last.extend_from_slice(&buffer[..count]);
        last.drain(..last.len().saturating_sub(KEPT));
    }
    String::from_utf8_lossy(&last).into_owned()
}

/// The error that a program ended with, on one line: from the last `Error:` or `error:` on, else the last line.
fn last_error(said: &str) -> String {
    /// As much as a page has room for, characters.
    const LONGEST: usize = 300;
    let begins = ["Error: ", "error: "].iter().filter_map(|word| Some(said.rfind(word)? + word.len())).max();
    let error = match begins {
        Some(begin) => &said[begin..],
        None => said.trim_end().lines().next_back().unwrap_or_default(),
    };
    let line = error.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST).collect()
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

    #[test]
    fn a_bench_that_fails_is_a_reason_and_what_it_measured_before_stays() {
        let folder = tempfile::tempdir().unwrap();
        let json = folder.path().join("results.jsonl");
        let files = Files::of_json(json.clone());
        let mut gathering = files.gather(false).unwrap().unwrap();
        let mut shell = |script: &str| {
            let mut shell = Command::new("sh");
            gathered(shell.args(["-c", script]), Some(&mut gathering)).unwrap()
        };
        let fails = "echo '{\"first\":1}'; printf 'round 1\\r' >&2
            printf 'Error: no wire\\n\\nCaused by:\\n    it is cut\\n' >&2; exit 3";
        assert_eq!(shell(fails).reason.unwrap(), "no wire Caused by: it is cut (exit status: 3)");
        assert_eq!(shell("kill -KILL $$").reason.unwrap(), "signal: 9 (SIGKILL)");
        let well = shell("echo '{\"second\":2}'; echo 'error: all is well' >&2");
        assert_eq!((well.reason, well.is_lacking), (None, false));
        let absent = gathered(&mut Command::new("/no/such/program"), None).unwrap().reason.unwrap();
        assert!(absent.contains("cannot be run"), "{absent}");
        let line = "{\"metric\":\"missing\",\"path\":\"the whole bench\"}";
        let lacking = gathered(Command::new("echo").arg(line), None).unwrap();
        assert_eq!((lacking.reason, lacking.is_lacking), (None, true));
        gathering.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&json).unwrap(), "{\"first\":1}\n{\"second\":2}\n");
    }

    #[test]
    fn the_reason_is_one_line_of_bounded_length() {
        assert_eq!(last_error("thread panicked\nnote: run with a backtrace\n"), "note: run with a backtrace");
        assert_eq!(last_error(&"é".repeat(1000)).chars().count(), 300);
        assert_eq!(last_error(""), "");
    }
}
