//! What no VPN server should do, and some do. The others of these are listed in `tests/decode/rows.rs`.

use insight::vpn::session::{Happening, Sessions, Settings, StartSource};

use crate::{ON, Say, Told, interim, server, sessions, start, stop};

fn octets(told: &Told) -> usize {
    told.sessions.save(Vec::new()).unwrap().len()
}

#[test]
fn a_million_users_in_an_hour_stay_within_the_bound_and_are_counted() {
    const USERS: u32 = 1_000_000;
    const MOST: usize = 10_000;
    let mut told = Told::new(Settings { sessions_max: MOST, ..Settings::default() });
    let (mut opened, mut evicted, mut largest) = (0, 0, 0);
    for user in 0..USERS {
        let name = format!("u{user}");
        let second = u64::from(user) * 3600 / u64::from(USERS);
        told.octets(second, 10, |b| {
            b.integer(40, 1).text(44, &name).text(1, &name).attribute(4, &[192, 0, 2, 1]);
        });
        if user % 20_000 == 0 {
            told.tick(second);
            largest = largest.max(octets(&told));
        }
        for change in told.changes.drain(..) {
            match change.happening {
                Happening::Opened => opened += 1,
                Happening::Closed => evicted += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(told.sessions.len(), MOST);
    assert_eq!((opened, evicted), (USERS, USERS - MOST as u32));
    assert_eq!(told.sessions.counts().evicted, u64::from(evicted));
    // One id with its session, the same before its Start, and the queues: 147 octets; 222 with what is queued in vain.
    assert!(largest < 180 * MOST, "{largest}");
}

#[test]
fn a_storm_of_on_closes_every_session_once_and_stays_bounded() {
    const SESSIONS: usize = 200;
    let mut told = Told::by(&[]);
    for at in 0..SESSIONS {
        let name = format!("u{at}");
        told.octets(0, 10, |b| {
            b.integer(40, 1).text(44, &name).text(1, &name).attribute(4, &[192, 0, 2, 1]);
        });
    }
    let storm = |told: &mut Told, from: u64| {
        for at in (from..from + 300).step_by(3) {
            told.hear(&[server(ON, at).timed()]);
            told.tick(at);
        }
        octets(told)
    };
    let early = storm(&mut told, 100);
    let late = (1..10).map(|round| storm(&mut told, 100 + round * 300)).max().unwrap();
    // Of 100 Ons in five minutes each id keeps 32: 760 octets; all would be 2,000.
    assert!(early.max(late) < SESSIONS * 1_000, "{early} octets, then {late}");
    assert_eq!(told.happenings(), ["O".repeat(SESSIONS), "C".repeat(SESSIONS)].concat());
    // Nothing of it is left once it is over, and what comes then is a session.
    told.hear(&[start(10_000)]);
    told.wait(10_000, 10_600);
    assert!(octets(&told) < early / 4);
    assert_eq!(told.sessions.iter().filter(|(.., session)| session.end().is_none()).count(), 1);
}

#[test]
fn one_id_for_everybody_is_a_session_each() {
    let users = ["alice", "bob", "carol", "dave", "erin", "frank"];
    let mut told = Told::by(&[]);
    let volume = |user, say: Say, octets| Say { user, octets: Some((octets, octets)), ..say };
    for (at, user) in (0..).zip(users) {
        told.hear(&[Say { user, ..start(at * 100) }.timed()]);
    }
    // All of them are up and say so, each its own volume; two of them are no longer followed.
    for (at, user) in (0..).zip(users) {
        told.hear(&[volume(user, interim(600, 600 - at as u32 * 100).timed(), 1000 * (at as u32 + 1))]);
    }
    let mixed = told.sessions.iter().filter_map(|(.., session)| {
        let user = users.iter().position(|user| session.details.user() == Some(user)).unwrap();
        (session.input_octets()? != 1000 * (user as u64 + 1)).then_some((user, session.clone()))
    });
    assert_eq!(mixed.collect::<Vec<_>>(), []);
    assert!(told.sessions.iter().count() <= 4);
    let of_alice = told.changes.iter().filter(|change| change.session.details.user() == Some("alice"));
    assert!(of_alice.count() >= 2, "opened and replaced");
}

#[test]
fn a_session_that_says_it_lasted_a_lifetime_began_when_it_was_first_seen() {
    let told = Told::by(&[interim(600, u32::MAX), stop(900, u32::MAX)]);
    sessions(&told, &["1:1 alice 600-900 stop"]);
    assert_eq!(told.changes[0].session.start_source, StartSource::FirstSeen);
    assert_eq!(told.changes[1].session.session_seconds, 0);
    // Months are long, and there are such.
    let months = 100 * 86_400;
    let told = Told::by(&[interim(600, months)]);
    assert_eq!(told.changes[0].session.start_source, StartSource::SessionTime);
    assert_eq!(told.changes[0].session.session_seconds, months);
}

#[test]
fn ids_that_come_round_after_many_reboots_are_new_sessions() {
    // The id's first octet counts reboots: in the 257th it is what it was. Of the reboots nobody told.
    let of = |user, say: Say| Say { id: "00000001", user, ..say };
    let year = 365 * 86_400;
    let told = Told::by(&[
        of("alice", start(0)),
        of("alice", interim(600, 600)),
        of("bob", start(year)),
        of("bob", interim(year + 600, 600)),
        of("alice", start(2 * year)),
        of("alice", stop(2 * year + 60, 60)),
    ]);
    sessions(
        &told,
        &[
            &format!("1:00000001 alice 0-{year} replaced"),
            &format!("1:00000001 bob {year}-{} replaced", 2 * year),
            &format!("1:00000001 alice {}-{} stop", 2 * year, 2 * year + 60),
        ],
    );
}

#[test]
fn names_that_only_look_alike_are_different_users() {
    let names: [&[u8]; 7] = [
        b"alice",
        b"alice\xff",
        b"alice\xfe",
        "ali\u{202e}ce".as_bytes(),
        "ali\u{200f}ce".as_bytes(),
        b"ali\x1b[8mce",
        "\u{430}lice".as_bytes(),
    ];
    let mut told = Told::by(&[]);
    for (at, name) in (0..).zip(names) {
        told.octets(at, 10, |b| {
            b.integer(40, 1)
                .text(44, "1")
                .integer(46, 0)
                .attribute(1, name)
                .attribute(4, &[192, 0, 2, at as u8]);
        });
    }
    let details: Vec<_> = told.sessions.iter().map(|(.., session)| session.details.clone()).collect();
    let keys: std::collections::BTreeSet<_> = details.iter().filter_map(|details| details.user()).collect();
    assert_eq!(keys.len(), names.len(), "{keys:?}");
    let is_unsafe =
        |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}');
    for details in &details {
        let texts = [details.user(), details.user_original()];
        assert!(!texts.into_iter().flatten().any(|text| text.contains(is_unsafe)), "{details:?}");
    }
    // They come back from a snapshot as they were.
    let list = told.list();
    let saved = told.sessions.save(Vec::new()).unwrap();
    told.sessions = Sessions::load(Settings::default(), &saved).unwrap();
    assert_eq!(told.list(), list);
}
