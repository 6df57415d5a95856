//! From the text of a file to a [`Config`]: which keys there are, their types, ranges and defaults.

use std::{collections::HashMap, env, ops::Range, path::Path, sync::Arc, time::Duration};

use ipnet::IpNet;
use toml::de::DeTable;

use super::{
    AckWhen, Client, Config, ConfigError, DedupLimits, JournalLimits, Listen, Secret, XdpMode, detect,
    document::{Document, Section},
    health, meaning, places, portal,
    secret::is_readable_by_others,
    sinks, values,
};

/// Longest client name: it is stored in each record.
const NAME_OCTETS_MAX: usize = 64;

pub(super) fn read(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let document = Document::new(path, text);
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            // Only the message: the error's own display quotes the line, and the line may hold a secret.
            document.problem(error.span().unwrap_or(0..0), error.message());
            return Err(document.into_error());
        }
    };
    let top = Section::new(&document, "", &table);
    let mut config = Config { path: Some(path.to_owned()), ..Config::built_in() };

    let base = path.parent().unwrap_or(Path::new("."));
    if let Some((directory, span)) = top.string("state_dir") {
        if directory.is_empty() {
            top.problem(span, "`state_dir` must not be empty");
        }
        config.state_dir = base.join(directory);
    }
    if let Some(section) = top.section("listen") {
        read_listen(section, &mut config.listen);
    }
    if let Some(section) = top.section("ack") {
        if let Some(when) = section.parsed("when", ack_when) {
            config.ack = when;
        }
        section.finish();
    }
    if let Some(section) = top.section("digest") {
        if let Some(lanes) = section.parsed("lanes", digest_lanes) {
            config.digest_lanes = lanes;
        }
        section.finish();
    }
    if let Some(section) = top.section("metrics") {
        if let Some(address) = section.parsed("address", address_or_off) {
            config.metrics = address;
        }
        section.finish();
    }
    if let Some(section) = top.section("portal") {
        if let Some(address) = section.parsed("address", address_or_off) {
            config.portal = address;
        }
        config.portal_link = section.parsed("link", values::link);
        config.portal_identity = portal::read_identity(&section, base, &mut config.warnings);
        if let Some(oidc) = section.section("oidc") {
            config.portal_oidc = portal::read_oidc(oidc, base, &mut config.warnings);
        }
        section.finish();
    }
    if let Some(section) = top.section("journal") {
        read_journal(section, &mut config.journal);
    }
    if let Some(section) = top.section("dedup") {
        read_dedup(section, &mut config.dedup);
    }
    if let Some(section) = top.section("events") {
        meaning::read_events(section, &mut config.accept_past);
    }
    if let Some(section) = top.section("users") {
        meaning::read_users(section, &mut config.realms, &mut config.realm_groups);
    }
    if let Some(section) = top.section("sessions") {
        meaning::read_sessions(section, &mut config.sessions);
    }
    if let Some(section) = top.section("store") {
        meaning::read_store(section, &mut config.keep);
    }
    // Behind the realms, which make users of names.
    if let Some(section) = top.section("detect") {
        detect::read(section, &config.realms, &mut config.warnings, &mut config.detect);
    }
    if let Some(section) = top.section("health") {
        health::read(section, &mut config.health);
    }
    if let Some(section) = top.section("geo") {
        config.databases = places::read_geo(section, base);
    }
    config.sites = Arc::new(places::read_sites(&top));
    config.clients = read_clients(&top, base, &mut config.warnings);
    config.sinks = sinks::read(&top, base, &mut config.warnings);
    top.finish();
    document.finish()?;
    Ok(config)
}

fn read_listen(section: Section<'_, '_>, listen: &mut Listen) {
    if let Some(addresses) = section.list("addresses", values::socket_address) {
        if addresses.is_empty() {
            section.problem(section.span.clone(), "`listen.addresses` must name an address at least");
        }
        for (index, (address, span)) in addresses.iter().enumerate() {
            if addresses[..index].iter().any(|(earlier, _)| earlier == address) {
                section.problem(span.clone(), format!("`listen.addresses`: {address} is there twice"));
            }
        }
        listen.addresses = addresses.into_iter().map(|(address, _)| address).collect();
    }
    if let Some(mode) = section.parsed("xdp", xdp_mode) {
        listen.xdp = mode;
    }
    if let Some(interfaces) = section.list("interfaces", interface_name) {
        listen.interfaces = interfaces.into_iter().map(|(name, _)| name).collect();
    }
    if let Some(workers) = section.integer("workers", 1..65) {
        listen.workers = workers as usize;
    }
    if let Some(cores) = section.integers("cores", 0..4096) {
        listen.cores = cores.into_iter().map(|core| core as usize).collect();
    }
    if let Some(ring) = section.power_of_two("ring", 256..8193) {
        listen.ring = ring as u32;
    }
    // Beyond a second a worker that is never asleep is what was meant, and that is what a second is.
    if let Some(spin) = section.duration("spin", Duration::ZERO..=Duration::from_secs(1)) {
        listen.spin = spin;
    }
    section.finish();
}

fn read_journal(section: Section<'_, '_>, limits: &mut JournalLimits) {
    // A segment holds at least one batch; above 16 GiB retention by whole segments gets too coarse.
    if let Some(bytes) = section.size("segment_bytes", (1 << 20)..(16 << 30) + 1) {
        limits.segment_bytes = bytes;
    }
    if let Some(bytes) = section.size("max_bytes", (4 << 20)..u64::MAX) {
        limits.max_bytes = Some(bytes);
    }
    if let Some(age) =
        section.duration("max_age", Duration::from_secs(60)..=Duration::from_secs(100 * 365 * 86_400))
    {
        limits.max_age = Some(age);
    }
    if let Some(bytes) = section.size("free_reserve", 0..u64::MAX) {
        limits.free_reserve_bytes = bytes;
    }
    if let Some(keep) = section.boolean("keep_unread") {
        limits.keep_unread = keep;
    }
    if let Some(records) = section.integer("batch_records", 1..1025) {
        limits.batch_records = records as u32;
    }
    // VPN servers repeat a request after a second at the earliest: an answer must be there long before.
    if let Some(interval) = section.duration("commit_interval", Duration::ZERO..=Duration::from_millis(100)) {
        limits.commit_interval = interval;
    }
    if limits.segment_bytes < journal::Options::segment_bytes_min(limits.batch_bytes()) {
        section.problem(
            section.span.clone(),
            "`journal.segment_bytes` must hold two batches at least (512 bytes for each of `journal.batch_records`)",
        );
    }
    if limits.max_bytes.is_some_and(|max| max < limits.segment_bytes.saturating_mul(2)) {
        section.problem(
            section.span.clone(),
            "`journal.max_bytes` must hold two segments at least (`journal.segment_bytes`)",
        );
    }
    section.finish();
}

fn read_dedup(section: Section<'_, '_>, limits: &mut DedupLimits) {
    if let Some(window) = section.duration("window", Duration::from_secs(5)..=Duration::from_secs(300)) {
        limits.window = window;
    }
    if let Some(entries) = section.integer("entries", 1024..(1 << 26) + 1) {
        limits.entries = entries as usize;
    }
    section.finish();
}

fn read_clients(top: &Section<'_, '_>, base: &Path, warnings: &mut Vec<String>) -> Vec<Client> {
    let mut clients: Vec<Client> = Vec::new();
    let mut holders: HashMap<IpNet, String> = HashMap::new();
    for section in top.sections("client") {
        let prefixes = section.list("address", values::prefix);
        if prefixes.is_none() {
            section.problem(section.span.clone(), "a client wants `address`: where it sends from");
        }
        let prefixes = prefixes.unwrap_or_default();
        let name = section
            .parsed("name", client_name)
            .or_else(|| prefixes.first().map(|(prefix, _)| prefix.to_string()));
        let name = name.unwrap_or_default();
        if let Some((_, span)) = section.string("name")
            && clients.iter().any(|client| client.name == name)
        {
            section.problem(span, format!("there are two clients of the name {name:?}"));
        }
        for (prefix, span) in &prefixes {
            if let Some(holder) = holders.insert(*prefix, name.clone()) {
                section.problem(
                    span.clone(),
                    format!("`client.address`: {prefix} belongs to client {holder:?} already"),
                );
            }
        }
        let secret = read_secret(&section, ["secret", "secret_file", "secret_env"], base, &name, warnings);
        let previous = ["previous_secret", "previous_secret_file", "previous_secret_env"];
        let previous_secret = read_secret(&section, previous, base, &name, warnings);
        if let SecretSource::None = secret {
            let message =
                format!("client {name:?} has no secret: give `secret_file`, `secret_env` or `secret`");
            section.problem(section.span.clone(), message);
        }
        let vendor = section.parsed("vendor", meaning::vendor).flatten();
        let attributes = section.section("attributes").map(meaning::read_attributes).unwrap_or_default();
        let is_vpn = section.parsed("kind", meaning::is_vpn).unwrap_or(false);
        let status_server = section.boolean("status_server").unwrap_or(true);
        let require_message_authenticator = section.boolean("require_message_authenticator").unwrap_or(false);
        let max_rate = section.integer("max_rate", 1..u64::from(u32::MAX)).map(|rate| rate as u32);
        section.finish();
        if let SecretSource::Good(secret) = secret {
            clients.push(Client {
                name,
                prefixes: prefixes.into_iter().map(|(prefix, _)| prefix).collect(),
                secret,
                previous_secret: previous_secret.good(),
                vendor,
                attributes,
                is_vpn,
                status_server,
                require_message_authenticator,
                max_rate,
            });
        }
    }
    clients
}

enum SecretSource {
    /// No key names one.
    None,
    /// One is named and wrong; the problem is noted.
    Bad,
    Good(Secret),
}

impl SecretSource {
    fn good(self) -> Option<Secret> {
        match self {
            SecretSource::Good(secret) => Some(secret),
            SecretSource::None | SecretSource::Bad => None,
        }
    }
}

/// The secret from one of three keys: as it stands, from a file, from the environment.
fn read_secret(
    section: &Section<'_, '_>,
    [plain_key, file_key, environment_key]: [&'static str; 3],
    base: &Path,
    client: &str,
    warnings: &mut Vec<String>,
) -> SecretSource {
    let plain = section.string(plain_key);
    let file = section.string(file_key);
    let environment = section.string(environment_key);
    let named: Vec<(&'static str, Range<usize>)> =
        [(plain_key, &plain), (file_key, &file), (environment_key, &environment)]
            .into_iter()
            .filter_map(|(key, value)| value.as_ref().map(|(_, span)| (key, span.clone())))
            .collect();
    let (key, span) = match named.as_slice() {
        [] => return SecretSource::None,
        [(key, span)] => (*key, span.clone()),
        [(first, _), (second, span), ..] => {
            section
                .problem(span.clone(), format!("`client.{first}` and `client.{second}` exclude each other"));
            return SecretSource::Bad;
        }
    };
    let secret = if let Some((text, _)) = plain {
        Secret::new(text.as_bytes().to_vec()).ok_or_else(|| "a secret must not be empty".to_owned())
    } else if let Some((name, _)) = file {
        let path = base.join(name);
        if is_readable_by_others(&path) {
            let path = path.display();
            warnings.push(format!("client {client:?}: others than its owner may read {path}; chmod 600 it"));
        }
        Secret::read(&path)
    } else if let Some((name, _)) = environment {
        match env::var_os(name).map(std::os::unix::ffi::OsStringExt::into_vec) {
            Some(octets) => {
                Secret::new(octets).ok_or_else(|| format!("the environment variable {name} is empty"))
            }
            None => Err(format!("the environment variable {name} is not set")),
        }
    } else {
        return SecretSource::None;
    };
    match secret {
        Ok(secret) => {
            if secret.is_weak() {
                let octets = secret.octets().len();
                warnings.push(format!(
                    "client {client:?}: `{key}` has {octets} octets; fewer than 16 can be guessed offline from one request"
                ));
            }
            SecretSource::Good(secret)
        }
        Err(reason) => {
            section.problem(span, format!("`client.{key}`: {reason}"));
            SecretSource::Bad
        }
    }
}

fn ack_when(text: &str) -> Result<AckWhen, String> {
    match text {
        "durable" => Ok(AckWhen::Durable),
        "received" => Ok(AckWhen::Received),
        _ => Err(format!("{text:?} is none of \"durable\", \"received\"")),
    }
}

fn xdp_mode(text: &str) -> Result<XdpMode, String> {
    match text {
        "auto" => Ok(XdpMode::Auto),
        "off" => Ok(XdpMode::Off),
        "native" => Ok(XdpMode::Native),
        "skb" => Ok(XdpMode::Skb),
        _ => Err(format!("{text:?} is none of \"auto\", \"off\", \"native\", \"skb\"")),
    }
}

fn digest_lanes(text: &str) -> Result<Option<md5_lanes::Path>, String> {
    match text {
        "auto" => Ok(None),
        _ => text.parse().map(Some).map_err(|error: md5_lanes::UnknownPath| format!("{error}, or auto")),
    }
}

fn address_or_off(text: &str) -> Result<Option<std::net::SocketAddr>, String> {
    if text == "off" { Ok(None) } else { values::socket_address(text).map(Some) }
}

fn interface_name(text: &str) -> Result<String, String> {
    // IFNAMSIZ is 16 with the final NUL.
    let sound = (1..16).contains(&text.len()) && !text.contains(['/', ' ']);
    match text {
        "lo" => Err("the loopback interface is served by UDP sockets, not by XDP".to_owned()),
        _ if sound => Ok(text.to_owned()),
        _ => Err(format!("{text:?} is not a name of a network interface")),
    }
}

fn client_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > NAME_OCTETS_MAX || text.chars().any(char::is_control) {
        return Err(format!("a name has 1 to {NAME_OCTETS_MAX} printable octets"));
    }
    Ok(text.to_owned())
}
