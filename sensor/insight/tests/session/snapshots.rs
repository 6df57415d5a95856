//! Sessions that were saved and loaded go on as if nothing had been; a person who was forgotten is in no snapshot.

use insight::vpn::session::{Sessions, Settings, SnapshotError};
use proptest::prelude::*;

use crate::{ON, Say, Told, interim, say, server, start, stop};

const IDS: [&str; 4] = ["1", "2", "3", ""];
const USERS: [&str; 3] = ["alice", "bob", "carol"];

/// Little room, so that it is made; little patience, so that silence comes.
fn settings() -> Settings {
    Settings { sessions_max: 4, unknown_after_s: 7200, closed_kept_s: 3600, ..Settings::default() }
}

fn octets(sessions: &Sessions) -> Vec<u8> {
    sessions.save(Vec::new()).unwrap()
}

/// Octets of version and checksum.
const HEAD: usize = 6;

/// With the right checksum, whatever is behind it.
fn sealed(octets: &[u8]) -> Vec<u8> {
    let mut sealed = octets.to_vec();
    if let Some((head, rest)) = sealed.split_at_mut_checked(HEAD) {
        head[2..].copy_from_slice(&crc32c::crc32c(rest).to_le_bytes());
    }
    sealed
}

/// A request or a tick, of any kind, at any time, and whether the sessions are saved and loaded behind it.
fn step() -> impl Strategy<Value = (Option<Say>, u64, bool)> {
    let kind = (0..6usize, 0..20_000u64, 0..2_000u64, any::<u32>(), any::<bool>(), any::<bool>());
    kind.prop_map(|(kind, at, late, dice, has_time, reloads)| {
        let made = match kind {
            0 => start(at),
            1 => interim(at, dice % 4_000),
            2 => say(3, at),
            3 => stop(at, dice % 4_000),
            4 => server(ON, at),
            _ => return (None, at, reloads),
        };
        let is_session = kind < 4;
        let say = Say {
            time: has_time.then_some(at),
            arrival: at + late,
            id: if is_session { IDS[(dice % 4) as usize] } else { "" },
            server: 1 + (dice % 2) as u8,
            user: if is_session { USERS[(dice / 4 % 3) as usize] } else { "" },
            octets: (is_session && kind > 0).then_some((dice, dice / 3)),
            ..made
        };
        (Some(say), at, reloads)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_loaded_engine_is_the_one_that_was_saved(steps in prop::collection::vec(step(), 1..60)) {
        let (mut one, mut other) = (Told::new(settings()), Told::new(settings()));
        for (say, at, reloads) in steps {
            for told in [&mut one, &mut other] {
                match &say {
                    Some(say) => told.hear(std::slice::from_ref(say)),
                    None => told.tick(at),
                }
            }
            if reloads {
                other.sessions = Sessions::load(settings(), &octets(&other.sessions)).unwrap();
            }
            prop_assert_eq!(octets(&one.sessions), octets(&other.sessions));
        }
        for told in [&mut one, &mut other] {
            told.wait(20_000, 40_000);
        }
        prop_assert_eq!(&one.changes, &other.changes);
        prop_assert_eq!(one.list(), other.list());
    }

    #[test]
    fn damaged_octets_are_refused_or_read_and_never_more(
        steps in prop::collection::vec(step(), 1..30),
        cut in any::<prop::sample::Index>(),
        hit in any::<prop::sample::Index>(),
        bit in 0..8u32,
    ) {
        let mut told = Told::new(settings());
        steps.iter().filter_map(|(say, ..)| say.as_ref()).for_each(|say| told.hear(std::slice::from_ref(say)));
        let whole = octets(&told.sessions);
        prop_assert!(Sessions::load(settings(), &whole[..cut.index(whole.len())]).is_err());
        prop_assert!(Sessions::load(settings(), &sealed(&[&whole[..], &[0]].concat())).is_err());
        let mut hurt = whole.clone();
        hurt[hit.index(whole.len())] ^= 1 << bit;
        prop_assert!(Sessions::load(settings(), &hurt).is_err());
        // Octets that somebody else made: their checksum is right.
        if let Ok(sessions) = Sessions::load(settings(), &sealed(&hurt)) {
            told.sessions = sessions;
            told.hear(&[start(30_000), server(ON, 30_100), Say { id: "2", ..stop(30_200, 200) }]);
            told.wait(30_000, 60_000);
        }
    }

    #[test]
    fn octets_that_are_no_snapshot_are_refused(foreign in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Sessions::load(settings(), &foreign).is_err());
        let mut headed = octets(&Sessions::new(settings()))[..HEAD].to_vec();
        headed.extend(&foreign);
        if let Ok(sessions) = Sessions::load(settings(), &sealed(&headed)) {
            let mut told = Told { sessions, ..Told::new(settings()) };
            told.hear(&[start(30_000), server(ON, 30_100)]);
            told.wait(30_000, 60_000);
        }
    }

    #[test]
    fn nothing_of_a_forgotten_user_is_left(steps in prop::collection::vec(step(), 1..60)) {
        let mut told = Told::new(settings());
        for (say, at, _) in &steps {
            match say {
                Some(say) => told.hear(std::slice::from_ref(say)),
                None => told.tick(*at),
            }
        }
        let of = |told: &Told, user| -> Vec<u64> {
            let sessions = told.sessions.iter().map(|(.., session)| session);
            sessions.filter(|session| session.details.user() == Some(user)).map(|session| session.number).collect()
        };
        let others = [of(&told, "bob"), of(&told, "carol")];
        let mut expected = of(&told, "alice");
        let mut forgotten = told.sessions.forget_person(|_, details| details.user() == Some("alice"));
        expected.sort_unstable();
        forgotten.sort_unstable();
        prop_assert_eq!(forgotten, expected);
        prop_assert_eq!([of(&told, "bob"), of(&told, "carol")], others);
        let saved = octets(&told.sessions);
        prop_assert!(!saved.windows(5).any(|octets| octets.eq_ignore_ascii_case(b"alice")));
        // And it still works.
        told.hear(&[start(30_000)]);
        told.wait(30_000, 60_000);
        prop_assert!(Sessions::load(settings(), &octets(&told.sessions)).is_ok());
    }
}

/// As above, with the names that a person really comes under.
#[test]
fn no_spelling_of_a_forgotten_user_is_left() {
    let spelled = |user, id, at| [Say { user, id, ..start(at) }, Say { user, id, ..stop(at + 60, 60) }];
    let mut told = Told::by(&[]);
    for (at, user) in (0..).zip(["Alice", "ALICE", "alice", "aLiCe@", "bob"]) {
        // One with an id, one without: there the name is in what stands for it.
        told.hear(&spelled(user, "", at * 100));
        told.hear(&spelled(user, ["1", "2", "3", "4", "5"][at as usize], at * 100 + 7));
    }
    let keys: Vec<_> = told.sessions.iter().filter_map(|(.., session)| session.details.user()).collect();
    let others: Vec<String> =
        keys.iter().filter(|key| !key.starts_with("alice")).map(ToString::to_string).collect();
    let mine: std::collections::BTreeSet<String> =
        keys.iter().filter(|key| key.starts_with("alice")).map(ToString::to_string).collect();
    let holds_alice =
        |told: &Told| octets(&told.sessions).windows(5).any(|o| o.eq_ignore_ascii_case(b"alice"));
    assert!(holds_alice(&told) && others.len() == 2, "{keys:?}");
    for key in &mine {
        assert!(!told.sessions.forget_person(|_, details| details.user() == Some(key)).is_empty());
    }
    assert!(!holds_alice(&told));
    assert_eq!(told.list().len(), others.len());
    // Time forgets as well, what stood for the id included.
    told.hear(&spelled("alice", "", 2_000));
    assert!(holds_alice(&told));
    told.wait(2_000, 200_000);
    assert!(told.sessions.is_empty() && !holds_alice(&told));
}

#[test]
fn under_less_room_than_there_was_the_bound_holds_from_the_next_id_on() {
    let mut told = Told::new(Settings::default());
    for id in IDS.iter().take(3) {
        told.hear(&[Say { id, ..start(0) }]);
    }
    told.sessions =
        Sessions::load(Settings { sessions_max: 2, ..settings() }, &octets(&told.sessions)).unwrap();
    told.hear(&[Say { id: "9", ..start(10) }]);
    assert_eq!((told.sessions.len(), told.sessions.counts().evicted), (2, 2));
    assert_eq!(told.happenings(), "OOOCCO");
}

#[test]
fn another_version_is_named() {
    let mut saved = octets(&Told::by(&[start(0)]).sessions);
    saved[0] += 1;
    assert!(matches!(Sessions::load(settings(), &saved), Err(SnapshotError::Version(3))));
}
