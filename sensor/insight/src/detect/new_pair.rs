//! **New device in a new network**: each alone is everyday life, both at once seldom. T1078.
//!
//! Learning rule: a learned profile that has devices and networks on `new_pair_days` at least.
//!
//! A device that nobody of the organisation has, in a network that the user never had and that many did not begin to use
//! these days. Mobile networks do not count: a new phone comes with one. Its weight is in the score; here it becomes an
//! alert below the score's threshold, low.

use super::{
    assessment::{Assessment, Detection, Severity},
    facts::Facts,
    threshold::Thresholds,
};
use crate::{geo::NetworkKind, profile::Feature};

pub(super) fn assess(facts: &Facts<'_>, thresholds: &Thresholds, assessment: &mut Assessment) {
    let spot = &facts.connection.spot;
    let is_pair = [Feature::Device, Feature::Network].into_iter().all(|feature| {
        let is_experienced = facts.tally(feature).all_days >= thresholds.new_pair_days;
        facts.is_new(feature) && is_experienced && !facts.remembers(feature)
    });
    let is_plain = spot.is_own || spot.kinds.contains(NetworkKind::Mobile);
    if !is_pair || is_plain || !facts.is_learned || facts.others(Feature::Device) > 0 {
        return;
    }
    if facts.adoption(Feature::Network).users >= thresholds.new_pair_users.into() {
        return;
    }
    let seen = format!("{} in {}", facts.seen(Feature::Device), facts.network());
    let weight = thresholds.weight_of_new_pair;
    let mut reason = facts.reason(Detection::NewDeviceAndNetwork, Some(Feature::Device), weight, seen);
    reason.expected.extend(facts.expected(Feature::Network).into_iter().take(1));
    assessment.add(reason, Some(Severity::Low));
}
