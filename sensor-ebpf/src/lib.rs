//! What the steer program and the sensor must agree on: the metadata in front of each steered packet, the maps'
//! names and layouts, and the steer program's verdicts.
//!
//! Used by the steer program (`src/main.rs`, built for the kernel) and by `ingest::capture`; nothing else reads it.
//! Both run on one host, so that multi-byte fields are in host order, except where a field says otherwise. The
//! kernel side uses the structures as they lie; user space goes through the `from_bytes` and `to_bytes` of each, so
//! that it needs no unsafe code to read a map.
#![no_std]
#![forbid(unsafe_code)]

mod config;
mod meta;
#[cfg(not(target_arch = "bpf"))]
mod object;
mod unknown;
mod verdict;

pub use config::{Config, LocalV4, LocalV6};
pub use meta::{Flags, Meta};
#[cfg(not(target_arch = "bpf"))]
pub use object::OBJECT;
pub use unknown::UnknownSource;
pub use verdict::{Action, Verdict};

/// Names of the programs in the object: the same code for NICs that keep a packet in one buffer, and for MTUs at
/// which a driver wants a program that knows of fragments (`BPF_F_XDP_HAS_FRAGS`).
pub mod programs {
    /// Section `xdp`: a packet is one buffer.
    pub const STEER: &str = "steer";
    /// Section `xdp.frags`: a packet may span buffers; such a packet goes to the kernel's stack.
    pub const STEER_FRAGS: &str = "steer_frags";
}

/// Names of the maps in the object.
pub mod maps {
    /// Array of one [`Config`](crate::Config).
    pub const CONFIG: &str = "CONFIG";
    /// Array of [`PORT_WORDS`](crate::PORT_WORDS) 64-bit words: one bit for each UDP port.
    pub const PORTS: &str = "PORTS";
    /// Hash of [`LocalV4`](crate::LocalV4) to `u32` (unused): the IPv4 addresses and ports that are ours.
    pub const LOCAL_V4: &str = "LOCAL_V4";
    /// Hash of [`LocalV6`](crate::LocalV6) to `u32` (unused): the IPv6 addresses and ports that are ours.
    pub const LOCAL_V6: &str = "LOCAL_V6";
    /// Longest-prefix trie of the clients' IPv4 prefixes to the client's index (`u32`).
    pub const CLIENTS_V4: &str = "CLIENTS_V4";
    /// Longest-prefix trie of the clients' IPv6 prefixes to the client's index (`u32`).
    pub const CLIENTS_V6: &str = "CLIENTS_V6";
    /// LRU hash of an address (16 octets, IPv4 mapped as in RFC 4291 section 2.5.5.2) to
    /// [`UnknownSource`](crate::UnknownSource): who was refused lately.
    pub const UNKNOWN: &str = "UNKNOWN";
    /// Array of one `u64`: when the last unknown source was sampled (`bpf_ktime_get_ns`), over all CPUs.
    pub const SAMPLED: &str = "SAMPLED";
    /// The AF_XDP sockets by receive queue.
    pub const XSKS: &str = "XSKS";
    /// Per-CPU array of `u64` packet counts, by [`Verdict`](crate::Verdict).
    pub const VERDICTS: &str = "VERDICTS";
}

/// Entries of the array map [`maps::PORTS`]: bit `port % 64` of word `port / 64` says that the port is ours.
pub const PORT_WORDS: u32 = 65_536 / 64;

/// Unknown sources remembered at most; the least recently seen leaves first.
pub const UNKNOWN_SOURCES: u32 = 1024;
