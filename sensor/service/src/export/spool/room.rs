//! The disk's room: a backlog gives way before the journal does, which would let its oldest records go.

use std::path::Path;

use super::Limits;

/// A part of the reserve is asked for beside it, so that this gives way first.
const MARGIN_SHARE: u64 = 8;
/// What may wait in any case: this part of the reserve. Where the journal takes all the disk that there is, little more
/// than the reserve is ever free.
const SHORT_SHARE: u64 = 4;
/// The journal takes at most this part of the file system as its reserve.
const DISK_SHARE: u64 = 10;
/// The file system is asked at most once in this time, ns.
const ASKED_EVERY: u64 = 1_000_000_000;

/// A file system's room, octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Space {
    pub(super) free: u64,
    pub(super) total: u64,
}

impl Space {
    /// Octets that may wait while there is this much room.
    pub(super) fn octets_max(&self, limits: &Limits) -> u64 {
        // Also where the journal keeps none: a backlog alone must not fill a disk.
        let reserve = limits.free_reserve_bytes.max(Limits::default().free_reserve_bytes);
        let reserve = reserve.min(self.total / DISK_SHARE);
        if self.free >= reserve + reserve / MARGIN_SHARE {
            return limits.max_bytes;
        }
        limits.max_bytes.min(reserve / SHORT_SHARE)
    }
}

/// The room where a spool is, as it was a moment ago.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) ask: fn(&Path) -> Option<Space>,
    space: Option<Space>,
    asked_unix_ns: Option<u64>,
}

impl Default for Room {
    fn default() -> Room {
        Room { ask, space: None, asked_unix_ns: None }
    }
}

impl Room {
    /// Octets that may wait in this folder.
    pub(super) fn octets_max(&mut self, folder: &Path, limits: &Limits, now: u64) -> u64 {
        if self.asked_unix_ns.is_none_or(|asked| asked.abs_diff(now) >= ASKED_EVERY) {
            self.space = (self.ask)(folder);
            self.asked_unix_ns = Some(now);
        }
        // What cannot be asked is found out by writing.
        self.space.map_or(limits.max_bytes, |space| space.octets_max(limits))
    }

    /// So many octets were removed: free at once, though the file system may give them back later.
    pub(super) fn gain(&mut self, octets: u64) {
        if let Some(space) = &mut self.space {
            space.free = space.free.saturating_add(octets);
        }
    }
}

fn ask(folder: &Path) -> Option<Space> {
    let space = rustix::fs::statvfs(folder).ok()?;
    let octets = |blocks: u64| blocks.saturating_mul(space.f_frsize);
    Some(Space { free: octets(space.f_bavail), total: octets(space.f_blocks) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn little_may_wait_before_the_journal_has_to_give_way() {
        let limits = |free_reserve_bytes| Limits { free_reserve_bytes, ..Limits::default() };
        let usual = limits(GIB);
        let octets_max = |free, total, limits: &Limits| Space { free, total }.octets_max(limits);
        assert_eq!(octets_max(100 * GIB, 200 * GIB, &usual), 2 * GIB);
        assert_eq!(octets_max(GIB + GIB / 8, 200 * GIB, &usual), 2 * GIB);
        assert_eq!(octets_max(GIB + GIB / 8 - 1, 200 * GIB, &usual), 256 << 20);
        assert_eq!(octets_max(0, 200 * GIB, &Limits { max_bytes: 1 << 20, ..usual }), 1 << 20);
        // A small file system, whose tenth is the reserve.
        assert_eq!(octets_max(GIB / 8, GIB, &usual), 2 * GIB);
        assert_eq!(octets_max(GIB / 10, GIB, &usual), GIB / 10 / 4);
        assert_eq!(octets_max(GIB, 200 * GIB, &limits(0)), 256 << 20);
        assert_eq!(octets_max(8 * GIB, 200 * GIB, &limits(8 * GIB)), 2 * GIB);
    }

    #[test]
    fn the_file_system_is_asked_now_and_then_and_what_was_removed_is_free_at_once() {
        let mut room = Room { ask: |_| Some(Space { free: 0, total: 80 * GIB }), ..Room::default() };
        let limits = Limits::default();
        let octets_max = |room: &mut Room, now| room.octets_max(Path::new("/"), &limits, now);
        assert_eq!(octets_max(&mut room, 5 * GIB), 256 << 20);
        room.gain(2 * GIB);
        assert_eq!(octets_max(&mut room, 5 * GIB + ASKED_EVERY - 1), 2 * GIB);
        assert_eq!(octets_max(&mut room, 5 * GIB + ASKED_EVERY), 256 << 20);
        // Whichever way the clock goes.
        room.gain(2 * GIB);
        assert_eq!(octets_max(&mut room, 5 * GIB - 1), 256 << 20);
        let space = ask(Path::new("/")).unwrap();
        assert!(space.free <= space.total && space.total > 0, "{space:?}");
    }
}
