//! Limits that bite, clocks that jump, a disk that is short or full.

use super::*;

#[test]
fn the_oldest_fall_out_by_size_and_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), limits(8192)).unwrap();
    for position in 1..=500 {
        fill(&spool, [position]);
        assert!(size(folder.path()) <= 8192);
    }
    let Backlog { waiting, lost, .. } = spool.backlog();
    assert!(waiting > 50 && waiting + lost == 500, "{waiting} {lost}");
    assert_eq!(taken(&spool, 999), (lost + 1..=500).collect::<Vec<_>>());
    assert_eq!(spool.push(&draft(501, &"x".repeat(9000)), NOW), Kept::Lost);
    drop(spool);
    assert_eq!(Spool::open(folder.path(), limits(8192)).unwrap().backlog().lost, lost + 1);
}

#[test]
fn what_falls_out_on_its_way_is_lost_only_if_it_does_not_arrive() {
    for arrives in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), limits(8192)).unwrap();
        fill(&spool, 1..=20);
        assert_eq!(taken(&spool, 10).len(), 10);
        fill(&spool, 21..=500);
        let before = spool.backlog();
        assert_eq!(before.waiting + before.lost, 500, "{before:?}");
        if arrives {
            spool.confirm(10).unwrap();
            let Backlog { waiting, lost, .. } = spool.backlog();
            assert_eq!((waiting + lost, lost), (490, before.lost));
        } else {
            spool.give_back(0).unwrap();
            let Backlog { waiting, lost, .. } = spool.backlog();
            assert_eq!((waiting + lost, lost), (500, before.lost + 10));
        }
        assert_eq!(taken(&spool, 999).last(), Some(&500));
    }
}

#[test]
fn the_oldest_fall_out_by_age_and_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    for position in 0..20 {
        assert_eq!(spool.push(&draft(position + 1, "{}"), NOW + position * DAY / 2), Kept::Waiting);
    }
    // Ten days later those of the last seven are left.
    let entries = spool.take(99, NOW + 10 * DAY).unwrap();
    let left: Vec<u64> = entries.iter().map(|entry| entry.sequence).collect();
    assert_eq!(left, (7..=20).collect::<Vec<_>>());
    assert_eq!(spool.backlog().lost, 6);
    assert!(segments(folder.path()).len() < 20);
    // A clock that went back takes nothing away.
    spool.give_back(0).unwrap();
    assert_eq!(spool.take(99, 0).unwrap().len(), 14);
}

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3600 * SECOND;

/// Messages of one an hour from `NOW`, for as long, and so many are lost and wait.
fn backlog_of(spool: &Spool, hours: u64) {
    for hour in 0..hours {
        let draft = draft(hour + 1, "{}");
        assert_eq!(spool.push(&draft, NOW + hour * HOUR), Kept::Waiting);
    }
}

#[test]
fn a_clock_that_jumps_and_comes_back_costs_no_message() {
    for restarts in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = open(folder.path());
        backlog_of(&spool, 48);
        let mut look = |now| {
            spool.expire(now);
            let taken = spool.take(99, now).unwrap().len();
            spool.give_back(0).unwrap();
            if restarts {
                spool = open(folder.path());
            }
            (taken, spool.backlog().lost)
        };
        let now = NOW + 48 * HOUR;
        assert_eq!(look(now), (48, 0));
        // For a second, for an hour, and back far behind the first message.
        for there in [vec![30 * DAY], (0..60).map(|minute| 30 * DAY + minute * HOUR / 60).collect()] {
            there.iter().for_each(|ahead| assert_eq!(look(now + ahead), (48, 0), "{restarts} {ahead}"));
            assert_eq!(look(now), (48, 0));
        }
        assert_eq!(look(NOW - 300 * DAY), (48, 0));
        assert_eq!(look(now + SECOND), (48, 0));
        // Behind the jumps it grows old as ever.
        let lost: Vec<u64> = (0..10 * 24).map(|hour| look(now + hour * HOUR).1).collect();
        assert_eq!((lost[5 * 24 + 1], lost[6 * 24], lost[10 * 24 - 1]), (1, 24, 48), "{restarts} {lost:?}");
    }
}

#[test]
fn what_is_too_old_behind_a_jump_that_stays_goes_once_a_day_has_passed_there() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    backlog_of(&spool, 48);
    // A sensor that was off for long is the same to it.
    drop(spool);
    let spool = open(folder.path());
    let later = NOW + 30 * DAY;
    for hour in 0..24 {
        spool.expire(later + hour * HOUR);
        assert_eq!((spool.backlog().waiting, spool.backlog().lost), (48, 0), "{hour}");
    }
    assert_eq!(spool.take(99, later + DAY).unwrap(), []);
    assert_eq!((spool.backlog().waiting, spool.backlog().lost), (0, 48));
}

#[test]
fn what_may_wait_for_a_minute_goes_behind_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { max_age: Duration::from_secs(60), ..Limits::default() };
    let spool = Spool::open(folder.path(), limits).unwrap();
    fill(&spool, [1]);
    let left = |now| {
        spool.expire(now);
        spool.backlog().waiting
    };
    assert_eq!((left(NOW + 30 * SECOND), left(NOW + 60 * SECOND), left(NOW + 62 * SECOND)), (1, 1, 0));
    fill(&spool, [2]);
    assert_eq!((left(NOW + DAY), left(NOW + DAY + 59 * SECOND), left(NOW + DAY + 60 * SECOND)), (1, 1, 0));
}

#[test]
fn so_much_goes_as_the_disk_is_short_of_and_as_much_waits_as_may_when_there_is_room_again() {
    const MIB: u64 = 1 << 20;
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), Limits::default()).unwrap();
    let body = "x".repeat(60 << 10);
    let push = |positions: std::ops::RangeInclusive<u64>, now| {
        for position in positions {
            assert_eq!(spool.push(&draft(position, &body), now), Kept::Waiting);
        }
    };
    push(1..=900, NOW);
    assert_eq!(spool.backlog().lost, 0);
    let all = size(folder.path());
    assert!(all > 50 * MIB, "{all}");
    // A tenth is the reserve, 16 MiB, and its eighth is asked for besides: 18 MiB.
    spool.lock().room.ask = |_| Some(room::Space { free: 17 << 20, total: 160 << 20 });
    let second = 1_000_000_000;
    let left = |now| spool.take(1999, now).unwrap().len() as u64;
    // Whoever looks for messages finds those that are left, also when none come. Little more went than was short.
    assert!(left(NOW + second) > 0);
    let gone = all - size(folder.path());
    assert!((MIB..=MIB + MIB / 2).contains(&gone), "{gone}");
    let lost = spool.backlog().lost;
    assert!(lost > 0);
    // As short as it gets, whatever is removed: a quarter of the reserve may wait, in small files.
    spool.lock().room.ask = |_| Some(room::Space { free: 0, total: 160 << 20 });
    (901..=1000).for_each(|position| push(position..=position, NOW + (position - 899) * second));
    assert!(size(folder.path()) <= 4 * MIB, "{}", size(folder.path()));
    assert!(size(folder.path()) > 3 * MIB, "{}", size(folder.path()));
    spool.lock().room.ask = |_| Some(room::Space { free: 100 << 20, total: 160 << 20 });
    let lost = spool.backlog().lost;
    push(1001..=1200, NOW + 200 * second);
    assert_eq!(spool.backlog().lost, lost);
}

#[test]
fn a_full_disk_costs_a_message_and_holds_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    // The kernel's own full device in the place of the first file.
    let first = segment::Segment::new(1).path(folder.path());
    symlink("/dev/full", &first).unwrap();
    assert_eq!(spool.push(&draft(1, "{}"), NOW), Kept::Lost);
    assert_eq!(spool.push(&draft(2, "{}"), NOW), Kept::Lost);
    fs::remove_file(&first).unwrap();
    fill(&spool, 3..=4);
    assert_eq!(spool.backlog().lost, 2);
    assert_eq!(taken(&spool, 9), [3, 4]);
    // Behind a write that cannot even be cut off nothing comes in the same file.
    spool.lock().tail = Some(fs::File::open(&first).unwrap());
    assert_eq!(spool.push(&draft(5, "{}"), NOW), Kept::Lost);
    fill(&spool, 6..=7);
    assert_eq!(segments(folder.path()).len(), 2);
    assert_eq!(taken(&spool, 9), [6, 7]);
    drop(spool);
    assert_eq!(taken(&open(folder.path()), 9), [3, 4, 6, 7]);
}
