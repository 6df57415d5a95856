//! What became of sessions goes further: to detections and profiles, to sightings, to the store and to whoever is told of
//! it. Called by the fold behind each record and whenever time goes on.

use std::net::IpAddr;

use insight::{
    detect::UserKey,
    vpn::session::{Change, EndReason, Happening, ServerNumber},
};

use super::{
    Activity, Fold, Placed, Resolve, SessionChange, Sort,
    place::{NOWHERE, PlaceNumber},
    sightings::NOBODY,
    ties::Tie,
};

impl Fold {
    /// Takes what became of sessions further: places, sightings, the store.
    pub(super) fn follow(&mut self, resolve: &mut impl Resolve) {
        let mut changes = std::mem::take(&mut self.changes);
        for change in changes.drain(..) {
            self.counts.session_changes += 1;
            self.follow_one(change, resolve);
        }
        self.changes = changes;
    }

    fn follow_one(&mut self, change: Change, resolve: &mut impl Resolve) {
        let session = &change.session;
        let number = session.number;
        let known = self.ties.of(number, &session.details);
        let at = known.unwrap_or_else(|| {
            let tie = self.tie(&change, resolve);
            self.ties.set(number, tie)
        });
        let Some(tie) = self.ties.get_mut(at) else { return };
        let (user, place) = (tie.key, tie.place);
        // What was tied says nothing that was not known before, unless it has become much: most interims.
        let says_little = known.is_some() && change.happening == Happening::Updated && !change.has_moved;
        if says_little && !self.is_much(session) {
            if let Some(user) = user {
                self.detector.alive(user, number, session.last_seen_unix_ns);
            }
        } else {
            let placed = self.resolutions.placed(place).cloned();
            self.learn(&change, placed.as_deref());
        }
        let Some(tie) = self.ties.get_mut(at) else { return };
        let count = match change.happening {
            Happening::Opened => 1,
            Happening::Merged { .. } => -1,
            Happening::Updated | Happening::Closed | Happening::Reopened => 0,
        };
        let (first, last) = (session.start_unix_ns, session.last_seen_unix_ns.max(session.start_unix_ns));
        for seen in [tie.user, tie.device, tie.server] {
            self.sightings.see(seen, first, last, count);
        }
        let is_over = session.end().is_some();
        let placed = self.resolutions.placed(tie.place).cloned();
        if let (Some(activities), false) = (&mut self.activities, count < 0) {
            let server = self.sessions.server(change.server).cloned();
            let (position, number) = (self.position, self.counts.session_changes);
            let (change, placed) = (change.clone(), placed.clone());
            activities.push(Activity { position, number, change, server, placed });
        }
        let stands = match change.happening {
            Happening::Merged { .. } => SessionChange::Gone(number),
            _ => SessionChange::Stands(change, placed),
        };
        match self.outcome.sessions.get_mut(tie.outcome.1 as usize) {
            Some(row) if tie.outcome.0 == self.outcomes as u32 && row.number() == number => *row = stands,
            _ => {
                // Outcomes are stored long before they have so many.
                tie.outcome = (self.outcomes as u32, self.outcome.sessions.len() as u32);
                self.outcome.sessions.push(stands);
            }
        }
        if is_over || count < 0 {
            self.ties.remove(number);
        }
    }

    /// Detections first, as long as the profile does not know it; then the profile, unless they speak.
    fn learn(&mut self, change: &Change, placed: Option<&Placed>) {
        let number = change.session.number;
        self.name_server(change.server);
        if change.happening == Happening::Reopened {
            let details = &change.session.details;
            self.alerts.hold_again(number, details.user(), details.remote());
        }
        let unlearned = self.learning.unlearned(change);
        let is_held = self.detect(change, placed);
        self.detect_stray(change);
        // How one ends of which it was told how much it has become is not usual, unless its alert was closed as that.
        if is_held || self.alerts.is_too_much(number) {
            self.withhold(change, unlearned, placed);
            self.learning.pass_by(number);
        } else if let Some(end) = self.learning.follow(change, self.server_names.label(change.server), placed)
        {
            self.alerts.keep_end(&change.session, end);
        }
        if let Happening::Merged { into } = change.happening {
            self.alerts.merge(number, into);
        }
        if change.session.end().is_some() || matches!(change.happening, Happening::Merged { .. }) {
            self.alerts.release(number);
        }
        let is_stopped = change.session.end().is_some_and(|end| end.reason == EndReason::Stop);
        if is_stopped || matches!(change.happening, Happening::Merged { .. }) {
            self.alerts.finish(number);
        }
    }

    /// What a session belongs to.
    fn tie(&mut self, change: &Change, resolve: &mut impl Resolve) -> Tie {
        self.name_server(change.server);
        let session = &change.session;
        let details = session.details.clone();
        let at = session.start_unix_ns;
        let mut number =
            |sort, name: Option<&str>| name.map_or(NOBODY, |name| self.sightings.number(sort, name, at));
        let user = number(Sort::User, details.user());
        let device = number(Sort::Device, details.device());
        let server = self.sessions.server(change.server);
        let server_number = number(Sort::Server, self.server_names.name(change.server));
        if let (Happening::Opened, Some(server)) = (change.happening, server) {
            self.outcome.servers.entry(change.server.0).or_insert_with(|| server.clone());
        }
        if let (Happening::Opened, Some(original)) = (change.happening, details.user_original()) {
            self.sightings.write(user, original);
        }
        let place = details.remote().map_or(NOWHERE, |address| self.place(address, resolve));
        let key = details.user().map(UserKey::of);
        Tie { details, user, key, device, server: server_number, place, outcome: (0, 0) }
    }

    /// Sees to it that the VPN server has its names. Not for interims, most of which ask for none.
    fn name_server(&mut self, number: ServerNumber) {
        if let Some(server) = self.sessions.server(number) {
            self.server_names.know(number, server);
        }
    }

    fn place(&mut self, address: IpAddr, resolve: &mut impl Resolve) -> PlaceNumber {
        if let Some(number) = self.resolutions.get(address) {
            return number;
        }
        let resolved = resolve.resolve(self.position, address);
        self.resolutions.insert(address, resolved)
    }
}
