//! Records that are taken together come out as if each were taken by itself, though most of them are not decoded: those
//! that repeat one before.

use std::sync::Arc;

use journal::Record;
use proptest::prelude::*;
use service::{Meaning, fold::Fold};

use crate::{Addresses, DAY_S, HOUR_S, INTERIM, MONDAY_S, NS, START, STOP, Say, record};

const USERS: [&str; 3] = ["alice", "bob", "carol"];
const ADDRESSES: [&str; 4] = ["203.0.113.7", "203.0.113.7", "198.51.100.9", ""];
const DEVICES: [&str; 3] = ["7C2A31", "7C2A31", "9B1F00"];

/// What one says, how many seconds behind the one before, by how much its time is off, and whether instead the one before
/// comes again.
fn step() -> impl Strategy<Value = (Record, u64, i64, bool)> {
    let dice = (0..12usize, 0..3usize, 0..4usize, 0..3usize, 0..50u32);
    let gap = prop_oneof![4 => 0..30u64, 2 => 200..400u64, 1 => Just(DAY_S)];
    // Mostly right; sent a little before; by so much is a clock wrong.
    let offset = prop_oneof![8 => Just(0i64), 4 => -50..0i64, 1 => Just(90), 1 => Just(-3600)];
    let is_again = prop::bool::weighted(0.15);
    (dice, gap, offset, is_again).prop_map(
        |((kind, user, address, device, length), gap, offset, is_again)| {
            let say = Say {
                status: match kind {
                    0 => START,
                    1 => STOP,
                    _ => INTERIM,
                },
                session: ["1", "2", "3"][user],
                user: USERS[user],
                address: ADDRESSES[address],
                // Some Starts do not tell it yet.
                device: if kind == 0 && length % 2 == 0 { "" } else { DEVICES[device] },
                seconds: if kind == 0 { 0 } else { length * 100 },
                octets: length * 1000,
            };
            (record(0, MONDAY_S + HOUR_S, say), gap, offset, is_again)
        },
    )
}

/// One behind the other, as a sensor writes them.
fn records(steps: Vec<(Record, u64, i64, bool)>) -> Vec<Record> {
    let (mut now, mut records) = (MONDAY_S + HOUR_S, Vec::<Record>::new());
    let (sensor, client): (Arc<str>, Arc<str>) = (Arc::from("sensor"), Arc::from("branch"));
    for ((mut record, gap, offset, is_again), sequence) in steps.into_iter().zip(1..) {
        now += gap;
        // Event-Timestamp is where it was put: behind the attributes of `record` that come first.
        let stamp = (MONDAY_S + HOUR_S) as u32;
        let at = record.octets.windows(4).position(|octets| octets == stamp.to_be_bytes()).unwrap();
        let sent = now.checked_add_signed(offset).unwrap() as u32;
        record.octets[at..at + 4].copy_from_slice(&sent.to_be_bytes());
        if let (true, Some(before)) = (is_again, records.last()) {
            record.octets.clone_from(&before.octets);
        }
        (record.sequence, record.arrival_unix_ns) = (sequence, now * NS);
        (record.sensor, record.client) = (Arc::clone(&sensor), Arc::clone(&client));
        records.push(record);
    }
    records
}

/// All that comes out, and the state behind it.
fn taken(records: &[Record], together: Option<usize>) -> (Vec<String>, Vec<u8>, String) {
    let mut fold = Fold::new(Meaning::default()).unwrap();
    let mut outcomes = Vec::new();
    for mut left in records.chunks(16) {
        while let Some(first) = left.first() {
            let taken = match together {
                Some(few) => fold.take_some(&left[..few.min(left.len())], &mut Addresses),
                None => {
                    fold.take(first, &mut Addresses);
                    1
                }
            };
            left = &left[taken..];
            if fold.must_be_stored() {
                outcomes.push(format!("{:?}", fold.finish()));
            }
        }
        outcomes.push(format!("{:?}", fold.finish()));
    }
    let state = fold.save().unwrap();
    (outcomes, state, format!("{:?} {:?}", fold.clocks(), fold.counts()))
}

/// An interim that is sent again says of itself that it was sent a second earlier, behind one whose device the Start did not
/// tell: which of two equal details is kept then shows in whether the next interim changes the row there is or adds one.
#[test]
fn an_interim_sent_again_adds_no_row() {
    let alice = Say { session: "1", user: "alice", address: "203.0.113.7", ..Say::default() };
    let interim = |seconds: u32| Say { status: INTERIM, device: "7C2A31", seconds, octets: seconds, ..alice };
    let bob = Say { status: START, session: "2", user: "bob", address: "203.0.113.9", ..Say::default() };
    let said = [
        (0, 0, bob),
        (1, 1, Say { status: START, ..alice }),
        (61, 61, interim(60)),
        (121, 121, interim(120)),
        (120, 122, interim(120)),
        (181, 181, interim(180)),
    ];
    let (sensor, client): (Arc<str>, Arc<str>) = (Arc::from("sensor"), Arc::from("branch"));
    let records = said.into_iter().zip(1..).map(|((sent_s, arrives_s, say), sequence)| Record {
        arrival_unix_ns: (MONDAY_S + arrives_s) * NS,
        sensor: Arc::clone(&sensor),
        client: Arc::clone(&client),
        ..record(sequence, MONDAY_S + sent_s, say)
    });
    let records: Vec<Record> = records.collect();
    let one_by_one = taken(&records, None);
    for together in 1..=records.len() {
        assert_eq!(one_by_one, taken(&records, Some(together)), "{together}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_taken_together_come_out_as_one_by_one(
        steps in prop::collection::vec(step(), 1..120),
        together in 1..40usize,
    ) {
        let records = records(steps);
        let one_by_one = taken(&records, None);
        let some = taken(&records, Some(together));
        prop_assert_eq!(one_by_one.0, some.0);
        prop_assert_eq!(one_by_one.2, some.2);
        prop_assert!(one_by_one.1 == some.1, "the states differ");
    }
}
