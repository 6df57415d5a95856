//! One autonomous system in one country: its blocks of addresses, and lines of its customers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::chance::Chance;

/// Longest prefix of a block of IPv4: about what a provider assigns dynamic addresses of one town from.
const BLOCK: u8 = 20;
/// How many blocks that follow each other are a region.
const REGION: usize = 32;
/// How many blocks around its first one a line usually has its addresses from.
const TOWN: usize = 4;

/// A run of addresses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Block {
    V4(u32, u8),
    V6(u128, u8),
}

impl Block {
    /// At most a /20 each; what is smaller than a /24 is left out.
    pub(super) fn split_v4(first: Ipv4Addr, prefix: u8, mut call: impl FnMut(Block)) {
        if prefix > 24 {
            return;
        }
        let length = prefix.max(BLOCK);
        for number in 0..1_u32 << (length - prefix) {
            call(Block::V4(u32::from(first) + number * (1 << (32 - length)), length));
        }
    }

    /// At most a /32 each and at most 64 of them; what is smaller than a /40 is left out.
    pub(super) fn split_v6(first: Ipv6Addr, prefix: u8, mut call: impl FnMut(Block)) {
        if prefix > 40 {
            return;
        }
        let length = prefix.max(32);
        for number in 0..(1_u128 << (length - prefix)).min(64) {
            call(Block::V6(u128::from(first) + (number << (128 - length)), length));
        }
    }

    pub(super) fn first_address(self) -> IpAddr {
        match self {
            Block::V4(first, _) => Ipv4Addr::from(first + 1).into(),
            Block::V6(first, _) => Ipv6Addr::from(first + 1).into(),
        }
    }

    fn address(self, chance: &mut Chance) -> IpAddr {
        match self {
            Block::V4(first, prefix) => {
                let mut offset = 1 + chance.below((1 << (32 - prefix)) - 2) as u32;
                // Neither a /24's network nor its broadcast address.
                if matches!(offset & 255, 0 | 255) {
                    offset ^= 2;
                }
                Ipv4Addr::from(first + offset).into()
            }
            Block::V6(first, prefix) => {
                let inside = (u128::from(chance.next()) << 64 | u128::from(chance.next())) >> prefix;
                Ipv6Addr::from(first | inside).into()
            }
        }
    }
}

/// An autonomous system in one country.
#[derive(Clone, Debug, Default)]
pub struct Provider {
    /// Its number.
    pub asn: u32,
    /// Who runs it.
    pub name: String,
    v4: Vec<Block>,
    v6: Vec<Block>,
    addresses: u64,
    /// Blocks that the databases call hosting, VPN or Tor.
    rented: Vec<Block>,
}

impl Provider {
    pub(super) fn new(asn: u32, name: &str) -> Provider {
        Provider { asn, name: name.to_owned(), ..Provider::default() }
    }

    pub(super) fn add(&mut self, block: Block, rented: bool) {
        match block {
            Block::V4(_, prefix) => {
                self.addresses += 1 << (32 - prefix);
                if rented { self.rented.push(block) } else { self.v4.push(block) }
            }
            Block::V6(..) if !rented => self.v6.push(block),
            Block::V6(..) => {}
        }
    }

    /// IPv4 addresses.
    pub fn addresses(&self) -> u64 {
        self.addresses
    }

    /// The part of its IPv4 blocks that servers are rented in, or that hide who uses them.
    pub(super) fn rented_share(&self) -> f64 {
        self.rented.len() as f64 / (self.rented.len() + self.v4.len()).max(1) as f64
    }

    /// Whether a region can be told from its neighbour.
    pub(super) fn is_large(&self) -> bool {
        self.v4.len() >= 2 * TOWN
    }

    /// Whether it has IPv6.
    pub fn has_v6(&self) -> bool {
        !self.v6.is_empty()
    }

    /// A rented server's address.
    pub fn rented_address(&self, chance: &mut Chance) -> Option<IpAddr> {
        Some(chance.pick(&self.rented)?.address(chance))
    }

    /// Any IPv4 address, rented or not.
    pub fn any_address(&self, chance: &mut Chance) -> Option<IpAddr> {
        let blocks = if chance.happens(self.rented_share()) { &self.rented } else { &self.v4 };
        Some(chance.pick(blocks)?.address(chance))
    }

    /// A line of a customer anywhere in the country.
    pub fn line(&self, chance: &mut Chance, is_dynamic: bool) -> Option<Line> {
        (!self.v4.is_empty()).then(|| Line {
            block: chance.index(self.v4.len()),
            key: chance.next(),
            is_dynamic,
            v6: chance.pick(&self.v6).copied(),
        })
    }

    /// Another customer's line in the same region; in the same town if `near`.
    pub fn neighbour(&self, line: &Line, chance: &mut Chance, near: bool) -> Line {
        let block = if near { self.town(line.block, chance) } else { self.region(line.block, chance) };
        Line { block, key: chance.next(), is_dynamic: true, v6: line.v6 }
    }

    fn region(&self, block: usize, chance: &mut Chance) -> usize {
        let first = block / REGION * REGION;
        let last = (first + REGION).min(self.v4.len());
        first + chance.index(last.saturating_sub(first))
    }

    fn town(&self, block: usize, chance: &mut Chance) -> usize {
        let first = block / TOWN * TOWN;
        let last = (first + TOWN).min(self.v4.len());
        first + chance.index(last.saturating_sub(first))
    }
}

/// A customer's line: which addresses it has over time. The same time gives the same address.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    block: usize,
    key: u64,
    /// Whether the address changes.
    pub is_dynamic: bool,
    v6: Option<Block>,
}

impl Line {
    /// The IPv4 address in this term of the lease. Of twelve terms eleven are in the same town, one is anywhere in the
    /// region: how pools are used up.
    pub fn address(&self, provider: &Provider, term: u64) -> IpAddr {
        let mut chance = Chance::of(self.key, "term", if self.is_dynamic { term } else { 0 });
        let block = match (self.is_dynamic, chance.below(12)) {
            (false, _) => self.block,
            (true, 0) => provider.region(self.block, &mut chance),
            (true, _) => provider.town(self.block, &mut chance),
        };
        match provider.v4.get(block) {
            Some(block) => block.address(&mut chance),
            None => Ipv4Addr::UNSPECIFIED.into(),
        }
    }

    /// The IPv6 address, where the provider has IPv6: the /40 is the region's, the /56 the customer's in this term, the
    /// rest the device's for a day.
    pub fn address_v6(&self, term: u64, day: u64) -> Option<IpAddr> {
        let Some(Block::V6(first, _)) = self.v6 else { return None };
        let region = Chance::of(self.block as u64 / REGION as u64, "region", 0).below(1 << 8);
        let customer =
            Chance::of(self.key, "delegated", if self.is_dynamic { term } else { 0 }).below(1 << 16);
        let host = Chance::of(self.key, "host", day).next();
        let prefix = u128::from(region) << 88 | u128::from(customer) << 72;
        Some(Ipv6Addr::from(first | prefix | u128::from(host)).into())
    }
}
