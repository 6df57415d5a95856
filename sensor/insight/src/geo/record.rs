//! What stands in the records of a database, of either schema. Called by `database` only.
//!
//! MaxMind nests (`country.iso_code`, `city.names.en`, `traits`); the free sets write one flat map (`country_code`,
//! `city`, `state1`). Numbers, organisations and kinds of networks have the same keys in both, at the top or in `traits`.

use std::{borrow::Cow, fmt, marker::PhantomData};

use maxminddb::{LookupResult, MaxMindDbError};
use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, SeqAccess, Visitor},
};

use super::{Country, Network, NetworkKind, NetworkKinds, Position};
use crate::vpn::text::printable;

/// Longest name that is taken, in octets. The longest in real sets are organisations of about 100.
const NAME_MAX: usize = 256;

/// A record's schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// MaxMind's City, Country, Enterprise and those made after them.
    Nested,
    /// The free sets; also MaxMind's ASN, Anonymous-IP and Connection-Type, which have nothing to nest.
    Flat,
}

/// What one record says.
#[derive(Debug, Default)]
pub(super) struct Facts<'a> {
    pub(super) country: Option<Country>,
    pub(super) region: Option<Cow<'a, str>>,
    pub(super) city: Option<Cow<'a, str>>,
    /// Degrees north and east.
    pub(super) coordinates: Option<(f64, f64)>,
    pub(super) radius_km: Option<u16>,
    pub(super) network: Option<Network<'a>>,
    pub(super) kinds: NetworkKinds,
    pub(super) anycast: bool,
}

impl Facts<'_> {
    /// Whether it names a place.
    pub(super) fn has_place(&self) -> bool {
        self.country.is_some() || self.coordinates.is_some()
    }

    /// Whether it says anything.
    pub(super) fn is_empty(&self) -> bool {
        !self.has_place() && self.network.is_none() && self.kinds.is_empty() && !self.anycast
    }
}

impl Form {
    /// Reads the record that a look-up found. `None` if it found none.
    pub(super) fn read<'a, S: AsRef<[u8]>>(
        self,
        result: &LookupResult<'a, S>,
    ) -> Result<Option<Facts<'a>>, MaxMindDbError> {
        match self {
            Form::Nested => Ok(result.decode::<Nested<'a>>()?.map(Nested::facts)),
            Form::Flat => {
                let Some(flat) = result.decode::<Flat<'a>>()? else { return Ok(None) };
                let mut facts = flat.facts();
                if let Some(traits) = result.decode::<Traits<'a>>()? {
                    traits.add_to(&mut facts);
                }
                Ok(Some(facts))
            }
        }
    }
}

/// MaxMind's schema. Its `registered_country` is where the network's owner is, not where it is used: not read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Nested<'a> {
    #[serde(borrow)]
    city: Named<'a>,
    country: Coded<'a>,
    location: Location,
    #[serde(deserialize_with = "first")]
    subdivisions: Named<'a>,
    traits: Traits<'a>,
}

impl<'a> Nested<'a> {
    fn facts(self) -> Facts<'a> {
        let mut facts = Facts {
            country: self.country.iso_code.and_then(Country::parse),
            region: name(self.subdivisions.names.en),
            city: name(self.city.names.en),
            coordinates: coordinates(self.location.latitude, self.location.longitude),
            radius_km: self
                .location
                .accuracy_radius
                .0
                .map(|radius| u16::try_from(radius).unwrap_or(u16::MAX)),
            ..Facts::default()
        };
        self.traits.add_to(&mut facts);
        facts
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named<'a> {
    #[serde(borrow)]
    names: Names<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Names<'a> {
    en: Option<&'a str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Coded<'a> {
    iso_code: Option<&'a str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Location {
    latitude: Degrees,
    longitude: Degrees,
    accuracy_radius: Whole,
}

/// The places of the free sets.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Flat<'a> {
    country_code: Option<&'a str>,
    state1: Option<&'a str>,
    city: Option<&'a str>,
    latitude: Degrees,
    longitude: Degrees,
}

impl<'a> Flat<'a> {
    fn facts(self) -> Facts<'a> {
        Facts {
            country: self.country_code.and_then(Country::parse),
            region: name(self.state1),
            city: name(self.city),
            coordinates: coordinates(self.latitude, self.longitude),
            ..Facts::default()
        }
    }
}

/// Of the network: the same keys in both schemas. `is_private_relay` is ours: in the kinds that come with the product.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Traits<'a> {
    autonomous_system_number: Whole,
    autonomous_system_organization: Option<&'a str>,
    connection_type: Option<&'a str>,
    user_type: Option<&'a str>,
    is_anonymous_vpn: bool,
    is_anycast: bool,
    is_hosting_provider: bool,
    is_private_relay: bool,
    is_public_proxy: bool,
    is_residential_proxy: bool,
    is_satellite_provider: bool,
    is_tor_exit_node: bool,
}

impl<'a> Traits<'a> {
    fn add_to(self, facts: &mut Facts<'a>) {
        facts.network = self
            .autonomous_system_number
            .0
            .map(|asn| Network { asn, organisation: name(self.autonomous_system_organization) });
        facts.anycast = self.is_anycast;
        let flags = [
            (self.is_anonymous_vpn, NetworkKind::Vpn),
            (self.is_hosting_provider, NetworkKind::Hosting),
            (self.is_private_relay, NetworkKind::Relay),
            (self.is_public_proxy, NetworkKind::PublicProxy),
            (self.is_residential_proxy, NetworkKind::ResidentialProxy),
            (self.is_satellite_provider, NetworkKind::Satellite),
            (self.is_tor_exit_node, NetworkKind::Tor),
        ];
        let said = [self.connection_type.and_then(of_connection), self.user_type.and_then(of_user)];
        let flagged = flags.into_iter().filter_map(|(set, kind)| set.then_some(kind));
        facts.kinds = flagged.chain(said.into_iter().flatten()).collect();
    }
}

/// A whole number, not 0, however many octets the database gives it: the format has three sizes, and writers that take
/// the smallest that fits. 0 stands for 'not known'; as a system's number it is reserved (RFC 7607).
#[derive(Debug, Default)]
struct Whole(Option<u32>);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Whole, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number from 0 to 4294967295")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Whole, E> {
                let number = u32::try_from(number)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))?;
                Ok(Whole(Some(number).filter(|number| *number != 0)))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Whole, E> {
                let number = u64::try_from(number)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))?;
                self.visit_u64(number)
            }
        }
        from.deserialize_any(Any)
    }
}

/// Degrees, in eight octets as MaxMind writes them or in four as the free sets do.
#[derive(Debug, Default)]
struct Degrees(Option<f64>);

impl<'de> Deserialize<'de> for Degrees {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Degrees, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Degrees;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("degrees")
            }

            fn visit_f64<E: de::Error>(self, degrees: f64) -> Result<Degrees, E> {
                Ok(Degrees(Some(degrees)))
            }
        }
        from.deserialize_any(Any)
    }
}

/// MaxMind's connection types.
fn of_connection(text: &str) -> Option<NetworkKind> {
    match text {
        "Cable/DSL" | "Dialup" => Some(NetworkKind::FixedLine),
        "Cellular" => Some(NetworkKind::Mobile),
        "Corporate" => Some(NetworkKind::Corporate),
        "Satellite" => Some(NetworkKind::Satellite),
        _ => None,
    }
}

/// MaxMind's user types, as far as they tell more than who somebody is.
fn of_user(text: &str) -> Option<NetworkKind> {
    match text {
        "cellular" => Some(NetworkKind::Mobile),
        "consumer_privacy_network" => Some(NetworkKind::Relay),
        "content_delivery_network" => Some(NetworkKind::ContentDelivery),
        "hosting" => Some(NetworkKind::Hosting),
        "dialup" => Some(NetworkKind::FixedLine),
        _ => None,
    }
}

/// A name that is safe to show. The free sets write an empty one for 'not known'.
fn name(text: Option<&str>) -> Option<Cow<'_, str>> {
    let text = text?.trim();
    (!text.is_empty() && text.len() <= NAME_MAX).then(|| printable(text.as_bytes()).0)
}

/// Both, and on earth.
fn coordinates(latitude: Degrees, longitude: Degrees) -> Option<(f64, f64)> {
    let position = Position::new(latitude.0?, longitude.0?, 1)?;
    Some((position.latitude(), position.longitude()))
}

/// The first of a list, the rest passed over: without room for all of them.
fn first<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    struct First<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for First<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
            let first = list.next_element()?.unwrap_or_default();
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(first)
        }
    }
    from.deserialize_seq(First(PhantomData))
}

#[cfg(test)]
mod tests {
    use serde::de::{
        IntoDeserializer,
        value::{Error, F32Deserializer, F64Deserializer, I32Deserializer, U16Deserializer, U64Deserializer},
    };

    use super::*;

    #[test]
    fn numbers_of_any_width_are_read_and_0_is_none() {
        let of_16: U16Deserializer<Error> = 20_712_u16.into_deserializer();
        let of_64: U64Deserializer<Error> = 4_200_000_000_u64.into_deserializer();
        let signed: I32Deserializer<Error> = 3320_i32.into_deserializer();
        let zero: U16Deserializer<Error> = 0_u16.into_deserializer();
        assert_eq!(Whole::deserialize(of_16).unwrap().0, Some(20_712));
        assert_eq!(Whole::deserialize(of_64).unwrap().0, Some(4_200_000_000));
        assert_eq!(Whole::deserialize(signed).unwrap().0, Some(3320));
        assert_eq!(Whole::deserialize(zero).unwrap().0, None);
        let beyond: U64Deserializer<Error> = (1_u64 << 32).into_deserializer();
        let negative: I32Deserializer<Error> = (-1_i32).into_deserializer();
        assert!(Whole::deserialize(beyond).is_err() && Whole::deserialize(negative).is_err());
    }

    #[test]
    fn degrees_of_either_width_are_read() {
        let short: F32Deserializer<Error> = 52.5_f32.into_deserializer();
        let long: F64Deserializer<Error> = 52.52_f64.into_deserializer();
        assert_eq!(Degrees::deserialize(short).unwrap().0, Some(52.5));
        assert_eq!(Degrees::deserialize(long).unwrap().0, Some(52.52));
    }

    #[test]
    fn names_are_safe_to_show() {
        fn of(text: &str) -> Option<String> {
            name(Some(text)).map(Cow::into_owned)
        }
        assert_eq!(of(" Linköping ").as_deref(), Some("Linköping"));
        assert_eq!(of("a\u{202e}b\u{1b}[31m").as_deref(), Some("a\\u{202e}b\\x1b[31m"));
        assert_eq!(of("  "), None);
        assert_eq!(of(&"x".repeat(NAME_MAX)), Some("x".repeat(NAME_MAX)));
        assert_eq!(of(&"x".repeat(NAME_MAX + 1)), None);
        assert_eq!(name(None), None);
    }
}
