//! The databases that come with the product: embedded compressed, unpacked when the first asks. `geo-data/README.md` says
//! whose they are and how they were made.

use std::{
    io::Read as _,
    sync::{Arc, OnceLock},
};

use anyhow::Context as _;
use insight::geo::Database;
use ruzstd::decoding::StreamingDecoder;

/// What must be said wherever their places are shown (CC BY 4.0, section 3).
pub const ATTRIBUTION: &str = "IP Geolocation by DB-IP (https://db-ip.com); networks by RouteViews, NRO and DB-IP; kinds of \
                               networks by X4BNet/lists_vpn. CC BY 4.0 and MIT, see data-licences.md";

const FILES: [(&str, &[u8]); 3] = [
    ("included: country (DB-IP Lite)", include_bytes!("../../geo-data/country.mmdb.zst")),
    ("included: networks (RouteViews, NRO, DB-IP)", include_bytes!("../../geo-data/asn.mmdb.zst")),
    ("included: kinds (X4BNet, Tor ranges)", include_bytes!("../../geo-data/kinds.mmdb.zst")),
];

/// What a name of theirs begins with.
pub const PREFIX: &str = "included: ";

/// All of them, unpacked once in the life of the process.
///
/// # Errors
/// The program's file is damaged.
pub fn databases() -> anyhow::Result<&'static [Arc<Database>]> {
    static UNPACKED: OnceLock<Vec<Arc<Database>>> = OnceLock::new();
    if let Some(databases) = UNPACKED.get() {
        return Ok(databases);
    }
    let databases = FILES.iter().map(|(name, packed)| unpack(name, packed)).collect::<anyhow::Result<_>>()?;
    Ok(UNPACKED.get_or_init(|| databases))
}

fn unpack(name: &str, packed: &[u8]) -> anyhow::Result<Arc<Database>> {
    let damaged = || format!("{name}: the program's file is damaged, install it again");
    let mut octets = Vec::new();
    StreamingDecoder::new(packed)
        .map_err(|error| anyhow::anyhow!("{error}"))
        .and_then(|mut decoder| Ok(decoder.read_to_end(&mut octets)?))
        .with_context(damaged)?;
    Ok(Arc::new(Database::read(name.to_owned(), octets).with_context(damaged)?))
}

#[cfg(test)]
mod tests {
    use insight::geo::{NetworkKind, Places};

    use super::*;

    #[test]
    fn they_know_countries_networks_and_kinds_and_every_record_can_be_read() {
        let databases = databases().unwrap();
        for database in databases {
            database.check().unwrap();
        }
        let places = Places::new(Arc::default(), databases.to_vec());
        let found = places.find("80.128.0.1".parse().unwrap());
        assert_eq!(found.place().unwrap().country.unwrap().code(), "DE");
        assert_eq!(found.network.unwrap().asn, 3320);
        let found = places.find("2a01:cb04::1".parse().unwrap());
        assert_eq!(found.place().unwrap().country.unwrap().code(), "FR");
        // A range of a provider that rents servers, an exit of Tor that has been one for ten years, Apple's relay.
        let kinds = |address: &str| places.find(address.parse().unwrap()).kinds;
        assert!(kinds("95.216.0.1").contains(NetworkKind::Hosting));
        assert!(kinds("185.220.101.1").contains(NetworkKind::Tor));
        assert!(kinds("172.224.226.1").contains(NetworkKind::Relay));
        assert!(!kinds("80.128.0.1").contains(NetworkKind::Hosting));
    }
}
