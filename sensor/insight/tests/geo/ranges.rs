//! Addresses that have no place, whatever a database says; that have many; and that carry another one.

use super::*;

#[test]
fn internal_and_reserved_addresses_have_no_place() {
    let places = places(&[FLAT_COUNTRY]);
    for (address, expected) in [
        ("10.0.0.1", "internal private"),
        ("100.64.0.1", "internal carrier-grade"),
        ("169.254.1.1", "internal link-local"),
        ("127.0.0.1", "internal loopback"),
        ("::1", "internal loopback"),
        ("fd00::1", "internal private"),
        ("fe80::1", "internal link-local"),
        ("::ffff:10.0.0.1", "internal private"),
        ("0.0.0.0", "unknown reserved"),
        ("::", "unknown reserved"),
        ("240.0.0.1", "unknown reserved"),
        ("255.255.255.255", "unknown reserved"),
        ("224.0.0.1", "unknown reserved"),
        ("ff02::1", "unknown reserved"),
        ("192.0.0.8", "unknown reserved"),
        ("4000::1", "unknown reserved"),
    ] {
        assert_eq!(find(&places, address), expected, "{address}");
    }
}

/// This set has them: 203.0.113.0/24 and 198.51.100.0/24 in Australia, 2001:db8::/32 in Japan.
#[test]
fn documentation_has_no_place_even_where_a_database_has_one() {
    let places = places(&[FLAT_COUNTRY_WHOIS]);
    for address in ["203.0.113.1", "198.51.100.1", "192.0.2.1", "2001:db8::1", "198.18.0.1", "3fff::1"] {
        assert_eq!(find(&places, address), "unknown documentation", "{address}");
    }
    assert!(find(&places, "84.160.0.1").starts_with("DE"));
}

/// One set puts 2001:4860:4860::8888 in Canada, another in the United States; both 1.1.1.1 in Australia, others not.
#[test]
fn resolvers_are_anycast_and_no_evidence() {
    for (octets, country) in [(FLAT_COUNTRY, "CA"), (FLAT_COUNTRY_WHOIS, "US")] {
        let places = places(&[octets]);
        for (address, country) in [("2001:4860:4860::8888", country), ("1.1.1.1", "AU"), ("8.8.8.8", "US")] {
            let found = find(&places, address);
            assert!(found.starts_with(country) && found.ends_with("; anycast"), "{address}: {found}");
        }
        assert!(!places.find("84.160.0.1".parse().unwrap()).anycast);
    }
}

#[test]
fn the_carried_address_is_placed() {
    let places = places(&[FLAT_COUNTRY]);
    let expected = find(&places, "81.2.69.142");
    assert!(expected.starts_with("GB"));
    for address in [
        "::ffff:81.2.69.142",
        "64:ff9b::81.2.69.142",
        "2002:5102:458e::1",
        // Teredo: the client's address, inverted.
        "2001:0:4136:e378:8000:63bf:aefd:ba71",
    ] {
        assert_eq!(find(&places, address), expected, "{address}");
    }
    assert_eq!(find(&places, "2002:0a00:0001::1"), "internal private");
}
