//! Clocks that jump.

use insight::profile::Feature;

use crate::{DAY_S, MONDAY, all, at, go_to, ns, profiles, texts};

#[test]
fn an_hour_of_a_wrong_clock_costs_nothing() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&at("alice", MONDAY, 8));
    let before = all(&profiles, "alice");
    for wrong in [MONDAY + 2000, MONDAY - 5000, 0, 49_000] {
        profiles.advance(ns(wrong * DAY_S));
        profiles.learn(&at("alice", wrong, 8));
        assert_eq!(all(&profiles, "alice"), before);
        profiles.advance(ns(MONDAY * DAY_S + 9 * 3600));
        assert_eq!(all(&profiles, "alice"), before);
    }
    assert_eq!(profiles.counts().outside, 4);
}

#[test]
fn a_clock_that_stays_is_believed_after_a_day() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&at("alice", MONDAY, 8));
    profiles.advance(ns((MONDAY + 40) * DAY_S));
    profiles.learn(&at("alice", MONDAY + 40, 8));
    assert_eq!(profiles.counts().outside, 1);
    go_to(&mut profiles, MONDAY + 41, MONDAY + 41);
    profiles.learn(&at("alice", MONDAY + 41, 8));
    // Nobody listened for longer than people are learned: she is learned from here on.
    let profile = profiles.get("alice").unwrap();
    assert_eq!((profile.connections(), profile.first_unix_s()), (1, (MONDAY + 41) * DAY_S));
}

#[test]
fn a_long_silence_is_no_learning_and_takes_nothing_from_whoever_was_learned() {
    for (begun, silent, is_anew) in [(29, 32, true), (30, 32, false), (29, 29, false)] {
        let mut profiles = profiles(MONDAY);
        profiles.learn(&at("alice", MONDAY, 8));
        go_to(&mut profiles, MONDAY + 1, MONDAY + begun);
        let back = MONDAY + begun + silent;
        go_to(&mut profiles, back - 1, back);
        profiles.learn(&at("alice", back, 8));
        let first = if is_anew { back * DAY_S } else { MONDAY * DAY_S + 8 * 3600 };
        let profile = profiles.get("alice").unwrap();
        assert_eq!(profile.first_unix_s(), first, "{begun} {silent}");
    }
}

#[test]
fn a_clock_that_was_ahead_for_days_is_put_back() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&at("alice", MONDAY, 8));
    go_to(&mut profiles, MONDAY + 1000, MONDAY + 1001);
    profiles.learn(&at("alice", MONDAY + 1001, 8));
    profiles.learn(&at("bob", MONDAY + 1001, 8));
    assert_eq!(profiles.get("alice").unwrap().connections(), 1);
    // What was learned ahead did not happen then.
    go_to(&mut profiles, MONDAY + 2, MONDAY + 3);
    for user in ["alice", "bob"] {
        assert_eq!(profiles.get(user).unwrap().connections(), 0);
        assert!(texts(&profiles, user, Feature::Place).is_empty());
        assert!(profiles.get(user).unwrap().last_unix_s() < (MONDAY + 5) * DAY_S);
    }
    assert_eq!((profiles.values(), profiles.everybody().connections()), (0, 0));
    profiles.learn(&at("bob", MONDAY + 3, 8));
    assert_eq!(profiles.get("bob").unwrap().connections(), 1);
    // A few days back: those of both windows stay.
    go_to(&mut profiles, MONDAY + 4, MONDAY + 10);
    profiles.learn(&at("bob", MONDAY + 10, 8));
    go_to(&mut profiles, MONDAY + 5, MONDAY + 6);
    let profile = profiles.get("bob").unwrap();
    assert_eq!(profile.connections(), 1);
    assert!(profile.values(Feature::Place)[0].last_unix_s < (MONDAY + 8) * DAY_S);
}

#[test]
fn minutes_ahead_of_midnight_are_learned() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&at("alice", MONDAY + 1, 0));
    assert_eq!(profiles.get("alice").unwrap().connections(), 1);
    profiles.learn(&at("alice", MONDAY + 2, 0));
    profiles.learn(&at("alice", MONDAY - 30, 23));
    assert_eq!(profiles.counts().outside, 2);
    profiles.learn(&at("alice", MONDAY - 29, 0));
    assert_eq!(profiles.get("alice").unwrap().connections(), 2);
}
