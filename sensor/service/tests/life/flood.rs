//! An attacker with the passwords of many floods people with alerts, from other places and with other devices each time and
//! under names that nobody has. Few are sent, all are listed, and another's theft is told of as on any day.

use service::{
    Meaning,
    alert::{Alert, CONNECTIONS_MAX, Notice, REASONS_MAX, Severity},
    rebuild::WAITING_MAX,
};

use crate::{
    DAY_S, HOUR_S,
    house::{House, Instead, Request, included},
    organisation::{TELEKOM, TUESDAY, alerts, is_working, line, stranger, users, work},
};

/// Whose passwords the attacker has: the first of them.
const STOLEN: u64 = 20;
const ROUNDS: u64 = 60;
const NOTICES_PER_DAY: u32 = 10;
/// Servers for rent in many countries, a part of the network each time.
const RENTED: [&str; 6] = ["128.199", "216.238", "139.162", "13.244", "5.9", "95.216"];

/// A night of it, from ten o'clock on: each connection lasts a minute. In each round so many names that nobody has besides.
fn flood(house: &mut House, day: u64, ghosts: u64) {
    for round in 0..ROUNDS {
        let at = day * DAY_S + 22 * HOUR_S + 110 * round;
        let parts: Vec<[String; 4]> = (0..STOLEN + ghosts)
            .map(|user| {
                let number = round * (STOLEN + ghosts) + user;
                let network = RENTED[number as usize % RENTED.len()];
                [
                    format!("{day}-{number}"),
                    format!("{network}.{}.{}", number / 6 % 250, 7 + user),
                    format!("D{day}-{number}"),
                    if user < STOLEN { format!("user{user}") } else { format!("ghost{day}-{number}") },
                ]
            })
            .collect();
        for (status, later) in [(1, 0), (2, 60)] {
            let said = (0..).zip(&parts).map(|(user, [session, address, device, name])| Request {
                at: at + later + user,
                user,
                status,
                session,
                instead: Instead {
                    name: Some(name),
                    address: Some(address),
                    device: Some(device),
                    ..Instead::default()
                },
                ..Request::start()
            });
            house.hear_all(&said.collect::<Vec<_>>());
        }
        house.catch_up(at + 109);
    }
}

/// What the state has in memory, about: its octets in the checkpoint.
fn state_octets(house: &mut House) -> i64 {
    house.stop();
    let store = rusqlite::Connection::open(house.store_file()).unwrap();
    store.query_row("SELECT sum(length(octets)) FROM checkpoint", [], |row| row.get(0)).unwrap()
}

/// The notices that are sent of this alert.
fn sent<'n>(notices: &'n [Notice], alert: &Alert) -> Vec<&'n Notice> {
    notices.iter().filter(|notice| notice.alert.number == alert.number && !notice.is_held).collect()
}

#[test]
fn somebody_floods_with_alerts() {
    let mut meaning: Meaning = crate::meaning(&["contoso.example", "contoso", ""], 180);
    meaning.detect.notices_per_day = NOTICES_PER_DAY;
    let mut house = House::new(meaning, included());
    let usual = |user: u64| (line(TELEKOM, user), Instead::default());
    for day in (4..=TUESDAY).filter(is_working) {
        work(&mut house, day, usual);
    }
    flood(&mut house, TUESDAY, 10);
    // While it goes on somebody else's password is used.
    stranger(&mut house, TUESDAY * DAY_S + 23 * HOUR_S + 3000, 41, Some("KALI"));
    let all = alerts(&mut house);
    let notices = house.store().notices(0, 1_000_000).unwrap();

    // Everybody's is listed, one each.
    let about = users(&all);
    let is_listed =
        |name: &String| about.iter().filter(|user| user.starts_with(&format!("{name}@"))).count() == 1;
    let stolen: Vec<String> = (0..STOLEN).chain([41]).map(|user| format!("user{user}")).collect();
    assert!(stolen.iter().all(is_listed), "{about:?}");
    let ghosts =
        all.iter().filter(|alert| alert.user.as_deref().is_some_and(|user| user.starts_with("ghost")));
    assert!(ghosts.count() > 100, "{about:?}");
    assert!(all.iter().all(|alert| notices.iter().any(|notice| notice.alert.number == alert.number)));

    // Of what is not urgent a day's are sent; of what is, each as it becomes so, and each alert a bounded number.
    let is_urgent = |notice: &&Notice| notice.alert.severity == Severity::High;
    let others = notices.iter().filter(|notice| !is_urgent(notice) && !notice.is_held).count();
    assert!((1..=NOTICES_PER_DAY as usize).contains(&others), "{others}");
    for alert in all.iter().filter(|alert| alert.severity == Severity::High) {
        let first = notices.iter().find(|notice| notice.alert.number == alert.number && is_urgent(notice));
        assert!(first.is_some_and(|first| !first.is_held), "{first:?}");
        // Two hours: each is another one for what is gathered.
        let count = sent(&notices, alert).len();
        assert!(count <= 34, "{count} of {alert:?}");
        assert!(
            alert.connections.len() <= CONNECTIONS_MAX && alert.reasons.len() <= REASONS_MAX,
            "{alert:?}"
        );
    }
    let other = all.iter().find(|alert| alert.user.as_deref() == Some("user41@contoso.example")).unwrap();
    assert_eq!((other.severity, sent(&notices, other).len()), (Severity::High, 1), "{other:?}");

    // Nights of it take no more and more memory.
    let sizes: Vec<i64> = (1..5)
        .map(|night| {
            work(&mut house, TUESDAY + night, usual);
            flood(&mut house, TUESDAY + night, 0);
            state_octets(&mut house)
        })
        .collect();
    let [_, second, _, last] = sizes[..] else { panic!("{sizes:?}") };
    assert!(last < second + second / 10, "{sizes:?}");
    let (live, rebuilt) = house.digests(WAITING_MAX);
    assert_eq!(live, rebuilt);
}
