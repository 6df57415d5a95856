//! **Anonymous network** and **hosting network**: the connection comes from Tor, an anonymising VPN or proxy; or from
//! servers for rent, where people seldom sit. T1090.003 for Tor, T1090.002 for the others.
//!
//! Learning rule: none for either, they protect new users too; what the user has had within the thirty days is not
//! told again, nor a network with cover that `own_cover_share` of the users have (cloud desktops, a security gateway).
//!
//! An anonymiser is an alert: Tor high, another medium. Hosting alone is none; in the score it weighs by `cover_hosting`.
//! Private relays of a device's maker are neither: they keep the region and half of all phones have them.
//!
//! The weight is in the score of the suspicious connection (`score`), so that these reasons add nothing to it.

use super::{
    assessment::{Assessment, Detection, Severity},
    connection::Cover,
    facts::Facts,
    threshold::Thresholds,
};
use crate::profile::Feature;

pub(super) fn assess(facts: &Facts<'_>, thresholds: &Thresholds, assessment: &mut Assessment) {
    if facts.cover == Cover::None || facts.is_cover_usual() {
        return;
    }
    if facts.is_cover_own(thresholds.own_cover_share, thresholds.own_cover_users) {
        return;
    }
    let (detection, alert) = match facts.cover {
        Cover::Tor => (Detection::AnonymousNetwork, Some(Severity::High)),
        Cover::Anonymiser => (Detection::AnonymousNetwork, Some(Severity::Medium)),
        Cover::Hosting | Cover::None => (Detection::HostingNetwork, None),
    };
    let seen = format!("{} [{}]", facts.network(), facts.connection.spot.kinds);
    let mut reason = facts.reason(detection, Some(Feature::Kinds), 0.0, seen);
    reason.expected = facts.expected(Feature::Network);
    assessment.add(reason, alert);
}
