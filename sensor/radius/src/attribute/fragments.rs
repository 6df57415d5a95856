//! A value that may lie in several attributes of one request (RFC 6929 section 2.2), joined without copying.

use super::Attributes;
use crate::BufferTooSmall;

/// A value: one slice, or several fragments of a long extended attribute in order.
#[derive(Debug, Clone, Copy)]
pub struct Joined<'a> {
    first: &'a [u8],
    /// The attributes behind the first fragment, as long as fragments are to be expected among them.
    more: Option<(Attributes<'a>, u8, u8)>,
}

impl<'a> Joined<'a> {
    #[inline]
    pub(super) fn one(value: &'a [u8]) -> Joined<'a> {
        Joined { first: value, more: None }
    }

    /// `behind` are the attributes behind the first fragment; the set is known to end.
    pub(super) fn fragmented(first: &'a [u8], behind: Attributes<'a>, kind: u8, extended: u8) -> Joined<'a> {
        Joined { first, more: Some((behind, kind, extended)) }
    }

    /// The value if it lies in one piece, as all but long extended ones do.
    #[inline]
    pub fn as_slice(&self) -> Option<&'a [u8]> {
        self.more.is_none().then_some(self.first)
    }

    /// Cuts off the header of an extended Vendor-Specific attribute, which lies in the first piece.
    pub(super) fn split_header(&self) -> Option<([u8; 5], Joined<'a>)> {
        let (header, first) = self.first.split_first_chunk()?;
        Some((*header, Joined { first, more: self.more }))
    }

    /// The pieces in order.
    pub fn fragments(&self) -> Fragments<'a> {
        Fragments { first: Some(self.first), more: self.more }
    }

    /// Octets of all pieces together; below 4096.
    pub fn len(&self) -> usize {
        self.fragments().map(<[u8]>::len).sum()
    }

    /// Whether there is not one octet.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first.is_empty() && (self.more.is_none() || self.fragments().all(<[u8]>::is_empty))
    }

    /// Copies all pieces into the beginning of `out`, which 4096 octets always suffice for, and returns the part
    /// written.
    pub fn copy_to<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
        let needed = self.len();
        let out = out.get_mut(..needed).ok_or(BufferTooSmall { needed })?;
        let mut offset = 0;
        for fragment in self.fragments() {
            out[offset..offset + fragment.len()].copy_from_slice(fragment);
            offset += fragment.len();
        }
        Ok(out)
    }
}

/// The pieces of a [`Joined`] value.
#[derive(Debug, Clone)]
pub struct Fragments<'a> {
    first: Option<&'a [u8]>,
    more: Option<(Attributes<'a>, u8, u8)>,
}

impl<'a> Iterator for Fragments<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        let (attributes, kind, extended) = self.more.as_mut()?;
        let (kind, extended) = (*kind, *extended);
        for attribute in attributes.by_ref() {
            if let Some(fragment) = Fragment::of(attribute.kind, attribute.value)
                && (attribute.kind, fragment.extended) == (kind, extended)
            {
                if !fragment.more {
                    self.more = None;
                }
                return Some(fragment.value);
            }
        }
        self.more = None;
        None
    }
}

/// One long extended attribute, taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment<'a> {
    pub(super) extended: u8,
    /// The M flag. The other seven bits are ignored (R67).
    pub(super) more: bool,
    pub(super) value: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// `None` for other types and for those too short to hold a value.
    pub(super) fn of(kind: u8, value: &'a [u8]) -> Option<Fragment<'a>> {
        match (kind, value) {
            (245 | 246, &[extended, flags, ref value @ ..]) if !value.is_empty() => {
                Some(Fragment { extended, more: flags & 0x80 != 0, value })
            }
            _ => None,
        }
    }

    /// Whether the length is what a fragment with more to come must have: the attribute is full (R68).
    pub(super) fn is_full(&self) -> bool {
        self.value.len() == 251
    }
}

/// Where each long extended type stands in its set of fragments: a bit a type, since every request begins with none and
/// hardly any comes to have one.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs {
    joined: [[u64; 4]; 2],
    broken: [[u64; 4]; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    /// The next one begins a set.
    None,
    /// The next one was joined to the set's first.
    Joined,
    /// The next one belongs to a set that never becomes whole.
    Broken,
}

impl Runs {
    pub(super) fn of(&self, kind: u8, extended: u8) -> Run {
        let (space, word, bit) = Runs::place(kind, extended);
        match (self.joined[space][word] & bit, self.broken[space][word] & bit) {
            (0, 0) => Run::None,
            (0, _) => Run::Broken,
            _ => Run::Joined,
        }
    }

    pub(super) fn set(&mut self, kind: u8, extended: u8, run: Run) {
        let (space, word, bit) = Runs::place(kind, extended);
        for (types, is_in) in [(&mut self.joined, run == Run::Joined), (&mut self.broken, run == Run::Broken)]
        {
            let types = &mut types[space][word];
            *types = if is_in { *types | bit } else { *types & !bit };
        }
    }

    fn place(kind: u8, extended: u8) -> (usize, usize, u64) {
        (usize::from(kind == 246), usize::from(extended / 64), 1 << (extended % 64))
    }
}
