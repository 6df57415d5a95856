//! Who may send: the configured clients, found by source address.
//!
//! A [`Clients`] is an immutable snapshot. The configuration builds one, [`ClientsHandle::replace`] puts it in force,
//! and every worker takes it up at its next burst without waiting for anyone. Called by the binary (build, replace)
//! and by the workers (look-up).

mod limit;
mod prefixes;
mod secret;

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use arc_swap::ArcSwap;
use ipnet::IpNet;

pub use limit::RateLimit;
use prefixes::PrefixTable;
pub use secret::{EmptySecret, Secret};

/// One configured client: a VPN server, or a NAS or proxy that speaks for some.
#[derive(Debug)]
pub struct Client {
    /// The name that records, logs and metrics carry.
    pub name: Arc<str>,
    /// The secret in force, then the one before it while a rotation lasts. At least one must be there.
    pub secrets: [Option<Secret>; 2],
    /// Whether Status-Server is answered (RFC 5997 section 4.2: a switch per client, on by default).
    pub status_server: bool,
    /// Whether an Accounting-Request without a Message-Authenticator is refused. Few NASes send one.
    pub require_message_authenticator: bool,
    /// Genuine requests a second, duplicates included, above which the client gets `rate_limited`. None: no limit.
    pub max_rate: Option<u32>,
    /// The source addresses that are this client.
    pub prefixes: Vec<IpNet>,
    /// Which vendor's attributes to expect, or `auto`. Not used by ingest; carried for those who show clients.
    pub vendor: String,
}

impl Client {
    /// Whether an Accounting-Request was made with one of its secrets. For people who look at one request: workers have
    /// their lanes.
    pub fn proves(&self, request: &[u8]) -> bool {
        let secrets = self.secrets.iter().flatten();
        secrets
            .into_iter()
            .any(|secret| radius::authenticator::verify_request(request, secret.prepared().octets()))
    }
}

/// What is remembered of a client across reloads, shared by all workers.
#[derive(Debug)]
pub struct ClientState {
    /// When a request of this client last verified, seconds since 1970 UTC; 0 for never. Second-grained so that the
    /// workers write it once a second and otherwise only read it.
    last_genuine_unix_s: AtomicU64,
    genuine: AtomicU64,
    bad_authenticators: AtomicU64,
    bad_message_authenticators: AtomicU64,
    previous_secret_unix_s: AtomicU64,
    pub(crate) status_limit: RateLimit,
    pub(crate) request_limit: RateLimit,
}

/// Status-Server probes answered a second and client (RFC 5997 section 4.2 asks for a limit). Health checks probe
/// every few seconds; one client entry may stand for a rack of servers.
const STATUS_RATE: u32 = 10;

impl ClientState {
    fn new() -> ClientState {
        ClientState {
            last_genuine_unix_s: AtomicU64::new(0),
            genuine: AtomicU64::new(0),
            bad_authenticators: AtomicU64::new(0),
            bad_message_authenticators: AtomicU64::new(0),
            previous_secret_unix_s: AtomicU64::new(0),
            status_limit: RateLimit::new(),
            request_limit: RateLimit::new(),
        }
    }

    /// Seconds since 1970 UTC at which a request of this client last verified; `None` if none ever did.
    pub fn last_genuine_unix_s(&self) -> Option<u64> {
        Some(self.last_genuine_unix_s.load(Relaxed)).filter(|&at| at > 0)
    }

    /// Requests that verified, retransmissions and Status-Server included.
    pub fn genuine(&self) -> u64 {
        self.genuine.load(Relaxed)
    }

    /// Seconds since 1970 UTC at which the previous secret last verified a request: while this moves, the rotation
    /// is not complete.
    pub fn previous_secret_unix_s(&self) -> Option<u64> {
        Some(self.previous_secret_unix_s.load(Relaxed)).filter(|&at| at > 0)
    }

    /// Requests from this client's addresses that verified under none of its secrets.
    pub fn bad_authenticators(&self) -> u64 {
        self.bad_authenticators.load(Relaxed)
    }

    /// Requests with a Message-Authenticator that is wrong, or absent where it is required.
    pub fn bad_message_authenticators(&self) -> u64 {
        self.bad_message_authenticators.load(Relaxed)
    }

    pub(crate) fn note_genuine(&self, unix_s: u64, by_previous_secret: bool) {
        // Read before write: all workers share this line, and the second seldom changes.
        if self.last_genuine_unix_s.load(Relaxed) < unix_s {
            self.last_genuine_unix_s.store(unix_s, Relaxed);
        }
        if by_previous_secret && self.previous_secret_unix_s.load(Relaxed) < unix_s {
            self.previous_secret_unix_s.store(unix_s, Relaxed);
        }
    }

    /// Counts requests that verified. Not in [`ClientState::note_genuine`]: all workers share this counter, and whoever
    /// has several requests of a client in a row counts them in one go.
    pub(crate) fn count_genuine(&self, requests: u64) {
        self.genuine.fetch_add(requests, Relaxed);
    }

    pub(crate) fn note_bad_authenticator(&self) {
        self.bad_authenticators.fetch_add(1, Relaxed);
    }

    pub(crate) fn note_bad_message_authenticator(&self) {
        self.bad_message_authenticators.fetch_add(1, Relaxed);
    }

    /// Whether one more Status-Server may be answered at `now_ns` (monotonic).
    pub(crate) fn admit_status(&self, now_ns: u64) -> bool {
        self.status_limit.admit(now_ns, STATUS_RATE)
    }
}

/// Where a client stands in its snapshot. Means nothing in another snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientIndex(u32);

impl ClientIndex {
    /// The place in the order in which the clients were given to [`Clients::build`].
    pub fn get(self) -> usize {
        self.0 as usize
    }
}

/// Why a set of clients was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ClientsError {
    /// Two clients, or one twice, claim the same prefix.
    #[error("{prefix} belongs to both `{first}` and `{second}`")]
    DuplicatePrefix {
        /// The prefix, without host bits.
        prefix: IpNet,
        /// The client that came first.
        first: Arc<str>,
        /// The client that came second.
        second: Arc<str>,
    },
    /// Two clients have one name.
    #[error("two clients are named `{0}`")]
    DuplicateName(Arc<str>),
    /// A client without any secret.
    #[error("client `{0}` has no secret")]
    NoSecret(Arc<str>),
    /// A client without any address.
    #[error("client `{0}` has no address")]
    NoPrefix(Arc<str>),
    /// A client's limit would refuse everything.
    #[error("client `{0}` has a max_rate of 0")]
    ZeroRate(Arc<str>),
    /// More than 2^32 - 1 clients.
    #[error("too many clients")]
    TooMany,
}

/// An immutable snapshot of all clients.
pub struct Clients {
    clients: Box<[Client]>,
    states: Box<[Arc<ClientState>]>,
    table: PrefixTable,
}

impl Clients {
    /// Checks the clients and builds the look-up table. Nested prefixes are fine, the longest match wins; the same
    /// prefix twice is an error. Host bits are ignored, IPv4-mapped IPv6 prefixes count as IPv4.
    pub fn build(clients: Vec<Client>) -> Result<Clients, ClientsError> {
        if u32::try_from(clients.len()).is_err() {
            return Err(ClientsError::TooMany);
        }
        let mut names = std::collections::HashSet::new();
        let mut owned = Vec::new();
        for (index, client) in (0u32..).zip(&clients) {
            if !names.insert(client.name.clone()) {
                return Err(ClientsError::DuplicateName(client.name.clone()));
            }
            if client.secrets.iter().all(Option::is_none) {
                return Err(ClientsError::NoSecret(client.name.clone()));
            }
            if client.prefixes.is_empty() {
                return Err(ClientsError::NoPrefix(client.name.clone()));
            }
            if client.max_rate == Some(0) {
                return Err(ClientsError::ZeroRate(client.name.clone()));
            }
            owned.extend(client.prefixes.iter().map(|&prefix| (prefixes::canonical(prefix), index)));
        }
        let name = |index: u32| clients[index as usize].name.clone();
        let table = PrefixTable::build(owned).map_err(|(prefix, first, second)| {
            ClientsError::DuplicatePrefix { prefix, first: name(first), second: name(second) }
        })?;
        let states = clients.iter().map(|_| Arc::new(ClientState::new())).collect();
        Ok(Clients { clients: clients.into_boxed_slice(), states, table })
    }

    /// The client that holds this source address, by longest prefix.
    pub fn lookup(&self, source: IpAddr) -> Option<ClientIndex> {
        let mut found = [None];
        self.lookup_all(&[source], &mut found);
        found[0]
    }

    /// The clients that hold these source addresses, in their order, into `found`, which is as long. Better than one by
    /// one: no look-up waits for another's cache misses.
    pub fn lookup_all(&self, sources: &[IpAddr], found: &mut [Option<ClientIndex>]) {
        self.table.lookup_all(sources, |at, owner| found[at] = owner.map(ClientIndex));
    }

    /// Loads what the way of a request of this client reads: its entry, its state, its name, its secret. Called for a
    /// whole burst before the first is needed. What it returns means nothing; it is there so that the loads are done.
    #[inline]
    pub fn bring_near(&self, index: ClientIndex) -> u8 {
        let client = self.get(index);
        let name = client.name.as_bytes().first().copied().unwrap_or_default();
        let secrets = client.secrets.iter().flatten();
        let secret = secrets.fold(0, |mixture, secret| mixture ^ secret.prepared().bring_near());
        name ^ secret ^ self.state(index).genuine() as u8
    }

    /// The client at `index`, which must come from this snapshot.
    #[inline]
    pub fn get(&self, index: ClientIndex) -> &Client {
        &self.clients[index.get()]
    }

    /// What is remembered of the client at `index`.
    #[inline]
    pub fn state(&self, index: ClientIndex) -> &Arc<ClientState> {
        &self.states[index.get()]
    }

    /// All clients in their order.
    pub fn iter(&self) -> impl Iterator<Item = (ClientIndex, &Client)> {
        (0u32..).map(ClientIndex).zip(&self.clients)
    }

    /// Every prefix with the client that holds it, canonical and sorted: what the kernel's maps are filled from.
    pub fn prefixes(&self) -> impl Iterator<Item = (IpNet, ClientIndex)> + '_ {
        self.table.prefixes().map(|(prefix, index)| (prefix, ClientIndex(index)))
    }

    /// How many clients there are.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether there is no client at all: then every datagram is `unknown_client`.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Takes over what is remembered of the clients of the same name.
    fn inherit(&mut self, before: &Clients) {
        let known: std::collections::HashMap<&str, (&Client, &Arc<ClientState>)> = before
            .clients
            .iter()
            .zip(&before.states)
            .map(|(client, state)| (&*client.name, (client, state)))
            .collect();
        for (client, state) in self.clients.iter().zip(&mut self.states) {
            if let Some(&(old_client, old_state)) = known.get(&*client.name) {
                *state = old_state.clone();
                let olds = || old_client.secrets.iter().flatten();
                client.secrets.iter().flatten().for_each(|secret| olds().for_each(|old| secret.inherit(old)));
            }
        }
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.clients).finish()
    }
}

/// The snapshot in force. Cheap to clone; all clones see the same.
#[derive(Clone, Debug)]
pub struct ClientsHandle(Arc<ArcSwap<Clients>>);

/// A worker's view of the snapshot: one atomic load to see whether there is a newer one.
pub(crate) type ClientsView = arc_swap::Cache<Arc<ArcSwap<Clients>>, Arc<Clients>>;

impl ClientsHandle {
    /// Puts the first snapshot in force.
    pub fn new(clients: Clients) -> ClientsHandle {
        ClientsHandle(Arc::new(ArcSwap::from_pointee(clients)))
    }

    /// Puts another snapshot in force; each worker has it from its next burst on. Clients that keep their name keep
    /// their counts and limits. Answers already built are not affected: they carry their own octets.
    ///
    /// One caller at a time: of two concurrent reloads the later one wins and may inherit from the one before both.
    pub fn replace(&self, mut clients: Clients) {
        clients.inherit(&self.0.load());
        self.0.store(Arc::new(clients));
    }

    /// Puts a snapshot in force again that was so before: what was remembered of its clients meanwhile stays.
    pub fn restore(&self, before: Arc<Clients>) {
        self.0.store(before);
    }

    /// The snapshot now in force.
    pub fn current(&self) -> Arc<Clients> {
        self.0.load_full()
    }

    pub(crate) fn view(&self) -> ClientsView {
        arc_swap::Cache::new(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(name: &str, prefixes: &[&str]) -> Client {
        Client {
            name: name.into(),
            secrets: [Some(Secret::new(b"0123456789abcdef".to_vec()).unwrap()), None],
            status_server: true,
            require_message_authenticator: false,
            max_rate: None,
            prefixes: prefixes.iter().map(|p| p.parse().unwrap()).collect(),
            vendor: "auto".into(),
        }
    }

    #[test]
    fn the_longest_prefix_decides_and_mapped_addresses_are_v4() {
        let clients = Clients::build(vec![
            client("wide", &["10.0.0.0/8", "2001:db8::/32"]),
            client("narrow", &["10.1.0.0/16", "::ffff:10.2.0.0/112", "2001:db8:1::/48"]),
        ])
        .unwrap();
        let name = |a: &str| clients.lookup(a.parse().unwrap()).map(|i| clients.get(i).name.to_string());
        assert_eq!(name("10.0.0.1").as_deref(), Some("wide"));
        assert_eq!(name("10.1.255.255").as_deref(), Some("narrow"));
        assert_eq!(name("10.2.3.4").as_deref(), Some("narrow"));
        assert_eq!(name("::ffff:10.1.0.1").as_deref(), Some("narrow"));
        assert_eq!(name("2001:db8:1::9").as_deref(), Some("narrow"));
        assert_eq!(name("2001:db8:2::9").as_deref(), Some("wide"));
        assert_eq!(name("11.0.0.0"), None);
        assert_eq!(name("::1"), None);
    }

    #[test]
    fn unusable_sets_are_refused_by_name() {
        let text = |clients| Clients::build(clients).unwrap_err().to_string();
        let twice = vec![client("a", &["10.0.0.1/8"]), client("b", &["10.9.9.9/8"])];
        assert_eq!(text(twice), "10.0.0.0/8 belongs to both `a` and `b`");
        assert_eq!(
            text(vec![client("a", &["::1/128"]), client("a", &["::2/128"])]),
            "two clients are named `a`"
        );
        assert_eq!(text(vec![client("a", &[])]), "client `a` has no address");
        let mut bare = client("a", &["::1/128"]);
        bare.secrets = [None, None];
        assert_eq!(text(vec![bare]), "client `a` has no secret");
        let mut shut = client("a", &["::1/128"]);
        shut.max_rate = Some(0);
        assert_eq!(text(vec![shut]), "client `a` has a max_rate of 0");
    }

    #[test]
    fn a_secret_that_becomes_the_previous_one_keeps_when_it_was_used() {
        let secret = |text: &str| Some(Secret::new(text.as_bytes().to_vec()).unwrap());
        let with = |secrets| Clients::build(vec![Client { secrets, ..client("a", &["::1/128"]) }]).unwrap();
        let handle = ClientsHandle::new(with([secret("the first one"), None]));
        handle.current().get(ClientIndex(0)).secrets[0].as_ref().unwrap().note_used(1000);
        handle.replace(with([secret("the second one"), secret("the first one")]));
        let now = handle.current();
        let used: Vec<_> =
            now.get(ClientIndex(0)).secrets.iter().flatten().map(Secret::last_used_unix_s).collect();
        assert_eq!(used, [None, Some(1000)]);
    }

    #[test]
    fn a_reload_keeps_what_is_known_of_a_client_and_reaches_every_view() {
        let handle = ClientsHandle::new(Clients::build(vec![client("a", &["10.0.0.1/32"])]).unwrap());
        let mut view = handle.view();
        let address = "10.0.0.1".parse().unwrap();
        let before = view.load().lookup(address).unwrap();
        view.load().state(before).note_bad_authenticator();
        view.load().state(before).count_genuine(1);
        handle.replace(
            Clients::build(vec![client("b", &["10.0.0.0/24"]), client("a", &["10.0.0.1/32"])]).unwrap(),
        );
        let now = view.load();
        let after = now.lookup(address).unwrap();
        assert_eq!(after.get(), 1);
        assert_eq!(now.state(after).bad_authenticators(), 1);
        assert_eq!(now.state(after).genuine(), 1);
        assert_eq!(now.state(ClientIndex(0)).bad_authenticators(), 0);
    }

    #[test]
    fn a_snapshot_that_is_put_back_knows_what_was_seen_meanwhile() {
        let handle = ClientsHandle::new(Clients::build(vec![client("a", &["10.0.0.1/32"])]).unwrap());
        let before = handle.current();
        handle.replace(Clients::build(vec![client("a", &["10.0.0.0/8"])]).unwrap());
        handle.current().state(ClientIndex(0)).count_genuine(3);
        handle.restore(before);
        let now = handle.current();
        assert_eq!(now.lookup("10.0.0.2".parse().unwrap()), None);
        assert_eq!(now.state(ClientIndex(0)).genuine(), 3);
    }
}
