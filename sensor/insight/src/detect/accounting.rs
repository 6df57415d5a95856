//! **Stops without a Start**: sessions end at a VPN server that never began there, many at once: somebody who can send
//! accounting is making it up, or hides sessions by ending them. T1565.002.
//!
//! Learning rule: nothing within `stops_learning_s` of a VPN server's first sign of life, nor of a gap of ours (a stopped
//! sensor, a lost journal), since sessions that began unheard end then. The most of an hour before is usual, and halves
//! in `stops_halved_days`.
//!
//! Bounds: [`SERVERS_MAX`] VPN servers; beyond, new ones are not followed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    assessment::{Assessment, Detection, Measure, Reason, Severity, Standing},
    threshold::Thresholds,
};

const SERVERS_MAX: usize = 4_096;

/// What VPN servers lack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Accounting {
    servers: BTreeMap<String, Lacking>,
    /// The end of the last gap, seconds since 1970.
    gap: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Lacking {
    first: u32,
    hour: u32,
    stops: u32,
    /// The most of an hour before, in 256ths.
    usual: u64,
    was_told: bool,
}

/// Of an hour's number that has gone by: halved in so many days.
fn decayed(usual: u64, hours: u32, days: u16) -> u64 {
    let half = u32::from(days.max(1)) * 24;
    let usual = usual.checked_shr(hours / half).unwrap_or(0);
    usual - usual * u64::from(hours % half) / (2 * u64::from(half))
}

impl Accounting {
    /// A VPN server gave a sign of life.
    pub(super) fn see(&mut self, server: &str, unix_s: u32) {
        if !self.servers.contains_key(server) && self.servers.len() < SERVERS_MAX {
            let new = Lacking { first: unix_s, hour: unix_s / 3600, ..Lacking::default() };
            self.servers.insert(server.to_owned(), new);
        }
    }

    /// The clock was ahead: what a VPN server lacked then says nothing of now, and it is learned from its next sign of life.
    pub(super) fn forget_from(&mut self, end: u32, now: u32) {
        self.servers.retain(|_, lacking| lacking.first < end);
        for lacking in self.servers.values_mut().filter(|lacking| lacking.hour >= end / 3600) {
            (lacking.hour, lacking.stops, lacking.was_told) = (now / 3600, 0, false);
        }
    }

    /// Nothing was heard until then. One that a clock told which was ahead lies later, and gives way.
    pub(super) fn gap(&mut self, until_unix_s: u32) {
        self.gap = until_unix_s;
    }

    /// A Stop came of a session that never began.
    pub(super) fn stop(
        &mut self,
        server: &str,
        unix_s: u32,
        thresholds: &Thresholds,
        assessment: &mut Assessment,
    ) {
        self.see(server, unix_s);
        // One that lies ahead was a clock's; set back by less it is the same clock.
        let is_ahead = self.gap > unix_s.saturating_add(thresholds.stops_gap_s);
        let gap = if is_ahead { 0 } else { self.gap };
        let Some(lacking) = self.servers.get_mut(server) else { return };
        let hour = unix_s / 3600;
        if hour > lacking.hour {
            let was = u64::from(lacking.stops) * 256;
            // What was told was not usual.
            let learned = if lacking.was_told { lacking.usual } else { lacking.usual.max(was) };
            lacking.usual = decayed(learned, hour - lacking.hour, thresholds.stops_halved_days);
            (lacking.hour, lacking.stops, lacking.was_told) = (hour, 0, false);
        }
        lacking.stops = lacking.stops.saturating_add(1);
        let learned_from = lacking.first.max(gap).saturating_add(thresholds.stops_learning_s);
        let usual = lacking.usual.div_ceil(256);
        let is_many = lacking.stops >= thresholds.stops_per_hour_min.max(1)
            && f64::from(lacking.stops) > usual as f64 * thresholds.stops_times.max(1.0);
        let is_learning = unix_s < learned_from;
        if is_learning {
            // What ends unheard says nothing of the ordinary.
            lacking.was_told = true;
            return;
        }
        if !is_many || lacking.was_told {
            return;
        }
        lacking.was_told = true;
        let reason = Reason {
            detection: Detection::StopWithoutStart,
            feature: None,
            log_ratio: thresholds.weight_of_stops,
            user: String::new(),
            seen: server.to_owned(),
            standing: Standing::New,
            users: 0,
            expected: Vec::new(),
            measure: Measure::Count { seen: u64::from(lacking.stops), usual },
            way: None,
            alert: None,
        };
        assessment.add(reason, Some(Severity::Medium));
    }
}
