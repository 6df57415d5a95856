//! One look at a sensor, as API and portal show it. Counters count from the sensor's start.

use serde::Serialize;
use utoipa::ToSchema;

use super::Counts;

/// How a sensor stands.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct SensorNow {
    /// Its name.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// The kernel's name and release: `Linux 6.12.9-amd64`.
    pub kernel: String,
    /// When this was looked at, seconds since 1970 UTC.
    pub unix_s: u64,
    /// When it started, seconds since 1970 UTC.
    pub started_unix_s: u64,
    /// Its workers.
    pub workers: Vec<WorkerNow>,
    /// How each queue is captured, and what was lost there.
    pub queues: Vec<QueueNow>,
    /// Better ways to capture that were tried, and why they were not taken.
    pub refused_modes: Vec<RefusedMode>,
    /// Datagrams from unknown clients that the kernel's program dropped.
    pub steer_dropped: u64,
    /// Where the time between arrival and answer goes.
    pub stages: Vec<StageNow>,
    /// The journal.
    pub journal: JournalNow,
    /// What makes sense of the records.
    pub service: ServiceNow,
}

/// A worker.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct WorkerNow {
    /// Its name: `udp0`, `eth0-3`.
    pub name: String,
    /// `udp` or `xdp`.
    pub path: String,
    /// Datagrams taken.
    pub received: u64,
    /// What became of them.
    pub verdicts: Vec<Amount>,
    /// Without a verdict yet: their record is being committed.
    pub pending: u64,
    /// Answers given to the kernel.
    pub responses: u64,
    /// Answers that could not be given to the kernel.
    pub responses_lost: u64,
}

/// So many of something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Amount {
    /// Of what.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// A queue of an interface, or a socket.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct QueueNow {
    /// The interface; empty for sockets.
    pub interface: String,
    /// The queue or socket.
    pub queue: String,
    /// The rung of the ladder: `native-zerocopy`, `udp`.
    pub mode: String,
    /// Frames of its memory by where they are.
    pub frames: Vec<Amount>,
    /// Datagrams lost before a worker, by reason.
    pub drops: Vec<Amount>,
}

/// A way to capture that was not taken.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct RefusedMode {
    /// The interface; empty: every one.
    pub interface: String,
    /// The rung of the ladder; `xdp`: all of them.
    pub mode: String,
    /// Why not.
    pub reason: String,
}

/// One stage's times since the start.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct StageNow {
    /// The stage: `commit`, `total`.
    pub stage: String,
    /// How many requests.
    pub count: u64,
    /// Half took no longer, seconds.
    pub p50_s: f64,
    /// Nine in ten took no longer.
    pub p90_s: f64,
    /// 99 in a hundred took no longer.
    pub p99_s: f64,
    /// 999 in a thousand took no longer.
    pub p999_s: f64,
    /// The longest.
    pub max_s: f64,
    /// All of them.
    #[serde(skip)]
    pub counts: Counts,
}

/// The journal.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct JournalNow {
    /// Why it cannot record; absent while it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
    /// The newest record that is durable.
    pub watermark: u64,
    /// Records committed.
    pub records: u64,
    /// Batches committed.
    pub batches: u64,
    /// Group commits: each one sync.
    pub commits: u64,
    /// How long a commit takes in the mean, seconds.
    pub commit_mean_s: f64,
    /// Batches that wait for the writer.
    pub queued_batches: u64,
    /// Batches that could not be written.
    pub failed_batches: u64,
    /// Segments.
    pub segments: u64,
    /// Their octets.
    pub octets: u64,
    /// Octets that the file system has left.
    pub free_octets: u64,
}

/// What makes sense of the records.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct ServiceNow {
    /// `up`, `starting`, `waiting`, `ended`.
    pub state: String,
    /// The newest record that people see the meaning of.
    pub stored: u64,
    /// Records that wait for it.
    pub lag: u64,
    /// Connections that are followed.
    pub sessions: u64,
    /// Users whose profile is kept.
    pub profiles: u64,
}
