//! Texts that many share, each kept once and found by number, together with how many users have them and in how many
//! connections. A text that nobody has any more is wiped and its place used again. Called within the profiles only.
//!
//! A symbol is a block in a chunk of octets: a head, then the text. Head and text lie in one line of the cache, so that
//! to look at a text and to count it costs one miss.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::value::{FEATURES, Feature};

/// Blocks begin at multiples of this, octets.
const UNIT: usize = 8;
/// Octets of a chunk; no block lies across two.
const CHUNK: usize = 64 << 10;
const CHUNK_UNITS: u32 = (CHUNK / UNIT) as u32;
/// users u32, connections u32, tag, length of the text, units of the block, 0.
const HEAD: usize = 12;
/// Units of the greatest block.
const UNITS_MAX: usize = (HEAD + super::value::TEXT_MAX).div_ceil(UNIT);
/// Most symbols there may be numbers for: 29 bits, since an entry keeps its feature beside.
const NUMBERS_MAX: u32 = 1 << 29;

/// The tag of a free block; of a text it is its feature and 1, of a user's name one more.
const FREE: u8 = 0;
/// The tag of a user's name: kept here, found elsewhere.
const NAME: u8 = FEATURES as u8 + 1;

/// A text's place: its block's first unit.
pub(super) type Symbol = u32;

/// All of them.
#[derive(Debug)]
pub(super) struct Symbols {
    chunks: Vec<Box<[u8]>>,
    /// Units that were ever used.
    used: u32,
    /// Free blocks by units.
    free: Vec<Vec<Symbol>>,
    /// Texts of features, by 32 bits of their hash, which growing needs not ask the texts for.
    table: HashTable<(u32, Symbol)>,
    /// Seeded at random: nobody can choose texts that collide. Nothing visible depends on it.
    hasher: RandomState,
}

impl Default for Symbols {
    fn default() -> Symbols {
        Symbols {
            chunks: Vec::new(),
            used: 0,
            free: vec![Vec::new(); UNITS_MAX + 1],
            table: HashTable::new(),
            hasher: RandomState::default(),
        }
    }
}

/// What a table of pairs of 32 bits of hash and number goes by (Fibonacci hashing, Knuth volume 3 section 6.4).
pub(super) fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Symbols {
    /// Texts of features.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Octets that it takes, about.
    pub(super) fn octets(&self) -> usize {
        let free: usize = self.free.iter().map(Vec::capacity).sum();
        self.chunks.len() * CHUNK + self.table.allocation_size() + free * size_of::<Symbol>()
    }

    pub(super) fn hash(&self, tag: u8, text: &[u8]) -> u32 {
        self.hasher.hash_one((tag, text)) as u32
    }

    /// The hash of a user's name.
    pub(super) fn hash_name(&self, name: &str) -> u32 {
        self.hash(NAME, name.as_bytes())
    }

    fn block(&self, symbol: Symbol) -> &[u8] {
        let chunk = &self.chunks[(symbol / CHUNK_UNITS) as usize];
        &chunk[(symbol % CHUNK_UNITS) as usize * UNIT..]
    }

    fn block_mut(&mut self, symbol: Symbol) -> &mut [u8] {
        let chunk = &mut self.chunks[(symbol / CHUNK_UNITS) as usize];
        &mut chunk[(symbol % CHUNK_UNITS) as usize * UNIT..]
    }

    /// Its text.
    pub(super) fn text(&self, symbol: Symbol) -> &[u8] {
        let block = self.block(symbol);
        &block[HEAD..HEAD + usize::from(block[9])]
    }

    /// Users that have it, and their connections within the thirty days.
    pub(super) fn counts(&self, symbol: Symbol) -> (u32, u32) {
        let block = self.block(symbol);
        (number(block, 0), number(block, 4))
    }

    /// Connections come and go.
    pub(super) fn count(&mut self, symbol: Symbol, connections: i64) {
        let block = self.block_mut(symbol);
        let sum = i64::from(number(block, 4)).saturating_add(connections);
        put(block, 4, u32::try_from(sum.max(0)).unwrap_or(u32::MAX));
    }

    /// One more user has it.
    pub(super) fn hold(&mut self, symbol: Symbol) {
        let block = self.block_mut(symbol);
        put(block, 0, number(block, 0).saturating_add(1));
    }

    /// One user less has it; without any it is gone.
    pub(super) fn release(&mut self, symbol: Symbol) {
        let block = self.block_mut(symbol);
        let users = number(block, 0).saturating_sub(1);
        put(block, 0, users);
        if users == 0 {
            self.remove(symbol);
        }
    }

    /// The number of a value, if anybody has it.
    pub(super) fn find(&self, feature: Feature, text: &[u8]) -> Option<Symbol> {
        let tag = feature as u8 + 1;
        self.find_hashed(self.hash(tag, text), tag, text)
    }

    fn find_hashed(&self, hash: u32, tag: u8, text: &[u8]) -> Option<Symbol> {
        let is_it = |&(other, symbol): &(u32, Symbol)| other == hash && self.is(symbol, tag, text);
        self.table.find(spread(hash), is_it).map(|(_, symbol)| *symbol)
    }

    fn is(&self, symbol: Symbol, tag: u8, text: &[u8]) -> bool {
        self.block(symbol)[8] == tag && self.text(symbol) == text
    }

    /// The number of a value; `None` where there is no room for it: `values_max` are there.
    pub(super) fn intern(&mut self, feature: Feature, text: &[u8], values_max: usize) -> Option<Symbol> {
        let tag = feature as u8 + 1;
        let hash = self.hash(tag, text);
        if let Some(symbol) = self.find_hashed(hash, tag, text) {
            return Some(symbol);
        }
        if self.table.len() >= values_max {
            return None;
        }
        let symbol = self.add(tag, text)?;
        self.table.insert_unique(spread(hash), (hash, symbol), |&(hash, _)| spread(hash));
        Some(symbol)
    }

    /// Keeps a user's name, whole. Who has it finds it again.
    pub(super) fn add_name(&mut self, name: &str) -> Option<Symbol> {
        let symbol = self.add(NAME, name.as_bytes())?;
        self.hold(symbol);
        Some(symbol)
    }

    fn add(&mut self, tag: u8, text: &[u8]) -> Option<Symbol> {
        let length = u8::try_from(text.len()).ok()?;
        let units = (HEAD + text.len()).div_ceil(UNIT);
        let symbol = match self.free[units].pop() {
            Some(symbol) => symbol,
            None => self.grow(units as u32)?,
        };
        let block = self.block_mut(symbol);
        block[..HEAD].copy_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, tag, length, units as u8, 0]);
        block[HEAD..HEAD + text.len()].copy_from_slice(text);
        Some(symbol)
    }

    /// A block that was never used.
    fn grow(&mut self, units: u32) -> Option<Symbol> {
        let left = (self.chunks.len() as u32 * CHUNK_UNITS).saturating_sub(self.used);
        if left < units {
            if (self.chunks.len() as u32 + 1) * CHUNK_UNITS > NUMBERS_MAX {
                return None;
            }
            // What is left of the chunk stays empty: no block begins there.
            self.used += left;
            self.chunks.push(vec![0; CHUNK].into_boxed_slice());
        }
        let symbol = self.used;
        self.used += units;
        Some(symbol)
    }

    fn remove(&mut self, symbol: Symbol) {
        let (tag, text) = (self.block(symbol)[8], self.text(symbol));
        let hash = self.hash(tag, text);
        if tag != NAME
            && let Ok(entry) = self.table.find_entry(spread(hash), |(_, other)| *other == symbol)
        {
            entry.remove();
        }
        let block = self.block_mut(symbol);
        let units = block[10];
        block[..usize::from(units) * UNIT].fill(0);
        (block[8], block[10]) = (FREE, units);
        self.free[usize::from(units)].push(symbol);
    }

    /// What a snapshot holds: the used part of all chunks, and the free blocks by units, in the order of their use.
    pub(super) fn kept(&self) -> (impl Iterator<Item = &[u8]>, &[Vec<Symbol>]) {
        let used = self.used as usize * UNIT;
        let chunks = self.chunks.iter().enumerate().map(move |(at, chunk)| {
            let end = used.saturating_sub(at * CHUNK).min(CHUNK);
            &chunk[..end]
        });
        (chunks, &self.free)
    }

    /// Octets of all used parts.
    pub(super) fn used_octets(&self) -> usize {
        self.used as usize * UNIT
    }

    /// From what a snapshot held; nobody has any of the texts yet. `None`: no symbols ever were so.
    pub(super) fn restored(octets: &[u8], free: Vec<Vec<Symbol>>, values: usize) -> Option<Symbols> {
        let mut symbols = Symbols { used: (octets.len() / UNIT) as u32, ..Symbols::default() };
        symbols.table.reserve(values, |&(hash, _)| spread(hash));
        let mut free_blocks = 0;
        for (at, octets) in octets.chunks(CHUNK).enumerate() {
            let mut chunk = vec![0; CHUNK].into_boxed_slice();
            chunk[..octets.len()].copy_from_slice(octets);
            symbols.chunks.push(chunk);
            let mut unit = 0;
            while unit * UNIT < octets.len() {
                let symbol = at as u32 * CHUNK_UNITS + unit as u32;
                let block = &mut symbols.chunks[at][unit * UNIT..];
                // What was left of a chunk when the next block did not fit.
                let Some(&[.., tag, length, units, _]) = block.first_chunk::<HEAD>() else { break };
                if units == 0 {
                    break;
                }
                block[..8].fill(0);
                let end = usize::from(units) * UNIT;
                let is_whole = unit * UNIT + end <= octets.len() && HEAD + usize::from(length) <= end;
                if tag > NAME || usize::from(units) > UNITS_MAX || !is_whole {
                    return None;
                }
                free_blocks += usize::from(tag == FREE);
                if tag != FREE && tag != NAME {
                    let hash = symbols.hash(tag, symbols.text(symbol));
                    symbols.table.insert_unique(spread(hash), (hash, symbol), |&(hash, _)| spread(hash));
                }
                unit += usize::from(units);
            }
        }
        let is_free = |units: usize, symbol: Symbol| {
            let block = symbols.checked(symbol);
            block.is_some_and(|block| block[8] == FREE && usize::from(block[10]) == units)
        };
        let listed: usize = free.iter().map(Vec::len).sum();
        let all_free = (0..).zip(&free).all(|(units, blocks)| blocks.iter().all(|one| is_free(units, *one)));
        if free.len() != UNITS_MAX + 1 || listed != free_blocks || !all_free {
            return None;
        }
        symbols.free = free;
        Some(symbols)
    }

    fn checked(&self, symbol: Symbol) -> Option<&[u8]> {
        (symbol < self.used).then(|| self.block(symbol)).filter(|block| block.len() >= HEAD)
    }

    /// One more user has it, in so many connections, as a snapshot says. `false`: no text of the feature, or name, begins
    /// here.
    pub(super) fn restore_holder(
        &mut self,
        symbol: Symbol,
        feature: Option<Feature>,
        connections: u32,
    ) -> bool {
        if symbol >= self.used {
            return false;
        }
        let tag = feature.map_or(NAME, |feature| feature as u8 + 1);
        let block = self.block_mut(symbol);
        let octets = block.len();
        let is_of = block.first_chunk::<HEAD>().is_some_and(|&[.., own, length, units, zero]| {
            let length = HEAD + usize::from(length);
            own == tag && zero == 0 && usize::from(units) == length.div_ceil(UNIT) && length <= octets
        });
        if is_of {
            put(block, 0, number(block, 0).saturating_add(1));
            put(block, 4, number(block, 4).saturating_add(connections));
        }
        is_of
    }

    /// Whether somebody has every text that is there: for what a snapshot says.
    pub(super) fn are_all_held(&self) -> bool {
        self.table.iter().all(|(_, symbol)| self.counts(*symbol).0 > 0)
    }
}

fn number(block: &[u8], at: usize) -> u32 {
    let octets = block.get(at..).and_then(|block| block.first_chunk());
    octets.map_or(0, |octets| u32::from_le_bytes(*octets))
}

fn put(block: &mut [u8], at: usize, number: u32) {
    block[at..at + 4].copy_from_slice(&number.to_le_bytes());
}
