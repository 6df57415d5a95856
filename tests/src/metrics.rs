//! What `/metrics` says, and the sums that must hold at any quiet moment.

use std::collections::BTreeMap;

use prometheus_parse::{Scrape, Value};

/// One scrape.
#[derive(Debug)]
pub struct Metrics(Vec<Sample>);

#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Metrics {
    /// Parses the exposition format.
    #[track_caller]
    pub fn parse(body: &str) -> Metrics {
        let scrape =
            Scrape::parse(body.lines().map(|line| Ok(line.to_owned()))).expect("Prometheus' text format");
        let samples = scrape.samples.into_iter().filter_map(|sample| {
            let value = match sample.value {
                Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => value,
                Value::Histogram(_) | Value::Summary(_) => return None,
            };
            let labels = sample.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            Some(Sample { name: sample.metric, labels, value })
        });
        Metrics(samples.collect())
    }

    /// Sum of all samples of a metric that carry these labels; 0 if there are none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let value: f64 = self.samples(name, labels).map(|sample| sample.value).sum();
        // Counts below 2^53 are whole.
        value as u64
    }

    /// Whether there is a sample of a metric with these labels.
    pub fn has(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        self.samples(name, labels).next().is_some()
    }

    /// Datagrams with this verdict, over all workers and paths.
    pub fn verdict(&self, verdict: &str) -> u64 {
        self.sum("vpn_sensor_datagrams_total", &[("verdict", verdict)])
    }

    /// Datagrams with this verdict on one path.
    pub fn verdict_on(&self, path: &str, verdict: &str) -> u64 {
        self.sum("vpn_sensor_datagrams_total", &[("verdict", verdict), ("path", path)])
    }

    /// Datagrams received on a path: `xdp`, `udp`.
    pub fn received_on(&self, path: &str) -> u64 {
        self.sum("vpn_sensor_received_total", &[("path", path)])
    }

    /// Datagrams received on all paths.
    pub fn received(&self) -> u64 {
        self.sum("vpn_sensor_received_total", &[])
    }

    /// Records in the journal since the start.
    pub fn records(&self) -> u64 {
        self.sum("vpn_sensor_records_total", &[])
    }

    /// Answers sent since the start.
    pub fn responses(&self) -> u64 {
        self.sum("vpn_sensor_responses_total", &[])
    }

    /// Receive queues that run in this capture mode, such as `native copy`.
    pub fn queues_in_mode(&self, mode: &str) -> usize {
        self.samples("vpn_sensor_capture_mode", &[("mode", mode)])
            .filter(|sample| sample.value == 1.0)
            .count()
    }

    /// Whether the verdicts' sum equals the datagrams received, for each worker.
    pub fn adds_up(&self) -> bool {
        let received = self.by_worker("vpn_sensor_received_total");
        let verdicts = self.by_worker("vpn_sensor_datagrams_total");
        !received.is_empty() && received == verdicts
    }

    /// Frames of each UMEM over all their states, by interface and queue: a constant.
    pub fn frames(&self) -> BTreeMap<(String, String), u64> {
        let mut queues = BTreeMap::new();
        let label = |sample: &Sample, name: &str| sample.labels.get(name).cloned().unwrap_or_default();
        for sample in self.samples("vpn_sensor_frames", &[]) {
            let queue = (label(sample, "interface"), label(sample, "queue"));
            *queues.entry(queue).or_default() += sample.value as u64;
        }
        queues
    }

    fn by_worker(&self, name: &str) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for sample in self.samples(name, &[]) {
            let worker = sample.labels.get("worker").cloned().unwrap_or_default();
            *sums.entry(worker).or_default() += sample.value as u64;
        }
        sums.retain(|_, sum| *sum != 0);
        sums
    }

    fn samples<'a>(&'a self, name: &'a str, labels: &'a [(&str, &str)]) -> impl Iterator<Item = &'a Sample> {
        self.0.iter().filter(move |sample| {
            sample.name == name
                && labels
                    .iter()
                    .all(|(key, value)| sample.labels.get(*key).is_some_and(|found| found == value))
        })
    }
}
