//! Rules about what is known only later, through the whole service: Stops without a Start, volume, length, a user who was away.

use insight::detect::Thresholds;
use service::{
    Detecting,
    alert::{Alert, Severity, Verdict},
    rebuild::WAITING_MAX,
    store::{AlertFilter, SessionFilter},
};

use crate::{
    DAY_S, HOUR_S,
    house::{House, Instead, Request, places_of},
};

const MINUTE_S: u64 = 60;

fn house() -> House {
    House::new(crate::meaning(&["contoso.example", "contoso", ""], 180), places_of("GeoIP2-City-Test.mmdb"))
}

/// One connection on this day, an hour long.
fn connect(house: &mut House, day: u64, address: u64) {
    let (at, session) = (day * DAY_S + 8 * HOUR_S, format!("{day}-{address}"));
    let start = Request { at, user: 1, session: &session, address, ..Request::start() };
    house.hear(&start);
    house.hear(&Request { at: at + HOUR_S, ..start.stop(1) });
    house.turn(at + 2 * HOUR_S);
}

/// All alerts, once the store has them; its rebuild has the same.
fn alerts(house: &mut House) -> Vec<Alert> {
    house.stop();
    let (live, rebuilt) = house.digests(WAITING_MAX);
    assert_eq!(live, rebuilt);
    house.store().alerts(&AlertFilter::default(), 10).unwrap()
}

fn speaks(alert: &Alert, detection: &str) -> bool {
    alert.reasons.iter().any(|reason| reason.detection == detection)
}

#[test]
fn stops_that_no_session_began_with_are_one_alert_of_their_vpn_server_and_none_behind_an_outage() {
    // The sensor listens for a day and an hour; then so long not at all, in minutes.
    // What is an outage, is configuration: it comes as 15 minutes.
    for (stops_gap_s, outage, count) in [(900, 10, 1), (900, 16, 0), (1800, 16, 1), (1800, 31, 0)] {
        let mut house = house();
        if stops_gap_s != Thresholds::default().stops_gap_s {
            let thresholds = Thresholds { stops_gap_s, ..Thresholds::default() };
            house.tune(Detecting { thresholds, ..Detecting::default() });
        }
        connect(&mut house, 0, 0);
        let listening = DAY_S;
        for minute in (0..=25 * 60).step_by(10) {
            house.turn(listening + minute * MINUTE_S);
        }
        let begin = listening + (25 * 60 + outage) * MINUTE_S;
        for stop in 0..25 {
            let session = format!("never-began-{stop}");
            let start = Request { at: begin + stop, user: 1, session: &session, ..Request::start() };
            house.hear(&start.stop(1));
        }
        house.catch_up(begin + MINUTE_S);
        let all = alerts(&mut house);
        assert_eq!(all.len(), count, "{outage} minutes of {stops_gap_s} s: {all:?}");
        for alert in &all {
            assert_eq!((&*alert.detection, alert.severity), ("stop-without-start", Severity::Medium));
            assert_eq!(
                (alert.user.as_deref(), alert.connections[0].server.as_deref()),
                (None, Some("spare"))
            );
        }
    }
}

/// Their ids are used again, their VPN server restarts: they lack a Stop, and no Start.
#[test]
fn sessions_that_nothing_stopped_are_no_stops_without_a_start() {
    let mut house = house();
    connect(&mut house, 0, 0);
    let begin = DAY_S + 25 * HOUR_S;
    for minute in (0..=25 * 60).step_by(10) {
        house.turn(DAY_S + minute * MINUTE_S);
    }
    for number in 0..50 {
        let session = format!("used-again-{number}");
        let newer = Request {
            at: begin + number,
            event: Some(begin + number),
            user: 1,
            session: &session,
            ..Request::start()
        };
        house.hear(&newer);
        // What the one before began with comes late, or something of its middle.
        let status = if number % 2 == 0 { 1 } else { 3 };
        house.hear(&Request { at: begin + number, event: Some(begin + number - HOUR_S), status, ..newer });
    }
    house.catch_up(begin + MINUTE_S);
    assert_eq!(alerts(&mut house), []);
    let sessions = house.store().sessions(&SessionFilter::default(), 200).unwrap();
    let replaced = sessions.iter().filter(|session| session.end_reason.as_deref() == Some("replaced"));
    assert_eq!(replaced.count(), 50, "they are over as they come");
}

/// A VPN server that tells the device only with the first Interim; and that comes from another continent.
#[test]
fn a_session_that_moves_is_told_also_where_the_same_message_tells_its_device() {
    for device in ["", "PC-1"] {
        let mut house = house();
        for day in 0..3 {
            connect(&mut house, day, 0);
        }
        let at = 3 * DAY_S + 8 * HOUR_S;
        let instead = Instead { device: Some(""), ..Instead::default() };
        let start = Request { at, user: 1, session: "moves", instead, ..Request::start() };
        house.hear(&start);
        house.turn(at);
        let instead = Instead { device: Some(device), ..instead };
        house.hear(&Request { at: at + 10 * MINUTE_S, status: 3, address: 4, instead, ..start });
        house.catch_up(at + 11 * MINUTE_S);
        let all = alerts(&mut house);
        let [alert] = &all[..] else { panic!("{device:?}: {all:?}") };
        assert!(speaks(alert, "address-change"), "{device:?}: {alert:?}");
        assert_eq!((&*alert.detection, alert.severity), ("address-change", Severity::High), "{device:?}");
    }
}

/// Its users are learned.
fn house_where_a_gigabyte_is_much() -> House {
    let thresholds = Thresholds { volume_octets_min: 1_000_000_000, ..Thresholds::default() };
    let mut house = house();
    for day in 0..36 {
        connect(&mut house, day, 0);
    }
    house.tune(Detecting { thresholds, ..Detecting::default() });
    house
}

#[test]
fn a_session_of_unusual_volume_and_one_of_unusual_length_are_told_at_their_ends_and_teach_nothing() {
    let mut house = house_where_a_gigabyte_is_much();
    for (day, hours, octets, told) in
        [(37, 1, 2_000_000_000, "unusual-volume"), (39, 60, 1, "unusual-length")]
    {
        let session = format!("{day}");
        let start = Request { at: day * DAY_S + 8 * HOUR_S, user: 1, session: &session, ..Request::start() };
        house.hear(&start);
        house.turn(start.at);
        let end = start.at + hours * HOUR_S;
        house.hear(&Request { at: end, ..start.stop(octets) });
        house.catch_up(end);
        let all = alerts(&mut house);
        let [alert] = &all[..] else { panic!("{told}: {all:?}") };
        assert!(speaks(alert, told), "{told}: {alert:?}");
        assert_eq!((alert.severity, alert.user.as_deref()), (Severity::Low, Some("user1@contoso.example")));
        assert!(alert.message.contains("usual: up to"), "{}", alert.message);
        let reason = alert.reasons.iter().find(|reason| reason.detection == told).unwrap();
        let expected: Vec<&str> = reason.expected.iter().map(|usual| &*usual.value).collect();
        assert!(matches!(expected[..], [usual] if usual.starts_with("up to ")), "{told}: {expected:?}");
    }
    // Both together are one alert that grew.
    let news = house.store().notices(0, 10).unwrap();
    assert_eq!(news.iter().map(|notice| notice.news.name()).collect::<Vec<_>>(), ["new", "updated"]);
}

#[test]
fn what_a_session_has_become_is_told_while_it_goes_on_and_once_whatever_becomes_of_the_alert() {
    let mut house = house_where_a_gigabyte_is_much();
    let start = Request { at: 37 * DAY_S + 8 * HOUR_S, user: 1, session: "much", ..Request::start() };
    house.hear(&start);
    house.turn(start.at);
    let at_hour = |house: &mut House, hours: u64, status: u32, octets: u64| -> Vec<Vec<String>> {
        let at = start.at + hours * HOUR_S;
        house.hear(&Request { at, status, octets, ..start });
        house.catch_up(at);
        let reasons = |alert: &Alert| alert.reasons.iter().map(|reason| reason.detection.clone()).collect();
        alerts(house).iter().map(reasons).collect()
    };
    let (volume, length) = ("unusual-volume".to_owned(), "unusual-length".to_owned());
    let none: Vec<Vec<String>> = Vec::new();
    assert_eq!(at_hour(&mut house, 1, 3, 500_000_000), none);
    assert_eq!(at_hour(&mut house, 2, 3, 1_500_000_000), [[volume.clone()]]);
    assert_eq!(at_hour(&mut house, 3, 3, 2_000_000_000), [[volume.clone()]]);
    house.decide(Some(Verdict::Usual));
    assert_eq!(at_hour(&mut house, 4, 3, 2_500_000_000), [[volume.clone()]], "it is closed");
    for hours in (8..60).step_by(4) {
        house.hear(&Request { at: start.at + hours * HOUR_S, status: 3, octets: 2_500_000_000, ..start });
    }
    let both = [[length.clone()], [volume.clone()]];
    assert_eq!(at_hour(&mut house, 60, 3, 3_000_000_000), both);
    house.decide(Some(Verdict::Usual));
    // Its signs of life came every four hours; three are missing.
    for minutes in (0..13 * 60).step_by(5) {
        house.turn(start.at + 60 * HOUR_S + minutes * 60);
    }
    // `alerts` has everything stored.
    assert_eq!(alerts(&mut house).len(), 2, "that it fell silent is no news");
    let newest = |house: &House| house.store().sessions(&SessionFilter::default(), 1).unwrap().remove(0);
    assert_eq!(newest(&house).end_reason.as_deref(), Some("silence"));
    assert_eq!(at_hour(&mut house, 74, 3, 3_200_000_000), both, "it goes on");
    assert_eq!(newest(&house).end_reason, None);
    assert_eq!(at_hour(&mut house, 75, 2, 3_500_000_000), both, "its end is no news");
}

#[test]
fn a_user_who_was_away_for_long_is_told_when_a_stranger_comes_and_not_at_home() {
    for (away, address, is_told) in [(46, 4, true), (46, 0, false), (43, 4, false)] {
        let mut house = house();
        for day in 0..36 {
            connect(&mut house, day, 0);
        }
        connect(&mut house, 35 + away, address);
        let all = alerts(&mut house);
        let is_alert =
            all.iter().any(|alert| speaks(alert, "dormant-user") && alert.severity == Severity::Medium);
        assert_eq!(is_alert, is_told, "{away} days, address {address}: {all:?}");
    }
}

/// What everybody does protects somebody who came yesterday; her first connections, like anybody's, are no alert.
#[test]
fn somebody_who_is_not_learned_yet_is_told_of_by_what_is_usual_for_everybody() {
    for (users_min, is_told) in [(8, true), (9, false)] {
        let mut house = house();
        house.tune(Detecting {
            thresholds: Thresholds {
                population_users_min: users_min,
                // Of eight people nobody is far from everybody.
                alert_score_unlearned: 1.0,
                ..Thresholds::default()
            },
            ..Detecting::default()
        });
        for day in 0..36 {
            for user in 1..=8 {
                if user == 8 && day < 34 {
                    continue;
                }
                let (at, session) = (day * DAY_S + 8 * HOUR_S + user, format!("{day}-{user}"));
                let start = Request { at, user, session: &session, ..Request::start() };
                house.hear(&start);
                house.hear(&Request { at: at + HOUR_S, ..start.stop(1) });
            }
            house.turn(day * DAY_S + 10 * HOUR_S);
        }
        let at = 36 * DAY_S + 9 * HOUR_S;
        house.hear(&Request { at, user: 8, session: "not hers", address: 4, ..Request::start() });
        house.turn(at + 1);
        // That nobody of the organisation was there before is an alert of low severity beside it.
        let all = alerts(&mut house);
        let [alert] = &all[..] else { panic!("{users_min}: {all:?}") };
        assert_eq!(alert.severity >= Severity::Medium, is_told, "{users_min}: {alert:?}");
        // Beside another rule the score is a reason by the same name, and the alert is called after the rule.
        let names = ["unlearned-user", "suspicious-connection"].map(|name| speaks(alert, name));
        assert_eq!(names, [true, false], "{alert:?}");
        let name = if is_told { "unlearned-user" } else { "first-country-for-all" };
        assert_eq!((&*alert.detection, alert.external_id), (name, None), "{alert:?}");
        assert!(alert.user.as_deref().is_some_and(|user| user.starts_with("user8")), "{alert:?}");
    }
}
