//! Checks a whole journal, every octet of it, changing nothing. Safe beside a running writer.

use std::io;
use std::path::Path;

use crate::chain::{self, Damage};
use crate::reader::ReadError;
use crate::segment::{self, watermark};
use crate::storage::{RealStorage, Storage};

/// Times a check starts over because retention removed a segment under it.
const ATTEMPTS: u32 = 5;

/// What a journal holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Segment files.
    pub segments: usize,
    /// Good batches of the chain.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Of those, tombstones: what was there has been taken out.
    pub redacted: u64,
    /// Sequence of the first record, if there is one.
    pub first: Option<u64>,
    /// Sequence of the last record, if there is one.
    pub last: Option<u64>,
    /// Highest sequence that is known to have been committed.
    pub watermark: u64,
    /// Octets above it that are no good batch: a torn tail, or what a running writer is just writing.
    pub torn_bytes: u64,
    /// Damage to acknowledged data.
    pub damage: Vec<Damage>,
}

impl VerifyReport {
    /// Nothing acknowledged is damaged.
    pub fn is_good(&self) -> bool {
        self.damage.is_empty()
    }
}

/// Checks the journal in `directory`.
///
/// # Errors
/// [`ReadError::Io`], [`ReadError::Version`]. Damage is no error: it is in the report.
pub fn verify(directory: impl AsRef<Path>) -> Result<VerifyReport, ReadError> {
    verify_storage(&RealStorage::existing(directory)?)
}

/// The same over any storage.
///
/// # Errors
/// As [`verify`].
pub fn verify_storage<S: Storage>(storage: &S) -> Result<VerifyReport, ReadError> {
    let mut attempt = 1;
    loop {
        match check(storage) {
            Err(ReadError::Io(e)) if e.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS => {
                attempt += 1
            }
            result => return result,
        }
    }
}

fn check<S: Storage>(storage: &S) -> Result<VerifyReport, ReadError> {
    // The watermark first: then the list has every segment that holds what is committed by it.
    let told = watermark::read(storage)?;
    let segments = segment::list(storage)?;
    let high = chain::evidence(storage, &segments, told)?;
    let mut report = VerifyReport { segments: segments.len(), watermark: high, ..Default::default() };
    let end = chain::walk(storage, &segments, high, |header, octets| {
        report.batches += 1;
        report.redacted += segment::view(octets)?.records().filter(|record| record.redacted).count() as u64;
        report.records += u64::from(header.count);
        report.first = report.first.or(Some(header.first_sequence));
        report.last = Some(header.last_sequence());
        Ok::<(), ReadError>(())
    })?;
    report.torn_bytes = end.torn_bytes;
    report.damage = end.damage;
    Ok(report)
}
