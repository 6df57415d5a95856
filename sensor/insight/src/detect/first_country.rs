//! **First country**, for the user and for the whole organisation. T1078.
//!
//! Learning rule: for the user, a learned profile. For the organisation, `organisation_learning_days` since the first
//! connection of all; known is what somebody used within thirty days or began to use within half a year.
//!
//! People travel: a country alone is a reason to read, not an alert. A country in which nobody ever was is a low alert,
//! unless the device is known: then it is a holiday.

use super::{
    assessment::{Assessment, Detection, Severity},
    facts::Facts,
    threshold::Thresholds,
};
use crate::profile::Feature;

pub(super) fn assess(facts: &Facts<'_>, thresholds: &Thresholds, assessment: &mut Assessment) {
    if facts.connection.spot.is_own || !facts.is_new(Feature::Country) {
        return;
    }
    let is_for_all = facts.is_organisation_learned(thresholds.organisation_learning_days)
        && facts.known[Feature::Country as usize].share.users == 0
        && facts.adoption(Feature::Country).is_first;
    let is_device_known = facts.is_known(Feature::Device, 1) || facts.remembers(Feature::Device);
    if is_for_all {
        let (seen, weight) = (facts.seen(Feature::Country), thresholds.weight_of_first_country);
        let reason = facts.reason(Detection::FirstCountryForAll, Some(Feature::Country), weight, seen);
        assessment.add(reason, (!is_device_known).then_some(Severity::Low));
    } else if facts.is_learned && !facts.remembers(Feature::Country) {
        let seen = facts.seen(Feature::Country);
        // Its weight is in the score.
        assessment.add(facts.reason(Detection::FirstCountryForUser, Some(Feature::Country), 0.0, seen), None);
    }
}
