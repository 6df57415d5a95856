//! Ethernet frames on the way in and out: finds the UDP datagram in a received one, and writes the frame of its
//! answer.
//!
//! Used by the XDP source. Everything is checked again here, whatever the steer program has checked: this code never
//! trusts a length, cannot panic and reads nothing beyond the frame. The answer goes back the way the request came:
//! addresses, ports and hardware addresses reversed, VLAN tags kept.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::FrameError;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86DD;
/// IEEE 802.1Q customer and service tags.
const ETHERTYPE_VLAN: [u16; 2] = [0x8100, 0x88A8];
const VLAN_TAGS_MAX: usize = 2;
const PROTOCOL_UDP: u8 = 17;
const ETHERNET_LENGTH: usize = 14;
const VLAN_LENGTH: usize = 4;
const IPV4_LENGTH: usize = 20;
const IPV6_LENGTH: usize = 40;
const UDP_LENGTH: usize = 8;
/// More fragments, or a fragment offset (RFC 791 section 3.1).
const IPV4_FRAGMENT: u16 = 0x3FFF;
/// Don't fragment.
const IPV4_DF: u16 = 0x4000;
/// RFC 1700 recommends 64 for TTL; IPv6 hosts use the same.
const HOPS: u8 = 64;
/// Shortest Ethernet frame without its check sequence; not every virtual device pads by itself.
const FRAME_LENGTH_MIN: usize = 60;
/// Ethernet, two tags, IPv6, UDP.
const HEADERS_LENGTH_MAX: usize = ETHERNET_LENGTH + VLAN_TAGS_MAX * VLAN_LENGTH + IPV6_LENGTH + UDP_LENGTH;

/// Where in a frame its datagram lies. Only good for the frame that it was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    l3: u8,
    ipv6: bool,
    payload: u8,
    payload_length: u16,
}

/// The state of a received UDP checksum. None of them is a reason to drop: the authenticator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// It is right.
    Right,
    /// Only the pseudo-header was summed: the sender left the rest to a device that never saw it (veth, virtio).
    Partial,
    /// The sender computed none (zero).
    Absent,
    /// It is none of these.
    Wrong,
}

impl Layout {
    /// Finds the one whole UDP datagram of a frame: 0 to 2 VLAN tags; IPv4 without options and fragments, its header
    /// checksum right; IPv6 without extension headers; IP and UDP lengths that agree. Octets behind it are padding.
    #[inline]
    pub fn find(frame: &[u8]) -> Result<Layout, FrameError> {
        let mut l3 = ETHERNET_LENGTH;
        let mut ethertype = word(frame, 12)?;
        for _ in 0..VLAN_TAGS_MAX {
            if ETHERTYPE_VLAN.contains(&ethertype) {
                ethertype = word(frame, l3 + 2)?;
                l3 += VLAN_LENGTH;
            }
        }
        let packet = frame.get(l3..).ok_or(FrameError)?;
        let (ipv6, header, datagram) = match ethertype {
            ETHERTYPE_IPV4 => (false, IPV4_LENGTH, ipv4_datagram(packet)?),
            ETHERTYPE_IPV6 => (true, IPV6_LENGTH, ipv6_datagram(packet)?),
            _ => return Err(FrameError),
        };
        // A length that differs is a merged (GRO) or forged datagram.
        if datagram.len() < UDP_LENGTH || usize::from(word(datagram, 4)?) != datagram.len() {
            return Err(FrameError);
        }
        Ok(Layout {
            l3: l3 as u8,
            ipv6,
            payload: (l3 + header + UDP_LENGTH) as u8,
            payload_length: (datagram.len() - UDP_LENGTH) as u16,
        })
    }

    /// The UDP payload.
    #[inline]
    pub fn payload<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        let start = usize::from(self.payload);
        frame.get(start..start + usize::from(self.payload_length)).unwrap_or_default()
    }

    /// Who sent the datagram.
    #[inline]
    pub fn source(&self, frame: &[u8]) -> SocketAddr {
        self.address(frame, if self.ipv6 { 8 } else { 12 }, 0)
    }

    /// Whom it was sent to.
    #[inline]
    pub fn destination(&self, frame: &[u8]) -> SocketAddr {
        self.address(frame, if self.ipv6 { 24 } else { 16 }, 2)
    }

    #[inline]
    fn address(&self, frame: &[u8], in_ip: usize, in_udp: usize) -> SocketAddr {
        let at = usize::from(self.l3) + in_ip;
        let ip = if self.ipv6 {
            IpAddr::V6(Ipv6Addr::from(array::<16>(frame, at)))
        } else {
            IpAddr::V4(Ipv4Addr::from(array::<4>(frame, at)))
        };
        SocketAddr::new(ip, u16::from_be_bytes(array(frame, self.l4() + in_udp)))
    }

    #[inline]
    fn l4(&self) -> usize {
        usize::from(self.payload) - UDP_LENGTH
    }

    /// Checks the UDP checksum, which reads the whole payload.
    #[inline]
    pub fn checksum(&self, frame: &[u8]) -> Checksum {
        let datagram_length = UDP_LENGTH + usize::from(self.payload_length);
        let Some(datagram) = frame.get(self.l4()..self.l4() + datagram_length) else {
            return Checksum::Wrong;
        };
        let stored = u16::from_be_bytes(array(datagram, 6));
        let pseudo = pseudo_header(frame, usize::from(self.l3), self.ipv6, datagram_length);
        if stored == 0 {
            Checksum::Absent
        } else if fold(pseudo + sum(datagram)) == 0xFFFF {
            Checksum::Right
        } else if fold(pseudo) == stored {
            Checksum::Partial
        } else {
            Checksum::Wrong
        }
    }
}

#[inline]
fn ipv4_datagram(packet: &[u8]) -> Result<&[u8], FrameError> {
    let header = packet.get(..IPV4_LENGTH).ok_or(FrameError)?;
    let total = usize::from(word(header, 2)?);
    let plain = header[0] == 0x45 && header[9] == PROTOCOL_UDP && word(header, 6)? & IPV4_FRAGMENT == 0;
    if !plain || fold(sum(header)) != 0xFFFF {
        return Err(FrameError);
    }
    packet.get(IPV4_LENGTH..total).ok_or(FrameError)
}

#[inline]
fn ipv6_datagram(packet: &[u8]) -> Result<&[u8], FrameError> {
    let header = packet.get(..IPV6_LENGTH).ok_or(FrameError)?;
    if header[0] >> 4 != 6 || header[6] != PROTOCOL_UDP {
        return Err(FrameError);
    }
    let length = usize::from(word(header, 4)?);
    packet.get(IPV6_LENGTH..IPV6_LENGTH + length).ok_or(FrameError)
}

/// The headers of a request and what was summed of them: all that an answer needs and that outlives the received frame.
///
/// The headers stay as they came and are turned round when the answer is written. Changing single octets of a copy that
/// is moved on at once makes the processor wait for each change.
#[derive(Clone, Copy, Debug)]
pub struct ReplyHeader {
    received: [u8; HEADERS_LENGTH_MAX],
    l3: u8,
    ipv6: bool,
    /// Octets of `received`; 0 if there is no way back.
    length: u8,
    /// The sums of what does not depend on the answer: of its IPv4 header without the length, and of addresses,
    /// protocol and ports for the UDP checksum. Each fewer than 2^5 words, so below 2^21.
    ip_sum: u32,
    udp_sum: u32,
}

/// Headers of nearly all requests: Ethernet without a tag, IPv4. With lengths and places known when this is compiled,
/// an answer's frame takes a third fewer instructions (360 to 250 a request, from arrival to frame).
const HEADERS_LENGTH_USUAL: usize = ETHERNET_LENGTH + IPV4_LENGTH + UDP_LENGTH;
/// Octets of nearly all answers: a RADIUS header.
const ANSWER_LENGTH_USUAL: usize = 20;
/// The sender's service class, but not its congestion bits, is the answer's (RFC 2474, RFC 3168).
const SERVICE_CLASS: u8 = 0xFC;

impl ReplyHeader {
    /// For a frame that was no datagram: there is nothing to be written to.
    pub const NONE: ReplyHeader = ReplyHeader {
        received: [0; HEADERS_LENGTH_MAX],
        l3: 0,
        ipv6: false,
        length: 0,
        ip_sum: 0,
        udp_sum: 0,
    };

    /// The way back to the sender of the datagram that [`Layout::find`] found in this frame. In another frame, shorter
    /// than that one, there may be none.
    #[inline]
    pub fn to_sender_of(frame: &[u8], layout: &Layout) -> ReplyHeader {
        let length = usize::from(layout.payload);
        let mut header =
            ReplyHeader { l3: layout.l3, ipv6: layout.ipv6, length: layout.payload, ..ReplyHeader::NONE };
        match frame.first_chunk::<HEADERS_LENGTH_USUAL>() {
            Some(usual) if length == HEADERS_LENGTH_USUAL && !layout.ipv6 => {
                header.received[..HEADERS_LENGTH_USUAL].copy_from_slice(usual);
                header.sum_ipv4(usual, ETHERNET_LENGTH);
            }
            _ => header.keep(frame, length),
        }
        header
    }

    fn keep(&mut self, frame: &[u8], length: usize) {
        let (Some(received), Some(out)) = (frame.get(..length), self.received.get_mut(..length)) else {
            self.length = 0;
            return;
        };
        out.copy_from_slice(received);
        let l3 = usize::from(self.l3);
        if self.ipv6 {
            let ports = words::<4>(received, l3 + IPV6_LENGTH);
            self.udp_sum = (words::<32>(received, l3 + 8) + u64::from(PROTOCOL_UDP) + ports) as u32;
        } else {
            self.sum_ipv4(received, l3);
        }
    }

    #[inline]
    fn sum_ipv4(&mut self, received: &[u8], l3: usize) {
        let addresses = words::<8>(received, l3 + 12);
        let [version, class] = array(received, l3);
        let first = u16::from_be_bytes([version, class & SERVICE_CLASS]);
        let constant = u64::from(IPV4_DF) + u64::from(u16::from_be_bytes([HOPS, PROTOCOL_UDP]));
        self.ip_sum = (u64::from(first) + constant + addresses) as u32;
        self.udp_sum = (addresses + u64::from(PROTOCOL_UDP) + words::<4>(received, l3 + IPV4_LENGTH)) as u32;
    }

    /// Writes the whole frame that carries `payload` into `out` and returns its length. `None` when there is no way
    /// back, or it does not fit into `out` or into an IP packet; `out` is then unchanged.
    #[inline]
    pub fn write(&self, payload: &[u8], out: &mut [u8]) -> Option<usize> {
        const USUAL: usize = HEADERS_LENGTH_USUAL + ANSWER_LENGTH_USUAL;
        let headers = usize::from(self.length);
        if let (Some(frame), Ok(answer)) =
            (out.first_chunk_mut::<USUAL>(), <&[u8; ANSWER_LENGTH_USUAL]>::try_from(payload))
            && headers == HEADERS_LENGTH_USUAL
            && !self.ipv6
        {
            frame[HEADERS_LENGTH_USUAL..].copy_from_slice(answer);
            let datagram_length = (UDP_LENGTH + ANSWER_LENGTH_USUAL) as u16;
            self.put_headers(frame, ETHERNET_LENGTH, datagram_length, words::<20>(answer, 0));
            return Some(USUAL);
        }
        let datagram_length = UDP_LENGTH + payload.len();
        let ip_length = if self.ipv6 { datagram_length } else { IPV4_LENGTH + datagram_length };
        u16::try_from(ip_length).ok()?;
        let end = headers + payload.len();
        let frame = out.get_mut(..end.max(FRAME_LENGTH_MIN)).filter(|_| headers > 0)?;
        frame[headers..end].copy_from_slice(payload);
        frame[end..].fill(0);
        self.put_headers(frame, usize::from(self.l3), datagram_length as u16, sum(payload));
        Some(frame.len())
    }

    /// The headers, turned round, into a frame that has its payload. Always inline, for the sake of [`Self::write`]'s usual
    /// answer, where all places are known.
    #[inline(always)]
    fn put_headers(&self, frame: &mut [u8], l3: usize, datagram_length: u16, payload_sum: u64) {
        let received = &self.received;
        exchange::<6>(received, frame, 0, 6);
        // The type, and tags before it.
        if l3 == ETHERNET_LENGTH {
            copy::<2>(received, frame, 12);
        } else {
            frame[12..l3].copy_from_slice(&received[12..l3]);
        }
        let l4 = if self.ipv6 {
            // No flow label and no traffic class of our own.
            frame[l3..l3 + 4].copy_from_slice(&[0x60, 0, 0, 0]);
            put(frame, l3 + 4, datagram_length);
            frame[l3 + 6..l3 + 8].copy_from_slice(&[PROTOCOL_UDP, HOPS]);
            exchange::<16>(received, frame, l3 + 8, l3 + 24);
            l3 + IPV6_LENGTH
        } else {
            let length = datagram_length.wrapping_add(IPV4_LENGTH as u16);
            let [version, class] = array(received, l3);
            frame[l3..l3 + 2].copy_from_slice(&[version, class & SERVICE_CLASS]);
            put(frame, l3 + 2, length);
            // An atomic datagram needs no identification (RFC 6864 section 4.1).
            put(frame, l3 + 4, 0);
            put(frame, l3 + 6, IPV4_DF);
            frame[l3 + 8..l3 + 10].copy_from_slice(&[HOPS, PROTOCOL_UDP]);
            put(frame, l3 + 10, !fold(u64::from(self.ip_sum) + u64::from(length)));
            exchange::<4>(received, frame, l3 + 12, l3 + 16);
            l3 + IPV4_LENGTH
        };
        exchange::<2>(received, frame, l4, l4 + 2);
        put(frame, l4 + 4, datagram_length);
        // The length is summed twice: it stands in the pseudo-header and in the UDP header.
        let checksum = !fold(u64::from(self.udp_sum) + 2 * u64::from(datagram_length) + payload_sum);
        // Zero would say 'none computed' (RFC 768), which IPv6 forbids; the other zero of ones' complement is sent.
        put(frame, l4 + 6, if checksum == 0 { 0xFFFF } else { checksum });
    }
}

/// The sum over the pseudo-header: addresses, protocol, length (RFC 768, RFC 8200 section 8.1).
#[inline]
fn pseudo_header(frame: &[u8], l3: usize, ipv6: bool, datagram_length: usize) -> u64 {
    let addresses = if ipv6 { l3 + 8..l3 + 40 } else { l3 + 12..l3 + 20 };
    sum(frame.get(addresses).unwrap_or_default()) + u64::from(PROTOCOL_UDP) + datagram_length as u64
}

/// The sum of 16-bit words in network order, an odd last octet padded with zero, up to folding: below 2^17.
///
/// The words are summed in the order of this machine, since a ones' complement sum does not depend on the order of
/// octets until it is read (RFC 1071 section 2), and 32 bits at once: 2^16 is 1 modulo 2^16 - 1, so that the halves may
/// be added at the end. This form the compiler puts into wide registers; one of 16-bit words it does not.
#[inline]
fn sum(octets: &[u8]) -> u64 {
    let (words, rest) = octets.as_chunks::<8>();
    let (mut low, mut high) = (0u64, 0u64);
    for word in words {
        let word = u64::from_ne_bytes(*word);
        low = low.wrapping_add(word & 0xFFFF_FFFF);
        high = high.wrapping_add(word >> 32);
    }
    // A frame has at most 2^16 octets: the sums stay below 2^46.
    let mut total = low.wrapping_add(high);
    let (pairs, odd) = rest.as_chunks::<2>();
    for pair in pairs {
        total = total.wrapping_add(u64::from(u16::from_ne_bytes(*pair)));
    }
    if let [octet] = odd {
        total = total.wrapping_add(u64::from(u16::from_ne_bytes([*octet, 0])));
    }
    u64::from(u16::from_be(fold(total)))
}

/// Ones' complement folding to 16 bits.
#[inline]
fn fold(mut sum: u64) -> u16 {
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum as u16
}

#[inline]
fn word(octets: &[u8], at: usize) -> Result<u16, FrameError> {
    match octets.get(at..at + 2) {
        Some(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
        _ => Err(FrameError),
    }
}

/// `N` octets at `at`; zeroes where the frame has none, which does not happen with the frame that was parsed.
#[inline]
fn array<const N: usize>(octets: &[u8], at: usize) -> [u8; N] {
    octets.get(at..).and_then(|rest| rest.first_chunk::<N>()).copied().unwrap_or([0; N])
}

/// The sum of the words in the `N` (even) octets at `at`.
#[inline]
fn words<const N: usize>(octets: &[u8], at: usize) -> u64 {
    let octets: [u8; N] = array(octets, at);
    octets.as_chunks::<2>().0.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum()
}

#[inline]
fn put(octets: &mut [u8], at: usize, value: u16) {
    octets[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

#[inline]
fn copy<const N: usize>(from: &[u8], to: &mut [u8], at: usize) {
    to[at..at + N].copy_from_slice(&array::<N>(from, at));
}

/// Copies the `N` octets at `first` to `second` and those at `second` to `first`.
#[inline]
fn exchange<const N: usize>(from: &[u8], to: &mut [u8], first: usize, second: usize) {
    to[second..second + N].copy_from_slice(&array::<N>(from, first));
    to[first..first + N].copy_from_slice(&array::<N>(from, second));
}

#[cfg(test)]
mod tests;
