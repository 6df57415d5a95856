//! By which clock messages grow old. The host's clock may jump, and come back: what is too old goes only once the clock has
//! gone on for a while from where it jumped to.

use serde::{Deserialize, Serialize};

const SECOND_NS: u64 = 1_000_000_000;
const DAY_NS: u64 = 86_400 * SECOND_NS;
/// Part of the greatest age that may go by between two looks without being a jump: what that would cost is about to go.
const STEP_SHARE: u64 = 8;
/// And in any case so much: between two looks there may be the longest rest and an attempt that waits for its peer.
const STEP_MIN_NS: u64 = 60 * SECOND_NS;

/// What was seen of the clock, across restarts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Clock {
    /// What it said at the last look, ns since 1970 UTC; 0: nobody has looked.
    seen_unix_ns: u64,
    /// What it said when it had jumped last; 0: it never did.
    jumped_unix_ns: u64,
}

impl Clock {
    /// Goes on from the time at which the newest message was kept, where nobody wrote down the last look.
    pub(super) fn resume(&mut self, newest_unix_ns: u64) {
        if self.seen_unix_ns == 0 {
            self.seen_unix_ns = newest_unix_ns;
        }
    }

    /// It says this. Behind a jump, either way, or a while in which nobody looked, all grows old from here on only.
    pub(super) fn look(&mut self, now: u64, age_max: u64) {
        if self.seen_unix_ns != 0 && now.abs_diff(self.seen_unix_ns) > step_max(age_max) {
            self.jumped_unix_ns = now;
        }
        self.seen_unix_ns = now;
    }

    /// Whether what was kept then is too old, at the last look: not before the clock has gone on for a day behind a jump,
    /// or for as long as anything may wait.
    pub(super) fn is_old(&self, kept_unix_ns: u64, age_max: u64) -> bool {
        let now = self.seen_unix_ns;
        let is_settled =
            self.jumped_unix_ns == 0 || now.saturating_sub(self.jumped_unix_ns) >= age_max.min(DAY_NS);
        is_settled && now.saturating_sub(kept_unix_ns) > age_max
    }

    /// Whether so much has gone by since this look was written that the next start could take it for a jump.
    pub(super) fn is_worth_writing(&self, written: &Clock, age_max: u64) -> bool {
        self.jumped_unix_ns != written.jumped_unix_ns
            || self.seen_unix_ns.abs_diff(written.seen_unix_ns) > step_max(age_max) / 2
    }
}

fn step_max(age_max: u64) -> u64 {
    (age_max / STEP_SHARE).max(STEP_MIN_NS)
}
