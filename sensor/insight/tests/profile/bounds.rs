//! What bounds the memory, and what happens at the bound.

use insight::profile::{Feature, Observation, Options, Profiles, Value};

use crate::{DAY_S, MONDAY, at, ns, profiles, texts};

#[test]
fn a_million_devices_of_one_user_take_the_room_of_eight() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&Observation { device: Some("first"), ..at("alice", MONDAY, 0) });
    let before = profiles.octets();
    for number in 0..1_000_000u32 {
        let device = format!("DEVICE-{number}");
        let start_unix_ns = ns(MONDAY * DAY_S + 1 + number / 20);
        profiles.learn(&Observation { device: Some(&device), start_unix_ns, ..at("alice", MONDAY, 0) });
    }
    assert!(profiles.octets() < before + 64 * 1024, "{} octets", profiles.octets());
    let newest = texts(&profiles, "alice", Feature::Device);
    assert_eq!(newest.len(), 8);
    assert!(newest.iter().all(|device| device.starts_with("DEVICE-99999")), "{newest:?}");
    let profile = profiles.get("alice").unwrap();
    assert_eq!(profile.displaced(), u16::MAX);
    assert_eq!(profile.connections(), 255);
    assert_eq!(profile.values(Feature::Place)[0].connections, 15);
}

#[test]
fn the_value_that_was_not_seen_for_longest_leaves() {
    let mut profiles = profiles(MONDAY);
    for network in 0..16 {
        profiles.learn(&Observation {
            network: Some(network),
            address: None,
            ..at("alice", MONDAY, network)
        });
    }
    // The first is seen again.
    profiles.learn(&Observation { network: Some(0), address: None, ..at("alice", MONDAY, 20) });
    assert_eq!(profiles.get("alice").unwrap().displaced(), 0);
    profiles.learn(&Observation { network: Some(99), address: None, ..at("alice", MONDAY, 21) });
    let profile = profiles.get("alice").unwrap();
    assert_eq!(profile.values(Feature::Network).len(), 16);
    assert_eq!(profile.value(Feature::Network, Value::Network(1)), None);
    assert!(profile.value(Feature::Network, Value::Network(0)).is_some());
    assert_eq!(profile.displaced(), 1);
    // One that comes late is older than all.
    profiles.learn(&Observation { network: Some(100), address: None, ..at("alice", MONDAY - 1, 3) });
    let profile = profiles.get("alice").unwrap();
    assert_eq!(profile.value(Feature::Network, Value::Network(100)), None);
    assert_eq!(profile.displaced(), 2);
}

#[test]
fn beyond_the_bounds_new_users_and_values_are_counted() {
    let mut profiles =
        Profiles::new(Options { users_max: 2, values_max: 8, spilled_max: 0, ..Options::default() });
    profiles.advance(ns(MONDAY * DAY_S));
    for user in ["alice", "bob", "carol"] {
        profiles.learn(&at(user, MONDAY, 8));
    }
    assert_eq!((profiles.len(), profiles.counts().users_surplus), (2, 1));
    profiles.learn(&Observation { device: Some("PHONE"), ..at("bob", MONDAY, 9) });
    assert_eq!((profiles.values(), profiles.counts().values_surplus), (8, 1));
    assert_eq!(texts(&profiles, "bob", Feature::Device), ["LAPTOP-1"]);
    assert!(profiles.forget("alice"));
    assert!(profiles.forget("bob"));
    profiles.learn(&at("carol", MONDAY, 10));
    assert_eq!(texts(&profiles, "carol", Feature::Device), ["LAPTOP-1"]);
    // No list of its own is allowed: the seventeenth value lets one of its feature leave.
    for hour in 11..15 {
        profiles.forget("carol");
        profiles.learn(&at("carol", MONDAY, hour));
    }
    let mut profiles = Profiles::new(Options { spilled_max: 0, ..Options::default() });
    profiles.advance(ns(MONDAY * DAY_S));
    for network in 0..20 {
        profiles.learn(&Observation {
            network: Some(network),
            address: None,
            ..at("carol", MONDAY, network)
        });
    }
    assert_eq!(
        texts(&profiles, "carol", Feature::Network),
        ["19", "18", "17", "16", "15", "14", "13", "12", "11", "10"]
    );
}

#[test]
fn a_name_that_is_too_long_is_nobody() {
    let mut profiles = profiles(MONDAY);
    let long = "x".repeat(300);
    profiles.learn(&at(&long, MONDAY, 8));
    assert!(profiles.is_empty());
    assert_eq!(profiles.counts().users_surplus, 1);
}
