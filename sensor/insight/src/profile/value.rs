//! What is learned of a connection: the features and their values. Plain data.

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
    ];

    /// So many different values of one user are followed. A person has few of each; when full, the value that was not
    /// seen for longest leaves.
    pub const fn values_max(self) -> usize {
        match self {
            Feature::Place | Feature::Network => 16,
            Feature::Country | Feature::Device | Feature::Software | Feature::Server => 8,
            Feature::Kinds => 4,
        }
    }

    pub(super) fn of(number: u8) -> Option<Feature> {
        Feature::ALL.get(usize::from(number)).copied()
    }
}

/// How many there are.
pub(super) const FEATURES: usize = 7;

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
    /// Of all features but the two below.
    Text(&'a str),
    /// [`Feature::Network`].
    Network(u32),
    /// [`Feature::Kinds`].
    Kinds(NetworkKinds),
}

impl<'a> Value<'a> {
    /// As it is kept.
    pub(super) fn octets<'b>(&'b self, numbers: &'b mut [u8; 4]) -> &'b [u8] {
        match self {
            Value::Text(text) => &text.as_bytes()[..text.floor_char_boundary(TEXT_MAX)],
            Value::Network(asn) => {
                *numbers = asn.to_be_bytes();
                numbers
            }
            Value::Kinds(kinds) => {
                let [high, low] = kinds.bits().to_be_bytes();
                (numbers[0], numbers[1]) = (high, low);
                &numbers[..2]
            }
        }
    }

    /// From what was kept.
    pub(super) fn read(feature: Feature, octets: &'a [u8]) -> Value<'a> {
        match (feature, octets) {
            (Feature::Network, &[a, b, c, d]) => Value::Network(u32::from_be_bytes([a, b, c, d])),
            (Feature::Kinds, &[a, b]) => Value::Kinds(NetworkKinds::from_bits(u16::from_be_bytes([a, b]))),
            // Texts came in as such.
            (_, octets) => Value::Text(str::from_utf8(octets).unwrap_or_default()),
        }
    }
}

impl<'a> Observation<'a> {
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
        ]
        .into_iter()
        .filter_map(|(feature, value)| Some((feature, value?)))
    }
}
