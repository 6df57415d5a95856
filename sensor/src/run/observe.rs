//! Looks at the running parts for the exporter.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ingest::{Ingest, clients::Clients};
use service::health;
use tokio::sync::watch;

use super::{refused::RefusedSources, specimens::Kept};
use crate::metrics::{
    CaptureMode, ClientReading, FrameReading, InsightReading, KernelDrops, Reading, Refused, RefusedMode,
    Service, StageHistograms, SteerReading, WorkerReading,
};

/// Longest wait for the histograms of one worker that is in the middle of a burst.
const LATENCY_TIMEOUT: Duration = Duration::from_millis(100);

/// How captures report what no worker counts. Read by the exporter.
pub(super) trait Captured: Send + Sync {
    /// How each queue is captured.
    fn modes(&self) -> Vec<CaptureMode>;
    /// Better ways to capture that were tried, and why they were not taken.
    fn refused(&self) -> Vec<RefusedMode> {
        Vec::new()
    }
    /// Losses before a worker.
    fn drops(&self) -> Vec<KernelDrops>;
    /// Octets of receive buffer that the kernel granted each of its sockets, if it has sockets: what it asked for is
    /// [`RECEIVE_BUFFER`](ingest::capture::udp::RECEIVE_BUFFER).
    fn receive_buffer(&self) -> Option<u64> {
        None
    }
    /// Where the frames are, if the capture has frames.
    fn frames(&self) -> Vec<FrameReading> {
        Vec::new()
    }
    /// What the steer program decided, if the capture has one.
    fn steer(&self) -> Option<SteerReading> {
        None
    }
}

/// What the exporter and the control loop share.
pub(super) struct Observed {
    pub(super) ingest: Mutex<Ingest>,
    pub(super) journal: journal::Handle,
    pub(super) captured: Vec<Box<dyn Captured>>,
    pub(super) started: SystemTime,
    pub(super) reloads_good: AtomicU64,
    pub(super) reloads_refused: AtomicU64,
    pub(super) last_reload_good: AtomicBool,
    pub(super) restart_needed: AtomicBool,
    pub(super) notices_suppressed: AtomicU64,
    refused: Mutex<RefusedSources>,
    specimens: Mutex<Kept>,
    pub(super) stopping: AtomicBool,
    insight: Arc<Mutex<InsightReading>>,
    health: watch::Receiver<Arc<[health::Standing]>>,
}

impl Observed {
    pub(super) fn new(
        ingest: Ingest,
        journal: journal::Handle,
        captured: Vec<Box<dyn Captured>>,
        insight: Arc<Mutex<InsightReading>>,
        health: watch::Receiver<Arc<[health::Standing]>>,
    ) -> Arc<Observed> {
        Arc::new(Observed {
            ingest: Mutex::new(ingest),
            journal,
            captured,
            started: SystemTime::now(),
            reloads_good: AtomicU64::new(0),
            reloads_refused: AtomicU64::new(0),
            last_reload_good: AtomicBool::new(true),
            restart_needed: AtomicBool::new(false),
            notices_suppressed: AtomicU64::new(0),
            refused: Mutex::default(),
            specimens: Mutex::default(),
            stopping: AtomicBool::new(false),
            insight,
            health,
        })
    }

    /// The workers' side. Taken by scrapes and by the control loop, never by a worker.
    pub(super) fn ingest(&self) -> MutexGuard<'_, Ingest> {
        // What it guards is whole at every moment, whoever panicked.
        self.ingest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the service stands.
    pub(super) fn insight(&self) -> InsightReading {
        self.insight.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Their latest requests. Written by the control loop, read by the portal.
    pub(super) fn specimens(&self) -> MutexGuard<'_, Kept> {
        self.specimens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who was refused lately. Written by the control loop, read by the exporter.
    pub(super) fn refused_sources(&self) -> MutexGuard<'_, RefusedSources> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Observed {
    fn reading(&self) -> Reading {
        let stages = self.stages();
        let ingest = self.ingest();
        let snapshots = ingest.snapshot();
        let duplicates = ingest.duplicates();
        let workers = snapshots.iter().map(|worker| WorkerReading {
            worker: worker.name.to_string(),
            path: worker.path.name(),
            received: worker.received,
            verdicts: worker.verdicts,
            pending: worker.pending,
            responses: worker.responses,
            responses_lost: worker.responses_dropped,
            copies_lost: worker.specimens_lost,
        });
        let lost: u64 = snapshots.iter().map(|worker| worker.notices_lost).sum();
        Reading {
            started_unix_s: self.started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            workers: workers.collect(),
            steer: self.captured.iter().find_map(|captured| captured.steer()),
            kernel_drops: self.captured.iter().flat_map(|captured| captured.drops()).collect(),
            capture_modes: self.captured.iter().flat_map(|captured| captured.modes()).collect(),
            refused_modes: self.captured.iter().flat_map(|captured| captured.refused()).collect(),
            frames: self.captured.iter().flat_map(|captured| captured.frames()).collect(),
            stages,
            insight: self.insight(),
            health: Arc::clone(&self.health.borrow()),
            journal: self.journal.statistics(),
            journal_state: self.journal.state(),
            duplicates_capacity: duplicates.capacity() as u64,
            duplicates_evicted: duplicates.evicted(),
            duplicates_refused: duplicates.refused(),
            clients: clients(&ingest.clients().current()),
            reloads_good: self.reloads_good.load(Relaxed),
            reloads_refused: self.reloads_refused.load(Relaxed),
            last_reload_good: self.last_reload_good.load(Relaxed),
            restart_needed: self.restart_needed.load(Relaxed),
            notices_suppressed: self.notices_suppressed.load(Relaxed) + lost,
        }
    }

    fn stages(&self) -> StageHistograms {
        let mut stages = StageHistograms::new();
        for (_, bank) in self.ingest().latency(LATENCY_TIMEOUT) {
            stages.add(bank);
        }
        stages
    }

    fn refused(&self) -> Refused {
        self.refused_sources().reading(SystemTime::now())
    }

    fn not_ready(&self) -> Option<String> {
        if self.stopping.load(SeqCst) {
            return Some("the sensor is stopping".to_owned());
        }
        Reading::not_ready(&self.journal.state())
    }

    fn started(&self) -> SystemTime {
        self.started
    }
}

fn clients(clients: &Clients) -> Vec<ClientReading> {
    let readings = clients.iter().map(|(index, client)| {
        let state = clients.state(index);
        ClientReading {
            client: client.name.to_string(),
            last_genuine_unix_s: state.last_genuine_unix_s(),
            previous_secret_unix_s: state.previous_secret_unix_s(),
            genuine: state.genuine(),
            bad_authenticators: state.bad_authenticators(),
            bad_message_authenticators: state.bad_message_authenticators(),
        }
    });
    readings.collect()
}

/// The first lines of a sensor without configured clients: how to send it a request. The secret itself stays in its
/// file.
pub(super) fn first_request(secret: &Path, port: u16) {
    let secret = secret.display();
    tracing::info!("no client is configured, so this machine is one; its secret is in {secret}");
    tracing::info!(
        "send a first request: vpn-sensor send --to 127.0.0.1:{port} --secret-file {secret} --user alice"
    );
    tracing::info!(
        "or with FreeRADIUS' client: echo 'User-Name=alice,Acct-Status-Type=Start,Acct-Session-Id=00000001,\
         NAS-IP-Address=127.0.0.1' | radclient -x -S {secret} 127.0.0.1:{port} acct"
    );
    tracing::info!("to set the secret of your VPN servers in a browser: vpn-sensor portal link");
}
