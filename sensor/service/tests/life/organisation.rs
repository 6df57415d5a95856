//! Bad days of a whole organisation, by the databases that come with the product: half of it moves to another provider in
//! one night, everybody is at home on a Monday. Nobody is told of, but a stranger among them is.

use service::{
    alert::Alert,
    rebuild::WAITING_MAX,
    store::{AlertFilter, SessionFilter},
};

use crate::{
    DAY_S, HOUR_S,
    house::{House, Instead, Request, included},
};

pub(crate) const USERS: u64 = 120;
/// A Tuesday behind six weeks of work; second 0 is on a Thursday.
pub(crate) const TUESDAY: u64 = 47;
pub(crate) const TELEKOM: &str = "84.130";
pub(crate) const VODAFONE: &str = "88.64";
/// Where the stranger rents a server: in Singapore.
pub(crate) const RENTED: &str = "128.199.64.23";

/// A line of this user alone.
pub(crate) fn line(network: &str, user: u64) -> String {
    format!("{network}.{user}.{}", 7 + user)
}

/// On this day everybody works from where `from` says, nine hours from seven o'clock on, one after the other.
pub(crate) fn work<'a>(house: &mut House, day: u64, from: impl Fn(u64) -> (String, Instead<'a>)) {
    let lines: Vec<(String, (String, Instead<'a>))> =
        (0..USERS).map(|user| (format!("{day}-{user}"), from(user))).collect();
    for (status, hours) in [(1, 7), (2, 16)] {
        let said = (0..).zip(&lines).map(|(user, (session, (address, instead)))| {
            let at = day * DAY_S + hours * HOUR_S + 60 * user + (day * user) % 50;
            Request {
                at,
                user,
                status,
                session,
                instead: Instead { address: Some(address), ..*instead },
                ..Request::start()
            }
        });
        house.hear_all(&said.collect::<Vec<_>>());
    }
    house.catch_up(day * DAY_S + 20 * HOUR_S);
}

pub(crate) fn is_working(day: &u64) -> bool {
    !matches!(day % 7, 2 | 3)
}

/// Somebody has this user's password.
pub(crate) fn stranger(house: &mut House, at: u64, user: u64, device: Option<&str>) {
    let session = format!("stolen-{user}");
    let instead = Instead { address: Some(RENTED), device, ..Instead::default() };
    house.hear(&Request { at, user, session: &session, instead, ..Request::start() });
    house.catch_up(at + 60);
}

/// All alerts, once the store has them; its rebuild has the same.
pub(crate) fn alerts(house: &mut House) -> Vec<Alert> {
    house.stop();
    let (live, rebuilt) = house.digests(WAITING_MAX);
    assert_eq!(live, rebuilt);
    house.store().alerts(&AlertFilter::default(), 1000).unwrap()
}

/// Whom they are about, in order.
pub(crate) fn users(alerts: &[Alert]) -> Vec<String> {
    let mut users: Vec<String> = alerts.iter().flat_map(Alert::users).map(str::to_owned).collect();
    users.sort();
    users
}

pub(crate) fn house() -> House {
    House::new(crate::meaning(&["contoso.example", "contoso", ""], 180), included())
}

#[test]
fn half_the_organisation_moves_to_another_provider_in_one_night() {
    // VPN servers that tell devices, and such that do not, where there is nothing else to tell by.
    for is_told in [true, false] {
        let device = (!is_told).then_some("");
        let instead = Instead { device, ..Instead::default() };
        let mut house = house();
        for day in (4..TUESDAY).filter(is_working) {
            work(&mut house, day, |user| (line(TELEKOM, user), instead));
        }
        assert_eq!(users(&alerts(&mut house)), [] as [&str; 0], "{is_told}: the month before");

        // Some are connected while their line becomes another one.
        let night = (TUESDAY - 1) * DAY_S + 22 * HOUR_S;
        for (network, status, hours) in [(TELEKOM, 1, 0), (VODAFONE, 3, 4), (VODAFONE, 2, 5)] {
            for user in (0..USERS).step_by(10) {
                let (address, session) = (line(network, user), format!("night-{user}"));
                let instead = Instead { address: Some(&address), ..instead };
                let at = night + hours * HOUR_S + user;
                house.hear(&Request { at, user, status, session: &session, instead, ..Request::start() });
            }
        }
        let moved =
            |user: u64| (line(if user.is_multiple_of(2) { VODAFONE } else { TELEKOM }, user), instead);
        work(&mut house, TUESDAY, moved);
        work(&mut house, TUESDAY + 1, moved);
        assert_eq!(users(&alerts(&mut house)), [] as [&str; 0], "{is_told}");
        let sessions = house.store().sessions(&SessionFilter::default(), 100_000).unwrap();
        assert!(sessions.len() as u64 > 30 * USERS, "{}", sessions.len());

        // One who has moved, and one who has not.
        for user in [40, 41] {
            stranger(&mut house, (TUESDAY + 1) * DAY_S + 21 * HOUR_S + user, user, is_told.then_some("KALI"));
        }
        let told = alerts(&mut house);
        assert_eq!(
            users(&told),
            ["user40@contoso.example", "user41@contoso.example"],
            "{is_told}: {told:#?}"
        );
    }
}

#[test]
fn everybody_is_at_home_on_a_monday() {
    // A month in the office, through its VPN server; home was never seen.
    let office = |_| ("194.25.1.9".to_owned(), Instead { server: Some("campus"), ..Instead::default() });
    let mut house = house();
    for day in (4..TUESDAY - 1).filter(is_working) {
        work(&mut house, day, office);
    }
    // Lines of three providers, through a VPN server that few knew.
    let home = |user: u64| {
        let network = [TELEKOM, VODAFONE, "46.5"][user as usize % 3];
        (line(network, user), Instead { server: Some("home-office"), ..Instead::default() })
    };
    work(&mut house, TUESDAY - 1, home);
    work(&mut house, TUESDAY, home);
    assert_eq!(users(&alerts(&mut house)), [] as [&str; 0]);
    stranger(&mut house, TUESDAY * DAY_S + 21 * HOUR_S, 41, Some("KALI"));
    let told = alerts(&mut house);
    assert_eq!(users(&told), ["user41@contoso.example"], "{told:#?}");
}
