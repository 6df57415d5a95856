//! **Impossible travel**: two places, one after the other, between which nobody can have travelled in the time that there
//! was. T1078.
//!
//! Learning rule: none; it protects new users too.
//!
//! Between the last proof of life at the one place (not its log-in) and the beginning at the other; the distance after
//! both accuracy radii are taken off; farther than `travel_km_min` and faster than `travel_kmh`, with clocks given
//! `clock_skew_s`. Never compared: places of two databases or of two versions of one, sites and private networks,
//! anycast, relays, networks with cover that many of the organisation go through, two mobile networks of one country. The
//! same device or network within `dual_stack_s` is one line with IPv4 and IPv6. The same device later is an error of the
//! database or somebody's own VPN more often than an attacker with a copied device: it adds a little and is no alert.
//! So does any device that the user has had on `usual_days`: people switch their own VPN on, and phones that roam show up at
//! home. Whoever is where she always is, on her usual device, is not the one to be asked: the other connection was.

use super::{
    assessment::{Assessment, Detection, Expected, Measure, Reason, Severity, Way},
    facts::Facts,
    people::Slot,
    threshold::Thresholds,
};
use crate::profile::Feature;

/// Both places, and what is between them.
pub(super) struct Leg {
    pub(super) km: f64,
    /// From the last proof of life there to now; 0: at once, or clocks differ.
    pub(super) seconds: u32,
    pub(super) is_same_device: bool,
}

/// Between a session that is kept and where the user is now; `None`: nothing can be said of it.
pub(super) fn leg(facts: &Facts<'_>, from: &Slot, to: &Slot, thresholds: &Thresholds) -> Option<Leg> {
    let is_own_exit = facts.cover != super::connection::Cover::None
        && facts.is_cover_own(thresholds.own_cover_share, thresholds.own_cover_users);
    if !from.is_there() || is_own_exit {
        return None;
    }
    let km = from.distance_km(to)?;
    let is_same_device = from.device != 0 && from.device == to.device;
    let is_same_network = from.asn != 0 && from.asn == to.asn;
    let seconds = to.alive.saturating_sub(from.alive);
    let is_one_line = (is_same_device || is_same_network) && seconds < thresholds.dual_stack_s;
    let is_one_carrier =
        (from.is_mobile() || to.is_mobile()) && is_same_network && from.country == to.country;
    (!is_one_line && !is_one_carrier).then_some(Leg { km, seconds, is_same_device })
}

/// Whether everything is as it usually is.
pub(super) fn is_usual(facts: &Facts<'_>) -> bool {
    let has = |feature| facts.value(feature).is_none() || facts.is_usual(feature);
    // Without a device the part of the network must do.
    let by = if facts.value(Feature::Device).is_some() { Feature::Device } else { Feature::Prefix };
    has(Feature::Country) && has(Feature::Place) && facts.is_usual(Feature::Network) && facts.is_usual(by)
}

/// What it adds to the score, and whether people are told.
pub(super) fn weight(facts: &Facts<'_>, leg: &Leg, thresholds: &Thresholds) -> (f64, Option<Severity>) {
    match leg.is_same_device || facts.is_usual(Feature::Device) {
        true => (thresholds.weight_of_travel_known_device, None),
        false => (thresholds.weight_of_travel, Some(Severity::High)),
    }
}

pub(super) fn assess(facts: &Facts<'_>, slot: &Slot, thresholds: &Thresholds, assessment: &mut Assessment) {
    let Some(person) = &facts.person else { return };
    let earlier = person.slots.iter().filter(|from| {
        // One that is open and lives is a matter of simultaneous sessions; one that comes late is of no order.
        let is_before = from.alive <= slot.alive.saturating_add(thresholds.clock_skew_s);
        !from.is_of(facts.connection.session)
            && is_before
            && !super::simultaneous::is_alive(from, slot.alive, thresholds)
    });
    let legs = earlier.filter_map(|from| Some((from, leg(facts, from, slot, thresholds)?)));
    let fastest = legs.filter(|(_, leg)| is_impossible(leg, thresholds)).min_by_key(|(_, leg)| leg.seconds);
    let Some((from, leg)) = fastest else { return };
    if is_usual(facts) {
        return;
    }
    let (log_ratio, alert) = weight(facts, &leg, thresholds);
    let reason = reason(facts, Detection::ImpossibleTravel, log_ratio, (from, slot), &leg);
    assessment.add(reason, alert);
}

fn is_impossible(leg: &Leg, thresholds: &Thresholds) -> bool {
    // Either clock may be off.
    let hours = f64::from(leg.seconds.saturating_add(thresholds.clock_skew_s).max(60)) / 3600.0;
    leg.km >= thresholds.travel_km_min && leg.km / hours > thresholds.travel_kmh
}

/// What was seen here and there.
pub(super) fn reason(
    facts: &Facts<'_>,
    detection: Detection,
    log_ratio: f64,
    (from, to): (&Slot, &Slot),
    leg: &Leg,
) -> Reason {
    let here = facts.connection.spot.place.map_or_else(|| to.text(), str::to_owned);
    Reason {
        expected: vec![Expected { value: from.text(), connections: 0, days: 0, last_unix_s: from.alive }],
        measure: Measure::Travel { km: leg.km as u32, seconds: leg.seconds },
        way: Some(Box::new(Way { from: from.end(from.text(), from.alive), to: to.end(here, to.alive) })),
        ..facts.reason(detection, None, log_ratio, facts.whereabouts())
    }
}
