//! **Suspicious VPN connection** (external id 2025): a risk score over everything that is known of a connection, and an
//! alert where it is high. T1133.
//!
//! Learning rule: an alert only for users who are learned: 30 days since the first connection, and at least five
//! connections within the last 30. The score is there for everybody.
//!
//! The score is a sum of logarithms of likelihood ratios, p(x | attacker) / p(x | this user), after Freeman et al. (NDSS
//! 2016), on days rather than connections (fifteen reconnections of a flapping line are one observation):
//! * A value that the user has: days with it against days with any. What an attacker would have of it is assumed in
//!   [`Model`]: the same country often, the same /24 or device hardly ever. So what is known speaks *against* an attack,
//!   and the less the fewer the days.
//! * A value that is new to the user: how often this user brings something new (a Dirichlet process: `novelty / (days +
//!   novelty)`, and the values that came within the thirty days on top), or how often everybody does in these hours if
//!   that is more: another database, a mass home office. Then how usual the value is for all: from well known (less
//!   risky) to unknown to everybody, which is always the riskiest; and whether many begin to use it these days (a
//!   provider's move, a failover).
//! * Country, network and prefix are a chain: within a new country a new network says nothing more, within a network the
//!   prefix tells customers apart. In mobile networks prefixes and towns say nothing. A network that hides its users
//!   adds to it.
//! * A new part of a known network says less the more leading bits it shares with a known one.
//! * A new device explains new client software; known software on a known device is an update. That no device is told is
//!   a value like any: new to whoever always tells one, until all Starts begin without.
//! * How long after the user's last sign of life (`rhythm`), and whether she goes back to a part of the network or software
//!   that she had left: lines and updates do not.
//! * When, and whether the user seems to be connected elsewhere already (an open session within a working day of its last
//!   sign of life), the less the more often that happens to all: where ends are lost it is everyday.
//!
//! Groups that do not depend on each other, place and device, thus weigh together: each alone is taken back by the other
//! when that is known (a hotel with the usual laptop, a new laptop at home); both new add up. Where no device is known,
//! place alone has a threshold of its own.

use super::{
    assessment::{Assessment, Detection, Reason, ReasonFeature, Severity},
    connection::Cover,
    facts::Facts,
    text::Span,
    threshold::{Model, Thresholds},
};
use crate::{
    geo::NetworkKind,
    profile::{Feature, Prefix, Profile, Tally, Value},
};

/// Least and most that how usual a value is for all takes from or adds to what it says as a new one.
const POPULATION: (f64, f64) = (-3.0, 2.5);
/// Users who begin to use a value on two days, from which on it may be a move of many: three may be chance or an attack.
const MOVE_USERS: f64 = 4.0;
/// From so much on, the device speaks.
const GROUP: f64 = 1.0;
/// And software where no device is known: above the first ones of an update.
const SOFTWARE_ALONE: f64 = 0.9;
/// What is usual for all counts as so many hours of the user's.
const HOURS_OF_ALL: f64 = 4.0;

/// The logarithms, one for each feature and one for the hour.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Terms {
    features: [f64; Feature::ALL.len()],
    hour: f64,
    away: f64,
    open: f64,
}

impl Terms {
    fn of(&self, feature: Feature) -> f64 {
        self.features[feature as usize]
    }

    fn set(&mut self, feature: Feature, log_ratio: f64) {
        self.features[feature as usize] = log_ratio;
    }

    fn place(&self) -> f64 {
        let group = [Feature::Country, Feature::Place, Feature::Network, Feature::Prefix, Feature::Kinds];
        group.iter().map(|feature| self.of(*feature)).sum()
    }

    fn device(&self) -> f64 {
        self.of(Feature::Device) + self.of(Feature::Software)
    }

    /// Not only an update.
    fn is_device_new(&self) -> bool {
        self.of(Feature::Device) >= GROUP || self.of(Feature::Software) >= SOFTWARE_ALONE
    }

    fn total(&self) -> f64 {
        self.place() + self.device() + self.of(Feature::Server) + self.hour + self.away + self.open
    }
}

/// Adds the score and, where it is high enough, its reasons and the alert.
pub(super) fn assess(facts: &Facts<'_>, thresholds: &Thresholds, assessment: &mut Assessment) {
    let terms = terms(facts, &thresholds.model);
    let total = terms.total();
    assessment.score += total;
    let threshold =
        if terms.is_device_new() { thresholds.alert_score } else { thresholds.alert_score_one_group };
    let is_high = total >= thresholds.high_score || facts.cover > Cover::Hosting;
    let severity = if is_high { Severity::High } else { Severity::Medium };
    let alert = (facts.is_learned && total >= threshold).then_some(severity);
    if let Some(severity) = alert {
        assessment.alert(severity);
    }
    // Nobody asks why an ordinary connection is one.
    if alert.is_some() || total >= thresholds.reason_log_ratio {
        explain(facts, thresholds, &terms, alert, assessment);
    }
}

fn explain(
    facts: &Facts<'_>,
    thresholds: &Thresholds,
    terms: &Terms,
    alert: Option<Severity>,
    assessment: &mut Assessment,
) {
    let detection = Detection::SuspiciousConnection;
    // An alert has a reason, whatever the configuration says.
    let most = Feature::ALL.into_iter().map(|feature| terms.of(feature)).fold(f64::MIN, f64::max);
    let least =
        if alert.is_some() { thresholds.reason_log_ratio.min(most) } else { thresholds.reason_log_ratio };
    for feature in Feature::ALL {
        let log_ratio = terms.of(feature);
        let is_missing = feature == Feature::Device && facts.value(feature).is_none();
        if log_ratio >= least && (facts.value(feature).is_some() || (is_missing && log_ratio > 0.0)) {
            let seen = if is_missing { "none was told".to_owned() } else { facts.seen(feature) };
            let reason = facts.reason(detection, Some(feature), log_ratio, seen);
            assessment.reasons.push(Reason { alert, ..reason });
        }
    }
    if let Some(slot) = facts.open_elsewhere().filter(|_| terms.open >= thresholds.reason_log_ratio) {
        let reason = facts.reason(detection, None, terms.open, slot.text());
        assessment.reasons.push(Reason { alert, ..reason });
    }
    if let Some(away_s) = facts.away_s().filter(|_| terms.away >= thresholds.reason_log_ratio) {
        let reason = facts.reason(detection, None, terms.away, Span(u64::from(away_s)).to_string());
        assessment.reasons.push(Reason { feature: Some(ReasonFeature::Away), alert, ..reason });
    }
    if terms.hour >= thresholds.reason_log_ratio {
        let hour = facts.unix_s / 3600 % 24;
        let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
        let day = days[hour_of_week(facts.unix_s) / 24 % 7];
        let reason = facts.reason(detection, None, terms.hour, format!("{day}, {hour}:00 UTC"));
        assessment.reasons.push(Reason { feature: Some(ReasonFeature::Hour), alert, ..reason });
    }
}

/// Monday 0 h UTC is 0; 1970 began on a Thursday.
fn hour_of_week(unix_s: u32) -> usize {
    (unix_s / 3600 + 72) as usize % 168
}

pub(super) fn terms(facts: &Facts<'_>, model: &Model) -> Terms {
    let mut terms = Terms::default();
    place(facts, model, &mut terms);
    device(facts, model, &mut terms);
    terms.set(Feature::Server, server(facts, model));
    terms.hour = hour(facts, model);
    terms.away = away(facts, model);
    terms.open = open(facts, model);
    terms
}

/// Where from.
fn place(facts: &Facts<'_>, model: &Model, terms: &mut Terms) {
    let spot = &facts.connection.spot;
    if spot.is_own {
        // Who is in one of our own networks passed another door already.
        terms.set(Feature::Place, -2.0);
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
                    (model.attacker_country * usual + (1.0 - model.attacker_country) * 0.01) / usual,
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
                new(facts, model, Feature::Network, model.novelty_network, network, 0.02)
            } else {
                let (usual, chance) = (usual(network, model.novelty_network), facts.share(Feature::Network));
                let attacker =
                    model.attacker_network * usual + (1.0 - model.attacker_network) * chance.clamp(0.01, 0.5);
                known(attacker / usual, network.days)
            },
        );
    }
    if spot.has_fine_place() && !is_explained {
        terms.set(Feature::Place, town(facts, model));
    }
    if !spot.anycast && !spot.kinds.contains(NetworkKind::Mobile) {
        terms.set(Feature::Prefix, prefix(facts, model, is_new_network || is_explained));
    }
    terms.set(Feature::Kinds, cover(facts, model, is_new_network));
}

/// A country that is new to the user.
fn abroad(facts: &Facts<'_>, model: &Model, country: &Tally) -> f64 {
    let new = new(facts, model, Feature::Country, model.novelty_country, country, 0.01);
    if facts.tally(Feature::Network).days > 0 && facts.cover == Cover::None {
        return new.min(model.country_of_known_network);
    }
    // Of a user without a history that of all others tells.
    let unknown = 1.0 - f64::from(facts.days().min(5)) / 5.0;
    let of_nobody =
        if facts.share(Feature::Country) < 0.005 { model.country_of_nobody * unknown } else { 0.0 };
    (new + of_nobody).min(model.feature_max.max(0.0))
}

/// The town: half of what it says the network has said.
fn town(facts: &Facts<'_>, model: &Model) -> f64 {
    let tally = facts.tally(Feature::Place);
    if !facts.is_new(Feature::Place) {
        let (usual, chance) = (usual(tally, model.novelty_place), facts.share(Feature::Place));
        let attacker = model.attacker_place * usual + (1.0 - model.attacker_place) * chance.clamp(0.005, 0.2);
        return known(attacker / usual, tally.days, model) * 0.5;
    }
    let new = new(facts, model, Feature::Place, model.novelty_place, tally, 0.02);
    let spot = &facts.connection.spot;
    let is_region_known = spot.region.zip(spot.country).is_some_and(|(region, country)| {
        let end = format!("{region}, {country}");
        facts.profile.is_some_and(|profile| {
            let is_there = |value| matches!(value, Value::Text(place) if place.ends_with(&end));
            profile.values(Feature::Place).iter().any(|usual| is_there(usual.value))
        })
    });
    if is_region_known { new * 0.25 } else { new * 0.5 }
}

/// The /24 or /48, within a network that the user has.
fn prefix(facts: &Facts<'_>, model: &Model, is_network_new: bool) -> f64 {
    let Some(Value::Prefix(prefix)) = facts.value(Feature::Prefix) else { return 0.0 };
    // A branch, a hotel where colleagues stay.
    let colleagues = (-0.5 * f64::from(facts.others(Feature::Prefix)).ln_1p()).max(-2.0);
    if is_network_new {
        return colleagues;
    }
    let (tally, common_bits) = within_network(facts, prefix);
    if tally.days > 0 {
        let known = known(model.attacker_prefix / usual(&tally, model.novelty_prefix), tally.days, model);
        return if facts.is_back(Feature::Prefix) { known + model.prefix_back } else { known };
    }
    // How often everybody has a new one does not count here: addresses that change daily are this user's or not.
    let rare = -(novelty(&tally, model.novelty_prefix, 1.0, 0.0).ln());
    let near = common_bits.map_or(0.0, nearness);
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
fn within_network(facts: &Facts<'_>, prefix: Prefix) -> (Tally, Option<u32>) {
    let mut tally = Tally { days: facts.tally(Feature::Prefix).days, ..Tally::default() };
    let mut bits = None;
    let Some(profile) = facts.profile else { return (tally, bits) };
    profile.each(Feature::Prefix, |value, days, has_arrived| {
        let Value::Prefix(other) = value else { return };
        if other.asn() == prefix.asn() {
            bits = bits.max(prefix.common_bits(&other));
            tally.all_days += days;
            tally.values += 1;
            tally.arrived += u32::from(has_arrived);
        }
    });
    (tally, bits)
}

/// A network that hides its users; a mobile one, in which attackers seldom are and people often.
fn cover(facts: &Facts<'_>, model: &Model, is_network_new: bool) -> f64 {
    let log_ratio = match facts.cover {
        Cover::None if is_network_new && facts.connection.spot.kinds.contains(NetworkKind::Mobile) => {
            return -0.7;
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
    let common = (50.0 * facts.share(Feature::Kinds).min(facts.share(Feature::Network))).ln_1p();
    (log_ratio - common).clamp(0.0, model.feature_max.max(0.0))
}

/// With what.
fn device(facts: &Facts<'_>, model: &Model, terms: &mut Terms) {
    let tally = facts.tally(Feature::Device);
    let has_device = facts.value(Feature::Device).is_some();
    let is_known = has_device && (tally.days > 0 || facts.remembers(Feature::Device));
    if has_device {
        terms.set(
            Feature::Device,
            if is_known {
                known(model.attacker_device / usual(tally, model.novelty_device), tally.days, model)
            } else {
                // On days without any, none was her value.
                let tally = Tally { all_days: tally.all_days.max(facts.days()), ..*tally };
                let rare =
                    -novelty(&tally, model.novelty_device, 0.5, facts.adoptions.rate(Feature::Device)).ln();
                // A kiosk, a shared laptop: whoever else has it, it is of the organisation.
                let shared = (-0.7 * f64::from(facts.others(Feature::Device)).ln_1p()).max(-2.5);
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
        let new = new(facts, model, Feature::Software, model.novelty_software, tally, 0.3);
        let is_update = facts.profile.is_some_and(|profile| {
            let mut is_family_known = false;
            profile.each(Feature::Software, |value, _, _| {
                is_family_known |= matches!(value, Value::Text(other) if family(other) == family(software));
            });
            is_family_known
        });
        match (has_device, is_known) {
            (true, true) => new.min(1.0),
            (true, false) => new * 0.3,
            (false, _) if is_update => new * 0.5,
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
    let usual = own.max(facts.adoptions.rate(Feature::Device)).clamp(1e-6, 1.0);
    let log_ratio = (model.attacker_no_device.max(1e-6) / usual).ln().clamp(-0.5, 4.5);
    (log_ratio * days / (days + 2.0)).clamp(-1.0, model.feature_max.max(0.0))
}

/// The user seems to be connected already, elsewhere: rare where ends are told.
fn open(facts: &Facts<'_>, model: &Model) -> f64 {
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
fn away(facts: &Facts<'_>, model: &Model) -> f64 {
    let log_ratio = facts.away_s().map_or(0.0, |away_s| facts.rhythm.log_ratio(away_s));
    let weight = model.weight_of_away * if log_ratio < 0.0 { 0.75 } else { 1.0 };
    (log_ratio * weight).clamp(-model.known_max.abs(), model.feature_max.max(0.0))
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

/// Through which VPN server: weak, since people are moved from one to another.
fn server(facts: &Facts<'_>, model: &Model) -> f64 {
    if facts.value(Feature::Server).is_none() {
        return 0.0;
    }
    let tally = facts.tally(Feature::Server);
    if tally.days > 0 {
        let ratio = facts.share(Feature::Server).max(0.05) / usual(tally, model.novelty_server);
        return known(ratio, tally.days, model).clamp(-0.5, 0.5) * 0.5;
    }
    (new(facts, model, Feature::Server, model.novelty_server, tally, 0.2) * 0.3).clamp(-0.5, 1.0)
}

/// When: for a user without history nothing.
fn hour(facts: &Facts<'_>, model: &Model) -> f64 {
    let Some(profile) = facts.profile else { return 0.0 };
    let (near, days) = profile.days_near(hour_of_week(facts.unix_s));
    // Attackers work around the clock, and half of them when others do: then it says nothing.
    if days == 0 {
        return 0.0;
    }
    let usual = (f64::from(near) + 0.5) / (f64::from(days) + 4.0);
    let near = (0.2 / usual).ln().clamp(-1.0, 1.5) * model.weight_of_others;
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

/// How usual a value is for the user that has it; one that is only remembered counts as half a day.
fn usual(tally: &Tally, novelty: f64) -> f64 {
    let (days, all_days) = (f64::from(tally.days).max(0.5), f64::from(tally.all_days).max(0.5));
    (days / (all_days.max(days) + novelty.max(1e-3))).clamp(1e-6, 1.0)
}

/// What a value that the user has says, from its ratio; the less the fewer the days.
fn known(ratio: f64, days: u32, model: &Model) -> f64 {
    let days = f64::from(days).max(0.5);
    let log_ratio = ratio.max(1e-9).ln();
    let trusted = if log_ratio < 0.0 { log_ratio * days / (days + 1.0) } else { log_ratio };
    trusted.clamp(-model.known_max.abs(), 2.0)
}

/// How likely the next value is new: 0 to 1, not 0.
fn novelty(tally: &Tally, novelty: f64, arrived: f64, everybody: f64) -> f64 {
    let novelty = novelty.max(1e-3);
    let days = f64::from(tally.all_days);
    let own = (novelty + arrived * f64::from(tally.arrived)) / (days + novelty);
    own.max(everybody).clamp(1e-6, 1.0)
}

/// What a value that is new to the user says. `attacker`: how likely attackers have one that nobody has.
fn new(
    facts: &Facts<'_>,
    model: &Model,
    feature: Feature,
    concentration: f64,
    tally: &Tally,
    attacker: f64,
) -> f64 {
    let rare = -novelty(tally, concentration, 0.5, facts.adoptions.rate(feature)).ln();
    let (least, most) = POPULATION;
    let for_all = (attacker / (facts.share(feature) + attacker / 10.0)).ln().clamp(least, most);
    // Where the user's own history speaks, what is usual for all says half.
    let weight = 0.5 + 0.5 * 3.0 / (f64::from(tally.all_days) + 3.0);
    let adoption = facts.adoption(feature);
    let is_move = facts.cover == Cover::None && adoption.users >= MOVE_USERS;
    let moved = if is_move { (20.0 * adoption.share).ln_1p() } else { 0.0 };
    (rare + weight * for_all - moved).clamp(least, model.feature_max.max(0.0))
}
