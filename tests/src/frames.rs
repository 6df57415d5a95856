//! Ethernet frames that no ordinary socket sends: VLAN tags, fragments, IP options, lying lengths.

use std::net::SocketAddr;

use etherparse::{
    EtherType, Ethernet2Header, IpFragOffset, IpNumber, Ipv4Header, Ipv4Options, Ipv6FragmentHeader,
    Ipv6Header, SingleVlanHeader, SlicedPacket, TransportSlice, UdpHeader, VlanId,
};

/// UDP over IPv4 or IPv6 over Ethernet, with 0 to 2 VLAN tags: everything right unless a test changes it.
#[derive(Clone)]
pub struct Frame {
    /// Source and destination hardware address.
    pub mac: ([u8; 6], [u8; 6]),
    /// VLAN identifiers, outermost first.
    pub vlans: Vec<u16>,
    /// Source of the datagram.
    pub source: SocketAddr,
    /// Its destination, of the same family.
    pub destination: SocketAddr,
    /// IPv4 options, padded to a multiple of four octets.
    pub options: Vec<u8>,
    /// UDP payload.
    pub payload: Vec<u8>,
    /// What goes into the UDP header instead of the right length.
    pub udp_length: Option<u16>,
    /// What goes into the UDP header instead of the right checksum.
    pub udp_checksum: Option<u16>,
}

impl Frame {
    /// A frame from one host to another.
    pub fn new(
        mac: ([u8; 6], [u8; 6]),
        source: SocketAddr,
        destination: SocketAddr,
        payload: &[u8],
    ) -> Frame {
        Frame {
            mac,
            vlans: Vec::new(),
            source,
            destination,
            options: Vec::new(),
            payload: payload.to_vec(),
            udp_length: None,
            udp_checksum: None,
        }
    }

    /// The sum that a sender leaves in the UDP header for its device to complete: the pseudo-header's alone.
    pub fn partial_checksum(&self) -> u16 {
        let length = (UdpHeader::LEN + self.payload.len()) as u32;
        let octets: Vec<u8> = match (self.source, self.destination) {
            (SocketAddr::V4(source), SocketAddr::V4(destination)) => {
                [source.ip().octets(), destination.ip().octets()].concat()
            }
            (SocketAddr::V6(source), SocketAddr::V6(destination)) => {
                [source.ip().octets(), destination.ip().octets()].concat()
            }
            _ => panic!("addresses of two families"),
        };
        let mut sum = u32::from(IpNumber::UDP.0) + length;
        for pair in octets.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], pair[1]]));
        }
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }

    /// The whole frame.
    pub fn octets(&self) -> Vec<u8> {
        let datagram = self.datagram();
        let mut octets = self.link_header();
        match self.addresses() {
            Addresses::V4(source, destination) => {
                let mut header = self.ipv4_header(source, destination, datagram.len());
                header.header_checksum = header.calc_header_checksum();
                header.write(&mut octets).expect("write to memory");
            }
            Addresses::V6(source, destination) => {
                ipv6_header(source, destination, IpNumber::UDP, datagram.len())
                    .write(&mut octets)
                    .expect("write to memory");
            }
        }
        octets.extend_from_slice(&datagram);
        octets
    }

    /// The same datagram cut into IP fragments with up to `size` octets of it each, a multiple of eight.
    pub fn fragments(&self, size: usize) -> Vec<Vec<u8>> {
        assert!(size.is_multiple_of(8), "fragments begin at multiples of eight");
        const IDENTIFICATION: u16 = 0x1234;
        let datagram = self.datagram();
        let count = datagram.len().div_ceil(size);
        let pieces = datagram.chunks(size).enumerate();
        pieces
            .map(|(index, piece)| {
                let offset = IpFragOffset::try_new((index * size / 8) as u16).expect("a small offset");
                let more = index + 1 < count;
                let mut octets = self.link_header();
                match self.addresses() {
                    Addresses::V4(source, destination) => {
                        let mut header = self.ipv4_header(source, destination, piece.len());
                        header.identification = IDENTIFICATION;
                        header.dont_fragment = false;
                        header.more_fragments = more;
                        header.fragment_offset = offset;
                        header.header_checksum = header.calc_header_checksum();
                        header.write(&mut octets).expect("write to memory");
                    }
                    Addresses::V6(source, destination) => {
                        let fragment =
                            Ipv6FragmentHeader::new(IpNumber::UDP, offset, more, u32::from(IDENTIFICATION));
                        let length = Ipv6FragmentHeader::LEN + piece.len();
                        ipv6_header(source, destination, IpNumber::IPV6_FRAGMENTATION_HEADER, length)
                            .write(&mut octets)
                            .expect("write to memory");
                        fragment.write(&mut octets).expect("write to memory");
                    }
                }
                octets.extend_from_slice(piece);
                octets
            })
            .collect()
    }

    fn link_header(&self) -> Vec<u8> {
        let ip = if self.source.is_ipv4() { EtherType::IPV4 } else { EtherType::IPV6 };
        // 802.1ad outside 802.1Q when there are two.
        let types = match self.vlans.len() {
            0 => vec![ip],
            1 => vec![EtherType::VLAN_TAGGED_FRAME, ip],
            2 => vec![EtherType::PROVIDER_BRIDGING, EtherType::VLAN_TAGGED_FRAME, ip],
            count => panic!("{count} VLAN tags"),
        };
        let mut octets = Vec::new();
        Ethernet2Header { source: self.mac.0, destination: self.mac.1, ether_type: types[0] }
            .write(&mut octets)
            .expect("write to memory");
        for (&vlan, &ether_type) in self.vlans.iter().zip(&types[1..]) {
            let vlan_id = VlanId::try_new(vlan).expect("a VLAN identifier");
            SingleVlanHeader { vlan_id, ether_type, ..SingleVlanHeader::default() }
                .write(&mut octets)
                .expect("write to memory");
        }
        octets
    }

    fn ipv4_header(&self, source: [u8; 4], destination: [u8; 4], length: usize) -> Ipv4Header {
        let mut header =
            Ipv4Header::new(length as u16, 64, IpNumber::UDP, source, destination).expect("a short payload");
        header.options = Ipv4Options::try_from(&self.options[..]).expect("options of whole words");
        // The total length counts the options.
        header.set_payload_len(length).expect("a short payload");
        header
    }

    /// UDP header and payload.
    fn datagram(&self) -> Vec<u8> {
        let (source, destination) = (self.source.port(), self.destination.port());
        let mut header = match self.addresses() {
            Addresses::V4(from, to) => UdpHeader::with_ipv4_checksum(
                source,
                destination,
                &self.ipv4_header(from, to, 0),
                &self.payload,
            ),
            Addresses::V6(from, to) => UdpHeader::with_ipv6_checksum(
                source,
                destination,
                &ipv6_header(from, to, IpNumber::UDP, 0),
                &self.payload,
            ),
        }
        .expect("a short payload");
        header.length = self.udp_length.unwrap_or(header.length);
        header.checksum = self.udp_checksum.unwrap_or(header.checksum);
        [&header.to_bytes()[..], &self.payload].concat()
    }

    fn addresses(&self) -> Addresses {
        match (self.source, self.destination) {
            (SocketAddr::V4(source), SocketAddr::V4(destination)) => {
                Addresses::V4(source.ip().octets(), destination.ip().octets())
            }
            (SocketAddr::V6(source), SocketAddr::V6(destination)) => {
                Addresses::V6(source.ip().octets(), destination.ip().octets())
            }
            _ => panic!("addresses of two families"),
        }
    }
}

enum Addresses {
    V4([u8; 4], [u8; 4]),
    V6([u8; 16], [u8; 16]),
}

fn ipv6_header(source: [u8; 16], destination: [u8; 16], next_header: IpNumber, length: usize) -> Ipv6Header {
    Ipv6Header {
        payload_length: length as u16,
        next_header,
        hop_limit: 64,
        source,
        destination,
        ..Ipv6Header::default()
    }
}

/// What a captured frame carries, if it is UDP.
#[derive(Debug)]
pub struct Captured {
    /// VLAN identifiers, outermost first.
    pub vlans: Vec<u16>,
    /// UDP source port.
    pub source_port: u16,
    /// UDP destination port.
    pub destination_port: u16,
    /// UDP payload.
    pub payload: Vec<u8>,
    /// Whether IP header and UDP checksum are what they must be on the wire.
    pub checksums_right: bool,
}

/// Takes a captured frame apart; `None` if it is not UDP.
pub fn parse(frame: &[u8]) -> Option<Captured> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let Some(TransportSlice::Udp(udp)) = &packet.transport else { return None };
    let vlans = packet.vlan_ids().iter().map(|vlan| vlan.value()).collect();
    let checksums_right = match &packet.net {
        Some(etherparse::NetSlice::Ipv4(ip)) => {
            let header = ip.header().to_header();
            header.header_checksum == header.calc_header_checksum()
                && udp.to_header().calc_checksum_ipv4(&header, udp.payload()).ok()? == udp.checksum()
        }
        Some(etherparse::NetSlice::Ipv6(ip)) => {
            let header = ip.header().to_header();
            udp.to_header().calc_checksum_ipv6(&header, udp.payload()).ok()? == udp.checksum()
        }
        _ => return None,
    };
    Some(Captured {
        vlans,
        source_port: udp.source_port(),
        destination_port: udp.destination_port(),
        payload: udp.payload().to_vec(),
        checksums_right,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(vlans: &[u16], v6: bool) -> Frame {
        let [source, destination] = if v6 {
            ["[2001:db8::10]:5000", "[2001:db8::1]:1813"]
        } else {
            ["192.0.2.10:5000", "192.0.2.1:1813"]
        };
        let mut frame = Frame::new(
            ([2; 6], [4; 6]),
            source.parse().unwrap(),
            destination.parse().unwrap(),
            b"twenty octets or so, odd",
        );
        frame.vlans = vlans.to_vec();
        frame
    }

    #[test]
    fn what_is_built_is_what_is_parsed() {
        for vlans in [&[][..], &[7], &[100, 7]] {
            for v6 in [false, true] {
                let captured = parse(&frame(vlans, v6).octets()).unwrap();
                assert_eq!(captured.vlans, vlans);
                assert_eq!((captured.source_port, captured.destination_port), (5000, 1813));
                assert_eq!(captured.payload, b"twenty octets or so, odd");
                assert!(captured.checksums_right);
            }
        }
    }

    #[test]
    fn a_partial_checksum_is_seen_as_wrong() {
        for v6 in [false, true] {
            let mut frame = frame(&[], v6);
            frame.udp_checksum = Some(frame.partial_checksum());
            assert!(!parse(&frame.octets()).unwrap().checksums_right);
        }
    }
}
