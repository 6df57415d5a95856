//! Counters of the sensor that should not grow: entries evicted from duplicate detection, records lost before they were
//! read.

use super::{Condition, Now, Round, Seen, Settings, Standing, board::Finding, growth::Growth};
use crate::alert::Severity;

/// What they were.
#[derive(Debug, Default)]
pub(super) struct Losses {
    duplicates: Growth,
    records: Growth,
}

impl Losses {
    pub(super) fn resume(&mut self, standing: &Standing, now: Now) {
        let growth = if standing.condition == Condition::RecordsLost {
            &mut self.records
        } else {
            &mut self.duplicates
        };
        growth.resume(standing, now);
    }

    pub(super) fn look(&mut self, seen: &Seen, now: Now, settings: &Settings, round: &mut Round) {
        let over_after = settings.over_after;
        let evicted = seen.duplicates_evicted;
        if let Some(growing) = self.duplicates.look("", evicted, 0, now, over_after) {
            round.findings.push(Finding {
                condition: Condition::DuplicatesEvicted,
                subject: String::new(),
                severity: Severity::Medium,
                since_unix_ns: growing.since_unix_ns,
                message: format!(
                    "Duplicate detection was full and evicted entries before their time, {evicted} since the start: a \
                     retransmission of one of these requests is recorded again."
                ),
                advice: vec![
                    "Raise `dedup.entries` to twice the requests that arrive within `dedup.window`, and restart."
                        .to_owned(),
                ],
            });
        }
        let lost = seen.records_lost;
        if let Some(growing) = self.records.look("", lost, 0, now, over_after) {
            round.findings.push(Finding {
                condition: Condition::RecordsLost,
                subject: String::new(),
                severity: Severity::High,
                since_unix_ns: growing.since_unix_ns,
                message: format!(
                    "Records went before they were made sense of, {lost} since the start: what they said is missing in \
                     connections, profiles and alerts."
                ),
                advice: vec![
                    "Retention took them: raise `journal.max_bytes`, free space on the disk, or see why the service lags \
                     (`vpn_sensor_service_lag_records`)."
                        .to_owned(),
                    "Damage took them: `vpn-sensor journal verify` says where; look at the disk.".to_owned(),
                ],
            });
        }
    }
}
