//! What the knobs for tuning change in a worker, and what they must not: verdicts, answers, the end.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test, and what its parts share")]

mod support;

use std::{net::UdpSocket, sync::mpsc::channel, time::Duration};

use ingest::{Ingest, IngestOptions, capture::udp::UdpSource, latency::Stage, verdict::Verdict};
use journal::{Options, RealStorage};
use support::{Nas, Sensor, everyone, journal_options, records, request, wait_until};

#[test]
fn a_spinning_worker_answers_does_not_sleep_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let spin = Duration::from_secs(3600);
    let storage = RealStorage::create(folder.path()).unwrap();
    let mut sensor = Sensor::over(storage, everyone(), IngestOptions { spin, ..IngestOptions::default() }, 1);
    let nas = Nas::new("127.0.0.1:0");
    for n in 0..20 {
        nas.ask(sensor.address(), &request(n, "a"));
    }
    let total = sensor.settled(20);
    assert_eq!((total.verdict(Verdict::Accepted), total.sleeps), (20, 0));
    // The exchange of histograms is seen without a sleep to wake from.
    let (_, bank) = sensor.ingest.latency(Duration::from_secs(20)).next().unwrap();
    assert_eq!(bank.stage(Stage::Total).len(), 20);
    let (ended, end) = channel();
    std::thread::spawn(move || ended.send(sensor.stop().sleeps));
    assert_eq!(end.recv_timeout(Duration::from_secs(20)), Ok(0), "the stop is seen at once");
    assert_eq!(records(folder.path()).len(), 20);
}

#[test]
fn a_worker_sleeps_when_it_has_spun_in_vain() {
    let folder = tempfile::tempdir().unwrap();
    let spin = Duration::from_millis(1);
    let storage = RealStorage::create(folder.path()).unwrap();
    let sensor = Sensor::over(storage, everyone(), IngestOptions { spin, ..IngestOptions::default() }, 1);
    wait_until("the idle worker sleeps", || sensor.total().sleeps > 0);
    Nas::new("127.0.0.1:0").ask(sensor.address(), &request(1, "a"));
    assert_eq!(sensor.stop().verdict(Verdict::Accepted), 1);
}

/// Sends one request, which goes to the journal at once, then `more`, which wait together in the second of two batches;
/// then all are committed. Returns how many each verdict has, and the batches that were committed.
fn with_batches_of(batch_records: u32, more: u64) -> (u64, u64, u64) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { batch_records, batch_bytes: 512 << 10, ..journal_options() };
    let mut opened = journal::open(RealStorage::create(folder.path()).unwrap(), options).unwrap();
    let two = IngestOptions { batches: 2, ..IngestOptions::default() };
    let mut ingest = Ingest::new(everyone(), opened.handle.clone(), &two);
    let source = UdpSource::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let address = source.addresses().next().unwrap();
    let mut worker = ingest.worker("udp", source, &mut opened.writer, ()).unwrap();
    let sockets: Vec<UdpSocket> = (0..4).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    let mut sent = 0;
    for count in [1, more] {
        for n in sent..sent + count {
            let octets = request(n as u8, &format!("{n}"));
            sockets[(n / 256) as usize].send_to(&octets, address).unwrap();
        }
        sent += count;
        wait_until("all are examined", || {
            worker.turn().unwrap();
            ingest.snapshot()[0].received == sent
        });
    }
    while opened.writer.turn() {
        worker.turn().unwrap();
    }
    worker.turn().unwrap();
    worker.turn().unwrap();
    let snapshot = &ingest.snapshot()[0];
    assert_eq!(
        snapshot.pending + snapshot.verdict(Verdict::Accepted) + snapshot.verdict(Verdict::Overload),
        sent
    );
    let batches = opened.handle.statistics().batches;
    (snapshot.verdict(Verdict::Accepted), snapshot.verdict(Verdict::Overload), batches)
}

#[test]
fn a_batch_takes_as_many_requests_as_it_has_records() {
    assert_eq!(with_batches_of(1024, 700), (701, 0, 2), "more than a burst in one batch");
    assert_eq!(with_batches_of(256, 300), (257, 44, 2));
    assert_eq!(with_batches_of(1, 3), (2, 2, 2), "no room is no record");
}
