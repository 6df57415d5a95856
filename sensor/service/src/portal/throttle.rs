//! Guessing made slow: wrong passwords are counted by account. What bounds guesses at all accounts together is that one
//! [`password`](super::password) is looked at at a time.

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
/// Accounts, made up ones among them, that are followed. A guesser who makes up more names pushes out the oldest;
/// those that exist are then still kept back by what one [`password`](super::password) at a time allows.
const ACCOUNTS_MAX: usize = 1024;

#[derive(Default)]
pub(super) struct Throttle {
    wrong: HashMap<String, Wrong>,
}

#[derive(Clone, Copy)]
struct Wrong {
    count: u32,
    last: Instant,
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

    /// A password was wrong.
    pub(super) fn wrong(&mut self, account: &str, now: Instant) {
        self.wrong.retain(|_, wrong| now.saturating_duration_since(wrong.last) < FORGET);
        if !self.wrong.contains_key(account) && self.wrong.len() >= ACCOUNTS_MAX {
            let oldest = self.wrong.iter().min_by_key(|(_, wrong)| wrong.last).map(|(name, _)| name.clone());
            if let Some(oldest) = oldest {
                self.wrong.remove(&oldest);
            }
        }
        let wrong = self.wrong.entry(account.to_owned()).or_insert(Wrong { count: 0, last: now });
        *wrong = Wrong { count: wrong.count.saturating_add(1), last: now };
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
            throttle.wrong("carol", now);
            assert_eq!(throttle.wait("carol", now), Duration::ZERO);
        }
        for wait in [30, 60, 120, 240] {
            throttle.wrong("carol", now);
            assert_eq!(throttle.wait("carol", now), Duration::from_secs(wait));
            assert_eq!(throttle.wait("dave", now), Duration::ZERO);
            now += Duration::from_secs(wait);
            assert_eq!(throttle.wait("carol", now), Duration::ZERO);
        }
        for _ in 0..40 {
            throttle.wrong("carol", now);
        }
        assert_eq!(throttle.wait("carol", now), WAIT_MAX);
        throttle.right("carol");
        assert_eq!(throttle.wait("carol", now), Duration::ZERO);
    }

    #[test]
    fn names_that_are_made_up_fill_no_memory() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for number in 0..3 * ACCOUNTS_MAX {
            throttle.wrong(&format!("nobody{number}"), now);
        }
        assert_eq!(throttle.wrong.len(), ACCOUNTS_MAX);
        throttle.wrong("carol", now + FORGET);
        assert_eq!(throttle.wrong.len(), 1);
    }
}
