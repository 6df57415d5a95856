//! Reading, beside a running writer or without one.
//!
//! What is handed out is committed: bounded by the writer's watermark, from its `Handle` in the same process or from
//! the watermark file in another one. Where no writer runs, all that recovery would keep is readable.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::CapturePath;
use crate::chain::{self, Damage, UnknownVersion};
use crate::codec::SegmentError;
use crate::handle::Handle;
use crate::segment::{self, Scan, Segment, Step, watermark};
use crate::storage::{RealStorage, Storage};

/// Records may arrive this much before the segment that holds them was made: queues, clock steps.
const ARRIVAL_SLACK_NS: u64 = 60_000_000_000;

/// A record of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the journal, 1 and up.
    pub sequence: u64,
    /// When the datagram arrived, ns since the Unix epoch.
    pub arrival_unix_ns: u64,
    /// Who sent it.
    pub source: SocketAddr,
    /// Whom it was sent to.
    pub destination: SocketAddr,
    /// How it came in.
    pub path: CapturePath,
    /// Name of the configured client.
    pub client: Arc<str>,
    /// Name of the sensor.
    pub sensor: Arc<str>,
    /// The request; nothing where it has been taken out.
    pub octets: Vec<u8>,
    /// A tombstone: what was here has been taken out. Only sequence, arrival, path and sensor mean anything.
    pub redacted: bool,
}

/// Why there is no record here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Acknowledged records are damaged. Reading goes on behind them.
    #[error("{} is damaged at octet {}: records {:?} are lost", .0.segment, .0.offset, .0.lost)]
    Damaged(Damage),
    /// Retention was faster. Reading goes on with the oldest record there is.
    #[error("records {first} to {last} were removed by retention before they were read")]
    Removed {
        /// First missing sequence.
        first: u64,
        /// Last missing sequence.
        last: u64,
    },
    /// Written by a later release.
    #[error(transparent)]
    Version(#[from] UnknownVersion),
    /// The disk. The iterator says `None` next, and then tries the same place again.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Gives access to the records of a journal. Cheap to clone.
pub struct Reader<S: Storage = RealStorage> {
    storage: Arc<S>,
    handle: Option<Handle>,
}

impl Reader {
    /// Reads the journal in `directory`, whether or not another process writes it.
    ///
    /// # Errors
    /// When the directory cannot be opened.
    pub fn open(directory: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::over(Arc::new(RealStorage::existing(directory)?), None))
    }

    /// Reads the journal in `directory` that this process writes: exactly up to its watermark.
    ///
    /// # Errors
    /// When the directory cannot be opened.
    pub fn beside(directory: impl AsRef<Path>, handle: &Handle) -> io::Result<Self> {
        Ok(Self::over(Arc::new(RealStorage::existing(directory)?), Some(handle.clone())))
    }
}

impl<S: Storage> Reader<S> {
    /// The same over any storage.
    pub fn over(storage: Arc<S>, handle: Option<Handle>) -> Self {
        Self { storage, handle }
    }

    /// The records from `sequence` on, or from the oldest there is. At the end the iterator says `None`; ask it again
    /// later, and it goes on with what has been committed since.
    pub fn records_from(&self, sequence: u64) -> Records<S> {
        Records {
            storage: self.storage.clone(),
            handle: self.handle.clone(),
            segments: Vec::new(),
            bound: Bound::default(),
            stale: true,
            started: false,
            pause: false,
            from: sequence,
            since_unix_ns: 0,
            deadline: None,
            has_given_up: false,
            expected: sequence.max(1),
            place: None,
            ready: VecDeque::new(),
        }
    }

    /// The records behind `sequence`, for whoever has come that far before: what retention has removed since is told as
    /// [`ReadError::Removed`]. Behind 0 it is [`Reader::records_from`] 1: nobody misses what was gone before.
    pub fn records_behind(&self, sequence: u64) -> Records<S> {
        Records { started: sequence > 0, ..self.records_from(sequence + 1) }
    }

    /// The records that arrived at or after a moment (ns since the Unix epoch). Starts with the last segment that
    /// was made a minute before it; reads no older one.
    ///
    /// # Errors
    /// When the segments cannot be listed or read.
    pub fn records_since(&self, arrival_unix_ns: u64) -> io::Result<Records<S>> {
        let segments = segment::list(&*self.storage)?;
        let mut from = 1;
        for segment in segments.iter().rev() {
            let header = match self.storage.open(&segment.name()) {
                Ok(file) => segment::header(&*self.storage, &file)?,
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(e),
            };
            if header.is_ok_and(|h| h.created_unix_ns.saturating_add(ARRIVAL_SLACK_NS) <= arrival_unix_ns) {
                from = segment.first;
                break;
            }
        }
        let mut records = self.records_from(from);
        records.since_unix_ns = arrival_unix_ns;
        Ok(records)
    }
}

impl<S: Storage> Clone for Reader<S> {
    fn clone(&self) -> Self {
        Self { storage: self.storage.clone(), handle: self.handle.clone() }
    }
}

impl<S: Storage> std::fmt::Debug for Reader<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("location", &self.storage.location()).finish_non_exhaustive()
    }
}

/// How far reading may go.
#[derive(Clone, Copy, Debug, Default)]
struct Bound {
    /// Surely committed: what is missing up to here is damage.
    committed: u64,
    /// May be handed out.
    readable: u64,
}

/// The place in a segment.
struct Place<F> {
    segment: Segment,
    scan: Scan<F>,
    /// The bad region that the scan has just passed.
    bad: Option<(u64, u64)>,
}

/// Iterator over records; see [`Reader::records_from`].
pub struct Records<S: Storage = RealStorage> {
    storage: Arc<S>,
    handle: Option<Handle>,
    segments: Vec<Segment>,
    bound: Bound,
    /// Bound and segments have to be asked for again.
    stale: bool,
    started: bool,
    pause: bool,
    from: u64,
    since_unix_ns: u64,
    deadline: Option<Instant>,
    has_given_up: bool,
    expected: u64,
    place: Option<Place<S::File>>,
    /// Records of one batch.
    ready: VecDeque<Record>,
}

impl<S: Storage> Iterator for Records<S> {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if std::mem::take(&mut self.pause) {
            return None;
        }
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Some(Ok(record));
            }
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.has_given_up = true;
                return None;
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => {
                    self.stale = true;
                    return None;
                }
                Err(error) => {
                    if matches!(error, ReadError::Io(_) | ReadError::Version(_)) {
                        self.pause = true;
                        self.stale = true;
                        self.place = None;
                    }
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<S: Storage> Records<S> {
    /// From this moment on the iterator says `None` instead of reading on, also amid records that it passes over.
    #[must_use]
    pub fn give_up_at(self, deadline: Instant) -> Self {
        Records { deadline: Some(deadline), ..self }
    }

    /// Whether the iterator said `None` for want of time, with more to read perhaps.
    pub fn has_given_up(&self) -> bool {
        self.has_given_up
    }

    /// One step on; `false` at the end.
    fn advance(&mut self) -> Result<bool, ReadError> {
        if self.stale || self.expected > self.bound.readable {
            self.refresh()?;
            if self.expected > self.bound.readable {
                return Ok(false);
            }
        }
        if self.place.is_none() && !self.enter()? {
            return Ok(false);
        }
        let Some(place) = &mut self.place else { return Ok(true) };
        let void = self.segments.iter().filter(|s| s.number > place.segment.number).map(|s| s.first).min();
        let storage = &*self.storage;
        match place.scan.step(storage)? {
            Step::Bad { offset, length, .. } => {
                place.bad = Some((offset, length));
                Ok(true)
            }
            Step::Batch { header, .. } if header.last_sequence() < self.expected => {
                place.bad = None;
                Ok(true)
            }
            Step::Batch { offset, header } if void.is_none_or(|void| header.first_sequence < void) => {
                if header.first_sequence > self.expected {
                    // Come back to this batch: as part of the chain, or as the tail that it may be for now.
                    let bad = place.bad.take();
                    place.scan.rewind(bad.map_or(offset, |(at, _)| at), self.expected);
                    if self.expected > self.bound.committed {
                        return Ok(false);
                    }
                    place.scan.rewind(offset, self.expected);
                    let last = (header.first_sequence - 1).min(self.bound.committed);
                    return Err(self.lost(bad.unwrap_or((offset, 0)), last));
                }
                if header.first_sequence > self.bound.readable {
                    place.scan.rewind(offset, self.expected);
                    return Ok(false);
                }
                place.bad = None;
                let view = segment::view(place.scan.batch(storage, offset, &header)?)?;
                let sensor: Arc<str> = view.sensor().into();
                let mut client: Arc<str> = "".into();
                for record in view.records() {
                    if record.sequence < self.from.max(self.expected)
                        || record.arrival_unix_ns < self.since_unix_ns
                    {
                        continue;
                    }
                    if &*client != record.client {
                        client = record.client.into();
                    }
                    self.ready.push_back(Record {
                        sequence: record.sequence,
                        arrival_unix_ns: record.arrival_unix_ns,
                        source: record.source,
                        destination: record.destination,
                        path: record.path,
                        client: client.clone(),
                        sensor: sensor.clone(),
                        octets: record.octets.to_vec(),
                        redacted: record.redacted,
                    });
                }
                self.expected = header.last_sequence() + 1;
                Ok(true)
            }
            Step::Batch { .. } | Step::End => self.leave(void),
        }
    }

    /// The segment has no more for us.
    fn leave(&mut self, void: Option<u64>) -> Result<bool, ReadError> {
        let Some(place) = &mut self.place else { return Ok(true) };
        let bad = place.bad.take();
        let at = bad.unwrap_or((place.scan.offset(), 0));
        if let Some(next) = void {
            let first = self.expected;
            let number = place.segment.number;
            let error = (first < next).then(|| self.lost(at, next - 1));
            self.place = None;
            return match error {
                None => Ok(true),
                // Oldest first: where this one is gone, it was retention that took those behind it.
                Some(_) if self.segments.iter().all(|s| s.number != number) => {
                    Err(ReadError::Removed { first, last: next - 1 })
                }
                Some(error) => Err(error),
            };
        }
        // The newest one: it may grow, over what looks bad now.
        place.scan.rewind(at.0, self.expected);
        if self.expected <= self.bound.committed {
            let last = self.bound.committed;
            return Err(self.lost(at, last));
        }
        Ok(false)
    }

    fn lost(&mut self, (offset, bytes): (u64, u64), last: u64) -> ReadError {
        let lost = Some((self.expected, last));
        self.expected = last + 1;
        let segment = self.place.as_ref().map_or_else(String::new, |place| place.segment.name());
        ReadError::Damaged(Damage { segment, offset, bytes, lost, quarantine: None })
    }

    /// Opens the segment that holds what is expected; `false` where there is none yet.
    fn enter(&mut self) -> Result<bool, ReadError> {
        let expected = self.expected;
        let holds = |s: &&Segment| s.first <= expected && expected < s.void;
        if let Some(segment) = self.segments.iter().rev().find(holds) {
            match Scan::open(&*self.storage, segment) {
                Ok((_, Err(SegmentError::Version(version)))) => {
                    return Err(UnknownVersion { segment: segment.name(), version }.into());
                }
                Ok((scan, _)) => {
                    self.started = true;
                    self.place = Some(Place { segment: segment.clone(), scan, bad: None });
                }
                // Removed since it was listed.
                Err(e) if e.kind() == io::ErrorKind::NotFound => self.refresh()?,
                Err(e) => return Err(e.into()),
            }
            return Ok(true);
        }
        let Some(oldest) = self.segments.iter().map(|s| s.first).filter(|first| *first > expected).min()
        else {
            return Ok(false);
        };
        self.expected = oldest;
        if std::mem::replace(&mut self.started, true) {
            return Err(ReadError::Removed { first: expected, last: oldest - 1 });
        }
        Ok(true)
    }

    /// First the bound, then the segments: then all segments that hold anything up to the bound, or void anything
    /// there, are among them.
    fn refresh(&mut self) -> Result<(), ReadError> {
        let storage = &*self.storage;
        self.stale = false;
        if let Some(handle) = &self.handle {
            let watermark = handle.watermark();
            self.bound = Bound { committed: watermark, readable: watermark };
            self.segments = segment::list(storage)?;
        } else {
            let locked = storage.is_locked()?;
            let told = watermark::read(storage)?;
            self.segments = segment::list(storage)?;
            let told_or_seen = match told {
                Some(told) if locked => told,
                told => chain::evidence(storage, &self.segments, told)?,
            };
            let readable = if locked { told_or_seen } else { u64::MAX };
            self.bound = Bound { committed: told_or_seen, readable };
        }
        if let Some(place) = &mut self.place {
            place.scan.refresh();
        }
        Ok(())
    }
}

impl<S: Storage> std::fmt::Debug for Records<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records")
            .field("expected", &self.expected)
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}
