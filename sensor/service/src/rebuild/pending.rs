//! Sessions of a rebuild on their way to the store. A session changes with each of its messages; here only the newest
//! change of each waits, so that most are written once, when they are over or all is read.

use std::{collections::HashMap, hash::BuildHasherDefault};

use crate::{
    fold::{NumberHasher, Outcome, SessionChange},
    store::{Bulk, StoreError},
};

/// Sessions that wait at most in a rebuild on a usual host: those of a million users, and half as many that are over.
/// About 400 MB.
pub const WAITING_MAX: usize = 1_500_000;

/// The newest change of each.
#[derive(Debug)]
pub(super) struct Pending {
    changes: HashMap<u64, SessionChange, BuildHasherDefault<NumberHasher>>,
    max: usize,
}

impl Pending {
    pub(super) fn new(max: usize) -> Pending {
        Pending { changes: HashMap::default(), max }
    }

    /// Takes the sessions of an outcome, and writes what became of them where there are too many.
    pub(super) fn take(&mut self, outcome: &mut Outcome, bulk: &mut Bulk) -> Result<(), StoreError> {
        self.changes.extend(outcome.sessions.drain(..).map(|change| (change.number(), change)));
        if let Some(before) = outcome.forget_before_unix_ns {
            self.forget_before(before);
            bulk.forget_before(before)?;
        }
        if self.changes.len() <= self.max {
            return Ok(());
        }
        let is_over = |change: &SessionChange| match change {
            SessionChange::Stands(stands, _) => stands.session.end().is_some(),
            SessionChange::Gone(_) => true,
        };
        self.write(bulk, is_over)?;
        // Mostly open ones: to look for the others again and again would cost more than it saves.
        if self.changes.len() > self.max / 4 * 3 { self.write_all(bulk) } else { Ok(()) }
    }

    /// Writes all.
    pub(super) fn write_all(&mut self, bulk: &mut Bulk) -> Result<(), StoreError> {
        self.write(bulk, |_| true)
    }

    fn write(&mut self, bulk: &mut Bulk, is_due: impl Fn(&SessionChange) -> bool) -> Result<(), StoreError> {
        let mut due: Vec<SessionChange> =
            self.changes.extract_if(|_, change| is_due(change)).map(|(_, change)| change).collect();
        due.sort_unstable_by_key(SessionChange::number);
        bulk.write_sessions(&due)
    }

    /// What would be in the store and be forgotten there. An older row of it may be in the store.
    fn forget_before(&mut self, unix_ns: u64) {
        for change in self.changes.values_mut() {
            if let SessionChange::Stands(stands, _) = change
                && stands.session.start_unix_ns < unix_ns
                && stands.session.last_seen_unix_ns < unix_ns
            {
                *change = SessionChange::Gone(stands.session.number);
            }
        }
    }
}
