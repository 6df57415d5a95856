//! Passwords: argon2id, one at a time, so that signing in takes one core for some 20 ms and never more.

use argon2::{
    Argon2, PasswordVerifier as _,
    password_hash::{PasswordHasher as _, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use super::Refused;
use crate::api::Problem;

/// Shortest password, characters: what NIST SP 800-63B-4 asks of one that stands alone is 15; with throttling and a
/// memory-hard digest twelve are as good.
pub(super) const CHARACTERS_MIN: usize = 12;
/// Longest, octets.
pub(super) const OCTETS_MAX: usize = 256;
/// Sign-ins that wait for the one before; more are told to come again.
const WAITING: usize = 16;

pub(super) struct Passwords {
    one: Semaphore,
    waiting: Semaphore,
}

impl Default for Passwords {
    fn default() -> Passwords {
        Passwords { one: Semaphore::new(1), waiting: Semaphore::new(WAITING) }
    }
}

impl Passwords {
    /// Whether this is the password that argon2id made `known` of. Takes as long where there is none, so that nobody
    /// learns from the time which accounts there are.
    pub(super) async fn is_right(&self, password: String, known: Option<String>) -> Result<bool, Refused> {
        self.work(move || match known {
            Some(known) => PasswordHash::new(&known)
                .is_ok_and(|known| Argon2::default().verify_password(password.as_bytes(), &known).is_ok()),
            None => {
                drop(Argon2::default().hash_password(password.as_bytes()));
                false
            }
        })
        .await
    }

    /// What is kept of a password.
    pub(super) async fn digest(&self, password: String) -> Result<String, Refused> {
        let made = self
            .work(move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()));
        made.await?.map_err(|error| Problem::internal(error).into())
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
        let busy = || Refused::from(Problem::busy("Too many people sign in at once: try again in a moment."));
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        let _one = self.one.acquire().await.map_err(|_| busy())?;
        tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(error).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_is_not_kept() {
        let passwords = Passwords::default();
        let kept = passwords.digest("correct horse battery".to_owned()).await.unwrap_or_default();
        assert!(kept.starts_with("$argon2id$") && !kept.contains("horse"), "{kept}");
        for (password, known, is_right) in [
            ("correct horse battery", Some(kept.clone()), true),
            ("correct horse", Some(kept.clone()), false),
            ("correct horse battery", None, false),
            ("correct horse battery", Some("no digest".to_owned()), false),
        ] {
            let answer = passwords.is_right(password.to_owned(), known).await;
            assert_eq!(answer.ok(), Some(is_right), "{password}");
        }
    }
}
