//! Attributes: as they stand on the wire ([`Attributes`]), and what they say once vendors, extensions, fragments and
//! tags are resolved.

mod decoded;
mod fragments;
pub mod kind;
pub mod tlv;

pub use decoded::{Decoded, Decoder, Fault, Id};
pub use fragments::{Fragments, Joined};

use core::iter::FusedIterator;
use core::ops::Range;

use crate::packet::Malformed;

/// One attribute as it stands on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// The Type field, 1 to 255.
    pub kind: u8,
    /// The value, 0 to 253 octets. No terminator; NUL octets are data (R17).
    pub value: &'a [u8],
}

/// The attributes of a request in the order of the wire.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Only for octets that [`Request`](crate::Request) has validated; over anything else it would end early.
    pub(crate) fn new(octets: &'a [u8]) -> Attributes<'a> {
        Attributes { rest: octets }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    #[inline]
    fn next(&mut self) -> Option<Attribute<'a>> {
        let &[kind, length, ..] = self.rest else { return None };
        let (attribute, rest) = self.rest.split_at_checked(usize::from(length))?;
        let value = attribute.get(2..)?;
        self.rest = rest;
        Some(Attribute { kind, value })
    }
}

impl FusedIterator for Attributes<'_> {}

/// Where the value of the attribute that begins at `offset` lies; `offset` must be below the end (R11).
pub(crate) fn value_range(octets: &[u8], offset: usize) -> Result<Range<usize>, Malformed> {
    let &[_, length, ..] = &octets[offset..] else { return Err(Malformed::LeftOverOctet) };
    let length = usize::from(length);
    if length < 2 {
        return Err(Malformed::AttributeLengthTooSmall);
    }
    let end = offset + length;
    if end > octets.len() {
        return Err(Malformed::AttributeOverrun);
    }
    Ok(offset + 2..end)
}
