//! One message as it lies in a segment: its length, a CRC-32C, then its parts. All numbers little-endian.

use serde::{Deserialize, Serialize};

use crate::{
    alert::Severity,
    export::format::{Format, Kind},
};

/// In front of each message: length and checksum, 4 octets each.
pub(super) const HEAD: usize = 8;
/// Longest message that is kept, octets. An alert with all its evidence has 32 KiB.
pub const MESSAGE_MAX: usize = 1 << 20;

/// Where a message comes from, in the order of its sort: the sequence of a notice, the position in the journal. A message
/// at or before the last one that was kept is the same one once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Sequence or position.
    pub position: u64,
    /// Among several of one position: goes up.
    pub index: u64,
}

/// A message before it is kept.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// Its sort.
    pub kind: Kind,
    /// Where it comes from; none: it is never taken for one that came before.
    pub origin: Option<Origin>,
    /// How urgent.
    pub severity: Severity,
    /// When it happened, ns since 1970 UTC.
    pub unix_ns: u64,
    /// What it is, in a word.
    pub id: &'a str,
    /// Whom it names, as sent.
    pub persons: Vec<&'a str>,
    /// How it is written.
    pub format: Format,
    /// As it is sent.
    pub body: &'a str,
}

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts up.
    pub sequence: u64,
    /// When it was kept, ns since 1970 UTC.
    pub kept_unix_ns: u64,
    /// Its sort.
    pub kind: Kind,
    /// Where it comes from.
    pub origin: Option<Origin>,
    /// How urgent.
    pub severity: Severity,
    /// When it happened, ns since 1970 UTC.
    pub unix_ns: u64,
    /// What it is, in a word.
    pub id: String,
    /// Whom it names, as sent.
    pub persons: Vec<String>,
    /// How it is written.
    pub format: Format,
    /// As it is sent.
    pub body: String,
}

impl Entry {
    pub(super) fn of(draft: &Draft<'_>, sequence: u64, kept_unix_ns: u64) -> Entry {
        Entry {
            sequence,
            kept_unix_ns,
            kind: draft.kind,
            origin: draft.origin,
            severity: draft.severity,
            unix_ns: draft.unix_ns,
            id: draft.id.to_owned(),
            persons: draft.persons.iter().map(|&name| name.to_owned()).collect(),
            format: draft.format,
            body: draft.body.to_owned(),
        }
    }

    /// As it is written. None for what is too long to be kept.
    pub(super) fn octets(&self) -> Option<Vec<u8>> {
        let payload = postcard::to_stdvec(self).ok().filter(|payload| payload.len() <= MESSAGE_MAX)?;
        let mut octets = Vec::with_capacity(HEAD + payload.len());
        octets.extend((payload.len() as u32).to_le_bytes());
        octets.extend(crc32c::crc32c(&payload).to_le_bytes());
        octets.extend(payload);
        Some(octets)
    }

    /// The message at the beginning of these octets and how many it has. None where there is no whole one.
    pub(super) fn read(octets: &[u8]) -> Option<(Entry, usize)> {
        let number =
            |at: usize| octets.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes);
        let (length, checksum) = (number(0)? as usize, number(4)?);
        // Zeros, as a file system leaves them behind a crash, are no message.
        let payload = octets.get(HEAD..HEAD + length).filter(|_| (1..=MESSAGE_MAX).contains(&length))?;
        let entry = (crc32c::crc32c(payload) == checksum).then(|| postcard::from_bytes(payload).ok())??;
        Some((entry, HEAD + length))
    }
}
