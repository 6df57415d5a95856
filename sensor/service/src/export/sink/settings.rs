//! A sink's configuration.

use std::{fmt, path::PathBuf};

use zeroize::Zeroizing;

use super::{mail, tls::Trust};
use crate::{
    alert::Severity,
    export::{
        format::{Format, Kind},
        spool::Limits,
    },
};

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
    pub(crate) fn wants(&self, kind: Kind, severity: Severity) -> bool {
        self.what.contains(&kind) && (kind == Kind::Connection || severity >= self.min_severity)
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
    Mail(mail::Settings),
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
