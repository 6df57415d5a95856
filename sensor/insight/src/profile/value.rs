//! What is learned of a connection: the features and their values. Plain data.

use std::{fmt, net::IpAddr};

use crate::geo::NetworkKinds;

/// Longest text of a value, octets; the rest is cut off. Attributes have no more.
pub(super) const TEXT_MAX: usize = 255;

/// What connections of one user have in common with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Feature {
    /// The country the client's address is in.
    Country,
    /// The place: a city where one is known, a site of the configuration.
    Place,
    /// The autonomous system.
    Network,
    /// The kinds of its network, together: one value for each set of them.
    Kinds,
    /// The device.
    Device,
    /// The client software.
    Software,
    /// The VPN server.
    Server,
    /// The part of the network that the address is in; see [`Prefix`].
    Prefix,
}

impl Feature {
    /// All, in the order in which they are shown.
    pub const ALL: [Feature; FEATURES] = [
        Feature::Country,
        Feature::Place,
        Feature::Network,
        Feature::Kinds,
        Feature::Device,
        Feature::Software,
        Feature::Server,
        Feature::Prefix,
    ];

    /// So many different values of one user are followed. A person has few of each; when full, the value that was not
    /// seen for longest leaves.
    pub const fn values_max(self) -> usize {
        match self {
            Feature::Place | Feature::Network => 16,
            Feature::Country | Feature::Device | Feature::Software | Feature::Server | Feature::Prefix => 8,
            Feature::Kinds => 4,
        }
    }

    pub(super) fn of(number: u8) -> Option<Feature> {
        Feature::ALL.get(usize::from(number)).copied()
    }
}

/// How many there are.
pub(super) const FEATURES: usize = 8;

/// What is known of a connection; absent is what is not, or what was learned before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Observation<'a> {
    /// The user's key.
    pub user: &'a str,
    /// When the connection began, ns since 1970 UTC.
    pub start_unix_ns: u64,
    /// It counts as a connection, and its hour. Not where a connection is added to that was counted before.
    pub is_connection: bool,
    /// Two letters.
    pub country: Option<&'a str>,
    /// By its name: it must stay the same when databases change.
    pub place: Option<&'a str>,
    /// Number of the autonomous system.
    pub network: Option<u32>,
    /// The client's address outside the tunnel. Of it the [`Prefix`] is kept.
    pub address: Option<IpAddr>,
    /// Kinds of the network; none is no value.
    pub kinds: NetworkKinds,
    /// The device.
    pub device: Option<&'a str>,
    /// The client software.
    pub software: Option<&'a str>,
    /// The VPN server.
    pub server: Option<&'a str>,
}

/// A connection that is over.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// The user's key.
    pub user: &'a str,
    /// When it ended, ns since 1970 UTC.
    pub end_unix_ns: u64,
    /// How long it lasted.
    pub seconds: u64,
    /// Octets in both directions, if they are known.
    pub octets: Option<u64>,
}

/// A value of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value<'a> {
    /// Of all features but those below.
    Text(&'a str),
    /// [`Feature::Network`].
    Network(u32),
    /// [`Feature::Kinds`].
    Kinds(NetworkKinds),
    /// [`Feature::Prefix`].
    Prefix(Prefix),
}

/// Most octets of a value that is no text.
pub(super) type Scratch = [u8; 10];

/// The /24 of an IPv4 address, the /48 of an IPv6 one, with the autonomous system that has it: where databases know
/// countries only, what tells the customers of one provider apart. The system belongs to it, so that a phone that is
/// always in another prefix does not make those of the line at home less telling.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    asn: u32,
    octets: [u8; 6],
    is_v6: bool,
}

impl Prefix {
    /// Of this address, in this autonomous system, if one is known.
    pub fn of(address: IpAddr, asn: Option<u32>) -> Prefix {
        let asn = asn.unwrap_or(0);
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Prefix { asn, octets: [a, b, c, 0, 0, 0], is_v6: false }
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, ..] = address.octets();
                Prefix { asn, octets: [a, b, c, d, e, f], is_v6: true }
            }
        }
    }

    /// Number of the autonomous system; 0: none is known.
    pub fn asn(&self) -> u32 {
        self.asn
    }

    /// How many leading bits two parts of IPv4 have in common, of 24; `None` for IPv6, whose assignment says other things.
    pub fn common_bits(&self, other: &Prefix) -> Option<u32> {
        let bits =
            |prefix: &Prefix| u32::from_be_bytes([prefix.octets[0], prefix.octets[1], prefix.octets[2], 0]);
        (!self.is_v6 && !other.is_v6).then(|| (bits(self) ^ bits(other)).leading_zeros().min(24))
    }

    /// Whether it is of IPv6.
    pub fn is_v6(&self) -> bool {
        self.is_v6
    }

    fn kept(self, scratch: &mut Scratch) -> &[u8] {
        scratch[..4].copy_from_slice(&self.asn.to_be_bytes());
        scratch[4..].copy_from_slice(&self.octets);
        if self.is_v6 { scratch } else { &scratch[..7] }
    }

    fn read(octets: &[u8]) -> Option<Prefix> {
        let (asn, prefix) = octets.split_first_chunk()?;
        let is_v6 = prefix.len() == 6;
        let mut octets = [0; 6];
        octets.get_mut(..prefix.len())?.copy_from_slice(prefix);
        Some(Prefix { asn: u32::from_be_bytes(*asn), octets, is_v6 })
    }
}

/// `198.51.100.0/24`, `2001:db8:7::/48`.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.octets;
        if self.is_v6 {
            let [a, b, c] = [[a, b], [c, d], [e, g]].map(u16::from_be_bytes);
            write!(f, "{}/48", std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        } else {
            write!(f, "{a}.{b}.{c}.0/24")
        }
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{} {self}", self.asn)
    }
}

impl<'a> Value<'a> {
    /// As it is kept.
    pub(super) fn octets<'b>(&'b self, numbers: &'b mut Scratch) -> &'b [u8] {
        match self {
            Value::Text(text) => &text.as_bytes()[..text.floor_char_boundary(TEXT_MAX)],
            Value::Network(asn) => {
                numbers[..4].copy_from_slice(&asn.to_be_bytes());
                &numbers[..4]
            }
            Value::Kinds(kinds) => {
                let [high, low] = kinds.bits().to_be_bytes();
                (numbers[0], numbers[1]) = (high, low);
                &numbers[..2]
            }
            Value::Prefix(prefix) => prefix.kept(numbers),
        }
    }

    /// From what was kept.
    pub(super) fn read(feature: Feature, octets: &'a [u8]) -> Value<'a> {
        match (feature, octets) {
            (Feature::Network, &[a, b, c, d]) => Value::Network(u32::from_be_bytes([a, b, c, d])),
            (Feature::Kinds, &[a, b]) => Value::Kinds(NetworkKinds::from_bits(u16::from_be_bytes([a, b]))),
            (Feature::Prefix, octets) => Prefix::read(octets).map_or(Value::Text(""), Value::Prefix),
            // Texts came in as such.
            (_, octets) => Value::Text(str::from_utf8(octets).unwrap_or_default()),
        }
    }
}

impl<'a> Observation<'a> {
    fn prefix(&self) -> Option<Prefix> {
        self.address.map(|address| Prefix::of(address, self.network))
    }

    /// What it has values of.
    pub(super) fn values(&self) -> impl Iterator<Item = (Feature, Value<'a>)> + use<'a> {
        let kinds = (!self.kinds.is_empty()).then_some(Value::Kinds(self.kinds));
        [
            (Feature::Country, self.country.map(Value::Text)),
            (Feature::Place, self.place.map(Value::Text)),
            (Feature::Network, self.network.map(Value::Network)),
            (Feature::Kinds, kinds),
            (Feature::Device, self.device.map(Value::Text)),
            (Feature::Software, self.software.map(Value::Text)),
            (Feature::Server, self.server.map(Value::Text)),
            (Feature::Prefix, self.prefix().map(Value::Prefix)),
        ]
        .into_iter()
        .filter_map(|(feature, value)| Some((feature, value?)))
    }
}
