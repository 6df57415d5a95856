//! Puts the hot half together: what all workers share, the workers on their threads, and the numbers of all of them.
//! The binary calls this, and only this, to start and stop ingest.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use journal::{ReadError, Reader, Storage, Writer};
use md5_lanes::Lanes;
use radius::Framed;

use crate::{
    capture::{Source, SourceError},
    clients::{Clients, ClientsHandle},
    clock::{monotonic_ns, unix_ns},
    counters::{WorkerCounters, WorkerSnapshot},
    dedup::{Duplicates, Key},
    latency::{self, Bank, LatencyReader},
    notice::Notices,
    pin,
    proof::Proofs,
    specimen::Specimens,
    wake::WorkerWake,
    worker::{Ack, Observer, Parts, Shared, Worker},
};

/// What can be chosen about ingest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestOptions {
    /// When the answer leaves.
    pub ack: Ack,
    /// For how long a recorded request is remembered, so that its retransmission is answered and not recorded again:
    /// 5 to 30 s (RFC 5080 section 2.2.2).
    pub duplicate_window: Duration,
    /// Entries of the duplicate table, 16 octets each: at least four for every request expected within the window.
    pub duplicate_entries: usize,
    /// Batches of each worker: with 256 requests each, as the journal has them by default, these can be on their way to the
    /// disk before new ones become `overload`.
    pub batches: usize,
    /// Notices that can wait for the control thread.
    pub notices: usize,
    /// By which path digests are computed; none: the widest that the processor has.
    pub digests: Option<md5_lanes::Path>,
    /// How long a worker with nothing to do goes on looking at its source and its batches before it sleeps.
    pub spin: Duration,
}

impl Default for IngestOptions {
    fn default() -> IngestOptions {
        IngestOptions {
            ack: Ack::Durable,
            duplicate_window: Duration::from_secs(30),
            // 16 MiB: 8,700 requests a second for 30 s with four entries each.
            duplicate_entries: 1 << 20,
            // Derived from the records of a batch: 64 times 256 hold what comes while the disk stalls for 80 ms at 200,000
            // requests a second, in 8 MiB a worker. Fewer records show what fewer batches would: with one record each, 64
            // requests in all, the bench `knobs` lost 1.4 to 1.9 % in syncs of 3 ms, with four none (docs/tuning.md).
            batches: 64,
            notices: 1024,
            digests: None,
            spin: Duration::ZERO,
        }
    }
}

/// The workers and what they share.
pub struct Ingest {
    shared: Arc<Shared>,
    batches: usize,
    digests: md5_lanes::Path,
    spin: Duration,
    workers: Vec<Station>,
}

/// What is kept of a worker beside its thread.
struct Station {
    wake: Arc<WorkerWake>,
    counters: Arc<WorkerCounters>,
    latency: LatencyReader,
    thread: Option<JoinHandle<Result<(), SourceError>>>,
}

/// How a worker's thread ended.
#[derive(Debug)]
pub struct Ended {
    /// The worker's name.
    pub name: Arc<str>,
    /// An error is the source's. A panic is reported as one.
    pub result: Result<(), SourceError>,
}

/// A worker could not be started.
#[derive(Debug, thiserror::Error)]
#[error("worker `{name}`: {error}")]
pub struct SpawnError {
    /// The worker's name.
    pub name: String,
    /// What the system said.
    pub error: io::Error,
}

impl Ingest {
    /// No worker yet. `journal` tells whether records are taken, for Status-Server.
    pub fn new(clients: Clients, journal: journal::Handle, options: &IngestOptions) -> Ingest {
        let shared = Shared {
            clients: ClientsHandle::new(clients),
            duplicates: Duplicates::new(options.duplicate_entries, options.duplicate_window),
            notices: Notices::new(options.notices),
            journal,
            ack: options.ack,
            specimens: Specimens::new(),
            proofs: Proofs::new(),
            stop: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            closed_workers: AtomicUsize::new(0),
            closed_because: Mutex::default(),
            failed_monotonic_ns: AtomicU64::new(0),
        };
        Ingest {
            shared: Arc::new(shared),
            batches: options.batches.max(1),
            digests: options.digests.unwrap_or_else(md5_lanes::Path::best),
            spin: options.spin,
            workers: Vec::new(),
        }
    }

    /// Fills the duplicate table from the journal: to be called before the first worker is started. Returns how many
    /// requests it remembers.
    ///
    /// # Errors
    /// The disk's, or damage within the window. What was read until then is remembered; requests of the damaged part
    /// would be recorded again if they were repeated.
    pub fn remember<S: Storage>(&self, reader: &Reader<S>) -> Result<usize, ReadError> {
        let duplicates = &self.shared.duplicates;
        let (now_monotonic, now_unix) = (monotonic_ns(), unix_ns());
        let window = u64::try_from(duplicates.window().as_nanos()).unwrap_or(u64::MAX);
        let mut remembered = 0;
        let mut damaged = None;
        for record in reader.records_since(now_unix.saturating_sub(window))? {
            let record = match record {
                Ok(record) => record,
                // The iterator goes on behind the damage.
                Err(error) => {
                    damaged.get_or_insert(error);
                    continue;
                }
            };
            // A tombstone has no octets: what was there is not known to be a duplicate any more.
            let Ok(request) = Framed::parse(&record.octets) else { continue };
            let key = Key {
                source: record.source,
                destination: record.destination,
                code: request.code(),
                identifier: request.identifier(),
                authenticator: request.authenticator(),
            };
            let age = now_unix.saturating_sub(record.arrival_unix_ns);
            if duplicates.restore(&key, now_monotonic.saturating_sub(age), now_monotonic) {
                remembered += 1;
            }
        }
        damaged.map_or(Ok(remembered), Err)
    }

    /// A worker that the caller runs: for `replay`, on its own thread. All of them must be made before the writer runs.
    ///
    /// # Errors
    /// When the eventfd cannot be made, or the processor does not have the path for digests that was asked for.
    pub fn worker<S: Source, O: Observer, W: Storage>(
        &mut self,
        name: &str,
        source: S,
        writer: &mut Writer<W>,
        observer: O,
    ) -> io::Result<Worker<S, O>> {
        let wake = Arc::new(WorkerWake::new()?);
        let lanes =
            Lanes::new(self.digests).map_err(|error| io::Error::new(io::ErrorKind::Unsupported, error))?;
        let counters = Arc::new(WorkerCounters::new(name, S::PATH));
        let (recorder, reader) = latency::pair();
        let port = writer.port(self.batches, wake.clone());
        let shared = self.shared.clone();
        self.workers.push(Station {
            wake: wake.clone(),
            counters: counters.clone(),
            latency: reader,
            thread: None,
        });
        let spin = self.spin;
        let latency = recorder;
        Ok(Worker::new(Parts { source, port, shared, wake, counters, latency, observer, lanes, spin }))
    }

    /// Starts a worker on a thread of this name (the kernel keeps 15 octets of it), on `core` if one is given. All of
    /// them must be started before the writer runs; they wait for it.
    ///
    /// # Errors
    /// When the thread cannot be made, or may not run on that core.
    pub fn spawn_worker<S: Source + 'static, W: Storage>(
        &mut self,
        name: &str,
        core: Option<usize>,
        source: S,
        writer: &mut Writer<W>,
    ) -> Result<(), SpawnError> {
        self.spawn_observed(name, core, source, writer, ())
    }

    /// The same with an observer.
    ///
    /// # Errors
    /// As [`Ingest::spawn_worker`].
    pub fn spawn_observed<S: Source + 'static, O: Observer + 'static, W: Storage>(
        &mut self,
        name: &str,
        core: Option<usize>,
        source: S,
        writer: &mut Writer<W>,
        observer: O,
    ) -> Result<(), SpawnError> {
        let failed = |error| SpawnError { name: name.to_owned(), error };
        let mut worker = self.worker(name, source, writer, observer).map_err(failed)?;
        let (report, pinned) = std::sync::mpsc::sync_channel(1);
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let placed = core.map_or(Ok(()), pin::pin_current);
            let go_on = placed.is_ok();
            // The assembly waits for this one message.
            let _ = report.send(placed);
            if go_on { worker.run() } else { Ok(()) }
        });
        let started = spawned.and_then(|thread| {
            pinned.recv().unwrap_or_else(|_| Err(io::Error::other("the thread ended at once")))?;
            Ok(thread)
        });
        match (started, self.workers.last_mut()) {
            (Ok(thread), Some(station)) => {
                station.thread = Some(thread);
                Ok(())
            }
            (started, _) => {
                self.workers.pop();
                Err(failed(started.err().unwrap_or_else(|| io::Error::other("no such worker"))))
            }
        }
    }

    /// The clients in force, to replace them at a reload.
    pub fn clients(&self) -> &ClientsHandle {
        &self.shared.clients
    }

    /// What the workers have to say.
    pub fn notices(&self) -> &Notices {
        &self.shared.notices
    }

    /// Copies of refused requests.
    pub fn specimens(&self) -> &Specimens {
        &self.shared.specimens
    }

    /// Of which sources that were refused a request verifies by now.
    pub fn proofs(&self) -> &Proofs {
        &self.shared.proofs
    }

    /// Switches accounting on or off: workers close their sockets once what is in flight is answered, and open them again.
    pub fn set_open(&self, open: bool) {
        self.shared.closed.store(!open, SeqCst);
        self.workers.iter().for_each(|station| station.wake.wake());
    }

    /// Whether accounting is switched on.
    pub fn is_open(&self) -> bool {
        !self.shared.closed.load(SeqCst)
    }

    /// Workers whose source is closed.
    pub fn closed_workers(&self) -> usize {
        self.shared.closed_workers.load(SeqCst)
    }

    /// Why workers' sources are closed although accounting is on, if it is and they are; nothing is heard by those.
    pub fn closed_because(&self) -> Option<String> {
        if !self.is_open() || self.closed_workers() == 0 {
            return None;
        }
        self.shared.closed_because.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The duplicate table, for its numbers.
    pub fn duplicates(&self) -> &Duplicates {
        &self.shared.duplicates
    }

    /// The counters of each worker, to be kept by whoever exports them.
    pub fn counters(&self) -> Vec<Arc<WorkerCounters>> {
        self.workers.iter().map(|station| station.counters.clone()).collect()
    }

    /// The numbers of each worker now.
    pub fn snapshot(&self) -> Vec<WorkerSnapshot> {
        self.workers.iter().map(|station| station.counters.snapshot()).collect()
    }

    /// The latency since the start, one bank a worker. Waits up to `timeout` for each worker in the middle of a burst.
    pub fn latency(&mut self, timeout: Duration) -> impl Iterator<Item = (&Arc<str>, &Bank)> {
        self.workers.iter_mut().map(move |station| {
            let Station { wake, latency, counters, .. } = station;
            (counters.name(), latency.collect(|| wake.wake(), timeout))
        })
    }

    /// Whether a worker's thread has ended by itself: then [`Ingest::stop`] tells why.
    pub fn any_ended(&self) -> bool {
        self.workers.iter().any(|station| station.thread.as_ref().is_some_and(JoinHandle::is_finished))
    }

    /// Tells all workers to stop, and waits until they have answered what is in flight. The journal's writer must run
    /// until this returns.
    pub fn stop(&mut self) -> Vec<Ended> {
        self.shared.stop.store(true, SeqCst);
        for station in &self.workers {
            station.wake.wake();
        }
        let threads = self.workers.iter_mut().filter_map(|station| {
            let thread = station.thread.take()?;
            let panicked = |_| {
                let error = io::Error::other("the worker panicked");
                Err(SourceError::Io { operation: "run", error })
            };
            Some(Ended {
                name: station.counters.name().clone(),
                result: thread.join().unwrap_or_else(panicked),
            })
        });
        threads.collect()
    }
}
