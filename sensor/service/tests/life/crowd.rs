//! One address, many users: one alert, through the whole service, also where one of them is forgotten.

use service::{
    Detecting, Exclusion, Meaning,
    alert::{Alert, News, Severity, Verdict},
    rebuild::WAITING_MAX,
    store::{AlertFilter, AlertState},
};

use crate::{
    DAY_S, HOUR_S,
    house::{House, Request, epoch_s, places_of},
};

/// Whose passwords somebody has.
const USERS: u64 = 9;
/// A city far away, with the same device for all.
const STRANGERS: u64 = 4;

/// The day on which they come.
const NIGHT: u64 = 40;

/// Until then everybody works at home.
fn house() -> House {
    house_of(10, crate::meaning(&["contoso.example", "contoso", ""], 90))
}

fn house_of(users: u64, meaning: Meaning) -> House {
    let mut house = House::new(meaning, places_of("GeoIP2-City-Test.mmdb"));
    for day in 0..NIGHT {
        for user in 0..users {
            let session = format!("{day}-{user}");
            let at = day * DAY_S + 8 * HOUR_S + user;
            let start = Request { at, user, session: &session, ..Request::start() };
            house.hear(&start);
            house.hear(&Request { at: at + 3 * HOUR_S, ..start.stop(1000) });
        }
        house.turn(day * DAY_S + 12 * HOUR_S);
    }
    house
}

/// They come one after the other at night, from the address far away.
fn spray(house: &mut House, day: u64, users: std::ops::Range<u64>) {
    for user in users {
        let (at, session) = (day * DAY_S + HOUR_S + 60 * user, format!("stolen-{day}-{user}"));
        let start = Request { at, user, session: &session, address: STRANGERS, ..Request::start() };
        house.hear(&start);
        house.hear(&Request { at: at + 30, ..start.stop(1000) });
    }
    house.catch_up(day * DAY_S + 2 * HOUR_S);
}

/// Those about the address.
fn crowds(house: &mut House) -> Vec<Alert> {
    house.stop();
    let alerts = house.store().alerts(&AlertFilter::default(), 100).unwrap();
    alerts.into_iter().filter(|alert| alert.address.is_some()).collect()
}

fn is_its_rebuild(house: &House) {
    let (live, rebuilt) = house.digests(WAITING_MAX);
    assert_eq!(live, rebuilt);
}

#[test]
fn many_users_of_one_address_are_one_alert() {
    let mut house = house();
    spray(&mut house, NIGHT, 0..USERS);
    let crowds = crowds(&mut house);
    let [alert] = &crowds[..] else { panic!("{crowds:?}") };
    assert_eq!(
        (alert.users.len(), &*alert.detection, alert.severity),
        (9, "one-address-many-users", Severity::High)
    );
    let reader = house.store();
    let of = |user: u64| {
        let user = Some(format!("user{user}@contoso.example"));
        let alerts = reader.alerts(&AlertFilter { user, ..AlertFilter::default() }, 10).unwrap();
        alerts.into_iter().map(|alert| alert.address.is_some()).collect::<Vec<_>>()
    };
    // The first three had theirs before anybody could know.
    assert_eq!((of(0), of(5), of(9)), (vec![true, false], vec![true], vec![]));
    let notices = reader.notices(0, 100).unwrap();
    let told: Vec<_> = notices.iter().filter(|notice| notice.alert.number == alert.number).collect();
    let told: Vec<_> =
        told.iter().map(|notice| (notice.news, notice.alert.users.len(), notice.is_held)).collect();
    // Who comes in between is listed.
    let (new, updated) = (News::New, News::Updated);
    assert_eq!(told, [(new, 4, false), (updated, 7, true), (updated, 8, false), (updated, 9, true)]);
    let held = AlertFilter { held: Some(true), ..AlertFilter::default() };
    let rows = reader.alert_rows(&held, 10).unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.number, row.held, row.held_back.unwrap().count)).collect();
    assert_eq!(rows, [(alert.number, true, 1)]);
    let page = reader.alert_page(alert.number).unwrap().unwrap();
    let history: Vec<_> = page
        .history
        .iter()
        .map(|happened| (happened.held, happened.held_back.map(|held| held.count)))
        .collect();
    assert_eq!(history, [(false, None), (true, Some(3)), (false, None), (true, Some(1))]);
    is_its_rebuild(&house);
    // It is of high severity: within the hour the ninth is told of too.
    house.turn(NIGHT * DAY_S + 3 * HOUR_S);
    house.stop();
    let reader = house.store();
    assert_eq!(reader.alert_rows(&held, 10).unwrap(), []);
    let last = reader.notices(0, 100).unwrap().pop().unwrap();
    assert_eq!((last.alert.number, last.alert.users.len(), last.is_held), (alert.number, 9, false));
    is_its_rebuild(&house);
}

#[test]
fn closed_as_usual_the_address_is_not_told_of_again_and_closed_as_malicious_the_next_one_is() {
    for verdict in [Verdict::Usual, Verdict::Malicious, Verdict::Unclear] {
        let mut house = house();
        spray(&mut house, NIGHT, 0..USERS);
        house.decide(Some(verdict));
        // The same once more, and one who was not among them.
        spray(&mut house, NIGHT + 1, 0..USERS + 1);
        let open: Vec<_> = crowds(&mut house)
            .into_iter()
            .filter(|alert| alert.state == service::alert::State::Open)
            .collect();
        let users: Vec<&str> = open.iter().flat_map(|alert| &alert.users).map(String::as_str).collect();
        match verdict {
            Verdict::Usual => assert_eq!(users, [] as [&str; 0], "{open:?}"),
            Verdict::Malicious => assert!(users.contains(&"user9@contoso.example"), "{open:?}"),
            Verdict::Unclear => assert_eq!(users, [] as [&str; 0], "nine are no twice eight"),
        }
        let alerts = house
            .store()
            .alerts(&AlertFilter { state: Some(AlertState::Open), ..AlertFilter::default() }, 100)
            .unwrap();
        let users: Vec<&str> = alerts.iter().flat_map(Alert::users).collect();
        if verdict == Verdict::Usual {
            assert_eq!(
                users,
                ["user9@contoso.example"],
                "the others are there as they always were: {alerts:?}"
            );
        } else {
            assert!(users.contains(&"user5@contoso.example"), "{verdict:?}: nothing was learned: {users:?}");
        }
        is_its_rebuild(&house);
    }
}

#[test]
fn closed_by_nobody_the_address_is_not_known_to_be_shared() {
    let mut meaning = crate::meaning(&["contoso.example", "contoso", ""], 90);
    meaning.detect.accept_after_days = Some(1);
    // What is urgent waits for a person.
    meaning.detect.thresholds.high_score = 100.0;
    let mut house = house_of(20, meaning);
    spray(&mut house, NIGHT, 0..4);
    house.turn((NIGHT + 1) * DAY_S + HOUR_S);
    house.turn((NIGHT + 2) * DAY_S + HOUR_S);
    let [first] = &crowds(&mut house)[..] else { panic!("one alert") };
    assert_ne!(first.state, service::alert::State::Open, "{first:?}");
    // More than three times as many as came there before.
    spray(&mut house, NIGHT + 3, 4..20);
    let crowds = crowds(&mut house);
    assert_eq!(crowds.len(), 2, "{crowds:?}");
    is_its_rebuild(&house);
}

#[test]
fn so_many_days_are_counted_together_and_at_so_many_times_as_many_it_is_told_again() {
    for (days, again, told, is_early_one_in_it) in
        [(2, 2.0, [4, 8], false), (2, 1.5, [4, 6], false), (5, 2.0, [4, 8], true)]
    {
        let mut meaning = crate::meaning(&["contoso.example", "contoso", ""], 90);
        let thresholds = &mut meaning.detect.thresholds;
        (thresholds.users_per_address_days, thresholds.users_per_address_again) = (days, again);
        let mut house = house_of(USERS, meaning);
        // One three days before the others.
        spray(&mut house, NIGHT, USERS - 1..USERS);
        spray(&mut house, NIGHT + 3, 0..USERS - 1);
        let crowds = crowds(&mut house);
        let [alert] = &crowds[..] else { panic!("{crowds:?}") };
        let notices = house.store().notices(0, 100).unwrap();
        let of_it = notices.iter().filter(|notice| notice.alert.number == alert.number && !notice.is_held);
        let users: Vec<usize> = of_it.map(|notice| notice.alert.users.len()).collect();
        assert_eq!(users, told, "{days} {again}");
        let early = format!("user{}@contoso.example", USERS - 1);
        assert_eq!(alert.users.contains(&early), is_early_one_in_it, "{days}: {:?}", alert.users);
        is_its_rebuild(&house);
    }
}

#[test]
fn one_of_several_users_is_forgotten_and_the_others_stay() {
    for is_closed in [false, true] {
        let mut house = house();
        spray(&mut house, NIGHT, 0..USERS);
        if is_closed {
            house.decide(Some(Verdict::Unclear));
        }
        // One of the first, who came before there was an alert; one of those behind.
        for user in ["user1@contoso.example", "user6@contoso.example"] {
            house.forget(user);
        }
        assert_eq!(house.holding("user1") + house.holding("user6"), 0);
        assert!(house.holding("user5") > 0);
        let crowds = crowds(&mut house);
        let [alert] = &crowds[..] else { panic!("{crowds:?}") };
        let left = [0, 2, 3, 4, 5, 7, 8].map(|user| format!("user{user}@contoso.example"));
        assert_eq!(alert.users, left);
        assert!(alert.message.starts_with("7 users connected"), "{}", alert.message);
        let notices = house.store().notices(0, 100).unwrap();
        let told: Vec<_> = notices.iter().filter(|notice| notice.alert.number == alert.number).collect();
        let users: Vec<usize> = told.iter().map(|notice| notice.alert.users.len()).collect();
        assert_eq!(users, if is_closed { vec![3, 5, 6, 7, 7, 7] } else { vec![3, 5, 6, 7] });
        // It goes on as it is, and so does its rebuild.
        spray(&mut house, NIGHT + 1, 0..USERS + 1);
        house.stop();
        is_its_rebuild(&house);
    }
}

#[test]
fn a_short_name_is_forgotten_in_an_alert_as_well() {
    let mut house = House::new(Meaning::default(), places_of("GeoIP2-City-Test.mmdb"));
    let start = Request { at: 8 * HOUR_S, user: 1, session: "one", is_short: true, ..Request::start() };
    house.hear(&start);
    house.hear(&Request { at: start.at + 1200, status: 3, address: STRANGERS, ..start });
    house.catch_up(9 * HOUR_S);
    house.stop();
    let alerts = |house: &House| house.store().alerts(&AlertFilter::default(), 10).unwrap().len();
    assert_eq!(alerts(&house), 1);
    house.forget("u1");
    house.stop();
    assert_eq!(alerts(&house), 0);
}

#[test]
fn of_whom_nobody_wants_to_hear_makes_no_address_one_of_many_and_costs_nobody_the_alert() {
    let name = "user3@contoso.example";
    for (users, count) in [(4, 0), (5, 1)] {
        let mut house = house();
        let exclusion = Exclusion {
            user: Some(name.to_owned()),
            until_unix_s: epoch_s() + (NIGHT + 1) * DAY_S,
            ..Exclusion::default()
        };
        house.tune(Detecting { exclusions: vec![exclusion], ..Detecting::default() });
        spray(&mut house, NIGHT, 0..users);
        let all = crowds(&mut house);
        assert_eq!(all.len(), count, "{users}: {all:?}");
        assert!(
            all.iter().all(|alert| alert.users.len() == 4 && !alert.users.iter().any(|user| user == name))
        );
    }
}
