//! One true history, told in any order within five minutes and any number of times, gives the same sessions.

use std::collections::HashMap;

use insight::vpn::session::{Happening, Session, Settings};
use proptest::prelude::*;

use crate::{OFF, ON, Say, Told, interim, say, server, start, stop};

const IDS: [&str; 3] = ["1", "2", "3"];
const USERS: [&str; 3] = ["alice", "bob", "carol"];
const REMOTES: [&str; 2] = ["203.0.113.7", "198.51.100.9"];

/// One connection as it was.
#[derive(Debug, Clone)]
struct Life {
    id: usize,
    user: usize,
    /// Behind the restart of its VPN server.
    start: u64,
    gaps: Vec<u64>,
    octets: u32,
    has_seconds: bool,
    has_address_at_start: bool,
    moves: bool,
    is_stopped: bool,
}

/// What a VPN server did between two restarts, and whether it told of the restart.
#[derive(Debug, Clone)]
struct Epoch {
    lives: Vec<Life>,
    on: bool,
    off: bool,
    pause: u64,
}

fn life() -> impl Strategy<Value = Life> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let gaps = prop::collection::vec(prop_oneof![10..60u64, 60..400u64, Just(300)], 1..7);
    (0..IDS.len(), 0..USERS.len(), 5..900u64, gaps, any::<u32>(), flags).prop_map(
        |(id, user, start, gaps, octets, (has_seconds, has_address_at_start, moves, is_stopped))| Life {
            id,
            user,
            start,
            gaps,
            octets,
            has_seconds,
            has_address_at_start,
            moves,
            is_stopped,
        },
    )
}

fn epochs() -> impl Strategy<Value = Vec<Epoch>> {
    let epoch = (prop::collection::vec(life(), 0..4), any::<bool>(), any::<bool>(), 20..900u64);
    prop::collection::vec(epoch, 1..4).prop_map(|epochs| {
        let whole = |(mut lives, on, off, pause): (Vec<Life>, bool, bool, u64)| {
            // One id has one session between two restarts.
            lives.sort_by_key(|life| life.id);
            lives.dedup_by_key(|life| life.id);
            Epoch { lives, on, off, pause }
        };
        epochs.into_iter().map(whole).collect()
    })
}

/// All requests of one VPN server, each with its time in it, arriving at once.
fn requests(number: u8, epochs: &[Epoch]) -> Vec<Say> {
    let mut says = Vec::new();
    let mut up_since = 1000;
    for epoch in epochs {
        if epoch.on {
            says.push(server(ON, up_since));
        }
        let mut down = up_since;
        for life in &epoch.lives {
            let begin = up_since + life.start;
            let (mut now, mut octets) = (begin, 0u32);
            let remote = |moved: bool| REMOTES[usize::from(moved && life.moves)];
            let of = |say: Say| Say { id: IDS[life.id], user: USERS[life.user], ..say };
            let address = if life.has_address_at_start { remote(false) } else { "" };
            says.push(Say { remote: address, ..of(start(begin)) });
            for (at, gap) in life.gaps.iter().enumerate() {
                now += gap;
                // Wraps when it is large.
                octets = octets.wrapping_add(life.octets / 8);
                let is_last = at + 1 == life.gaps.len();
                let length = (now - begin) as u32;
                let made = if is_last && life.is_stopped { stop(now, length) } else { interim(now, length) };
                let seconds = life.has_seconds.then_some(length);
                says.push(Say {
                    seconds,
                    octets: Some((octets, octets / 3)),
                    remote: remote(at > 1),
                    ..of(made)
                });
            }
            down = down.max(now);
        }
        up_since = down + epoch.pause;
        if epoch.off {
            says.push(server(OFF, up_since - 10));
        }
    }
    let mut says: Vec<Say> = says.into_iter().map(|say| Say { server: number, ..say }.timed()).collect();
    says.sort_by_key(|say| say.arrival);
    says
}

/// The sessions once everything is heard and everything is silent; the clock goes on in between.
fn outcome(says: &[Say]) -> Vec<String> {
    let mut told =
        Told::new(Settings { closed_kept_s: 90 * 86_400, unknown_after_s: 7200, ..Settings::default() });
    let mut now = 0;
    for say in says {
        if say.arrival >= now + 60 {
            now = say.arrival;
            told.tick(now);
        }
        told.hear(std::slice::from_ref(say));
    }
    let last = says.last().map_or(0, |say| say.arrival);
    told.wait(last, last + 4 * 3600);
    told.list()
}

/// How a request is told: lost, or so many times, each so many seconds late.
fn tellings(most: usize) -> impl Strategy<Value = Vec<Vec<u64>>> {
    let late = prop_oneof![3 => 0..=5u64, 1 => 0..=300u64];
    prop::collection::vec(prop::collection::vec(late, 1..most), 200)
}

fn told(says: &[Say], tellings: &[Vec<u64>]) -> Vec<Say> {
    let mut told: Vec<Say> = (says.iter().zip(tellings))
        .flat_map(|(say, times)| times.iter().map(|late| say.clone().late(*late)))
        .collect();
    told.sort_by_key(|say| say.arrival);
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_repetition_give_the_same_sessions(
        one in epochs(),
        two in epochs(),
        lost in prop::collection::vec(prop::bool::weighted(0.2), 200),
        loses: bool,
        tellings in tellings(4),
    ) {
        let mut says = [requests(1, &one), requests(2, &two)].concat();
        says.sort_by_key(|say| say.arrival);
        let mut lost = lost.iter();
        says.retain(|_| !(loses && lost.next().copied().unwrap_or(false)));
        prop_assert_eq!(outcome(&told(&says, &tellings)), outcome(&says));
    }

    /// The same by any order at one moment, where only the times inside tell.
    #[test]
    fn any_permutation_of_five_minutes_gives_the_same_sessions(
        kinds in prop::collection::vec((0..4usize, 0..300u64, any::<bool>(), 0..2usize, any::<u32>()), 1..9),
        seed in prop::collection::vec(any::<u64>(), 9),
    ) {
        let mut says: Vec<Say> = kinds.iter().map(|(kind, at, has_seconds, user, octets)| {
            // Distinct by more than copies lie apart.
            let at = at - at % 3;
            let say = match kind {
                0 => start(at),
                1 => say(3, at),
                2 => say(2, at),
                _ => server(ON, at),
            };
            let is_session = *kind < 3;
            Say {
                time: Some(at),
                arrival: 300,
                user: if is_session { USERS[*user] } else { "" },
                seconds: (is_session && *kind > 0 && *has_seconds).then_some(octets % 200),
                octets: (is_session && *kind > 0).then_some((*octets, 0)),
                ..say
            }
        }).collect();
        says.sort_by_key(|say| say.time);
        let in_order = outcome(&says);
        let mut order: Vec<usize> = (0..says.len()).collect();
        order.sort_by_key(|at| seed[*at]);
        let shuffled: Vec<Say> = order.iter().map(|at| says[*at].clone()).collect();
        prop_assert_eq!(outcome(&shuffled), in_order);
    }

    /// Whoever applies the changes one by one has the sessions, whatever comes and whatever the clock does.
    #[test]
    fn the_changes_add_up_to_the_sessions(
        says in prop::collection::vec(
            (0..6usize, 0..20_000u64, 0..2_000u64, 0..2usize, prop::option::of(0..4_000u32), any::<bool>(), any::<u32>()),
            1..40,
        ),
    ) {
        let mut told = Told::new(Settings { sessions_max: 3, unknown_after_s: 7200, ..Settings::default() });
        for (kind, at, late, one, seconds, has_time, octets) in says {
            let say = match kind {
                0 => start(at),
                1 | 2 => say(3, at),
                3 => say(2, at),
                4 => server(ON, at),
                _ => {
                    told.tick(at);
                    continue;
                }
            };
            let is_session = kind < 4;
            told.hear(&[Say {
                time: has_time.then_some(at),
                arrival: at + late,
                id: if is_session { IDS[(octets % 3) as usize] } else { "" },
                server: 1 + (octets % 2) as u8,
                user: if is_session { USERS[one] } else { "" },
                seconds: seconds.filter(|_| is_session),
                octets: is_session.then_some((octets, octets / 2)),
                ..say
            }]);
        }
        let mut applied: HashMap<u64, Session> = HashMap::new();
        for change in &told.changes {
            let number = change.session.number;
            let before = match change.happening {
                Happening::Merged { into } => {
                    prop_assert!(applied.contains_key(&into) && into != number);
                    prop_assert!(applied.remove(&number).is_some());
                    continue;
                }
                _ => applied.insert(number, change.session.clone()),
            };
            let was_open = before.as_ref().map(|before| before.end().is_none());
            let expected = match change.happening {
                Happening::Opened => was_open.is_none(),
                Happening::Updated => was_open == Some(!change.is_over()),
                Happening::Closed => was_open == Some(true) && change.is_over(),
                _ => was_open == Some(false) && !change.is_over(),
            };
            prop_assert!(expected, "{:?} of {:?}", change, before);
        }
        for (_, _, session) in told.sessions.iter() {
            prop_assert_eq!(applied.get(&session.number), Some(session));
        }
        prop_assert!(told.sessions.len() <= 3);
    }

    /// With nothing lost, told in any order, the sessions are those that were.
    #[test]
    fn the_sessions_are_those_that_were(one in epochs(), tellings in tellings(3)) {
        let mut one = one;
        for epoch in &mut one {
            // Restarts that nobody tells of are not to be known.
            (epoch.on, epoch.off) = (true, true);
            for life in &mut epoch.lives {
                life.octets %= 1 << 28;
            }
        }
        let says = requests(1, &one);
        let list = outcome(&told(&says, &tellings));
        let mut expected = Vec::new();
        let mut up_since = 1000;
        for epoch in &one {
            let length = |life: &Life| life.gaps.iter().sum::<u64>();
            let down = epoch.lives.iter().map(|life| up_since + life.start + length(life)).max().unwrap_or(up_since);
            let off = down + epoch.pause - 10;
            for life in &epoch.lives {
                let begin = up_since + life.start;
                let last = begin + length(life);
                let end = if life.is_stopped { format!("{last} stop") } else { format!("{off} server-stopped") };
                let octets = life.gaps.len() as u64 * u64::from(life.octets / 8);
                let seconds = if life.has_seconds { length(life) } else { 0 };
                let moved = life.moves && life.gaps.len() > 2;
                expected.push(format!(
                    "1 {} {} Start {begin} seen {last} end {end} {seconds}s {:?} {}",
                    IDS[life.id], USERS[life.user], Some((octets, octets / 3)), REMOTES[usize::from(moved)],
                ));
            }
            up_since = down + epoch.pause;
        }
        let mut list = list;
        list.sort();
        expected.sort();
        prop_assert_eq!(list, expected);
    }
}
