//! The key of each threshold, how it is written, what is allowed, and why it is what it is. A threshold that has no key
//! does not compile.

use std::{ops::RangeInclusive, time::Duration};

use insight::detect::{Model, Thresholds};

use crate::{document::Section, values};

/// One key.
pub(super) struct Key<'t> {
    pub(super) name: &'static str,
    /// What it does, and why its default is what it is.
    pub(super) reason: &'static str,
    pub(super) value: Value<'t>,
}

/// What a key holds.
pub(super) enum Value<'t> {
    /// With or without a fraction.
    Number(&'t mut f64, RangeInclusive<f64>),
    Count(&'t mut dyn Whole, RangeInclusive<u64>),
    /// Written with their unit: "5m".
    Seconds(&'t mut dyn Whole, RangeInclusive<u64>),
    /// Whole days: "45d".
    Days(&'t mut dyn Whole, RangeInclusive<u64>),
    /// Written with their unit: "5 GB".
    Octets(&'t mut dyn Whole, RangeInclusive<u64>),
}

/// A whole number of whatever width.
pub(super) trait Whole {
    fn get(&self) -> u64;
    /// `value` lies in the key's range, which this holds.
    fn set(&mut self, value: u64);
}

macro_rules! whole {
    ($($type:ty),+) => {
        $(impl Whole for $type {
            fn get(&self) -> u64 {
                u64::from(*self)
            }

            fn set(&mut self, value: u64) {
                *self = <$type>::try_from(value).unwrap_or(<$type>::MAX);
            }
        })+
    };
}

whole!(u8, u16, u32, u64);

impl Value<'_> {
    /// Takes what the section says, if it says anything.
    pub(super) fn read(self, name: &'static str, section: &Section<'_, '_>) {
        match self {
            Value::Number(number, range) => {
                if let Some(read) = section.number(name, range) {
                    *number = read;
                }
            }
            Value::Count(number, range) => {
                set(number, section.integer(name, *range.start()..*range.end() + 1));
            }
            Value::Seconds(number, range) => {
                let range = Duration::from_secs(*range.start())..=Duration::from_secs(*range.end());
                set(number, section.duration(name, range).map(|duration| duration.as_secs()));
            }
            Value::Days(number, range) => {
                set(number, section.parsed(name, |text| values::days(text, &range)));
            }
            Value::Octets(number, range) => {
                set(number, section.size(name, *range.start()..*range.end() + 1));
            }
        }
    }

    /// As it is written in the file.
    pub(super) fn shown(&self) -> String {
        match self {
            Value::Number(number, _) => number.to_string(),
            Value::Count(number, _) => number.get().to_string(),
            Value::Seconds(number, _) => quoted(values::shown(Duration::from_secs(number.get()))),
            Value::Days(number, _) => quoted(format!("{}d", number.get())),
            Value::Octets(number, _) => quoted(values::shown_size(number.get())),
        }
    }

    /// From and to, as both are written in the file.
    pub(super) fn allowed(&self) -> String {
        let whole = |range: &RangeInclusive<u64>, shown: fn(u64) -> String| {
            format!("{} to {}", shown(*range.start()), shown(*range.end()))
        };
        match self {
            Value::Number(_, range) => format!("{} to {}", range.start(), range.end()),
            Value::Count(_, range) => whole(range, |number| number.to_string()),
            Value::Seconds(_, range) => whole(range, |seconds| values::shown(Duration::from_secs(seconds))),
            Value::Days(_, range) => whole(range, |days| format!("{days}d")),
            Value::Octets(_, range) => whole(range, values::shown_size),
        }
    }
}

fn set(number: &mut dyn Whole, read: Option<u64>) {
    if let Some(read) = read {
        number.set(read);
    }
}

fn quoted(text: String) -> String {
    format!("\"{text}\"")
}

const HOUR: u64 = 3600;
const DAY: u64 = 86_400;
/// Half of the earth's circumference: farther is nowhere.
const KM_MAX: f64 = 20_038.0;

/// All keys of `[detect]` that are thresholds, in the order of the documentation.
pub(super) fn of(thresholds: &mut Thresholds) -> Vec<Key<'_>> {
    use Value::{Count, Days, Number, Octets, Seconds};
    let Thresholds {
        alert_score,
        alert_score_one_group,
        alert_score_unlearned,
        population_users_min,
        high_score,
        reason_log_ratio,
        travel_kmh,
        travel_km_min,
        clock_skew_s,
        dual_stack_s,
        simultaneous_km_min,
        alive_s,
        change_km_min,
        learning_days,
        learning_connections_min,
        organisation_learning_days,
        own_cover_share,
        own_cover_users,
        dormant_days,
        volume_times,
        volume_octets_min,
        length_times,
        length_seconds_min,
        spread_connections_min,
        users_per_address_min,
        users_per_address_times,
        stops_per_hour_min,
        stops_times,
        stops_learning_s,
        model: _,
    } = thresholds;
    let score = || 0.1..=100.0;
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
        // Below that of a train everybody travels impossibly.
        key("travel_kmh", "travel_kmh", Number(travel_kmh, 100.0..=100_000.0)),
        key("travel_km_min", "travel_km_min", Number(travel_km_min, km())),
        key("clock_skew", "clock_skew_s", Seconds(clock_skew_s, 0..=HOUR)),
        key("dual_stack", "dual_stack_s", Seconds(dual_stack_s, 0..=DAY)),
        key("simultaneous_km_min", "simultaneous_km_min", Number(simultaneous_km_min, km())),
        key("alive", "alive_s", Seconds(alive_s, 60..=DAY)),
        key("change_km_min", "change_km_min", Number(change_km_min, km())),
        // As long as the shortest store keeps when the first connection was, which the user's page goes by.
        key("learning", "learning_days", Days(learning_days, 1..=90)),
        // So many of one day are counted.
        key("learning_connections_min", "learning_connections_min", Count(learning_connections_min, 1..=255)),
        key("organisation_learning", "organisation_learning_days", Days(organisation_learning_days, 1..=365)),
        key("own_cover_share", "own_cover_share", Number(own_cover_share, 0.001..=1.0)),
        key("own_cover_users", "own_cover_users", Count(own_cover_users, 1..=1_000_000)),
        // Where somebody was is kept for 180 days.
        key("dormant", "dormant_days", Days(dormant_days, 1..=180)),
        key("volume_times", "volume_times", Number(volume_times, times())),
        key("volume_min", "volume_octets_min", Octets(volume_octets_min, 1_000_000..=1_000_000_000_000_000)),
        key("length_times", "length_times", Number(length_times, times())),
        key("length_min", "length_seconds_min", Seconds(length_seconds_min, HOUR..=90 * DAY)),
        // So many of a user are kept.
        key("spread_connections_min", "spread_connections_min", Count(spread_connections_min, 1..=20)),
        key("users_per_address_min", "users_per_address_min", Count(users_per_address_min, 2..=250)),
        key("users_per_address_times", "users_per_address_times", Number(users_per_address_times, times())),
        key("stops_per_hour_min", "stops_per_hour_min", Count(stops_per_hour_min, 1..=1_000_000)),
        key("stops_times", "stops_times", Number(stops_times, times())),
        key("stops_learning", "stops_learning_s", Seconds(stops_learning_s, HOUR..=30 * DAY)),
    ]
}

/// All keys of `[detect.model]`.
pub(super) fn of_model(model: &mut Model) -> Vec<Key<'_>> {
    use Value::Number;
    let Model {
        novelty_country,
        novelty_place,
        novelty_network,
        novelty_prefix,
        novelty_device,
        novelty_software,
        novelty_server,
        attacker_country,
        attacker_place,
        attacker_network,
        attacker_prefix,
        attacker_device,
        attacker_no_device,
        attacker_while_open,
        weight_of_device,
        weight_of_software,
        weight_of_away,
        software_back,
        prefix_back,
        country_of_known_network,
        country_of_nobody,
        weight_of_time_of_day,
        weight_of_others,
        cover_hosting,
        cover_anonymiser,
        cover_tor,
        feature_max,
        known_max,
    } = model;
    let novelty = || 0.001..=100.0;
    // Neither never nor always: both would be infinite in a logarithm.
    let share = || 0.0001..=0.9999;
    let key = |name, value| Key { name, reason: reason(Model::REASONS, name), value };
    vec![
        key("novelty_country", Number(novelty_country, novelty())),
        key("novelty_place", Number(novelty_place, novelty())),
        key("novelty_network", Number(novelty_network, novelty())),
        key("novelty_prefix", Number(novelty_prefix, novelty())),
        key("novelty_device", Number(novelty_device, novelty())),
        key("novelty_software", Number(novelty_software, novelty())),
        key("novelty_server", Number(novelty_server, novelty())),
        key("attacker_country", Number(attacker_country, share())),
        key("attacker_place", Number(attacker_place, share())),
        key("attacker_network", Number(attacker_network, share())),
        key("attacker_prefix", Number(attacker_prefix, share())),
        key("attacker_device", Number(attacker_device, share())),
        key("attacker_no_device", Number(attacker_no_device, share())),
        key("attacker_while_open", Number(attacker_while_open, share())),
        key("weight_of_device", Number(weight_of_device, 0.0..=20.0)),
        key("weight_of_software", Number(weight_of_software, 0.0..=20.0)),
        key("weight_of_away", Number(weight_of_away, 0.0..=20.0)),
        key("software_back", Number(software_back, 0.0..=20.0)),
        key("prefix_back", Number(prefix_back, 0.0..=20.0)),
        key("country_of_known_network", Number(country_of_known_network, 0.0..=20.0)),
        key("country_of_nobody", Number(country_of_nobody, 0.0..=20.0)),
        key("weight_of_time_of_day", Number(weight_of_time_of_day, 0.0..=20.0)),
        key("weight_of_others", Number(weight_of_others, 0.0..=20.0)),
        key("cover_hosting", Number(cover_hosting, 0.0..=20.0)),
        key("cover_anonymiser", Number(cover_anonymiser, 0.0..=20.0)),
        key("cover_tor", Number(cover_tor, 0.0..=20.0)),
        key("feature_max", Number(feature_max, 0.1..=20.0)),
        key("known_max", Number(known_max, 0.1..=20.0)),
    ]
}

fn reason(reasons: &[(&'static str, &'static str)], field: &str) -> &'static str {
    reasons.iter().find(|(name, _)| *name == field).map_or("", |(_, reason)| reason)
}
