//! Unusual connection of a user who is not learned yet: everybody's connections say what is usual of somebody new.

use insight::{
    detect::{Connection, Detection, Detector, Severity, Spot, Thresholds},
    geo::NetworkKind,
};

use crate::{DAY_S, HOUR_S, MONDAY, NINE, Service, address, brazil, cable, has, home, hosting, kinds};

/// So many who are there since forty working days, and somebody who came three days ago.
fn organisation(users: usize, days: u64, thresholds: Thresholds) -> Service {
    let mut service = Service { detector: Detector::new(thresholds), ..Service::new() };
    let people: Vec<String> = (0..users).map(|n| format!("user{n}")).collect();
    for day in MONDAY - days..MONDAY {
        for user in &people {
            service.opens(day * DAY_S + 8 * HOUR_S, &home(user));
        }
        if day >= MONDAY - 3 {
            let first = service.opens(day * DAY_S + 9 * HOUR_S, &home("newcomer"));
            assert!(!first.is_alert, "somebody new is no alert: {} {first}", first.score);
        }
    }
    service
}

fn stranger() -> Connection<'static> {
    let remote = address("198.51.100.9");
    Connection { device: Some("DESKTOP-66"), remote, spot: hosting(), ..home("newcomer") }
}

#[test]
fn somebody_new_is_protected_by_what_is_usual_for_everybody() {
    let alert = organisation(60, 56, Thresholds::default()).opens(NINE, &stranger());
    assert!(alert.is_alert && alert.severity >= Severity::Medium, "{} {alert}", alert.score);
    assert!(has(&alert, Detection::UnlearnedUser), "{alert}");
    // That one has the learning rule that people know, and the number that their rules go by.
    assert!(!has(&alert, Detection::SuspiciousConnection), "{alert}");
    assert!(alert.reasons.iter().all(|reason| reason.detection.external_id().is_none()));
    assert!(
        alert.to_string().contains("network never seen for newcomer: AS64500 Example Hosting"),
        "{alert}"
    );

    let quiet = [
        ("another laptop", Connection { device: Some("LT-99"), ..home("newcomer") }),
        ("a hotel", Connection { remote: address("203.0.113.4"), spot: cable(), ..home("newcomer") }),
        ("a holiday", Connection { remote: address("203.0.113.4"), spot: brazil(), ..home("newcomer") }),
    ];
    for (what, connection) in quiet {
        let assessment = organisation(60, 56, Thresholds::default()).opens(NINE, &connection);
        let is_told = has(&assessment, Detection::UnlearnedUser) && assessment.is_alert;
        assert!(!is_told, "{what}: {} {assessment}", assessment.score);
    }
}

#[test]
fn it_waits_for_the_organisation_and_goes_by_its_threshold() {
    let usual = Thresholds::default();
    let off = Thresholds { alert_score_unlearned: 100.0, ..usual.clone() };
    let of_fewer = Thresholds { population_users_min: 40, ..usual.clone() };
    for (what, users, days, thresholds, is_alert) in [
        ("too few users", 45, 56, usual.clone(), false),
        ("enough of them by the key", 45, 56, of_fewer, true),
        ("an organisation of ten days", 60, 10, usual.clone(), false),
        ("of three weeks", 60, 21, usual, true),
        ("left to the rules", 60, 56, off, false),
    ] {
        let assessment = organisation(users, days, thresholds).opens(NINE, &stranger());
        assert!(assessment.score > 7.0, "{what}: the score is there: {}", assessment.score);
        assert_eq!(assessment.is_alert, is_alert, "{what}: {} {assessment}", assessment.score);
    }
}

#[test]
fn beside_a_rule_the_score_of_somebody_new_has_its_own_name_too() {
    let tor = Spot { kinds: kinds(&[NetworkKind::Tor]), ..brazil() };
    let mut service = Service::new();
    service.opens(NINE - DAY_S, &home("newcomer"));
    let alert = service.opens(NINE, &Connection { spot: tor, ..stranger() });
    assert!(alert.is_alert && has(&alert, Detection::AnonymousNetwork), "{alert}");
    // It weighs most, and raises nothing: the organisation is two days old.
    let first = &alert.reasons[0];
    assert_eq!((first.detection, first.alert), (Detection::UnlearnedUser, None), "{alert}");
    assert!(!has(&alert, Detection::SuspiciousConnection), "{alert}");
}
