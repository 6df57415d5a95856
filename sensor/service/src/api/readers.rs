//! Readers of the store, few and kept open. What is slow is slow for the API alone.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Semaphore;

use super::Problem;
use crate::store::{StoreError, StoreReader};

/// Questions answered at once: what two cores read side by side while the service writes, and one long one that does
/// not hold the others up.
const READERS: usize = 4;
/// Questions that wait for a reader: a page of the portal asks some six things at once, so ten people at once.
const WAITING: usize = 64;
/// How long one waits before it is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the store may think about one. What has an index takes milliseconds; filters of which each takes millions of
/// connections and which together take none could take minutes. No longer than others wait: they get their turn.
const THINKING: Duration = PATIENCE;

pub(crate) struct Readers {
    path: PathBuf,
    thinking: Duration,
    /// Each with the number of the file it reads: a rebuild puts another in its place.
    idle: Arc<Mutex<Vec<(StoreReader, u64)>>>,
    admitted: Semaphore,
    running: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Readers {
        Readers {
            path,
            thinking: THINKING,
            idle: Arc::default(),
            admitted: Semaphore::new(READERS + WAITING),
            running: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// Runs work that blocks: 503 if too many questions wait already, or this one waited too long. A question whose
    /// asker went away keeps its place until it is answered, so that nobody can start more than there are places.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let busy = || Problem::busy("too many questions at once: ask again in a moment");
        let _admitted = self.admitted.try_acquire().map_err(|_| busy())?;
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.running).acquire_owned()).await;
        let Ok(Ok(place)) = place else { return Err(busy()) };
        let work = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        work.await.unwrap_or_else(|error| Err(Problem::internal(error)))
    }

    /// The same with a reader of the store, which it sees as it is at one moment.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&StoreReader) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (path, idle, thinking) = (self.path.clone(), Arc::clone(&self.idle), self.thinking);
        self.run(move || {
            let file = file_number(&path);
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let (mut reader, file) = match kept {
                Some((reader, of)) if Some(of) == file => (reader, file),
                _ => (StoreReader::open(&path)?, file),
            };
            reader.give_up_after(thinking)?;
            let outcome = reader.at_one_moment(work);
            if let Some(file) = file.filter(|_| reader.is_idle()) {
                idle.lock().unwrap_or_else(PoisonError::into_inner).push((reader, file));
            }
            outcome
        })
        .await
    }
}

fn file_number(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|file| file.ino())
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match error {
            StoreError::Missing(_) | StoreError::Unmade { .. } => {
                Problem::busy("there is no store yet: the service is starting")
            }
            // As often as four readers take so long at most.
            error @ StoreError::TooLong => {
                tracing::warn!("a question to the store was given up: {error}");
                Problem::busy(error.to_string())
            }
            error if error.may_pass() => {
                tracing::warn!("the API cannot answer: {error}");
                Problem::busy("the store is busy: ask again in a moment")
            }
            error => Problem::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use axum::{http::StatusCode, response::IntoResponse as _};

    use super::*;
    use crate::store::{SessionFilter, Store};

    /// A store in which one VPN server and one place have many connections each, and none in common.
    fn store_of_two_halves(path: &Path) {
        drop(Store::open(path).unwrap());
        let fill =
            "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 20000)
            INSERT INTO session (number, server, place, session_id, start, start_source, last_seen, assigned)
            SELECT n, 1 + n % 2, 1 + n % 2, 's', n, 'arrival', n, '[]' FROM counted";
        rusqlite::Connection::open(path).unwrap().execute_batch(fill).unwrap();
    }

    #[tokio::test]
    async fn a_question_that_the_store_thinks_about_for_long_is_given_up_and_the_next_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(crate::store::FILE);
        store_of_two_halves(&path);
        let mut readers = Readers { thinking: Duration::ZERO, ..Readers::new(path) };
        let filter = SessionFilter { server_number: Some(1), place: Some(2), ..SessionFilter::default() };
        let ask = |filter: SessionFilter| move |store: &StoreReader| Ok(store.sessions(&filter, 50)?.len());
        let refused = readers.read(ask(filter.clone())).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(refused.detail().contains("ask about less"), "{}", refused.detail());
        readers.thinking = THINKING;
        assert_eq!(readers.read(ask(filter)).await.unwrap(), 0, "by the same reader of the store");
    }

    #[tokio::test]
    async fn what_is_asked_at_once_is_of_one_moment_whatever_is_written_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(crate::store::FILE);
        store_of_two_halves(&path);
        let readers = Readers::new(path.clone());
        let count =
            |store: &StoreReader| Ok::<_, Problem>(store.sessions(&SessionFilter::default(), 50_000)?.len());
        let counts = readers.read(move |store| {
            let before = count(store)?;
            let written =
                rusqlite::Connection::open(&path).unwrap().execute("DELETE FROM session WHERE place = 1", []);
            assert_eq!(written.unwrap(), 10_000);
            Ok((before, count(store)?))
        });
        assert_eq!(counts.await.unwrap(), (20_000, 20_000));
        assert_eq!(readers.read(count).await.unwrap(), 10_000, "the next ones see it");
    }

    #[tokio::test]
    async fn more_questions_than_there_is_room_for_are_told_to_come_again() {
        let readers = Arc::new(Readers::new(PathBuf::new()));
        let mut release = Vec::new();
        let mut questions = Vec::new();
        for _ in 0..READERS + WAITING {
            let (sender, held) = mpsc::channel::<()>();
            release.push(sender);
            let readers = Arc::clone(&readers);
            // Ends when its sender is dropped.
            questions.push(tokio::spawn(async move { readers.run(move || Ok(held.recv().is_err())).await }));
        }
        while readers.admitted.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = readers.run(|| Ok(())).await.unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()["retry-after"], "1");
        drop(release);
        for question in questions {
            drop(question.await.unwrap());
        }
        assert!(readers.run(|| Ok(())).await.is_ok(), "there is room again");
    }
}
