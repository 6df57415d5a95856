//! What was said of sessions when they began, for a Start that comes when its session is known already: behind an Interim
//! or its own Stop of the same second, or sent twice. It begins nothing, so that nothing is said of it anew; what was said
//! before is its answer too. Called by `Backtest` only.

use std::{
    collections::{HashMap, VecDeque},
    hash::BuildHasher as _,
};

use foldhash::fast::FixedState;
use insight::{
    detect::{Assessment, Detection},
    vpn::Event,
};

/// Most sessions that are remembered: a few minutes of a million people who all come within an hour. At a few hundred octets
/// each, some 20 MB.
const SESSIONS_MAX: usize = 65_536;

/// What was said of sessions, those last heard of last.
#[derive(Debug)]
pub(super) struct Openings {
    by_session: HashMap<u64, Opening, FixedState>,
    /// In the order of time, with the number of the opening; it may have given way to another.
    order: VecDeque<(u64, u64)>,
    kept_ns: u64,
    /// Of all so far.
    count: u64,
}

#[derive(Debug)]
struct Opening {
    number: u64,
    unix_ns: u64,
    user: Option<Box<str>>,
    assessment: Assessment,
}

/// One VPN server's session: its client, name and address, and Acct-Session-Id. Equal for no two by chance: 64 bits of few.
/// `None`: it has no id.
pub(super) fn session(event: &Event<'_>) -> Option<u64> {
    let server = &event.server;
    let source = event.source.ip();
    let id = event.session_id.as_deref()?;
    Some(FixedState::default().hash_one((
        event.client,
        server.identifier.as_deref(),
        server.address,
        source,
        id,
    )))
}

impl Openings {
    /// None yet. Each is kept for so long.
    pub(super) fn new(kept_ns: u64) -> Openings {
        Openings { by_session: HashMap::default(), order: VecDeque::new(), kept_ns, count: 0 }
    }

    /// This was said of an event's session.
    pub(super) fn keep(&mut self, event: &Event<'_>, assessment: Assessment) {
        let Some(session) = session(event) else { return };
        self.count += 1;
        let unix_ns = event.arrival_unix_ns;
        let user = event.user.as_ref().map(|user| Box::from(&*user.key));
        self.by_session.insert(session, Opening { number: self.count, unix_ns, user, assessment });
        self.order.push_back((session, self.count));
        while let Some((session, number)) = self.order.front().copied() {
            let known = self.by_session.get(&session).filter(|opening| opening.number == number);
            let is_old = known.is_none_or(|opening| opening.unix_ns.abs_diff(unix_ns) > self.kept_ns);
            if !is_old && self.order.len() <= SESSIONS_MAX {
                break;
            }
            if known.is_some() {
                self.by_session.remove(&session);
            }
            self.order.pop_front();
        }
    }

    /// What was said of an event's session, if it was of the same user.
    pub(super) fn of(&self, event: &Event<'_>) -> Option<&Assessment> {
        let opening = self.by_session.get(&session(event)?)?;
        let is_same = match (&event.user, &opening.user) {
            (Some(user), Some(known)) => *user.key == **known,
            // Nobody is told apart by a name that is not there.
            _ => true,
        };
        let is_new = opening.unix_ns.abs_diff(event.arrival_unix_ns) <= self.kept_ns;
        Some(&opening.assessment).filter(|_| is_same && is_new)
    }
}

/// Whether it says that a session moved, not how it began.
pub(super) fn is_move(assessment: &Assessment) -> bool {
    assessment.reasons.iter().any(|reason| reason.detection == Detection::AddressChange)
}

#[cfg(test)]
mod tests {
    use insight::vpn::{Status, Told, names::Realms};

    use super::*;

    const KEPT_NS: u64 = 600_000_000_000;

    fn told(session: &str, user: Option<&'static str>, unix_ns: u64) -> Event<'static> {
        let told = Told {
            unix_ns,
            status: Status::Start,
            client: "vpn",
            session: Some(session.to_owned().leak()),
            arrival_unix_ns: unix_ns,
            time_source: None,
            source: None,
            kind: None,
            nas: None,
            nas_address: None,
            user,
            address: None,
            assigned: [None; 2],
            device: None,
            software: None,
            operating_system: None,
            group: None,
            input_octets: None,
            output_octets: None,
            session_seconds: None,
        };
        told.event(&Realms::default(), 60)
    }

    fn score(openings: &Openings, event: &Event<'_>) -> Option<f64> {
        openings.of(event).map(|said| said.score)
    }

    #[test]
    fn what_was_said_last_is_kept_for_the_session_and_its_user_and_for_a_while() {
        let mut openings = Openings::new(KEPT_NS);
        let with = |score| Assessment { score, ..Assessment::default() };
        openings.keep(&told("1", Some("alice"), 5), with(1.0));
        openings.keep(&told("1", Some("alice"), 6), with(2.0));
        openings.keep(&told("2", None, 7), with(3.0));
        assert_eq!(score(&openings, &told("1", Some("alice"), 8)), Some(2.0));
        assert_eq!(score(&openings, &told("1", None, 8)), Some(2.0));
        assert_eq!(score(&openings, &told("2", Some("bob"), 8)), Some(3.0));
        assert_eq!(score(&openings, &told("1", Some("bob"), 8)), None);
        assert_eq!(score(&openings, &told("3", Some("alice"), 8)), None);
        assert_eq!(score(&openings, &told("1", Some("alice"), 6 + KEPT_NS)), Some(2.0));
        assert_eq!(score(&openings, &told("1", Some("alice"), 7 + KEPT_NS)), None);
        openings.keep(&told("4", None, 7 + KEPT_NS), with(4.0));
        assert_eq!((openings.by_session.len(), openings.order.len()), (2, 2), "the old one is gone");
    }

    #[test]
    fn no_more_sessions_are_kept_than_there_is_room_for() {
        let mut openings = Openings::new(KEPT_NS);
        for number in 0..SESSIONS_MAX + 10 {
            openings.keep(&told(&number.to_string(), None, 5), Assessment::default());
        }
        assert_eq!((openings.by_session.len(), openings.order.len()), (SESSIONS_MAX, SESSIONS_MAX));
        assert_eq!(score(&openings, &told("9", None, 5)), None);
        assert_eq!(score(&openings, &told("10", None, 5)), Some(0.0));
        // One session again and again takes no room of others.
        for _ in 0..2 * SESSIONS_MAX {
            openings.keep(&told("again", None, 5), Assessment::default());
        }
        assert!(openings.order.len() <= SESSIONS_MAX);
    }
}
