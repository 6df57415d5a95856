//! How the service stands, in numbers.

use insight::{profile, vpn::session};

use crate::alert::{News, Notice};

/// How the service stands, for metrics.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing {
    /// Sequence of the last record taken.
    pub position: u64,
    /// Sequence of the last record whose outcome is stored: what people see.
    pub stored: u64,
    /// Arrival of the last record taken, or the last tick, ns since 1970 UTC.
    pub clock_unix_ns: u64,
    /// What was taken since the journal's first record.
    pub counts: crate::fold::Counts,
    /// Session ids that are followed.
    pub sessions: u64,
    /// Users that are followed.
    pub users: u64,
    /// Addresses that are resolved.
    pub addresses: u64,
    /// What was done with events.
    pub events: session::Counts,
    /// Names of users, devices, VPN servers and sensors that there was no room to follow.
    pub names_surplus: u64,
    /// Users whose profile is kept.
    pub profiles: u64,
    /// What the profiles did not learn.
    pub profile_counts: profile::Counts,
    /// Copies of the store made since the start.
    pub bases: u64,
    /// Rows stored since the start.
    pub rows: u64,
    /// Attempts to store, or to read the journal, that failed and were made again.
    pub store_failures: u64,
    /// Records that were gone or damaged before they were taken.
    pub records_missed: u64,
    /// Checkpoints written since the start.
    pub checkpoints: u64,
    /// Persons forgotten since the start.
    pub forgotten: u64,
    /// What became of alerts since the start.
    pub alerts: AlertCounts,
}

/// What became of alerts, each by severity in the order of [`crate::alert::Severity::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlertCounts {
    /// Raised since the start.
    pub opened: [u64; 4],
    /// Closed since the start.
    pub closed: [u64; 4],
    /// Notices for the sinks since the start: raised, grown, closed.
    pub sent: [u64; 4],
    /// News over the day's bound, or beyond what one alert tells, since the start: listed, not sent.
    pub held: [u64; 4],
    /// Open now.
    pub open: [u64; 4],
}

impl AlertCounts {
    pub(super) fn note(&mut self, notices: &[Notice]) {
        for Notice { news, is_held, alert, .. } in notices {
            let severity = alert.severity as usize;
            match news {
                News::New => self.opened[severity] += 1,
                News::Closed => self.closed[severity] += 1,
                News::Updated => {}
            }
            let told = if *is_held { &mut self.held } else { &mut self.sent };
            told[severity] += 1;
        }
    }
}
