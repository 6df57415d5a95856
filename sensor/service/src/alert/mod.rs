//! What people are told when a connection is abnormal: an alert with its evidence. Made and changed by the fold, kept in
//! the store as JSON, read by the command line, the API and the sinks of `export`. Plain data.
//!
//! | file | what lives there |
//! |---|---|
//! | `words` | what an alert says |
//! | `deciding` | what people decide is taken by the fold's holder |
//! | `decided` | what may be written, and what came of a decision |
//! | `page` | an alert in a list, and all that there is about one |
//! | `sureness` | what its score means, in words and in three steps |

mod decided;
mod deciding;
mod page;
mod sureness;
pub(crate) mod words;

use std::{borrow::Cow, net::IpAddr};

use insight::{geo::NetworkKind, profile::Observation};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use decided::{Effect, TextError, comment_text, effect, refusal};
pub use deciding::Deciding;
use insight::detect::Line;
pub use insight::detect::Severity;
pub(crate) use page::SeverityName;
pub use page::{AlertPage, AlertRow, Happened, Technique};
pub(crate) use sureness::Confidence;

/// Connections that one alert lists; all are counted.
pub const CONNECTIONS_MAX: usize = 16;
/// Connections of a user's alert beyond those that it lists that are kept: one of each place, network and device that came
/// together. At 330 octets each, 10 KB; whoever has more of them is no user who travels.
pub(crate) const UNLISTED_MAX: usize = 32;
/// Reasons that one alert lists.
pub const REASONS_MAX: usize = 32;
/// Comments of one alert: those beyond are not kept.
pub const COMMENTS_MAX: usize = 100;
/// Longest comment, octets: a page.
pub const COMMENT_OCTETS_MAX: usize = 4096;
/// Users that an alert about an address lists: as many as detections tell apart there.
pub const USERS_MAX: usize = 256;

/// One alert, as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Unlike that of every other alert of one service; counts up.
    pub number: u64,
    /// 1 when it is new; one more each time it grows or its state changes, but for news in `held_back`: whoever floods keeps
    /// nobody from closing it.
    pub revision: u32,
    /// The weightiest detection of what was most urgent, by its name: `suspicious-connection`. It follows as the alert grows,
    /// and with it the title and what to do.
    pub detection: String,
    /// Its title for people: `Suspicious VPN connection`.
    pub title: String,
    /// By what SIEM rules know it: 2025 where it is named after the suspicious connection, and where that is among what
    /// people are told of, whatever weighs most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<u16>,
    /// How urgent.
    #[schema(value_type = SeverityName)]
    pub severity: Severity,
    /// Of the riskiest connection.
    pub score: f64,
    /// All of it in sentences, for somebody who sees such an alert for the first time.
    pub message: String,
    /// What to do about it, a sentence each.
    pub advice: Vec<String>,
    /// Key of the user whom it is about; none where it is about an address or a VPN server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The user's name as it was sent last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_original: Option<String>,
    /// The client's address that it is about, where it is about one and its many users. Of IPv6 it is about all of its /64,
    /// and this is the address with which it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// Keys of the users who came from that address, the first first; at most [`USERS_MAX`]. Empty where `user` says it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// When the first connection began, ns since 1970 UTC.
    pub first_unix_ns: u64,
    /// When the newest began, ns since 1970 UTC.
    pub last_unix_ns: u64,
    /// When it was raised or changed last, ns since 1970 UTC.
    pub changed_unix_ns: u64,
    /// Why, the weightiest first; at most [`REASONS_MAX`].
    pub reasons: Vec<Reason>,
    /// The newest connections, the newest first; at most [`CONNECTIONS_MAX`].
    pub connections: Vec<Connection>,
    /// How many there are.
    pub connection_count: u64,
    /// Open, or closed and how.
    pub state: State,
    /// What people wrote, the oldest first.
    pub comments: Vec<Comment>,
    /// News of it that is listed and was not sent, if there is any since it was told of last: beyond what one alert tells,
    /// beyond what a day sends, and of an address between two doublings of its users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back: Option<HeldBack>,
}

impl Alert {
    /// Whom or what it is about, for a line: a user, an address or a network of IPv6 with so many users; none where it is
    /// about a VPN server.
    pub fn subject(&self) -> Option<Cow<'_, str>> {
        match (&self.user, self.address) {
            (Some(user), _) => Some(Cow::Borrowed(user)),
            (None, Some(address)) => {
                Some(Cow::Owned(format!("{} ({})", Line::of(address), words::users(self))))
            }
            (None, None) => None,
        }
    }

    /// Keys of all users whom it is about.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.user.iter().chain(&self.users).map(String::as_str)
    }

    /// The user of one of its connections.
    pub fn user_of<'a>(&'a self, connection: &'a Connection) -> Option<&'a str> {
        connection.user.as_deref().or(self.user.as_deref())
    }

    /// Without one of several users, and all that names that one; `None` where nobody else is left, or the name stands
    /// where it cannot be taken out. What is counted stays so.
    pub(crate) fn without(mut self, names: impl Fn(&str) -> bool) -> Option<Alert> {
        self.users.retain(|user| !names(user));
        self.connections.retain(|connection| !connection.names(&names));
        self.reasons.retain(|reason| !is_in(reason, &names) && !has_word(&reason.text, &names));
        self.comments.retain(|comment| !is_in(comment, &names) && !has_word(&comment.text, &names));
        words::say(&mut self, &[]);
        (!self.users.is_empty() && !self.names(&names)).then_some(self)
    }

    /// Whether a person is in it.
    pub(crate) fn names(&self, names: impl Fn(&str) -> bool) -> bool {
        self.users().any(&names) || is_in(self, &names)
    }
}

/// Whether a word is a name, of those too short to be looked for in texts.
fn has_word(text: &str, names: &impl Fn(&str) -> bool) -> bool {
    text.split(|sign: char| sign.is_whitespace() || ",;:.".contains(sign)).any(names)
}

/// Whether a person's name stands in what would be written.
fn is_in(what: &impl Serialize, names: &impl Fn(&str) -> bool) -> bool {
    // Plain data can always be written.
    serde_json::to_string(what).is_ok_and(|text| names(&text))
}

/// So many pieces of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldBack {
    /// Another reason, place, network, device or user, each; that it was raised.
    pub count: u64,
    /// When the first was, ns since 1970 UTC.
    pub since_unix_ns: u64,
}

impl HeldBack {
    /// `17 pieces of news`.
    pub fn words(self) -> String {
        match self.count {
            1 => "1 piece of news".to_owned(),
            count => format!("{count} pieces of news"),
        }
    }
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// The detection's name.
    pub detection: String,
    /// What it is about: `network`; none where it is not about one feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// What was seen: `AS64500 Example Hosting`.
    pub seen: String,
    /// What is usual, the most usual first.
    pub expected: Vec<Expected>,
    /// What it adds to the score.
    pub weight: f64,
    /// In a sentence.
    pub text: String,
    /// MITRE ATT&CK techniques: `T1133`.
    pub techniques: Vec<String>,
    /// Where from and where to, of a reason that is about travel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
}

/// Two places of a user between which a distance was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Way {
    /// Where the user was, at the last sign of life there.
    pub from: WayEnd,
    /// And then, at the first.
    pub to: WayEnd,
}

/// One end of a way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WayEnd {
    /// `Lyon, Rhone, FR`, or what detections keep of a place: `FR (AS3215)`.
    pub place: String,
    /// Two letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Kilometres around the point within which the address probably is.
    pub radius_km: u16,
    /// When, seconds since 1970 UTC.
    pub unix_s: u32,
}

impl Reason {
    /// Whether both say the same of the same, however much it weighs.
    pub(crate) fn is_same(&self, other: &Reason) -> bool {
        (&self.detection, &self.feature, &self.seen) == (&other.detection, &other.feature, &other.seen)
    }
}

/// One usual value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Expected {
    /// `AS3320 Deutsche Telekom`.
    pub value: String,
    /// Connections within the thirty days; 0 where not connections are counted.
    pub connections: u32,
    /// The last time, seconds since 1970 UTC; 0 where there is none: `up to 1.2 GB`.
    pub last_unix_s: u32,
}

/// One connection of an alert: its evidence row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Connection {
    /// Number of its session in the store.
    pub session: u64,
    /// Acct-Session-Id.
    pub session_id: String,
    /// When it began, ns since 1970 UTC.
    pub start_unix_ns: u64,
    /// Key of its user, where the alert is about several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Of this connection alone.
    pub score: f64,
    /// The client's address outside the tunnel.
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// The place's name: `Lyon, Rhone, FR`.
    pub place: Option<String>,
    /// Two letters.
    pub country: Option<String>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Who runs it.
    pub organisation: Option<String>,
    /// Kinds of the network, by name: `hosting`, `tor`.
    pub kinds: Vec<String>,
    /// The device.
    pub device: Option<String>,
    /// The client software.
    pub software: Option<String>,
    /// The VPN server by its name.
    pub server: Option<String>,
    /// Its address.
    #[schema(value_type = Option<String>)]
    pub server_address: Option<IpAddr>,
}

impl Connection {
    /// Whether a person is in it.
    pub(crate) fn names(&self, names: &impl Fn(&str) -> bool) -> bool {
        self.user.as_deref().is_some_and(names) || is_in(self, names)
    }

    /// As the profile of this user would have learned it.
    pub(crate) fn observation<'a>(&'a self, user: &'a str) -> Observation<'a> {
        Observation {
            user,
            start_unix_ns: self.start_unix_ns,
            is_connection: true,
            country: self.country.as_deref(),
            place: self.place.as_deref(),
            network: self.asn,
            address: self.address,
            kinds: self.kinds.iter().filter_map(|name| NetworkKind::named(name)).collect(),
            device: self.device.as_deref(),
            software: self.software.as_deref(),
            server: self.server.as_deref(),
        }
    }
}

/// Whether an alert is done with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    /// Nobody has closed it.
    Open,
    /// Somebody did, or it was left alone for long.
    Closed {
        /// What it turned out to be.
        verdict: Verdict,
        /// Who says so: `uid 0`, a token's name.
        by: String,
        /// When, ns since 1970 UTC.
        unix_ns: u64,
    },
}

/// What an alert turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The user's own doing: from here on it is usual. Of an address: many share it, and it is not told of again.
    Usual,
    /// An attacker's: what it taught is taken back.
    Malicious,
    /// Neither was found out.
    Unclear,
}

impl Verdict {
    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Usual => "usual",
            Verdict::Malicious => "malicious",
            Verdict::Unclear => "unclear",
        }
    }
}

/// What somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Comment {
    /// Who.
    pub by: String,
    /// When, ns since 1970 UTC.
    pub unix_ns: u64,
    /// What.
    pub text: String,
}

/// What became of an alert, in the order in which it is to be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Counts up without gaps; the same in a rebuilt store. One that gathers news comes again as it grows, with the same.
    pub sequence: u64,
    /// What is news.
    pub news: News,
    /// Over a bound: listed, not sent.
    pub is_held: bool,
    /// The alert as it was then.
    pub alert: Alert,
}

impl Notice {
    /// When it happened, ns since 1970 UTC: what retention is about to take was changed long before it is closed.
    pub fn unix_ns(&self) -> u64 {
        match (self.news, &self.alert.state) {
            (News::Closed, State::Closed { unix_ns, .. }) => *unix_ns,
            _ => self.alert.changed_unix_ns,
        }
    }
}

/// What is news about an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum News {
    /// It was raised.
    New,
    /// It grew.
    Updated,
    /// It was closed.
    Closed,
}

impl News {
    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            News::New => "new",
            News::Updated => "updated",
            News::Closed => "closed",
        }
    }

    /// The news of this name.
    pub fn named(name: &str) -> Option<News> {
        [News::New, News::Updated, News::Closed].into_iter().find(|news| news.name() == name)
    }
}
