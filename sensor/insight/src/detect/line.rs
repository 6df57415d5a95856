//! What counts as one address of a client: of IPv4 the address, of IPv6 the network that one line has. Each device there makes
//! itself another address every day, so that those of many users are never the same.

use std::{
    fmt::{self, Display, Formatter},
    net::IpAddr,
};

use ipnet::IpNet;

/// Bits of an IPv6 address that tell lines apart: what a provider gives one is this or shorter.
const LINE_BITS: u8 = 64;

/// See above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Line(IpNet);

impl Line {
    /// That of an address; IPv4 in IPv6 is IPv4.
    pub fn of(address: IpAddr) -> Line {
        let address = address.to_canonical();
        let bits = if address.is_ipv4() { 32 } else { LINE_BITS };
        // As long as an address of the family at most.
        Line(IpNet::new(address, bits).map_or_else(|_| address.into(), |line| line.trunc()))
    }

    /// Whether it is more than one address.
    pub fn is_network(self) -> bool {
        self.0.prefix_len() < self.0.max_prefix_len()
    }
}

/// `198.51.100.9`, `2001:db8:1:2::/64`.
impl Display for Line {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_network() { write!(f, "{}", self.0) } else { write!(f, "{}", self.0.addr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_ipv6_is_its_network_and_of_ipv4_its_address() {
        for (address, line) in [
            ("198.51.100.9", "198.51.100.9"),
            ("::ffff:198.51.100.9", "198.51.100.9"),
            ("2001:db8:1:2:a::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:b:0:ffff:1", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ] {
            assert_eq!(Line::of(address.parse().unwrap()).to_string(), line, "{address}");
        }
    }
}
