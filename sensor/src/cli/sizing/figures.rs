//! The measured figures that a capacity is derived from: lines of a bench's result file.
//!
//! `measured.jsonl` beside this file is such a result, committed; `--bench` names another one. Each line says on which
//! host, kernel and commit it was measured.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

/// Measured figures in the form in which every bench writes them; the lines say where and when.
pub(super) const COMMITTED: &str = include_str!("measured.jsonl");

/// The bench whose lines are taken.
const BENCH: &str = "sizing";
/// The path of what the service takes.
const SERVICE: &str = "service";

/// What one way into the sensor costs. `ack.when` is `durable`, sync included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct PathFigures {
    /// Time on a core for each request, all threads of the sensor together, nanoseconds.
    pub(super) cpu_ns_per_request: f64,
    /// What one worker has answered at most.
    pub(super) requests_per_second: f64,
    /// Resident memory with one worker and without the duplicate table, bytes.
    pub(super) resident_bytes: f64,
}

/// Everything that the model needs from a bench.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Figures {
    pub(super) xdp: PathFigures,
    pub(super) udp: PathFigures,
    /// Of the journal, batch headers included.
    pub(super) bytes_per_record: f64,
    /// Time that one commit in a thousand exceeds, nanoseconds: how long the disk stalls.
    pub(super) commit_p999_ns: f64,
    /// Of the duplicate table.
    pub(super) bytes_per_entry: f64,
    /// Of the service: a user with profile and sessions, resident, with all detections.
    pub(super) bytes_per_user: f64,
    /// Host, kernel and commit of the lines; more than one if the file was put together.
    pub(super) measured_on: Vec<String>,
}

/// A line as every bench writes it; what is not needed here is left out.
#[derive(Debug, Deserialize)]
struct Line {
    bench: String,
    path: String,
    metric: String,
    unit: String,
    value: f64,
    host: String,
    kernel: String,
    commit: String,
}

impl Figures {
    /// Reads a result file. Lines of other benches are passed over; of two lines about one thing the later one counts.
    /// What a user takes is a million users' bench, which few runs have: without it the committed figure counts, whose
    /// host is named with the others.
    pub(super) fn read(text: &str) -> anyhow::Result<Figures> {
        let mut lines = lines(text)?;
        if lines.iter().all(|line| line.path != SERVICE) {
            lines.extend(self::lines(COMMITTED)?.into_iter().filter(|line| line.path == SERVICE));
        }
        let path = |name: &str| {
            anyhow::Ok(PathFigures {
                cpu_ns_per_request: value(&lines, name, "cpu_per_request", "ns")?,
                requests_per_second: value(&lines, name, "requests_per_second", "1/s")?,
                resident_bytes: value(&lines, name, "resident", "B")?,
            })
        };
        let places =
            lines.iter().map(|line| format!("{}, Linux {}, commit {}", line.host, line.kernel, line.commit));
        Ok(Figures {
            xdp: path("xdp")?,
            udp: path("udp")?,
            bytes_per_record: value(&lines, "journal", "bytes_per_record", "B")?,
            commit_p999_ns: value(&lines, "journal", "commit_p999", "ns")?,
            bytes_per_entry: value(&lines, "duplicates", "bytes_per_entry", "B")?,
            bytes_per_user: value(&lines, SERVICE, "bytes_per_user", "B")?,
            measured_on: places.collect::<BTreeSet<_>>().into_iter().collect(),
        })
    }
}

/// The lines of the bench that counts here.
fn lines(text: &str) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (index, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let line: Line =
            serde_json::from_str(text).with_context(|| format!("line {} is no bench result", index + 1))?;
        if line.bench == BENCH {
            lines.push(line);
        }
    }
    Ok(lines)
}

fn value(lines: &[Line], path: &str, metric: &str, unit: &str) -> anyhow::Result<f64> {
    let Some(line) = lines.iter().rfind(|line| line.path == path && line.metric == metric) else {
        bail!("no line of bench {BENCH:?} has path {path:?} and metric {metric:?}: was the whole bench run?");
    };
    if line.unit != unit {
        bail!("{path} {metric} is in {:?}, not in {unit:?}", line.unit);
    }
    if !line.value.is_finite() || line.value <= 0.0 {
        bail!("{path} {metric} is {}, which cannot be", line.value);
    }
    Ok(line.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_figures_are_whole_and_say_where_they_are_from() {
        let figures = Figures::read(COMMITTED).unwrap();
        assert!(!figures.measured_on.is_empty());
        assert!(figures.measured_on.iter().all(|place| place.contains("Linux") && place.contains("commit")));
    }

    #[test]
    fn other_benches_are_passed_over_and_the_later_line_counts() {
        let other = COMMITTED.lines().next().unwrap().replace("\"sizing\"", "\"digest\"");
        let again = COMMITTED.lines().find(|line| line.contains("bytes_per_entry")).unwrap();
        let mut line: serde_json::Value = serde_json::from_str(again).unwrap();
        line["value"] = 17.into();
        let figures = Figures::read(&format!("{COMMITTED}{other}\n\n{line}\n")).unwrap();
        assert_eq!(figures.bytes_per_entry, 17.0);
    }

    #[test]
    fn without_a_bench_of_the_service_its_committed_figure_counts_and_is_named() {
        let own: String = COMMITTED
            .lines()
            .filter(|line| !line.contains("\"service\""))
            .map(|line| line.replace("\"host\":\"", "\"host\":\"own ") + "\n")
            .collect();
        let (figures, committed) = (Figures::read(&own).unwrap(), Figures::read(COMMITTED).unwrap());
        assert_eq!(figures.bytes_per_user, committed.bytes_per_user);
        let named = |own: bool| figures.measured_on.iter().any(|place| place.starts_with("own ") == own);
        assert!(named(true) && named(false), "{:?}", figures.measured_on);
    }

    #[test]
    fn what_is_missing_or_cannot_be_is_named() {
        let without =
            |text: &str| COMMITTED.lines().filter(|line| !line.contains(text)).collect::<Vec<_>>().join("\n");
        let error = |text: &str| format!("{:#}", Figures::read(text).unwrap_err());
        assert!(error(&without("commit_p999")).contains("commit_p999"));
        assert!(error("not JSON").contains("line 1"));
        let with = |key: &str, value: serde_json::Value| {
            let mut line: serde_json::Value =
                serde_json::from_str(COMMITTED.lines().next().unwrap()).unwrap();
            line[key] = value;
            error(&format!("{COMMITTED}{line}"))
        };
        assert!(with("unit", "parsec".into()).contains("parsec"));
        assert!(with("value", 0.into()).contains("cannot be"));
    }
}
