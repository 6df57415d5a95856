//! Metrics of the sensor: datagrams, capture, latency, journal, clients, reloads.

use ingest::verdict::Verdict;
use journal::{COMMIT_BOUNDS_NS, COMMIT_RECORDS_BOUNDS, State};

use super::{
    Kind::{Counter, Gauge, Histogram},
    Metric, Reading, metric, plain,
};

/// All of them.
pub(super) const METRICS: &[Metric] = &[
    metric("vpn_sensor_build_info", Gauge, &["version"], "Always 1; the version is a label", |_, samples| {
        samples.gauge(&[env!("CARGO_PKG_VERSION")], 1.0)
    }),
    metric(
        "vpn_sensor_start_timestamp_seconds",
        Gauge,
        &[],
        "When the sensor started, seconds since 1970 UTC",
        plain!(gauge, |reading| reading.started_unix_s),
    ),
    metric(
        "vpn_sensor_received_total",
        Counter,
        &["path", "worker"],
        "Datagrams seen. Its sum equals that of vpn_sensor_datagrams_total and vpn_sensor_pending_datagrams",
        |reading, samples| {
            for worker in &reading.workers {
                samples.counter(&[worker.path, &worker.worker], worker.received)?;
            }
            match &reading.steer {
                Some(steer) => samples.counter(&["xdp", "steer"], steer.unknown_dropped),
                None => Ok(()),
            }
        },
    ),
    metric(
        "vpn_sensor_datagrams_total",
        Counter,
        &["verdict", "path", "worker"],
        "Datagrams by verdict: every one gets exactly one. Worker `steer` is the XDP program",
        |reading, samples| {
            for worker in &reading.workers {
                for (verdict, &count) in Verdict::ALL.into_iter().zip(&worker.verdicts) {
                    samples.counter(&[verdict.name(), worker.path, &worker.worker], count)?;
                }
            }
            match &reading.steer {
                Some(steer) => {
                    samples.counter(&[Verdict::UnknownClient.name(), "xdp", "steer"], steer.unknown_dropped)
                }
                None => Ok(()),
            }
        },
    ),
    metric(
        "vpn_sensor_pending_datagrams",
        Gauge,
        &["path", "worker"],
        "Datagrams seen whose record is being committed: their verdict is still open",
        |reading, samples| {
            let mut workers = reading.workers.iter();
            workers
                .try_for_each(|worker| samples.gauge(&[worker.path, &worker.worker], worker.pending as f64))
        },
    ),
    metric(
        "vpn_sensor_responses_total",
        Counter,
        &["path", "worker"],
        "Answers given to the kernel, those to retransmissions included",
        |reading, samples| {
            let mut workers = reading.workers.iter();
            workers.try_for_each(|worker| samples.counter(&[worker.path, &worker.worker], worker.responses))
        },
    ),
    metric(
        "vpn_sensor_responses_lost_total",
        Counter,
        &["path", "worker"],
        "Answers that could not be given to the kernel; the client asks again",
        |reading, samples| {
            let mut workers = reading.workers.iter();
            workers
                .try_for_each(|worker| samples.counter(&[worker.path, &worker.worker], worker.responses_lost))
        },
    ),
    metric(
        "vpn_sensor_refused_copies_lost_total",
        Counter,
        &["path", "worker"],
        "Refused requests of which no copy was kept to try secrets on: too many came between two looks",
        |reading, samples| {
            let mut workers = reading.workers.iter();
            workers.try_for_each(|worker| samples.counter(&[worker.path, &worker.worker], worker.copies_lost))
        },
    ),
    metric(
        "vpn_sensor_steer_frames_total",
        Counter,
        &["outcome"],
        "Frames by what the XDP program did with them",
        |reading, samples| {
            let mut outcomes = reading.steer.iter().flat_map(|steer| &steer.outcomes);
            outcomes.try_for_each(|(outcome, count)| samples.counter(&[outcome], *count))
        },
    ),
    metric(
        "vpn_sensor_kernel_drops_total",
        Counter,
        &["interface", "queue", "reason"],
        "Datagrams lost before a worker saw them: a full socket buffer, a full or empty ring",
        |reading, samples| {
            let mut drops = reading.kernel_drops.iter();
            drops.try_for_each(|drop| {
                samples.counter(&[&drop.interface, &drop.queue, drop.reason], drop.datagrams)
            })
        },
    ),
    metric(
        "vpn_sensor_capture_mode",
        Gauge,
        &["interface", "queue", "mode"],
        "Always 1; how each queue is captured is a label",
        |reading, samples| {
            let mut modes = reading.capture_modes.iter();
            modes.try_for_each(|mode| samples.gauge(&[&mode.interface, &mode.queue, &mode.mode], 1.0))
        },
    ),
    metric(
        "vpn_sensor_capture_refused",
        Gauge,
        &["interface", "mode", "reason"],
        "Always 1; a better way to capture that was tried at the start, and why it was not taken; mode `xdp`: all of them, of every interface where none is named",
        |reading, samples| {
            let mut refused = reading.refused_modes.iter();
            refused.try_for_each(|refused| {
                samples.gauge(&[&refused.interface, refused.mode, &refused.reason], 1.0)
            })
        },
    ),
    metric(
        "vpn_sensor_frames",
        Gauge,
        &["interface", "queue", "state"],
        "Frames of each UMEM by state; the sum of a queue is constant",
        |reading, samples| {
            let mut frames = reading.frames.iter();
            frames.try_for_each(|frame| {
                samples.gauge(&[&frame.interface, &frame.queue, frame.state], frame.frames as f64)
            })
        },
    ),
    metric(
        "vpn_sensor_stage_seconds",
        Histogram,
        &["stage"],
        "Time that requests spent in each stage, from arrival at the kernel to the answer given to it",
        |reading, samples| {
            reading.stages.0.iter().try_for_each(|stage| {
                let (sum, count, buckets) = stage.buckets();
                samples.histogram(&[stage.stage], sum, count, &buckets)
            })
        },
    ),
    metric(
        "vpn_sensor_records_total",
        Counter,
        &[],
        "Records committed to the journal",
        plain!(counter, |reading| reading.journal.records),
    ),
    metric(
        "vpn_sensor_journal_state",
        Gauge,
        &["state"],
        "1 for the state that the journal is in, else 0. Only while it is ready are requests answered",
        |reading, samples| {
            let ready = matches!(reading.journal_state, State::Ready);
            samples.gauge(&["ready"], f64::from(u8::from(ready)))?;
            samples.gauge(&["failing"], f64::from(u8::from(!ready)))
        },
    ),
    metric(
        "vpn_sensor_journal_watermark",
        Gauge,
        &[],
        "Highest committed sequence number",
        plain!(gauge, |reading| reading.journal.watermark as f64),
    ),
    metric(
        "vpn_sensor_journal_batches_total",
        Counter,
        &[],
        "Batches committed",
        plain!(counter, |reading| reading.journal.batches),
    ),
    metric(
        "vpn_sensor_journal_failed_batches_total",
        Counter,
        &[],
        "Batches that could not be recorded; their requests got no answer",
        plain!(counter, |reading| reading.journal.failed_batches),
    ),
    metric(
        "vpn_sensor_journal_failed_records_total",
        Counter,
        &[],
        "Requests in batches that could not be recorded",
        plain!(counter, |reading| reading.journal.failed_records),
    ),
    metric(
        "vpn_sensor_journal_commit_seconds",
        Histogram,
        &[],
        "Time of a group commit, sync included",
        |reading, samples| {
            let journal = &reading.journal;
            let bounds = COMMIT_BOUNDS_NS.iter().map(|bound| *bound as f64 / 1e9);
            let buckets = with_infinity(bounds, &journal.commit_buckets);
            samples.histogram(&[], journal.commit_ns_sum as f64 / 1e9, journal.commits, &buckets)
        },
    ),
    metric(
        "vpn_sensor_journal_commit_records",
        Histogram,
        &[],
        "Records in a group commit",
        |reading, samples| {
            let journal = &reading.journal;
            let bounds = COMMIT_RECORDS_BOUNDS.iter().map(|bound| *bound as f64);
            let buckets = with_infinity(bounds, &journal.commit_records_buckets);
            samples.histogram(&[], journal.records as f64, journal.commits, &buckets)
        },
    ),
    metric(
        "vpn_sensor_journal_written_bytes_total",
        Counter,
        &[],
        "Bytes written and committed",
        plain!(counter, |reading| reading.journal.bytes_written),
    ),
    metric(
        "vpn_sensor_journal_bytes",
        Gauge,
        &[],
        "Bytes of all segments",
        plain!(gauge, |reading| reading.journal.segment_bytes as f64),
    ),
    metric(
        "vpn_sensor_journal_segments",
        Gauge,
        &[],
        "Segment files",
        plain!(gauge, |reading| reading.journal.segments as f64),
    ),
    metric(
        "vpn_sensor_journal_free_bytes",
        Gauge,
        &[],
        "Free bytes on the journal's file system",
        plain!(gauge, |reading| reading.journal.free_bytes as f64),
    ),
    metric(
        "vpn_sensor_journal_queued_batches",
        Gauge,
        &[],
        "Batches that wait for the writer: how far it lags behind",
        plain!(gauge, |reading| reading.journal.queued_batches as f64),
    ),
    metric(
        "vpn_sensor_journal_write_failures_total",
        Counter,
        &[],
        "Writes that failed",
        plain!(counter, |reading| reading.journal.write_failures),
    ),
    metric(
        "vpn_sensor_journal_sync_failures_total",
        Counter,
        &[],
        "Syncs that failed",
        plain!(counter, |reading| reading.journal.sync_failures),
    ),
    metric(
        "vpn_sensor_journal_removed_segments_total",
        Counter,
        &["unread"],
        "Segments removed by retention, by whether a reader had not come past them",
        |reading, samples| {
            let (all, unread) = (reading.journal.retention_removed, reading.journal.retention_removed_unread);
            samples.counter(&["false"], all.saturating_sub(unread))?;
            samples.counter(&["true"], unread)
        },
    ),
    metric(
        "vpn_sensor_journal_torn_bytes",
        Gauge,
        &[],
        "Bytes of torn tail that the recovery at start left out; nothing in them was acknowledged",
        plain!(gauge, |reading| reading.journal.torn_bytes as f64),
    ),
    metric(
        "vpn_sensor_journal_damaged_regions",
        Gauge,
        &[],
        "Damaged regions of acknowledged data that the recovery at start found",
        plain!(gauge, |reading| reading.journal.damaged_regions as f64),
    ),
    metric(
        "vpn_sensor_journal_events_lost_total",
        Counter,
        &[],
        "Events of the journal that came too fast for the log",
        plain!(counter, |reading| reading.journal.events_lost),
    ),
    metric(
        "vpn_sensor_duplicates_capacity",
        Gauge,
        &[],
        "Requests that the duplicate table has room for",
        plain!(gauge, |reading| reading.duplicates_capacity as f64),
    ),
    metric(
        "vpn_sensor_duplicates_evicted_total",
        Counter,
        &[],
        "Requests forgotten before their time: a retransmission of one would be recorded again. Raise dedup.entries",
        plain!(counter, |reading| reading.duplicates_evicted),
    ),
    metric(
        "vpn_sensor_duplicates_refused_total",
        Counter,
        &[],
        "Requests refused because their place in the duplicate table was full of requests being recorded",
        plain!(counter, |reading| reading.duplicates_refused),
    ),
    metric(
        "vpn_sensor_client_last_genuine_timestamp_seconds",
        Gauge,
        &["client"],
        "When a request of the client last verified, seconds since 1970 UTC; absent before the first",
        |reading, samples| {
            let seen =
                reading.clients.iter().filter_map(|client| Some((client, client.last_genuine_unix_s?)));
            seen.into_iter().try_for_each(|(client, at)| samples.gauge(&[&client.client], at as f64))
        },
    ),
    metric(
        "vpn_sensor_client_previous_secret_timestamp_seconds",
        Gauge,
        &["client"],
        "When the client's previous secret last verified a request: while this moves, the change is not complete",
        |reading, samples| {
            let seen =
                reading.clients.iter().filter_map(|client| Some((client, client.previous_secret_unix_s?)));
            seen.into_iter().try_for_each(|(client, at)| samples.gauge(&[&client.client], at as f64))
        },
    ),
    metric(
        "vpn_sensor_client_genuine_total",
        Counter,
        &["client"],
        "Requests of the client that verified, retransmissions and Status-Server included",
        |reading, samples| {
            let mut clients = reading.clients.iter();
            clients.try_for_each(|client| samples.counter(&[&client.client], client.genuine))
        },
    ),
    metric(
        "vpn_sensor_client_bad_authenticators_total",
        Counter,
        &["client"],
        "Requests from the client's addresses that verified under none of its secrets",
        |reading, samples| {
            let mut clients = reading.clients.iter();
            clients.try_for_each(|client| samples.counter(&[&client.client], client.bad_authenticators))
        },
    ),
    metric(
        "vpn_sensor_client_bad_message_authenticators_total",
        Counter,
        &["client"],
        "Requests of the client with a wrong Message-Authenticator, or without one where it is required",
        |reading, samples| {
            let mut clients = reading.clients.iter();
            clients
                .try_for_each(|client| samples.counter(&[&client.client], client.bad_message_authenticators))
        },
    ),
    metric(
        "vpn_sensor_reloads_total",
        Counter,
        &["result"],
        "Reloads of the configuration: taken, or refused because of a mistake",
        |reading, samples| {
            samples.counter(&["taken"], reading.reloads_good)?;
            samples.counter(&["refused"], reading.reloads_refused)
        },
    ),
    metric(
        "vpn_sensor_last_reload_successful",
        Gauge,
        &[],
        "1 unless the last reload was refused: then the configuration before it is in force",
        plain!(gauge, |reading| f64::from(u8::from(reading.last_reload_good))),
    ),
    metric(
        "vpn_sensor_restart_needed",
        Gauge,
        &[],
        "1 while the configuration file holds changes that only a restart takes",
        plain!(gauge, |reading| f64::from(u8::from(reading.restart_needed))),
    ),
    metric(
        "vpn_sensor_log_suppressed_total",
        Counter,
        &[],
        "Log lines about single datagrams that the limit of one a second and client or source held back",
        plain!(counter, |reading| reading.notices_suppressed),
    ),
];

fn with_infinity(bounds: impl Iterator<Item = f64>, counts: &[u64]) -> Vec<(f64, u64)> {
    bounds.chain([f64::INFINITY]).zip(counts.iter().copied()).collect()
}
