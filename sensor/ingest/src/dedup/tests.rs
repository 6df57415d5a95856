//! One winner, no loss, no growth.

use std::{
    sync::{Barrier, atomic::AtomicUsize},
    thread,
};

use super::*;

const SECOND: u64 = 1_000_000_000;
const START: u64 = 1_000 * SECOND;
const WINDOW: Duration = Duration::from_secs(30);

fn key(authenticator: &[u8; 16]) -> Key<'_> {
    Key {
        source: "192.0.2.1:40000".parse().unwrap(),
        destination: "198.51.100.1:1813".parse().unwrap(),
        code: 4,
        identifier: 7,
        authenticator,
    }
}

fn numbered(n: u64) -> [u8; 16] {
    let mut authenticator = [0; 16];
    authenticator[..8].copy_from_slice(&n.to_be_bytes());
    authenticator
}

/// Claims and finds by key, as if nobody hashed ahead.
trait ByKey {
    fn claim_key(&self, key: &Key<'_>, now_ns: u64) -> Claim;
    fn find_key(&self, key: &Key<'_>, now_ns: u64) -> Option<Claim>;
}

impl ByKey for Duplicates {
    fn claim_key(&self, key: &Key<'_>, now_ns: u64) -> Claim {
        self.claim(&self.hash(key), now_ns)
    }

    fn find_key(&self, key: &Key<'_>, now_ns: u64) -> Option<Claim> {
        self.find(&self.hash(key), now_ns)
    }
}

/// A table in which every key has the same bucket cannot be asked for, so the smallest one is used.
fn table() -> Duplicates {
    Duplicates::with_key(64, WINDOW, (1, 2))
}

fn claimed(claim: Claim) -> Slot {
    match claim {
        Claim::New(slot) => slot,
        other => panic!("not new: {other:?}"),
    }
}

#[test]
fn pending_then_committed_then_forgotten() {
    let table = table();
    let authenticator = numbered(1);
    let key = key(&authenticator);
    assert!(table.find_key(&key, START).is_none());
    let slot = claimed(table.claim_key(&key, START));
    assert!(matches!(table.claim_key(&key, START), Claim::Pending));
    assert!(matches!(table.find_key(&key, START), Some(Claim::Pending)));
    // However long it takes: a pending entry has no age.
    assert!(matches!(table.claim_key(&key, START + 100 * SECOND), Claim::Pending));
    let recorded = START + 100 * SECOND;
    table.commit(slot, recorded);
    assert!(matches!(table.claim_key(&key, recorded + 29 * SECOND), Claim::Committed));
    assert!(matches!(table.find_key(&key, recorded + 29 * SECOND), Some(Claim::Committed)));
    assert!(table.find_key(&key, recorded + 31 * SECOND).is_none());
    claimed(table.claim_key(&key, recorded + 31 * SECOND));
    assert_eq!(table.evicted(), 0);
}

#[test]
fn what_was_not_recorded_is_new_again() {
    let table = table();
    let authenticator = numbered(1);
    let slot = claimed(table.claim_key(&key(&authenticator), START));
    table.remove(slot);
    assert_eq!(table.occupied(START), 0);
    claimed(table.claim_key(&key(&authenticator), START));
}

#[test]
fn r44_every_part_of_the_key_counts() {
    let table = table();
    let authenticator = numbered(1);
    let other = numbered(2);
    let base = key(&authenticator);
    let variants = [
        base,
        Key { source: "192.0.2.2:40000".parse().unwrap(), ..base },
        Key { source: "192.0.2.1:40001".parse().unwrap(), ..base },
        Key { destination: "198.51.100.2:1813".parse().unwrap(), ..base },
        Key { destination: "198.51.100.1:1646".parse().unwrap(), ..base },
        Key { source: "[c000:201::]:40000".parse().unwrap(), ..base },
        Key { code: 12, ..base },
        Key { identifier: 8, ..base },
        Key { authenticator: &other, ..base },
    ];
    for variant in variants {
        claimed(table.claim_key(&variant, START));
    }
}

#[test]
fn the_same_address_in_another_guise_is_the_same_address() {
    let table = table();
    let authenticator = numbered(1);
    let base = key(&authenticator);
    claimed(table.claim_key(&base, START));
    let mapped = Key { source: "[::ffff:192.0.2.1]:40000".parse().unwrap(), ..base };
    assert!(matches!(table.claim_key(&mapped, START), Claim::Pending));
}

#[test]
fn a_full_bucket_gives_up_its_oldest_committed_entry_and_counts_it() {
    let table = table();
    let (mut taken, mut n) = (Vec::new(), 0);
    // Entries one second apart until the first bucket overflows.
    while table.evicted() == 0 {
        let authenticator = numbered(n);
        let now = START + n * SECOND / 100;
        let slot = claimed(table.claim_key(&key(&authenticator), now));
        table.commit(slot, now);
        taken.push((n, slot.index as usize / SLOTS));
        n += 1;
        assert!(n <= 64, "64 entries cannot hold a 65th");
    }
    let bucket = taken.last().unwrap().1;
    let oldest = taken.iter().find(|&&(_, b)| b == bucket).unwrap().0;
    let now = START + n * SECOND / 100;
    for &(n, _) in &taken {
        let found = table.find_key(&key(&numbered(n)), now).is_some();
        assert_eq!(found, n != oldest, "entry {n}");
    }
}

#[test]
fn pending_entries_are_never_given_up() {
    let table = table();
    let mut held = Vec::new();
    for n in 0..4096 {
        match table.claim_key(&key(&numbered(n)), START) {
            Claim::New(slot) => held.push((n, slot)),
            Claim::Full => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(held.len(), 64);
    assert_eq!(table.refused(), 4096 - 64);
    assert_eq!(table.evicted(), 0);
    let (n, slot) = held[0];
    assert!(matches!(table.claim_key(&key(&numbered(n)), START), Claim::Pending));
    table.remove(slot);
    claimed(table.claim_key(&key(&numbered(n)), START));
}

#[test]
fn restored_entries_keep_their_age() {
    let table = table();
    let (young, old) = (numbered(1), numbered(2));
    let now = START;
    assert!(table.restore(&key(&young), now - 20 * SECOND, now));
    assert!(!table.restore(&key(&old), now - 31 * SECOND, now));
    assert!(matches!(table.claim_key(&key(&young), now), Claim::Committed));
    assert!(matches!(table.find_key(&key(&young), now + 9 * SECOND), Some(Claim::Committed)));
    assert!(table.find_key(&key(&young), now + 11 * SECOND).is_none());
}

#[test]
fn the_clock_of_another_worker_may_be_ahead() {
    let table = table();
    let authenticator = numbered(1);
    let slot = claimed(table.claim_key(&key(&authenticator), START));
    table.commit(slot, START + SECOND);
    assert!(matches!(table.claim_key(&key(&authenticator), START), Claim::Committed));
}

/// All threads claim the same key at once, round after round, in a table so small that other keys' entries come and
/// go in the same bucket: there is one winner each round, never none, never two.
#[test]
fn exactly_one_of_many_rivals_wins() {
    let threads = 4;
    let rounds: u64 = if cfg!(miri) { 20 } else { 20_000 };
    let table = table();
    let barrier = Barrier::new(threads);
    let winners: Vec<AtomicUsize> = (0..rounds).map(|_| AtomicUsize::new(0)).collect();
    thread::scope(|scope| {
        for thread in 0..threads as u64 {
            let (table, barrier, winners) = (&table, &barrier, &winners);
            scope.spawn(move || {
                for round in 0..rounds {
                    let shared = numbered(round);
                    let own = numbered(1 << 40 | thread << 32 | round);
                    barrier.wait();
                    // Half of the threads first make noise in the table.
                    let noise = match (thread + round) % 2 {
                        0 => Some(table.claim_key(&key(&own), START)),
                        _ => None,
                    };
                    match table.claim_key(&key(&shared), START) {
                        Claim::New(slot) => {
                            winners[round as usize].fetch_add(1, SeqCst);
                            barrier.wait();
                            table.remove(slot);
                        }
                        Claim::Pending => {
                            barrier.wait();
                        }
                        other => panic!("{other:?}"),
                    }
                    if let Some(Claim::New(slot)) = noise {
                        table.remove(slot);
                    }
                }
            });
        }
    });
    for (round, winners) in winners.iter().enumerate() {
        assert_eq!(winners.load(SeqCst), 1, "round {round}");
    }
    assert_eq!(table.occupied(START), 0);
}

/// Without barriers: claims, commits and removals of few keys by many threads. Whoever wins holds the key alone.
#[test]
fn a_key_has_one_holder_at_any_time() {
    let threads = 4;
    let rounds: u64 = if cfg!(miri) { 60 } else { 200_000 };
    let table = table();
    let holders: Vec<AtomicUsize> = (0..4).map(|_| AtomicUsize::new(0)).collect();
    thread::scope(|scope| {
        for thread in 0..threads {
            let (table, holders) = (&table, &holders);
            scope.spawn(move || {
                for round in 0..rounds {
                    let n = (round * 7 + thread) % 4;
                    if let Claim::New(slot) = table.claim_key(&key(&numbered(n)), START) {
                        let holder = &holders[n as usize];
                        assert_eq!(holder.fetch_add(1, SeqCst), 0, "two hold key {n}");
                        assert_eq!(holder.fetch_sub(1, SeqCst), 1);
                        table.remove(slot);
                    }
                }
            });
        }
    });
    assert_eq!(table.occupied(START), 0);
}
