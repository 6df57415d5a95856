//! **Suspicious VPN connection** (external id 2025): a risk score over everything that is known of a connection, and an
//! alert where it is high. T1133.
//!
//! Learning rule: an alert only for users who are learned: `learning_days` since the first connection, and at least
//! `learning_connections_min` within the last 30 days. The score is there for everybody; of those who are not learned it is
//! an alert of another name ([`super::unlearned`]), and so are its reasons beside another rule's.
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
//! * When, and whether the user seems to be connected elsewhere already (an open session within `open_s` of its last
//!   sign of life), the less the more often that happens to all: where ends are lost it is everyday.
//!
//! Groups that do not depend on each other, place and device, thus weigh together: each alone is taken back by the other
//! when that is known (a hotel with the usual laptop, a new laptop at home); both new add up. Where no device is known,
//! place alone has a threshold of its own.
//!
//! | file | what lives there |
//! |---|---|
//! | `place`, `device`, `when` | the groups of features |
//! | `ratio` | what a value says that the user has, and one that is new |

mod device;
mod place;
mod ratio;
mod when;

use super::{
    assessment::{Assessment, Detection, Reason, ReasonFeature, Severity},
    connection::Cover,
    facts::Facts,
    text::Span,
    threshold::{Model, Thresholds},
    unlearned,
};
use crate::profile::Feature;
use ratio::{known, new, usual};

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
    fn is_device_new(&self, thresholds: &Thresholds) -> bool {
        self.of(Feature::Device) >= thresholds.device_log_ratio
            || self.of(Feature::Software) >= thresholds.software_log_ratio
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
    let threshold = match terms.is_device_new(thresholds) {
        true => thresholds.alert_score,
        false => thresholds.alert_score_one_group,
    };
    let is_high = total >= thresholds.high_score || facts.cover > Cover::Hosting;
    let severity = if is_high { Severity::High } else { Severity::Medium };
    let is_reached =
        total >= threshold && (facts.is_learned || unlearned::is_reached(facts, thresholds, total));
    let alert = is_reached.then_some(severity);
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
    // Whatever it adds to: the name that people know promises a user who is learned.
    let detection = if facts.is_learned { Detection::SuspiciousConnection } else { Detection::UnlearnedUser };
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
        let day = days[when::hour_of_week(facts.unix_s) / 24 % 7];
        let reason = facts.reason(detection, None, terms.hour, format!("{day}, {hour}:00 UTC"));
        assessment.reasons.push(Reason { feature: Some(ReasonFeature::Hour), alert, ..reason });
    }
}

pub(super) fn terms(facts: &Facts<'_>, model: &Model) -> Terms {
    let mut terms = Terms::default();
    place::place(facts, model, &mut terms);
    device::device(facts, model, &mut terms);
    terms.set(Feature::Server, server(facts, model));
    terms.hour = when::hour(facts, model);
    terms.away = when::away(facts, model);
    terms.open = when::open(facts, model);
    terms
}

/// Through which VPN server: weak, since people are moved from one to another.
fn server(facts: &Facts<'_>, model: &Model) -> f64 {
    if facts.value(Feature::Server).is_none() {
        return 0.0;
    }
    let tally = facts.tally(Feature::Server);
    if tally.days > 0 {
        let ratio = facts.share(Feature::Server).max(0.05) / usual(tally, model.novelty_server);
        let most = model.known_server_max.abs();
        return (known(ratio, tally.days, model) * 0.5).clamp(-most, most);
    }
    let new = new(facts, model, Feature::Server, model.novelty_server, tally, model.attacker_new_server);
    (new * model.weight_of_server).clamp(-0.5, model.new_server_max.max(0.0))
}
