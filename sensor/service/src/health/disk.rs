//! The state directory's disk: nearly full, or not to be written. A sensor that cannot record answers nobody, and some VPN
//! servers lock people out then.

use super::{Condition, Now, Round, Seen, Settings, board::Finding, condition::octets, seen::DiskSeen};
use crate::alert::Severity;

/// What is little on a large file system.
const FREE_MIN: u64 = 2 << 30;
/// And on a small one: this part of it.
const FREE_SHARE: u64 = 10;

/// Since when.
#[derive(Debug, Default)]
pub(super) struct Disk {
    short_since: Option<u64>,
    failing_since: Option<u64>,
}

impl Disk {
    pub(super) fn look(&mut self, seen: &Seen, now: Now, settings: &Settings, round: &mut Round) {
        match &seen.journal_fails {
            Some(reason) => {
                let since = *self.failing_since.get_or_insert(now.unix_ns);
                round.findings.push(failing(reason, since));
            }
            None => self.failing_since = None,
        }
        let Some(disk) = &seen.disk else {
            round.undecided.push(Condition::Disk);
            return;
        };
        let usual = FREE_MIN.min(disk.total_bytes / FREE_SHARE);
        let least = settings.disk_free.unwrap_or(usual);
        // An eighth more is enough again: no word for each segment that comes and goes.
        let enough = if self.short_since.is_some() { least.saturating_add(least / 8) } else { least };
        if disk.free_bytes < enough {
            let since = *self.short_since.get_or_insert(now.unix_ns);
            round.findings.push(short(disk, least, since));
        } else {
            self.short_since = None;
        }
    }
}

fn failing(reason: &str, since_unix_ns: u64) -> Finding {
    Finding {
        condition: Condition::Disk,
        subject: "journal".to_owned(),
        severity: Severity::High,
        since_unix_ns,
        message: format!(
            "The journal cannot record, so no request is answered, and VPN servers may refuse people: {reason}."
        ),
        advice: vec![
            "No space left: free some, or lower `journal.max_bytes`; the sensor goes on by itself."
                .to_owned(),
            "An I/O error: look at the kernel's log for the device, and replace it.".to_owned(),
            "A read-only file system: check it and mount it again.".to_owned(),
        ],
    }
}

fn short(disk: &DiskSeen, least: u64, since_unix_ns: u64) -> Finding {
    Finding {
        condition: Condition::Disk,
        subject: "space".to_owned(),
        severity: Severity::Medium,
        since_unix_ns,
        message: format!(
            "There is little space where the state directory {} is: {} of {} are free, less than {}. The oldest records \
             are removed to keep `journal.free_reserve` free, and before them what waits for sinks; with a full disk nothing \
             is recorded or answered.",
            disk.path.display(),
            octets(disk.free_bytes),
            octets(disk.total_bytes),
            octets(least)
        ),
        advice: vec![
            "Free space, or give the file system more.".to_owned(),
            "If the sensor itself needs it: lower `journal.max_bytes`, `store.keep` or a sink's `max_bytes`."
                .to_owned(),
        ],
    }
}
