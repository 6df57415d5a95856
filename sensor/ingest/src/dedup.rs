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
//! A worker first hashes all requests of its burst and looks at their buckets ([`Duplicates::hash`],
//! [`Duplicates::touch`]), then claims them: the cache misses of a burst overlap, and a claim finds its bucket near.
//! That keeps the cost of a claim flat up to tables of 10 million entries and more.
//!
//! The table never grows. A bucket whose eight slots are all taken gives up its oldest *committed* entry before its
//! time (counted: a retransmission of that one would be recorded again); pending entries are never given up, and a
//! bucket full of them refuses ([`Claim::Full`]). With at least four entries for every request expected within the
//! window, both are rare.

use std::{
    hash::{BuildHasher, RandomState},
    net::{IpAddr, SocketAddr},
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release, SeqCst},
    },
    time::Duration,
};

use siphasher::sip128::SipHasher13;

/// Slots of a bucket. Derived, not measured: eight words and eight keys fill the pair of cache lines that processors fetch
/// together, and are compared without a branch. With four entries for each request of the window a bucket holds two in the
/// mean, and by chance (Poisson) more than eight in 1 of 4,200; with four slots (one in the mean) it would be 1 of 270,
/// and 16 slots would take twice the lines for every request to spare that one.
const SLOTS: usize = 8;

/// The window is kept in ticks of 1/16 second: 30 bits of them wrap after two years, and 5 s, the shortest window, is
/// kept to 1.25 %.
const TICK_NS: u64 = 62_500_000;
const TICK_MASK: u64 = (1 << 30) - 1;

const VACANT: u64 = 0;
const TENTATIVE: u64 = 1;
const PENDING: u64 = 2;
const COMMITTED: u64 = 3;

/// How often a slot in dispute is looked at again before the request is given up as a duplicate in progress: its
/// sender will repeat it. The other side needs some ten nanoseconds, unless it was descheduled just there. Chosen, not
/// measured: 4,096 pauses are some 50 to 200 us, a thousand times that long and still less than a commit.
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
    hasher: SipHasher13,
    window_ticks: u64,
    evicted: AtomicU64,
    full: AtomicU64,
}

/// A hashed key: means something to the table that made it.
#[derive(Clone, Copy, Debug)]
pub struct Hash {
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
            hasher: SipHasher13::new_with_keys(hash_key.0, hash_key.1),
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

    /// Hashes a key, for the calls that follow.
    pub fn hash(&self, key: &Key<'_>) -> Hash {
        let hash = match (key.source.ip().to_canonical(), key.destination.ip().to_canonical()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                self.hasher.hash(&message::<30>(&source.octets(), &destination.octets(), key))
            }
            // The two forms differ in length, which the hash takes in.
            (source, destination) => self.hasher.hash(&message::<54>(&wide(source), &wide(destination), key)),
        };
        Hash {
            bucket: (hash.h1 as usize) & (self.buckets.len() - 1),
            tag: (hash.h1 >> 32) as u32,
            key: hash.h2,
        }
    }

    /// Brings the bucket near, without waiting for it: whoever calls this for many hashes and then claims them waits
    /// once instead of each time. What it returns means nothing; it is there so that the loads are done.
    pub fn touch(&self, hash: &Hash) -> u64 {
        let bucket = &self.buckets[hash.bucket];
        bucket.words[0].load(Relaxed) ^ bucket.keys[0].load(Relaxed)
    }

    /// What is known of this request, without leaving a trace.
    pub fn find(&self, hash: &Hash, now_ns: u64) -> Option<Claim> {
        let now = ticks(now_ns);
        let bucket = &self.buckets[hash.bucket];
        let mut found = None;
        for slot in 0..SLOTS {
            match self.resident(bucket, slot, bucket.words[slot].load(Acquire), hash, now) {
                Resident::Same(COMMITTED) => return Some(Claim::Committed),
                Resident::Other => {}
                _ => found = Some(Claim::Pending),
            }
        }
        found
    }

    /// Claims this request: exactly one of any number of concurrent claims of the same key gets [`Claim::New`].
    ///
    /// A claim takes a slot tentatively, with its tag in the word, and only then looks whether another slot has the
    /// same tag. Both are sequentially consistent, so at least one of two rivals sees the other. A confirmed entry
    /// wins over tentative ones, and of tentative ones the lowest slot: the higher leave, and the lowest waits until
    /// they have. What waits holds no slot, or a lower one than what it waits for: nobody waits in a circle.
    pub fn claim(&self, hash: &Hash, now_ns: u64) -> Claim {
        let now = ticks(now_ns);
        let bucket = &self.buckets[hash.bucket];
        // Losing a slot to another claim means that one was taken: eight losses fill the bucket. Some more, because
        // slots also come back meanwhile.
        for _ in 0..4 * SLOTS {
            let (slot, word, evicts) = match self.survey(bucket, hash, now) {
                Survey::Known(claim) => return claim,
                Survey::Full => break,
                Survey::Free { slot, word, evicts } => (slot, word, evicts),
            };
            let tentative = entry(hash.tag, now, TENTATIVE);
            if bucket.words[slot].compare_exchange(word, tentative, SeqCst, Relaxed).is_err() {
                continue;
            }
            if evicts {
                self.evicted.fetch_add(1, Relaxed);
            }
            match self.rival(bucket, slot, hash, now) {
                Rival::None => {
                    bucket.keys[slot].store(hash.key, Relaxed);
                    // Whoever sees this sees the key.
                    bucket.words[slot].store(entry(hash.tag, now, PENDING), Release);
                    return Claim::New(Slot { index: (hash.bucket * SLOTS + slot) as u32, tag: hash.tag });
                }
                Rival::Known(claim) => return claim,
                Rival::Gone => {}
            }
        }
        self.full.fetch_add(1, Relaxed);
        Claim::Full
    }

    /// One look at the bucket before anything is written: the request itself, which is what retransmissions find, or
    /// the slot to take: a reusable one, else the oldest committed.
    fn survey(&self, bucket: &Bucket, hash: &Hash, now: u64) -> Survey {
        let words = bucket.words.each_ref().map(|word| word.load(Acquire));
        if words.iter().any(|word| word >> 32 == u64::from(hash.tag)) {
            for (slot, word) in words.iter().enumerate() {
                let resident = match self.resident(bucket, slot, *word, hash, now) {
                    Resident::Same(state) => Some(state),
                    Resident::Unresolved => self.resolved(bucket, slot, hash, now),
                    Resident::Other => None,
                };
                if let Some(state) = resident {
                    return Survey::Known(known(state));
                }
            }
        }
        // Ranks, the greater the better: pending 0, committed by age, vacant above all ages. Below each rank its slot,
        // so that the best slot is found without a branch.
        let best = (0u64..).zip(words).fold(0, |best, (slot, word)| {
            let rank = match word & 3 {
                VACANT => TICK_MASK + 1,
                COMMITTED => age(word, now) + 1,
                _ => 0,
            };
            best.max(rank << 3 | slot)
        });
        let (rank, slot) = (best >> 3, (best & 7) as usize);
        if rank == 0 {
            return Survey::Full;
        }
        // A committed entry past its window is as good as a vacant slot, and older than any other.
        Survey::Free { slot, word: words[slot], evicts: rank <= self.window_ticks }
    }

    /// Looks for another entry of the same key, with `own` taken tentatively. Unless there is none, gives `own` up.
    fn rival(&self, bucket: &Bucket, own: usize, hash: &Hash, now: u64) -> Rival {
        for (slot, word) in bucket.words.iter().enumerate() {
            let word = word.load(SeqCst);
            if word >> 32 != u64::from(hash.tag) || slot == own {
                continue;
            }
            let state = match self.resident(bucket, slot, word, hash, now) {
                Resident::Other => continue,
                Resident::Same(state) => Some(state),
                // Another claim with our tag, at least. The lower slot stays.
                Resident::Unresolved if slot < own => {
                    bucket.words[own].store(VACANT, Release);
                    let state = self.resolved(bucket, slot, hash, now);
                    return state.map_or(Rival::Gone, |state| Rival::Known(known(state)));
                }
                Resident::Unresolved => self.resolved(bucket, slot, hash, now),
            };
            if let Some(state) = state {
                bucket.words[own].store(VACANT, Release);
                return Rival::Known(known(state));
            }
        }
        Rival::None
    }

    /// The request is recorded: from now on, and for the window, a retransmission is answered from here.
    pub fn commit(&self, slot: Slot, now_ns: u64) {
        self.own(slot).store(entry(slot.tag, ticks(now_ns), COMMITTED), Release);
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
        let Claim::New(slot) = self.claim(&self.hash(key), now_ns) else { return false };
        self.commit(slot, recorded_ns);
        true
    }

    fn own(&self, slot: Slot) -> &AtomicU64 {
        let index = slot.index as usize;
        let word = &self.buckets[index / SLOTS].words[index % SLOTS];
        debug_assert_eq!(word.load(Relaxed) >> 32, u64::from(slot.tag), "a pending slot changed hands");
        word
    }

    /// What `word` says of this very key in `slot`. A word of this tag is loaded so that its key is seen with it.
    fn resident(&self, bucket: &Bucket, slot: usize, word: u64, hash: &Hash, now: u64) -> Resident {
        if word >> 32 != u64::from(hash.tag) {
            return Resident::Other;
        }
        match word & 3 {
            VACANT => Resident::Other,
            // Its key is not written yet.
            TENTATIVE => Resident::Unresolved,
            state if bucket.keys[slot].load(Relaxed) == hash.key && !self.reusable(word, now) => {
                Resident::Same(state)
            }
            _ => Resident::Other,
        }
    }

    /// Waits (bounded) until a tentative entry of the same tag is confirmed or gone; its state if it has our key.
    fn resolved(&self, bucket: &Bucket, slot: usize, hash: &Hash, now: u64) -> Option<u64> {
        for _ in 0..SPINS {
            match self.resident(bucket, slot, bucket.words[slot].load(SeqCst), hash, now) {
                Resident::Unresolved => std::hint::spin_loop(),
                Resident::Same(state) => return Some(state),
                Resident::Other => return None,
            }
        }
        Some(TENTATIVE)
    }

    /// Vacant, or committed and past its window.
    fn reusable(&self, word: u64, now: u64) -> bool {
        word & 3 == VACANT || (word & 3 == COMMITTED && age(word, now) >= self.window_ticks)
    }
}

/// What a slot holds, seen from one key.
enum Resident {
    /// Nothing of this key.
    Other,
    /// This key, in this state.
    Same(u64),
    /// A claim of the same tag that has not written its key.
    Unresolved,
}

/// What a bucket offers to a claim.
enum Survey {
    Known(Claim),
    Free { slot: usize, word: u64, evicts: bool },
    Full,
}

/// What else was found once a slot was taken.
enum Rival {
    None,
    Known(Claim),
    /// There was one, and it went away.
    Gone,
}

fn known(state: u64) -> Claim {
    if state == COMMITTED { Claim::Committed } else { Claim::Pending }
}

/// Addresses, ports, code, identifier, authenticator as one flat text of `N` octets.
fn message<const N: usize>(source: &[u8], destination: &[u8], key: &Key<'_>) -> [u8; N] {
    let mut message = [0; N];
    let (addresses, rest) = message.split_at_mut(source.len() + destination.len());
    let (first, second) = addresses.split_at_mut(source.len());
    first.copy_from_slice(source);
    second.copy_from_slice(destination);
    rest[0..2].copy_from_slice(&key.source.port().to_be_bytes());
    rest[2..4].copy_from_slice(&key.destination.port().to_be_bytes());
    rest[4] = key.code;
    rest[5] = key.identifier;
    rest[6..22].copy_from_slice(key.authenticator);
    message
}

/// 16 octets, of an IPv4 address as IPv6 maps it.
fn wide(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

fn ticks(ns: u64) -> u64 {
    (ns / TICK_NS) & TICK_MASK
}

fn entry(tag: u32, ticks: u64, state: u64) -> u64 {
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
