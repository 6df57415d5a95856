//! The world as the databases that ship with the product have it: countries, their providers, and the providers' prefixes.
//! Organisations draw their addresses from it, and the baselines look addresses up in it. No documentation networks.

mod databases;
mod market;
mod provider;

pub use market::Market;
pub use provider::{Line, Provider};

use std::{collections::BTreeMap, net::IpAddr};

use insight::geo::{Country, NetworkKind, Places};

use crate::chance::Chance;
use provider::Block;

/// Everything.
pub struct World {
    places: Places,
    markets: BTreeMap<String, Market>,
}

/// What the baselines know of an address.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Whereabouts {
    /// The autonomous system.
    pub asn: Option<u32>,
    /// The country.
    pub country: Option<Country>,
}

impl World {
    /// Reads the databases. Seconds.
    ///
    /// # Errors
    /// They are damaged.
    pub fn load() -> anyhow::Result<World> {
        let (places, networks) = databases::load()?;
        let mut gathered: BTreeMap<(Country, u32), Provider> = BTreeMap::new();
        databases::each(&networks, |block| {
            let found = places.find(block.first_address());
            let Some(network) = &found.network else { return };
            let Some(country) = found.place().and_then(|place| place.country) else { return };
            if network.asn == 0 || country.extent().is_none() {
                return;
            }
            let rented = found.kinds.contains(NetworkKind::Hosting) || found.kinds.is_anonymous();
            let name = network.organisation.as_deref().unwrap_or("");
            gathered
                .entry((country, network.asn))
                .or_insert_with(|| Provider::new(network.asn, name))
                .add(block, rented);
        })?;
        let mut markets: BTreeMap<String, Market> = BTreeMap::new();
        for ((country, _), provider) in gathered {
            markets.entry(country.code().to_owned()).or_insert_with(|| Market::new(country)).add(provider);
        }
        for market in markets.values_mut() {
            market.settle();
        }
        Ok(World { places, markets })
    }

    /// A country that has homes, mobile phones and rented servers; by its code.
    pub fn market(&self, code: &str) -> Option<&Market> {
        self.markets.get(code).filter(|market| market.is_whole())
    }

    /// All countries that have all of that, in the order of their codes.
    pub fn markets(&self) -> impl Iterator<Item = &Market> {
        self.markets.values().filter(|market| market.is_whole())
    }

    /// An address anywhere, of any kind of network. A country is as probable as the square root of its addresses: the
    /// number itself would put two in five into the United States, which are a smaller part of those who attack.
    pub fn anywhere(&self, chance: &mut Chance) -> Option<(String, IpAddr)> {
        let markets: Vec<_> = self.markets().collect();
        let weights: Vec<_> = markets.iter().map(|market| (market.addresses() as f64).sqrt()).collect();
        let market = markets.get(chance.weighted(&weights))?;
        Some((market.code().to_owned(), market.any_address(chance)?))
    }

    /// What the databases say of an address.
    pub fn find(&self, address: IpAddr) -> Whereabouts {
        let found = self.places.find(address);
        Whereabouts {
            asn: found.network.as_ref().map(|network| network.asn),
            country: found.place().and_then(|place| place.country),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::OnceLock;

    use super::*;

    /// Read once for all tests.
    pub(crate) fn world() -> &'static World {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(|| World::load().unwrap())
    }

    #[test]
    fn large_countries_have_the_providers_that_everybody_knows() {
        let germany = world().market("DE").unwrap();
        assert_eq!(germany.homes()[0].asn, 3320);
        assert!(world().market("US").unwrap().homes().iter().any(|provider| provider.asn == 7922));
        assert!(world().market("FR").unwrap().homes().iter().any(|provider| provider.asn == 3215));
        assert!(world().markets().count() > 60);
    }

    #[test]
    fn addresses_are_found_where_they_were_drawn() {
        let world = world();
        let mut chance = Chance::of(1, "drawn", 0);
        for code in ["DE", "US", "BR", "IN", "JP"] {
            let market = world.market(code).unwrap();
            let provider = market.pick_home(&mut chance).unwrap();
            for _ in 0..20 {
                let line = provider.line(&mut chance, true).unwrap();
                let found = world.find(line.address(provider, 3));
                assert_eq!(found.asn, Some(provider.asn), "{code}");
                assert_eq!(found.country.unwrap().code(), code);
            }
            let rented = market.pick_rented(&mut chance).unwrap();
            let address = rented.rented_address(&mut chance).unwrap();
            assert!(world.places.find(address).kinds.iter().next().is_some());
        }
    }

    #[test]
    fn strangers_come_from_many_countries() {
        let mut chance = Chance::of(1, "anywhere", 0);
        let codes: std::collections::BTreeSet<_> =
            (0..200).map(|_| world().anywhere(&mut chance).unwrap().0).collect();
        assert!(codes.len() > 30, "{codes:?}");
    }
}
