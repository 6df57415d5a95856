//! What `check` looks at on the host, each with what was found and what to change.

use std::io;

use caps::{CapSet, Capability};
use ingest::capture::netlink::{Link, Watch};
use insight::geo::Precision;
use policy::portal::Certificate;
use serde::Serialize;
use service::portal::certificate;
use xsk::KernelRelease;

use super::{Choice, choose, host_interfaces};
use crate::config::{Config, XdpMode, detecting_summary};

/// How good a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Good,
    /// Works; something could be better.
    Note,
    /// The sensor, or what the configuration asks for, does not work like this.
    Lacking,
}

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub subject: String,
    /// How good it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to change, where something is to be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    fn good(subject: impl Into<String>, found: impl Into<String>) -> Finding {
        Finding { subject: subject.into(), state: State::Good, found: found.into(), remedy: None }
    }

    fn with(state: State, subject: &str, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { subject: subject.to_owned(), state, found: found.into(), remedy: Some(remedy.into()) }
    }
}

/// Looks at the host with the eyes of this configuration.
pub fn findings(config: &Config) -> Vec<Finding> {
    let mut findings =
        vec![state_directory(config), ports(config), portal(config), places(config), detections(config)];
    if config.listen.xdp == XdpMode::Off {
        findings.push(Finding::good("XDP", "off by listen.xdp; kernel UDP serves everything"));
        return findings;
    }
    // XDP that was asked for by name has to work; with `auto` the kernel's path is a sound second.
    let wanting = if config.listen.xdp == XdpMode::Auto { State::Note } else { State::Lacking };
    findings.push(kernel(wanting));
    findings.extend(capabilities(wanting));
    let looked_at = || -> io::Result<_> {
        let mut watch = Watch::open()?;
        Ok((choose(config, &host_interfaces(&mut watch)?), watch.links()?))
    };
    let (choices, links) = match looked_at() {
        Ok(found) => found,
        Err(error) => {
            findings.push(Finding::with(
                State::Lacking,
                "interfaces",
                error.to_string(),
                "look at `ip address`",
            ));
            return findings;
        }
    };
    let mut queues = 0;
    for (name, choice) in &choices {
        match choice {
            Choice::Covered => {
                if let Ok(nic) = xsk::Interface::query(name) {
                    queues += u64::from(nic.queues());
                    findings.extend(interface(&nic, &links, wanting));
                }
            }
            Choice::Left(reason) if config.listen.interfaces.contains(name) => findings.push(Finding::with(
                State::Lacking,
                &format!("interface {name}"),
                *reason,
                "correct listen.interfaces",
            )),
            Choice::Left(reason) | Choice::Aside(reason) => {
                findings.push(Finding::good(format!("interface {name}"), format!("kernel UDP: {reason}")));
            }
        }
    }
    findings.push(locked_memory(queues, config.listen.ring, wanting));
    findings
}

/// Where the portal is, and by which certificate it is known. Makes none.
fn portal(config: &Config) -> Finding {
    const SUBJECT: &str = "portal";
    let Some(url) = config.portal_url() else { return Finding::good(SUBJECT, "off by portal.address") };
    let wanted = match config.portal_certificate() {
        None => return Finding::good(SUBJECT, format!("{url}, for this host alone")),
        Some(Certificate::Made { file, .. }) if !file.exists() => {
            return Finding::good(SUBJECT, format!("{url}; the first start makes a certificate"));
        }
        Some(wanted) => wanted,
    };
    let fingerprint = certificate::open(&wanted).and_then(|identity| {
        let fingerprint = certificate::fingerprint(&identity);
        certificate::server(identity).map(|_| fingerprint)
    });
    match fingerprint {
        Ok(fingerprint) => Finding::good(SUBJECT, format!("{url}, certificate with SHA-256 {fingerprint}")),
        Err(error) => {
            let remedy =
                "correct portal.certificate and portal.key; a made one is made again if you move it away";
            Finding::with(State::Lacking, SUBJECT, error, remedy)
        }
    }
}

/// How finely places can be known with the configured databases.
fn places(config: &Config) -> Finding {
    const SUBJECT: &str = "places";
    let places = match crate::places::Sources::of(config).open() {
        Ok(places) => places,
        Err(error) => {
            let remedy = "correct geo.databases or leave the file out; `vpn-sensor geo remove` takes an added one away";
            return Finding::with(State::Lacking, SUBJECT, format!("{error:#}"), remedy);
        }
    };
    match places.precision() {
        Some(Precision::City | Precision::Region) => {
            Finding::good(SUBJECT, format!("cities, from {} databases", places.databases().len()))
        }
        // What comes with the product has countries: without any there is no product.
        Some(Precision::Country) | None => Finding::with(
            State::Note,
            SUBJECT,
            "countries only, each with its own radius: travel shows from country to country",
            "vpn-sensor geo add CITY.mmdb, or name a City database under geo.databases",
        ),
    }
}

/// When people are told. Exclusions that are over are among the configuration's warnings.
fn detections(config: &Config) -> Finding {
    const SUBJECT: &str = "detections";
    let now = u64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(0);
    let found = detecting_summary(&config.detect, now);
    if config.detect.exclusions.iter().any(|exclusion| exclusion.is_over(now)) {
        let remedy =
            "take the exclusions that ended out, or give them another `until` if their reason still holds";
        return Finding::with(State::Note, SUBJECT, found, remedy);
    }
    Finding::good(SUBJECT, found)
}

fn state_directory(config: &Config) -> Finding {
    const SUBJECT: &str = "state directory";
    let folder = &config.state_dir;
    let existing = folder.ancestors().find(|folder| folder.exists());
    let space = existing.and_then(|folder| rustix::fs::statvfs(folder).ok());
    let writable =
        existing.is_some_and(|folder| rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok());
    let shown = folder.display();
    match space {
        _ if !writable => {
            let remedy = "give the sensor's user write permission there, or set another state_dir";
            Finding::with(State::Lacking, SUBJECT, format!("{shown} cannot be written"), remedy)
        }
        Some(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let reserve = config.journal.free_reserve_bytes;
            let found = format!("{shown}, {} MiB free", free >> 20);
            if free > reserve {
                return Finding::good(SUBJECT, found);
            }
            let remedy = format!(
                "free space: below journal.free_reserve ({} MiB) the oldest records are given up",
                reserve >> 20
            );
            Finding::with(State::Note, SUBJECT, found, remedy)
        }
        None => Finding::with(
            State::Lacking,
            SUBJECT,
            format!("{shown} cannot be looked at"),
            "set another state_dir",
        ),
    }
}

fn ports(config: &Config) -> Finding {
    const SUBJECT: &str = "ports";
    let shown = config.listen.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let low = config.listen.addresses.iter().any(|address| address.port() < 1024);
    if low && !has(Capability::CAP_NET_BIND_SERVICE) {
        let remedy = "run as root, grant CAP_NET_BIND_SERVICE, or listen on a port from 1024 on";
        return Finding::with(State::Lacking, SUBJECT, format!("{shown}: a port below 1024"), remedy);
    }
    Finding::good(SUBJECT, shown)
}

fn kernel(wanting: State) -> Finding {
    const SUBJECT: &str = "kernel";
    match KernelRelease::running() {
        Ok(release) if release < KernelRelease::OLDEST_FOR_XDP => Finding::with(
            wanting,
            SUBJECT,
            format!("Linux {release}"),
            format!(
                "XDP needs Linux {} or later; until then kernel UDP serves everything",
                KernelRelease::OLDEST_FOR_XDP
            ),
        ),
        Ok(release) if release.copy_mode_transmit_panics() => Finding::with(
            wanting,
            SUBJECT,
            format!("Linux {release} can panic when AF_XDP sends in copy mode"),
            "use 6.12 or 6.18 for XDP; until then kernel UDP serves what zero-copy does not",
        ),
        Ok(release) => Finding::good(SUBJECT, format!("Linux {release}")),
        Err(error) => Finding::with(wanting, SUBJECT, error.to_string(), "look at `uname -r`"),
    }
}

fn capabilities(wanting: State) -> Vec<Finding> {
    let missing: Vec<String> = [Capability::CAP_NET_RAW, Capability::CAP_NET_ADMIN, Capability::CAP_BPF]
        .into_iter()
        .filter(|capability| !has(*capability))
        .map(|capability| capability.to_string())
        .collect();
    if missing.is_empty() {
        return vec![Finding::good("capabilities", "all that set-up needs; dropped after it")];
    }
    let remedy = "run as root, or grant them to the service; without them kernel UDP serves everything";
    vec![Finding::with(wanting, "capabilities", format!("missing: {}", missing.join(", ")), remedy)]
}

fn has(capability: Capability) -> bool {
    caps::has_cap(None, CapSet::Effective, capability).unwrap_or(false)
}

fn interface(nic: &xsk::Interface, links: &[Link], wanting: State) -> Vec<Finding> {
    let subject = format!("interface {}", nic.name);
    let name = &nic.name;
    let mut findings = vec![Finding::good(
        subject.clone(),
        format!(
            "driver {}, MTU {}, {} receive and {} transmit queues, {}",
            nic.driver.as_deref().unwrap_or("unknown"),
            nic.mtu,
            nic.rx_queues,
            nic.tx_queues,
            if nic.up { "up" } else { "down" }
        ),
    )];
    if nic.rx_queues > nic.queues() {
        let found = format!(
            "{} receive queues cannot answer: the kernel's path serves them",
            nic.rx_queues - nic.queues()
        );
        let remedy =
            format!("ethtool -L {name} combined {}, or as many transmit as receive queues", nic.rx_queues);
        findings.push(Finding::with(State::Note, &subject, found, remedy));
    }
    let programs =
        links.iter().find(|link| link.index == nic.index).map(|link| link.xdp_program_ids.as_slice());
    match programs {
        Some([id, ..]) => {
            let found = format!("an XDP program is attached already (id {id})");
            let remedy = format!(
                "if it is not this sensor's: `bpftool prog show id {id}` names it, `bpftool link` its owner; detach it or set listen.xdp = \"off\""
            );
            findings.push(Finding::with(wanting, &subject, found, remedy));
        }
        _ => findings.push(Finding::good(subject.clone(), "the XDP hook is free")),
    }
    let Ok(features) = nic.features() else { return findings };
    for (feature, short, found) in [
        ("rx-udp-gro-forwarding", "rx-udp-gro-forwarding", "merges datagrams on their way to generic XDP"),
        ("rx-gro-hw", "rx-gro-hw", "merges packets before XDP"),
        ("rx-lro", "lro", "merges packets before XDP"),
    ] {
        if features.active(feature) == Some(true) {
            let remedy = format!("ethtool -K {name} {short} off");
            findings.push(Finding::with(State::Note, &subject, format!("{feature} is on: {found}"), remedy));
        }
    }
    if features.active("rx-vlan-hw-parse") == Some(true) && has_vlan_upper(name) {
        let found = "rx-vlan-hw-parse strips VLAN tags before XDP sees them: an answer would leave untagged";
        findings.push(Finding::with(State::Note, &subject, found, format!("ethtool -K {name} rxvlan off")));
    }
    findings
}

fn has_vlan_upper(name: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(format!("/sys/class/net/{name}")) else { return false };
    entries.flatten().any(|entry| {
        let upper = entry.file_name().to_string_lossy().strip_prefix("upper_").map(str::to_owned);
        upper.is_some_and(|upper| std::path::Path::new("/proc/net/vlan").join(upper).exists())
    })
}

fn locked_memory(queues: u64, ring: u32, wanting: State) -> Finding {
    const SUBJECT: &str = "locked memory";
    let needed = queues * xsk::Options::of_ring(ring).locked_octets();
    let limit = rustix::process::getrlimit(rustix::process::Resource::Memlock).current;
    match limit {
        Some(limit) if limit < needed && !has(Capability::CAP_IPC_LOCK) => Finding::with(
            wanting,
            SUBJECT,
            format!("{} KiB allowed, {} KiB needed for {queues} queues", limit >> 10, needed >> 10),
            "LimitMEMLOCK=infinity in the service, CAP_IPC_LOCK, or a smaller listen.ring",
        ),
        _ => Finding::good(SUBJECT, format!("enough for {queues} queues ({} KiB)", needed >> 10)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn how_finely_places_are_known_is_said() {
        let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("insight/tests/geo/data");
        for (files, state, expected) in [
            (&[][..], State::Note, "countries only"),
            (&["flat-asn.mmdb"], State::Note, "countries only"),
            (&["flat-country.mmdb", "flat-asn.mmdb"], State::Note, "countries only"),
            (&["flat-country.mmdb", "flat-city-ipv4.mmdb"], State::Good, "cities, from 5 databases"),
            (&["GeoIP2-Domain-Test.mmdb"], State::Lacking, "says nothing about places or networks"),
            (&["missing.mmdb"], State::Lacking, "cannot read the database"),
        ] {
            let databases = files.iter().map(|file| data.join(file)).collect();
            let state_dir = PathBuf::from("/nonexistent");
            let finding = places(&Config { databases, state_dir, ..Config::built_in() });
            assert_eq!(finding.state, state, "{files:?}");
            assert!(finding.found.contains(expected), "{}", finding.found);
            assert_eq!(finding.remedy.is_some(), state != State::Good);
        }
    }
}
