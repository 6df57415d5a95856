//! A rate limit that all workers share without a lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A token bucket written as one number: the time at which the bucket would be full again (the generic cell rate
/// algorithm). Holds one second's worth of tokens.
#[derive(Debug)]
pub struct RateLimit(AtomicU64);

const SECOND_NS: u64 = 1_000_000_000;

impl RateLimit {
    /// A full bucket.
    pub const fn new() -> RateLimit {
        RateLimit(AtomicU64::new(0))
    }

    /// Takes one token at `now_ns` (monotonic) if there is one, at `rate` tokens a second (at least 1).
    pub fn admit(&self, now_ns: u64, rate: u32) -> bool {
        let interval = SECOND_NS / u64::from(rate.max(1));
        let take = |full_at: u64| {
            let next = full_at.max(now_ns) + interval.max(1);
            (next - now_ns <= SECOND_NS.max(interval)).then_some(next)
        };
        self.0.fetch_update(Relaxed, Relaxed, take).is_ok()
    }
}

impl Default for RateLimit {
    fn default() -> RateLimit {
        RateLimit::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_tokens_then_the_rate() {
        let limit = RateLimit::new();
        let now = 5 * SECOND_NS;
        assert_eq!((0..100).filter(|_| limit.admit(now, 10)).count(), 10);
        assert_eq!((0..100).filter(|_| limit.admit(now + SECOND_NS / 10, 10)).count(), 1);
        assert_eq!((0..100).filter(|_| limit.admit(now + 60 * SECOND_NS, 10)).count(), 10);
        assert_eq!((0..9).filter(|_| RateLimit::new().admit(now, 1)).count(), 9);
    }
}
