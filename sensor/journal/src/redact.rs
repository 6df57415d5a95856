//! Taking records out for good: segment by segment, a file that holds one is written anew with tombstones in its place,
//! and put where the old one was. Everything else stays as it was: sequences, batches, watermarks, damage.
//!
//! Runs beside the writer, which only goes on to a new segment first: what is written anew is a file that nobody writes
//! any more. A crash leaves each file old or new, whole; run again, the rest is done. What recovery copied into quarantine
//! is damaged, so nothing in it can be told apart: where octets in it are to go, all up to the next batch goes.
//!
//! Not concerned are blocks that the file system has given up and not written over, and open files of readers.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::chain::UnknownVersion;
use crate::codec::{self, ALIGNMENT, BATCH_HEADER, BATCH_MAGIC, RecordView, SegmentError, SegmentHeader};
use crate::handle::Handle;
use crate::segment::{self, NEW, QUARANTINE, SUFFIX, Scan, Segment, Step};
use crate::storage::{self, RealStorage, Storage};

/// Octets that are written at once: a few of the longest batches.
const CHUNK: usize = 4 << 20;
/// Between two looks whether the writer has gone on to a new segment.
const SEAL_PAUSE: Duration = Duration::from_millis(1);

/// Says what is to go. The same question must get the same answer: it is asked before and while a file is written.
pub trait Redact {
    /// Whether this record goes.
    fn takes_record(&mut self, record: &RecordView<'_>) -> bool;

    /// Whether something that is to go is in these octets, which damage has made unreadable.
    fn takes_octets(&mut self, octets: &[u8]) -> bool;

    /// Whether to go on; asked before each batch. What was done until then stays done.
    fn goes_on(&mut self) -> bool {
        true
    }
}

/// What a redaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redacted {
    /// Records that are tombstones now and were none. One that recovery has written twice counts twice.
    pub records: u64,
    /// Segments written anew.
    pub segments: u64,
    /// Octets of damaged regions, in segments and in quarantine, that are zeros now.
    pub damaged_bytes: u64,
}

/// Why a redaction did not come to its end. Run it again: what was done is done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// [`Redact::goes_on`] said no, or the writer ends.
    #[error("the redaction was stopped before its end; run it again")]
    Stopped,
    /// Written by a later release.
    #[error(transparent)]
    Version(#[from] UnknownVersion),
    /// The disk.
    #[error("taking records out of the journal: {0}")]
    Io(#[from] io::Error),
}

/// Takes records out of a journal.
pub struct Redactor<S: Storage = RealStorage> {
    storage: Arc<S>,
    handle: Option<Handle>,
}

impl Redactor {
    /// Of the journal in `directory` that this process writes.
    ///
    /// # Errors
    /// When the directory cannot be opened.
    pub fn beside(directory: impl AsRef<Path>, handle: &Handle) -> io::Result<Self> {
        Ok(Self::over(Arc::new(RealStorage::existing(directory)?), Some(handle.clone())))
    }
}

impl<S: Storage> Redactor<S> {
    /// The same over any storage. Without a handle nobody may write: the caller has the lock.
    pub fn over(storage: Arc<S>, handle: Option<Handle>) -> Self {
        Self { storage, handle }
    }

    /// Takes out of all files what is committed by now and `what` says. Durable when this returns.
    ///
    /// # Errors
    /// [`RedactError`].
    pub fn run(&self, what: &mut impl Redact) -> Result<Redacted, RedactError> {
        self.seal(what)?;
        let storage = &*self.storage;
        let mut redacted = Redacted::default();
        let newest = self.handle.as_ref().map(|handle| handle.shared.next_segment());
        for segment in segment::list(storage)? {
            // From here on the writer may be at work.
            if newest.is_some_and(|newest| segment.number >= newest) {
                break;
            }
            match self.segment(&segment, what, &mut redacted) {
                // Retention was faster.
                Err(RedactError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
                result => result?,
            }
        }
        for entry in storage.list()? {
            if entry.name.ends_with(QUARANTINE) {
                self.quarantined(&entry.name, what, &mut redacted)?;
            }
        }
        Ok(redacted)
    }

    /// Lets the writer go on to a new segment.
    fn seal(&self, what: &mut impl Redact) -> Result<(), RedactError> {
        let Some(handle) = &self.handle else { return Ok(()) };
        let wanted = handle.shared.want_seal();
        while !handle.shared.has_sealed(wanted) {
            if handle.shared.is_stopping() || !what.goes_on() {
                return Err(RedactError::Stopped);
            }
            std::thread::sleep(SEAL_PAUSE);
        }
        Ok(())
    }

    fn segment(
        &self,
        segment: &Segment,
        what: &mut impl Redact,
        redacted: &mut Redacted,
    ) -> Result<(), RedactError> {
        let storage = &*self.storage;
        if !self.is_concerned(segment, what)? {
            return Ok(());
        }
        let name = segment.name();
        let fresh = format!("{name}{NEW}");
        remove_if_there(storage, &fresh)?;
        let mut copy = Copy { file: storage.create(&fresh)?, at: 0, octets: Vec::new(), storage };
        let mut done = Redacted { segments: 1, ..Redacted::default() };
        let written = self.write_anew(segment, &mut copy, what, &mut done);
        if let Err(error) = written {
            let _ = storage.remove(&fresh);
            return Err(error);
        }
        let bytes = copy.at;
        drop(copy);
        self.put_in_place(segment, &fresh, &name, bytes)?;
        redacted.records += done.records;
        redacted.segments += done.segments;
        redacted.damaged_bytes += done.damaged_bytes;
        Ok(())
    }

    /// Whether there is anything in a segment that is to go.
    fn is_concerned(&self, segment: &Segment, what: &mut impl Redact) -> Result<bool, RedactError> {
        let storage = &*self.storage;
        let (mut scan, _) = open(storage, segment)?;
        loop {
            if !what.goes_on() {
                return Err(RedactError::Stopped);
            }
            match scan.step(storage)? {
                Step::Batch { offset, header } => {
                    let view = segment::view(scan.batch(storage, offset, &header)?)?;
                    if view.records().any(|record| !record.redacted && what.takes_record(&record)) {
                        return Ok(true);
                    }
                }
                Step::Bad { zeros: true, .. } => {}
                Step::Bad { offset, length, .. } => {
                    if what.takes_octets(&scan.region(storage, offset, length)?) {
                        return Ok(true);
                    }
                }
                Step::End => return Ok(false),
            }
        }
    }

    fn write_anew(
        &self,
        segment: &Segment,
        copy: &mut Copy<'_, S>,
        what: &mut impl Redact,
        done: &mut Redacted,
    ) -> Result<(), RedactError> {
        let storage = &*self.storage;
        let (mut scan, header) = open(storage, segment)?;
        match header {
            Ok(header) => {
                let head = SegmentHeader { redacted: true, ..header };
                copy.octets.extend_from_slice(&codec::segment_header(&head));
            }
            // Damaged it stays.
            Err(_) => copy.octets.extend_from_slice(&scan.head(storage)?),
        }
        // Behind the last batch there may be zeros: they were for batches that now go elsewhere.
        let mut zeros = 0;
        loop {
            if !what.goes_on() {
                return Err(RedactError::Stopped);
            }
            match scan.step(storage)? {
                Step::Bad { length, zeros: true, .. } => zeros = length as usize,
                Step::Bad { offset, length, .. } => {
                    let mut region = scan.region(storage, offset, length)?;
                    done.damaged_bytes += blank(&mut region, what);
                    copy.octets.extend_from_slice(&region);
                }
                Step::Batch { offset, header } => {
                    let gap = copy.octets.len() + std::mem::take(&mut zeros);
                    copy.octets.resize(gap, 0);
                    let octets = scan.batch(storage, offset, &header)?;
                    done.records += push_batch(&mut copy.octets, octets, what)?;
                }
                Step::End => break,
            }
            if copy.octets.len() >= CHUNK {
                copy.write()?;
            }
        }
        copy.write()?;
        Ok(storage.sync(&copy.file)?)
    }

    /// Retention must not remove the old file between our look and the renaming: the new one would bring it back.
    fn put_in_place(
        &self,
        segment: &Segment,
        fresh: &str,
        name: &str,
        bytes: u64,
    ) -> Result<(), RedactError> {
        let storage = &*self.storage;
        let mut rewritten = self.handle.as_ref().map(|handle| handle.shared.rewritten());
        if let Err(error) = storage.open(name) {
            let _ = storage.remove(fresh);
            return Err(error.into());
        }
        storage.rename(fresh, name)?;
        if let Some(rewritten) = &mut rewritten {
            rewritten.push((segment.number, bytes));
        }
        drop(rewritten);
        Ok(storage.sync_directory()?)
    }

    fn quarantined(
        &self,
        name: &str,
        what: &mut impl Redact,
        redacted: &mut Redacted,
    ) -> Result<(), RedactError> {
        let storage = &*self.storage;
        let file = storage.open(name)?;
        let mut octets = vec![0; storage.size(&file)? as usize];
        let length = storage.read_at(&file, 0, &mut octets)?;
        octets.truncate(length);
        let blanked = blank(&mut octets, what);
        if blanked > 0 {
            // The same length under the same name: recovery does not copy the region again.
            storage::replace(storage, name, &octets)?;
            redacted.damaged_bytes += blanked;
        }
        Ok(())
    }
}

impl<S: Storage> std::fmt::Debug for Redactor<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("location", &self.storage.location()).finish_non_exhaustive()
    }
}

/// A segment on its way.
struct Copy<'s, S: Storage> {
    storage: &'s S,
    file: S::File,
    /// Octets written.
    at: u64,
    /// What comes next.
    octets: Vec<u8>,
}

impl<S: Storage> Copy<'_, S> {
    fn write(&mut self) -> io::Result<()> {
        self.storage.write_at(&self.file, self.at, &[IoSlice::new(&self.octets)])?;
        self.at += self.octets.len() as u64;
        self.octets.clear();
        Ok(())
    }
}

type Opened<F> = (Scan<F>, Result<SegmentHeader, SegmentError>);

fn open<S: Storage>(storage: &S, segment: &Segment) -> Result<Opened<S::File>, RedactError> {
    let (scan, header) = Scan::open(storage, segment)?;
    if let Err(SegmentError::Version(version)) = header {
        return Err(UnknownVersion { segment: segment.name(), version }.into());
    }
    Ok((scan, header))
}

/// Appends a batch without what is to go; returns how many records that were.
fn push_batch(out: &mut Vec<u8>, octets: &[u8], what: &mut impl Redact) -> io::Result<u64> {
    let view = segment::view(octets)?;
    let mut taken = 0;
    let mut batch = octets[..BATCH_HEADER + usize::from(view.header().sensor_length)].to_vec();
    let records_at = batch.len();
    for (record, as_written) in view.records_as_written() {
        if !record.redacted && what.takes_record(&record) {
            codec::push_tombstone(&mut batch, record.arrival_unix_ns, record.path);
            taken += 1;
        } else {
            batch.extend_from_slice(as_written);
        }
    }
    if taken == 0 {
        out.extend_from_slice(octets);
        return Ok(0);
    }
    let records_length = (batch.len() - records_at) as u32;
    codec::seal(&mut batch, &codec::BatchHeader { records_length, ..*view.header() });
    out.extend_from_slice(&batch);
    Ok(taken)
}

/// Makes zeros of each part of a damaged region, from where a batch may begin to where the next one may, that holds
/// something that is to go; returns how many octets that were.
fn blank(region: &mut [u8], what: &mut impl Redact) -> u64 {
    if !what.takes_octets(region) {
        return 0;
    }
    let mut blanked = 0;
    let mut begin = 0;
    while begin < region.len() {
        let rest = &region[begin..];
        let next = rest.chunks(ALIGNMENT).skip(1).position(|chunk| chunk == BATCH_MAGIC);
        let length = next.map_or(rest.len(), |at| (at + 1) * ALIGNMENT);
        let part = &mut region[begin..begin + length];
        if what.takes_octets(part) {
            part.fill(0);
            blanked += length as u64;
        }
        begin += length;
    }
    if what.takes_octets(region) {
        // It lies across a border.
        region.fill(0);
        blanked = region.len() as u64;
    }
    blanked
}

fn remove_if_there<S: Storage>(storage: &S, name: &str) -> io::Result<()> {
    debug_assert!(!name.ends_with(SUFFIX));
    match storage.remove(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
