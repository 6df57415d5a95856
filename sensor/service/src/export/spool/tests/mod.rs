//! Messages in order and once, crashes at every octet, damage; whatever happens, each is accounted for.

mod falling_out;
mod forgetting;

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
