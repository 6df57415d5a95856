//! Which interfaces XDP covers: those named, else physical and veth ones that hold a listening address.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    path::Path,
};

use ingest::capture::netlink::Watch;
use ipnet::IpNet;

use crate::config::{Config, XdpMode};

/// What an interface is, as far as XDP is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `lo`: never covered.
    Loopback,
    /// A device of its own, real or of a hypervisor.
    Physical,
    /// One end of a virtual cable.
    Veth,
    /// VLAN, bond, bridge, tunnel and the like: the kernel's path serves them.
    Stacked,
}

/// An interface of this network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostInterface {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The addresses it holds.
    pub addresses: Vec<IpAddr>,
}

/// Whether XDP covers an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It does.
    Covered,
    /// It does not, for this reason, though datagrams for the sensor may come by it.
    Left(&'static str),
    /// It does not, and none is expected there.
    Aside(&'static str),
}

/// The interfaces of this thread's network namespace with their addresses.
pub fn host_interfaces(watch: &mut Watch) -> io::Result<Vec<HostInterface>> {
    let addresses = watch.addresses()?;
    let mut interfaces = Vec::new();
    // Not from sysfs, which may show another network namespace than this thread's.
    for link in watch.links()? {
        let name = link.name;
        let Ok(nic) = xsk::Interface::query(&name) else { continue };
        interfaces.push(HostInterface {
            kind: kind(&name, nic.driver.as_deref()),
            addresses: addresses
                .iter()
                .filter(|held| held.interface == nic.index)
                .map(|held| held.address)
                .collect(),
            name,
        });
    }
    interfaces.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(interfaces)
}

fn kind(name: &str, driver: Option<&str>) -> Kind {
    let sysfs = Path::new("/sys/class/net").join(name);
    // ARPHRD_LOOPBACK
    let loopback =
        name == "lo" || fs::read_to_string(sysfs.join("type")).is_ok_and(|kind| kind.trim() == "772");
    match driver {
        _ if loopback => Kind::Loopback,
        Some("veth") => Kind::Veth,
        _ if sysfs.join("device").exists() => Kind::Physical,
        _ => Kind::Stacked,
    }
}

/// Decides for each interface, in the order given; a configured name that does not exist comes last.
pub fn choose(config: &Config, interfaces: &[HostInterface]) -> Vec<(String, Choice)> {
    let named = &config.listen.interfaces;
    let mut choices: Vec<(String, Choice)> =
        interfaces.iter().map(|interface| (interface.name.clone(), choose_one(config, interface))).collect();
    let absent = named.iter().filter(|name| !interfaces.iter().any(|interface| interface.name == **name));
    choices.extend(absent.map(|name| (name.clone(), Choice::Left("there is no such interface"))));
    choices
}

fn choose_one(config: &Config, interface: &HostInterface) -> Choice {
    let named = &config.listen.interfaces;
    if config.listen.xdp == XdpMode::Off {
        return Choice::Left("listen.xdp is off");
    }
    let is_named = named.contains(&interface.name);
    if interface.kind == Kind::Loopback {
        const REASON: &str = "loopback is served by the kernel's path";
        return if is_named { Choice::Left(REASON) } else { Choice::Aside(REASON) };
    }
    if !named.is_empty() {
        return if is_named { Choice::Covered } else { Choice::Aside("not among listen.interfaces") };
    }
    let listens = |held: &IpAddr| {
        config.listen.addresses.iter().any(|listening| {
            listening.ip() == *held
                || (listening.ip().is_unspecified() && listening.is_ipv4() == held.is_ipv4())
        })
    };
    let is_for_loopback = || config.clients.iter().all(|client| client.prefixes.iter().all(is_loopback));
    match interface.kind {
        _ if !interface.addresses.iter().any(listens) => Choice::Aside("holds no listening address"),
        _ if is_for_loopback() => Choice::Left("every client is on loopback"),
        Kind::Stacked => Choice::Left("a VLAN, bond, bridge or tunnel device is served by the kernel's path"),
        _ => Choice::Covered,
    }
}

/// Where a VPN server can send its accounting: the listening addresses, and in the place of "any" each address that the
/// host holds, but for those that are good on their own link alone. Loopback is left out where there is another.
pub fn reachable(listening: &[SocketAddr], held: &[IpAddr]) -> Vec<SocketAddr> {
    let is_of_its_link = |address: &IpAddr| match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let mut reachable = Vec::new();
    for listening in listening {
        match listening.ip() {
            any if any.is_unspecified() => {
                let same =
                    held.iter().filter(|held| held.is_ipv4() == any.is_ipv4() && !is_of_its_link(held));
                reachable.extend(same.map(|held| SocketAddr::new(*held, listening.port())));
            }
            _ => reachable.push(*listening),
        }
    }
    if reachable.iter().any(|address| !address.ip().is_loopback()) {
        reachable.retain(|address| !address.ip().is_loopback());
    }
    // IPv4 first: most VPN servers are given that.
    reachable.sort_unstable();
    reachable.dedup();
    reachable
}

fn is_loopback(prefix: &IpNet) -> bool {
    match prefix {
        IpNet::V4(v4) => v4.prefix_len() >= 8 && v4.addr().is_loopback(),
        IpNet::V6(v6) => v6.prefix_len() == 128 && v6.addr().is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;
    use std::io::Write;

    fn config(text: &str) -> Config {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        load(Some(file.path())).unwrap()
    }

    fn interface(name: &str, kind: Kind, addresses: &[&str]) -> HostInterface {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        HostInterface { name: name.to_owned(), kind, addresses }
    }

    fn covered(config: &Config, interfaces: &[HostInterface]) -> Vec<String> {
        let choices = choose(config, interfaces);
        choices.into_iter().filter(|(_, choice)| *choice == Choice::Covered).map(|(name, _)| name).collect()
    }

    const CLIENT: &str =
        "[[client]]\nname = \"a\"\naddress = [\"192.0.2.0/24\"]\nsecret = \"sixteen octets...\"\n";

    #[test]
    fn physical_and_veth_interfaces_with_a_listening_address_are_covered() {
        let interfaces = [
            interface("bond0", Kind::Stacked, &["192.0.2.3"]),
            interface("eth0", Kind::Physical, &["192.0.2.1"]),
            interface("eth1", Kind::Physical, &[]),
            interface("lo", Kind::Loopback, &["127.0.0.1", "::1"]),
            interface("veth0", Kind::Veth, &["2001:db8::1"]),
        ];
        assert_eq!(covered(&config(CLIENT), &interfaces), ["eth0", "veth0"]);
        let one = config(&format!("[listen]\naddresses = [\"192.0.2.1:1813\"]\n{CLIENT}"));
        assert_eq!(covered(&one, &interfaces), ["eth0"]);
        let named = config(&format!("[listen]\ninterfaces = [\"bond0\", \"absent0\"]\n{CLIENT}"));
        assert_eq!(covered(&named, &interfaces), ["bond0"]);
        let absent = choose(&named, &interfaces).pop().unwrap();
        assert_eq!(absent, ("absent0".to_owned(), Choice::Left("there is no such interface")));
        let why = |name: &str| {
            let mut choices = choose(&config(CLIENT), &interfaces).into_iter();
            choices.find(|(interface, _)| interface == name).unwrap().1
        };
        assert!(matches!(why("bond0"), Choice::Left(_)), "datagrams come by it");
        assert!(matches!((why("eth1"), why("lo")), (Choice::Aside(_), Choice::Aside(_))), "none do");
        let off = config(&format!("[listen]\nxdp = \"off\"\n{CLIENT}"));
        assert_eq!(covered(&off, &interfaces), [""; 0]);
    }

    #[test]
    fn nothing_is_covered_while_every_client_is_on_loopback() {
        let local = CLIENT.replace("192.0.2.0/24", "127.0.0.0/8\", \"::1");
        let interfaces = [interface("eth0", Kind::Physical, &["192.0.2.1"])];
        assert_eq!(covered(&config(&local), &interfaces), [""; 0]);
        assert_eq!(covered(&config(&CLIENT.replace("192.0.2.0/24", "0.0.0.0/0")), &interfaces), ["eth0"]);
    }

    #[test]
    fn a_vpn_server_can_send_to_what_an_interface_holds_and_to_loopback_where_there_is_nothing_else() {
        let held = ["2001:db8::1", "fe80::1", "192.0.2.1", "127.0.0.1", "::1"];
        let held: Vec<IpAddr> = held.iter().map(|address| address.parse().unwrap()).collect();
        let reached = |listening: &[&str]| {
            let listening: Vec<SocketAddr> =
                listening.iter().map(|address| address.parse().unwrap()).collect();
            let reached = reachable(&listening, &held);
            reached.iter().map(SocketAddr::to_string).collect::<Vec<_>>()
        };
        assert_eq!(reached(&["[::]:1813", "0.0.0.0:1813"]), ["192.0.2.1:1813", "[2001:db8::1]:1813"]);
        assert_eq!(reached(&["0.0.0.0:1646", "192.0.2.1:1646"]), ["192.0.2.1:1646"]);
        assert_eq!(reached(&["127.0.0.1:1813"]), ["127.0.0.1:1813"]);
    }

    #[test]
    fn this_host_has_a_loopback_interface() {
        let interfaces = host_interfaces(&mut Watch::open().unwrap()).unwrap();
        let lo = interfaces.iter().find(|interface| interface.name == "lo").unwrap();
        assert_eq!(lo.kind, Kind::Loopback);
    }
}
