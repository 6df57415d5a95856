//! What is not told piece by piece is listed, counted once, bounded, and not for long where it is of high severity.

use insight::detect::{Assessment, Detection};

use std::sync::LazyLock;

use super::{
    super::{
        Case, DAY_NS,
        tests::{DAY, abnormal, country, device, from, medium, of, reason},
    },
    *,
};
use crate::alert::{Comment, REASONS_MAX, Verdict};

const NOW: u64 = DAY * DAY_NS;
/// So long news of high severity is gathered, as it comes.
const HIGH_NS: u64 = 3_600_000_000_000;

/// More notices of a day than are told of here, all else as it comes.
static DETECTING: LazyLock<Detecting> =
    LazyLock::new(|| Detecting { notices_per_day: 100, ..Detecting::default() });

/// A device that nobody had before, another minute; the alert it is of has the number 1.
fn flood(alerts: &mut Alerts, devices: std::ops::Range<u64>, severity: Severity) -> Vec<Notice> {
    flood_by(&DETECTING, alerts, devices, severity)
}

fn flood_by(
    detecting: &Detecting,
    alerts: &mut Alerts,
    devices: std::ops::Range<u64>,
    severity: Severity,
) -> Vec<Notice> {
    let mut notices = Vec::new();
    for session in devices {
        let name = format!("D{session}");
        let now = NOW + session * 60_000_000_000;
        let case = Case { now, detecting, ..of("eve", from(session, "192.0.2.1", &name)) };
        alerts.take(case, &mut abnormal(severity, vec![device(&name)]));
        notices.append(&mut alerts.take_changes().1);
    }
    notices
}

/// Those that a store has of them: one a number, the last one.
fn rows(notices: Vec<Notice>) -> Vec<Notice> {
    let rows: std::collections::BTreeMap<u64, Notice> =
        notices.into_iter().map(|notice| (notice.sequence, notice)).collect();
    rows.into_values().collect()
}

#[test]
fn what_is_beyond_what_one_alert_tells_is_listed_in_one_row_that_says_how_much() {
    let mut alerts = Alerts::default();
    let told = rows(flood(&mut alerts, 0..32, Severity::Medium));
    assert_eq!((told.len(), told[31].alert.held_back), (32, None));
    let held = rows(flood(&mut alerts, 32..50, Severity::Medium));
    let [row] = &held[..] else { panic!("{held:?}") };
    assert_eq!((row.sequence, row.is_held, row.news), (33, true, News::Updated));
    let since_unix_ns = NOW + 32 * 60_000_000_000;
    assert_eq!(row.alert.held_back, Some(HeldBack { count: 18, since_unix_ns }));
    assert_eq!(row.alert.changed_unix_ns, NOW + 49 * 60_000_000_000, "something happened to it");
    // Whoever floods keeps nobody from closing it.
    assert_eq!(row.alert.revision, 32);
    // The same once more is no news.
    assert_eq!(flood(&mut alerts, 40..50, Severity::Medium), []);
    let seen: Vec<&str> = row.alert.reasons.iter().map(|reason| reason.seen.as_str()).collect();
    assert_eq!(seen.len(), REASONS_MAX);
}

#[test]
fn what_is_gathered_is_in_the_alert_and_a_reason_that_weighs_more_is_seen() {
    let mut alerts = Alerts::default();
    flood(&mut alerts, 0..40, Severity::Medium);
    let mut travel = medium(vec![reason(Detection::ImpossibleTravel, None, "FR", 6.0)]);
    alerts.take(of("eve", from(90, "192.0.2.1", "A")), &mut travel);
    assert!(travel.is_alert, "whatever is told of it");
    let (changed, notices) = alerts.take_changes();
    assert_eq!(changed[0].reasons[0].detection, "impossible-travel");
    assert!(changed[0].message.contains("FR"), "{}", changed[0].message);
    assert_eq!(notices[0].alert, changed[0]);
}

#[test]
fn whoever_is_told_of_it_begins_a_new_row() {
    let mut alerts = Alerts::default();
    flood(&mut alerts, 0..40, Severity::Medium);
    let comment = Comment { by: "uid 0".into(), unix_ns: NOW, text: "asked".into() };
    alerts.comment(1, comment);
    let written = alerts.take_changes().1;
    assert_eq!((written[0].sequence, written[0].is_held, written[0].alert.held_back), (34, false, None));
    assert_eq!(alerts.open[&1].alert.held_back, None);
    let held = rows(flood(&mut alerts, 40..43, Severity::Medium));
    assert_eq!((held.len(), held[0].sequence, held[0].alert.held_back.unwrap().count), (1, 35, 3));
    alerts.close(1, Verdict::Usual, "uid 0", NOW, Sending::Always);
    let closed = alerts.take_changes().1;
    assert_eq!((closed[0].sequence, closed[0].alert.held_back), (36, None));
}

#[test]
fn nothing_of_high_severity_is_held_back_for_longer_than_an_hour() {
    let mut alerts = Alerts::default();
    flood(&mut alerts, 0..40, Severity::High);
    let begun = NOW + 32 * 60_000_000_000;
    alerts.tell_gathered(begun + HIGH_NS - 1, &DETECTING);
    assert_eq!(alerts.take_changes().1, []);
    alerts.tell_gathered(begun + HIGH_NS, &DETECTING);
    let told = alerts.take_changes().1;
    assert_eq!((told.len(), told[0].sequence, told[0].is_held, told[0].news), (1, 34, false, News::Updated));
    assert_eq!((told[0].alert.revision, told[0].alert.held_back), (33, None));
    alerts.tell_gathered(begun + 3 * HIGH_NS, &DETECTING);
    assert_eq!(alerts.take_changes().1, [], "once");
    // Below it nothing is sent for that; a clock that was far ahead is waited for by nobody.
    let mut medium = Alerts::default();
    flood(&mut medium, 0..40, Severity::Medium);
    medium.tell_gathered(begun + HIGH_NS, &DETECTING);
    assert_eq!(medium.take_changes().1, []);
    flood(&mut alerts, 40..41, Severity::High);
    alerts.tell_gathered(NOW - 2 * HIGH_NS, &DETECTING);
    assert_eq!(alerts.take_changes().1.len(), 1);
    // Of one that is gone nobody is told.
    flood(&mut alerts, 41..42, Severity::High);
    alerts.forget(|text| text == "eve");
    alerts.tell_gathered(NOW + DAY_NS, &DETECTING);
    assert_eq!((alerts.take_changes().1, alerts.urgent.len()), (vec![], 0));
}

#[test]
fn how_many_notices_one_alert_has_and_how_long_it_gathers_is_configuration() {
    let detecting =
        Detecting { notices_per_alert: 2, high_within_s: 7200, notices_per_day: 100, ..Detecting::default() };
    let mut alerts = Alerts::default();
    let told = rows(flood_by(&detecting, &mut alerts, 0..10, Severity::High));
    let is_held: Vec<bool> = told.iter().map(|notice| notice.is_held).collect();
    assert_eq!((is_held, told[2].alert.held_back.unwrap().count), (vec![false, false, true], 8));
    let begun = NOW + 2 * 60_000_000_000;
    alerts.tell_gathered(begun + 2 * HIGH_NS - 1, &detecting);
    assert_eq!(alerts.take_changes().1, []);
    alerts.tell_gathered(begun + 2 * HIGH_NS, &detecting);
    assert_eq!(alerts.take_changes().1.len(), 1);
    // With as many as are allowed what is kept of one is bounded, too.
    let most = Detecting { notices_per_alert: 100, ..detecting };
    let mut alerts = Alerts::default();
    let told = rows(flood_by(&most, &mut alerts, 0..5000, Severity::Medium));
    assert_eq!(told.iter().filter(|notice| notice.alert.held_back.is_none()).count(), 100);
    assert!(serde_json::to_string(&alerts.open[&1]).unwrap().len() < 40_000);
}

#[test]
fn one_alert_is_told_so_often_whatever_people_write_and_whatever_the_day_holds_back() {
    let detecting = Detecting { notices_per_alert: 3, notices_per_day: 2, ..Detecting::default() };
    let mut alerts = Alerts::default();
    let mut sent = 0;
    let mut happens = |alerts: &mut Alerts, devices| {
        let all = rows(flood_by(&detecting, alerts, devices, Severity::Medium));
        sent += all.iter().filter(|notice| !notice.is_held).count();
        (sent, all.last().and_then(|notice| notice.alert.held_back).map(|held| held.count))
    };
    assert_eq!(happens(&mut alerts, 0..1), (1, None));
    for number in 0..10 {
        let text = number.to_string();
        alerts.comment(1, Comment { by: "uid 0".into(), unix_ns: NOW, text });
    }
    alerts.take_changes();
    assert_eq!(happens(&mut alerts, 1..2), (2, None), "comments are none of those");
    // The day has no room for more: they are one row, and the alert says that they are not sent.
    assert_eq!(happens(&mut alerts, 2..9), (2, Some(7)));
    let revision = alerts.open[&1].alert.revision;
    assert_eq!((revision, alerts.open[&1].alert.held_back.unwrap().count), (12, 7));
    assert_eq!(happens(&mut alerts, 2..9), (2, None), "the same is no news");
    // On the next day there is: what was held back was not one of the three. Then there are three.
    let octets = serde_json::to_string(&alerts).unwrap();
    let mut alerts = serde_json::from_str::<Alerts>(&octets).unwrap().restored();
    let a_day = 24 * 60;
    assert_eq!(happens(&mut alerts, a_day..a_day + 1), (3, None));
    assert_eq!(happens(&mut alerts, a_day + 1..a_day + 5), (3, Some(4)));
    // A checkpoint of before that was counted goes on by its revision.
    let mut before = serde_json::to_value(&alerts).unwrap();
    assert!(before["open"]["1"].as_object_mut().unwrap().remove("sent").is_some());
    let mut read = serde_json::from_value::<Alerts>(before).unwrap().restored();
    assert_eq!(read.open[&1].sent, Some(13));
    assert_eq!(happens(&mut read, 2 * a_day..2 * a_day + 1), (3, Some(5)));
}

#[test]
fn an_alert_whose_first_notice_is_held_back_says_so_until_it_is_told_of() {
    let detecting = Detecting { notices_per_day: 0, ..Detecting::default() };
    let mut alerts = Alerts::default();
    let raised = flood_by(&detecting, &mut alerts, 0..1, Severity::Medium);
    let held = |count| Some(HeldBack { count, since_unix_ns: NOW });
    assert_eq!((raised[0].news, raised[0].is_held, raised[0].alert.held_back), (News::New, true, held(1)));
    // What comes behind it is in a row of its own.
    let gathered = rows(flood_by(&detecting, &mut alerts, 1..4, Severity::Medium));
    assert_eq!((gathered.len(), gathered[0].sequence, gathered[0].alert.held_back), (1, 2, held(4)));
    let told = flood_by(&detecting, &mut alerts, 4..5, Severity::High);
    assert_eq!((told[0].is_held, told[0].alert.held_back), (false, None));
}

#[test]
fn neither_rows_nor_memory_grow_with_a_flood() {
    let mut alerts = Alerts::default();
    let held = rows(flood(&mut alerts, 0..5000, Severity::Medium));
    assert_eq!((held.len(), held[32].alert.held_back.unwrap().count), (33, 4968));
    assert!(serde_json::to_string(&alerts.open[&1]).unwrap().len() < 40_000);
}

#[test]
fn a_checkpoint_in_between_changes_nothing_and_one_without_what_is_gathered_is_read() {
    let run = |is_saved: bool| {
        let (mut alerts, mut all) = (Alerts::default(), Vec::new());
        for session in 0..80 {
            all.extend(flood(&mut alerts, session..session + 1, Severity::High));
            alerts.tell_gathered(NOW + session * 60_000_000_000, &DETECTING);
            all.append(&mut alerts.take_changes().1);
            if is_saved {
                let octets = serde_json::to_string(&alerts).unwrap();
                alerts = serde_json::from_str::<Alerts>(&octets).unwrap().restored();
            }
        }
        (rows(all), serde_json::to_string(&alerts).unwrap())
    };
    assert_eq!(run(false), run(true));
    let mut alerts = Alerts::default();
    flood(&mut alerts, 0..3, Severity::Medium);
    let mut before = serde_json::to_value(&alerts).unwrap();
    assert!(before.as_object_mut().unwrap().remove("urgent").is_some());
    assert!(before["open"]["1"].as_object_mut().unwrap().remove("gathering").is_some());
    let mut read = serde_json::from_value::<Alerts>(before).unwrap().restored();
    assert_eq!(flood(&mut read, 3..4, Severity::Medium), flood(&mut alerts, 3..4, Severity::Medium));
}

#[test]
fn what_is_gathered_counts_in_the_score_of_the_next_as_it_did() {
    let mut alerts = Alerts::default();
    flood(&mut alerts, 0..40, Severity::Medium);
    let mut score = |name: &str, session: u64| {
        let mut assessment: Assessment = medium(vec![country("CN"), device(name)]);
        alerts.take(of("eve", from(session, "192.0.2.1", name)), &mut assessment);
        assessment.score
    };
    // The first was told with the alert, the second never.
    assert_eq!((score("D1", 100), score("D39", 101)), (4.0, 6.0));
}

#[test]
fn a_reason_behind_as_many_as_are_kept_is_news_once_and_listed_once() {
    let mut alerts = Alerts::default();
    flood(&mut alerts, 0..300, Severity::Medium);
    let count = alerts.open[&1].alert.held_back.unwrap().count;
    for session in 400..410 {
        let mut travel = medium(vec![reason(Detection::ImpossibleTravel, None, "FR", 6.0)]);
        alerts.take(of("eve", from(session, "192.0.2.1", "A")), &mut travel);
    }
    let alert = &alerts.open[&1].alert;
    let listed = alert.reasons.iter().filter(|reason| reason.detection == "impossible-travel").count();
    assert_eq!((listed, alert.held_back.unwrap().count), (1, count + 1));
}

#[test]
fn a_reason_that_was_gathered_is_seen_once_when_it_makes_the_alert_more_urgent() {
    // Light at first, so that others are listed, or heavy; then it is what tells.
    for gathered in [0.1, 6.0] {
        let mut alerts = Alerts::default();
        flood(&mut alerts, 0..40, Severity::Medium);
        for (session, weight, severity) in [(90, gathered, Severity::Medium), (91, 6.0, Severity::High)] {
            let mut travel =
                abnormal(severity, vec![reason(Detection::ImpossibleTravel, None, "FR", weight)]);
            alerts.take(of("eve", from(session, "192.0.2.1", "A")), &mut travel);
        }
        let told = alerts.take_changes().1.pop().unwrap();
        assert_eq!((told.is_held, told.alert.severity), (false, Severity::High));
        let is_travel: Vec<bool> =
            told.alert.reasons.iter().map(|reason| reason.detection == "impossible-travel").collect();
        assert!(is_travel[0] && !is_travel[1..].contains(&true), "{is_travel:?}");
    }
}

#[test]
fn names_of_a_person_who_goes_are_in_no_key_of_others() {
    let mut alerts = Alerts::default();
    flood(&mut alerts, 0..40, Severity::Medium);
    alerts.forget(|text| text.contains("D3 ") || text.ends_with("D3") || text.ends_with("D39"));
    let kept = serde_json::to_string(&alerts).unwrap();
    assert!(!kept.contains("device D3\"") && !kept.contains("device D39\""), "{kept}");
    assert!(alerts.open.is_empty() || kept.contains("device D2\""));
}
