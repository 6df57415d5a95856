//! Where the connections of a user's alert came from, and with what: news of it once each, and what closing it as usual
//! teaches, however many connections came since.

use insight::detect::{Assessment, Detection, Reason};

use super::{
    super::{
        Alerts, Case, Sending,
        tests::{abnormal, country, from, medium, of, reason, sessions, told},
    },
    *,
};
use crate::alert::{Severity, Verdict};

/// A country that is new to its user: the score has no other reason, wherever in it a connection comes from.
fn abroad(connection: Connection) -> (Case<'static>, Assessment) {
    (of("alice", connection), medium(vec![country("CN")]))
}

fn at(session: u64, place: &str, asn: u32, device: &str) -> Connection {
    let place = Some(place.to_owned()).filter(|place| !place.is_empty());
    Connection { country: Some("CN".into()), place, asn: Some(asn), ..from(session, "192.0.2.1", device) }
}

#[test]
fn in_a_country_that_is_new_another_town_network_or_device_is_told_once() {
    let mut alerts = Alerts::default();
    let mut take = |session: u64, place: &str, asn: u32, device: &str| {
        let (case, mut assessment) = abroad(at(session, place, asn, device));
        assert!(alerts.take(case, &mut assessment));
        let (changed, notices) = alerts.take_changes();
        assert_eq!(notices.len(), usize::from(assessment.is_alert));
        let last = changed.last().unwrap();
        assert_eq!((last.connection_count, last.reasons.len()), (session, 1));
        (assessment.is_alert, assessment.score, last.message.split(". ").next().unwrap().to_owned())
    };
    let message = |places: &str| format!("alice connected to a VPN using 1 computer from {places}");
    assert_eq!(take(1, "Beijing, CN", 4134, "A"), (true, 4.0, message("1 location")));
    assert_eq!(take(2, "Beijing, CN", 4134, "A"), (false, 0.0, message("1 location")));
    assert_eq!(take(3, "Shanghai, CN", 4134, "A"), (true, 0.0, message("2 locations")), "another town");
    let through = || message("2 locations through 2 providers");
    assert_eq!(take(4, "Shanghai, CN", 4808, "A"), (true, 0.0, through()), "another network");
    assert_eq!(take(5, "Beijing, CN", 4808, "A"), (false, 0.0, through()), "both are known");
    // Of a network of which no more is known than its country.
    assert!(take(6, "", 9808, "A").0);
    assert!(!take(7, "", 9808, "A").0);
    assert!(take(8, "Beijing, CN", 4134, "KALI").0, "another device");
    assert!(!take(9, "Shanghai, CN", 4808, "KALI").0);
}

#[test]
fn the_exits_of_an_anonymiser_are_no_news_and_what_comes_from_elsewhere_is() {
    let mut alerts = Alerts::default();
    let mut take = |session: u64, place: &str, asn: u32, device: &str, detection: Detection| {
        let telling = Reason { alert: Some(Severity::Medium), ..reason(detection, None, place, 3.0) };
        let mut assessment = medium(vec![telling]);
        alerts.take(of("alice", at(session, place, asn, device)), &mut assessment);
        assessment.is_alert
    };
    assert!(take(1, "Roubaix, FR", 16276, "A", Detection::AnonymousNetwork));
    assert!(!take(2, "Amsterdam, NL", 60404, "A", Detection::AnonymousNetwork), "another exit");
    assert!(take(3, "Amsterdam, NL", 60404, "KALI", Detection::AnonymousNetwork), "another device");
    assert!(take(4, "Beijing, CN", 4134, "A", Detection::FirstCountryForAll));
    assert!(!take(5, "Beijing, CN", 4134, "A", Detection::FirstCountryForAll));
}

#[test]
fn of_a_checkpoint_from_before_places_were_news_those_that_are_listed_are_none() {
    let (case, mut assessment) = abroad(at(1, "Beijing, CN", 4134, "A"));
    let mut alerts = Alerts::default();
    alerts.take(case, &mut assessment);
    let mut saved = serde_json::to_value(&alerts).unwrap();
    let open = saved["open"]["1"].as_object_mut().unwrap();
    open.remove("has_whereabouts").unwrap();
    open["keys"] = serde_json::json!(["country CN"]);
    let mut alerts = serde_json::from_value::<Alerts>(saved).unwrap().restored();
    for (session, place, is_news) in [(2, "Beijing, CN", false), (3, "Shanghai, CN", true)] {
        let (case, mut assessment) = abroad(at(session, place, 4134, "A"));
        alerts.take(case, &mut assessment);
        assert_eq!(assessment.is_alert, is_news, "{place}");
    }
    // Once: what came since is known by its keys.
    let keys = alerts.open[&1].keys.clone();
    assert_eq!(alerts.restored().open[&1].keys, keys);
}

#[test]
fn what_an_alert_says_counts_the_places_that_it_does_not_list_any_more_too() {
    let mut alerts = Alerts::default();
    for (session, place) in (1..).zip(["Beijing, CN", "Shanghai, CN"]) {
        let (case, mut assessment) = abroad(at(session, place, 4134, "A"));
        alerts.take(case, &mut assessment);
    }
    // Sixteen more from the second push the first out of what is listed.
    let mut last = None;
    for session in 3..20 {
        let (case, mut assessment) = abroad(at(session, "Shanghai, CN", 4134, "A"));
        alerts.take(case, &mut assessment);
        assert!(!assessment.is_alert);
        last = alerts.take_changes().0.pop();
    }
    let message = last.unwrap().message;
    assert!(message.starts_with("alice connected to a VPN using 1 computer from 2 locations."), "{message}");
}

#[test]
fn an_alert_that_does_not_know_how_many_places_there_were_says_how_many_at_least() {
    let mut alerts = Alerts::default();
    let mut say = |session: u64, asn: u32, device: &str| {
        let (case, mut assessment) = abroad(at(session, "Beijing, CN", asn, device));
        alerts.take(case, &mut assessment);
        let message = alerts.take_changes().0.pop().unwrap().message;
        message.strip_prefix("alice connected to a VPN ").unwrap().split(". ").next().unwrap().to_owned()
    };
    // As many as are listed and kept besides, and one more.
    let kept = (CONNECTIONS_MAX + UNLISTED_MAX) as u64;
    let last = (1..kept).map(|session| say(session, 4134, &format!("D{session}"))).last().unwrap();
    assert_eq!(last, format!("using {} computers from 1 location", kept - 1));
    let over = say(kept + 1, 4808, "KALI");
    let at_least =
        format!("using at least {kept} computers from at least 1 location through at least 2 providers");
    assert_eq!(over, at_least);
    // The next one pushes out one that nothing else is like: fewer are known, and it says so.
    assert!(say(kept + 2, 4808, "KALI").contains("at least"));
}

#[test]
fn however_many_sessions_teach_nothing_those_that_are_kept_can_be_taught() {
    let mut alerts = followed_by(5000);
    assert_eq!(alerts.open[&1].untaught.len(), UNTAUGHT_MAX);
    let lessons = alerts.close(1, Verdict::Usual, "uid 0", 0, Sending::Always).unwrap();
    let expected: Vec<u64> = [1, 4985].into_iter().chain(4986..=5001).collect();
    assert_eq!(sessions(&lessons.learn), expected);
}

/// An alert with a first connection, and as many others behind it.
fn followed_by(count: u64) -> Alerts {
    let mut alerts = Alerts::default();
    let (case, mut assessment) = abroad(at(1, "Beijing, CN", 4134, "KALI"));
    alerts.take(case, &mut assessment);
    for session in 2..2 + count {
        let (case, mut assessment) = abroad(at(session, "Shanghai, CN", 4808, "A"));
        alerts.take(case, &mut assessment);
    }
    alerts
}

#[test]
fn closed_as_usual_it_teaches_each_place_and_device_however_many_connections_came_since() {
    let lessons = followed_by(40).close(1, Verdict::Usual, "uid 0", 0, Sending::Always).unwrap();
    // The first, by itself of its kind; the newest of the others that is not listed, and the sixteen that are.
    let expected: Vec<u64> = [1, 25].into_iter().chain(26..=41).collect();
    assert_eq!(sessions(&lessons.learn), expected);
    assert_eq!(lessons.learn[0].connection.device.as_deref(), Some("KALI"), "the oldest first");
    // What it does not list was the stranger's, too.
    let lessons = followed_by(40).close(1, Verdict::Malicious, "uid 0", 0, Sending::Always).unwrap();
    assert_eq!((sessions(&lessons.rejected), lessons.unlearn.len()), (expected, 0));
}

#[test]
fn of_what_it_does_not_list_an_alert_keeps_so_many_and_no_person_who_goes_out() {
    let mut alerts = Alerts::default();
    for session in 0..500 {
        let (case, mut assessment) = abroad(at(session, "Beijing, CN", 4134, &format!("D{session}")));
        alerts.take(case, &mut assessment);
    }
    let open = &alerts.open[&1];
    assert_eq!((open.unlisted.len(), open.alert.connection_count), (UNLISTED_MAX, 500));
    assert_eq!(open.untaught.len(), 500);
    // More came to be known of one of them.
    let again = open.unlisted[0].session;
    let (case, mut assessment) = abroad(at(again, "Beijing, CN", 4134, "PC-7"));
    alerts.take(case, &mut assessment);
    let open = &alerts.open[&1];
    assert_eq!((open.alert.connections[0].session, open.alert.connection_count), (again, 500));
    assert!(!open.unlisted.iter().any(|one| one.session == again));
    let named = open.unlisted[3].device.clone().unwrap();
    alerts.forget(|text| text.contains(&named));
    assert_eq!(alerts.open[&1].unlisted.len(), UNLISTED_MAX - 1);
}

#[test]
fn of_what_taught_beside_an_alert_the_users_own_goes_first() {
    let mut alerts = Alerts::default();
    let (case, mut assessment) = abroad(from(1, "198.51.100.7", "KALI"));
    alerts.take(case, &mut assessment);
    // Now and then the stranger is among hundreds of the user's own.
    for session in 2..600 {
        let address = if session % 20 == 0 { "198.51.100.9" } else { "192.0.2.1" };
        alerts.take(of("alice", from(session, address, "PC-7")), &mut Assessment::default());
    }
    assert_eq!(alerts.open[&1].taught.len(), TAUGHT_MAX);
    let lessons = alerts.close(1, Verdict::Malicious, "uid 0", 0, Sending::Always).unwrap();
    assert_eq!(sessions(&lessons.unlearn), (20..600).step_by(20).collect::<Vec<u64>>());
}

#[test]
fn what_came_more_urgent_from_where_it_was_before_is_told_and_adds_no_place() {
    let mut alerts = Alerts::default();
    for (session, severity) in [(1, Severity::Medium), (2, Severity::High)] {
        let mut assessment = abnormal(severity, vec![country("CN")]);
        alerts.take(of("alice", at(session, "Beijing, CN", 4134, "A")), &mut assessment);
        assert_eq!(told(&mut alerts).len(), 1);
    }
    assert_eq!(alerts.open[&1].keys, ["country CN", "at Beijing, CN", "by AS4134", "with A"]);
}
