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
use crossbeam::channel::{Receiver, Sender, TryRecvError, bounded};
use insight::geo::Places;
use journal::{Handle, Reader, Redactor};
use service::{
    Meaning, ServiceError,
    alert::Deciding,
    api,
    export::{Telling, format::Kind, sink::Settings},
    forget::Forgetting,
    live::{Live, Retention},
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
/// Between two attempts to open a store that somebody else holds.
const RETRY: Duration = Duration::from_secs(1);
/// Changes of the configuration that may wait. The thread takes them between two turns.
const CHANGES_MAX: usize = 4;

/// A changed configuration.
struct Change {
    meaning: Meaning,
    places: Sources,
    sinks: Vec<Settings>,
    /// What links to alerts begin with.
    link: Option<String>,
}

impl Change {
    fn of(config: &Config) -> Change {
        Change {
            meaning: config.meaning(),
            places: Sources::of(config),
            sinks: config.sinks.clone(),
            link: config.portal_link.clone(),
        }
    }
}

/// The thread and the way to it.
pub(super) struct Insight {
    changes: Sender<Change>,
    /// What records mean, for those who answer questions.
    meaning: watch::Sender<Arc<Meaning>>,
    /// Where addresses are, for the same.
    places: watch::Receiver<Arc<Places>>,
    stopping: Arc<AtomicBool>,
    reading: Arc<Mutex<InsightReading>>,
    thread: JoinHandle<()>,
}

impl Insight {
    /// Starts the thread. It opens the store itself: what there is to take again must not keep the sensor from starting.
    pub(super) fn start(config: &Config, handle: &Handle) -> Result<Insight, Failure> {
        let (sender, changes) = bounded(CHANGES_MAX);
        let stopping = Arc::new(AtomicBool::new(false));
        let reading = Arc::new(Mutex::new(InsightReading::default()));
        let reader = Reader::beside(config.journal_dir(), handle).context("cannot read the journal")?;
        let first = Change::of(config);
        let state_dir = config.state_dir.clone();
        let redactor = Redactor::beside(config.journal_dir(), handle).context("cannot read the journal")?;
        let forgetting = Forgetting::new(&state_dir, redactor);
        let (in_force, places) = watch::channel(Arc::default());
        let body = Body {
            changes,
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
        Ok(Insight { changes: sender, meaning, places, stopping, reading, thread })
    }

    /// How it stands, for the exporter.
    pub(super) fn standing(&self) -> Arc<Mutex<InsightReading>> {
        Arc::clone(&self.reading)
    }

    /// What questions are answered from.
    pub(super) fn api(&self, config: &Config) -> api::Settings {
        api::Settings {
            state_dir: config.state_dir.clone(),
            meaning: self.meaning.subscribe(),
            places: self.places.clone(),
        }
    }

    /// Hands over what a new configuration says; databases are read anew.
    pub(super) fn reload(&self, config: &Config) -> Result<(), String> {
        let change = Change::of(config);
        let busy = "the service is still busy with the reloads before this one; send SIGHUP again";
        self.changes.try_send(change).map_err(|_| busy.to_owned())?;
        self.meaning.send_replace(Arc::new(config.meaning()));
        Ok(())
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
    changes: Receiver<Change>,
    places: watch::Sender<Arc<Places>>,
    stopping: Arc<AtomicBool>,
    reading: Arc<Mutex<InsightReading>>,
    retention: Retention,
}

impl Body {
    fn run(self, state_dir: &Path, reader: &Reader, first: Change, forgetting: Forgetting) {
        let result = self.open(state_dir, reader, &first).and_then(|live| match live {
            Some(live) => self.work(live, forgetting, state_dir, (first.sinks, first.link)),
            None => Ok(()),
        });
        self.tell(|reading| reading.is_up = false);
        if let Err(error) = result {
            tracing::error!("the service ended: {error}; records are taken and answered as before");
        }
    }

    /// Opens the store, and waits for that if waiting can help: a lock that somebody holds, a full disk. `None`: the
    /// sensor stops meanwhile.
    fn open(&self, state_dir: &Path, reader: &Reader, first: &Change) -> Result<Option<Live>, ServiceError> {
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
                    self.tell(|reading| reading.standing.store_failures = failures);
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
        (sinks, link): (Vec<Settings>, Option<String>),
    ) -> Result<(), ServiceError> {
        let mut deciding = Deciding::new(state_dir);
        let mut telling = open_sinks(state_dir, sinks, link);
        if let Some(telling) = &mut telling {
            telling.begin(&mut live);
        }
        let mut stopping_since = None;
        loop {
            match self.changes.try_recv() {
                Ok(Change { meaning, places, sinks, link }) => {
                    live.set_meaning(&meaning)?;
                    live.set_places(self.open_places(&places))?;
                    match &mut telling {
                        Some(telling) => told(telling.reload(sinks, link)),
                        None => telling = open_sinks(state_dir, sinks, link),
                    }
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
            }
            // Records wait meanwhile, in the journal; a stop does not.
            let sinks = telling.as_ref().map(Telling::sinks);
            forgetting.turn(&mut live, sinks, &|| !self.stopping.load(SeqCst));
            deciding.turn(&mut live);
            // Asked before the turn: what was committed before the stop is taken.
            if self.stopping.load(SeqCst) {
                stopping_since.get_or_insert_with(Instant::now);
            }
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let has_more = live.turn(now.as_nanos() as u64)?;
            if let Some(telling) = &mut telling {
                told(telling.turn(&mut live, now.as_nanos() as u64));
            }
            let standing = live.standing();
            self.tell(|reading| *reading = InsightReading { is_up: true, standing });
            if stopping_since.is_some_and(|since| !has_more || since.elapsed() > STOPPING_MAX) {
                let stopped = live.stop();
                if let Some(telling) = telling {
                    telling.stop();
                }
                return stopped;
            }
            if !has_more {
                thread::sleep(REST);
            }
        }
    }

    /// A database that cannot be read must not keep the service from its work: what it would have said is missing.
    fn open_places(&self, sources: &Sources) -> Arc<Places> {
        let (places, wrong) = sources.open_what_can_be();
        for error in wrong {
            tracing::error!("{error:#}; the service goes on without it until that is mended and SIGHUP sent");
        }
        let places = Arc::new(places);
        self.places.send_replace(Arc::clone(&places));
        places
    }

    fn tell(&self, change: impl FnOnce(&mut InsightReading)) {
        change(&mut self.reading.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Sinks that cannot be opened must keep nobody from recording; what they would have sent is in the store.
fn open_sinks(state_dir: &Path, sinks: Vec<Settings>, link: Option<String>) -> Option<Telling> {
    let opened = Telling::open(state_dir, sinks, link);
    if let Err(error) = &opened {
        tracing::error!("no sink runs: {error}; mend that and send SIGHUP");
    }
    opened.ok()
}

fn told(result: Result<(), ServiceError>) {
    if let Err(error) = result {
        tracing::error!("sinks: {error}");
    }
}
