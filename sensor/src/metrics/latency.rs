//! Latency histograms as they are shown: for Prometheus, as JSON, as `.hgrm` and as an HdrHistogram log.

use std::{
    io,
    time::{Duration, SystemTime},
};

use hdrhistogram::{
    Histogram,
    serialization::{
        V2Serializer,
        interval_log::{IntervalLogWriterBuilder, Tag},
    },
};
use ingest::latency::{Bank, HIGHEST_NS, LOWEST_NS, Stage};

/// Upper bounds of the buckets shown to Prometheus, in ns: around the usual answer (100 us to 1 ms) finer than a
/// factor of 3, and up to the 1 s that counts as a fault and beyond.
const BOUNDS_NS: [u64; 18] = [
    10_000,
    25_000,
    50_000,
    100_000,
    200_000,
    300_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    1_000_000_000,
    5_000_000_000,
    30_000_000_000,
];

/// Percentiles of the JSON answer.
const PERCENTILES: [f64; 9] = [0.0, 25.0, 50.0, 75.0, 90.0, 99.0, 99.9, 99.99, 100.0];

/// One stage's times of all workers together.
#[derive(Clone, Debug)]
pub struct StageHistogram {
    /// The stage's name in metrics.
    pub stage: &'static str,
    /// Nanoseconds.
    pub histogram: Histogram<u64>,
}

/// All stages.
#[derive(Clone, Debug)]
pub struct StageHistograms(pub Vec<StageHistogram>);

impl StageHistograms {
    /// Empty ones.
    #[expect(clippy::expect_used, reason = "the bounds are constants that the crate documents as valid")]
    pub fn new() -> StageHistograms {
        let empty = Histogram::new_with_bounds(LOWEST_NS, HIGHEST_NS, 2).expect("constant bounds are valid");
        let stage = |stage: &Stage| StageHistogram { stage: stage.name(), histogram: empty.clone() };
        StageHistograms(Stage::ALL.iter().map(stage).collect())
    }

    /// Adds one worker's histograms.
    pub fn add(&mut self, bank: &Bank) {
        for (stage, sum) in Stage::ALL.into_iter().zip(&mut self.0) {
            // Both have the same bounds, so the sum always fits; what would not is left out.
            let added = sum.histogram.add(bank.stage(stage));
            debug_assert!(added.is_ok());
        }
    }

    /// The stage of this name.
    pub fn stage(&self, name: &str) -> Option<&StageHistogram> {
        self.0.iter().find(|stage| stage.stage == name)
    }

    /// The body of `/latency`.
    pub fn json(&self) -> serde_json::Value {
        let stages = self.0.iter().map(|StageHistogram { stage, histogram }| {
            let percentiles: Vec<_> =
                PERCENTILES.iter().map(|&at| (at, histogram.value_at_percentile(at))).collect();
            serde_json::json!({
                "stage": stage,
                "count": histogram.len(),
                "min_ns": histogram.min(),
                "max_ns": histogram.max(),
                "mean_ns": histogram.mean(),
                "percentiles": percentiles,
            })
        });
        serde_json::json!({ "stages": stages.collect::<Vec<_>>() })
    }

    /// An HdrHistogram log (V2) with one tagged line a stage, covering the time since the start.
    pub fn v2_log(&self, started: SystemTime) -> io::Result<Vec<u8>> {
        let mut log = Vec::new();
        let mut serializer = V2Serializer::new();
        let mut builder = IntervalLogWriterBuilder::new();
        // Times are recorded in ns and the log's maxima shown in ms, as its readers expect.
        builder.with_start_time(started).with_base_time(started).with_max_value_divisor(1e6);
        let mut writer = builder.begin_log_with(&mut log, &mut serializer)?;
        let lasted = started.elapsed().unwrap_or(Duration::ZERO);
        for StageHistogram { stage, histogram } in &self.0 {
            writer
                .write_histogram(histogram, Duration::ZERO, lasted, Tag::new(stage))
                .map_err(|error| io::Error::other(format!("{error:?}")))?;
        }
        drop(writer);
        Ok(log)
    }
}

impl Default for StageHistograms {
    fn default() -> StageHistograms {
        StageHistograms::new()
    }
}

impl StageHistogram {
    /// Sum in seconds, count, and buckets (upper bound in seconds, count within) for Prometheus.
    pub(super) fn buckets(&self) -> (f64, u64, Vec<(f64, u64)>) {
        let mut buckets = Vec::with_capacity(BOUNDS_NS.len() + 1);
        let mut below = 0;
        for bound in BOUNDS_NS {
            let through = if self.histogram.is_empty() { 0 } else { self.histogram.count_between(0, bound) };
            buckets.push((bound as f64 / 1e9, through.saturating_sub(below)));
            below = through.max(below);
        }
        let count = self.histogram.len();
        buckets.push((f64::INFINITY, count.saturating_sub(below)));
        (self.histogram.mean() * count as f64 / 1e9, count, buckets)
    }

    /// The percentile distribution in the form that HdrHistogram's plotters read; values in ms.
    pub fn hgrm(&self) -> String {
        let histogram = &self.histogram;
        let mut text = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
        for step in histogram.iter_quantiles(5) {
            let value = step.value_iterated_to() as f64 / 1e6;
            let quantile = step.quantile_iterated_to();
            let count = histogram.count_between(0, step.value_iterated_to());
            let inverse =
                if quantile < 1.0 { format!("{:15.2}", 1.0 / (1.0 - quantile)) } else { String::new() };
            text.push_str(&format!("{value:12.6} {quantile:2.12} {count:10} {inverse}\n"));
        }
        let (mean, deviation) = (histogram.mean() / 1e6, histogram.stdev() / 1e6);
        let (max, count) = (histogram.max() as f64 / 1e6, histogram.len());
        text.push_str(&format!("#[Mean    = {mean:12.6}, StdDeviation   = {deviation:12.6}]\n"));
        text.push_str(&format!("#[Max     = {max:12.6}, Total count    = {count:12}]\n"));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> StageHistograms {
        let mut stages = StageHistograms::new();
        for ns in [5_000, 90_000, 90_000, 2_000_000_000] {
            stages.0[0].histogram.record(ns).unwrap();
        }
        stages
    }

    #[test]
    fn buckets_add_up() {
        let (sum, count, buckets) = sample().0[0].buckets();
        assert_eq!((count, buckets.iter().map(|(_, count)| count).sum::<u64>()), (4, 4));
        assert!((sum - 2.0).abs() < 0.05, "{sum}");
        assert_eq!((buckets[0].1, buckets[3].1), (1, 2));
    }

    #[test]
    fn the_log_can_be_read_back() {
        let log = sample().v2_log(SystemTime::now()).unwrap();
        let text = String::from_utf8(log).unwrap();
        assert!(text.contains("Tag=arrival_to_worker"), "{text}");
        assert!(text.lines().filter(|line| line.starts_with("Tag=")).count() == Stage::ALL.len(), "{text}");
    }

    #[test]
    fn the_percentile_distribution_ends_with_all() {
        let text = sample().0[0].hgrm();
        assert!(text.contains(" 1.000000000000          4"), "{text}");
        assert!(text.contains("Total count    =            4"), "{text}");
    }
}
