//! What folds, what grows, and what is told.

use std::sync::LazyLock;

use insight::detect::{Detection, ReasonFeature};

use super::*;

mod bounds;
mod closing;

pub(super) const DAY: u64 = 20_000;

pub(super) fn reason(
    detection: Detection,
    feature: Option<ReasonFeature>,
    seen: &str,
    log_ratio: f64,
) -> Reason {
    Reason {
        detection,
        feature,
        log_ratio,
        user: "alice".into(),
        seen: seen.into(),
        standing: insight::detect::Standing::New,
        users: 0,
        expected: Vec::new(),
        measure: insight::detect::Measure::None,
        way: None,
        alert: None,
    }
}

pub(super) fn country(seen: &str) -> Reason {
    reason(Detection::SuspiciousConnection, Some(ReasonFeature::Country), seen, 4.0)
}

pub(super) fn device(seen: &str) -> Reason {
    reason(Detection::SuspiciousConnection, Some(ReasonFeature::Device), seen, 2.0)
}

pub(super) fn hour(seen: &str) -> Reason {
    reason(Detection::SuspiciousConnection, Some(ReasonFeature::Hour), seen, 1.0)
}

pub(super) fn abnormal(severity: Severity, reasons: Vec<Reason>) -> Assessment {
    let score = reasons.iter().map(|reason| reason.log_ratio).sum();
    Assessment { score, reasons, is_alert: true, severity, ..Assessment::default() }
}

pub(super) fn medium(reasons: Vec<Reason>) -> Assessment {
    abnormal(Severity::Medium, reasons)
}

#[test]
fn of_few_sessions_it_is_known_how_much_was_told_and_always_of_the_last() {
    let much = medium(vec![reason(Detection::UnusualVolume, None, "5 GB", 1.5)]);
    let mut alerts = Alerts::default();
    alerts.note_told(1, &medium(vec![country("FR")]));
    assert_eq!(alerts.told_of(1), Told::default(), "nothing of volume or length");
    for session in 2..MUCH_MAX as u64 + 4 {
        alerts.note_told(session, &much);
    }
    alerts.note_told(1, &much);
    assert_eq!(alerts.much.len(), MUCH_MAX);
    let is_known = |alerts: &Alerts, session| alerts.told_of(session) != Told::default();
    assert!(is_known(&alerts, 1) && !is_known(&alerts, 2) && is_known(&alerts, MUCH_MAX as u64 + 3));
    alerts.finish(1);
    assert!(!is_known(&alerts, 1));
}

pub(super) fn from(session: u64, address: &str, device: &str) -> Connection {
    serde_json::from_value(serde_json::json!({
        "session": session, "session_id": session.to_string(), "start_unix_ns": session, "score": 0.0,
        "address": address, "device": device, "kinds": [], "asn": 64500,
    }))
    .unwrap()
}

/// Three notices of a day, all else as it comes.
pub(super) static DETECTING: LazyLock<Detecting> =
    LazyLock::new(|| Detecting { notices_per_day: 3, ..Detecting::default() });

pub(super) fn of(user: &str, connection: Connection) -> Case<'_> {
    Case {
        subject: user,
        user: Some(user),
        user_original: None,
        now: DAY * DAY_NS,
        is_excluded: false,
        is_unknown: true,
        detecting: &DETECTING,
        connection,
    }
}

/// What was told since, and whether it is held back.
pub(super) fn told(alerts: &mut Alerts) -> Vec<(News, u64, bool)> {
    let (_, notices) = alerts.take_changes();
    notices.into_iter().map(|notice| (notice.news, notice.alert.number, notice.is_held)).collect()
}

pub(super) fn sessions(lessons: &[Lesson]) -> Vec<u64> {
    let mut sessions: Vec<u64> = lessons.iter().map(|lesson| lesson.connection.session).collect();
    sessions.sort_unstable();
    sessions
}

#[test]
fn equal_reasons_fold_without_a_word_and_say_nothing_of_the_next_score() {
    let mut alerts = Alerts::default();
    let mut first = medium(vec![country("CN"), hour("Monday, 3:00 UTC")]);
    assert!(alerts.take(of("alice", from(1, "192.0.2.1", "A")), &mut first));
    assert_eq!((first.is_alert, first.score, told(&mut alerts)), (true, 5.0, vec![(News::New, 1, false)]));

    let mut again = medium(vec![country("CN"), hour("Tuesday, 4:00 UTC")]);
    assert!(alerts.take(of("alice", from(2, "192.0.2.1", "A")), &mut again), "it teaches nothing either");
    assert_eq!((again.is_alert, again.score), (false, 0.0));
    let (changed, notices) = alerts.take_changes();
    assert_eq!((changed[0].connection_count, changed[0].revision, notices.len()), (2, 1, 0));

    let mut grown = medium(vec![country("CN"), device("KALI")]);
    grown.severity = Severity::High;
    alerts.take(of("alice", from(3, "192.0.2.1", "KALI")), &mut grown);
    assert_eq!((grown.is_alert, grown.score), (true, 2.0));
    let (changed, notices) = alerts.take_changes();
    assert_eq!((notices.len(), notices[0].news, changed[0].revision), (1, News::Updated, 2));
    assert_eq!(changed[0].severity, Severity::High);
    assert_eq!(changed[0].reasons.len(), 3, "{:?}", changed[0].reasons);

    // Another user's is another alert.
    assert!(alerts.take(of("bob", from(4, "192.0.2.1", "A")), &mut medium(vec![country("CN")])));
    assert_eq!(told(&mut alerts), [(News::New, 2, false)]);
}

/// A reason because of which people are told.
fn telling(reason: Reason) -> Reason {
    Reason { alert: Some(Severity::Medium), ..reason }
}

#[test]
fn the_rule_that_other_peoples_rules_know_is_known_whatever_weighs_most() {
    let travel = || telling(reason(Detection::ImpossibleTravel, None, "FR", 9.0));
    let mut alerts = Alerts::default();
    let mut take = |user: &str, session: u64, reasons: Vec<Reason>| {
        let mut assessment = medium(reasons);
        assessment.reasons.sort_by(|one, other| other.log_ratio.total_cmp(&one.log_ratio));
        alerts.take(of(user, from(session, "192.0.2.1", "A")), &mut assessment);
        let notices = alerts.take_changes().1.into_iter().map(|notice| notice.alert);
        (assessment.is_alert, notices.map(|alert| (alert.detection, alert.external_id)).collect::<Vec<_>>())
    };
    let named = |external_id| (true, vec![("impossible-travel".to_owned(), external_id)]);
    assert_eq!(take("alice", 1, vec![travel(), telling(country("FR"))]), named(Some(2025)));
    // What only explains raises nothing at anybody's. Then it does, though nothing is new but that; once.
    assert_eq!(take("bob", 2, vec![travel(), country("FR")]), named(None));
    assert_eq!(take("bob", 3, vec![travel(), country("FR")]), (false, vec![]));
    assert_eq!(take("bob", 4, vec![travel(), telling(country("FR"))]), named(Some(2025)));
    assert_eq!(take("bob", 5, vec![travel(), telling(country("FR"))]), (false, vec![]));
    // Named after it, it has its id, though it is another rule that speaks.
    let named_so = vec![("suspicious-connection".to_owned(), Some(2025))];
    let spoken = || telling(reason(Detection::AnonymousNetwork, None, "FR", 1.0));
    assert_eq!(take("carol", 7, vec![country("FR"), spoken()]), (true, named_so));
    // It stays so.
    assert_eq!(take("bob", 6, vec![travel(), device("KALI")]), named(Some(2025)));
}

#[test]
fn an_alert_is_called_after_the_strongest_that_it_has_and_keeps_its_number() {
    let travel = |weight| reason(Detection::ImpossibleTravel, None, "FR", weight);
    let volume = || reason(Detection::UnusualVolume, None, "9 GB", 1.5);
    let mut alerts = Alerts::default();
    let mut take = |session: u64, severity: Severity, reasons: Vec<Reason>| {
        alerts.take(of("alice", from(session, "192.0.2.1", "A")), &mut abnormal(severity, reasons));
        let alert = alerts.take_changes().0.pop().unwrap();
        let named = Detection::named(&alert.detection).unwrap();
        assert_eq!((alert.number, &*alert.title), (1, named.title()));
        (named, alert.external_id)
    };
    use Detection::{ImpossibleTravel, SuspiciousConnection, UnusualVolume};
    let known = Some(2025);
    assert_eq!(take(1, Severity::Low, vec![volume()]), (UnusualVolume, None));
    // As urgent: what weighs more. By whose name it was once known, it stays known.
    assert_eq!(take(2, Severity::Low, vec![country("CN")]), (SuspiciousConnection, known));
    assert_eq!(take(3, Severity::Low, vec![device("KALI")]), (SuspiciousConnection, known), "it weighs less");
    assert_eq!(take(4, Severity::Low, vec![travel(6.0), country("CN")]), (ImpossibleTravel, known));
    // More urgent, whatever it weighs; then what is less urgent changes nothing, nor does what was there already.
    assert_eq!(take(5, Severity::High, vec![volume()]), (UnusualVolume, known));
    assert_eq!(take(6, Severity::Medium, vec![country("RU")]), (UnusualVolume, known));
    assert_eq!(take(7, Severity::High, vec![travel(7.0)]), (UnusualVolume, known));
    assert_eq!(take(8, Severity::High, vec![country("BR")]), (SuspiciousConnection, known));
}

#[test]
fn what_a_rule_tells_of_somebody_who_is_not_learned_is_called_after_the_rule() {
    use Detection::{AnonymousNetwork, FirstCountryForAll, UnlearnedUser};
    let unlearned = || reason(UnlearnedUser, None, "AS64500", 6.5);
    let rule = |detection| telling(reason(detection, None, "BR", 0.5));
    let mut alerts = Alerts::default();
    let mut take = |session: u64, severity: Severity, reasons: Vec<Reason>| {
        alerts.take(of("eve", from(session, "192.0.2.1", "A")), &mut abnormal(severity, reasons));
        let alert = alerts.take_changes().0.pop().unwrap();
        (alert.detection, alert.external_id)
    };
    let called = |detection: Detection| (detection.name().to_owned(), None);
    let medium = Severity::Medium;
    assert_eq!(take(1, medium, vec![unlearned(), rule(FirstCountryForAll)]), called(FirstCountryForAll));
    // More urgent, and called after a rule again.
    let again = vec![unlearned(), rule(AnonymousNetwork)];
    assert_eq!(take(2, Severity::High, again), called(AnonymousNetwork));
    // Where the score raises it, it gives the name.
    let mut alerts = Alerts::default();
    alerts.take(of("eve", from(1, "192.0.2.1", "A")), &mut abnormal(medium, vec![telling(unlearned())]));
    assert_eq!(alerts.take_changes().0.pop().unwrap().detection, UnlearnedUser.name());
}

#[test]
fn what_to_do_follows_the_name_of_an_alert() {
    let advice = |detection: Detection| {
        let mut alerts = Alerts::default();
        alerts.take(
            of("alice", from(1, "192.0.2.1", "A")),
            &mut medium(vec![reason(detection, None, "7", 1.0)]),
        );
        alerts.take_changes().0.pop().unwrap().advice
    };
    let mut alerts = Alerts::default();
    let mut take = |detection: Detection, weight: f64| {
        let mut assessment = medium(vec![reason(detection, None, "7", weight)]);
        alerts.take(of("VPN server berlin", from(1, "192.0.2.1", "A")), &mut assessment);
        alerts.take_changes().0.pop().unwrap().advice
    };
    assert_eq!(take(Detection::StopWithoutStart, 1.0), advice(Detection::StopWithoutStart));
    assert_eq!(take(Detection::ImpossibleTravel, 2.0), advice(Detection::ImpossibleTravel));
}

#[test]
fn once_its_user_is_learned_an_alert_is_told_by_the_name_that_people_know_and_counts_once() {
    let unlearned = || telling(Reason { detection: Detection::UnlearnedUser, ..country("FR") });
    let mut alerts = Alerts::default();
    let mut take = |session: u64, reason: Reason| {
        let mut assessment = medium(vec![reason]);
        alerts.take(of("dave", from(session, "192.0.2.1", "A")), &mut assessment);
        let news = alerts.take_changes().1.pop().map(|notice| {
            let names: Vec<String> =
                notice.alert.reasons.into_iter().map(|reason| reason.detection).collect();
            (names.join(", "), notice.alert.external_id)
        });
        (assessment.is_alert, assessment.score, news)
    };
    assert_eq!(take(1, unlearned()), (true, 4.0, Some(("unlearned-user".to_owned(), None))));
    assert_eq!(take(2, unlearned()), (false, 0.0, None));
    // What explains another rule is the same by either name.
    assert_eq!(take(3, country("FR")), (false, 0.0, None));
    let both = "unlearned-user, suspicious-connection".to_owned();
    assert_eq!(take(4, telling(country("FR"))), (true, 0.0, Some((both, Some(2025)))));
    assert_eq!(take(5, telling(country("FR"))), (false, 0.0, None));
}

#[test]
fn another_place_is_told_and_counts_once_and_so_is_what_gets_more_urgent_with_nothing_new() {
    for detection in [Detection::AddressChange, Detection::ImpossibleTravel, Detection::SimultaneousSessions]
    {
        let mut alerts = Alerts::default();
        let mut take = |session: u64, seen: &str, severity: Severity| {
            let mut assessment = abnormal(severity, vec![reason(detection, None, seen, 4.0)]);
            alerts.take(of("alice", from(session, "192.0.2.1", "A")), &mut assessment);
            let (changed, notices) = alerts.take_changes();
            let last = changed.last().unwrap();
            assert_eq!((notices.len() == 1, last.severity), (assessment.is_alert, severity));
            (assessment.is_alert, assessment.score, last.reasons.len())
        };
        assert_eq!(take(1, "FR (AS3215 Orange)", Severity::Medium), (true, 4.0, 1));
        assert_eq!(take(2, "FR (AS3215 Orange)", Severity::Medium), (false, 0.0, 1));
        assert_eq!(take(3, "CN (AS4134 Chinanet)", Severity::Medium), (true, 0.0, 2), "a third country");
        assert_eq!(take(4, "CN (AS4134 Chinanet)", Severity::High), (true, 0.0, 2), "more urgent");
        assert_eq!(take(5, "FR (AS3215 Orange)", Severity::High), (false, 0.0, 2));
    }
}

#[test]
fn one_session_counts_once_however_often_it_is_assessed() {
    let mut alerts = Alerts::default();
    for reasons in [vec![country("CN")], vec![country("CN"), device("KALI")]] {
        alerts.take(of("alice", from(1, "192.0.2.1", "KALI")), &mut medium(reasons));
    }
    let (changed, _) = alerts.take_changes();
    let last = changed.last().unwrap();
    assert_eq!((last.connection_count, last.connections.len()), (1, 1));
}

#[test]
fn so_many_notices_of_a_day_are_sent_and_all_of_high_severity() {
    let mut alerts = Alerts::default();
    let users: Vec<String> = (0..5).map(|user| format!("user{user}")).collect();
    for (user, session) in users.iter().zip(1..) {
        alerts.take(of(user, from(session, "192.0.2.1", "A")), &mut medium(vec![country("CN")]));
    }
    let mut high = abnormal(Severity::High, vec![country("CN")]);
    alerts.take(of("eve", from(9, "192.0.2.1", "A")), &mut high);
    let held: Vec<bool> = told(&mut alerts).into_iter().map(|(.., is_held)| is_held).collect();
    assert_eq!(held, [false, false, false, true, true, false]);
    let tomorrow = Case { now: (DAY + 1) * DAY_NS, ..of("mallory", from(10, "192.0.2.1", "A")) };
    alerts.take(tomorrow, &mut medium(vec![country("CN")]));
    assert_eq!(told(&mut alerts), [(News::New, 7, false)], "a day is a day");
}

#[test]
fn what_people_do_themselves_is_sent_and_takes_nothing_of_the_days_away() {
    let mut alerts = Alerts::default();
    let raise = |alerts: &mut Alerts, session: u64| {
        let user = format!("user{session}");
        alerts.take(of(&user, from(session, "192.0.2.1", "A")), &mut medium(vec![country("CN")]));
        told(alerts)[0].2
    };
    assert_eq!([1, 2].map(|session| raise(&mut alerts, session)), [false; 2]);
    for number in [1, 2] {
        let comment = Comment { by: "uid 0".into(), unix_ns: DAY * DAY_NS, text: "asked".into() };
        alerts.comment(number, comment);
        alerts.close(number, Verdict::Unclear, "uid 0", DAY * DAY_NS, Sending::Always);
        assert_eq!(told(&mut alerts), [(News::Updated, number, false), (News::Closed, number, false)]);
    }
    // Three of a day.
    assert_eq!([3, 4, 5, 6].map(|session| raise(&mut alerts, session)), [false, true, true, true]);
    alerts.close(4, Verdict::Unclear, "uid 0", DAY * DAY_NS, Sending::Always);
    // The service by itself: whoever was told that one was raised, or that somebody wrote about it, is told of its end.
    let comment = Comment { by: "uid 0".into(), unix_ns: DAY * DAY_NS, text: "asked".into() };
    alerts.comment(6, comment);
    told(&mut alerts);
    for number in [3, 5, 6] {
        alerts.close(number, Verdict::Usual, "the service", DAY * DAY_NS, Sending::IfTold);
    }
    let closed = [(News::Closed, 3, false), (News::Closed, 5, true), (News::Closed, 6, false)];
    assert_eq!(told(&mut alerts), closed);
}

#[test]
fn a_rule_tells_of_what_is_usual_otherwise_and_says_nothing_about_how_likely_it_is() {
    for (weight, is_said) in [(0.2, false), (6.0, true)] {
        let mut alerts = Alerts::default();
        let mut travel = medium(vec![reason(Detection::ImpossibleTravel, None, "FR", weight)]);
        alerts.take(of("eve", from(1, "192.0.2.1", "A")), &mut travel);
        let message = &alerts.take_changes().0[0].message;
        assert_eq!(message.contains("Taken together"), is_said, "{message}");
    }
}
