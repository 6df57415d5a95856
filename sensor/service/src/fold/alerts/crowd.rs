//! One address, many users: one alert for all of them, which grows with each and is told again when there are
//! `users_per_address_again` times as many;
//! who comes in between is listed as held back (`gathering`).
//!
//! What has many users is a line ([`Line`]): of IPv6 its network, and the alert names one address of it.
//!
//! It begins with the users who came before it was raised ([`Strangers`]); what they taught is taken back if it turns out
//! to be an attacker's. Whoever comes new to the address while it is open joins it without a word and teaches nothing.
//! What else speaks against one of them is in it too, once for each detection; if that is more urgent, it is told again.
//! But what a rule says of one of them with high severity is told at once, in the alert of that user: nobody else's explains it.
//!
//! Bounds: 256 such alerts are open at once, each with 256 users and one connection of each: 140 KB, 36 MB in all. Beyond,
//! the one that nothing happened to for longest is closed as unclear. 4,096 strangers are remembered: 2 MB.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    net::IpAddr,
};

use insight::detect::{Assessment, Detection, Line, Reason, Thresholds};
use serde::{Deserialize, Serialize};

use super::{Alerts, Case, DAY_NS, Lesson, OPEN_MAX, Open, Sending, Worth};
use crate::{
    alert::{CONNECTIONS_MAX, Connection, News, REASONS_MAX, Severity, USERS_MAX, words},
    fold::learning::said,
};

/// Alerts about addresses that are open at once.
const CROWDS_MAX: usize = 256;
/// Strangers that are remembered for `users_per_address_days`.
const STRANGERS_MAX: usize = 4096;

/// What an alert about an address has besides.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Crowd {
    /// How many users it had when it was told last.
    told: usize,
    /// One connection of each user who is not among the alert's any more, the oldest first.
    pub(super) beside: Vec<Connection>,
}

/// Connections to whose users their address was new, the oldest first, and that no alert about an address has.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Strangers {
    connections: VecDeque<Connection>,
    /// Their sessions: thousands are too many to look through for each connection. Made again when read.
    #[serde(skip)]
    sessions: HashSet<u64>,
}

impl Strangers {
    pub(super) fn see(&mut self, case: &Case<'_>, assessment: &Assessment) {
        if !assessment.is_stranger || case.is_excluded {
            return;
        }
        let session = case.connection.session;
        if !self.sessions.insert(session) {
            return;
        }
        if self.connections.len() >= STRANGERS_MAX
            && let Some(oldest) = self.connections.pop_front()
        {
            self.sessions.remove(&oldest.session);
        }
        self.connections.push_back(of_user(case));
    }

    pub(super) fn has(&self, session: u64) -> bool {
        self.sessions.contains(&session)
    }

    /// Those of days before are forgotten.
    pub(super) fn forget_before(&mut self, now: u64, thresholds: &Thresholds) {
        let window_ns = window_ns(thresholds);
        self.connections.retain(|one| one.start_unix_ns.saturating_add(window_ns) >= now);
        self.restore();
    }

    /// Behind a checkpoint.
    pub(super) fn restore(&mut self) {
        self.sessions = self.connections.iter().map(|connection| connection.session).collect();
    }

    /// Those from this address's line within the days that are counted together, the newest first, but for this session.
    fn take(&mut self, address: IpAddr, case: &Case<'_>) -> Vec<Connection> {
        let (now, session) = (case.now, case.connection.session);
        let window_ns = window_ns(&case.detecting.thresholds);
        let (mut taken, mut left) = (Vec::new(), VecDeque::with_capacity(self.connections.len()));
        for connection in self.connections.drain(..) {
            let is_from = connection.address.is_some_and(|from| Line::of(from) == Line::of(address));
            let is_near = connection.start_unix_ns.saturating_add(window_ns) >= now;
            match is_from && is_near && connection.session != session {
                true => taken.push(connection),
                false => left.push_back(connection),
            }
        }
        self.connections = left;
        self.restore();
        taken.reverse();
        taken
    }

    pub(super) fn forget(&mut self, names: &impl Fn(&str) -> bool) {
        self.connections.retain(|connection| !connection.names(names));
        self.restore();
    }
}

impl Open {
    /// Whether a person is in it.
    pub(super) fn names(&self, names: &impl Fn(&str) -> bool) -> bool {
        let beside = self.crowd.iter().flat_map(|crowd| &crowd.beside);
        self.alert.names(names) || beside.into_iter().any(|connection| connection.names(names))
    }

    /// Takes one of several users out; that one's sessions, and whether anybody is left.
    pub(super) fn forget(&mut self, names: &impl Fn(&str) -> bool) -> (Vec<u64>, bool) {
        let beside = self.crowd.iter().flat_map(|crowd| &crowd.beside);
        let of_person = beside.chain(&self.alert.connections).filter(|connection| connection.names(names));
        let gone: Vec<u64> = of_person.map(|connection| connection.session).collect();
        self.untaught.retain(|session| !gone.contains(session));
        self.withheld.retain(|session, _| !gone.contains(session));
        if let Some(crowd) = &mut self.crowd {
            crowd.beside.retain(|connection| !connection.names(names));
        }
        let left = self.alert.clone().without(names);
        let is_left = left.is_some();
        if let Some(alert) = left {
            self.alert = alert;
        }
        (gone, is_left)
    }
}

impl Alerts {
    /// The address whose alert a connection belongs to: it came new to one that is open, it is held by one, or it is the
    /// one too many.
    pub(super) fn crowd_of(&self, case: &Case<'_>, assessment: &Assessment) -> Option<IpAddr> {
        let holder = self.held.get(&case.connection.session).and_then(|number| self.open.get(number));
        if let Some(address) = holder.and_then(|open| open.alert.address) {
            return Some(address);
        }
        let address = case.connection.address?.to_canonical();
        let is_open = || assessment.is_stranger && self.subjects.contains_key(&subject(address));
        let is_meant =
            assessment.reasons.iter().any(|reason| is_of_address(reason) && reason.alert.is_some());
        (!case.is_excluded && case.user.is_some() && (is_meant || is_open())).then_some(address)
    }

    /// Takes a connection into the alert about its address. It is an alert only if that is told.
    pub(super) fn join(&mut self, address: IpAddr, case: Case<'_>, assessment: &mut Assessment) {
        let session = case.connection.session;
        let is_rejected = self.rejected.contains(&session);
        let is_unknown = case.is_unknown || self.has_nothing_of(session);
        let known = self.subjects.get(&subject(address)).copied();
        let number = match known {
            Some(number) => number,
            None => self.raise_of_address(address, &case, assessment),
        };
        let (sending, now) = (Sending::UpTo(case.detecting.notices_per_day), case.now);
        let Some(open) = self.open.get_mut(&number) else { return };
        if is_unknown {
            open.untaught.insert(session);
        }
        open.has_rejected |= is_rejected;
        let worth = open.grow(case, assessment);
        let is_told = worth == Worth::Telling || known.is_none();
        let news = if known.is_none() { News::New } else { News::Updated };
        match worth {
            _ if is_told => {
                let alert = open.alert.clone();
                self.tell(news, alert, sending);
            }
            Worth::Gathering => self.gather(number, now),
            Worth::Telling | Worth::Nothing => self.changed.push(open.alert.clone()),
        }
        if !is_told {
            let said = assessment.reasons.iter().filter(|reason| is_of_address(reason));
            assessment.score -= said.map(|reason| reason.log_ratio).sum::<f64>();
        }
        assessment.is_alert = is_told;
        self.held.insert(session, number);
    }

    /// Takes a connection into the alert about its address, and what else speaks against its user into that user's own.
    pub(super) fn join_and_take(&mut self, address: IpAddr, case: Case<'_>, assessment: &mut Assessment) {
        let (of_address, own): (Vec<Reason>, Vec<Reason>) =
            assessment.reasons.iter().cloned().partition(is_of_address);
        let score: f64 = of_address.iter().map(|reason| reason.log_ratio).sum();
        let severity = of_address.iter().filter_map(|reason| reason.alert).max();
        let mut own = Assessment { score: assessment.score - score, reasons: own, ..assessment.clone() };
        let mut of_address = Assessment {
            score,
            reasons: of_address,
            is_alert: severity.is_some(),
            severity: severity.unwrap_or_default(),
            ..assessment.clone()
        };
        self.join(address, case.clone(), &mut of_address);
        let session = case.connection.session;
        let joined = self.subjects.get(&subject(address)).and_then(|number| self.open.get(number));
        let is_untaught = joined.is_some_and(|open| open.untaught.contains(&session));
        let withheld = joined.and_then(|open| open.withheld.get(&session)).copied();
        let own_subject = case.subject;
        self.take_own(Case { is_unknown: case.is_unknown || is_untaught, ..case }, &mut own);
        if let Some(number) = self.subjects.get(own_subject)
            && let Some((open, withheld)) = self.open.get_mut(number).zip(withheld)
        {
            open.withheld.entry(session).or_insert(withheld);
        }
        assessment.score = own.score + of_address.score;
        assessment.is_alert = own.is_alert || of_address.is_alert;
    }

    /// A new one, with those who came before.
    fn raise_of_address(&mut self, address: IpAddr, case: &Case<'_>, assessment: &Assessment) -> u64 {
        if self.open.values().filter(|open| open.crowd.is_some()).count() >= CROWDS_MAX {
            self.make_room(case, |open| open.crowd.is_some());
        } else if self.open.len() >= OPEN_MAX {
            self.make_room(case, |_| true);
        }
        self.raised += 1;
        let number = self.raised;
        let before = self.strangers.take(address, case);
        // What one's own alert holds back has taught nothing.
        let (mut untaught, mut withheld) = (BTreeSet::new(), BTreeMap::new());
        for Connection { user, session, .. } in &before {
            let own = user.as_ref().and_then(|user| self.subjects.get(user));
            let Some(own) = own.and_then(|own| self.open.get(own)) else { continue };
            if own.untaught.contains(session) {
                untaught.insert(*session);
            }
            withheld.extend(own.withheld.get_key_value(session));
        }
        let alert = words::raised_of_address(number, address, case, before, assessment);
        let subject = subject(address);
        self.subjects.insert(subject.clone(), number);
        let mut open = Open {
            untaught,
            withheld,
            crowd: Some(Crowd::default()),
            ..Open::new(subject, alert, Vec::new())
        };
        open.name_users();
        open.bound();
        self.open.insert(number, open);
        number
    }

    /// A connection has taught: no other alert that has it is to teach it again, and one may have to take it back.
    pub(super) fn has_taught(&mut self, lesson: &Lesson) {
        let Lesson { user, connection, end, .. } = lesson;
        let session = connection.session;
        let address = connection.address.map(|address| subject(address.to_canonical()));
        let mut is_elsewhere = self.strangers.has(session);
        for subject in [Some(user), address.as_ref()].into_iter().flatten() {
            if let Some(open) = self.subjects.get(subject).and_then(|number| self.open.get_mut(number)) {
                is_elsewhere |= open.is_about(session);
                open.untaught.remove(&session);
                if let Some(withheld) = open.withheld.get_mut(&session) {
                    withheld.what &= !said(connection);
                    withheld.end = withheld.end.filter(|_| end.is_none());
                }
            }
        }
        if let Some(end) = end.filter(|_| is_elsewhere) {
            self.ends.insert(session, end);
        }
    }
}

impl Open {
    /// Takes a connection in. It is worth another word if there are many times as many users, it is more urgent, or people's
    /// rules know it only now; another user, of those that are listed, and another reason are gathered.
    fn grow(&mut self, case: Case<'_>, assessment: &Assessment) -> Worth {
        let again = case.detecting.thresholds.users_per_address_again.max(1.0);
        let alert = &mut self.alert;
        let connection = of_user(&case);
        let is_listed = |user| alert.users.len() >= USERS_MAX || alert.users.contains(user);
        let is_another = connection.user.as_ref().is_some_and(|user| !is_listed(user));
        let reasons = alert.reasons.len();
        alert.first_unix_ns = alert.first_unix_ns.min(connection.start_unix_ns);
        alert.last_unix_ns = alert.last_unix_ns.max(connection.start_unix_ns);
        alert.score = alert.score.max(connection.score);
        // More came to be known of one that is here.
        match alert.connections.iter().position(|known| known.session == connection.session) {
            Some(at) => drop(alert.connections.remove(at)),
            None => alert.connection_count += 1,
        }
        alert.connections.insert(0, connection);
        for reason in
            assessment.reasons.iter().filter(|reason| reason.alert.is_some() || is_of_address(reason))
        {
            let name = reason.detection.name();
            let listed = alert.reasons.iter().position(|listed| listed.detection == name);
            match listed {
                // The newest says how many there are.
                Some(at) if is_of_address(reason) => alert.reasons[at] = words::reason(reason),
                None if alert.reasons.len() < REASONS_MAX && !reason.detection.is_by_score() => {
                    alert.reasons.push(words::reason(reason));
                }
                _ => {}
            }
        }
        // What it is about comes first.
        alert.reasons.sort_by(|one, other| {
            let is_other = |reason: &crate::alert::Reason| reason.detection != alert.detection;
            (is_other(one), -one.weight)
                .partial_cmp(&(is_other(other), -other.weight))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        let external_id = alert.external_id.or_else(|| words::external_id(assessment));
        let is_known_now = external_id != alert.external_id;
        alert.external_id = external_id;
        let before = alert.severity;
        if assessment.is_alert {
            alert.severity = alert.severity.max(assessment.severity);
        }
        let is_news = is_another || alert.reasons.len() > reasons;
        self.name_users();
        self.bound();
        let count = self.alert.users.len();
        let crowd = self.crowd.get_or_insert_default();
        let is_far_more = crowd.told > 0 && count as f64 >= again * crowd.told as f64;
        if is_far_more {
            self.alert.severity = Severity::High;
        }
        let is_first = crowd.told == 0;
        let is_told = is_far_more || is_known_now || self.alert.severity > before;
        if is_told || is_first {
            crowd.told = count;
            self.alert.changed_unix_ns = case.now;
        }
        if is_told && !is_first {
            self.alert.revision += 1;
        }
        words::say(&mut self.alert, &[]);
        match (is_told, is_news) {
            (true, _) => Worth::Telling,
            (false, true) => Worth::Gathering,
            (false, false) => Worth::Nothing,
        }
    }

    /// Lists users of its connections who are not listed.
    fn name_users(&mut self) {
        let alert = &mut self.alert;
        for connection in alert.connections.iter().rev() {
            if let Some(user) = &connection.user
                && alert.users.len() < USERS_MAX
                && !alert.users.contains(user)
            {
                alert.users.push(user.clone());
            }
        }
    }

    /// Of connections that are more than an alert lists, one of each user is kept.
    fn bound(&mut self) {
        let crowd = self.crowd.get_or_insert_default();
        while self.alert.connections.len() > CONNECTIONS_MAX
            && let Some(over) = self.alert.connections.pop()
        {
            let is_of_same = |other: &Connection| other.user == over.user;
            let is_kept =
                crowd.beside.iter().any(is_of_same) || self.alert.connections.iter().any(is_of_same);
            match is_kept || crowd.beside.len() >= USERS_MAX {
                true => {
                    self.untaught.remove(&over.session);
                    self.withheld.remove(&over.session);
                }
                false => crowd.beside.push(over),
            }
        }
    }
}

/// Whoever came so long before is counted with those of now.
fn window_ns(thresholds: &Thresholds) -> u64 {
    u64::from(thresholds.users_per_address_days.max(1)) * DAY_NS
}

fn of_user(case: &Case<'_>) -> Connection {
    Connection { user: case.user.map(str::to_owned), ..case.connection.clone() }
}

/// By what the alerts that are open know an address, of IPv6 its line's network; no user is called so, for no decoded text
/// holds that character.
pub(super) fn subject(address: IpAddr) -> String {
    format!("\naddress {}", Line::of(address))
}

/// Whether a rule says something of high severity of one user, whoever else comes from the same address.
pub(super) fn is_urgent_by_itself(case: &Case<'_>, assessment: &Assessment) -> bool {
    let is_urgent = |reason: &Reason| {
        let is_rule = !is_of_address(reason) && !reason.detection.is_by_score();
        is_rule && reason.alert == Some(Severity::High)
    };
    !case.is_excluded && assessment.is_alert && assessment.reasons.iter().any(is_urgent)
}

fn is_of_address(reason: &Reason) -> bool {
    reason.detection == Detection::OneAddressManyUsers
}

#[cfg(test)]
mod tests;
