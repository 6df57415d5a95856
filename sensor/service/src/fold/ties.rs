//! What an open session was found to belong to, so that its interims need not ask again: who, with what, through which
//! VPN server, from where. Only to save work: without it everything is asked again and the same is found.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use insight::{detect::UserKey, vpn::session::Details};

use super::{Placed, sightings::Number};

/// One session's ties.
#[derive(Debug)]
pub(super) struct Tie {
    /// Of these details; others may say otherwise.
    pub(super) details: Arc<Details>,
    pub(super) user: Number,
    /// None where nobody is named.
    pub(super) key: Option<UserKey>,
    pub(super) device: Number,
    pub(super) server: Number,
    pub(super) placed: Option<Arc<Placed>>,
    /// Where it stands in which outcome.
    pub(super) outcome: (u64, u32),
}

/// Those of all open sessions, by session number.
#[derive(Debug, Default)]
pub(super) struct Ties(HashMap<u64, Tie, BuildHasherDefault<NumberHasher>>);

impl Ties {
    /// The ties of a session, unless its details are others by now.
    pub(super) fn of(&mut self, session: u64, details: &Arc<Details>) -> Option<&mut Tie> {
        self.0.get_mut(&session).filter(|tie| Arc::ptr_eq(&tie.details, details))
    }

    /// Sets them; those that were set before come back.
    pub(super) fn set(&mut self, session: u64, tie: Tie) -> Option<Tie> {
        self.0.insert(session, tie)
    }

    pub(super) fn remove(&mut self, session: u64) {
        self.0.remove(&session);
    }

    /// Sighting numbers or places mean something else from here on.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Session numbers are ours and count up: nobody can choose them so that they collide. A multiplication spreads them
/// (Fibonacci hashing, Knuth volume 3 section 6.4).
#[derive(Debug, Default)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.write_u64(u64::from(*octet));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        // The table takes its place from the low bits and its tag from the high ones; the product's middle is the best.
        self.0.rotate_left(32)
    }
}
