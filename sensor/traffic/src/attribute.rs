//! An attribute to be sent.

use std::net::Ipv4Addr;

/// One attribute by its numbers, its value as on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The vendor's private enterprise number; none for a standard attribute.
    pub vendor: Option<u32>,
    /// The type, of the vendor if there is one.
    pub kind: u8,
    /// At most 253 octets, 247 for a vendor's.
    pub value: Vec<u8>,
}

impl Attribute {
    /// A standard attribute.
    pub fn new(kind: u8, value: impl Into<Vec<u8>>) -> Attribute {
        Attribute { vendor: None, kind, value: value.into() }
    }

    /// A vendor's attribute.
    pub fn of_vendor(vendor: u32, kind: u8, value: impl Into<Vec<u8>>) -> Attribute {
        Attribute { vendor: Some(vendor), kind, value: value.into() }
    }

    pub(super) fn integer(kind: u8, value: u32) -> Attribute {
        Attribute::new(kind, value.to_be_bytes())
    }

    pub(super) fn ipv4(kind: u8, value: Ipv4Addr) -> Attribute {
        Attribute::new(kind, value.octets())
    }

    /// Tag, then the low 24 bits (RFC 2868 section 3.1).
    pub(super) fn tagged_integer(kind: u8, tag: u8, value: u32) -> Attribute {
        let [_, high, middle, low] = value.to_be_bytes();
        Attribute::new(kind, [tag, high, middle, low])
    }

    pub(super) fn tagged_text(kind: u8, tag: u8, value: &str) -> Attribute {
        Attribute::new(kind, [&[tag], value.as_bytes()].concat())
    }
}
