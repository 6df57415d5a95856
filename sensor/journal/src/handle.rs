//! `Handle`: what everybody may know of a running journal, without stopping its writer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crossbeam::queue::ArrayQueue;

use crate::options::Retention;
use crate::port::Bell;

/// Upper bounds, in ns, of the commit duration's buckets; the last bucket has none.
pub const COMMIT_BOUNDS_NS: [u64; COMMIT_BUCKETS - 1] = [
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
    200_000_000,
    500_000_000,
    1_000_000_000,
    5_000_000_000,
];
/// Buckets of the commit duration.
pub const COMMIT_BUCKETS: usize = 16;
/// Upper bounds of the buckets of records per commit; the last bucket has none.
pub const COMMIT_RECORDS_BOUNDS: [u64; 8] = [1, 4, 16, 64, 256, 1024, 4096, 16384];
/// Events that wait for their reader; further ones are counted as lost.
const EVENTS: usize = 256;

/// Why the journal cannot write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// No space, or the quota is used up.
    NoSpace,
    /// The file system is read-only.
    ReadOnly,
    /// Anything else.
    Io,
}

impl FailureKind {
    pub(crate) fn of(error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        match error.kind() {
            StorageFull | QuotaExceeded => Self::NoSpace,
            ReadOnlyFilesystem => Self::ReadOnly,
            _ => Self::Io,
        }
    }
}

/// Whether records are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// They are.
    Ready,
    /// Batches come back `Failed`. The journal tries again by itself.
    Failing {
        /// The sort of failure.
        kind: FailureKind,
        /// In words: what was done and what the system said.
        reason: String,
        /// Since when, without a success in between.
        since: SystemTime,
    },
}

/// Something for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The state became `Failing`.
    Failing {
        /// What was done and what the system said.
        reason: String,
    },
    /// A write or sync failed; its batches went to a new segment, nothing was lost.
    Replaced {
        /// What was done and what the system said.
        reason: String,
    },
    /// The state became `Ready` again.
    Recovered {
        /// How long it was not.
        after: Duration,
    },
    /// Retention removed a segment.
    Removed {
        /// Number of the segment.
        segment: u64,
        /// Sequence of its first record.
        first: u64,
        /// Sequence of its last record.
        last: u64,
        /// Its octets.
        bytes: u64,
        /// A cursor had not passed it: a reader has lost records.
        unread: bool,
        /// Why: size, age or room.
        cause: &'static str,
    },
    /// Retention would have removed a segment and could not.
    NotRemoved {
        /// Number of the segment.
        segment: u64,
        /// Why not.
        reason: String,
    },
}

/// Numbers since the journal was opened, but `segments`, `segment_bytes`, `free_bytes`, `watermark` and
/// `queued_batches`, which are of now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Highest committed sequence.
    pub watermark: u64,
    /// Records committed.
    pub records: u64,
    /// Batches committed.
    pub batches: u64,
    /// Batches that came back `Failed`.
    pub failed_batches: u64,
    /// Records in them.
    pub failed_records: u64,
    /// Group commits that succeeded.
    pub commits: u64,
    /// Octets written and committed.
    pub bytes_written: u64,
    /// How long the commits took together, in ns: from the first batch taken to the sync's return.
    pub commit_ns_sum: u64,
    /// Commits by duration; bounds in [`COMMIT_BOUNDS_NS`]. Not cumulative.
    pub commit_buckets: [u64; COMMIT_BUCKETS],
    /// Commits by records; bounds in [`COMMIT_RECORDS_BOUNDS`]. Not cumulative.
    pub commit_records_buckets: [u64; COMMIT_RECORDS_BOUNDS.len() + 1],
    /// Writes (making a segment included) that failed.
    pub write_failures: u64,
    /// Syncs of files or of the directory that failed.
    pub sync_failures: u64,
    /// Batches submitted and not yet taken by the writer.
    pub queued_batches: u64,
    /// Segments there are.
    pub segments: u64,
    /// Their octets.
    pub segment_bytes: u64,
    /// Room on the file system, as last asked.
    pub free_bytes: u64,
    /// Segments removed by retention.
    pub retention_removed: u64,
    /// Of those, segments that a cursor had not passed.
    pub retention_removed_unread: u64,
    /// Octets of torn tail that recovery left out.
    pub torn_bytes: u64,
    /// Regions of acknowledged data that recovery found damaged.
    pub damaged_regions: u64,
    /// Octets that recovery copied into quarantine.
    pub quarantined_bytes: u64,
    /// Events that nobody read in time.
    pub events_lost: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) records: AtomicU64,
    pub(crate) batches: AtomicU64,
    pub(crate) failed_batches: AtomicU64,
    pub(crate) failed_records: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) bytes_written: AtomicU64,
    pub(crate) commit_ns_sum: AtomicU64,
    pub(crate) commit_buckets: [AtomicU64; COMMIT_BUCKETS],
    pub(crate) commit_records_buckets: [AtomicU64; COMMIT_RECORDS_BOUNDS.len() + 1],
    pub(crate) write_failures: AtomicU64,
    pub(crate) sync_failures: AtomicU64,
    pub(crate) segments: AtomicU64,
    pub(crate) segment_bytes: AtomicU64,
    pub(crate) free_bytes: AtomicU64,
    pub(crate) retention_removed: AtomicU64,
    pub(crate) retention_removed_unread: AtomicU64,
    pub(crate) torn_bytes: AtomicU64,
    pub(crate) damaged_regions: AtomicU64,
    pub(crate) quarantined_bytes: AtomicU64,
    pub(crate) events_lost: AtomicU64,
}

pub(crate) fn bucket(bounds: &[u64], value: u64) -> usize {
    bounds.partition_point(|bound| *bound < value)
}

struct Failure {
    kind: FailureKind,
    reason: String,
    since: SystemTime,
}

pub(crate) struct Shared {
    pub(crate) watermark: AtomicU64,
    pub(crate) stop: AtomicBool,
    pub(crate) bell: Arc<Bell>,
    pub(crate) counters: Counters,
    /// How often the writer was asked to go on to a new segment, and up to which of these it has.
    seal_wanted: AtomicU64,
    sealed: AtomicU64,
    /// Number of the next segment that the writer will make; all older ones are written no more once it has sealed.
    next_segment: AtomicU64,
    /// Segments that redaction has written anew, with their octets, for retention's sums. Whoever renames or removes a
    /// segment holds the lock meanwhile.
    rewritten: Mutex<Vec<(u64, u64)>>,
    /// What retention goes by from its next look on, if that is not what the journal was opened with.
    retention: Mutex<Option<Retention>>,
    failing: AtomicBool,
    failure: Mutex<Option<Failure>>,
    events: ArrayQueue<Event>,
}

impl Shared {
    pub(crate) fn new(watermark: u64) -> Self {
        Self {
            watermark: AtomicU64::new(watermark),
            stop: AtomicBool::new(false),
            bell: Arc::default(),
            counters: Counters::default(),
            seal_wanted: AtomicU64::new(0),
            sealed: AtomicU64::new(0),
            next_segment: AtomicU64::new(0),
            rewritten: Mutex::default(),
            retention: Mutex::default(),
            failing: AtomicBool::new(false),
            failure: Mutex::new(None),
            events: ArrayQueue::new(EVENTS),
        }
    }

    /// What retention goes by now, if that was changed.
    pub(crate) fn retention(&self) -> Option<Retention> {
        self.retention.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn failing(&self) -> bool {
        self.failing.load(SeqCst)
    }

    pub(crate) fn event(&self, event: Event) {
        if self.events.push(event).is_err() {
            self.counters.events_lost.fetch_add(1, Relaxed);
        }
    }

    /// Asks the writer to go on to a new segment; what to ask [`has_sealed`](Self::has_sealed) for.
    pub(crate) fn want_seal(&self) -> u64 {
        let wanted = self.seal_wanted.fetch_add(1, SeqCst) + 1;
        self.bell.unpark();
        wanted
    }

    pub(crate) fn has_sealed(&self, wanted: u64) -> bool {
        self.sealed.load(SeqCst) >= wanted
    }

    /// For the writer: the seal that was asked for last, if it has not been made.
    pub(crate) fn seal_due(&self) -> Option<u64> {
        let wanted = self.seal_wanted.load(SeqCst);
        (wanted > self.sealed.load(SeqCst)).then_some(wanted)
    }

    /// For the writer: all segments below `next_segment` are written no more.
    pub(crate) fn set_sealed(&self, wanted: u64, next_segment: u64) {
        self.next_segment.store(next_segment, SeqCst);
        self.sealed.store(wanted, SeqCst);
    }

    pub(crate) fn next_segment(&self) -> u64 {
        self.next_segment.load(SeqCst)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(SeqCst)
    }

    pub(crate) fn rewritten(&self) -> MutexGuard<'_, Vec<(u64, u64)>> {
        // What it guards is whole at every moment, whoever panicked.
        self.rewritten.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new reason replaces the old one, without an event if the kind stays the same.
    pub(crate) fn fail(&self, kind: FailureKind, reason: String) {
        let mut failure = self.failure();
        let changed = failure.as_ref().is_none_or(|f| f.kind != kind);
        let since = failure.as_ref().map_or_else(SystemTime::now, |f| f.since);
        if changed {
            self.event(Event::Failing { reason: reason.clone() });
        }
        *failure = Some(Failure { kind, reason, since });
        self.failing.store(true, SeqCst);
    }

    pub(crate) fn recover(&self) {
        if !self.failing() {
            return;
        }
        if let Some(failure) = self.failure().take() {
            self.event(Event::Recovered { after: failure.since.elapsed().unwrap_or_default() });
        }
        self.failing.store(false, SeqCst);
    }

    fn failure(&self) -> MutexGuard<'_, Option<Failure>> {
        // What it guards is whole at every moment, whoever panicked.
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A view of the running journal, cheap to clone, for any thread.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl Handle {
    /// Highest committed sequence; 0 when there is none.
    pub fn watermark(&self) -> u64 {
        self.shared.watermark.load(SeqCst)
    }

    /// Changes what retention goes by, from its next look on: within a second.
    pub fn set_retention(&self, retention: Retention) {
        *self.shared.retention.lock().unwrap_or_else(PoisonError::into_inner) = Some(retention);
    }

    /// Records are taken: [`state`](Self::state) without its words, one atomic load.
    pub fn is_ready(&self) -> bool {
        !self.shared.failing()
    }

    /// Whether records are taken, and if not, why.
    pub fn state(&self) -> State {
        if self.is_ready() {
            return State::Ready;
        }
        self.shared.failure().as_ref().map_or(State::Ready, |failure| State::Failing {
            kind: failure.kind,
            reason: failure.reason.clone(),
            since: failure.since,
        })
    }

    /// The next event for the log. At most 256 wait; what comes on top is counted in `events_lost`.
    pub fn next_event(&self) -> Option<Event> {
        self.shared.events.pop()
    }

    /// All numbers. Each is exact; together they may be a commit apart.
    pub fn statistics(&self) -> Statistics {
        let c = &self.shared.counters;
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        Statistics {
            watermark: self.watermark(),
            records: get(&c.records),
            batches: get(&c.batches),
            failed_batches: get(&c.failed_batches),
            failed_records: get(&c.failed_records),
            commits: get(&c.commits),
            bytes_written: get(&c.bytes_written),
            commit_ns_sum: get(&c.commit_ns_sum),
            commit_buckets: c.commit_buckets.each_ref().map(get),
            commit_records_buckets: c.commit_records_buckets.each_ref().map(get),
            write_failures: get(&c.write_failures),
            sync_failures: get(&c.sync_failures),
            queued_batches: get(&self.shared.bell.queued),
            segments: get(&c.segments),
            segment_bytes: get(&c.segment_bytes),
            free_bytes: get(&c.free_bytes),
            retention_removed: get(&c.retention_removed),
            retention_removed_unread: get(&c.retention_removed_unread),
            torn_bytes: get(&c.torn_bytes),
            damaged_regions: get(&c.damaged_regions),
            quarantined_bytes: get(&c.quarantined_bytes),
            events_lost: get(&c.events_lost),
        }
    }

    /// Asks the writer to end after the batches that are submitted by now. [`Writer::run`](crate::Writer::run)
    /// returns then.
    pub fn stop(&self) {
        self.shared.stop.store(true, SeqCst);
        self.shared.bell.unpark();
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle")
            .field("watermark", &self.watermark())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
