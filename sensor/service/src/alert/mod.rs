//! What people are told when a connection is abnormal: an alert with its evidence. Made and changed by the fold, kept in
//! the store as JSON, read by the command line, the API and the sinks of `export`. Plain data.
//!
//! | file | what lives there |
//! |---|---|
//! | `words` | what an alert says |
//! | `deciding` | what people decide is taken by the fold's holder |
//! | `decided` | what may be written, and what came of a decision |
//! | `page` | an alert in a list, and all that there is about one |

mod decided;
mod deciding;
mod page;
pub(crate) mod words;

use std::net::IpAddr;

use insight::{geo::NetworkKind, profile::Observation};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use decided::{Effect, TextError, comment_text, effect, refusal};
pub use deciding::Deciding;
pub use insight::detect::Severity;
pub(crate) use page::SeverityName;
pub use page::{AlertPage, AlertRow, Happened, Technique};

/// Connections that one alert lists; all are counted.
pub const CONNECTIONS_MAX: usize = 16;
/// Reasons that one alert lists.
pub const REASONS_MAX: usize = 32;
/// Comments of one alert: those beyond are not kept.
pub const COMMENTS_MAX: usize = 100;
/// Longest comment, octets: a page.
pub const COMMENT_OCTETS_MAX: usize = 4096;

/// One alert, as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Unlike that of every other alert of one service; counts up.
    pub number: u64,
    /// 1 when it is new; one more each time it grows or its state changes.
    pub revision: u32,
    /// The weightiest detection by its name: `suspicious-connection`.
    pub detection: String,
    /// Its title for people: `Suspicious VPN connection`.
    pub title: String,
    /// By what SIEM rules know it: 2025.
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
}

/// One usual value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Expected {
    /// `AS3320 Deutsche Telekom`.
    pub value: String,
    /// Connections within the thirty days.
    pub connections: u32,
    /// The last time, seconds since 1970 UTC.
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
    /// The user's own doing: from here on it is usual.
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
    /// Counts up without gaps; the same in a rebuilt store.
    pub sequence: u64,
    /// What is news.
    pub news: News,
    /// Over the day's bound: listed, not sent.
    pub is_held: bool,
    /// The alert as it was then.
    pub alert: Alert,
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
