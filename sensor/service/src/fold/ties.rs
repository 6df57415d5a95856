//! What an open session was found to belong to, so that its interims need not ask again: who, with what, through which
//! VPN server, from where. Only to save work: without it everything is asked again and the same is found.

use std::hash::Hasher;

use hashbrown::HashTable;
use insight::{detect::UserKey, vpn::session::Details};

use super::{place::PlaceNumber, sightings::Number};

/// One session's ties.
#[derive(Debug)]
pub(super) struct Tie {
    /// Of these details; others may say otherwise.
    pub(super) details: Details,
    pub(super) user: Number,
    /// None where nobody is named.
    pub(super) key: Option<UserKey>,
    pub(super) device: Number,
    pub(super) server: Number,
    pub(super) place: PlaceNumber,
    /// Where it stands in which outcome, of whose number this is the lower half: whoever asks looks whether it is there.
    pub(super) outcome: (u32, u32),
}

/// Where the ties of a session are among those of all.
#[derive(Debug, Clone, Copy)]
pub(super) struct TieNumber(u32);

/// Those of all open sessions, by session number. One behind the other, found by a table of numbers: of a million open
/// sessions a table of the ties themselves would be half empty.
#[derive(Debug, Default)]
pub(super) struct Ties {
    numbers: HashTable<u32>,
    ties: Vec<Option<(u64, Tie)>>,
    free: Vec<u32>,
}

impl Ties {
    fn find(&self, session: u64) -> Option<u32> {
        self.numbers.find(spread(session), |number| self.is_of(*number, session)).copied()
    }

    fn is_of(&self, number: u32, session: u64) -> bool {
        self.ties[number as usize].as_ref().is_some_and(|(other, _)| *other == session)
    }

    /// Where the ties of a session are, unless its details are others by now. Until the next call of [`Ties::set`] or
    /// [`Ties::remove`].
    pub(super) fn of(&self, session: u64, details: &Details) -> Option<TieNumber> {
        let number = self.find(session)?;
        let (_, tie) = self.ties[number as usize].as_ref()?;
        tie.details.is_same(details).then_some(TieNumber(number))
    }

    /// The ties that are there.
    pub(super) fn get_mut(&mut self, number: TieNumber) -> Option<&mut Tie> {
        self.ties.get_mut(number.0 as usize)?.as_mut().map(|(_, tie)| tie)
    }

    /// The ties of a session, if its details did not change.
    pub(super) fn peek(&self, session: u64) -> Option<&Tie> {
        let (_, tie) = self.ties.get(self.find(session)? as usize)?.as_ref()?;
        Some(tie)
    }

    /// Sets them, over those that were set before.
    pub(super) fn set(&mut self, session: u64, tie: Tie) -> TieNumber {
        if let Some(number) = self.find(session) {
            self.ties[number as usize] = Some((session, tie));
            return TieNumber(number);
        }
        let number = match self.free.pop() {
            Some(number) => {
                self.ties[number as usize] = Some((session, tie));
                number
            }
            None => {
                if self.ties.len() == self.ties.capacity() {
                    // By an eighth: doubling would take twice the memory of a million.
                    self.ties.reserve_exact((self.ties.len() / 8).max(64));
                }
                // As many as there can be open sessions.
                self.ties.push(Some((session, tie)));
                (self.ties.len() - 1) as u32
            }
        };
        let ties = &self.ties;
        self.numbers.insert_unique(spread(session), number, |number| {
            ties[*number as usize].as_ref().map_or(0, |(session, _)| spread(*session))
        });
        TieNumber(number)
    }

    pub(super) fn remove(&mut self, session: u64) {
        let ties = &self.ties;
        let is_it =
            |number: &u32| ties[*number as usize].as_ref().is_some_and(|(other, _)| *other == session);
        if let Ok(entry) = self.numbers.find_entry(spread(session), is_it) {
            let (number, _) = entry.remove();
            self.ties[number as usize] = None;
            self.free.push(number);
        }
    }

    /// Sighting numbers or places mean something else from here on.
    pub(super) fn clear(&mut self) {
        *self = Ties::default();
    }
}

fn spread(session: u64) -> u64 {
    let mut hasher = NumberHasher::default();
    hasher.write_u64(session);
    hasher.finish()
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
