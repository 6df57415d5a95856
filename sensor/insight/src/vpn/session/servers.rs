//! VPN servers: who is one, when it restarted, which of its session ids may still change. Called by
//! [`Sessions`](super::Sessions) only.

use std::{hash::BuildHasher, net::IpAddr};

use arrayvec::ArrayVec;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use super::{
    super::Event,
    fact::Fact,
    model::{Server, ServerNumber},
};

/// Restarts of a VPN server that are remembered for ids which come up after them.
const BOOTS_MAX: usize = 8;

/// VPN servers that are looked at first: more than one gateway cluster has.
const RECENT_MAX: usize = 8;

/// What is known of one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) server: Server,
    /// Accounting-On and -Off, in the order of their times.
    pub(super) boots: ArrayVec<Fact, BOOTS_MAX>,
    /// Slots with an open session or a way back.
    pub(super) active: Vec<u32>,
}

impl Known {
    /// Remembers a restart; whether it is news.
    pub(super) fn boot(&mut self, fact: &Fact) -> bool {
        if self.boots.iter().any(|other| other.is_copy_of(fact)) {
            return false;
        }
        if self.boots.is_full() {
            if fact.time < self.boots[0].time {
                return true;
            }
            self.boots.remove(0);
        }
        let at = self.boots.partition_point(|other| other.order(fact).is_le());
        self.boots.insert(at, fact.clone());
        true
    }
}

/// By what a VPN server is known besides its client: its identifier and address, its source if it names neither.
fn parts<'e>(event: &'e Event<'_>) -> (Option<&'e str>, Option<IpAddr>) {
    let identifier = event.server.identifier.as_deref();
    match (identifier, event.server.address) {
        (None, None) => (None, Some(event.source.ip().to_canonical())),
        (_, address) => (identifier, address),
    }
}

/// All VPN servers.
#[derive(Debug, Default)]
pub(super) struct Servers {
    known: Vec<Known>,
    numbers: HashTable<u32>,
    /// Those that were heard last: a look at them costs less than a hash of three texts. Nothing visible depends on it.
    recent: ArrayVec<u32, RECENT_MAX>,
    /// The next to be replaced among them.
    oldest: usize,
    /// Seeded at random: a VPN server cannot choose identifiers that collide. Nothing visible depends on it.
    hasher: RandomState,
}

impl Servers {
    /// The VPN server that sent an event, if it is one of those heard last.
    pub(super) fn peek(&self, event: &Event<'_>) -> Option<ServerNumber> {
        let (identifier, address) = parts(event);
        let is_it =
            |number: &&u32| self.known[**number as usize].server.is(event.client, identifier, address);
        self.recent.iter().find(is_it).map(|number| ServerNumber(*number))
    }

    /// The VPN server that sent an event. Beyond `max` those unknown of one client become one, so that a client that
    /// makes up identifiers harms nobody else.
    pub(super) fn of(&mut self, event: &Event<'_>, max: usize) -> (ServerNumber, bool) {
        if let Some(number) = self.peek(event) {
            return (number, false);
        }
        let (identifier, address) = parts(event);
        if let Some(number) = self.find(event.client, identifier, address) {
            self.remember(number);
            return (number, false);
        }
        if self.known.len() < max {
            return (self.add(event.client, identifier, address), false);
        }
        let number =
            self.find(event.client, None, None).unwrap_or_else(|| self.add(event.client, None, None));
        (number, true)
    }

    fn remember(&mut self, number: ServerNumber) {
        match self.recent.get_mut(self.oldest) {
            Some(place) => *place = number.0,
            None => self.recent.push(number.0),
        }
        self.oldest = (self.oldest + 1) % RECENT_MAX;
    }

    fn find(&self, client: &str, identifier: Option<&str>, address: Option<IpAddr>) -> Option<ServerNumber> {
        let hash = self.hasher.hash_one((client, identifier, address));
        let is_it = |number: &u32| self.known[*number as usize].server.is(client, identifier, address);
        self.numbers.find(hash, is_it).copied().map(ServerNumber)
    }

    /// What a snapshot holds.
    pub(super) fn kept(&self) -> &[Known] {
        &self.known
    }

    /// From what a snapshot held.
    pub(super) fn restored(known: Vec<Known>) -> Servers {
        let mut servers = Servers::default();
        for Known { server, boots, active } in known {
            let number = servers.add(&server.client, server.identifier.as_deref(), server.address);
            let known = servers.known(number);
            (known.boots, known.active) = (boots, active);
        }
        servers
    }

    fn add(&mut self, client: &str, identifier: Option<&str>, address: Option<IpAddr>) -> ServerNumber {
        let hash = self.hasher.hash_one((client, identifier, address));
        let server = Server { client: client.into(), identifier: identifier.map(Box::from), address };
        // Bounded by the settings and the configured clients.
        let number = self.known.len() as u32;
        self.known.push(Known { server, boots: ArrayVec::new(), active: Vec::new() });
        let (known, hasher) = (&self.known, &self.hasher);
        self.numbers.insert_unique(hash, number, |number| {
            let Server { client, identifier, address } = &known[*number as usize].server;
            hasher.hash_one((&**client, identifier.as_deref(), *address))
        });
        ServerNumber(number)
    }

    pub(super) fn get(&self, number: ServerNumber) -> Option<&Known> {
        self.known.get(number.0 as usize)
    }

    /// One that [`Servers::of`] gave.
    pub(super) fn known(&mut self, number: ServerNumber) -> &mut Known {
        &mut self.known[number.0 as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}
