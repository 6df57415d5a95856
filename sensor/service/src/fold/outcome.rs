//! What the fold changed, on its way to the store. Everything in it is how things stand, never a difference: taken twice
//! it changes nothing, and of two changes of one thing only the newer counts. So it does not matter where one outcome
//! ends and the next begins, nor whether one is taken again after a crash.

use std::{collections::BTreeMap, sync::Arc};

use insight::vpn::session::{Change, Server};

use super::{Placed, Sighting};
use crate::alert::{Alert, Notice};

/// What became of one session.
#[derive(Debug)]
pub enum SessionChange {
    /// How it stands, and where its address is.
    Stands(Change, Option<Arc<Placed>>),
    /// The session of this number was one with another.
    Gone(u64),
}

impl SessionChange {
    /// Number of the session.
    pub fn number(&self) -> u64 {
        match self {
            SessionChange::Stands(change, _) => change.session.number,
            SessionChange::Gone(number) => *number,
        }
    }
}

/// What became of one session, for those who are told of it.
#[derive(Debug)]
pub struct Activity {
    /// The last record that was taken then.
    pub position: u64,
    /// Which of all changes of sessions it was: the same when records and inputs are taken again, and behind a restart it
    /// goes on, also where time goes on without a record.
    pub number: u64,
    /// What became of it.
    pub change: Change,
    /// Through which VPN server.
    pub server: Option<Server>,
    /// Where its address is.
    pub placed: Option<Arc<Placed>>,
}

/// Changes not yet stored.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The last record that is in it.
    pub position: u64,
    /// Sessions; of one that is there twice the last counts.
    pub sessions: Vec<SessionChange>,
    /// VPN servers by number that are new.
    pub servers: BTreeMap<u32, Server>,
    /// Who and what was seen.
    pub sightings: Vec<Sighting>,
    /// Alerts that changed; of one that is there twice the last counts.
    pub alerts: Vec<Alert>,
    /// What happened to them.
    pub notices: Vec<Notice>,
    /// What was last seen before this is kept no longer, ns since 1970 UTC. An outcome with this is stored before the
    /// next record is taken: what is forgotten must not depend on where an outcome ends.
    pub forget_before_unix_ns: Option<u64>,
}

impl Outcome {
    /// How many rows it will be.
    pub fn len(&self) -> usize {
        self.sessions.len()
            + self.sightings.len()
            + self.servers.len()
            + self.alerts.len()
            + self.notices.len()
    }

    /// Empty, with the room that it had: a page of memory that is new for each outcome costs more than what is put there.
    pub(super) fn emptied(mut self) -> Outcome {
        self.sessions.clear();
        self.sightings.clear();
        Outcome { sessions: self.sessions, sightings: self.sightings, ..Outcome::default() }
    }

    /// Whether nothing changed. The position may have moved on.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.forget_before_unix_ns.is_none()
    }
}
