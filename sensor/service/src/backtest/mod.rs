//! Past connections run through decoding, sessions, places, profiles and detections with the thresholds of today, in
//! memory: nothing is stored, nothing is sent. What is said of a connection rests on what came before it and on nothing
//! behind. Called by `vpn-sensor backtest`.
//!
//! | file | what lives there |
//! |---|---|
//! | `line` | lines that hold events |

mod line;

use std::{fmt, net::IpAddr};

use insight::{
    detect::Assessment,
    geo::Places,
    vpn::{Decoder, Event, Status, TimeSource, names::Realms},
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
use line::Line;

/// What changed is of no use here; so much of it gathers before it is thrown away.
const OUTCOME_ROWS: usize = 8192;

/// Time goes on in steps of so many nanoseconds: ten minutes.
const TICK_NS: u64 = 600_000_000_000;
/// More than this without an event, two days, is a gap in what there is, not a quiet weekend.
const WAIT_MAX_NS: u64 = 2 * 86_400_000_000_000;

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
    latest_unix_ns: u64,
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
        let mut fold = Fold::new(meaning)?;
        fold.keep_assessed();
        Ok(Backtest {
            realms: decoding.realms.clone(),
            decoder: Decoder::new(decoding),
            fold,
            today: Today(places),
            update: None,
            latest_unix_ns: 0,
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
        // Of each line at most two, whoever asks.
        self.doubts.clear();
        let line = Line::read(line)?;
        let told = line.told(self.latest_unix_ns)?;
        self.latest_unix_ns = told.arrival_unix_ns;
        let event = told.event(&self.realms, self.fold.meaning().accept_past_s);
        self.doubts.extend(line.no_address().map(|text| Doubt::NoAddress(text.to_owned())));
        if event.time.source == TimeSource::Arrival {
            let by_s = (told.arrival_unix_ns - told.unix_ns) / 1_000_000_000;
            self.doubts.push(Doubt::Early { by_s });
        }
        Ok(self.take(n, &event))
    }

    /// Takes a record. `n` is its number.
    ///
    /// # Errors
    /// It holds no request, since a person was taken out of it or it is damaged; it is passed over.
    pub fn take_record(&mut self, n: u64, record: &Record) -> Result<Option<Scored>, Rejected> {
        let event = self.decoder.decode(&received(record))?;
        Ok(self.take(n, &event))
    }

    /// The time between two events goes on as it would have for a service that had nothing to do.
    fn wait(&mut self, until_unix_ns: u64) {
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

    fn take(&mut self, n: u64, event: &Event<'_>) -> Option<Scored> {
        self.wait(event.arrival_unix_ns);
        if let Some((_, places)) = self.update.take_if(|(at, _)| *at <= event.arrival_unix_ns) {
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
        let assessed = self.fold.take_assessed().into_iter();
        let (of_start, later): (Vec<_>, Vec<_>) =
            assessed.partition(|(said, _)| is_start && *said == Said::OfConnection);
        let later = later.iter().filter_map(|(_, assessment)| Later::of(n, event.status, assessment));
        self.later.extend(later);
        if !is_start {
            return None;
        }
        let user = event.user.as_ref().map(|user| user.key.clone().into_owned());
        // Most Starts begin one session. One that tells again what is known begins none, and is no news.
        let of_start = of_start.into_iter().map(|(_, assessment)| assessment);
        let assessment = of_start.max_by(|one, other| one.score.total_cmp(&other.score)).unwrap_or_default();
        let Assessment { score, reasons, is_alert, .. } = assessment;
        let reasons = reasons.iter().map(ToString::to_string).collect();
        Some(Scored { n, user, score, reasons, alert: is_alert })
    }
}
