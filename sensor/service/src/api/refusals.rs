//! Refusals, told once in a while: whoever guesses must not fill a disk.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// In each such time some are told by themselves, and all others together.
pub(crate) const INTERVAL: Duration = Duration::from_secs(60);

/// Refusals of one sort.
pub(crate) struct Refusals {
    /// So many of an interval are told as they come.
    by_themselves: u32,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    /// When the interval began.
    began: Option<Instant>,
    /// Of it.
    told: u32,
    /// Since they were last told, of it and of earlier ones.
    untold: u64,
}

impl Now {
    fn is_over(&self, now: Instant) -> bool {
        self.began.is_none_or(|began| now.saturating_duration_since(began) >= INTERVAL)
    }
}

impl Default for Refusals {
    /// The first of an interval is told as it comes.
    fn default() -> Refusals {
        Refusals::telling(1)
    }
}

impl Refusals {
    /// So many of an interval are told as they come.
    pub(crate) fn telling(by_themselves: u32) -> Refusals {
        Refusals { by_themselves, now: Mutex::default() }
    }

    /// One more. How many they are if they are to be told now: the first one is, at once.
    pub(crate) fn count(&self) -> Option<u64> {
        self.count_at(Instant::now())
    }

    fn count_at(&self, at: Instant) -> Option<u64> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.is_over(at) {
            (now.began, now.told) = (Some(at), 0);
        }
        now.untold += 1;
        if now.told == self.by_themselves {
            return None;
        }
        now.told += 1;
        Some(std::mem::take(&mut now.untold))
    }

    /// How many of an interval that is over were not told, if there are any; to be told now.
    pub(crate) fn rest(&self) -> Option<u64> {
        self.rest_at(Instant::now())
    }

    fn rest_at(&self, at: Instant) -> Option<u64> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.untold == 0 || !now.is_over(at) {
            return None;
        }
        Some(std::mem::take(&mut now.untold))
    }

    /// The interval began so much earlier.
    #[cfg(test)]
    pub(crate) fn age(&self, by: Duration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.began = now.began.and_then(|began| began.checked_sub(by));
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

    #[test]
    fn some_of_each_minute_are_told_by_themselves_and_the_rest_when_it_is_over() {
        let (refusals, begin) = (Refusals::telling(2), Instant::now());
        let moment = |seconds: u64| begin + Duration::from_secs(seconds);
        let at = |seconds: u64| refusals.count_at(moment(seconds));
        assert_eq!([at(0), at(1), at(2), at(3)], [Some(1), Some(1), None, None]);
        assert_eq!(refusals.rest_at(moment(59)), None, "it is not over");
        assert_eq!((refusals.rest_at(moment(60)), refusals.rest_at(moment(61))), (Some(2), None));
        assert_eq!([at(70), at(71), at(72)], [Some(1), Some(1), None]);
        assert_eq!([at(200), at(201), at(202)], [Some(2), Some(1), None], "nobody asked for the rest");
    }
}
