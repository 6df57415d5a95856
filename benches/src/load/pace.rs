//! When each datagram has to leave.

/// How the load is paced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// By the clock, whatever the server does.
    Open {
        /// Datagrams a second.
        rate: f64,
        /// A burst of this many beside them, due all at once ...
        storm: u64,
        /// ... this many nanoseconds after the start.
        storm_at_ns: u64,
    },
    /// As fast as answers come: so many genuine requests wait for theirs at once.
    Closed {
        /// Requests under way.
        window: u32,
    },
}

impl Pace {
    /// An open loop without a storm.
    pub fn open(rate: f64) -> Pace {
        Pace::Open { rate, storm: 0, storm_at_ns: 0 }
    }

    /// Datagrams that are due within this time, in an open loop.
    pub fn count_within(&self, nanoseconds: u64) -> Option<u64> {
        match *self {
            Pace::Open { rate, storm, .. } => Some((rate * nanoseconds as f64 / 1e9).round() as u64 + storm),
            Pace::Closed { .. } => None,
        }
    }

    /// Nanoseconds after the start at which datagram `index` (from 0) is due; a closed loop has no schedule.
    pub fn due_ns(&self, index: u64) -> Option<u64> {
        let Pace::Open { rate, storm, storm_at_ns } = *self else { return None };
        let regular = |index: u64| (index as f64 * 1e9 / rate) as u64;
        // How many of the regular ones are due before the storm.
        let before = (storm_at_ns as f64 * rate / 1e9).ceil() as u64;
        Some(if storm == 0 || index < before {
            regular(index)
        } else if index < before + storm {
            storm_at_ns
        } else {
            regular(index - storm)
        })
    }

    /// Whether datagram `index` belongs to the storm.
    pub fn is_storm(&self, index: u64) -> bool {
        let Pace::Open { rate, storm, storm_at_ns } = *self else { return false };
        let before = (storm_at_ns as f64 * rate / 1e9).ceil() as u64;
        (before..before + storm).contains(&index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_loop_keeps_its_rate_and_does_not_drift() {
        let pace = Pace::open(3000.0);
        assert_eq!(pace.due_ns(0), Some(0));
        assert_eq!(pace.due_ns(3), Some(1_000_000));
        // An hour later there is no accumulated error.
        assert_eq!(pace.due_ns(3000 * 3600), Some(3_600_000_000_000));
        assert_eq!(pace.count_within(2_000_000_000), Some(6000));
    }

    #[test]
    fn a_storm_is_due_at_once_and_moves_nothing_else() {
        let pace = Pace::Open { rate: 1000.0, storm: 50, storm_at_ns: 10_500_000 };
        let due: Vec<u64> = (0..100).map(|index| pace.due_ns(index).unwrap()).collect();
        assert!(due.is_sorted());
        assert_eq!(due.iter().filter(|due| **due == 10_500_000).count(), 50);
        assert_eq!((due[10], due[11], due[60], due[61]), (10_000_000, 10_500_000, 10_500_000, 11_000_000));
        assert_eq!((0..100).filter(|index| pace.is_storm(*index)).count(), 50);
        assert!(!pace.is_storm(10) && pace.is_storm(11) && !pace.is_storm(61));
        assert_eq!(pace.count_within(1_000_000_000), Some(1050));
    }

    #[test]
    fn a_closed_loop_has_no_schedule() {
        let pace = Pace::Closed { window: 8 };
        assert_eq!((pace.due_ns(5), pace.count_within(1), pace.is_storm(0)), (None, None, false));
    }
}
