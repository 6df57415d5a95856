//! Somebody is renamed, or everybody: the past stays under the name that it had, and nobody is told of.

use service::store::{SessionFilter, UserPart};

use crate::{
    DAY_S, HOUR_S,
    house::{House, Instead, Request},
    organisation::{RENTED, TELEKOM, TUESDAY, USERS, alerts, house, is_working, line, stranger, users, work},
};

fn working(days: std::ops::Range<u64>) -> u64 {
    days.filter(is_working).count() as u64
}

fn connections(house: &House, user: &str) -> u64 {
    let of = SessionFilter { user: Some(user.to_owned()), ..SessionFilter::default() };
    house.store().sessions(&of, 1000).unwrap().len() as u64
}

#[test]
fn a_user_is_renamed() {
    const NAME: &str = "user7.miller";
    let (old, new) = ("user7@contoso.example", "user7.miller@contoso.example");
    let mut house = house();
    let work_as = |house: &mut House, days: std::ops::Range<u64>, name: Option<&str>| {
        for day in days.filter(is_working) {
            work(house, day, |user| {
                (line(TELEKOM, user), Instead { name: name.filter(|_| user == 7), ..Instead::default() })
            });
        }
    };
    // A stranger was there once, under the old name.
    work_as(&mut house, 4..TUESDAY - 1, None);
    stranger(&mut house, (TUESDAY - 2) * DAY_S + 21 * HOUR_S, 7, Some("KALI"));
    let before = alerts(&mut house);
    assert_eq!(users(&before), [old]);
    work_as(&mut house, TUESDAY - 1..TUESDAY, None);

    // From one day to the next all of the user's connections are under the new name.
    work_as(&mut house, TUESDAY..TUESDAY + 14, Some(NAME));
    assert_eq!(alerts(&mut house), before, "the same, and nothing of the new name");
    assert_eq!(connections(&house, old), working(4..TUESDAY) + 1);
    assert_eq!(connections(&house, new), working(TUESDAY..TUESDAY + 14));
    let found = house.store().users(&UserPart::of_key("user7"), None, 1000).unwrap();
    let found: Vec<&str> = found.iter().map(|row| &*row.user).collect();
    assert!(found.contains(&old) && found.contains(&new), "{found:?}");

    // For the new name the rules hold at once: far away five hours after work.
    let evening = (TUESDAY + 13) * DAY_S + 21 * HOUR_S;
    let instead =
        Instead { name: Some(NAME), address: Some(RENTED), device: Some("KALI"), ..Instead::default() };
    house.hear(&Request { at: evening, user: 7, session: "new", instead, ..Request::start() });
    house.catch_up(evening + 60);
    assert_eq!(users(&alerts(&mut house)), [new, old]);
}

#[test]
fn the_old_name_is_not_for_strangers() {
    let mut house = house();
    for day in (4..TUESDAY + 14).filter(is_working) {
        let name = Some("user7.miller").filter(|_| day >= TUESDAY);
        work(&mut house, day, |user| {
            (line(TELEKOM, user), Instead { name: name.filter(|_| user == 7), ..Instead::default() })
        });
    }
    // Nobody has used it for two weeks.
    stranger(&mut house, (TUESDAY + 13) * DAY_S + 21 * HOUR_S, 7, Some("KALI"));
    assert_eq!(users(&alerts(&mut house)), ["user7@contoso.example"]);
}

#[test]
fn everybody_is_renamed_in_one_night() {
    let mut house = house();
    let usual = |user: u64| (line(TELEKOM, user), Instead::default());
    for day in (4..TUESDAY).filter(is_working) {
        work(&mut house, day, usual);
    }
    // The company has another name, and so have its users: the realm that all are written with.
    let realms = ["fabrikam.example", "contoso.example", "contoso", ""];
    house.reload(crate::meaning(&realms, 180), None);
    for day in (TUESDAY..TUESDAY + 7).filter(is_working) {
        work(&mut house, day, usual);
    }
    assert_eq!(users(&alerts(&mut house)), [] as [&str; 0]);
    for user in 0..USERS {
        let (old, new) = (format!("user{user}@contoso.example"), format!("user{user}@fabrikam.example"));
        assert_eq!(connections(&house, &old), working(4..TUESDAY), "{old}");
        assert_eq!(connections(&house, &new), working(TUESDAY..TUESDAY + 7), "{new}");
    }
    // An attacker on the next evening, behind work, is told of by the rules.
    stranger(&mut house, (TUESDAY + 6) * DAY_S + 21 * HOUR_S, 41, Some("KALI"));
    assert_eq!(users(&alerts(&mut house)), ["user41@fabrikam.example"]);
}
