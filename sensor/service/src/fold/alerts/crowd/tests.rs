//! One alert for all users of an address: who is in it, when it is told, what closing it does, who is forgotten.

use insight::detect::Measure;

use super::{
    super::{
        Lesson, Verdict,
        tests::{DAY, DETECTING, abnormal, country, device, from, medium, of, reason, sessions, told},
    },
    *,
};
use crate::alert::Notice;

const ADDRESS: &str = "198.51.100.9";

/// A stranger at the address, so many of them there; `alert`: the detection speaks.
fn sprayed(count: u64, alert: Option<Severity>) -> Assessment {
    let mut reasons = Vec::new();
    if count >= 4 {
        let many = reason(Detection::OneAddressManyUsers, None, ADDRESS, 2.0);
        let measure = Measure::Users { seen: count as u16, usual: 0, days: 2 };
        reasons.push(Reason { measure, alert, ..many });
    }
    let is_alert = alert.is_some();
    let severity = alert.unwrap_or_default();
    Assessment { score: 2.0, reasons, is_alert, severity, is_stranger: true, ..Assessment::default() }
}

/// A session of the day.
fn come(session: u64, address: &str, device: &str) -> Connection {
    Connection { start_unix_ns: DAY * DAY_NS + session, ..from(session, address, device) }
}

fn name(number: u64) -> String {
    format!("user{number}@contoso.example")
}

/// Users from the first to the last, each by a session of the same number, as the detection tells them.
fn spray(alerts: &mut Alerts, users: std::ops::RangeInclusive<u64>) -> Vec<bool> {
    users
        .map(|number| {
            let alert = match number {
                4 => Some(Severity::Medium),
                8 | 16 | 32 => Some(Severity::High),
                _ => None,
            };
            let connection = come(number, ADDRESS, "KALI");
            alerts.take(of(&name(number), connection), &mut sprayed(number, alert))
        })
        .collect()
}

/// Of which people are told.
fn notices(alerts: &mut Alerts) -> Vec<Notice> {
    alerts.take_changes().1.into_iter().filter(|notice| !notice.is_held).collect()
}

#[test]
fn many_users_of_one_address_are_one_alert_that_is_told_again_at_twice_as_many() {
    let mut alerts = Alerts::default();
    let held = spray(&mut alerts, 1..=9);
    // Nobody knew of the first three; whoever comes behind them teaches nothing.
    assert_eq!(held, [false, false, false, true, true, true, true, true, true]);
    let (changed, happened) = alerts.take_changes();
    let told: Vec<_> = happened
        .iter()
        .filter(|notice| !notice.is_held)
        .map(|notice| (notice.news, notice.alert.users.len(), notice.alert.severity))
        .collect();
    assert_eq!(told, [(News::New, 4, Severity::Medium), (News::Updated, 8, Severity::High)]);
    // Who comes in between is listed: one row before the second of them, one behind it.
    let held = happened.iter().filter(|notice| notice.is_held);
    let held: Vec<_> = held
        .map(|notice| {
            let count = notice.alert.held_back.unwrap().count;
            (notice.sequence, notice.alert.users.len(), count, notice.alert.revision)
        })
        .collect();
    assert_eq!(held, [(2, 7, 3, 1), (4, 9, 1, 2)]);
    let last = changed.last().unwrap();
    assert_eq!((last.number, last.connection_count, last.users.len()), (1, 9, 9));
    assert_eq!((&*last.users[0], last.users[8].as_str()), ("user1@contoso.example", "user9@contoso.example"));
    assert_eq!((last.user.as_ref(), last.address), (None, ADDRESS.parse().ok()));
    assert!(changed.iter().all(|alert| alert.number == 1), "none of them has an alert of her own");
    assert_eq!(last.connections[0].user.as_deref(), Some("user9@contoso.example"));
    assert_eq!(last.reasons.len(), 1, "{:?}", last.reasons);
    assert_eq!(
        last.message,
        "9 users connected to a VPN from 198.51.100.9, where they never were before: user1@contoso.example, \
         user2@contoso.example, user3@contoso.example, user4@contoso.example, user5@contoso.example, \
         user6@contoso.example, user7@contoso.example, user8@contoso.example, user9@contoso.example. One address, from \
         which many connect to whom it is new: 198.51.100.9, 9 users in two days; usual: 0. Taken together the riskiest \
         connection is about 7 times likelier an attacker's than the user's."
    );
    assert_eq!(last.subject().unwrap(), "198.51.100.9 (9 users)");
    // Not at each, and again at sixteen.
    spray(&mut alerts, 10..=17);
    let again = notices(&mut alerts);
    let users: Vec<usize> = again.iter().map(|notice| notice.alert.users.len()).collect();
    assert_eq!(users, [16]);
    // Who comes again is no news.
    alerts.take(of(&name(5), come(90, ADDRESS, "KALI")), &mut sprayed(17, None));
    let (changed, happened) = alerts.take_changes();
    assert_eq!((changed.len(), changed[0].held_back.unwrap().count, happened.len()), (1, 1, 0));
    // Another address is another alert.
    let elsewhere = come(20, "203.0.113.9", "KALI");
    alerts.take(of("zoe", elsewhere), &mut sprayed(4, Some(Severity::Medium)));
    assert_eq!(told_of(&mut alerts), [(News::New, 2)]);
}

/// Of one line of IPv6, each from an address of its own.
fn spray_line(alerts: &mut Alerts, users: std::ops::RangeInclusive<u64>) {
    for number in users {
        let alert = (number == 4).then_some(Severity::Medium);
        let connection = come(number, &format!("2001:db8:1:2:{number}::1"), "KALI");
        alerts.take(of(&name(number), connection), &mut sprayed(number, alert));
    }
}

#[test]
fn of_ipv6_one_alert_is_about_all_of_a_line() {
    let mut alerts = Alerts::default();
    spray_line(&mut alerts, 1..=5);
    let (changed, _) = alerts.take_changes();
    let last = changed.last().unwrap();
    assert_eq!((last.number, last.users.len(), last.connections.len()), (1, 5, 5));
    // It names the one with which it began, that others know what to look for.
    assert_eq!(last.address, "2001:db8:1:2:4::1".parse().ok());
    assert_eq!(last.subject().unwrap(), "2001:db8:1:2::/64 (5 users)");
    let said =
        "5 users connected to a VPN from one network (2001:db8:1:2::/64), where they never were before: ";
    assert!(last.message.starts_with(said), "{}", last.message);
    // Another line is another alert.
    let elsewhere = come(20, "2001:db8:1:3:4::1", "KALI");
    alerts.take(of("zoe", elsewhere), &mut sprayed(4, Some(Severity::Medium)));
    assert_eq!(told_of(&mut alerts), [(News::New, 2)]);
}

/// Of before: each address had an alert of its own.
#[test]
fn alerts_about_single_addresses_of_ipv6_go_on_as_that_of_their_line_and_can_be_closed() {
    let mut alerts = Alerts::default();
    spray_line(&mut alerts, 1..=5);
    let elsewhere = come(20, "2001:db8:1:3:4::1", "KALI");
    alerts.take(of("zoe", elsewhere), &mut sprayed(4, Some(Severity::Medium)));
    for (number, address) in [(1, "2001:db8:1:2:4::1"), (2, "2001:db8:1:2:7::1")] {
        let open = alerts.open.get_mut(&number).unwrap();
        open.subject = format!("\naddress {address}");
        open.alert.address = address.parse().ok();
    }
    let mut alerts = alerts.restored();
    alerts.take_changes();
    // Who comes to the line joins the first of them, and so does a session of the second that goes on.
    for (session, address) in [(9, "2001:db8:1:2:99::1"), (20, "2001:db8:1:2:7::1")] {
        alerts.take(of(&name(session), come(session, address, "KALI")), &mut sprayed(9, None));
    }
    let last = alerts.take_changes().0.pop().unwrap();
    assert_eq!(last.number, 1);
    assert!([9, 20].iter().all(|user| last.users.contains(&name(*user))), "{:?}", last.users);
    for number in [2, 1] {
        assert!(alerts.close(number, Verdict::Malicious, "uid 0", DAY * DAY_NS, Sending::Always).is_some());
    }
    assert!(alerts.subjects.is_empty(), "{:?}", alerts.subjects);
}

fn told_of(alerts: &mut Alerts) -> Vec<(News, u64)> {
    let told = told(alerts).into_iter().filter(|(.., is_held)| !is_held);
    told.map(|(news, number, _)| (news, number)).collect()
}

/// What else is said of a stranger at the address.
fn besides(count: u64, severity: Severity, detection: Detection) -> Assessment {
    let mut assessment = sprayed(count, None);
    let rule = reason(detection, None, "DE", 6.0);
    assessment.reasons.push(Reason { alert: Some(severity), user: name(count), ..rule });
    assessment.score += 6.0;
    (assessment.is_alert, assessment.severity) = (true, severity);
    assessment
}

#[test]
fn what_else_is_said_of_one_of_them_is_in_it_and_told_if_it_is_more_urgent() {
    let mut alerts = Alerts::default();
    spray(&mut alerts, 1..=3);
    alerts.take(of(&name(4), come(4, ADDRESS, "KALI")), &mut sprayed(4, Some(Severity::Low)));
    notices(&mut alerts);
    for number in [5, 6] {
        let mut assessment = besides(number, Severity::Medium, Detection::DormantUser);
        assert!(alerts.take(of(&name(number), come(number, ADDRESS, "KALI")), &mut assessment));
        assert_eq!(assessment.is_alert, number == 5, "once");
    }
    let notices = notices(&mut alerts);
    assert_eq!(
        (notices.len(), notices[0].alert.severity, notices[0].alert.revision),
        (1, Severity::Medium, 2)
    );
    let reasons: Vec<_> = notices[0].alert.reasons.iter().map(|reason| reason.detection.as_str()).collect();
    assert_eq!(reasons, ["one-address-many-users", "dormant-user"]);
    // The end of a session that it holds is its as well; of another one it is the user's own.
    let volume = || abnormal(Severity::Low, vec![reason(Detection::UnusualVolume, None, "9 GB", 1.0)]);
    alerts.take(of(&name(6), come(6, ADDRESS, "KALI")), &mut volume());
    assert_eq!(told_of(&mut alerts), []);
    alerts.take(of(&name(6), come(30, "192.0.2.1", "PC-6")), &mut volume());
    assert_eq!(told_of(&mut alerts), [(News::New, 2)]);
}

#[test]
fn what_a_rule_says_of_one_of_them_with_high_severity_is_told_at_once_in_an_alert_of_that_user() {
    let mut alerts = Alerts::default();
    // It is of high severity already.
    spray(&mut alerts, 1..=8);
    notices(&mut alerts);
    for number in [9, 10] {
        let mut assessment = besides(number, Severity::High, Detection::ImpossibleTravel);
        assert!(alerts.take(of(&name(number), come(number, ADDRESS, "KALI")), &mut assessment));
        // What is said of the address is said already.
        assert_eq!((assessment.is_alert, assessment.score), (true, 6.0));
        let told = notices(&mut alerts);
        let [notice] = &told[..] else { panic!("{told:?}") };
        assert_eq!((notice.news, notice.alert.user.as_deref()), (News::New, Some(&*name(number))));
        assert_eq!(notice.alert.severity, Severity::High);
        let reasons: Vec<_> = notice.alert.reasons.iter().map(|reason| reason.detection.as_str()).collect();
        assert_eq!(reasons, ["impossible-travel"]);
        // She is among the others nevertheless.
        assert!(alerts.open[&1].alert.users.contains(&name(number)));
    }
    // Another reason for the same user is told in hers.
    let mut other = besides(10, Severity::High, Detection::SimultaneousSessions);
    alerts.take(of(&name(10), come(11, ADDRESS, "KALI")), &mut other);
    assert_eq!(told_of(&mut alerts), [(News::Updated, 3)]);
    // What the score says of high severity is in the one of all.
    let mut score = besides(12, Severity::High, Detection::SuspiciousConnection);
    alerts.take(of(&name(12), come(12, ADDRESS, "KALI")), &mut score);
    assert!(!alerts.subjects.contains_key(&name(12)));
    // Closed in the one or the other, it teaches once.
    let own = alerts.close(2, Verdict::Usual, "uid 0", 0, Sending::Always).unwrap();
    assert_eq!(sessions(&own.learn), [9]);
    let all = alerts.close(1, Verdict::Usual, "uid 0", 0, Sending::Always).unwrap();
    assert_eq!(sessions(&all.learn), [4, 5, 6, 7, 8, 10, 11, 12]);
    let last = alerts.close(3, Verdict::Usual, "uid 0", 0, Sending::Always).unwrap();
    assert_eq!(last.learn.len(), 0);
    assert_eq!(sessions(&last.accepted), [10, 11], "and is hers");
}

#[test]
fn closed_as_usual_it_teaches_all_of_its_users_once() {
    let mut alerts = Alerts::default();
    // The second has an alert of her own, which holds her connection back.
    spray(&mut alerts, 1..=1);
    let mut own = medium(vec![country("CN")]);
    own.is_stranger = true;
    alerts.take(of(&name(2), come(2, ADDRESS, "KALI")), &mut own);
    spray(&mut alerts, 3..=40);
    // Some come again: what a user taught is taught once, and nobody drives the others out.
    for session in 100..200 {
        let mut again = sprayed(0, None);
        alerts.take(of(&name(7), come(session, ADDRESS, "KALI")), &mut again);
    }
    let lessons = alerts.close(2, Verdict::Usual, "uid 0", 0, Sending::Always).unwrap();
    assert_eq!(lessons.address, ADDRESS.parse().ok());
    let mut users: Vec<&str> = lessons.learn.iter().map(|lesson| lesson.user.as_str()).collect();
    users.dedup();
    users.sort_unstable();
    users.dedup();
    // The first and the third taught when they came.
    let mut expected: Vec<String> = (2..=40).filter(|number| *number != 3).map(name).collect();
    expected.sort_unstable();
    assert_eq!(users, expected);
    assert!(lessons.learn.is_sorted_by_key(|lesson| lesson.connection.session), "as they came");
    assert!((4..=40).all(|session| !alerts.holds(session)));
    let own = alerts.close(1, Verdict::Usual, "uid 0", 0, Sending::Always).unwrap();
    assert_eq!((sessions(&own.learn), own.address), (vec![], None), "once");
}

#[test]
fn what_is_said_of_it_holds_for_the_alert_that_one_of_its_users_has_alone() {
    let later = (DAY + 9) * DAY_NS;
    for closed in [1, 2] {
        let mut alerts = Alerts::default();
        spray(&mut alerts, 1..=1);
        let own = || Assessment { is_stranger: true, ..medium(vec![country("CN")]) };
        alerts.take(of(&name(2), come(2, ADDRESS, "KALI")), &mut own());
        spray(&mut alerts, 3..=5);
        // Of somebody else, from elsewhere.
        alerts.take(of("zoe", come(77, "203.0.113.9", "A")), &mut medium(vec![country("RU")]));
        assert_eq!(alerts.left_alone_since(later), [1, 2, 3]);
        let lessons = alerts.close(closed, Verdict::Malicious, "uid 0", 0, Sending::Always).unwrap();
        alerts.reject(&lessons.rejected);
        assert_eq!(alerts.left_alone_since(later), [3], "the other has her session as well");
        let other = alerts.close(3 - closed, Verdict::Malicious, "uid 0", 0, Sending::Always).unwrap();
        let twice = |lesson: &&Lesson| lessons.unlearn.iter().any(|one| one.user == lesson.user);
        assert_eq!(other.unlearn.iter().filter(twice).count(), 0, "once");
    }
}

#[test]
fn closed_as_malicious_it_takes_back_what_the_first_of_them_taught() {
    let mut alerts = Alerts::default();
    spray(&mut alerts, 1..=30);
    let lessons = alerts.close(1, Verdict::Malicious, "uid 0", 0, Sending::Always).unwrap();
    assert_eq!(sessions(&lessons.unlearn), [1, 2, 3]);
    assert_eq!(sessions(&lessons.rejected), (1..=30).collect::<Vec<_>>());
    assert!(lessons.rejected.iter().all(|lesson| lesson.user == name(lesson.connection.session)));
}

#[test]
fn who_came_days_before_or_is_excluded_is_not_in_it() {
    let mut alerts = Alerts::default();
    let at = |day: u64, number: u64| {
        let start = (DAY + day) * DAY_NS;
        let connection = Connection { start_unix_ns: start, ..come(number, ADDRESS, "KALI") };
        (name(number), connection, start)
    };
    let mut comes = |day, number, is_excluded, alert| {
        let (user, connection, now) = at(day, number);
        let case = Case { now, is_excluded, ..of(&user, connection) };
        alerts.take(case, &mut sprayed(number, alert))
    };
    comes(0, 1, false, None);
    comes(4, 2, true, None);
    comes(4, 3, false, None);
    comes(4, 4, false, Some(Severity::Medium));
    assert!(!comes(4, 5, true, None), "nor does it join");
    let users = alerts.take_changes().0.pop().unwrap().users;
    assert_eq!(users, [name(3), name(4)]);
    alerts
        .strangers
        .connections
        .extend([Connection { start_unix_ns: DAY * DAY_NS, ..come(9, ADDRESS, "A") }]);
    alerts.forget_old((DAY + 3) * DAY_NS, &DETECTING.thresholds);
    assert!(alerts.strangers.connections.is_empty());
}

#[test]
fn one_of_several_users_is_forgotten_and_the_others_stay() {
    let mut alerts = Alerts::default();
    spray(&mut alerts, 1..=20);
    alerts.take_changes();
    // One who came before there was an alert elsewhere.
    alerts.take(of(&name(3), come(50, "203.0.113.1", "KALI")), &mut sprayed(1, None));
    for (number, left) in [(3, 19), (20, 18)] {
        let key = name(number);
        alerts.forget(|text| text.contains(&*key));
        let text = serde_json::to_string(&alerts).unwrap();
        assert!(!text.contains(&*key), "{text}");
        assert_eq!(alerts.open[&1].alert.users.len(), left);
    }
    assert!(!alerts.holds(20) && alerts.holds(19));
    assert_eq!(alerts.open[&1].alert.connections.len(), CONNECTIONS_MAX - 1);
    assert!(alerts.open[&1].alert.message.starts_with("18 users connected"));
    // The last one takes it along.
    alerts.forget(|text| text.contains("contoso.example"));
    assert!(alerts.open.is_empty() && alerts.subjects.is_empty() && alerts.held.is_empty());
}

#[test]
fn a_checkpoint_in_between_changes_nothing() {
    let run = |is_saved: bool| {
        let mut alerts = Alerts::default();
        for number in 1..=40 {
            spray(&mut alerts, number..=number);
            if is_saved {
                let (changed, told) = alerts.take_changes();
                let octets = serde_json::to_string(&alerts).unwrap();
                alerts = serde_json::from_str::<Alerts>(&octets).unwrap().restored();
                (alerts.changed, alerts.told) = (changed, told);
            }
        }
        alerts.changed.clear();
        alerts.told.clear();
        serde_json::to_string(&alerts).unwrap()
    };
    assert_eq!(run(false), run(true));
}

#[test]
fn neither_users_nor_addresses_grow_without_bound() {
    let mut alerts = Alerts::default();
    spray(&mut alerts, 1..=1000);
    let open = &alerts.open[&1];
    assert_eq!((open.alert.users.len(), open.alert.connection_count), (USERS_MAX, 1000));
    let kept = open.alert.connections.len() + open.crowd.as_ref().unwrap().beside.len();
    assert!(kept <= USERS_MAX + CONNECTIONS_MAX && open.untaught.len() <= kept, "{kept}");
    assert!(open.alert.message.contains("256 users at least"), "{}", open.alert.message);
    let octets = serde_json::to_string(open).unwrap().len();
    assert!(octets < 140_000, "{octets}");
    for number in 0..2 * CROWDS_MAX as u64 {
        let address = format!("192.0.{}.{}", number / 250, number % 250);
        let case =
            Case { now: (DAY + number) * DAY_NS, ..of("alice", come(10_000 + number, &address, "KALI")) };
        alerts.take(case, &mut sprayed(4, Some(Severity::Medium)));
    }
    assert_eq!(alerts.open.len(), CROWDS_MAX);
    let mut alerts = Alerts::default();
    for number in 0..2 * STRANGERS_MAX as u64 {
        let address = format!("10.0.{}.{}", number / 250, number % 250);
        alerts.take(of(&name(number), come(number, &address, "KALI")), &mut sprayed(1, None));
    }
    assert_eq!(alerts.strangers.connections.len(), STRANGERS_MAX);
}

#[test]
fn a_user_who_is_called_like_an_address_is_no_address() {
    let mut alerts = Alerts::default();
    spray(&mut alerts, 1..=4);
    alerts.take(of("address 198.51.100.9", come(50, "192.0.2.1", "A")), &mut medium(vec![device("KALI")]));
    assert_eq!(alerts.open.len(), 2);
}

#[test]
fn the_rule_that_other_peoples_rules_know_is_told_when_it_speaks_of_one_of_them() {
    let mut alerts = Alerts::default();
    spray(&mut alerts, 1..=5);
    let ids = |alerts: &mut Alerts| -> Vec<_> {
        notices(alerts).into_iter().map(|notice| notice.alert.external_id).collect()
    };
    assert_eq!(ids(&mut alerts), [None]);
    for number in [6, 7] {
        let mut assessment = sprayed(number, None);
        assessment.reasons.push(Reason { alert: Some(Severity::Medium), ..country("CN") });
        alerts.take(of(&name(number), come(number, ADDRESS, "KALI")), &mut assessment);
    }
    assert_eq!(ids(&mut alerts), [Some(2025)], "once");
}

#[test]
fn whoever_comes_behind_those_that_are_listed_is_no_news() {
    let mut alerts = Alerts::default();
    spray(&mut alerts, 1..=300);
    assert_eq!(alerts.take_changes().0.last().unwrap().users.len(), USERS_MAX);
    spray(&mut alerts, 301..=310);
    let (changed, happened) = alerts.take_changes();
    assert_eq!((changed.last().unwrap().connection_count, happened.len()), (310, 0));
}
