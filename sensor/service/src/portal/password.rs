//! Passwords: argon2id, one at a time, so that signing in takes one core for some 20 ms and 19 MiB, and never more.

use std::sync::Arc;

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
    one: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Passwords {
        Passwords { one: Arc::new(Semaphore::new(1)), waiting: Arc::new(Semaphore::new(WAITING)) }
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

    /// Whoever went away keeps the place until the work is done, which nothing stops: else those who come and go could
    /// start more than one.
    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
        let busy = || Refused::from(Problem::busy("Too many people sign in at once: try again in a moment."));
        let waiting = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| busy())?;
        let one = Arc::clone(&self.one).acquire_owned().await.map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            let _places = (waiting, one);
            work()
        });
        done.await.map_err(|error| Problem::internal(error).into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn who_goes_away_keeps_the_place_until_the_work_ends() {
        let passwords = Arc::new(Passwords::default());
        let (begin, begun) = oneshot::channel();
        let (end, ended) = mpsc::channel::<()>();
        let asker = tokio::spawn({
            let passwords = Arc::clone(&passwords);
            async move {
                let work = move || {
                    let _ = begin.send(());
                    ended.recv().is_err()
                };
                passwords.work(work).await.is_ok()
            }
        });
        begun.await.unwrap();
        asker.abort();
        assert!(asker.await.unwrap_err().is_cancelled());
        let free = || (passwords.one.available_permits(), passwords.waiting.available_permits());
        assert_eq!(free(), (0, WAITING - 1), "it still works");
        drop(end);
        assert!(passwords.work(|| true).await.is_ok_and(|done| done));
        assert_eq!(free(), (1, WAITING));
    }

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
