//! What an open alert holds back from the profile of each of its sessions: all of one that was told of as it began; of one
//! that was told of later, what the profile had not learned by then; and how they end. Closed as usual it is learned, and
//! closed as malicious the rest is taken back: `closing`.
//!
//! What comes to be known of a session meanwhile goes into its row, so that all of it is learned then.
//!
//! Bounds: those of `untaught`.

use std::{collections::BTreeSet, net::IpAddr};

use insight::vpn::session::{Change, Happening};
use serde::{Deserialize, Serialize};

use super::{Alerts, Open, crowd, whereabouts::UNTAUGHT_MAX, words};
use crate::{
    alert::Connection,
    fold::learning::{DEVICE, End, LATER, MOVED, PLACE, SOFTWARE, said},
};

/// What one session has not taught.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Withheld {
    /// Parts of its row.
    pub(super) what: u8,
    /// How it ended, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<End>,
}

impl Open {
    /// What a session of its own has not taught.
    pub(super) fn withheld_of(&self, session: u64) -> Withheld {
        let kept = self.withheld.get(&session).copied().unwrap_or_default();
        match self.untaught.contains(&session) {
            true => Withheld { what: kept.what | LATER, ..kept },
            false => kept,
        }
    }

    fn row_mut(&mut self, session: u64) -> Option<&mut Connection> {
        let beside = self.crowd.iter_mut().flat_map(|crowd| &mut crowd.beside);
        let mut rows = self.alert.connections.iter_mut().chain(&mut self.unlisted).chain(beside);
        rows.find(|row| row.session == session)
    }

    /// What a change of one of its sessions says; whether its row says more than before.
    fn withhold(&mut self, change: &Change, unlearned: u8, said_now: &Connection) -> bool {
        let session = change.session.number;
        let Some(row) = self.row_mut(session) else {
            // One that flooded out of the rows may be told of again.
            if let Some(withheld) = self.withheld.get_mut(&session) {
                withheld.take_end(change);
            }
            return false;
        };
        let is_here = row.address == said_now.address;
        let has_more = complete(row, said_now);
        let withheld = self.withheld.entry(session).or_insert(Withheld { what: unlearned, end: None });
        if change.has_moved {
            withheld.what |= MOVED;
        }
        // The row says where it is now, which it has not taught.
        if withheld.what & MOVED != 0 && is_here {
            withheld.what |= PLACE;
        }
        withheld.take_end(change);
        self.bound_withheld();
        has_more
    }

    /// Beyond what is kept the oldest goes that it has no row of any more.
    fn bound_withheld(&mut self) {
        if self.withheld.len() > UNTAUGHT_MAX {
            let oldest = self.withheld.keys().copied().find(|session| !self.is_about(*session));
            oldest.map(|session| self.withheld.remove(&session));
        }
    }
}

impl Alerts {
    /// A change of a session teaches nothing; `unlearned`: of what nothing was learned before it; `said_now`: as it is now.
    pub(in crate::fold) fn withhold(&mut self, change: &Change, unlearned: u8, said_now: &Connection) {
        let session = change.session.number;
        let unlearned = unlearned | self.partly.get(&session).copied().unwrap_or_default();
        let holder = self.held.get(&session).copied();
        let about = self.about(change.session.details.user(), said_now.address);
        let numbers: BTreeSet<u64> = about.into_iter().chain([holder]).flatten().collect();
        for number in numbers {
            let Some(open) = self.open.get_mut(&number) else { continue };
            if open.withhold(change, unlearned, said_now) {
                words::say(&mut open.alert, &open.unlisted);
                self.changed.push(open.alert.clone());
            }
        }
    }

    /// The open alerts about a user and an address.
    fn about(&self, user: Option<&str>, address: Option<IpAddr>) -> [Option<u64>; 2] {
        let address = address.map(|address| crowd::subject(address.to_canonical()));
        [user, address.as_deref()].map(|subject| self.subjects.get(subject?).copied())
    }

    /// A session that was thought over is not: it is held back again where its alert is open.
    pub(in crate::fold) fn hold_again(&mut self, session: u64, user: Option<&str>, address: Option<IpAddr>) {
        for number in self.about(user, address).into_iter().flatten() {
            let withheld = self.open.get_mut(&number).and_then(|open| open.withheld.get_mut(&session));
            if let Some(withheld) = withheld {
                withheld.end = None;
                self.held.insert(session, number);
            }
        }
    }

    /// Whether how a session ends is not usual, since it was told how much it has become, and nobody said that it is.
    pub(in crate::fold) fn is_too_much(&self, session: u64) -> bool {
        self.much.contains_key(&session) && !self.expected.contains(&session)
    }
}

impl Withheld {
    /// As profiles learn it: once, when it is over.
    fn take_end(&mut self, change: &Change) {
        if matches!(change.happening, Happening::Opened | Happening::Closed | Happening::Reopened) {
            self.end = End::told(&change.session);
        }
    }
}

/// Takes into a row what it does not say yet; whether there was anything.
fn complete(row: &mut Connection, said_now: &Connection) -> bool {
    let more = said(said_now) & !said(row);
    let now = said_now.clone();
    if more & DEVICE != 0 {
        row.device = now.device;
    }
    if more & SOFTWARE != 0 {
        row.software = now.software;
    }
    if more & PLACE != 0 {
        (row.address, row.place, row.country) = (now.address, now.place, now.country);
        (row.latitude, row.longitude) = (now.latitude, now.longitude);
        (row.asn, row.organisation, row.kinds) = (now.asn, now.organisation, now.kinds);
    }
    more != 0
}
