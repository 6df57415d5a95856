//! People change thresholds and exclusions, and leave alerts alone.

use insight::detect::Thresholds;
use service::{
    Detecting, Exclusion, Meaning,
    alert::{Alert, Severity, State, Verdict},
    rebuild::WAITING_MAX,
    store::AlertFilter,
};

use crate::{
    DAY_S, Dice, HOUR_S,
    house::{House, Request, epoch_s, places_of},
};

/// Some `[detect]`, another one each time.
pub(crate) fn any(dice: &mut Dice, day: u64) -> Detecting {
    let thresholds = match dice.roll(3) {
        0 => Thresholds { alert_score: 1.0, travel_kmh: 100.0, change_km_min: 10.0, ..Thresholds::default() },
        // Nothing is of high severity, so that something is left alone.
        _ => Thresholds {
            high_score: 100.0,
            travel_kmh: 90_000.0,
            simultaneous_km_min: 20_000.0,
            change_km_min: 20_000.0,
            ..Thresholds::default()
        },
    };
    let exclusion = |user: u64, days: u64| Exclusion {
        user: Some(format!("user{user}@contoso.example")),
        reason: "ticket 7".to_owned(),
        until_unix_s: epoch_s() + (day + days) * DAY_S,
        ..Exclusion::default()
    };
    Detecting {
        thresholds,
        exclusions: (0..dice.roll(3)).map(|user| exclusion(user, dice.roll(20))).collect(),
        notices_per_day: 1 + dice.roll(3) as u32,
        accept_after_days: [None, Some(1), Some(3)][dice.roll(3) as usize],
        notices_per_alert: 1 + dice.roll(3) as u32,
        high_within_s: 600 + 600 * dice.roll(3) as u32,
    }
}

/// Whether the service closed it by itself.
pub(crate) fn is_accepted(alert: &Alert) -> bool {
    matches!(&alert.state, State::Closed { verdict: Verdict::Usual, by, .. } if by.starts_with("the service"))
}

/// One connection on this day.
fn connect(house: &mut House, day: u64, address: u64) {
    let (at, session) = (day * DAY_S + 8 * HOUR_S, format!("{day}-{address}"));
    let start = Request { at, user: 1, session: &session, address, ..Request::start() };
    house.hear(&start);
    house.hear(&Request { at: at + HOUR_S, ..start.stop(1) });
    house.turn(at + 2 * HOUR_S);
}

/// So many days at home.
fn at_home(days: u64) -> House {
    let meaning = Meaning {
        realms: vec![vec!["contoso.example".into(), "contoso".into(), String::new()]],
        ..Meaning::default()
    };
    let mut house = House::new(meaning, places_of("GeoIP2-City-Test.mmdb"));
    for day in 0..days {
        connect(&mut house, day, 0);
    }
    house
}

/// Five weeks at home; then once far away, on another device.
fn robbed(detect: Detecting) -> House {
    let mut house = at_home(36);
    house.tune(detect);
    connect(&mut house, 36, 4);
    house
}

/// Below high severity: somebody may have moved.
fn medium() -> Detecting {
    let thresholds = Thresholds { high_score: 100.0, ..Thresholds::default() };
    Detecting { thresholds, ..Detecting::default() }
}

/// All alerts, once the store has them; its rebuild has the same.
fn alerts(house: &mut House) -> Vec<Alert> {
    house.stop();
    let (live, rebuilt) = house.digests(WAITING_MAX);
    assert_eq!(live, rebuilt);
    house.store().alerts(&AlertFilter::default(), 10).unwrap()
}

#[test]
fn an_alert_that_nobody_decided_about_is_accepted_and_teaches_as_a_decision_does() {
    for is_automatic in [true, false] {
        let accept_after_days = is_automatic.then_some(14);
        let mut house = robbed(Detecting { accept_after_days, ..medium() });
        let [alert] = &alerts(&mut house)[..] else { panic!("one alert") };
        assert_eq!((alert.severity, &alert.state), (Severity::Medium, &State::Open));
        for day in 37..50 {
            connect(&mut house, day, 0);
        }
        let [alert] = &alerts(&mut house)[..] else { panic!("one alert") };
        assert_eq!(alert.state, State::Open, "thirteen days are less than fourteen");
        connect(&mut house, 50, 0);
        let [alert] = &alerts(&mut house)[..] else { panic!("one alert") };
        assert_eq!(is_accepted(alert), is_automatic, "{:?}", alert.state);
        if is_automatic {
            let State::Closed { by, unix_ns, .. } = &alert.state else { panic!("{:?}", alert.state) };
            assert_eq!(by, "the service (accepted automatically after 14 days)");
            assert!((epoch_s() + 50 * DAY_S..epoch_s() + 51 * DAY_S).contains(&(unix_ns / 1_000_000_000)));
        } else {
            house.decide(Some(Verdict::Usual));
        }
        // What it taught: the same is usual now.
        connect(&mut house, 52, 4);
        let all = alerts(&mut house);
        let [alert] = &all[..] else { panic!("{is_automatic}: {all:?}") };
        assert_eq!(alert.connection_count, 1, "{is_automatic}");
    }
}

#[test]
fn what_is_accepted_takes_nothing_of_the_days_notices() {
    let mut house = robbed(Detecting { accept_after_days: Some(1), notices_per_day: 1, ..medium() });
    connect(&mut house, 39, 0);
    house.stop();
    // Another one on the day on which that is closed.
    house.hear(&Request {
        at: 39 * DAY_S + 15 * HOUR_S,
        user: 1,
        session: "x",
        address: 4,
        ..Request::start()
    });
    house.catch_up(39 * DAY_S + 16 * HOUR_S);
    house.stop();
    let notices = house.store().notices(0, 10).unwrap();
    let told: Vec<_> = notices.iter().map(|notice| (notice.news.name(), notice.is_held)).collect();
    assert_eq!(told, [("new", false), ("closed", false), ("new", false)]);
}

#[test]
fn of_what_is_accepted_those_are_told_who_were_told_that_it_was_raised() {
    // The day has no room for it.
    let mut house = robbed(Detecting { accept_after_days: Some(1), notices_per_day: 0, ..medium() });
    connect(&mut house, 39, 0);
    house.stop();
    let notices = house.store().notices(0, 10).unwrap();
    let told: Vec<_> = notices.iter().map(|notice| (notice.news.name(), notice.is_held)).collect();
    assert_eq!(told, [("new", true), ("closed", true)]);
}

#[test]
fn closed_as_malicious_also_what_nobody_was_told_of_is_new_again() {
    for is_killed in [false, true] {
        let mut house = robbed(medium());
        let deaf = Thresholds {
            alert_score: 90.0,
            alert_score_one_group: 90.0,
            organisation_learning_days: 365,
            volume_octets_min: u64::MAX,
            ..medium().thresholds
        };
        house.tune(Detecting { thresholds: deaf, ..Detecting::default() });
        connect(&mut house, 37, 4);
        let [alert] = &alerts(&mut house)[..] else { panic!("one alert") };
        assert_eq!(alert.connection_count, 1, "nobody was told of the second");
        house.tune(medium());
        house.decide(Some(Verdict::Malicious));
        if is_killed {
            house.kill();
        }
        connect(&mut house, 38, 0);
        connect(&mut house, 39, 4);
        let all = alerts(&mut house);
        let [alert, _] = &all[..] else { panic!("{all:?}") };
        assert!(
            alert.message.contains("ountry never seen for user1@contoso.example: CN"),
            "{}",
            alert.message
        );
    }
}

#[test]
fn what_still_runs_when_it_is_closed_as_malicious_is_the_same_through_kills_and_in_the_rebuild() {
    for kill_at in [None, Some(0), Some(1), Some(2)] {
        let mut house = robbed(medium());
        let at = 37 * DAY_S + 8 * HOUR_S;
        let start = Request { at, user: 1, session: "37-4", address: 4, ..Request::start() };
        let mut step = 0;
        let mut may_be_killed = |house: &mut House| {
            house.catch_up(at + HOUR_S + step as u64);
            if kill_at == Some(step) {
                house.kill();
            }
            step += 1;
        };
        house.hear(&start);
        may_be_killed(&mut house);
        house.decide(Some(Verdict::Malicious));
        may_be_killed(&mut house);
        house.hear(&Request { at: at + 2 * HOUR_S, ..start.stop(4_000_000_000) });
        may_be_killed(&mut house);
        connect(&mut house, 38, 0);
        let all = alerts(&mut house);
        let [alert] = &all[..] else { panic!("{kill_at:?}: {all:?}") };
        assert!(matches!(alert.state, State::Closed { verdict: Verdict::Malicious, .. }), "{alert:?}");
        assert_eq!(alert.connection_count, 2, "{kill_at:?}");
    }
}

#[test]
fn what_was_told_of_late_and_is_usual_is_the_same_through_kills_and_in_the_rebuild() {
    for kill_at in [None, Some(0), Some(1), Some(2)] {
        let mut house = at_home(36);
        house.tune(Detecting {
            thresholds: Thresholds { volume_octets_min: 1000, high_score: 100.0, ..Thresholds::default() },
            ..Detecting::default()
        });
        let mut step = 0;
        let mut may_be_killed = |house: &mut House, at: u64| {
            house.catch_up(at);
            if kill_at == Some(step) {
                house.kill();
                house.catch_up(at);
            }
            step += 1;
        };
        let mut told = Vec::new();
        for night in 36..41 {
            let (at, session) = (night * DAY_S + 8 * HOUR_S, format!("backup-{night}"));
            let start = Request { at, user: 1, session: &session, ..Request::start() };
            house.hear(&start);
            house.hear(&Request { at: at + 600, status: 3, octets: 1 << 30, ..start });
            may_be_killed(&mut house, at + 700);
            told.push(alerts(&mut house).len());
            house.decide(Some(Verdict::Usual));
            may_be_killed(&mut house, at + 800);
            house.hear(&Request { at: at + HOUR_S, ..start.stop(1 << 30) });
            may_be_killed(&mut house, at + 2 * HOUR_S);
        }
        assert_eq!(alerts(&mut house).len(), 3, "{kill_at:?}");
        assert_eq!(told, [1, 2, 3, 3, 3], "{kill_at:?}");
    }
}

#[test]
fn the_learning_rule_in_force_says_when_a_user_is_learned() {
    // Nothing but the score of a learned user tells of her.
    let with = |learning_days, learning_connections_min| {
        let only = Thresholds {
            high_score: 100.0,
            organisation_learning_days: 365,
            travel_kmh: 90_000.0,
            learning_days,
            learning_connections_min,
            ..Thresholds::default()
        };
        Detecting { thresholds: only, ..Detecting::default() }
    };
    // So many days with a connection each, and on the next the stranger: of thirty-six days 29 are in the window.
    for (days, learning, count) in [
        (36, with(30, 5), 1),
        (36, with(36, 5), 1),
        (36, with(37, 5), 0),
        (36, with(30, 29), 1),
        (36, with(30, 30), 0),
        (10, with(30, 5), 0),
        (10, with(10, 5), 1),
    ] {
        for is_killed in [false, true] {
            let mut house = at_home(days);
            house.tune(learning.clone());
            if is_killed {
                house.kill();
            }
            connect(&mut house, days, 4);
            assert_eq!(alerts(&mut house).len(), count, "{days} {learning:?}");
        }
    }
}

#[test]
fn an_alert_of_high_severity_waits_for_a_person() {
    let thresholds = Thresholds { high_score: 3.2, ..Thresholds::default() };
    let mut house = robbed(Detecting { thresholds, accept_after_days: Some(1), ..Detecting::default() });
    for day in 37..80 {
        connect(&mut house, day, 0);
    }
    let [alert] = &alerts(&mut house)[..] else { panic!("one alert") };
    assert_eq!((alert.severity, &alert.state), (Severity::High, &State::Open));
}

#[test]
fn by_default_nothing_is_accepted() {
    let mut house = robbed(medium());
    for day in 37..100 {
        connect(&mut house, day, 0);
    }
    let [alert] = &alerts(&mut house)[..] else { panic!("one alert") };
    assert_eq!((alert.severity, &alert.state), (Severity::Medium, &State::Open));
}

#[test]
fn the_end_of_an_excluded_connection_proves_another_one_that_is_not() {
    for (is_user, is_told) in [(false, true), (true, false)] {
        let exclusion = Exclusion {
            user: is_user.then(|| "user1@contoso.example".to_owned()),
            network: (!is_user).then(|| "2.125.160.216/32".parse().unwrap()),
            until_unix_s: epoch_s() + 100 * DAY_S,
            ..Exclusion::default()
        };
        // Nothing else tells.
        let thresholds = Thresholds {
            alert_score: 90.0,
            alert_score_one_group: 90.0,
            organisation_learning_days: 365,
            travel_kmh: 90_000.0,
            ..Thresholds::default()
        };
        let mut house = at_home(36);
        house.tune(Detecting { thresholds, exclusions: vec![exclusion], ..Detecting::default() });
        let at = 36 * DAY_S + 8 * HOUR_S;
        let hers = Request { at, user: 1, session: "hers", ..Request::start() };
        house.hear(&hers);
        let stranger = Request { at: at + 3 * HOUR_S, session: "his", address: 4, ..hers };
        house.hear(&stranger);
        house.catch_up(at + 4 * HOUR_S);
        assert_eq!(alerts(&mut house), [], "there is no proof yet");
        house.hear(&Request { at: at + 8 * HOUR_S, ..hers.stop(1) });
        house.catch_up(at + 9 * HOUR_S);
        let told = alerts(&mut house);
        let told: Vec<&str> = told.iter().map(|alert| &*alert.detection).collect();
        assert_eq!(told, ["simultaneous-sessions"][..usize::from(is_told)], "{is_user}");
    }
}

#[test]
fn an_exclusion_holds_to_its_second_and_another_threshold_from_the_next_connection_on() {
    let excluded = |user: &str, until_s: u64| {
        let user = Some(user.to_owned());
        let exclusion = Exclusion { user, until_unix_s: epoch_s() + until_s, ..Exclusion::default() };
        Detecting { exclusions: vec![exclusion], ..medium() }
    };
    // When the stranger's connection begins.
    let then = 36 * DAY_S + 8 * HOUR_S;
    let deaf = Thresholds {
        alert_score: 90.0,
        alert_score_one_group: 90.0,
        organisation_learning_days: 365,
        ..medium().thresholds
    };
    for (detect, count) in [
        (medium(), 1),
        (excluded("user1@contoso.example", then + 1), 0),
        (excluded("user1@contoso.example", then), 1),
        (excluded("user2@contoso.example", then + DAY_S), 1),
        (Detecting { thresholds: deaf, ..Detecting::default() }, 0),
    ] {
        let mut house = robbed(detect.clone());
        let all = alerts(&mut house);
        let suspicious = all.iter().filter(|alert| alert.detection == "suspicious-connection").count();
        assert_eq!(suspicious, count, "{detect:?}: {all:?}");
    }
}

#[test]
fn one_alert_is_told_so_often_and_what_it_gathers_of_high_severity_waits_so_long() {
    let (sent, held) = (false, true);
    for (notices_per_alert, high_within_s, told) in [
        (32, 3600, &[("new", sent), ("updated", sent)][..]),
        (1, 3600, &[("new", sent), ("updated", held), ("updated", sent)]),
        (1, 86_400, &[("new", sent), ("updated", held)]),
    ] {
        let thresholds =
            Thresholds { high_score: 6.2, volume_octets_min: 1_000_000, ..Thresholds::default() };
        let mut house =
            robbed(Detecting { thresholds, notices_per_alert, high_within_s, ..Detecting::default() });
        // The same once more, and this time much is taken; an hour later nothing else has happened.
        let at = 37 * DAY_S + 8 * HOUR_S;
        let start = Request { at, user: 1, session: "37-4", address: 4, ..Request::start() };
        house.hear(&start);
        house.hear(&Request { at: at + HOUR_S, ..start.stop(4_000_000) });
        house.catch_up(at + HOUR_S);
        house.turn(at + 2 * HOUR_S + 60);
        let all = alerts(&mut house);
        assert_eq!((all.len(), all[0].severity), (1, Severity::High), "{all:?}");
        let notices = house.store().notices(0, 10).unwrap();
        let said: Vec<_> = notices.iter().map(|notice| (notice.news.name(), notice.is_held)).collect();
        assert_eq!(said, told, "{notices_per_alert} {high_within_s}");
    }
}
