//! The files of the databases, unpacked, and a walk over the autonomous systems' networks.

use std::{io::Read as _, net::IpAddr, sync::Arc};

use anyhow::Context as _;
use insight::geo::{Database, Places};
use maxminddb::Reader;
use ruzstd::decoding::StreamingDecoder;

use super::Block;

/// As the product embeds them (`sensor/src/places/included.rs`).
const COUNTRIES: &[u8] = include_bytes!("../../../../sensor/geo-data/country.mmdb.zst");
const NETWORKS: &[u8] = include_bytes!("../../../../sensor/geo-data/asn.mmdb.zst");
const KINDS: &[u8] = include_bytes!("../../../../sensor/geo-data/kinds.mmdb.zst");

/// The way to ask for one address, and the file of networks to walk over.
pub(super) fn load() -> anyhow::Result<(Places, Vec<u8>)> {
    let networks = unpack(NETWORKS)?;
    let mut databases = Vec::new();
    for (name, octets) in
        [("country", unpack(COUNTRIES)?), ("networks", networks.clone()), ("kinds", unpack(KINDS)?)]
    {
        databases.push(Arc::new(Database::read(name, octets)?));
    }
    Ok((Places::new(Arc::default(), databases), networks))
}

fn unpack(packed: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let mut decoder = StreamingDecoder::new(packed)
        .map_err(|error| anyhow::anyhow!("{error}"))
        .context("a database of sensor/geo-data is damaged: check it out again")?;
    decoder.read_to_end(&mut octets)?;
    Ok(octets)
}

/// Calls for every block of at most a /20 (IPv6: a /32) that an autonomous system announces, in the order of addresses.
pub(super) fn each(networks: &[u8], mut call: impl FnMut(Block)) -> anyhow::Result<()> {
    let reader = Reader::from_source(networks)?;
    for all in ["0.0.0.0/0", "2000::/3"] {
        for result in reader.within(all.parse()?, maxminddb::WithinOptions::default())? {
            let network = result?.network()?;
            match network.ip() {
                IpAddr::V4(first) => Block::split_v4(first, network.prefix(), &mut call),
                IpAddr::V6(first) => Block::split_v6(first, network.prefix(), &mut call),
            }
        }
    }
    Ok(())
}
