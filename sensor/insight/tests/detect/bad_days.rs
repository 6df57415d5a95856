//! Bad days: clocks that jump, late events near a threshold, another database in the middle of a session, half the
//! organisation moving to another provider in one night, everybody at home on a Monday, an attacker who floods.

use insight::{
    detect::{Connection, Detection, Spot},
    profile::Learned,
};

use crate::{
    DAY_S, HOUR_S, MONDAY, NINE, SECOND, Service, address, brazil, cable, germany, has, home, hosting,
};

fn names(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("user{at}")).collect()
}

/// Everybody's line is in another part of the network.
fn line(user: &str, at: usize, network: u8) -> Connection<'_> {
    Connection { remote: address(&format!("100.{network}.{}.{}", at % 256, at / 256)), ..home(user) }
}

fn month(service: &mut Service, names: &[String], from: fn(&str, usize) -> Connection<'_>) {
    for day in (MONDAY - 42..MONDAY).filter(|day| (day - MONDAY % 7) % 7 < 5) {
        for (at, user) in names.iter().enumerate() {
            let connection = from(user, at);
            service.opens(day * DAY_S + 8 * HOUR_S, &connection);
            service.ends(day * DAY_S + 9 * HOUR_S, &connection, HOUR_S, 1000);
        }
    }
}

#[test]
fn half_the_organisation_moves_to_another_provider_in_one_night() {
    let names = names(200);
    let mut service = Service::new();
    // Without devices, where there is nothing else to tell by.
    month(&mut service, &names, |user, at| Connection { device: None, ..line(user, at, 1) });
    let mut scores = Vec::new();
    let mut alerts = 0;
    for (at, user) in names.iter().enumerate().take(100) {
        let moved = Connection { spot: cable(), device: None, ..line(user, at, 9) };
        let assessment = service.opens(NINE + at as u64, &moved);
        alerts += usize::from(assessment.is_alert);
        scores.push(assessment.score);
    }
    assert_eq!(alerts, 0);
    assert!(scores[99] < scores[0] - 2.5, "{} {}", scores[0], scores[99]);
    // A stranger from rented servers does not hide among them.
    let stranger = Connection {
        spot: hosting(),
        remote: address("198.51.100.9"),
        device: Some("DESKTOP-66"),
        ..line(&names[150], 150, 1)
    };
    let stranger = service.opens(NINE + 200, &stranger);
    assert!(stranger.score > scores[99] + 3.0, "{}", stranger.score);
}

#[test]
fn everybody_at_home_on_a_monday() {
    // A month in the office, through another VPN server; home was never seen.
    let names = names(200);
    let mut service = Service::new();
    month(&mut service, &names, |user, at| Connection {
        spot: Spot { asn: Some(64_600), ..germany() },
        remote: address("192.0.2.9"),
        ..line(user, at, 1)
    });
    let mut alerts = 0;
    for (at, user) in names.iter().enumerate() {
        let spot =
            if at % 3 == 0 { cable() } else { Spot { asn: Some(64_700 + at as u32 % 7), ..germany() } };
        let connection = Connection { spot, server: Some("home-office"), ..line(user, at, 7) };
        alerts += usize::from(service.opens(NINE + at as u64, &connection).is_alert);
    }
    assert_eq!(alerts, 0);
}

#[test]
fn another_database_is_never_compared_with_the_one_before() {
    let mut service = Service::new();
    service.works(&["alice"]);
    service.opens(NINE, &home("alice"));
    let session = service.sessions;
    // It has the same line elsewhere.
    let elsewhere =
        Spot { database: Some("two"), country: Some("BR"), place: Some("BR"), asn: Some(3320), ..brazil() };
    let swapped = Connection { session, start_unix_ns: NINE * SECOND, spot: elsewhere, ..home("alice") };
    let moved = service.detector.moved(&swapped, (NINE + 600) * SECOND, &service.profiles);
    assert!(!moved.is_alert, "{moved}");
    let next = service.opens(NINE + 1200, &swapped);
    assert!(!next.is_alert && !has(&next, Detection::SimultaneousSessions), "{next}");
    // Within the new one again.
    let far = Connection {
        spot: Spot { database: Some("two"), ..cable() },
        device: Some("DESKTOP-66"),
        remote: address("203.0.113.4"),
        ..home("alice")
    };
    assert!(has(&service.opens(NINE + 1260, &far), Detection::SimultaneousSessions));
}

#[test]
fn a_clock_that_jumps_costs_nothing_that_was_learned() {
    let stranger = Connection {
        device: Some("DESKTOP-66"),
        spot: hosting(),
        remote: address("198.51.100.9"),
        ..home("alice")
    };
    for wrong in [0, 5 * DAY_S, 4_000_000_000, (MONDAY + 4000) * DAY_S] {
        let mut service = Service::new();
        service.works(&["alice"]);
        // The host's clock, for an hour.
        service.detector.advance(wrong * SECOND);
        service.profiles.advance(wrong * SECOND);
        service.detector.advance(NINE * SECOND);
        service.profiles.advance(NINE * SECOND);
        // A VPN server's.
        let odd = Connection { session: 7, start_unix_ns: wrong * SECOND, ..home("alice") };
        let before = service.detector.save(Vec::new()).unwrap();
        let assessment = service.detector.opened(&odd, &service.profiles);
        assert!(assessment.score.is_finite() && !has(&assessment, Detection::ImpossibleTravel));
        // What cannot be right is not remembered.
        assert_eq!(service.detector.save(Vec::new()).unwrap(), before);
        let home = service.opens(NINE, &home("alice"));
        assert!(!home.is_alert && home.score < 0.0, "{wrong}: {}", home.score);
        assert!(service.opens(NINE + 60, &stranger).is_alert, "{wrong}");
    }
}

/// A clock at the first use of all: ahead for two days, or behind. Then everybody comes each day from `MONDAY` on.
fn first_used_on(wrong: u64, people: &[&str], days: u64) -> Service {
    let mut service = Service::new();
    for day in [wrong, wrong + 1] {
        for user in people {
            service.opens(day * DAY_S + 8 * HOUR_S, &home(user));
        }
    }
    service.now = MONDAY * DAY_S;
    for day in MONDAY..MONDAY + days {
        for user in people {
            service.opens(day * DAY_S + 8 * HOUR_S, &home(user));
        }
    }
    service
}

#[test]
fn the_first_connection_of_all_is_of_no_clock_that_was_wrong() {
    let stranger = Connection {
        device: Some("DESKTOP-66"),
        spot: brazil(),
        remote: address("198.51.100.9"),
        ..home("alice")
    };
    for wrong in [MONDAY + 1300, MONDAY + 30, MONDAY - 2400, MONDAY - 40] {
        // The day on which the clock is right is believed on the next.
        for (days, is_learned) in [(4, false), (14, false), (17, true)] {
            let mut service = first_used_on(wrong, &["alice", "bob"], days);
            let at = (MONDAY + days) * DAY_S + 9 * HOUR_S;
            let said = service.opens(at, &stranger);
            let is_told = has(&said, Detection::FirstCountryForAll);
            assert_eq!(is_told, is_learned, "{wrong} {days} days: {said}");
            // Nor does anybody count as learned by days on which nobody listened.
            let profile = service.profiles.get("alice").unwrap();
            let learned = profile.learned(at as u32, service.detector.thresholds().learning());
            assert!(matches!(learned, Learned::Young { .. }), "{wrong} {days} days: {learned:?}");
        }
    }
}

#[test]
fn what_waits_for_a_clock_that_was_ahead_is_there_when_it_is_right() {
    let mut service = first_used_on(MONDAY + 1300, &["alice", "bob"], 4);
    let at = (MONDAY + 4) * DAY_S + 9 * HOUR_S;
    service.go_to(at);
    let stops = |service: &mut Service, at: u64| {
        let mut stop = |second| service.detector.stop_without_start("berlin", (at + second) * SECOND);
        (0..30).any(|second| stop(second).is_alert)
    };
    assert!(stops(&mut service, at), "a VPN server that is there for days");
    // Where she was by that clock keeps no two places from being compared.
    service.opens(at, &home("alice"));
    let stranger = Connection { device: Some("DESKTOP-66"), spot: brazil(), ..home("alice") };
    let said = service.opens(at + 60, &stranger);
    assert!(has(&said, Detection::SimultaneousSessions), "{said}");
    // Many begin to use what few had.
    let names = names(30);
    let mut scores = Vec::new();
    for day in MONDAY + 5..MONDAY + 9 {
        names.iter().for_each(|user| drop(service.opens(day * DAY_S + 8 * HOUR_S, &home(user))));
    }
    for (user, second) in names.iter().zip(0..) {
        let moved = Connection { spot: cable(), remote: address("203.0.113.4"), ..home(user) };
        scores.push(service.opens((MONDAY + 9) * DAY_S + 8 * HOUR_S + second, &moved).score);
    }
    assert!(scores[29] < scores[0] - 1.0, "a move of many: {} {}", scores[0], scores[29]);
}

#[test]
fn a_late_start_is_no_travel_into_the_past() {
    // What began and ended at home in the morning arrives after the afternoon abroad.
    let mut service = Service::new();
    let [morning, afternoon] =
        [germany(), brazil()].map(|spot| Connection { user: "n", spot, device: None, ..home("n") });
    service.opens(NINE + 12 * HOUR_S, &afternoon);
    service.ends(NINE + 13 * HOUR_S, &afternoon, HOUR_S, 1000);
    service.sessions += 1;
    for seconds in [0, 600, 11 * HOUR_S] {
        let late = Connection { session: 100 + seconds, start_unix_ns: (NINE + seconds) * SECOND, ..morning };
        let assessment = service.detector.opened(&late, &service.profiles);
        assert!(!has(&assessment, Detection::ImpossibleTravel), "{seconds} {assessment}");
        assert!(!has(&assessment, Detection::SimultaneousSessions), "{seconds} {assessment}");
    }
    // Clocks differ by up to five minutes: four before the other's end is neither at once nor in time.
    let late = Connection { session: 9999, start_unix_ns: (NINE + 13 * HOUR_S - 240) * SECOND, ..morning };
    let assessment = service.detector.opened(&late, &service.profiles);
    assert!(!has(&assessment, Detection::SimultaneousSessions));
}

#[test]
fn at_a_threshold_it_counts_when_something_was_and_not_when_it_arrived() {
    // From home to Brazil: an airliner's speed, a minute more and a minute less.
    let [from, to] =
        [germany(), brazil()].map(|spot| Connection { user: "n", spot, device: None, ..home("n") });
    let is_told = |gap_s: u64, late_s: u64| {
        let mut service = Service::new();
        service.opens(NINE, &from);
        service.ends(NINE + HOUR_S, &from, HOUR_S, 1000);
        let start = NINE + HOUR_S + gap_s;
        service.go_to(start + late_s);
        service.sessions += 1;
        let start_unix_ns = start * SECOND;
        let connection = Connection { session: service.sessions, start_unix_ns, ..to };
        has(&service.detector.opened(&connection, &service.profiles), Detection::ImpossibleTravel)
    };
    let threshold = (0..48 * 60).find(|minutes| !is_told(minutes * 60, 0)).unwrap() * 60;
    assert!((4 * HOUR_S..14 * HOUR_S).contains(&threshold), "{threshold}");
    for late_s in [0, 59, 301, 6 * HOUR_S, 3 * DAY_S] {
        assert!(is_told(threshold - 60, late_s), "{late_s}");
        assert!(!is_told(threshold, late_s), "{late_s}");
    }
    // So with learning: the fifth connection of thirty days counts, however late it is heard of.
    for (connections, is_learned) in [(4, false), (5, true)] {
        for late_s in [0, 301, 20 * HOUR_S] {
            let mut service = Service::new();
            service.opens((MONDAY - 40) * DAY_S + 9 * HOUR_S, &home("alice"));
            for start in (1..=connections).rev().map(|ago| NINE - ago * 3 * DAY_S) {
                service.go_to(start + late_s);
                service.sessions += 1;
                let (session, start_unix_ns) = (service.sessions, start * SECOND);
                let connection = Connection { session, start_unix_ns, ..home("alice") };
                service.detector.opened(&connection, &service.profiles);
                service.profiles.learn(&connection.observation());
            }
            let spot = hosting();
            let (device, remote) = (Some("DESKTOP-66"), address("198.51.100.9"));
            let stranger = Connection { spot, device, remote, ..home("alice") };
            assert_eq!(service.opens(NINE, &stranger).is_alert, is_learned, "{connections} {late_s}");
        }
    }
}

#[test]
fn everybody_is_renamed_in_one_night() {
    let old = names(200);
    let mut service = Service::new();
    month(&mut service, &old, |user, at| line(user, at, 1));
    // The same laptops and lines, and a VPN server in the office's network among them.
    let new: Vec<String> = old.iter().map(|user| format!("{user}.contoso")).collect();
    let mut alerts = 0;
    for (at, user) in new.iter().enumerate() {
        let here = if at % 4 == 0 { address("192.0.2.77") } else { line(user, at, 1).remote };
        alerts += usize::from(
            service.opens(NINE + at as u64, &Connection { remote: here, ..line(user, at, 1) }).is_alert,
        );
    }
    assert_eq!(alerts, 0);
    // Rules that need no history hold for the new names at once, and the old ones are not for strangers.
    let at_home = line(&new[3], 3, 1);
    service.opens(NINE + 600, &at_home);
    service.ends(NINE + 900, &at_home, 300, 1000);
    let far = Connection {
        device: Some("DESKTOP-66"),
        spot: brazil(),
        remote: address("203.0.113.4"),
        ..home(&new[3])
    };
    assert!(has(&service.opens(NINE + 20 * 60, &far), Detection::ImpossibleTravel));
    let stranger = Connection { user: &old[5], spot: hosting(), remote: address("198.51.100.9"), ..far };
    assert!(service.opens(NINE + HOUR_S, &stranger).is_alert);
}

#[test]
fn somebody_who_floods_with_new_values_takes_little_memory_and_blinds_nobody() {
    let mut service = Service::new();
    let names = names(40);
    month(&mut service, &names, |user, at| line(user, at, 1));
    let stranger = Connection {
        device: Some("DESKTOP-66"),
        spot: hosting(),
        remote: address("198.51.100.9"),
        ..line(&names[3], 3, 1)
    };
    service.go_to(NINE);
    let before = (service.detector.save(Vec::new()).unwrap().len(), service.detector.octets());
    for at in 0..200_000u32 {
        let (device, software, server) = (format!("D{at}"), format!("S{at}"), format!("V{at}"));
        let flood = Connection {
            session: 1 << 40 | u64::from(at),
            user: &names[0],
            start_unix_ns: (NINE + u64::from(at) / 100) * SECOND,
            device: Some(&device),
            software: Some(&software),
            server: Some(&server),
            remote: Some(std::net::Ipv4Addr::from_bits(at << 8).into()),
            spot: Spot { asn: Some(at), ..cable() },
            ..Connection::default()
        };
        service.detector.opened(&flood, &service.profiles);
    }
    let after = (service.detector.save(Vec::new()).unwrap().len(), service.detector.octets());
    assert!(after.0 < before.0 + (6 << 20) && after.1 == before.1, "{before:?} {after:?}");
    let assessment = service.opens(NINE + HOUR_S, &stranger);
    assert!(assessment.is_alert && assessment.score > 8.0, "{}", assessment.score);
}

#[test]
fn another_database_that_knows_of_cover_where_people_always_were_tells_nothing() {
    let mut service = Service::new();
    service.works(&["alice"]);
    let listed = Spot { kinds: crate::kinds(&[insight::geo::NetworkKind::Vpn]), ..germany() };
    let assessment = service.opens(NINE, &Connection { spot: listed, ..home("alice") });
    assert!(!assessment.is_alert && assessment.score < 0.0, "{assessment}");
}

#[test]
fn a_stranger_who_tries_many_from_one_network_does_not_make_it_usual() {
    let names = names(40);
    let mut service = Service::new();
    month(&mut service, &names, |user, at| line(user, at, 1));
    let scores: Vec<f64> = names
        .iter()
        .enumerate()
        .map(|(at, user)| {
            let device = format!("DESKTOP-{at}");
            let remote = address(&format!("198.51.{at}.9"));
            let stranger = Connection { device: Some(&device), spot: cable(), remote, ..line(user, at, 1) };
            service.opens(NINE + at as u64 * 60, &stranger).score
        })
        .collect();
    assert!(scores.iter().all(|score| (score - scores[0]).abs() < 1.0), "{scores:?}");
}

#[test]
fn a_team_that_moves_is_told_apart_from_one_who_does() {
    let names = names(100);
    let mut service = Service::new();
    month(&mut service, &names, |user, at| line(user, at, 1));
    let moved = |user, at, asn| Connection {
        spot: Spot { asn: Some(asn), ..cable() },
        ..line(user, at, (asn % 100) as u8)
    };
    for (at, user) in names.iter().enumerate().skip(10) {
        service.opens(NINE + at as u64, &line(user, at, 1));
    }
    // Not learned, so that nothing but how many began tells.
    let mut begins = |at: usize, asn| {
        let connection = Connection {
            session: 1 << 20 | at as u64,
            start_unix_ns: (NINE + 200) * SECOND,
            ..moved(&names[at], at, asn)
        };
        service.detector.opened(&connection, &service.profiles).score
    };
    let scores: Vec<f64> = (0..8).map(|at| begins(at, 64_777)).collect();
    let alone = begins(9, 64_888);
    assert!(alone > scores[7] + 1.5, "{alone} {scores:?}");
    // Three may be chance.
    assert!(alone < scores[2] + 0.7, "{alone} {scores:?}");
}

#[test]
fn where_everything_is_new_for_everybody_it_is_less_so_for_each() {
    // A database that numbers networks anew, say.
    let names = names(100);
    let mut service = Service::new();
    month(&mut service, &names, |user, at| line(user, at, 1));
    let mut score = |at: usize| {
        let spot = Spot { asn: Some(70_000 + at as u32), ..germany() };
        service.opens(NINE + at as u64, &Connection { spot, ..line(&names[at], at, 1) }).score
    };
    let scores: Vec<f64> = (0..100).map(&mut score).collect();
    assert!(scores[99] < scores[0] - 1.5, "{} {}", scores[0], scores[99]);
}

#[test]
fn one_who_is_somewhere_new_all_day_does_not_make_that_usual_for_others() {
    let names = names(40);
    let score = |flood: u32| {
        let mut service = Service::new();
        month(&mut service, &names, |user, at| line(user, at, 1));
        service.go_to(NINE);
        for at in 0..flood {
            // With the usual laptop, so that no alert says what it is.
            let spot = Spot { asn: Some(80_000 + at), ..germany() };
            let flood = Connection {
                session: 1 << 40 | u64::from(at),
                start_unix_ns: (NINE + u64::from(at)) * SECOND,
                spot,
                ..line(&names[0], 0, 1)
            };
            service.detector.opened(&flood, &service.profiles);
        }
        let moved = Connection { spot: cable(), ..line(&names[3], 3, 9) };
        service.opens(NINE + HOUR_S, &moved).score
    };
    let (before, after) = (score(0), score(3000));
    assert!(after > before - 0.5, "{before} {after}");
}
