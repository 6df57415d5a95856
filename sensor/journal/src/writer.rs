//! The writer: takes sealed batches from all ports, writes them together, syncs once, then moves the watermark and
//! gives the batches back. The only one that writes segments.

use std::io::{self, IoSlice};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use crate::batch::Batch;
use crate::codec::{self, SEGMENT_HEADER, SegmentHeader};
use crate::handle::{COMMIT_BOUNDS_NS, COMMIT_RECORDS_BOUNDS, Event, FailureKind, Handle, Shared, bucket};
use crate::options::Options;
use crate::port::{Outcome, Port, PortEnd, Wake};
use crate::recovery::{RecoveryReport, salt, unix_ns, watermark_file};
use crate::retention::{self, Retained};
use crate::segment::{self, watermark};
use crate::storage::Storage;

/// Octets written with one sync, at most (or one batch): keeps a group's latency bounded however much waits. Derived, not
/// measured: 32 full batches, 8,192 requests, which a disk of 1 GB/s takes in 4 ms.
const GROUP_BYTES: usize = 4 << 20;
/// Batches written with one sync, at most: the list of their octets lies on the stack, 4 KiB of it.
const GROUP_BATCHES: usize = 255;
/// Zeros that go with a commit that has none before it: so many octets for each of the group's, within these bounds.
///
/// A write over octets that are there already changes nothing of the file but its octets, and its sync has neither
/// blocks to allocate nor an inode to record: on ext4 write and `fdatasync` of 600 to 16,384 octets took 81 to 90 us
/// where appending took 115 to 185 us. The commit that writes the zeros pays 50 to 250 us more, one in sixteen or fewer by
/// the factor. Of 64, 256 and 1,024 KiB the last made the slowest one in a thousand slower, 1 to 3 ms against 0.3 to 0.5.
const RUNWAY_FACTOR: u64 = 16;
const RUNWAY_BYTES: RangeInclusive<u64> = 64 << 10..=256 << 10;
/// A larger group gets none: it is the octets that take the time then. Derived, not measured: as many octets as the least
/// that is laid before one.
const RUNWAY_GROUP_BYTES: u64 = 64 << 10;
/// The zeros, written as often as it takes.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
const ZEROS_PARTS: usize = RUNWAY_BYTES.end().div_ceil(ZEROS.len() as u64) as usize;
/// Retention is looked at this often.
const RETENTION_INTERVAL: Duration = Duration::from_secs(1);
/// An idle writer wakes this often, for retention by age and for the room on the disk.
const IDLE_INTERVAL: Duration = Duration::from_secs(30);

/// The segment that is being written.
#[derive(Debug)]
pub(crate) struct Active<F> {
    pub(crate) file: F,
    pub(crate) salt: u64,
    /// Where the next batch goes; all before it is committed.
    pub(crate) offset: u64,
    /// Where the file ends: from `offset` to here it holds zeros, durably. A scan passes over them.
    pub(crate) end: u64,
    pub(crate) created_unix_ns: u64,
}

/// What failed, in words, and what the system said.
struct Failure {
    doing: &'static str,
    error: io::Error,
}

/// The one writer of a journal. Make its ports, then let a thread [`run`](Self::run) it.
pub struct Writer<S: Storage> {
    storage: S,
    options: Options,
    shared: Arc<Shared>,
    ports: Vec<PortEnd>,
    /// The batches of the commit at hand, with their ports' numbers. Bounded by the batches there are.
    group: Vec<(usize, Batch)>,
    segments: Vec<Retained>,
    active: Option<Active<S::File>>,
    next_number: u64,
    watermark: u64,
    watermark_file: Option<S::File>,
    retention_at: Instant,
    /// There is a new segment: look at retention when nobody waits for an answer.
    retention_due: bool,
}

impl<S: Storage> Writer<S> {
    pub(crate) fn new(
        storage: S,
        options: Options,
        handle: Handle,
        segments: Vec<Retained>,
        active: Option<Active<S::File>>,
        next_number: u64,
        report: &RecoveryReport,
    ) -> Self {
        let shared = handle.shared;
        shared.counters.torn_bytes.store(report.torn_bytes, Relaxed);
        shared.counters.damaged_regions.store(report.damage.len() as u64, Relaxed);
        shared.counters.quarantined_bytes.store(report.quarantined_bytes, Relaxed);
        let watermark_file = watermark_file(&storage);
        let mut writer = Self {
            storage,
            options,
            shared,
            ports: Vec::new(),
            group: Vec::new(),
            segments,
            active,
            next_number,
            watermark: report.watermark,
            watermark_file,
            retention_at: Instant::now(),
            retention_due: false,
        };
        writer.publish(report.watermark);
        writer.retain(false);
        writer
    }

    /// A port with its own `batches` batches (at least 1), for one worker. `wake` is called when batches came back.
    pub fn port(&mut self, batches: usize, wake: Arc<dyn Wake>) -> Port {
        let o = &self.options;
        let batches = (0..batches.max(1))
            .map(|slot| Batch::new(&o.sensor, slot, o.batch_bytes, o.batch_records))
            .collect::<Vec<_>>();
        self.group.reserve(batches.len());
        let (port, end) = Port::new(batches, o.batch_records as usize, wake, self.shared.bell.clone());
        self.ports.push(end);
        port
    }

    /// The body of the writer's thread: returns after [`Handle::stop`], when all submitted batches are dealt with.
    pub fn run(mut self) {
        self.shared.bell.answer_here();
        let mut due = Instant::now();
        loop {
            self.await_interval(due);
            let began = Instant::now();
            if self.turn() {
                due = began + self.options.commit_interval;
                continue;
            }
            self.shared.bell.announce_sleep();
            if self.ports.iter().all(|port| port.queues.submitted.is_empty()) {
                if self.shared.stop.load(SeqCst) {
                    return;
                }
                let nap = if self.shared.failing() { self.options.probe_interval } else { IDLE_INTERVAL };
                std::thread::park_timeout(nap);
            }
            self.shared.bell.awake();
        }
    }

    /// Sleeps until `due`, or until the stop. Batches that are submitted meanwhile do not end it: they are to share the
    /// next sync.
    fn await_interval(&self, due: Instant) {
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() || self.shared.stop.load(SeqCst) {
                return;
            }
            std::thread::park_timeout(left);
        }
    }

    /// One commit of what has been submitted, or, when nothing has, what an idle writer does: a probe when the
    /// journal is failing, retention when its time has come. Returns whether there was something to commit. For
    /// callers with a loop of their own; [`run`](Self::run) is one.
    pub fn turn(&mut self) -> bool {
        if let Some(wanted) = self.shared.seal_due() {
            // All of it is committed: nothing is left to do for it.
            self.active = None;
            self.shared.set_sealed(wanted, self.next_number);
        }
        self.gather();
        let any = !self.group.is_empty();
        if any {
            self.commit();
        } else if self.shared.failing() {
            self.probe();
        }
        if self.retention_due || self.retention_at.elapsed() >= RETENTION_INTERVAL {
            self.retain(false);
        }
        any
    }

    /// Takes batches from all ports in turn, up to a group's bound.
    fn gather(&mut self) {
        let mut bytes = 0;
        let mut more = true;
        while more {
            more = false;
            for (number, port) in self.ports.iter().enumerate() {
                let Some(batch) = port.queues.submitted.pop() else { continue };
                self.shared.bell.queued.fetch_sub(1, SeqCst);
                bytes += batch.sealed_length();
                self.group.push((number, batch));
                let full = bytes >= GROUP_BYTES.min(self.options.segment_bytes as usize / 2);
                if full || self.group.len() == GROUP_BATCHES {
                    return;
                }
                more = true;
            }
        }
    }

    fn commit(&mut self) {
        let started = Instant::now();
        let first = self.watermark + 1;
        let records: u64 = self.group.iter().map(|(_, batch)| batch.len() as u64).sum();
        // Only empty batches: nothing to write, and nothing that could fail.
        let mut result = if records == 0 { Ok(0) } else { self.attempt() };
        if let Err(failure) = &result {
            // That file is done with; the same batches go to a new one, once. If the journal was failing already,
            // this was the new one.
            let no_space = FailureKind::of(&failure.error) == FailureKind::NoSpace;
            if no_space {
                self.retain(true);
            }
            if no_space || !self.shared.failing() {
                let reason = describe(failure);
                result = self.attempt();
                if result.is_ok() {
                    self.shared.event(Event::Replaced { reason });
                }
            }
        }
        let committed = match result {
            Ok(bytes) => {
                self.watermark += records;
                self.publish(self.watermark);
                self.shared.recover();
                self.count(records, bytes, started.elapsed());
                true
            }
            Err(failure) => {
                self.shared.fail(FailureKind::of(&failure.error), describe(&failure));
                self.shared.counters.failed_batches.fetch_add(self.group.len() as u64, Relaxed);
                self.shared.counters.failed_records.fetch_add(records, Relaxed);
                false
            }
        };
        self.give_back(committed.then_some(first));
    }

    /// Writes and syncs the group; returns the octets written. After a failure there is no active segment.
    fn attempt(&mut self) -> Result<u64, Failure> {
        let bytes: u64 = self.group.iter().map(|(_, batch)| batch.sealed_length() as u64).sum();
        let now = unix_ns();
        if let Some(active) = &self.active {
            let age = u128::from(now.saturating_sub(active.created_unix_ns));
            let full = active.offset + bytes > self.options.segment_bytes;
            if full || age > self.options.segment_age.as_nanos() {
                // All of it is committed: nothing is left to do for it.
                self.active = None;
            }
        }
        match self.active.take() {
            Some(mut active) => {
                self.seal(active.salt);
                let end = active.offset + bytes;
                let runway = if end > active.end { self.runway(end, bytes) } else { 0 };
                self.write(&active.file, active.offset, None, runway as usize)?;
                active.offset = end;
                active.end = active.end.max(end + runway);
                if let Some(segment) = self.segments.last_mut() {
                    segment.bytes = active.end;
                }
                self.active = Some(active);
            }
            None => self.attempt_in_new_segment(bytes, now)?,
        }
        Ok(bytes)
    }

    fn attempt_in_new_segment(&mut self, bytes: u64, now: u64) -> Result<(), Failure> {
        let number = self.next_number;
        self.next_number += 1;
        let first = self.watermark + 1;
        let name = segment::name(number, first);
        let (salt, redacted) = (salt(), false);
        let header = SegmentHeader { number, first_sequence: first, salt, created_unix_ns: now, redacted };
        self.seal(header.salt);
        let file = self.storage.create(&name).map_err(|error| {
            self.shared.counters.write_failures.fetch_add(1, Relaxed);
            Failure { doing: "making a segment", error }
        })?;
        let head = codec::segment_header(&header);
        let result = self.write(&file, 0, Some(&head), 0).and_then(|()| {
            self.storage.sync_directory().map_err(|error| {
                self.shared.counters.sync_failures.fetch_add(1, Relaxed);
                Failure { doing: "syncing the directory", error }
            })
        });
        if let Err(failure) = result {
            // Nothing in it was committed, and it takes room. Should it come back after a crash, then with records
            // that nobody was told about, below those of any later segment.
            drop(file);
            let _ = self.storage.remove(&name);
            return Err(failure);
        }
        let offset = SEGMENT_HEADER as u64 + bytes;
        self.active = Some(Active { file, salt: header.salt, offset, end: offset, created_unix_ns: now });
        self.segments.push(Retained { number, first, bytes: offset });
        self.retention_due = true;
        Ok(())
    }

    fn seal(&mut self, salt: u64) {
        let mut next = self.watermark + 1;
        for (_, batch) in &mut self.group {
            if !batch.is_empty() {
                batch.seal(next, self.watermark, salt);
                next += batch.len() as u64;
            }
        }
    }

    /// Octets of zeros to write behind a group of so many that ends there.
    fn runway(&self, end: u64, bytes: u64) -> u64 {
        if bytes > RUNWAY_GROUP_BYTES {
            return 0;
        }
        let wanted = (RUNWAY_FACTOR * bytes).clamp(*RUNWAY_BYTES.start(), *RUNWAY_BYTES.end());
        wanted.min(self.options.segment_bytes.saturating_sub(end))
    }

    /// The group, behind `head` and in front of `runway` octets of zeros, written and synced.
    fn write(&self, file: &S::File, offset: u64, head: Option<&[u8]>, runway: usize) -> Result<(), Failure> {
        let batches =
            self.group.iter().filter(|(_, batch)| !batch.is_empty()).map(|(_, batch)| batch.octets());
        let zeros = (0..runway).step_by(ZEROS.len()).map(|at| &ZEROS[..ZEROS.len().min(runway - at)]);
        let parts: ArrayVec<IoSlice<'_>, { 1 + GROUP_BATCHES + ZEROS_PARTS }> =
            head.into_iter().chain(batches).chain(zeros).map(IoSlice::new).collect();
        self.storage.write_at(file, offset, &parts).map_err(|error| {
            self.shared.counters.write_failures.fetch_add(1, Relaxed);
            Failure { doing: "writing a segment", error }
        })?;
        self.storage.sync(file).map_err(|error| {
            self.shared.counters.sync_failures.fetch_add(1, Relaxed);
            Failure { doing: "syncing a segment", error }
        })
    }

    /// While failing and idle: readiness comes back without traffic, by a new segment that holds nothing yet.
    fn probe(&mut self) {
        debug_assert!(self.group.is_empty());
        let result = self.attempt_in_new_segment(0, unix_ns()).or_else(|failure| {
            if FailureKind::of(&failure.error) != FailureKind::NoSpace {
                return Err(failure);
            }
            self.retain(true);
            self.attempt_in_new_segment(0, unix_ns())
        });
        match result {
            Ok(()) => self.shared.recover(),
            Err(failure) => self.shared.fail(FailureKind::of(&failure.error), describe(&failure)),
        }
    }

    /// The watermark for this process and, without a sync, for others.
    fn publish(&mut self, watermark: u64) {
        self.shared.watermark.store(watermark, SeqCst);
        if let Some(file) = &self.watermark_file {
            let octets = watermark::octets(watermark);
            if self.storage.write_at(file, 0, &[IoSlice::new(&octets)]).is_err() {
                self.watermark_file = None;
            }
        }
    }

    fn count(&self, records: u64, bytes: u64, took: Duration) {
        let c = &self.shared.counters;
        let ns = took.as_nanos() as u64;
        c.records.fetch_add(records, Relaxed);
        c.batches.fetch_add(self.group.len() as u64, Relaxed);
        c.commits.fetch_add(1, Relaxed);
        c.bytes_written.fetch_add(bytes, Relaxed);
        c.commit_ns_sum.fetch_add(ns, Relaxed);
        c.commit_buckets[bucket(&COMMIT_BOUNDS_NS, ns)].fetch_add(1, Relaxed);
        c.commit_records_buckets[bucket(&COMMIT_RECORDS_BOUNDS, records)].fetch_add(1, Relaxed);
        c.segments.store(self.segments.len() as u64, Relaxed);
        c.segment_bytes.store(self.segments.iter().map(|s| s.bytes).sum(), Relaxed);
    }

    /// Each port's batches go back in the order they came, and each port is woken once.
    fn give_back(&mut self, mut first: Option<u64>) {
        for (number, batch) in self.group.drain(..) {
            let outcome = match &mut first {
                Some(next) => {
                    let first_sequence = *next;
                    *next += batch.len() as u64;
                    Outcome::Committed { first_sequence }
                }
                None => Outcome::Failed,
            };
            // Cannot be full: it has room for all batches of the port.
            let pushed = self.ports[number].queues.done.push((batch, outcome));
            debug_assert!(pushed.is_ok());
        }
        for port in &self.ports {
            if !port.queues.done.is_empty() {
                port.wake.wake();
            }
        }
    }

    fn retain(&mut self, urgent: bool) {
        self.retention_at = Instant::now();
        self.retention_due = false;
        if let Some(retention) = self.shared.retention() {
            self.options.retention = retention;
        }
        let Options { retention, segment_bytes, .. } = &self.options;
        // Held until all that has to go is gone: see there.
        let mut rewritten = self.shared.rewritten();
        for (number, bytes) in rewritten.drain(..) {
            if let Some(segment) = self.segments.iter_mut().find(|segment| segment.number == number) {
                segment.bytes = bytes;
            }
        }
        retention::enforce(
            &self.storage,
            retention,
            &self.shared,
            &mut self.segments,
            *segment_bytes,
            urgent,
        );
    }
}

fn describe(failure: &Failure) -> String {
    format!("{}: {}", failure.doing, failure.error)
}

impl<S: Storage> std::fmt::Debug for Writer<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("location", &self.storage.location())
            .field("ports", &self.ports.len())
            .field("watermark", &self.watermark)
            .finish_non_exhaustive()
    }
}
