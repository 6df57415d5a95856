//! Guessing made slow: passwords are counted by account before they are looked at, and forgotten with the one that is right.
//! What bounds guesses at all accounts together is that one [`password`](super::password) is looked at at a time.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// Wrong passwords of one account that cost nothing but a look at the keyboard.
const FREE: u32 = 5;
/// The wait behind the first that is not free; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_secs(30);
const WAIT_MAX: Duration = Duration::from_secs(3600);
/// An account is forgotten so long behind its last wrong password.
const FORGET: Duration = Duration::from_secs(24 * 3600);
/// Names without an account that are followed beside all that have one. A guesser who makes up more pushes out the oldest of
/// them, which tells who tries it again that there is no such account: after minutes, as one
/// [`password`](super::password) at a time allows.
const MADE_UP_MAX: usize = 4096;

#[derive(Default)]
pub(super) struct Throttle {
    wrong: HashMap<String, Wrong>,
}

#[derive(Clone, Copy)]
struct Wrong {
    count: u32,
    last: Instant,
    has_account: bool,
}

impl Wrong {
    fn until(self) -> Instant {
        let beyond = self.count.saturating_sub(FREE);
        if beyond == 0 && self.count < FREE {
            return self.last;
        }
        self.last + FIRST_WAIT.saturating_mul(1 << beyond.min(16)).min(WAIT_MAX)
    }
}

impl Throttle {
    /// How long this account has to wait before another password is looked at; zero: not at all.
    pub(super) fn wait(&self, account: &str, now: Instant) -> Duration {
        self.wrong.get(account).map_or(Duration::ZERO, |wrong| wrong.until().saturating_duration_since(now))
    }

    /// A password is about to be looked at, which counts until it was right; or how long this account has to wait before.
    /// Both at once: of many that come together no more are looked at than of as many in a row.
    pub(super) fn attempt(&mut self, account: &str, has_account: bool, now: Instant) -> Duration {
        let wait = self.wait(account, now);
        if wait == Duration::ZERO {
            self.count(account, has_account, now);
        }
        wait
    }

    fn count(&mut self, account: &str, has_account: bool, now: Instant) {
        self.wrong.retain(|_, wrong| now.saturating_duration_since(wrong.last) < FORGET);
        let is_new = !self.wrong.contains_key(account);
        let made_up = || self.wrong.iter().filter(|(_, wrong)| !wrong.has_account);
        if is_new && !has_account && made_up().count() >= MADE_UP_MAX {
            let oldest = made_up().min_by_key(|(_, wrong)| wrong.last).map(|(name, _)| name.clone());
            if let Some(oldest) = oldest {
                self.wrong.remove(&oldest);
            }
        }
        let wrong =
            self.wrong.entry(account.to_owned()).or_insert(Wrong { count: 0, last: now, has_account });
        *wrong = Wrong { count: wrong.count.saturating_add(1), last: now, has_account };
    }

    /// A password was right.
    pub(super) fn right(&mut self, account: &str) {
        self.wrong.remove(account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end_with_the_right_password() {
        let (mut throttle, mut now) = (Throttle::default(), Instant::now());
        for _ in 0..FREE - 1 {
            throttle.count("carol", true, now);
            assert_eq!(throttle.wait("carol", now), Duration::ZERO);
        }
        for wait in [30, 60, 120, 240] {
            throttle.count("carol", true, now);
            assert_eq!(throttle.wait("carol", now), Duration::from_secs(wait));
            assert_eq!(throttle.wait("dave", now), Duration::ZERO);
            now += Duration::from_secs(wait);
            assert_eq!(throttle.wait("carol", now), Duration::ZERO);
        }
        for _ in 0..40 {
            throttle.count("carol", true, now);
        }
        assert_eq!(throttle.wait("carol", now), WAIT_MAX);
        throttle.right("carol");
        assert_eq!(throttle.wait("carol", now), Duration::ZERO);
    }

    #[test]
    fn names_that_are_made_up_fill_no_memory_and_push_out_no_account() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..FREE {
            assert_eq!(throttle.attempt("carol", true, now), Duration::ZERO);
        }
        for number in 0..2 * MADE_UP_MAX {
            throttle.attempt(&format!("nobody{number}"), false, now + Duration::from_secs(1));
        }
        assert_eq!(throttle.wrong.len(), MADE_UP_MAX + 1);
        assert_eq!(throttle.attempt("carol", true, now), FIRST_WAIT, "she is not forgotten");
        throttle.attempt("dave", true, now + FORGET + Duration::from_secs(1));
        assert_eq!(throttle.wrong.len(), 1);
    }

    #[test]
    fn one_that_waits_is_not_counted() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..FREE {
            throttle.attempt("carol", true, now);
        }
        for _ in 0..40 {
            assert_eq!(throttle.attempt("carol", true, now), FIRST_WAIT);
        }
        assert_eq!(throttle.attempt("carol", true, now + FIRST_WAIT), Duration::ZERO);
        assert_eq!(throttle.wait("carol", now + FIRST_WAIT), 2 * FIRST_WAIT);
    }
}
