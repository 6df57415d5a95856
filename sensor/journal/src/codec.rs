//! The format on disk, versions 1 and 2. It is a contract: a change gets a new version number. Pure functions over octets:
//! no I/O, no clock. The writer seals with it; recovery, readers, `verify`, redaction and the fuzzer parse with it.
//!
//! All integers are little-endian. A segment file is one segment header and then batches, back to back:
//!
//! | segment header, 64 octets      | batch header, 48 octets               | record, 18 octets and more    |
//! |--------------------------------|---------------------------------------|-------------------------------|
//! | 0  magic `VPNSJRNL`            | 0  magic `\xB5vpnBAT\n`                | 0  path: 1 XDP, 2 UDP, 3 pcap |
//! | 8  version, u16                | 8  version, u16                       | 1  bit 0: source is IPv6, bit |
//! | 10 header length, u16 (64)     | 10 length n of the sensor's name, u8  |    1: destination, 2: redacted|
//! | 12 zero, u32                   | 11 zero, u8                           | 2  length c of client, u8     |
//! | 16 segment number, u64         | 12 records in it, u32, at least 1     | 3  zero, u8                   |
//! | 24 first sequence, u64         | 16 first sequence, u64                | 4  length m of octets, u16    |
//! | 32 salt, u64                   | 24 watermark at writing, u64          | 6  source port, u16           |
//! | 40 created, Unix ns, u64       | 32 salt of its segment, u64           | 8  destination port, u16      |
//! | 48 zero, 12 octets             | 40 octets of all records r, u32       | 10 arrival, Unix ns, u64      |
//! | 60 CRC32C of octets 0..60      | 44 CRC32C of octets 0..44             | 18 source address, 4 or 16    |
//! |                                | 48 sensor's name, n                   |    destination, 4 or 16       |
//! |                                |    records, r                         |    client's name, c           |
//! |                                |    zeros to the next 8k + 4           |    the request, m             |
//! |                                |    CRC32C of all octets before it     |                               |
//!
//! The records of a batch have consecutive sequences. The batch header has its own checksum, so that after damage to
//! the records the lost sequences and the place of the next batch are still known. Batches start at multiples of 8,
//! which bounds the search for the next good one. The salt is random per segment: what a client writes into an
//! attribute can never pass for a batch, nor can an old block that a file system hands out again. Behind the last batch a
//! file may end in zeros: the next batches are written over them, and readers pass over what is left of them.
//! The IPv6 flow label and scope are not recorded.
//!
//! A *tombstone* (bit 2) stands where a record was that has been taken out since: it keeps sequence, arrival and path;
//! names, addresses, ports and request are empty or zero. A segment that holds one has version 2 in its header, so that
//! a program that knows version 1 alone refuses it and does not take it for damage; all else is the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::{CapturePath, NewRecord};

/// The version of what the writer writes, batches always included.
pub const VERSION: u16 = 1;
/// The version of a segment that may hold tombstones.
pub const VERSION_REDACTED: u16 = 2;
/// Octets of the segment header; the first batch starts there.
pub const SEGMENT_HEADER: usize = 64;
/// Octets of the fixed part of a batch header.
pub const BATCH_HEADER: usize = 48;
/// The longest batch, whole, in octets: what a reader must be ready to hold.
pub const MAX_BATCH: usize = 1 << 20;
/// The longest sensor name, in octets.
pub const MAX_SENSOR: usize = 64;
/// The longest client name that a record holds, in octets; a longer one is cut at a character.
pub const MAX_CLIENT: usize = 255;
/// The longest record around its octets: fixed part, two IPv6 addresses, client name.
pub const MAX_RECORD_OVERHEAD: usize = RECORD_FIXED + 32 + MAX_CLIENT;
/// Batches start at multiples of this.
pub const ALIGNMENT: usize = 8;

const SEGMENT_MAGIC: [u8; 8] = *b"VPNSJRNL";
pub(crate) const BATCH_MAGIC: [u8; 8] = *b"\xB5vpnBAT\n";
const RECORD_FIXED: usize = 18;
const CRC: usize = 4;
const SOURCE_IPV6: u8 = 1;
const DESTINATION_IPV6: u8 = 2;
const REDACTED: u8 = 4;
/// What a tombstone takes: the fixed part and two addresses of zeros.
const TOMBSTONE: usize = RECORD_FIXED + 8;

/// What the head of a segment file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Number of the segment, also in its file name; later segments have higher ones.
    pub number: u64,
    /// Sequence of its first record. Whatever an older segment holds at or above it was abandoned.
    pub first_sequence: u64,
    /// Random; repeated in every batch of the segment.
    pub salt: u64,
    /// When it was made, ns since the Unix epoch.
    pub created_unix_ns: u64,
    /// It may hold tombstones.
    pub redacted: bool,
}

/// What the head of a batch says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Records in it, at least one.
    pub count: u32,
    /// Sequence of its first record, at least 1.
    pub first_sequence: u64,
    /// Highest committed sequence when it was written; below `first_sequence`.
    pub watermark: u64,
    /// The salt of its segment.
    pub salt: u64,
    /// Octets of the sensor's name.
    pub sensor_length: u8,
    /// Octets of all records.
    pub records_length: u32,
}

impl BatchHeader {
    /// Octets of the whole batch, checksum included.
    pub fn total(&self) -> usize {
        sealed_length(BATCH_HEADER + usize::from(self.sensor_length) + self.records_length as usize)
    }

    /// Sequence of its last record.
    pub fn last_sequence(&self) -> u64 {
        self.first_sequence + u64::from(self.count) - 1
    }
}

/// Why octets are no good batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Fewer octets than a header, or than its header asks for (which is then known).
    #[error("the batch ends early")]
    Short(Option<BatchHeader>),
    /// No magic, a version this crate does not know, or a header whose checksum or fields are wrong.
    #[error("no batch header")]
    Header,
    /// The header is good and the rest is not.
    #[error("the batch's checksum or records are wrong")]
    Body(BatchHeader),
}

impl BatchError {
    /// The header, where that much was good.
    pub fn header(&self) -> Option<BatchHeader> {
        match *self {
            Self::Short(header) => header,
            Self::Header => None,
            Self::Body(header) => Some(header),
        }
    }
}

/// A batch whose checksums and records are all good.
#[derive(Clone, Copy, Debug)]
pub struct BatchView<'a> {
    header: BatchHeader,
    sensor: &'a str,
    records: &'a [u8],
}

/// A record inside a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordView<'a> {
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
    pub client: &'a str,
    /// The request; nothing in a tombstone.
    pub octets: &'a [u8],
    /// A tombstone: what was here has been taken out. Only sequence, arrival and path mean anything.
    pub redacted: bool,
}

/// A segment header's octets.
pub fn segment_header(header: &SegmentHeader) -> [u8; SEGMENT_HEADER] {
    let mut out = [0; SEGMENT_HEADER];
    out[..8].copy_from_slice(&SEGMENT_MAGIC);
    let version = if header.redacted { VERSION_REDACTED } else { VERSION };
    out[8..10].copy_from_slice(&version.to_le_bytes());
    out[10..12].copy_from_slice(&(SEGMENT_HEADER as u16).to_le_bytes());
    out[16..24].copy_from_slice(&header.number.to_le_bytes());
    out[24..32].copy_from_slice(&header.first_sequence.to_le_bytes());
    out[32..40].copy_from_slice(&header.salt.to_le_bytes());
    out[40..48].copy_from_slice(&header.created_unix_ns.to_le_bytes());
    let crc = crc32c::crc32c(&out[..60]);
    out[60..].copy_from_slice(&crc.to_le_bytes());
    out
}

/// Why octets are no good segment header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// Too short, no magic, or the checksum is wrong.
    #[error("the segment header is damaged")]
    Damaged,
    /// Written by a later version of the format.
    #[error("segment format version {0}; this program knows versions up to {VERSION_REDACTED}")]
    Version(u16),
}

/// Parses the head of a segment file.
pub fn parse_segment_header(octets: &[u8]) -> Result<SegmentHeader, SegmentError> {
    let octets = octets.get(..SEGMENT_HEADER).ok_or(SegmentError::Damaged)?;
    if octets[..8] != SEGMENT_MAGIC || u32_at(octets, 60) != crc32c::crc32c(&octets[..60]) {
        return Err(SegmentError::Damaged);
    }
    let version = u16_at(octets, 8);
    if !(VERSION..=VERSION_REDACTED).contains(&version) {
        return Err(SegmentError::Version(version));
    }
    Ok(SegmentHeader {
        number: u64_at(octets, 16),
        first_sequence: u64_at(octets, 24),
        salt: u64_at(octets, 32),
        created_unix_ns: u64_at(octets, 40),
        redacted: version == VERSION_REDACTED,
    })
}

/// Octets of a batch whose header, name and records take `unsealed`: padding and checksum added.
pub(crate) fn sealed_length(unsealed: usize) -> usize {
    (unsealed + CRC).next_multiple_of(ALIGNMENT)
}

/// Octets that `record` takes.
pub(crate) fn record_length(record: &NewRecord<'_>) -> usize {
    let address = |a: &SocketAddr| if a.is_ipv6() { 16 } else { 4 };
    RECORD_FIXED
        + address(&record.source)
        + address(&record.destination)
        + cut(record.client).len()
        + record.octets.len()
}

/// Appends `record`; the caller has made room. The request's octets are the last of it.
pub(crate) fn push_record(out: &mut Vec<u8>, record: &NewRecord<'_>) {
    let client = cut(record.client);
    // The part of known size is put together first: one copy of it, one of the name, one of the request.
    let mut head = [0; RECORD_FIXED + 32];
    let mut end = RECORD_FIXED;
    let mut families = 0;
    for (address, family) in [(record.source.ip(), SOURCE_IPV6), (record.destination.ip(), DESTINATION_IPV6)]
    {
        match address {
            IpAddr::V4(address) => {
                head[end..end + 4].copy_from_slice(&address.octets());
                end += 4;
            }
            IpAddr::V6(address) => {
                families |= family;
                head[end..end + 16].copy_from_slice(&address.octets());
                end += 16;
            }
        }
    }
    head[..4].copy_from_slice(&[record.path as u8, families, client.len() as u8, 0]);
    head[4..6].copy_from_slice(&(record.octets.len() as u16).to_le_bytes());
    head[6..8].copy_from_slice(&record.source.port().to_le_bytes());
    head[8..10].copy_from_slice(&record.destination.port().to_le_bytes());
    head[10..18].copy_from_slice(&record.arrival_unix_ns.to_le_bytes());
    out.extend_from_slice(&head[..end]);
    out.extend_from_slice(client.as_bytes());
    out.extend_from_slice(record.octets);
}

/// Appends the tombstone of a record that came in this way.
pub(crate) fn push_tombstone(out: &mut Vec<u8>, arrival_unix_ns: u64, path: CapturePath) {
    let mut tombstone = [0; TOMBSTONE];
    tombstone[..2].copy_from_slice(&[path as u8, REDACTED]);
    tombstone[10..18].copy_from_slice(&arrival_unix_ns.to_le_bytes());
    out.extend_from_slice(&tombstone);
}

/// The part of a client's name that is recorded.
fn cut(client: &str) -> &str {
    &client[..client.floor_char_boundary(MAX_CLIENT)]
}

/// Writes the header over the first octets of `batch` (room for it, the sensor's name and the records are there),
/// pads, and appends the checksum. `batch.len()` becomes `header.total()`.
pub(crate) fn seal(batch: &mut Vec<u8>, header: &BatchHeader) {
    batch[..8].copy_from_slice(&BATCH_MAGIC);
    batch[8..10].copy_from_slice(&VERSION.to_le_bytes());
    batch[10] = header.sensor_length;
    batch[11] = 0;
    batch[12..16].copy_from_slice(&header.count.to_le_bytes());
    batch[16..24].copy_from_slice(&header.first_sequence.to_le_bytes());
    batch[24..32].copy_from_slice(&header.watermark.to_le_bytes());
    batch[32..40].copy_from_slice(&header.salt.to_le_bytes());
    batch[40..44].copy_from_slice(&header.records_length.to_le_bytes());
    let crc = crc32c::crc32c(&batch[..44]);
    batch[44..48].copy_from_slice(&crc.to_le_bytes());
    batch.resize(header.total() - CRC, 0);
    let crc = crc32c::crc32c(batch);
    batch.extend_from_slice(&crc.to_le_bytes());
}

/// Parses a batch header alone.
pub fn parse_batch_header(octets: &[u8]) -> Result<BatchHeader, BatchError> {
    let octets = octets.get(..BATCH_HEADER).ok_or(BatchError::Short(None))?;
    if octets[..8] != BATCH_MAGIC
        || u16_at(octets, 8) != VERSION
        || u32_at(octets, 44) != crc32c::crc32c(&octets[..44])
    {
        return Err(BatchError::Header);
    }
    let header = BatchHeader {
        sensor_length: octets[10],
        count: u32_at(octets, 12),
        first_sequence: u64_at(octets, 16),
        watermark: u64_at(octets, 24),
        salt: u64_at(octets, 32),
        records_length: u32_at(octets, 40),
    };
    let sane = header.count > 0
        && header.first_sequence > header.watermark
        && header.first_sequence.checked_add(u64::from(header.count)).is_some()
        && usize::from(header.sensor_length) <= MAX_SENSOR
        && header.records_length as usize <= MAX_BATCH
        && header.total() <= MAX_BATCH;
    if sane { Ok(header) } else { Err(BatchError::Header) }
}

/// Parses the batch at the head of `octets`, every record of it included.
pub fn parse_batch(octets: &[u8]) -> Result<BatchView<'_>, BatchError> {
    let header = parse_batch_header(octets)?;
    let octets = octets.get(..header.total()).ok_or(BatchError::Short(Some(header)))?;
    let damaged = BatchError::Body(header);
    let (body, crc) = octets.split_at(octets.len() - CRC);
    if u32_at(crc, 0) != crc32c::crc32c(body) {
        return Err(damaged);
    }
    let records_at = BATCH_HEADER + usize::from(header.sensor_length);
    let records = body.get(records_at..records_at + header.records_length as usize).ok_or(damaged)?;
    let sensor = std::str::from_utf8(&body[BATCH_HEADER..records_at]).map_err(|_| damaged)?;
    let view = BatchView { header, sensor, records };
    let mut walk = view.records();
    let whole = walk.by_ref().count() == header.count as usize && walk.rest.is_empty();
    if whole { Ok(view) } else { Err(damaged) }
}

impl<'a> BatchView<'a> {
    /// Its header.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// Name of the sensor that wrote it.
    pub fn sensor(&self) -> &'a str {
        self.sensor
    }

    /// Its records, in order.
    pub fn records(&self) -> RecordViews<'a> {
        RecordViews { rest: self.records, left: self.header.count, next: self.header.first_sequence }
    }

    /// Its records, each with the octets that it takes in the batch.
    pub(crate) fn records_as_written(&self) -> impl Iterator<Item = (RecordView<'a>, &'a [u8])> {
        let mut records = self.records();
        std::iter::from_fn(move || {
            let before = records.rest;
            let record = records.next()?;
            Some((record, &before[..before.len() - records.rest.len()]))
        })
    }
}

/// The records of a batch.
#[derive(Clone, Debug)]
pub struct RecordViews<'a> {
    rest: &'a [u8],
    left: u32,
    next: u64,
}

impl<'a> Iterator for RecordViews<'a> {
    type Item = RecordView<'a>;

    fn next(&mut self) -> Option<RecordView<'a>> {
        if self.left == 0 {
            return None;
        }
        let mut rest = self.rest;
        let fixed = take(&mut rest, RECORD_FIXED)?;
        let path = match fixed[0] {
            1 => CapturePath::Xdp,
            2 => CapturePath::Udp,
            3 => CapturePath::Pcap,
            _ => return None,
        };
        let redacted = fixed[1] == REDACTED;
        if !redacted && fixed[1] & !(SOURCE_IPV6 | DESTINATION_IPV6) != 0 || fixed[3] != 0 {
            return None;
        }
        // Nothing may be left of what was taken out.
        if redacted
            && self.rest.get(2..10).into_iter().chain(self.rest.get(18..TOMBSTONE)).flatten().any(|o| *o != 0)
        {
            return None;
        }
        let source = take_address(&mut rest, fixed[1] & SOURCE_IPV6 != 0)?;
        let destination = take_address(&mut rest, fixed[1] & DESTINATION_IPV6 != 0)?;
        let client = std::str::from_utf8(take(&mut rest, usize::from(fixed[2]))?).ok()?;
        let octets = take(&mut rest, usize::from(u16_at(fixed, 4)))?;
        let record = RecordView {
            sequence: self.next,
            arrival_unix_ns: u64_at(fixed, 10),
            source: SocketAddr::new(source, u16_at(fixed, 6)),
            destination: SocketAddr::new(destination, u16_at(fixed, 8)),
            path,
            client,
            octets,
            redacted,
        };
        self.rest = rest;
        self.left -= 1;
        self.next += 1;
        Some(record)
    }
}

/// Whether these octets are a batch that holds a tombstone.
pub(crate) fn has_tombstones(octets: &[u8]) -> bool {
    parse_batch(octets).is_ok_and(|batch| batch.records().any(|record| record.redacted))
}

/// For the fuzzer: takes `octets` for a segment file, walks it the way recovery does, and checks that whatever is
/// accepted can be written again to the same octets. Panics when that is not so. Returns the good batches.
pub fn check(octets: &[u8]) -> usize {
    if let Ok(header) = parse_segment_header(octets) {
        assert_eq!(parse_segment_header(&segment_header(&header)), Ok(header));
    }
    let mut good = 0;
    let mut at = SEGMENT_HEADER.min(octets.len());
    while at < octets.len() {
        let rest = &octets[at..];
        let Ok(batch) = parse_batch(rest) else {
            at += ALIGNMENT;
            continue;
        };
        let header = batch.header();
        let mut again = vec![0; BATCH_HEADER];
        again.extend_from_slice(batch.sensor().as_bytes());
        for record in batch.records() {
            if record.redacted {
                push_tombstone(&mut again, record.arrival_unix_ns, record.path);
                continue;
            }
            let new = NewRecord {
                arrival_unix_ns: record.arrival_unix_ns,
                source: record.source,
                destination: record.destination,
                path: record.path,
                client: record.client,
                octets: record.octets,
            };
            let before = again.len();
            push_record(&mut again, &new);
            assert_eq!(again.len() - before, record_length(&new));
        }
        seal(&mut again, header);
        let same = parse_batch(&again).map(|b| *b.header());
        assert_eq!(same, Ok(*header));
        good += 1;
        at += header.total();
    }
    good
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}

fn take_address(rest: &mut &[u8], ipv6: bool) -> Option<IpAddr> {
    if ipv6 {
        let octets: [u8; 16] = take(rest, 16)?.try_into().ok()?;
        Some(IpAddr::V6(Ipv6Addr::from(octets)))
    } else {
        let octets: [u8; 4] = take(rest, 4)?.try_into().ok()?;
        Some(IpAddr::V4(Ipv4Addr::from(octets)))
    }
}

// The callers have checked that the octets are there.
fn array<const N: usize>(octets: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&octets[at..at + N]);
    out
}

pub(crate) fn u16_at(octets: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(octets, at))
}

pub(crate) fn u32_at(octets: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(octets, at))
}

pub(crate) fn u64_at(octets: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(octets, at))
}

#[cfg(test)]
mod tests;
