//! What is known of one VPN connection when it begins: what detections are asked about. Plain data.

use std::net::IpAddr;

use crate::{
    geo::{NetworkKind, NetworkKinds},
    profile::Observation,
};

/// One VPN connection. Absent is what is not known; absent is never evidence.
#[derive(Debug, Clone, Copy, Default)]
pub struct Connection<'a> {
    /// Its session's number.
    pub session: u64,
    /// The user's key.
    pub user: &'a str,
    /// When it began, ns since 1970 UTC.
    pub start_unix_ns: u64,
    /// The VPN server, as the profile names it.
    pub server: Option<&'a str>,
    /// The client's address outside the tunnel.
    pub remote: Option<IpAddr>,
    /// Where that address was found to be.
    pub spot: Spot<'a>,
    /// The device.
    pub device: Option<&'a str>,
    /// The client software.
    pub software: Option<&'a str>,
    /// The operating system.
    pub operating_system: Option<&'a str>,
    /// Tunnel group or connection profile.
    pub group: Option<&'a str>,
    /// Nobody wants to hear of it: it is assessed as any other, and does not count where others are counted together.
    pub is_excluded: bool,
}

/// Where an address is, whose network it is in, and how sure that is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spot<'a> {
    /// Two letters.
    pub country: Option<&'a str>,
    /// The largest part of the country.
    pub region: Option<&'a str>,
    /// The place by its name, as the profile keeps it: `Lyon, Rhone, FR`, or the country alone.
    pub place: Option<&'a str>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Kilometres around the point within which the address probably is.
    pub radius_km: Option<u16>,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Who runs it.
    pub organisation: Option<&'a str>,
    /// Kinds of the network.
    pub kinds: NetworkKinds,
    /// Announced from many places at once: its place is no evidence.
    pub anycast: bool,
    /// A site of the configuration, or an address that has no place: private, of this host.
    pub is_own: bool,
    /// Fingerprint of the database that gave the place. Places of two databases are never compared.
    pub database: Option<&'a str>,
}

impl<'a> Connection<'a> {
    /// As the profile learns it, all at once.
    pub fn observation(&self) -> Observation<'a> {
        Observation {
            user: self.user,
            start_unix_ns: self.start_unix_ns,
            is_connection: true,
            country: self.spot.country,
            place: self.spot.place,
            network: self.spot.asn,
            address: self.remote,
            kinds: self.spot.kinds,
            device: self.device,
            software: self.software,
            server: self.server,
        }
    }

    /// Seconds since 1970 of its beginning; at most those of the year 2106.
    pub(super) fn start_unix_s(&self) -> u32 {
        seconds(self.start_unix_ns)
    }
}

/// Seconds since 1970.
pub(super) fn seconds(unix_ns: u64) -> u32 {
    u32::try_from(unix_ns / 1_000_000_000).unwrap_or(u32::MAX)
}

/// How a network serves somebody who does not want to be found, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Cover {
    /// It does not, as far as is known.
    #[default]
    None,
    /// Servers for rent.
    Hosting,
    /// A VPN or proxy that hides who uses it.
    Anonymiser,
    /// Tor.
    Tor,
}

impl Cover {
    pub(super) fn of(kinds: NetworkKinds) -> Cover {
        if kinds.contains(NetworkKind::Tor) {
            Cover::Tor
        } else if kinds.is_anonymous() {
            Cover::Anonymiser
        } else if kinds.contains(NetworkKind::Hosting) || kinds.contains(NetworkKind::ContentDelivery) {
            Cover::Hosting
        } else {
            Cover::None
        }
    }
}

impl Spot<'_> {
    /// Whether its place can be held against that of another address.
    pub(super) fn is_comparable(&self) -> bool {
        !self.is_own
            && !self.anycast
            && !self.kinds.contains(NetworkKind::Relay)
            && self.database.is_some()
            && self.latitude.is_some()
            && self.longitude.is_some()
    }

    /// Whether a place finer than the country is known, and says where the person is: not in mobile networks, whose
    /// addresses wander over hundreds of kilometres.
    pub(super) fn has_fine_place(&self) -> bool {
        !self.is_own
            && !self.anycast
            && !self.kinds.contains(NetworkKind::Mobile)
            && self.place.is_some()
            && self.place != self.country
    }
}
