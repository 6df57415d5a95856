//! What is remembered of a source that no client holds.

use core::mem::offset_of;

use crate::meta::field;

/// Value of the map [`maps::UNKNOWN`](crate::maps::UNKNOWN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct UnknownSource {
    /// Datagrams from the address since it was first remembered.
    pub count: u64,
    /// When the last one came: nanoseconds of `CLOCK_MONOTONIC`.
    pub last_ns: u64,
    /// The last one's UDP source port, as in its header (network order).
    pub last_port: [u8; 2],
    /// The UDP port of ours that it was sent to, as in its header (network order).
    pub our_port: [u8; 2],
    /// Fills the last word.
    pub zero: u32,
}

impl UnknownSource {
    /// Octets of the map's value.
    pub const LENGTH: usize = size_of::<UnknownSource>();

    /// The source in a map's value.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; UnknownSource::LENGTH]) -> UnknownSource {
        UnknownSource {
            count: u64::from_ne_bytes(field(bytes, offset_of!(UnknownSource, count))),
            last_ns: u64::from_ne_bytes(field(bytes, offset_of!(UnknownSource, last_ns))),
            last_port: field(bytes, offset_of!(UnknownSource, last_port)),
            our_port: field(bytes, offset_of!(UnknownSource, our_port)),
            zero: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_read_field_by_field() {
        let mut bytes = [0; UnknownSource::LENGTH];
        bytes[..8].copy_from_slice(&7u64.to_ne_bytes());
        bytes[8..16].copy_from_slice(&9u64.to_ne_bytes());
        bytes[16..20].copy_from_slice(&[1, 2, 7, 21]);
        let source = UnknownSource::from_bytes(&bytes);
        assert_eq!((source.count, source.last_ns), (7, 9));
        assert_eq!((source.last_port, source.our_port), ([1, 2], [7, 21]));
    }
}
