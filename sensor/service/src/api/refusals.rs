//! Refusals, told once in a while: whoever guesses must not fill a disk.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// They are told at most once in this time, with how many there were.
const INTERVAL: Duration = Duration::from_secs(60);

/// Refusals of one sort since they were last told.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<(u64, Option<Instant>)>);

impl Refusals {
    /// One more. How many they are if they are to be told now: the first one is, at once.
    pub(crate) fn count(&self) -> Option<u64> {
        self.count_at(Instant::now())
    }

    fn count_at(&self, now: Instant) -> Option<u64> {
        let mut refusals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.0 += 1;
        let is_due = refusals.1.is_none_or(|last| now.saturating_duration_since(last) >= INTERVAL);
        is_due.then(|| std::mem::replace(&mut *refusals, (0, Some(now))).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_others_once_a_minute_together() {
        let (refusals, begin) = (Refusals::default(), Instant::now());
        let at = |seconds: u64| refusals.count_at(begin + Duration::from_secs(seconds));
        assert_eq!([at(0), at(1), at(59)], [Some(1), None, None]);
        assert_eq!([at(60), at(61), at(600)], [Some(3), None, Some(2)]);
    }
}
