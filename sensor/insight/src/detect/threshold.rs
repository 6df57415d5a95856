//! Every threshold, with its reason: the `[detect]` table of the configuration. Whatever is written there, nothing
//! panics and no score is infinite: each detection limits what it computes.

use serde::{Deserialize, Serialize};

/// When detections speak. Scores are natural logarithms of likelihood ratios: 2.3 is ten times likelier an attacker's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// A learned user's connection is suspicious from this score on, if the device is new. 3.2: a
    /// laptop that is new (about 4.8, once in three years) stays below where the part of the network at home is known
    /// (about -3), so that what comes near one alert for a thousand users a day is a new device in a new place. On the
    /// evaluation's tuning set both thresholds together give 1.05 alerts for a thousand users a day in genuine use.
    pub alert_score: f64,
    /// The same, if only one of place and device speaks: VPN servers that send no device cannot tell a holiday from an
    /// attack. 7.5: above a new country alone (at most 7), below a new country in a hosting network.
    pub alert_score_one_group: f64,
    /// Severity high from here on. 11: two groups that could hardly be newer.
    pub high_score: f64,
    /// Reasons are told from this logarithm on. 0.7: twice as likely an attacker's.
    pub reason_log_ratio: f64,
    /// Impossible travel: faster than this, kilometres an hour. 900: airliners cruise at it, and door to door is slower.
    pub travel_kmh: f64,
    /// And farther than this after both radii are taken off, kilometres. 500: databases err by that in one region.
    pub travel_km_min: f64,
    /// Clocks of VPN servers may differ by so much, seconds. 300: five minutes, as Kerberos allows.
    pub clock_skew_s: u32,
    /// Addresses of one provider or device within so many seconds of each other are one line: IPv4 and IPv6 of it are
    /// placed differently. 900.
    pub dual_stack_s: u32,
    /// Simultaneous sessions: farther apart than this after both radii are taken off, kilometres. 100.
    pub simultaneous_km_min: f64,
    /// An open session without a sign of life for so long is no proof that somebody is there, seconds. 1200: two interims
    /// of ten minutes. Many ends are never told.
    pub alive_s: u32,
    /// An address change within a session is told from this distance on, kilometres. 300: a phone that leaves the house
    /// shows up where its provider has its exits.
    pub change_km_min: f64,
    /// What is new for the whole organisation waits so many days after the first connection. 14: by then the usual
    /// countries were there.
    pub organisation_learning_days: u16,
    /// A network with cover that this share of the users have is one of the organisation's own: cloud desktops, security
    /// gateways. 0.05.
    pub own_cover_share: f64,
    /// And so many users at least. 5: a small company is not to be fooled by one person.
    pub own_cover_users: u32,
    /// Somebody is dormant after so many days without a connection. 45: longer than holidays are.
    pub dormant_days: u16,
    /// Unusual volume: so many times what nine in ten connections have. 10.
    pub volume_times: f64,
    /// And this at least, octets. 5 GB: below it a backup or an update will do.
    pub volume_octets_min: u64,
    /// Unusual length: so many times what nine in ten have. 6.
    pub length_times: f64,
    /// And this at least, seconds. Two days: people forget to disconnect over night.
    pub length_seconds_min: u64,
    /// Volumes and lengths are learned after so many connections that ended. 10: half of what is kept.
    pub spread_connections_min: u8,
    /// One address, many users: so many users to whom its part of the network is new, on devices that are new to them or
    /// not known, within two days. 4: three colleagues with new laptops share a hotel now and then.
    pub users_per_address_min: u32,
    /// And so many times the most that the address had before. 3.
    pub users_per_address_times: f64,
    /// Stops without a Start in one hour at one VPN server. 20: a restart of a small one loses fewer.
    pub stops_per_hour_min: u32,
    /// And so many times the most of an hour before. 5.
    pub stops_times: f64,
    /// A VPN server is learned for so long, and so long after a gap of ours nothing is said, seconds. A day: sessions that
    /// began before we listened end within it.
    pub stops_learning_s: u32,
    /// The model behind the score.
    pub model: Model,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds {
            alert_score: 3.2,
            alert_score_one_group: 7.5,
            high_score: 11.0,
            reason_log_ratio: 0.7,
            travel_kmh: 900.0,
            travel_km_min: 500.0,
            clock_skew_s: 300,
            dual_stack_s: 900,
            simultaneous_km_min: 100.0,
            alive_s: 1200,
            change_km_min: 300.0,
            organisation_learning_days: 14,
            own_cover_share: 0.05,
            own_cover_users: 5,
            dormant_days: 45,
            volume_times: 10.0,
            volume_octets_min: 5_000_000_000,
            length_times: 6.0,
            length_seconds_min: 172_800,
            spread_connections_min: 10,
            users_per_address_min: 4,
            users_per_address_times: 3.0,
            stops_per_hour_min: 20,
            stops_times: 5.0,
            stops_learning_s: 86_400,
            model: Model::default(),
        }
    }
}

/// What the likelihood ratio assumes of people and of attackers; see `score`. `novelty_*`: about so many new values a
/// user brings before the first is seen twice (the concentration of a Dirichlet process): the greater, the less a new
/// value says. `attacker_*`: how likely an attacker is to have what this user has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// 0.15: of a thousand days one or two in a new country.
    pub novelty_country: f64,
    /// 0.5: hotels, trains, friends.
    pub novelty_place: f64,
    /// 0.3: a new network every three months.
    pub novelty_network: f64,
    /// 0.5: the line at home gets another prefix now and then; those that get one daily are seen to.
    pub novelty_prefix: f64,
    /// 0.15: a new device every few years, and phones.
    pub novelty_device: f64,
    /// 0.5: updates.
    pub novelty_software: f64,
    /// 0.3: gateways are added and fail over.
    pub novelty_server: f64,
    /// In the user's country: those who know whom they attack go through a VPN there. 0.6.
    pub attacker_country: f64,
    /// In the same town, of those in the country. 0.3.
    pub attacker_place: f64,
    /// In the same network, of those in the country. 0.35.
    pub attacker_network: f64,
    /// In the same /24 or /48. 0.02: a neighbour, a cloned router.
    pub attacker_prefix: f64,
    /// With the same device, stolen or copied. 0.03.
    pub attacker_device: f64,
    /// Tells no device, where the user's connections do: other software does not. 0.5.
    pub attacker_no_device: f64,
    /// Begins while the user is connected. 0.35: people work for a third of the day.
    pub attacker_while_open: f64,
    /// What the hour and an open session weigh against place and device. 2: place and device are told by several features
    /// that depend on each other and so count too much; a logistic regression on the evaluation's tuning set gave these
    /// two to four times the weight of those, and of 1, 2 and 3 the recall was best at 2.
    pub weight_of_others: f64,
    /// How much likelier an attacker is to be in a hosting network than somebody who never was: logarithm. 3.5: thirty
    /// times.
    pub cover_hosting: f64,
    /// In an anonymiser. 4.5: ninety times.
    pub cover_anonymiser: f64,
    /// In Tor. 5.5: two hundred and fifty times.
    pub cover_tor: f64,
    /// Most that one feature speaks for an attacker. 7: a thousand times.
    pub feature_max: f64,
    /// Most that one feature speaks against one. 4.5: what is known can be copied.
    pub known_max: f64,
}

impl Default for Model {
    fn default() -> Model {
        Model {
            novelty_country: 0.15,
            novelty_place: 0.5,
            novelty_network: 0.3,
            novelty_prefix: 0.5,
            novelty_device: 0.15,
            novelty_software: 0.5,
            novelty_server: 0.3,
            attacker_country: 0.6,
            attacker_place: 0.3,
            attacker_network: 0.35,
            attacker_prefix: 0.02,
            attacker_device: 0.03,
            attacker_no_device: 0.5,
            attacker_while_open: 0.35,
            weight_of_others: 2.0,
            cover_hosting: 3.5,
            cover_anonymiser: 4.5,
            cover_tor: 5.5,
            feature_max: 7.0,
            known_max: 4.5,
        }
    }
}
