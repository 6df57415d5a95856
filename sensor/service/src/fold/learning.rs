//! What connections teach the profiles: each one once when it is new, what comes to be known of it later when it does, and
//! how long it lasted when it is over. Called by the fold, for each change of a session.
//!
//! Only persons' VPN connections are sessions, so that all are learned. What was learned stays learned: a session that
//! turns out to be one with another (a lost Start and its Interim, told in the wrong order) was counted twice, since a
//! profile does not know which of its counts came from whom. Such pairs are rare and never new values; the page of a user
//! is made from the stored sessions and does not have them. For the same reason an address that changes within a session
//! teaches no second place, unless people say that it is usual.
//!
//! What an open alert holds back is learned of its rows when it is closed as usual, and only that ([`Learning::teach`]); what
//! was learned of a session before it was held back is taken back without the rest ([`Learning::take_back`]).

use std::{collections::HashMap, hash::BuildHasherDefault};

use insight::{
    profile::{Ended, Observation, Options, Profiles, WINDOW_DAYS},
    vpn::session::{Change, Details, EndReason, Happening, Session},
};
use serde::{Deserialize, Serialize};

use super::{Placed, ties::NumberHasher};
use crate::alert::Connection;

/// Nothing was learned yet: there was no user.
const USER: u8 = 1;
pub(super) const PLACE: u8 = 2;
pub(super) const DEVICE: u8 = 4;
pub(super) const SOFTWARE: u8 = 8;
/// What may be known later: all that there is to be learned of a session but for its end.
pub(super) const LATER: u8 = USER | PLACE | DEVICE | SOFTWARE;
/// Its end was learned; it was thought over and is not.
const ENDED: u8 = 16;
/// It is elsewhere now than where it was when its place was learned.
pub(super) const MOVED: u8 = 32;

/// Most sessions that something is missing of: as many as there can be sessions. Beyond, what comes late is not learned.
const MISSING_MAX: usize = 2_000_000;
const WINDOW_NS: u64 = WINDOW_DAYS as u64 * super::DAY_NS;

/// The profiles, and what is not learned yet: that names nobody.
#[derive(Debug, Default)]
pub(super) struct Learning {
    pub(super) profiles: Profiles,
    /// Open sessions of which something is missing, by number.
    missing: HashMap<u64, Missing, BuildHasherDefault<NumberHasher>>,
}

/// How a session ended, as its user's profile learned it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    end_unix_ns: u64,
    seconds: u64,
    octets: Option<u64>,
}

impl End {
    /// Of a session that is over, if it lasted as long as it looks.
    pub(super) fn told(session: &Session) -> Option<End> {
        let end = session.end().filter(|end| tells_length(end.reason.name()))?;
        Some(End {
            end_unix_ns: end.unix_ns,
            seconds: session.seconds_until(end.unix_ns),
            octets: session.octets(),
        })
    }

    /// Of this user's session.
    pub(super) fn of<'a>(&self, user: &'a str) -> Ended<'a> {
        let End { end_unix_ns, seconds, octets } = *self;
        Ended { user, end_unix_ns, seconds, octets }
    }
}

/// What of one session is not learned yet.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Missing {
    what: u8,
    start_unix_ns: u64,
}

impl Learning {
    pub(super) fn restored(profiles: Profiles, missing: Vec<(u64, Missing)>) -> Learning {
        Learning { profiles, missing: missing.into_iter().collect() }
    }

    /// What is missing, in the order of the sessions' numbers.
    pub(super) fn missing(&self) -> Vec<(u64, Missing)> {
        let mut missing: Vec<(u64, Missing)> =
            self.missing.iter().map(|(number, missing)| (*number, *missing)).collect();
        missing.sort_unstable_by_key(|(number, _)| *number);
        missing
    }

    /// Takes a change of a session through the VPN server of this label, whose address was found there. How it ended, if
    /// that was learned.
    pub(super) fn follow(
        &mut self,
        change: &Change,
        server: Option<&str>,
        placed: Option<&Placed>,
    ) -> Option<End> {
        let session = &change.session;
        let number = session.number;
        if matches!(change.happening, Happening::Merged { .. }) {
            self.missing.remove(&number);
            return None;
        }
        let before = self.unlearned(change);
        let mut left = before & !self.learn(before, session, server, placed);
        if change.has_moved && before & PLACE == 0 {
            left |= MOVED;
        }
        if change.happening == Happening::Reopened {
            left |= ENDED;
        }
        let is_over = session.end().is_some();
        let is_learned = is_over && change.happening != Happening::Updated && left & ENDED == 0;
        let end = if is_learned { self.learn_end(session) } else { None };
        if is_over || left == 0 {
            self.missing.remove(&number);
            return end;
        }
        let has_room = self.missing.len() < MISSING_MAX;
        match self.missing.get_mut(&number) {
            Some(missing) => missing.what = left,
            None if has_room => {
                let start_unix_ns = session.start_unix_ns;
                self.missing.insert(number, Missing { what: left, start_unix_ns });
            }
            None => {}
        }
        end
    }

    /// What was not learned of a session before a change.
    pub(super) fn unlearned(&self, change: &Change) -> u8 {
        match change.happening {
            Happening::Opened => LATER,
            Happening::Merged { .. } => 0,
            Happening::Updated | Happening::Closed | Happening::Reopened => {
                self.missing.get(&change.session.number).map_or(0, |missing| missing.what)
            }
        }
    }

    /// Whether a change says something that is to be learned.
    pub(super) fn is_news(&self, change: &Change, placed: Option<&Placed>) -> bool {
        there(self.unlearned(change), &change.session.details, placed) != 0
    }

    /// Whether nothing at all was learned of a session before a change.
    pub(super) fn is_unknown(&self, change: &Change) -> bool {
        self.unlearned(change) & USER != 0
    }

    /// Nothing more is learned of this session, nor how it ends.
    pub(super) fn pass_by(&mut self, session: u64) {
        self.missing.remove(&session);
    }

    /// Learns of what is missing what is there; tells what that was.
    fn learn(&mut self, missing: u8, session: &Session, server: Option<&str>, placed: Option<&Placed>) -> u8 {
        let details = &session.details;
        let Some(user) = details.user().filter(|_| missing & LATER != 0) else { return 0 };
        // By its place an address has a country and a network; where none is known, it has neither.
        let placed = placed.filter(|placed| missing & PLACE != 0 && placed.is_known());
        let device = details.device().filter(|_| missing & DEVICE != 0);
        let software = details.software().filter(|_| missing & SOFTWARE != 0);
        let learned = there(missing, details, placed);
        if learned == 0 {
            return 0;
        }
        let is_connection = missing & USER != 0;
        let resolved = placed.map(|placed| &placed.resolved);
        self.profiles.learn(&Observation {
            user,
            start_unix_ns: session.start_unix_ns,
            is_connection,
            country: resolved.and_then(|resolved| resolved.country.as_deref()),
            place: placed.and_then(|placed| placed.place.as_deref()),
            network: resolved.and_then(|resolved| resolved.asn),
            address: placed.and(details.remote()),
            kinds: placed.map(|placed| placed.kinds).unwrap_or_default(),
            device,
            software,
            server: server.filter(|_| is_connection),
        });
        learned
    }

    fn learn_end(&mut self, session: &Session) -> Option<End> {
        let user = session.details.user()?;
        let end = End::told(session)?;
        self.profiles.learn_end(&end.of(user));
        Some(end)
    }

    /// Learns this of a connection that was held back; tells what the row does not say, which may come to be known later.
    pub(super) fn teach(&mut self, user: &str, row: &Connection, what: u8) -> u8 {
        let there = what & said(row);
        if there != 0 {
            self.profiles.learn(&part(user, row, there));
        }
        what & !there
    }

    /// Takes this of a connection back, which it taught.
    pub(super) fn take_back(&mut self, user: &str, row: &Connection, what: u8) {
        let there = what & said(row);
        if there != 0 {
            self.profiles.unlearn(&part(user, row, there));
        }
    }

    /// This is to be learned of an open session as soon as it is known.
    pub(super) fn expect(&mut self, row: &Connection, what: u8) {
        if what != 0 && self.missing.len() < MISSING_MAX {
            self.missing.insert(row.session, Missing { what, start_unix_ns: row.start_unix_ns });
        }
    }

    /// Lets the time go on.
    pub(super) fn advance(&mut self, now_unix_ns: u64) {
        self.profiles.advance(now_unix_ns);
    }

    /// Another day: what is missing of old sessions would not be learned any more.
    pub(super) fn forget_old(&mut self, now_unix_ns: u64) {
        let before = now_unix_ns.saturating_sub(WINDOW_NS);
        self.missing.retain(|_, missing| missing.start_unix_ns >= before);
    }
}

/// What of that which is missing is there.
fn there(missing: u8, details: &Details, placed: Option<&Placed>) -> u8 {
    if details.user().is_none() {
        return 0;
    }
    [
        (true, USER),
        (placed.is_some_and(Placed::is_known), PLACE),
        (details.device().is_some(), DEVICE),
        (details.software().is_some(), SOFTWARE),
    ]
    .into_iter()
    .filter(|(is_there, _)| *is_there)
    .fold(0, |all, (_, part)| all | part)
        & missing
}

/// What the row of an alert says of a connection.
pub(super) fn said(row: &Connection) -> u8 {
    let is_placed = row.place.is_some() || row.asn.is_some() || !row.kinds.is_empty();
    let parts = [(is_placed, PLACE), (row.device.is_some(), DEVICE), (row.software.is_some(), SOFTWARE)];
    parts.into_iter().filter(|(is_said, _)| *is_said).fold(USER, |all, (_, part)| all | part)
}

/// These parts of a connection, as the profile learns them: by its place an address has a country and a network, and a VPN
/// server is of the connection itself.
fn part<'a>(user: &'a str, row: &'a Connection, what: u8) -> Observation<'a> {
    let whole = row.observation(user);
    let has = |part| what & part != 0;
    Observation {
        is_connection: has(USER),
        country: whole.country.filter(|_| has(PLACE)),
        place: whole.place.filter(|_| has(PLACE)),
        network: whole.network.filter(|_| has(PLACE)),
        address: whole.address.filter(|_| has(PLACE)),
        kinds: if has(PLACE) { whole.kinds } else { Default::default() },
        device: whole.device.filter(|_| has(DEVICE)),
        software: whole.software.filter(|_| has(SOFTWARE)),
        server: whole.server.filter(|_| has(USER)),
        ..whole
    }
}

/// What bounds the profiles of a service.
pub(crate) fn options() -> Options {
    Options::default()
}

/// Whether a session that ended by this, by name, lasted as long as it looks: not where the end is only the last thing
/// heard.
pub(crate) fn tells_length(end_reason: &str) -> bool {
    [EndReason::Unknown, EndReason::Evicted].iter().all(|reason| reason.name() != end_reason)
}
