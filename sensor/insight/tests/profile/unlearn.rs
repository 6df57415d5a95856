//! What a connection taught is taken back: counts are what they would be without it.

use insight::profile::{Feature, Observation, Profiles, Value};
use proptest::prelude::*;

use crate::{DAY_S, MONDAY, all, at, end, profiles, texts};

/// Everything that does not say at which second something was seen.
fn counts(profiles: &Profiles, user: &str) -> String {
    let Some(profile) = profiles.get(user) else { return "nobody".to_owned() };
    let counts: Vec<_> = Feature::ALL
        .iter()
        .map(|feature| {
            let mut values = profile.values(*feature);
            values.sort_unstable_by_key(|usual| usual.value);
            let counts = |usual: &insight::profile::Usual<'_>| {
                format!("{:?} {} {} {}", usual.value, usual.connections, usual.days, usual.users)
            };
            (values.iter().map(counts).collect::<Vec<_>>(), profiles.everybody().connections_with(*feature))
        })
        .collect();
    format!("{} {} {counts:?} {:?}", profile.connections(), profile.days(), profile.lengths())
}

#[test]
fn a_strangers_connection_leaves_nothing_behind() {
    let mut profiles = profiles(MONDAY);
    (0..5).for_each(|ago| profiles.learn(&at("alice", MONDAY - ago, 8)));
    profiles.learn_end(&end("alice", MONDAY, 9, 3600, Some(1000)));
    let before = all(&profiles, "alice");
    let values = profiles.values();
    let strange = Observation {
        country: Some("BR"),
        place: Some("Recife, BR"),
        network: Some(64_500),
        address: Some(std::net::Ipv4Addr::new(198, 51, 100, 9).into()),
        device: Some("KALI"),
        ..at("alice", MONDAY, 3)
    };
    profiles.learn(&strange);
    profiles.learn_end(&end("alice", MONDAY, 4, 60, Some(1 << 40)));
    assert_ne!(all(&profiles, "alice"), before);
    assert!(profiles.unlearn(&strange));
    profiles.unlearn_end(&end("alice", MONDAY, 4, 60, Some(1 << 40)));
    // The last sign of life stays: it was one of the session's.
    let said = all(&profiles, "alice");
    assert_eq!(said, before.replace(&profiles_last(8), &profiles_last(9)));
    assert_eq!(profiles.values(), values);
}

/// As it stands in [`all`].
fn profiles_last(hour: u32) -> String {
    format!(" {} ", MONDAY * DAY_S + hour * 3600)
}

#[test]
fn a_user_who_was_only_the_stranger_is_forgotten() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&at("alice", MONDAY, 8));
    assert!(profiles.unlearn(&at("alice", MONDAY, 8)));
    assert_eq!((profiles.len(), profiles.values()), (0, 0));
    assert!(!profiles.unlearn(&at("alice", MONDAY, 8)));
}

#[test]
fn the_day_before_stands_for_when_a_value_was_seen_last() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&at("alice", MONDAY - 3, 8));
    profiles.learn(&at("alice", MONDAY, 8));
    profiles.unlearn(&at("alice", MONDAY, 8));
    let usual = profiles.get("alice").unwrap().values(Feature::Device)[0];
    assert_eq!(usual.value, Value::Text("LAPTOP-1"));
    assert_eq!(usual.last_unix_s, (MONDAY - 2) * DAY_S - 1);
    assert_eq!(texts(&profiles, "alice", Feature::Prefix), ["203.0.113.0/24"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_are_those_without_it(
        learned in proptest::collection::vec((0..30u32, 0..24u32, 0..3usize, 0..3usize), 0..40),
        taken_back in proptest::collection::vec((0..30u32, 0..24u32, 0..4usize, 0..4usize), 0..20),
    ) {
        let names = ["one", "two", "three", "four"];
        let seen = |&(ago, hour, device, place): &(u32, u32, usize, usize)| Observation {
            device: Some(names[device]),
            place: Some(names[place]),
            ..at("alice", MONDAY - ago, hour)
        };
        // Below the bound of fifteen a day, where counts stop.
        let mut of_day = [0; 30];
        let both: Vec<_> = learned.iter().map(|one| (one, false)).chain(taken_back.iter().map(|one| (one, true)))
            .filter(|(one, _)| { of_day[one.0 as usize] += 1; of_day[one.0 as usize] <= 15 })
            .collect();
        let (mut with, mut without) = (profiles(MONDAY), profiles(MONDAY));
        with.learn(&at("alice", MONDAY, 0));
        without.learn(&at("alice", MONDAY, 0));
        both.iter().for_each(|(one, _)| with.learn(&seen(one)));
        both.iter().filter(|(_, back)| !back).for_each(|(one, _)| without.learn(&seen(one)));
        both.iter().filter(|(_, back)| *back).for_each(|(one, _)| { with.unlearn(&seen(one)); });
        prop_assert_eq!(counts(&with, "alice"), counts(&without, "alice"));
        let loaded = Profiles::load(Default::default(), &with.save(Vec::new())).unwrap();
        prop_assert_eq!(all(&loaded, "alice"), all(&with, "alice"));
    }
}
