//! Writes and syncs that fail: what was not committed goes to a new segment or comes back as failed, the state says
//! so, and the journal goes on by itself.

use std::io::ErrorKind;

use journal::{Event, FailureKind, State};

use crate::common::{Acknowledged, Session, small};
use crate::disk::{Cut, Disk};

/// The workload of a client that sends again what was not answered, while operations `fail` fail. A failed sync has
/// lost some pages and marked all clean. At the end the process is killed or the power is cut.
fn fail(fail: std::ops::Range<u64>, end: Option<Cut>) -> u64 {
    let at = format!("operations {fail:?} fail, then {end:?}");
    let disk = Disk::default();
    disk.with(|d| d.fail = fail);
    let mut acknowledged = Acknowledged::new();
    let mut session = Session::open(&disk, small()).unwrap();
    let mut failed_batches = 0;
    for round in 0..5 {
        let mut waiting: Vec<_> =
            (0..1 + round % 2).map(|n| round * 10 + n * 2..round * 10 + n * 2 + 2).collect();
        for attempt in 0.. {
            assert!(attempt < 20, "{at}");
            for tags in waiting.drain(..) {
                session.submit(tags, 2400);
            }
            waiting = session.turn(&mut acknowledged);
            failed_batches += waiting.len() as u64;
            let failing = matches!(session.handle.state(), State::Failing { kind: FailureKind::Io, .. });
            assert_eq!(failing, !waiting.is_empty(), "{at}");
            assert_eq!(session.handle.is_ready(), waiting.is_empty());
            if waiting.is_empty() {
                break;
            }
        }
    }
    session.check(&acknowledged).unwrap_or_else(|e| panic!("{e}: {at}"));
    let statistics = session.handle.statistics();
    assert_eq!(statistics.failed_batches, failed_batches);
    let disk = end.map_or_else(|| disk.kill(), |cut| disk.power_cut(cut));
    let session = Session::open(&disk, small()).unwrap();
    session.check(&acknowledged).unwrap_or_else(|e| panic!("{e}: {at}"));
    // And once more, with the power cut right after.
    let session = Session::open(&disk.power_cut(Cut::Nothing), small()).unwrap();
    session.check(&acknowledged).unwrap_or_else(|e| panic!("{e}: {at}"));
    statistics.write_failures + statistics.sync_failures
}

#[test]
fn a_write_or_sync_that_fails_loses_nothing() {
    let mut seen = 0;
    for at in 0..45 {
        for length in [1, 2, 3, 5, 8] {
            for end in [None, Some(Cut::Nothing), Some(Cut::Everything), Some(Cut::Some(at))] {
                seen += fail(at..at + length, end);
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn one_failure_goes_unnoticed_but_for_its_event() {
    let disk = Disk::default();
    let mut acknowledged = Acknowledged::new();
    let mut session = Session::open(&disk, small()).unwrap();
    session.submit(1..3, 300);
    assert!(session.turn(&mut acknowledged).is_empty());
    let segments = disk.segments();
    // The batch's write, then its sync.
    for skip in 0..2 {
        disk.with(|d| d.fail = d.operations + skip..d.operations + skip + 1);
        let tag = 10 + skip;
        session.submit(tag..tag + 1, 300);
        assert!(session.turn(&mut acknowledged).is_empty());
        assert!(matches!(session.handle.next_event(), Some(Event::Replaced { .. })));
        assert_eq!(session.handle.state(), State::Ready);
        session.check(&acknowledged).unwrap();
    }
    assert_eq!(disk.segments().len(), segments.len() + 2);
}

#[test]
fn a_full_disk_stops_answers_and_room_brings_them_back_without_traffic() {
    refused(FailureKind::NoSpace, |disk, on| {
        let used: u64 = disk.segments().iter().map(|name| disk.octets(name).len() as u64).sum();
        disk.with(|d| d.capacity = on.then_some(used + 300));
    });
}

#[test]
fn a_read_only_disk_stops_answers_and_goes_on_when_it_is_not() {
    refused(FailureKind::ReadOnly, |disk, on| disk.with(|d| d.read_only = on));
}

#[test]
fn errors_that_last_stop_answers_and_go_on_when_they_end() {
    refused(FailureKind::Io, |disk, on| disk.with(|d| d.fail = if on { 0..u64::MAX } else { 0..0 }));
    refused(FailureKind::NoSpace, |disk, on| {
        disk.with(|d| {
            d.fail = if on { 0..u64::MAX } else { 0..0 };
            d.fail_with = Some(ErrorKind::QuotaExceeded);
        });
    });
}

fn refused(kind: FailureKind, switch: impl Fn(&Disk, bool)) {
    let disk = Disk::default();
    let mut acknowledged = Acknowledged::new();
    let mut session = Session::open(&disk, small()).unwrap();
    session.submit(1..4, 700);
    assert!(session.turn(&mut acknowledged).is_empty());
    switch(&disk, true);
    for tag in 10..14 {
        session.submit(tag..tag + 2, 700);
        assert_eq!(session.turn(&mut acknowledged).len(), 1);
    }
    // It probes, in vain, and leaves nothing behind.
    for _ in 0..3 {
        session.turn(&mut acknowledged);
    }
    assert_eq!(disk.segments().len(), 1);
    let State::Failing { kind: told, reason, .. } = session.handle.state() else { panic!("ready") };
    assert_eq!(told, kind);
    assert!(reason.contains(": "), "{reason}");
    assert_eq!(session.handle.watermark(), 3);
    let event = session.handle.next_event();
    assert!(matches!(event, Some(Event::Failing { .. })), "{event:?}");
    session.check(&acknowledged).unwrap();
    // What is acknowledged survives the power cut while it lasts.
    let other = disk.power_cut(Cut::Some(5));
    other.with(|d| (d.capacity, d.read_only) = (None, false));
    Session::open(&other, small()).unwrap().check(&acknowledged).unwrap();

    switch(&disk, false);
    session.turn(&mut acknowledged);
    assert_eq!(session.handle.state(), State::Ready);
    assert!(matches!(session.handle.next_event(), Some(Event::Recovered { .. })));
    assert_eq!(session.handle.next_event(), None);
    session.submit(10..12, 700);
    assert!(session.turn(&mut acknowledged).is_empty());
    let disk = disk.power_cut(Cut::Nothing);
    Session::open(&disk, small()).unwrap().check(&acknowledged).unwrap();
}
