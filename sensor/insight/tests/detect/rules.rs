//! The rules about one connection: first countries, networks with cover, a new pair, long absence, volume and length.

use insight::{
    detect::{Assessment, Connection, Detection, Severity, Spot, Told},
    geo::NetworkKind,
};

use crate::{
    DAY_S, HOUR_S, MONDAY, NINE, Service, address, brazil, cable, germany, has, home, hosting, kinds,
};

fn learned() -> Service {
    let mut service = Service::new();
    service.works(&["alice", "bob"]);
    service
}

#[test]
fn a_first_country_for_the_user_is_a_reason_and_for_all_an_alert_on_an_unknown_device() {
    let abroad = Connection { spot: brazil(), remote: address("203.0.113.4"), ..home("alice") };
    let own_laptop = learned().opens(NINE, &abroad);
    assert!(has(&own_laptop, Detection::FirstCountryForAll) && !own_laptop.is_alert);
    let unknown = Connection { device: None, ..abroad };
    let assessment = learned().opens(NINE, &unknown);
    assert!(has(&assessment, Detection::FirstCountryForAll) && assessment.is_alert, "{assessment}");
    assert!(
        assessment.to_string().contains("nobody of the organisation connected from BR before, alice does")
    );
    // Somebody was there: it is hers alone.
    let mut service = learned();
    let bobs = Connection { user: "bob", device: home("bob").device, ..abroad };
    assert!(!service.opens(NINE, &bobs).is_alert);
    let second = service.opens(NINE + 1, &abroad);
    assert!(has(&second, Detection::FirstCountryForUser) && !has(&second, Detection::FirstCountryForAll));
    assert!(
        second
            .to_string()
            .contains("first connection of alice from BR; usual: DE (20 connections, last on 2026-11-20)"),
        "{second}"
    );
    assert!(!second.is_alert);
    assert!(!has(&learned().opens(NINE, &home("alice")), Detection::FirstCountryForUser));
}

#[test]
fn the_organisation_waits_fourteen_days() {
    for (days, is_told) in [(13, false), (14, true)] {
        let mut service = Service::new();
        for day in MONDAY - days..MONDAY {
            service.opens(day * DAY_S + 9 * HOUR_S, &home("alice"));
        }
        let abroad = Connection { user: "carol", device: None, spot: brazil(), ..home("carol") };
        assert_eq!(has(&service.opens(NINE, &abroad), Detection::FirstCountryForAll), is_told, "{days}");
    }
}

#[test]
fn networks_that_hide_their_users_are_told_to_newcomers_too() {
    let from = |kind| {
        let spot = Spot { kinds: kinds(&[kind]), ..cable() };
        let connection =
            Connection { user: "newcomer", spot, remote: address("198.51.100.9"), ..home("alice") };
        learned().opens(NINE, &connection)
    };
    let told = |assessment: &Assessment| {
        (has(assessment, Detection::AnonymousNetwork), assessment.is_alert, assessment.severity)
    };
    assert_eq!(told(&from(NetworkKind::Tor)), (true, true, Severity::High));
    assert_eq!(told(&from(NetworkKind::Vpn)), (true, true, Severity::Medium));
    assert_eq!(told(&from(NetworkKind::ResidentialProxy)), (true, true, Severity::Medium));
    assert_eq!(told(&from(NetworkKind::Relay)), (false, false, Severity::Informational));
    let technique = |assessment: &Assessment, detection| {
        assessment.reasons.iter().find(|reason| reason.detection == detection).unwrap().techniques()[0]
    };
    let anonymous = |kind| technique(&from(kind), Detection::AnonymousNetwork);
    assert_eq!([NetworkKind::Tor, NetworkKind::Vpn].map(anonymous), ["T1090.003", "T1090.002"]);
    let hosted = from(NetworkKind::Hosting);
    assert!(has(&hosted, Detection::HostingNetwork) && !hosted.is_alert);
    assert_eq!(technique(&hosted, Detection::HostingNetwork), "T1090.002");
    let [tor, vpn, hosting, plain] =
        [NetworkKind::Tor, NetworkKind::Vpn, NetworkKind::Hosting, NetworkKind::FixedLine]
            .map(|kind| from(kind).score);
    assert!(tor > vpn && vpn > hosting && hosting > plain + 1.0, "{tor} {vpn} {hosting} {plain}");
}

#[test]
fn a_cloud_desktop_that_she_has_is_hers_and_a_gateway_that_many_have_the_organisations() {
    let mut service = learned();
    let vpn = Spot { kinds: kinds(&[NetworkKind::Vpn]), ..cable() };
    let desktop = Connection { spot: vpn, remote: address("198.51.100.9"), ..home("alice") };
    assert!(service.opens(NINE, &desktop).is_alert);
    // Closed as usual.
    let taught = Connection { start_unix_ns: NINE * crate::SECOND, ..desktop };
    service.profiles.learn(&taught.observation());
    let again = service.opens(NINE + HOUR_S, &desktop);
    assert!(!has(&again, Detection::AnonymousNetwork) && !again.is_alert, "{again}");
    // Four others are too few, five are enough.
    for (others, is_told) in [(4, true), (5, false)] {
        let mut service = learned();
        service.go_to(NINE);
        for at in 0..others {
            let user = format!("user{at}");
            let theirs = Connection { user: &user, start_unix_ns: NINE * crate::SECOND, ..desktop };
            service.profiles.learn(&theirs.observation());
        }
        assert_eq!(has(&service.opens(NINE, &desktop), Detection::AnonymousNetwork), is_told, "{others}");
    }
}

#[test]
fn a_new_device_and_a_new_network_are_told_together() {
    let pair = Connection {
        device: Some("DESKTOP-66"),
        spot: cable(),
        remote: address("203.0.113.4"),
        ..home("alice")
    };
    let assessment = learned().opens(NINE, &pair);
    assert!(has(&assessment, Detection::NewDeviceAndNetwork) && assessment.is_alert);
    assert!(
        assessment.to_string().contains(
            "alice uses a new device in a new network: DESKTOP-66 in AS31334 Vodafone Kabel; usual: LT-"
        ),
        "{assessment}"
    );
    let quiet = [
        Connection { device: home("alice").device, ..pair },
        Connection { spot: germany(), ..pair },
        Connection { device: home("bob").device, ..pair },
        Connection { spot: Spot { kinds: kinds(&[NetworkKind::Mobile]), ..cable() }, ..pair },
        Connection { device: None, ..pair },
        Connection { user: "newcomer", ..pair },
    ];
    for connection in quiet {
        assert!(!has(&learned().opens(NINE, &connection), Detection::NewDeviceAndNetwork), "{connection:?}");
    }
}

#[test]
fn somebody_who_was_away_for_long_is_asked_only_where_nothing_is_as_it_was() {
    // The last day was the Friday, until four.
    let back = |days: u64, connection: Connection<'_>| {
        learned().opens((MONDAY - 3 + days) * DAY_S + 17 * HOUR_S, &connection)
    };
    let home = home("alice");
    let elsewhere =
        Connection { device: Some("DESKTOP-66"), remote: address("203.0.113.4"), spot: cable(), ..home };
    let asked = back(45, elsewhere);
    assert!(has(&asked, Detection::DormantUser) && asked.is_alert, "{asked}");
    assert!(asked.to_string().contains("alice was away for long: now DE (AS31334 Vodafone Kabel) after 45 days; last: DE AS3320 (2026-11-20)"), "{asked}");
    assert!(!has(&back(44, elsewhere), Detection::DormantUser));
    for connection in
        [home, Connection { device: home.device, ..elsewhere }, Connection { spot: germany(), ..elsewhere }]
    {
        let known = back(100, connection);
        assert!(has(&known, Detection::DormantUser) && !known.is_alert, "{known}");
    }
    // Nobody is remembered for more than half a year.
    assert!(!has(&back(190, elsewhere), Detection::DormantUser));
}

#[test]
fn whoever_comes_back_from_leave_is_no_stranger_at_home() {
    let at =
        |connection: &Connection<'_>| learned().opens((MONDAY + 40) * DAY_S + 9 * HOUR_S, connection).score;
    let stranger = Connection {
        device: Some("DESKTOP-66"),
        remote: address("198.51.100.9"),
        spot: hosting(),
        ..home("alice")
    };
    let (herself, other) = (at(&home("alice")), at(&stranger));
    assert!(herself < 1.0 && other > herself + 4.0, "{herself} {other}");
}

#[test]
fn much_more_and_much_longer_than_ever_are_told() {
    let ends = |seconds: u64, octets: u64| {
        let mut service = learned();
        service.opens(NINE, &home("alice"));
        service.ends(NINE + seconds, &home("alice"), seconds, octets)
    };
    // Usual are 400 MB and eight hours, each to within six per cent.
    let volume = ends(8 * HOUR_S, 5_100_000_000);
    assert!(has(&volume, Detection::UnusualVolume) && volume.is_alert && volume.severity == Severity::Low);
    assert!(
        volume.to_string().starts_with("unusual volume of a session of alice: 5100 MB; usual: up to "),
        "{volume}"
    );
    assert!(!ends(8 * HOUR_S, 4_900_000_000).is_alert);
    let length = ends(3 * DAY_S, 400_000_000);
    assert!(has(&length, Detection::UnusualLength) && length.is_alert);
    assert!(length.to_string().contains("unusually long session of alice: 3 days; usual: up to"), "{length}");
    assert!(!ends(2 * DAY_S - 60, 400_000_000).is_alert);
    assert!(!ends(8 * HOUR_S, 400_000_000).is_alert);
    // At a sign of life as at the end, each once.
    let goes_on = |seconds: u64, octets: u64, told: Told| {
        let mut service = learned();
        service.opens(NINE, &home("alice"));
        service.goes_on(NINE + seconds, &home("alice"), seconds, octets, told)
    };
    let both = goes_on(3 * DAY_S, 5_100_000_000, Told::default());
    assert!(has(&both, Detection::UnusualVolume) && has(&both, Detection::UnusualLength));
    let mut told = Told::default();
    told.note(&goes_on(HOUR_S, 5_100_000_000, told));
    assert_eq!(told, Told { volume: true, length: false });
    let length = goes_on(3 * DAY_S, 9_000_000_000, told);
    assert!(!has(&length, Detection::UnusualVolume) && has(&length, Detection::UnusualLength));
    assert!(!goes_on(HOUR_S, 4_900_000_000, Told::default()).is_alert);
    // Nothing of a newcomer.
    let mut service = learned();
    let newcomer = Connection { user: "newcomer", ..home("alice") };
    service.opens(NINE, &newcomer);
    assert!(!service.ends(NINE + 5 * DAY_S, &newcomer, 5 * DAY_S, 1 << 50).is_alert);
}
