//! What an administrator sets, as plain data: the words in which portal, API and the running sensor speak of it.
//!
//! Secrets go one way: in, as [`SecretText`], which shows nowhere. What comes out says only whether there is one.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A secret on its way in: wiped from memory when dropped, never printed.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(from = "String")]
#[schema(value_type = String)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes text as a secret.
    pub fn new(text: String) -> SecretText {
        SecretText(Zeroizing::new(text))
    }

    /// The text, for whoever keeps it, and for showing a generated one once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> SecretText {
        SecretText::new(text)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretText(..)")
    }
}

/// All that can be set here, as it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct View {
    /// Of what the portal set: a change that names another one is refused.
    pub revision: String,
    /// Single values.
    pub keys: Vec<Key>,
    /// Clients, sites, sinks, exclusions.
    pub entries: Vec<Entry>,
    /// Keys that differ from what the sensor was started with and are taken at its next start.
    pub restart_needed: Vec<String>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Key {
    /// Its dotted name, as the configuration file has it.
    pub key: String,
    /// The page it stands on.
    pub page: Page,
    /// How it is written.
    pub kind: Kind,
    /// What is in force, as it is written.
    pub value: String,
    /// What holds where nobody sets it.
    pub default: String,
    /// What is allowed, in words.
    pub allowed: String,
    /// What it does, and why its default is what it is.
    pub about: String,
    /// Who set it.
    pub origin: Origin,
}

/// A group of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Page {
    /// Accounting.
    Vpn,
    /// Thresholds.
    Detections,
    /// How much is kept.
    Retention,
    /// From where on something is worth a health message.
    Health,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// True or false.
    Switch,
    /// A number.
    Number,
    /// Text: a length of time, a size.
    Text,
}

/// Who set something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Origin {
    /// Which layer.
    pub layer: Layer,
    /// The configuration file; of `file` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// The layers of the configuration, the lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// As the product comes.
    Default,
    /// Set here.
    Portal,
    /// The operator's file, which wins.
    File,
}

/// One client, site, sink or exclusion.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Entry {
    /// What it is.
    pub list: List,
    /// Its name; of an exclusion its number in its layer, from 1.
    pub name: String,
    /// Who set it.
    pub origin: Origin,
    /// Its keys, without secrets and their files.
    #[schema(value_type = Object)]
    pub fields: Map<String, Value>,
    /// Whether it has a secret.
    pub has_secret: bool,
    /// Whether it has a second one, while the first is being replaced.
    pub has_previous_secret: bool,
    /// Of a client: whether one of them is so short that it can be guessed offline from one request.
    pub has_weak_secret: bool,
    /// Of a client: when it was heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard: Option<Heard>,
    /// Of an exclusion: when it ends, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<String>,
}

/// What was heard of a client since the sensor's start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Heard {
    /// When its secret last proved a request, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_used: Option<String>,
    /// When the secret before did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_secret_used: Option<String>,
    /// Requests that were proved.
    pub genuine: u64,
    /// Requests that no secret proved.
    pub wrong_secret: u64,
    /// Whether it accepts two secrets of which the newest was set since the sensor's start and has proved no request: it is the one
    /// that makes room for a third.
    pub is_newest_unused: bool,
}

/// The lists of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum List {
    /// VPN servers: `[[client]]`.
    Client,
    /// Named networks: `[[site]]`.
    Site,
    /// Whom messages are sent to: `[[sink]]`.
    Sink,
    /// What raises no alert: `[[detect.exclusion]]`.
    Exclusion,
}

impl List {
    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            List::Client => "client",
            List::Site => "site",
            List::Sink => "sink",
            List::Exclusion => "exclusion",
        }
    }
}

/// Edits that are made together.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The revision that they are made from; none: whatever is there now.
    pub revision: Option<String>,
    /// At least one.
    pub edits: Vec<Edit>,
}

/// One edit of what the portal sets. What the file sets cannot be edited.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Edit {
    /// Sets a key.
    Set {
        /// Its dotted name.
        key: String,
        /// Its value, as the configuration file would have it.
        value: Value,
    },
    /// Leaves a key to the layer below.
    Unset {
        /// Its dotted name.
        key: String,
    },
    /// Makes an entry. A name that is taken is refused.
    Add {
        /// What it is.
        list: List,
        /// Its name; of an exclusion empty.
        name: String,
        /// Its keys without secrets.
        #[schema(value_type = Object)]
        fields: Map<String, Value>,
    },
    /// Changes an entry, or makes it where there is none of the name.
    Put {
        /// What it is.
        list: List,
        /// Its name; of an exclusion its number, or empty for a new one.
        name: String,
        /// Its keys without secrets; null takes a key away, what is not named stays.
        #[schema(value_type = Object)]
        fields: Map<String, Value>,
    },
    /// Takes an entry away, and its secrets.
    Remove {
        /// What it is.
        list: List,
        /// Its name.
        name: String,
    },
    /// Gives an entry another secret; the one before is not accepted any more.
    Secret {
        /// What it is.
        list: List,
        /// Its name.
        name: String,
        /// The secret.
        secret: SecretText,
    },
    /// Gives a client another secret; the one before is accepted as well until `end-rotation`. Where there are two already,
    /// the newest makes room if it never proved a request, so that one which was lost or mistyped on the way to the VPN
    /// servers costs none of them; else it is refused, unless `replace_newest` says otherwise.
    Rotate {
        /// Its name.
        name: String,
        /// The secret.
        secret: SecretText,
        /// Where there are two already: the newest goes although it was used, and the one before it stays.
        #[serde(default)]
        replace_newest: bool,
    },
    /// The secret before is not accepted any more.
    EndRotation {
        /// The client's name.
        name: String,
    },
}

/// A change that is sound, in words, before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Each edit, without secrets.
    pub edits: Vec<String>,
    /// The revision before.
    pub before: String,
    /// The revision after.
    pub after: String,
    /// What is kept no longer, or no more of, a sentence each; empty where as much is kept as before.
    pub lost: Vec<String>,
}

/// A change that is in force.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Saved {
    /// The revision now.
    pub revision: String,
    /// Keys that are taken at the next start only.
    pub restart_needed: Vec<String>,
}

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody else changed something since the revision that it was made from.
    Changed {
        /// The revision now.
        revision: String,
    },
    /// It would make no sound configuration: why, in words.
    Invalid(String),
    /// What it would change is not there, or not any more: what, in words.
    Gone(String),
    /// It cannot be kept or put in force now: why, in words.
    Failed(String),
}

impl From<String> for Refusal {
    /// A reason alone is one why there would be no sound configuration.
    fn from(reason: String) -> Refusal {
        Refusal::Invalid(reason)
    }
}

/// Who sends, whether let in or not.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Arrivals {
    /// Whether accounting is on.
    pub accounting: bool,
    /// Why ports of accounting are closed although it is on, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_because: Option<String>,
    /// Where VPN servers may send: addresses and ports of this host that accounting is heard on, or would be if it were
    /// on; those of loopback only where there is no other.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<SocketAddr>,
    /// Sources that were not let in within the last hour, the latest first; 256 at most: of no client, or with a wrong
    /// authenticator.
    pub refused: Vec<RefusedSource>,
}

/// A source that was refused.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RefusedSource {
    /// Its address.
    #[schema(value_type = String)]
    pub source: IpAddr,
    /// The client that holds it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Whether it is let in by now: its latest request would be taken, or a later one was.
    pub is_mended: bool,
    /// The verdict: `unknown_client`, `bad_authenticator`, `bad_message_authenticator`.
    pub verdict: String,
    /// The same in words.
    pub reason: String,
    /// How many since `first_seen`.
    pub datagrams: u64,
    /// RFC 3339.
    pub first_seen: String,
    /// RFC 3339.
    pub last_seen: String,
    /// Whether its latest request is kept, so that a secret can be tried on it.
    pub can_try: bool,
    /// Who the request says it is: NAS-Identifier or NAS-IP-Address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nas: Option<String>,
}
