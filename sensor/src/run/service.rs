//! The thread that makes sense of the records, beside the sensor. It reads the journal behind the workers; whatever
//! becomes of it, records are taken and answered.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use crossbeam::{channel::Receiver, queue::ArrayQueue};
use insight::geo::Places;
use journal::{Handle, Reader, Redactor};
use service::{
    Meaning, ServiceError,
    alert::Deciding,
    api,
    export::{
        Telling,
        format::{Health, Kind},
        sink::Settings,
    },
    forget::Forgetting,
    health,
    live::{Live, Retention},
    observed::Observed,
    settings,
};
use tokio::sync::watch;

use crate::{
    config::Config,
    failure::{Exit, Failure},
    metrics::InsightReading,
    places::Sources,
};

/// How long the thread rests when the journal has nothing new: what people see is about that old.
const REST: Duration = Duration::from_millis(20);
/// How long the thread may go on taking what is committed once the sensor stops; the next start takes the rest.
const STOPPING_MAX: Duration = Duration::from_secs(5);
/// Between two looks for health messages, and at how sinks stand.
const LOOK: Duration = Duration::from_millis(200);
/// Between two attempts to open a store that somebody else holds.
const RETRY: Duration = Duration::from_secs(1);
/// Changes of the configuration that may wait: the last one, which has all that those before it had. The thread takes it
/// between two turns.
const CHANGES_MAX: usize = 1;

/// A changed configuration.
struct Change {
    meaning: Meaning,
    places: Sources,
    sinks: Vec<Settings>,
    /// What links to alerts begin with.
    link: Option<String>,
    retention: Retention,
}

impl Change {
    fn of(config: &Config) -> Change {
        Change {
            meaning: config.meaning(),
            places: Sources::of(config),
            sinks: config.sinks.clone(),
            link: config.portal_link.clone(),
            retention: retention(config),
        }
    }
}

/// The thread and the way to it.
pub(super) struct Insight {
    changes: Arc<ArrayQueue<Change>>,
    /// What records mean, for those who answer questions.
    meaning: watch::Sender<Arc<Meaning>>,
    /// What links begin with, for the same.
    link: watch::Sender<Option<String>>,
    /// Where addresses are, for the same.
    places: watch::Receiver<Arc<Places>>,
    /// What keeps the product from its work, for the same.
    health: watch::Receiver<Arc<[health::Standing]>>,
    /// What the sensor tells of itself, for the same.
    sensor: Observed,
    stopping: Arc<AtomicBool>,
    reading: Arc<Mutex<InsightReading>>,
    thread: JoinHandle<()>,
}

impl Insight {
    /// Starts the thread. It opens the store itself: what there is to take again must not keep the sensor from starting.
    /// Health messages come by `told` and go to the sinks; what stands is in `health`.
    pub(super) fn start(
        config: &Config,
        handle: &Handle,
        told: Receiver<Health>,
        health: watch::Receiver<Arc<[health::Standing]>>,
    ) -> Result<Insight, Failure> {
        let changes = Arc::new(ArrayQueue::new(CHANGES_MAX));
        let stopping = Arc::new(AtomicBool::new(false));
        let reading = Arc::new(Mutex::new(InsightReading::default()));
        let reader = Reader::beside(config.journal_dir(), handle).context("cannot read the journal")?;
        let first = Change::of(config);
        let state_dir = config.state_dir.clone();
        let redactor = Redactor::beside(config.journal_dir(), handle).context("cannot read the journal")?;
        let forgetting = Forgetting::new(&state_dir, redactor);
        let (in_force, places) = watch::channel(Arc::default());
        let body = Body {
            changes: Arc::clone(&changes),
            told,
            places: in_force,
            stopping: Arc::clone(&stopping),
            reading: Arc::clone(&reading),
            retention: retention(config),
        };
        let thread = thread::Builder::new()
            .name("insight".to_owned())
            .spawn(move || body.run(&state_dir, &reader, first, forgetting))
            .map_err(|error| Failure::new(Exit::Failed, error))?;
        let (meaning, _) = watch::channel(Arc::new(config.meaning()));
        let (link, _) = watch::channel(config.portal_link.clone());
        let sensor = Observed::default();
        Ok(Insight { changes, meaning, link, places, health, sensor, stopping, reading, thread })
    }

    /// Where addresses are.
    pub(super) fn places(&self) -> watch::Receiver<Arc<Places>> {
        self.places.clone()
    }

    /// Where looks at the sensor go.
    pub(super) fn sensor(&self) -> Observed {
        self.sensor.clone()
    }

    /// How it stands, for the exporter.
    pub(super) fn reading(&self) -> Arc<Mutex<InsightReading>> {
        Arc::clone(&self.reading)
    }

    /// What questions are answered from.
    pub(super) fn api(
        &self,
        config: &Config,
        administration: Arc<dyn settings::Administer>,
    ) -> api::Settings {
        api::Settings {
            state_dir: config.state_dir.clone(),
            meaning: self.meaning.subscribe(),
            places: self.places.clone(),
            health: self.health.clone(),
            link: self.link.subscribe(),
            sensor: self.sensor.clone(),
            administration: Some(administration),
        }
    }

    /// Hands over what a new configuration says; databases are read anew.
    pub(super) fn reload(&self, config: &Config) {
        self.changes.force_push(Change::of(config));
        self.meaning.send_replace(Arc::new(config.meaning()));
        self.link.send_replace(config.portal_link.clone());
    }

    /// Lets it take what is committed, and store everything.
    pub(super) fn stop(self) {
        self.stopping.store(true, SeqCst);
        if self.thread.join().is_err() {
            tracing::error!("the service's thread panicked; records are whole, run `vpn-sensor rebuild`");
        }
    }
}

/// What retention takes from the journal.
pub(super) fn retention(config: &Config) -> Retention {
    Retention { max_octets: config.journal.max_bytes.unwrap_or(u64::MAX), max_age: config.journal.max_age }
}

struct Body {
    changes: Arc<ArrayQueue<Change>>,
    told: Receiver<Health>,
    places: watch::Sender<Arc<Places>>,
    stopping: Arc<AtomicBool>,
    reading: Arc<Mutex<InsightReading>>,
    retention: Retention,
}

impl Body {
    fn run(self, state_dir: &Path, reader: &Reader, first: Change, forgetting: Forgetting) {
        // Before the store: what keeps that from being opened is told.
        let mut telling = Telling::open(state_dir, first.sinks.clone(), first.link.clone());
        let result = self.open(state_dir, reader, &first, &mut telling).and_then(|live| match live {
            Some(live) => self.work(live, forgetting, state_dir, &mut telling),
            None => Ok(()),
        });
        self.tell(|reading| (reading.is_up, reading.has_ended) = (false, result.is_err()));
        if let Err(error) = result {
            tracing::error!("the service ended: {error}; records are taken and answered as before");
            // Somebody must still say so.
            while !self.stopping.load(SeqCst) {
                if let Some(change) = self.changes.pop() {
                    telling.reload(change.sinks, change.link);
                }
                self.tell_health(&mut telling);
                thread::sleep(LOOK);
            }
        }
        self.tell_health(&mut telling);
        telling.stop();
    }

    /// Hands health messages to the sinks, and says how those stand. Whatever the service waits for, sinks that do not run
    /// are tried again.
    fn tell_health(&self, telling: &mut Telling) {
        telling.try_again();
        let sinks = telling.sinks();
        self.told.try_iter().for_each(|health| sinks.tell_health(&health));
        let standing = sinks.standing().into();
        self.tell(|reading| reading.sinks = Some(standing));
    }

    /// Opens the store, and waits for that if waiting can help: a lock that somebody holds, a full disk. `None`: the
    /// sensor stops meanwhile.
    fn open(
        &self,
        state_dir: &Path,
        reader: &Reader,
        first: &Change,
        telling: &mut Telling,
    ) -> Result<Option<Live>, ServiceError> {
        let places = self.open_places(&first.places);
        let mut failures = 0;
        while !self.stopping.load(SeqCst) {
            let is_told = first.sinks.iter().any(|sink| sink.what.contains(&Kind::Connection));
            let places = Arc::clone(&places);
            match Live::open(state_dir, reader, &first.meaning, places, self.retention, is_told) {
                Ok(mut live) => {
                    live.note_failures(failures);
                    let standing = live.standing();
                    tracing::info!(
                        position = standing.position,
                        sessions = standing.sessions,
                        users = standing.users,
                        "the service goes on"
                    );
                    return Ok(Some(live));
                }
                Err(error) if error.may_pass() => {
                    if failures == 0 {
                        tracing::error!(
                            "{error}; the service waits and tries again, records and answers go on"
                        );
                    }
                    failures += 1;
                    self.tell(|reading| {
                        reading.standing.store_failures = failures;
                        reading.is_waiting = true;
                    });
                    self.tell_health(telling);
                    thread::sleep(RETRY);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn work(
        &self,
        mut live: Live,
        mut forgetting: Forgetting,
        state_dir: &Path,
        telling: &mut Telling,
    ) -> Result<(), ServiceError> {
        let mut deciding = Deciding::new(state_dir);
        telling.begin(&mut live);
        let heard = Arc::new(live.heard_clients());
        self.tell(|reading| reading.heard = Some(heard));
        let mut look_at = Instant::now();
        let mut stopping_since = None;
        loop {
            if let Some(Change { meaning, places, sinks, link, retention }) = self.changes.pop() {
                live.set_retention(retention);
                live.set_meaning(&meaning)?;
                live.set_places(self.open_places(&places))?;
                telling.reload(sinks, link);
            }
            // Records wait meanwhile, in the journal; a stop does not.
            forgetting.turn(&mut live, Some(telling.sinks()), &|| !self.stopping.load(SeqCst));
            deciding.turn(&mut live);
            // Asked before the turn: what was committed before the stop is taken.
            if self.stopping.load(SeqCst) {
                stopping_since.get_or_insert_with(Instant::now);
            }
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let has_more = live.turn(now.as_nanos() as u64)?;
            if let Err(error) = telling.turn(&mut live) {
                tracing::error!("sinks: {error}");
            }
            let (standing, is_waiting) = (live.standing(), live.is_waiting());
            self.tell(|reading| {
                (reading.is_up, reading.is_waiting, reading.standing) = (true, is_waiting, standing);
            });
            if Instant::now() >= look_at {
                look_at = Instant::now() + LOOK;
                let clocks = live.clocks().into();
                self.tell(|reading| reading.clocks = clocks);
                self.tell_health(telling);
            }
            if stopping_since.is_some_and(|since| !has_more || since.elapsed() > STOPPING_MAX) {
                return live.stop();
            }
            if !has_more {
                thread::sleep(REST);
            }
        }
    }

    /// A database that cannot be read must not keep the service from its work: what it would have said is missing.
    fn open_places(&self, sources: &Sources) -> Arc<Places> {
        let (places, wrong) = sources.open_what_can_be();
        for error in &wrong {
            tracing::error!("{error:#}; the service goes on without it until that is mended and SIGHUP sent");
        }
        let places = Arc::new(places);
        self.places.send_replace(Arc::clone(&places));
        let wrong = wrong.iter().map(|error| format!("{error:#}")).collect();
        self.tell(|reading| reading.geo_wrong = Some(wrong));
        places
    }

    fn tell(&self, change: impl FnOnce(&mut InsightReading)) {
        change(&mut self.reading.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
