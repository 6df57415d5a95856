//! What user space tells the steer program.

use core::mem::offset_of;

use crate::meta::{field, put};

/// The one entry of the map [`maps::CONFIG`](crate::maps::CONFIG).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Config {
    /// Shortest time between two samples of unknown sources that are passed up, nanoseconds, over all CPUs; 0: none
    /// is passed up.
    pub sample_interval_ns: u64,
    /// 0: every packet goes to the kernel's stack untouched.
    pub armed: u32,
    /// Longest frame in octets that fits a UMEM frame behind its headroom; a longer one goes to the kernel's stack.
    pub frame_length_max: u32,
}

impl Config {
    /// Octets of the map's value.
    pub const LENGTH: usize = size_of::<Config>();

    /// The map's value.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Config::LENGTH] {
        let mut bytes = [0; Config::LENGTH];
        put(&mut bytes, offset_of!(Config, sample_interval_ns), &self.sample_interval_ns.to_ne_bytes());
        put(&mut bytes, offset_of!(Config, armed), &self.armed.to_ne_bytes());
        put(&mut bytes, offset_of!(Config, frame_length_max), &self.frame_length_max.to_ne_bytes());
        bytes
    }

    /// The configuration in a map's value.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Config::LENGTH]) -> Config {
        Config {
            sample_interval_ns: u64::from_ne_bytes(field(bytes, offset_of!(Config, sample_interval_ns))),
            armed: u32::from_ne_bytes(field(bytes, offset_of!(Config, armed))),
            frame_length_max: u32::from_ne_bytes(field(bytes, offset_of!(Config, frame_length_max))),
        }
    }
}

/// Key of [`maps::LOCAL_V4`](crate::maps::LOCAL_V4): an address of this host with a port that we listen on there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct LocalV4 {
    /// As in the IP header.
    pub address: [u8; 4],
    /// As in the UDP header (network order).
    pub port: [u8; 2],
    /// Zero: hash maps compare every octet of a key.
    pub zero: [u8; 2],
}

impl LocalV4 {
    /// Octets of the key.
    pub const LENGTH: usize = size_of::<LocalV4>();

    /// The key for an address and a port.
    #[must_use]
    pub const fn new(address: [u8; 4], port: [u8; 2]) -> LocalV4 {
        LocalV4 { address, port, zero: [0; 2] }
    }

    /// The map's key.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; LocalV4::LENGTH] {
        let mut bytes = [0; LocalV4::LENGTH];
        put(&mut bytes, offset_of!(LocalV4, address), &self.address);
        put(&mut bytes, offset_of!(LocalV4, port), &self.port);
        bytes
    }
}

/// Key of [`maps::LOCAL_V6`](crate::maps::LOCAL_V6): an address of this host with a port that we listen on there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct LocalV6 {
    /// As in the IP header.
    pub address: [u8; 16],
    /// As in the UDP header (network order).
    pub port: [u8; 2],
    /// Zero: hash maps compare every octet of a key.
    pub zero: [u8; 2],
}

impl LocalV6 {
    /// Octets of the key.
    pub const LENGTH: usize = size_of::<LocalV6>();

    /// The key for an address and a port.
    #[must_use]
    pub const fn new(address: [u8; 16], port: [u8; 2]) -> LocalV6 {
        LocalV6 { address, port, zero: [0; 2] }
    }

    /// The map's key.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; LocalV6::LENGTH] {
        let mut bytes = [0; LocalV6::LENGTH];
        put(&mut bytes, offset_of!(LocalV6, address), &self.address);
        put(&mut bytes, offset_of!(LocalV6, port), &self.port);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_survives_its_bytes() {
        let config = Config { sample_interval_ns: 1 << 40, armed: 1, frame_length_max: 1792 };
        assert_eq!(Config::from_bytes(&config.to_bytes()), config);
        assert_eq!(Config::LENGTH, 16);
    }

    #[test]
    fn keys_have_no_padding_that_could_differ() {
        assert_eq!(LocalV4::new([10, 0, 0, 1], [7, 21]).to_bytes(), [10, 0, 0, 1, 7, 21, 0, 0]);
        assert_eq!(LocalV6::new([9; 16], [7, 21]).to_bytes()[14..], [9, 9, 7, 21, 0, 0]);
    }
}
