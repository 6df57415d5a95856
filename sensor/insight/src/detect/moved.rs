//! **Address change**: the address outside the tunnel changes while a session lasts. T1078.
//!
//! Learning rule: none.
//!
//! Clients roam (MOBIKE): from the house's line to a phone's network, which shows up where the provider has its exits. So
//! it is told only if the new place is farther than `change_km_min` and cannot be reached at `travel_kmh`, or if the
//! session goes into an anonymiser that the user does not have: a stolen session. What impossible travel excludes is
//! excluded, but not the same device, which a session always has, nor the same network within minutes.

use super::{
    assessment::{Assessment, Detection, Severity},
    connection::Cover,
    facts::Facts,
    people::Slot,
    threshold::Thresholds,
    travel,
};

/// `from`: where the session was.
pub(super) fn assess(
    facts: &Facts<'_>,
    from: &Slot,
    slot: &Slot,
    thresholds: &Thresholds,
    assessment: &mut Assessment,
) {
    // A session has one device: here it explains nothing.
    let (from, slot) = (&from.without_device(), &slot.without_device());
    if let Some(leg) = travel::leg(facts, from, slot, thresholds) {
        let hours = f64::from(leg.seconds.saturating_add(thresholds.clock_skew_s).max(60)) / 3600.0;
        let is_far = leg.km >= thresholds.change_km_min && leg.km / hours > thresholds.travel_kmh;
        if is_far && !travel::is_usual(facts) {
            let weight = thresholds.weight_of_change;
            let reason = travel::reason(facts, Detection::AddressChange, weight, (from, slot), &leg);
            assessment.add(reason, Some(Severity::High));
        }
    }
    if facts.cover > Cover::Hosting {
        super::cover::assess(facts, thresholds, assessment);
    }
}
