//! Crashes at every octet, limits that bite, a disk that is full, persons forgotten.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use proptest::prelude::*;

use super::*;
use crate::{
    alert::Severity,
    control::Names,
    export::{self, format::Format},
};

const DAY: u64 = 86_400_000_000_000;
const NOW: u64 = 1_790_000_000_000_000_000;

fn limits(max_bytes: u64) -> Limits {
    Limits { max_bytes, ..Limits::default() }
}

fn draft<'a>(position: u64, body: &'a str) -> Draft<'a> {
    Draft {
        kind: Kind::Alert,
        origin: Some(Origin { position, index: 0 }),
        severity: Severity::Medium,
        unix_ns: NOW,
        id: "x",
        persons: Vec::new(),
        format: Format::Json,
        body,
    }
}

fn fill(spool: &Spool, positions: impl IntoIterator<Item = u64>) {
    for position in positions {
        assert_eq!(
            spool.push(&draft(position, &format!("{{\"n\":{position}}}")), NOW + position),
            Kept::Waiting
        );
    }
}

fn open(folder: &Path) -> Spool {
    Spool::open(folder, Limits::default()).unwrap()
}

/// Positions of the messages that come next.
fn taken(spool: &Spool, max: usize) -> Vec<u64> {
    let entries = spool.take(max, NOW).unwrap();
    entries.iter().map(|entry| entry.origin.unwrap().position).collect()
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    segment::listed(folder)
        .unwrap()
        .into_iter()
        .map(|first| segment::Segment::new(first).path(folder))
        .collect()
}

fn messages_size(folder: &Path) -> u64 {
    segments(folder).iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}

/// Octets of all that lies there, the cursor among it.
fn size(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn messages_come_in_order_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    fill(&spool, 1..=5);
    assert_eq!(spool.push(&draft(5, "again"), NOW), Kept::Known);
    assert_eq!(spool.mark(Kind::Alert), Some(Origin { position: 5, index: 0 }));
    assert_eq!(spool.mark(Kind::Health), None);
    assert_eq!(taken(&spool, 2), [1, 2]);
    assert_eq!(taken(&spool, 9), [3, 4, 5]);
    assert_eq!(spool.backlog().waiting, 5);
    spool.confirm(2).unwrap();
    assert_eq!(spool.backlog().waiting, 3);
    // What failed comes again, and only what was handed over may have arrived.
    spool.give_back(4).unwrap();
    assert_eq!((spool.is_doubtful(4), spool.is_doubtful(5)), (true, false));
    assert_eq!(taken(&spool, 9), [3, 4, 5]);
    spool.confirm(5).unwrap();
    assert_eq!(spool.backlog(), Backlog { octets: spool.backlog().octets, ..Backlog::default() });
}

#[test]
fn behind_a_kill_what_was_going_to_be_sent_is_doubtful_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    fill(&spool, 1..=5);
    assert_eq!(taken(&spool, 3), [1, 2, 3]);
    spool.intend().unwrap();
    spool.confirm(1).unwrap();
    // Taken, but not said to be sent.
    assert_eq!(taken(&spool, 1), [4]);
    drop(spool);
    let spool = open(folder.path());
    let doubtful: Vec<bool> = (2..=5).map(|sequence| spool.is_doubtful(sequence)).collect();
    assert_eq!(doubtful, [true, true, false, false]);
    assert_eq!(spool.push(&draft(5, "again"), NOW), Kept::Known);
    assert_eq!(taken(&spool, 9), [2, 3, 4, 5]);
}

#[test]
fn a_tail_torn_at_any_octet_is_cut_and_the_spool_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut ends = Vec::new();
    {
        let spool = open(folder.path());
        for position in 1..=4 {
            fill(&spool, [position]);
            ends.push(messages_size(folder.path()) as usize);
        }
    }
    let path = segments(folder.path())[0].clone();
    let whole = fs::read(&path).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    for end in 0..=whole.len() {
        let torn = scratch.path().join(end.to_string());
        fs::create_dir(&torn).unwrap();
        fs::write(torn.join(path.file_name().unwrap()), &whole[..end]).unwrap();
        let left = ends.iter().filter(|message| **message <= end).count() as u64;
        let spool = open(&torn);
        assert_eq!(spool.backlog().waiting, left, "{end}");
        // What was cut off is handed over again, and is no part of what was torn.
        fill(&spool, left + 1..=6);
        drop(spool);
        let spool = open(&torn);
        assert_eq!(taken(&spool, 9), [1, 2, 3, 4, 5, 6], "{end}");
        assert_eq!(spool.backlog().lost, 0);
    }
}

#[test]
fn damage_costs_what_is_damaged_and_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), limits(4096)).unwrap();
    fill(&spool, 1..=40);
    drop(spool);
    let all = segments(folder.path());
    assert!(all.len() > 2, "{all:?}");
    let mut octets = fs::read(&all[0]).unwrap();
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
    fs::write(&all[0], octets).unwrap();
    let spool = Spool::open(folder.path(), limits(4096)).unwrap();
    let found = taken(&spool, 99);
    let lost = spool.backlog().lost;
    assert!(lost > 0 && found.len() as u64 + lost == 40, "{found:?} {lost}");
    assert_eq!((found[0], *found.last().unwrap()), (1, 40));
}

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
    // Whoever looks for messages finds those that are left, also when none come. One file was enough.
    assert!(left(NOW + second) > 0);
    let gone = all - size(folder.path());
    assert!((15 * MIB..=16 * MIB).contains(&gone), "{gone}");
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

#[test]
fn what_is_done_with_does_not_lie_around() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let body = format!("{{\"text\":\"{}\"}}", "x".repeat(70 << 10));
    assert_eq!(spool.push(&draft(1, &body), NOW), Kept::Waiting);
    assert_eq!(taken(&spool, 9), [1]);
    spool.intend().unwrap();
    spool.confirm(1).unwrap();
    assert_eq!(segments(folder.path()), Vec::<PathBuf>::new());
    drop(spool);
    // The mark outlives its message, and sequences go on.
    let spool = open(folder.path());
    assert_eq!(spool.push(&draft(1, "again"), NOW), Kept::Known);
    fill(&spool, [2]);
    assert_eq!(spool.take(1, NOW).unwrap()[0].sequence, 2);
}

/// Octets of all files of a folder.
fn octets(folder: &Path) -> Vec<u8> {
    let files = fs::read_dir(folder).unwrap();
    files.flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn a_person_is_in_no_file_any_more_and_everybody_else_is() {
    use crate::export::format::{Client, Source, Told, Tunnel, TunnelActivity};
    let source = Source { host: "gw1".into(), version: "1".into(), portal: None };
    let folder = tempfile::tempdir().unwrap();
    // Small segments, so that several are written anew.
    let spool = Spool::open(folder.path(), limits(256 << 10)).unwrap();
    // Whole names alone, as written: with the domain in front, and the signs that formats escape.
    let users = ["CONTOSO\\Mallory", "bob", "smallory", "mallory@contoso.example", "M\"al=l|ory", "carol"];
    let mut position = 0;
    for user in users.iter().cycle().take(60) {
        for format in [Format::Ocsf, Format::Cef, Format::Json, Format::Text] {
            position += 1;
            let mut activity = TunnelActivity {
                unix_ns: NOW,
                what: Tunnel::Open,
                user: Some("somebody".to_owned()),
                user_original: None,
                session_id: "1".to_owned(),
                start_unix_ns: NOW,
                end_reason: None,
                terminate_cause: None,
                client: Client::default(),
                assigned: Vec::new(),
                server: None,
                server_address: None,
                // In a text beside the user's name alone.
                device: Some(format!("laptop of {user}")),
                software: None,
                input_octets: None,
                output_octets: None,
            };
            if position / 24 % 2 == 0 {
                activity.user = Some((*user).to_owned());
            }
            let told = Told::Activity(&activity);
            let body = export::format::write(format, &told, &source);
            let persons = told.persons();
            assert_eq!(spool.push(&Draft { format, persons, ..draft(position, &body) }, NOW), Kept::Waiting);
        }
    }
    // Text for mail names no device here; all others do.
    assert!(segments(folder.path()).len() > 3);
    let first = spool.take(4, NOW).unwrap();
    assert!(spool.is_wanted(first[0].sequence));
    let written = vec!["CONTOSO\\mallory".to_owned(), "M\"al=l|ory".to_owned()];
    let person =
        Person::new(Names { typed: "Mallory".into(), key: "mallory@contoso.example".into(), written });
    let before = spool.backlog();
    let forgotten = spool.forget(&person).unwrap();
    let text = String::from_utf8_lossy(&octets(folder.path())).to_lowercase().replace("smallory", "");
    assert!(
        !text.contains("mallory") && !text.contains("m\\\"al=l|ory") && !text.contains("al\\=l"),
        "{text}"
    );
    assert!(text.contains("bob") && text.contains("carol"));
    assert_eq!(spool.backlog().waiting, before.waiting - forgotten);
    assert_eq!(spool.backlog().lost, 0);
    assert!(!spool.is_wanted(first[0].sequence), "it must not be sent any more");
    // Nothing of it is handed over again, and what comes now goes on behind.
    assert_eq!(spool.push(&draft(position, "again"), NOW), Kept::Known);
    fill(&spool, [position + 1]);
    spool.give_back(0).unwrap();
    let waiting = spool.backlog().waiting;
    assert_eq!(taken(&spool, 999).len() as u64, waiting);
    drop(spool);
    let spool = Spool::open(folder.path(), limits(256 << 10)).unwrap();
    assert_eq!((spool.backlog().waiting, spool.backlog().lost), (waiting, 0));
}

/// What may happen to a spool.
#[derive(Debug, Clone)]
enum Step {
    Push(u16),
    Take(u8),
    Confirm(u8),
    GiveBack,
    Reopen,
    Forget,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (1..600u16).prop_map(Step::Push),
        4 => (1..20u8).prop_map(Step::Take),
        4 => (1..20u8).prop_map(Step::Confirm),
        1 => Just(Step::GiveBack),
        1 => Just(Step::Reopen),
        1 => Just(Step::Forget),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens: in order, none twice without doubt, and each is done with, waiting, lost or forgotten.
    #[test]
    fn every_message_is_accounted_for(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let limits = limits(16 << 10);
        let mut spool = Spool::open(folder.path(), limits).unwrap();
        let nobody = Person::new(Names { typed: "mallory".into(), key: "mallory".into(), written: Vec::new() });
        let (mut position, mut arrived, mut forgotten) = (0, 0, 0);
        let mut on_their_way = std::collections::VecDeque::new();
        let mut last_seen = 0;
        for step in steps {
            match step {
                Step::Push(length) => {
                    position += 1;
                    let body = format!("\"{}\"", "x".repeat(length.into()));
                    let name = if length % 7 == 0 { vec!["mallory"] } else { Vec::new() };
                    spool.push(&Draft { persons: name, ..draft(position, &body) }, NOW);
                }
                Step::Take(max) => {
                    let entries = spool.take(max.into(), NOW).unwrap();
                    spool.intend().unwrap();
                    for entry in entries {
                        prop_assert!(entry.sequence > last_seen, "{} behind {last_seen}", entry.sequence);
                        last_seen = entry.sequence;
                        on_their_way.push_back(entry.sequence);
                    }
                }
                Step::Confirm(count) => {
                    let wanted = on_their_way.iter().filter(|sequence| spool.is_wanted(**sequence));
                    if let Some(sequence) = wanted.take(count.into()).last().copied() {
                        arrived += on_their_way.iter().filter(|other| **other <= sequence && spool.is_wanted(**other)).count() as u64;
                        on_their_way.retain(|other| *other > sequence);
                        spool.confirm(sequence).unwrap();
                    }
                }
                Step::GiveBack => {
                    spool.give_back(on_their_way.back().copied().unwrap_or(0)).unwrap();
                    last_seen = on_their_way.front().map_or(last_seen, |first| first - 1);
                    on_their_way.clear();
                }
                Step::Reopen => {
                    // Else what is lost with the process could not be told from what fell out on its way.
                    spool.give_back(on_their_way.back().copied().unwrap_or(0)).unwrap();
                    last_seen = on_their_way.front().map_or(last_seen, |first| first - 1);
                    on_their_way.clear();
                    drop(spool);
                    spool = Spool::open(folder.path(), limits).unwrap();
                }
                Step::Forget => forgotten += spool.forget(&nobody).unwrap(),
            }
            let backlog = spool.backlog();
            let accounted = backlog.waiting + backlog.lost + forgotten + arrived;
            prop_assert_eq!(accounted, position, "{:?} {} {}", backlog, forgotten, arrived);
            prop_assert!(size(folder.path()) <= limits.max_bytes);
        }
    }
}
