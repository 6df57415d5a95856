//! `cargo xtask instructions`: gates that count instructions instead of time, which a busy machine cannot disturb. Each part
//! is a file here and a member of `benches/baseline.json`, where the counts that were accepted stand.

mod disassembly;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use crate::program;

/// Where the accepted counts are, from the workspace's root.
const BASELINE: &str = "benches/baseline.json";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which counts; all of them without any
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Accept what is counted now: write it to benches/baseline.json
    #[arg(long)]
    accept: bool,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Part {
    /// The AVX-512 kernel of md5-lanes, as it is disassembled
    Avx512,
}

impl Part {
    const ALL: [Part; 1] = [Part::Avx512];

    /// Its name in the baseline.
    fn name(self) -> &'static str {
        match self {
            Part::Avx512 => "avx512",
        }
    }

    fn count(self) -> anyhow::Result<Vec<Count>> {
        match self {
            Part::Avx512 => disassembly::avx512(),
        }
    }
}

/// Something counted.
pub(crate) struct Count {
    /// Its name in the baseline.
    pub(crate) name: &'static str,
    pub(crate) value: u64,
    /// By what share of the baseline it may be larger. Another compiler schedules a little differently; what costs time is
    /// more than that.
    pub(crate) tolerance: f64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let path = program::root()?.join(BASELINE);
    let mut baseline = read(&path)?;
    let mut worse = Vec::new();
    for part in
        Part::ALL.into_iter().filter(|part| arguments.parts.is_empty() || arguments.parts.contains(part))
    {
        let counts = part.count()?;
        if arguments.accept {
            let accepted = counts.iter().map(|count| (count.name.to_owned(), count.value.into()));
            baseline.insert(part.name().to_owned(), Value::Object(accepted.collect()));
        }
        for count in counts {
            let accepted =
                baseline.get(part.name()).and_then(|part| part.get(count.name)).and_then(Value::as_u64);
            let Some(accepted) = accepted else {
                bail!(
                    "{BASELINE} has no count `{}` of `{}`; accept one with `cargo xtask instructions {} --accept`",
                    count.name,
                    part.name(),
                    part.name()
                );
            };
            let most = (accepted as f64 * (1.0 + count.tolerance)).floor() as u64;
            let verdict = if count.value > most { "too many" } else { "ok" };
            println!(
                "{:<10} {:<28} {:>8} accepted {accepted:>8} at most {most:>8}  {verdict}",
                part.name(),
                count.name,
                count.value
            );
            if count.value > most {
                worse.push(format!("{} {}: {} instead of {accepted}", part.name(), count.name, count.value));
            }
        }
    }
    if arguments.accept {
        let text = serde_json::to_string_pretty(&Value::Object(baseline))? + "\n";
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if !worse.is_empty() {
        bail!(
            "more instructions than accepted: {}. If the bench shows that they are worth it, accept them with \
             `cargo xtask instructions --accept` and commit {BASELINE}",
            worse.join(", ")
        );
    }
    Ok(())
}

fn read(path: &PathBuf) -> anyhow::Result<Map<String, Value>> {
    if !path.exists() {
        return Ok(Map::new());
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not an object of counts", path.display()))
}
