//! Raised once, repeated at most daily, over once: whatever comes and goes.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::{
    alert::Severity,
    health::board::{Board, Finding},
};

fn finding(subject: &str, severity: Severity) -> Finding {
    Finding {
        condition: Condition::WrongSecret,
        subject: subject.to_owned(),
        severity,
        since_unix_ns: START_S * 1_000_000_000,
        message: "It is so.".to_owned(),
        advice: vec!["Mend it.".to_owned()],
    }
}

fn round(subjects: &[&str]) -> Round {
    let findings = subjects.iter().map(|subject| finding(subject, Severity::High)).collect();
    Round { findings, ..Round::default() }
}

#[test]
fn a_message_says_what_since_when_what_to_do_and_where_to_read_on() {
    let mut board = Board::new(Vec::new());
    let told = board.take(round(&["branch"]), at(HOUR));
    assert_eq!(short(&told), ["+wrong-secret branch"]);
    assert_eq!(told[0].message, "It is so. Since 2026-09-21 14:13:20 UTC.");
    assert_eq!(
        told[0].advice,
        ["Mend it.", "The runbook of this product has more, in its section 'wrong-secret'."]
    );
    let told = board.take(round(&[]), at(3 * HOUR));
    assert_eq!(short(&told), ["-wrong-secret branch"]);
    let over = "Requests of the client \"branch\" verify. It lasted 3 h, since 2026-09-21 14:13:20 UTC.";
    assert_eq!(told[0].message, over);
}

#[test]
fn what_grows_worse_is_told_at_once_and_what_can_wait_weekly() {
    let mut board = Board::new(Vec::new());
    let mut take = |severity, running| {
        let findings = vec![finding("branch", severity)];
        board.take(Round { findings, ..Round::default() }, at(running)).len()
    };
    assert_eq!(take(Severity::Low, HOUR), 1);
    assert_eq!(take(Severity::Low, 3 * DAY), 0);
    assert_eq!(take(Severity::Low, 8 * DAY), 1);
    assert_eq!(take(Severity::Medium, 8 * DAY + HOUR), 1);
    assert_eq!(take(Severity::Medium, 9 * DAY), 0);
    assert_eq!(take(Severity::Medium, 9 * DAY + 2 * HOUR), 1);
}

#[test]
fn what_cannot_be_told_now_goes_on_standing() {
    let mut board = Board::new(Vec::new());
    board.take(round(&["a", "b"]), at(HOUR));
    let undecided = Round { undecided: vec![Condition::WrongSecret], ..Round::default() };
    assert!(board.take(undecided, at(2 * HOUR)).is_empty());
    let held = Round { held: vec![(Condition::WrongSecret, "a".to_owned())], ..Round::default() };
    assert_eq!(short(&board.take(held, at(2 * HOUR))), ["-wrong-secret b"]);
}

#[test]
fn what_stands_is_bounded() {
    let mut board = Board::new(Vec::new());
    let names: Vec<String> = (0..STANDING_MAX + 100).map(|number| format!("{number:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(board.take(round(&names), at(HOUR)).len(), STANDING_MAX);
    assert_eq!(board.take(round(&names), at(HOUR)).len(), 0);
    // Some are over and make room for some of the others.
    let told = board.take(round(&names[50..]), at(2 * HOUR));
    assert_eq!(told.iter().filter(|health| health.is_over).count(), 50);
    assert_eq!(told.len(), 100);
}

proptest! {
    #[test]
    fn each_is_raised_once_repeated_at_most_daily_and_over_once(
        looks in prop::collection::vec((prop::collection::btree_set(0..4_u8, 0..4), 1..40_u64, any::<bool>()), 1..80)
    ) {
        let mut board = Board::new(Vec::new());
        let mut running = Duration::ZERO;
        let mut stands: HashMap<String, Duration> = HashMap::new();
        for (subjects, hours, restarts) in looks {
            running += hours as u32 * HOUR;
            if restarts {
                board = Board::new(board.standing().cloned().collect());
            }
            let names: Vec<String> = subjects.iter().map(u8::to_string).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            for health in board.take(round(&names), at(running)) {
                let subject = health.about.unwrap();
                if health.is_over {
                    prop_assert!(!names.contains(&subject.as_str()));
                    prop_assert!(stands.remove(&subject).is_some(), "over, and it did not stand");
                } else {
                    prop_assert!(names.contains(&subject.as_str()));
                    let before = stands.insert(subject, running);
                    prop_assert!(before.is_none_or(|before| running - before >= DAY));
                }
            }
            let mut standing: Vec<&str> = stands.keys().map(String::as_str).collect();
            standing.sort_unstable();
            prop_assert_eq!(standing, names);
        }
    }
}
