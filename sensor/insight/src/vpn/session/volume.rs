//! Volumes of a session from totals that wrap, begin again, or come late. Called by the rules in `step` only.

use serde::{Deserialize, Serialize};

use super::fact::Fact;

/// Without gigawords octets begin again here.
const WRAP: u64 = 1 << 32;
/// A lower value whose way round is shorter than this wrapped; otherwise the counter was reset. Half of the range: the
/// shorter way is the likelier, and at 1 Gbit/s it takes 17 seconds, far less than between two interims, so more cannot
/// be told from 32 bits.
const WRAP_STEP_MAX: u64 = WRAP / 2;

/// One direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Meter {
    /// What was counted before the counter began again.
    before: u64,
    /// The counter as last sent.
    counter: u64,
}

impl Meter {
    fn take(&mut self, value: u64, may_wrap: bool, is_ordered: bool) {
        if value < self.counter {
            let way_round = (self.counter < WRAP).then(|| value + WRAP - self.counter);
            if may_wrap && way_round.is_some_and(|step| step < WRAP_STEP_MAX) {
                self.before = self.before.saturating_add(WRAP);
            } else if is_ordered {
                self.before = self.before.saturating_add(self.counter);
            } else {
                // Likelier late than reset: nothing in it says when it was sent.
                return;
            }
        }
        self.counter = value;
    }

    fn total(self) -> u64 {
        self.before.saturating_add(self.counter)
    }
}

/// Both directions. Totals never go down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Volume {
    input: Meter,
    output: Meter,
    /// Of the newest values taken, ns.
    time: u64,
    /// The VPN server sends gigawords: its counters do not wrap.
    has_gigawords: bool,
    /// There were values.
    is_known: bool,
}

impl Volume {
    /// Takes a fact's values; `seconds` is the greatest Acct-Session-Time before it.
    pub(super) fn take(&mut self, fact: &Fact, seconds: u32) {
        let is_late =
            fact.time < self.time || (!fact.has_time && fact.seconds.is_some_and(|own| own < seconds));
        if is_late || (fact.input.is_none() && fact.output.is_none()) {
            return;
        }
        self.time = fact.time;
        self.is_known = true;
        self.has_gigawords |= fact.has_gigawords;
        let may_wrap = !self.has_gigawords;
        let is_ordered = fact.has_time || fact.seconds.is_some_and(|own| own > seconds);
        for (meter, value) in [(&mut self.input, fact.input), (&mut self.output, fact.output)] {
            if let Some(value) = value {
                meter.take(value, may_wrap, is_ordered);
            }
        }
    }

    /// Octets from and to the client; `None` if none were ever sent.
    pub(super) fn totals(&self) -> Option<(u64, u64)> {
        self.is_known.then(|| (self.input.total(), self.output.total()))
    }

    /// Whether the fact's counters go on from these: a session that outlived a restart of accounting.
    pub(super) fn goes_on_in(&self, fact: &Fact) -> bool {
        let counters = (self.input.counter, self.output.counter);
        self.is_known
            && counters != (0, 0)
            && fact.input.is_some_and(|value| value >= counters.0)
            && fact.output.is_some_and(|value| value >= counters.1)
    }
}
