//! Writes datagrams into a pcap file that every reader of captures understands: raw IP, nanoseconds.

use std::{
    io::{self, Write},
    net::SocketAddr,
};

use etherparse::PacketBuilder;

/// pcap's magic number for nanosecond times, in our byte order.
const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
const LINK_RAW_IP: u32 = 101;
const SNAP_LENGTH: u32 = 262_144;

/// A pcap file being written.
#[derive(Debug)]
pub struct PcapWriter<W: Write> {
    out: W,
    packet: Vec<u8>,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file header.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&MAGIC_NANOSECONDS.to_le_bytes())?;
        out.write_all(&2u16.to_le_bytes())?;
        out.write_all(&4u16.to_le_bytes())?;
        out.write_all(&[0; 8])?;
        out.write_all(&SNAP_LENGTH.to_le_bytes())?;
        out.write_all(&LINK_RAW_IP.to_le_bytes())?;
        Ok(Self { out, packet: Vec::new() })
    }

    /// Appends one UDP datagram. Both addresses must be of one family (`InvalidInput` otherwise, and for a payload
    /// that does not fit into an IP packet).
    pub fn datagram(
        &mut self,
        unix_ns: u64,
        source: SocketAddr,
        destination: SocketAddr,
        payload: &[u8],
    ) -> io::Result<()> {
        let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidInput, error);
        let builder = match (source, destination) {
            (SocketAddr::V4(from), SocketAddr::V4(to)) => {
                PacketBuilder::ipv4(from.ip().octets(), to.ip().octets(), 64)
            }
            (SocketAddr::V6(from), SocketAddr::V6(to)) => {
                PacketBuilder::ipv6(from.ip().octets(), to.ip().octets(), 64)
            }
            _ => return Err(invalid(format!("{source} and {destination} are of two families"))),
        };
        self.packet.clear();
        builder
            .udp(source.port(), destination.port())
            .write(&mut self.packet, payload)
            .map_err(|error| invalid(error.to_string()))?;
        let length = u32::try_from(self.packet.len()).map_err(|error| invalid(error.to_string()))?;
        let seconds = u32::try_from(unix_ns / 1_000_000_000).unwrap_or(u32::MAX);
        let nanoseconds = (unix_ns % 1_000_000_000) as u32;
        for field in [seconds, nanoseconds, length, length] {
            self.out.write_all(&field.to_le_bytes())?;
        }
        self.out.write_all(&self.packet)
    }

    /// Flushes and gives the writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}
