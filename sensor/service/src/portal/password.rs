//! Passwords: argon2id, one at a time, so that signing in takes one core for some 20 ms and 19 MiB, and takes the core
//! from nobody who has something to do.

use std::{sync::Arc, thread, time::Duration};

use argon2::{
    Argon2, PasswordVerifier as _,
    password_hash::{PasswordHasher as _, phc::PasswordHash},
};
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id, thread_schedule_policy,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

use super::Refused;
use crate::api::Problem;

/// Shortest password, characters: what NIST SP 800-63B-4 asks of one that stands alone is 15; with throttling and a
/// memory-hard digest twelve are as good.
pub(super) const CHARACTERS_MIN: usize = 12;
/// Longest, octets.
pub(super) const OCTETS_MAX: usize = 256;
/// Sign-ins that wait for the one before; more are told to come again.
const WAITING: usize = 16;
/// How long a password waits for a core that nobody else wants: on a host whose cores are full there is none for minutes,
/// and people must be able to sign in there. Fifty times what one takes.
const IDLE_TIME: Duration = Duration::from_secs(1);

pub(super) struct Passwords {
    one: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// The thread that runs when nobody else wants to.
    idle: Arc<Semaphore>,
    idle_time: Duration,
}

impl Default for Passwords {
    fn default() -> Passwords {
        let [one, waiting, idle] = [1, WAITING, 1].map(|places| Arc::new(Semaphore::new(places)));
        Passwords { one, waiting, idle, idle_time: IDLE_TIME }
    }
}

/// The one place where a password is looked at, held.
pub(super) struct Place {
    _waiting: OwnedSemaphorePermit,
    _one: OwnedSemaphorePermit,
}

impl Passwords {
    /// Waits for the place where passwords are looked at.
    pub(super) async fn place(&self) -> Result<Place, Refused> {
        let busy = || Refused::from(Problem::busy("Too many people sign in at once: try again in a moment."));
        let waiting = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| busy())?;
        let one = Arc::clone(&self.one).acquire_owned().await.map_err(|_| busy())?;
        Ok(Place { _waiting: waiting, _one: one })
    }

    /// Whether this is the password that argon2id made `known` of. Takes as long where there is none, be it that there is no
    /// such account or that it has no password, so that nobody learns from the time which accounts there are, and which are
    /// of a provider.
    pub(super) async fn is_right(
        &self,
        place: Place,
        password: String,
        known: Option<String>,
    ) -> Result<bool, Refused> {
        self.work(place, move || match known.as_deref().map(PasswordHash::new) {
            Some(Ok(known)) => Argon2::default().verify_password(password.as_bytes(), &known).is_ok(),
            _ => {
                drop(Argon2::default().hash_password(password.as_bytes()));
                false
            }
        })
        .await
    }

    /// Those who wait for it, or have it.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        WAITING - self.waiting.available_permits()
    }

    /// What is kept of a password.
    pub(super) async fn digest(&self, password: String) -> Result<String, Refused> {
        let place = self.place().await?;
        let made = self.work(place, move || {
            Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
        });
        made.await?.map_err(|error| Problem::internal(error).into())
    }

    /// Whoever went away keeps the place until the work is done, which nothing stops: else those who come and go could
    /// start more than one.
    ///
    /// The work is done where nobody else wants the core; where that takes too long it is done once more, as urgent as the
    /// portal, and whichever ends first is the answer. What still waits for an idle core then is one thread at most: as
    /// long as it waits nobody else does.
    async fn work<T: Send + 'static>(
        &self,
        at: Place,
        work: impl Fn() -> T + Send + Sync + 'static,
    ) -> Result<T, Refused> {
        let (idle, idle_time) = (Arc::clone(&self.idle).try_acquire_owned().ok(), self.idle_time);
        let done = tokio::spawn(async move {
            let _place = at;
            let work = Arc::new(work);
            if let Some(place) = idle
                && let Some(done) = in_idle_time(idle_time, place, Arc::clone(&work)).await
            {
                return Ok(done);
            }
            tokio::task::spawn_blocking(move || work()).await
        });
        let done = done.await.and_then(|done| done);
        done.map_err(|error| Problem::internal(error).into())
    }
}

/// Does the work in a thread that runs when nobody else wants to; `None` when that takes longer than `time`.
///
/// The thread is one of its own: there is no way back out of its class without privileges, so none that others use may be
/// lent for it.
async fn in_idle_time<T: Send + 'static>(
    time: Duration,
    place: OwnedSemaphorePermit,
    work: Arc<impl Fn() -> T + Send + Sync + 'static>,
) -> Option<T> {
    let (tell, done) = oneshot::channel();
    let thread = thread::Builder::new().name("password".to_owned()).spawn(move || {
        give_way();
        let done = work();
        // Free before anybody is told, so that the next finds it so; whoever asked may be gone.
        drop(place);
        let _ = tell.send(done);
    });
    if let Err(error) = thread {
        tracing::warn!(
            "a password is looked at by a thread that is as urgent as the portal (thread: {error})"
        );
        return None;
    }
    timeout(time, done).await.ok()?.ok()
}

/// What runs when nothing else wants to (`SCHED_IDLE`, sched(7)). A thread that is nice only keeps its core for a slice of
/// some milliseconds when a worker wakes; one of this class loses it at once.
const IDLE: ThreadSchedulePolicy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);

/// Puts this thread into the class of idle ones.
fn give_way() {
    let asked = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, IDLE);
    // The call goes on to a nice value, which an idle thread has no use for and an unprivileged one may not lower. What
    // counts is the class.
    if thread_schedule_policy() != Ok(IDLE) {
        tracing::warn!(
            "a password is looked at by a thread that is as urgent as the portal (sched_setscheduler: {asked:?})"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use tokio::sync::oneshot;

    use super::*;

    /// Work at the place where passwords are looked at.
    async fn done<T: Send + 'static>(
        passwords: &Passwords,
        work: impl Fn() -> T + Send + Sync + 'static,
    ) -> Option<T> {
        let place = passwords.place().await.ok()?;
        passwords.work(place, work).await.ok()
    }

    fn free(passwords: &Passwords) -> [usize; 3] {
        [&passwords.one, &passwords.waiting, &passwords.idle].map(|places| places.available_permits())
    }

    #[tokio::test]
    async fn who_goes_away_keeps_the_place_until_the_work_ends() {
        let passwords = Arc::new(Passwords { idle_time: Duration::from_secs(600), ..Passwords::default() });
        let (begin, begun) = oneshot::channel();
        let (end, ended) = mpsc::channel::<()>();
        let asker = tokio::spawn({
            let (passwords, begin) = (Arc::clone(&passwords), Mutex::new(Some(begin)));
            let ended = Mutex::new(ended);
            async move {
                let work = move || {
                    let _ = begin.lock().unwrap().take().map(|begin| begin.send(()));
                    ended.lock().unwrap().recv().is_err()
                };
                done(&passwords, work).await.is_some()
            }
        });
        begun.await.unwrap();
        asker.abort();
        assert!(asker.await.unwrap_err().is_cancelled());
        assert_eq!(free(&passwords), [0, WAITING - 1, 0], "it still works");
        drop(end);
        assert!(done(&passwords, || true).await == Some(true));
        assert_eq!(free(&passwords), [1, WAITING, 1]);
    }

    #[tokio::test]
    async fn the_work_gives_way_and_whoever_asks_for_it_does_not() {
        let passwords = Passwords { idle_time: Duration::from_secs(600), ..Passwords::default() };
        let before = thread_schedule_policy();
        let of_the_work = done(&passwords, thread_schedule_policy).await;
        assert_eq!(of_the_work, Some(Ok(IDLE)));
        assert!(before.is_ok() && before != Ok(IDLE), "{before:?}");
        assert_eq!(thread_schedule_policy(), before);
    }

    #[tokio::test]
    async fn where_no_core_is_idle_a_password_is_looked_at_all_the_same() {
        let passwords = Passwords { idle_time: Duration::from_millis(50), ..Passwords::default() };
        let (end, ended) = mpsc::channel::<()>();
        let starving = Mutex::new(ended);
        let work = move || {
            let policy = thread_schedule_policy();
            if policy == Ok(IDLE) {
                let _ = starving.lock().unwrap().recv();
            }
            policy
        };
        let urgent = thread_schedule_policy();
        let patience = Duration::from_secs(60);
        let looked_at =
            timeout(patience, done(&passwords, work)).await.expect("nobody waits for an idle core");
        assert_eq!(looked_at, Some(urgent.clone()));
        // One waits for an idle core at most, and nobody waits for it.
        assert_eq!(passwords.idle.available_permits(), 0);
        assert_eq!(done(&passwords, thread_schedule_policy).await, Some(urgent));
        drop(end);
        while passwords.idle.available_permits() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
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
            ("", Some(String::new()), false),
        ] {
            let place = passwords.place().await.ok().unwrap();
            let answer = passwords.is_right(place, password.to_owned(), known).await;
            assert_eq!(answer.ok(), Some(is_right), "{password}");
        }
    }

    #[tokio::test]
    async fn an_account_without_a_password_takes_as_long_as_one_that_nobody_has() {
        let passwords = Passwords::default();
        let mut least = [Duration::MAX; 2];
        for _ in 0..3 {
            for (least, known) in least.iter_mut().zip([None, Some(String::new())]) {
                let place = passwords.place().await.ok().unwrap();
                let began = std::time::Instant::now();
                let answer = passwords.is_right(place, "correct horse battery".to_owned(), known).await;
                assert_eq!(answer.ok(), Some(false));
                *least = began.elapsed().min(*least);
            }
        }
        let [nobody, without] = least;
        assert!(without > nobody / 8, "{without:?} tells it from {nobody:?}");
    }
}
