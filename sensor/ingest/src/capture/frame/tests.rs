//! Frames against etherparse, an implementation that is not ours, and against noise.

use etherparse::{PacketBuilder, SlicedPacket, TransportSlice};
use proptest::prelude::*;

use super::*;

const MAC_CLIENT: [u8; 6] = [2, 0, 0, 0, 0, 1];
const MAC_SENSOR: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// A frame from the client to the sensor, built by etherparse, with right checksums.
fn frame(ipv6: bool, tags: usize, payload: &[u8]) -> Vec<u8> {
    let ethernet = PacketBuilder::ethernet2(MAC_CLIENT, MAC_SENSOR);
    let vlan = |n: u16| etherparse::VlanId::try_new(n).unwrap();
    let ip = if ipv6 {
        let header = etherparse::Ipv6Header {
            source: "2001:db8::1".parse::<Ipv6Addr>().unwrap().octets(),
            destination: "2001:db8::2".parse::<Ipv6Addr>().unwrap().octets(),
            hop_limit: 3,
            ..Default::default()
        };
        etherparse::IpHeaders::Ipv6(header, Default::default())
    } else {
        let mut header =
            etherparse::Ipv4Header::new(0, 3, etherparse::IpNumber::UDP, [192, 0, 2, 1], [192, 0, 2, 2])
                .unwrap();
        header.identification = 4711;
        etherparse::IpHeaders::Ipv4(header, Default::default())
    };
    let builder = match tags {
        0 => ethernet.ip(ip),
        1 => ethernet.single_vlan(vlan(101)).ip(ip),
        _ => ethernet.double_vlan(vlan(101), vlan(102)).ip(ip),
    };
    let builder = builder.udp(40001, 1813);
    let mut out = Vec::new();
    builder.write(&mut out, payload).unwrap();
    out
}

fn every_shape() -> impl Iterator<Item = (bool, usize)> {
    [false, true].into_iter().flat_map(|ipv6| (0..=2).map(move |tags| (ipv6, tags)))
}

#[test]
fn a_datagram_is_found_behind_every_header() {
    for (ipv6, tags) in every_shape() {
        let mut frame = frame(ipv6, tags, b"twenty octets or so.");
        frame.extend_from_slice(&[0xAA; 7]);
        let layout = Layout::find(&frame).unwrap();
        assert_eq!(layout.payload(&frame), b"twenty octets or so.", "padding is not payload");
        let (source, destination) = if ipv6 {
            ("[2001:db8::1]:40001", "[2001:db8::2]:1813")
        } else {
            ("192.0.2.1:40001", "192.0.2.2:1813")
        };
        assert_eq!(layout.source(&frame), source.parse().unwrap());
        assert_eq!(layout.destination(&frame), destination.parse().unwrap());
        assert_eq!(layout.checksum(&frame), Checksum::Right);
    }
}

#[test]
fn an_answer_goes_back_the_way_the_request_came() {
    for (ipv6, tags) in every_shape() {
        for length in [0, 1, 20, 21, 1500] {
            let request = frame(ipv6, tags, &[7; 100]);
            let header = ReplyHeader::to_sender_of(&request, &Layout::find(&request).unwrap());
            let response: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let mut out = [0xEE; 2048];
            let written = header.write(&response, &mut out).unwrap();
            assert!(written >= 60 && out[written..].iter().all(|octet| *octet == 0xEE), "nothing behind it");

            let answer = SlicedPacket::from_ethernet(&out[..written]).unwrap();
            let Some(TransportSlice::Udp(udp)) = &answer.transport else { panic!("no UDP") };
            assert_eq!((udp.source_port(), udp.destination_port()), (1813, 40001));
            assert_eq!(udp.payload(), response);
            assert_eq!(&out[..12], [MAC_CLIENT, MAC_SENSOR].concat());
            assert_eq!(answer.vlan_ids().len(), tags);
            assert_eq!(out[12..14 + 4 * tags], request[12..14 + 4 * tags], "tags are kept as they are");
            let checksum = match answer.net.as_ref().unwrap() {
                etherparse::NetSlice::Ipv4(ip) => {
                    let header = ip.header().to_header();
                    assert_eq!(header.header_checksum, header.calc_header_checksum());
                    assert_eq!((header.source, header.destination), ([192, 0, 2, 2], [192, 0, 2, 1]));
                    assert_eq!(
                        (header.time_to_live, header.identification, header.dont_fragment),
                        (64, 0, true)
                    );
                    udp.to_header().calc_checksum_ipv4(&header, &response).unwrap()
                }
                etherparse::NetSlice::Ipv6(ip) => {
                    let header = ip.header().to_header();
                    assert_eq!(header.source, "2001:db8::2".parse::<Ipv6Addr>().unwrap().octets());
                    assert_eq!(header.destination, "2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
                    assert_eq!(header.hop_limit, 64);
                    udp.to_header().calc_checksum_ipv6(&header, &response).unwrap()
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(udp.checksum(), checksum);
        }
    }
}

#[test]
fn the_answers_checksum_is_never_zero() {
    for ipv6 in [false, true] {
        let request = frame(ipv6, 0, &[7; 20]);
        let header = ReplyHeader::to_sender_of(&request, &Layout::find(&request).unwrap());
        let mut out = [0; 128];
        // The two octets that make the sum come out as zero: what the checksum was without them.
        header.write(&[0; 20], &mut out).unwrap();
        let checksum_at = usize::from(header.length) - 2;
        let checksum: [u8; 2] = array(&out, checksum_at);
        let mut payload = [0; 20];
        payload[..2].copy_from_slice(&checksum);
        header.write(&payload, &mut out).unwrap();
        assert_eq!(array::<2>(&out, checksum_at), [0xFF, 0xFF]);
        assert_eq!(Layout::find(&out).unwrap().checksum(&out), Checksum::Right);
    }
}

#[test]
fn an_answer_that_does_not_fit_is_not_written() {
    let request = frame(true, 2, &[7; 20]);
    let header = ReplyHeader::to_sender_of(&request, &Layout::find(&request).unwrap());
    for room in [0, 59, 70 + 99] {
        let mut out = vec![0xEE; room];
        assert_eq!(header.write(&[1; 100], &mut out), None);
        assert!(out.iter().all(|octet| *octet == 0xEE));
    }
    assert_eq!(header.write(&[1; 100], &mut [0; 170]), Some(170));
    assert_eq!(header.write(&vec![1; 65_530], &mut vec![0; 1 << 17]), None, "longer than UDP can say");
}

#[test]
fn every_state_of_a_checksum_is_told_apart() {
    for ipv6 in [false, true] {
        let mut frame = frame(ipv6, 1, b"odd number of octets!");
        let layout = Layout::find(&frame).unwrap();
        let at = usize::from(layout.payload) - 2;
        let pseudo = fold(pseudo_header(&frame, 18, ipv6, 8 + 21));
        for (value, expected) in [
            (0u16, Checksum::Absent),
            (pseudo, Checksum::Partial),
            (u16::from_be_bytes(array(&frame, at)), Checksum::Right),
            (0xDEAD, Checksum::Wrong),
        ] {
            put(&mut frame, at, value);
            assert_eq!(layout.checksum(&frame), expected, "{value:04x}");
        }
    }
}

/// One octet of a good frame changed to what makes it no plain datagram.
#[test]
fn whatever_is_no_plain_datagram_is_refused() {
    let ipv4 = |at: usize, value: u8| (false, 14 + at, value, true);
    let ipv6 = |at: usize, value: u8| (true, 14 + at, value, false);
    for (six, at, value, repair) in [
        ipv4(0, 0x46),                 // options
        ipv4(0, 0x44),                 // a header shorter than the shortest
        ipv4(0, 0x65),                 // another version
        ipv4(6, 0x20),                 // more fragments
        ipv4(7, 0x01),                 // a fragment offset
        ipv4(9, 6),                    // TCP
        ipv4(2, 0x40),                 // longer than the frame
        ipv4(3, 27),                   // too short for UDP
        ipv4(3, 47),                   // shorter than UDP says
        (false, 14 + 10, 0x55, false), // header checksum
        ipv4(20 + 5, 27),              // UDP shorter than IP
        ipv4(20 + 5, 7),               // UDP shorter than its header
        ipv4(20 + 4, 1),               // UDP longer than IP
        ipv6(0, 0x40),
        ipv6(4, 0x40),
        ipv6(5, 27),
        ipv6(6, 0),  // hop-by-hop options
        ipv6(6, 44), // fragment
        ipv6(40 + 5, 27),
        (false, 13, 0x06, false), // ARP
        (false, 12, 0x81, false), // 0x8100 that is IPv4: the tag's type is not IP
    ] {
        let mut frame = frame(six, 0, &[7; 20]);
        assert!(Layout::find(&frame).is_ok());
        frame[at] = value;
        if repair {
            put(&mut frame, 24, 0);
            let checksum = !fold(sum(&frame[14..34]));
            put(&mut frame, 24, checksum);
        }
        assert_eq!(Layout::find(&frame), Err(FrameError), "octet {at} = {value:#x}, IPv6: {six}");
    }
}

#[test]
fn a_third_tag_is_refused() {
    let mut frame = frame(false, 2, &[7; 20]);
    let tag: [u8; 4] = array(&frame, 12);
    frame.splice(12..12, tag);
    assert_eq!(Layout::find(&frame), Err(FrameError));
}

#[test]
fn a_frame_cut_anywhere_is_refused() {
    for (ipv6, tags) in every_shape() {
        let whole = frame(ipv6, tags, &[7; 20]);
        for length in 0..whole.len() {
            assert_eq!(Layout::find(&whole[..length]), Err(FrameError), "{length} of {}", whole.len());
        }
    }
}

proptest! {
    /// A good frame with a few octets changed and its end cut: whatever is found lies within it and can be answered.
    #[test]
    fn noise_is_refused_or_answered(
        ipv6: bool, tags in 0usize..=2, cut in 0usize..200,
        changes in proptest::collection::vec((0usize..90, any::<u8>()), 0..6),
        response in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut frame = frame(ipv6, tags, &[7; 100]);
        for (at, value) in changes {
            frame[at] = value;
        }
        frame.truncate(frame.len().saturating_sub(cut.saturating_sub(100)));
        if let Ok(layout) = Layout::find(&frame) {
            prop_assert!(usize::from(layout.payload) + layout.payload(&frame).len() <= frame.len());
            prop_assert_eq!(layout.payload(&frame).len(), usize::from(layout.payload_length));
            let _ = layout.checksum(&frame);
            let mut out = [0; 512];
            let written = ReplyHeader::to_sender_of(&frame, &layout).write(&response, &mut out).unwrap();
            let back = Layout::find(&out[..written]).unwrap();
            prop_assert_eq!(back.payload(&out[..written]), &response[..]);
            prop_assert_eq!(back.destination(&out), layout.source(&frame));
            prop_assert_eq!(back.source(&out), layout.destination(&frame));
            prop_assert_eq!(back.checksum(&out[..written]), Checksum::Right);
        }
    }
}
