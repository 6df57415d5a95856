//! Which alerts were for this sink, and from when on: in a small file beside the segments. By it is known of which alerts
//! the sink was told, also where it was added or its settings were changed while they were open.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::alert::Severity;

const FILE: &str = "filter";
/// Changes that are remembered: of what happened before the oldest of them the sink counts as not told.
const PERIODS_MAX: usize = 32;

/// Notices behind this one, until the next period begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Period {
    behind: u64,
    /// As urgent at least; none: no alerts at all.
    least: Option<Severity>,
}

/// All periods, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Filter {
    periods: Vec<Period>,
}

impl Filter {
    /// What lies in this folder. Releases of before wrote none, and one that cannot be read says as little.
    pub(super) fn open(folder: &Path) -> io::Result<Filter> {
        match fs::read(folder.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Filter::default()),
            octets => Ok(Filter { periods: serde_json::from_slice(&octets?).unwrap_or_default() }),
        }
    }

    /// How it is now; none: that was never noted.
    pub(super) fn now(&self) -> Option<Option<Severity>> {
        self.periods.last().map(|period| period.least)
    }

    /// Whether a notice of this sequence was for the sink; none: that is not known.
    pub(super) fn passed(&self, sequence: u64, severity: Severity) -> Option<bool> {
        self.periods.first()?;
        let period = self.periods.iter().rev().find(|period| period.behind < sequence);
        Some(period.and_then(|period| period.least).is_some_and(|least| severity >= least))
    }

    /// Behind this notice it is another one, and that is written down.
    pub(super) fn change(&mut self, folder: &Path, behind: u64, least: Option<Severity>) -> io::Result<()> {
        self.periods.push(Period { behind, least });
        self.periods.drain(..self.periods.len().saturating_sub(PERIODS_MAX));
        let path = folder.join(FILE);
        let fresh = path.with_extension("new");
        fs::write(&fresh, serde_json::to_vec(&self.periods)?)?;
        crate::replace_durably(&fresh, &path).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_for_a_sink_is_known_by_what_it_wanted_then() {
        let folder = tempfile::tempdir().unwrap();
        let mut filter = Filter::open(folder.path()).unwrap();
        assert_eq!((filter.now(), filter.passed(1, Severity::High)), (None, None));
        let (low, high) = (Some(Severity::Low), Some(Severity::High));
        for (behind, least) in [(10, high), (20, low), (30, None), (40, high)] {
            filter.change(folder.path(), behind, least).unwrap();
        }
        let filter = Filter::open(folder.path()).unwrap();
        assert_eq!(filter.now(), Some(high));
        for (sequence, severity, is_for_it) in [
            (10, Severity::High, false),
            (11, Severity::High, true),
            (20, Severity::Medium, false),
            (21, Severity::Medium, true),
            (21, Severity::Informational, false),
            (31, Severity::High, false),
            (41, Severity::High, true),
        ] {
            assert_eq!(filter.passed(sequence, severity), Some(is_for_it), "{sequence} {severity:?}");
        }
    }

    #[test]
    fn it_is_bounded_and_damage_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut filter = Filter::default();
        for behind in 0..100 {
            filter.change(folder.path(), behind, Some(Severity::Low)).unwrap();
        }
        assert_eq!((filter.periods.len(), filter.passed(68, Severity::High)), (32, Some(false)));
        assert_eq!(filter.passed(69, Severity::High), Some(true));
        fs::write(folder.path().join(FILE), "[{").unwrap();
        assert_eq!(Filter::open(folder.path()).unwrap().now(), None);
    }
}
