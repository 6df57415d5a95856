//! A sink's thread: takes messages in order, sends them, moves the cursor when they have arrived, and tries again what
//! failed, after half a second, a second and so on: up to 3 s where the peer cannot be reached, up to 30 s where it says that
//! it takes nothing now.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crossbeam::channel::{Receiver, RecvTimeoutError, TryRecvError};

use super::{Failure, Message, Peer, Progress, REST_MAX, Spool};
use crate::export::{format, spool::Entry};

/// Messages between two writes of what is going to be tried; so many are doubtful behind a kill.
const BATCH: usize = 64;
/// How long the thread rests when there is nothing to send; a new message ends it.
const IDLE: Duration = Duration::from_millis(200);
/// Before the first of several attempts.
const REST_MIN: Duration = Duration::from_millis(500);

pub(super) struct Delivery {
    name: String,
    spool: Arc<Spool>,
    peer: Box<dyn Peer>,
    progress: Arc<Mutex<Progress>>,
    /// Closed when the thread is to end.
    stopping: Receiver<()>,
    /// The last message that the peer was given.
    handed: u64,
    rest: Duration,
}

/// Why nothing more is sent for now.
struct Setback {
    /// Why, and what to do.
    reason: String,
    rest_max: Duration,
}

impl Delivery {
    pub(super) fn new(
        name: String,
        spool: Arc<Spool>,
        peer: Box<dyn Peer>,
        progress: Arc<Mutex<Progress>>,
        stopping: Receiver<()>,
    ) -> Delivery {
        Delivery { name, spool, peer, progress, stopping, handed: 0, rest: REST_MIN }
    }

    pub(super) fn run(mut self) {
        while !self.is_stopping() {
            match self.turn() {
                Ok(true) => {}
                Ok(false) => self.spool.wait(IDLE),
                Err(Setback { reason, rest_max }) => {
                    self.tell_failure(&reason);
                    match self.stopping.recv_timeout(self.rest.min(rest_max)) {
                        Err(RecvTimeoutError::Timeout) => {}
                        _ => break,
                    }
                    self.rest = (self.rest * 2).min(rest_max);
                }
            }
        }
        let certain = self.peer.close();
        let settled = certain.map_or(Ok(()), |sequence| self.spool.confirm(sequence));
        let settled = settled.and_then(|()| self.spool.give_back(self.handed));
        if let Err(error) = settled.and_then(|()| self.spool.close()) {
            tracing::warn!(
                "sink {:?}: its cursor cannot be written: {error}; messages may be sent again at the next start",
                self.name
            );
        }
    }

    fn is_stopping(&self) -> bool {
        matches!(self.stopping.try_recv(), Err(TryRecvError::Disconnected))
    }

    /// Sends the next messages; whether there were any.
    fn turn(&mut self) -> Result<bool, Setback> {
        self.settle()?;
        let entries = self.spool.take(BATCH, now_unix_ns()).map_err(|error| spool_failure(&error))?;
        if entries.is_empty() {
            return Ok(false);
        }
        if let Err(error) = self.spool.intend() {
            return Err(self.take_back(self.handed, spool_failure(&error)));
        }
        for entry in &entries {
            if self.is_stopping() {
                break;
            }
            // Somebody may have been forgotten since the messages were taken.
            if self.spool.is_wanted(entry.sequence) {
                self.send(entry)?;
            }
        }
        self.settle()?;
        Ok(true)
    }

    fn send(&mut self, entry: &Entry) -> Result<(), Setback> {
        let may_be_twice = self.spool.is_doubtful(entry.sequence);
        let body = match may_be_twice {
            true => Cow::Owned(format::mark_perhaps_twice(entry.format, &entry.body)),
            false => Cow::Borrowed(&*entry.body),
        };
        match self.peer.send(&Message { entry, body: &body, may_be_twice }) {
            Ok(()) => {
                self.handed = entry.sequence;
                self.tell_success();
                if self.peer.is_prompt() { self.settle() } else { Ok(()) }
            }
            Err(Failure::Refused(reason)) => {
                self.handed = entry.sequence;
                self.tell_refusal(&reason);
                self.spool.refuse(entry.sequence).map_err(|error| spool_failure(&error))
            }
            Err(Failure::Unreachable { reason, may_have_arrived, rest_max }) => {
                let handed = if may_have_arrived { entry.sequence } else { self.handed };
                Err(self.take_back(handed, Setback { reason, rest_max }))
            }
        }
    }

    /// Moves the cursor over what has certainly arrived.
    fn settle(&mut self) -> Result<(), Setback> {
        match self.peer.certain() {
            Ok(None) => Ok(()),
            Ok(Some(sequence)) => self.spool.confirm(sequence).map_err(|error| spool_failure(&error)),
            Err(Failure::Unreachable { reason, rest_max, .. }) => {
                Err(self.take_back(self.handed, Setback { reason, rest_max }))
            }
            Err(Failure::Refused(reason)) => {
                Err(self.take_back(self.handed, Setback { reason, rest_max: REST_MAX }))
            }
        }
    }

    /// What is not certain waits again.
    fn take_back(&self, handed: u64, setback: Setback) -> Setback {
        let Setback { reason, rest_max } = setback;
        match self.spool.give_back(handed) {
            Ok(()) => Setback { reason, rest_max },
            Err(error) => Setback { reason: format!("{reason}; {}", spool_failure(&error).reason), rest_max },
        }
    }

    fn tell_success(&mut self) {
        self.rest = REST_MIN;
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.sent += 1;
        if std::mem::take(&mut progress.is_down) {
            let waiting = self.spool.backlog().waiting;
            tracing::info!("sink {:?} takes messages again; {waiting} waited", self.name);
        }
        let refusals = self.peer.refusals();
        if let Some(refusals) = refusals.filter(|refusals| !refusals.is_empty()) {
            let refused = format!("some recipients are refused for good: {}", refusals.join(", "));
            if progress.recipients_refused.as_deref() != Some(refusals) {
                tracing::error!("sink {:?}: {refused}; the others get their messages, check `to`", self.name);
            }
            progress.last_error = Some(refused);
        }
        progress.recipients_refused = refusals.map(<[String]>::to_vec);
    }

    fn tell_refusal(&self, reason: &str) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.refused == 0 {
            tracing::error!(
                "sink {:?} refuses a message for good: {reason}; it is lost, and so will others be: they are counted",
                self.name
            );
        }
        progress.refused += 1;
        progress.last_error = Some(reason.to_owned());
    }

    fn tell_failure(&self, reason: &str) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut progress.is_down, true) {
            tracing::error!(
                "sink {:?}: {reason}; messages wait in its spool until it takes them or they fall out",
                self.name
            );
        }
        progress.failures += 1;
        progress.last_error = Some(reason.to_owned());
    }
}

fn spool_failure(error: &std::io::Error) -> Setback {
    let reason =
        format!("its spool fails: {error}; free space on the file system of the state directory or mend it");
    Setback { reason, rest_max: REST_MAX }
}

fn now_unix_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}
