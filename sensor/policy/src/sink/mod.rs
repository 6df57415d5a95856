//! Sinks: where messages go, which, and how they are written.
//!
//! | file | what lives there |
//! |---|---|
//! | `trust` | whom to trust |
//! | `mail` | letters |

mod mail;
mod trust;

use std::{fmt, path::PathBuf, time::Duration};

use insight::detect::Severity;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use mail::{MailSettings, Mailbox, mailbox};
pub use trust::Trust;

/// A secret of a sink: wiped from memory when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes octets as a secret.
    pub fn new(octets: Vec<u8>) -> Secret {
        Secret(Zeroizing::new(octets))
    }

    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// One sink.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Its name, and that of its spool's folder: letters, digits, `-` and `_`.
    pub name: String,
    /// Where messages go.
    pub target: Target,
    /// How they are written.
    pub format: Format,
    /// Which sorts of them.
    pub what: Vec<Kind>,
    /// Alerts and health messages that are less urgent are not sent.
    pub min_severity: Severity,
    /// Where its spool ends.
    pub limits: Limits,
}

impl Settings {
    /// Whether a message of this sort and severity is for this sink.
    pub fn wants(&self, kind: Kind, severity: Severity) -> bool {
        self.what.contains(&kind) && (kind == Kind::Connection || severity >= self.min_severity)
    }

    /// How urgent alerts are at least that are for this sink; none: it is for no alerts.
    pub fn least_alert(&self) -> Option<Severity> {
        self.what.contains(&Kind::Alert).then_some(self.min_severity)
    }
}

/// Where messages go.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// Lines at the end of a file.
    File {
        /// Which.
        path: PathBuf,
    },
    /// A stream to a syslog receiver.
    Syslog {
        /// Host and port.
        address: String,
        /// Over TLS, and whom to trust; none: in the clear.
        tls: Option<Trust>,
    },
    /// POST requests.
    Webhook {
        /// Where to.
        url: String,
        /// Whom to trust.
        trust: Trust,
        /// What requests are signed with; none: they are not.
        secret: Option<Secret>,
    },
    /// Letters.
    Mail(MailSettings),
}

impl Target {
    /// Its name in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Target::File { .. } => "file",
            Target::Syslog { .. } => "syslog",
            Target::Webhook { .. } => "webhook",
            Target::Mail(_) => "mail",
        }
    }
}

/// The sorts of messages, as `what` of a sink names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `alerts`: a connection is not usual.
    Alert,
    /// `connections`: each that begins, goes on, ends.
    Connection,
    /// `health`: something keeps the product from its work.
    Health,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Alert, Kind::Connection, Kind::Health];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Alert => "alerts",
            Kind::Connection => "connections",
            Kind::Health => "health",
        }
    }
}

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Format {
    /// OCSF, one JSON object.
    Ocsf,
    /// CEF, one line.
    Cef,
    /// JSON with our own members, one object.
    Json,
    /// A subject, a line end, and sentences.
    Text,
}

impl Format {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Format::Ocsf => "ocsf",
            Format::Cef => "cef",
            Format::Json => "json",
            Format::Text => "text",
        }
    }
}

/// Where a spool ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Older messages fall out.
    pub max_age: Duration,
    /// Octets of all its files together; when there is no more room the oldest messages fall out.
    pub max_bytes: u64,
    /// Octets of the disk that are the journal's to keep free (`journal.free_reserve`): when less is free, little waits.
    pub free_reserve_bytes: u64,
}

impl Default for Limits {
    /// Seven days, 2 GiB; 1 GiB kept free.
    fn default() -> Limits {
        Limits { max_age: Duration::from_secs(7 * 86_400), max_bytes: 2 << 30, free_reserve_bytes: 1 << 30 }
    }
}
