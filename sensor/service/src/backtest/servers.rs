//! Which VPN server lines are about that do not say so: that which other lines of their session named. Called by `Backtest`
//! only, and for lines of other products only: a record's VPN server is where it came from.

use std::{borrow::Cow, collections::HashMap, hash::BuildHasher as _, net::IpAddr};

use foldhash::fast::FixedState;
use insight::vpn::{Event, VpnServer};

/// Most VPN servers that are remembered; lines of others are taken as they stand.
const SERVERS_MAX: usize = 4_096;
/// Of so many sessions at least it is remembered which VPN server they are of, and of twice as many at most: 20 MB.
const SESSIONS_KEPT: usize = 400_000;

/// A VPN server that was named.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Named {
    client: Box<str>,
    identifier: Option<Box<str>>,
    address: Option<IpAddr>,
}

/// What was named so far.
#[derive(Debug, Default)]
pub(super) struct Servers {
    named: Vec<Named>,
    numbers: HashMap<u64, u32, FixedState>,
    /// Of the sessions last heard of.
    sessions: HashMap<u64, u32, FixedState>,
    /// Of those before them.
    older: HashMap<u64, u32, FixedState>,
}

impl Servers {
    /// Remembers which VPN server an event names; an event of a session that names none is given the one that its session
    /// has.
    pub(super) fn fill(&mut self, event: &mut Event<'_>) {
        let id = event.session_id.as_deref().filter(|_| event.status.is_of_session());
        let Some(id) = id else { return };
        let session = FixedState::default().hash_one((event.client, id));
        if !is_nameless(event) {
            if let Some(number) = self.number(event) {
                self.remember(session, number);
            }
            return;
        }
        let Some(&number) = self.sessions.get(&session).or_else(|| self.older.get(&session)) else { return };
        self.remember(session, number);
        event.server = self.server(number);
    }

    /// The VPN servers that a client was said to have, in the order in which they came.
    pub(super) fn all_of(&self, client: &str) -> Vec<VpnServer<'static>> {
        let of_client = self.named.iter().zip(0..).filter(|(named, _)| *named.client == *client);
        of_client.map(|(_, number)| self.server(number)).collect()
    }

    fn remember(&mut self, session: u64, number: u32) {
        if self.sessions.len() >= SESSIONS_KEPT && !self.sessions.contains_key(&session) {
            self.older = std::mem::take(&mut self.sessions);
        }
        self.sessions.insert(session, number);
    }

    fn number(&mut self, event: &Event<'_>) -> Option<u32> {
        let VpnServer { identifier, address } = &event.server;
        let identifier = identifier.as_deref();
        let hash = FixedState::default().hash_one((event.client, identifier, address));
        if let Some(&number) = self.numbers.get(&hash) {
            return Some(number);
        }
        if self.named.len() >= SERVERS_MAX {
            return None;
        }
        let number = self.named.len() as u32;
        let identifier = identifier.map(Box::from);
        self.named.push(Named { client: event.client.into(), identifier, address: *address });
        self.numbers.insert(hash, number);
        Some(number)
    }

    fn server(&self, number: u32) -> VpnServer<'static> {
        let named = self.named.get(number as usize);
        let identifier = named.and_then(|named| named.identifier.as_deref());
        VpnServer {
            identifier: identifier.map(|identifier| Cow::Owned(identifier.to_owned())),
            address: named.and_then(|named| named.address),
        }
    }
}

/// Whether an event does not say which VPN server it is about.
pub(super) fn is_nameless(event: &Event<'_>) -> bool {
    event.server.identifier.is_none() && event.server.address.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_sessions_are_remembered_and_twice_as_many_at_most() {
        let mut servers = Servers::default();
        let all = 3 * SESSIONS_KEPT as u64 - 7;
        (0..all).for_each(|session| servers.remember(session, 1));
        let known =
            |session: u64| [&servers.sessions, &servers.older].iter().any(|of| of.contains_key(&session));
        assert!((all - SESSIONS_KEPT as u64..all).all(known));
        assert!(servers.sessions.len() + servers.older.len() <= 2 * SESSIONS_KEPT);
    }
}
