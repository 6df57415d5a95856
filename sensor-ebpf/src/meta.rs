//! The metadata that lies directly in front of a steered packet.

use core::mem::offset_of;

/// Written by the steer program in front of each packet that it redirects: `bpf_xdp_adjust_meta` made the room, and
/// AF_XDP hands the packet over with it, so that user space finds it [`Meta::LENGTH`] octets before the packet.
///
/// A hint, not a promise: user space checks every offset against the packet that it really has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Meta {
    /// Arrival at the program, `bpf_ktime_get_ns`: nanoseconds of `CLOCK_MONOTONIC`.
    pub arrival_ns: u64,
    /// [`Meta::MAGIC`]; anything else means that a driver carried no metadata or another program wrote it.
    pub magic: u32,
    /// The client's index when the program looked, [`Meta::NO_CLIENT`] for the sample of an unknown source.
    pub client_index: u32,
    /// Octets of UDP payload.
    pub payload_length: u16,
    /// What kind of packet it is.
    pub flags: Flags,
    /// Octets from the packet's start to the IP header: 14, 18 or 22.
    pub l3_offset: u8,
    /// Octets from the packet's start to the UDP header.
    pub l4_offset: u8,
    /// Octets from the packet's start to the UDP payload.
    pub payload_offset: u8,
    /// VLAN tags in the frame: 0 to 2.
    pub vlan_tags: u8,
}

/// What kind of packet [`Meta`] describes: a set of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Flags(pub u16);

impl Flags {
    /// The packet is IPv6, otherwise IPv4.
    pub const IPV6: Flags = Flags(1);
    /// No client holds the source address: a sample to show, its verdict is `unknown_client`.
    pub const UNKNOWN: Flags = Flags(2);

    /// The bits of either.
    #[must_use]
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Meta {
    /// Octets of metadata: a multiple of 4, and at most 32 (what kernels before 6.12 accept).
    pub const LENGTH: usize = size_of::<Meta>();
    /// `VPN` and the layout's version.
    pub const MAGIC: u32 = u32::from_be_bytes(*b"VPN\x01");
    /// The index that no client has.
    pub const NO_CLIENT: u32 = u32::MAX;

    /// The metadata in the octets that lie before a packet, or `None` when they are not ours.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Meta::LENGTH]) -> Option<Meta> {
        let magic = u32::from_ne_bytes(field(bytes, offset_of!(Meta, magic)));
        if magic != Meta::MAGIC {
            return None;
        }
        Some(Meta {
            arrival_ns: u64::from_ne_bytes(field(bytes, offset_of!(Meta, arrival_ns))),
            magic,
            client_index: u32::from_ne_bytes(field(bytes, offset_of!(Meta, client_index))),
            payload_length: u16::from_ne_bytes(field(bytes, offset_of!(Meta, payload_length))),
            flags: Flags(u16::from_ne_bytes(field(bytes, offset_of!(Meta, flags)))),
            l3_offset: bytes[offset_of!(Meta, l3_offset)],
            l4_offset: bytes[offset_of!(Meta, l4_offset)],
            payload_offset: bytes[offset_of!(Meta, payload_offset)],
            vlan_tags: bytes[offset_of!(Meta, vlan_tags)],
        })
    }

    /// The octets as the steer program writes them: for tests of what reads them.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Meta::LENGTH] {
        let mut bytes = [0; Meta::LENGTH];
        put(&mut bytes, offset_of!(Meta, arrival_ns), &self.arrival_ns.to_ne_bytes());
        put(&mut bytes, offset_of!(Meta, magic), &self.magic.to_ne_bytes());
        put(&mut bytes, offset_of!(Meta, client_index), &self.client_index.to_ne_bytes());
        put(&mut bytes, offset_of!(Meta, payload_length), &self.payload_length.to_ne_bytes());
        put(&mut bytes, offset_of!(Meta, flags), &self.flags.0.to_ne_bytes());
        bytes[offset_of!(Meta, l3_offset)] = self.l3_offset;
        bytes[offset_of!(Meta, l4_offset)] = self.l4_offset;
        bytes[offset_of!(Meta, payload_offset)] = self.payload_offset;
        bytes[offset_of!(Meta, vlan_tags)] = self.vlan_tags;
        bytes
    }
}

const _: () = assert!(Meta::LENGTH.is_multiple_of(4) && Meta::LENGTH <= 32);

/// `N` octets of `bytes` at `offset`: offsets come from `offset_of!`, so that the copy is always whole.
pub(crate) fn field<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[offset..offset + N]);
    out
}

/// Writes a field at `offset`.
pub(crate) fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
    bytes[offset..offset + value.len()].copy_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_the_structure() {
        let meta = Meta {
            arrival_ns: 0x0102_0304_0506_0708,
            magic: Meta::MAGIC,
            client_index: 0x1112_1314,
            payload_length: 0x2122,
            flags: Flags::IPV6.with(Flags::UNKNOWN),
            l3_offset: 18,
            l4_offset: 58,
            payload_offset: 66,
            vlan_tags: 1,
        };
        let bytes = meta.to_bytes();
        assert_eq!(Meta::from_bytes(&bytes), Some(meta));
        assert_eq!(Meta::LENGTH, 24);
    }

    #[test]
    fn foreign_metadata_is_refused() {
        assert_eq!(Meta::from_bytes(&[0; Meta::LENGTH]), None);
        let mut bytes = Meta::from_bytes(&[0; Meta::LENGTH]).map_or([0xFF; Meta::LENGTH], |m| m.to_bytes());
        bytes[0] = 1;
        assert_eq!(Meta::from_bytes(&bytes), None);
    }
}
