//! All sessions as octets, and back. One that was loaded answers every later event as the one that was saved would:
//! what is left out is made again (the tables that find ids), all else is there, the order of the queues included. Equal
//! states give equal octets. For the service's checkpoints.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use serde::{Deserialize, Serialize};

use super::{
    Counts, Sessions, Settings,
    servers::{Known, Servers},
    slots::{INACTIVE, Slot, Slots},
};

/// Of the form of the octets: it, a CRC32C of the rest, the rest.
const VERSION: u16 = 2;
/// Octets of both.
const HEAD: usize = size_of::<u16>() + size_of::<u32>();

/// Octets that are no snapshot of this release.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Another version.
    #[error("version {0} is not {VERSION}")]
    Version(u16),
    /// They are not what was written.
    #[error("damaged: the checksum is another")]
    Checksum,
    /// They end too early or too late, or hold what cannot be read.
    #[error("damaged: {0}")]
    Damaged(#[from] postcard::Error),
    /// They can be read, and what they say contradicts itself.
    #[error("damaged: {0}")]
    Contradiction(&'static str),
}

/// On the way out.
#[derive(Serialize)]
struct Saved<'a> {
    servers: &'a [Known],
    slots: &'a [Slot],
    free: &'a [u32],
    due: Vec<(u64, u32, u32)>,
    unsettled: &'a VecDeque<(u64, u32, u32)>,
    spare: &'a VecDeque<(u32, u32)>,
    counts: Counts,
    next_number: u64,
    now: u64,
    heard_since: u64,
}

/// On the way in.
#[derive(Deserialize)]
struct Loaded {
    servers: Vec<Known>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    due: Vec<(u64, u32, u32)>,
    unsettled: VecDeque<(u64, u32, u32)>,
    spare: VecDeque<(u32, u32)>,
    counts: Counts,
    next_number: u64,
    now: u64,
    heard_since: u64,
}

impl Sessions {
    /// Appends the state to `octets`.
    ///
    /// # Errors
    /// None but for want of memory.
    pub fn save(&self, octets: Vec<u8>) -> Result<Vec<u8>, SnapshotError> {
        let mut octets = octets;
        let begin = octets.len();
        octets.extend_from_slice(&VERSION.to_le_bytes());
        octets.extend_from_slice(&[0; size_of::<u32>()]);
        let (slots, free) = self.slots.kept();
        // How the heap lies depends on how it grew, what comes out of it does not.
        let mut due: Vec<(u64, u32, u32)> = self.due.iter().map(|Reverse(due)| *due).collect();
        due.sort_unstable();
        let saved = Saved {
            servers: self.servers.kept(),
            slots,
            free,
            due,
            unsettled: &self.unsettled,
            spare: &self.spare,
            counts: self.counts,
            next_number: self.next_number,
            now: self.now,
            heard_since: self.heard_since,
        };
        let mut octets = postcard::to_extend(&saved, octets)?;
        let checksum = crc32c::crc32c(&octets[begin + HEAD..]);
        octets[begin + size_of::<u16>()..begin + HEAD].copy_from_slice(&checksum.to_le_bytes());
        Ok(octets)
    }

    /// The state that was saved, under these settings: they may be others than before.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn load(settings: Settings, octets: &[u8]) -> Result<Sessions, SnapshotError> {
        let end = || postcard::Error::DeserializeUnexpectedEnd;
        let (version, octets) = octets.split_first_chunk().ok_or_else(end)?;
        let version = u16::from_le_bytes(*version);
        if version != VERSION {
            return Err(SnapshotError::Version(version));
        }
        let (checksum, octets) = octets.split_first_chunk().ok_or_else(end)?;
        if u32::from_le_bytes(*checksum) != crc32c::crc32c(octets) {
            return Err(SnapshotError::Checksum);
        }
        let (loaded, rest) = postcard::take_from_bytes::<Loaded>(octets)?;
        if !rest.is_empty() {
            return Err(SnapshotError::Contradiction("more octets than there are sessions"));
        }
        loaded.check()?;
        let wrong = SnapshotError::Contradiction("two slots of one id, or a free one that is used");
        Ok(Sessions {
            settings,
            servers: Servers::restored(loaded.servers),
            slots: Slots::restored(loaded.slots, loaded.free).ok_or(wrong)?,
            due: loaded.due.into_iter().map(Reverse).collect::<BinaryHeap<_>>(),
            unsettled: loaded.unsettled,
            spare: loaded.spare,
            counts: loaded.counts,
            next_number: loaded.next_number,
            now: loaded.now,
            heard_since: loaded.heard_since,
            before: Default::default(),
        })
    }
}

impl Loaded {
    /// What later would be taken for granted: that numbers lead somewhere.
    fn check(&self) -> Result<(), SnapshotError> {
        let known = |slot: &Slot| (slot.server.0 as usize) < self.servers.len();
        if !self.slots.iter().all(known) {
            return Err(SnapshotError::Contradiction("a slot of no VPN server"));
        }
        let mut active = 0;
        for (number, server) in (0..).zip(&self.servers) {
            for (at, slot) in (0..).zip(&server.active) {
                let slot = self.slots.get(*slot as usize);
                if !slot.is_some_and(|slot| slot.server.0 == number && slot.active_at == at) {
                    return Err(SnapshotError::Contradiction("an active slot that does not know of it"));
                }
                active += 1;
            }
        }
        if self.slots.iter().filter(|slot| slot.active_at != INACTIVE).count() != active {
            return Err(SnapshotError::Contradiction("an active slot that its VPN server does not know"));
        }
        Ok(())
    }
}
