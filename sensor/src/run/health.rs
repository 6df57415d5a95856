//! Looks at the running parts once a second and says what keeps them from their work: to the log, the sinks, the API and
//! metrics. Each ten seconds it hands API and portal a look at the sensor. A thread of its own, which no worker and no sink waits for.

use std::{
    collections::HashMap,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use ingest::verdict::Verdict;
use insight::geo::Places;
use journal::State;
use service::{
    export::format,
    health::{
        ClientSeen, DatabaseSeen, DiskSeen, GeoSeen, Memory, Monitor, Now, Seen, ServiceSeen, Settings,
        Standing, StrangerSeen, WorkState,
    },
    observed, store,
};
use tokio::sync::watch;

use super::{observe::Observed, sensing::sensor_now};
use crate::{
    config::Config,
    metrics::{InsightReading, RefusedSource, Service as _},
    places::included,
};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// Addresses that a message about a wrong secret names.
const SOURCES_MAX: usize = 3;

/// What the thread tells, and to whom.
pub(super) struct Outlets {
    /// To the sinks, by way of the service's thread.
    pub(super) sinks: Sender<format::Health>,
    /// To whoever asks what stands.
    pub(super) standing: watch::Sender<Arc<[Standing]>>,
    /// Where addresses are, by the databases in force.
    pub(super) places: watch::Receiver<Arc<Places>>,
    /// To API and portal: how the sensor stands.
    pub(super) sensor: observed::Observed,
}

/// The thread.
pub(super) struct Health {
    settings: Arc<Mutex<Settings>>,
    /// Dropped when it is to end.
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Health {
    /// Starts the thread.
    pub(super) fn start(
        config: &Config,
        observed: &Arc<Observed>,
        outlets: Outlets,
    ) -> std::io::Result<Health> {
        let settings = Arc::new(Mutex::new(config.health.clone()));
        let (stop, stopping) = bounded(0);
        let body = Body {
            state_dir: config.state_dir.clone(),
            observed: Arc::clone(observed),
            settings: Arc::clone(&settings),
            outlets,
        };
        let thread = thread::Builder::new().name("health".to_owned()).spawn(move || body.run(&stopping))?;
        Ok(Health { settings, stop, thread })
    }

    /// Goes on with other settings.
    pub(super) fn reload(&self, settings: &Settings) {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = settings.clone();
    }

    /// Ends the thread.
    pub(super) fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the health thread panicked; what stands may be told again at the next start");
        }
    }
}

struct Body {
    state_dir: PathBuf,
    observed: Arc<Observed>,
    settings: Arc<Mutex<Settings>>,
    outlets: Outlets,
}

impl Body {
    fn run(self, stopping: &Receiver<()>) {
        let started = Instant::now();
        let (mut memory, standing) = Memory::open(&self.state_dir);
        let mut monitor = Monitor::new(standing, Now::after(Duration::ZERO));
        let mut look_due = Instant::now();
        while matches!(stopping.recv_timeout(LOOK), Err(RecvTimeoutError::Timeout)) {
            if Instant::now() >= look_due {
                look_due = Instant::now() + observed::INTERVAL;
                self.outlets.sensor.note(sensor_now(&self.observed.reading()));
            }
            let settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let told = monitor.look(&self.seen(), Now::after(started.elapsed()), &settings);
            let standing = monitor.standing();
            if **self.outlets.standing.borrow() != standing[..] {
                self.outlets.standing.send_replace(standing.clone().into());
            }
            for health in told {
                self.tell(health);
            }
            // Behind the telling: what a kill cuts off is told again rather than never.
            if let Err(error) = memory.keep(&standing) {
                tracing::warn!("{error}; what stands is told again behind a restart");
            }
        }
    }

    fn tell(&self, health: format::Health) {
        let format::Health { name, is_over, about, message, advice, .. } = &health;
        let about = about.as_deref().unwrap_or("-");
        if *is_over {
            tracing::info!(health = name, about, "{message}");
        } else {
            tracing::warn!(health = name, about, "{message} {}", advice.first().map_or("", String::as_str));
        }
        if self.outlets.sinks.try_send(health).is_err() {
            tracing::warn!("the service takes no health message now: no sink is told of the one above");
        }
    }

    fn seen(&self) -> Seen {
        let observed = &*self.observed;
        let insight = observed.insight();
        let refused = observed.refused_sources().reading(SystemTime::now()).sources;
        let ingest = observed.ingest();
        let (clients, duplicates_evicted) = (ingest.clients().current(), ingest.duplicates().evicted());
        let ports_closed = ingest.closed_because();
        drop(ingest);
        let strangers = refused.iter().filter(|source| source.verdict == Verdict::UnknownClient.name());
        Seen {
            clients: clients_seen(&clients, &refused),
            heard: insight.heard.clone(),
            strangers: strangers
                .map(|refused| StrangerSeen {
                    source: refused.source,
                    datagrams: refused.datagrams,
                    is_client: clients.lookup(refused.source).is_some(),
                })
                .collect(),
            geo: insight.geo_wrong.clone().map(|wrong| geo(&self.outlets.places.borrow(), wrong)),
            sinks: insight.sinks.clone(),
            disk: disk(&self.state_dir),
            ports_closed,
            journal_fails: match observed.journal.state() {
                State::Ready => None,
                State::Failing { reason, .. } => Some(reason),
            },
            duplicates_evicted,
            records_lost: insight.standing.records_missed,
            clocks: Arc::clone(&insight.clocks),
            service: ServiceSeen {
                state: work_state(&insight),
                store: service::folder(&self.state_dir).join(store::FILE),
            },
        }
    }
}

fn clients_seen(clients: &ingest::clients::Clients, refused: &[RefusedSource]) -> Vec<ClientSeen> {
    const WRONG: [Verdict; 2] = [Verdict::BadAuthenticator, Verdict::BadMessageAuthenticator];
    let mut sources: HashMap<&str, Vec<IpAddr>> = HashMap::new();
    for refused in refused.iter().filter(|refused| WRONG.iter().any(|wrong| wrong.name() == refused.verdict))
    {
        let Some(client) = refused.client.as_deref() else { continue };
        let sources = sources.entry(client).or_default();
        if sources.len() < SOURCES_MAX && !sources.contains(&refused.source) {
            sources.push(refused.source);
        }
    }
    let seen = clients.iter().map(|(index, client)| {
        let state = clients.state(index);
        ClientSeen {
            name: client.name.to_string(),
            genuine: state.genuine(),
            bad_authenticators: state.bad_authenticators(),
            bad_message_authenticators: state.bad_message_authenticators(),
            bad_sources: sources.remove(&*client.name).unwrap_or_default(),
        }
    });
    seen.collect()
}

fn geo(places: &Places, wrong: Arc<[String]>) -> GeoSeen {
    let database = |database: &Arc<insight::geo::Database>| DatabaseSeen {
        name: database.name().to_owned(),
        contents: database.contents(),
        built_unix_s: database.built_unix_s(),
        is_included: database.name().starts_with(included::PREFIX),
    };
    GeoSeen { databases: places.databases().iter().map(database).collect(), wrong }
}

/// None if it cannot be asked.
fn disk(path: &Path) -> Option<DiskSeen> {
    let space = rustix::fs::statvfs(path).ok()?;
    Some(DiskSeen {
        path: path.to_owned(),
        free_bytes: space.f_bavail.saturating_mul(space.f_frsize),
        total_bytes: space.f_blocks.saturating_mul(space.f_frsize),
    })
}

fn work_state(insight: &InsightReading) -> WorkState {
    match insight {
        InsightReading { has_ended: true, .. } => WorkState::Ended,
        InsightReading { is_waiting: true, .. } => WorkState::Waiting,
        InsightReading { is_up: true, .. } => WorkState::Up,
        _ => WorkState::Starting,
    }
}
