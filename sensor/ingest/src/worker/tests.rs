//! What a worker looks at before it goes to sleep.

use std::time::{Duration, Instant};

use crate::{Ingest, IngestOptions, capture::udp::UdpSource, clients::Clients};

#[test]
fn who_switches_accounting_off_just_before_a_worker_sleeps_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let storage = journal::RealStorage::create(folder.path()).unwrap();
    let mut opened = journal::open(storage, journal::Options::default()).unwrap();
    let options = IngestOptions { duplicate_entries: 1024, batches: 2, ..IngestOptions::default() };
    let clients = Clients::build(Vec::new()).unwrap();
    let mut ingest = Ingest::new(clients, opened.handle.clone(), &options);
    let source = UdpSource::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let mut worker = ingest.worker("udp", source, &mut opened.writer, ()).unwrap();
    // Too early to ring: nobody sleeps yet.
    ingest.set_open(false);
    let began = Instant::now();
    worker.sleep().unwrap();
    assert!(began.elapsed() < Duration::from_millis(500), "it slept through it");
    assert_eq!(ingest.snapshot()[0].sleeps, 0);
    // What it has seen keeps it awake no longer, even if it could not be done.
    worker.closed_seen = true;
    worker.sleep().unwrap();
    assert_eq!(ingest.snapshot()[0].sleeps, 1);
}
