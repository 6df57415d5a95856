//! Impossible travel, simultaneous sessions, addresses that change within a session: at their thresholds, and what is never
//! compared.

use insight::{
    detect::{Connection, Detection, Measure, Spot, UserKey},
    geo::NetworkKind,
};

use crate::{HOUR_S, NINE, SECOND, Service, address, brazil, germany, has, home, kinds};

/// A point on the equator, this many kilometres east of 20° east, known to within a kilometre, in a network of its own.
fn point(km: f64) -> Spot<'static> {
    Spot {
        latitude: Some(0.001),
        longitude: Some(20.0 + km / 111.195),
        radius_km: Some(1),
        country: Some("CD"),
        place: Some("CD"),
        asn: Some(100 + km as u32),
        ..germany()
    }
}

fn newcomer(spot: Spot<'static>) -> Connection<'static> {
    Connection { device: None, remote: address("203.0.113.4"), spot, ..home("newcomer") }
}

/// At the first point until nine, at the other so many seconds later.
fn travels(from: Connection<'_>, to: Connection<'_>, seconds: u64) -> insight::detect::Assessment {
    let mut service = Service::new();
    service.opens(NINE - HOUR_S, &from);
    service.ends(NINE, &from, HOUR_S, 1000);
    service.opens(NINE + seconds, &to)
}

#[test]
fn faster_than_an_airliner_is_impossible_for_newcomers_too() {
    // 2,000 km in two hours, the skew of clocks on top: 960 and 880 km/h.
    let fast = travels(newcomer(point(0.0)), newcomer(point(2002.0)), 7200);
    assert!(has(&fast, Detection::ImpossibleTravel) && fast.is_alert, "{fast}");
    assert!(!has(&travels(newcomer(point(0.0)), newcomer(point(2002.0)), 7900), Detection::ImpossibleTravel));
    // 490 km at once is what a database may be wrong by.
    assert!(!has(&travels(newcomer(point(0.0)), newcomer(point(490.0)), 0), Detection::ImpossibleTravel));
    assert!(has(&travels(newcomer(point(0.0)), newcomer(point(510.0)), 60), Detection::ImpossibleTravel));
    let text = fast.to_string();
    assert!(
        text.contains("newcomer cannot have travelled so fast: now CD (AS2102 Deutsche Telekom)"),
        "{text}"
    );
    let reason = fast.reasons.iter().find(|reason| reason.detection == Detection::ImpossibleTravel).unwrap();
    let Measure::Travel { km, seconds: 7200 } = reason.measure else { panic!("{:?}", reason.measure) };
    assert!((1998..=2002).contains(&km), "{km}");
}

#[test]
fn both_radii_are_taken_off() {
    let vague = Spot { radius_km: Some(1200), ..point(2002.0) };
    assert!(has(
        &travels(newcomer(point(0.0)), newcomer(Spot { radius_km: Some(100), ..vague }), 3600),
        Detection::ImpossibleTravel
    ));
    assert!(!has(&travels(newcomer(point(0.0)), newcomer(vague), 3600), Detection::ImpossibleTravel));
    let vague = Spot { radius_km: Some(1600), ..point(0.0) };
    assert!(!has(&travels(newcomer(vague), newcomer(point(2002.0)), 3600), Detection::ImpossibleTravel));
}

#[test]
fn the_last_proof_of_life_counts_not_the_log_in() {
    // The session lasted ten hours: since its log-in there was time.
    let mut service = Service::new();
    let from = newcomer(point(0.0));
    service.opens(NINE, &from);
    service.detector.alive(UserKey::of("newcomer"), service.sessions, (NINE + 10 * HOUR_S) * SECOND);
    service.ends(NINE + 10 * HOUR_S + 1, &from, 10 * HOUR_S, 1000);
    let now = service.opens(NINE + 11 * HOUR_S, &newcomer(point(5000.0)));
    assert!(has(&now, Detection::ImpossibleTravel));
    // Without a sign of life since, and the end never told, there was time.
    let mut service = Service::new();
    service.opens(NINE, &from);
    let now = service.opens(NINE + 11 * HOUR_S, &newcomer(point(5000.0)));
    assert!(!has(&now, Detection::ImpossibleTravel), "{now}");
}

#[test]
fn what_has_no_place_is_never_compared() {
    let far = point(9000.0);
    let never = [
        ("another database", Spot { database: Some("two"), ..far }),
        ("no database", Spot { database: None, ..far }),
        ("a site", Spot { is_own: true, ..far }),
        ("anycast", Spot { anycast: true, ..far }),
        ("a relay", Spot { kinds: kinds(&[NetworkKind::Relay]), ..far }),
        ("no position", Spot { latitude: None, ..far }),
        ("nowhere on earth", Spot { latitude: Some(f64::NAN), ..far }),
        ("far off earth", Spot { longitude: Some(1e300), ..far }),
        ("the same network within minutes", Spot { asn: point(0.0).asn, ..far }),
    ];
    for (what, spot) in never {
        for seconds in [60, 600] {
            let travelled = travels(newcomer(point(0.0)), newcomer(spot), seconds);
            assert!(!has(&travelled, Detection::ImpossibleTravel), "{what}");
            assert!(
                !has(&travels(newcomer(spot), newcomer(point(0.0)), seconds), Detection::ImpossibleTravel),
                "{what}"
            );
        }
    }
    assert!(has(&travels(newcomer(point(0.0)), newcomer(far), 60), Detection::ImpossibleTravel));
    // One carrier of one country: its addresses wander.
    let mobile = Spot { kinds: kinds(&[NetworkKind::Mobile]), asn: point(0.0).asn, ..point(2000.0) };
    assert!(!has(&travels(newcomer(point(0.0)), newcomer(mobile), 1800), Detection::ImpossibleTravel));
}

#[test]
fn one_device_that_flickers_is_the_databases_error_and_two_are_not() {
    let with = |spot, device| Connection { device: Some(device), ..newcomer(spot) };
    let one = travels(with(point(0.0), "PHONE"), with(point(9000.0), "PHONE"), 300);
    assert!(!has(&one, Detection::ImpossibleTravel) && !one.is_alert);
    // An hour later it adds to the score.
    let later = travels(with(point(0.0), "PHONE"), with(point(9000.0), "PHONE"), 3600);
    assert!(has(&later, Detection::ImpossibleTravel) && !later.is_alert);
    let two = travels(with(point(0.0), "PHONE"), with(point(9000.0), "LAPTOP"), 300);
    assert!(has(&two, Detection::ImpossibleTravel) && two.is_alert);
}

#[test]
fn a_gateway_that_many_go_through_is_no_travel() {
    let mut service = Service::new();
    let people = ["a", "b", "c", "d", "e", "f", "g"];
    let gateway = Spot { kinds: kinds(&[NetworkKind::Hosting]), asn: Some(53_813), ..brazil() };
    for user in people {
        let at = Connection { spot: gateway, remote: address("198.51.100.9"), ..home(user) };
        service.opens(NINE - 10 * HOUR_S, &at);
        service.ends(NINE - 9 * HOUR_S, &at, HOUR_S, 1000);
    }
    let mut comes = |spot| {
        service.opens(NINE, &newcomer(germany()));
        service.ends(NINE + 60, &newcomer(germany()), 60, 1000);
        service.opens(NINE + 1000, &newcomer(spot))
    };
    assert!(!has(&comes(gateway), Detection::ImpossibleTravel));
    assert!(has(&comes(Spot { asn: Some(53_814), ..gateway }), Detection::ImpossibleTravel));
}

#[test]
fn two_places_at_once_need_a_sign_of_life_from_both() {
    let at_once = |seconds_ago: u64, km: f64| {
        let mut service = Service::new();
        service.opens(NINE - 2 * HOUR_S, &newcomer(point(0.0)));
        service.detector.alive(UserKey::of("newcomer"), 1, (NINE - seconds_ago) * SECOND);
        service.opens(NINE, &newcomer(point(km)))
    };
    let both = at_once(1200, 103.0);
    assert!(has(&both, Detection::SimultaneousSessions) && both.is_alert, "{both}");
    assert!(both.to_string().contains("newcomer is in two distant places at once"), "{both}");
    assert!(!has(&at_once(1200, 101.0), Detection::SimultaneousSessions));
    assert!(!has(&at_once(1201, 103.0), Detection::SimultaneousSessions));
    // A session that is over is a matter of travel.
    let over = travels(newcomer(point(0.0)), newcomer(point(9000.0)), 60);
    assert!(!has(&over, Detection::SimultaneousSessions));
}

#[test]
fn who_is_where_she_always_is_is_not_asked_for_the_strangers_sake() {
    let mut service = Service::new();
    service.works(&["alice"]);
    let stranger = Connection {
        device: Some("DESKTOP-66"),
        remote: address("198.51.100.9"),
        spot: brazil(),
        ..home("alice")
    };
    assert!(service.opens(NINE, &stranger).is_alert);
    let herself = service.opens(NINE + 60, &home("alice"));
    assert!(!herself.is_alert && herself.reasons.is_empty(), "{herself}");
    // And the stranger's next is no friend for having been there.
    let again = service.opens(NINE + HOUR_S, &stranger);
    assert!(again.is_alert && has(&again, Detection::SuspiciousConnection));
}

#[test]
fn a_session_that_moves_farther_than_anybody_can() {
    let moves = |km: f64, seconds: u64, spot: Spot<'static>| {
        let mut service = Service::new();
        let connection = newcomer(point(0.0));
        service.opens(NINE, &connection);
        let spot = Spot { longitude: point(km).longitude, asn: point(km).asn, ..spot };
        let moved = Connection {
            session: service.sessions,
            start_unix_ns: NINE * SECOND,
            spot,
            device: Some("LT"),
            ..connection
        };
        service.detector.moved(&moved, (NINE + seconds) * SECOND, &service.profiles)
    };
    let far = moves(1302.0, HOUR_S, point(0.0));
    assert!(has(&far, Detection::AddressChange) && far.is_alert, "{far}");
    assert!(far.to_string().contains("a running session of newcomer moved to another place"), "{far}");
    // By train; to the carrier's exit; into another database; into Tor.
    assert!(!moves(900.0, HOUR_S, point(0.0)).is_alert);
    assert!(!moves(290.0, 60, point(0.0)).is_alert);
    assert!(!moves(9000.0, 60, Spot { database: Some("two"), ..point(0.0) }).is_alert);
    let tor = moves(1.0, 60, Spot { kinds: kinds(&[NetworkKind::Tor]), ..point(0.0) });
    assert!(has(&tor, Detection::AnonymousNetwork) && tor.is_alert);
    // Of a session that is not known nothing is said.
    let mut service = Service::new();
    let moved = Connection { session: 9, spot: brazil(), ..newcomer(point(0.0)) };
    assert_eq!(service.detector.moved(&moved, NINE * SECOND, &service.profiles), Default::default());
}

/// A Start that tells no device, and an Interim that does, from elsewhere: both are asked.
#[test]
fn a_session_that_moves_is_judged_also_where_the_same_message_tells_more_of_it() {
    let moves = |km: f64, spot: Spot<'static>, is_told_more: bool| {
        let mut service = Service::new();
        let start = Connection { device: None, ..newcomer(point(0.0)) };
        service.opens(NINE, &start);
        let device = is_told_more.then_some("LT");
        let moved = Connection {
            session: service.sessions,
            start_unix_ns: NINE * SECOND,
            spot: Spot { kinds: spot.kinds, ..point(km) },
            device,
            ..start
        };
        let at = (NINE + HOUR_S) * SECOND;
        let said = match is_told_more {
            true => service.detector.moved_and_opened(&moved, at, &service.profiles),
            false => service.detector.moved(&moved, at, &service.profiles),
        };
        // An hour later somebody is where the session was until it moved: it lives, and the other one is elsewhere.
        let here = Connection { device: Some("PC"), ..newcomer(point(0.0)) };
        (said, service.opens(NINE + HOUR_S + 600, &here))
    };
    let (alone, _) = moves(3000.0, point(0.0), false);
    let (far, then) = moves(3000.0, point(0.0), true);
    for said in [&alone, &far] {
        assert!(has(said, Detection::AddressChange) && said.is_alert, "{said}");
        let change = said.reasons.iter().filter(|reason| reason.detection == Detection::AddressChange);
        assert_eq!(change.count(), 1, "{said}");
    }
    assert!(far.score > alone.score, "what else is known of it is asked too: {} {}", far.score, alone.score);
    assert!(has(&then, Detection::SimultaneousSessions), "it was alive a moment ago: {then}");
    // What both say counts once.
    let (hidden, _) = moves(3000.0, Spot { kinds: kinds(&[NetworkKind::Tor]), ..point(0.0) }, true);
    let names: Vec<Detection> = hidden.reasons.iter().map(|reason| reason.detection).collect();
    let times = |of: Detection| names.iter().filter(|name| **name == of).count();
    assert_eq!([Detection::AnonymousNetwork, Detection::AddressChange].map(times), [1, 1], "{hidden}");
    let (near, _) = moves(100.0, point(0.0), true);
    assert!(!near.is_alert, "{near}");
}

#[test]
fn her_phone_that_roams_while_her_laptop_is_abroad_is_no_alert() {
    let mut service = Service::new();
    service.works(&["alice"]);
    let phone = Connection { device: Some("PHONE-1"), ..home("alice") };
    for ago in [2, 1] {
        assert!(!service.opens(NINE - ago * 86_400, &phone).is_alert);
    }
    let abroad = Connection { spot: brazil(), remote: address("198.51.100.9"), ..home("alice") };
    service.opens(NINE, &abroad);
    let roams = Connection { spot: Spot { asn: Some(23_000), ..germany() }, ..phone };
    let assessment = service.opens(NINE + 60, &roams);
    assert!(has(&assessment, Detection::SimultaneousSessions) && !assessment.is_alert, "{assessment}");
}

/// Many VPN servers send no interims.
#[test]
fn the_end_of_a_session_proves_that_another_began_elsewhere_while_it_lasted() {
    let ends = |km: f64, from: &'static str, to: &'static str, after: u64| {
        let mut service = Service::new();
        let here = Connection { device: Some(from), ..newcomer(point(0.0)) };
        service.opens(NINE, &here);
        let there = Connection { device: Some(to), ..newcomer(point(km)) };
        let opened = service.opens(NINE + 3 * HOUR_S, &there);
        assert!(!has(&opened, Detection::SimultaneousSessions));
        service.sessions = 1;
        service.ends(NINE + after, &here, after, 1000)
    };
    // There was time to travel, had the first one been over.
    let told = ends(2000.0, "LT-1", "DESKTOP-66", 8 * HOUR_S);
    assert!(has(&told, Detection::SimultaneousSessions) && told.is_alert, "{told}");
    assert!(told.to_string().contains("newcomer is in two distant places at once: now CD (AS100), 1998 km apart at least; other place: CD (AS2100) (2026-11-23)"), "{told}");
    assert!(!ends(2000.0, "LT-1", "DESKTOP-66", 2 * HOUR_S).is_alert);
    assert!(!ends(2000.0, "LT-1", "LT-1", 8 * HOUR_S).is_alert);
    assert!(!ends(90.0, "LT-1", "DESKTOP-66", 8 * HOUR_S).is_alert);
}

#[test]
fn who_is_excluded_is_no_stranger_and_proves_one_who_is_not() {
    // By itself it is an alert.
    let tor = |km: f64, is_excluded| {
        let spot = Spot { kinds: kinds(&[NetworkKind::Tor]), ..point(km) };
        Connection { device: Some("TEST"), is_excluded, ..newcomer(spot) }
    };
    let plain = |km: f64, is_excluded| Connection { is_excluded, ..newcomer(point(km)) };
    let ends = |first: &Connection<'_>, second: &Connection<'_>| {
        let mut service = Service::new();
        service.opens(NINE, first);
        service.opens(NINE + 3 * HOUR_S, second);
        service.sessions = 1;
        service.ends(NINE + 8 * HOUR_S, first, 8 * HOUR_S, 1000)
    };
    for (first, second, is_alert) in [
        (plain(0.0, false), tor(2000.0, true), true),
        (tor(0.0, true), plain(2000.0, false), true),
        // What raised an alert was told.
        (plain(0.0, false), tor(2000.0, false), false),
        // Nobody wants to hear of either.
        (tor(0.0, true), plain(2000.0, true), false),
    ] {
        let told = ends(&first, &second);
        let excluded = (first.is_excluded, second.is_excluded);
        assert_eq!(told.is_alert, is_alert, "{excluded:?}: {told}");
        let is_seen = is_alert || excluded == (true, true);
        assert_eq!(has(&told, Detection::SimultaneousSessions), is_seen, "{excluded:?}: {told}");
    }
    // Nor does it make the next one alike less suspicious; a session that moves there neither.
    let next = |is_excluded, has_moved| {
        let mut service = Service::new();
        service.works(&["alice"]);
        let there = Spot { kinds: kinds(&[NetworkKind::Tor]), ..brazil() };
        let there = Connection { device: Some("TEST"), spot: there, ..home("alice") };
        let excluded = Connection { is_excluded, ..there };
        match has_moved {
            false => drop(service.opens(NINE, &excluded)),
            true => {
                service.opens(NINE, &Connection { device: Some("TEST"), is_excluded, ..home("alice") });
                let moved =
                    Connection { session: service.sessions, start_unix_ns: NINE * SECOND, ..excluded };
                assert!(service.detector.moved(&moved, (NINE + 60) * SECOND, &service.profiles).is_alert);
            }
        }
        service.opens(NINE + 120, &there).is_repeat
    };
    for has_moved in [false, true] {
        assert_eq!(
            [true, false].map(|is_excluded| next(is_excluded, has_moved)),
            [false, true],
            "{has_moved}"
        );
    }
}
