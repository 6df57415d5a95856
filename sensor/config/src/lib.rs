//! The configuration, in layers: safe defaults, above them what was set in the portal ([`settings`]), above that a TOML
//! file. A key of a higher layer wins; clients, sites, sinks and exclusions of all layers are in force together.
//!
//! [`load`] reads and checks everything, secrets included, and yields one immutable [`Config`]; a reload is a second
//! `load`, of which [`Config::needs_restart`] says what it cannot take. Errors name file, line and column and never quote
//! the file, which may hold secrets.
//!
//! | file | what lives there |
//! |---|---|
//! | `document` | a table of the file, its keys, and mistakes with their places |
//! | `load` | the layers over each other |
//! | `read` | the whole file, part by part |
//! | `error` | what is wrong, and where |
//! | `values` | durations, sizes, addresses as people write them |
//! | `clients`, `secret` | clients and their shared secrets: given, in a file, in the environment, generated |
//! | `portal` | with what the portal speaks TLS, and how its addresses begin |
//! | `meaning`, `places`, `detect/`, `health`, `sinks` | the keys of what the service goes by |
//! | `origin` | who set what |
//! | `settings/` | what was set in the portal: its document, its keys, its secrets |
//!
//! Used by the command line and the running sensor.
#![forbid(unsafe_code)]

mod clients;
mod detect;
mod document;
mod error;
mod health;
mod load;
mod meaning;
mod origin;
mod places;
mod portal;
mod read;
mod secret;
pub mod settings;
mod sinks;
mod values;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use insight::{
    geo::Sites,
    vpn::{self, Mapping, Vendor, names::Realms},
};
use ipnet::IpNet;
use policy::{ClientMeaning, Detecting};
use radius::accounting;

pub use detect::{markdown as thresholds_page, summary as detecting_summary};
pub use error::{ConfigError, Problem};
pub use load::{FileLayer, load, load_over, load_to_ask};
pub use values::duration;

pub use meaning::SessionLimits;
pub use origin::{Origin, Origins};
pub use read::digest_lanes;
pub use secret::{SECRET_OCTETS_PREFERRED, Secret, generated_secret};

/// The port of RADIUS accounting (RFC 2866 section 3).
pub const ACCOUNTING_PORT: u16 = 1813;

/// The name of the client that the defaults make for this machine.
pub const GENERATED_CLIENT: &str = "localhost";

/// Everything that can be configured, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it was read from; none for the built-in defaults.
    pub path: Option<PathBuf>,
    /// Where the journal and generated keys live.
    pub state_dir: PathBuf,
    /// What to listen on and with how many workers.
    pub listen: Listen,
    /// When a request is answered.
    pub ack: AckWhen,
    /// By which instructions digests are computed; none: the best that the processor has.
    pub digest_lanes: Option<md5_lanes::Path>,
    /// Where metrics and health checks are served; none: nowhere.
    pub metrics: Option<SocketAddr>,
    /// Where people's questions are answered; none: nowhere.
    pub portal: Option<SocketAddr>,
    /// The portal's certificate and key, PEM files; none: one is made where other hosts can reach the portal.
    pub portal_identity: Option<(PathBuf, PathBuf)>,
    /// By which OpenID provider people sign in as well; its `redirect` is open.
    pub portal_oidc: Option<policy::portal::Oidc>,
    /// Where people's browsers reach the pages of alerts, for links in messages: `https://sensor.contoso.example`; none:
    /// messages hold no link.
    pub portal_link: Option<String>,
    /// How much the journal keeps.
    pub journal: JournalLimits,
    /// The table of requests seen.
    pub dedup: DedupLimits,
    /// How far before its arrival an event may lie for its time to be trusted.
    pub accept_past: Duration,
    /// Realms of user names that mean the same.
    pub realms: Realms,
    /// The same as they are written.
    pub realm_groups: Vec<Vec<String>>,
    /// When sessions are over that nobody ends.
    pub sessions: SessionLimits,
    /// How long the store keeps what is over.
    pub keep: Duration,
    /// When people are told, and of what not.
    pub detect: Detecting,
    /// Files of places and networks, in the order in which they are asked.
    pub databases: Vec<PathBuf>,
    /// Networks that have a name of their own.
    pub sites: Arc<Sites>,
    /// The clients. Empty means the generated one for this machine, see [`Config::generate_client`].
    pub clients: Vec<Client>,
    /// From where on something is worth a health message.
    pub health: policy::health::Settings,
    /// Whom alerts, connections and health messages are sent to.
    pub sinks: Vec<policy::sink::Settings>,
    /// What is allowed and worth a word. Holds no secret.
    pub warnings: Vec<String>,
    /// Which layer set which keys.
    pub origins: Origins,
    /// What the file says, for whoever shows it. Holds no secret.
    pub file_says: settings::Said,
    /// What the portal's document says, the same.
    pub portal_says: settings::Said,
    /// The file alone, as it was read for this one.
    pub file_layer: FileLayer,
    /// The lines of the entries of the file's lists, by the list's name and their place in it, from 0.
    pub entry_lines: BTreeMap<(&'static str, usize), usize>,
}

/// The `[listen]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Whether accounting is taken at all; else its ports are closed.
    pub accounting: bool,
    /// UDP addresses and ports.
    pub addresses: Vec<SocketAddr>,
    /// Whether and how XDP is used.
    pub xdp: XdpMode,
    /// Interfaces that XDP covers; empty: chosen by the listening addresses.
    pub interfaces: Vec<String>,
    /// UDP workers for each address, 1 to 64.
    pub workers: usize,
    /// Cores for the workers; empty: chosen by NUMA node and queue.
    pub cores: Vec<usize>,
    /// Packets that the rings of an AF_XDP queue hold, a power of two from 256 to 8192; its memory is 4 KiB a packet.
    pub ring: u32,
    /// How long a worker with nothing to do goes on looking before it sleeps, up to 1 s.
    pub spin: Duration,
}

/// The best rung of the capture ladder that may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XdpMode {
    /// The best that works.
    Auto,
    /// Kernel UDP sockets only.
    Off,
    /// The driver's XDP, zero-copy or copy.
    Native,
    /// Generic XDP.
    Skb,
}

/// When a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckWhen {
    /// Its record is durable.
    Durable,
    /// It has verified and has a place in a batch.
    Received,
}

/// The `[journal]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalLimits {
    /// Bytes of a segment file.
    pub segment_bytes: u64,
    /// Bytes of all segments; none: no limit.
    pub max_bytes: Option<u64>,
    /// Age of the oldest record; none: no limit.
    pub max_age: Option<Duration>,
    /// Bytes that stay free on the file system.
    pub free_reserve_bytes: u64,
    /// Keep what a consumer has not read, even when the disk fills.
    pub keep_unread: bool,
    /// Records of a batch at most, 1 to 1024.
    pub batch_records: u32,
    /// Shortest time between the beginnings of two commits, up to 100 ms.
    pub commit_interval: Duration,
}

impl JournalLimits {
    /// Whether all but retention is the same: that changes without a restart.
    fn is_same_but_retention(&self, other: &JournalLimits) -> bool {
        let JournalLimits { max_bytes, max_age, free_reserve_bytes, keep_unread, .. } = *other;
        *other == JournalLimits { max_bytes, max_age, free_reserve_bytes, keep_unread, ..self.clone() }
    }

    /// Octets of a batch, from its records: 512 each, which holds a usual request of 450 octets with what is recorded
    /// around it; at least what one request of the longest needs.
    pub fn batch_bytes(&self) -> usize {
        (self.batch_records as usize * 512).max(journal::BATCH_BYTES_MIN)
    }
}

/// The `[dedup]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DedupLimits {
    /// How long a retransmission is recognised; RFC 5080 section 2.2.2 says 5 to 30 s.
    pub window: Duration,
    /// Requests remembered at most.
    pub entries: usize,
}

/// One `[[client]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The name in records, logs and metrics; unique.
    pub name: String,
    /// Its addresses.
    pub prefixes: Vec<IpNet>,
    /// The shared secret.
    pub secret: Secret,
    /// The secret before, accepted during a change.
    pub previous_secret: Option<Secret>,
    /// Whose VPN server it is; none: recognised in each request.
    pub vendor: Option<Vendor>,
    /// Attributes to read instead of those that are usual for the vendor.
    pub attributes: Mapping,
    /// Whether it is a VPN server and nothing else, whatever NAS-Port-Type it sends.
    pub is_vpn: bool,
    /// Whether Status-Server is answered (RFC 5997).
    pub status_server: bool,
    /// Whether a request without Message-Authenticator is refused.
    pub require_message_authenticator: bool,
    /// Datagrams a second taken from it at most; none: no limit.
    pub max_rate: Option<u32>,
    /// Which layer it is of.
    pub origin: Origin,
}

impl Config {
    /// The built-in defaults.
    pub fn built_in() -> Config {
        let meaning = policy::Meaning::default();
        Config {
            path: None,
            state_dir: default_state_dir(),
            listen: Listen {
                accounting: true,
                addresses: vec![
                    SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), ACCOUNTING_PORT),
                    SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), ACCOUNTING_PORT),
                ],
                xdp: XdpMode::Auto,
                interfaces: Vec::new(),
                workers: 1,
                cores: Vec::new(),
                ring: 2048,
                spin: Duration::ZERO,
            },
            ack: AckWhen::Durable,
            digest_lanes: None,
            metrics: Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9813)),
            portal: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8813))),
            portal_identity: None,
            portal_oidc: None,
            portal_link: None,
            journal: JournalLimits {
                segment_bytes: 64 << 20,
                max_bytes: Some(16 << 30),
                max_age: None,
                free_reserve_bytes: 1 << 30,
                keep_unread: false,
                batch_records: 256,
                commit_interval: Duration::ZERO,
            },
            dedup: DedupLimits { window: Duration::from_secs(30), entries: 1 << 18 },
            accept_past: Duration::from_secs(accounting::TRUSTED_PAST),
            realms: Realms::default(),
            realm_groups: Vec::new(),
            sessions: SessionLimits {
                missed_interims: meaning.missed_interims,
                unknown_after: Duration::from_secs(meaning.unknown_after_s),
            },
            keep: Duration::from_secs(meaning.keep_s),
            detect: meaning.detect,
            databases: Vec::new(),
            sites: Arc::default(),
            clients: Vec::new(),
            health: policy::health::Settings::default(),
            sinks: Vec::new(),
            warnings: Vec::new(),
            origins: Origins::default(),
            file_says: settings::Said::default(),
            portal_says: settings::Said::default(),
            file_layer: FileLayer::default(),
            entry_lines: BTreeMap::new(),
        }
    }

    /// What decoding records into events goes by.
    pub fn decoding(&self) -> vpn::Settings {
        let client = |client: &Client| {
            let (vendor, mapping) = (client.vendor, client.attributes.clone());
            (client.name.clone(), vpn::Client { vendor, mapping, is_vpn: client.is_vpn })
        };
        vpn::Settings {
            realms: self.realms.clone(),
            accept_past_s: self.accept_past.as_secs(),
            clients: self.clients.iter().map(client).collect(),
        }
    }

    /// What decides what records mean, in the form in which the service keeps it. Clients that change nothing are left
    /// out: a new one alone is no other meaning.
    pub fn meaning(&self) -> policy::Meaning {
        let decoding = self.decoding();
        let clients = decoding.clients.iter().map(|(name, client)| (name.clone(), ClientMeaning::of(client)));
        policy::Meaning {
            accept_past_s: decoding.accept_past_s,
            realms: self.realm_groups.clone(),
            clients: clients.filter(|(_, client)| *client != ClientMeaning::default()).collect(),
            missed_interims: self.sessions.missed_interims,
            unknown_after_s: self.sessions.unknown_after.as_secs(),
            keep_s: self.keep.as_secs(),
            detect: self.detect.clone(),
        }
    }

    /// The journal's folder.
    pub fn journal_dir(&self) -> PathBuf {
        self.state_dir.join("journal")
    }

    /// The file of the generated client's secret.
    pub fn generated_secret_path(&self) -> PathBuf {
        self.state_dir.join("localhost.secret")
    }

    /// Whether there is no client but the generated one.
    pub fn has_generated_client(&self) -> bool {
        self.clients.is_empty() || self.clients.iter().all(|client| client.name == GENERATED_CLIENT)
    }

    /// Makes the client for this machine when none is configured: its secret is read from the state directory, or
    /// generated there at the first start. Returns the secret's file if the client was made.
    pub fn generate_client(&mut self) -> Result<Option<PathBuf>, String> {
        if !self.clients.is_empty() {
            return Ok(None);
        }
        let path = self.generated_secret_path();
        self.clients.push(Client {
            name: GENERATED_CLIENT.to_owned(),
            prefixes: loopback_prefixes(),
            secret: Secret::read_or_generate(&path)?,
            previous_secret: None,
            vendor: None,
            attributes: Mapping::default(),
            is_vpn: false,
            status_server: true,
            require_message_authenticator: false,
            max_rate: None,
            origin: Origin::Default,
        });
        Ok(Some(path))
    }

    /// Keys whose value in `new` differs and is only taken at a start.
    pub fn needs_restart(&self, new: &Config) -> Vec<&'static str> {
        let differs = [
            ("state_dir", self.state_dir != new.state_dir),
            ("listen.addresses", self.listen.addresses != new.listen.addresses),
            ("listen.xdp", self.listen.xdp != new.listen.xdp),
            ("listen.interfaces", self.listen.interfaces != new.listen.interfaces),
            ("listen.workers", self.listen.workers != new.listen.workers),
            ("listen.cores", self.listen.cores != new.listen.cores),
            ("listen.ring", self.listen.ring != new.listen.ring),
            ("listen.spin", self.listen.spin != new.listen.spin),
            ("ack.when", self.ack != new.ack),
            ("digest.lanes", self.digest_lanes != new.digest_lanes),
            ("metrics.address", self.metrics != new.metrics),
            ("portal.address", self.portal != new.portal),
            ("portal.oidc", self.portal_provider() != new.portal_provider()),
            ("portal.certificate", self.portal_certificate().is_some() != new.portal_certificate().is_some()),
            ("journal", !self.journal.is_same_but_retention(&new.journal)),
            ("dedup", self.dedup != new.dedup),
        ];
        differs.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
    }
}

/// `/var/lib/vpn-sensor` for root, else below the XDG state directory.
pub fn default_state_dir() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/vpn-sensor");
    }
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .unwrap_or_else(std::env::temp_dir)
        .join("vpn-sensor")
}

fn loopback_prefixes() -> Vec<IpNet> {
    let v4 = ipnet::Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
    vec![IpNet::V4(v4), IpNet::from(IpAddr::V6(Ipv6Addr::LOCALHOST))]
}
