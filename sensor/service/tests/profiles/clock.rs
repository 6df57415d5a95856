//! The host's clock is ahead for a while, and right again: what it did in between is over.

use insight::detect::Thresholds;
use service::{Detecting, inputs::Input};

use crate::{Addresses, DAY_S, HOUR_S, INTERIM, NS, START, STOP, Say, Told, month, taken_back::tune};

fn tick(told: &mut Told, unix_s: u64) {
    told.fold.apply(1, Input::Tick { unix_ns: unix_s * NS }, &mut Addresses).unwrap();
    if told.fold.must_be_stored() {
        told.store();
    }
}

/// So many sessions end that never began; whether people are told.
fn strays(told: &mut Told, unix_s: u64) -> bool {
    told.store();
    for number in 0..25 {
        let session = format!("stray-{unix_s}-{number}");
        let stop = Say { status: STOP, session: &session, user: "mallory", seconds: 60, ..Say::default() };
        told.hear(unix_s, stop);
    }
    told.fold.finish().alerts.iter().any(|alert| alert.detection == "stop-without-start")
}

#[test]
fn a_gap_that_it_made_up_is_over_a_day_after_it_is_right_again() {
    let mut told = Told::new();
    let now = month(&mut told, false) + HOUR_S;
    tick(&mut told, now);
    // Ahead by five days, and back: for all that is known, nothing was heard until then.
    tick(&mut told, now + 5 * DAY_S);
    for minute in 1..23 * 6 {
        tick(&mut told, now + minute * 600);
    }
    assert!(!strays(&mut told, now + 23 * HOUR_S));
    for minute in 23 * 6..26 * 6 {
        tick(&mut told, now + minute * 600);
    }
    assert!(strays(&mut told, now + 26 * HOUR_S));
    // Nor is it one once it is that late.
    for minute in 26 * 6..5 * 24 * 6 + 12 {
        tick(&mut told, now + minute * 600);
    }
    assert!(strays(&mut told, now + 5 * DAY_S + 2 * HOUR_S));
}

#[test]
fn the_days_until_then_have_their_notices_each() {
    let mut told = Told::new();
    let now = month(&mut told, false) + HOUR_S;
    let thresholds = Thresholds { volume_octets_min: 1_000_000, high_score: 100.0, ..Thresholds::default() };
    tune(&mut told, Detecting { thresholds, notices_per_day: 1, ..Detecting::default() });
    told.store();
    let are_held = |told: &mut Told, unix_s: u64, say: Say<'_>| -> Vec<bool> {
        told.hear(unix_s, say);
        told.fold.finish().notices.iter().map(|notice| notice.is_held).collect()
    };
    let far = |session, user, address| Say {
        status: START,
        session,
        user,
        address,
        device: "KALI",
        ..Say::default()
    };
    let home = Say { device: "PC-ALICE", ..far("ahead", "alice", "203.0.113.1") };
    // It is ahead by three days when one session begins, of which nothing is to be said yet, and people are told of another.
    assert_eq!(are_held(&mut told, now + 3 * DAY_S, home), [false; 0]);
    assert_eq!(are_held(&mut told, now + 3 * DAY_S + 1, far("1", "bob", "198.51.100.7")), [false]);
    // It is right again: today has a notice of its own, one.
    let day = now + 60;
    let much = Say { status: INTERIM, seconds: 60, octets: u32::MAX, ..home };
    assert_eq!(are_held(&mut told, day, far("2", "alice", "198.51.100.8")), [false]);
    assert_eq!(are_held(&mut told, day + 60, much), [true], "when that one began is not how late it is");
    let tomorrow = far("3", "alice", "192.0.2.7");
    assert_eq!(are_held(&mut told, day + DAY_S, tomorrow), [false]);
}
