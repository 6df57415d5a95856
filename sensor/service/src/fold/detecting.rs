//! What detections are asked of a change of a session, before the profile learns it, and what becomes of the answer.

use std::collections::BTreeSet;

use insight::{
    detect::{self, Assessment, Detection, Ending, Spot, Told, UserKey},
    vpn::session::{Change, EndReason, Happening, Server, Session, StartSource},
};

use super::{
    DAY_NS, Fold, Placed,
    alerts::{Case, Lesson, Lessons, Sending},
    learning::tells_length,
};
use crate::alert::{Comment, Connection, Verdict};

/// Of what detections said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// A connection that began, of which more came to be known, or that moved.
    OfConnection,
    /// The end of a session, told or for want of a sign of life, or how much it has become meanwhile; also the end of one
    /// that never began.
    OfEnd,
}

/// The fold's clock is behind the newest record by seconds, and a VPN server's may be ahead of ours by as much as is trusted.
const AHEAD_NS: u64 = 3_600_000_000_000;

/// What somebody decided about an alert.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Decision {
    /// Number of the alert.
    pub alert: u64,
    /// When, ns since 1970 UTC.
    pub unix_ns: u64,
    /// Who: `uid 0`, a token's name.
    pub by: String,
    /// What it turned out to be; `None` leaves it open.
    pub verdict: Option<Verdict>,
    /// What was written.
    pub comment: Option<String>,
}

impl Fold {
    /// Asks what is to be asked of a change. Whether the profile is not to learn of it.
    pub(super) fn detect(&mut self, change: &Change, placed: Option<&Placed>) -> bool {
        let session = &change.session;
        let Some(user) = session.details.user() else { return false };
        let server = self.sessions.server(change.server);
        let mut connection = connection(change, self.server_names.label(change.server), placed);
        // A session that began while the clock was ahead says nothing of how late it is.
        let is_ahead = session.start_unix_ns.saturating_sub(self.clock) > AHEAD_NS;
        let now = if is_ahead { self.clock } else { self.clock.max(session.start_unix_ns) };
        connection.is_excluded = self.meaning.detect.excludes(&connection, now);
        let profiles = &self.learning.profiles;
        let mut assessment = None;
        let seen = session.last_seen_unix_ns;
        match (self.learning.is_news(change, placed), change.has_moved) {
            (true, true) => assessment = Some(self.detector.moved_and_opened(&connection, seen, profiles)),
            (true, false) => assessment = Some(self.detector.opened(&connection, profiles)),
            (false, true) => {
                let moved = self.detector.moved(&connection, seen, profiles);
                assessment = Some(moved).filter(|moved| !moved.reasons.is_empty());
            }
            (false, false) => self.detector.alive(UserKey::of(user), session.number, seen),
        }
        let said = if assessment.is_some() { Said::OfConnection } else { Said::OfEnd };
        let told = self.alerts.told_of(session.number);
        let spent = match ending(change, told) {
            Some(ending) => self.detector.ended(&ending, profiles),
            None => {
                let so_far = so_far(change, told).filter(|_| self.is_much(session));
                so_far.map_or_else(Assessment::default, |so_far| self.detector.going_on(&so_far, profiles))
            }
        };
        // Whoever is not to be heard of is no reason not to hear of another one.
        let proves_another = spent
            .reasons
            .iter()
            .any(|reason| reason.detection == Detection::SimultaneousSessions && reason.alert.is_some());
        if !spent.reasons.is_empty() {
            assessment.get_or_insert_default().merge(spent);
        }
        let Some(mut assessment) = assessment else { return self.alerts.holds(session.number) };
        let case = Case {
            subject: user,
            user: Some(user),
            user_original: session.details.user_original(),
            now,
            is_excluded: connection.is_excluded && !proves_another,
            is_unknown: self.learning.is_unknown(change),
            detecting: &self.meaning.detect,
            connection: evidence(change, server, &connection, &assessment),
        };
        let is_held = self.alerts.take(case, &mut assessment);
        if is_held {
            self.alerts.note_told(session.number, &assessment);
        }
        if let Some(assessed) = &mut self.assessed {
            assessed.push((said, assessment));
        }
        is_held || self.alerts.holds(session.number)
    }

    /// What a change of a session says is kept for when people close its alert.
    pub(super) fn withhold(&mut self, change: &Change, unlearned: u8, placed: Option<&Placed>) {
        let connection = connection(change, self.server_names.label(change.server), placed);
        let server = self.sessions.server(change.server);
        let said_now = evidence(change, server, &connection, &Assessment::default());
        self.alerts.withhold(change, unlearned, &said_now);
    }

    /// Whether a session may be told of for what it has become.
    pub(super) fn is_much(&self, session: &Session) -> bool {
        self.detector.is_much(session.octets(), session.seconds_until(session.last_seen_unix_ns))
    }

    /// A session ended that never began: nothing of it was heard before.
    pub(super) fn detect_stray(&mut self, change: &Change) {
        let Session { start_source, .. } = change.session;
        // One that nothing stopped (its id was used again, its VPN server restarted) lacks a Stop and no Start.
        let is_stopped = change.session.end().is_some_and(|end| end.reason == EndReason::Stop);
        let is_stray =
            change.happening == Happening::Opened && is_stopped && start_source != StartSource::Start;
        let Some(label) = self.server_names.label(change.server).filter(|_| is_stray) else { return };
        let mut assessment = self.detector.stop_without_start(label, self.clock);
        if assessment.reasons.is_empty() {
            return;
        }
        let connection = detect::Connection { server: Some(label), ..detect::Connection::default() };
        let case = Case {
            subject: &format!("VPN server {label}"),
            user: None,
            user_original: None,
            now: self.clock,
            is_excluded: false,
            is_unknown: false,
            detecting: &self.meaning.detect,
            connection: evidence(change, self.sessions.server(change.server), &connection, &assessment),
        };
        self.alerts.take(case, &mut assessment);
        if let Some(assessed) = &mut self.assessed {
            assessed.push((Said::OfEnd, assessment));
        }
    }

    /// What somebody decided.
    pub(super) fn decide(&mut self, decision: &Decision) {
        let Decision { alert, unix_ns, by, verdict, comment } = decision;
        if let Some(text) = comment {
            let comment = Comment { by: by.clone(), unix_ns: *unix_ns, text: text.clone() };
            self.alerts.comment(*alert, comment);
        }
        let Some(verdict) = verdict else { return };
        if let Some(lessons) = self.alerts.close(*alert, *verdict, by, *unix_ns, Sending::Always) {
            self.draw(*verdict, &lessons);
        }
    }

    /// Closes as usual what nobody decided about for as long as the configuration says. Called as a day begins: behind a
    /// jump of the clock only once a day went by on it. Whoever was told of an alert is told that it is closed, and that takes
    /// no notice of the day's away from what is new.
    pub(super) fn accept_overdue(&mut self, now_unix_ns: u64) {
        let Some(days) = self.meaning.detect.accept_after_days else { return };
        let unit = if days == 1 { "day" } else { "days" };
        let by = format!("the service (accepted automatically after {days} {unit})");
        let Some(since) = now_unix_ns.checked_sub(u64::from(days) * DAY_NS) else { return };
        for number in self.alerts.left_alone_since(since) {
            if let Some(lessons) =
                self.alerts.close(number, Verdict::Usual, &by, now_unix_ns, Sending::IfTold)
            {
                // That many share an address, somebody has to know.
                self.draw(Verdict::Usual, &Lessons { address: None, ..lessons });
            }
        }
    }

    /// Which of these sessions are not over.
    fn open_among(&self, sessions: &BTreeSet<u64>) -> BTreeSet<u64> {
        if sessions.is_empty() {
            return BTreeSet::new();
        }
        let known = self.sessions.iter().map(|(.., session)| session);
        let open = known.filter(|session| session.end().is_none() && sessions.contains(&session.number));
        open.map(|session| session.number).collect()
    }

    /// Sessions that are gone without an end, since a person was forgotten or their id had too many, are not waited for.
    pub(super) fn forget_rejected(&mut self) {
        let open = self.open_among(self.alerts.rejected());
        self.alerts.keep_rejected(open);
    }

    /// Profiles learn what the end of an alert teaches, and unlearn.
    fn draw(&mut self, verdict: Verdict, lessons: &Lessons) {
        let Lessons { learn, unlearn, accepted, rejected, address } = lessons;
        for Lesson { user, connection, what, end, is_open } in learn {
            let left = self.learning.teach(user, connection, *what);
            if let Some(end) = end {
                self.learning.profiles.learn_end(&end.of(user));
            }
            if *is_open {
                self.learning.expect(connection, left);
            }
        }
        for Lesson { user, connection, what, end, .. } in unlearn {
            if let Some(end) = end {
                self.learning.profiles.unlearn_end(&end.of(user));
            }
            self.learning.take_back(user, connection, *what);
        }
        for Lesson { user, connection, .. } in accepted {
            self.detector.accept(user, connection.session);
        }
        for Lesson { user, connection, .. } in rejected {
            self.detector.reject(user, connection.session);
        }
        // Also those that are over, of which one may go on; which they are is not looked for among all sessions each time.
        rejected.iter().for_each(|lesson| self.learning.pass_by(lesson.connection.session));
        self.alerts.reject(rejected);
        match (address, verdict) {
            (Some(address), Verdict::Usual) => self.detector.share(*address),
            (Some(address), Verdict::Malicious) => self.detector.suspect(*address),
            _ => {}
        }
    }
}

fn connection<'a>(
    change: &'a Change,
    server: Option<&'a str>,
    placed: Option<&'a Placed>,
) -> detect::Connection<'a> {
    let session = &change.session;
    let details = &session.details;
    detect::Connection {
        session: session.number,
        user: details.user().unwrap_or_default(),
        start_unix_ns: session.start_unix_ns,
        server,
        remote: details.remote(),
        spot: placed.map(spot).unwrap_or_default(),
        device: details.device(),
        software: details.software(),
        operating_system: details.operating_system(),
        group: details.group(),
        is_excluded: false,
    }
}

fn spot(placed: &Placed) -> Spot<'_> {
    let resolved = &placed.resolved;
    Spot {
        country: resolved.country.as_deref(),
        region: resolved.region.as_deref(),
        place: placed.place.as_deref(),
        latitude: resolved.latitude,
        longitude: resolved.longitude,
        radius_km: resolved.radius_km,
        asn: resolved.asn,
        organisation: resolved.organisation.as_deref(),
        kinds: placed.kinds,
        anycast: resolved.anycast,
        is_own: matches!(&*resolved.whereabouts, "site" | "internal"),
        database: resolved.database.as_deref(),
    }
}

/// The end of a session that is over now and was not.
fn ending(change: &Change, told: Told) -> Option<Ending<'_>> {
    let session = &change.session;
    let end = session.end().filter(|_| change.happening != Happening::Updated)?;
    Some(Ending {
        session: session.number,
        user: session.details.user()?,
        end_unix_ns: end.unix_ns,
        seconds: tells_length(end.reason.name()).then(|| session.seconds_until(end.unix_ns)),
        octets: session.octets(),
        told,
    })
}

/// How a session that is not over stands at its last sign of life.
fn so_far(change: &Change, told: Told) -> Option<Ending<'_>> {
    let session = &change.session;
    let end_unix_ns = session.last_seen_unix_ns;
    let is_open = session.end().is_none() && !matches!(change.happening, Happening::Merged { .. });
    Some(Ending {
        session: session.number,
        user: session.details.user().filter(|_| is_open)?,
        end_unix_ns,
        seconds: Some(session.seconds_until(end_unix_ns)),
        octets: session.octets(),
        told,
    })
}

/// The row of an alert that shows this connection.
fn evidence(
    change: &Change,
    server: Option<&Server>,
    connection: &detect::Connection<'_>,
    assessment: &Assessment,
) -> Connection {
    let spot = &connection.spot;
    let text = |text: Option<&str>| text.map(str::to_owned);
    Connection {
        session: connection.session,
        session_id: change.session_id.trim_start_matches('\0').to_owned(),
        start_unix_ns: change.session.start_unix_ns,
        user: None,
        score: assessment.score,
        address: connection.remote,
        place: text(spot.place),
        country: text(spot.country),
        latitude: spot.latitude,
        longitude: spot.longitude,
        asn: spot.asn,
        organisation: text(spot.organisation),
        kinds: spot.kinds.iter().map(|kind| kind.name().to_owned()).collect(),
        device: text(connection.device),
        software: text(connection.software),
        server: text(connection.server),
        server_address: server.and_then(|server| server.address),
    }
}
