//! Where an address was found to be, kept as an input: once resolved, a rebuild need not ask a database that may be
//! another by then.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use insight::geo::{Found, NetworkKind, NetworkKinds, Whereabouts};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What was found for an address.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    /// `place`, `site`, `internal`, or why there is none: `reserved`, `documentation`, `no-database`, `not-listed`.
    pub whereabouts: String,
    /// The network's name in the configuration.
    pub site: Option<String>,
    /// Two letters.
    pub country: Option<String>,
    /// The largest part of the country.
    pub region: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Kilometres around the point within which the address probably is.
    pub radius_km: Option<u16>,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Who runs it.
    pub organisation: Option<String>,
    /// Kinds of the network, by name.
    pub kinds: Vec<String>,
    /// Announced from many places at once.
    pub anycast: bool,
    /// Fingerprint of the database that gave the place, 32 hexadecimal digits: only places of one are compared.
    pub database: Option<String>,
}

impl Resolved {
    /// What was found, without ties to the databases.
    pub fn of(found: &Found<'_>) -> Resolved {
        let mut resolved = Resolved {
            kinds: kind_names(found.kinds),
            anycast: found.anycast,
            asn: found.network.as_ref().map(|network| network.asn),
            organisation: found
                .network
                .as_ref()
                .and_then(|network| network.organisation.as_deref().map(str::to_owned)),
            ..Resolved::default()
        };
        if let Some(position) = found.position() {
            resolved.latitude = Some(position.latitude());
            resolved.longitude = Some(position.longitude());
            resolved.radius_km = Some(position.radius_km());
        }
        match &found.whereabouts {
            Whereabouts::Site(site) => {
                resolved.whereabouts = "site".to_owned();
                resolved.site = Some(site.name.clone());
            }
            Whereabouts::Internal(_) => resolved.whereabouts = "internal".to_owned(),
            Whereabouts::Place(place) => {
                resolved.whereabouts = "place".to_owned();
                resolved.country = place.country.map(|country| country.code().to_owned());
                resolved.region = place.region.as_deref().map(str::to_owned);
                resolved.city = place.city.as_deref().map(str::to_owned);
                resolved.database = Some(format!("{:032x}", place.database.fingerprint()));
            }
            Whereabouts::Unknown(reason) => resolved.whereabouts = reason.name().to_owned(),
        }
        resolved
    }

    /// `Headquarters`, `Lyon, Rhone, FR`, `internal`.
    pub fn name(&self) -> String {
        if let Some(site) = &self.site {
            return site.clone();
        }
        let parts = [&self.city, &self.region, &self.country];
        let known: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        if known.is_empty() { self.whereabouts.clone() } else { known.join(", ") }
    }

    /// Whether it says anything of where the address is.
    fn is_known(&self) -> bool {
        matches!(&*self.whereabouts, "place" | "site" | "internal")
    }

    /// By what the store knows it: the first 63 bits of its SHA-256.
    pub fn id(&self) -> i64 {
        // A structure of texts and numbers cannot fail to be written.
        let octets = postcard::to_stdvec(self).unwrap_or_default();
        let digest = Sha256::digest(octets);
        let first: [u8; 8] = std::array::from_fn(|at| digest[at]);
        i64::from_be_bytes(first) & i64::MAX
    }
}

fn kind_names(kinds: NetworkKinds) -> Vec<String> {
    kinds.iter().map(|kind| kind.name().to_owned()).collect()
}

/// A place and by what the store knows it.
#[derive(Debug, PartialEq)]
pub struct Placed {
    /// See [`Resolved::id`].
    pub id: i64,
    /// What was found.
    pub resolved: Resolved,
    /// Its name, if the place is known.
    pub(super) place: Option<String>,
    pub(super) kinds: NetworkKinds,
}

impl Placed {
    fn new(id: i64, resolved: Resolved) -> Placed {
        let place = resolved.is_known().then(|| resolved.name());
        let kinds = resolved.kinds.iter().filter_map(|name| NetworkKind::named(name)).collect();
        Placed { id, resolved, place, kinds }
    }

    /// Whether anything is known of the address: its place, or whose network it is in.
    pub(super) fn is_known(&self) -> bool {
        self.place.is_some() || self.resolved.asn.is_some() || !self.kinds.is_empty()
    }
}

/// A place as [`Resolutions`] numbers them; [`NOWHERE`] where there is no address.
pub(super) type PlaceNumber = u32;
pub(super) const NOWHERE: PlaceNumber = PlaceNumber::MAX;

/// Addresses that are resolved, so that equal ones are not asked for again and share their place. There are a million:
/// of each only the number of its place is kept, and those of four octets apart.
#[derive(Debug, Default)]
pub(super) struct Resolutions {
    ipv4: HashMap<Ipv4Addr, PlaceNumber>,
    ipv6: HashMap<Ipv6Addr, PlaceNumber>,
    places: Vec<Arc<Placed>>,
    /// By [`Placed::id`].
    numbers: HashMap<i64, PlaceNumber>,
}

impl Resolutions {
    /// The number of an address' place.
    pub(super) fn get(&self, address: IpAddr) -> Option<PlaceNumber> {
        match address {
            IpAddr::V4(address) => self.ipv4.get(&address).copied(),
            IpAddr::V6(address) => self.ipv6.get(&address).copied(),
        }
    }

    /// The place with this number.
    pub(super) fn placed(&self, number: PlaceNumber) -> Option<&Arc<Placed>> {
        self.places.get(number as usize)
    }

    pub(super) fn insert(&mut self, address: IpAddr, resolved: Resolved) -> PlaceNumber {
        let id = resolved.id();
        let number = *self.numbers.entry(id).or_insert_with(|| {
            self.places.push(Arc::new(Placed::new(id, resolved)));
            // No more than addresses, which are bounded.
            (self.places.len() - 1) as PlaceNumber
        });
        self.put(address, number);
        number
    }

    fn put(&mut self, address: IpAddr, number: PlaceNumber) {
        match address {
            IpAddr::V4(address) => self.ipv4.insert(address, number),
            IpAddr::V6(address) => self.ipv6.insert(address, number),
        };
    }

    pub(super) fn clear(&mut self) {
        *self = Resolutions::default();
    }

    pub(super) fn len(&self) -> usize {
        self.ipv4.len() + self.ipv6.len()
    }

    /// In a form that can be kept: each place once, then the addresses with the number of theirs, in order.
    pub(super) fn kept(&self) -> Kept {
        let mut places: Vec<(PlaceNumber, &Arc<Placed>)> = (0..).zip(&self.places).collect();
        places.sort_unstable_by_key(|(_, placed)| placed.id);
        let mut ranks = vec![0; places.len()];
        for (rank, (number, _)) in (0..).zip(&places) {
            ranks[*number as usize] = rank;
        }
        let ipv4 = self.ipv4.iter().map(|(address, number)| (IpAddr::V4(*address), ranks[*number as usize]));
        let ipv6 = self.ipv6.iter().map(|(address, number)| (IpAddr::V6(*address), ranks[*number as usize]));
        let mut addresses: Vec<(IpAddr, u32)> = ipv4.chain(ipv6).collect();
        addresses.sort_unstable();
        Kept { places: places.iter().map(|(_, placed)| placed.resolved.clone()).collect(), addresses }
    }

    pub(super) fn restored(kept: Kept) -> Resolutions {
        let mut resolutions = Resolutions {
            places: kept
                .places
                .into_iter()
                .map(|resolved| Arc::new(Placed::new(resolved.id(), resolved)))
                .collect(),
            ..Resolutions::default()
        };
        resolutions.numbers = (0..).zip(&resolutions.places).map(|(at, placed)| (placed.id, at)).collect();
        for (address, number) in kept.addresses {
            if (number as usize) < resolutions.places.len() {
                resolutions.put(address, number);
            }
        }
        resolutions
    }
}

/// See [`Resolutions::kept`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    places: Vec<Resolved>,
    addresses: Vec<(IpAddr, u32)>,
}
