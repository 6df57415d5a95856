//! The providers of one country: who serves homes, who phones, who rents servers out.

use std::net::IpAddr;

use insight::geo::Country;

use super::Provider;
use crate::chance::Chance;

/// Providers of homes that are told apart in a country.
const HOMES: usize = 6;
/// An autonomous system of which more is rented out serves no homes.
const RENTED_MAX: f64 = 0.1;
/// One of which as much is rented out lives from it.
const RENTER_MIN: f64 = 0.3;
/// A mobile network with fewer addresses serves machines or a firm.
const MOBILE_MIN: u64 = 60_000;
/// Parts of names of those who have many addresses and no customers at home. Upper case.
const NO_HOMES: &[&str] = &[
    "ACADEM",
    "ACONET",
    "AKAMAI",
    "ALIBABA",
    "AMAZON",
    "APPLE",
    "ARMY",
    "AUTOMOBIL",
    "BANK",
    "BELNET",
    "BYTE",
    "CDN",
    "CESNET",
    "CIENCIA",
    "CLOUD",
    "COGENT",
    "COLLEGE",
    "COLO",
    "CONTABO",
    "CREDIT",
    "DAIMLER",
    "DATA",
    "DEFEN",
    "DEPARTMENT",
    "DIGITALOCEAN",
    "DNIC",
    "DOD ",
    "EDGE",
    "EDUCATION",
    "ELECTRICITE",
    "ERICSSON",
    "EXCHANGE",
    "EXXON",
    "FORD",
    "FORSCHUNG",
    "GARR",
    "GOOGLE",
    "GOVERN",
    "HETZNER",
    "HEWLETT",
    "HOST",
    "HURRICANE",
    "IBM",
    "INSTITUTE",
    "IPXO",
    "JISC",
    "LEASE",
    "LEVEL",
    "LINODE",
    "MERCEDES",
    "MICROSOFT",
    "MILITARY",
    "MINIST",
    "NAVY",
    "NREN",
    "OPENTRANSIT",
    "ORACLE",
    "OVH",
    "PRUDENTIAL",
    "RED.ES",
    "RENATER",
    "RESEARCH",
    "RISQ",
    "SCHOOL",
    "SERVER",
    "SOFTBANK CORP",
    "SURF B.V",
    "SWITCH",
    "TENCENT",
    "TENET",
    "TRANSIT",
    "UBS AG",
    "UNIVERS",
    "USDA",
    "VPS",
];
/// Parts of names of mobile networks.
const MOBILE: &[&str] = &["MOBIL", "WIRELESS", "CELLULAR", "CELLCO", "GSM", "LTE", "HUTCHISON"];

/// One country.
pub struct Market {
    country: Country,
    all: Vec<Provider>,
    homes: Vec<Provider>,
    mobile: Vec<Provider>,
    rented: Vec<Provider>,
    addresses: u64,
}

impl Market {
    pub(super) fn new(country: Country) -> Market {
        let none = Vec::new;
        Market { country, all: none(), homes: none(), mobile: none(), rented: none(), addresses: 0 }
    }

    pub(super) fn add(&mut self, provider: Provider) {
        self.addresses += provider.addresses();
        self.all.push(provider);
    }

    /// Sorts the providers out.
    pub(super) fn settle(&mut self) {
        self.all.sort_by_key(|provider| (std::cmp::Reverse(provider.addresses()), provider.asn));
        for provider in &self.all {
            if provider.rented_share() >= RENTER_MIN && self.rented.len() < 40 {
                self.rented.push(provider.clone());
            }
            let name = provider.name.to_uppercase();
            let is_home = provider.is_large()
                && provider.rented_share() <= RENTED_MAX
                && !NO_HOMES.iter().any(|part| name.contains(part));
            if is_home && MOBILE.iter().any(|part| name.contains(part)) {
                if provider.addresses() >= MOBILE_MIN && self.mobile.len() < 3 {
                    self.mobile.push(provider.clone());
                }
            } else if is_home && self.homes.len() < HOMES {
                self.homes.push(provider.clone());
            }
        }
        // In many countries phones and homes are in one autonomous system.
        if self.mobile.is_empty() {
            self.mobile.extend(self.homes.iter().take(2).cloned());
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.homes.len() >= 3 && !self.mobile.is_empty() && !self.rented.is_empty()
    }

    /// Which.
    pub fn country(&self) -> Country {
        self.country
    }

    /// Its code.
    pub fn code(&self) -> &str {
        self.country.code()
    }

    /// IPv4 addresses of all networks.
    pub fn addresses(&self) -> u64 {
        self.addresses
    }

    /// Hours before UTC by the sun, in seconds: near enough to when people work.
    pub fn utc_offset_s(&self) -> i64 {
        let (_, longitude, _) = self.country.extent().unwrap_or((0.0, 0.0, 0));
        (longitude / 15.0).round() as i64 * 3600
    }

    /// Providers of homes, the largest first.
    pub fn homes(&self) -> &[Provider] {
        &self.homes
    }

    /// Mobile networks.
    pub fn mobile(&self) -> &[Provider] {
        &self.mobile
    }

    /// One that serves homes; as probable as the square root of its addresses, for addresses tell less of customers the
    /// older a provider is.
    pub fn pick_home(&self, chance: &mut Chance) -> Option<&Provider> {
        let weights: Vec<_> =
            self.homes.iter().map(|provider| (provider.addresses() as f64).sqrt()).collect();
        self.homes.get(chance.weighted(&weights))
    }

    /// Another one than this.
    pub fn pick_other_home(&self, than: u32, chance: &mut Chance) -> Option<&Provider> {
        let others: Vec<_> = self.homes.iter().filter(|provider| provider.asn != than).collect();
        chance.pick(&others).copied()
    }

    /// One that rents servers out.
    pub fn pick_rented(&self, chance: &mut Chance) -> Option<&Provider> {
        chance.pick(&self.rented)
    }

    /// The one with this number, of whatever kind.
    pub fn provider(&self, asn: u32) -> Option<&Provider> {
        self.homes.iter().chain(&self.mobile).chain(&self.rented).find(|provider| provider.asn == asn)
    }

    /// An address of any network in the country, rented or not.
    pub(super) fn any_address(&self, chance: &mut Chance) -> Option<IpAddr> {
        let weights: Vec<_> = self.all.iter().map(|provider| (provider.addresses() as f64).sqrt()).collect();
        self.all.get(chance.weighted(&weights))?.any_address(chance)
    }
}
