//! `open`: what a journal does before it takes the first record.
//!
//! Old segments are never written again, cut or appended to. Good batches above every watermark may be in the page
//! cache only (kill -9), or in pages that a failed sync has marked clean: they are rewritten into a new segment, which
//! gets its name only when it is whole and synced, so that a crash in recovery leaves everything as it was.

use std::io::{self, IoSlice};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::chain::{self, Damage, UnknownVersion};
use crate::codec::{self, BatchHeader, SegmentHeader};
use crate::handle::{Handle, Shared};
use crate::options::Options;
use crate::retention::Retained;
use crate::segment::{self, NEW, QUARANTINE, RECOVERING, watermark};
use crate::storage::{self, Storage};
use crate::writer::{Active, Writer};

/// A recovered journal, ready for its writer thread.
#[derive(Debug)]
pub struct Opened<S: Storage> {
    /// Make the ports, then give it a thread.
    pub writer: Writer<S>,
    /// For everybody.
    pub handle: Handle,
    /// What recovery found and did.
    pub report: RecoveryReport,
}

/// What recovery found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Highest sequence; the next record gets the one above.
    pub watermark: u64,
    /// Segments there are.
    pub segments: usize,
    /// Of those, older ones whose checksums were not looked at (`Options::recovery_check_bytes`).
    pub unchecked_segments: usize,
    /// Records found written but perhaps not durable, rewritten into a new segment.
    pub rescued_records: u64,
    /// Octets above every watermark that are no good batch, left out: a torn tail, with the zeros behind it. Nothing in
    /// it was acknowledged.
    pub torn_bytes: u64,
    /// Damage to acknowledged data.
    pub damage: Vec<Damage>,
    /// Octets copied into quarantine now.
    pub quarantined_bytes: u64,
}

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process, or another writer of this one, has it.
    #[error(
        "the journal in {location} is in use by another vpn-sensor: stop that one, or give this one another state_dir"
    )]
    Locked {
        /// The directory.
        location: String,
    },
    /// The options contradict each other.
    #[error("journal options: {0}")]
    Options(String),
    /// Written by a later release.
    #[error(transparent)]
    Version(#[from] UnknownVersion),
    /// The disk.
    #[error("the journal in {location}: {doing}: {error}")]
    Io {
        /// The directory.
        location: String,
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        error: io::Error,
    },
}

/// Takes the lock, recovers, and gets ready to write. See the module's head for what may happen to data: nothing.
///
/// # Errors
/// [`OpenError`]; the directory is then as it was, but for leftovers of an earlier recovery that are gone.
pub fn open<S: Storage>(storage: S, options: Options) -> Result<Opened<S>, OpenError> {
    options.validate().map_err(OpenError::Options)?;
    let location = storage.location();
    let io = |doing| {
        let location = location.clone();
        move |error| OpenError::Io { location, doing, error }
    };
    if !storage.lock().map_err(io("taking the lock"))? {
        return Err(OpenError::Locked { location });
    }
    remove_leftovers(&storage).map_err(io("removing an unfinished recovery"))?;
    let segments = segment::list(&storage).map_err(io("listing the segments"))?;
    let mut report = RecoveryReport { segments: segments.len(), ..Default::default() };

    // The newest segments, as far as they are to be checked.
    let mut check_from = segments.len();
    let mut bytes = 0;
    while check_from > 0 && (bytes < options.recovery_check_bytes || check_from == segments.len()) {
        check_from -= 1;
        bytes += segments[check_from].bytes;
    }
    report.unchecked_segments = check_from;

    let told = watermark::read(&storage).map_err(io("reading the watermark file"))?;
    let high = chain::evidence(&storage, &segments, told).map_err(io("reading the newest segment"))?;
    let mut tail: Vec<(BatchHeader, Vec<u8>)> = Vec::new();
    let end = chain::walk(&storage, &segments[check_from..], high, |header, octets| {
        if header.first_sequence > high {
            tail.push((*header, octets.to_vec()));
        }
        Ok::<(), WalkError>(())
    })
    .map_err(|error| match error {
        WalkError::Io(error) => io("reading the segments")(error),
        WalkError::Version(error) => error.into(),
    })?;
    report.watermark = end.last;
    report.torn_bytes = end.torn_bytes;
    report.damage = end.damage;
    quarantine(&storage, &options, &mut report);

    let mut retained: Vec<Retained> =
        segments.iter().map(|s| Retained { number: s.number, first: s.first, bytes: s.bytes }).collect();
    let number = segments.last().map_or(1, |s| s.number + 1);
    let mut active = None;
    // Lost records at the very end are known from the watermark file only: a new segment's name keeps that knowledge.
    if !tail.is_empty() || end.lost_end {
        report.rescued_records = tail.iter().map(|(header, _)| u64::from(header.count)).sum();
        let first = end.last + 1 - report.rescued_records;
        let rescued =
            rescue(&storage, number, first, &mut tail).map_err(io("making written records durable"))?;
        retained.push(Retained { number, first, bytes: rescued.offset });
        active = Some(rescued);
        report.segments += 1;
    }

    let shared = Shared::new(end.last);
    let next_number = if active.is_some() { number + 1 } else { number };
    let handle = Handle { shared: shared.into() };
    let writer = Writer::new(storage, options, handle.clone(), retained, active, next_number, &report);
    Ok(Opened { writer, handle, report })
}

enum WalkError {
    Io(io::Error),
    Version(UnknownVersion),
}

impl From<io::Error> for WalkError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<UnknownVersion> for WalkError {
    fn from(error: UnknownVersion) -> Self {
        Self::Version(error)
    }
}

fn remove_leftovers<S: Storage>(storage: &S) -> io::Result<()> {
    for entry in storage.list()? {
        if entry.name.ends_with(RECOVERING) || entry.name.ends_with(NEW) {
            storage.remove(&entry.name)?;
        }
    }
    Ok(())
}

/// Copies each damaged region aside, within the bound. The segment itself stays as it is; a copy that cannot be made
/// is no reason not to start, and the report says that there is none.
fn quarantine<S: Storage>(storage: &S, options: &Options, report: &mut RecoveryReport) {
    let Ok(entries) = storage.list() else { return };
    let mut held: u64 = entries.iter().filter(|e| e.name.ends_with(QUARANTINE)).map(|e| e.bytes).sum();
    for damage in &mut report.damage {
        let name =
            format!("{}-{}{QUARANTINE}", damage.segment.trim_end_matches(segment::SUFFIX), damage.offset);
        if entries.iter().any(|e| e.name == name) {
            damage.quarantine = Some(name);
            continue;
        }
        if damage.bytes == 0 || held + damage.bytes > options.quarantine_bytes {
            continue;
        }
        let copy = || -> io::Result<u64> {
            let file = storage.open(&damage.segment)?;
            let mut octets = vec![0; damage.bytes as usize];
            let n = storage.read_at(&file, damage.offset, &mut octets)?;
            storage::replace(storage, &name, &octets[..n])?;
            Ok(n as u64)
        };
        if let Ok(bytes) = copy() {
            held += bytes;
            report.quarantined_bytes += bytes;
            damage.quarantine = Some(name);
        }
    }
}

/// Writes `tail` into a new segment; it gets its name when it is whole and durable.
fn rescue<S: Storage>(
    storage: &S,
    number: u64,
    first: u64,
    tail: &mut [(BatchHeader, Vec<u8>)],
) -> io::Result<Active<S::File>> {
    // A batch in the tail may hold tombstones where a redaction came before the crash.
    let redacted = tail.iter().any(|(_, octets)| codec::has_tombstones(octets));
    let header =
        SegmentHeader { number, first_sequence: first, salt: salt(), created_unix_ns: unix_ns(), redacted };
    let head = codec::segment_header(&header);
    for (batch, octets) in tail.iter_mut() {
        batch.salt = header.salt;
        batch.watermark = first - 1;
        octets
            .truncate(codec::BATCH_HEADER + usize::from(batch.sensor_length) + batch.records_length as usize);
        codec::seal(octets, batch);
    }
    let mut parts = vec![IoSlice::new(&head)];
    parts.extend(tail.iter().map(|(_, octets)| IoSlice::new(octets)));
    let name = segment::name(number, first);
    let unfinished = format!("{name}{RECOVERING}");
    let file = storage.create(&unfinished)?;
    storage.write_at(&file, 0, &parts)?;
    storage.sync(&file)?;
    storage.rename(&unfinished, &name)?;
    storage.sync_directory()?;
    let offset = parts.iter().map(|part| part.len() as u64).sum();
    Ok(Active { file, salt: header.salt, offset, end: offset, created_unix_ns: header.created_unix_ns })
}

/// Makes the watermark file anew. Other processes fall back on the segments where it cannot be made.
pub(crate) fn watermark_file<S: Storage>(storage: &S) -> Option<S::File> {
    match storage.remove(watermark::NAME) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => None,
        _ => storage.create(watermark::NAME).ok(),
    }
}

/// Unguessable for those who send records, which is all it must be: the standard library's hash keys are random.
pub(crate) fn salt() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(unix_ns())
}

pub(crate) fn unix_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64)
}
