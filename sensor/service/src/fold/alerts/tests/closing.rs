//! What closing an alert, leaving it alone and forgetting do to a profile and to later assessments.

use super::*;

#[test]
fn what_is_excluded_raises_nothing_and_teaches() {
    let mut alerts = Alerts::default();
    let mut assessment = medium(vec![country("CN")]);
    let case = Case { is_excluded: true, ..of("alice", from(1, "192.0.2.1", "A")) };
    assert!(!alerts.take(case, &mut assessment));
    assert!(!assessment.is_alert && told(&mut alerts).is_empty() && !alerts.holds(1));
    assert_eq!(assessment.score, 4.0, "its score is what it is");
}

/// A stranger in China; then the user at home, the stranger once more without a word, and the end of both, of which the
/// stranger's is told.
fn stolen() -> Alerts {
    let mut alerts = Alerts::default();
    let ordinary = Assessment::default;
    alerts
        .take(of("alice", from(1, "198.51.100.7", "KALI")), &mut medium(vec![country("CN"), device("KALI")]));
    alerts.take(of("alice", from(2, "192.0.2.1", "PC-7")), &mut ordinary());
    alerts.take(of("alice", from(3, "198.51.100.99", "PC-7")), &mut ordinary());
    alerts.take(of("alice", from(4, "203.0.113.2", "KALI")), &mut ordinary());
    for session in [1, 2, 3] {
        let end = Case { is_unknown: false, ..of("alice", from(session, "192.0.2.1", "PC-7")) };
        alerts.take(end, &mut ordinary());
    }
    let volume = reason(Detection::UnusualVolume, None, "9 GB", 1.0);
    let end = Case { is_unknown: false, ..of("alice", from(4, "203.0.113.2", "KALI")) };
    alerts.take(end, &mut medium(vec![volume]));
    alerts
}

#[test]
fn closed_as_usual_an_alert_teaches_what_it_held_back_once() {
    let mut alerts = stolen();
    assert!(alerts.holds(1) && !alerts.holds(2));
    let lessons = alerts.close(1, Verdict::Usual, "uid 0", 0, Sending::Always).unwrap();
    // The fourth was learned when it began.
    assert_eq!((sessions(&lessons.learn), lessons.unlearn.len()), (vec![1], 0));
    assert!(!alerts.holds(1));
    assert!(alerts.close(1, Verdict::Usual, "uid 0", 0, Sending::Always).is_none(), "once");
}

#[test]
fn closed_as_malicious_what_the_stranger_taught_is_taken_back_and_the_users_own_stays() {
    let lessons = stolen().close(1, Verdict::Malicious, "uid 0", 0, Sending::Always).unwrap();
    // Near the stranger's address; with the stranger's device, once though it is an alert's and a successor's. Not home,
    // though it is in the same provider's network.
    assert_eq!(sessions(&lessons.unlearn), [3, 4]);
    // None of them says any more where the user is.
    assert_eq!((sessions(&lessons.rejected), lessons.learn.len()), (vec![1, 3, 4], 0));
    assert!(lessons.unlearn.iter().chain(&lessons.rejected).all(|lesson| lesson.user == "alice"));
}

#[test]
fn sessions_of_an_alert_that_is_closed_are_held_until_they_are_over_unless_it_was_usual() {
    let taken = |alerts: &mut Alerts, session: u64| {
        alerts.take(of("alice", from(session, "192.0.2.1", "A")), &mut medium(vec![country("CN")]));
    };
    for verdict in [Verdict::Usual, Verdict::Unclear, Verdict::Malicious] {
        let mut alerts = Alerts::default();
        [1, 2].iter().for_each(|session| taken(&mut alerts, *session));
        alerts.release(2);
        alerts.finish(2);
        alerts.close(1, verdict, "uid 0", 0, Sending::Always);
        let is_held = verdict != Verdict::Usual;
        assert_eq!((alerts.holds(1), alerts.holds(2)), (is_held, false), "{verdict:?}");
        let saved = serde_json::to_string(&alerts).unwrap();
        let mut alerts = serde_json::from_str::<Alerts>(&saved).unwrap().restored();
        assert_eq!(alerts.holds(1), is_held, "{verdict:?}");
        // It may go on, until its Stop.
        alerts.release(1);
        assert_eq!(alerts.holds(1), is_held, "{verdict:?}");
        alerts.finish(1);
        assert!(!alerts.holds(1));
        assert!(!serde_json::to_string(&alerts).unwrap().contains("rejected"));
    }
}

#[test]
fn who_says_that_a_session_was_usual_after_all_has_the_last_word() {
    for verdict in [Verdict::Usual, Verdict::Malicious] {
        let mut alerts = Alerts::default();
        alerts.take(of("alice", from(1, "192.0.2.1", "A")), &mut medium(vec![country("CN")]));
        alerts.close(1, Verdict::Malicious, "uid 0", 0, Sending::Always);
        // Much is taken in it: the fold knows it, and the profile has nothing of it.
        let volume = reason(Detection::UnusualVolume, None, "9 GB", 1.0);
        let known = Case { is_unknown: false, ..of("alice", from(1, "192.0.2.1", "A")) };
        alerts.take(known, &mut medium(vec![volume]));
        let lessons = alerts.close(2, verdict, "uid 0", 0, Sending::Always).unwrap();
        let is_usual = verdict == Verdict::Usual;
        assert_eq!((lessons.learn.len(), lessons.unlearn.len()), (usize::from(is_usual), 0), "once");
        assert_eq!(alerts.holds(1), !is_usual, "{verdict:?}");
    }
}

#[test]
fn what_is_left_alone_is_below_high_severity_and_nothing_happened_to_it_since() {
    let mut alerts = Alerts::default();
    for (user, session) in [("alice", 1), ("bob", 2)] {
        alerts.take(of(user, from(session, "192.0.2.1", "A")), &mut medium(vec![country("CN")]));
    }
    let mut high = abnormal(Severity::High, vec![country("CN")]);
    alerts.take(of("eve", from(3, "192.0.2.1", "A")), &mut high);
    // Equal reasons are no news, another device is; somebody writes.
    let later = |user, device| Case { now: (DAY + 1) * DAY_NS, ..of(user, from(4, "192.0.2.1", device)) };
    alerts.take(later("alice", "A"), &mut medium(vec![country("CN")]));
    let since = |alerts: &Alerts| alerts.left_alone_since(DAY * DAY_NS);
    assert_eq!(since(&alerts), [1, 2]);
    assert_eq!(alerts.left_alone_since(DAY * DAY_NS - 1), [0_u64; 0]);
    alerts.take(later("alice", "KALI"), &mut medium(vec![device("KALI")]));
    assert_eq!(since(&alerts), [2]);
    let comment = Comment { by: "uid 0".into(), unix_ns: DAY * DAY_NS + 1, text: "asked".into() };
    alerts.comment(2, comment);
    assert_eq!(since(&alerts), [0_u64; 0]);
}

#[test]
fn what_people_said_of_a_session_is_not_taken_back_by_the_service_and_holds_for_what_it_is_merged_into() {
    let mut alerts = Alerts::default();
    let stolen = |alerts: &mut Alerts, session, seen| {
        alerts.take(of("alice", from(session, "192.0.2.1", "A")), &mut medium(vec![country(seen)]))
    };
    stolen(&mut alerts, 1, "CN");
    alerts.close(1, Verdict::Malicious, "uid 0", 0, Sending::Always);
    stolen(&mut alerts, 1, "RU");
    assert_eq!(alerts.left_alone_since(DAY * DAY_NS), [0_u64; 0], "it is for people");
    let saved = serde_json::to_string(&alerts).unwrap();
    let mut alerts = serde_json::from_str::<Alerts>(&saved).unwrap().restored();
    assert_eq!(alerts.left_alone_since(DAY * DAY_NS), [0_u64; 0]);
    alerts.merge(1, 9);
    alerts.release(1);
    assert!(alerts.holds(9));
    alerts.merge(2, 10);
    assert!(!alerts.holds(10), "nothing was said of it");
    alerts.take(of("bob", from(5, "198.51.100.1", "A")), &mut medium(vec![country("CN")]));
    alerts.merge(5, 11);
    alerts.release(5);
    assert!(alerts.holds(11), "its alert is open");
}

#[test]
fn what_is_about_a_vpn_server_is_of_no_session() {
    let mut alerts = Alerts::default();
    let stray = Case { user: None, ..of("VPN server gw", from(0, "192.0.2.1", "A")) };
    let reason = reason(Detection::StopWithoutStart, None, "30", 1.0);
    assert!(alerts.take(stray, &mut medium(vec![reason])));
    assert!(!alerts.holds(0));
    for verdict in [Verdict::Malicious, Verdict::Usual] {
        let lessons = alerts.close(1, verdict, "uid 0", 0, Sending::Always);
        assert_eq!(lessons.map_or(0, |lessons| lessons.learn.len()), 0);
        assert!(!alerts.holds(0));
    }
}

#[test]
fn nobody_is_forgotten_but_who_is_meant() {
    let mut alerts = Alerts::default();
    for (user, session) in [("alice", 1), ("bob", 2)] {
        alerts.take(of(user, from(session, "192.0.2.1", "A")), &mut medium(vec![country("CN")]));
    }
    alerts.forget(|text| text == "alice");
    assert!(!alerts.holds(1) && alerts.holds(2));
    alerts.forget_before(DAY * DAY_NS);
    assert!(alerts.holds(2));
    alerts.forget_before(DAY * DAY_NS + 1);
    assert!(!alerts.holds(2));
}
