//! The commit interval: what is submitted within it shares a commit, it ends by itself, and a stop ends it at once.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use journal::{Handle, Options, Port, open};

use crate::common::{Silent, outcomes, small, submit};
use crate::disk::Disk;

/// What should happen at once may take this long on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A writer on its thread, over a simulated disk, with this interval.
fn running(commit_interval: Duration) -> (Port, Handle, JoinHandle<()>) {
    let options = Options { commit_interval, ..small() };
    let mut opened = open(Disk::default(), options).unwrap();
    let port = opened.writer.port(4, Arc::new(Silent));
    let writer = opened.writer;
    (port, opened.handle, spawn(move || writer.run()))
}

fn wait_for_watermark(handle: &Handle, watermark: u64) {
    let started = Instant::now();
    while handle.watermark() < watermark {
        assert!(started.elapsed() < PATIENCE, "{} of {watermark}", handle.watermark());
        sleep(Duration::from_micros(200));
    }
}

/// Joins, and fails instead of waiting for hours.
fn join(writing: JoinHandle<()>) {
    let (ended, end) = channel();
    spawn(move || ended.send(writing.join().is_ok()));
    assert_eq!(end.recv_timeout(PATIENCE), Ok(true), "the writer ends well and at once");
}

#[test]
fn batches_within_the_interval_share_a_commit_and_a_stop_does_not_wait() {
    let (mut port, handle, writing) = running(Duration::from_secs(3600));
    // The first waits for nothing.
    assert!(submit(&mut port, 0..2, 300));
    wait_for_watermark(&handle, 2);
    for tags in [2..4, 4..6] {
        assert!(submit(&mut port, tags, 300));
        sleep(Duration::from_millis(50));
        assert_eq!(handle.watermark(), 2, "the interval has not passed");
    }
    handle.stop();
    join(writing);
    assert_eq!(outcomes(&mut port), [(Some(1), 2), (Some(3), 2), (Some(5), 2)]);
    let statistics = handle.statistics();
    assert_eq!((statistics.commits, statistics.batches, statistics.records), (2, 3, 6));
}

#[test]
fn the_interval_is_kept_and_ends_by_itself() {
    let interval = Duration::from_millis(30);
    let (mut port, handle, writing) = running(interval);
    let started = Instant::now();
    for n in 0..4 {
        assert!(submit(&mut port, n..n + 1, 300));
        wait_for_watermark(&handle, n + 1);
        outcomes(&mut port);
        assert!(started.elapsed() >= interval * n as u32, "commit {n} came early: {:?}", started.elapsed());
    }
    handle.stop();
    join(writing);
    assert_eq!(handle.statistics().commits, 4);
}

#[test]
fn a_stop_before_the_writer_runs_ends_it() {
    let options = Options { commit_interval: Duration::from_secs(3600), ..small() };
    let mut opened = open(Disk::default(), options).unwrap();
    let mut port = opened.writer.port(1, Arc::new(Silent));
    assert!(submit(&mut port, 0..1, 300));
    opened.handle.stop();
    let writer = opened.writer;
    join(spawn(move || writer.run()));
    assert_eq!(outcomes(&mut port), [(Some(1), 1)]);
}
