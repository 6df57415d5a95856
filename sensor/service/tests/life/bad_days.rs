//! Bad days of the whole service: the databases change in the middle of a session, the host's clock jumps, a flood of
//! alerts meets the day's bound.

use std::{fs, path::Path, sync::Arc};

use insight::geo::{Database, Places, Sites};
use service::{
    Meaning,
    alert::{Alert, Severity},
    rebuild::WAITING_MAX,
    store::{AlertFilter, UserPart},
};

use crate::{
    DAY_S, HOUR_S,
    house::{House, Request, places_of},
};

const USERS: u64 = 8;
/// How long everybody works at home until then.
const DAYS: u64 = 40;
const NINE: u64 = DAYS * DAY_S + 9 * HOUR_S;

fn meaning() -> Meaning {
    crate::meaning(&["contoso.example", "contoso", ""], 90)
}

fn house(meaning: Meaning) -> House {
    let mut house = House::new(meaning, places_of("GeoIP2-City-Test.mmdb"));
    for day in 0..DAYS {
        for user in 0..USERS {
            let (at, session) = (day * DAY_S + 8 * HOUR_S + user, format!("{day}-{user}"));
            let start = Request { at, user, session: &session, ..Request::start() };
            house.hear(&start);
            house.hear(&Request { at: at + 3 * HOUR_S, ..start.stop(1000) });
        }
        house.turn(day * DAY_S + 12 * HOUR_S);
    }
    house
}

/// The same database, but that what was in Great Britain is in China.
fn elsewhere() -> Arc<Places> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../insight/tests/geo/data/GeoIP2-City-Test.mmdb");
    let mut octets = fs::read(path).unwrap();
    let mut put = |old: &[u8], new: &[u8]| {
        let at: Vec<usize> =
            (0..octets.len() - old.len()).filter(|at| octets[*at..].starts_with(old)).collect();
        assert!(!at.is_empty());
        at.into_iter().for_each(|at| octets[at..at + old.len()].copy_from_slice(new));
    };
    put(b"\x42GB", b"\x42CN");
    // Numbers of eight octets: of Boxford, of London.
    let number = |number: f64| [&b"\x68"[..], &number.to_be_bytes()].concat();
    for (old, new) in [(51.75, 31.75), (-1.25, 118.0), (51.5142, 31.5142), (-0.0931, 118.5)] {
        put(&number(old), &number(new));
    }
    let database = Database::read("another", octets).unwrap();
    Arc::new(Places::new(Arc::new(Sites::default()), vec![Arc::new(database)]))
}

fn alerts(house: &mut House) -> Vec<Alert> {
    house.stop();
    house.store().alerts(&AlertFilter::default(), 100).unwrap()
}

fn is_its_rebuild(house: &House) {
    let (live, rebuilt) = house.digests(WAITING_MAX);
    assert_eq!(live, rebuilt);
}

fn stranger(house: &mut House, at: u64) {
    house.hear(&Request { at, user: 2, session: "stranger", address: 4, ..Request::start() });
    house.catch_up(at + 60);
}

#[test]
fn the_databases_change_in_the_middle_of_a_session() {
    let mut house = house(meaning());
    let names: Vec<String> = (0..USERS).map(|user| format!("running-{user}")).collect();
    for (user, session) in (0..).zip(&names) {
        house.hear(&Request { at: NINE + user, user, session, ..Request::start() });
    }
    house.catch_up(NINE + 60);
    house.reload(meaning(), Some(elsewhere()));
    for (user, session) in (0..).zip(&names) {
        // Some move within their town, which is in another country now.
        let start = Request { user, session, address: user % 2, ..Request::start() };
        house.hear(&Request { at: NINE + HOUR_S + user, status: 3, ..start });
        house.hear(&Request { at: NINE + 2 * HOUR_S + user, ..start.stop(1000) });
        let again = format!("again-{user}");
        house.hear(&Request { at: NINE + 3 * HOUR_S + user, session: &again, ..start });
    }
    house.catch_up(NINE + 4 * HOUR_S);
    assert_eq!(alerts(&mut house), []);
    is_its_rebuild(&house);
    stranger(&mut house, NINE + 5 * HOUR_S);
    let told = alerts(&mut house);
    assert!(told.iter().any(|alert| alert.user.as_deref() == Some("user2@contoso.example")), "{told:?}");
    is_its_rebuild(&house);
}

#[test]
fn the_clock_of_the_host_is_two_years_ahead_for_a_while() {
    let mut house = house(meaning());
    stranger(&mut house, NINE);
    let before = alerts(&mut house);
    let users = house.store().users(&UserPart::default(), None, 100).unwrap().len();
    assert_eq!(before.len(), 1, "{before:?}");
    house.turn(NINE + 730 * DAY_S);
    house.turn(NINE + 730 * DAY_S + HOUR_S);
    // It is right again.
    let start = Request { at: NINE + 2 * HOUR_S, user: 5, session: "after", ..Request::start() };
    house.hear(&start);
    house.hear(&Request { at: start.at + 600, ..start.stop(1) });
    house.hear(&Request { at: start.at + 1200, session: "his", address: 4, ..start });
    house.catch_up(NINE + 3 * HOUR_S);
    let after = alerts(&mut house);
    assert_eq!(after.len(), 2, "{after:?}");
    assert_eq!(
        (&after[1], house.store().users(&UserPart::default(), None, 100).unwrap().len()),
        (&before[0], users)
    );
    assert_eq!(after[0].user.as_deref(), Some("user5@contoso.example"), "what was learned is there");
    is_its_rebuild(&house);
}

#[test]
fn over_the_days_bound_everything_is_listed_and_what_is_urgent_is_sent() {
    let mut meaning = meaning();
    meaning.detect.notices_per_day = 1;
    let mut house = house(meaning);
    for user in 0..USERS {
        let (at, session) = (NINE + 60 * user, format!("stolen-{user}"));
        house.hear(&Request { at, user, session: &session, address: 4, ..Request::start() });
    }
    house.catch_up(NINE + HOUR_S);
    let alerts = alerts(&mut house);
    let notices = house.store().notices(0, 100).unwrap();
    let sequences: Vec<u64> = notices.iter().map(|notice| notice.sequence).collect();
    assert_eq!(sequences, (1..=notices.len() as u64).collect::<Vec<_>>());
    assert!(alerts.iter().all(|alert| notices.iter().any(|notice| notice.alert.number == alert.number)));
    let [mut sent, mut held, mut urgent] = [0; 3];
    for notice in &notices {
        match (notice.alert.severity, notice.is_held) {
            (Severity::High, false) => urgent += 1,
            (Severity::High, true) => panic!("{notice:?}"),
            (_, false) => sent += 1,
            (_, true) => held += 1,
        }
    }
    assert!(sent == 1 && held > 0 && urgent > 0, "{sent} {held} {urgent}: {notices:?}");
    is_its_rebuild(&house);
}
