//! **Dormant user**: somebody who was away for long is back. T1078: accounts that nobody misses are those that are used.
//!
//! Learning rule: a user whom we knew: the last connection is `dormant_days` ago or longer, and not forgotten.
//!
//! People come back from parental leave: in the network or with the device that they had last it is only a reason to
//! read. With neither it is a medium alert.

use super::{
    assessment::{Assessment, Detection, Expected, Measure, Severity},
    facts::Facts,
    threshold::Thresholds,
};
use crate::profile::Feature;

pub(super) fn assess(facts: &Facts<'_>, thresholds: &Thresholds, assessment: &mut Assessment) {
    let slots = facts.person.iter().flat_map(|person| &person.slots);
    let is_other = |slot: &&super::people::Slot| slot.is_there() && !slot.is_of(facts.connection.session);
    let Some(last) = slots.filter(is_other).max_by_key(|slot| slot.alive) else { return };
    let newest = facts.profile.map_or(0, |profile| profile.last_unix_s()).max(last.alive);
    let days = facts.unix_s.saturating_sub(newest) / 86_400;
    if days < u32::from(thresholds.dormant_days) {
        return;
    }
    let is_remembered = facts.remembers(Feature::Network) || facts.remembers(Feature::Device);
    let is_own = facts.connection.spot.is_own;
    let (log_ratio, alert) = match is_remembered || is_own {
        true => (thresholds.weight_of_dormant_known, None),
        false => (thresholds.weight_of_dormant, Some(Severity::Medium)),
    };
    let mut reason = facts.reason(Detection::DormantUser, None, log_ratio, facts.whereabouts());
    let network =
        if last.asn == 0 { last.country_text() } else { format!("{} AS{}", last.country_text(), last.asn) };
    reason.expected = vec![Expected { value: network, connections: 0, days: 0, last_unix_s: last.alive }];
    reason.measure = Measure::Days(days);
    assessment.add(reason, alert);
}
