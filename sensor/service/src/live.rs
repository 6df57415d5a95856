//! The service beside a running sensor: follows the journal, writes down what it decides (inputs), stores what follows.
//!
//! # What survives what
//!
//! Inputs are durable before anything that follows from them is stored. The store may be any number of outcomes behind
//! the journal, and any number ahead of its checkpoint. A start loads the checkpoint and takes again, with the inputs of
//! the first time, what was taken behind it; since outcomes say how things stand, taking them twice changes nothing.
//! A full disk or a lock held by somebody else makes the service wait and fall behind, never the sensor.

mod forget;

use std::{
    collections::HashMap,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use insight::{geo::Places, profile, vpn::session};
use journal::{Cursor, ReadError, Reader, Record, Records};

use crate::{
    Meaning, ServiceError,
    alert::{News, Notice},
    control::Control,
    error::records_missed,
    feed::Feed,
    fold::{ADDRESSES_MAX, Activity, ClientClock, Fold, NEAR, Outcome, Resolve, Resolved},
    inputs::{Input, Inputs, Placing},
    rebuild::BASE_FILE,
    store::{self, Store},
};

/// Rows of an outcome at which it is stored: what waits in memory while the disk is full. With a million users the store
/// takes so many in half a second (`cargo xtask bench insight`, session_changes_per_second): about as late as by age.
const OUTCOME_ROWS: usize = 20_000;
/// An outcome is stored after so long at the latest: what people see is at most this old when little happens.
const OUTCOME_AGE: Duration = Duration::from_millis(250);
/// Records between two checkpoints: at 90,000 a second (`cargo xtask bench insight`, events_per_second while a million
/// users connect) so many are taken again in three of the five seconds that a start may last, and the state is read in two
/// (checkpoint_load_seconds: 1.9).
const CHECKPOINT_RECORDS: u64 = 250_000;
/// And at the latest after this, if anything was taken.
const CHECKPOINT_AGE: Duration = Duration::from_secs(600);
/// When nothing comes, the passing of time is an input this often: ns.
const TICK_NS: u64 = 30_000_000_000;
/// Between two attempts at what may pass.
const RETRY: Duration = Duration::from_secs(1);
/// Records taken in one turn, between two looks at commands and signals.
const TURN_RECORDS: usize = 4096;
/// A base is made when the journal holds this share of its greatest size that the last one does not cover: a second
/// attempt fits before retention wants what the first should have covered.
const BASE_SHARE: u64 = 4;
/// And at the latest after this, if anything was taken: so that a rebuild takes a day's records and not a month's.
const BASE_AGE: Duration = Duration::from_secs(86_400);
/// What the journal needs for a record besides its request, about: head, addresses, client, and its part of the batch.
const RECORD_OCTETS: u64 = 128;
/// And for a whole one, where nobody has seen it: about what the requests of real VPN servers have.
const WHOLE_RECORD_OCTETS: u64 = 450;

/// The cursor by which retention knows what the base covers.
const CURSOR: &str = "service";

/// What retention takes from the journal, and when: a base must be there before.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// The journal's greatest size, octets.
    pub max_octets: u64,
    /// The greatest age of its records.
    pub max_age: Option<Duration>,
}

/// How the service stands, for metrics.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing {
    /// Sequence of the last record taken.
    pub position: u64,
    /// Sequence of the last record whose outcome is stored: what people see.
    pub stored: u64,
    /// Arrival of the last record taken, or the last tick, ns since 1970 UTC.
    pub clock_unix_ns: u64,
    /// What was taken since the journal's first record.
    pub counts: crate::fold::Counts,
    /// Session ids that are followed.
    pub sessions: u64,
    /// Users that are followed.
    pub users: u64,
    /// Addresses that are resolved.
    pub addresses: u64,
    /// What was done with events.
    pub events: session::Counts,
    /// Names of users, devices, VPN servers and sensors that there was no room to follow.
    pub names_surplus: u64,
    /// Users whose profile is kept.
    pub profiles: u64,
    /// What the profiles did not learn.
    pub profile_counts: profile::Counts,
    /// Copies of the store made since the start.
    pub bases: u64,
    /// Rows stored since the start.
    pub rows: u64,
    /// Attempts to store, or to read the journal, that failed and were made again.
    pub store_failures: u64,
    /// Records that were gone or damaged before they were taken.
    pub records_missed: u64,
    /// Checkpoints written since the start.
    pub checkpoints: u64,
    /// Persons forgotten since the start.
    pub forgotten: u64,
    /// What became of alerts since the start.
    pub alerts: AlertCounts,
}

/// What became of alerts, each by severity in the order of [`crate::alert::Severity::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlertCounts {
    /// Raised since the start.
    pub opened: [u64; 4],
    /// Closed since the start.
    pub closed: [u64; 4],
    /// Notices for the sinks since the start: raised, grown, closed.
    pub sent: [u64; 4],
    /// News over the day's bound, or beyond what one alert tells, since the start: listed, not sent.
    pub held: [u64; 4],
    /// Open now.
    pub open: [u64; 4],
}

impl AlertCounts {
    fn note(&mut self, notices: &[Notice]) {
        for Notice { news, is_held, alert, .. } in notices {
            let severity = alert.severity as usize;
            match news {
                News::New => self.opened[severity] += 1,
                News::Closed => self.closed[severity] += 1,
                News::Updated => {}
            }
            let told = if *is_held { &mut self.held } else { &mut self.sent };
            told[severity] += 1;
        }
    }
}

/// The service.
#[derive(Debug)]
pub struct Live {
    folder: PathBuf,
    fold: Fold,
    inputs: Inputs,
    store: Store,
    reader: Reader,
    records: Records,
    /// Read and not taken yet.
    ahead: Vec<Record>,
    /// What came behind them instead of a record.
    behind: Option<ReadError>,
    deciding: Deciding,
    /// An outcome that could not be stored yet.
    waiting: Option<Outcome>,
    outcome_since: Option<Instant>,
    /// What could not be stored is tried again then.
    retry_at: Option<Instant>,
    checkpoint_position: u64,
    checkpoint_at: Instant,
    cursor: Cursor,
    base_at: Instant,
    /// Octets of the journal that the base does not cover, about.
    uncovered: u64,
    retention: Retention,
    standing: Standing,
}

/// Resolves addresses and remembers what it decided, until that is in the input log.
#[derive(Debug)]
struct Deciding {
    places: Arc<Places>,
    pending: Vec<Placing>,
}

impl Resolve for Deciding {
    fn resolve(&mut self, position: u64, address: IpAddr) -> Resolved {
        let resolved = Resolved::of(&self.places.find(address));
        let input = Input::Place { address, resolved: Box::new(resolved.clone()) };
        self.pending.push(Placing { position, input });
        resolved
    }
}

impl Live {
    /// Opens the service's folder below the state directory and comes back to where the last one stopped.
    ///
    /// `keep_activities`: see [`Live::keep_activities`]; what is taken again is told again then.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn open(
        state_dir: &Path,
        reader: &Reader,
        meaning: &Meaning,
        places: Arc<Places>,
        retention: Retention,
        keep_activities: bool,
    ) -> Result<Live, ServiceError> {
        let folder = crate::make_folder(state_dir)?;
        let inputs = Inputs::open(&folder)?;
        let store = Store::open(&folder.join(store::FILE))?;
        let fold = match store.checkpoint()? {
            Some(octets) => Fold::load(&octets)?,
            None => Fold::new(Meaning::default())?,
        };
        let cursor = Cursor::open(state_dir.join("journal"), CURSOR)?;
        let mut live = Live {
            records: reader.records_behind(fold.position()),
            ahead: Vec::with_capacity(NEAR),
            behind: None,
            reader: reader.clone(),
            folder,
            inputs,
            store,
            deciding: Deciding { places, pending: Vec::new() },
            waiting: None,
            outcome_since: None,
            retry_at: None,
            checkpoint_position: fold.position(),
            checkpoint_at: Instant::now(),
            uncovered: fold.position().saturating_sub(cursor.position()) * WHOLE_RECORD_OCTETS,
            cursor,
            base_at: Instant::now(),
            retention,
            standing: Standing::default(),
            fold,
        };
        live.keep_activities(keep_activities);
        live.return_to_where_it_was()?;
        live.set_meaning(meaning)?;
        let places = live.deciding.places.clone();
        live.set_places(places)?;
        live.store_outcome()?;
        live.standing.alerts.open = live.fold.open_alerts();
        Ok(live)
    }

    /// Takes again what the store or the input log has seen already. What the store has is not stored again: at its
    /// position it says what the state says.
    fn return_to_where_it_was(&mut self) -> Result<(), ServiceError> {
        let stored = self.store.position()?;
        let horizon = stored.max(self.inputs.last_position()?);
        let mut feed = Feed::behind(self.fold.entry());
        while self.fold.position() < horizon {
            match self.records.next() {
                Some(Ok(record)) => {
                    feed.before(record.sequence, &self.inputs, &mut self.fold, &mut self.deciding)?;
                    self.take(&record);
                }
                Some(Err(error)) => self.missed(error)?,
                None => break,
            }
            if self.fold.position() <= stored {
                if !self.may_take() || self.fold.position() == stored {
                    let known = self.fold.finish();
                    self.fold.reuse(known);
                }
            } else if !self.may_take() {
                self.write_outcome(None)?;
            }
        }
        feed.before(u64::MAX, &self.inputs, &mut self.fold, &mut self.deciding)
    }

    /// Takes what the journal has, up to a bound; stores what is due. Tells whether there may be more at once.
    ///
    /// # Errors
    /// What waiting does not help against. What it does is told in the log and tried again.
    pub fn turn(&mut self, now_unix_ns: u64) -> Result<bool, ServiceError> {
        let mut taken = 0;
        while taken < TURN_RECORDS && self.may_take() {
            self.read_ahead();
            if self.ahead.is_empty() {
                match self.behind.take() {
                    Some(ReadError::Io(error)) => {
                        self.wait(&ServiceError::Journal(ReadError::Io(error)));
                        break;
                    }
                    Some(error) => self.missed(error)?,
                    None => break,
                }
                taken += 1;
            }
            taken += self.take_ahead();
            if self.fold.addresses() > ADDRESSES_MAX {
                break;
            }
        }
        if self.fold.addresses() > ADDRESSES_MAX {
            self.set_places(self.deciding.places.clone())?;
        }
        // What waits for the disk and the state belong together: no time goes by between the two.
        if taken == 0
            && self.waiting.is_none()
            && now_unix_ns > self.fold.clock_unix_ns().saturating_add(TICK_NS)
        {
            self.decide(Input::Tick { unix_ns: now_unix_ns })?;
        }
        self.store_what_is_due()?;
        Ok(taken > 0)
    }

    /// From now on retention takes this.
    pub fn set_retention(&mut self, retention: Retention) {
        self.retention = retention;
    }

    /// Records mean something else from here on.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn set_meaning(&mut self, meaning: &Meaning) -> Result<(), ServiceError> {
        if meaning != self.fold.meaning() {
            self.decide(Input::Meaning(Box::new(meaning.clone())))?;
        }
        Ok(())
    }

    /// Addresses are resolved by these databases from here on.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn set_places(&mut self, places: Arc<Places>) -> Result<(), ServiceError> {
        let fingerprint = crate::fingerprint(&places);
        if fingerprint != self.fold.databases() || self.fold.addresses() > ADDRESSES_MAX {
            self.decide(Input::Databases { fingerprint })?;
        }
        self.deciding.places = places;
        Ok(())
    }

    /// Takes what people decided about alerts; whether there was anything. Each is in the input log when it is taken out of
    /// `control`: a crash between the two takes it again, which changes nothing.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn take_decisions(&mut self, control: &Control) -> Result<bool, ServiceError> {
        let mut any = false;
        while let Some((number, decision)) = control.next_decision()? {
            self.decide(Input::Decision(Box::new(decision)))?;
            self.append_inputs()?;
            control.took_decision(number)?;
            any = true;
        }
        Ok(any)
    }

    /// Stores everything, with a checkpoint: the next start has nothing to take again.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn stop(mut self) -> Result<(), ServiceError> {
        self.write_checkpoint()
    }

    /// Whether what becomes of sessions is kept for [`Live::take_activities`] from here on.
    pub fn keep_activities(&mut self, is_wanted: bool) {
        self.fold.keep_activities(is_wanted);
    }

    /// What became of sessions since this was asked last.
    pub fn take_activities(&mut self) -> Vec<Activity> {
        self.fold.take_activities()
    }

    /// Whether something failed that may pass, and is to be tried again.
    pub fn is_waiting(&self) -> bool {
        self.retry_at.is_some()
    }

    /// When each client was heard last, as far as records say, ns since 1970 UTC. Goes through all that is followed: for a
    /// start.
    pub fn heard_clients(&self) -> HashMap<String, u64> {
        let mut heard: HashMap<String, u64> = HashMap::new();
        for (server, unix_ns) in self.fold.servers_heard() {
            let client = server.split('\n').next().unwrap_or_default();
            let last = heard.entry(client.to_owned()).or_default();
            *last = unix_ns.max(*last);
        }
        heard
    }

    /// VPN servers whose clock is wrong, by what was taken since the start.
    pub fn clocks(&self) -> Vec<ClientClock> {
        self.fold.clocks()
    }

    /// Counts attempts to open the store that failed before this one.
    pub fn note_failures(&mut self, failures: u64) {
        self.standing.store_failures += failures;
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        Standing {
            position: self.fold.position(),
            clock_unix_ns: self.fold.clock_unix_ns(),
            counts: self.fold.counts(),
            sessions: self.fold.sessions().len() as u64,
            users: self.fold.seen(crate::fold::Sort::User) as u64,
            addresses: self.fold.addresses() as u64,
            events: self.fold.sessions().counts(),
            names_surplus: self.fold.sightings_surplus(),
            profiles: self.fold.profiles().len() as u64,
            profile_counts: self.fold.profiles().counts(),
            ..self.standing
        }
    }

    /// While an outcome waits for the disk, nothing more is taken than fits into it.
    fn may_take(&self) -> bool {
        self.waiting.is_none() && self.fold.rows() < OUTCOME_ROWS && !self.fold.must_be_stored()
    }

    fn decide(&mut self, input: Input) -> Result<(), ServiceError> {
        self.deciding.pending.push(Placing { position: self.fold.position(), input: input.clone() });
        // The number it will have is known when it is written, and set then.
        let entry = self.fold.entry();
        self.fold.apply(entry, input, &mut self.deciding)?;
        Ok(())
    }

    fn read_ahead(&mut self) {
        while self.ahead.len() < NEAR && self.behind.is_none() {
            match self.records.next() {
                Some(Ok(record)) => self.ahead.push(record),
                Some(Err(error)) => self.behind = Some(error),
                None => break,
            }
        }
    }

    fn take_ahead(&mut self) -> usize {
        let taken = self.fold.take_some(&self.ahead, &mut self.deciding);
        for record in self.ahead.drain(..taken) {
            self.uncovered = self.uncovered.saturating_add(record.octets.len() as u64 + RECORD_OCTETS);
        }
        taken
    }

    fn take(&mut self, record: &Record) {
        self.uncovered = self.uncovered.saturating_add(record.octets.len() as u64 + RECORD_OCTETS);
        self.fold.take(record, &mut self.deciding);
    }

    fn missed(&mut self, error: ReadError) -> Result<(), ServiceError> {
        let text = error.to_string();
        self.standing.records_missed += records_missed(error)?;
        tracing::error!("the service: {text}; what they said is missing in sessions and profiles");
        Ok(())
    }

    fn store_what_is_due(&mut self) -> Result<(), ServiceError> {
        let now = Instant::now();
        if self.retry_at.is_some_and(|at| now < at) {
            return Ok(());
        }
        let has_something =
            self.waiting.is_some() || self.fold.rows() > 0 || !self.deciding.pending.is_empty();
        let since = *self.outcome_since.get_or_insert(now);
        if !has_something {
            self.outcome_since = None;
        }
        let is_due = !self.may_take() || now.duration_since(since) >= OUTCOME_AGE;
        let records = self.fold.position() - self.checkpoint_position;
        if records >= CHECKPOINT_RECORDS
            || (records > 0 && now.duration_since(self.checkpoint_at) >= CHECKPOINT_AGE)
        {
            self.try_again_later(Self::write_checkpoint)
        } else if self.is_base_due(now) {
            self.base_at = now;
            self.try_again_later(Self::make_base)
        } else if has_something && is_due {
            self.try_again_later(Self::store_outcome)
        } else {
            Ok(())
        }
    }

    fn try_again_later(
        &mut self,
        write: fn(&mut Live) -> Result<(), ServiceError>,
    ) -> Result<(), ServiceError> {
        match write(self) {
            Ok(()) => {
                if self.retry_at.take().is_some() {
                    tracing::info!("the service stores again");
                }
                Ok(())
            }
            Err(error) if error.may_pass() => {
                self.wait(&error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Counts what may pass and tells it once.
    fn wait(&mut self, error: &ServiceError) {
        self.standing.store_failures += 1;
        if self.retry_at.is_none() {
            tracing::error!("{error}; the service waits and tries again, records and answers go on");
        }
        self.retry_at = Some(Instant::now() + RETRY);
    }

    fn store_outcome(&mut self) -> Result<(), ServiceError> {
        self.write_outcome(None)
    }

    fn write_checkpoint(&mut self) -> Result<(), ServiceError> {
        self.append_inputs()?;
        if self.waiting.is_some() {
            // It is of an earlier state.
            self.write_outcome(None)?;
        }
        let octets = self.fold.save()?;
        self.write_outcome(Some(&octets))?;
        self.checkpoint_position = self.fold.position();
        self.checkpoint_at = Instant::now();
        self.standing.checkpoints += 1;
        Ok(())
    }

    fn append_inputs(&mut self) -> Result<(), ServiceError> {
        if !self.deciding.pending.is_empty() {
            self.inputs.append(&self.deciding.pending)?;
            self.deciding.pending.clear();
            self.fold.set_entry(self.inputs.last_entry()?);
        }
        Ok(())
    }

    fn write_outcome(&mut self, checkpoint: Option<&[u8]>) -> Result<(), ServiceError> {
        self.append_inputs()?;
        let outcome = self.waiting.take().unwrap_or_else(|| self.fold.finish());
        if let Err(error) = self.store.write(&outcome, checkpoint) {
            self.waiting = Some(outcome);
            return Err(error.into());
        }
        self.standing.stored = self.fold.position();
        self.standing.rows += outcome.len() as u64;
        if !outcome.notices.is_empty() {
            self.standing.alerts.note(&outcome.notices);
            self.standing.alerts.open = self.fold.open_alerts();
        }
        self.fold.reuse(outcome);
        self.outcome_since = None;
        Ok(())
    }

    fn is_base_due(&self, now: Instant) -> bool {
        let max_age = self.retention.max_age.map_or(BASE_AGE, |age| BASE_AGE.min(age / BASE_SHARE as u32));
        let is_old =
            self.fold.position() > self.cursor.position() && now.duration_since(self.base_at) >= max_age;
        is_old || self.uncovered >= self.retention.max_octets / BASE_SHARE
    }

    /// Copies the store, with a checkpoint, to where a rebuild begins; what the copy covers leaves the input log, and
    /// may leave the journal.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn make_base(&mut self) -> Result<(), ServiceError> {
        self.write_checkpoint()?;
        let temporary = self.folder.join("base.new");
        crate::remove_if_there(&temporary)?;
        self.store.copy_to(&temporary)?;
        crate::replace_durably(&temporary, &self.folder.join(BASE_FILE))?;
        self.inputs.remove_up_to(self.fold.entry())?;
        self.cursor.advance(self.fold.position())?;
        self.uncovered = 0;
        self.standing.bases += 1;
        Ok(())
    }
}
