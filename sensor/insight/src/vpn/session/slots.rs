//! The session ids that are followed: found by VPN server and Acct-Session-Id, freed and used again. Called by
//! [`Sessions`](super::Sessions) only.

use std::{hash::BuildHasher, sync::Arc};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use super::{super::Fingerprint, history::History, model::ServerNumber};

/// Not in the list of its VPN server's active slots.
pub(super) const INACTIVE: u32 = u32::MAX;

/// One session id of one VPN server.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Slot {
    pub(super) server: ServerNumber,
    pub(super) id: Arc<str>,
    pub(super) history: History,
    /// Its place among its VPN server's active slots, or [`INACTIVE`].
    pub(super) active_at: u32,
    /// Which use of the slot this is: what was queued for another does not concern it.
    pub(super) used: u32,
    /// The earliest time at which it is queued to be looked at; 0: none.
    pub(super) due: u64,
    /// It is queued to make room.
    pub(super) is_spare: bool,
    /// It is queued to give up its way back.
    pub(super) is_unsettled: bool,
    /// It is followed.
    pub(super) is_used: bool,
    /// What an interim repeats that says what the newest session's details are, as its last fact did.
    #[serde(skip)]
    pub(super) interim: Fingerprint,
}

impl Slot {
    /// Whether it is followed and interims of it are known again by this.
    pub(super) fn is_interim(&self, interim: Fingerprint) -> bool {
        self.interim == interim && self.is_used
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
    numbers: HashTable<u32>,
    /// Those with a fingerprint, by it.
    interims: HashTable<u32>,
    /// Seeded at random, and no hash leaves the process: a VPN server cannot choose ids that collide. Nothing visible
    /// depends on it.
    hasher: RandomState,
}

impl Slots {
    /// What an id is found by. It stays the same as long as these slots are there.
    pub(super) fn hash(&self, server: ServerNumber, id: &str) -> u64 {
        self.hasher.hash_one((server, id))
    }

    /// `hash` is that of server and id.
    pub(super) fn find(&self, hash: u64, server: ServerNumber, id: &str) -> Option<u32> {
        let is_it = |number: &u32| {
            let slot = &self.slots[*number as usize];
            slot.server == server && *slot.id == *id
        };
        self.numbers.find(hash, is_it).copied()
    }

    /// Follows one that is not yet.
    pub(super) fn add(&mut self, hash: u64, server: ServerNumber, id: &str) -> u32 {
        let new = |used| Slot {
            server,
            id: id.into(),
            history: History::default(),
            active_at: INACTIVE,
            used,
            due: 0,
            is_spare: false,
            is_unsettled: false,
            is_used: true,
            interim: Fingerprint::NONE,
        };
        let number = match self.free.pop() {
            Some(number) => {
                let slot = &mut self.slots[number as usize];
                *slot = new(slot.used.wrapping_add(1));
                number
            }
            None => {
                if self.slots.len() == self.slots.capacity() {
                    // By an eighth: doubling would take twice the memory of a million.
                    self.slots.reserve_exact((self.slots.len() / 8).max(64));
                }
                // Bounded by the settings.
                self.slots.push(new(0));
                (self.slots.len() - 1) as u32
            }
        };
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.numbers.insert_unique(hash, number, |number| {
            let slot = &slots[*number as usize];
            hasher.hash_one((slot.server, &*slot.id))
        });
        number
    }

    /// The one whose newest session a repeated interim is about.
    pub(super) fn find_interim(&self, interim: Fingerprint) -> Option<u32> {
        self.interims.find(interim.hash(), |number| self.slots[*number as usize].interim == interim).copied()
    }

    /// The fingerprint by which it is found from here on, or [`Fingerprint::NONE`].
    pub(super) fn set_interim(&mut self, number: u32, interim: Fingerprint) {
        let before = std::mem::replace(&mut self.slots[number as usize].interim, interim);
        if before == interim {
            return;
        }
        if before != Fingerprint::NONE
            && let Ok(entry) = self.interims.find_entry(before.hash(), |other| *other == number)
        {
            entry.remove();
        }
        if interim != Fingerprint::NONE {
            let slots = &self.slots;
            let hash = |number: &u32| slots[*number as usize].interim.hash();
            self.interims.insert_unique(interim.hash(), number, hash);
        }
    }

    /// Forgets one.
    pub(super) fn remove(&mut self, number: u32) {
        self.set_interim(number, Fingerprint::NONE);
        let slot = &mut self.slots[number as usize];
        slot.is_used = false;
        slot.history = History::default();
        let hash = self.hasher.hash_one((slot.server, &*slot.id));
        if let Ok(entry) = self.numbers.find_entry(hash, |other| *other == number) {
            entry.remove();
            self.free.push(number);
            // Without Acct-Session-Id it is the user's name.
            slot.id = Arc::default();
        }
    }

    /// One that was there, if there ever were so many.
    pub(super) fn peek(&self, number: u32) -> Option<&Slot> {
        self.slots.get(number as usize)
    }

    pub(super) fn get(&self, number: u32) -> &Slot {
        &self.slots[number as usize]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut Slot {
        &mut self.slots[number as usize]
    }

    /// What a snapshot holds: the slots, and those that are free, in the order in which they are used again.
    pub(super) fn kept(&self) -> (&[Slot], &[u32]) {
        (&self.slots, &self.free)
    }

    /// From what a snapshot held. `None`: no slots ever were so.
    pub(super) fn restored(slots: Vec<Slot>, free: Vec<u32>) -> Option<Slots> {
        let mut restored = Slots { slots, free, ..Slots::default() };
        let Slots { slots, free, numbers, hasher, .. } = &mut restored;
        let used = (0..).zip(slots.iter()).filter(|(_, slot)| slot.is_used);
        let hash = |number: &u32| {
            let slot = &slots[*number as usize];
            hasher.hash_one((slot.server, &*slot.id))
        };
        numbers.reserve(slots.len().saturating_sub(free.len()), hash);
        for (number, slot) in used {
            let hashed = hash(&number);
            let is_it = |other: &u32| {
                let other = &slots[*other as usize];
                other.server == slot.server && other.id == slot.id
            };
            if numbers.find(hashed, is_it).is_some() {
                return None;
            }
            numbers.insert_unique(hashed, number, hash);
        }
        let is_free = |number: &u32| slots.get(*number as usize).is_some_and(|slot| !slot.is_used);
        let all = numbers.len() + free.len() == slots.len();
        (all && free.iter().all(is_free)).then_some(restored)
    }

    /// The slot, if it is still in the use it was queued for.
    pub(super) fn queued(&mut self, number: u32, used: u32) -> Option<&mut Slot> {
        self.slots.get_mut(number as usize).filter(|slot| slot.is_used && slot.used == used)
    }

    /// The same, to look at.
    pub(super) fn peek_queued(&self, number: u32, used: u32) -> Option<&Slot> {
        self.slots.get(number as usize).filter(|slot| slot.is_used && slot.used == used)
    }

    /// How many are followed.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Slot)> {
        (0..).zip(&self.slots).filter(|(_, slot)| slot.is_used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_has_one_fingerprint_and_none_once_it_is_forgotten() {
        let mut slots = Slots::default();
        let server = ServerNumber(0);
        for round in 0..10 {
            let number = slots.add(slots.hash(server, "1"), server, "1");
            for fingerprint in [1, 2, 2, 3].map(|number| Fingerprint::any(10 * round + number)) {
                slots.set_interim(number, fingerprint);
                assert_eq!((slots.find_interim(fingerprint), slots.interims.len()), (Some(number), 1));
            }
            assert_eq!(slots.find_interim(Fingerprint::any(10 * round + 2)), None);
            slots.remove(number);
            assert_eq!(slots.interims.len(), 0);
        }
    }
}
