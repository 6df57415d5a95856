//! The databases change in the middle of a past: from one moment on they have the networks of some users' lines in a
//! country near by. Nothing else of those lines is another: address, provider, device.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use insight::geo::Country;
use jiff::{SignedDuration, Timestamp};

use super::{Connection, Difficulty, connection::BEGIN_UNIX_S, shape::Shape};
use crate::{baselines::distance_km, chance::Chance, world::World};

/// Whose networks move: at least three, so that it happens in every organisation, and one user in fifty.
const USERS_MIN: usize = 3;
const USERS_OF: usize = 50;
/// One of so many countries near by is the other one.
const NEAR: usize = 5;
/// For so many days it is called a difficulty.
const NEW_FOR_S: i64 = 10 * 86_400;
const PREFIX: u8 = 20;

/// What changes, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct GeoUpdate {
    /// From then on.
    pub at: Timestamp,
    /// The first addresses of networks of [`GeoUpdate::PREFIX`] bits, and the country that they are in from then on.
    networks: BTreeMap<u32, Country>,
}

impl GeoUpdate {
    /// Bits of its networks: what providers assign from in one town.
    pub const PREFIX: u8 = PREFIX;

    /// Draws one, and marks the connections that it makes look unusual. `None`: nobody is there.
    pub(super) fn draw(world: &World, shape: &Shape, connections: &mut [Connection]) -> Option<GeoUpdate> {
        let mut chance = Chance::of(shape.seed, "geo-update", 0);
        let chance = &mut chance;
        let at_s = chance.between(38, shape.days - 12) * 86_400 + chance.between(0, 86_399);
        let lines = lines(connections, at_s);
        let mut users: Vec<usize> = lines.keys().copied().collect();
        chance.shuffle(&mut users);
        users.truncate(USERS_MIN.max(shape.users / USERS_OF));
        let mut networks = BTreeMap::new();
        for user in users {
            let network = *chance.pick(&lines[&user])?;
            let from = world.find(Ipv4Addr::from(network | 1).into()).country?;
            networks.entry(network).or_insert(near(world, from, chance)?);
        }
        let update = GeoUpdate {
            at: Timestamp::from_second(BEGIN_UNIX_S).ok()? + SignedDuration::from_secs(at_s),
            networks,
        };
        let is_new = |connection: &&mut Connection| (at_s..at_s + NEW_FOR_S).contains(&connection.start_s);
        for connection in connections.iter_mut().filter(is_new) {
            if update.country(connection.address).is_some() {
                connection.difficulties.push(Difficulty::GeoUpdate);
            }
        }
        (!update.networks.is_empty()).then_some(update)
    }

    /// Where an address is from then on, if that is another country than before.
    pub fn country(&self, address: IpAddr) -> Option<Country> {
        let IpAddr::V4(address) = address else { return None };
        self.networks.get(&network(address)).copied()
    }

    /// The networks with their countries, in the order of addresses.
    pub fn networks(&self) -> impl Iterator<Item = (Ipv4Addr, Country)> {
        self.networks.iter().map(|(network, country)| (Ipv4Addr::from(*network), *country))
    }
}

/// The networks that users connect from before and soon after this time, by user.
fn lines(connections: &[Connection], at_s: i64) -> BTreeMap<usize, Vec<u32>> {
    let networks = |is_meant: &dyn Fn(i64) -> bool| -> BTreeSet<(usize, u32)> {
        let meant = connections.iter().filter(|connection| is_meant(connection.start_s));
        let v4 = meant.filter_map(|connection| match connection.address {
            IpAddr::V4(address) => Some((connection.person, network(address))),
            IpAddr::V6(_) => None,
        });
        v4.collect()
    };
    let before = networks(&|start_s| start_s < at_s);
    let mut lines: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for (user, network) in networks(&|start_s| (at_s..at_s + NEW_FOR_S).contains(&start_s)) {
        if before.contains(&(user, network)) {
            lines.entry(user).or_default().push(network);
        }
    }
    lines
}

fn network(address: Ipv4Addr) -> u32 {
    u32::from(address) >> (32 - PREFIX) << (32 - PREFIX)
}

/// Another country near by: databases are seldom wrong by an ocean.
fn near(world: &World, from: Country, chance: &mut Chance) -> Option<Country> {
    let mut others: Vec<(u64, Country)> = world
        .markets()
        .map(|market| market.country())
        .filter(|other| *other != from)
        .map(|other| (distance_km(from, other) as u64, other))
        .collect();
    others.sort_unstable_by_key(|(km, other)| (*km, other.code().to_owned()));
    others.truncate(NEAR);
    chance.pick(&others).map(|(_, other)| *other)
}
