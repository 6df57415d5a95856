//! The service beside a running sensor: follows the journal, writes down what it decides (inputs), stores what follows.
//!
//! # What survives what
//!
//! Inputs are durable before anything that follows from them is stored. The store may be any number of outcomes behind
//! the journal, and any number ahead of its checkpoint. A start loads the checkpoint and takes again, with the inputs of
//! the first time, what was taken behind it; since outcomes say how things stand, taking them twice changes nothing.
//! A full disk or a lock held by somebody else makes the service wait and fall behind, never the sensor.

mod forget;
mod standing;
mod storing;

use std::{
    collections::HashMap,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use insight::geo::Places;
use journal::{Cursor, ReadError, Reader, Record, Records};

use crate::{
    Meaning, ServiceError,
    control::Control,
    error::records_missed,
    feed::Feed,
    fold::{ADDRESSES_MAX, Activity, ClientClock, Fold, NEAR, Outcome, Resolve, Resolved},
    inputs::{Input, Inputs, Placing},
    store::{self, Store},
};

pub use standing::{AlertCounts, Standing};

/// When nothing comes, the passing of time is an input this often: ns.
const TICK_NS: u64 = 30_000_000_000;
/// Records taken in one turn, between two looks at commands and signals.
const TURN_RECORDS: usize = 4096;
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
}
