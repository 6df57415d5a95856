//! From databases and addresses to places. The databases are real ones, see `data/README.md`.
#![allow(clippy::unwrap_used, reason = "test helpers may panic like tests")]

mod damage;
mod order;
mod properties;
mod ranges;
mod schemas;

use std::sync::Arc;

use insight::geo::{Database, Found, Places, Sites, Whereabouts};

const CITY: &[u8] = include_bytes!("data/GeoIP2-City-Test.mmdb");
const ASN: &[u8] = include_bytes!("data/GeoLite2-ASN-Test.mmdb");
const ANONYMOUS: &[u8] = include_bytes!("data/GeoIP2-Anonymous-IP-Test.mmdb");
const CONNECTION: &[u8] = include_bytes!("data/GeoIP2-Connection-Type-Test.mmdb");
const ENTERPRISE: &[u8] = include_bytes!("data/GeoIP2-Enterprise-Test.mmdb");
const DOMAIN: &[u8] = include_bytes!("data/GeoIP2-Domain-Test.mmdb");
const FLAT_COUNTRY: &[u8] = include_bytes!("data/flat-country.mmdb");
const FLAT_COUNTRY_WHOIS: &[u8] = include_bytes!("data/flat-country-whois.mmdb");
const FLAT_CITY_IPV4: &[u8] = include_bytes!("data/flat-city-ipv4.mmdb");
const FLAT_CITY_IPV6: &[u8] = include_bytes!("data/flat-city-ipv6.mmdb");
const FLAT_ASN: &[u8] = include_bytes!("data/flat-asn.mmdb");

fn database(octets: &'static [u8]) -> Arc<Database> {
    Arc::new(Database::read("test", octets).unwrap())
}

/// Places with these databases and no site.
fn places(databases: &[&'static [u8]]) -> Places {
    Places::new(Arc::new(Sites::default()), databases.iter().copied().map(database).collect())
}

/// What is found, in one line: whereabouts, position, network, kinds.
fn shown(found: &Found<'_>) -> String {
    let mut parts = vec![match &found.whereabouts {
        Whereabouts::Site(site) => format!("site {}", site.name),
        Whereabouts::Internal(scope) => format!("internal {scope}"),
        Whereabouts::Place(place) => format!("{place} ({:?})", place.precision()),
        Whereabouts::Unknown(why) => format!("unknown {}", why.name()),
    }];
    if let Some(at) = found.position() {
        parts.push(format!("{:.2} {:.2} within {} km", at.latitude(), at.longitude(), at.radius_km()));
    }
    parts.extend(found.network.as_ref().map(ToString::to_string));
    if !found.kinds.is_empty() {
        parts.push(found.kinds.to_string());
    }
    if found.anycast {
        parts.push("anycast".to_owned());
    }
    if let Some(database) = found.damaged {
        parts.push(format!("damaged {}", database.name()));
    }
    parts.join("; ")
}

fn find(places: &Places, address: &str) -> String {
    shown(&places.find(address.parse().unwrap()))
}
