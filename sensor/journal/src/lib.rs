//! The journal: segments, group commit, watermark, recovery, cursors, retention.
#![forbid(unsafe_code)]

/// The way by which a request reached the sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CapturePath {
    /// Off the NIC through AF_XDP.
    Xdp = 1,
    /// Through a kernel UDP socket.
    Udp = 2,
    /// From a capture file.
    Pcap = 3,
}
