//! What another process asks of the running service: put in by the command line, taken and executed by the service.

use rusqlite::{OptionalExtension as _, Row, params};
use serde::Serialize;

use super::{Control, ControlError, now_unix_s};

/// A request to be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its number.
    pub number: i64,
    /// What is to be done.
    pub kind: String,
    /// With what, in a form that the kind decides.
    pub body: String,
}

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestState {
    /// Nobody took it yet.
    Waiting,
    /// It is being executed.
    Running,
    /// It was executed.
    Done,
    /// It could not be.
    Failed,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestRow {
    /// How far it is.
    pub state: RequestState,
    /// What the service says of its progress.
    pub progress: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

impl Control {
    /// Puts a request in; its number.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn put_request(&self, kind: &str, body: &str) -> Result<i64, ControlError> {
        let put = self.connection.execute(
            "INSERT INTO request (kind, body, state, put) VALUES (?1, ?2, 'waiting', ?3)",
            params![kind, body, now_unix_s()],
        );
        put.map(|_| self.connection.last_insert_rowid()).map_err(|error| self.flawed(error))
    }

    /// Takes the oldest request that waits. It runs until it is finished.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn take_request(&self) -> Result<Option<Request>, ControlError> {
        let read = |row: &Row<'_>| Ok(Request { number: row.get(0)?, kind: row.get(1)?, body: row.get(2)? });
        self.connection
            .query_row(
                "UPDATE request SET state = 'running'
                 WHERE number = (SELECT min(number) FROM request WHERE state = 'waiting')
                 RETURNING number, kind, coalesce(body, '')",
                [],
                read,
            )
            .optional()
            .map_err(|error| self.flawed(error))
    }

    /// Lets requests wait again that ran when the service was killed. For the service's start: only one takes requests.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn return_requests(&self) -> Result<usize, ControlError> {
        let returned =
            self.connection.execute("UPDATE request SET state = 'waiting' WHERE state = 'running'", []);
        returned.map_err(|error| self.flawed(error))
    }

    /// Says how far a running request is.
    ///
    /// # Errors
    /// [`ControlError::NotRunning`], [`ControlError::Sqlite`].
    pub fn set_progress(&self, number: i64, progress: &str) -> Result<(), ControlError> {
        let set = self.connection.execute(
            "UPDATE request SET progress = ?2 WHERE number = ?1 AND state = 'running'",
            params![number, progress],
        );
        self.changed(number, set)
    }

    /// Finishes a running request. Its body, which may name a person, goes.
    ///
    /// # Errors
    /// [`ControlError::NotRunning`], [`ControlError::Sqlite`].
    pub fn finish_request(&self, number: i64, outcome: Result<(), &str>) -> Result<(), ControlError> {
        let state = if outcome.is_ok() { "done" } else { "failed" };
        let finished = self.connection.execute(
            "UPDATE request SET state = ?2, error = ?3, finished = ?4, body = NULL
             WHERE number = ?1 AND state = 'running'",
            params![number, state, outcome.err(), now_unix_s()],
        );
        self.changed(number, finished)
    }

    /// What became of a request; `None` if there is none of this number.
    ///
    /// # Errors
    /// [`ControlError::Sqlite`].
    pub fn request_state(&self, number: i64) -> Result<Option<RequestRow>, ControlError> {
        let read = |row: &Row<'_>| {
            let state = match row.get_ref(0)?.as_str()? {
                "waiting" => RequestState::Waiting,
                "running" => RequestState::Running,
                "done" => RequestState::Done,
                _ => RequestState::Failed,
            };
            Ok(RequestRow { state, progress: row.get(1)?, error: row.get(2)? })
        };
        self.connection
            .query_row("SELECT state, progress, error FROM request WHERE number = ?1", [number], read)
            .optional()
            .map_err(|error| self.flawed(error))
    }

    fn changed(&self, number: i64, changed: rusqlite::Result<usize>) -> Result<(), ControlError> {
        match changed.map_err(|error| self.flawed(error))? {
            0 => Err(ControlError::NotRunning(number)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_from_one_process_to_another_and_survives_a_kill() {
        let folder = tempfile::tempdir().unwrap();
        let (asks, serves) = (Control::open(folder.path()).unwrap(), Control::open(folder.path()).unwrap());
        assert_eq!(serves.take_request().unwrap(), None);
        let (first, second) =
            (asks.put_request("forget", "alice").unwrap(), asks.put_request("forget", "bob").unwrap());
        let state = |number| asks.request_state(number).unwrap().unwrap();
        assert_eq!(state(first).state, RequestState::Waiting);
        let taken = serves.take_request().unwrap().unwrap();
        assert_eq!((taken.number, &*taken.kind, &*taken.body), (first, "forget", "alice"));
        serves.set_progress(first, "journal").unwrap();
        assert_eq!(state(first).progress.as_deref(), Some("journal"));

        let restarted = Control::open(folder.path()).unwrap();
        assert_eq!(restarted.return_requests().unwrap(), 1);
        assert_eq!(restarted.take_request().unwrap(), Some(taken));
        restarted.finish_request(first, Ok(())).unwrap();
        assert_eq!(state(first).state, RequestState::Done);
        assert!(matches!(restarted.finish_request(first, Ok(())), Err(ControlError::NotRunning(_))));
        restarted.take_request().unwrap().unwrap();
        restarted.finish_request(second, Err("no such user")).unwrap();
        assert_eq!(state(second).error.as_deref(), Some("no such user"));
        assert_eq!(asks.request_state(99).unwrap(), None);
    }
}
