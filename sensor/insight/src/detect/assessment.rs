//! What detections say: a score, and the reasons for it with their evidence. Plain data; `text` makes sentences of it.

use serde::{Deserialize, Serialize};

use crate::profile::Feature;

/// What was found; each is described in the file of its detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detection {
    /// A connection that is not like this user's others.
    SuspiciousConnection,
    /// Not like anybody's, of a user who is not learned yet.
    UnlearnedUser,
    /// Two places that nobody can be at so soon one after the other.
    ImpossibleTravel,
    /// Two places at once.
    SimultaneousSessions,
    /// Another place within one session.
    AddressChange,
    /// A country in which this user never was.
    FirstCountryForUser,
    /// A country in which nobody of the organisation was.
    FirstCountryForAll,
    /// A network that hides who uses it.
    AnonymousNetwork,
    /// Servers for rent.
    HostingNetwork,
    /// A device and a network, both new.
    NewDeviceAndNetwork,
    /// Somebody who was away for long.
    DormantUser,
    /// More data than ever.
    UnusualVolume,
    /// Longer than ever.
    UnusualLength,
    /// One address, many users.
    OneAddressManyUsers,
    /// Sessions that end without having begun.
    StopWithoutStart,
}

impl Detection {
    /// All, in the order in which they are shown.
    pub const ALL: [Detection; 15] = [
        Detection::SuspiciousConnection,
        Detection::UnlearnedUser,
        Detection::ImpossibleTravel,
        Detection::SimultaneousSessions,
        Detection::AddressChange,
        Detection::FirstCountryForUser,
        Detection::FirstCountryForAll,
        Detection::AnonymousNetwork,
        Detection::HostingNetwork,
        Detection::NewDeviceAndNetwork,
        Detection::DormantUser,
        Detection::UnusualVolume,
        Detection::UnusualLength,
        Detection::OneAddressManyUsers,
        Detection::StopWithoutStart,
    ];

    /// One word for JSON, metrics and the configuration; the same as when it is serialised.
    pub fn name(self) -> &'static str {
        match self {
            Detection::SuspiciousConnection => "suspicious-connection",
            Detection::UnlearnedUser => "unlearned-user",
            Detection::ImpossibleTravel => "impossible-travel",
            Detection::SimultaneousSessions => "simultaneous-sessions",
            Detection::AddressChange => "address-change",
            Detection::FirstCountryForUser => "first-country-for-user",
            Detection::FirstCountryForAll => "first-country-for-all",
            Detection::AnonymousNetwork => "anonymous-network",
            Detection::HostingNetwork => "hosting-network",
            Detection::NewDeviceAndNetwork => "new-device-and-network",
            Detection::DormantUser => "dormant-user",
            Detection::UnusualVolume => "unusual-volume",
            Detection::UnusualLength => "unusual-length",
            Detection::OneAddressManyUsers => "one-address-many-users",
            Detection::StopWithoutStart => "stop-without-start",
        }
    }

    /// A title for people.
    pub fn title(self) -> &'static str {
        match self {
            Detection::SuspiciousConnection => "Suspicious VPN connection",
            Detection::UnlearnedUser => "Unusual connection of a user who is not learned yet",
            Detection::ImpossibleTravel => "Impossible travel",
            Detection::SimultaneousSessions => "Sessions from distant places at the same time",
            Detection::AddressChange => "Another place within a session",
            Detection::FirstCountryForUser => "First connection from a country",
            Detection::FirstCountryForAll => "First connection of the organisation from a country",
            Detection::AnonymousNetwork => "Connection from an anonymising network",
            Detection::HostingNetwork => "Connection from a hosting network",
            Detection::NewDeviceAndNetwork => "New device in a new network",
            Detection::DormantUser => "A user who was away for long is back",
            Detection::UnusualVolume => "Unusual volume",
            Detection::UnusualLength => "Unusually long session",
            Detection::OneAddressManyUsers => "One address, many users",
            Detection::StopWithoutStart => "Sessions that end without having begun",
        }
    }

    /// The number by which SIEM rules know it: that of Microsoft Defender for Identity, for the one detection that it
    /// had.
    pub fn external_id(self) -> Option<u16> {
        (self == Detection::SuspiciousConnection).then_some(2025)
    }

    /// Whether it is told by the score, a reason for each feature that adds to it.
    pub fn is_by_score(self) -> bool {
        matches!(self, Detection::SuspiciousConnection | Detection::UnlearnedUser)
    }

    /// The detection with this name.
    pub fn named(name: &str) -> Option<Detection> {
        Detection::ALL.into_iter().find(|detection| detection.name() == name)
    }

    /// The MITRE ATT&CK tactic of the first technique, as of version 16; they change between versions.
    pub fn tactic(self) -> &'static str {
        match self {
            Detection::AnonymousNetwork | Detection::HostingNetwork => "TA0011",
            Detection::UnusualVolume | Detection::UnusualLength => "TA0010",
            Detection::OneAddressManyUsers => "TA0006",
            Detection::StopWithoutStart => "TA0040",
            _ => "TA0001",
        }
    }

    /// MITRE ATT&CK techniques, the one that fits best first.
    fn techniques(self) -> &'static [&'static str] {
        match self {
            Detection::SuspiciousConnection | Detection::UnlearnedUser => &["T1133", "T1078"],
            Detection::ImpossibleTravel
            | Detection::SimultaneousSessions
            | Detection::AddressChange
            | Detection::FirstCountryForUser
            | Detection::FirstCountryForAll
            | Detection::NewDeviceAndNetwork
            | Detection::DormantUser => &["T1078", "T1133"],
            Detection::AnonymousNetwork => &["T1090.003", "T1133"],
            Detection::HostingNetwork => &["T1090.002", "T1133"],
            Detection::UnusualVolume | Detection::UnusualLength => &["T1048", "T1133"],
            Detection::OneAddressManyUsers => &["T1110.004", "T1133"],
            Detection::StopWithoutStart => &["T1565.002"],
        }
    }
}

/// How urgent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth a line, not a look.
    #[default]
    Informational,
    /// One thing is new.
    Low,
    /// Two things that do not depend on each other are new.
    Medium,
    /// And it cannot be, or it is hidden.
    High,
}

impl Severity {
    /// All of them, the least urgent first.
    pub const ALL: [Severity; 4] = [Severity::Informational, Severity::Low, Severity::Medium, Severity::High];

    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Informational => "informational",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
        }
    }
}

/// What is usual instead: one value and how often it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// `AS3320 Deutsche Telekom`, `DE`, `LAPTOP-1`.
    pub value: String,
    /// Connections within the thirty days; 0 where not connections are counted.
    pub connections: u32,
    /// On how many of the thirty days.
    pub days: u32,
    /// The last time, seconds since 1970 UTC.
    pub last_unix_s: u32,
}

/// What was measured, where it is more than a value that is new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// Nothing.
    #[default]
    None,
    /// A distance, after both accuracy radii are taken off, and the time there was for it.
    Travel {
        /// Kilometres.
        km: u32,
        /// Seconds; 0: at once.
        seconds: u32,
    },
    /// A number and what is usual.
    Count {
        /// So many: octets, seconds, Stops.
        seen: u64,
        /// Usual are up to so many.
        usual: u64,
    },
    /// Users of an address, and what is usual.
    Users {
        /// So many.
        seen: u16,
        /// Usual are up to so many.
        usual: u16,
        /// Within so many days.
        days: u16,
    },
    /// Days of absence.
    Days(u32),
}

/// Two places between which a distance was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Way {
    /// Where the user was, at the last sign of life there.
    pub from: WayEnd,
    /// And then, at the first.
    pub to: WayEnd,
}

/// One end of a way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WayEnd {
    /// `Lyon, Rhone, FR`, or as much as is kept of a session: `FR (AS3215)`.
    pub place: String,
    /// Two letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Degrees north, to a hundredth.
    pub latitude: f64,
    /// Degrees east, to a hundredth.
    pub longitude: f64,
    /// Kilometres around the point within which the address probably is.
    pub radius_km: u16,
    /// Seconds since 1970 UTC.
    pub unix_s: u32,
}

/// How the value of a reason stands with the user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The user never had it within the thirty days; or the reason is not about a value.
    #[default]
    New,
    /// The user has it, if seldom.
    Known,
    /// The user had it and has another since.
    Left {
        /// The last time, seconds since 1970 UTC.
        last_unix_s: u32,
    },
}

/// One reason for a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// What was found.
    pub detection: Detection,
    /// In which feature; `None`: not in one.
    pub feature: Option<ReasonFeature>,
    /// What it adds to the score: the natural logarithm of how much likelier an attacker's connection is to be so than
    /// this user's.
    pub log_ratio: f64,
    /// Whose it is.
    pub user: String,
    /// What was seen, ready to be read: `AS64500 Example Hosting`.
    pub seen: String,
    /// Whether the user has that.
    pub standing: Standing,
    /// Other users who have that.
    pub users: u32,
    /// What is usual, the most usual first; at most [`EXPECTED_MAX`].
    pub expected: Vec<Expected>,
    /// What was measured.
    pub measure: Measure,
    /// Both ends of a way that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Box<Way>>,
    /// People are to be told because of this one, so urgently; `None`: it only explains. Where some reasons are excluded,
    /// what is left decides.
    pub alert: Option<Severity>,
}

/// So many usual values are named: a reader wants to know what is usual, not everything.
pub const EXPECTED_MAX: usize = 3;

impl Reason {
    /// MITRE ATT&CK techniques, the one that fits best first: many hops are Tor's, which alone among anonymisers is told of
    /// with high severity.
    pub fn techniques(&self) -> &'static [&'static str] {
        match self.detection {
            Detection::AnonymousNetwork if self.alert != Some(Severity::High) => {
                Detection::HostingNetwork.techniques()
            }
            detection => detection.techniques(),
        }
    }
}

/// What a reason is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonFeature {
    /// [`Feature::Country`].
    Country,
    /// [`Feature::Place`].
    Place,
    /// [`Feature::Network`].
    Network,
    /// [`Feature::Kinds`].
    Kinds,
    /// [`Feature::Device`].
    Device,
    /// [`Feature::Software`].
    Software,
    /// [`Feature::Server`].
    Server,
    /// [`Feature::Prefix`].
    Prefix,
    /// The hour of the week.
    Hour,
    /// How long the user was away.
    Away,
}

impl From<Feature> for ReasonFeature {
    fn from(feature: Feature) -> ReasonFeature {
        match feature {
            Feature::Country => ReasonFeature::Country,
            Feature::Place => ReasonFeature::Place,
            Feature::Network => ReasonFeature::Network,
            Feature::Kinds => ReasonFeature::Kinds,
            Feature::Device => ReasonFeature::Device,
            Feature::Software => ReasonFeature::Software,
            Feature::Server => ReasonFeature::Server,
            Feature::Prefix => ReasonFeature::Prefix,
        }
    }
}

impl ReasonFeature {
    /// All of them.
    pub const ALL: [ReasonFeature; 10] = [
        ReasonFeature::Country,
        ReasonFeature::Place,
        ReasonFeature::Network,
        ReasonFeature::Kinds,
        ReasonFeature::Device,
        ReasonFeature::Software,
        ReasonFeature::Server,
        ReasonFeature::Prefix,
        ReasonFeature::Hour,
        ReasonFeature::Away,
    ];

    /// One word for JSON.
    pub fn name(self) -> &'static str {
        match self {
            ReasonFeature::Country => "country",
            ReasonFeature::Place => "place",
            ReasonFeature::Network => "network",
            ReasonFeature::Kinds => "kinds",
            ReasonFeature::Device => "device",
            ReasonFeature::Software => "software",
            ReasonFeature::Server => "server",
            ReasonFeature::Prefix => "prefix",
            ReasonFeature::Hour => "hour",
            ReasonFeature::Away => "away",
        }
    }
}

/// What all detections together say of one connection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Higher is riskier: the sum of all logarithms of likelihood ratios, of rules too, for every user. 0: as likely an
    /// attacker's as the user's, were both equally frequent. Finite.
    pub score: f64,
    /// Why, the weightiest first. Only what speaks for an attacker and weighs something.
    pub reasons: Vec<Reason>,
    /// Whether people are to be told.
    pub is_alert: bool,
    /// How urgent, if so.
    pub severity: Severity,
    /// The user's last connection that raised an alert came from the same country and network, with the same device: all
    /// of this was told. The score is `repeated_part` of what it would be, so that who waits for an answer is not shown
    /// anew each morning; it still is an alert, to be folded into that one, and still must not be learned.
    pub is_repeat: bool,
    /// The part of the network is new to the user, and the device is new or not told: one of those whom
    /// [`Detection::OneAddressManyUsers`] counts. Not at an address that many are known to share.
    pub is_stranger: bool,
}

impl Assessment {
    /// Adds a rule's reason.
    pub(super) fn add(&mut self, reason: Reason, alert: Option<Severity>) {
        self.score += reason.log_ratio;
        self.reasons.push(Reason { alert, ..reason });
        if let Some(severity) = alert {
            self.alert(severity);
        }
    }

    /// People are to be told.
    pub(super) fn alert(&mut self, severity: Severity) {
        self.is_alert = true;
        self.severity = self.severity.max(severity);
    }

    /// Takes in what was said besides of the same session.
    pub fn merge(&mut self, other: Assessment) {
        self.score += other.score;
        self.reasons.extend(other.reasons);
        self.is_alert |= other.is_alert;
        self.severity = self.severity.max(other.severity);
    }

    /// It was told before; `part` of the score is left.
    pub(super) fn repeat(&mut self, part: f64) {
        self.is_repeat = true;
        self.score = if self.score > 0.0 { self.score * part } else { self.score };
    }

    /// The weightiest first; equal ones in the order of detections.
    pub(super) fn sort(&mut self) {
        self.reasons.sort_by(|one, other| {
            other.log_ratio.total_cmp(&one.log_ratio).then(one.detection.cmp(&other.detection))
        });
    }
}
