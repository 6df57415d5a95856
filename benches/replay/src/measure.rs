//! One measured figure, as every bench reports it: a line of JSON on standard output (`cargo xtask bench` gathers
//! them), with the spread over many short runs and the baseline of the same run.

use std::{fs, io::Write as _, process::Command, sync::LazyLock, time::Instant};

use serde::{Deserialize, Serialize};

/// A line of the result file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Which bench: `digest`, `replay`, `wire`, `latency`, `knobs`, `scale`, `memory`.
    pub bench: String,
    /// What was done: `200 octets`, `1000 clients`.
    pub case: String,
    /// By which way: `avx512`, `xdp`, `freeradius-detail`.
    pub path: String,
    /// What was measured: `time_per_request`, `requests_per_second`, `latency_p99`.
    pub metric: String,
    /// `ns`, `1/s`, `B`, `1` (a count or a share).
    pub unit: String,
    /// The figure to quote: the median.
    pub value: f64,
    /// Median of the runs.
    pub median: f64,
    /// 10th percentile of the runs.
    pub p10: f64,
    /// 90th percentile of the runs.
    pub p90: f64,
    /// How many runs.
    pub runs: usize,
    /// The `path` that `ratio` compares with, measured interleaved with this one in the same run.
    pub baseline: Option<String>,
    /// Median over the pairs of interleaved runs of baseline / this for times (so that larger is better), or
    /// this / baseline for rates; absent where nothing is compared.
    pub ratio: Option<f64>,
    /// Why there is nothing, where the metric is [`MISSING`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of a rate, what held it up in most of the runs: `the generator`, `the server`, `both sides` or
    /// `neither side`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// The host: its name and processor.
    pub host: String,
    /// The kernel's release.
    pub kernel: String,
    /// The commit that was built, `+` behind it if the tree had changes.
    pub commit: String,
}

/// The metric by which a bench says that there is nothing to measure, with the reason.
pub const MISSING: &str = "missing";
/// The path of what is missing if that is the bench as a whole.
pub const WHOLE: &str = "the whole bench";

static PLACE: LazyLock<[String; 3]> = LazyLock::new(|| {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let cpuinfo = read("/proc/cpuinfo");
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": ")).map_or("?", |(_, value)| value)
    };
    // Not what this process may use: a bench binds itself to one of them.
    let cores = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let processor = format!(
        "{} family {} model {}, {cores} cores",
        field("model name"),
        field("cpu family"),
        field("model\t")
    );
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output();
        output.map_or_else(
            |_| String::new(),
            |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        )
    };
    let changed = if git(&["status", "--porcelain", "--untracked-files=no"]).is_empty() { "" } else { "+" };
    let commit = git(&["rev-parse", "--short=12", "HEAD"]) + changed;
    [
        format!("{} ({processor})", read("/proc/sys/kernel/hostname")),
        read("/proc/sys/kernel/osrelease"),
        commit,
    ]
});

impl Measurement {
    /// A figure from the values of its runs, which may come in any order. At least one run.
    pub fn new(bench: &str, case: &str, path: &str, metric: &str, unit: &str, runs: &[f64]) -> Measurement {
        let [host, kernel, commit] = PLACE.clone();
        Measurement {
            bench: bench.to_owned(),
            case: case.to_owned(),
            path: path.to_owned(),
            metric: metric.to_owned(),
            unit: unit.to_owned(),
            value: quantile(runs, 0.5),
            median: quantile(runs, 0.5),
            p10: quantile(runs, 0.1),
            p90: quantile(runs, 0.9),
            runs: runs.len(),
            baseline: None,
            ratio: None,
            reason: None,
            limit: None,
            host,
            kernel,
            commit,
        }
    }

    /// Says that this path of a bench, or [`WHOLE`], is not measured, and why: what this host lacks, or what failed.
    pub fn missing(bench: &str, case: &str, path: &str, reason: &str) -> Measurement {
        let missing = Measurement::new(bench, case, path, MISSING, "1", &[1.0]);
        Measurement { reason: Some(reason.to_owned()), ..missing }
    }

    /// The same, compared with another path of the same interleaved runs: `ratios` has one value a pair.
    #[must_use]
    pub fn against(mut self, baseline: &str, ratios: &[f64]) -> Measurement {
        self.baseline = Some(baseline.to_owned());
        self.ratio = Some(quantile(ratios, 0.5));
        self
    }

    /// The same, with what held the rate up.
    #[must_use]
    pub fn limited_by(mut self, side: &str) -> Measurement {
        self.limit = Some(side.to_owned());
        self
    }

    /// Writes the line to standard output, and for a person at a terminal a readable one to standard error.
    pub fn report(&self) {
        // Figures are finite numbers and strings: they always have a JSON form.
        if let Ok(line) = serde_json::to_string(self) {
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        }
        if let Some(reason) = &self.reason {
            eprintln!("{:<8} {:<28} {:<18} missing: {reason}", self.bench, self.case, self.path);
            return;
        }
        let ratio = match (&self.baseline, self.ratio) {
            (Some(baseline), Some(ratio)) => format!("  {ratio:.2}x {baseline}"),
            _ => String::new(),
        };
        let limit = self.limit.as_ref().map_or_else(String::new, |side| format!("  limit: {side}"));
        eprintln!(
            "{:<8} {:<28} {:<18} {:<22} {:>14.1} {:<4} ({:.1} to {:.1}){ratio}{limit}",
            self.bench, self.case, self.path, self.metric, self.median, self.unit, self.p10, self.p90
        );
    }
}

/// The value below which this share of the runs lies, interpolated. 0 for no runs.
pub fn quantile(runs: &[f64], share: f64) -> f64 {
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let low = place.floor() as usize;
    sorted[low] + (sorted[(low + 1).min(last)] - sorted[low]) * (place - low as f64)
}

/// Runs every candidate once a round, in turn, so that a busy neighbour is felt by all alike. Each candidate does
/// its work and the result is nanoseconds for each of `units` units, one list a candidate.
pub fn interleaved(rounds: usize, units: usize, candidates: &mut [&mut dyn FnMut()]) -> Vec<Vec<f64>> {
    let mut runs = vec![Vec::with_capacity(rounds); candidates.len()];
    for _ in 0..rounds {
        for (candidate, runs) in candidates.iter_mut().zip(&mut runs) {
            let began = Instant::now();
            candidate();
            runs.push(began.elapsed().as_nanos() as f64 / units as f64);
        }
    }
    runs
}

/// Pairwise `baseline / candidate`: how many times faster the candidate was in each round.
pub fn speedups(baseline: &[f64], candidate: &[f64]) -> Vec<f64> {
    baseline.iter().zip(candidate).map(|(baseline, candidate)| baseline / candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_do_not_mind_the_order() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile(&[4.0, 2.0], 0.5), 3.0);
        assert_eq!(quantile(&[1.0], 0.9), 1.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }

    #[test]
    fn a_measurement_survives_its_line_of_json() {
        let measured =
            Measurement::new("digest", "200 octets", "avx2", "time_per_request", "ns", &[2.0, 1.0, 3.0])
                .against("md-5", &[8.0, 9.0]);
        assert_eq!((measured.value, measured.p10, measured.p90, measured.ratio), (2.0, 1.2, 2.8, Some(8.5)));
        let line = serde_json::to_string(&measured).unwrap();
        assert_eq!(serde_json::from_str::<Measurement>(&line).unwrap(), measured);
        assert!(!line.contains("reason") && !line.contains("limit"), "{line}");
        let limited = measured.limited_by("the server");
        let line = serde_json::to_string(&limited).unwrap();
        assert!(line.contains(r#""limit":"the server""#), "{line}");
        assert_eq!(serde_json::from_str::<Measurement>(&line).unwrap(), limited);
        let missing = Measurement::missing("wire", "all", "freeradius", "not installed");
        let line = serde_json::to_string(&missing).unwrap();
        assert!(line.contains(r#""reason":"not installed""#), "{line}");
        assert_eq!(serde_json::from_str::<Measurement>(&line).unwrap(), missing);
    }
}
