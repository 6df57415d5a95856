//! A sensor's answers for the tests of this folder, made by the code that makes the real ones.

use std::{net::SocketAddr, time::Duration};

use ingest::verdict::Verdict;
use jiff::Timestamp;
use journal::State;

use super::{frame::Frame, scrape::Sample};
use crate::{
    cli::latency::Latency,
    metrics::{
        CaptureMode, ClientReading, InsightReading, KernelDrops, Reading, Refused, RefusedSource,
        StageHistograms, SteerReading, WorkerReading, exposition,
    },
};

/// A name with everything that separates labels.
pub(super) const ODD_NAME: &str = "a, \"b\"}={c\\";
pub(super) const ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9813);

/// 1,000 datagrams on XDP in each of `step + 1` times of 2 s: 900 accepted, 40 duplicates, 60 with a wrong secret.
pub(super) fn sample(step: u64) -> Sample {
    let times = step + 1;
    let mut verdicts = [0; Verdict::ALL.len()];
    verdicts[Verdict::Accepted as usize] = 900 * times;
    verdicts[Verdict::Duplicate as usize] = 40 * times;
    verdicts[Verdict::BadAuthenticator as usize] = 60 * times;
    let mut few = [0; Verdict::ALL.len()];
    few[Verdict::Accepted as usize] = 10;
    let worker = |worker: &str, path, received, verdicts, responses| WorkerReading {
        worker: worker.to_owned(),
        path,
        received,
        verdicts,
        pending: 0,
        responses,
        responses_lost: 0,
        copies_lost: 0,
    };
    let mode = |interface: &str, queue: &str, mode: &str| CaptureMode {
        interface: interface.to_owned(),
        queue: queue.to_owned(),
        mode: mode.to_owned(),
    };
    let client = |name: &str, genuine, bad| ClientReading {
        client: name.to_owned(),
        last_genuine_unix_s: Some(1_700_000_000),
        previous_secret_unix_s: None,
        genuine,
        bad_authenticators: bad,
        bad_message_authenticators: 0,
    };
    let mut stages = StageHistograms::new();
    for stage in &mut stages.0 {
        stage.histogram.record_n(150_000, 900 * times).unwrap();
    }
    let mut journal = journal::Statistics::default();
    (journal.records, journal.commits) = (900 * times, 100 * times);
    // 100 commits of up to 200 us and up to 16 records each.
    journal.commit_buckets[2] = 100 * times;
    journal.commit_records_buckets[2] = 100 * times;
    let latency: Latency = serde_json::from_value(stages.json()).unwrap();
    let reading = Reading {
        started_unix_s: 1_700_000_000.0,
        workers: vec![
            worker("eth0-0", "xdp", 1_000 * times, verdicts, 940 * times),
            worker("udp0", "udp", 10, few, 10),
        ],
        steer: Some(SteerReading { outcomes: vec![], unknown_dropped: 5 }),
        kernel_drops: vec![
            KernelDrops { interface: "eth0".into(), queue: "0".into(), reason: "rx_ring_full", datagrams: 7 },
            KernelDrops {
                interface: "".into(),
                queue: "udp0".into(),
                reason: "socket_buffer_full",
                datagrams: 0,
            },
        ],
        capture_modes: vec![mode("eth0", "0", "native copy"), mode("", "udp0", "udp")],
        refused_modes: vec![],
        frames: vec![],
        stages,
        insight: InsightReading::default(),
        health: std::sync::Arc::default(),
        journal,
        journal_state: State::Ready,
        duplicates_capacity: 1 << 18,
        duplicates_evicted: 0,
        duplicates_refused: 0,
        clients: vec![client("branch", 900 * times, 0), client(ODD_NAME, 40, 3)],
        reloads_good: 0,
        reloads_refused: 0,
        last_reload_good: true,
        restart_needed: false,
        notices_suppressed: 0,
    };
    Sample::parse(&exposition(reading).unwrap(), refused(), latency, None).unwrap()
}

/// Two seconds between two samples.
pub(super) fn frame() -> Frame {
    let (before, mut now) = (sample(0), sample(1));
    now.at = before.at + Duration::from_secs(2);
    Frame::new(ADDRESS, Some(&before), &now)
}

fn refused() -> Refused {
    let now = Timestamp::from_second(1_700_000_100).unwrap();
    let source = |source: &str, client: Option<&str>, verdict: &str, reason: &str, second| RefusedSource {
        source: source.parse().unwrap(),
        client: client.map(str::to_owned),
        verdict: verdict.to_owned(),
        reason: reason.to_owned(),
        datagrams: 120,
        first_seen: Timestamp::from_second(1_700_000_000).unwrap(),
        last_seen: Timestamp::from_second(second).unwrap(),
        is_mended: false,
    };
    Refused {
        now,
        forgotten: 0,
        sources: vec![
            source(
                "192.0.2.7",
                Some("branch"),
                "bad_authenticator",
                "wrong Request Authenticator: check the shared secret",
                1_700_000_095,
            ),
            source("2001:db8::1", None, "unknown_client", "no client with this address", 1_700_000_010),
        ],
    }
}
