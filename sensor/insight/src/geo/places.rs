//! The way in: sites first, then what the number alone says, then the databases.

use std::{net::IpAddr, sync::Arc};

use super::{
    Database, Found, Network, NetworkKinds, Place, Position, Precision, Sites, Unplaced, Whereabouts,
    found::missing_radius, record::Facts, special,
};
use crate::vpn::address::Scope;

/// One snapshot of sites and databases. Cheap to clone and to make anew with other sites or one database more: the
/// databases are shared.
#[derive(Debug, Clone, Default)]
pub struct Places {
    sites: Arc<Sites>,
    /// Those with cities first.
    databases: Vec<Arc<Database>>,
}

impl Places {
    /// Databases with cities are asked before those with countries only; otherwise in the given order. A place and a
    /// network come from the first database that has one, kinds from all together.
    pub fn new(sites: Arc<Sites>, mut databases: Vec<Arc<Database>>) -> Places {
        databases.sort_by_key(|database| !database.contents().cities);
        Places { sites, databases }
    }

    /// The sites.
    pub fn sites(&self) -> &Sites {
        &self.sites
    }

    /// The databases, in the order in which they are asked.
    pub fn databases(&self) -> &[Arc<Database>] {
        &self.databases
    }

    /// How finely places can be known at best: `None` without a database that has any. With
    /// [`Precision::Country`], travel shows from country to country only.
    pub fn precision(&self) -> Option<Precision> {
        let contents = || self.databases.iter().map(|database| database.contents());
        if contents().any(|contents| contents.cities) {
            Some(Precision::City)
        } else {
            contents().any(|contents| contents.countries).then_some(Precision::Country)
        }
    }

    /// All that is known of an address. Never fails: what is missing or damaged is said in what is found.
    pub fn find(&self, address: IpAddr) -> Found<'_> {
        let address = special::carried(address);
        let scope = Scope::of(address);
        let site = self.sites.find(address);
        let without_place = if !scope.is_placeable() {
            Some(match scope {
                Scope::Reserved => Whereabouts::Unknown(Unplaced::Reserved),
                _ => Whereabouts::Internal(scope),
            })
        } else if special::is_documentation(address) {
            Some(Whereabouts::Unknown(Unplaced::Documentation))
        } else {
            special::is_unassigned(address).then_some(Whereabouts::Unknown(Unplaced::Reserved))
        };
        let gathered = if without_place.is_none() { self.gather(address) } else { Gathered::default() };
        let Gathered { place, network, kinds, anycast, damaged } = gathered;
        let whereabouts = match (site, without_place, place) {
            (Some(site), ..) => Whereabouts::Site(site),
            (None, Some(without_place), _) => without_place,
            (None, None, Some((database, facts))) => Whereabouts::Place(placed(database, facts, kinds)),
            (None, None, None) => Whereabouts::Unknown(match self.precision() {
                Some(_) => Unplaced::NotListed,
                None => Unplaced::NoDatabase,
            }),
        };
        Found {
            address,
            whereabouts,
            network,
            kinds,
            anycast: anycast || special::is_anycast(address),
            damaged,
        }
    }

    fn gather(&self, address: IpAddr) -> Gathered<'_> {
        let mut gathered = Gathered::default();
        for database in &self.databases {
            let database: &Database = database;
            let contents = database.contents();
            // Of places alone, and there is one already.
            if gathered.place.is_some() && contents.countries && !contents.networks && !contents.kinds {
                continue;
            }
            match database.facts(address) {
                Ok(Some(facts)) => gathered.add(database, facts),
                Ok(None) => {}
                Err(_) => gathered.damaged = gathered.damaged.or(Some(database)),
            }
        }
        gathered
    }
}

/// What the databases say, each asked once.
#[derive(Default)]
struct Gathered<'a> {
    place: Option<(&'a Database, Facts<'a>)>,
    network: Option<Network<'a>>,
    kinds: NetworkKinds,
    anycast: bool,
    damaged: Option<&'a Database>,
}

impl<'a> Gathered<'a> {
    fn add(&mut self, database: &'a Database, mut facts: Facts<'a>) {
        self.kinds = self.kinds.union(facts.kinds);
        self.anycast |= facts.anycast;
        if self.network.is_none() {
            self.network = facts.network.take();
        }
        // Whole from one database: half a place of each would be none.
        if self.place.is_none() && facts.has_place() {
            self.place = Some((database, facts));
        }
    }
}

fn placed<'a>(database: &'a Database, facts: Facts<'a>, kinds: NetworkKinds) -> Place<'a> {
    let Facts { country, region, city, coordinates, radius_km, .. } = facts;
    let mut place = Place { country, region, city, position: None, database };
    place.position = match coordinates {
        Some((latitude, longitude)) => {
            let radius_km = radius_km.unwrap_or_else(|| missing_radius(place.precision(), country, kinds));
            Position::new(latitude, longitude, radius_km)
        }
        None => country.and_then(Position::of_country),
    };
    place
}
