//! What a sink has not got yet: messages in files, with a cursor, bounded by age and size. One for each sink.
//!
//! | file | what lives there |
//! |---|---|
//! | `entry` | a message as it lies in a file |
//! | `segment` | a file of messages |
//! | `cursor` | how far the sink is |
//! | `filter` | which alerts were for it, and from when on |
//! | `state` | all of it together, under the lock; messages are kept, the oldest fall out |
//! | `age` | by which clock messages grow old |
//! | `room` | how much may wait, by the disk's room |
//! | `sending` | messages are taken and done with |
//! | `forget` | messages of a person taken out |
//!
//! Two call: who hands messages over ([`Spool::push`]), and the sink's thread (all else). Handing over waits for no disk to
//! sync and for no peer: what cannot be written, because the disk is full or the limit is met, is counted as lost. What
//! was written survives a kill; loss of power takes the end of the file, with the mark by which whoever handed it over
//! knows how far that was ([`Spool::mark`]), so that it is handed over again.
//!
//! Before messages are sent it is made durable up to which one that is tried. A message that was tried and is not done with
//! at a start, or behind a failure, is doubtful: it may have arrived.

mod age;
mod cursor;
mod entry;
mod filter;
mod forget;
mod room;
mod segment;
mod sending;
mod state;

#[cfg(test)]
mod tests;

pub use policy::sink::Limits;
use std::{
    io,
    path::Path,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub use entry::{Draft, Entry, MESSAGE_MAX, Origin};

use crate::{alert::Severity, export::format::Kind, forget::Person};
use state::State;

/// What became of a message that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It waits.
    Waiting,
    /// It was there before.
    Known,
    /// There is no room for it, or no disk.
    Lost,
}

/// How a spool stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Messages that are not done with.
    pub waiting: u64,
    /// Messages that fell out or were never kept, since the spool was made.
    pub lost: u64,
    /// When the oldest waiting one was kept, about, ns since 1970 UTC.
    pub oldest_unix_ns: Option<u64>,
    /// Octets of its files.
    pub octets: u64,
}

/// A spool.
#[derive(Debug)]
pub struct Spool {
    state: Mutex<State>,
    changed: Condvar,
}

impl Spool {
    /// Opens the spool in a folder, or makes it: for this process's user alone. What a crash tore is cut off.
    ///
    /// # Errors
    /// The folder or a file in it cannot be made, read or cut.
    pub fn open(folder: &Path, limits: Limits) -> io::Result<Spool> {
        Ok(Spool { state: Mutex::new(State::open(folder, limits)?), changed: Condvar::new() })
    }

    /// Keeps a message.
    pub fn push(&self, draft: &Draft<'_>, now_unix_ns: u64) -> Kept {
        let kept = self.lock().push(draft, now_unix_ns);
        self.changed.notify_all();
        kept
    }

    /// Notes that a message of this origin is not for this sink.
    pub fn pass_over(&self, kind: Kind, origin: Origin) {
        self.lock().pass_over(kind, origin);
    }

    /// Of a spool that never got anything of this sort: what comes behind `origin` is for it, also behind a kill.
    ///
    /// # Errors
    /// The cursor cannot be written.
    pub fn begin(&self, kind: Kind, origin: Origin) -> io::Result<()> {
        self.lock().begin(kind, origin)
    }

    /// Alerts of this severity and above are for this sink from here on, or none at all. One that had none begins with what
    /// comes behind `origin`, as one does that never got anything.
    ///
    /// # Errors
    /// What notes it cannot be written.
    pub fn filter_alerts(&self, origin: Origin, least: Option<Severity>) -> io::Result<()> {
        self.lock().filter_alerts(origin, least)
    }

    /// Whether a notice of this sequence about an alert was for this sink, by what it wanted then; none: that is not known.
    pub fn had_passed(&self, sequence: u64, severity: Severity) -> Option<bool> {
        self.lock().filter.passed(sequence, severity)
    }

    /// Lets what is too old fall out.
    pub fn expire(&self, now_unix_ns: u64) {
        self.lock().expire(now_unix_ns);
    }

    /// Makes everything durable, the marks included: for a clean stop.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn close(&self) -> io::Result<()> {
        self.lock().close()
    }

    /// The last origin of this sort that was kept, or was lost: what comes before it need not be handed over again. None
    /// for a spool that never got one.
    pub fn mark(&self, kind: Kind) -> Option<Origin> {
        self.lock().mark(kind)
    }

    /// The next messages, at most so many, behind those taken before. What is too old is left out and counted as lost.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn take(&self, messages_max: usize, now_unix_ns: u64) -> io::Result<Vec<Entry>> {
        self.lock().take(messages_max, now_unix_ns)
    }

    /// Makes what was taken durable, and that it is going to be sent.
    ///
    /// # Errors
    /// A file cannot be written: nothing may be sent.
    pub fn intend(&self) -> io::Result<()> {
        let files = self.lock().intend()?;
        for file in files {
            file.sync_data()?;
        }
        Ok(())
    }

    /// Everything taken up to this sequence is done with.
    ///
    /// # Errors
    /// The cursor cannot be written; what is done with may be sent again, marked, behind the next start.
    pub fn confirm(&self, sequence: u64) -> io::Result<()> {
        let cursor = self.lock().confirm(sequence)?;
        // The marks of what is removed stand in the cursor alone from there on.
        if let Some(cursor) = cursor {
            cursor.sync_data()?;
            self.lock().purge()?;
        }
        Ok(())
    }

    /// The peer will never take this message: it is lost.
    ///
    /// # Errors
    /// As of [`Spool::confirm`].
    pub fn refuse(&self, sequence: u64) -> io::Result<()> {
        self.lock().lose(1);
        self.confirm(sequence)
    }

    /// So many messages could not be handed over.
    pub fn lose(&self, messages: u64) {
        self.lock().lose(messages);
    }

    /// Sending failed: what was taken and is not done with waits again. Those up to `handed` may have arrived.
    ///
    /// # Errors
    /// The cursor cannot be written.
    pub fn give_back(&self, handed: u64) -> io::Result<()> {
        self.lock().give_back(handed)
    }

    /// Whether a message may have arrived before.
    pub fn is_doubtful(&self, sequence: u64) -> bool {
        self.lock().is_doubtful(sequence)
    }

    /// Whether a message that was taken is still to be sent: nobody was forgotten meanwhile.
    pub fn is_wanted(&self, sequence: u64) -> bool {
        self.lock().is_wanted(sequence)
    }

    /// Takes all messages out that are of a person or name the person, and all that are done with. Returns how many were
    /// taken out that waited.
    ///
    /// # Errors
    /// A file cannot be read or written; it can be tried again.
    pub fn forget(&self, person: &Person) -> io::Result<u64> {
        self.lock().forget(person)
    }

    /// How it stands.
    pub fn backlog(&self) -> Backlog {
        self.lock().backlog()
    }

    /// Waits until something is handed over or [`Spool::wake`] is called, or for so long.
    pub fn wait(&self, longest: Duration) {
        let guard = self.lock();
        if guard.has_unread() {
            return;
        }
        drop(self.changed.wait_timeout(guard, longest).unwrap_or_else(PoisonError::into_inner));
    }

    /// Ends a wait.
    pub fn wake(&self) {
        // With the lock, or a wait that has looked and not begun would sleep on.
        let _guard = self.lock();
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
