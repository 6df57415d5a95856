//! What a value says: one that the user has, and one that is new to her.

use crate::{
    detect::{connection::Cover, facts::Facts, threshold::Model},
    profile::{Feature, Tally},
};

/// How usual a value is for the user that has it; one that is only remembered counts as half a day.
pub(super) fn usual(tally: &Tally, novelty: f64) -> f64 {
    let (days, all_days) = (f64::from(tally.days).max(0.5), f64::from(tally.all_days).max(0.5));
    (days / (all_days.max(days) + novelty.max(1e-3))).clamp(1e-6, 1.0)
}

/// What a value that the user has says, from its ratio; the less the fewer the days.
pub(super) fn known(ratio: f64, days: u32, model: &Model) -> f64 {
    let days = f64::from(days).max(0.5);
    let log_ratio = ratio.max(1e-9).ln();
    let trusted = if log_ratio < 0.0 { log_ratio * days / (days + 1.0) } else { log_ratio };
    trusted.clamp(-model.known_max.abs(), model.known_for_max.abs())
}

/// How likely the next value is new: 0 to 1, not 0.
pub(super) fn novelty(tally: &Tally, novelty: f64, arrived: f64, everybody: f64) -> f64 {
    let novelty = novelty.max(1e-3);
    let days = f64::from(tally.all_days);
    let own = (novelty + arrived * f64::from(tally.arrived)) / (days + novelty);
    own.max(everybody).clamp(1e-6, 1.0)
}

/// What a value that is new to the user says. `attacker`: how likely attackers have one that nobody has.
pub(super) fn new(
    facts: &Facts<'_>,
    model: &Model,
    feature: Feature,
    concentration: f64,
    tally: &Tally,
    attacker: f64,
) -> f64 {
    let rare =
        -novelty(tally, concentration, 0.5, facts.adoptions.rate(feature, model.calm_connections)).ln();
    let attacker = attacker.max(1e-6);
    let (least, most) = (-model.usual_for_all_max.abs(), model.unknown_to_all_max.abs());
    let for_all = (attacker / (facts.share(feature) + attacker / 10.0)).ln().clamp(least, most);
    // Where the user's own history speaks, what is usual for all says less.
    let weight = model.weight_of_all + (1.0 - model.weight_of_all) * 3.0 / (f64::from(tally.all_days) + 3.0);
    let adoption = facts.adoption(feature);
    let is_move = facts.cover == Cover::None && adoption.users >= model.move_users;
    let moved = if is_move { (model.move_times.max(0.0) * adoption.share).ln_1p() } else { 0.0 };
    (rare + weight * for_all - moved).clamp(least, model.feature_max.max(0.0))
}
