//! **Unusual volume** and **unusual length** of a session, when it is over. T1048.
//!
//! Learning rule: a learned profile, and `spread_connections_min` connections that ended.
//!
//! Many times what nine in ten of the user's connections have, and much in itself: backups, updates and laptops that are
//! left on over a weekend are not told. Low: what it means depends on what the user does.

use super::{
    assessment::{Assessment, Detection, Measure, Reason, Severity, Standing},
    text,
    threshold::Thresholds,
};
use crate::profile::{Learned, Profile, Spread};

/// A session that is over.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// Its number.
    pub session: u64,
    /// The user's key.
    pub user: &'a str,
    /// When it ended, ns since 1970 UTC: its last proof of life.
    pub end_unix_ns: u64,
    /// How long it lasted, if that is known.
    pub seconds: Option<u64>,
    /// Octets in both directions, if they are known.
    pub octets: Option<u64>,
}

pub(super) fn assess(
    ending: &Ending<'_>,
    profile: &Profile<'_>,
    thresholds: &Thresholds,
    assessment: &mut Assessment,
) {
    let end_unix_s = super::connection::seconds(ending.end_unix_ns);
    if profile.learned(end_unix_s, thresholds.learning()) != Learned::Yes {
        return;
    }
    let is_unusual = |seen: u64, spread: &Spread, times: f64, least: u64| {
        spread.connections >= thresholds.spread_connections_min
            && seen >= least
            && seen as f64 > spread.nine_in_ten as f64 * times.max(1.0)
    };
    if let Some((octets, spread)) = ending.octets.zip(profile.volumes())
        && is_unusual(octets, &spread, thresholds.volume_times, thresholds.volume_octets_min)
    {
        let seen = text::Octets(octets).to_string();
        let measure = Measure::Count { seen: octets, usual: spread.nine_in_ten };
        assessment.add(reason(ending, Detection::UnusualVolume, seen, measure), Some(Severity::Low));
    }
    if let Some((seconds, spread)) = ending.seconds.zip(profile.lengths())
        && is_unusual(seconds, &spread, thresholds.length_times, thresholds.length_seconds_min)
    {
        let seen = text::Span(seconds).to_string();
        let measure = Measure::Count { seen: seconds, usual: spread.nine_in_ten };
        assessment.add(reason(ending, Detection::UnusualLength, seen, measure), Some(Severity::Low));
    }
}

fn reason(ending: &Ending<'_>, detection: Detection, seen: String, measure: Measure) -> Reason {
    Reason {
        detection,
        feature: None,
        log_ratio: 1.5,
        user: ending.user.to_owned(),
        seen,
        standing: Standing::New,
        users: 0,
        expected: Vec::new(),
        measure,
        alert: None,
    }
}
