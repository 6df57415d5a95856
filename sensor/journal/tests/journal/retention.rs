//! What goes when there is too much, and what stays.

use std::sync::Arc;
use std::time::Duration;

use journal::{Cursor, Event, Options, Reader, Retention, State, verify_storage};

use crate::common::{Acknowledged, Session, small};
use crate::disk::Disk;

fn with(retention: Retention) -> Options {
    Options { retention, ..small() }
}

/// `rounds` commits of about 10 KiB: each takes a segment of its own but for the first of a pair.
fn fill(session: &mut Session<Disk>, rounds: u64) -> Acknowledged {
    let mut acknowledged = Acknowledged::new();
    for round in 0..rounds {
        let tag = session.handle.watermark() + 1;
        session.submit(tag..tag + 2, 3500);
        assert!(session.turn(&mut acknowledged).is_empty(), "round {round}");
    }
    acknowledged
}

fn oldest(disk: &Disk) -> u64 {
    let mut records = Reader::over(Arc::new(disk.clone()), None).records_from(1);
    records.next().unwrap().unwrap().sequence
}

fn removed(session: &Session<Disk>) -> Vec<(u64, u64, bool, &'static str)> {
    let mut all = Vec::new();
    while let Some(event) = session.handle.next_event() {
        if let Event::Removed { first, last, unread, cause, .. } = event {
            all.push((first, last, unread, cause));
        }
    }
    all
}

#[test]
fn less_may_be_kept_from_now_on() {
    let disk = Disk::default();
    let mut session = Session::open(&disk, with(Retention::default())).unwrap();
    let mut acknowledged = fill(&mut session, 10);
    assert_eq!(removed(&session), []);
    session.handle.set_retention(Retention { max_bytes: 50 << 10, ..Retention::default() });
    acknowledged.extend(fill(&mut session, 2));
    let events = removed(&session);
    assert!(events.len() > 3 && events.iter().all(|event| event.3 == "size"), "{events:?}");
    session.check(&acknowledged).unwrap();
}

#[test]
fn the_oldest_goes_by_size_and_all_else_is_whole() {
    let disk = Disk::default();
    let mut session =
        Session::open(&disk, with(Retention { max_bytes: 50 << 10, ..Retention::default() })).unwrap();
    let acknowledged = fill(&mut session, 20);
    let events = removed(&session);
    assert!(events.len() > 3 && events.iter().all(|e| !e.2 && e.3 == "size"), "{events:?}");
    assert_eq!(events[0].0, 1);
    assert!(events.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{events:?}");
    assert_eq!(oldest(&disk), events.last().unwrap().1 + 1);
    session.check(&acknowledged).unwrap();
    let statistics = session.handle.statistics();
    assert_eq!((statistics.retention_removed, statistics.retention_removed_unread), (events.len() as u64, 0));
    assert!(statistics.segment_bytes <= 50 << 10, "{statistics:?}");
    assert_eq!(statistics.segments, disk.segments().len() as u64);
    // A journal that starts in the middle is a good one.
    assert!(verify_storage(&disk).unwrap().is_good());
    let again = Session::open(&disk.kill(), small()).unwrap();
    again.check(&acknowledged).unwrap();
}

#[test]
fn a_slow_reader_is_told_what_it_lost_and_can_be_waited_for() {
    for keep_unread in [false, true] {
        let disk = Disk::default();
        let retention = Retention { max_bytes: 50 << 10, keep_unread, ..Retention::default() };
        let mut session = Session::open(&disk, with(retention)).unwrap();
        let storage = Arc::new(disk.clone());
        let mut cursor = Cursor::over(storage.clone(), "service").unwrap();
        let mut records = Reader::over(storage, Some(session.handle.clone())).records_from(1);
        fill(&mut session, 2);
        assert_eq!(records.next().unwrap().unwrap().sequence, 1);
        cursor.advance(1).unwrap();
        fill(&mut session, 18);
        let unread = session.handle.statistics().retention_removed_unread;
        if keep_unread {
            assert_eq!((unread, oldest(&disk)), (0, 1));
            assert_eq!(records.by_ref().filter(Result::is_ok).count(), 39);
            cursor.advance(40).unwrap();
            fill(&mut session, 2);
            assert!(oldest(&disk) > 1);
        } else {
            assert!(unread > 3 && removed(&session).iter().all(|e| e.2));
            assert!(records.any(|r| matches!(r, Err(journal::ReadError::Removed { .. }))));
            // So is whoever begins anew behind what was read; who never read anything misses nothing.
            let reader = Reader::over(Arc::new(disk.clone()), Some(session.handle.clone()));
            let lost = reader.records_behind(1).next().unwrap();
            let Err(journal::ReadError::Removed { first: 2, last }) = lost else { panic!("{lost:?}") };
            assert_eq!(last + 1, oldest(&disk));
            assert_eq!(reader.records_behind(0).next().unwrap().unwrap().sequence, oldest(&disk));
        }
    }
}

#[test]
fn a_full_disk_takes_the_oldest_and_goes_on() {
    let disk = Disk::default();
    disk.with(|d| d.capacity = Some(100 << 10));
    // No reserve: only the refusal itself makes room.
    let retention = Retention { free_reserve_bytes: 0, ..Retention::default() };
    let mut session = Session::open(&disk, with(retention)).unwrap();
    let acknowledged = fill(&mut session, 40);
    assert_eq!(session.handle.state(), State::Ready);
    let events = removed(&session);
    assert!(!events.is_empty() && events.iter().all(|e| e.3 == "room"), "{events:?}");
    session.check(&acknowledged).unwrap();
}

#[test]
fn a_reserve_is_kept_and_the_newest_records_with_it() {
    let disk = Disk::default();
    disk.with(|d| d.capacity = Some(200 << 10));
    let retention = Retention { free_reserve_bytes: u64::MAX, ..Retention::default() };
    let mut session = Session::open(&disk, with(retention)).unwrap();
    let acknowledged = fill(&mut session, 60);
    // A tenth of the disk is the most that is kept free.
    let statistics = session.handle.statistics();
    assert!(statistics.free_bytes >= 20 << 10 && statistics.segment_bytes > 100 << 10, "{statistics:?}");
    session.check(&acknowledged).unwrap();
    // Somebody else fills the disk: the newest segment with records stays all the same.
    disk.with(|d| d.capacity = Some(1));
    session.submit(900..902, 300);
    assert_eq!(session.turn(&mut Acknowledged::new()).len(), 1);
    for _ in 0..20 {
        session.turn(&mut Acknowledged::new());
    }
    assert!(matches!(session.handle.state(), State::Failing { .. }));
    let last = *acknowledged.last_key_value().unwrap().0;
    assert!(oldest(&disk) <= last);
    disk.with(|d| d.capacity = None);
    session.turn(&mut Acknowledged::new());
    session.check(&acknowledged).unwrap();
}

#[test]
fn old_segments_go_by_age() {
    let disk = Disk::default();
    let retention = Retention { max_age: Some(Duration::from_millis(50)), ..Retention::default() };
    let mut session = Session::open(&disk, with(retention)).unwrap();
    fill(&mut session, 6);
    assert_eq!(removed(&session), []);
    std::thread::sleep(Duration::from_millis(60));
    fill(&mut session, 3);
    let events = removed(&session);
    assert!(!events.is_empty() && events.iter().all(|e| e.3 == "age"), "{events:?}");
    // A segment that is old itself is followed by a new one, full or not.
    let options = Options { segment_age: Duration::from_millis(10), ..small() };
    let mut session = Session::open(&Disk::default(), options).unwrap();
    for _ in 0..3 {
        session.submit(1..2, 100);
        session.turn(&mut Acknowledged::new());
        std::thread::sleep(Duration::from_millis(15));
    }
    assert_eq!(session.handle.statistics().segments, 3);
}
