//! The chain: which of all batches in the segments are the journal, where it is damaged, and where it ends.
//!
//! The rule, for recovery and `verify` alike: a later segment voids what older ones hold at or above its first
//! sequence. Missing sequences at or below a watermark that is seen anywhere (in a batch, in a segment's first
//! sequence, in the watermark file) were acknowledged: that is damage, and the chain goes on behind it. Missing
//! sequences above every watermark end the chain: what follows is a torn tail, of which nothing was acknowledged.

use std::io;

use crate::codec::{BatchHeader, SegmentError};
use crate::segment::{Scan, Segment, Step};
use crate::storage::Storage;

/// Damage to data that was acknowledged, or to a segment's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment's file name.
    pub segment: String,
    /// Where the damaged region starts.
    pub offset: u64,
    /// Its octets; 0 where the file just ends too early.
    pub bytes: u64,
    /// First and last sequence that are lost; `None` when only a segment header is damaged and no record is lost.
    pub lost: Option<(u64, u64)>,
    /// The file in the journal's directory that holds a copy of the region.
    pub quarantine: Option<String>,
}

/// The highest sequence that is known to have been committed, from all that the newest segment, the segments' names
/// and the watermark file (`told`, read before the segments were listed) say.
pub(crate) fn evidence<S: Storage>(storage: &S, segments: &[Segment], told: Option<u64>) -> io::Result<u64> {
    let mut high = told.unwrap_or(0);
    for segment in segments {
        high = high.max(segment.first.saturating_sub(1));
    }
    // Watermarks in older segments are below the first sequence of the newest.
    if let Some(newest) = segments.last() {
        let (mut scan, _) = Scan::open(storage, newest)?;
        loop {
            match scan.step(storage)? {
                Step::Batch { header, .. } => high = high.max(header.watermark),
                Step::Bad { .. } => {}
                Step::End => break,
            }
        }
    }
    Ok(high)
}

/// Where a chain ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChainEnd {
    /// Sequence of the last record, or of the last lost one; what comes next is one above.
    pub(crate) last: u64,
    /// Octets of torn tail that are no zeros.
    pub(crate) torn_bytes: u64,
    pub(crate) damage: Vec<Damage>,
    /// Acknowledged records are missing at the very end, with nothing behind them.
    pub(crate) lost_end: bool,
}

/// Walks `segments` (by number, the last one is the journal's newest) and hands every batch of the chain to `visit`,
/// with its octets. `high` is the [`evidence`].
pub(crate) fn walk<S: Storage, E: From<io::Error> + From<UnknownVersion>>(
    storage: &S,
    segments: &[Segment],
    high: u64,
    mut visit: impl FnMut(&BatchHeader, &[u8]) -> Result<(), E>,
) -> Result<ChainEnd, E> {
    let mut end = ChainEnd::default();
    let Some(first) = segments.first() else {
        end.last = high;
        return Ok(end);
    };
    let mut expected = first.first;
    for (index, segment) in segments.iter().enumerate() {
        let newest = index + 1 == segments.len();
        let (mut scan, header) = Scan::open(storage, segment)?;
        let mut bad: Option<(u64, u64, bool)> = match header {
            Ok(header) if header.first_sequence == segment.first => None,
            Err(SegmentError::Version(version)) => {
                return Err(UnknownVersion { segment: segment.name(), version }.into());
            }
            Ok(_) | Err(SegmentError::Damaged) => {
                // An empty or torn newest segment is what a crash leaves while one is being made.
                let made = !newest || high >= segment.first;
                if made && segment.first < segment.void {
                    let bytes = segment.bytes.min(crate::codec::SEGMENT_HEADER as u64);
                    end.damage.push(damage(segment, 0, bytes, None));
                }
                None
            }
        };
        let mut torn = false;
        loop {
            let step = scan.step(storage)?;
            match step {
                Step::Bad { offset, length, zeros } => {
                    bad = Some((offset, length, zeros));
                    if torn && !zeros {
                        end.torn_bytes += length;
                    }
                }
                Step::Batch { header, .. } if torn => end.torn_bytes += header.total() as u64,
                Step::Batch { offset, header } => {
                    if header.first_sequence >= segment.void {
                        break;
                    }
                    if header.first_sequence > expected {
                        let last = (header.first_sequence - 1).min(high);
                        let (at, length, zeros) = bad.take().unwrap_or((offset, 0, true));
                        if expected <= high {
                            end.damage.push(damage(segment, at, length, Some((expected, last))));
                            expected = last + 1;
                        } else if !zeros {
                            end.torn_bytes += length;
                        }
                        if header.first_sequence > expected {
                            torn = true;
                            end.torn_bytes += header.total() as u64;
                            continue;
                        }
                    }
                    bad = None;
                    if header.first_sequence < expected {
                        // Only names that contradict each other bring this about; the older record stays.
                        continue;
                    }
                    expected = header.last_sequence() + 1;
                    visit(&header, scan.batch(storage, offset, &header)?)?;
                }
                Step::End => break,
            }
        }
        // What must be here before the next segment begins, or, in the newest, up to the evidence.
        let due = if newest { high.saturating_add(1) } else { segment.void };
        if expected < due {
            let (at, length, _) = bad.take().unwrap_or((scan.offset(), 0, true));
            end.damage.push(damage(segment, at, length, Some((expected, due - 1))));
            expected = due;
            end.lost_end = newest;
        } else if let (true, false, Some((_, length, false))) = (newest, torn, bad) {
            end.torn_bytes += length;
        }
    }
    end.last = expected - 1;
    Ok(end)
}

/// A segment of a later format version: not damage, but nothing this program can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{segment} has format version {version}, which a later release of this program reads")]
pub struct UnknownVersion {
    /// The segment's file name.
    pub segment: String,
    /// Its version.
    pub version: u16,
}

fn damage(segment: &Segment, offset: u64, bytes: u64, lost: Option<(u64, u64)>) -> Damage {
    Damage { segment: segment.name(), offset, bytes, lost, quarantine: None }
}
