//! The journal on a real directory, with its thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::common::{Silent, octets, outcomes, record, small, submit, tag};
use journal::{Cursor, OpenError, Options, Reader, RealStorage, State, Wake, open, verify};

fn options() -> Options {
    Options { sensor: "edge-1".into(), ..small() }
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(&self) {
        self.0.unpark();
    }
}

#[test]
fn a_record_is_committed_read_verified_and_there_after_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state/journal");
    let mut opened = open(RealStorage::create(&path).unwrap(), options()).unwrap();
    assert_eq!(opened.report, Default::default());
    let mut port = opened.writer.port(2, Arc::new(Silent));
    let mut batch = port.take_free().unwrap();
    assert!(batch.has_room(4096));
    batch.append(&record(&octets(1, 300))).unwrap().fill(0x2A);
    batch.append(&record(&octets(2, 60))).unwrap();
    port.submit(batch);
    assert!(opened.writer.turn());
    assert!(!opened.writer.turn());
    assert_eq!(outcomes(&mut port), [(Some(1), 2)]);
    assert_eq!(opened.handle.watermark(), 2);
    assert_eq!(opened.handle.state(), State::Ready);

    let reader = Reader::open(&path).unwrap();
    let mut records = reader.records_from(1);
    let first = records.next().unwrap().unwrap();
    assert_eq!(first.octets, [0x2A; 300]);
    assert_eq!((&*first.client, &*first.sensor, first.sequence), ("branch-rras", "edge-1", 1));
    assert_eq!(first.arrival_unix_ns, 1_790_000_000_000_000_001);
    assert_eq!(first.source.to_string(), "192.0.2.10:49152");
    assert_eq!(first.destination.to_string(), "[2001:db8::1]:1813");
    assert_eq!(tag(&records.next().unwrap().unwrap().octets), 2);
    assert!(records.next().is_none());

    // The same iterator goes on with what comes later.
    assert!(submit(&mut port, 3..5, 100));
    opened.writer.turn();
    assert_eq!(records.by_ref().map(|r| tag(&r.unwrap().octets)).collect::<Vec<_>>(), [3, 4]);
    let since = reader.records_since(1_790_000_000_000_000_004).unwrap();
    assert_eq!(since.map(|r| r.unwrap().sequence).collect::<Vec<_>>(), [4]);
    let beside = Reader::beside(&path, &opened.handle).unwrap();
    assert_eq!(beside.records_from(3).count(), 2);

    drop(opened.writer);
    let again = open(RealStorage::create(&path).unwrap(), options()).unwrap();
    assert_eq!(again.report.watermark, 4);
    // The watermark file said that all of it was committed: nothing had to be rewritten.
    assert_eq!(again.report.rescued_records, 0);
    let report = verify(&path).unwrap();
    assert!(report.is_good());
    assert_eq!((report.records, report.first, report.last), (4, Some(1), Some(4)));
}

#[test]
fn a_second_opener_is_refused_and_told_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let _first = open(RealStorage::create(dir.path()).unwrap(), options()).unwrap();
    let error = open(RealStorage::create(dir.path()).unwrap(), options()).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }));
    let text = error.to_string();
    assert!(text.contains(&dir.path().display().to_string()) && text.contains("state_dir"), "{text}");
}

#[test]
fn several_workers_and_readers_at_once() {
    const WORKERS: u64 = 4;
    const BATCHES: u64 = 150;
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(RealStorage::create(dir.path()).unwrap(), options()).unwrap();
    let handle = opened.handle.clone();
    let acknowledged = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let (send, receive) = std::sync::mpsc::channel();
                let thread = scope.spawn(move || {
                    let mut port: journal::Port = receive.recv().unwrap();
                    let mut acknowledged = Vec::new();
                    let mut sent = std::collections::VecDeque::new();
                    let mut next = 0;
                    while next < BATCHES || !sent.is_empty() {
                        if next < BATCHES {
                            let first = worker * 1_000_000 + next * 3;
                            if submit(&mut port, first..first + 3, 300) {
                                sent.push_back(first);
                                next += 1;
                                continue;
                            }
                        }
                        for (sequence, records) in outcomes(&mut port) {
                            let first = sent.pop_front().unwrap();
                            let sequence = sequence.unwrap();
                            acknowledged.extend((0..records as u64).map(|i| (sequence + i, first + i)));
                        }
                        if port.free() == 0 {
                            std::thread::park_timeout(Duration::from_secs(10));
                        }
                    }
                    acknowledged
                });
                let port = opened.writer.port(3, Arc::new(Unpark(thread.thread().clone())));
                send.send(port).unwrap();
                thread
            })
            .collect();
        let writer = opened.writer;
        let writing = scope.spawn(move || writer.run());
        let total = WORKERS * BATCHES * 3;
        // In another process this would be `journal dump`: it must see each record once, in order.
        let reading = scope.spawn(move || {
            let mut records = Reader::open(dir.path()).unwrap().records_from(1);
            let mut seen = Vec::new();
            let start = Instant::now();
            while (seen.len() as u64) < total {
                assert!(start.elapsed() < Duration::from_secs(60), "{} of {total}", seen.len());
                match records.next() {
                    Some(record) => {
                        let record = record.unwrap();
                        seen.push((record.sequence, tag(&record.octets)));
                    }
                    None => std::thread::sleep(Duration::from_millis(1)),
                }
            }
            assert!(verify(dir.path()).unwrap().is_good());
            seen
        });
        let mut acknowledged: Vec<_> = workers.into_iter().flat_map(|w| w.join().unwrap()).collect();
        let seen = reading.join().unwrap();
        handle.stop();
        writing.join().unwrap();
        acknowledged.sort_unstable();
        assert_eq!(acknowledged, seen);
        acknowledged
    });
    let sequences: Vec<u64> = acknowledged.iter().map(|(s, _)| *s).collect();
    assert_eq!(sequences, (1..=WORKERS * BATCHES * 3).collect::<Vec<_>>());
    let statistics = handle.statistics();
    assert_eq!(statistics.records, WORKERS * BATCHES * 3);
    assert_eq!(statistics.queued_batches, 0);
    assert_eq!(statistics.commit_buckets.iter().sum::<u64>(), statistics.commits);
    assert_eq!(statistics.commit_records_buckets.iter().sum::<u64>(), statistics.commits);
    assert!(statistics.segments > 5, "{statistics:?}");
}

#[test]
fn a_lone_batch_waits_for_no_timer() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(RealStorage::create(dir.path()).unwrap(), options()).unwrap();
    let mut port = opened.writer.port(1, Arc::new(Unpark(std::thread::current())));
    let writer = opened.writer;
    let writing = std::thread::spawn(move || writer.run());
    let mut fastest = Duration::MAX;
    for n in 0..50 {
        std::thread::sleep(Duration::from_millis(2));
        let start = Instant::now();
        assert!(submit(&mut port, n..n + 1, 300));
        while outcomes(&mut port).is_empty() {
            assert!(start.elapsed() < Duration::from_secs(10));
            std::thread::park_timeout(Duration::from_millis(100));
        }
        fastest = fastest.min(start.elapsed());
    }
    opened.handle.stop();
    writing.join().unwrap();
    assert!(fastest < Duration::from_millis(50), "{fastest:?}");
}

#[test]
fn cursors_are_durable_and_go_forward_only() {
    let dir = tempfile::tempdir().unwrap();
    let mut cursor = Cursor::open(dir.path(), "service").unwrap();
    assert_eq!(cursor.position(), 0);
    cursor.advance(7).unwrap();
    cursor.advance(3).unwrap();
    drop(cursor);
    let cursor = Cursor::open(dir.path(), "service").unwrap();
    assert_eq!(cursor.position(), 7);
    cursor.remove().unwrap();
    assert!(Cursor::open(dir.path(), "../etc").is_err());
    std::fs::write(dir.path().join("broken.cursor"), b"?").unwrap();
    assert!(Cursor::open(dir.path(), "broken").unwrap_err().to_string().contains("remove it"));
}
