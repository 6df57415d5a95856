//! Frames to feed the program with.

use std::net::{Ipv4Addr, Ipv6Addr};

use etherparse::PacketBuilder;

pub(crate) const V4_SOURCE: [u8; 4] = [10, 1, 2, 3];
pub(crate) const V4_LOCAL: [u8; 4] = [192, 0, 2, 1];

pub(crate) fn v6(text: &str) -> [u8; 16] {
    text.parse::<Ipv6Addr>().unwrap().octets()
}

pub(crate) fn v4(text: &str) -> [u8; 4] {
    text.parse::<Ipv4Addr>().unwrap().octets()
}

pub(crate) fn udp4(source: [u8; 4], destination: [u8; 4], port: u16, payload: usize) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4(source, destination, 64)
        .udp(40_000, port);
    finish(builder, payload)
}

pub(crate) fn udp6(source: [u8; 16], destination: [u8; 16], port: u16, payload: usize) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv6(source, destination, 64)
        .udp(40_000, port);
    finish(builder, payload)
}

fn finish(builder: etherparse::PacketBuilderStep<etherparse::UdpHeader>, payload: usize) -> Vec<u8> {
    let mut frame = Vec::new();
    builder.write(&mut frame, &vec![0xA5; payload]).unwrap();
    frame
}

/// A datagram of a known client for us, over IPv4.
pub(crate) fn ours4() -> Vec<u8> {
    udp4(V4_SOURCE, V4_LOCAL, 1813, 100)
}

/// The same over IPv6.
pub(crate) fn ours6() -> Vec<u8> {
    udp6(v6("2001:db8::99"), v6("2001:db8::1"), 1813, 100)
}

/// The frame with VLAN tags of these ethertypes, the first outermost.
pub(crate) fn tagged(mut frame: Vec<u8>, tags: &[u16]) -> Vec<u8> {
    for (index, tag) in tags.iter().enumerate() {
        let at = 12 + 4 * index;
        let [high, low] = tag.to_be_bytes();
        frame.splice(at..at, [high, low, 0x20, index as u8 + 1]);
    }
    frame
}
