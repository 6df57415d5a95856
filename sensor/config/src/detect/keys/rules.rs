//! The keys of `[detect]`.

use insight::detect::Thresholds;

use super::{DAY, HOUR, Key, Value, reason};

/// Half of the earth's circumference: farther is nowhere.
const KM_MAX: f64 = 20_038.0;

/// All keys of `[detect]` that are thresholds, in the order of the documentation.
pub(in crate::detect) fn of(thresholds: &mut Thresholds) -> Vec<Key<'_>> {
    use Value::{Count, Days, Number, Octets, Seconds};
    let Thresholds {
        alert_score,
        alert_score_one_group,
        alert_score_unlearned,
        population_users_min,
        high_score,
        reason_log_ratio,
        device_log_ratio,
        software_log_ratio,
        repeated_part,
        usual_days,
        travel_kmh,
        travel_km_min,
        weight_of_travel,
        weight_of_travel_known_device,
        clock_skew_s,
        dual_stack_s,
        simultaneous_km_min,
        alive_s,
        change_km_min,
        weight_of_change,
        open_s,
        flap_s,
        learning_days,
        learning_connections_min,
        organisation_learning_days,
        weight_of_first_country,
        counted_days,
        deviceless_part,
        new_pair_days,
        new_pair_users,
        weight_of_new_pair,
        own_cover_share,
        own_cover_users,
        dormant_days,
        weight_of_dormant,
        weight_of_dormant_known,
        volume_times,
        volume_octets_min,
        length_times,
        length_seconds_min,
        spread_connections_min,
        weight_of_spread,
        users_per_address_min,
        users_per_address_times,
        users_per_address_days,
        users_per_address_again,
        weight_of_users_per_address,
        stops_per_hour_min,
        stops_times,
        stops_halved_days,
        stops_learning_s,
        stops_gap_s,
        weight_of_stops,
        model: _,
    } = thresholds;
    let score = || 0.1..=100.0;
    let weight = || 0.0..=20.0;
    let km = || 1.0..=KM_MAX;
    let times = || 1.0..=1000.0;
    let key = |name, field: &str, value| Key { name, reason: reason(Thresholds::REASONS, field), value };
    vec![
        key("alert_score", "alert_score", Number(alert_score, score())),
        key("alert_score_one_group", "alert_score_one_group", Number(alert_score_one_group, score())),
        key("alert_score_unlearned", "alert_score_unlearned", Number(alert_score_unlearned, score())),
        key("population_users_min", "population_users_min", Count(population_users_min, 1..=1_000_000)),
        key("high_score", "high_score", Number(high_score, score())),
        key("reason_log_ratio", "reason_log_ratio", Number(reason_log_ratio, score())),
        key("device_log_ratio", "device_log_ratio", Number(device_log_ratio, score())),
        key("software_log_ratio", "software_log_ratio", Number(software_log_ratio, score())),
        key("repeated_part", "repeated_part", Number(repeated_part, 0.0..=1.0)),
        // A profile is of so many days.
        key("usual_days", "usual_days", Count(usual_days, 1..=30)),
        // Below that of a train everybody travels impossibly.
        key("travel_kmh", "travel_kmh", Number(travel_kmh, 100.0..=100_000.0)),
        key("travel_km_min", "travel_km_min", Number(travel_km_min, km())),
        key("weight_of_travel", "weight_of_travel", Number(weight_of_travel, weight())),
        key(
            "weight_of_travel_known_device",
            "weight_of_travel_known_device",
            Number(weight_of_travel_known_device, weight()),
        ),
        key("clock_skew", "clock_skew_s", Seconds(clock_skew_s, 0..=HOUR)),
        key("dual_stack", "dual_stack_s", Seconds(dual_stack_s, 0..=DAY)),
        key("simultaneous_km_min", "simultaneous_km_min", Number(simultaneous_km_min, km())),
        key("alive", "alive_s", Seconds(alive_s, 60..=DAY)),
        key("change_km_min", "change_km_min", Number(change_km_min, km())),
        key("weight_of_change", "weight_of_change", Number(weight_of_change, weight())),
        key("open", "open_s", Seconds(open_s, 60..=7 * DAY)),
        key("flap", "flap_s", Seconds(flap_s, 0..=HOUR)),
        // As long as the shortest store keeps when the first connection was, which the user's page goes by.
        key("learning", "learning_days", Days(learning_days, 1..=90)),
        // So many of one day are counted.
        key("learning_connections_min", "learning_connections_min", Count(learning_connections_min, 1..=255)),
        key("organisation_learning", "organisation_learning_days", Days(organisation_learning_days, 1..=365)),
        key("weight_of_first_country", "weight_of_first_country", Number(weight_of_first_country, weight())),
        key("counted_days", "counted_days", Count(counted_days, 1..=30)),
        key("deviceless_part", "deviceless_part", Number(deviceless_part, 0.0..=1.0)),
        key("new_pair_days", "new_pair_days", Count(new_pair_days, 1..=30)),
        // So many users of a value are told apart.
        key("new_pair_users", "new_pair_users", Count(new_pair_users, 1..=250)),
        key("weight_of_new_pair", "weight_of_new_pair", Number(weight_of_new_pair, weight())),
        key("own_cover_share", "own_cover_share", Number(own_cover_share, 0.001..=1.0)),
        key("own_cover_users", "own_cover_users", Count(own_cover_users, 1..=1_000_000)),
        // Where somebody was is kept for 180 days.
        key("dormant", "dormant_days", Days(dormant_days, 1..=180)),
        key("weight_of_dormant", "weight_of_dormant", Number(weight_of_dormant, weight())),
        key("weight_of_dormant_known", "weight_of_dormant_known", Number(weight_of_dormant_known, weight())),
        key("volume_times", "volume_times", Number(volume_times, times())),
        key("volume_min", "volume_octets_min", Octets(volume_octets_min, 1_000_000..=1_000_000_000_000_000)),
        key("length_times", "length_times", Number(length_times, times())),
        key("length_min", "length_seconds_min", Seconds(length_seconds_min, HOUR..=90 * DAY)),
        // So many of a user are kept.
        key("spread_connections_min", "spread_connections_min", Count(spread_connections_min, 1..=20)),
        key("weight_of_spread", "weight_of_spread", Number(weight_of_spread, weight())),
        key("users_per_address_min", "users_per_address_min", Count(users_per_address_min, 2..=250)),
        key("users_per_address_times", "users_per_address_times", Number(users_per_address_times, times())),
        // Beyond, everybody has another address and another device now and then.
        key("users_per_address", "users_per_address_days", Days(users_per_address_days, 1..=14)),
        // With less, each user of many would be told.
        key(
            "users_per_address_again",
            "users_per_address_again",
            Number(users_per_address_again, 1.5..=100.0),
        ),
        key(
            "weight_of_users_per_address",
            "weight_of_users_per_address",
            Number(weight_of_users_per_address, weight()),
        ),
        key("stops_per_hour_min", "stops_per_hour_min", Count(stops_per_hour_min, 1..=1_000_000)),
        key("stops_times", "stops_times", Number(stops_times, times())),
        key("stops_halved", "stops_halved_days", Days(stops_halved_days, 1..=180)),
        key("stops_learning", "stops_learning_s", Seconds(stops_learning_s, HOUR..=30 * DAY)),
        // With less, what is between two ticks would be one.
        key("stops_gap", "stops_gap_s", Seconds(stops_gap_s, 120..=DAY)),
        key("weight_of_stops", "weight_of_stops", Number(weight_of_stops, weight())),
    ]
}
