//! What is shown at one moment: the sensor's counters and, from two samples, their rates. Also the line of `--json`.

use std::net::SocketAddr;

use ingest::verdict::Verdict;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    histogram::Histogram,
    scrape::{Sample, Worker},
};
use crate::{cli::latency::Stage, metrics::Refused};

/// One moment. Rates are a second and absent (`null`) while there is one sample only; times are seconds.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Frame {
    pub(super) time: Timestamp,
    pub(super) address: SocketAddr,
    pub(super) version: String,
    pub(super) uptime_s: u64,
    /// Why the sensor takes no requests; `null` while it does.
    pub(super) not_ready: Option<String>,
    /// Time between the two samples.
    pub(super) interval_s: Option<f64>,
    pub(super) received: Rated,
    pub(super) answered: Rated,
    pub(super) queues: Vec<Queue>,
    pub(super) verdicts: Vec<Named>,
    pub(super) drops: Vec<Drops>,
    pub(super) journal: Journal,
    pub(super) stages: Vec<Times>,
    pub(super) clients: Vec<Client>,
    pub(super) refused: Refused,
}

/// A counter and how fast it grows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Rated {
    pub(super) total: u64,
    pub(super) per_s: Option<f64>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Named {
    pub(super) verdict: &'static str,
    #[serde(flatten)]
    pub(super) datagrams: Rated,
}

/// A worker and the queue that it serves; `steer` is the XDP program itself.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Queue {
    pub(super) worker: String,
    pub(super) path: String,
    pub(super) mode: Option<String>,
    pub(super) received: Rated,
    pub(super) answered: Rated,
    /// Neither recorded nor a retransmission of something recorded, nor Status-Server.
    pub(super) refused: Rated,
    /// Lost before the worker saw them.
    pub(super) dropped: Rated,
    /// Answers that the kernel did not take.
    pub(super) answers_lost: Rated,
    pub(super) pending: u64,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Drops {
    pub(super) worker: String,
    pub(super) reason: String,
    #[serde(flatten)]
    pub(super) datagrams: Rated,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Journal {
    pub(super) records: Rated,
    pub(super) failed_records: Rated,
    pub(super) written_bytes: Rated,
    pub(super) commits: Rated,
    /// Time of a group commit, sync included, within the interval.
    pub(super) commit: Quantiles,
    /// Records in a group commit within the interval: the batch fill.
    pub(super) fill: Fill,
    pub(super) bytes: u64,
    pub(super) free_bytes: u64,
    pub(super) queued_batches: u64,
    /// Writes and syncs that failed.
    pub(super) failures: Rated,
    /// Requests that the duplicate table forgot before their time.
    pub(super) duplicates_evicted: Rated,
    pub(super) duplicates_refused: Rated,
    /// Upper bound in seconds and share of the interval's commits.
    pub(super) commit_shares: Vec<(Bound, f64)>,
}

/// Records in a commit. The bounds are those of the metric's buckets.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Fill {
    pub(super) mean: Option<f64>,
    pub(super) p50_at_most: Option<Bound>,
    pub(super) p99_at_most: Option<Bound>,
    /// Upper bound and share of the interval's commits.
    pub(super) shares: Vec<(Bound, f64)>,
}

/// A bucket's upper bound; the last one has none, `null` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Bound(pub(super) Option<f64>);

/// Seconds; absent when nothing came within the interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Quantiles {
    pub(super) p50_s: Option<f64>,
    pub(super) p90_s: Option<f64>,
    pub(super) p99_s: Option<f64>,
}

/// The times of a stage.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Times {
    pub(super) stage: String,
    pub(super) requests: Rated,
    /// Within the interval, from buckets.
    pub(super) interval: Quantiles,
    /// Since the sensor's start, fine; in the form of `vpn-sensor latency --json`.
    pub(super) since_start: Stage,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Client {
    pub(super) client: String,
    /// Requests that verified.
    pub(super) genuine: Rated,
    /// Requests that verified under no secret.
    pub(super) bad_authenticators: Rated,
    pub(super) bad_message_authenticators: Rated,
    /// Seconds since a request last verified.
    pub(super) last_genuine_s_ago: Option<u64>,
}

impl Frame {
    /// What a sample shows, with the rates since the one before. A sensor that was restarted in between has no rates
    /// yet.
    pub(super) fn new(address: SocketAddr, before: Option<&Sample>, now: &Sample) -> Frame {
        let before = before.filter(|before| before.started_unix_s == now.started_unix_s);
        let interval = Interval { before, now };
        Frame {
            time: now.time,
            address,
            version: now.version.clone(),
            uptime_s: interval.seconds_until_now(now.started_unix_s),
            not_ready: now.not_ready.clone(),
            interval_s: interval.seconds(),
            received: interval.sum(|worker| worker.received),
            answered: interval.sum(|worker| worker.responses),
            queues: now.workers.iter().map(|worker| interval.queue(worker)).collect(),
            verdicts: Verdict::ALL
                .into_iter()
                .map(|verdict| Named {
                    verdict: verdict.name(),
                    datagrams: interval.sum(|worker| worker.verdicts[verdict as usize]),
                })
                .collect(),
            drops: interval.drops(),
            journal: interval.journal(),
            stages: interval.stages(),
            clients: interval.clients(),
            refused: now.refused.clone(),
        }
    }
}

/// Two samples of one run of a sensor, or one.
struct Interval<'a> {
    before: Option<&'a Sample>,
    now: &'a Sample,
}

impl Interval<'_> {
    fn seconds(&self) -> Option<f64> {
        let seconds = self.now.at.duration_since(self.before?.at).as_secs_f64();
        (seconds > 0.0).then_some(seconds)
    }

    fn seconds_until_now(&self, unix_s: f64) -> u64 {
        (self.now.time.as_second() as f64 - unix_s).max(0.0) as u64
    }

    /// A counter that both samples have.
    fn rated(&self, of: impl Fn(&Sample) -> u64) -> Rated {
        self.rated_since(of(self.now), self.before.map(of))
    }

    fn rated_since(&self, total: u64, before: Option<u64>) -> Rated {
        let grown = before.map(|before| total.saturating_sub(before) as f64);
        Rated { total, per_s: grown.zip(self.seconds()).map(|(grown, seconds)| grown / seconds) }
    }

    fn sum(&self, of: impl Fn(&Worker) -> u64) -> Rated {
        self.rated(|sample| sample.workers.iter().map(&of).sum())
    }

    fn queue(&self, worker: &Worker) -> Queue {
        let before = self.before.map(|before| before.workers.iter().find(|it| it.worker == worker.worker));
        // A worker that was not there before has counted all of it since.
        let rated =
            |of: &dyn Fn(&Worker) -> u64| self.rated_since(of(worker), before.map(|it| it.map_or(0, of)));
        Queue {
            worker: worker.worker.clone(),
            path: worker.path.clone(),
            mode: worker.mode.clone(),
            received: rated(&|it| it.received),
            answered: rated(&|it| it.responses),
            refused: rated(&refused),
            dropped: rated(&|it| it.lost),
            answers_lost: rated(&|it| it.responses_lost),
            pending: worker.pending,
        }
    }

    fn drops(&self) -> Vec<Drops> {
        let drops = self.now.losses.iter().map(|loss| {
            let same = |sample: &Sample| {
                let mut losses = sample.losses.iter();
                losses
                    .find(|it| it.worker == loss.worker && it.reason == loss.reason)
                    .map_or(0, |it| it.datagrams)
            };
            Drops { worker: loss.worker.clone(), reason: loss.reason.clone(), datagrams: self.rated(same) }
        });
        drops.collect()
    }

    fn journal(&self) -> Journal {
        let commit = self.histogram(|sample| &sample.commit_seconds);
        let fill = self.histogram(|sample| &sample.commit_records);
        Journal {
            records: self.rated(|sample| sample.journal.records),
            failed_records: self.rated(|sample| sample.journal.failed_records),
            written_bytes: self.rated(|sample| sample.journal.written_bytes),
            commits: self.rated(|sample| sample.commit_seconds.count()),
            commit: quantiles(&commit),
            fill: Fill {
                mean: fill.mean(),
                p50_at_most: fill.at_most(0.5).map(Bound::of),
                p99_at_most: fill.at_most(0.99).map(Bound::of),
                shares: shares(&fill),
            },
            bytes: self.now.journal.bytes,
            free_bytes: self.now.journal.free_bytes,
            queued_batches: self.now.journal.queued_batches,
            failures: self.rated(|sample| sample.journal.failures),
            duplicates_evicted: self.rated(|sample| sample.duplicates_evicted),
            duplicates_refused: self.rated(|sample| sample.duplicates_refused),
            commit_shares: shares(&commit),
        }
    }

    fn stages(&self) -> Vec<Times> {
        let stages = self.now.latency.iter().map(|stage| {
            let of = |sample: &Sample| {
                let mut stages = sample.stages.iter();
                stages.find(|(name, _)| *name == stage.stage).map(|(_, histogram)| histogram.clone())
            };
            let now = of(self.now).unwrap_or_default();
            let before = self.before.and_then(of);
            let interval = before.as_ref().map_or_else(|| now.clone(), |before| now.since(before));
            Times {
                stage: stage.stage.clone(),
                requests: self.rated_since(now.count(), before.as_ref().map(Histogram::count)),
                interval: quantiles(&interval),
                since_start: stage.clone(),
            }
        });
        stages.collect()
    }

    /// What came within the interval; with one sample, what came since the start.
    fn histogram(&self, of: impl Fn(&Sample) -> &Histogram) -> Histogram {
        match self.before {
            Some(before) => of(self.now).since(of(before)),
            None => of(self.now).clone(),
        }
    }

    fn clients(&self) -> Vec<Client> {
        let clients = self.now.clients.iter().map(|client| {
            let before =
                self.before.map(|before| before.clients.iter().find(|it| it.client == client.client));
            let rated = |of: fn(&super::scrape::Client) -> u64| {
                self.rated_since(of(client), before.map(|it| it.map_or(0, of)))
            };
            Client {
                client: client.client.clone(),
                genuine: rated(|it| it.genuine),
                bad_authenticators: rated(|it| it.bad_authenticators),
                bad_message_authenticators: rated(|it| it.bad_message_authenticators),
                last_genuine_s_ago: client.last_genuine_unix_s.map(|at| self.seconds_until_now(at as f64)),
            }
        });
        clients.collect()
    }
}

fn refused(worker: &Worker) -> u64 {
    let taken = [Verdict::Accepted, Verdict::Duplicate, Verdict::StatusServer];
    let refused = Verdict::ALL.into_iter().filter(|verdict| !taken.contains(verdict));
    refused.map(|verdict| worker.verdicts[verdict as usize]).sum()
}

fn quantiles(histogram: &Histogram) -> Quantiles {
    let at = |share| histogram.quantile(share);
    Quantiles { p50_s: at(0.5), p90_s: at(0.9), p99_s: at(0.99) }
}

fn shares(histogram: &Histogram) -> Vec<(Bound, f64)> {
    histogram.shares().into_iter().map(|(bound, share)| (Bound::of(bound), share)).collect()
}

impl Bound {
    fn of(bound: f64) -> Bound {
        Bound(bound.is_finite().then_some(bound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::top::fixture;

    #[test]
    fn rates_are_growth_over_the_time_between() {
        let frame = fixture::frame();
        assert_eq!(frame.interval_s, Some(2.0));
        assert_eq!(frame.received, Rated { total: 2_015, per_s: Some(500.0) });
        assert_eq!(frame.answered.per_s, Some(470.0));
        let xdp = &frame.queues[0];
        assert_eq!((xdp.received.per_s, xdp.refused.per_s, xdp.dropped.total), (Some(500.0), Some(30.0), 7));
        let accepted = frame.verdicts.iter().find(|named| named.verdict == "accepted").unwrap();
        assert_eq!(accepted.datagrams, Rated { total: 1_810, per_s: Some(450.0) });
        assert_eq!(frame.clients[0].genuine.per_s, Some(450.0));
        assert_eq!(frame.journal.fill.mean, Some(9.0));
        assert_eq!(frame.journal.commits.per_s, Some(50.0));
        let total = frame.stages.last().unwrap();
        assert_eq!((total.stage.as_str(), total.requests.per_s), ("total", Some(450.0)));
        let p50 = total.interval.p50_s.unwrap();
        assert!((0.0001..0.0002).contains(&p50), "{p50}");
    }

    #[test]
    fn one_sample_has_totals_and_no_rates() {
        let frame = Frame::new(fixture::ADDRESS, None, &fixture::sample(0));
        assert_eq!((frame.received.total, frame.received.per_s, frame.interval_s), (1_015, None, None));
        assert_eq!(frame.journal.fill.mean, Some(9.0), "since the start");
    }

    #[test]
    fn a_restarted_sensor_begins_anew() {
        let before = fixture::sample(1);
        let mut now = fixture::sample(0);
        now.at = before.at + std::time::Duration::from_secs(2);
        now.started_unix_s += 100.0;
        let frame = Frame::new(fixture::ADDRESS, Some(&before), &now);
        assert_eq!((frame.received.total, frame.received.per_s), (1_015, None));
    }

    #[test]
    fn a_frame_is_one_line_of_json() {
        let line = serde_json::to_string(&fixture::frame()).unwrap();
        assert!(!line.contains('\n'));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["received"]["per_s"], 500.0);
        assert_eq!(read["verdicts"][0]["verdict"], "accepted");
        assert_eq!(read["verdicts"][0]["total"], 1_810);
        assert_eq!(
            read["refused"]["sources"][0]["reason"],
            "wrong Request Authenticator: check the shared secret"
        );
    }
}
