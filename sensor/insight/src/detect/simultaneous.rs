//! **Simultaneous sessions**: two sessions of one user from distant places, both with a recent proof of life. T1078.
//!
//! Learning rule: none.
//!
//! An open session proves nothing, since many ends are never told: there must be a sign of life within `alive_s` of the
//! new beginning. VPN servers without interims give none; there the end of the older session proves it, and it is told
//! then. Farther apart than `simultaneous_km_min` after both radii are taken off (phone and laptop in one town,
//! a carrier's exits). The same device at both places is the database's error or a line's second address, and one
//! that the user has had on `usual_days` her phone that roams: it adds a little and is no alert. Excluded is what impossible travel excludes.

use super::{
    assessment::{Assessment, Detection, Expected, Measure, Reason, Severity, Standing, Way},
    facts::Facts,
    people::{Person, Slot},
    spread::Ending,
    threshold::Thresholds,
    travel,
};

/// Whether somebody was in this session at this time.
pub(super) fn is_alive(slot: &Slot, unix_s: u32, thresholds: &Thresholds) -> bool {
    let skew = thresholds.clock_skew_s;
    let recent = if slot.is_open() { thresholds.alive_s } else { 0 };
    let from = slot.start().saturating_sub(if slot.is_open() { skew } else { 0 });
    // Of one that is over, its last minutes may be a clock's.
    let until = if slot.is_open() { slot.alive } else { slot.alive.saturating_sub(skew) };
    slot.is_there() && (from..=until.saturating_add(recent)).contains(&unix_s)
}

pub(super) fn assess(facts: &Facts<'_>, slot: &Slot, thresholds: &Thresholds, assessment: &mut Assessment) {
    let Some(person) = &facts.person else { return };
    let alive = person
        .slots
        .iter()
        .filter(|other| !other.is_of(facts.connection.session) && is_alive(other, slot.alive, thresholds));
    let legs = alive.filter_map(|other| Some((other, travel::leg(facts, other, slot, thresholds)?)));
    let farthest = legs.max_by(|(_, one), (_, other)| one.km.total_cmp(&other.km));
    let Some((other, leg)) = farthest.filter(|(_, leg)| leg.km >= thresholds.simultaneous_km_min) else {
        return;
    };
    if travel::is_usual(facts) {
        return;
    }
    let (log_ratio, alert) = travel::weight(facts, &leg, thresholds);
    let leg = travel::Leg { seconds: 0, ..leg };
    let reason = travel::reason(facts, Detection::SimultaneousSessions, log_ratio, (other, slot), &leg);
    assessment.add(reason, alert);
}

/// What the end of a session says of another one: that it began elsewhere while this one lasted.
pub(super) fn assess_end(
    ending: &Ending<'_>,
    person: &Person,
    thresholds: &Thresholds,
    assessment: &mut Assessment,
) {
    let [one, other] = &person.slots;
    let (over, other) = if one.is_of(ending.session) { (one, other) } else { (other, one) };
    let is_pair = over.is_of(ending.session) && other.is_there() && !other.is_of(ending.session);
    // What raised an alert was told, and two devices that the user has may be in two places.
    let is_told = over.is_suspect() || other.is_suspect() || (over.is_trusted() && other.is_trusted());
    let skew = thresholds.clock_skew_s;
    let until = over.alive.saturating_sub(skew);
    let has_begun_within = (over.start().saturating_add(skew)..=until).contains(&other.start());
    let is_one =
        (over.device != 0 && over.device == other.device) || (over.asn != 0 && over.asn == other.asn);
    if !is_pair || is_told || !has_begun_within || is_one {
        return;
    }
    let Some(km) = over.distance_km(other).filter(|km| *km >= thresholds.simultaneous_km_min) else { return };
    let reason = Reason {
        detection: Detection::SimultaneousSessions,
        feature: None,
        log_ratio: thresholds.weight_of_travel,
        user: ending.user.to_owned(),
        seen: over.text(),
        standing: Standing::New,
        users: 0,
        expected: vec![Expected { value: other.text(), connections: 0, days: 0, last_unix_s: other.start() }],
        measure: Measure::Travel { km: km as u32, seconds: 0 },
        way: Some(Box::new(Way {
            from: other.end(other.text(), other.start()),
            to: over.end(over.text(), other.start()),
        })),
        alert: None,
    };
    // One that is excluded still proves another one that is not.
    let is_excluded = over.is_excluded() && other.is_excluded();
    assessment.add(reason, (!is_excluded).then_some(Severity::High));
}
