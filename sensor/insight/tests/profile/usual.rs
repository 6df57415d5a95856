//! What a profile says, by example.

use insight::profile::{Feature, Learned, Learning, Observation, Share, Value};

use crate::{DAY_S, MONDAY, all, at, end, go_to, ns, profiles, texts};

#[test]
fn it_says_how_often_and_when() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&at("alice", MONDAY, 8));
    profiles.learn(&at("alice", MONDAY, 13));
    go_to(&mut profiles, MONDAY, MONDAY + 3);
    profiles.learn(&Observation { network: Some(12322), ..at("alice", MONDAY + 3, 8) });
    let profile = profiles.get("alice").unwrap();
    assert_eq!((profile.connections(), profile.days()), (3, 2));
    let networks = profile.values(Feature::Network);
    assert_eq!(networks.len(), 2);
    let usual = networks[0];
    assert_eq!((usual.value, usual.connections, usual.days), (Value::Network(3215), 2, 1));
    assert_eq!(usual.first_unix_s, MONDAY * DAY_S + 8 * 3600);
    assert_eq!(usual.last_unix_s, MONDAY * DAY_S + 13 * 3600);
    assert_eq!(profile.value(Feature::Network, Value::Network(12322)).unwrap().connections, 1);
    assert_eq!(profile.value(Feature::Network, Value::Network(1)), None);
    assert_eq!(profile.connections_with(Feature::Network), (3, 2));
    let hours = profile.hours();
    let set: Vec<usize> = (0..168).filter(|hour| hours[*hour] > 0).collect();
    assert_eq!(set, [8, 13, 3 * 24 + 8]);
    assert_eq!(texts(&profiles, "alice", Feature::Kinds), ["fixed-line"]);
    assert!(profiles.get("bob").is_none());
}

#[test]
fn what_is_known_late_is_added_and_counts_no_second_connection() {
    let mut profiles = profiles(MONDAY);
    let bare = Observation {
        user: "alice",
        start_unix_ns: ns(MONDAY * DAY_S),
        is_connection: true,
        server: Some("paris"),
        ..Observation::default()
    };
    profiles.learn(&bare);
    let late = Observation { is_connection: false, server: None, device: Some("LAPTOP-1"), ..bare };
    profiles.learn(&late);
    let profile = profiles.get("alice").unwrap();
    assert_eq!(profile.connections(), 1);
    assert_eq!(profile.value(Feature::Device, Value::Text("LAPTOP-1")).unwrap().connections, 1);
    assert_eq!(profile.value(Feature::Server, Value::Text("paris")).unwrap().connections, 1);
}

#[test]
fn it_is_learned_after_thirty_days_and_five_connections() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&at("alice", MONDAY, 8));
    let young = MONDAY * DAY_S + 8 * 3600 + 30 * DAY_S;
    let learned = |profiles: &insight::profile::Profiles, unix_s| {
        profiles.get("alice").unwrap().learned(unix_s, Learning::default())
    };
    assert_eq!(learned(&profiles, young - 1), Learned::Young { until_unix_s: young });
    assert_eq!(learned(&profiles, young), Learned::Few { connections: 1, needed: 5 });
    go_to(&mut profiles, MONDAY, MONDAY + 31);
    for day in 20..25 {
        profiles.learn(&at("alice", MONDAY + day, 8));
    }
    assert_eq!(learned(&profiles, young + DAY_S), Learned::Yes);
    // Thirty days later there are none.
    go_to(&mut profiles, MONDAY + 31, MONDAY + 61);
    assert_eq!(learned(&profiles, young + 31 * DAY_S), Learned::Few { connections: 0, needed: 5 });
    assert_eq!(profiles.get("alice").unwrap().first_unix_s(), MONDAY * DAY_S + 8 * 3600);
}

#[test]
fn from_when_on_it_is_learned_is_the_rule_that_is_asked_by() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&at("alice", MONDAY, 8));
    let first = MONDAY * DAY_S + 8 * 3600;
    let by = |profiles: &insight::profile::Profiles, unix_s, days, connections_min| {
        profiles.get("alice").unwrap().learned(unix_s, Learning { days, connections_min })
    };
    assert_eq!(by(&profiles, first + DAY_S - 1, 1, 1), Learned::Young { until_unix_s: first + DAY_S });
    assert_eq!(by(&profiles, first + DAY_S, 1, 1), Learned::Yes);
    assert_eq!(by(&profiles, first + DAY_S, 1, 2), Learned::Few { connections: 1, needed: 2 });
    // Of one day 255 are counted: as many as can be asked for.
    for _ in 0..300 {
        profiles.learn(&at("alice", MONDAY, 9));
    }
    assert_eq!(by(&profiles, first + DAY_S, 1, 255), Learned::Yes);
    assert_eq!(by(&profiles, first + DAY_S, 1, 256), Learned::Few { connections: 255, needed: 256 });
    // The first connection is known for longer than what the window holds.
    go_to(&mut profiles, MONDAY, MONDAY + 91);
    profiles.learn(&at("alice", MONDAY + 90, 8));
    assert_eq!(
        by(&profiles, first + 90 * DAY_S - 1, 90, 1),
        Learned::Young { until_unix_s: first + 90 * DAY_S }
    );
    assert_eq!(by(&profiles, first + 90 * DAY_S, 90, 1), Learned::Yes);
}

#[test]
fn a_past_that_is_told_today_teaches_at_once() {
    let mut profiles = profiles(MONDAY);
    // As a server tells that was away, or one whose past is read in. No configuration believes more than 90 days.
    for day in [MONDAY - 91, MONDAY + 40] {
        profiles.learn(&at("alice", day, 8));
        assert!(profiles.get("alice").is_none());
    }
    for day in MONDAY - 33..MONDAY {
        profiles.learn(&at("alice", day, 8));
    }
    let profile = profiles.get("alice").unwrap();
    assert_eq!(profile.first_unix_s(), (MONDAY - 33) * DAY_S + 8 * 3600);
    assert_eq!((profile.connections(), profile.days()), (29, 29), "only the window's days are usual");
    assert_eq!(profile.learned(MONDAY * DAY_S, Learning::default()), Learned::Yes);
}

#[test]
fn days_fall_out_of_user_and_population() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&at("alice", MONDAY, 8));
    profiles.learn(&at("bob", MONDAY, 8));
    go_to(&mut profiles, MONDAY, MONDAY + 1);
    profiles.learn(&Observation { device: Some("PHONE"), ..at("alice", MONDAY + 1, 9) });
    let everybody = |profiles: &insight::profile::Profiles| {
        let everybody = profiles.everybody();
        let share = |value| everybody.share(Feature::Device, Value::Text(value));
        (
            everybody.connections(),
            everybody.connections_with(Feature::Device),
            share("LAPTOP-1"),
            share("PHONE"),
            everybody.hours()[8],
        )
    };
    let share = |users, connections| Share { users, connections };
    assert_eq!(everybody(&profiles), (3, 3, share(2, 2), share(1, 1), 2));
    go_to(&mut profiles, MONDAY + 1, MONDAY + 29);
    assert_eq!(everybody(&profiles), (3, 3, share(2, 2), share(1, 1), 2));
    go_to(&mut profiles, MONDAY + 29, MONDAY + 30);
    assert_eq!(everybody(&profiles), (1, 1, share(0, 0), share(1, 1), 0));
    assert_eq!(texts(&profiles, "alice", Feature::Device), ["PHONE"]);
    go_to(&mut profiles, MONDAY + 30, MONDAY + 31);
    assert_eq!(everybody(&profiles), (0, 0, share(0, 0), share(0, 0), 0));
    assert_eq!(profiles.values(), 0);
    assert_eq!(profiles.len(), 2);
    // Half a year later they are strangers.
    go_to(&mut profiles, MONDAY + 31, MONDAY + 181);
    assert_eq!(profiles.len(), 1);
    go_to(&mut profiles, MONDAY + 181, MONDAY + 182);
    assert!(profiles.is_empty());
}

#[test]
fn lengths_and_volumes_are_those_of_the_newest() {
    let mut profiles = profiles(MONDAY);
    profiles.learn(&at("alice", MONDAY, 8));
    for hour in 0..10u32 {
        let seconds = u64::from(hour + 1) * 600;
        profiles.learn_end(&end(
            "alice",
            MONDAY,
            10 + hour,
            seconds,
            (hour % 2 == 0).then_some(seconds << 20),
        ));
    }
    // Nobody is known by this.
    profiles.learn_end(&end("bob", MONDAY, 10, 5, None));
    let profile = profiles.get("alice").unwrap();
    let lengths = profile.lengths().unwrap();
    assert_eq!(lengths.connections, 10);
    assert!(lengths.median.abs_diff(3000) < 180 && lengths.nine_in_ten.abs_diff(5400) < 330, "{lengths:?}");
    let volumes = profile.volumes().unwrap();
    assert_eq!(volumes.connections, 5);
    assert!(volumes.median.abs_diff(3000 << 20) < 180 << 20, "{volumes:?}");
    let before = all(&profiles, "bob");
    assert_eq!(before, "nobody");
}
