//! One address, many users; Stops without a Start.

use insight::detect::{Assessment, Connection, Detection, Detector, Measure, Severity, Thresholds};

use crate::{DAY_S, HOUR_S, MONDAY, NINE, SECOND, Service, address, cable, home, hosting};

const PEOPLE: [&str; 9] = ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9"];

fn sprayed(user: &str) -> Connection<'_> {
    Connection { device: Some("DESKTOP-66"), spot: cable(), remote: address("198.51.100.9"), ..home(user) }
}

fn told(assessment: &Assessment) -> Option<u64> {
    let mut reasons = assessment.reasons.iter();
    let reason = reasons.find(|reason| reason.detection == Detection::OneAddressManyUsers)?;
    let Measure::Users { seen, .. } = reason.measure else { return None };
    Some(seen.into())
}

#[test]
fn passwords_that_fit_many_are_told_at_the_fourth_and_the_eighth() {
    let mut service = Service::new();
    service.works(&PEOPLE);
    let mut at = NINE;
    let counts: Vec<Option<u64>> = PEOPLE
        .iter()
        .map(|user| {
            at += 600;
            told(&service.opens(at, &sprayed(user)))
        })
        .collect();
    assert_eq!(counts, [None, None, None, Some(4), Some(5), Some(6), Some(7), Some(8), Some(9)]);
    // Of colleagues with their laptops in one hotel nothing is said.
    let mut service = Service::new();
    service.works(&PEOPLE);
    for user in PEOPLE {
        let hotel = Connection { device: home(user).device, ..sprayed(user) };
        assert_eq!(told(&service.opens(NINE, &hotel)), None);
    }
    // Nor on more than two days.
    let mut service = Service::new();
    service.works(&PEOPLE);
    for (day, user) in (0..).step_by(2).zip(PEOPLE) {
        assert_eq!(told(&service.opens(NINE + day * DAY_S, &sprayed(user))), None);
    }
}

/// Each device has an address of its own there, and another one every day: what they share is the line's network.
#[test]
fn of_ipv6_many_users_are_those_of_one_line() {
    let mut service = Service::new();
    service.works(&PEOPLE);
    let mut come = |at: u64, user: &str, remote: &str| -> Assessment {
        let remote = address(remote);
        assert!(remote.is_some());
        service.opens(at, &Connection { remote, ..sprayed(user) })
    };
    let of_lines: Vec<_> = PEOPLE
        .iter()
        .enumerate()
        .map(|(line, user)| told(&come(NINE, user, &format!("2001:db8:9:{line}::1"))))
        .collect();
    assert_eq!(of_lines, [None; 9], "neighbours");
    let seen: Vec<Assessment> = PEOPLE
        .iter()
        .enumerate()
        .map(|(device, user)| come(NINE + HOUR_S, user, &format!("2001:db8:1:2:{}:beef:0:1", device + 1)))
        .collect();
    let counts: Vec<_> = seen.iter().map(told).collect();
    assert_eq!(counts, [None, None, None, Some(4), Some(5), Some(6), Some(7), Some(8), Some(9)]);
    let text = "one network, from which many connect to whom it is new: 2001:db8:1:2::/64, ";
    assert!(seen[3].to_string().contains(text), "{}", seen[3]);
    // What a person says of one of its addresses is said of the line.
    service.detector.share("2001:db8:1:2::77".parse().unwrap());
    let shared = Connection { remote: address("2001:db8:1:2:a::1"), ..sprayed("a1") };
    assert_eq!(told(&service.opens(NINE + 2 * HOUR_S, &shared)), None);
}

#[test]
fn the_normal_count_of_an_address_is_learned() {
    // Without devices colleagues cannot be told from strangers: a hotel where five were last week.
    let people: Vec<String> = (0..30).map(|at| format!("p{at}")).collect();
    let names: Vec<&str> = people.iter().map(String::as_str).collect();
    let mut service = Service::new();
    for user in &names {
        service.opens((MONDAY - 3) * DAY_S, &Connection { device: None, ..home(user) });
    }
    let mut come = |day: u64, users: &[&str]| -> Vec<Option<u64>> {
        let at = NINE + day * DAY_S;
        users
            .iter()
            .map(|user| told(&service.opens(at, &Connection { device: None, ..sprayed(user) })))
            .collect()
    };
    assert_eq!(come(0, &names[..5])[3..], [Some(4), Some(5)]);
    assert_eq!(come(7, &names[5..20]).into_iter().flatten().count(), 0);
    // Fifteen were the most: now forty-six would be too many, and thirty are not there.
    assert_eq!(come(14, &names[20..]).into_iter().flatten().count(), 0);
}

#[test]
fn an_alert_comes_at_twice_as_many_not_at_each() {
    let mut service = Service::new();
    service.works(&PEOPLE);
    let alerts: Vec<bool> = PEOPLE
        .iter()
        .map(|user| {
            let from = Connection { device: None, software: None, spot: hosting(), ..sprayed(user) };
            let assessment = service.opens(NINE, &from);
            // Of the rule, not of the score, which has its own to say of servers for rent.
            let mut reasons = assessment.reasons.iter();
            assessment.severity == Severity::High
                && reasons.any(|it| it.detection == Detection::OneAddressManyUsers && it.alert.is_some())
        })
        .collect();
    assert_eq!(alerts, [false, false, false, true, false, false, false, true, false]);
}

#[test]
fn twice_as_many_as_it_takes_are_urgent() {
    let mut service = Service::new();
    service.works(&PEOPLE);
    let severities: Vec<Option<Severity>> = PEOPLE
        .iter()
        .map(|user| {
            let assessment = service.opens(NINE, &sprayed(user));
            let mut reasons = assessment.reasons.iter();
            reasons.find(|reason| reason.detection == Detection::OneAddressManyUsers)?.alert
        })
        .collect();
    let (medium, high) = (Some(Severity::Medium), Some(Severity::High));
    assert_eq!(severities, [None, None, None, medium, None, None, None, high, None]);
}

#[test]
fn who_is_counted_is_said_from_the_first_on() {
    let mut service = Service::new();
    service.works(&PEOPLE);
    assert!(service.opens(NINE, &sprayed("a1")).is_stranger);
    let colleague = Connection { device: home("a2").device, ..sprayed("a2") };
    assert!(!service.opens(NINE, &colleague).is_stranger);
    assert!(!service.opens(NINE, &home("a3")).is_stranger);
}

#[test]
fn of_whom_nobody_wants_to_hear_is_not_counted_and_loses_nobody_elses_alert() {
    let speaks = |assessment: &Assessment| {
        let mut reasons = assessment.reasons.iter();
        reasons.any(|it| it.detection == Detection::OneAddressManyUsers && it.alert.is_some())
    };
    // Who of them is excluded; at whose connection people are told, and how many were counted then.
    for (excluded, expected) in [
        (&[][..], Some(("a4", 4))),
        (&["a4"], Some(("a5", 4))),
        (&["a1"], Some(("a5", 4))),
        (&["a2", "a3"], Some(("a6", 4))),
        (&["a2", "a3", "a4", "a5", "a6", "a7"], None),
        (&PEOPLE[..], None),
    ] {
        let mut service = Service::new();
        service.works(&PEOPLE);
        let mut first = None;
        for user in PEOPLE {
            let is_excluded = excluded.contains(&user);
            let assessment = service.opens(NINE, &Connection { is_excluded, ..sprayed(user) });
            assert!(!is_excluded || !speaks(&assessment), "{user} {excluded:?}");
            if speaks(&assessment) {
                first = first.or_else(|| Some((user, told(&assessment)?)));
            }
        }
        assert_eq!(first, expected, "{excluded:?}");
    }
    // What the rule adds to a score it adds to that of an excluded one, too, where the others are many.
    let mut service = Service::new();
    service.works(&PEOPLE);
    PEOPLE[..5].iter().for_each(|user| drop(service.opens(NINE, &sprayed(user))));
    let excluded = service.opens(NINE, &Connection { is_excluded: true, ..sprayed("a6") });
    assert_eq!(told(&excluded), Some(5));
    assert_eq!(told(&service.opens(NINE, &sprayed("a7"))), Some(6));
}

#[test]
fn an_address_that_many_are_known_to_share_is_not_told_of_again() {
    for address in ["198.51.100.9", "::ffff:198.51.100.9"] {
        let mut service = Service::new();
        service.works(&PEOPLE);
        for user in &PEOPLE[..4] {
            service.opens(NINE, &sprayed(user));
        }
        service.detector.share(address.parse().unwrap());
        let save = service.detector.save(Vec::new()).unwrap();
        service.detector = Detector::load(Thresholds::default(), &save).unwrap();
        for (day, user) in [(0, "a5"), (0, "a6"), (5, "a7"), (5, "a8"), (9, "a9")] {
            let assessment = service.opens(NINE + day * DAY_S, &sprayed(user));
            assert!(told(&assessment).is_none() && !assessment.is_stranger, "{assessment}");
        }
        // Neither is one that nobody has told of yet.
        service.detector.share("203.0.113.9".parse().unwrap());
        let elsewhere = Connection { remote: self::address("203.0.113.9"), ..sprayed("a1") };
        assert!(!service.opens(NINE + 9 * DAY_S, &elsewhere).is_stranger);
    }
}

#[test]
fn at_an_address_of_strangers_the_next_one_is_told_at_once_and_many_are_not_usual() {
    let people: Vec<String> = (0..18).map(|at| format!("p{at}")).collect();
    let names: Vec<&str> = people.iter().map(String::as_str).collect();
    let run = |is_judged: bool| {
        let mut service = Service::new();
        service.works(&names);
        let mut speaks = |day: u64, user: &str| {
            let assessment = service.opens(NINE + day * DAY_S, &sprayed(user));
            if is_judged && user == "p5" {
                service.detector.suspect("198.51.100.9".parse().unwrap());
            }
            let mut reasons = assessment.reasons.iter();
            reasons.any(|reason| reason.detection == Detection::OneAddressManyUsers && reason.alert.is_some())
        };
        let days = |at: usize| if at < 9 { 0 } else { 7 };
        let told = names.iter().enumerate().filter(|(at, user)| speaks(days(*at), user));
        told.map(|(at, _)| at).collect::<Vec<_>>()
    };
    assert_eq!(run(false), [3, 7]);
    assert_eq!(run(true), [3, 6, 12, 16]);
}

#[test]
fn somebody_who_uses_up_the_room_for_addresses_does_not_make_the_shared_ones_forgotten() {
    let mut service = Service::new();
    service.works(&PEOPLE);
    service.detector.share("198.51.100.9".parse().unwrap());
    service.go_to(NINE);
    for at in 0..12_000u32 {
        let remote = Some(std::net::Ipv4Addr::from_bits(0x0a00_0000 | at << 8).into());
        for (session, user) in ["a8", "a9"].into_iter().enumerate() {
            let session = u64::from(at) << 1 | session as u64 | 1 << 40;
            let flood = Connection { session, remote, start_unix_ns: NINE * SECOND, ..sprayed(user) };
            service.detector.opened(&flood, &service.profiles);
        }
    }
    for user in &PEOPLE[..7] {
        assert_eq!(told(&service.opens(NINE, &sprayed(user))), None);
    }
}

fn stops(service: &mut Service, server: &str, unix_s: u64, count: usize) -> Vec<u64> {
    service.go_to(unix_s);
    let mut stop = |at: u64| service.detector.stop_without_start(server, (unix_s + at) * SECOND);
    let alerts = (0..count as u64).filter(|at| stop(*at % 60).is_alert);
    alerts.collect()
}

#[test]
fn stops_that_no_session_began_with_are_told_from_the_second_day_on() {
    let mut service = Service::new();
    assert_eq!(stops(&mut service, "berlin", NINE, 500), []);
    assert_eq!(stops(&mut service, "berlin", NINE + DAY_S - 61, 100), []);
    // The twentieth of an hour, once.
    assert_eq!(stops(&mut service, "berlin", NINE + DAY_S + HOUR_S, 19), []);
    assert_eq!(stops(&mut service, "berlin", NINE + DAY_S + HOUR_S + 60, 50), [0]);
    // Another hour, another alert; what was told is not usual.
    assert_eq!(stops(&mut service, "berlin", NINE + DAY_S + 2 * HOUR_S, 50), [19]);
    // Another VPN server is learned by itself.
    assert_eq!(stops(&mut service, "paris", NINE + DAY_S + 2 * HOUR_S, 50), []);
    // A gap of ours.
    let mut service = Service::new();
    stops(&mut service, "berlin", NINE, 1);
    service.detector.gap((NINE + 5 * DAY_S) * SECOND);
    assert_eq!(stops(&mut service, "berlin", NINE + 6 * DAY_S - 61, 50), []);
    assert_eq!(stops(&mut service, "berlin", NINE + 6 * DAY_S + HOUR_S, 50), [19]);
}

#[test]
fn a_gap_that_lies_ahead_was_a_clocks_and_gives_way_to_a_true_one() {
    let learned = || {
        let mut service = Service::new();
        stops(&mut service, "berlin", NINE, 1);
        service.detector.gap((NINE + 9 * DAY_S) * SECOND);
        service
    };
    assert_eq!(stops(&mut learned(), "berlin", NINE + 6 * DAY_S, 50), [19]);
    // Set back by as little as seconds it is the same clock.
    assert_eq!(stops(&mut learned(), "berlin", NINE + 9 * DAY_S - 120, 50), []);
    let mut service = learned();
    service.detector.gap((NINE + 5 * DAY_S) * SECOND);
    assert_eq!(stops(&mut service, "berlin", NINE + 6 * DAY_S - 61, 50), []);
    assert_eq!(stops(&mut service, "berlin", NINE + 6 * DAY_S + HOUR_S, 50), [19]);
    // Nor does that of before come back.
    assert_eq!(stops(&mut service, "berlin", NINE + 9 * DAY_S + HOUR_S, 50), [19]);
}

#[test]
fn a_vpn_server_that_always_loses_starts_is_as_usual() {
    let mut service = Service::new();
    stops(&mut service, "berlin", NINE, 1);
    for hour in 24..48 {
        stops(&mut service, "berlin", NINE + hour * HOUR_S, 15);
    }
    // Usual are up to fifteen: five times that is told.
    assert_eq!(stops(&mut service, "berlin", NINE + 49 * HOUR_S, 74), []);
    let mut service = Service::new();
    stops(&mut service, "berlin", NINE, 1);
    assert_eq!(stops(&mut service, "berlin", NINE + 49 * HOUR_S, 74).len(), 1);
}
