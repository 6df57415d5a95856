//! Names, types and enumerated values of attributes: the RFCs', and those of all vendors whose lists are public, since
//! whatever shares the accounting port with a VPN server is to be readable in the journal. Constant tables (the vendors'
//! are made from `dictionary/*.txt` by `build.rs`); a look-up is one binary search at most. Used behind the journal and by
//! the command line, never by the worker.

mod render;
mod standard;

pub use render::{Rendered, escaped};

use crate::attribute::Id;

// `VENDORS`, sorted by Private Enterprise Number, and `VENDOR_PLACES`, their places by the hash of the number.
include!(concat!(env!("OUT_DIR"), "/vendors.rs"));

/// How a value is to be read (RFC 8044 names most of these).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// UTF-8 by the RFCs, any octets by practice (R18).
    Text,
    /// Opaque octets.
    Octets,
    /// Octets that are a password or a key and are never shown (R38).
    Hidden,
    /// 4 octets, unsigned, perhaps enumerated.
    Integer,
    /// 8 octets, unsigned (RFC 6929 section 2.5).
    Integer64,
    /// 4 octets: seconds since 1970, UTC.
    Time,
    /// 4 octets.
    Ipv4,
    /// 16 octets.
    Ipv6,
    /// Reserved octet, prefix length, up to 16 octets (RFC 3162 section 2.3).
    Ipv6Prefix,
    /// 8 octets.
    InterfaceId,
    /// A tag octet if the first is at most 0x1F, then text (RFC 2868 section 3.3).
    TaggedText,
    /// A tag octet, then 3 octets, unsigned, perhaps enumerated (RFC 2868 section 3.1).
    TaggedInteger,
    /// TLVs (RFC 6929 section 2.3); see [`leaves`](crate::attribute::tlv::leaves).
    Tlv,
}

/// One enumerated value and its name.
pub type Value = (u32, &'static str);

/// What is known about one attribute.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The number within its space: type, vendor's type or extended type.
    pub number: u8,
    /// The usual name, a vendor's with its prefix: `User-Name`, `Cisco-AVPair`.
    pub name: &'static str,
    /// How to read the value.
    pub kind: Type,
    /// Names of enumerated values, sorted by value; empty if there are none.
    pub values: &'static [Value],
    /// Octets that a value has by its type, the fewest and the most.
    lengths: (u8, u8),
}

const fn entry(number: u8, name: &'static str, kind: Type, values: &'static [Value]) -> Entry {
    let lengths = match kind {
        Type::Text | Type::Octets | Type::Hidden | Type::Tlv | Type::TaggedText => (0, u8::MAX),
        Type::Integer | Type::TaggedInteger | Type::Time | Type::Ipv4 => (4, 4),
        Type::Integer64 | Type::InterfaceId => (8, 8),
        Type::Ipv6 => (16, 16),
        Type::Ipv6Prefix => (2, 18),
    };
    Entry { number, name, kind, values, lengths }
}

impl Entry {
    /// Whether a value in one attribute may have so many octets. What more there is to check, the decoder knows.
    #[inline]
    pub(crate) fn may_have(&self, length: usize) -> bool {
        let (fewest, most) = self.lengths;
        (usize::from(fewest)..=usize::from(most)).contains(&length)
    }

    /// The name of an enumerated value.
    pub fn value_name(&self, value: u32) -> Option<&'static str> {
        let at = self.values.binary_search_by_key(&value, |(number, _)| *number).ok()?;
        Some(self.values[at].1)
    }
}

/// A vendor and its attributes.
#[derive(Debug, Clone, Copy)]
pub struct Vendor {
    /// Private Enterprise Number.
    pub number: u32,
    /// The name people know it by.
    pub name: &'static str,
    /// Its attributes, sorted by number.
    pub attributes: &'static [Entry],
}

/// What is known about an attribute. `None` for unknown ones, for opaque VSAs and for extended VSAs.
#[inline]
pub fn lookup(id: Id) -> Option<&'static Entry> {
    match id {
        Id::Standard(kind) => standard(kind),
        Id::Vendor { vendor: number, kind } => among(vendor(number)?.attributes, kind),
        Id::Extended { kind: 241, extended } => among(standard::EXTENDED_241, extended),
        Id::Extended { .. } | Id::ExtendedVendor { .. } | Id::OpaqueVendor { .. } => None,
    }
}

/// What is known about a standard attribute.
#[inline]
pub(crate) fn standard(kind: u8) -> Option<&'static Entry> {
    STANDARD[usize::from(kind)]
}

/// An entry by its number. Most lists begin with 1 and have no gaps at first.
#[inline]
pub(crate) fn among(entries: &'static [Entry], number: u8) -> Option<&'static Entry> {
    let guess = entries.get(usize::from(number).wrapping_sub(1));
    if let Some(entry) = guess.filter(|entry| entry.number == number) {
        return Some(entry);
    }
    let at = entries.binary_search_by_key(&number, |entry| entry.number).ok()?;
    Some(&entries[at])
}

/// `standard::ATTRIBUTES` by type.
static STANDARD: [Option<&Entry>; 256] = {
    let mut entries = [None; 256];
    let mut place = 0;
    while place < standard::ATTRIBUTES.len() {
        let entry = &standard::ATTRIBUTES[place];
        entries[entry.number as usize] = Some(entry);
        place += 1;
    }
    entries
};

/// A vendor by its Private Enterprise Number.
#[inline]
pub fn vendor(number: u32) -> Option<&'static Vendor> {
    // As `places` in build.rs; the table is never full, so this ends at an empty slot.
    let mut slot = (number.wrapping_mul(0x9E37_79B1) >> 23) as usize;
    loop {
        let vendor = VENDORS.get(usize::from(VENDOR_PLACES[slot]))?;
        if vendor.number == number {
            return Some(vendor);
        }
        slot = (slot + 1) % VENDOR_PLACES.len();
    }
}

/// The attribute of this name, letter case ignored: for people who type names. Linear in the size of the dictionary.
pub fn by_name(name: &str) -> Option<(Id, &'static Entry)> {
    let matches = |entry: &&Entry| entry.name.eq_ignore_ascii_case(name);
    if let Some(entry) = standard::ATTRIBUTES.iter().find(matches) {
        return Some((Id::Standard(entry.number), entry));
    }
    if let Some(entry) = standard::EXTENDED_241.iter().find(matches) {
        return Some((Id::Extended { kind: 241, extended: entry.number }, entry));
    }
    VENDORS.iter().find_map(|vendor| {
        let entry = vendor.attributes.iter().find(matches)?;
        Some((Id::Vendor { vendor: vendor.number, kind: entry.number }, entry))
    })
}

/// Every attribute known, vendors' included.
pub fn all() -> impl Iterator<Item = (Id, &'static Entry)> {
    let standard = standard::ATTRIBUTES.iter().map(|e| (Id::Standard(e.number), e));
    let extended = standard::EXTENDED_241.iter().map(|e| (Id::Extended { kind: 241, extended: e.number }, e));
    let vendors = VENDORS.iter().flat_map(|vendor| {
        vendor.attributes.iter().map(|e| (Id::Vendor { vendor: vendor.number, kind: e.number }, e))
    });
    standard.chain(extended).chain(vendors)
}

/// The name of a value of an enumerated standard attribute: `value_name(40, 1)` is `Start`.
pub fn value_name(kind: u8, value: u32) -> Option<&'static str> {
    lookup(Id::Standard(kind))?.value_name(value)
}
