//! From a sensor's answers to a [`Sample`]: everything that it counts, at one moment.

use std::time::Instant;

use anyhow::{Context, ensure};
use ingest::verdict::Verdict;
use jiff::Timestamp;
use prometheus_parse::{Scrape, Value};

use super::histogram::Histogram;
use crate::{
    cli::{
        endpoint::Endpoint,
        latency::{Latency, Stage},
    },
    metrics::Refused,
};

/// A sensor's counters at one moment.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// When it was taken, for rates.
    pub(super) at: Instant,
    /// When it was taken, for people.
    pub(super) time: Timestamp,
    pub(super) version: String,
    pub(super) started_unix_s: f64,
    /// Why the sensor takes no requests now.
    pub(super) not_ready: Option<String>,
    pub(super) workers: Vec<Worker>,
    pub(super) losses: Vec<Loss>,
    /// Since the start, in buckets: what an interval's times are taken from.
    pub(super) stages: Vec<(String, Histogram)>,
    /// Since the start, fine.
    pub(super) latency: Vec<Stage>,
    pub(super) commit_seconds: Histogram,
    pub(super) commit_records: Histogram,
    pub(super) journal: Journal,
    pub(super) duplicates_evicted: u64,
    pub(super) duplicates_refused: u64,
    pub(super) clients: Vec<Client>,
    pub(super) refused: Refused,
}

/// One worker, or the XDP program under the name `steer`.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub(super) worker: String,
    pub(super) path: String,
    /// How its queue is captured; none for the XDP program.
    pub(super) mode: Option<String>,
    pub(super) received: u64,
    pub(super) pending: u64,
    /// In the order of [`Verdict::ALL`].
    pub(super) verdicts: [u64; Verdict::ALL.len()],
    pub(super) responses: u64,
    pub(super) responses_lost: u64,
    /// Datagrams lost before it saw them.
    pub(super) lost: u64,
}

/// Datagrams lost before a worker saw them.
#[derive(Clone, Debug)]
pub(super) struct Loss {
    /// The queue's worker.
    pub(super) worker: String,
    pub(super) reason: String,
    pub(super) datagrams: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Journal {
    pub(super) records: u64,
    pub(super) failed_records: u64,
    pub(super) written_bytes: u64,
    pub(super) bytes: u64,
    pub(super) free_bytes: u64,
    pub(super) queued_batches: u64,
    pub(super) failures: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) client: String,
    pub(super) genuine: u64,
    pub(super) bad_authenticators: u64,
    pub(super) bad_message_authenticators: u64,
    pub(super) last_genuine_unix_s: Option<u64>,
}

impl Sample {
    /// Asks a sensor for everything.
    pub(super) fn ask(endpoint: &Endpoint) -> anyhow::Result<Sample> {
        let metrics = endpoint.get("/metrics")?;
        let foreign = || format!("the answer of {} is not the one of this vpn-sensor", endpoint.address());
        let refused = serde_json::from_str(&endpoint.get("/refused")?).with_context(foreign)?;
        let latency = Latency::ask(endpoint)?;
        let (status, readiness) = endpoint.status_and_body("/readyz")?;
        let not_ready = (status != 200).then(|| readiness.trim().to_owned());
        Sample::parse(&metrics, refused, latency, not_ready).with_context(foreign)
    }

    /// Takes the answers apart.
    pub(super) fn parse(
        metrics: &str,
        refused: Refused,
        latency: Latency,
        not_ready: Option<String>,
    ) -> anyhow::Result<Sample> {
        let page = Page::parse(metrics)?;
        let version = page.named("vpn_sensor_build_info").find_map(|found| found.label("version"));
        let version = version.context("vpn_sensor_build_info is missing")?;
        let losses = losses(&page);
        Ok(Sample {
            at: Instant::now(),
            time: Timestamp::now(),
            version,
            started_unix_s: page.value("vpn_sensor_start_timestamp_seconds"),
            not_ready,
            workers: workers(&page, &losses),
            losses,
            stages: stages(&page, &latency),
            latency: latency.stages,
            commit_seconds: page.histogram("vpn_sensor_journal_commit_seconds", None),
            commit_records: page.histogram("vpn_sensor_journal_commit_records", None),
            journal: Journal {
                records: page.count("vpn_sensor_records_total"),
                failed_records: page.count("vpn_sensor_journal_failed_records_total"),
                written_bytes: page.count("vpn_sensor_journal_written_bytes_total"),
                bytes: page.count("vpn_sensor_journal_bytes"),
                free_bytes: page.count("vpn_sensor_journal_free_bytes"),
                queued_batches: page.count("vpn_sensor_journal_queued_batches"),
                failures: page.count("vpn_sensor_journal_write_failures_total")
                    + page.count("vpn_sensor_journal_sync_failures_total"),
            },
            duplicates_evicted: page.count("vpn_sensor_duplicates_evicted_total"),
            duplicates_refused: page.count("vpn_sensor_duplicates_refused_total"),
            clients: clients(&page),
            refused,
        })
    }
}

/// The name of the worker that serves a queue: UDP sockets have no interface and carry the worker's name.
fn worker_of(interface: &str, queue: &str) -> String {
    if interface.is_empty() { queue.to_owned() } else { format!("{interface}-{queue}") }
}

fn workers(page: &Page, losses: &[Loss]) -> Vec<Worker> {
    let modes: Vec<(String, String)> = page
        .named("vpn_sensor_capture_mode")
        .filter_map(|found| {
            let queue = worker_of(&found.label("interface").unwrap_or_default(), &found.label("queue")?);
            Some((queue, found.label("mode")?))
        })
        .collect();
    let workers = page.named("vpn_sensor_received_total").filter_map(|found| {
        let (worker, path) = (found.label("worker")?, found.label("path")?);
        let labels = [("worker", worker.as_str()), ("path", path.as_str())];
        let verdict = |verdict: Verdict| {
            page.sum("vpn_sensor_datagrams_total", &[labels[0], labels[1], ("verdict", verdict.name())])
        };
        Some(Worker {
            mode: modes.iter().find(|(queue, _)| *queue == worker).map(|(_, mode)| mode.clone()),
            received: found.value as u64,
            pending: page.sum("vpn_sensor_pending_datagrams", &labels),
            verdicts: Verdict::ALL.map(verdict),
            responses: page.sum("vpn_sensor_responses_total", &labels),
            responses_lost: page.sum("vpn_sensor_responses_lost_total", &labels),
            lost: losses.iter().filter(|loss| loss.worker == worker).map(|loss| loss.datagrams).sum(),
            worker,
            path,
        })
    });
    workers.collect()
}

fn losses(page: &Page) -> Vec<Loss> {
    let losses = page.named("vpn_sensor_kernel_drops_total").filter_map(|found| {
        Some(Loss {
            worker: worker_of(&found.label("interface").unwrap_or_default(), &found.label("queue")?),
            reason: found.label("reason")?,
            datagrams: found.value as u64,
        })
    });
    losses.collect()
}

fn stages(page: &Page, latency: &Latency) -> Vec<(String, Histogram)> {
    let stages = latency.stages.iter().map(|stage| {
        let histogram = page.histogram("vpn_sensor_stage_seconds", Some(("stage", &stage.stage)));
        (stage.stage.clone(), histogram)
    });
    stages.collect()
}

fn clients(page: &Page) -> Vec<Client> {
    let clients = page.named("vpn_sensor_client_genuine_total").filter_map(|found| {
        let client = found.label("client")?;
        let of = |name| page.sum(name, &[("client", client.as_str())]);
        let last = of("vpn_sensor_client_last_genuine_timestamp_seconds");
        Some(Client {
            genuine: found.value as u64,
            bad_authenticators: of("vpn_sensor_client_bad_authenticators_total"),
            bad_message_authenticators: of("vpn_sensor_client_bad_message_authenticators_total"),
            last_genuine_unix_s: (last > 0).then_some(last),
            client,
        })
    });
    clients.collect()
}

/// The exposition.
struct Page(Vec<prometheus_parse::Sample>);

/// A plain value of the exposition.
struct Found<'a> {
    sample: &'a prometheus_parse::Sample,
    value: f64,
}

impl Found<'_> {
    fn label(&self, name: &str) -> Option<String> {
        self.sample.labels.get(name).map(unshield)
    }
}

impl Page {
    fn parse(text: &str) -> anyhow::Result<Page> {
        let scrape = Scrape::parse(text.lines().map(|line| Ok(shield(line))))?;
        ensure!(!scrape.samples.is_empty(), "there are no metrics in it");
        Ok(Page(scrape.samples))
    }

    fn named(&self, name: &str) -> impl Iterator<Item = Found<'_>> {
        self.0.iter().filter(move |sample| sample.metric == name).filter_map(|sample| match sample.value {
            Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => {
                Some(Found { sample, value })
            }
            Value::Histogram(_) | Value::Summary(_) => None,
        })
    }

    /// The only value of a metric; 0 if it is not there.
    fn value(&self, name: &str) -> f64 {
        self.named(name).map(|found| found.value).sum()
    }

    fn count(&self, name: &str) -> u64 {
        // Counts below 2^53 are whole.
        self.value(name) as u64
    }

    fn sum(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let found = self
            .named(name)
            .filter(|found| labels.iter().all(|(key, value)| found.label(key).as_deref() == Some(value)));
        found.map(|found| found.value).sum::<f64>() as u64
    }

    /// The histogram of a metric, with a label of a value where the metric has one for each of its values.
    fn histogram(&self, name: &str, label: Option<(&str, &str)>) -> Histogram {
        let fits = |sample: &prometheus_parse::Sample| {
            label.is_none_or(|(key, value)| sample.labels.get(key).map(unshield).as_deref() == Some(value))
        };
        let buckets =
            self.0.iter().filter(|sample| sample.metric == name && fits(sample)).find_map(|sample| {
                match &sample.value {
                    Value::Histogram(counts) => Some(counts),
                    _ => None,
                }
            });
        let buckets = buckets.into_iter().flatten();
        let sum = format!("{name}_sum");
        let sum = self.named(&sum).filter(|found| fits(found.sample)).map(|found| found.value).sum();
        Histogram::cumulative(buckets.map(|bucket| (bucket.less_than, bucket.count as u64)), sum)
    }
}

/// Octets inside a label's value on which the parser would split: a client's name may hold any of them. They are
/// taken through it as characters of the private use area, which no name here uses.
const SHIELDED: [(char, char); 4] =
    [(',', '\u{e000}'), ('=', '\u{e001}'), ('}', '\u{e002}'), ('"', '\u{e003}')];

/// Hides what the parser does not expect inside a label's value, and undoes the format's escapes there.
fn shield(line: &str) -> String {
    if line.starts_with('#') {
        return line.to_owned();
    }
    let mut shielded = String::with_capacity(line.len());
    let mut quoted = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let inside = match character {
            '"' => {
                quoted = !quoted;
                shielded.push('"');
                continue;
            }
            '\\' if quoted => match characters.next() {
                Some('n') | None => ' ',
                Some(escaped) => escaped,
            },
            _ => character,
        };
        let hidden = SHIELDED.iter().find(|(plain, _)| quoted && *plain == inside);
        shielded.push(hidden.map_or(inside, |(_, hidden)| *hidden));
    }
    shielded
}

fn unshield(value: &str) -> String {
    let plain = |character| {
        SHIELDED.iter().find(|(_, hidden)| *hidden == character).map_or(character, |(plain, _)| *plain)
    };
    value.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::top::fixture;

    #[test]
    fn a_scrape_is_taken_apart() {
        let sample = fixture::sample(0);
        assert_eq!(sample.version, env!("CARGO_PKG_VERSION"));
        let names: Vec<_> =
            sample.workers.iter().map(|worker| (&*worker.worker, worker.mode.as_deref())).collect();
        assert_eq!(names, [("eth0-0", Some("native copy")), ("udp0", Some("udp")), ("steer", None)]);
        let xdp = &sample.workers[0];
        assert_eq!((xdp.received, xdp.responses, xdp.lost), (1_000, 940, 7));
        assert_eq!(xdp.verdicts[Verdict::Accepted as usize], 900);
        assert_eq!(xdp.verdicts[Verdict::BadAuthenticator as usize], 60);
        assert_eq!(sample.workers[2].verdicts[Verdict::UnknownClient as usize], 5);
        assert_eq!(sample.losses[0].reason, "rx_ring_full");
        assert_eq!(sample.journal.records, 900);
        assert_eq!(sample.commit_records.count(), 100);
        let (stage, histogram) = sample.stages.last().unwrap();
        assert_eq!((stage.as_str(), histogram.count()), ("total", 900));
        assert_eq!(sample.refused.sources[0].client.as_deref(), Some("branch"));
    }

    #[test]
    fn a_client_may_have_any_name() {
        let sample = fixture::sample(0);
        let names: Vec<_> = sample.clients.iter().map(|client| (&*client.client, client.genuine)).collect();
        assert_eq!(names, [("branch", 900), (fixture::ODD_NAME, 40)]);
        assert_eq!(sample.clients[1].bad_authenticators, 3);
    }

    #[test]
    fn another_service_is_not_taken_for_a_sensor() {
        let parse = |text| {
            let latency = Latency { stages: Vec::new() };
            Sample::parse(text, Refused::default(), latency, None).unwrap_err().to_string()
        };
        assert!(parse("").contains("no metrics"));
        assert!(parse("node_cpu_seconds_total 1\n").contains("vpn_sensor_build_info"));
    }
}
