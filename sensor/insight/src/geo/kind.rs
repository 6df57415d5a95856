//! Kinds of networks, as far as a database says so. An address can be in several.

use std::fmt;

/// One kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NetworkKind {
    /// Servers for rent: a person seldom sits there, a cloud desktop does.
    Hosting,
    /// A content delivery network or a cloud proxy.
    ContentDelivery,
    /// An exit of a VPN that hides who uses it.
    Vpn,
    /// A Tor exit.
    Tor,
    /// An open proxy.
    PublicProxy,
    /// A proxy on somebody's home line.
    ResidentialProxy,
    /// A relay that a device's maker runs for its users, like iCloud Private Relay. Not a VPN: it keeps the region.
    Relay,
    /// A mobile network: places in it are vague.
    Mobile,
    /// A line into a house: cable, DSL, dial-up.
    FixedLine,
    /// A company's own line.
    Corporate,
    /// By satellite: the place is that of the ground station.
    Satellite,
}

impl NetworkKind {
    /// All, in the order in which they are shown.
    pub const ALL: [NetworkKind; 11] = [
        NetworkKind::Tor,
        NetworkKind::Vpn,
        NetworkKind::PublicProxy,
        NetworkKind::ResidentialProxy,
        NetworkKind::Relay,
        NetworkKind::Hosting,
        NetworkKind::ContentDelivery,
        NetworkKind::Mobile,
        NetworkKind::FixedLine,
        NetworkKind::Corporate,
        NetworkKind::Satellite,
    ];

    /// One word for people and for JSON.
    pub fn name(self) -> &'static str {
        match self {
            NetworkKind::Hosting => "hosting",
            NetworkKind::ContentDelivery => "content-delivery",
            NetworkKind::Vpn => "vpn",
            NetworkKind::Tor => "tor",
            NetworkKind::PublicProxy => "public-proxy",
            NetworkKind::ResidentialProxy => "residential-proxy",
            NetworkKind::Relay => "relay",
            NetworkKind::Mobile => "mobile",
            NetworkKind::FixedLine => "fixed-line",
            NetworkKind::Corporate => "corporate",
            NetworkKind::Satellite => "satellite",
        }
    }

    /// The kind with this name.
    pub fn named(name: &str) -> Option<NetworkKind> {
        NetworkKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of kinds. Empty: nothing is known, which does not mean a home line.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct NetworkKinds(u16);

impl NetworkKinds {
    /// Whether none is known.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it is among them.
    pub fn contains(self, kind: NetworkKind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Whether any of them hides where a person is.
    pub fn is_anonymous(self) -> bool {
        use NetworkKind::{PublicProxy, ResidentialProxy, Tor, Vpn};
        [Tor, Vpn, PublicProxy, ResidentialProxy].into_iter().any(|kind| self.contains(kind))
    }

    /// Adds one.
    pub fn insert(&mut self, kind: NetworkKind) {
        self.0 |= kind.bit();
    }

    /// Those of both.
    #[must_use]
    pub fn union(self, other: NetworkKinds) -> NetworkKinds {
        NetworkKinds(self.0 | other.0)
    }

    /// As a number, to be kept.
    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    /// From what was kept; bits of no kind are left out.
    pub(crate) fn from_bits(bits: u16) -> NetworkKinds {
        NetworkKinds(NetworkKind::ALL.into_iter().map(|kind| bits & kind.bit()).fold(0, |all, bit| all | bit))
    }

    /// In the order of [`NetworkKind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = NetworkKind> {
        NetworkKind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }
}

impl FromIterator<NetworkKind> for NetworkKinds {
    fn from_iter<I: IntoIterator<Item = NetworkKind>>(kinds: I) -> NetworkKinds {
        let mut set = NetworkKinds::default();
        kinds.into_iter().for_each(|kind| set.insert(kind));
        set
    }
}

impl fmt::Display for NetworkKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, kind) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            f.write_str(kind.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for NetworkKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_one_of_its_own() {
        for kind in NetworkKind::ALL {
            let set = NetworkKinds::from_iter([kind]);
            assert_eq!(set.iter().collect::<Vec<_>>(), [kind]);
            assert_eq!(set.to_string(), kind.name());
            assert_eq!(NetworkKind::named(kind.name()), Some(kind));
            assert_eq!(NetworkKinds::from_bits(set.bits()), set);
        }
        let all = NetworkKinds::from_iter(NetworkKind::ALL);
        assert_eq!(all.iter().count(), NetworkKind::ALL.len());
        assert!(NetworkKinds::default().is_empty() && !all.is_empty());
    }

    #[test]
    fn relays_and_hosting_do_not_count_as_anonymous() {
        let plain = NetworkKinds::from_iter([NetworkKind::Relay, NetworkKind::Hosting, NetworkKind::Mobile]);
        assert!(!plain.is_anonymous());
        assert!(plain.union(NetworkKinds::from_iter([NetworkKind::Tor])).is_anonymous());
    }
}
