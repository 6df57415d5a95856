//! Ranges that have no place, that have many, and that carry another address inside. Called before a look-up.

use std::net::{IpAddr, Ipv4Addr};

/// The address that a place is looked up for: the client's own, where an IPv6 address only carries an IPv4 one.
pub(super) fn carried(address: IpAddr) -> IpAddr {
    let IpAddr::V6(outer) = address else { return address };
    let octets = outer.octets();
    let inner: [u8; 4] = match octets {
        // IPv4-mapped (RFC 4291 2.5.5.2).
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d]
        // NAT64 (RFC 6052).
        | [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]
        // 6to4 (RFC 3056).
        | [0x20, 0x02, a, b, c, d, ..] => [a, b, c, d],
        // Teredo: the client's address, inverted (RFC 4380 4).
        [0x20, 0x01, 0, 0, .., a, b, c, d] => [!a, !b, !c, !d],
        _ => return address,
    };
    Ipv4Addr::from(inner).into()
}

/// Networks for examples and for measuring (RFC 5737, 3849, 9637, 2544): nobody connects from there, though some
/// databases name a country for them.
pub(super) fn is_documentation(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            matches!(
                address.octets(),
                [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [198, 18 | 19, ..]
            )
        }
        IpAddr::V6(address) => {
            matches!(address.segments(), [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..])
        }
    }
}

/// Protocol assignments (192.0.0.0/24, RFC 6890) and IPv6 outside of what is given out (2000::/3): no host's address.
pub(super) fn is_unassigned(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => matches!(address.octets(), [192, 0, 0, _]),
        IpAddr::V6(address) => address.segments()[0] & 0xe000 != 0x2000,
    }
}

/// IPv4 networks that are announced from many places at once: the well-known resolvers, and 6to4 relays (RFC 3068).
/// Each database puts them somewhere else, so their place is no evidence.
const ANYCAST_V4: [[u8; 3]; 13] = [
    [1, 0, 0],
    [1, 1, 1],
    [8, 8, 4],
    [8, 8, 8],
    [9, 9, 9],
    [94, 140, 14],
    [94, 140, 15],
    [149, 112, 112],
    [185, 228, 168],
    [185, 228, 169],
    [192, 88, 99],
    [208, 67, 220],
    [208, 67, 222],
];
/// The same for IPv6, /48 each.
const ANYCAST_V6: [[u16; 3]; 5] = [
    [0x2001, 0x4860, 0x4860],
    [0x2606, 0x4700, 0x4700],
    [0x2620, 0x00fe, 0],
    [0x2620, 0x0119, 0x0035],
    [0x2620, 0x0119, 0x0053],
];

/// Whether it is in one of the networks above.
pub(super) fn is_anycast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => ANYCAST_V4.contains(&first_three(address)),
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            ANYCAST_V6.contains(&[a, b, c])
        }
    }
}

fn first_three(address: Ipv4Addr) -> [u8; 3] {
    let [a, b, c, _] = address.octets();
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carried_addresses_are_taken_out() {
        for (outer, inner) in [
            ("::ffff:81.2.69.142", "81.2.69.142"),
            ("64:ff9b::81.2.69.142", "81.2.69.142"),
            ("2002:5102:458e::1", "81.2.69.142"),
            // The example of RFC 4380 5.2.
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45"),
            ("2001:67c:4e8::1", "2001:67c:4e8::1"),
            ("64:ff9b:1::1", "64:ff9b:1::1"),
            ("81.2.69.142", "81.2.69.142"),
        ] {
            assert_eq!(carried(outer.parse().unwrap()), inner.parse::<IpAddr>().unwrap(), "{outer}");
        }
    }

    #[test]
    fn ranges_end_where_they_should() {
        let check = |of: fn(IpAddr) -> bool, within: &[&str], outside: &[&str]| {
            for text in within {
                assert!(of(text.parse().unwrap()), "{text}");
            }
            for text in outside {
                assert!(!of(text.parse().unwrap()), "{text}");
            }
        };
        check(
            is_documentation,
            &["192.0.2.255", "198.51.100.0", "203.0.113.7", "198.19.255.255", "2001:db8::1", "3fff:fff::1"],
            &["192.0.3.0", "198.51.101.0", "203.0.112.255", "198.20.0.0", "2001:db9::1", "3fff:1000::1"],
        );
        check(
            is_unassigned,
            &["192.0.0.170", "64:ff9b:1::1", "4000::1", "::2", "100::1"],
            &["192.0.1.0", "2000::1", "3fff:ffff::1"],
        );
        check(
            is_anycast,
            &["1.1.1.1", "8.8.8.8", "2001:4860:4860::8888", "2606:4700:4700::1111", "2620:fe::9"],
            &["1.1.2.1", "8.8.9.8", "2001:4860:4861::1", "2620:ff::9"],
        );
    }
}
