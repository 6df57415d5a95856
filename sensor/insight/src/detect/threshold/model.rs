//! What the likelihood ratio assumes of people and of attackers.

use serde::{Deserialize, Serialize};

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
        /// Begins in one hour of the week or next to it. 0.2: half of them come when others work.
        pub attacker_hour: f64 = 0.2,
        /// Is in a country by chance that nobody else is in. 0.01: orders of magnitude here and below; what is rarer than
        /// that is rare for everybody.
        pub attacker_new_country: f64 = 0.01,
        /// In such a town. 0.02: there are more that nobody is in.
        pub attacker_new_place: f64 = 0.02,
        /// In such a network. 0.02: as for towns.
        pub attacker_new_network: f64 = 0.02,
        /// Has software that nobody else has. 0.3: a browser or a free client is soon installed.
        pub attacker_new_software: f64 = 0.3,
        /// Comes through a VPN server that nobody else comes through. 0.2: there are few.
        pub attacker_new_server: f64 = 0.2,
        /// What how usual a new value is for all weighs of a user with a long history. 0.5: who a user is says more than who
        /// all are; without a history it weighs 1.
        pub weight_of_all: f64 = 0.5,
        /// Most that takes from what a new value says, where many have it. 3: twenty times.
        pub usual_for_all_max: f64 = 3.0,
        /// Most that it adds, where nobody has it. 2.5: twelve times.
        pub unknown_to_all_max: f64 = 2.5,
        /// Users who begin to use a value today or yesterday, from which on it may be a move of many. 4: three may be chance
        /// or an attack.
        pub move_users: f64 = 4.0,
        /// What such a move takes grows with so many times its share of all that is new. 20: half of it takes 2.4.
        pub move_times: f64 = 20.0,
        /// Connections that stand for an ordinary time without anything new, where it is counted how much is new in these
        /// hours. 50: the first of a morning do not count as all.
        pub calm_connections: f64 = 50.0,
        /// What the device weighs. 1.6: it does not depend on the place, which several features tell of; chosen on the
        /// evaluation's tuning set, where 1 finds fewer of those who know the place.
        pub weight_of_device: f64 = 1.6,
        /// What client software weighs. 0.3: half of an organisation gets another version within days, and attackers have the
        /// usual one; chosen on the evaluation's tuning set.
        pub weight_of_software: f64 = 0.3,
        /// Most that new software says on a known device, before that weight. 1: it is an update.
        pub software_known_device_max: f64 = 1.0,
        /// What it weighs on a new device. 0.3: the device has said it.
        pub weight_of_software_new_device: f64 = 0.3,
        /// What it weighs where no device is told and another version of it is known. 0.5: an update, as often as not.
        pub weight_of_software_update: f64 = 0.5,
        /// What others who have a new device take: so many times the logarithm of one more than they are. 0.7: a kiosk, a
        /// shared laptop is of the organisation, whoever has it.
        pub weight_of_shared_device: f64 = 0.7,
        /// And this at most. 2.5: twelve times.
        pub shared_device_max: f64 = 2.5,
        /// Most that it says that no device is told, the less the fewer days the user has. 4.5: as much as what is known
        /// speaks against one.
        pub no_device_max: f64 = 4.5,
        /// What a new VPN server weighs. 0.3: people are moved from one to another.
        pub weight_of_server: f64 = 0.3,
        /// Most that a new one says. 1: as weak.
        pub new_server_max: f64 = 1.0,
        /// Most that a known one says, either way. 0.25: next to nothing.
        pub known_server_max: f64 = 0.25,
        /// What the time since the user's last sign of life weighs (see `rhythm`). 1.2, chosen on the evaluation's tuning
        /// set; where it speaks against an attacker three quarters of that: soon after can be imitated.
        pub weight_of_away: f64 = 1.2,
        /// What it weighs of that where it speaks against an attacker. 0.75: see there.
        pub weight_of_away_against: f64 = 0.75,
        /// Most that it says before its weight, either way. 3: twenty times.
        pub away_max: f64 = 3.0,
        /// It says nothing before so many connections of all users were counted. 100: of fewer it is chance.
        pub away_connections_min: u32 = 100,
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
        /// Where less than this share of the users is, nobody is. 0.005: one in two hundred.
        pub country_of_nobody_share: f64 = 0.005,
        /// So many days are a history, of which a part takes the same part of it. 5: a working week.
        pub country_of_nobody_days: u32 = 5,
        /// What the town weighs. 0.5: the network has said the rest.
        pub weight_of_place: f64 = 0.5,
        /// What a new town weighs in a region that the user has. 0.25: half of that.
        pub weight_of_place_in_region: f64 = 0.25,
        /// What it weighs that a new part of a known network is near one that the user has, or far: its leading bits that are
        /// the same. 1: the curve as it was chosen; 0 where your users' providers assign addresses from anywhere.
        pub weight_of_nearness: f64 = 1.0,
        /// What others who have the part of the network take: so many times the logarithm of one more than they are. 0.5: a
        /// branch, a hotel where colleagues stay.
        pub weight_of_colleagues: f64 = 0.5,
        /// And this at most. 2: seven times.
        pub colleagues_max: f64 = 2.0,
        /// Of the days with IPv4 in a network one in so many speaks against a first address of IPv6 there, and the other way
        /// round. 10: providers give both, and which is taken changes from one connection to the next.
        pub other_family_days: u32 = 10,
        /// What the hour says as one of the day, close to others or not, beside whether there was any within the hour.
        /// 0.5, chosen on the evaluation's tuning set.
        pub weight_of_time_of_day: f64 = 0.5,
        /// All users' hours stand for so many connections of the user's there. 4: hours are many and days few.
        pub hours_of_all: f64 = 4.0,
        /// Most that it says. 3: twenty times.
        pub time_of_day_max: f64 = 3.0,
        /// Most that an hour says which is none of the user's on that day of the week, before its weight. 1.5: hours are many
        /// and days few.
        pub hour_max: f64 = 1.5,
        /// Most that it says against an attacker where it is one. 1: attackers come when others work, too.
        pub usual_hour_max: f64 = 1.0,
        /// That the hour is one of the user's weighs so many times what it weighs that it is none. A third more: with less,
        /// new laptops are told.
        pub weight_of_usual_hour: f64 = 4.0 / 3.0,
        /// What the hour and an open session weigh against place and device. 1.5: place and device are told by several features
        /// that depend on each other and so count too much. On the evaluation's tuning set 2 finds a little more; on
        /// organisations made by another generator, in which many have a phone beside the laptop, 1 does.
        pub weight_of_others: f64 = 1.5,
        /// What an open session weighs of that where the device is known. 0.5: a phone and a laptop.
        pub weight_of_open_known_device: f64 = 0.5,
        /// An open session elsewhere is taken to happen to this share of connections at least. 0.025: one in forty, where ends
        /// are told.
        pub open_share_min: f64 = 0.025,
        /// How much likelier an attacker is to be in a hosting network than somebody who never was: logarithm. 5: a hundred
        /// and fifty times.
        pub cover_hosting: f64 = 5.0,
        /// In an anonymiser. 6: four hundred times.
        pub cover_anonymiser: f64 = 6.0,
        /// In Tor. 6.5: more than six hundred times.
        pub cover_tor: f64 = 6.5,
        /// What each of these loses grows with so many times the share of users who have that network. 50: one in fifty takes
        /// 0.7; cloud desktops and security gateways.
        pub cover_times: f64 = 50.0,
        /// How much less likely an attacker is to be in a new mobile network: logarithm. 0.7: half; attackers seldom are, people
        /// often.
        pub mobile: f64 = 0.7,
        /// The same of one of your own networks. 2: who is in it passed another door already.
        pub own_network: f64 = 2.0,
        /// Most that one feature speaks for an attacker. 7: a thousand times.
        pub feature_max: f64 = 7.0,
        /// Most that one feature speaks against one. 4.5: what is known can be copied.
        pub known_max: f64 = 4.5,
        /// Most that what the user has speaks for one. 2: her own things are no evidence against her.
        pub known_for_max: f64 = 2.0,
    }
}
