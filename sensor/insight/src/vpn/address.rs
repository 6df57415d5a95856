//! Addresses as VPN servers write them: with ports, in brackets, mapped into IPv6, and what stands there instead.
//! Decoding calls [`Station::parse`] for the endpoints of a connection and [`Scope::of`] for what an address is worth.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::text::trimmed;

/// What a Calling-Station-Id, Called-Station-Id or Tunnel-Client-Endpoint says. Names are never resolved: that would
/// tell a name server who connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Station<'a> {
    /// An address, an IPv4-mapped one as IPv4, and the port if one is written.
    Address(IpAddr, Option<u16>),
    /// A hardware address: 802.1X, PPPoE, hotspots. What is written around it (interface, SSID) is left out.
    Hardware([u8; 6]),
    /// A telephone number.
    Telephone,
    /// A host name or anything else.
    Other(&'a [u8]),
    /// Empty, `(null)` or the unspecified address.
    Nothing,
}

impl<'a> Station<'a> {
    /// Reads one. Never fails: what is nothing else is [`Station::Other`].
    pub fn parse(octets: &'a [u8]) -> Station<'a> {
        let octets = trimmed(octets);
        if octets.is_empty() || octets.eq_ignore_ascii_case(b"(null)") {
            return Station::Nothing;
        }
        let of_address = |address: IpAddr, port: Option<u16>| {
            let address = address.to_canonical();
            if address.is_unspecified() {
                Station::Nothing
            } else {
                Station::Address(address, port.filter(|port| *port != 0))
            }
        };
        if let Some(address) = dotted(octets) {
            return of_address(address.into(), None);
        }
        let Ok(text) = str::from_utf8(octets) else { return Station::Other(octets) };
        if let Some((address, port)) = endpoint(text) {
            return of_address(address, port);
        }
        if let Some(hardware) = hardware_within(octets) {
            Station::Hardware(hardware)
        } else if is_telephone(text) {
            Station::Telephone
        } else {
            Station::Other(octets)
        }
    }

    /// The address, if it is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Station::Address(address, _) => Some(*address),
            _ => None,
        }
    }

    /// The hardware address, if it is one.
    pub fn hardware(&self) -> Option<[u8; 6]> {
        match self {
            Station::Hardware(hardware) => Some(*hardware),
            _ => None,
        }
    }
}

/// `203.0.113.7` as nearly all stations are, read from the octets; [`endpoint`] reads the same of it.
fn dotted(octets: &[u8]) -> Option<Ipv4Addr> {
    let mut rest = octets;
    let mut parts = [0; 4];
    for (at, part) in parts.iter_mut().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        let digits = |digits: &[u8]| digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        // No zero before other digits; a digit too many is no dot.
        let (number, behind) = match rest {
            [b'1'..=b'2', b'0'..=b'9', b'0'..=b'9', behind @ ..] => (digits(&rest[..3]), behind),
            [b'1'..=b'9', b'0'..=b'9', behind @ ..] => (digits(&rest[..2]), behind),
            [b'0'..=b'9', behind @ ..] => (digits(&rest[..1]), behind),
            _ => return None,
        };
        *part = u8::try_from(number).ok()?;
        rest = behind;
    }
    rest.is_empty().then(|| Ipv4Addr::from(parts))
}

/// `203.0.113.7`, `203.0.113.7:49152`, `203.0.113.7[4500]`, `2001:db8::1`, `2001:db8::1[500]`, `[2001:db8::1]`,
/// `[2001:db8::1]:500`. What stands behind the last colon of an address without brackets belongs to the address.
fn endpoint(text: &str) -> Option<(IpAddr, Option<u16>)> {
    if let Ok(address) = text.parse() {
        return Some((address, None));
    }
    if let Some(inner) = text.strip_prefix('[') {
        let (address, behind) = inner.split_once(']')?;
        let address: Ipv6Addr = zoneless(address).parse().ok()?;
        return match behind.strip_prefix(':') {
            Some(port) => Some((address.into(), Some(port.parse().ok()?))),
            None => behind.is_empty().then_some((address.into(), None)),
        };
    }
    if let Some((address, port)) = text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        return Some((zoneless(address).parse().ok()?, Some(port.parse().ok()?)));
    }
    if let Ok(address) = zoneless(text).parse() {
        return Some((address, None));
    }
    let (address, port) = text.split_once(':')?;
    Some((IpAddr::V4(address.parse().ok()?), Some(port.parse().ok()?)))
}

/// Without the zone of a link-local address: `fe80::1%eth0`.
fn zoneless(address: &str) -> &str {
    address.split_once('%').map_or(address, |(address, _)| address)
}

/// The hardware address that is the whole text: `00-0C-29-74-9D-E8`, with colons, `000c.2974.9de8`, or 12 digits of
/// which one is a letter (12 decimal digits are a telephone number sooner).
pub fn hardware(text: &str) -> Option<[u8; 6]> {
    hardware_octets(text.as_bytes())
}

pub(super) fn hardware_octets(text: &[u8]) -> Option<[u8; 6]> {
    let mut at_each = text.iter().enumerate();
    let separated = match text.len() {
        17 => at_each.all(|(at, octet)| match at % 3 {
            2 => matches!(octet, b':' | b'-') && *octet == text[2],
            _ => octet.is_ascii_hexdigit(),
        }),
        14 => at_each.all(|(at, octet)| match at {
            4 | 9 => *octet == b'.',
            _ => octet.is_ascii_hexdigit(),
        }),
        12 => text.iter().all(u8::is_ascii_hexdigit) && text.iter().any(u8::is_ascii_alphabetic),
        _ => false,
    };
    if !separated {
        return None;
    }
    let mut digits = text.iter().filter_map(|digit| char::from(*digit).to_digit(16));
    let mut octets = [0; 6];
    for octet in &mut octets {
        // Both are below 16.
        *octet = (digits.next()? << 4 | digits.next()?) as u8;
    }
    Some(octets)
}

/// A hardware address, perhaps with an interface before it (`eth0:AA:BB:CC:DD:EE:FF`) or an SSID behind it
/// (`AA-BB-CC-DD-EE-FF:guest`).
pub(super) fn hardware_within(octets: &[u8]) -> Option<[u8; 6]> {
    let octets = trimmed(octets);
    if octets.len() < 12 {
        return None;
    }
    hardware_octets(octets).or_else(|| {
        let head = octets.get(..17).filter(|_| octets.get(17) == Some(&b':'));
        let tail = octets.len().checked_sub(17).filter(|at| *at > 1 && octets[at - 1] == b':');
        let found = head.and_then(hardware_octets).or_else(|| hardware_octets(octets.get(tail?..)?));
        // What is written around it is text, too.
        found.filter(|_| str::from_utf8(octets).is_ok())
    })
}

fn is_telephone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    digits >= 3
        && text.bytes().all(|octet| octet.is_ascii_digit() || b"+-() ./*#".contains(&octet))
        && text.starts_with(|first: char| first.is_ascii_digit() || "+(".contains(first))
}

/// What an address is worth for finding a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// It can have a place. Documentation networks count as public.
    Public,
    /// RFC 1918 and fc00::/7: a network of one's own.
    Private,
    /// 100.64.0.0/10 (RFC 6598): behind a provider's translation.
    CarrierGrade,
    /// 127.0.0.0/8, ::1.
    Loopback,
    /// 169.254.0.0/16, fe80::/10.
    LinkLocal,
    /// Multicast, 0.0.0.0/8, 240.0.0.0/4: no address of a host.
    Reserved,
    /// The address that the VPN server gave out in the same request: it saw the tunnel, not the client.
    OwnPool,
}

impl Scope {
    /// By the number alone.
    pub fn of(address: IpAddr) -> Scope {
        match address.to_canonical() {
            IpAddr::V4(address) => match address.octets() {
                _ if address.is_loopback() => Scope::Loopback,
                _ if address.is_private() => Scope::Private,
                _ if address.is_link_local() => Scope::LinkLocal,
                [100, 64..=127, ..] => Scope::CarrierGrade,
                [0 | 224.., ..] => Scope::Reserved,
                _ => Scope::Public,
            },
            IpAddr::V6(address) if address.is_loopback() => Scope::Loopback,
            IpAddr::V6(address) if address.is_unique_local() => Scope::Private,
            IpAddr::V6(address) if address.is_unicast_link_local() => Scope::LinkLocal,
            IpAddr::V6(address) if address.is_multicast() || address.is_unspecified() => Scope::Reserved,
            IpAddr::V6(_) => Scope::Public,
        }
    }

    /// Whether looking for a place makes sense. `false` means 'not placeable', which is no 'unknown country'.
    pub fn is_placeable(self) -> bool {
        self == Scope::Public
    }

    /// One word for people and for JSON.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Public => "public",
            Scope::Private => "private",
            Scope::CarrierGrade => "carrier-grade",
            Scope::Loopback => "loopback",
            Scope::LinkLocal => "link-local",
            Scope::Reserved => "reserved",
            Scope::OwnPool => "own-pool",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<(String, Option<u16>)> {
        match Station::parse(text.as_bytes()) {
            Station::Address(address, port) => Some((address.to_string(), port)),
            _ => None,
        }
    }

    #[test]
    fn every_form_of_an_address_is_read() {
        for (text, expected, port) in [
            ("203.0.113.7", "203.0.113.7", None),
            ("203.0.113.7[4500]", "203.0.113.7", Some(4500)),
            ("203.0.113.7[0]", "203.0.113.7", None),
            ("203.0.113.7:49152", "203.0.113.7", Some(49152)),
            ("::ffff:203.0.113.7", "203.0.113.7", None),
            ("[::ffff:203.0.113.7]:500", "203.0.113.7", Some(500)),
            ("2001:db8::1", "2001:db8::1", None),
            ("2001:db8::1[500]", "2001:db8::1", Some(500)),
            ("[2001:db8::1]:500", "2001:db8::1", Some(500)),
            ("[2001:db8::1]", "2001:db8::1", None),
            // An address, never a port.
            ("2001:db8::1:500", "2001:db8::1:500", None),
            ("fe80::1%eth0", "fe80::1", None),
            (" 203.0.113.7\0", "203.0.113.7", None),
        ] {
            assert_eq!(address(text), Some((expected.to_owned(), port)), "{text}");
        }
        for text in [
            "203.0.113.7:99999",
            "203.0.113.256",
            "203.0.113.7[",
            "203.0.113.7]",
            "[203.0.113.7",
            "1.2.3",
            "[]:1",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }

    #[test]
    fn dotted_addresses_are_read_as_the_standard_library_reads_them() {
        let parts =
            ["", "0", "00", "01", "9", "10", "99", "255", "256", "1000", "9999999999", "a", "+1", " 1"];
        for (first, last) in parts.into_iter().flat_map(|first| parts.map(|last| (first, last))) {
            for text in [
                format!("{first}.0.20.{last}"),
                format!("1.{first}.{last}.4"),
                format!("1.2.{first}{last}"),
                format!("{first}.1.2.3.{last}"),
            ] {
                assert_eq!(dotted(text.as_bytes()), text.parse().ok(), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_address_is_told_apart() {
        for text in ["", "(null)", "(NULL)", "0.0.0.0", "::", "0.0.0.0:500", "\0"] {
            assert_eq!(Station::parse(text.as_bytes()), Station::Nothing, "{text}");
        }
        let octets = [0x00, 0x0c, 0x29, 0x74, 0x9d, 0xe8];
        for text in [
            "00-0C-29-74-9D-E8",
            "00:0c:29:74:9d:e8",
            "000c.2974.9de8",
            "000C29749DE8",
            "eth0:00:0C:29:74:9D:E8",
            "vlan12:00-0c-29-74-9d-e8",
            "00-0C-29-74-9D-E8:guest network",
        ] {
            assert_eq!(Station::parse(text.as_bytes()).hardware(), Some(octets), "{text}");
        }
        for text in ["+15678023561", "0301234567", "(030) 123-4567", "123456789012"] {
            assert_eq!(Station::parse(text.as_bytes()), Station::Telephone, "{text}");
        }
        for text in
            ["pc7.contoso.example", "00-0C-29:74-9D-E8", "00-0C-29-74-9D-GG", "Zoë", "a", "12", "ä:00"]
        {
            assert_eq!(Station::parse(text.as_bytes()), Station::Other(text.as_bytes()), "{text}");
        }
        assert_eq!(Station::parse(b"\xff\xfe"), Station::Other(b"\xff\xfe"));
    }

    #[test]
    fn only_public_addresses_are_placeable() {
        for (text, expected) in [
            ("203.0.113.7", Scope::Public),
            ("2001:db8::1", Scope::Public),
            ("10.1.2.3", Scope::Private),
            ("172.31.0.1", Scope::Private),
            ("172.32.0.1", Scope::Public),
            ("fd00::1", Scope::Private),
            ("::ffff:192.168.0.1", Scope::Private),
            ("100.64.0.1", Scope::CarrierGrade),
            ("100.127.255.255", Scope::CarrierGrade),
            ("100.128.0.0", Scope::Public),
            ("127.0.0.1", Scope::Loopback),
            ("::1", Scope::Loopback),
            ("169.254.1.1", Scope::LinkLocal),
            ("fe80::1", Scope::LinkLocal),
            ("224.0.0.1", Scope::Reserved),
            ("255.255.255.255", Scope::Reserved),
            ("0.1.2.3", Scope::Reserved),
            ("ff02::1", Scope::Reserved),
        ] {
            let scope = Scope::of(text.parse().unwrap());
            assert_eq!(scope, expected, "{text}");
            assert_eq!(scope.is_placeable(), expected == Scope::Public);
        }
    }
}
