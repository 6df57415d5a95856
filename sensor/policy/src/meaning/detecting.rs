//! When people are told, and of what they do not want to hear.

use insight::detect::{Connection, Thresholds};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// What decides about alerts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Detecting {
    /// From when on detections speak.
    pub thresholds: Thresholds,
    /// What raises no alert.
    pub exclusions: Vec<Exclusion>,
    /// So many notices of alerts are sent in a day (UTC), those of high severity and what people closed or wrote not
    /// counted among them; the others are listed as held back. 50: what two people can look at in a morning.
    pub notices_per_day: u32,
    /// So often one alert is told as it grows; beyond, only if it gets more urgent, and the rest is listed as held back. 32:
    /// somebody who has something new in each connection fills neither a mailbox nor the store.
    pub notices_per_alert: u32,
    /// What an alert of high severity gathers so is sent within so many seconds. 3600: as long as a person may look away,
    /// and two rows an hour of a flood that goes on.
    pub high_within_s: u32,
    /// An alert below high severity that nothing happened to for so many days, and that nobody decided about, is closed as
    /// usual. None: never, since whoever stays unnoticed for long enough would become usual.
    pub accept_after_days: Option<u16>,
}

impl Default for Detecting {
    fn default() -> Detecting {
        Detecting {
            thresholds: Thresholds::default(),
            exclusions: Vec::new(),
            notices_per_day: 50,
            notices_per_alert: 32,
            high_within_s: 3600,
            accept_after_days: None,
        }
    }
}

/// Connections that raise no alert: those that have all that is named here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exclusion {
    /// The user's key.
    pub user: Option<String>,
    /// The client's address is in it.
    pub network: Option<IpNet>,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// The place by its name, or the country by its two letters.
    pub place: Option<String>,
    /// Why; for those who come later.
    pub reason: String,
    /// From when on it does not hold any more, seconds since 1970 UTC.
    pub until_unix_s: u64,
}

impl Detecting {
    /// Whether nobody wants to hear of this connection, ns since 1970 UTC.
    pub fn excludes(&self, connection: &Connection<'_>, now_unix_ns: u64) -> bool {
        self.exclusions.iter().any(|exclusion| exclusion.holds(connection, now_unix_ns))
    }
}

impl Exclusion {
    /// Whether it does not hold any more.
    pub fn is_over(&self, now_unix_ns: u64) -> bool {
        now_unix_ns / 1_000_000_000 >= self.until_unix_s
    }

    fn holds(&self, connection: &Connection<'_>, now_unix_ns: u64) -> bool {
        let Exclusion { user, network, asn, place, .. } = self;
        let names_anything = user.is_some() || network.is_some() || asn.is_some() || place.is_some();
        let spot = &connection.spot;
        names_anything
            && !self.is_over(now_unix_ns)
            && user.as_ref().is_none_or(|user| user == connection.user)
            && network.is_none_or(|network| connection.remote.is_some_and(|remote| network.contains(&remote)))
            && asn.is_none_or(|asn| spot.asn == Some(asn))
            && place.as_deref().is_none_or(|place| [spot.place, spot.country].contains(&Some(place)))
    }
}

#[cfg(test)]
mod tests {
    use insight::detect::Spot;

    use super::*;

    #[test]
    fn an_exclusion_holds_for_what_has_all_that_it_names_until_it_ends() {
        let connection = Connection {
            user: "alice",
            remote: Some("192.0.2.7".parse().unwrap()),
            spot: Spot { country: Some("FR"), place: Some("Lyon, FR"), asn: Some(64500), ..Spot::default() },
            ..Connection::default()
        };
        let until = Exclusion { until_unix_s: 100, ..Exclusion::default() };
        let network = |network: &str| Some(network.parse().unwrap());
        for (exclusion, holds) in [
            (until.clone(), false),
            (Exclusion { user: Some("alice".into()), ..until.clone() }, true),
            (Exclusion { user: Some("bob".into()), ..until.clone() }, false),
            (Exclusion { network: network("192.0.2.0/24"), ..until.clone() }, true),
            (Exclusion { network: network("198.51.100.0/24"), ..until.clone() }, false),
            (Exclusion { asn: Some(64500), ..until.clone() }, true),
            (Exclusion { asn: Some(64501), ..until.clone() }, false),
            (Exclusion { place: Some("FR".into()), ..until.clone() }, true),
            (Exclusion { place: Some("Lyon, FR".into()), ..until.clone() }, true),
            (Exclusion { place: Some("DE".into()), ..until.clone() }, false),
            (Exclusion { user: Some("alice".into()), asn: Some(64501), ..until.clone() }, false),
        ] {
            let detecting = Detecting { exclusions: vec![exclusion.clone()], ..Detecting::default() };
            assert_eq!(detecting.excludes(&connection, 99_000_000_000), holds, "{exclusion:?}");
            assert!(!detecting.excludes(&connection, 100_000_000_000), "{exclusion:?}");
        }
    }
}
