//! The two look-ups of a request by themselves, as the worker does them, a burst at a time: who its client is, and whether
//! it is remembered. Only these could grow with how many there are. Used by the bench `scale`.

use std::{
    hint::black_box,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::ensure;
use ingest::{
    capture::BURST,
    clients::{ClientIndex, Clients},
    dedup::{Claim, Duplicates, Hash, Key, Slot},
};

use crate::{machine, replay};

/// Look-ups that differ before the first comes again: as many for one client as for 100,000, so that all cases read the
/// same memory beside the clients'.
const SOURCES: usize = 100_000;
/// Entries that every table has room for, whatever is in it.
const ENTRIES: usize = 1 << 24;
/// Longer than any bench.
const WINDOW: Duration = Duration::from_secs(300);
/// The clock of the table, which stands still.
const NOW_NS: u64 = 1 << 40;

/// Clients, and requests of all of them mixed.
pub struct Lookup {
    clients: Clients,
    sources: Vec<IpAddr>,
    found: Vec<Option<ClientIndex>>,
    next: usize,
    /// Octets that the process grew by with the clients.
    grown: u64,
}

impl Lookup {
    /// So many clients with an address each.
    ///
    /// # Errors
    /// When such clients cannot be, or `/proc` cannot be read.
    pub fn new(count: usize) -> anyhow::Result<Lookup> {
        let before = machine::resident(std::process::id())?.0;
        let clients = replay::clients(count)?;
        let grown = machine::resident(std::process::id())?.0.saturating_sub(before);
        let addresses: Vec<IpAddr> = clients.prefixes().map(|(prefix, _)| prefix.addr()).collect();
        // A stride that is coprime to any likely count, so that neighbours are of different clients.
        let source = |number: usize| addresses[number.wrapping_mul(7_919) % addresses.len()];
        let sources = (0..SOURCES).map(source).collect();
        Ok(Lookup { clients, sources, found: vec![None; BURST], next: 0, grown })
    }

    /// Octets a client.
    pub fn octets_each(&self) -> f64 {
        self.grown as f64 / self.clients.len() as f64
    }

    /// Looks up so many, and brings what is found near; nanoseconds each.
    ///
    /// # Errors
    /// When one is not found.
    pub fn run(&mut self, requests: usize) -> anyhow::Result<f64> {
        let mut elapsed = Duration::ZERO;
        let mut done = 0;
        while done < requests {
            if self.next + BURST > self.sources.len() {
                self.next = 0;
            }
            let sources = &self.sources[self.next..self.next + BURST];
            self.next += BURST;
            self.found.fill(None);
            let began = Instant::now();
            self.clients.lookup_all(sources, &mut self.found);
            let near = |near, client: &ClientIndex| near ^ self.clients.bring_near(*client);
            black_box(self.found.iter().flatten().fold(0, near));
            elapsed += began.elapsed();
            ensure!(self.found.iter().all(Option::is_some), "a client's address is nobody's");
            done += BURST;
        }
        Ok(elapsed.as_nanos() as f64 / done as f64)
    }
}

/// A duplicate table that remembers some.
pub struct Remembered {
    duplicates: Duplicates,
    slots: Vec<Slot>,
    next: u64,
    /// Octets that the process grew by with the table.
    grown: u64,
}

/// Request `number` of all.
fn hash(duplicates: &Duplicates, number: u64) -> Hash {
    let source = SocketAddr::from((Ipv4Addr::new(198, 51, 100, 1), 1024));
    let mut authenticator = [0; 16];
    authenticator[..8].copy_from_slice(&number.to_ne_bytes());
    let key = Key { source, destination: source, code: 4, identifier: 0, authenticator: &authenticator };
    duplicates.hash(&key)
}

impl Remembered {
    /// So many that are remembered throughout.
    ///
    /// # Errors
    /// When the table does not hold them, or `/proc` cannot be read.
    pub fn new(count: u64) -> anyhow::Result<Remembered> {
        let before = machine::resident(std::process::id())?.0;
        let duplicates = Duplicates::new(ENTRIES, WINDOW);
        for number in 0..count {
            if let Claim::New(slot) = duplicates.claim(&hash(&duplicates, number), NOW_NS) {
                duplicates.commit(slot, NOW_NS);
            }
        }
        let grown = machine::resident(std::process::id())?.0.saturating_sub(before);
        let held = duplicates.occupied(NOW_NS) as u64;
        ensure!(held >= count - count / 100, "the table holds {held} requests, not {count}");
        Ok(Remembered { duplicates, slots: Vec::with_capacity(BURST), next: count, grown })
    }

    /// Octets for each entry that there is room for.
    pub fn octets_each(&self) -> f64 {
        self.grown as f64 / self.duplicates.capacity() as f64
    }

    /// Hashes, claims and commits so many new ones; nanoseconds each. Afterwards they are forgotten, so that it stays at
    /// the same number.
    ///
    /// # Errors
    /// When a new request is taken for another.
    pub fn run(&mut self, requests: usize) -> anyhow::Result<f64> {
        let mut elapsed = Duration::ZERO;
        let mut done = 0;
        while done < requests {
            let first = self.next;
            self.next += BURST as u64;
            let began = Instant::now();
            let mut hashes = [hash(&self.duplicates, first); BURST];
            for (place, number) in hashes.iter_mut().zip(first..) {
                *place = hash(&self.duplicates, number);
            }
            black_box(hashes.iter().fold(0, |near, hash| near ^ self.duplicates.touch(hash)));
            for hash in &hashes {
                if let Claim::New(slot) = self.duplicates.claim(hash, NOW_NS) {
                    self.duplicates.commit(slot, NOW_NS);
                    self.slots.push(slot);
                }
            }
            elapsed += began.elapsed();
            ensure!(self.slots.len() == BURST, "a new request is known to the table, or finds no room");
            self.slots.drain(..).for_each(|slot| self.duplicates.remove(slot));
            done += BURST;
        }
        Ok(elapsed.as_nanos() as f64 / done as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_look_up_finds_what_it_should_and_leaves_it_as_it_was() {
        let mut lookup = Lookup::new(1000).unwrap();
        assert!(lookup.run(1000).unwrap() > 0.0 && lookup.octets_each() > 16.0);
        let mut remembered = Remembered::new(5000).unwrap();
        let before = remembered.duplicates.occupied(NOW_NS);
        assert!(remembered.run(3000).unwrap() > 0.0);
        assert_eq!((before, remembered.duplicates.occupied(NOW_NS)), (5000, 5000));
        // A table is there from the start, whatever is in it.
        assert!((15.9..16.5).contains(&remembered.octets_each()), "{}", remembered.octets_each());
    }
}
