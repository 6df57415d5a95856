//! The list of metrics: name, kind, labels, help, and how each is read. The exposition and the reference page come
//! from the same list, so they cannot differ. `sensor` has those of capture, verification and journal, `service` those of
//! what becomes of the records, `told` those of alerts, sinks and health.

mod sensor;
mod service;
mod told;

use std::fmt::{self, Write};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text},
    metrics::MetricType,
    registry::Registry,
};

use super::Reading;

/// One metric.
pub struct Metric {
    /// As it stands in the exposition, `_total` of a counter included.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// The labels' names, in order.
    pub labels: &'static [&'static str],
    /// What it counts.
    pub help: &'static str,
    samples: fn(&Reading, &mut Samples<'_>) -> fmt::Result,
}

/// The kinds of metrics in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows while the process lives.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// Takes the samples of one metric.
struct Samples<'a> {
    labels: &'static [&'static str],
    encoder: MetricEncoder<'a>,
}

impl Samples<'_> {
    fn counter(&mut self, labels: &[&str], value: u64) -> fmt::Result {
        self.sample(labels, |encoder| encoder.encode_counter::<NoLabelSet, u64, f64>(&value, None))
    }

    fn gauge(&mut self, labels: &[&str], value: f64) -> fmt::Result {
        self.sample(labels, |encoder| encoder.encode_gauge(&value))
    }

    fn histogram(&mut self, labels: &[&str], sum: f64, count: u64, buckets: &[(f64, u64)]) -> fmt::Result {
        self.sample(labels, |encoder| encoder.encode_histogram::<NoLabelSet>(sum, count, buckets, None))
    }

    fn sample(
        &mut self,
        values: &[&str],
        encode: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        debug_assert_eq!(self.labels.len(), values.len());
        let labels: Vec<(&str, &str)> = self.labels.iter().copied().zip(values.iter().copied()).collect();
        // An empty label set would be written as `{}`, which not every reader of the format takes.
        if labels.is_empty() {
            return encode(&mut self.encoder);
        }
        encode(&mut self.encoder.encode_family(&labels)?)
    }
}

/// Every metric there is.
pub fn metrics() -> impl Iterator<Item = &'static Metric> {
    sensor::METRICS.iter().chain(service::METRICS).chain(told::METRICS)
}

macro_rules! plain {
    ($method:ident, $value:expr) => {
        |reading, samples| {
            let value: fn(&Reading) -> _ = $value;
            samples.$method(&[], value(reading))
        }
    };
}
use plain;

const fn metric(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
    samples: fn(&Reading, &mut Samples<'_>) -> fmt::Result,
) -> Metric {
    Metric { name, kind, labels, help, samples }
}

use Kind::{Counter, Gauge, Histogram};

/// The exposition of a reading, in the OpenMetrics text format.
pub fn exposition(reading: Reading) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Page(reading)));
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Page(Reading);

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        for metric in metrics() {
            let kind = match metric.kind {
                Counter => MetricType::Counter,
                Gauge => MetricType::Gauge,
                Histogram => MetricType::Histogram,
            };
            // The encoder puts `_total` behind a counter's name itself.
            let name = metric.name.strip_suffix("_total").unwrap_or(metric.name);
            let encoder = encoder.encode_descriptor(name, metric.help, None, kind)?;
            (metric.samples)(&self.0, &mut Samples { labels: metric.labels, encoder })?;
        }
        Ok(())
    }
}

/// The reference page.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Metrics\n\nServed at `/metrics` of the metrics address (default `127.0.0.1:9813`). This page is written by \
         `cargo xtask docs` from the code; a test compares the two.\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n",
    );
    for metric in metrics() {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            metric.name,
            metric.kind.name(),
            labels.join(", "),
            metric.help
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ::service::{alert::Severity, export::sink, health};
    use journal::State;

    use super::*;
    use crate::metrics::{
        CaptureMode, ClientReading, FrameReading, InsightReading, KernelDrops, RefusedMode, StageHistograms,
        SteerReading, WorkerReading,
    };

    fn sink() -> sink::Standing {
        sink::Standing {
            name: "siem".to_owned(),
            kind: "syslog",
            is_up: true,
            sent: 1,
            failures: 2,
            waiting: 3,
            lost: 4,
            refused: 5,
            recipients_refused: None,
            stopped: None,
            last_error: None,
            behind_seconds: 6.0,
            spool_bytes: 7,
        }
    }

    fn standing() -> health::Standing {
        health::Standing {
            condition: health::Condition::SinkBehind,
            subject: "siem".to_owned(),
            severity: Severity::Medium,
            since_unix_ns: 1,
            told_unix_ns: 1,
            message: String::new(),
            advice: Vec::new(),
        }
    }

    fn reading() -> Reading {
        Reading {
            started_unix_s: 1.0,
            workers: vec![WorkerReading {
                worker: "udp0".into(),
                path: "udp",
                received: 55,
                verdicts: std::array::from_fn(|verdict| verdict as u64),
                pending: 10,
                responses: 1,
                responses_lost: 0,
                copies_lost: 0,
            }],
            steer: Some(SteerReading { outcomes: vec![("pass", 4)], unknown_dropped: 3 }),
            kernel_drops: vec![KernelDrops {
                interface: "eth0".into(),
                queue: "0".into(),
                reason: "rx_ring_full",
                datagrams: 1,
            }],
            capture_modes: vec![CaptureMode {
                interface: "eth0".into(),
                queue: "0".into(),
                mode: "native copy".into(),
            }],
            refused_modes: vec![RefusedMode {
                interface: "eth0".into(),
                mode: "native zero-copy",
                reason: "the driver".into(),
            }],
            frames: vec![FrameReading {
                interface: "eth0".into(),
                queue: "0".into(),
                state: "fill",
                frames: 9,
            }],
            stages: StageHistograms::new(),
            insight: InsightReading { sinks: Some(Arc::from([sink()])), ..InsightReading::default() },
            health: Arc::from([standing()]),
            journal: journal::Statistics::default(),
            journal_state: State::Ready,
            duplicates_capacity: 1,
            duplicates_evicted: 0,
            duplicates_refused: 0,
            clients: vec![ClientReading {
                client: "quoted \"name\"".into(),
                last_genuine_unix_s: Some(1),
                previous_secret_unix_s: Some(1),
                genuine: 9,
                bad_authenticators: 2,
                bad_message_authenticators: 3,
            }],
            reloads_good: 0,
            reloads_refused: 0,
            last_reload_good: true,
            restart_needed: false,
            notices_suppressed: 0,
        }
    }

    #[test]
    fn every_metric_is_exposed_under_its_name_and_labels() {
        let text = exposition(reading()).unwrap();
        for metric in metrics() {
            let sample = match metric.kind {
                Histogram => format!("{}_count", metric.name),
                _ => metric.name.to_owned(),
            };
            let line = text
                .lines()
                .find(|line| line.strip_prefix(&sample).is_some_and(|rest| rest.starts_with([' ', '{'])));
            let line = line.unwrap_or_else(|| panic!("{} is missing in\n{text}", metric.name));
            for label in metric.labels {
                assert!(line.contains(&format!("{label}=\"")), "{line}");
            }
        }
    }

    #[test]
    fn names_are_the_documented_ones() {
        for metric in metrics() {
            assert!(metric.name.starts_with("vpn_sensor_"), "{}", metric.name);
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Counter, "{}", metric.name);
        }
        let mut names: Vec<_> = metrics().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), metrics().count(), "a name is there twice");
    }

    #[test]
    fn verdicts_and_pending_add_up_to_received() {
        let text = exposition(reading()).unwrap();
        let sum = |name: &str| -> f64 {
            let lines = text.lines().filter(|line| line.starts_with(&format!("{name}{{")));
            lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
        };
        let verdicts = sum("vpn_sensor_datagrams_total") + sum("vpn_sensor_pending_datagrams");
        assert_eq!(sum("vpn_sensor_received_total"), verdicts);
    }

    #[test]
    fn the_reference_page_is_up_to_date() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
        let written = std::fs::read_to_string(page).unwrap_or_default();
        assert!(written == markdown(), "run `cargo xtask docs` to write {page} anew");
    }
}
