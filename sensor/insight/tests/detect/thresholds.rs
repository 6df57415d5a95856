//! What thresholds do that no other file looks at: that each changes what is said, and how.

use insight::{
    detect::{Assessment, Connection, Detection, Model, Severity, Spot, Thresholds},
    geo::NetworkKind,
};

use crate::{DAY_S, HOUR_S, MONDAY, NINE, Service, address, brazil, cable, has, home, hosting, kinds};

const PEOPLE: [&str; 9] = ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9"];

fn learned(thresholds: &Thresholds) -> Service {
    let mut service = Service::with(thresholds.clone());
    service.works(&["alice", "bob"]);
    service
}

fn model(model: Model) -> Thresholds {
    Thresholds { model, ..Thresholds::default() }
}

/// Another device in another network.
fn pair() -> Connection<'static> {
    Connection { device: Some("DESKTOP-66"), spot: cable(), remote: address("203.0.113.4"), ..home("alice") }
}

/// What one detection adds to the score, if it speaks.
fn added(assessment: &Assessment, detection: Detection) -> Option<f64> {
    let reason = assessment.reasons.iter().find(|reason| reason.detection == detection)?;
    Some(reason.log_ratio)
}

/// The lists of what happens and which weight is behind it.
type Weighed = (Detection, fn(&mut Thresholds) -> &mut f64, fn(&Thresholds) -> Assessment);

#[test]
fn a_rule_adds_to_the_score_what_its_weight_says_and_nothing_at_zero() {
    fn nine(thresholds: &Thresholds, connection: Connection<'_>) -> Assessment {
        learned(thresholds).opens(NINE, &connection)
    }
    fn far(device: Option<&'static str>) -> Connection<'static> {
        Connection { spot: brazil(), remote: address("203.0.113.4"), device, ..home("alice") }
    }
    /// One that is over, then another far away.
    fn travels(thresholds: &Thresholds, device: Option<&'static str>) -> Assessment {
        let mut service = learned(thresholds);
        service.opens(NINE, &home("alice"));
        service.ends(NINE + HOUR_S, &home("alice"), HOUR_S, 1000);
        service.opens(NINE + 2 * HOUR_S, &far(device))
    }
    fn dormant(thresholds: &Thresholds, connection: Connection<'_>) -> Assessment {
        learned(thresholds).opens((MONDAY + 60) * DAY_S, &connection)
    }
    let rules: [Weighed; 10] = [
        (Detection::ImpossibleTravel, |own| &mut own.weight_of_travel, |own| travels(own, Some("KALI"))),
        (
            Detection::ImpossibleTravel,
            |own| &mut own.weight_of_travel_known_device,
            |own| travels(own, home("alice").device),
        ),
        (
            Detection::SimultaneousSessions,
            |own| &mut own.weight_of_travel,
            |own| {
                let mut service = learned(own);
                service.opens(NINE, &home("alice"));
                service.opens(NINE + 600, &far(Some("KALI")))
            },
        ),
        (
            Detection::AddressChange,
            |own| &mut own.weight_of_change,
            |own| {
                let mut service = learned(own);
                service.opens(NINE, &home("alice"));
                let moved = Connection { session: service.sessions, ..far(home("alice").device) };
                service.detector.moved(&moved, (NINE + 60) * crate::SECOND, &service.profiles)
            },
        ),
        (
            Detection::FirstCountryForAll,
            |own| &mut own.weight_of_first_country,
            |own| nine(own, far(Some("KALI"))),
        ),
        (Detection::NewDeviceAndNetwork, |own| &mut own.weight_of_new_pair, |own| nine(own, pair())),
        (Detection::DormantUser, |own| &mut own.weight_of_dormant, |own| dormant(own, pair())),
        (Detection::DormantUser, |own| &mut own.weight_of_dormant_known, |own| dormant(own, home("alice"))),
        (
            Detection::UnusualVolume,
            |own| &mut own.weight_of_spread,
            |own| {
                let mut service = learned(own);
                service.opens(NINE, &home("alice"));
                service.ends(NINE + HOUR_S, &home("alice"), HOUR_S, 9_000_000_000)
            },
        ),
        (
            Detection::StopWithoutStart,
            |own| &mut own.weight_of_stops,
            |own| {
                let mut service = learned(own);
                service.go_to(NINE);
                let mut stop = || service.detector.stop_without_start("berlin", NINE * crate::SECOND);
                (0..30).map(|_| stop()).find(|said| !said.reasons.is_empty()).unwrap()
            },
        ),
    ];
    for (at, (detection, weight, happens)) in rules.into_iter().enumerate() {
        let mut thresholds = Thresholds::default();
        let usual = *weight(&mut thresholds);
        let by_default = happens(&thresholds);
        assert_eq!(added(&by_default, detection), Some(usual), "{at}: {by_default}");
        for other in [0.0, usual + 2.5] {
            *weight(&mut thresholds) = other;
            let said = happens(&thresholds);
            assert!((by_default.score - said.score - (usual - other)).abs() < 1e-9, "{at}: {said}");
            assert_eq!(said.is_alert, by_default.is_alert, "{at}: whether people are told is another matter");
        }
    }
}

#[test]
fn a_device_is_the_users_own_after_so_many_days() {
    let rejoins = |usual_days: u32| {
        let mut service = learned(&Thresholds { usual_days, ..Thresholds::default() });
        // Three days with a phone.
        let phone = Connection { device: Some("PHONE"), ..home("alice") };
        for day in 0..3 {
            let start = Connection { start_unix_ns: (NINE + day * DAY_S) * crate::SECOND, ..phone };
            service.go_to(NINE + day * DAY_S);
            service.profiles.learn(&start.observation());
        }
        let far = Connection { spot: brazil(), remote: address("203.0.113.4"), ..phone };
        service.opens(NINE + 3 * DAY_S, &home("alice"));
        service.opens(NINE + 3 * DAY_S + 600, &far)
    };
    for (usual_days, is_told) in [(2, false), (3, false), (4, true)] {
        let said = rejoins(usual_days);
        let told = said.reasons.iter().find(|one| one.detection == Detection::SimultaneousSessions);
        assert_eq!(told.unwrap().alert, is_told.then_some(Severity::High), "{usual_days}: {said}");
    }
}

#[test]
fn a_new_pair_waits_for_so_many_days_and_for_as_many_who_move() {
    let told = |new_pair_days: u32| {
        let thresholds = Thresholds { new_pair_days, ..Thresholds::default() };
        has(&learned(&thresholds).opens(NINE, &pair()), Detection::NewDeviceAndNetwork)
    };
    // Twenty working days of thirty.
    assert_eq!([5, 20, 21].map(told), [true, true, false]);
    let among = |new_pair_users: u32| {
        let mut service = Service::with(Thresholds { new_pair_users, ..Thresholds::default() });
        service.works(&PEOPLE);
        for user in &PEOPLE[..3] {
            service.opens(NINE, &Connection { spot: cable(), remote: address("203.0.113.4"), ..home(user) });
        }
        let moves = Connection { user: "a9", device: Some("DESKTOP-66"), ..pair() };
        has(&service.opens(NINE + HOUR_S, &moves), Detection::NewDeviceAndNetwork)
    };
    assert_eq!([2, 5].map(among), [false, true]);
}

#[test]
fn an_open_session_is_believed_for_so_long() {
    let says = |open_s: u32| {
        let mut service = learned(&Thresholds { open_s, ..Thresholds::default() });
        service.opens(NINE, &home("alice"));
        let said = service.opens(NINE + 2 * HOUR_S, &pair());
        said.reasons
            .iter()
            .any(|reason| reason.detection == Detection::SuspiciousConnection && reason.feature.is_none())
    };
    assert_eq!([36_000, 7_201, 7_200].map(says), [true, true, false]);
}

#[test]
fn an_address_counts_its_users_of_so_many_days_and_is_told_again_at_so_many_times_as_many() {
    let alerts = |thresholds: Thresholds, days: u64| {
        let mut service = Service::with(thresholds);
        service.works(&PEOPLE);
        let mut at = NINE;
        let mut said = Vec::new();
        for (user, number) in PEOPLE.iter().zip(1..) {
            let spray = Connection { user, device: Some("KALI"), ..pair() };
            let assessment = service.opens(at, &spray);
            let reasons = assessment.reasons.iter();
            let mut alerts =
                reasons.filter(|one| one.detection == Detection::OneAddressManyUsers && one.alert.is_some());
            said.extend(alerts.next().map(|reason| (number, reason.alert.unwrap(), reason.to_string())));
            at += days * DAY_S + 60;
        }
        said
    };
    let numbers = |said: &[(u32, Severity, String)]| {
        said.iter().map(|(number, severity, _)| (*number, *severity)).collect::<Vec<_>>()
    };
    let usual = alerts(Thresholds::default(), 0);
    assert_eq!(numbers(&usual), [(4, Severity::Medium), (8, Severity::High)]);
    assert!(usual[0].2.contains(", 4 users in two days; usual: 0"), "{}", usual[0].2);
    let half = alerts(Thresholds { users_per_address_again: 1.5, ..Thresholds::default() }, 0);
    assert_eq!(numbers(&half), [(4, Severity::Medium), (6, Severity::High), (9, Severity::High)]);
    // One a day: no two days have four.
    assert_eq!(numbers(&alerts(Thresholds::default(), 1)), []);
    let slow = alerts(Thresholds { users_per_address_days: 5, ..Thresholds::default() }, 1);
    assert_eq!(slow.len(), 1, "{slow:?}");
    assert!(slow[0].2.contains(", 4 users in 5 days; usual: 0"), "{}", slow[0].2);
}

#[test]
fn what_was_told_has_so_much_of_its_score() {
    let again = |repeated_part: f64| {
        let mut service = learned(&Thresholds { repeated_part, ..Thresholds::default() });
        let stranger = Connection { spot: hosting(), ..pair() };
        assert!(service.opens(NINE, &stranger).is_alert);
        let second = service.opens(NINE + DAY_S, &stranger);
        assert!(second.is_alert && second.is_repeat, "{second}");
        second.score
    };
    let [none, quarter, all] = [0.0, 0.25, 1.0].map(again);
    assert!(none == 0.0 && all > 1.0 && (quarter - all / 4.0).abs() < 1e-9, "{none} {quarter} {all}");
}

#[test]
fn parts_of_the_model_weigh_what_is_written() {
    let usual = Model::default;
    // Where she never was, bob was.
    let score = |own: Model, connection: &Connection<'_>| {
        let mut service = learned(&model(own));
        service.go_to(NINE);
        for spot in [cable(), brazil()] {
            let his = Connection { spot, start_unix_ns: NINE * crate::SECOND, ..home("bob") };
            service.profiles.learn(&his.observation());
        }
        service.opens(NINE, connection).score
    };
    // Another line of the provider, far from the one at home.
    let near = Connection { remote: address("192.10.1.7"), ..home("alice") };
    let new_network = Connection { device: home("alice").device, ..pair() };
    let unheard_of = Connection { spot: Spot { asn: Some(64_501), ..cable() }, ..new_network };
    let of_bob = Connection { device: home("bob").device, ..home("alice") };
    let abroad = Connection { spot: brazil(), remote: address("203.0.113.4"), ..home("alice") };
    let site = Connection { spot: Spot { is_own: true, ..Spot::default() }, ..home("alice") };
    let mobile = Connection { spot: Spot { kinds: kinds(&[NetworkKind::Mobile]), ..cable() }, ..new_network };
    let less: [(Model, &Connection<'_>); 9] = [
        (Model { weight_of_nearness: 0.0, ..usual() }, &near),
        (Model { unknown_to_all_max: 0.5, ..usual() }, &unheard_of),
        (Model { weight_of_all: 0.0, ..usual() }, &unheard_of),
        (Model { attacker_new_network: 0.0005, ..usual() }, &new_network),
        (Model { attacker_new_country: 0.0005, ..usual() }, &abroad),
        (Model { weight_of_shared_device: 5.0, ..usual() }, &of_bob),
        (Model { own_network: 3.0, ..usual() }, &site),
        (Model { mobile: 2.0, ..usual() }, &mobile),
        (Model { usual_hour_max: 2.0, ..usual() }, &new_network),
    ];
    for (at, (own, connection)) in less.into_iter().enumerate() {
        let (by_default, said) = (score(usual(), connection), score(own, connection));
        assert!(said < by_default - 0.1, "{at}: {said} {by_default}");
    }
}
