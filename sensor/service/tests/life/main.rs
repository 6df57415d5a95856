//! A service's whole life, 300 days of it in seconds: records of months, other meanings, other thresholds and exclusions,
//! other databases, retention, somebody who is forgotten, kills between any two turns, losses of power, clean stops. In the end its store says what the rebuild from its inputs says.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test, and what its parts share")]

mod bad_days;
mod crowd;
mod flood;
mod house;
mod near;
mod organisation;
mod renamed;
mod rules;
mod told;
mod tuned;

use std::sync::Arc;

use insight::geo::Places;
use service::{
    Meaning,
    alert::Verdict,
    rebuild::WAITING_MAX,
    store::{AlertFilter, SessionFilter, UserPart},
};

use house::{House, Request, places_of};

const DAY_S: u64 = 86_400;
const HOUR_S: u64 = 3600;
const USERS: u64 = 7;
const DAYS: u64 = 300;
const KEEP_DAYS: u64 = 91;
/// Within what retention keeps to the end.
const FORGET_DAY: u64 = 240;
const FORGOTTEN: &str = "user3@contoso.example";

/// Pseudo-random numbers, the same in every run: splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

fn meaning(realms: &[&str], keep_days: u64) -> Meaning {
    let realms = vec![realms.iter().map(|&realm| realm.to_owned()).collect()];
    Meaning { realms, keep_s: keep_days * DAY_S, ..Meaning::default() }
}

#[test]
fn a_store_that_lived_through_everything_is_what_its_rebuild_makes() {
    let accepted: usize = [1, 2].map(live).iter().sum();
    assert!(accepted > 2, "{accepted} alerts were left alone");
}

/// One life; how many of its last alerts nobody decided about.
fn live(seed: u64) -> usize {
    let mut dice = Dice(seed);
    let mut tuning = Dice(seed + 1000);
    let mut house = House::new(meaning(&["contoso", ""], 180), places_of("GeoIP2-City-Test.mmdb"));
    for day in 0..DAYS {
        let morning = day * DAY_S + 8 * HOUR_S;
        match day {
            40 => house.reload(meaning(&["contoso.example", "contoso", ""], KEEP_DAYS), None),
            // Databases are gone, and come back as others.
            80 => house.reload(meaning(&["contoso.example", "contoso", ""], KEEP_DAYS), Some(Arc::default())),
            120 => house.reload(
                meaning(&["contoso.example", "contoso", ""], KEEP_DAYS),
                Some(places_of("GeoLite2-ASN-Test.mmdb")),
            ),
            // The second within what retention keeps to the end: what would be missing then is missed.
            78 | 250 => house.sync(),
            82 | 255 => house.lose_power(),
            252 => house.reload(
                meaning(&["contoso.example", "contoso", ""], KEEP_DAYS),
                Some(places_of("GeoIP2-City-Test.mmdb")),
            ),
            FORGET_DAY => house.forget(FORGOTTEN),
            _ => {}
        }
        for user in 0..USERS {
            if dice.roll(3) == 0 {
                continue;
            }
            let at = morning + dice.roll(HOUR_S);
            let session = format!("{day}-{user}");
            let start = Request { at, user, session: &session, address: dice.roll(4), ..Request::start() };
            house.hear(&start);
            if dice.roll(12) == 0 {
                let stranger = format!("{day}-{user}-stranger");
                house.hear(&Request { at: at + 600, session: &stranger, address: 4, ..start });
            }
            // The line changes within the session, perhaps to one far away.
            if dice.roll(6) == 0 {
                let address = [0, 1, 4][dice.roll(3) as usize];
                house.hear(&Request { at: at + 1200, status: 3, address, ..start });
            }
            // A clock that is two months late, one that is ahead, and none at all.
            let event = match dice.roll(12) {
                0 => Some(at.saturating_sub(60 * DAY_S)),
                1 => Some(at + 3 * DAY_S),
                2 => None,
                _ => Some(at + HOUR_S),
            };
            if dice.roll(10) > 0 {
                house.hear(&Request { at: at + HOUR_S, event, ..start.stop(dice.roll(1 << 30)) });
            }
            if dice.roll(4) == 0 {
                house.turn(at + HOUR_S);
            }
            if tuning.roll(40) == 0 {
                house.tune(tuned::any(&mut tuning, day));
            }
            match dice.roll(90) {
                0 => house.decide(Some(Verdict::Usual)),
                1 => house.decide(Some(Verdict::Malicious)),
                2 => house.decide(None),
                _ => {}
            }
            match dice.roll(40) {
                0 => house.kill(),
                1 => house.stop(),
                _ => {}
            }
        }
        house.turn(morning + 12 * HOUR_S);
    }
    house.catch_up(DAYS * DAY_S);
    house.stop();
    for waiting_max in [0, 20, WAITING_MAX] {
        let (live, rebuilt) = house.digests(waiting_max);
        assert_eq!(live, rebuilt, "seed {seed}: {} kills, {waiting_max} sessions wait", house.kills);
    }
    assert!(house.decisions > 5, "seed {seed}: {} decisions", house.decisions);
    let alerts = house.store().alerts(&AlertFilter::default(), usize::MAX >> 1).unwrap();
    assert!(alerts.len() > 5, "seed {seed}: {} alerts", alerts.len());
    assert!(house.kills > 10, "seed {seed}: {} kills", house.kills);

    let reader = house.store();
    let sessions = reader.sessions(&SessionFilter::default(), usize::MAX >> 1).unwrap();
    assert!(sessions.len() > 200, "{}", sessions.len());
    let oldest = sessions.iter().map(|session| session.start_unix_ns as u64 / 1_000_000_000).min().unwrap();
    let kept_from = house::epoch_s() + (DAYS - KEEP_DAYS - 2) * DAY_S;
    assert!(oldest >= kept_from, "retention has taken what is older: {oldest} < {kept_from}");
    let first = |user: &str| {
        let seen = reader.users(&UserPart::of_key(user), None, 10).unwrap().pop().unwrap().first_seen;
        seen.parse::<jiff::Timestamp>().unwrap().as_second() as u64 - house::epoch_s()
    };
    assert!(first(FORGOTTEN) >= FORGET_DAY * DAY_S, "whoever comes after is another");
    assert!(first("user4@contoso.example") < FORGET_DAY * DAY_S);
    let latest = sessions.iter().filter_map(|session| session.end.as_deref()).max().unwrap();
    let end = jiff::Timestamp::from_second((house::epoch_s() + (DAYS + 1) * DAY_S) as i64).unwrap();
    assert!(latest.parse::<jiff::Timestamp>().unwrap() < end, "no event lies in the future: {latest}");
    assert!(sessions.iter().all(|session| session.seconds < 3 * DAY_S), "no session lasts two months");
    alerts.iter().filter(|alert| tuned::is_accepted(alert)).count()
}

#[test]
fn without_any_database_the_service_says_so_of_each_place() {
    let mut house = House::new(Meaning::default(), Arc::new(Places::default()));
    house.hear(&Request { at: HOUR_S, user: 1, session: "one", address: 1, ..Request::start() });
    house.catch_up(DAY_S);
    house.stop();
    let session = house.store().sessions(&SessionFilter::default(), 10).unwrap().pop().unwrap();
    assert_eq!(session.place.unwrap().name, "no-database");
}

#[test]
fn what_is_not_kept_any_more_is_not_in_the_rebuild_however_long_it_waits() {
    let mut house = House::new(meaning(&["contoso"], 5), Arc::default());
    for day in 0..20 {
        let (at, session) = (day * DAY_S + 8 * HOUR_S, format!("{day}"));
        let start = Request { at, user: day % 3, session: &session, ..Request::start() };
        house.hear(&start);
        house.hear(&Request { at: at + HOUR_S, ..start.stop(1) });
        house.turn(at + 2 * HOUR_S);
    }
    house.catch_up(20 * DAY_S);
    house.stop();
    let kept = house.store().sessions(&SessionFilter::default(), 100).unwrap().len();
    assert!((5..=7).contains(&kept), "{kept}");
    for waiting_max in [0, 4, WAITING_MAX] {
        let (live, rebuilt) = house.digests(waiting_max);
        assert_eq!(live, rebuilt, "{waiting_max} sessions wait");
    }
}

#[test]
fn a_session_that_moves_far_away_is_told_also_behind_a_start() {
    for is_killed in [false, true] {
        let mut house = House::new(Meaning::default(), places_of("GeoIP2-City-Test.mmdb"));
        let start = Request { at: 8 * HOUR_S, user: 1, session: "one", ..Request::start() };
        house.hear(&start);
        house.catch_up(8 * HOUR_S);
        if is_killed {
            house.stop();
            house.kill();
        }
        house.hear(&Request { at: start.at + 1200, status: 3, address: 4, ..start });
        house.catch_up(9 * HOUR_S);
        house.stop();
        let alerts = house.store().alerts(&AlertFilter::default(), 10).unwrap();
        let [alert] = &alerts[..] else { panic!("{is_killed}: {alerts:?}") };
        assert!(alert.reasons.iter().any(|reason| reason.detection == "address-change"), "{alert:?}");
        let (live, rebuilt) = house.digests(WAITING_MAX);
        assert_eq!(live, rebuilt, "{is_killed}");
    }
}

#[test]
fn the_way_of_a_session_that_moves_is_its_own_with_time_and_speed() {
    let mut house = House::new(Meaning::default(), places_of("GeoIP2-City-Test.mmdb"));
    // Another session of hers that lives all the time is no part of it.
    let beside = Request { at: 8 * HOUR_S - 60, user: 1, session: "beside", address: 1, ..Request::start() };
    let start = Request { at: 8 * HOUR_S, user: 1, session: "one", ..Request::start() };
    house.hear(&beside);
    house.hear(&start);
    for minutes in [5, 10, 15] {
        let at = start.at + minutes * 60;
        house.hear(&Request { at, status: 3, ..beside });
        house.hear(&Request { at, status: 3, ..start });
    }
    house.hear(&Request { at: start.at + 1800, status: 3, address: 4, ..start });
    house.catch_up(9 * HOUR_S);
    house.stop();
    let alerts = house.store().alerts(&AlertFilter::default(), 10).unwrap();
    let [alert] = &alerts[..] else { panic!("{alerts:?}") };
    let journey = house.store().journey(alert).unwrap().unwrap();
    let point = |spot: &service::store::SpotRow| (spot.latitude.round(), spot.longitude.round());
    // Boxford and Changchun, not London.
    assert_eq!((point(&journey.from), point(&journey.to)), ((52.0, -1.0), (44.0, 125.0)), "{journey:?}");
    assert!(journey.from.name.starts_with("GB") && journey.to.name.contains("Changchun"), "{journey:?}");
    assert_eq!(journey.seconds, 900, "from the last sign of life at the one to the first at the other");
    assert!(journey.kmh_least.unwrap() > 20_000.0 && journey.from.radius_km > 0, "{journey:?}");
    let [left, arrived] = [900, 1800].map(|second| {
        let at = jiff::Timestamp::from_second((house::epoch_s() + start.at + second) as i64).unwrap();
        at.strftime("%Y-%m-%dT%H:%M").to_string()
    });
    assert!(journey.left.unwrap().starts_with(&left) && journey.arrived.unwrap().starts_with(&arrived));
    let (live, rebuilt) = house.digests(WAITING_MAX);
    assert_eq!(live, rebuilt);
}
