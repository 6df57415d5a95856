//! The fold: records and inputs in, changes of sessions, sightings and places out. It reads no clock and no file; equal
//! records and inputs give equal outcomes, whatever was stored, killed or read again in between.
//!
//! | file | what lives there |
//! |---|---|
//! | `place` | where an address was found to be, and the addresses that are resolved |
//! | `sightings` | when users, devices, VPN servers and sensors were seen first and last |
//! | `follow` | what became of sessions goes further: to detections, profiles, sightings, the store |
//! | `learning` | what connections teach the profiles |
//! | `detecting` | what detections are asked, and what people decided |
//! | `alerts` | what is open, what folds into it, what happened |
//! | `servers` | how VPN servers are named |
//! | `ties` | what open sessions belong to, so that interims need not ask again |
//! | `near` | a few records taken together: what they are about is brought near first, and what repeats is not decoded |
//! | `outcome` | what changed, on its way to the store |
//! | `forget` | a person goes out |
//! | `clocks` | VPN servers whose clock is wrong |
//! | `checkpoint` | the whole state as octets |
//!
//! Called by `live` and `rebuild`, and by benches.

mod alerts;
mod checkpoint;
mod clocks;
mod detecting;
mod follow;
mod forget;
mod learning;
mod near;
mod outcome;
mod place;
mod servers;
mod sightings;
mod ties;

use std::{net::IpAddr, sync::Arc};

use insight::{
    detect::{Assessment, Detector},
    profile::Profiles,
    vpn::{
        Decoder, Event, Fingerprint,
        session::{Change, Sessions, Sought},
    },
};
use journal::Record;

pub(crate) use alerts::Case;
pub use checkpoint::CheckpointError;
pub use clocks::ClientClock;
pub use detecting::Decision;
pub(crate) use detecting::Said;
pub(crate) use learning::{options as profile_options, tells_length};
pub(crate) use near::NEAR;
pub use outcome::{Activity, Outcome, SessionChange};
pub use place::{Placed, Resolved};
pub(crate) use servers::server_label;
pub use sightings::{Sighting, Sort};
pub(crate) use ties::NumberHasher;

use crate::{Meaning, MeaningError, event::received, inputs::Input};
use alerts::Alerts;
use clocks::Clocks;
use learning::Learning;
use place::Resolutions;
use servers::ServerNames;
use sightings::{NOBODY, Number, Sightings};
use ties::Ties;

/// The time goes on at the latest after so many nanoseconds of arrival: ten seconds. Sessions fall silent by the minute,
/// so that nobody sees a difference, and it costs nothing between two records.
const ADVANCE_NS: u64 = 10_000_000_000;
const DAY_NS: u64 = 86_400_000_000_000;
/// More days at once are a jump of the clock, or a sensor that was off: then nothing is forgotten until the next day.
const JUMP_DAYS: u64 = 7;
/// So long before retention takes an alert that is open it is closed: more than the days by which one day may follow
/// another.
const CLOSED_BEFORE_NS: u64 = (JUMP_DAYS + 1) * DAY_NS;

/// Most addresses that are resolved at once. At 200 octets each, 200 MB; an office of ten thousand has fewer in a year.
pub const ADDRESSES_MAX: usize = 1 << 20;

/// Who says where an address is.
pub trait Resolve {
    /// Where `address` is; asked while the record with sequence `position` is taken, once for each address.
    fn resolve(&mut self, position: u64, address: IpAddr) -> Resolved;
}

/// The state of everything that records made.
#[derive(Debug)]
pub struct Fold {
    meaning: Meaning,
    decoder: Decoder,
    sessions: Sessions,
    server_names: ServerNames,
    resolutions: Resolutions,
    sightings: Sightings,
    learning: Learning,
    detector: Detector,
    alerts: Alerts,
    /// What detections said since it was asked last; `None`: nobody asks.
    assessed: Option<Vec<(Said, Assessment)>>,
    /// What became of sessions since it was asked last; `None`: nobody asks.
    activities: Option<Vec<Activity>>,
    ties: Ties,
    /// The sensor of the last record, and its number among the sightings.
    sensor: (Arc<str>, Number),
    /// What changed since the last outcome, without its sightings.
    outcome: Outcome,
    /// Room for the next one.
    spare: Outcome,
    /// Outcomes so far.
    outcomes: u64,
    /// Sequence of the last record taken.
    position: u64,
    /// Number of the last entry of the input log that took effect.
    entry: i64,
    /// When time last went on, ns.
    clock: u64,
    /// The day for which old data was last forgotten.
    day: u64,
    counts: Counts,
    clocks: Clocks,
    /// By what addresses are resolved; empty before the first input says so.
    databases: String,
    changes: Vec<Change>,
}

/// What was taken so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Records.
    pub records: u64,
    /// Records that hold no request: a person's that was taken out, or damage.
    pub without_request: u64,
    /// Events of persons' VPN connections that carry no address of the client.
    pub without_address: u64,
    /// Changes of sessions.
    pub session_changes: u64,
}

impl Fold {
    /// The state before the first record.
    ///
    /// # Errors
    /// [`MeaningError`].
    pub fn new(meaning: Meaning) -> Result<Fold, MeaningError> {
        Ok(Fold {
            decoder: Decoder::new(meaning.decoding()?),
            sessions: Sessions::new(meaning.sessions()),
            server_names: ServerNames::default(),
            detector: Detector::new(meaning.detect.thresholds.clone()),
            alerts: Alerts::default(),
            assessed: None,
            activities: None,
            meaning,
            resolutions: Resolutions::default(),
            sightings: Sightings::default(),
            learning: Learning::restored(Profiles::new(learning::options()), Vec::new()),
            ties: Ties::default(),
            sensor: (Arc::from(""), NOBODY),
            outcome: Outcome::default(),
            spare: Outcome::default(),
            outcomes: 0,
            position: 0,
            entry: 0,
            clock: 0,
            day: 0,
            counts: Counts::default(),
            clocks: Clocks::default(),
            databases: String::new(),
            changes: Vec::new(),
        })
    }

    /// What records mean now.
    pub fn meaning(&self) -> &Meaning {
        &self.meaning
    }

    /// Sequence of the last record taken.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Number of the last input taken, in its log.
    pub fn entry(&self) -> i64 {
        self.entry
    }

    /// Tells that the input log has come so far and all of it took effect.
    pub(crate) fn set_entry(&mut self, entry: i64) {
        self.entry = entry;
    }

    /// ns since 1970 UTC: how late it is for the fold.
    pub fn clock_unix_ns(&self) -> u64 {
        self.clock
    }

    /// Fingerprint of the databases by which addresses are resolved.
    pub fn databases(&self) -> &str {
        &self.databases
    }

    /// What was taken so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// VPN servers by client, identifier and address, joined by line feeds, in no order, and when each was heard last, ns
    /// since 1970 UTC.
    pub fn servers_heard(&self) -> impl Iterator<Item = (&str, u64)> {
        self.sightings.seen_last(Sort::Server)
    }

    /// VPN servers whose clock is wrong, by what was taken since the start.
    pub fn clocks(&self) -> Vec<ClientClock> {
        self.clocks.list()
    }

    /// Alerts that nobody has closed, by severity.
    pub fn open_alerts(&self) -> [u64; 4] {
        self.alerts.open_by_severity()
    }

    /// The sessions.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// What is usual for users.
    pub fn profiles(&self) -> &Profiles {
        &self.learning.profiles
    }

    /// Users, devices, VPN servers or sensors that are followed.
    pub fn seen(&self, sort: Sort) -> usize {
        self.sightings.count(sort)
    }

    /// Names that are seen and not followed, since there is no more room for them.
    pub fn sightings_surplus(&self) -> u64 {
        self.sightings.surplus()
    }

    /// Addresses that are resolved.
    pub fn addresses(&self) -> usize {
        self.resolutions.len()
    }

    /// Rows of the outcome so far.
    pub fn rows(&self) -> usize {
        self.outcome.len() + self.sightings.changed() + self.alerts.changes()
    }

    /// Whether the outcome must be stored before the next record is taken.
    pub fn must_be_stored(&self) -> bool {
        self.outcome.forget_before_unix_ns.is_some()
    }

    /// What changed since the last outcome.
    pub fn finish(&mut self) -> Outcome {
        let mut outcome = self.finish_sessions();
        self.sightings.take_changed(&mut outcome.sightings);
        outcome
    }

    /// What changed since the last outcome, without its sightings, which go on gathering: for whoever asks for
    /// [`Fold::sightings`] in the end.
    pub(crate) fn finish_sessions(&mut self) -> Outcome {
        self.outcomes += 1;
        let mut outcome = std::mem::replace(&mut self.outcome, std::mem::take(&mut self.spare));
        outcome.position = self.position;
        (outcome.alerts, outcome.notices) = self.alerts.take_changes();
        outcome
    }

    /// From here on what detections say is kept for [`Fold::take_assessed`].
    pub(crate) fn keep_assessed(&mut self) {
        self.assessed = Some(Vec::new());
    }

    /// What detections said since this was asked last.
    pub(crate) fn take_assessed(&mut self) -> Vec<(Said, Assessment)> {
        self.assessed.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether what becomes of sessions is kept for [`Fold::take_activities`] from here on.
    pub(crate) fn keep_activities(&mut self, is_wanted: bool) {
        self.activities = is_wanted.then(|| self.activities.take().unwrap_or_default());
    }

    /// What became of sessions since this was asked last.
    pub(crate) fn take_activities(&mut self) -> Vec<Activity> {
        self.activities.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Sessions of the outcome so far.
    pub(crate) fn session_rows(&self) -> usize {
        self.outcome.sessions.len()
    }

    /// Everybody and everything that is followed, in the order of sorts and names.
    pub(crate) fn sightings(&self) -> impl Iterator<Item = Sighting> {
        self.sightings.iter()
    }

    /// Takes an outcome back that is stored, for the room that it has.
    pub fn reuse(&mut self, stored: Outcome) {
        self.spare = stored.emptied();
    }

    /// Takes the next record.
    pub fn take(&mut self, record: &Record, resolve: &mut impl Resolve) {
        let event = self.decoder.decode(&received(record)).ok();
        self.arrive(record, resolve);
        self.hear_decoded(event.as_ref(), (None, Fingerprint::NONE));
        self.follow(resolve);
    }

    /// A record came, whatever it says.
    fn arrive(&mut self, record: &Record, resolve: &mut impl Resolve) {
        let arrival = record.arrival_unix_ns;
        self.come_to(record.sequence, arrival, resolve);
        if self.sensor.1 == NOBODY || !Arc::ptr_eq(&self.sensor.0, &record.sensor) {
            let number = self.sightings.number(Sort::Sensor, &record.sensor, arrival);
            self.sensor = (Arc::clone(&record.sensor), number);
        }
        self.sightings.see(self.sensor.1, arrival, arrival, 1);
    }

    fn hear_decoded(&mut self, event: Option<&Event<'_>>, known_by: (Option<Sought>, Fingerprint)) {
        match event {
            Some(event) => self.hear(event, known_by),
            None => self.counts.without_request += 1,
        }
    }

    /// Takes an event that somebody else decoded in the place of a record.
    pub(crate) fn take_told(&mut self, sequence: u64, event: &Event<'_>, resolve: &mut impl Resolve) {
        self.come_to(sequence, event.arrival_unix_ns, resolve);
        self.hear(event, (None, Fingerprint::NONE));
        self.follow(resolve);
    }

    /// So late it is.
    pub(crate) fn tick(&mut self, unix_ns: u64, resolve: &mut impl Resolve) {
        self.advance(unix_ns, resolve);
    }

    /// The time first: what was due before a record is over before it.
    fn come_to(&mut self, sequence: u64, arrival: u64, resolve: &mut impl Resolve) {
        self.position = sequence;
        self.counts.records += 1;
        if arrival > self.clock.saturating_add(ADVANCE_NS) || arrival.saturating_add(ADVANCE_NS) < self.clock
        {
            self.advance(arrival, resolve);
        }
    }

    fn hear(&mut self, event: &Event<'_>, known_by: (Option<Sought>, Fingerprint)) {
        self.counts.without_address += u64::from(!event.attributes.is_empty());
        self.clocks.see(event);
        self.sessions.take_sought(self.position, event, known_by, &mut self.changes);
    }

    /// Takes an input.
    ///
    /// # Errors
    /// A meaning that this release does not know; nothing changed.
    pub fn apply(
        &mut self,
        entry: i64,
        input: Input,
        resolve: &mut impl Resolve,
    ) -> Result<(), CheckpointError> {
        match input {
            Input::Meaning(meaning) => {
                let decoder = Decoder::new(meaning.decoding()?);
                if meaning.sessions() != self.meaning.sessions() {
                    self.sessions = Sessions::load(meaning.sessions(), &self.sessions_octets()?)?;
                    self.server_names = ServerNames::default();
                }
                self.decoder = decoder;
                self.detector.set_thresholds(meaning.detect.thresholds.clone());
                self.meaning = *meaning;
            }
            Input::Databases { fingerprint } => {
                self.resolutions.clear();
                self.ties.clear();
                self.databases = fingerprint;
            }
            Input::Place { address, resolved } => drop(self.resolutions.insert(address, *resolved)),
            Input::Decision(decision) => self.decide(&decision),
            Input::Tick { unix_ns } => self.advance(unix_ns, resolve),
        }
        self.entry = entry;
        Ok(())
    }

    fn advance(&mut self, now: u64, resolve: &mut impl Resolve) {
        let gap_ns = u64::from(self.meaning.detect.thresholds.stops_gap_s) * 1_000_000_000;
        // Where it falls back it was ahead, and what seemed a gap until then ended now at the latest.
        if now.abs_diff(self.clock) > gap_ns {
            self.detector.gap(now);
        }
        self.clock = now;
        self.learning.advance(now);
        self.detector.advance(now);
        self.sessions.advance(now, &mut self.changes);
        self.follow(resolve);
        self.alerts.tell_gathered(now, &self.meaning.detect);
        let day = now / DAY_NS;
        let is_next = day > self.day && day - self.day <= JUMP_DAYS;
        // Behind a jump of the clock nothing is old until a day has gone by on it: a clock that is wrong for an hour
        // must not cost what people keep.
        if day > self.day || self.day - day > JUMP_DAYS {
            self.day = day;
        }
        if is_next {
            let before = (day * DAY_NS).saturating_sub(self.meaning.keep_s.saturating_mul(1_000_000_000));
            self.sightings.take_changed(&mut self.outcome.sightings);
            self.sightings.forget_before(before);
            self.learning.forget_old(now);
            self.accept_overdue(now);
            // Days before it goes: its notices are there then, by which sinks are known that were told of it.
            self.alerts.close_before(before.saturating_add(CLOSED_BEFORE_NS), now);
            self.alerts.forget_before(before);
            self.alerts.forget_old(now, &self.meaning.detect.thresholds);
            self.forget_rejected();
            self.ties.clear();
            self.sensor.1 = NOBODY;
            self.outcome.forget_before_unix_ns = Some(before);
        }
    }
}
