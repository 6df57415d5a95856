//! Captures and packets made octet by octet, for the tests that read them.

use etherparse::{IpFragOffset, IpNumber, Ipv4Header, Ipv6FragmentHeader, Ipv6Header, PacketBuilder, VlanId};

use super::{PAYLOAD, TIME_NS};

pub(super) struct Pcap {
    pub(super) octets: Vec<u8>,
    big_endian: bool,
    nanoseconds: bool,
}

impl Pcap {
    pub(super) fn new(link: u32, big_endian: bool, nanoseconds: bool) -> Self {
        let mut file = Self { octets: Vec::new(), big_endian, nanoseconds };
        file.word(if nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 });
        let version: [u8; 4] = if big_endian { [0, 2, 0, 4] } else { [2, 0, 4, 0] };
        file.octets.extend(version);
        for word in [0, 0, 65_535, link] {
            file.word(word);
        }
        file
    }

    pub(super) fn word(&mut self, word: u32) {
        self.octets.extend(if self.big_endian { word.to_be_bytes() } else { word.to_le_bytes() });
    }

    pub(super) fn packet(mut self, packet: &[u8]) -> Self {
        self = self.packet_at(TIME_NS, packet, packet.len());
        self
    }

    pub(super) fn packet_at(mut self, unix_ns: u64, packet: &[u8], captured: usize) -> Self {
        let fraction = unix_ns % 1_000_000_000;
        self.word((unix_ns / 1_000_000_000) as u32);
        self.word(if self.nanoseconds { fraction as u32 } else { (fraction / 1000) as u32 });
        self.word(captured as u32);
        self.word(packet.len() as u32);
        self.octets.extend_from_slice(&packet[..captured]);
        self
    }
}

pub(super) fn raw_ip() -> Pcap {
    Pcap::new(101, false, true)
}

pub(super) fn v4() -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv4([192, 0, 2, 1], [198, 51, 100, 1], 64)
        .udp(40_000, 1813)
        .write(&mut packet, PAYLOAD)
        .unwrap();
    packet
}

pub(super) fn v6() -> Vec<u8> {
    let (from, to) =
        ("2001:db8::1".parse::<std::net::Ipv6Addr>(), "2001:db8::2".parse::<std::net::Ipv6Addr>());
    let mut packet = Vec::new();
    PacketBuilder::ipv6(from.unwrap().octets(), to.unwrap().octets(), 64)
        .udp(40_000, 1813)
        .write(&mut packet, PAYLOAD)
        .unwrap();
    packet
}

pub(super) fn ethernet(vlans: &[u16], ip: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2];
    for (depth, vlan) in vlans.iter().enumerate() {
        frame.extend(if depth + 1 < vlans.len() { [0x88, 0xa8] } else { [0x81, 0x00] });
        frame.extend(VlanId::try_new(*vlan).unwrap().value().to_be_bytes());
    }
    frame.extend(if ip[0] >> 4 == 4 { [0x08, 0x00] } else { [0x86, 0xdd] });
    frame.extend_from_slice(ip);
    frame
}

/// pcapng blocks, little endian unless said otherwise.
pub(super) struct Pcapng {
    pub(super) octets: Vec<u8>,
    big_endian: bool,
}

impl Pcapng {
    pub(super) fn new(big_endian: bool) -> Self {
        let mut file = Self { octets: Vec::new(), big_endian };
        let mut body = file.word(0x1a2b_3c4d);
        body.extend(if big_endian { [0, 1, 0, 0] } else { [1, 0, 0, 0] });
        body.extend([0xff; 8]);
        file.block(0x0a0d_0d0a, &body);
        file
    }

    pub(super) fn word(&self, word: u32) -> Vec<u8> {
        if self.big_endian { word.to_be_bytes().to_vec() } else { word.to_le_bytes().to_vec() }
    }

    pub(super) fn half(&self, half: u16) -> Vec<u8> {
        if self.big_endian { half.to_be_bytes().to_vec() } else { half.to_le_bytes().to_vec() }
    }

    pub(super) fn block(&mut self, kind: u32, body: &[u8]) {
        let padding = body.len().next_multiple_of(4) - body.len();
        let length = (12 + body.len() + padding) as u32;
        let (kind, length) = (self.word(kind), self.word(length));
        self.octets.extend(kind);
        self.octets.extend_from_slice(&length);
        self.octets.extend_from_slice(body);
        self.octets.extend(vec![0; padding]);
        self.octets.extend(length);
    }

    pub(super) fn interface(mut self, link: u16, resolution: Option<u8>, snap_length: u32) -> Self {
        let mut body = [self.half(link), self.half(0), self.word(snap_length)].concat();
        if let Some(resolution) = resolution {
            body.extend([self.half(9), self.half(1), vec![resolution, 0, 0, 0], self.word(0)].concat());
        }
        self.block(1, &body);
        self
    }

    pub(super) fn enhanced(mut self, interface: u32, ticks: u64, packet: &[u8]) -> Self {
        let length = packet.len() as u32;
        let words = [interface, (ticks >> 32) as u32, ticks as u32, length, length];
        let mut body = words.into_iter().flat_map(|word| self.word(word)).collect::<Vec<_>>();
        body.extend_from_slice(packet);
        self.block(6, &body);
        self
    }

    pub(super) fn simple(mut self, original_length: u32, packet: &[u8]) -> Self {
        let mut body = self.word(original_length);
        body.extend_from_slice(packet);
        self.block(3, &body);
        self
    }
}

/// The UDP datagram in `packet`, in IPv4 fragments at the given offsets (in units of eight octets).
pub(super) fn v4_fragments(packet: &[u8], cuts: &[u16]) -> Vec<Vec<u8>> {
    let udp = &packet[20..];
    let mut header = Ipv4Header::from_slice(packet).unwrap().0;
    header.identification = 77;
    header.dont_fragment = false;
    let ends = cuts[1..].iter().copied().map(|cut| usize::from(cut) * 8).chain([udp.len()]);
    cuts.iter()
        .zip(ends)
        .map(|(cut, end)| {
            let part = &udp[usize::from(*cut) * 8..end];
            header.fragment_offset = IpFragOffset::try_new(*cut).unwrap();
            header.more_fragments = end < udp.len();
            header.set_payload_len(part.len()).unwrap();
            let mut octets = Vec::new();
            header.write(&mut octets).unwrap();
            octets.extend_from_slice(part);
            octets
        })
        .collect()
}

pub(super) fn v6_fragments(packet: &[u8]) -> Vec<Vec<u8>> {
    let udp = &packet[40..];
    let mut header = Ipv6Header::from_slice(packet).unwrap().0;
    header.next_header = IpNumber::IPV6_FRAGMENTATION_HEADER;
    [(0, &udp[..24], true), (3, &udp[24..], false)]
        .into_iter()
        .map(|(offset, part, more)| {
            header.payload_length = part.len() as u16 + 8;
            let offset = IpFragOffset::try_new(offset).unwrap();
            let fragment = Ipv6FragmentHeader::new(IpNumber::UDP, offset, more, 99);
            [&header.to_bytes()[..], &fragment.to_bytes()[..], part].concat()
        })
        .collect()
}
