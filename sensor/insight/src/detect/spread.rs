//! **Unusual volume** and **unusual length** of a session, at the sign of life that proves it and when it is over, once each.
//! T1048.
//!
//! Learning rule: a learned profile, and `spread_connections_min` connections that ended.
//!
//! Many times what nine in ten of the user's connections have, and much in itself: backups, updates and laptops that are
//! left on over a weekend are not told. Low: what it means depends on what the user does.

use serde::{Deserialize, Serialize};

use super::{
    assessment::{Assessment, Detection, Measure, Reason, Severity, Standing},
    text,
    threshold::Thresholds,
};
use crate::profile::{Learned, Profile, Spread};

/// A session that is over, or how it stands at a sign of life.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// Its number.
    pub session: u64,
    /// The user's key.
    pub user: &'a str,
    /// When it ended, ns since 1970 UTC: its last proof of life so far.
    pub end_unix_ns: u64,
    /// How long it lasted, if that is known.
    pub seconds: Option<u64>,
    /// Octets in both directions, if they are known.
    pub octets: Option<u64>,
    /// What of it was told before.
    pub told: Told,
}

/// What was told of a session that goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// That it has an unusual volume.
    pub volume: bool,
    /// That it is unusually long.
    pub length: bool,
}

impl Told {
    /// Notes what an assessment says.
    pub fn note(&mut self, assessment: &Assessment) {
        let says = |detection| assessment.reasons.iter().any(|reason| reason.detection == detection);
        self.volume |= says(Detection::UnusualVolume);
        self.length |= says(Detection::UnusualLength);
    }
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
    let weight = thresholds.weight_of_spread;
    let is_unusual = |seen: u64, spread: &Spread, times: f64, least: u64| {
        spread.connections >= thresholds.spread_connections_min
            && seen >= least
            && seen as f64 > spread.nine_in_ten as f64 * times.max(1.0)
    };
    if let Some((octets, spread)) = ending.octets.filter(|_| !ending.told.volume).zip(profile.volumes())
        && is_unusual(octets, &spread, thresholds.volume_times, thresholds.volume_octets_min)
    {
        let seen = text::Octets(octets).to_string();
        let measure = Measure::Count { seen: octets, usual: spread.nine_in_ten };
        assessment.add(reason(ending, Detection::UnusualVolume, seen, measure, weight), Some(Severity::Low));
    }
    if let Some((seconds, spread)) = ending.seconds.filter(|_| !ending.told.length).zip(profile.lengths())
        && is_unusual(seconds, &spread, thresholds.length_times, thresholds.length_seconds_min)
    {
        let seen = text::Span(seconds).to_string();
        let measure = Measure::Count { seen: seconds, usual: spread.nine_in_ten };
        assessment.add(reason(ending, Detection::UnusualLength, seen, measure, weight), Some(Severity::Low));
    }
}

fn reason(
    ending: &Ending<'_>,
    detection: Detection,
    seen: String,
    measure: Measure,
    log_ratio: f64,
) -> Reason {
    Reason {
        detection,
        feature: None,
        log_ratio,
        user: ending.user.to_owned(),
        seen,
        standing: Standing::New,
        users: 0,
        expected: Vec::new(),
        measure,
        way: None,
        alert: None,
    }
}
