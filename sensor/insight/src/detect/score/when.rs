//! When: the hour, how long after the user's last sign of life, and beside what else.

use crate::{
    detect::{facts::Facts, threshold::Model},
    profile::{Feature, Profile},
};

/// What is usual for all counts as so many hours of the user's.
const HOURS_OF_ALL: f64 = 4.0;

/// That the hour is one of the user's weighs so much more than that it is none: with less, new laptops are told.
const USUAL_HOUR: f64 = 4.0 / 3.0;

/// The user seems to be connected already, elsewhere: rare where ends are told.
pub(super) fn open(facts: &Facts<'_>, model: &Model) -> f64 {
    if facts.days() == 0 || facts.open_elsewhere().is_none() {
        return 0.0;
    }
    let usual = facts.adoptions.open_rate().max(0.025);
    let log_ratio = (model.attacker_while_open.max(1e-6) / usual).ln().max(0.0);
    // Phone and laptop.
    let known = if facts.is_known(Feature::Device, 2) { 0.5 } else { 1.0 };
    (log_ratio * model.weight_of_others * known).clamp(0.0, model.feature_max.max(0.0))
}

/// How long after the user's last sign of life: people come back within minutes or the next morning.
pub(super) fn away(facts: &Facts<'_>, model: &Model) -> f64 {
    let log_ratio = facts.away_s().map_or(0.0, |away_s| facts.rhythm.log_ratio(away_s));
    let weight = model.weight_of_away * if log_ratio < 0.0 { 0.75 } else { 1.0 };
    (log_ratio * weight).clamp(-model.known_max.abs(), model.feature_max.max(0.0))
}

/// When: for a user without history nothing.
pub(super) fn hour(facts: &Facts<'_>, model: &Model) -> f64 {
    let Some(profile) = facts.profile else { return 0.0 };
    let (near, days) = profile.days_near(hour_of_week(facts.unix_s));
    // Attackers work around the clock, and half of them when others do: then it says nothing.
    if days == 0 {
        return 0.0;
    }
    let usual = (f64::from(near) + 0.5) / (f64::from(days) + 4.0);
    let near = (0.2 / usual).ln().clamp(-1.0, 1.5);
    let near = near * model.weight_of_others * if near < 0.0 { USUAL_HOUR } else { 1.0 };
    let term = near + time_of_day(&profile, facts, model) * model.weight_of_time_of_day;
    term.clamp(-model.known_max.abs(), model.feature_max.max(0.0))
}

/// How far the hour is from those of the user, on whatever day: 0 to 3. What is usual for all stands for four connections of
/// hers, and half of the attackers are among them, the others come at any hour.
fn time_of_day(profile: &Profile<'_>, facts: &Facts<'_>, model: &Model) -> f64 {
    let hour = hour_of_week(facts.unix_s) % 24;
    let (own, days) = profile.nearness_in_day(hour);
    let (all, all_days) = facts.everybody.nearness_in_day(hour);
    let all = (all + 0.5) / (all_days + 12.0);
    let user = (own + HOURS_OF_ALL * all) / (days + HOURS_OF_ALL);
    let attacker = 0.5 / 24.0 + 0.5 * all;
    (attacker / user).ln().clamp(0.0, model.feature_max.clamp(0.0, 3.0))
}

/// Monday 0 h UTC is 0; 1970 began on a Thursday.
pub(super) fn hour_of_week(unix_s: u32) -> usize {
    (unix_s / 3600 + 72) as usize % 168
}
