//! Every threshold, with its reason: the `[detect]` table of the configuration. Whatever is written there, nothing
//! panics and no score is infinite: each detection limits what it computes.

use serde::{Deserialize, Serialize};

use crate::profile::Learning;

pub use model::Model;

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

mod model;

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
        /// learned. And from `alert_score` and `alert_score_one_group` on, as of others. 7: on the evaluation's tuning set two
        /// of 11,473 genuine connections of such users are told of for this alone, and 110 attackers. 100: such users are left
        /// to the rules.
        pub alert_score_unlearned: f64 = 7.0,
        /// With fewer users who are remembered (for 180 days), what everybody does says too little of one who is not
        /// learned. 50, an estimate: below it, the first of a town or a provider is somebody every other week.
        pub population_users_min: u32 = 50,
        /// Severity high from here on. 13: two groups that could hardly be newer.
        pub high_score: f64 = 13.0,
        /// Reasons are told from this logarithm on. 0.7: twice as likely an attacker's.
        pub reason_log_ratio: f64 = 0.7,
        /// The device is new, so that `alert_score` holds and not `alert_score_one_group`, from this logarithm on. 1: three
        /// times as likely an attacker's.
        pub device_log_ratio: f64 = 1.0,
        /// Or client software, which speaks where no device is told. 0.9: above what the first ones of an update have.
        pub software_log_ratio: f64 = 0.9,
        /// What is left of the score of a Start that is as the one that was told. 0.25: it is an alert still and folds into
        /// the open one, but is not the first of each morning.
        pub repeated_part: f64 = 0.25,
        /// A device, a place, a network is the user's own for rules after so many of the thirty days with it. 2: once may be
        /// the stranger.
        pub usual_days: u32 = 2,
        /// Impossible travel: faster than this, kilometres an hour. 900: airliners cruise at it, and door to door is slower.
        pub travel_kmh: f64 = 900.0,
        /// And farther than this after both radii are taken off, kilometres. 500: databases err by that in one region.
        pub travel_km_min: f64 = 500.0,
        /// What impossible travel adds to the score, and so do simultaneous sessions. 4: fifty times, since nobody can be
        /// in two places.
        pub weight_of_travel: f64 = 4.0,
        /// The same with a device that the user has, which raises no alert. 1.5: a VPN of one's own, a phone that roams, an
        /// error of the database are more frequent than a copied device.
        pub weight_of_travel_known_device: f64 = 1.5,
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
        /// What such a change adds to the score. 3.5: less than travel, since clients roam.
        pub weight_of_change: f64 = 3.5,
        /// Without interims an open session is believed for so long after its last sign of life, where the score asks
        /// whether the user is connected elsewhere. Ten hours: a working day.
        pub open_s: u32 = 36_000,
        /// What follows a shorter session is not counted for the rhythm. Five minutes: a line that flaps all day is none.
        pub flap_s: u32 = 300,
        /// A user is learned so long after the first connection; before, only a score from `alert_score_unlearned` on raises an alert, under a name of its own. 30 days: what users of
        /// Microsoft's product know; with less of a past a score is noise. The past that a score goes by is of thirty days,
        /// however long this is.
        pub learning_days: u16 = 30,
        /// And if there were so many connections in the last 30 days. 5: as there; somebody who hardly comes has no habits.
        pub learning_connections_min: u32 = 5,
        /// What is new for the whole organisation waits so long after the first connection. 14 days: by then the usual
        /// countries were there.
        pub organisation_learning_days: u16 = 14,
        /// What a first country of the organisation adds to the score. 0.5: a country that is new to the user weighs there
        /// already.
        pub weight_of_first_country: f64 = 0.5,
        /// How much is new just now, and after how long people come back, is counted of users who had so many of the thirty
        /// days. 3: before, everything is new.
        pub counted_days: u32 = 3,
        /// That no device is told counts as new there where less than this part of the user's connections told none. 0.1,
        /// an estimate.
        pub deviceless_part: f64 = 0.1,
        /// A new device in a new network is told after so many of the thirty days with a device and with a network. 5:
        /// before, everything is new.
        pub new_pair_days: u32 = 5,
        /// Not where so many users began to use that network today or yesterday. 5: a move of many, not one stranger.
        pub new_pair_users: u32 = 5,
        /// What both at once add to the score. 0.5: each weighs there already.
        pub weight_of_new_pair: f64 = 0.5,
        /// A network with cover that this share of the users have is one of the organisation's own: cloud desktops, security
        /// gateways. 0.05, an estimate: one in
        /// twenty does not rent servers by chance.
        pub own_cover_share: f64 = 0.05,
        /// And so many users at least. 5: a small company is not to be fooled by one person.
        pub own_cover_users: u32 = 5,
        /// Somebody is dormant after so long without a connection. 45 days: longer than holidays are.
        pub dormant_days: u16 = 45,
        /// What somebody who is back adds to the score. 2.5: twelve times; accounts that nobody misses are those that are
        /// used.
        pub weight_of_dormant: f64 = 2.5,
        /// The same in the network or with the device of before, which raises no alert. 0.5: people come back from leave.
        pub weight_of_dormant_known: f64 = 0.5,
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
        /// What an unusual volume or length adds to the score. 1.5: what it means depends on what the user does.
        pub weight_of_spread: f64 = 1.5,
        /// One address, many users: so many users to whom its part of the network is new, on devices that are new to them or
        /// not known, within `users_per_address`. 4: three colleagues with new laptops share a hotel now and then.
        pub users_per_address_min: u32 = 4,
        /// And so many times the most that the address had before. 3, an estimate: shared addresses grow
        /// with the staff.
        pub users_per_address_times: f64 = 3.0,
        /// Within so many days, today among them; who came so long before is listed in the alert, too. 2: long enough for
        /// somebody who tries slowly, short enough for a hotel.
        pub users_per_address_days: u16 = 2,
        /// It is told again at so many times the users it was told with, and of high severity from so many times on of what
        /// it takes. 2: seven notices for an address of 256 users.
        pub users_per_address_again: f64 = 2.0,
        /// What one of many users of an address adds to the score. 2: seven times; whoever is told of is the address.
        pub weight_of_users_per_address: f64 = 2.0,
        /// Stops without a Start in one hour at one VPN server. 20: a restart of a small one loses fewer.
        pub stops_per_hour_min: u32 = 20,
        /// And so many times the most of an hour before. 5, an estimate.
        pub stops_times: f64 = 5.0,
        /// What was the most of an hour halves within so many days. 7: a bad hour is forgotten in a month.
        pub stops_halved_days: u16 = 7,
        /// A VPN server is learned for so long, and so long after a gap of ours nothing is said. A day: sessions that
        /// began before we listened end within it.
        pub stops_learning_s: u32 = 86_400,
        /// So long without a record and without a tick is a gap of ours. 15 minutes: while the service runs and nothing comes,
        /// a tick does every half minute.
        pub stops_gap_s: u32 = 900,
        /// What Stops without a Start add to the score. 3: twenty times; few VPN servers lose so many Starts at once.
        pub weight_of_stops: f64 = 3.0,
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
