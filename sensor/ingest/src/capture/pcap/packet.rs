//! From a captured packet to the UDP datagram or the IP fragment in it.

use std::net::IpAddr;

use etherparse::{EtherType, IpFragOffset, IpNumber, Ipv6ExtensionSlice, LaxNetSlice, LaxSlicedPacket};

/// The link headers that we can look behind. Numbers: the LINKTYPE registry of the tcpdump group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Ethernet, VLAN tags included.
    Ethernet,
    /// Linux cooked capture (`-i any`), version 1: 16 octets, protocol at 14.
    CookedV1,
    /// Version 2: 20 octets, protocol at 0.
    CookedV2,
    /// An IP packet without a link header.
    RawIp,
    /// BSD loopback: the address family in four octets, in whatever byte order.
    Loopback,
}

impl Link {
    pub(super) fn of(link_type: i32) -> Option<Self> {
        match link_type {
            0 | 108 => Some(Self::Loopback),
            1 => Some(Self::Ethernet),
            // 12 and 14 are DLT_RAW of the BSDs, which some tools write in place of 101.
            12 | 14 | 101 | 228 | 229 => Some(Self::RawIp),
            113 => Some(Self::CookedV1),
            276 => Some(Self::CookedV2),
            _ => None,
        }
    }

    fn slice(self, octets: &[u8]) -> Option<LaxSlicedPacket<'_>> {
        let cooked = |header: usize, protocol: usize| {
            let kind = octets.get(protocol..protocol + 2)?.try_into().ok().map(u16::from_be_bytes)?;
            Some(LaxSlicedPacket::from_ether_type(EtherType(kind), octets.get(header..)?))
        };
        match self {
            Self::Ethernet => LaxSlicedPacket::from_ethernet(octets).ok(),
            Self::CookedV1 => cooked(16, 14),
            Self::CookedV2 => cooked(20, 0),
            Self::RawIp => LaxSlicedPacket::from_ip(octets).ok(),
            Self::Loopback => LaxSlicedPacket::from_ip(octets.get(4..)?).ok(),
        }
    }
}

/// UDP over IP, beginning with the UDP header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Udp<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) octets: &'a [u8],
    /// The capture holds less of it than was on the wire.
    pub(super) cut: bool,
}

/// Which datagram a fragment belongs to (RFC 791 section 3.2, RFC 8200 section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FragmentKey {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) identification: u32,
}

/// A piece of a UDP datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    pub(super) key: FragmentKey,
    pub(super) offset: IpFragOffset,
    pub(super) more: bool,
    pub(super) octets: &'a [u8],
    pub(super) cut: bool,
}

/// What a packet holds, as far as it concerns us.
#[derive(Debug)]
pub(super) enum Content<'a> {
    Udp(Udp<'a>),
    Fragment(Fragment<'a>),
    Other,
}

pub(super) fn content(link: Link, octets: &[u8]) -> Content<'_> {
    parse(link, octets).unwrap_or(Content::Other)
}

fn parse(link: Link, octets: &[u8]) -> Option<Content<'_>> {
    let net = link.slice(octets)?.net?;
    let payload = net.ip_payload_ref()?.clone();
    if payload.ip_number != IpNumber::UDP {
        return None;
    }
    let (source, destination, piece) = match &net {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            let piece = payload.fragmented.then(|| {
                (u32::from(header.identification()), header.fragments_offset(), header.more_fragments())
            });
            (header.source_addr().into(), header.destination_addr().into(), piece)
        }
        LaxNetSlice::Ipv6(ip) => {
            let piece = ip.extensions().clone().into_iter().find_map(|extension| match extension {
                Ipv6ExtensionSlice::Fragment(fragment) if fragment.is_fragmenting_payload() => {
                    Some((fragment.identification(), fragment.fragment_offset(), fragment.more_fragments()))
                }
                _ => None,
            });
            (ip.header().source_addr().into(), ip.header().destination_addr().into(), piece)
        }
        LaxNetSlice::Arp(_) => return None,
    };
    let (octets, cut) = (payload.payload, payload.incomplete);
    Some(match piece {
        None => Content::Udp(Udp { source, destination, octets, cut }),
        Some((identification, offset, more)) => Content::Fragment(Fragment {
            key: FragmentKey { source, destination, identification },
            offset,
            more,
            octets,
            cut,
        }),
    })
}
