//! One record as it was written: the JSON object of `journal dump`, an element of the API's records.

use std::{fmt, net::SocketAddr};

use journal::Record;
use radius::{
    Framed, Request,
    attribute::{Decoded, Id},
    dictionary,
};
use serde::{Serialize, Serializer, ser::SerializeSeq};

use utoipa::ToSchema;

use crate::event::rfc3339;

/// A record as `journal dump` prints it.
#[derive(Serialize, ToSchema)]
#[schema(as = Record)]
#[serde(untagged)]
pub enum RecordLine<'a> {
    /// It is there.
    Record(Whole<'a>),
    /// It has been taken out.
    Tombstone(Tombstone),
}

/// Where a record was that has been taken out.
#[derive(Serialize, ToSchema)]
pub struct Tombstone {
    seq: u64,
    #[schema(value_type = String)]
    #[serde(serialize_with = "microseconds")]
    time: u64,
    redacted: bool,
}

/// A record that is there.
#[derive(Serialize, ToSchema)]
pub struct Whole<'a> {
    seq: u64,
    #[schema(value_type = String)]
    #[serde(serialize_with = "microseconds")]
    time: u64,
    sensor: &'a str,
    client: &'a str,
    #[schema(value_type = String)]
    src: SocketAddr,
    #[schema(value_type = String)]
    dst: SocketAddr,
    id: Option<u8>,
    #[schema(value_type = String)]
    authenticator: Hex<'a>,
    path: &'static str,
    #[schema(value_type = Vec<Named>)]
    attributes: Attributes<'a>,
}

impl<'a> RecordLine<'a> {
    /// Of this record.
    pub fn new(record: &'a Record) -> RecordLine<'a> {
        if record.redacted {
            return RecordLine::Tombstone(Tombstone {
                seq: record.sequence,
                time: record.arrival_unix_ns,
                redacted: true,
            });
        }
        // The record holds what was validated before it was written; the passwords blanked in it keep their length.
        let request = Framed::parse(&record.octets).ok().and_then(|framed| framed.request().ok());
        RecordLine::Record(Whole {
            seq: record.sequence,
            time: record.arrival_unix_ns,
            sensor: &record.sensor,
            client: &record.client,
            src: record.source,
            dst: record.destination,
            id: record.octets.get(1).copied(),
            authenticator: Hex(record.octets.get(4..20).unwrap_or_default()),
            path: record.path.name(),
            attributes: Attributes(request),
        })
    }
}

impl Tombstone {
    /// Its sequence and its arrival, ns since 1970 UTC.
    pub fn when(&self) -> (u64, u64) {
        (self.seq, self.time)
    }
}

impl Whole<'_> {
    /// Its sequence and its arrival, ns since 1970 UTC.
    pub fn when(&self) -> (u64, u64) {
        (self.seq, self.time)
    }

    /// The client of the configuration, and where it sent from.
    pub fn sender(&self) -> (&str, SocketAddr) {
        (self.client, self.src)
    }

    /// The first attribute of this type as text; `-` if there is none.
    pub fn attribute(&self, wanted: u8) -> String {
        let request = self.attributes.0.as_ref();
        let found = request
            .and_then(|request| request.decoded().find(|attribute| attribute.id == Id::Standard(wanted)));
        found.map_or("-".to_owned(), |attribute| attribute.render().to_string())
    }

    /// All attributes in their order, each with its name or number and its value.
    pub(crate) fn attributes(&self) -> Vec<(String, String)> {
        let named = |attribute: Decoded<'_>| {
            let named = Named::new(&attribute);
            let number = || match (named.vendor, named.kind) {
                (Some(vendor), kind) => format!("vendor {vendor}, type {}", kind.unwrap_or(0)),
                (None, kind) => format!("type {}", kind.unwrap_or(0)),
            };
            (named.name.map_or_else(number, str::to_owned), named.value)
        };
        self.attributes.0.iter().flat_map(|request| request.decoded()).map(named).collect()
    }
}

fn microseconds<S: Serializer>(unix_ns: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*unix_ns))
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(formatter, "{octet:02x}"))
    }
}

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct Attributes<'a>(Option<Request<'a>>);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        for attribute in self.0.iter().flat_map(|request| request.decoded()) {
            sequence.serialize_element(&Named::new(&attribute))?;
        }
        sequence.end()
    }
}

/// One attribute: numbers, name if the dictionary has one (the vendor's, if its attributes are not laid out as usual),
/// tag if it carries one, value as text.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordAttribute)]
pub(crate) struct Named {
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<u32>,
    #[serde(rename = "type")]
    kind: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended: Option<u8>,
    name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<u8>,
    value: String,
}

impl Named {
    fn new(attribute: &Decoded<'_>) -> Named {
        let (vendor, kind, extended) = match attribute.id {
            Id::Standard(kind) => (None, Some(kind), None),
            Id::Vendor { vendor, kind } => (Some(vendor), Some(kind), None),
            Id::OpaqueVendor { vendor } => (Some(vendor), None, None),
            Id::Extended { kind, extended } => (None, Some(kind), Some(extended)),
            Id::ExtendedVendor { kind, vendor, vendor_kind } => (Some(vendor), Some(vendor_kind), Some(kind)),
        };
        let whole = match attribute.id {
            Id::OpaqueVendor { vendor } => dictionary::vendor(vendor).map(|vendor| vendor.name),
            _ => None,
        };
        Named {
            vendor,
            kind,
            extended,
            name: attribute.name().or(whole),
            tag: attribute.tag,
            value: attribute.render().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::CapturePath;

    #[test]
    fn a_line_is_as_documented() {
        let mut octets = vec![4, 7, 0, 44];
        octets.extend([0xab; 16]);
        octets.extend([1, 7, b'a', b'l', b'i', b'c', b'e']);
        octets.extend([40, 6, 0, 0, 0, 1]);
        octets.extend([2, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        octets.extend([26, 10, 0, 0, 0x1f, 0xe4, 0, 1, 0, 4]);
        octets[3] = octets.len() as u8;
        let record = Record {
            sequence: 1,
            arrival_unix_ns: 1_795_514_400_000_123_456,
            source: "192.0.2.1:5000".parse().unwrap(),
            destination: "[2001:db8::1]:1813".parse().unwrap(),
            path: CapturePath::Udp,
            client: "branch-rras".into(),
            sensor: "s".into(),
            octets,
            redacted: false,
        };
        let line = serde_json::to_string(&RecordLine::new(&record)).unwrap();
        assert_eq!(
            line,
            "{\"seq\":1,\"time\":\"2026-11-24T10:00:00.000123Z\",\"sensor\":\"s\",\"client\":\"branch-rras\",\
             \"src\":\"192.0.2.1:5000\",\"dst\":\"[2001:db8::1]:1813\",\"id\":7,\
             \"authenticator\":\"abababababababababababababababab\",\"path\":\"udp\",\"attributes\":[\
             {\"type\":1,\"name\":\"User-Name\",\"value\":\"alice\"},\
             {\"type\":40,\"name\":\"Acct-Status-Type\",\"value\":\"Start\"},\
             {\"type\":2,\"name\":\"User-Password\",\"value\":\"(hidden)\"},\
             {\"vendor\":8164,\"type\":null,\"name\":\"Starent\",\"value\":\"00010004\"}]}"
        );
        let RecordLine::Record(whole) = RecordLine::new(&record) else { panic!("it is there") };
        assert_eq!((whole.attribute(40), whole.attribute(44)), ("Start".to_owned(), "-".to_owned()));
        assert_eq!(whole.attributes()[3], ("Starent".to_owned(), "00010004".to_owned()));

        let tombstone = Record { redacted: true, octets: Vec::new(), ..record };
        assert_eq!(
            serde_json::to_string(&RecordLine::new(&tombstone)).unwrap(),
            "{\"seq\":1,\"time\":\"2026-11-24T10:00:00.000123Z\",\"redacted\":true}"
        );
    }
}
