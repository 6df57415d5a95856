//! Past connections run through decoding, sessions, places, profiles and detections with the thresholds of today, in
//! memory: nothing is stored, nothing is sent. What is said of a connection rests on what came before it and on nothing
//! behind. Called by `vpn-sensor backtest`.
//!
//! | file | what lives there |
//! |---|---|
//! | `line` | lines that hold events |
//! | `member` | members of lines as other products write them |
//! | `servers` | which VPN server lines are about that do not say so |
//! | `clock` | how late it is, by times that may be wrong |
//! | `openings` | what was said of sessions that are known before their Start comes |

mod clock;
mod line;
mod member;
mod openings;
mod servers;

use std::{fmt, net::IpAddr};

use insight::{
    detect::Assessment,
    geo::Places,
    vpn::{Decoder, Event, Status, names::Realms},
};
use journal::Record;
use radius::Rejected;
use serde::Serialize;

pub use line::LineError;

use crate::{
    Meaning, MeaningError,
    event::received,
    fold::{Fold, Resolve, Resolved, Said},
    inputs::Input,
};
use clock::{Clock, Heard, days_between};
use line::Line;
use openings::{Openings, is_move};
use servers::{Servers, is_nameless};

/// What changed is of no use here; so much of it gathers before it is thrown away.
const OUTCOME_ROWS: usize = 8192;

/// Time goes on in steps of so many nanoseconds: ten minutes.
const TICK_NS: u64 = 600_000_000_000;
/// More than this without an event, two days, is a gap in what there is, not a quiet weekend.
const WAIT_MAX_NS: u64 = 2 * 86_400_000_000_000;
/// A Start that comes again this much later begins another session: ten minutes.
const SAME_START_NS: u64 = 600_000_000_000;

/// What is said of one Start.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scored {
    /// Number of its line, record or datagram.
    pub n: u64,
    /// The user's key; none where the Start names nobody.
    pub user: Option<String>,
    /// Higher is riskier: natural logarithm of how much likelier it is to be an attacker's than the user's.
    pub score: f64,
    /// What speaks for an attacker, the weightiest first.
    pub reasons: Vec<String>,
    /// Whether there would have been an alert, before any bound on notifications.
    pub alert: bool,
}

/// An alert that no Start raised: at an Interim-Update, at a Stop, or since a session fell silent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Later {
    /// Number of the line, record or datagram with which it was known.
    pub n: u64,
    /// What that one is: `Stop`.
    pub at: String,
    /// The user's key; none where it is about a VPN server.
    pub user: Option<String>,
    /// As of a Start: what it adds, where only the end speaks.
    pub score: f64,
    /// What speaks for an attacker, the weightiest first.
    pub reasons: Vec<String>,
    /// The weightiest detection because of which people are told, by its name.
    pub detection: &'static str,
    /// `true`: only alerts are told.
    pub alert: bool,
}

impl Later {
    fn of(n: u64, status: Status, assessment: &Assessment) -> Option<Later> {
        let Assessment { score, reasons, is_alert, .. } = assessment;
        let telling = reasons.iter().find(|reason| reason.alert.is_some()).filter(|_| *is_alert)?;
        Some(Later {
            n,
            at: status.to_string(),
            user: Some(telling.user.clone()).filter(|user| !user.is_empty()),
            score: *score,
            reasons: reasons.iter().map(ToString::to_string).collect(),
            detection: telling.detection.name(),
            alert: true,
        })
    }
}

/// What of a line was not taken as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// Where the client's address should stand: the event has none.
    NoAddress(String),
    /// It lies so much before the lines above it that its time is not believed: it counts at theirs.
    Early {
        /// Seconds.
        by_s: u64,
    },
    /// The line above it lies so much ahead of those around it that nobody went there with it.
    Ahead {
        /// Seconds.
        by_s: u64,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Doubt::NoAddress(text) => {
                write!(f, "{text:?} is no address: the event counts as one without any")
            }
            Doubt::Early { by_s } => write!(
                f,
                "its time is {by_s} s before that of lines above it, and counts as theirs: sort the lines by their times"
            ),
            Doubt::Ahead { by_s } => write!(
                f,
                "the time of the line above it is {by_s} s ahead of the others: the clock of its VPN server was wrong"
            ),
        }
    }
}

/// A run over the past.
#[derive(Debug)]
pub struct Backtest<'p> {
    fold: Fold,
    decoder: Decoder,
    realms: Realms,
    today: Today<'p>,
    /// From then on addresses are where these say.
    update: Option<(u64, &'p Places)>,
    clock: Clock,
    servers: Servers,
    /// What was said of sessions that began with a Start, and with anything else.
    begun: Openings,
    unbegun: Openings,
    later: Vec<Later>,
    doubts: Vec<Doubt>,
}

#[derive(Debug)]
struct Today<'p>(&'p Places);

impl Resolve for Today<'_> {
    fn resolve(&mut self, _position: u64, address: IpAddr) -> Resolved {
        Resolved::of(&self.0.find(address))
    }
}

impl<'p> Backtest<'p> {
    /// Nothing is known yet. Addresses are where `places` say that they are.
    ///
    /// # Errors
    /// [`MeaningError`].
    pub fn new(meaning: Meaning, places: &'p Places) -> Result<Backtest<'p>, MeaningError> {
        let decoding = meaning.decoding()?;
        // Whatever may be told so late may be told of a session that began so long ago.
        let unbegun = Openings::new(ns(meaning.accept_past_s));
        let mut fold = Fold::new(meaning)?;
        fold.keep_assessed();
        Ok(Backtest {
            realms: decoding.realms.clone(),
            decoder: Decoder::new(decoding),
            fold,
            today: Today(places),
            update: None,
            clock: Clock::default(),
            servers: Servers::default(),
            begun: Openings::new(SAME_START_NS),
            unbegun,
            later: Vec::new(),
            doubts: Vec::new(),
        })
    }

    /// From this time on (ns since 1970 UTC) addresses are where these say, as if databases had been added then.
    pub fn update(&mut self, unix_ns: u64, places: &'p Places) {
        self.update = Some((unix_ns, places));
    }

    /// Alerts that no Start raised, since this was asked last.
    pub fn take_later(&mut self) -> Vec<Later> {
        std::mem::take(&mut self.later)
    }

    /// What of the line that was taken last was not taken as it stands.
    pub fn take_doubts(&mut self) -> Vec<Doubt> {
        std::mem::take(&mut self.doubts)
    }

    /// Takes a line that holds an event. `n` is its number.
    ///
    /// # Errors
    /// [`LineError`]; the line is passed over.
    pub fn take_line(&mut self, n: u64, line: &[u8]) -> Result<Option<Scored>, LineError> {
        // Of each line at most three, whoever asks.
        self.doubts.clear();
        let line = Line::read(line)?;
        let mut told = line.told()?;
        let accept_past_s = self.fold.meaning().accept_past_s;
        let heard = self.clock.hear(told.arrival_unix_ns, ns(accept_past_s));
        told.arrival_unix_ns = heard.arrival_unix_ns;
        let mut event = told.event(&self.realms, accept_past_s);
        self.doubts.extend(line.no_address().map(|text| Doubt::NoAddress(text.to_owned())));
        let seconds = |ns: u64| ns / 1_000_000_000;
        self.doubts.extend(heard.early_by_ns.map(|ns| Doubt::Early { by_s: seconds(ns) }));
        self.doubts.extend(heard.was_ahead_by_ns.map(|ns| Doubt::Ahead { by_s: seconds(ns) }));
        if line.is_of_events() {
            return Ok(self.take(n, &event, &heard));
        }
        self.servers.fill(&mut event);
        let scored = self.take(n, &event, &heard);
        // Of a client that does not say which of its VPN servers starts or stops, all do.
        if matches!(event.status, Status::AccountingOn | Status::AccountingOff) && is_nameless(&event) {
            for server in self.servers.all_of(event.client) {
                event.server = server;
                self.take(n, &event, &Heard { went_by: None, ..heard });
            }
        }
        Ok(scored)
    }

    /// Takes a record. `n` is its number.
    ///
    /// # Errors
    /// It holds no request, since a person was taken out of it or it is damaged; it is passed over.
    pub fn take_record(&mut self, n: u64, record: &Record) -> Result<Option<Scored>, Rejected> {
        let event = self.decoder.decode(&received(record))?;
        // Where a record counts, the journal says; what comes from it is only how much time went by.
        let heard = self.clock.hear(event.arrival_unix_ns, ns(self.fold.meaning().accept_past_s));
        Ok(self.take(n, &event, &heard))
    }

    /// The time between two events goes on as it would have for a service that had nothing to do.
    fn wait(&mut self, until_unix_ns: u64, heard: &Heard) {
        for day in heard.went_by.into_iter().flat_map(days_between) {
            self.fold.tick(day, &mut self.today);
        }
        let from = self.fold.clock_unix_ns();
        if from == 0 || until_unix_ns.saturating_sub(from) > WAIT_MAX_NS {
            return;
        }
        let mut now = from + TICK_NS;
        while now < until_unix_ns {
            self.fold.tick(now, &mut self.today);
            now += TICK_NS;
        }
    }

    fn take(&mut self, n: u64, event: &Event<'_>, heard: &Heard) -> Option<Scored> {
        self.wait(event.arrival_unix_ns, heard);
        let is_due = |at: u64| at <= event.arrival_unix_ns && !heard.is_doubtful;
        if let Some((_, places)) = self.update.take_if(|(at, _)| is_due(*at)) {
            self.today = Today(places);
            let input = Input::Databases { fingerprint: crate::fingerprint(places) };
            // Only a meaning may be one that this release does not know.
            let _ = self.fold.apply(self.fold.entry(), input, &mut self.today);
        }
        self.fold.take_told(n, event, &mut self.today);
        if self.fold.rows() >= OUTCOME_ROWS || self.fold.must_be_stored() {
            let outcome = self.fold.finish();
            self.fold.reuse(outcome);
        }
        let is_start = event.status == Status::Start;
        let mut of_start: Option<Assessment> = None;
        for (said, assessment) in self.fold.take_assessed() {
            if is_start && said == Said::OfConnection {
                // Most Starts begin one session.
                if of_start.as_ref().is_none_or(|other| other.score <= assessment.score) {
                    of_start = Some(assessment);
                }
                continue;
            }
            self.later.extend(Later::of(n, event.status, &assessment));
            if said == Said::OfConnection && event.status.is_of_session() && !is_move(&assessment) {
                self.unbegun.keep(event, assessment);
            }
        }
        is_start.then(|| self.scored(n, event, of_start))
    }

    /// The line of a Start. `now`: what was said of a session with it; nothing where it tells again what is known.
    fn scored(&mut self, n: u64, event: &Event<'_>, now: Option<Assessment>) -> Scored {
        let is_opening = now.as_ref().is_some_and(|now| !is_move(now));
        let before = [&self.unbegun, &self.begun].into_iter().filter(|_| !is_opening);
        let before = before.filter_map(|openings| openings.of(event));
        let nothing = Assessment::default();
        let said = before.chain(&now).max_by(|one, other| one.score.total_cmp(&other.score));
        let Assessment { score, reasons, is_alert, .. } = said.unwrap_or(&nothing);
        let scored = Scored {
            n,
            user: event.user.as_ref().map(|user| user.key.clone().into_owned()),
            score: *score,
            reasons: reasons.iter().map(ToString::to_string).collect(),
            alert: *is_alert,
        };
        if let Some(opening) = now.filter(|_| is_opening) {
            self.begun.keep(event, opening);
        }
        scored
    }
}

fn ns(seconds: u64) -> u64 {
    seconds.saturating_mul(1_000_000_000)
}
