//! **Unusual connection of a user who is not learned yet**: somebody of whom too little is known for *Suspicious VPN
//! connection*, and a connection that is not like anybody's. T1133, T1078.
//!
//! Learning rule: the organisation's alone, `organisation_learning_days` since the first connection of all and
//! `population_users_min` users. Everybody's connections say then how usual a place, a network and a device are of somebody
//! here, and that is most of the score of somebody without a past.
//!
//! The score and its reasons are those of *Suspicious VPN connection*, and so is the threshold, but for one of its own that
//! has to be reached as well: less of the user speaks against it. Below it, or before the organisation is learned, its
//! reasons explain the alerts of other rules, which have those rules' names.

use super::{facts::Facts, threshold::Thresholds};

/// Whether a score of the connection of somebody who is not learned is an alert.
pub(super) fn is_reached(facts: &Facts<'_>, thresholds: &Thresholds, score: f64) -> bool {
    let is_population_known = facts.everybody.users() >= thresholds.population_users_min as usize;
    facts.is_organisation_learned(thresholds.organisation_learning_days)
        && is_population_known
        && score >= thresholds.alert_score_unlearned
}
