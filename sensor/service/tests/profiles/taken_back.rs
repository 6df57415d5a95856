//! Closed as malicious: also what nobody was told of and came from where the stranger came from is taken back.

use insight::detect::Thresholds;
use service::{
    Detecting, Meaning,
    alert::{Alert, Verdict},
    fold::Decision,
    inputs::Input,
};

use crate::{Addresses, DAY_S, HOUR_S, INTERIM, NS, START, STOP, Say, Told, month};

/// Nothing is told.
fn deaf() -> Detecting {
    let thresholds = Thresholds {
        alert_score: 90.0,
        alert_score_one_group: 90.0,
        organisation_learning_days: 365,
        volume_octets_min: u64::MAX,
        ..Thresholds::default()
    };
    Detecting { thresholds, ..Detecting::default() }
}

pub(crate) fn tune(told: &mut Told, detect: Detecting) {
    let meaning = Meaning { detect, ..Meaning::default() };
    told.fold.apply(0, Input::Meaning(Box::new(meaning)), &mut Addresses).unwrap();
}

pub(crate) fn raised(told: &mut Told) -> Vec<Alert> {
    told.fold.finish().alerts
}

/// The median, and what nine in ten have.
pub(crate) fn volumes(told: &Told) -> (u64, u64) {
    let spread = told.profile("alice").volumes().unwrap();
    (spread.median, spread.nine_in_ten)
}

#[test]
fn a_successor_that_nobody_was_told_of_leaves_nothing_behind() {
    let mut told = Told::new();
    let now = month(&mut told, false) + HOUR_S;
    raised(&mut told);
    // Far away, in another network, with a device; the next one comes from near by and tells none.
    let stranger =
        Say { session: "s1", user: "alice", address: "198.51.100.7", device: "KALI", ..Say::default() };
    told.hear(now, Say { status: START, ..stranger });
    let [alert] = &raised(&mut told)[..] else { panic!("no alert, or several") };
    told.hear(now + 60, Say { status: STOP, seconds: 60, octets: 1, ..stranger });
    // The next day begins: one falls out of the thirty.
    let bob = Say { session: "b99", user: "bob", device: "PC-BOB", ..Say::default() };
    told.hear(now + DAY_S - 60, Say { status: START, ..bob });
    let before = (volumes(&told), told.profile("alice").connections());

    tune(&mut told, deaf());
    let successor = Say { address: "198.51.100.9", device: "", ..stranger };
    for number in 0..3 {
        let (at, session) = (now + DAY_S + 1500 * number, format!("successor-{number}"));
        let successor = Say { session: &session, ..successor };
        told.hear(at, Say { status: START, ..successor });
        told.hear(at + 600, Say { status: INTERIM, seconds: 600, octets: 10, ..successor });
        told.hear(at + 1200, Say { status: STOP, seconds: 1200, octets: u32::MAX, ..successor });
    }
    assert_eq!(told.profile("alice").connections(), before.1 + 3, "they taught");
    assert!(volumes(&told).1 > 100 * before.0.1, "{:?}", volumes(&told));
    // Hers stays.
    let hers =
        Say { session: "a99", user: "alice", address: "203.0.113.1", device: "PC-ALICE", ..Say::default() };
    told.hear(now + DAY_S + 9000, Say { status: START, ..hers });
    tune(&mut told, Detecting::default());
    told.fold = service::fold::Fold::load(&told.fold.save().unwrap()).unwrap();

    let decision = Decision {
        alert: alert.number,
        unix_ns: (now + DAY_S + 9100) * NS,
        by: "uid 0".to_owned(),
        verdict: Some(Verdict::Malicious),
        comment: None,
    };
    told.fold.apply(1, Input::Decision(Box::new(decision)), &mut Addresses).unwrap();
    assert_eq!((volumes(&told), told.profile("alice").connections()), (before.0, before.1 + 1));
    // Another day; what was told by then is stored.
    told.hear(now + 2 * DAY_S - 60, Say { status: INTERIM, seconds: 86_400, ..bob });
    raised(&mut told);

    // The next one is new again.
    let next = Say { session: "next", address: "198.51.100.20", device: "KALI-2", ..stranger };
    told.hear(now + 2 * DAY_S, Say { status: START, ..next });
    let raised = raised(&mut told);
    let [alert] = &raised[..] else { panic!("{raised:?}") };
    assert!(alert.message.contains("ountry never seen for alice: CN"), "{}", alert.message);
}

#[test]
fn how_sessions_end_of_which_much_was_told_teaches_nothing_unless_their_alerts_were_closed_as_usual() {
    for verdict in [Verdict::Usual, Verdict::Unclear, Verdict::Malicious] {
        let mut told = Told::new();
        let now = month(&mut told, false) + HOUR_S;
        let thresholds = Thresholds { volume_octets_min: 1_000_000, ..Thresholds::default() };
        tune(&mut told, Detecting { thresholds, ..Detecting::default() });
        raised(&mut told);
        let before = volumes(&told);
        let keeps = |told: &Told| told.fold.save().unwrap().windows(7).any(|octets| octets == b"\"much\":");
        // Of the last twenty the greatest two are above what nine in ten have; the third would be it.
        for number in 0..3 {
            let (at, session) = (now + 1500 * number, format!("much-{number}"));
            let hers =
                Say { session: &session, address: "203.0.113.1", device: "PC-ALICE", ..Say::default() };
            let hers = Say { user: "alice", ..hers };
            told.hear(at, Say { status: START, ..hers });
            assert!(raised(&mut told).is_empty(), "it begins like all");
            told.hear(at + 600, Say { status: INTERIM, seconds: 600, octets: u32::MAX, ..hers });
            let [alert] = &raised(&mut told)[..] else { panic!("no alert, or several") };
            let decision = Decision {
                alert: alert.number,
                unix_ns: (at + 700) * NS,
                by: "uid 0".to_owned(),
                verdict: Some(verdict),
                comment: None,
            };
            told.fold.apply(number as i64 + 1, Input::Decision(Box::new(decision)), &mut Addresses).unwrap();
            raised(&mut told);
            assert!(keeps(&told), "what was told");
            told.hear(at + 1200, Say { status: STOP, seconds: 1200, octets: u32::MAX, ..hers });
            assert!(raised(&mut told).is_empty(), "its end is no news");
            assert!(!keeps(&told), "nothing more can be told");
        }
        if verdict == Verdict::Usual {
            assert!(volumes(&told).1 > 1000 * before.1, "{before:?} {:?}", volumes(&told));
        } else {
            assert_eq!(volumes(&told), before, "{verdict:?}");
        }
    }
}

#[test]
fn a_session_that_runs_on_when_its_alert_is_closed_teaches_nothing_later_unless_that_was_usual() {
    for (verdict, count, teaches) in [
        (Verdict::Malicious, 0, [false, false]),
        (Verdict::Unclear, 1, [false, true]),
        (Verdict::Usual, 2, [true, true]),
    ] {
        let mut told = Told::new();
        let now = month(&mut told, false) + HOUR_S;
        raised(&mut told);
        // One that people are told of, and one behind it that they are not told of.
        let stranger =
            Say { session: "s1", user: "alice", address: "198.51.100.7", device: "KALI", ..Say::default() };
        let successor = Say { session: "s2", address: "198.51.100.9", device: "", ..stranger };
        let before = told.profile("alice").connections();
        told.hear(now, Say { status: START, ..stranger });
        let [alert] = &raised(&mut told)[..] else { panic!("no alert, or several") };
        tune(&mut told, deaf());
        told.hear(now + 60, Say { status: START, ..successor });
        assert_eq!(told.profile("alice").connections(), before + 1, "it taught");
        let decision = Decision {
            alert: alert.number,
            unix_ns: (now + 100) * NS,
            by: "uid 0".to_owned(),
            verdict: Some(verdict),
            comment: None,
        };
        told.fold.apply(1, Input::Decision(Box::new(decision)), &mut Addresses).unwrap();
        assert_eq!(told.profile("alice").connections(), before + count, "{verdict:?}");
        told.fold = service::fold::Fold::load(&told.fold.save().unwrap()).unwrap();
        // The device of the second comes to be known late; both end with much more than she ever has.
        let learned = |told: &Told| told.fold.profiles().save(Vec::new());
        for (session, is_taught) in [stranger, successor].into_iter().zip(teaches) {
            let (session, before) = (Say { device: "KALI-2", ..session }, learned(&told));
            told.hear(now + 600, Say { status: INTERIM, seconds: 600, octets: 10, ..session });
            told.hear(now + 1200, Say { status: STOP, seconds: 1200, octets: u32::MAX, ..session });
            assert_eq!(learned(&told) != before, is_taught, "{verdict:?} {}", session.session);
        }
        // Nothing is kept of what is over.
        let is_kept = told.fold.save().unwrap().windows(11).any(|octets| octets == b"\"rejected\":");
        assert!(!is_kept, "{verdict:?}");
    }
}
