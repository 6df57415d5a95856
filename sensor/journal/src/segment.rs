//! Segment files: their names, the watermark file, and the scan that finds the good batches of one, damaged or not.

use std::io;

use crate::codec::{
    self, ALIGNMENT, BATCH_MAGIC, BatchError, BatchHeader, BatchView, MAX_BATCH, SEGMENT_HEADER,
    SegmentError, SegmentHeader,
};
use crate::storage::Storage;

pub(crate) const SUFFIX: &str = ".segment";
/// A segment that recovery is still writing.
pub(crate) const RECOVERING: &str = ".recovering";
pub(crate) const NEW: &str = ".new";
pub(crate) const QUARANTINE: &str = ".quarantine";

/// A segment file, by its name alone: `<number>-<first sequence>.segment`. The name repeats the header, so that
/// damage to the header does not bring back what an older segment abandoned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) first: u64,
    pub(crate) bytes: u64,
    /// What it holds at or above this sequence is abandoned: the lowest first sequence of all later segments.
    pub(crate) void: u64,
}

impl Segment {
    pub(crate) fn name(&self) -> String {
        name(self.number, self.first)
    }
}

pub(crate) fn name(number: u64, first: u64) -> String {
    format!("{number:012}-{first:020}{SUFFIX}")
}

fn parse_name(name: &str) -> Option<(u64, u64)> {
    let (number, first) = name.strip_suffix(SUFFIX)?.split_once('-')?;
    Some((number.parse().ok()?, first.parse().ok()?))
}

/// All segments, by number.
pub(crate) fn list<S: Storage>(storage: &S) -> io::Result<Vec<Segment>> {
    let mut segments: Vec<Segment> = storage
        .list()?
        .into_iter()
        .filter_map(|entry| {
            let (number, first) = parse_name(&entry.name)?;
            Some(Segment { number, first, bytes: entry.bytes, void: u64::MAX })
        })
        .collect();
    segments.sort_by_key(|s| s.number);
    let mut void = u64::MAX;
    for segment in segments.iter_mut().rev() {
        segment.void = void;
        void = void.min(segment.first);
    }
    Ok(segments)
}

/// Reads the header of a segment, if it is there and good.
pub(crate) fn header<S: Storage>(
    storage: &S,
    file: &S::File,
) -> io::Result<Result<SegmentHeader, SegmentError>> {
    let mut octets = [0; SEGMENT_HEADER];
    let n = storage.read_at(file, 0, &mut octets)?;
    Ok(codec::parse_segment_header(&octets[..n]))
}

/// The file that tells other processes the watermark. Written after each commit without a sync, so after a crash it
/// may be behind, never ahead: what it says was committed.
pub(crate) mod watermark {
    use super::{Storage, io};
    use crate::codec::{u32_at, u64_at};

    pub(crate) const NAME: &str = "watermark";
    const LENGTH: usize = 16;

    pub(crate) fn read<S: Storage>(storage: &S) -> io::Result<Option<u64>> {
        let file = match storage.open(NAME) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let mut octets = [0; LENGTH];
        let n = storage.read_at(&file, 0, &mut octets)?;
        let good = n == LENGTH && u32_at(&octets, 12) == crc32c::crc32c(&octets[..12]);
        Ok(good.then(|| u64_at(&octets, 0)))
    }

    pub(crate) fn octets(watermark: u64) -> [u8; LENGTH] {
        let mut octets = [0; LENGTH];
        octets[..8].copy_from_slice(&watermark.to_le_bytes());
        octets[8..12].copy_from_slice(b"mark");
        let crc = crc32c::crc32c(&octets[..12]);
        octets[12..].copy_from_slice(&crc.to_le_bytes());
        octets
    }
}

/// Octets read ahead at once. Derived, not measured: two full batches, and a system call for each some 500 records.
const AHEAD: usize = 256 << 10;

/// A window on a file: at most one longest batch and the read-ahead.
#[derive(Debug, Default)]
struct Window {
    octets: Vec<u8>,
    start: u64,
}

impl Window {
    /// At least `length` octets from `offset`, or what the file has there.
    fn get<S: Storage>(
        &mut self,
        storage: &S,
        file: &S::File,
        offset: u64,
        length: usize,
    ) -> io::Result<&[u8]> {
        let end = self.start + self.octets.len() as u64;
        if offset < self.start || offset + length as u64 > end {
            let rest = storage.size(file)?.saturating_sub(offset);
            self.octets.resize(rest.min(length.max(AHEAD) as u64) as usize, 0);
            self.start = offset;
            match storage.read_at(file, offset, &mut self.octets) {
                Ok(n) => self.octets.truncate(n),
                Err(e) => {
                    self.octets.clear();
                    return Err(e);
                }
            }
        }
        Ok(&self.octets[(offset - self.start) as usize..])
    }
}

/// What comes next in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A good batch.
    Batch { offset: u64, header: BatchHeader },
    /// No good batch here, up to the next good one or the end of the file.
    Bad { offset: u64, length: u64, zeros: bool },
    /// The end of the file.
    End,
}

/// Walks a segment from its first batch.
pub(crate) struct Scan<F> {
    file: F,
    offset: u64,
    /// Unknown where the header is damaged, until the first good batch.
    salt: Option<u64>,
    /// A good batch starts at or above this sequence.
    expected: u64,
    window: Window,
}

impl<F: Send + Sync + 'static> Scan<F> {
    pub(crate) fn open<S: Storage<File = F>>(
        storage: &S,
        segment: &Segment,
    ) -> io::Result<(Self, Result<SegmentHeader, SegmentError>)> {
        let file = storage.open(&segment.name())?;
        let header = header(storage, &file)?
            .and_then(|h| if h.number == segment.number { Ok(h) } else { Err(SegmentError::Damaged) });
        let scan = Self {
            file,
            offset: SEGMENT_HEADER as u64,
            salt: header.ok().map(|h| h.salt),
            expected: segment.first,
            window: Window::default(),
        };
        Ok((scan, header))
    }

    /// Where the next step begins.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The octets of the batch that the last step returned.
    pub(crate) fn batch<S: Storage<File = F>>(
        &mut self,
        storage: &S,
        offset: u64,
        header: &BatchHeader,
    ) -> io::Result<&[u8]> {
        let length = header.total();
        let octets = self.window.get(storage, &self.file, offset, length)?;
        octets.get(..length).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// The octets of a bad region that the last step returned.
    pub(crate) fn region<S: Storage<File = F>>(
        &self,
        storage: &S,
        offset: u64,
        length: u64,
    ) -> io::Result<Vec<u8>> {
        let mut octets = vec![0; length as usize];
        let n = storage.read_at(&self.file, offset, &mut octets)?;
        octets.truncate(n);
        Ok(octets)
    }

    /// What stands where the segment header belongs.
    pub(crate) fn head<S: Storage<File = F>>(&self, storage: &S) -> io::Result<Vec<u8>> {
        self.region(storage, 0, SEGMENT_HEADER as u64)
    }

    /// Goes to `offset`, where a batch with a sequence of `expected` or above is looked for.
    pub(crate) fn rewind(&mut self, offset: u64, expected: u64) {
        self.offset = offset;
        self.expected = expected;
    }

    /// The file as it is now: it may have grown. Octets that were read before are read again.
    pub(crate) fn refresh(&mut self) {
        self.window.octets.clear();
    }

    pub(crate) fn step<S: Storage<File = F>>(&mut self, storage: &S) -> io::Result<Step> {
        let offset = self.offset;
        match self.parse(storage, offset)? {
            Ok(header) => {
                self.salt = Some(header.salt);
                self.expected = header.last_sequence() + 1;
                self.offset = offset + header.total() as u64;
                return Ok(Step::Batch { offset, header });
            }
            Err(BatchError::Short(None)) if storage.size(&self.file)? <= offset => return Ok(Step::End),
            Err(_) => {}
        }
        let size = storage.size(&self.file)?;
        let next = self.search(storage, offset, size)?.unwrap_or(size);
        let zeros = self.zeros(storage, offset, next)?;
        self.offset = next;
        Ok(Step::Bad { offset, length: next - offset, zeros })
    }

    /// A good batch of this segment at `offset`?
    fn parse<S: Storage<File = F>>(
        &mut self,
        storage: &S,
        offset: u64,
    ) -> io::Result<Result<BatchHeader, BatchError>> {
        let octets = self.window.get(storage, &self.file, offset, codec::BATCH_HEADER)?;
        let mut result = codec::parse_batch(octets).map(|b| *b.header());
        if let Err(BatchError::Short(Some(header))) = result {
            let octets = self.window.get(storage, &self.file, offset, header.total().min(MAX_BATCH))?;
            result = codec::parse_batch(octets).map(|b| *b.header());
        }
        Ok(result.and_then(|header| {
            let ours =
                self.salt.is_none_or(|salt| salt == header.salt) && header.first_sequence >= self.expected;
            if ours { Ok(header) } else { Err(BatchError::Header) }
        }))
    }

    /// The next good batch behind `offset`.
    fn search<S: Storage<File = F>>(
        &mut self,
        storage: &S,
        offset: u64,
        size: u64,
    ) -> io::Result<Option<u64>> {
        // Where the damaged batch's own header says, if it can be believed: what lies inside its records is no batch.
        let octets = self.window.get(storage, &self.file, offset, codec::BATCH_HEADER)?;
        if let Ok(header) = codec::parse_batch_header(octets) {
            let next = offset + header.total() as u64;
            if next < size && self.parse(storage, next)?.is_ok() {
                return Ok(Some(next));
            }
        }
        let mut at = offset + ALIGNMENT as u64;
        while at < size {
            let octets = self.window.get(storage, &self.file, at, codec::BATCH_HEADER)?;
            if octets.is_empty() {
                break;
            }
            let hit = octets.chunks(ALIGNMENT).position(|chunk| chunk == BATCH_MAGIC);
            let Some(hit) = hit else {
                at += octets.len().next_multiple_of(ALIGNMENT) as u64;
                continue;
            };
            at += (hit * ALIGNMENT) as u64;
            if self.parse(storage, at)?.is_ok() {
                return Ok(Some(at));
            }
            at += ALIGNMENT as u64;
        }
        Ok(None)
    }

    fn zeros<S: Storage<File = F>>(&mut self, storage: &S, mut at: u64, end: u64) -> io::Result<bool> {
        while at < end {
            let octets = self.window.get(storage, &self.file, at, 1)?;
            let length = octets.len().min((end - at) as usize);
            if length == 0 {
                break;
            }
            if octets[..length].iter().any(|octet| *octet != 0) {
                return Ok(false);
            }
            at += length as u64;
        }
        Ok(true)
    }
}

/// Parses a batch that a scan has found good.
pub(crate) fn view(octets: &[u8]) -> io::Result<BatchView<'_>> {
    codec::parse_batch(octets).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}
