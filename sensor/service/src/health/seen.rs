//! What goes in: one look at the running parts, and the time. Plain data.

use std::{
    collections::HashMap,
    net::IpAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use insight::geo::Contents;

use crate::{export::sink, fold::ClientClock};

/// How late it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// By the host's clock, ns since 1970 UTC: what people are told.
    pub unix_ns: u64,
    /// By a clock that nobody sets, since the start: what is measured by.
    pub running: Duration,
}

impl Now {
    /// The host's clocks, for a process that has run for so long.
    pub fn after(running: Duration) -> Now {
        let unix_ns = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
        Now { unix_ns, running }
    }

    /// What the host's clock said so long ago.
    pub(super) fn ago(self, past: Duration) -> u64 {
        self.unix_ns.saturating_sub(u64::try_from(past.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// One look. Counters count since the start of the process unless said otherwise.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The configured clients.
    pub clients: Vec<ClientSeen>,
    /// When each client was heard by the store, ns since 1970 UTC; none: not known yet.
    pub heard: Option<Arc<HashMap<String, u64>>>,
    /// Sources that belong to no client, the most recent first.
    pub strangers: Vec<StrangerSeen>,
    /// The databases of places; none: not read yet.
    pub geo: Option<GeoSeen>,
    /// How sinks stand; none: not opened yet.
    pub sinks: Option<Arc<[sink::Standing]>>,
    /// The state directory's file system; none: it cannot be asked.
    pub disk: Option<DiskSeen>,
    /// Why ports of accounting are closed although it is on; none: they are open, or it is off.
    pub ports_closed: Option<String>,
    /// Why the journal cannot record; none: it does.
    pub journal_fails: Option<String>,
    /// Duplicate-detection entries that were evicted before their time.
    pub duplicates_evicted: u64,
    /// Records that retention or damage took before they were read.
    pub records_lost: u64,
    /// VPN servers whose clock is wrong.
    pub clocks: Arc<[ClientClock]>,
    /// The service.
    pub service: ServiceSeen,
}

/// What is remembered of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSeen {
    /// Its name.
    pub name: String,
    /// Its requests that verified, retransmissions and Status-Server included.
    pub genuine: u64,
    /// Requests that verified under none of its secrets.
    pub bad_authenticators: u64,
    /// Requests whose Message-Authenticator was wrong or missing.
    pub bad_message_authenticators: u64,
    /// Where the wrong ones came from lately, at most three.
    pub bad_sources: Vec<IpAddr>,
}

/// A source that belongs to no client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrangerSeen {
    /// The address that its datagrams claim to come from.
    pub source: IpAddr,
    /// How many there were.
    pub datagrams: u64,
    /// It belongs to a client by now.
    pub is_client: bool,
}

/// The databases in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GeoSeen {
    /// Each of them.
    pub databases: Vec<DatabaseSeen>,
    /// What is wrong with those that cannot be read; each names its file.
    pub wrong: Arc<[String]>,
}

/// One database of places or networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseSeen {
    /// Its file, or what it is called.
    pub name: String,
    /// What it can say.
    pub contents: Contents,
    /// When it was made, seconds since 1970 UTC.
    pub built_unix_s: u64,
    /// It comes with the product.
    pub is_included: bool,
}

/// The file system of the state directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskSeen {
    /// The state directory.
    pub path: PathBuf,
    /// Octets that are free.
    pub free_bytes: u64,
    /// All octets.
    pub total_bytes: u64,
}

/// A VPN server whose clock is wrong, as the service counts it.
pub type ClockSeen = ClientClock;

/// How the service does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceSeen {
    /// What it is at.
    pub state: WorkState,
    /// Where its store is.
    pub store: PathBuf,
}

/// What the service is at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WorkState {
    /// It opens its store.
    #[default]
    Starting,
    /// It waits for a disk or for somebody who holds the store.
    Waiting,
    /// It works.
    Up,
    /// It ended by an error.
    Ended,
}
