//! Puts fragmented UDP datagrams together again, as a receiving host would, in bounded memory.

use std::{collections::HashMap, ops::Range};

use etherparse::{
    IpNumber,
    defrag::{IpDefragBuf, IpFragRange},
};

use super::packet::{Fragment, FragmentKey};

/// Datagrams that may be incomplete at a time. With 64 KiB each this bounds the pool to 4 MiB; RADIUS comes in
/// two or three fragments, close together. When full, the oldest is given up.
const DATAGRAMS_MAX: usize = 64;
/// Linux' `ipfrag_time`.
const LIFETIME_NS: u64 = 30_000_000_000;
const DATAGRAM_LENGTH_MAX: usize = 65_535;

struct Pending {
    buffer: IpDefragBuf,
    since_unix_ns: u64,
}

/// The pool. `lost` counts datagrams given up: too old, too many, or with pieces that contradict each other.
#[derive(Default)]
pub(super) struct Fragments {
    pending: HashMap<FragmentKey, Pending>,
    /// At most [`DATAGRAMS_MAX`] buffers; each has its full capacity, written once with zeros, because the
    /// reassembly buffer sets its length before it has written everything below it.
    free: Vec<Vec<u8>>,
    pub(super) lost: u64,
}

impl Fragments {
    /// Takes a fragment; when it was the last missing one, the datagram's octets go to `take`.
    pub(super) fn add(&mut self, fragment: &Fragment<'_>, now_unix_ns: u64, take: impl FnOnce(&[u8])) {
        self.expire(now_unix_ns);
        if !self.pending.contains_key(&fragment.key) {
            if self.pending.len() >= DATAGRAMS_MAX {
                self.give_up_oldest();
            }
            let octets = self.free.pop().unwrap_or_else(|| vec![0; DATAGRAM_LENGTH_MAX]);
            let buffer = IpDefragBuf::new(IpNumber::UDP, octets, Vec::new());
            self.pending.insert(fragment.key, Pending { buffer, since_unix_ns: now_unix_ns });
        }
        let Some(entry) = self.pending.get_mut(&fragment.key) else { return };
        let complete = match fit(&entry.buffer, fragment) {
            Fit::Known => return,
            Fit::Contradiction => {
                self.give_up(fragment.key);
                return;
            }
            Fit::New => entry.buffer.add(fragment.offset, fragment.more, fragment.octets).is_ok(),
        };
        if !complete {
            self.give_up(fragment.key);
        } else if self.pending.get(&fragment.key).is_some_and(|entry| entry.buffer.is_complete())
            && let Some(entry) = self.pending.remove(&fragment.key)
        {
            take(entry.buffer.data());
            self.recycle(entry);
        }
    }

    /// Gives up what is incomplete; at the end of the file nothing more will come.
    pub(super) fn finish(&mut self) {
        self.lost += self.pending.len() as u64;
        self.pending.clear();
    }

    fn expire(&mut self, now_unix_ns: u64) {
        while let Some(key) = self
            .pending
            .iter()
            .find(|(_, entry)| now_unix_ns.saturating_sub(entry.since_unix_ns) > LIFETIME_NS)
            .map(|(key, _)| *key)
        {
            self.give_up(key);
        }
    }

    fn give_up_oldest(&mut self) {
        if let Some(key) =
            self.pending.iter().min_by_key(|(_, entry)| entry.since_unix_ns).map(|(key, _)| *key)
        {
            self.give_up(key);
        }
    }

    fn give_up(&mut self, key: FragmentKey) {
        if let Some(entry) = self.pending.remove(&key) {
            self.lost += 1;
            self.recycle(entry);
        }
    }

    fn recycle(&mut self, entry: Pending) {
        self.free.push(entry.buffer.take_bufs().0);
    }
}

enum Fit {
    New,
    /// All of it is there already, with the same octets: the packet was captured or sent twice.
    Known,
    /// It overlaps what is there (RFC 5722: the whole datagram is discarded), or lies beyond the end.
    Contradiction,
}

fn fit(buffer: &IpDefragBuf, fragment: &Fragment<'_>) -> Fit {
    let start = fragment.offset.byte_offset();
    let end = u16::try_from(fragment.octets.len()).ok().and_then(|length| start.checked_add(length));
    let Some(end) = end.filter(|end| *end > start) else { return Fit::Contradiction };
    let overlaps = |section: &&IpFragRange| section.start < end && start < section.end;
    match buffer.sections().iter().find(overlaps) {
        Some(section) => {
            let range = Range { start: usize::from(start), end: usize::from(end) };
            let same = section.start <= start
                && end <= section.end
                && buffer.data().get(range).is_some_and(|known| known == fragment.octets);
            if same { Fit::Known } else { Fit::Contradiction }
        }
        None if !fragment.more && buffer.sections().iter().any(|section| section.end > end) => {
            Fit::Contradiction
        }
        None => Fit::New,
    }
}
