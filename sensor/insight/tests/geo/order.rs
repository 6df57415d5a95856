//! Sites first, cities before countries, and a swap that shares what stays.

use insight::geo::{Position, SITE_RADIUS_KM, Site};

use super::*;

#[test]
fn cities_go_before_countries_in_whatever_order_they_come() {
    for databases in [[FLAT_COUNTRY, FLAT_CITY_IPV4], [FLAT_CITY_IPV4, FLAT_COUNTRY]] {
        let places = places(&databases);
        assert!(find(&places, "78.46.0.1").starts_with("Nuremberg, Bavaria, DE (City)"));
        // Not in the one with cities.
        assert!(find(&places, "2001:67c:4e8::1").starts_with("NL (Country)"));
    }
}

#[test]
fn a_place_comes_whole_from_one_database_and_says_which() {
    let (city, country) = (database(FLAT_CITY_IPV4), database(FLAT_COUNTRY));
    assert_ne!(city.fingerprint(), country.fingerprint());
    let places = Places::new(Arc::new(Sites::default()), vec![country.clone(), city.clone()]);
    let from = |address: &str| {
        let found = places.find(address.parse().unwrap());
        found.place().unwrap().database.fingerprint()
    };
    assert_eq!(from("78.46.0.1"), city.fingerprint());
    assert_eq!(from("2001:67c:4e8::1"), country.fingerprint());
}

#[test]
fn kinds_come_from_all_databases_together() {
    for databases in [[ANONYMOUS, ENTERPRISE], [ENTERPRISE, ANONYMOUS]] {
        let found = find(&places(&databases), "1.124.213.1");
        assert!(found.ends_with("; tor, vpn, mobile"), "{found}");
    }
}

#[test]
fn sites_go_first() {
    let sites = Sites::new(vec![
        Site {
            name: "Headquarters, Berlin".to_owned(),
            prefixes: vec!["10.0.0.0/8".parse().unwrap(), "84.160.0.0/24".parse().unwrap()],
            position: Position::new(52.52, 13.4, SITE_RADIUS_KM),
        },
        Site { name: "Demo".to_owned(), prefixes: vec!["203.0.113.0/24".parse().unwrap()], position: None },
    ])
    .unwrap();
    let places = Places::new(Arc::new(sites), vec![database(FLAT_COUNTRY), database(FLAT_ASN)]);
    for (address, expected) in [
        ("10.1.2.3", "site Headquarters, Berlin; 52.52 13.40 within 1 km"),
        ("84.160.0.9", "site Headquarters, Berlin; 52.52 13.40 within 1 km; AS3320 Deutsche Telekom AG"),
        ("84.160.1.9", "DE (Country); 51.05 10.36 within 337 km; AS3320 Deutsche Telekom AG"),
        ("203.0.113.77", "site Demo"),
        ("192.168.0.1", "internal private"),
    ] {
        assert_eq!(find(&places, address), expected, "{address}");
    }
}

#[test]
fn a_swap_shares_the_databases_that_stay() {
    let before = places(&[FLAT_COUNTRY]);
    let kept = before.databases()[0].clone();
    let after = Places::new(Arc::new(Sites::default()), vec![kept.clone(), database(FLAT_ASN)]);
    assert!(after.databases().iter().any(|database| Arc::ptr_eq(database, &kept)));
    // A look-up that began before the swap ends with what it began with.
    let found = before.find("84.160.0.1".parse().unwrap());
    drop(after);
    assert_eq!(shown(&found), "DE (Country); 51.05 10.36 within 337 km");
}

#[test]
fn without_databases_the_number_alone_is_left() {
    let places = Places::default();
    assert_eq!(find(&places, "84.160.0.1"), "unknown no-database");
    assert_eq!(find(&places, "10.0.0.1"), "internal private");
    assert_eq!(places.precision(), None);
}
