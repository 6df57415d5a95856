//! The records of all users, found by the user's key. In chunks, so that growing copies nothing. Called within the
//! profiles only.

use hashbrown::HashTable;

use super::{
    record::Record,
    symbols::{Symbols, spread},
};

/// Records of a chunk: 340 kB.
const CHUNK: u32 = 512;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Records {
    chunks: Vec<Box<[Record]>>,
    /// Records that were ever used.
    end: u32,
    /// Those that are not, the last one first to be used again.
    free: Vec<u32>,
    /// By 32 bits of their key's hash.
    table: HashTable<(u32, u32)>,
}

impl Records {
    /// The number of the user with this key.
    pub(super) fn find(&self, user: &str, symbols: &Symbols) -> Option<u32> {
        let hash = symbols.hash_name(user);
        let is_it = |&(other, number): &(u32, u32)| {
            other == hash && symbols.text(self.get(number).name) == user.as_bytes()
        };
        self.table.find(spread(hash), is_it).map(|(_, number)| *number)
    }

    /// Adds one whose key has this hash and is not there.
    pub(super) fn add(&mut self, record: Record, hash: u32) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            if self.end == self.chunks.len() as u32 * CHUNK {
                self.chunks.push((0..CHUNK).map(|_| Record::default()).collect());
            }
            self.end += 1;
            self.end - 1
        });
        *self.get_mut(number) = record;
        self.table.insert_unique(spread(hash), (hash, number), |&(hash, _)| spread(hash));
        number
    }

    /// Gives up one that is empty; its key had this hash.
    pub(super) fn remove(&mut self, number: u32, hash: u32) {
        if let Ok(entry) = self.table.find_entry(spread(hash), |(_, other)| *other == number) {
            entry.remove();
            self.free.push(number);
        }
    }

    pub(super) fn get(&self, number: u32) -> &Record {
        &self.chunks[(number / CHUNK) as usize][(number % CHUNK) as usize]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut Record {
        &mut self.chunks[(number / CHUNK) as usize][(number % CHUNK) as usize]
    }

    /// Whether somebody is there.
    pub(super) fn is_used(&self, number: u32) -> bool {
        self.get(number).last != 0
    }

    /// How many are used.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Behind the last that was ever used.
    pub(super) fn end(&self) -> u32 {
        self.end
    }

    /// Those that are free, in the order of their use.
    pub(super) fn free(&self) -> &[u32] {
        &self.free
    }

    /// Octets that it takes, about.
    pub(super) fn octets(&self) -> usize {
        let chunk = CHUNK as usize * size_of::<Record>();
        self.chunks.len() * chunk + self.table.allocation_size() + self.free.capacity() * size_of::<u32>()
    }

    /// For so many users, all to be put in with [`restore`](Records::restore).
    pub(super) fn with_capacity(users: usize) -> Records {
        Records { table: HashTable::with_capacity(users), ..Records::default() }
    }

    /// Puts the next record in: of the user whose key has this hash, or of nobody. `false`: somebody has this key.
    pub(super) fn restore(&mut self, record: Option<(Record, u32)>, symbols: &Symbols) -> bool {
        if self.end == self.chunks.len() as u32 * CHUNK {
            self.chunks.push((0..CHUNK).map(|_| Record::default()).collect());
        }
        let number = self.end;
        self.end += 1;
        let Some((record, hash)) = record else { return true };
        let name = symbols.text(record.name);
        let is_it =
            |&(other, number): &(u32, u32)| other == hash && symbols.text(self.get(number).name) == name;
        if self.table.find(spread(hash), is_it).is_some() {
            return false;
        }
        *self.get_mut(number) = record;
        self.table.insert_unique(spread(hash), (hash, number), |&(hash, _)| spread(hash));
        true
    }

    /// Which are free, in the order of their use. `false`: others are.
    pub(super) fn restore_free(&mut self, free: Vec<u32>) -> bool {
        let mut sorted = free.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let all = sorted.len() == free.len() && free.len() + self.table.len() == self.end as usize;
        self.free = free;
        all && self.free.iter().all(|number| *number < self.end && !self.is_used(*number))
    }
}
