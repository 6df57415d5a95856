//! Of which sources that were refused a request verifies by now: somebody mended the secret on the VPN server, and people
//! who look at what is refused want to know. Watched for by the control thread, seen by the workers.
//!
//! Almost nobody is watched almost always, so a worker looks at one word a burst. Each watched source sets one of its 64
//! bits, by a hash; of who else shares a bit the control thread makes nothing. Seen sources go through a bounded queue: when it
//! is full one is let go, and the next request of that source tells the same.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crossbeam::queue::ArrayQueue;

/// Sources seen between two looks of the control thread; more of them come again.
const SEEN_MAX: usize = 64;

/// Who is watched for, and who of them was seen. Cheap to clone; all clones are the same.
#[derive(Clone, Debug)]
pub struct Proofs(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    /// A bit for each watched source.
    mask: AtomicU64,
    hasher: RandomState,
    seen: ArrayQueue<IpAddr>,
}

impl Proofs {
    pub(crate) fn new() -> Proofs {
        let (mask, hasher) = (AtomicU64::new(0), RandomState::new());
        Proofs(Arc::new(Watched { mask, hasher, seen: ArrayQueue::new(SEEN_MAX) }))
    }

    /// Watches for these sources from now on, and for no other.
    pub fn watch(&self, sources: impl IntoIterator<Item = IpAddr>) {
        let mask = sources.into_iter().fold(0, |mask, source| mask | self.bit(source));
        self.0.mask.store(mask, Relaxed);
    }

    /// The oldest source whose request verified while it, or another with its bit, was watched for.
    pub fn next(&self) -> Option<IpAddr> {
        self.0.seen.pop()
    }

    /// Whether anybody is watched for: asked once a burst.
    pub(crate) fn is_watching(&self) -> bool {
        self.0.mask.load(Relaxed) != 0
    }

    /// A request of this source verified.
    #[cold]
    pub(crate) fn note(&self, source: IpAddr) {
        // Under a flood of forgeries every bit is set: hashes are made of as many as there is room for.
        if self.0.seen.is_full() {
            return;
        }
        if self.0.mask.load(Relaxed) & self.bit(source) != 0 {
            // When it is full, the next request says the same.
            let _ = self.0.seen.push(source);
        }
    }

    fn bit(&self, source: IpAddr) -> u64 {
        1 << (self.0.hasher.hash_one(source.to_canonical()) & 63)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_watched_for_is_told_and_hardly_anybody_else_in_bounded_room() {
        let proofs = Proofs::new();
        let source = |number: u32| IpAddr::from(number.to_be_bytes());
        proofs.note(source(7));
        assert!(!proofs.is_watching() && proofs.next().is_none());
        proofs.watch([source(7)]);
        assert!(proofs.is_watching());
        let mapped: IpAddr = "::ffff:0.0.0.7".parse().unwrap();
        proofs.note(mapped);
        assert_eq!(proofs.next(), Some(mapped), "the same address in another guise");
        for number in 0..100_000 {
            proofs.note(source(number));
        }
        let seen = std::iter::from_fn(|| proofs.next()).count();
        assert_eq!(seen, SEEN_MAX);
        let others = (0..6400).filter(|&number| {
            proofs.note(source(number));
            proofs.next().is_some()
        });
        assert!(others.count() < 400, "one in 64 shares its bit");
        proofs.watch([]);
        proofs.note(source(7));
        assert!(proofs.next().is_none());
    }
}
