//! When: the hour, how long after the user's last sign of life, and beside what else.

use crate::{
    detect::{facts::Facts, threshold::Model},
    profile::{Feature, Profile},
};

/// The user seems to be connected already, elsewhere: rare where ends are told.
pub(super) fn open(facts: &Facts<'_>, model: &Model) -> f64 {
    if facts.days() == 0 || facts.open_elsewhere().is_none() {
        return 0.0;
    }
    let usual = facts.adoptions.open_rate(model.calm_connections).max(model.open_share_min.max(1e-6));
    let log_ratio = (model.attacker_while_open.max(1e-6) / usual).ln().max(0.0);
    // Phone and laptop.
    let known = if facts.is_usual(Feature::Device) { model.weight_of_open_known_device } else { 1.0 };
    (log_ratio * model.weight_of_others * known).clamp(0.0, model.feature_max.max(0.0))
}

/// How long after the user's last sign of life: people come back within minutes or the next morning.
pub(super) fn away(facts: &Facts<'_>, model: &Model) -> f64 {
    let log_ratio = facts.away_s().map_or(0.0, |away_s| facts.rhythm.log_ratio(away_s, model));
    let weight = model.weight_of_away * if log_ratio < 0.0 { model.weight_of_away_against } else { 1.0 };
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
    let near = (model.attacker_hour.max(1e-6) / usual).ln();
    let near = near.clamp(-model.usual_hour_max.abs(), model.hour_max.abs());
    let near = near * model.weight_of_others * if near < 0.0 { model.weight_of_usual_hour } else { 1.0 };
    let term = near + time_of_day(&profile, facts, model) * model.weight_of_time_of_day;
    term.clamp(-model.known_max.abs(), model.feature_max.max(0.0))
}

/// How far the hour is from those of the user, on whatever day. What is usual for all stands for `hours_of_all`
/// connections of hers, and half of the attackers are among them, the others come at any hour.
fn time_of_day(profile: &Profile<'_>, facts: &Facts<'_>, model: &Model) -> f64 {
    let hour = hour_of_week(facts.unix_s) % 24;
    let (own, days) = profile.nearness_in_day(hour);
    let (all, all_days) = facts.everybody.nearness_in_day(hour);
    let all = (all + 0.5) / (all_days + 12.0);
    let of_all = model.hours_of_all.max(1e-3);
    let user = (own + of_all * all) / (days + of_all);
    let attacker = 0.5 / 24.0 + 0.5 * all;
    (attacker / user).ln().clamp(0.0, model.feature_max.clamp(0.0, model.time_of_day_max.abs()))
}

/// Monday 0 h UTC is 0; 1970 began on a Thursday.
pub(super) fn hour_of_week(unix_s: u32) -> usize {
    (unix_s / 3600 + 72) as usize % 168
}
