//! Version 5 of the form, in which the meaning stood as plain fields: without names, so that keys that came later have no
//! place in it. The copy of the store that a rebuild begins with may hold one for years, and there is no other way to what it
//! holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::CheckpointError;
use crate::{ClientMeaning, Exclusion};

/// Its number.
pub(super) const VERSION: u16 = 5;

/// The meaning as it was: what the names of its fields are, and their order, stays.
#[derive(Serialize, Deserialize)]
struct Meaning {
    accept_past_s: u64,
    realms: Vec<Vec<String>>,
    clients: BTreeMap<String, ClientMeaning>,
    missed_interims: u32,
    unknown_after_s: u64,
    keep_s: u64,
    detect: Detecting,
}

#[derive(Serialize, Deserialize)]
struct Detecting {
    thresholds: Thresholds,
    exclusions: Vec<Exclusion>,
    notices_per_day: u32,
    accept_after_days: Option<u16>,
}

#[derive(Serialize, Deserialize)]
struct Thresholds {
    alert_score: f64,
    alert_score_one_group: f64,
    high_score: f64,
    reason_log_ratio: f64,
    travel_kmh: f64,
    travel_km_min: f64,
    clock_skew_s: u32,
    dual_stack_s: u32,
    simultaneous_km_min: f64,
    alive_s: u32,
    change_km_min: f64,
    organisation_learning_days: u16,
    own_cover_share: f64,
    own_cover_users: u32,
    dormant_days: u16,
    volume_times: f64,
    volume_octets_min: u64,
    length_times: f64,
    length_seconds_min: u64,
    spread_connections_min: u8,
    users_per_address_min: u32,
    users_per_address_times: f64,
    stops_per_hour_min: u32,
    stops_times: f64,
    stops_learning_s: u32,
    model: Model,
}

#[derive(Serialize, Deserialize)]
struct Model {
    novelty_country: f64,
    novelty_place: f64,
    novelty_network: f64,
    novelty_prefix: f64,
    novelty_device: f64,
    novelty_software: f64,
    novelty_server: f64,
    attacker_country: f64,
    attacker_place: f64,
    attacker_network: f64,
    attacker_prefix: f64,
    attacker_device: f64,
    attacker_no_device: f64,
    attacker_while_open: f64,
    weight_of_device: f64,
    weight_of_software: f64,
    weight_of_away: f64,
    software_back: f64,
    prefix_back: f64,
    country_of_known_network: f64,
    country_of_nobody: f64,
    weight_of_time_of_day: f64,
    weight_of_others: f64,
    cover_hosting: f64,
    cover_anonymiser: f64,
    cover_tor: f64,
    feature_max: f64,
    known_max: f64,
}

/// The meaning as the form of today has it, and the octets behind it, which are the same in both: a key that came later has
/// its default.
///
/// # Errors
/// Octets that are none of this form.
pub(super) fn meaning(octets: &[u8]) -> Result<(String, &[u8]), CheckpointError> {
    let (meaning, behind) = postcard::take_from_bytes::<Meaning>(octets)?;
    Ok((serde_json::to_string(&meaning).map_err(CheckpointError::Keys)?, behind))
}
