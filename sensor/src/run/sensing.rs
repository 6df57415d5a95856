//! Hands the service a look at the sensor, for its API and pages: a [`Reading`] in the service's own words.

use std::time::{SystemTime, UNIX_EPOCH};

use ingest::verdict::Verdict;
use journal::{State, Statistics};
use service::observed::{
    Amount, Counts, JournalNow, QueueNow, RefusedMode, SensorNow, ServiceNow, StageNow, WorkerNow,
};

use crate::metrics::{InsightReading, Reading, StageHistogram, WorkerReading};

pub(super) fn sensor_now(reading: &Reading) -> SensorNow {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let steer_dropped = reading.steer.as_ref().map_or(0, |steer| steer.unknown_dropped);
    let refused = reading.refused_modes.iter().map(|refused| RefusedMode {
        interface: refused.interface.clone(),
        mode: refused.mode.to_owned(),
        reason: refused.reason.clone(),
    });
    let host = rustix::system::uname();
    SensorNow {
        // As the journal's records name it.
        name: host.nodename().to_string_lossy().into_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        kernel: format!("{} {}", host.sysname().to_string_lossy(), host.release().to_string_lossy()),
        unix_s: now.as_secs(),
        started_unix_s: reading.started_unix_s as u64,
        workers: reading.workers.iter().map(worker).collect(),
        queues: queues(reading),
        refused_modes: refused.collect(),
        steer_dropped,
        stages: reading.stages.0.iter().map(stage).collect(),
        journal: journal(&reading.journal, &reading.journal_state),
        service: service(&reading.insight, reading.journal.watermark),
    }
}

fn amount(name: &str, count: u64) -> Amount {
    Amount { name: name.to_owned(), count }
}

fn worker(worker: &WorkerReading) -> WorkerNow {
    let verdicts = Verdict::ALL.iter().zip(worker.verdicts);
    WorkerNow {
        name: worker.worker.clone(),
        path: worker.path.to_owned(),
        received: worker.received,
        verdicts: verdicts.map(|(verdict, count)| amount(verdict.name(), count)).collect(),
        pending: worker.pending,
        responses: worker.responses,
        responses_lost: worker.responses_lost,
    }
}

fn queues(reading: &Reading) -> Vec<QueueNow> {
    let queue = |mode: &crate::metrics::CaptureMode| {
        let is_of = |interface: &str, queue: &str| interface == mode.interface && queue == mode.queue;
        let frames = reading.frames.iter().filter(|frames| is_of(&frames.interface, &frames.queue));
        let drops = reading.kernel_drops.iter().filter(|drops| is_of(&drops.interface, &drops.queue));
        QueueNow {
            interface: mode.interface.clone(),
            queue: mode.queue.clone(),
            mode: mode.mode.clone(),
            frames: frames.map(|frames| amount(frames.state, frames.frames)).collect(),
            drops: drops.map(|drops| amount(drops.reason, drops.datagrams)).collect(),
        }
    };
    reading.capture_modes.iter().map(queue).collect()
}

fn stage(StageHistogram { stage, histogram }: &StageHistogram) -> StageNow {
    let mut counts = Counts::default();
    for step in histogram.iter_recorded() {
        counts.add(step.value_iterated_to(), step.count_since_last_iteration());
    }
    let percentile = |at| {
        if histogram.is_empty() { 0.0 } else { histogram.value_at_percentile(at) as f64 / 1e9 }
    };
    StageNow {
        stage: (*stage).to_owned(),
        count: histogram.len(),
        p50_s: percentile(50.0),
        p90_s: percentile(90.0),
        p99_s: percentile(99.0),
        p999_s: percentile(99.9),
        max_s: percentile(100.0),
        counts,
    }
}

fn journal(journal: &Statistics, state: &State) -> JournalNow {
    JournalNow {
        failing: match state {
            State::Ready => None,
            State::Failing { reason, .. } => Some(reason.clone()),
        },
        watermark: journal.watermark,
        records: journal.records,
        batches: journal.batches,
        commits: journal.commits,
        commit_mean_s: journal.commit_ns_sum as f64 / journal.commits.max(1) as f64 / 1e9,
        queued_batches: journal.queued_batches,
        failed_batches: journal.failed_batches,
        segments: journal.segments,
        octets: journal.segment_bytes,
        free_octets: journal.free_bytes,
    }
}

fn service(insight: &InsightReading, watermark: u64) -> ServiceNow {
    let state = match insight {
        InsightReading { has_ended: true, .. } => "ended",
        InsightReading { is_waiting: true, .. } => "waiting",
        InsightReading { is_up: true, .. } => "up",
        _ => "starting",
    };
    let standing = &insight.standing;
    ServiceNow {
        state: state.to_owned(),
        stored: standing.stored,
        lag: watermark.saturating_sub(standing.stored),
        sessions: standing.sessions,
        profiles: standing.profiles,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::StageHistograms;

    #[test]
    fn a_stage_keeps_all_of_its_times() {
        let mut stages = StageHistograms::new();
        for ns in [5_000, 90_000, 90_000, 2_000_000_000] {
            stages.0[0].histogram.record(ns).unwrap();
        }
        let now = stage(&stages.0[0]);
        assert_eq!((now.stage.as_str(), now.count, now.counts.total()), ("arrival_to_worker", 4, 4));
        assert!((now.p50_s - 90e-6).abs() < 2e-6 && (now.max_s - 2.0).abs() < 0.05, "{now:?}");
        assert!((now.counts.percentile(0.5) - 90e-6).abs() < 20e-6);
        assert_eq!(stage(&stages.0[1]).p99_s, 0.0, "nothing took no time");
    }
}
