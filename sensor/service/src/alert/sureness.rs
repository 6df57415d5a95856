//! How sure an alert is: what its score means, in words and in three steps.
//!
//! The score is the natural logarithm of how much likelier the riskiest connection is an attacker's than the user's. How
//! likely it is an attacker's follows from that and from how rare attackers are, which nobody knows: one connection in
//! 100,000, where the documentation reckons with a rate.

use insight::detect::Detection;

use super::{Alert, Severity};

/// Below it the words would be 'once'.
const TWICE: f64 = 1.5;
/// Beyond it the model is no better than its assumptions, and a number would say more than is known.
const MOST: f64 = 1e6;
/// Of one connection in 100,000 that is an attacker's: as likely hers as not.
const HIGH: f64 = 1e5;
/// One in a hundred such connections is an attacker's.
const MEDIUM: f64 = 1e3;

/// How sure an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Confidence {
    Low,
    Medium,
    High,
}

impl Confidence {
    /// By the score; where a rule gives the alert its name, by the alert's severity at least: rules are as severe as what
    /// they see is rare, and few of them add much to the score.
    pub(crate) fn of(alert: &Alert) -> Confidence {
        let by_score = match alert.score.exp() {
            HIGH.. => Confidence::High,
            MEDIUM.. => Confidence::Medium,
            _ => Confidence::Low,
        };
        let by_rule = match alert.severity {
            _ if Detection::named(&alert.detection).is_some_and(Detection::is_by_score) => Confidence::Low,
            Severity::High => Confidence::High,
            Severity::Medium => Confidence::Medium,
            Severity::Low | Severity::Informational => Confidence::Low,
        };
        by_score.max(by_rule)
    }

    /// `Medium`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Confidence::Low => "Low",
            Confidence::Medium => "Medium",
            Confidence::High => "High",
        }
    }
}

impl Alert {
    /// What its score means: `about 500 times likelier an attacker's than the user's`. None where the score speaks for the
    /// user, since a rule tells of a connection whatever else is usual about it; nor of what is about a VPN server, which is
    /// nobody's connection.
    pub(crate) fn likelier(&self) -> Option<String> {
        self.users().next().and_then(|_| likelier(self.score))
    }

    /// The same as a sentence: `Taken together it is about 500 times likelier an attacker's than the user's.`
    pub fn taken_together(&self) -> Option<String> {
        let what = if self.connection_count == 1 { "it" } else { "the riskiest connection" };
        Some(format!("Taken together {what} is {}.", self.likelier()?))
    }
}

fn likelier(score: f64) -> Option<String> {
    let times = match score.exp() {
        MOST.. => "more than a million".to_owned(),
        times @ TWICE.. => format!("about {}", rounded(times)),
        _ => return None,
    };
    Some(format!("{times} times likelier an attacker's than the user's"))
}

/// To one digit, thousands apart: the second says nothing.
fn rounded(times: f64) -> String {
    let unit = 10_f64.powf(times.log10().floor());
    let rounded = ((times / unit).round() * unit).round() as u64;
    match (rounded / 1000, rounded % 1000) {
        (0, below) => below.to_string(),
        (1000, _) => "a million".to_owned(),
        (thousands, below) => format!("{thousands},{below:03}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_said_in_one_digit_and_not_beyond_a_million() {
        let said = |score: f64| {
            let said = likelier(score)?;
            Some(said.strip_suffix(" times likelier an attacker's than the user's")?.to_owned())
        };
        for (score, words) in [
            (6.2, Some("about 500")),
            (0.7, Some("about 2")),
            (2.3, Some("about 10")),
            (6.9, Some("about 1,000")),
            (9.9, Some("about 20,000")),
            (13.0, Some("about 400,000")),
            (13.8, Some("about a million")),
            (13.9, Some("more than a million")),
            (f64::INFINITY, Some("more than a million")),
            (0.3, None),
            (-4.0, None),
            (f64::NAN, None),
        ] {
            assert_eq!(said(score).as_deref(), words, "{score}");
        }
    }
}
