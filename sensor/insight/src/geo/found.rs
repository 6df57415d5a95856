//! What is found for an address. Made by [`Places::find`](super::Places::find); read by profiles, detections, the store.

use std::{borrow::Cow, fmt, net::IpAddr};

use super::{Country, Database, NetworkKind, NetworkKinds, Site};
use crate::vpn::address::Scope;

/// Radius where a city is known, the database gives none and the line is a fixed one. A study of four databases in 175
/// countries (2026) found median errors of 3 to 16 km there; the tail is long.
pub const FIXED_LINE_RADIUS_KM: u16 = 50;
/// Radius where neither radius nor kind of line is known, or the network is mobile. The same study: median errors of 179
/// to 207 km in mobile networks, and seven in ten of their prefixes spread over more than 100 km.
pub const UNKNOWN_RADIUS_KM: u16 = 300;

/// All that is known of an address.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    /// The address that was looked up: the IPv4 one where an IPv6 address carries one (6to4, Teredo, NAT64).
    pub address: IpAddr,
    /// Where it is.
    pub whereabouts: Whereabouts<'a>,
    /// Whose network it is in.
    pub network: Option<Network<'a>>,
    /// What kind of network, from all databases together.
    pub kinds: NetworkKinds,
    /// The address is announced from many places at once: its place is no evidence of anything.
    pub anycast: bool,
    /// A database whose record for this address could not be read: it is damaged, its answer is missing here.
    pub damaged: Option<&'a Database>,
}

impl<'a> Found<'a> {
    /// The place, if a database knows one. A site has none here: its position stands in [`Site`].
    pub fn place(&self) -> Option<&Place<'a>> {
        match &self.whereabouts {
            Whereabouts::Place(place) => Some(place),
            _ => None,
        }
    }

    /// Where it is on the map: of the place or of the site.
    pub fn position(&self) -> Option<Position> {
        match &self.whereabouts {
            Whereabouts::Place(place) => place.position,
            Whereabouts::Site(site) => site.position,
            Whereabouts::Internal(_) | Whereabouts::Unknown(_) => None,
        }
    }
}

/// Where an address is.
#[derive(Debug, Clone)]
pub enum Whereabouts<'a> {
    /// In a network that the configuration names.
    Site(&'a Site),
    /// In a network of somebody's own, which has no place: private, behind a provider's translation, of this host.
    Internal(Scope),
    /// Where a database puts it.
    Place(Place<'a>),
    /// Not known, and why.
    Unknown(Unplaced),
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unplaced {
    /// No host can have this address.
    Reserved,
    /// A network for examples or for measuring.
    Documentation,
    /// No database with places is loaded.
    NoDatabase,
    /// The databases have no place for it.
    NotListed,
}

impl Unplaced {
    /// A few words for people and for JSON.
    pub fn name(self) -> &'static str {
        match self {
            Unplaced::Reserved => "reserved",
            Unplaced::Documentation => "documentation",
            Unplaced::NoDatabase => "no-database",
            Unplaced::NotListed => "not-listed",
        }
    }
}

/// A place as a database has it. Two are compared only if they come from the same [`database`](Place::database):
/// databases, and versions of one, disagree by hundreds of kilometres.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// The country.
    pub country: Option<Country>,
    /// The largest part of the country, in English where the database has it: a state, a region. Safe to show.
    pub region: Option<Cow<'a, str>>,
    /// The city, in English where the database has it. Safe to show.
    pub city: Option<Cow<'a, str>>,
    /// Where that is, and how sure. Without it: a code that is no country (`EU`).
    pub position: Option<Position>,
    /// Which database says so.
    pub database: &'a Database,
}

impl Place<'_> {
    /// How finely the place is known.
    pub fn precision(&self) -> Precision {
        match (&self.city, &self.region) {
            (Some(_), _) => Precision::City,
            (None, Some(_)) => Precision::Region,
            (None, None) => Precision::Country,
        }
    }
}

/// `London, England, GB`.
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let country = self.country.as_ref().map(Country::code);
        let parts = [self.city.as_deref(), self.region.as_deref(), country];
        for (at, part) in parts.into_iter().flatten().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            f.write_str(part)?;
        }
        Ok(())
    }
}

/// How finely a place is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Precision {
    /// The country only.
    Country,
    /// A part of the country.
    Region,
    /// The city.
    City,
}

/// A point and how far from it the address may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    latitude: f64,
    longitude: f64,
    radius_km: u16,
}

impl Position {
    /// Degrees north and east, kilometres. `None` if that is nowhere on earth, or the point 0, 0, which databases write
    /// for 'not known'. A radius of 0 is taken as 1.
    pub fn new(latitude: f64, longitude: f64, radius_km: u16) -> Option<Position> {
        let on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        (on_earth && (latitude, longitude) != (0.0, 0.0)).then_some(Position {
            latitude,
            longitude,
            radius_km: radius_km.max(1),
        })
    }

    /// Degrees north, -90 to 90.
    pub fn latitude(&self) -> f64 {
        self.latitude
    }

    /// Degrees east, -180 to 180.
    pub fn longitude(&self) -> f64 {
        self.longitude
    }

    /// Kilometres around the point within which the address probably is; at least 1.
    pub fn radius_km(&self) -> u16 {
        self.radius_km
    }

    /// The centre of a country, with its radius; a small one is known no better than a fixed line.
    pub(super) fn of_country(country: Country) -> Option<Position> {
        let (latitude, longitude, radius_km) = country.extent()?;
        Position::new(latitude, longitude, radius_km.max(FIXED_LINE_RADIUS_KM))
    }
}

/// How far off a point may be for which the database gives no radius.
pub(super) fn missing_radius(precision: Precision, country: Option<Country>, kinds: NetworkKinds) -> u16 {
    match precision {
        Precision::City if kinds.contains(NetworkKind::FixedLine) && !kinds.contains(NetworkKind::Mobile) => {
            FIXED_LINE_RADIUS_KM
        }
        Precision::City | Precision::Region => UNKNOWN_RADIUS_KM,
        Precision::Country => {
            country.and_then(Position::of_country).map_or(UNKNOWN_RADIUS_KM, |position| position.radius_km)
        }
    }
}

/// An autonomous system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network<'a> {
    /// Its number.
    pub asn: u32,
    /// Who runs it. Safe to show.
    pub organisation: Option<Cow<'a, str>>,
}

/// `AS13335 Cloudflare, Inc.`
impl fmt::Display for Network<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{}", self.asn)?;
        self.organisation.as_ref().map_or(Ok(()), |organisation| write!(f, " {organisation}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_on_earth() {
        assert_eq!(Position::new(52.5, 13.4, 0).unwrap().radius_km(), 1);
        assert!(Position::new(-90.0, 180.0, 5).is_some());
        for (latitude, longitude) in
            [(0.0, 0.0), (90.1, 0.0), (0.0, -180.1), (f64::NAN, 1.0), (1.0, f64::INFINITY)]
        {
            assert_eq!(Position::new(latitude, longitude, 5), None);
        }
    }

    #[test]
    fn a_missing_radius_depends_on_line_and_precision() {
        let of = |kinds: &[NetworkKind], precision| {
            missing_radius(precision, Country::parse("MC"), kinds.iter().copied().collect())
        };
        assert_eq!(of(&[NetworkKind::FixedLine], Precision::City), 50);
        assert_eq!(of(&[NetworkKind::FixedLine, NetworkKind::Mobile], Precision::City), 300);
        assert_eq!(of(&[NetworkKind::Mobile], Precision::City), 300);
        assert_eq!(of(&[], Precision::City), 300);
        assert_eq!(of(&[NetworkKind::FixedLine], Precision::Region), 300);
        // Monaco's own radius is 1 km.
        assert_eq!(of(&[], Precision::Country), 50);
        assert_eq!(missing_radius(Precision::Country, None, NetworkKinds::default()), 300);
    }
}
