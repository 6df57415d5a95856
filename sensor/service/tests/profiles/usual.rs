//! Alerts that come behind the Start: closed as usual, what they held back is learned, and nothing else; closed as malicious,
//! what the session taught before is taken back, and nothing else.

use insight::{
    detect::Thresholds,
    profile::{Feature, Value},
};
use service::{
    Detecting,
    alert::{Alert, Verdict},
    fold::{Decision, Fold},
    inputs::Input,
};

use crate::{
    Addresses, HOUR_S, INTERIM, MONDAY_S, NS, START, STOP, Say, Told, month,
    taken_back::{raised, tune},
};

const HOME: &str = "203.0.113.1";
const FAR: &str = "198.51.100.7";
const TOR: &str = "192.0.2.7";

fn alice(session: &str) -> Say<'_> {
    Say { session, user: "alice", address: HOME, device: "PC-ALICE", ..Say::default() }
}

/// The one alert that was raised or changed since.
fn one(told: &mut Told) -> Alert {
    let raised = raised(told);
    let Some(alert) = raised.last() else { panic!("no alert") };
    assert!(raised.iter().all(|other| other.number == alert.number), "{raised:?}");
    alert.clone()
}

fn decide(told: &mut Told, alert: u64, verdict: Verdict, unix_s: u64) {
    let decision = Decision {
        alert,
        unix_ns: unix_s * NS,
        by: "uid 0".to_owned(),
        verdict: Some(verdict),
        comment: None,
    };
    told.fold.apply(told.sequence as i64, Input::Decision(Box::new(decision)), &mut Addresses).unwrap();
    raised(told);
    // What is held back outlives a restart.
    told.fold = Fold::load(&told.fold.save().unwrap()).unwrap();
}

/// In how many of the user's connections a value was.
fn seen(told: &Told, feature: Feature, value: Value<'_>) -> u32 {
    told.profile("alice").value(feature, value).map_or(0, |usual| usual.connections)
}

fn country(told: &Told, country: &str) -> u32 {
    seen(told, Feature::Country, Value::Text(country))
}

fn device(told: &Told, device: &str) -> u32 {
    seen(told, Feature::Device, Value::Text(device))
}

fn server(told: &Told) -> u32 {
    seen(told, Feature::Server, Value::Text("gateway"))
}

#[test]
fn somebody_who_keeps_moving_so_much_is_told_of_until_that_is_usual() {
    // Told at a sign of life, or at the end; closed before that, or behind it.
    for (has_interim, is_closed_early) in [(true, true), (true, false), (false, false)] {
        for verdict in [Verdict::Usual, Verdict::Unclear] {
            let mut told = Told::new();
            let now = month(&mut told, false) + HOUR_S;
            let thresholds = Thresholds { volume_octets_min: 1_000_000, ..Thresholds::default() };
            tune(&mut told, Detecting { thresholds, ..Detecting::default() });
            raised(&mut told);
            let nights = (0..6).map(|night| {
                let (at, session) = (now + 1500 * night, format!("backup-{night}"));
                let much = Say { seconds: 1200, octets: u32::MAX, ..alice(&session) };
                told.hear(at, Say { status: START, ..alice(&session) });
                if has_interim {
                    told.hear(at + 600, Say { status: INTERIM, seconds: 600, ..much });
                }
                let mut alert = raised(&mut told).pop();
                if let Some(alert) = alert.as_ref().filter(|_| is_closed_early) {
                    decide(&mut told, alert.number, verdict, at + 700);
                }
                told.hear(at + 1200, Say { status: STOP, ..much });
                if let Some(late) = raised(&mut told).pop() {
                    assert!(!is_closed_early, "its end is no news");
                    alert = Some(late);
                }
                if let Some(alert) = alert.as_ref().filter(|_| !is_closed_early) {
                    decide(&mut told, alert.number, verdict, at + 1300);
                }
                alert.is_some()
            });
            let nights: Vec<bool> = nights.collect();
            // Of the last twenty the greatest two are above what nine in ten have; the third is it.
            let expected = match verdict {
                Verdict::Usual => [true, true, true, false, false, false],
                _ => [true; 6],
            };
            assert_eq!(nights, expected, "{has_interim} {is_closed_early} {verdict:?}");
            assert_eq!(told.profile("alice").connections(), 22 + 6, "each began as usual");
        }
    }
}

#[test]
fn where_it_came_from_and_with_what_told_late_is_learned_without_another_connection() {
    for verdict in [Verdict::Usual, Verdict::Unclear, Verdict::Malicious] {
        let mut told = Told::new();
        let now = month(&mut told, false) + HOUR_S;
        raised(&mut told);
        let count = told.profile("alice").connections();
        let (home, laptop, gateway) = (country(&told, "FR"), device(&told, "PC-ALICE"), server(&told));
        let trip = |address, device| Say { address, device, ..alice("trip") };
        told.hear(now, Say { status: START, ..trip("", "") });
        assert!(raised(&mut told).is_empty(), "nothing is known of it");
        assert_eq!((told.profile("alice").connections(), server(&told)), (count + 1, gateway + 1));
        told.hear(now + 600, Say { status: INTERIM, seconds: 600, ..trip(FAR, "") });
        let alert = one(&mut told);
        assert_eq!(alert.connections[0].country.as_deref(), Some("CN"));
        // Her own laptop, as she had it today.
        told.hear(now + 1200, Say { status: INTERIM, seconds: 1200, ..trip(FAR, "PC-ALICE") });
        let completed = one(&mut told);
        assert_eq!(completed.connections[0].device.as_deref(), Some("PC-ALICE"), "its row says so");
        assert_eq!((country(&told, "CN"), device(&told, "PC-ALICE")), (0, laptop), "it is held back");
        decide(&mut told, alert.number, verdict, now + 1300);
        let learned = |told: &Told| {
            (told.profile("alice").connections(), server(told), country(told, "CN"), device(told, "PC-ALICE"))
        };
        let expected = match verdict {
            Verdict::Usual => (count + 1, gateway + 1, 1, laptop + 1),
            Verdict::Unclear => (count + 1, gateway + 1, 0, laptop),
            Verdict::Malicious => (count, gateway, 0, laptop),
        };
        assert_eq!((learned(&told), country(&told, "FR")), (expected, home), "{verdict:?}");
        told.hear(now + 1800, Say { status: STOP, seconds: 1800, ..trip(FAR, "PC-ALICE") });
        assert_eq!(learned(&told), expected, "once");
    }
}

#[test]
fn what_was_told_late_and_is_usual_is_expected_from_then_on() {
    for verdict in [Verdict::Usual, Verdict::Unclear] {
        let mut told = Told::new();
        let now = month(&mut told, false) + HOUR_S;
        raised(&mut told);
        let first = Say { address: "", device: "", ..alice("first") };
        let trip = Say { address: FAR, device: "PHONE", ..first };
        told.hear(now, Say { status: START, ..first });
        told.hear(now + 600, Say { status: INTERIM, seconds: 600, ..trip });
        let alert = one(&mut told);
        decide(&mut told, alert.number, verdict, now + 700);
        told.hear(now + 1200, Say { status: STOP, seconds: 1200, ..trip });
        raised(&mut told);
        told.hear(now + 1800, Say { status: START, session: "next", ..trip });
        assert_eq!(raised(&mut told).is_empty(), verdict == Verdict::Usual, "{verdict:?}");
    }
}

#[test]
fn what_comes_to_be_known_behind_the_decision_is_learned_where_that_was_usual() {
    for (verdict, count) in [(Verdict::Usual, 1), (Verdict::Malicious, 0)] {
        let mut told = Told::new();
        let now = month(&mut told, false) + HOUR_S;
        raised(&mut told);
        let laptop = device(&told, "PC-ALICE");
        let trip = Say { address: FAR, device: "", ..alice("trip") };
        told.hear(now, Say { status: START, ..trip });
        let alert = one(&mut told);
        decide(&mut told, alert.number, verdict, now + 100);
        told.hear(now + 600, Say { status: INTERIM, seconds: 600, device: "PC-ALICE", ..trip });
        assert_eq!(device(&told, "PC-ALICE"), laptop + count, "{verdict:?}");
        assert_eq!(country(&told, "CN"), count);
    }
}

#[test]
fn a_session_that_moved_teaches_where_to_and_takes_back_nothing_of_it() {
    for verdict in [Verdict::Usual, Verdict::Malicious] {
        let mut told = Told::new();
        let now = month(&mut told, false) + HOUR_S;
        // Tor is hers already, from a session of today: no rule but that of an address speaks.
        let before = Say { address: TOR, ..alice("tor") };
        told.hear(now, Say { status: START, ..before });
        let alert = one(&mut told);
        told.hear(now + 60, Say { status: STOP, seconds: 60, ..before });
        decide(&mut told, alert.number, Verdict::Usual, now + 70);
        let mut was = (country(&told, "DE"), country(&told, "FR"), device(&told, "PC-ALICE"));
        assert_eq!(was.0, 1);
        let count = told.profile("alice").connections();
        let thresholds = Thresholds { volume_octets_min: 1_000_000, ..Thresholds::default() };
        tune(&mut told, Detecting { thresholds, ..Detecting::default() });

        told.hear(now + HOUR_S, Say { status: START, ..alice("moves") });
        let moved = Say { address: TOR, ..alice("moves") };
        told.hear(now + HOUR_S + 300, Say { status: INTERIM, seconds: 300, octets: 1, ..moved });
        assert!(raised(&mut told).is_empty(), "it may be there");
        told.hear(now + HOUR_S + 600, Say { status: INTERIM, seconds: 600, octets: u32::MAX, ..moved });
        let alert = one(&mut told);
        assert_eq!(alert.connections[0].country.as_deref(), Some("DE"));
        decide(&mut told, alert.number, verdict, now + HOUR_S + 700);
        let (connections, of_device) = match verdict {
            Verdict::Usual => {
                was.0 += 1;
                (count + 1, was.2 + 1)
            }
            _ => (count, was.2),
        };
        // Where it was first stays: that was as always.
        assert_eq!((country(&told, "DE"), country(&told, "FR")), (was.0, was.1 + 1), "{verdict:?}");
        assert_eq!(told.profile("alice").connections(), connections, "{verdict:?}");
        assert_eq!(device(&told, "PC-ALICE"), of_device, "{verdict:?}");
    }
}

#[test]
fn how_a_session_ended_that_fell_silent_meanwhile_is_learned_once() {
    // Before it falls silent; while it is; once it lives again; when it is over.
    for decided in 0..4 {
        let mut told = Told::new();
        let zoe = Say { session: "z", user: "zoe", address: TOR, device: "PC", ..Say::default() };
        let bob = Say { session: "b", user: "bob", address: HOME, device: "PC-BOB", ..Say::default() };
        told.hear(MONDAY_S, Say { status: START, ..zoe });
        let alert = one(&mut told).number;
        let mut step = 0;
        let mut may_decide = |told: &mut Told, unix_s| {
            if step == decided {
                decide(told, alert, Verdict::Usual, unix_s);
            }
            step += 1;
        };
        for minute in 1..=3 {
            told.hear(MONDAY_S + minute * 600, Say { status: INTERIM, seconds: minute as u32 * 600, ..zoe });
        }
        may_decide(&mut told, MONDAY_S + 1900);
        told.hear(MONDAY_S + 2400, Say { status: START, ..bob });
        for minute in 5..30 {
            let seconds = minute as u32 * 600 - 2400;
            told.hear(MONDAY_S + minute * 600, Say { status: INTERIM, seconds, ..bob });
        }
        may_decide(&mut told, MONDAY_S + 17_900);
        told.hear(MONDAY_S + 18_000, Say { status: INTERIM, seconds: 18_000, ..zoe });
        may_decide(&mut told, MONDAY_S + 18_100);
        told.hear(MONDAY_S + 18_600, Say { status: STOP, seconds: 18_600, ..zoe });
        may_decide(&mut told, MONDAY_S + 18_700);
        let profile = told.profile("zoe");
        let lengths = profile.lengths().map_or(0, |spread| spread.connections);
        assert_eq!((profile.connections(), lengths), (1, 1), "{decided}");
    }
}

#[test]
fn what_nobody_found_out_about_is_not_learned_twice_when_the_next_alert_was_usual() {
    let mut told = Told::new();
    let now = month(&mut told, false) + HOUR_S;
    let thresholds = Thresholds { volume_octets_min: 1_000_000, ..Thresholds::default() };
    tune(&mut told, Detecting { thresholds, ..Detecting::default() });
    raised(&mut told);
    let count = told.profile("alice").connections();
    let hers = alice("long");
    told.hear(now, Say { status: START, ..hers });
    told.hear(now + 600, Say { status: INTERIM, seconds: 600, octets: u32::MAX, ..hers });
    let alert = one(&mut told);
    decide(&mut told, alert.number, Verdict::Unclear, now + 700);
    told.hear(now + 1200, Say { status: INTERIM, seconds: 1200, octets: u32::MAX, address: TOR, ..hers });
    let again = one(&mut told);
    assert_ne!(again.number, alert.number);
    decide(&mut told, again.number, Verdict::Usual, now + 1300);
    let profile = told.profile("alice");
    assert_eq!((profile.connections(), country(&told, "DE")), (count + 1, 1));
}
