//! After how long people connect again, learned of all users together. People come back within minutes, or the next
//! morning; strangers come when they like. Both can be counted: how often a connection follows so long after the last sign
//! of life of its user, and how much of all the time that passes lies so long after one, which is how often somebody who
//! comes at any time would. The ratio of both is what the time away says, of this organisation and its rhythm: where people
//! connect around the clock it says nothing.
//!
//! Bounds: 192 octets in all. From a million connections on the older ones weigh half.

use serde::{Deserialize, Serialize};

use super::threshold::Model;

const BINS: usize = 16;
/// Where spans of time away end, seconds: three minutes, six, a quarter of an hour, doubling to half a day; working days and
/// nights; days and weeks.
const ENDS_S: [u32; BINS] = [
    180, 360, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 57_600, 86_400, 172_800, 345_600, 691_200,
    1_440_000, 3_600_000,
];
/// Beyond so many what is older weighs half.
const SEEN_MAX: u32 = 1 << 20;

/// See above.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rhythm {
    /// Connections by the time since the last sign of life of their users.
    seen: [u32; BINS],
    /// Of all that time, what passed in each span, seconds.
    passed_s: [u64; BINS],
}

/// The span in which a time away ends; `None`: longer than all.
fn span(away_s: u32) -> Option<usize> {
    let at = ENDS_S.partition_point(|end| *end <= away_s);
    (at < BINS).then_some(at)
}

impl Rhythm {
    /// A user connected, so long after her last sign of life.
    pub(super) fn count(&mut self, away_s: u32) {
        let Some(at) = span(away_s) else { return };
        if self.seen.iter().sum::<u32>() >= SEEN_MAX {
            self.seen.iter_mut().for_each(|seen| *seen /= 2);
            self.passed_s.iter_mut().for_each(|passed| *passed /= 2);
        }
        self.seen[at] += 1;
        let mut begin = 0;
        for (passed, end) in self.passed_s.iter_mut().zip(ENDS_S).take(at + 1) {
            *passed += u64::from(end.min(away_s).saturating_sub(begin));
            begin = end;
        }
    }

    /// How much likelier somebody who comes at any time is to come so long after the user's last sign of life, than the
    /// user: a logarithm.
    pub(super) fn log_ratio(&self, away_s: u32, model: &Model) -> f64 {
        let seen: u32 = self.seen.iter().sum();
        let passed: u64 = self.passed_s.iter().sum();
        let is_enough = seen >= model.away_connections_min && passed > 0;
        let Some(at) = span(away_s).filter(|_| is_enough) else { return 0.0 };
        let users = (f64::from(self.seen[at]) + 0.5) / (f64::from(seen) + 0.5 * BINS as f64);
        // One in five hundred of the time on top for each, so that a moment is none at which nobody ever comes.
        let anybody = (self.passed_s[at] as f64 / passed as f64 + 0.002) / (1.0 + 0.002 * BINS as f64);
        (anybody / users).ln().clamp(-model.away_max.abs(), model.away_max.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_ratio(rhythm: &Rhythm, away_s: u32) -> f64 {
        rhythm.log_ratio(away_s, &Model::default())
    }

    /// Working days of eight hours with a break at noon.
    fn office() -> Rhythm {
        let mut rhythm = Rhythm::default();
        for _ in 0..200 {
            rhythm.count(600);
            rhythm.count(15 * 3600);
        }
        rhythm
    }

    #[test]
    fn people_come_back_at_once_or_the_next_morning_and_strangers_in_between() {
        let office = office();
        assert!(log_ratio(&office, 600) < -2.0, "{}", log_ratio(&office, 600));
        assert!(log_ratio(&office, 15 * 3600) < 0.0);
        assert_eq!(log_ratio(&office, 5 * 3600), Model::default().away_max);
        // Nobody was ever away for so long: it says nothing of time that did not pass.
        assert!(log_ratio(&office, 200_000).abs() < 1.5);
        assert_eq!(log_ratio(&office, u32::MAX), 0.0);
    }

    #[test]
    fn where_people_come_at_any_time_it_says_nothing() {
        let mut rhythm = Rhythm::default();
        assert_eq!(log_ratio(&rhythm, 600), 0.0);
        for at in 0..20_000_u32 {
            // The same chance in each minute: how long until the first.
            let chance = (f64::from(at) + 0.5) / 20_000.0;
            rhythm.count((-chance.ln() * 40_000.0) as u32);
        }
        for away_s in [100, 600, 3_000, 10_000, 30_000, 100_000] {
            assert!(log_ratio(&rhythm, away_s).abs() < 0.8, "{away_s}: {}", log_ratio(&rhythm, away_s));
        }
    }

    #[test]
    fn it_is_bounded_and_what_is_older_fades() {
        let mut rhythm = Rhythm::default();
        (0..SEEN_MAX).for_each(|_| rhythm.count(600));
        (0..SEEN_MAX).for_each(|_| rhythm.count(5 * 3600));
        assert!(rhythm.seen.iter().sum::<u32>() <= SEEN_MAX);
        assert!(log_ratio(&rhythm, 5 * 3600) < log_ratio(&rhythm, 2 * 3600));
    }
}
