//! One look at every counter of a running sensor.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use ingest::verdict::Verdict;
use jiff::Timestamp;
use journal::{State, Statistics};
use serde::{Deserialize, Serialize};
use service::{export::sink, fold::ClientClock, health, live::Standing};

use super::StageHistograms;

/// Everything that a scrape shows.
#[derive(Debug)]
pub struct Reading {
    /// When the sensor started, seconds since 1970 UTC.
    pub started_unix_s: f64,
    /// Per worker, UDP and XDP.
    pub workers: Vec<WorkerReading>,
    /// What the steer program decided.
    pub steer: Option<SteerReading>,
    /// Losses before a worker saw the datagram.
    pub kernel_drops: Vec<KernelDrops>,
    /// How each queue is captured.
    pub capture_modes: Vec<CaptureMode>,
    /// Rungs of the ladder that were tried and not taken.
    pub refused_modes: Vec<RefusedMode>,
    /// Where the frames of each UMEM are.
    pub frames: Vec<FrameReading>,
    /// Latency by stage, of all workers together.
    pub stages: StageHistograms,
    /// What has been made of the records.
    pub insight: InsightReading,
    /// What keeps the product from its work now.
    pub health: Arc<[health::Standing]>,
    /// The journal's numbers.
    pub journal: Statistics,
    /// Whether the journal records.
    pub journal_state: State,
    /// Entries the duplicate table has room for.
    pub duplicates_capacity: u64,
    /// Entries given up before their time.
    pub duplicates_evicted: u64,
    /// Requests refused because their bucket held nothing but pending entries.
    pub duplicates_refused: u64,
    /// Per client.
    pub clients: Vec<ClientReading>,
    /// Reloads that took a new configuration into force.
    pub reloads_good: u64,
    /// Reloads refused: the old configuration stayed in force.
    pub reloads_refused: u64,
    /// Whether the last reload was taken; true before the first.
    pub last_reload_good: bool,
    /// Whether keys have changed in the file that only a restart takes.
    pub restart_needed: bool,
    /// Log lines about datagrams that were suppressed by the limit of one a second and key, or lost.
    pub notices_suppressed: u64,
}

/// How the service stands that makes sense of the records.
#[derive(Clone, Debug, Default)]
pub struct InsightReading {
    /// Whether it is at work.
    pub is_up: bool,
    /// Whether it ended by an error.
    pub has_ended: bool,
    /// Whether it waits for a disk, or for somebody who holds the store.
    pub is_waiting: bool,
    /// What it has come to.
    pub standing: Standing,
    /// How each sink stands; none before they are opened.
    pub sinks: Option<Arc<[sink::Standing]>>,
    /// What is wrong with databases of places that cannot be read; none before they are.
    pub geo_wrong: Option<Arc<[String]>>,
    /// When clients were heard before the start, ns since 1970 UTC; none before the store is open.
    pub heard: Option<Arc<HashMap<String, u64>>>,
    /// VPN servers whose clock is wrong.
    pub clocks: Arc<[ClientClock]>,
}

/// One worker's counters.
#[derive(Clone, Debug)]
pub struct WorkerReading {
    /// Its name in metrics: `udp0`, `eth0-3`.
    pub worker: String,
    /// `udp` or `xdp`.
    pub path: &'static str,
    /// Datagrams taken.
    pub received: u64,
    /// Verdicts, in the order of [`Verdict::ALL`].
    pub verdicts: [u64; Verdict::ALL.len()],
    /// Datagrams without a verdict yet: their record is being committed.
    pub pending: u64,
    /// Answers given to the kernel.
    pub responses: u64,
    /// Answers that could not be given to the kernel.
    pub responses_lost: u64,
    /// Refused requests of which no copy was kept.
    pub copies_lost: u64,
}

/// What the steer program decided about datagrams that no worker saw.
#[derive(Clone, Debug, Default)]
pub struct SteerReading {
    /// By outcome, in the program's words.
    pub outcomes: Vec<(&'static str, u64)>,
    /// Datagrams from unknown clients, dropped in the kernel: they count as seen and as `unknown_client`.
    pub unknown_dropped: u64,
}

/// Losses at one place.
#[derive(Clone, Debug)]
pub struct KernelDrops {
    /// The interface, or empty for a UDP socket.
    pub interface: String,
    /// The queue or socket.
    pub queue: String,
    /// Why.
    pub reason: &'static str,
    /// How many.
    pub datagrams: u64,
}

/// How one queue is captured.
#[derive(Clone, Debug)]
pub struct CaptureMode {
    /// The interface; empty for UDP sockets.
    pub interface: String,
    /// The queue.
    pub queue: String,
    /// The rung of the ladder.
    pub mode: String,
}

/// A rung of an interface's ladder that was tried and not taken.
#[derive(Clone, Debug)]
pub struct RefusedMode {
    /// The interface; empty: every one.
    pub interface: String,
    /// The rung; `xdp`: all of them.
    pub mode: &'static str,
    /// Why not.
    pub reason: String,
}

/// Frames of one UMEM in one state.
#[derive(Clone, Debug)]
pub struct FrameReading {
    /// The interface.
    pub interface: String,
    /// The queue.
    pub queue: String,
    /// The state.
    pub state: &'static str,
    /// How many.
    pub frames: u64,
}

/// What is remembered of one client.
#[derive(Clone, Debug)]
pub struct ClientReading {
    /// Its configured name.
    pub client: String,
    /// When a request of it last verified.
    pub last_genuine_unix_s: Option<u64>,
    /// When its previous secret last verified a request.
    pub previous_secret_unix_s: Option<u64>,
    /// Requests of it that verified.
    pub genuine: u64,
    /// Requests that verified under none of its secrets.
    pub bad_authenticators: u64,
    /// Requests with a wrong or missing Message-Authenticator.
    pub bad_message_authenticators: u64,
}

/// The body of `/refused`: who was refused lately and why. Holds no secret and nothing that a datagram said.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Refused {
    /// When this was looked at, by the sensor's clock.
    pub now: Timestamp,
    /// Entries that gave way to newer ones since the start.
    pub forgotten: u64,
    /// Most recent first, a bounded number.
    pub sources: Vec<RefusedSource>,
}

/// A source and why it was refused.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct RefusedSource {
    /// The address that the datagrams claim to come from.
    pub source: IpAddr,
    /// The client that holds the address, if one does.
    pub client: Option<String>,
    /// The verdict.
    pub verdict: String,
    /// What was wrong with the last one, in words.
    pub reason: String,
    /// How many, at least: under a flood workers pass on some of them only. The verdicts' counters have them all.
    pub datagrams: u64,
    /// When the first one was noted.
    pub first_seen: Timestamp,
    /// When the last one was noted.
    pub last_seen: Timestamp,
    /// Whether it was not let in, and a request of this source verified since.
    #[serde(default)]
    pub is_mended: bool,
}

impl Reading {
    /// Why requests are not taken now, for `/readyz`; none when they are.
    pub fn not_ready(state: &State) -> Option<String> {
        match state {
            State::Ready => None,
            State::Failing { reason, since, .. } => {
                let seconds = since.elapsed().unwrap_or(Duration::ZERO).as_secs();
                Some(format!("the journal cannot record since {seconds} s: {reason}"))
            }
        }
    }
}
