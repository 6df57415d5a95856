//! Each schema: what stands in the records is what is found.

use insight::geo::{Contents, Precision};

use super::*;

#[test]
fn city_of_maxmind() {
    let places = places(&[CITY]);
    for (address, expected) in [
        ("81.2.69.142", "London, England, GB (City); 51.51 -0.09 within 10 km"),
        ("2.125.160.216", "Boxford, England, GB (City); 51.75 -1.25 within 100 km"),
        ("89.160.20.128", "Linköping, Östergötland County, SE (City); 58.42 15.62 within 76 km"),
        ("67.43.156.1", "BT (Country); 27.50 90.50 within 534 km"),
        ("2001:218::1", "JP (Country); 35.69 139.75 within 100 km"),
        ("9.0.0.1", "unknown not-listed"),
        // The record says that the network is announced from many places, and nothing else.
        ("214.1.1.1", "unknown not-listed; anycast"),
    ] {
        assert_eq!(find(&places, address), expected, "{address}");
    }
}

#[test]
fn networks_of_maxmind() {
    let places = places(&[ASN]);
    for (address, expected) in [
        ("1.128.0.1", "unknown no-database; AS1221 Telstra Pty Ltd"),
        ("12.81.96.1", "unknown no-database; AS7018"),
        ("9.0.0.1", "unknown no-database"),
    ] {
        assert_eq!(find(&places, address), expected, "{address}");
    }
}

#[test]
fn kinds_of_maxmind() {
    let places = places(&[ANONYMOUS, CONNECTION]);
    for (address, kinds) in [
        ("81.2.69.1", "tor, vpn, public-proxy, residential-proxy, hosting"),
        ("1.124.213.1", "tor, vpn"),
        ("6.1.0.2", "hosting"),
        ("6.1.0.3", "public-proxy"),
        ("6.1.0.4", "residential-proxy"),
        ("65.0.0.1", "tor"),
        ("80.214.0.1", "mobile"),
        ("96.1.0.1", "fixed-line"),
        ("201.243.200.1", "corporate"),
        ("214.78.120.1", "satellite"),
    ] {
        assert_eq!(find(&places, address), format!("unknown no-database; {kinds}"), "{address}");
    }
    assert_eq!(find(&places, "6.1.0.5"), "unknown no-database");
}

#[test]
fn enterprise_has_all_in_one() {
    let places = places(&[ENTERPRISE]);
    for (address, expected) in [
        ("1.124.213.5", "AS44244 Iran Cell Service and Communication Company; mobile"),
        ("214.78.120.5", "AS14593 SPACEX-STARLINK; satellite"),
        ("214.214.214.220", "hosting"),
        ("214.214.214.221", "content-delivery"),
    ] {
        let found = find(&places, address);
        assert!(found.ends_with(expected), "{address}: {found}");
    }
    assert!(find(&places, "2.125.160.216").starts_with("Boxford, England, GB (City); 51.75 -1.25"));
}

#[test]
fn flat_countries_have_the_radius_of_the_country() {
    let places = places(&[FLAT_COUNTRY, FLAT_ASN]);
    for (address, expected) in [
        ("84.160.0.1", "DE (Country); 51.05 10.36 within 337 km; AS3320 Deutsche Telekom AG"),
        ("81.2.69.142", "GB (Country); 54.03 -2.78 within 278 km; AS20712 Andrews & Arnold Ltd"),
        ("2003:e4::1", "DE (Country); 51.05 10.36 within 337 km; AS3320 Deutsche Telekom AG"),
        ("2001:67c:4e8::1", "NL (Country); 52.26 5.57 within 109 km; AS62041 Telegram Messenger Inc"),
        ("9.0.0.1", "unknown not-listed"),
    ] {
        assert_eq!(find(&places, address), expected, "{address}");
    }
    assert_eq!(places.precision(), Some(Precision::Country));
}

#[test]
fn flat_cities_come_in_one_file_a_family() {
    let both = places(&[FLAT_CITY_IPV4, FLAT_CITY_IPV6]);
    for (address, expected) in [
        ("78.46.0.1", "Nuremberg, Bavaria, DE (City); 49.45 11.07 within 300 km"),
        ("2003:e4::1", "Hamburg (Hamburg-Mitte), Hamburg, DE (City); 53.55 10.00 within 300 km"),
    ] {
        assert_eq!(find(&both, address), expected, "{address}");
    }
    assert_eq!(find(&places(&[FLAT_CITY_IPV4]), "2003:e4::1"), "unknown not-listed");
    assert_eq!(find(&places(&[FLAT_CITY_IPV6]), "78.46.0.1"), "unknown not-listed");
    // A fixed line is known better, a mobile network is not.
    assert_eq!(
        find(&places(&[FLAT_CITY_IPV6, CONNECTION]), "2003:e4::1"),
        "Hamburg (Hamburg-Mitte), Hamburg, DE (City); 53.55 10.00 within 50 km; fixed-line"
    );
}

#[test]
fn contents_are_what_the_records_hold() {
    let none = Contents::default();
    for (octets, kind, built, expected) in [
        (CITY, "GeoIP2-City", None, Contents { countries: true, cities: true, radii: true, ..none }),
        (ASN, "GeoLite2-ASN", None, Contents { networks: true, ..none }),
        (ANONYMOUS, "GeoIP2-Anonymous-IP", None, Contents { kinds: true, ..none }),
        (CONNECTION, "GeoIP2-Connection-Type", None, Contents { kinds: true, ..none }),
        (
            ENTERPRISE,
            "GeoIP2-Enterprise",
            None,
            Contents { countries: true, cities: true, radii: true, networks: true, kinds: true },
        ),
        (FLAT_COUNTRY, "country ipvAll", Some(1_780_345_978), Contents { countries: true, ..none }),
        (
            FLAT_CITY_IPV4,
            "city ipv4",
            Some(1_780_666_922),
            Contents { countries: true, cities: true, ..none },
        ),
        (FLAT_ASN, "asn ipvAll", Some(1_781_654_400), Contents { networks: true, ..none }),
    ] {
        let database = database(octets);
        assert_eq!((database.kind(), database.contents()), (kind, expected));
        if let Some(built) = built {
            assert_eq!(database.built_unix_s(), built, "{kind}");
        }
        assert_eq!(database.has_ipv6(), kind != "city ipv4");
    }
}

#[test]
fn a_complete_check_counts_what_is_there() {
    // Counted with another reader, the Python package maxminddb.
    let checked = database(FLAT_COUNTRY).check().unwrap();
    assert_eq!((checked.networks, checked.records), (15, 9));
    for octets in [CITY, ASN, ANONYMOUS, CONNECTION, ENTERPRISE, FLAT_ASN, FLAT_CITY_IPV4, FLAT_CITY_IPV6] {
        let checked = database(octets).check().unwrap();
        assert!(checked.records >= 4 && checked.networks >= checked.records, "{checked:?}");
    }
}
