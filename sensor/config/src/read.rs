//! From the text of a file to a [`Config`]: which keys there are, their types, ranges and defaults.

use std::{path::Path, time::Duration};

use toml::de::DeTable;

use super::{
    AckWhen, Config, ConfigError, DedupLimits, JournalLimits, Listen, XdpMode, clients, detect,
    document::{Document, EntryLines, Lines, Section},
    health, meaning, places, portal,
    settings::{self, Said},
    sinks, values,
};

/// Reads a file onto the defaults.
pub(super) fn read(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let base = Config { path: Some(path.to_owned()), ..Config::built_in() };
    let (mut config, said, (lines, entries)) = read_onto(base, Layer::File, path, text)?;
    (config.file_says, config.origins.file, config.entry_lines) = (said, lines, entries);
    Ok(config)
}

/// Reads what the portal set below what the file says: a key of the file wins.
pub(super) fn read_below(config: Config, path: &Path, text: &str) -> Result<Config, ConfigError> {
    let (mut config, said, (lines, entries)) = read_onto(config, Layer::Portal, path, text)?;
    config.portal_says = said;
    config.origins.portal = lines.into_keys().collect();
    config.origins.portal_has_entries = !entries.is_empty();
    Ok(config)
}

/// Whose a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// The operator's file.
    File,
    /// What was set in the portal, below the state directory.
    Portal,
}

fn read_onto(
    mut config: Config,
    layer: Layer,
    path: &Path,
    text: &str,
) -> Result<(Config, Said, (Lines, EntryLines)), ConfigError> {
    let above = config.origins.file.clone();
    let document = Document::new(path, text, &above);
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            // Only the message: the error's own display quotes the line, and the line may hold a secret.
            document.problem(error.span().unwrap_or(0..0), error.message());
            return Err(document.into_error());
        }
    };
    if layer == Layer::Portal {
        // Before anything that it names is looked at.
        settings::keep_within(&document, table.get_ref());
        if document.has_problems() {
            return Err(document.into_error());
        }
    }
    let top = Section::new(&document, "", &table);
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
        if let Some(link) = section.parsed("link", values::link) {
            config.portal_link = Some(link);
        }
        if let Some(identity) = portal::read_identity(&section, base, &mut config.warnings) {
            config.portal_identity = Some(identity);
        }
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
    if let Some(databases) = top.section("geo").and_then(|section| places::read_geo(section, base)) {
        config.databases = databases;
    }
    places::read_sites(&top, &mut config);
    clients::read(&top, base, layer, &mut config);
    sinks::read(&top, base, layer, &mut config);
    // Of both layers, whichever says what is kept free.
    for sink in &mut config.sinks {
        sink.limits.free_reserve_bytes = config.journal.free_reserve_bytes;
    }
    top.finish();
    let lines = document.finish()?;
    Ok((config, Said::of(table.get_ref()), lines))
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
    if let Some(accounting) = section.boolean("accounting") {
        listen.accounting = accounting;
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

/// `digest.lanes`: a path by its name; `auto`, the best that there is: `None`.
///
/// # Errors
///
/// Neither, in a sentence that names all.
pub fn digest_lanes(text: &str) -> Result<Option<md5_lanes::Path>, String> {
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
