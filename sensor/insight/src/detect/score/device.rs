//! With what: the device and its client software.

use super::{
    Terms,
    ratio::{known, new, novelty, usual},
};
use crate::{
    detect::{facts::Facts, threshold::Model},
    profile::{Feature, Tally, Value},
};

/// With what.
pub(super) fn device(facts: &Facts<'_>, model: &Model, terms: &mut Terms) {
    let tally = facts.tally(Feature::Device);
    let has_device = facts.value(Feature::Device).is_some();
    let is_known = has_device && (tally.days > 0 || facts.remembers(Feature::Device));
    if has_device {
        terms.set(
            Feature::Device,
            if is_known {
                known(model.attacker_device / usual(tally, model.novelty_device), tally.days, model)
            } else {
                // On days without any, none was her value; where she comes through a VPN server for the first time and no
                // other told any, it is the server that tells them.
                let is_of_server = facts.is_new(Feature::Server) && facts.deviceless() >= 1.0;
                let days = if is_of_server { 0 } else { facts.days() };
                let tally = Tally { all_days: tally.all_days.max(days), ..*tally };
                let everybody = facts.adoptions.rate(Feature::Device, model.calm_connections);
                let rare = -novelty(&tally, model.novelty_device, 0.5, everybody).ln();
                // A kiosk, a shared laptop: whoever else has it, it is of the organisation.
                let others = f64::from(facts.others(Feature::Device)).ln_1p();
                let shared = (-model.weight_of_shared_device * others).max(-model.shared_device_max.abs());
                (rare + shared).clamp(-1.0, model.feature_max.max(0.0))
            },
        );
    }
    if !has_device {
        terms.set(Feature::Device, no_device(facts, model));
    }
    let most = model.feature_max.max(0.0);
    let weigh = |log_ratio: f64, weight: f64| (log_ratio * weight).clamp(-2.0 * model.known_max.abs(), most);
    terms.set(Feature::Device, weigh(terms.of(Feature::Device), model.weight_of_device));
    let tally = facts.tally(Feature::Software);
    let Some(Value::Text(software)) = facts.value(Feature::Software) else { return };
    let back = if facts.is_back(Feature::Software) { model.software_back } else { 0.0 };
    let log_ratio = if tally.days > 0 {
        let attacker = 0.9 * facts.share(Feature::Software) + 0.05;
        known(attacker / usual(tally, model.novelty_software), tally.days, model).clamp(-1.5, 0.3)
    } else {
        let attacker = model.attacker_new_software;
        let new = new(facts, model, Feature::Software, model.novelty_software, tally, attacker);
        let is_update = facts.profile.is_some_and(|profile| {
            let mut is_family_known = false;
            profile.each(Feature::Software, |value, _, _| {
                is_family_known |= matches!(value, Value::Text(other) if family(other) == family(software));
            });
            is_family_known
        });
        match (has_device, is_known) {
            (true, true) => new.min(model.software_known_device_max),
            (true, false) => new * model.weight_of_software_new_device,
            (false, _) if is_update => new * model.weight_of_software_update,
            (false, _) => new,
        }
    };
    terms.set(Feature::Software, weigh(log_ratio, model.weight_of_software) + back);
}

/// No device is told: that is as much of a value as any, for a user whose connections tell one. Where all begin without,
/// the rate of what is new says so.
fn no_device(facts: &Facts<'_>, model: &Model) -> f64 {
    if facts.value(Feature::Prefix).is_none() && facts.value(Feature::Software).is_none() {
        // This Start tells nothing at all.
        return 0.0;
    }
    let days = f64::from(facts.days());
    let own = (facts.deviceless() * days + 0.05) / (days + 0.5);
    let usual = own.max(facts.adoptions.rate(Feature::Device, model.calm_connections)).clamp(1e-6, 1.0);
    let log_ratio = (model.attacker_no_device.max(1e-6) / usual).ln();
    let log_ratio = log_ratio.clamp(-0.5, model.no_device_max.max(0.0));
    (log_ratio * days / (days + 2.0)).clamp(-1.0, model.feature_max.max(0.0))
}

/// `AnyConnect Windows` of `AnyConnect Windows 5.1.2`: what stands before the first digit of a version.
fn family(software: &str) -> &str {
    let version = software.char_indices().zip(software.chars().skip(1));
    let begin = version
        .filter(|((_, before), next)| matches!(before, ' ' | '/' | '-' | '_' | 'v') && next.is_ascii_digit())
        .map(|((at, _), _)| at)
        .next();
    begin.map_or(software, |at| software.get(..at).unwrap_or(software))
}
