//! Retention: the oldest segment goes when all take too much, are too old, or the file system has too little room,
//! read or not, because a full disk stops answers and that locks people out of their VPN.

use std::io;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::cursor;
use crate::handle::{Event, Shared};
use crate::options::Retention;
use crate::recovery::unix_ns;
use crate::segment::{self, QUARANTINE};
use crate::storage::Storage;

/// A segment that retention may remove one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retained {
    pub(crate) number: u64,
    pub(crate) first: u64,
    pub(crate) bytes: u64,
}

/// Removes what has to go. The newest segment that holds records always stays. `urgent`: the disk has just
/// refused to take more, so at least one goes. `segment_bytes` is the size a segment grows to. `segments` is oldest first.
pub(crate) fn enforce<S: Storage>(
    storage: &S,
    options: &Retention,
    shared: &Shared,
    segments: &mut Vec<Retained>,
    segment_bytes: u64,
    urgent: bool,
) {
    let c = &shared.counters;
    let space = storage.space().ok();
    let reserve = space.map_or(0, |s| options.free_reserve_bytes.min(s.total_bytes / 10));
    // A file that a reader has open gives its room back later: what was removed counts as free at once.
    let mut free = space.map_or(u64::MAX, |s| s.free_bytes);
    let mut total: u64 = segments.iter().map(|s| s.bytes).sum();
    total += quarantined(storage);
    // The newest one may still grow to its full size before it is looked at again.
    total += segments.last().map_or(0, |newest| segment_bytes.saturating_sub(newest.bytes));
    let mut urgent = urgent;
    let watermark = shared.watermark.load(SeqCst);
    while let [oldest, next, ..] = segments[..] {
        if next.first > watermark {
            break;
        }
        let cause = if total > options.max_bytes {
            "size"
        } else if free < reserve || urgent {
            "room"
        } else if too_old(storage, options, &next) {
            "age"
        } else {
            break;
        };
        let last = next.first - 1;
        // A cursor says what its reader has dealt with; without cursors nobody waits for anything.
        let unread = cursor::lowest(storage).is_some_and(|passed| passed < last);
        if unread && options.keep_unread {
            break;
        }
        // One at a time and durably, so that a crash never leaves a hole in the middle.
        let removed = match storage.remove(&segment::name(oldest.number, oldest.first)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => storage.sync_directory(),
        };
        if let Err(e) = removed {
            shared.event(Event::NotRemoved { segment: oldest.number, reason: e.to_string() });
            break;
        }
        segments.remove(0);
        total -= oldest.bytes;
        free = free.saturating_add(oldest.bytes);
        urgent = false;
        c.retention_removed.fetch_add(1, Relaxed);
        c.retention_removed_unread.fetch_add(u64::from(unread), Relaxed);
        let (first, bytes) = (oldest.first, oldest.bytes);
        shared.event(Event::Removed { segment: oldest.number, first, last, bytes, unread, cause });
    }
    c.segments.store(segments.len() as u64, Relaxed);
    c.segment_bytes.store(segments.iter().map(|s| s.bytes).sum(), Relaxed);
    c.free_bytes.store(storage.space().map_or(0, |s| s.free_bytes), Relaxed);
}

/// The oldest segment's youngest record came before the next segment was made.
fn too_old<S: Storage>(storage: &S, options: &Retention, next: &Retained) -> bool {
    let Some(age) = options.max_age else { return false };
    let made = storage
        .open(&segment::name(next.number, next.first))
        .and_then(|file| segment::header(storage, &file))
        .ok()
        .and_then(Result::ok);
    made.is_some_and(|header| u128::from(unix_ns().saturating_sub(header.created_unix_ns)) > age.as_nanos())
}

fn quarantined<S: Storage>(storage: &S) -> u64 {
    let entries = storage.list().unwrap_or_default();
    entries.iter().filter(|e| e.name.ends_with(QUARANTINE)).map(|e| e.bytes).sum()
}
