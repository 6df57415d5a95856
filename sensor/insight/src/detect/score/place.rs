//! Where from: country, town, network, part of the network, kind of network.

use super::{
    Terms,
    ratio::{known, new, novelty, usual},
};
use crate::{
    detect::{connection::Cover, facts::Facts, threshold::Model},
    geo::NetworkKind,
    profile::{Feature, Prefix, Tally, Value},
};

/// Where from.
pub(super) fn place(facts: &Facts<'_>, model: &Model, terms: &mut Terms) {
    let spot = &facts.connection.spot;
    if spot.is_own {
        // Who is in one of our own networks passed another door already.
        terms.set(Feature::Place, -model.own_network);
        return;
    }
    let known = |ratio: f64, days: u32| known(ratio, days, model);
    let country = facts.tally(Feature::Country);
    let is_abroad = facts.is_new(Feature::Country) && !facts.remembers(Feature::Country);
    if facts.value(Feature::Country).is_some() {
        terms.set(
            Feature::Country,
            if is_abroad {
                abroad(facts, model, country)
            } else {
                let usual = usual(country, model.novelty_country);
                known(
                    (model.attacker_country * usual
                        + (1.0 - model.attacker_country) * model.attacker_new_country)
                        / usual,
                    country.days,
                )
            },
        );
    }
    // Of a user without any history a country says as much as its network.
    let is_explained = is_abroad && country.all_days > 0;
    let network = facts.tally(Feature::Network);
    let is_new_network = facts.is_new(Feature::Network) && !facts.remembers(Feature::Network);
    if facts.value(Feature::Network).is_some() && !is_explained {
        terms.set(
            Feature::Network,
            if is_new_network {
                new(
                    facts,
                    model,
                    Feature::Network,
                    model.novelty_network,
                    network,
                    model.attacker_new_network,
                )
            } else {
                let (usual, chance) = (usual(network, model.novelty_network), facts.share(Feature::Network));
                let attacker =
                    model.attacker_network * usual + (1.0 - model.attacker_network) * chance.clamp(0.01, 0.5);
                known(attacker / usual, network.days)
            },
        );
    }
    // Nor does its town, if nothing but an earlier session speaks for the country: another database may have moved both.
    let is_country_learned = !facts.is_new(Feature::Country) || country.all_days == 0;
    if spot.has_fine_place() && is_country_learned {
        terms.set(Feature::Place, town(facts, model));
    }
    if !spot.anycast && !spot.kinds.contains(NetworkKind::Mobile) {
        terms.set(Feature::Prefix, prefix(facts, model, is_new_network || is_explained));
    }
    terms.set(Feature::Kinds, cover(facts, model, is_new_network));
}

/// A country that is new to the user.
fn abroad(facts: &Facts<'_>, model: &Model, country: &Tally) -> f64 {
    let new = new(facts, model, Feature::Country, model.novelty_country, country, model.attacker_new_country);
    if facts.tally(Feature::Network).days > 0 && facts.cover == Cover::None {
        return new.min(model.country_of_known_network);
    }
    // Of a user without a history that of all others tells.
    let history = model.country_of_nobody_days.max(1);
    let unknown = 1.0 - f64::from(facts.days().min(history)) / f64::from(history);
    let is_of_nobody = facts.share(Feature::Country) < model.country_of_nobody_share;
    let of_nobody = if is_of_nobody { model.country_of_nobody * unknown } else { 0.0 };
    (new + of_nobody).min(model.feature_max.max(0.0))
}

/// The town: part of what it says the network has said.
fn town(facts: &Facts<'_>, model: &Model) -> f64 {
    let tally = facts.tally(Feature::Place);
    if !facts.is_new(Feature::Place) {
        let (usual, chance) = (usual(tally, model.novelty_place), facts.share(Feature::Place));
        let attacker = model.attacker_place * usual + (1.0 - model.attacker_place) * chance.clamp(0.005, 0.2);
        return known(attacker / usual, tally.days, model) * model.weight_of_place;
    }
    let new = new(facts, model, Feature::Place, model.novelty_place, tally, model.attacker_new_place);
    let spot = &facts.connection.spot;
    let is_region_known = spot.region.zip(spot.country).is_some_and(|(region, country)| {
        let end = format!("{region}, {country}");
        facts.profile.is_some_and(|profile| {
            let is_there = |value| matches!(value, Value::Text(place) if place.ends_with(&end));
            profile.values(Feature::Place).iter().any(|usual| is_there(usual.value))
        })
    });
    new * if is_region_known { model.weight_of_place_in_region } else { model.weight_of_place }
}

/// The /24 or /48, within a network that the user has.
fn prefix(facts: &Facts<'_>, model: &Model, is_network_new: bool) -> f64 {
    let Some(Value::Prefix(prefix)) = facts.value(Feature::Prefix) else { return 0.0 };
    // A branch, a hotel where colleagues stay.
    let others = f64::from(facts.others(Feature::Prefix)).ln_1p();
    let colleagues = (-model.weight_of_colleagues * others).max(-model.colleagues_max.abs());
    if is_network_new {
        return colleagues;
    }
    let (tally, common_bits) = within_network(facts, model, prefix);
    if tally.days > 0 {
        let known = known(model.attacker_prefix / usual(&tally, model.novelty_prefix), tally.days, model);
        return if facts.is_back(Feature::Prefix) { known + model.prefix_back } else { known };
    }
    // How often everybody has a new one does not count here: addresses that change daily are this user's or not.
    let rare = -(novelty(&tally, model.novelty_prefix, 1.0, 0.0).ln());
    let near = common_bits.map_or(0.0, nearness) * model.weight_of_nearness;
    (rare + colleagues + near).clamp(-2.0, model.feature_max.max(0.0))
}

/// What it says that a new part of a network that the user has shares so many leading bits with a known one. Providers
/// assign the addresses of a town from a few blocks that lie together, those of the country from all over: a line that
/// gets another address stays near, the line of somebody else seldom is.
fn nearness(bits: u32) -> f64 {
    const AT: [(f64, f64); 5] = [(14.0, 1.2), (16.0, 0.75), (18.0, -0.15), (20.0, -1.5), (22.0, -2.25)];
    let bits = f64::from(bits).clamp(AT[0].0, AT[4].0);
    let between = AT.windows(2).find(|pair| bits <= pair[1].0).unwrap_or(&AT[3..]);
    let [(from, low), (to, high)] = between else { return 0.0 };
    low + (high - low) * (bits - from) / (to - from)
}

/// The tally of prefixes, of one network only; and how many leading bits this one has in common with the nearest.
fn within_network(facts: &Facts<'_>, model: &Model, prefix: Prefix) -> (Tally, Option<u32>) {
    let mut tally = Tally { days: facts.tally(Feature::Prefix).days, ..Tally::default() };
    let mut bits = None;
    let mut other_family = 0;
    let Some(profile) = facts.profile else { return (tally, bits) };
    profile.each(Feature::Prefix, |value, days, has_arrived| {
        let Value::Prefix(other) = value else { return };
        if other.asn() != prefix.asn() {
            return;
        }
        if other.is_v6() != prefix.is_v6() {
            other_family += days;
        } else {
            bits = bits.max(prefix.common_bits(&other));
            tally.all_days += days;
            tally.values += 1;
            tally.arrived += u32::from(has_arrived);
        }
    });
    // Providers give both, and which is taken changes from one connection to the next.
    tally.all_days += other_family / model.other_family_days.max(1);
    (tally, bits)
}

/// A network that hides its users; a mobile one, in which attackers seldom are and people often.
fn cover(facts: &Facts<'_>, model: &Model, is_network_new: bool) -> f64 {
    let log_ratio = match facts.cover {
        Cover::None if is_network_new && facts.connection.spot.kinds.contains(NetworkKind::Mobile) => {
            return -model.mobile;
        }
        Cover::None => return 0.0,
        Cover::Hosting => model.cover_hosting,
        Cover::Anonymiser => model.cover_anonymiser,
        Cover::Tor => model.cover_tor,
    };
    if facts.is_cover_usual() {
        return 0.0;
    }
    // Cloud desktops and security gateways: many have them.
    let common =
        (model.cover_times.max(0.0) * facts.share(Feature::Kinds).min(facts.share(Feature::Network))).ln_1p();
    (log_ratio - common).clamp(0.0, model.feature_max.max(0.0))
}
