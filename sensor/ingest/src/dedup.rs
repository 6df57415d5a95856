//! The duplicate table: which verified requests were seen within the window, sensor-wide, without a lock.
//!
//! Workers ask it once a genuine request; the binary fills it from the journal at start. What does not verify never
//! comes here (RFC 5080 section 2.2.2), so a forger can neither fill it nor push anything out.
//!
//! Memory: 16 octets an entry, fixed at start. A bucket is two cache lines: eight words that say what is in each slot
//! and eight words of key. The key is a keyed 128-bit hash: 64 bits in the key word, 32 in the first word, the rest
//! chooses the bucket. Two different requests are taken for one with a chance of about 2^-96 a pair, and nobody
//! outside can look for such a pair because the hash is keyed at random.
//!
//! The table never grows. A bucket whose eight slots are all taken gives up its oldest *committed* entry before its
//! time (counted: a retransmission of that one would be recorded again); pending entries are never given up, and a
//! bucket full of them refuses ([`Claim::Full`]). With at least four entries for every request expected within the
//! window, both are rare.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    net::{IpAddr, SocketAddr},
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release, SeqCst},
        fence,
    },
    time::Duration,
};

use siphasher::sip128::{Hasher128, SipHasher13};

const SLOTS: usize = 8;

/// The window is kept in ticks of 1/16 second: 30 bits of them wrap after two years.
const TICK_NS: u64 = 62_500_000;
const TICK_MASK: u64 = (1 << 30) - 1;

const VACANT: u64 = 0;
const TENTATIVE: u64 = 1;
const PENDING: u64 = 2;
const COMMITTED: u64 = 3;

/// How often a slot in dispute is looked at again before the request is given up as a duplicate in progress: its
/// sender will repeat it. The other side needs some ten nanoseconds, unless it was descheduled just there.
const SPINS: usize = 1 << 12;

/// What identifies a request (RFC 5080 section 2.2.2, RFC 5997 section 3 for the code).
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// Who sent it.
    pub source: SocketAddr,
    /// To which address and port.
    pub destination: SocketAddr,
    /// Its code.
    pub code: u8,
    /// Its identifier.
    pub identifier: u8,
    /// Its Request Authenticator: with it a hash of the whole content.
    pub authenticator: &'a [u8; 16],
}

/// A claimed slot, to be committed or removed by whoever claimed it.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    index: u32,
    tag: u32,
}

/// The answer to [`Duplicates::claim`].
#[derive(Clone, Copy, Debug)]
pub enum Claim {
    /// Not seen within the window; the caller holds the slot now.
    New(Slot),
    /// Being recorded by someone.
    Pending,
    /// Recorded: to be answered again, not recorded again.
    Committed,
    /// No slot to be had: everything in its bucket is being recorded.
    Full,
}

#[derive(Default)]
#[repr(align(128))]
struct Bucket {
    /// Tag (32 bits) | time in ticks (30) | state (2).
    words: [AtomicU64; SLOTS],
    keys: [AtomicU64; SLOTS],
}

/// The table. Shared by all workers of a sensor.
pub struct Duplicates {
    buckets: Box<[Bucket]>,
    hash_key: (u64, u64),
    window_ticks: u64,
    evicted: AtomicU64,
    full: AtomicU64,
}

/// A hashed key.
#[derive(Clone, Copy)]
struct Hash {
    bucket: usize,
    tag: u32,
    key: u64,
}

impl Duplicates {
    /// A table of at least `entries` entries (rounded up to a power of two, 64 to 2^31) that remembers a committed
    /// request for `window`.
    pub fn new(entries: usize, window: Duration) -> Duplicates {
        // The standard library's hash keys come from the kernel's random source.
        let random = || RandomState::new().hash_one(0u8);
        Duplicates::with_key(entries, window, (random(), random()))
    }

    fn with_key(entries: usize, window: Duration, hash_key: (u64, u64)) -> Duplicates {
        let buckets = entries.clamp(64, 1 << 31).next_power_of_two() / SLOTS;
        let ticks = window.as_nanos().div_ceil(u128::from(TICK_NS));
        Duplicates {
            buckets: (0..buckets).map(|_| Bucket::default()).collect(),
            hash_key,
            window_ticks: u64::try_from(ticks).unwrap_or(u64::MAX).min(TICK_MASK / 2),
            evicted: AtomicU64::new(0),
            full: AtomicU64::new(0),
        }
    }

    /// How many entries there is room for.
    pub fn capacity(&self) -> usize {
        self.buckets.len() * SLOTS
    }

    /// The time for which a committed request is remembered.
    pub fn window(&self) -> Duration {
        Duration::from_nanos(self.window_ticks * TICK_NS)
    }

    /// Entries given up before their time because their bucket was full.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Relaxed)
    }

    /// Requests refused because their bucket held nothing but pending entries.
    pub fn refused(&self) -> u64 {
        self.full.load(Relaxed)
    }

    /// Entries that are pending or committed within the window at `now_ns`. Walks the table: for gauges and tests.
    pub fn occupied(&self, now_ns: u64) -> usize {
        let now = ticks(now_ns);
        let words = self.buckets.iter().flat_map(|bucket| &bucket.words);
        words.filter(|word| !self.reusable(word.load(Relaxed), now)).count()
    }

    /// What is known of this request, without leaving a trace.
    pub fn find(&self, key: &Key<'_>, now_ns: u64) -> Option<Claim> {
        let hash = self.hash(key);
        let now = ticks(now_ns);
        let bucket = &self.buckets[hash.bucket];
        let mut found = None;
        for slot in 0..SLOTS {
            match self.holds(bucket, slot, &hash, now) {
                Some(COMMITTED) => return Some(Claim::Committed),
                Some(_) => found = Some(Claim::Pending),
                None => {}
            }
        }
        found
    }

    /// Claims this request: exactly one of any number of concurrent claims of the same key gets [`Claim::New`].
    ///
    /// A claim takes a slot tentatively, writes its key, and only then looks whether another has the same key; the
    /// fence between the two makes at least one of two rivals see the other. A confirmed entry wins over tentative
    /// ones, and of tentative ones the lowest slot: the higher leave, and the lowest waits until they have.
    pub fn claim(&self, key: &Key<'_>, now_ns: u64) -> Claim {
        let hash = self.hash(key);
        let now = ticks(now_ns);
        let bucket = &self.buckets[hash.bucket];
        // Retransmissions are the common find: they need no write at all.
        for slot in 0..SLOTS {
            match self.holds(bucket, slot, &hash, now) {
                Some(COMMITTED) => return Claim::Committed,
                Some(PENDING) => return Claim::Pending,
                _ => {}
            }
        }
        let Some(own) = self.take_slot(bucket, hash.tag, now) else {
            self.full.fetch_add(1, Relaxed);
            return Claim::Full;
        };
        bucket.keys[own].store(hash.key, Relaxed);
        fence(SeqCst);
        for slot in (0..SLOTS).filter(|&slot| slot != own) {
            let rival = if slot < own {
                self.holds(bucket, slot, &hash, now)
            } else {
                self.holds_resolved(bucket, slot, &hash, now)
            };
            if let Some(state) = rival {
                bucket.words[own].store(VACANT, Release);
                return if state == COMMITTED { Claim::Committed } else { Claim::Pending };
            }
        }
        bucket.words[own].store(word(hash.tag, now, PENDING), Release);
        Claim::New(Slot { index: (hash.bucket * SLOTS + own) as u32, tag: hash.tag })
    }

    /// The request is recorded: from now on, and for the window, a retransmission is answered from here.
    pub fn commit(&self, slot: Slot, now_ns: u64) {
        self.own(slot).store(word(slot.tag, ticks(now_ns), COMMITTED), Release);
    }

    /// The request was not recorded: its retransmission is new again.
    pub fn remove(&self, slot: Slot) {
        self.own(slot).store(VACANT, Release);
    }

    /// Enters a request that was recorded at `recorded_ns`, as the journal tells at start. Both times are on the
    /// clock of [`Duplicates::claim`]. False if it is too old or has no room.
    pub fn restore(&self, key: &Key<'_>, recorded_ns: u64, now_ns: u64) -> bool {
        if ticks(now_ns).wrapping_sub(ticks(recorded_ns)) & TICK_MASK >= self.window_ticks {
            return false;
        }
        let Claim::New(slot) = self.claim(key, now_ns) else { return false };
        self.commit(slot, recorded_ns);
        true
    }

    fn own(&self, slot: Slot) -> &AtomicU64 {
        let index = slot.index as usize;
        let word = &self.buckets[index / SLOTS].words[index % SLOTS];
        debug_assert_eq!(word.load(Relaxed) >> 32, u64::from(slot.tag), "a pending slot changed hands");
        word
    }

    /// The state of the slot if it holds this very key and is not past its window.
    fn holds(&self, bucket: &Bucket, slot: usize, hash: &Hash, now: u64) -> Option<u64> {
        // Acquire pairs with the store that confirmed the entry, after its key was written. A tentative entry's key
        // may still be that of the slot's last tenant; the rival then finds us instead.
        let word = bucket.words[slot].load(Acquire);
        let state = word & 3;
        let same = state != VACANT
            && word >> 32 == u64::from(hash.tag)
            && bucket.keys[slot].load(Relaxed) == hash.key
            && !self.reusable(word, now);
        same.then_some(state)
    }

    /// As [`Self::holds`], but waits (bounded) until a tentative entry of the same key is confirmed or gone.
    fn holds_resolved(&self, bucket: &Bucket, slot: usize, hash: &Hash, now: u64) -> Option<u64> {
        for _ in 0..SPINS {
            match self.holds(bucket, slot, hash, now) {
                Some(TENTATIVE) => std::hint::spin_loop(),
                resolved => return resolved,
            }
        }
        Some(TENTATIVE)
    }

    /// Makes one slot of the bucket tentative: a reusable one, else the oldest committed.
    fn take_slot(&self, bucket: &Bucket, tag: u32, now: u64) -> Option<usize> {
        // Losing a slot to another claim means that one was taken: eight losses fill the bucket. Some more, because
        // slots also come back meanwhile.
        for _ in 0..4 * SLOTS {
            let mut choice: Option<(usize, u64, u64)> = None;
            for (slot, current) in bucket.words.iter().enumerate() {
                let current = current.load(Relaxed);
                if self.reusable(current, now) {
                    choice = Some((slot, current, u64::MAX));
                    break;
                }
                let age = age(current, now);
                if current & 3 == COMMITTED && choice.is_none_or(|(_, _, oldest)| age > oldest) {
                    choice = Some((slot, current, age));
                }
            }
            let (slot, current, age) = choice?;
            let tentative = word(tag, now, TENTATIVE);
            if bucket.words[slot].compare_exchange(current, tentative, SeqCst, Relaxed).is_ok() {
                if age != u64::MAX {
                    self.evicted.fetch_add(1, Relaxed);
                }
                return Some(slot);
            }
        }
        None
    }

    /// Vacant, or committed and past its window.
    fn reusable(&self, word: u64, now: u64) -> bool {
        word & 3 == VACANT || (word & 3 == COMMITTED && age(word, now) >= self.window_ticks)
    }

    fn hash(&self, key: &Key<'_>) -> Hash {
        // One flat, fixed-size message: what is not in an IPv4 address is zero, and the tag octet tells them apart.
        let mut message = [0u8; 55];
        endpoint(&mut message[0..18], key.source);
        endpoint(&mut message[18..36], key.destination);
        message[36] = u8::from(key.source.ip().to_canonical().is_ipv6());
        message[37] = key.code;
        message[38] = key.identifier;
        message[39..55].copy_from_slice(key.authenticator);
        let mut hasher = SipHasher13::new_with_keys(self.hash_key.0, self.hash_key.1);
        hasher.write(&message);
        let hash = hasher.finish128();
        Hash {
            bucket: (hash.h1 as usize) & (self.buckets.len() - 1),
            tag: (hash.h1 >> 32) as u32,
            key: hash.h2,
        }
    }
}

/// Address (16 octets) and port (2).
fn endpoint(out: &mut [u8], endpoint: SocketAddr) {
    match endpoint.ip().to_canonical() {
        IpAddr::V4(v4) => out[..4].copy_from_slice(&v4.octets()),
        IpAddr::V6(v6) => out[..16].copy_from_slice(&v6.octets()),
    }
    out[16..18].copy_from_slice(&endpoint.port().to_be_bytes());
}

fn ticks(ns: u64) -> u64 {
    (ns / TICK_NS) & TICK_MASK
}

fn word(tag: u32, ticks: u64, state: u64) -> u64 {
    u64::from(tag) << 32 | ticks << 2 | state
}

/// Ticks since the word was written. Another worker's clock reading may be a tick ahead of ours: that is age 0, not
/// two years.
fn age(word: u64, now: u64) -> u64 {
    let age = now.wrapping_sub(word >> 2) & TICK_MASK;
    if age > TICK_MASK / 2 { 0 } else { age }
}

#[cfg(test)]
mod tests;
