//! The disk's room: a backlog gives way before the journal does, which would let its oldest records go.

use std::path::Path;

use super::Limits;

/// A part of the reserve is asked for beside it, so that this gives way first.
const MARGIN_SHARE: u64 = 8;
/// What may wait while the disk is short: this part of the reserve. A sink that is up needs little, and goes on.
const SHORT_SHARE: u64 = 16;
/// The journal takes at most this part of the file system as its reserve.
const DISK_SHARE: u64 = 10;

/// Octets that may wait in this folder now.
pub(super) fn octets_max(folder: &Path, limits: &Limits) -> u64 {
    // What cannot be asked is found out by writing.
    let Ok(space) = rustix::fs::statvfs(folder) else { return limits.max_bytes };
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let total = space.f_blocks.saturating_mul(space.f_frsize);
    octets_max_with(free, total, limits)
}

pub(super) fn octets_max_with(free: u64, total: u64, limits: &Limits) -> u64 {
    // Also where the journal keeps none: a backlog alone must not fill a disk.
    let reserve = limits.free_reserve_bytes.max(Limits::default().free_reserve_bytes).min(total / DISK_SHARE);
    if free >= reserve + reserve / MARGIN_SHARE {
        return limits.max_bytes;
    }
    limits.max_bytes.min(reserve / SHORT_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn little_may_wait_before_the_journal_has_to_give_way() {
        let limits = |free_reserve_bytes| Limits { free_reserve_bytes, ..Limits::default() };
        let usual = limits(GIB);
        assert_eq!(octets_max_with(100 * GIB, 200 * GIB, &usual), 2 * GIB);
        assert_eq!(octets_max_with(GIB + GIB / 8, 200 * GIB, &usual), 2 * GIB);
        assert_eq!(octets_max_with(GIB + GIB / 8 - 1, 200 * GIB, &usual), 64 << 20);
        assert_eq!(octets_max_with(0, 200 * GIB, &Limits { max_bytes: 1 << 20, ..usual }), 1 << 20);
        // A small file system, whose tenth is the reserve.
        assert_eq!(octets_max_with(GIB / 8, GIB, &usual), 2 * GIB);
        assert_eq!(octets_max_with(GIB / 10, GIB, &usual), GIB / 10 / 16);
        assert_eq!(octets_max_with(GIB, 200 * GIB, &limits(0)), 64 << 20);
        assert_eq!(octets_max_with(8 * GIB, 200 * GIB, &limits(8 * GIB)), 512 << 20);
    }
}
