//! Attributes with their meaning: vendors, extensions, fragments and tags resolved, values checked against their type.

use core::fmt;
use core::iter::FusedIterator;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fragments::{Fragment, Joined, Run, Runs};
use super::{Attribute, Attributes, kind};
use crate::dictionary::{self, Entry, Rendered, Type};

/// Which attribute it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Id {
    /// A plain type.
    Standard(u8),
    /// A sub-attribute of a Vendor-Specific attribute.
    Vendor {
        /// Private Enterprise Number.
        vendor: u32,
        /// The vendor's type.
        kind: u8,
    },
    /// A Vendor-Specific attribute whose content is not sub-attributes: its value is everything behind the Vendor-Id.
    OpaqueVendor {
        /// Private Enterprise Number.
        vendor: u32,
    },
    /// An extended attribute, `241.1` to `246.255`.
    Extended {
        /// 241 to 246.
        kind: u8,
        /// Extended-Type.
        extended: u8,
    },
    /// An extended Vendor-Specific attribute, `241.26` to `246.26` (RFC 6929 section 2.4).
    ExtendedVendor {
        /// 241 to 246.
        kind: u8,
        /// Private Enterprise Number.
        vendor: u32,
        /// The vendor's type.
        vendor_kind: u8,
    },
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Standard(kind) => write!(f, "{kind}"),
            Id::Vendor { vendor, kind } => write!(f, "26.{vendor}.{kind}"),
            Id::OpaqueVendor { vendor } => write!(f, "26.{vendor}"),
            Id::Extended { kind, extended } => write!(f, "{kind}.{extended}"),
            Id::ExtendedVendor { kind, vendor, vendor_kind } => write!(f, "{kind}.26.{vendor}.{vendor_kind}"),
        }
    }
}

/// Why an attribute is ignored for its meaning. The request stands and the record keeps the octets (R14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// No value octets (R13).
    Empty,
    /// The value's length does not fit its type (R14).
    Length,
    /// An integer whose tag is above 0x1F (R66).
    Tag,
    /// A prefix longer than 128, with bits behind its length, or with more bits than octets (R64).
    Prefix,
    /// A Vendor-Id whose high octet is not 0 (R21).
    VendorId,
    /// A long extended attribute that announces a fragment and is not full, or whose last fragment is missing (R68).
    Fragments,
}

/// One attribute with its meaning.
#[derive(Debug, Clone, Copy)]
pub struct Decoded<'a> {
    /// Which attribute it is.
    pub id: Id,
    /// The tag of a tagged attribute, 1 to 31.
    pub tag: Option<u8>,
    entry: Option<&'static Entry>,
    value: Joined<'a>,
    fault: Option<Fault>,
}

impl<'a> Decoded<'a> {
    /// The value without its tag; `None` if there is a [`fault`](Decoded::fault), so that nobody reads it as its type.
    #[inline]
    pub fn value(&self) -> Option<Joined<'a>> {
        self.fault.is_none().then_some(self.value)
    }

    /// The value if it is sound and in one piece, as all but long extended ones are.
    #[inline]
    pub fn octets(&self) -> Option<&'a [u8]> {
        self.value()?.as_slice()
    }

    /// The octets whatever is wrong with them: for showing.
    pub fn raw(&self) -> Joined<'a> {
        self.value
    }

    /// What is wrong with it.
    #[inline]
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// What the dictionary knows about it.
    #[inline]
    pub fn entry(&self) -> Option<&'static Entry> {
        self.entry
    }

    /// Its name, if the dictionary has it.
    pub fn name(&self) -> Option<&'static str> {
        self.entry.map(|entry| entry.name)
    }

    /// The value of an integer, enumeration or time.
    #[inline]
    pub fn integer(&self) -> Option<u64> {
        use Type::{Integer, Integer64, TaggedInteger, Time};
        let (Integer | Integer64 | TaggedInteger | Time) = self.entry?.kind else { return None };
        // The lengths that these types have.
        match *self.octets()? {
            [a, b, c, d] => Some(u32::from_be_bytes([a, b, c, d]).into()),
            [b, c, d] => Some(u32::from_be_bytes([0, b, c, d]).into()),
            ref octets => octets.try_into().ok().map(u64::from_be_bytes),
        }
    }

    /// The value of an address.
    pub fn address(&self) -> Option<IpAddr> {
        let octets = self.octets()?;
        match self.entry?.kind {
            Type::Ipv4 => <[u8; 4]>::try_from(octets).ok().map(|octets| Ipv4Addr::from(octets).into()),
            Type::Ipv6 => <[u8; 16]>::try_from(octets).ok().map(|octets| Ipv6Addr::from(octets).into()),
            _ => None,
        }
    }

    /// The value of an IPv6 prefix: address with zeros behind the prefix, and length 0 to 128.
    pub fn prefix(&self) -> Option<(Ipv6Addr, u8)> {
        match self.entry?.kind {
            Type::Ipv6Prefix => prefix(self.octets()?),
            _ => None,
        }
    }

    /// The value for people; see [`Rendered`].
    pub fn render(&self) -> Rendered<'a> {
        Rendered(*self)
    }

    fn faulty(id: Id, value: Joined<'a>, fault: Fault) -> Decoded<'a> {
        Decoded { id, tag: None, entry: dictionary::lookup(id), value, fault: Some(fault) }
    }

    /// With what the dictionary has of it. Inlined, so that it is written where it is read: a call for each attribute
    /// would write it twice.
    #[inline(always)]
    fn new(id: Id, entry: Option<&'static Entry>, value: Joined<'a>) -> Decoded<'a> {
        let (mut tag, mut untagged, mut fault) = (None, value, None);
        if value.is_empty() && id != Id::Standard(kind::CHARGEABLE_USER_IDENTITY) {
            fault = Some(Fault::Empty);
        } else if let (Some(entry), Some(octets)) = (entry, value.as_slice()) {
            match checked(entry, octets) {
                Ok((of_value, octets)) => (tag, untagged) = (of_value, Joined::one(octets)),
                Err(wrong) => fault = Some(wrong),
            }
        }
        Decoded { id, tag, entry, value: untagged, fault }
    }
}

/// Checks the octets against the attribute's type and cuts the tag off.
#[inline(always)]
fn checked<'a>(entry: &Entry, octets: &'a [u8]) -> Result<(Option<u8>, &'a [u8]), Fault> {
    if !entry.may_have(octets.len()) {
        return Err(Fault::Length);
    }
    match entry.kind {
        Type::TaggedText | Type::TaggedInteger => untagged(entry.kind, octets),
        Type::Ipv6Prefix if prefix(octets).is_none() => Err(Fault::Prefix),
        _ => Ok((None, octets)),
    }
}

/// The tag, unless it is 0, and what is behind it.
fn untagged(kind: Type, octets: &[u8]) -> Result<(Option<u8>, &[u8]), Fault> {
    match octets {
        [tag] if *tag <= 0x1F && kind == Type::TaggedText => Err(Fault::Empty),
        &[tag, ref behind @ ..] if tag <= 0x1F => Ok(((tag != 0).then_some(tag), behind)),
        _ if kind == Type::TaggedInteger => Err(Fault::Tag),
        _ => Ok((None, octets)),
    }
}

/// Reserved octet (ignored), length, octets of the prefix; those not sent are zero (RFC 3162 section 2.3).
fn prefix(octets: &[u8]) -> Option<(Ipv6Addr, u8)> {
    let &[_, length, ref sent @ ..] = octets else { return None };
    if length > 128 || sent.len() > 16 || usize::from(length).div_ceil(8) > sent.len() {
        return None;
    }
    let mut address = [0; 16];
    address[..sent.len()].copy_from_slice(sent);
    let address = u128::from_be_bytes(address);
    let host_bits = u128::MAX.checked_shr(u32::from(length)).unwrap_or(0);
    (address & host_bits == 0).then_some((Ipv6Addr::from(address), length))
}

/// The attributes of a request with their meaning, in the order of the wire (a fragmented one where its first fragment
/// stands). Yields faulty ones too. Takes time linear in the request's length.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    attributes: Attributes<'a>,
    /// What is left of the Vendor-Specific attribute in hand.
    sub_attributes: &'a [u8],
    enterprise: Enterprise,
    runs: Runs,
}

/// Whose Vendor-Specific attribute it is. Mostly one enterprise's attributes follow one another: it is looked up once.
#[derive(Debug, Clone, Copy)]
struct Enterprise {
    number: u32,
    entries: &'static [Entry],
    /// Its sub-attributes have type and length as everybody's.
    is_usual: bool,
}

impl Enterprise {
    fn new(number: u32) -> Enterprise {
        Enterprise {
            number,
            entries: dictionary::vendor(number).map_or(&[], |vendor| vendor.attributes),
            is_usual: !NOT_SUB_ATTRIBUTES.contains(&number),
        }
    }
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(attributes: Attributes<'a>) -> Decoder<'a> {
        // Nobody's number until an attribute gives one.
        let enterprise = Enterprise { number: 0, entries: &[], is_usual: true };
        Decoder { attributes, sub_attributes: &[], enterprise, runs: Runs::default() }
    }

    /// One that is more than a type and a value. `None` if what there is to see comes with the next: sub-attributes, or
    /// what stands behind a fragment that was joined to an earlier one.
    #[inline(never)]
    fn composed(&mut self, Attribute { kind, value }: Attribute<'a>) -> Option<Decoded<'a>> {
        match (kind, value) {
            (kind::VENDOR_SPECIFIC, _) => self.vendor_specific(value),
            (245..=246, _) => self.long_extended(kind, value),
            (_, &[extended, ref value @ ..]) if !value.is_empty() => {
                Some(extended_value(kind, extended, Joined::one(value)))
            }
            _ => Some(Decoded::faulty(Id::Standard(kind), Joined::one(value), Fault::Length)),
        }
    }

    /// `None` if there are sub-attributes now.
    fn vendor_specific(&mut self, value: &'a [u8]) -> Option<Decoded<'a>> {
        let whole = Id::Standard(kind::VENDOR_SPECIFIC);
        let Some((&number, content)) = value.split_first_chunk::<4>().filter(|(_, rest)| !rest.is_empty())
        else {
            return Some(Decoded::faulty(whole, Joined::one(value), Fault::Length));
        };
        if number[0] != 0 {
            return Some(Decoded::faulty(whole, Joined::one(value), Fault::VendorId));
        }
        let number = u32::from_be_bytes(number);
        if number != self.enterprise.number {
            self.enterprise = Enterprise::new(number);
        }
        if self.enterprise.is_usual && are_sub_attributes(content) {
            self.sub_attributes = content;
            return None;
        }
        Some(Decoded::new(Id::OpaqueVendor { vendor: number }, None, Joined::one(content)))
    }

    #[inline]
    fn sub_attribute(&mut self) -> Option<Decoded<'a>> {
        let &[kind, length, ..] = self.sub_attributes else { return None };
        let (sub_attribute, rest) = self.sub_attributes.split_at_checked(usize::from(length))?;
        self.sub_attributes = rest;
        let Enterprise { number: vendor, entries, .. } = self.enterprise;
        let value = Joined::one(sub_attribute.get(2..)?);
        Some(Decoded::new(Id::Vendor { vendor, kind }, dictionary::among(entries, kind), value))
    }

    /// `None` for a fragment that was joined to an earlier one.
    fn long_extended(&mut self, kind: u8, value: &'a [u8]) -> Option<Decoded<'a>> {
        let Some(fragment) = Fragment::of(kind, value) else {
            return Some(Decoded::faulty(Id::Standard(kind), Joined::one(value), Fault::Length));
        };
        let id = Id::Extended { kind, extended: fragment.extended };
        let state = self.runs.of(kind, fragment.extended);
        if !fragment.more {
            self.runs.set(kind, fragment.extended, Run::None);
        }
        match state {
            Run::Joined => return None,
            Run::Broken => return Some(Decoded::faulty(id, Joined::one(fragment.value), Fault::Fragments)),
            Run::None if !fragment.more => {
                return Some(extended_value(kind, fragment.extended, Joined::one(fragment.value)));
            }
            Run::None => {}
        }
        if self.ends(&fragment, kind) {
            self.runs.set(kind, fragment.extended, Run::Joined);
            Some(extended_value(
                kind,
                fragment.extended,
                Joined::fragmented(fragment.value, self.attributes, kind, fragment.extended),
            ))
        } else {
            self.runs.set(kind, fragment.extended, Run::Broken);
            Some(Decoded::faulty(id, Joined::one(fragment.value), Fault::Fragments))
        }
    }

    /// Whether the set that begins with `first` is full up to its last fragment. Looks ahead only for full first
    /// fragments, of which a request holds 16 at most: that keeps the whole linear.
    fn ends(&self, first: &Fragment<'a>, kind: u8) -> bool {
        first.is_full()
            && self
                .attributes
                .filter_map(|a| if a.kind == kind { Fragment::of(a.kind, a.value) } else { None })
                .filter(|fragment| fragment.extended == first.extended)
                .find(|fragment| !fragment.more || !fragment.is_full())
                .is_some_and(|fragment| !fragment.more)
    }
}

impl<'a> Iterator for Decoder<'a> {
    type Item = Decoded<'a>;

    // Inlined for whoever walks all requests there are: an attribute is large to hand over.
    #[inline(always)]
    fn next(&mut self) -> Option<Decoded<'a>> {
        loop {
            if let Some(decoded) = self.sub_attribute() {
                return Some(decoded);
            }
            let attribute = self.attributes.next()?;
            let Attribute { kind, value } = attribute;
            if !matches!(kind, kind::VENDOR_SPECIFIC | 241..=246) {
                return Some(Decoded::new(
                    Id::Standard(kind),
                    dictionary::standard(kind),
                    Joined::one(value),
                ));
            }
            if let Some(decoded) = self.composed(attribute) {
                return Some(decoded);
            }
        }
    }
}

impl FusedIterator for Decoder<'_> {}

/// An extended attribute, or with Extended-Type 26 an extended Vendor-Specific one (R69).
fn extended_value<'a>(kind: u8, extended: u8, value: Joined<'a>) -> Decoded<'a> {
    let id = Id::Extended { kind, extended };
    if extended != kind::VENDOR_SPECIFIC {
        return Decoded::new(id, dictionary::lookup(id), value);
    }
    // The header lies in the first fragment: one that has followers is full.
    match value.split_header() {
        Some(([0, b, c, d, vendor_kind], value)) if !value.is_empty() => {
            let vendor = u32::from_be_bytes([0, b, c, d]);
            Decoded::new(Id::ExtendedVendor { kind, vendor, vendor_kind }, None, value)
        }
        Some(([high, ..], _)) if high != 0 => Decoded::faulty(id, value, Fault::VendorId),
        _ => Decoded::faulty(id, value, Fault::Length),
    }
}

/// Vendors whose sub-attributes have other type or length fields (USR, Lucent, Starent, WiMAX): read as the usual ones
/// they would come out as nonsense.
const NOT_SUB_ATTRIBUTES: [u32; 4] = [429, 4846, 8164, 24757];

/// Whether type, length and value fill the content exactly; empty values are allowed (R21).
fn are_sub_attributes(mut content: &[u8]) -> bool {
    while let &[_, length, ..] = content {
        match content.split_at_checked(usize::from(length)) {
            Some((_, rest)) if length >= 2 => content = rest,
            _ => return false,
        }
    }
    content.is_empty()
}
