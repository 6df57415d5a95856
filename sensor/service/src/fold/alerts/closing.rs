//! What closing an alert does to profiles and detections: they learn what it held back (`withheld`), or unlearn what the
//! stranger and whoever came behind taught, how their sessions ended too. Closed as usual, those of them that still run go on
//! to teach what comes to be known of them and how they end; unless it is, neither.

use std::{
    collections::{BTreeSet, HashSet},
    net::IpAddr,
};

use insight::{detect::ReasonFeature, vpn::session::Session};
use ipnet::IpNet;

use super::{Alerts, Open, Sending, Withheld, crowd};
use crate::{
    alert::{Connection, News, State, Verdict},
    fold::learning::{End, LATER},
};

/// What closing an alert does to the profiles.
#[derive(Debug, Default)]
pub(in crate::fold) struct Lessons {
    /// The oldest first, as they came.
    pub(in crate::fold) learn: Vec<Lesson>,
    pub(in crate::fold) unlearn: Vec<Lesson>,
    /// Connections that were the user's own.
    pub(in crate::fold) accepted: Vec<Lesson>,
    /// Connections that were somebody else's.
    pub(in crate::fold) rejected: Vec<Lesson>,
    /// The address that it was about.
    pub(in crate::fold) address: Option<IpAddr>,
}

/// A connection, whose it is, and what of it is to be learned, or was.
#[derive(Debug, Clone)]
pub(in crate::fold) struct Lesson {
    pub(in crate::fold) user: String,
    pub(in crate::fold) connection: Connection,
    /// These parts of it.
    pub(in crate::fold) what: u8,
    /// And how it ended.
    pub(in crate::fold) end: Option<End>,
    /// It is not over, so that more may come to be known of it.
    pub(in crate::fold) is_open: bool,
}

impl Open {
    /// Sessions that have taught the profile and may have to be taken back.
    fn teachers(&self) -> impl Iterator<Item = u64> {
        let beside = self.crowd.iter().flat_map(|crowd| &crowd.beside);
        let own =
            beside.chain(&self.unlisted).chain(&self.alert.connections).map(|connection| connection.session);
        let taught = self.taught.iter().map(|connection| connection.session);
        own.filter(|session| !self.untaught.contains(session)).chain(taught)
    }

    /// Connections that a user's alert is about, those it does not list among them.
    fn own(&self) -> impl Iterator<Item = &Connection> {
        self.unlisted.iter().chain(&self.alert.connections)
    }

    pub(super) fn has(&self, session: u64) -> bool {
        self.own().any(|one| one.session == session)
    }

    /// The same of an alert about an address, too.
    pub(super) fn is_about(&self, session: u64) -> bool {
        let mut beside = self.crowd.iter().flat_map(|crowd| &crowd.beside);
        self.has(session) || self.untaught.contains(&session) || beside.any(|one| one.session == session)
    }

    /// Whether a connection is probably of the stranger whom an alert is about: from the same part of a network, or with a
    /// device that the alert has as new. The network alone says nothing: strangers choose the user's own provider.
    pub(super) fn is_successor(&self, one: &Connection) -> bool {
        let mut own = self.own();
        let is_near = own
            .any(|other| one.address.zip(other.address).is_some_and(|(one, other)| part(one) == part(other)));
        let is_new_device = |reason: &crate::alert::Reason| {
            reason.feature.as_deref() == Some(ReasonFeature::Device.name())
                && one.device.as_ref() == Some(&reason.seen)
        };
        is_near || self.alert.reasons.iter().any(is_new_device)
    }
}

impl Alerts {
    /// The profile has learned how a session ended. That is kept as long as it may have to be taken back.
    pub(in crate::fold) fn keep_end(&mut self, session: &Session, end: End) {
        let number = session.number;
        let may_be_taken_back = || {
            let address = session.details.remote().map(|address| crowd::subject(address.to_canonical()));
            let subjects = session.details.user().into_iter().chain(address.as_deref());
            let mut open = subjects.filter_map(|subject| self.open.get(self.subjects.get(subject)?));
            open.any(|open| open.teachers().any(|teacher| teacher == number))
        };
        if self.strangers.has(number) || !self.open.is_empty() && may_be_taken_back() {
            self.ends.insert(number, end);
        }
    }

    /// Of sessions that no open alert has, and no stranger, nothing is taken back any more.
    pub(super) fn forget_ends(&mut self) {
        let teachers: HashSet<u64> = self.open.values().flat_map(Open::teachers).collect();
        self.ends.retain(|session, _| teachers.contains(session) || self.strangers.has(*session));
    }

    /// An open alert is closed. What that does to the profile of its user.
    pub(in crate::fold) fn close(
        &mut self,
        number: u64,
        verdict: Verdict,
        by: &str,
        now: u64,
        sending: Sending,
    ) -> Option<Lessons> {
        self.close_changed(number, verdict, by, (now, now), sending)
    }

    /// Closes as unclear what retention takes soon, since nothing happened to it for so long, and lets whoever was told of
    /// it know. What it holds is kept no longer for that.
    pub(in crate::fold) fn close_before(&mut self, unix_ns: u64, now: u64) {
        let is_old = |open: &Open| open.alert.changed_unix_ns < unix_ns;
        let old = self.open.iter().filter(|(_, open)| is_old(open));
        let old: Vec<(u64, u64)> = old.map(|(number, open)| (*number, open.alert.changed_unix_ns)).collect();
        for (number, changed) in old {
            let by = "the service (nothing happened to it for as long as alerts are kept)";
            self.close_changed(number, Verdict::Unclear, by, (now, changed), Sending::IfTold);
        }
    }

    /// The same, as if it had changed last at the second of both times.
    fn close_changed(
        &mut self,
        number: u64,
        verdict: Verdict,
        by: &str,
        (now, changed): (u64, u64),
        sending: Sending,
    ) -> Option<Lessons> {
        let mut open = self.open.remove(&number)?;
        self.subjects.remove(&open.subject);
        let let_go: Vec<u64> =
            self.held.extract_if(.., |_, alert| *alert == number).map(|(session, _)| session).collect();
        // One that an alert came to be about later is among both.
        let successors: Vec<Connection> = open
            .taught
            .iter()
            .filter(|one| !open.has(one.session) && open.is_successor(one))
            .cloned()
            .collect();
        open.alert.revision += 1;
        open.alert.changed_unix_ns = changed;
        open.alert.state = State::Closed { verdict, by: by.to_owned(), unix_ns: now };
        self.tell(News::Closed, open.alert.clone(), sending.of_closed(&open));
        let alert = &open.alert;
        let taught = |connection: &Connection, what: u8| Lesson {
            user: alert.user_of(connection).unwrap_or_default().to_owned(),
            connection: connection.clone(),
            what,
            end: self.ends.get(&connection.session).copied(),
            is_open: let_go.contains(&connection.session),
        };
        let beside = open.crowd.iter().flat_map(|crowd| &crowd.beside);
        // The oldest first.
        let own = beside.chain(&open.unlisted).chain(alert.connections.iter().rev());
        let own = own.map(|row| (taught(row, LATER), open.withheld_of(row.session)));
        let own: Vec<(Lesson, Withheld)> = own.collect();
        let mut lessons = Lessons { address: alert.address, ..Lessons::default() };
        match verdict {
            Verdict::Usual => {
                let (own, withheld): (Vec<Lesson>, Vec<Withheld>) = own.into_iter().unzip();
                // Whatever was said of them before.
                for session in own.iter().map(|lesson| lesson.connection.session).chain(let_go) {
                    self.rejected.remove(&session);
                    self.partly.remove(&session);
                    if self.much.contains_key(&session) {
                        self.expected.insert(session);
                    }
                }
                for (lesson, Withheld { what, end }) in own.iter().zip(withheld) {
                    if what != 0 || end.is_some() {
                        lessons.learn.push(Lesson { what, end, ..lesson.clone() });
                    }
                }
                lessons.accepted = own;
                lessons.learn.iter().for_each(|lesson| self.has_taught(lesson));
            }
            Verdict::Malicious => {
                lessons.unlearn = successors.iter().map(|row| taught(row, LATER)).collect();
                lessons.rejected = lessons.unlearn.clone();
                for (lesson, withheld) in own {
                    let what = LATER & !withheld.what;
                    if what != 0 {
                        lessons.unlearn.push(Lesson { what, ..lesson.clone() });
                    }
                    lessons.rejected.push(lesson);
                }
                self.rejected.extend(let_go);
                // Once.
                for lesson in &lessons.unlearn {
                    self.ends.remove(&lesson.connection.session);
                }
            }
            Verdict::Unclear => {
                for session in let_go {
                    self.rejected.insert(session);
                    let what = open.withheld_of(session).what;
                    if what & LATER != LATER && open.withheld.contains_key(&session) {
                        self.partly.insert(session, what);
                    }
                }
            }
        }
        Some(lessons)
    }

    /// These sessions teach nothing more, and the profile has nothing of them, also where another open alert has them.
    pub(in crate::fold) fn reject(&mut self, lessons: &[Lesson]) {
        // What is about a VPN server is of no session.
        for Lesson { user, connection, .. } in lessons.iter().filter(|lesson| !lesson.user.is_empty()) {
            self.rejected.insert(connection.session);
            self.partly.remove(&connection.session);
            let address = connection.address.map(|address| crowd::subject(address.to_canonical()));
            for subject in [Some(user), address.as_ref()].into_iter().flatten() {
                if let Some(open) = self.subjects.get(subject).and_then(|number| self.open.get_mut(number))
                    && open.is_about(connection.session)
                {
                    open.untaught.insert(connection.session);
                    open.has_rejected = true;
                }
            }
        }
    }

    /// Those that teach nothing more though no alert is open that has them.
    pub(in crate::fold) fn rejected(&self) -> &BTreeSet<u64> {
        &self.rejected
    }

    /// Of them only these are open.
    pub(in crate::fold) fn keep_rejected(&mut self, open: BTreeSet<u64>) {
        self.partly.retain(|session, _| open.contains(session));
        self.rejected = open;
    }
}

/// The /24 or /48 of an address.
fn part(address: IpAddr) -> Option<IpNet> {
    let length = if address.is_ipv4() { 24 } else { 48 };
    Some(IpNet::new(address, length).ok()?.trunc())
}
