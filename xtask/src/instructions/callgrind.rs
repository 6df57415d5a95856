//! Instructions counted by valgrind's callgrind, which runs a program on a processor of its own making: the same count
//! on a busy machine as on an idle one.
//!
//! It has AVX2 where the machine has it and never AVX-512, whose lanes cannot be counted here. Compiler, libc and
//! valgrind change the figures: those of the baseline belong to the workspace's stable Rust and to Debian 12, whose
//! valgrind is 3.19. Where one of them is another, bless first, then change the code.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};

use super::baseline::Figure;
use crate::program;

/// A subcommand of the program `instructions` of the package `benches`.
pub(super) struct Work {
    bench: &'static str,
    /// How digests are computed; none where there are none.
    lanes: Option<&'static str>,
}

/// What is counted.
pub(super) const WORKS: [Work; 5] = [
    Work { bench: "digest", lanes: Some("scalar") },
    Work { bench: "digest", lanes: Some("avx2") },
    Work { bench: "parse", lanes: None },
    Work { bench: "worker", lanes: Some("scalar") },
    Work { bench: "worker", lanes: Some("avx2") },
];

/// By what share a figure may be more than the baseline. Found by counting: 4 to 10 runs in a row of the same program
/// differ by less than 0.01 %, runs from different places by less than 0.05 % (hash keys are random, and what is copied
/// lies elsewhere). One more pass over the attributes of a request costs 283 instructions: 3.2 % of the worker loop
/// with scalar digests, 5.8 % with AVX2, 34 % of parsing.
const TOLERANCE: f64 = 0.01;

/// Each work is run twice, with so many requests; the difference of the two is free of start and end. A multiple of
/// the 4096 frames; 15 times all frames is a second or two a run.
const REQUESTS: [u64; 2] = [4096, 16 * 4096];

/// The program, and the folder for what callgrind writes.
pub(super) struct Callgrind {
    program: PathBuf,
    folder: tempfile::TempDir,
    /// Valgrind's name and version, as it says them.
    pub(super) version: String,
}

impl Callgrind {
    /// Builds the program, after a look whether there is a valgrind.
    pub(super) fn new() -> anyhow::Result<Callgrind> {
        let output = match Command::new("valgrind").arg("--version").output() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!(
                    "valgrind, which counts the instructions, is missing: run `apt-get install -y valgrind`"
                )
            }
            output => output.context("cannot run valgrind")?,
        };
        ensure!(output.status.success(), "valgrind --version: {}", String::from_utf8_lossy(&output.stderr));
        Ok(Callgrind {
            program: program::build("instructions", true, &[])?,
            folder: tempfile::tempdir().context("cannot make a folder for what callgrind writes")?,
            version: String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        })
    }

    /// The program, which also writes figures as lines of results.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// Instructions a request of this work.
    pub(super) fn count(&self, work: &Work) -> anyhow::Result<Figure> {
        let path = work.lanes.unwrap_or("scalar");
        let run =
            |requests| self.run(work, requests).with_context(|| format!("counting {} {path}", work.bench));
        let (few, many) = (run(REQUESTS[0])?, run(REQUESTS[1])?);
        ensure!(
            many.requests > few.requests && many.instructions > few.instructions,
            "{} {path}: {} instructions for {} requests, but {} for {}",
            work.bench,
            few.instructions,
            few.requests,
            many.instructions,
            many.requests
        );
        let instructions = (many.instructions - few.instructions) as f64;
        Ok(Figure {
            bench: work.bench.to_owned(),
            path: path.to_owned(),
            instructions: instructions / (many.requests - few.requests) as f64,
            tolerance: TOLERANCE,
        })
    }

    fn run(&self, work: &Work, requests: u64) -> anyhow::Result<Run> {
        let out = self.folder.path().join("callgrind.out");
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--tool=callgrind"]);
        valgrind.arg(format!("--callgrind-out-file={}", out.display()));
        valgrind.arg(&self.program).args([work.bench, "--requests", &requests.to_string()]);
        if let Some(lanes) = work.lanes {
            valgrind.args(["--lanes", lanes]);
        }
        let output = valgrind.output().context("cannot run valgrind")?;
        ensure!(
            output.status.success(),
            "{valgrind:?}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
        let said = String::from_utf8_lossy(&output.stdout);
        let requests = said.trim().parse().with_context(|| format!("not a number of requests: {said:?}"))?;
        let profile = fs::read_to_string(&out).with_context(|| format!("cannot read {}", out.display()))?;
        Ok(Run { requests, instructions: total(&profile)? })
    }
}

struct Run {
    requests: u64,
    instructions: u64,
}

/// The sum of a profile (Callgrind Format Specification, "totals" and "events").
fn total(profile: &str) -> anyhow::Result<u64> {
    let field = |name: &str| profile.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    ensure!(field("events:") == Some("Ir"), "callgrind counted {:?}, not instructions", field("events:"));
    let total = field("totals:").context("callgrind wrote no total: was it ended early?")?;
    total.parse().with_context(|| format!("callgrind's total is {total:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_that_of_instructions() {
        let profile = "# callgrind format\npid: 1\nevents: Ir\nsummary: 12\n\nfl=(1)\n5 12\n\ntotals: 12\n";
        assert_eq!(total(profile).unwrap(), 12);
        let error = total("events: Ir Dr\ntotals: 12 3\n").unwrap_err().to_string();
        assert!(error.contains("Ir Dr"), "{error}");
        assert!(total("events: Ir\nfl=(1)\n").unwrap_err().to_string().contains("ended early"));
    }
}
