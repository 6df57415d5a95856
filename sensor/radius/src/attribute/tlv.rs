//! TLVs: attributes inside an attribute's value, nested to a bounded depth (RFC 6929 section 2.3).

/// Deepest nesting that [`leaves`] opens; a container below that is handed out whole. RFC 6929 knows no limit; no
/// attribute defined so far goes beyond four.
pub const MAX_DEPTH: usize = 8;

/// A TLV that holds a value and no further TLVs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf<'a> {
    path: [u8; MAX_DEPTH],
    depth: usize,
    /// The value, at least one octet.
    pub value: &'a [u8],
}

impl Leaf<'_> {
    /// The TLV types from the outermost to this one; 1 to [`MAX_DEPTH`] of them.
    pub fn path(&self) -> &[u8] {
        &self.path[..self.depth]
    }
}

/// The innermost TLVs of a container's value, in order, or `None` if TLVs do not fill it exactly.
///
/// `is_container` says, for the path of a TLV, whether it holds TLVs itself. One that should and does not is handed out
/// whole, as a value of no known type, and makes nothing around it invalid (R69).
pub fn leaves<F: FnMut(&[u8]) -> bool>(container: &[u8], is_container: F) -> Option<Leaves<'_, F>> {
    are_sound(container).then_some(Leaves {
        levels: [container, &[], &[], &[], &[], &[], &[], &[]],
        path: [0; MAX_DEPTH],
        depth: 1,
        is_container,
    })
}

/// See [`leaves`].
#[derive(Debug, Clone)]
pub struct Leaves<'a, F> {
    /// What is left at each level; `depth` of them are in use, 0 when done.
    levels: [&'a [u8]; MAX_DEPTH],
    path: [u8; MAX_DEPTH],
    depth: usize,
    is_container: F,
}

impl<'a, F: FnMut(&[u8]) -> bool> Iterator for Leaves<'a, F> {
    type Item = Leaf<'a>;

    fn next(&mut self) -> Option<Leaf<'a>> {
        while let Some(level) = self.depth.checked_sub(1) {
            let Some((kind, value, rest)) = split(self.levels[level]) else {
                self.depth -= 1;
                continue;
            };
            self.levels[level] = rest;
            self.path[level] = kind;
            if self.depth < MAX_DEPTH && (self.is_container)(&self.path[..self.depth]) && are_sound(value) {
                self.levels[self.depth] = value;
                self.depth += 1;
                continue;
            }
            return Some(Leaf { path: self.path, depth: self.depth, value });
        }
        None
    }
}

/// Cuts the first TLV off: type, value, what is behind.
fn split(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let &[kind, length, ..] = octets else { return None };
    let (tlv, rest) = octets.split_at_checked(usize::from(length))?;
    match tlv.get(2..) {
        Some(value) if !value.is_empty() && kind != 0 => Some((kind, value, rest)),
        _ => None,
    }
}

fn are_sound(mut octets: &[u8]) -> bool {
    if octets.is_empty() {
        return false;
    }
    while let Some((_, _, rest)) = split(octets) {
        octets = rest;
    }
    octets.is_empty()
}
