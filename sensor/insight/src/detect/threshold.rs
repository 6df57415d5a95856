//! Every threshold, with its reason: the `[detect]` table of the configuration. Whatever is written there, nothing
//! panics and no score is infinite: each detection limits what it computes.

use serde::{Deserialize, Serialize};

use crate::profile::Learning;

/// A struct whose fields have their default behind them, and whose comments can be asked for: the documentation of the
/// configuration says what stands here.
macro_rules! with_reasons {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[doc = $reason:literal])+ pub $field:ident: $type:ty = $default:expr,)+
    }) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[doc = $reason])+ pub $field: $type,)+
        }

        impl Default for $name {
            fn default() -> $name {
                $name { $($field: $default,)+ }
            }
        }

        impl $name {
            /// Each field by its name, with what it does and why its default is what it is.
            pub const REASONS: &[(&str, &str)] = &[$((stringify!($field), concat!($($reason),+).trim_ascii()),)+];
        }
    };
}

with_reasons! {
    /// When detections speak. Scores are natural logarithms of likelihood ratios: 2.3 is ten times likelier an attacker's.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct Thresholds {
        /// A learned user's connection is suspicious from this score on, if the device is new. 6.2: a
        /// laptop that is new (about 7, once in three years) stays below where the part of the network at home is known
        /// (about -3), so that what comes near one alert for a thousand users a day is a new device in a new place. Chosen on
        /// the evaluation's tuning set: below it, down to 3.2, were four in ten of the alerts in genuine use and one attack in
        /// twenty.
        pub alert_score: f64 = 6.2,
        /// The same, if only one of place and device speaks: VPN servers that send no device cannot tell a holiday from an
        /// attack. 8: above a new country alone (at most 7), below a new country in a hosting network.
        pub alert_score_one_group: f64 = 8.0,
        /// A user who is not learned yet is compared with everybody: suspicious from this score on, once the organisation is
        /// learned. 7: on the evaluation's tuning set three of 11,473 connections of such users reach it in genuine use, and
        /// 114 attackers whom nothing else tells of. 100: such users are left to the rules.
        pub alert_score_unlearned: f64 = 7.0,
        /// With fewer users within thirty days, what everybody does says too little of one who is not learned. 50, an estimate:
        /// below it, the first of a town or a provider is somebody every other week.
        pub population_users_min: u32 = 50,
        /// Severity high from here on. 13: two groups that could hardly be newer.
        pub high_score: f64 = 13.0,
        /// Reasons are told from this logarithm on. 0.7: twice as likely an attacker's.
        pub reason_log_ratio: f64 = 0.7,
        /// Impossible travel: faster than this, kilometres an hour. 900: airliners cruise at it, and door to door is slower.
        pub travel_kmh: f64 = 900.0,
        /// And farther than this after both radii are taken off, kilometres. 500: databases err by that in one region.
        pub travel_km_min: f64 = 500.0,
        /// Clocks of VPN servers may differ by so much. 300 seconds: five minutes, as Kerberos allows.
        pub clock_skew_s: u32 = 300,
        /// Addresses of one provider or device that follow each other faster than this are one line: IPv4 and IPv6 of it
        /// are placed differently. 900 seconds, an estimate.
        pub dual_stack_s: u32 = 900,
        /// Simultaneous sessions: farther apart than this after both radii are taken off, kilometres. 100: nobody is in two
        /// towns at once.
        pub simultaneous_km_min: f64 = 100.0,
        /// An open session without a sign of life for so long is no proof that somebody is there. 1200 seconds: two
        /// interims of ten minutes. Many ends are never told.
        pub alive_s: u32 = 1200,
        /// An address change within a session is told from this distance on, kilometres. 300: a phone that leaves the house
        /// shows up where its provider has its exits.
        pub change_km_min: f64 = 300.0,
        /// A user is learned so long after the first connection; before, no score raises an alert. 30 days: what users of
        /// Microsoft's product know; with less of a past a score is noise. The past that a score goes by is of thirty days,
        /// however long this is.
        pub learning_days: u16 = 30,
        /// And if there were so many connections in the last 30 days. 5: as there; somebody who hardly comes has no habits.
        pub learning_connections_min: u32 = 5,
        /// What is new for the whole organisation waits so long after the first connection. 14 days: by then the usual
        /// countries were there.
        pub organisation_learning_days: u16 = 14,
        /// A network with cover that this share of the users have is one of the organisation's own: cloud desktops, security
        /// gateways. 0.05, an estimate: one in
        /// twenty does not rent servers by chance.
        pub own_cover_share: f64 = 0.05,
        /// And so many users at least. 5: a small company is not to be fooled by one person.
        pub own_cover_users: u32 = 5,
        /// Somebody is dormant after so long without a connection. 45 days: longer than holidays are.
        pub dormant_days: u16 = 45,
        /// Unusual volume: so many times what nine in ten connections have. 10, an estimate: another order of
        /// magnitude.
        pub volume_times: f64 = 10.0,
        /// And this at least. 5 GB: below it a backup or an update will do.
        pub volume_octets_min: u64 = 5_000_000_000,
        /// Unusual length: so many times what nine in ten have. 6, an estimate.
        pub length_times: f64 = 6.0,
        /// And this at least. Two days: people forget to disconnect over night.
        pub length_seconds_min: u64 = 172_800,
        /// Volumes and lengths are learned after so many connections that ended. 10: half of what is kept.
        pub spread_connections_min: u8 = 10,
        /// One address, many users: so many users to whom its part of the network is new, on devices that are new to them or
        /// not known, within two days. 4: three colleagues with new laptops share a hotel now and then.
        pub users_per_address_min: u32 = 4,
        /// And so many times the most that the address had before. 3, an estimate: shared addresses grow
        /// with the staff.
        pub users_per_address_times: f64 = 3.0,
        /// Stops without a Start in one hour at one VPN server. 20: a restart of a small one loses fewer.
        pub stops_per_hour_min: u32 = 20,
        /// And so many times the most of an hour before. 5, an estimate.
        pub stops_times: f64 = 5.0,
        /// A VPN server is learned for so long, and so long after a gap of ours nothing is said. A day: sessions that
        /// began before we listened end within it.
        pub stops_learning_s: u32 = 86_400,
        /// The model behind the score.
        pub model: Model = Model::default(),
    }
}

impl Thresholds {
    /// From when on a user is learned.
    pub fn learning(&self) -> Learning {
        Learning { days: self.learning_days, connections_min: self.learning_connections_min }
    }
}

with_reasons! {
    /// What the likelihood ratio assumes of people and of attackers; see `score`. `novelty_*`: about so many new values a
    /// user brings before the first is seen twice (the concentration of a Dirichlet process): the greater, the less a new
    /// value says. `attacker_*`: how likely an attacker is to have what this user has.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct Model {
        /// How often users bring a new country. 0.15: of a thousand days one or two in a new one.
        pub novelty_country: f64 = 0.15,
        /// A new place. 0.5: hotels, trains, friends.
        pub novelty_place: f64 = 0.5,
        /// A new network. 0.3: one every three months.
        pub novelty_network: f64 = 0.3,
        /// A new part of a network. 0.5: the line at home gets another prefix now and then; those that get one daily are
        /// seen to.
        pub novelty_prefix: f64 = 0.5,
        /// A new device. 0.15: one every few years, and phones.
        pub novelty_device: f64 = 0.15,
        /// New client software. 0.5: updates.
        pub novelty_software: f64 = 0.5,
        /// A new VPN server. 0.3: gateways are added and fail over.
        pub novelty_server: f64 = 0.3,
        /// An attacker is in the user's country so often: those who know whom they attack go through a VPN there. 0.6, an
        /// estimate.
        pub attacker_country: f64 = 0.6,
        /// In the same town, of those in the country. 0.3, an estimate.
        pub attacker_place: f64 = 0.3,
        /// In the same network, of those in the country. 0.85: whoever knows whom they attack takes the same provider, so that
        /// a known one says next to nothing; on the evaluation's tuning set more of them are found than with 0.35.
        pub attacker_network: f64 = 0.85,
        /// In the same /24 or /48. 0.02: a neighbour, a cloned router.
        pub attacker_prefix: f64 = 0.02,
        /// With the same device, stolen or copied. 0.03, an estimate.
        pub attacker_device: f64 = 0.03,
        /// Tells no device, where the user's connections do: other software does not. 0.5, an estimate.
        pub attacker_no_device: f64 = 0.5,
        /// Begins while the user is connected. 0.5: people work for a third of the day, and attackers come more often then.
        pub attacker_while_open: f64 = 0.5,
        /// What the device weighs. 1.6: it does not depend on the place, which several features tell of; chosen on the
        /// evaluation's tuning set, where 1 finds fewer of those who know the place.
        pub weight_of_device: f64 = 1.6,
        /// What client software weighs. 0.3: half of an organisation gets another version within days, and attackers have the
        /// usual one; chosen on the evaluation's tuning set.
        pub weight_of_software: f64 = 0.3,
        /// What the time since the user's last sign of life weighs (see `rhythm`). 1.2, chosen on the evaluation's tuning
        /// set; where it speaks against an attacker three quarters of that: soon after can be imitated.
        pub weight_of_away: f64 = 1.2,
        /// What it says that software is not what the user had the last time, but before: logarithm. 0.8: twice as likely; who
        /// has two devices has that often, who got an update does not go back. Chosen on the evaluation's tuning set.
        pub software_back: f64 = 0.8,
        /// The same of a part of a network. 1.6: lines that get another address do not go back to the old one, while a
        /// stranger who was not noticed comes again. Chosen on the evaluation's tuning set.
        pub prefix_back: f64 = 1.6,
        /// Most that a new country says where the network is known. 0.7: providers seldom span countries, databases err.
        pub country_of_known_network: f64 = 0.7,
        /// What it says that a user of whom next to nothing is known is in a country where less than one in two hundred users
        /// is: logarithm. 1.5, of users without any day; none after five days. Chosen on the evaluation's tuning set.
        pub country_of_nobody: f64 = 1.5,
        /// What the hour says as one of the day, close to others or not, beside whether there was any within the hour.
        /// 0.5, chosen on the evaluation's tuning set.
        pub weight_of_time_of_day: f64 = 0.5,
        /// What the hour and an open session weigh against place and device. 1.5: place and device are told by several features
        /// that depend on each other and so count too much. On the evaluation's tuning set 2 finds a little more; on
        /// organisations made by another generator, in which many have a phone beside the laptop, 1 does.
        pub weight_of_others: f64 = 1.5,
        /// How much likelier an attacker is to be in a hosting network than somebody who never was: logarithm. 5: a hundred
        /// and fifty times.
        pub cover_hosting: f64 = 5.0,
        /// In an anonymiser. 6: four hundred times.
        pub cover_anonymiser: f64 = 6.0,
        /// In Tor. 6.5: more than six hundred times.
        pub cover_tor: f64 = 6.5,
        /// Most that one feature speaks for an attacker. 7: a thousand times.
        pub feature_max: f64 = 7.0,
        /// Most that one feature speaks against one. 4.5: what is known can be copied.
        pub known_max: f64 = 4.5,
    }
}
