//! Interims that repeat what the one before them said are taken without being decoded, and nothing comes out otherwise than
//! if they were.

use insight::vpn::{
    Fingerprint,
    session::{Sessions, Settings},
};
use proptest::prelude::*;
use radius::{Code, build::RequestBuilder};

use crate::{ON, Say, Told, interim, received, say, server, start, stop};

/// Takes requests as the service does, some together: what repeats is looked for in all of them before the first is taken.
/// How many were not decoded.
fn hear_few(told: &mut Told, says: &[Say]) -> usize {
    let request = |say: &Say| {
        let mut buffer = [0; 4096];
        let mut builder = RequestBuilder::new(&mut buffer, Code::AccountingRequest, 1);
        say.fill(&mut builder);
        builder.seal(b"secret").unwrap().to_vec()
    };
    let requests: Vec<Vec<u8>> = says.iter().map(request).collect();
    let received = says.iter().zip(&requests).map(|(say, octets)| received(octets, say.arrival, say.source));
    let ahead: Vec<_> = received
        .map(|received| {
            let interim = told.decoder.interim(&received);
            (received, interim, interim.and_then(|interim| told.sessions.repeated(&interim)))
        })
        .collect();
    let mut taken = 0;
    for (received, interim, repeated) in ahead {
        told.sequence += 1;
        if let Some((interim, repeated)) = interim.zip(repeated)
            && told.sessions.take_interim(told.sequence, &interim, repeated, &mut told.changes)
        {
            taken += 1;
            continue;
        }
        let event = told.decoder.decode(&received).unwrap();
        let known_by = interim.map_or(Fingerprint::NONE, |interim| interim.fingerprint);
        told.sessions.take_sought(told.sequence, &event, (None, known_by), &mut told.changes);
    }
    taken
}

fn octets(sessions: &Sessions) -> Vec<u8> {
    sessions.save(Vec::new()).unwrap()
}

/// Nothing comes out otherwise than if all were decoded, under these settings; how many were not.
#[track_caller]
fn repeated_under(settings: impl Fn() -> Settings, says: &[Say]) -> usize {
    let (mut whole, mut short) = (Told::new(settings()), Told::new(settings()));
    let mut count = 0;
    for say in says {
        whole.hear(std::slice::from_ref(say));
        count += hear_few(&mut short, std::slice::from_ref(say));
        assert_eq!(octets(&whole.sessions), octets(&short.sessions), "{say:?}");
    }
    assert_eq!(whole.changes, short.changes);
    count
}

/// How many of these are not decoded, each taken by itself; and that nothing comes out otherwise.
#[track_caller]
fn repeated(says: &[Say]) -> usize {
    repeated_under(Settings::default, says)
}

/// An interim of every five minutes, with all that changes.
fn minutes(at: u64) -> Say {
    let say =
        Say { octets: Some((at as u32 * 9, 7)), gigawords: Some((0, at as u32)), ..interim(at, at as u32) };
    Say { delay: Some(at as u32 % 2), ..say.timed() }
}

#[test]
fn interims_that_repeat_one_are_not_decoded() {
    let interims = (1..=10).map(|number| minutes(number * 300));
    let says: Vec<Say> = [start(0).timed()].into_iter().chain(interims).collect();
    // The first says nothing that an interim said before.
    assert_eq!(repeated(&says), 9);
    // Nor is one sent twice, to two sensors perhaps, or ten minutes late.
    let twice: Vec<Say> = says.iter().flat_map(|say| [say.clone(), say.clone().late(1)]).collect();
    assert_eq!(repeated(&twice), 19);
    let mut late = says.clone();
    late[4] = late[4].clone().late(600);
    late.sort_by_key(|say| say.arrival);
    assert_eq!(repeated(&late), 8);
}

#[test]
fn interims_that_say_something_else_are_decoded() {
    let said = |other: Say| repeated(&[start(0), minutes(300), minutes(600), other]);
    assert_eq!(said(minutes(900)), 2);
    for other in [
        Say { remote: "198.51.100.9", ..minutes(900) },
        Say { assigned: 9, ..minutes(900) },
        Say { user: "bob", ..minutes(900) },
        Say { server: 2, ..minutes(900) },
        Say { id: "2", ..minutes(900) },
        Say { source: 11, ..minutes(900) },
        Say { port_type: 19, ..minutes(900) },
        Say { cause: Some(4), ..minutes(900) },
        stop(900, 900),
    ] {
        assert_eq!(said(other.clone()), 1, "{other:?}");
    }
    // What every interim says for the first time.
    let moving = (1..=9).map(|at| Say { assigned: at, ..minutes(u64::from(at) * 300) });
    assert_eq!(repeated(&moving.collect::<Vec<_>>()), 0);
    // A cause is kept with each, so each is looked at.
    let caused = (1..=9).map(|at| Say { cause: Some(4), ..minutes(at * 300) });
    assert_eq!(repeated(&caused.collect::<Vec<_>>()), 0);
    // Without an address it is counted that there is none.
    let placeless = (1..=9).map(|at| Say { remote: "", ..minutes(at * 300) });
    assert_eq!(repeated(&placeless.collect::<Vec<_>>()), 0);
    // No VPN connection.
    let wireless = (1..=9).map(|at| Say { port_type: 19, ..minutes(at * 300) });
    assert_eq!(repeated(&wireless.collect::<Vec<_>>()), 0);
}

#[test]
fn nothing_repeats_what_was_said_to_other_sessions() {
    let says = [start(0), minutes(300), minutes(600)];
    let next = [minutes(900)];
    let mut told = Told::by(&says[..1]);
    hear_few(&mut told, &says[1..]);
    // Loaded, it is the session; but it was not decoded since.
    let saved = octets(&told.sessions);
    told.sessions = Sessions::load(Settings::default(), &saved).unwrap();
    assert_eq!((hear_few(&mut told, &next), hear_few(&mut told, &[minutes(1200)])), (0, 1));
    // Under another configuration all is decoded anew.
    told.decoder = Told::new(Settings::default()).decoder;
    assert_eq!(hear_few(&mut told, &[minutes(1500)]), 0);
    assert_eq!(hear_few(&mut told, &[minutes(1800)]), 1);
    // And so it is of one that was forgotten, whoever had its id before.
    let next = |at: u64| Say { user: "bob", ..minutes(at) };
    let bobs = [Say { user: "bob", ..start(1900) }, next(2100), next(2400), next(2700)];
    assert_eq!(hear_few(&mut told, &bobs[..3]) + hear_few(&mut told, &bobs[3..]), 1);
    for (user, at) in [("bob", 3000), ("alice", 3300)] {
        assert!(!told.sessions.forget_person(|_, details| details.user() == Some(user)).is_empty());
        assert_eq!(hear_few(&mut told, &[next(at)]), 0, "{user}");
    }
}

#[test]
fn an_old_request_sent_again_is_not_what_is_repeated() {
    let moved = Say { remote: "198.51.100.9", ..minutes(400) };
    let again = minutes(300).late(101);
    let says = [start(0).timed(), minutes(300), moved, again, minutes(600), minutes(900)];
    assert_eq!(repeated_under(Settings::default, &says), 1);
}

#[test]
fn servers_beyond_the_last_are_counted_at_each_interim() {
    let settings = || Settings { servers_max: 1, ..Settings::default() };
    let of =
        |server: u8| move |at: u64| Say { server, id: ["", "1", "2"][usize::from(server)], ..minutes(at) };
    let says: Vec<Say> = (1..=5).flat_map(|at| [of(1)(at * 300), of(2)(at * 300)]).collect();
    assert_eq!(repeated_under(settings, &says), 4);
}

#[test]
fn what_comes_between_counts_where_some_are_taken_together() {
    let says = [start(0), minutes(300), minutes(600)];
    // Found while the session was there, taken when another had its place.
    let settings = || Settings { sessions_max: 1, ..Settings::default() };
    let between = [Say { id: "2", user: "bob", ..start(700) }, minutes(900), Say { id: "3", ..start(950) }];
    let (mut whole, mut short) = (Told::new(settings()), Told::new(settings()));
    for few in [&says[..], &between[..], &[minutes(1200)]] {
        whole.hear(few);
        hear_few(&mut short, few);
        assert_eq!(whole.changes, short.changes);
        assert_eq!(octets(&whole.sessions), octets(&short.sessions));
    }
}

const IDS: [&str; 3] = ["1", "2", ""];
const USERS: [&str; 3] = ["alice", "alice", "bob"];
const REMOTES: [&str; 4] = ["203.0.113.7", "203.0.113.7", "198.51.100.9", ""];

/// A request or a tick: mostly interims that repeat something.
fn step() -> impl Strategy<Value = (Option<Say>, u64)> {
    let dice = (0..12usize, 0..3usize, 0..3usize, 0..4usize, any::<bool>(), 0..40u32);
    (dice, 0..600u64, 0..400u64).prop_map(|((kind, id, user, remote, has_time, octets), gap, late)| {
        let made = match kind {
            0 => start(late),
            1 => stop(late, octets * 100),
            2 => server(ON, late),
            3 => return (None, gap),
            4 => say(3, late),
            _ => interim(late, octets * 100),
        };
        let is_session = kind != 2;
        let say = Say {
            time: has_time.then_some(0),
            id: if is_session { IDS[id] } else { "" },
            user: if is_session { USERS[user] } else { "" },
            remote: if is_session { REMOTES[remote] } else { "" },
            octets: (is_session && kind > 0).then_some((octets * 1000, octets)),
            cause: (octets == 39).then_some(1),
            ..made
        };
        (Some(say), gap)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes, in whatever order, however late, however many are taken together, with little room.
    #[test]
    fn what_repeats_comes_out_as_if_it_were_decoded(
        steps in prop::collection::vec(step(), 1..80),
        together in 1..9usize,
        room in 1..5usize,
        reloads in prop::option::weighted(0.2, 0..8usize),
    ) {
        let settings = || Settings { sessions_max: room, unknown_after_s: 7200, closed_kept_s: 3600, ..Settings::default() };
        let (mut whole, mut short) = (Told::new(settings()), Told::new(settings()));
        let mut now = 0;
        for (number, few) in steps.chunks(together).enumerate() {
            let mut says = Vec::new();
            for (say, gap) in few {
                now += gap;
                match say {
                    Some(say) => says.push(Say { time: say.time.map(|_| now), arrival: now + say.arrival, ..say.clone() }),
                    None => {
                        whole.tick(now);
                        short.tick(now);
                    }
                }
            }
            whole.hear(&says);
            hear_few(&mut short, &says);
            if reloads == Some(number) {
                short.sessions = Sessions::load(settings(), &octets(&short.sessions)).unwrap();
            }
            prop_assert_eq!(octets(&whole.sessions), octets(&short.sessions));
        }
        prop_assert_eq!(&whole.changes, &short.changes);
    }
}
