//! Capture files made here, octet by octet where the format is the point.

use std::{io::Cursor, net::SocketAddr, path::Path};

use etherparse::Ethernet2Header;
use proptest::prelude::*;

use self::made::*;
use super::*;

mod made;

const TIME_NS: u64 = 1_790_000_000_123_456_000;
const PAYLOAD: &[u8] = b"the payload of a datagram, longer than one fragment";

/// Number, source, destination, payload, arrival in Unix nanoseconds (0 for what is no whole datagram).
type Seen = (u64, SocketAddr, SocketAddr, Result<Vec<u8>, FrameError>, u64);

/// Everything that came out of a file.
#[derive(Debug, Default)]
struct Drained {
    datagrams: Vec<Seen>,
    defects: Vec<(u64, DefectKind)>,
    counters: PcapCounters,
    error: Option<String>,
}

fn drain(octets: Vec<u8>) -> Drained {
    let mut drained = Drained::default();
    let mut source = match PcapSource::from_reader(Path::new("x.pcap"), Cursor::new(octets), &[1813]) {
        Ok(source) => source,
        Err(error) => return Drained { error: Some(error.to_string()), ..drained },
    };
    loop {
        match source.receive() {
            Ok(0) => break,
            Ok(length) => {
                for index in 0..length {
                    let route = source.route(index);
                    let datagram = source.datagram(index);
                    let time = datagram.map_or(0, |datagram| datagram.arrival_unix_ns);
                    let payload = datagram.map(|datagram| datagram.payload.to_vec());
                    drained.datagrams.push((route.number, route.source, route.destination, payload, time));
                }
                assert!(source.datagram(length).is_err());
                source.release();
                let defects = source.defects().iter().map(|defect| (defect.route.number, defect.kind));
                drained.defects.extend(defects);
            }
            Err(SourceError::Io { error, .. }) => drained.error = Some(error.to_string()),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(source.finished());
    drained.counters = source.counters();
    drained
}

fn payloads(drained: &Drained) -> Vec<&[u8]> {
    drained.datagrams.iter().filter_map(|datagram| datagram.3.as_deref().ok()).collect()
}

#[test]
fn every_pcap_flavour_keeps_payload_addresses_and_time() {
    for big_endian in [false, true] {
        for nanoseconds in [false, true] {
            let drained = drain(Pcap::new(101, big_endian, nanoseconds).packet(&v4()).octets);
            assert_eq!(drained.error, None);
            assert_eq!(
                drained.datagrams,
                [(
                    1,
                    "192.0.2.1:40000".parse().unwrap(),
                    "198.51.100.1:1813".parse().unwrap(),
                    Ok(PAYLOAD.to_vec()),
                    TIME_NS
                )]
            );
        }
    }
}

#[test]
fn every_link_type_is_looked_behind() {
    let cooked_v1 = |ip: &[u8], kind: [u8; 2]| [&[0; 14][..], &kind[..], ip].concat();
    let cooked_v2 = |ip: &[u8], kind: [u8; 2]| [&kind[..], &[0; 18][..], ip].concat();
    let tagged = |ip: &[u8]| [&[0, 5, 0x08, 0][..], ip].concat();
    let mut padded = ethernet(&[], &v4());
    padded.extend([0; 9]);
    let cases: Vec<(u32, Vec<u8>)> = vec![
        (1, ethernet(&[], &v4())),
        (1, ethernet(&[5], &v4())),
        (1, ethernet(&[5, 6], &v6())),
        (1, ethernet(&[], &v6())),
        (1, padded),
        (113, cooked_v1(&v4(), [0x08, 0x00])),
        (113, cooked_v1(&v6(), [0x86, 0xdd])),
        (113, cooked_v1(&tagged(&v4()), [0x81, 0x00])),
        (276, cooked_v2(&v4(), [0x08, 0x00])),
        (276, cooked_v2(&v6(), [0x86, 0xdd])),
        (101, v4()),
        (101, v6()),
        (228, v4()),
        (229, v6()),
        (0, [&[2, 0, 0, 0][..], &v4()].concat()),
        (0, [&[0, 0, 0, 30][..], &v6()].concat()),
        (108, [&[0, 0, 0, 2][..], &v4()].concat()),
        // Frame check sequence length in the upper half of the field.
        (1 | 0x5000_0000, ethernet(&[], &v4())),
    ];
    for (link, packet) in cases {
        let drained = drain(Pcap::new(link, false, true).packet(&packet).octets);
        assert_eq!(payloads(&drained), [PAYLOAD], "link type {link}");
    }
}

#[test]
fn an_unsupported_link_type_is_an_error_that_names_it() {
    let drained = drain(Pcap::new(105, false, true).packet(&v4()).octets);
    assert_eq!(
        drained.error.unwrap(),
        "x.pcap: at octet 0: link type 105 is not supported (Ethernet, Linux cooked, raw IP and loopback are)"
    );
}

#[test]
fn pcapng_interfaces_keep_their_own_clock_and_link_type() {
    for big_endian in [false, true] {
        let file = Pcapng::new(big_endian)
            .interface(1, None, 0)
            .interface(101, Some(9), 0)
            .interface(113, Some(0x80 | 20), 0)
            .interface(105, None, 0)
            .enhanced(0, TIME_NS / 1000, &ethernet(&[], &v4()))
            .enhanced(1, TIME_NS + 1, &v4())
            .enhanced(2, (TIME_NS / 1_000_000_000) << 20 | 1 << 19, &[&[0; 14], &[8, 0][..], &v4()].concat())
            .enhanced(3, 1, &v4());
        let drained = drain(file.octets);
        assert_eq!(drained.error, None);
        let times = drained.datagrams.iter().map(|datagram| datagram.4).collect::<Vec<_>>();
        assert_eq!(times, [TIME_NS, TIME_NS + 1, 1_790_000_000_500_000_000]);
        assert_eq!(drained.counters.unsupported_link, 1);
    }
}

#[test]
fn pcapng_simple_packets_are_cut_at_the_snap_length_and_unpadded() {
    let packet = v4();
    let whole = packet.len() as u32;
    let file = Pcapng::new(false).interface(101, None, 0).simple(whole, &packet);
    assert_eq!(payloads(&drain(file.octets)), [PAYLOAD]);
    let file = Pcapng::new(false).interface(101, None, 40).simple(whole, &packet[..40]);
    let drained = drain(file.octets);
    assert_eq!((drained.counters.truncated, payloads(&drained).len()), (1, 0));
}

#[test]
fn a_second_pcapng_section_begins_with_no_interfaces_and_its_own_byte_order() {
    let mut file = Pcapng::new(false).interface(101, None, 0).enhanced(0, 1, &v4()).octets;
    let second = Pcapng::new(true).interface(1, None, 0).enhanced(0, 1, &ethernet(&[], &v4()));
    file.extend(second.octets);
    assert_eq!(payloads(&drain(file.clone())), [PAYLOAD, PAYLOAD]);
    let before = file.len();
    file.extend(Pcapng::new(false).enhanced(0, 1, &v4()).octets);
    let drained = drain(file);
    assert_eq!(payloads(&drained).len(), 2);
    assert_eq!(
        drained.error.unwrap(),
        format!(
            "x.pcap: at octet {}: the packet names interface 0, which the file does not describe",
            before + 28
        )
    );
}

#[test]
fn what_is_not_for_us_is_counted_apart() {
    let mut other_port = v4();
    other_port[23] = 0;
    let mut tcp = v4();
    tcp[9] = 6;
    let arp = [&[0xff; 12][..], &[0x08, 0x06], &[0; 28]].concat();
    let file = Pcap::new(1, false, true)
        .packet(&ethernet(&[], &other_port))
        .packet(&ethernet(&[], &tcp))
        .packet(&arp)
        .packet(&[0; 5])
        .packet(&ethernet(&[], &v4()));
    let drained = drain(file.octets);
    let expected = PcapCounters { packets: 5, datagrams: 1, other: 4, ..PcapCounters::default() };
    assert_eq!(drained.counters, expected);
}

#[test]
fn a_datagram_cut_by_the_snap_length_is_no_whole_frame() {
    let packet = v4();
    let file = raw_ip().packet_at(TIME_NS, &packet, 60).packet(&packet);
    let drained = drain(file.octets);
    assert_eq!(drained.datagrams[0].3, Err(FrameError));
    assert_eq!(drained.datagrams[0].1, "192.0.2.1:40000".parse().unwrap());
    assert_eq!(drained.datagrams[1].0, 2);
    assert_eq!(drained.defects, [(1, DefectKind::Truncated)]);
    let expected = PcapCounters { packets: 2, datagrams: 2, truncated: 1, ..PcapCounters::default() };
    assert_eq!(drained.counters, expected);
}

#[test]
fn a_udp_length_that_lies_is_no_whole_frame_and_a_short_one_trims() {
    let with_length = |length: u16| {
        let mut packet = v4();
        packet[24..26].copy_from_slice(&length.to_be_bytes());
        drain(raw_ip().packet(&packet).octets)
    };
    let true_length = PAYLOAD.len() as u16 + 8;
    for length in [0, 7, true_length + 1, u16::MAX] {
        let drained = with_length(length);
        assert_eq!(
            (drained.counters.broken, drained.datagrams[0].3.clone()),
            (1, Err(FrameError)),
            "{length}"
        );
    }
    assert_eq!(payloads(&with_length(true_length - 1)), [&PAYLOAD[..PAYLOAD.len() - 1]]);
    assert_eq!(payloads(&with_length(8)), [b""]);
}

fn play(packets: &[Vec<u8>]) -> Drained {
    drain(packets.iter().fold(raw_ip(), |file, packet| file.packet(packet)).octets)
}

#[test]
fn fragments_are_put_together_in_any_order_and_with_repetitions() {
    let three = v4_fragments(&v4(), &[0, 2, 5]);
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let drained = play(&order.map(|index| three[index].clone()));
        assert_eq!(payloads(&drained), [PAYLOAD], "{order:?}");
        assert_eq!((drained.counters.fragments, drained.counters.reassembled), (3, 1));
    }
    let drained = play(&[0, 0, 1, 1, 2].map(|index: usize| three[index].clone()));
    assert_eq!((payloads(&drained), drained.counters.fragments_lost), (vec![PAYLOAD], 0));
    assert_eq!(payloads(&play(&v6_fragments(&v6()))), [PAYLOAD]);
    let in_frames = v6_fragments(&v6());
    let file = Pcap::new(1, false, true).packet(&ethernet(&[7], &in_frames[1]));
    assert_eq!(payloads(&drain(file.packet(&ethernet(&[7], &in_frames[0])).octets)), [PAYLOAD]);
}

#[test]
fn fragments_that_contradict_each_other_lose_the_datagram() {
    let mut overlapping = v4_fragments(&v4(), &[0, 2]);
    overlapping.insert(1, v4_fragments(&v4(), &[0, 1, 4])[1].clone());
    let drained = play(&overlapping);
    assert_eq!(payloads(&drained).len(), 0);
    assert!(drained.counters.fragments_lost >= 1);
    let mut forged = v4_fragments(&v4(), &[0, 2]);
    let mut other = forged[0].clone();
    other[30] ^= 1;
    forged.insert(1, other);
    assert_eq!(payloads(&play(&forged)).len(), 0);
}

#[test]
fn incomplete_datagrams_are_given_up_by_age_by_number_and_at_the_end() {
    let pieces = v4_fragments(&v4(), &[0, 2]);
    let late = raw_ip().packet_at(TIME_NS, &pieces[0], pieces[0].len()).packet_at(
        TIME_NS + 31_000_000_000,
        &pieces[1],
        pieces[1].len(),
    );
    let drained = drain(late.octets);
    assert_eq!((payloads(&drained).len(), drained.counters.fragments_lost), (0, 2));

    // 500 first pieces of different datagrams, then all the last ones: the youngest 64 survive.
    let mut file = raw_ip();
    for (place, piece) in pieces.iter().enumerate() {
        for number in 0..500u16 {
            let mut packet = piece.clone();
            packet[4..6].copy_from_slice(&number.to_be_bytes());
            let time = TIME_NS + u64::from(number) + 1000 * place as u64;
            file = file.packet_at(time, &packet, packet.len());
        }
    }
    let drained = drain(file.octets);
    assert!(payloads(&drained).len() <= 64);
    let lost = drained.counters.fragments_lost + 2 * drained.counters.reassembled;
    assert!(lost >= 500, "{:?}", drained.counters);

    let drained = drain(raw_ip().packet_at(TIME_NS, &pieces[0], 30).packet(&pieces[1]).octets);
    assert_eq!((drained.counters.truncated, drained.counters.fragments_lost), (1, 1));
}

#[test]
fn a_file_cut_at_any_octet_gives_its_whole_packets_and_names_the_place() {
    let one = raw_ip().packet(&v4());
    let second_record = one.octets.len();
    let file = one.packet(&v4()).octets;
    for length in 0..file.len() {
        let drained = drain(file[..length].to_vec());
        let whole = usize::from(length >= second_record);
        assert_eq!(payloads(&drained).len(), whole, "cut at {length}");
        match drained.error {
            None => assert!(length == second_record || length == 24, "cut at {length}"),
            Some(error) if length < 24 => assert!(error.contains("neither a pcap"), "{error}"),
            Some(error) => {
                let offset = if whole == 1 { second_record } else { 24 };
                assert_eq!(error, format!("x.pcap: at octet {offset}: the file ends inside a record"));
            }
        }
    }
}

#[test]
fn a_record_that_claims_gigabytes_is_refused_without_taking_them() {
    let mut file = raw_ip();
    for word in [0, 0, 0x7fff_ffff, 0x7fff_ffff] {
        file.word(word);
    }
    let mut octets = file.octets;
    octets.resize(40 * 1024 * 1024, 0);
    assert_eq!(
        drain(octets).error.unwrap(),
        "x.pcap: at octet 24: the record claims more than 16777216 octets"
    );
}

#[test]
fn many_packets_cross_bursts_and_read_buffers() {
    let mut file = raw_ip();
    for _ in 0..20_000 {
        file = file.packet(&v4());
    }
    let drained = drain(file.octets);
    assert_eq!((drained.datagrams.len(), drained.error), (20_000, None));
    assert!(drained.datagrams.iter().zip(1..).all(|(datagram, number)| datagram.0 == number));
}

#[test]
fn a_missing_file_is_named() {
    let error = PcapSource::open(Path::new("/nonexistent/x.pcap"), &[1813]).err().unwrap();
    assert_eq!(error.to_string(), "/nonexistent/x.pcap: at octet 0: No such file or directory (os error 2)");
}

#[test]
fn what_the_writer_writes_the_reader_reads() {
    let pairs: [(SocketAddr, SocketAddr); 2] = [
        ("192.0.2.1:40000".parse().unwrap(), "198.51.100.1:1813".parse().unwrap()),
        ("[2001:db8::1]:40000".parse().unwrap(), "[2001:db8::2]:1813".parse().unwrap()),
    ];
    let mut writer = PcapWriter::new(Vec::new()).unwrap();
    for (source, destination) in pairs {
        writer.datagram(TIME_NS + 7, source, destination, PAYLOAD).unwrap();
    }
    assert!(writer.datagram(0, pairs[0].0, pairs[1].1, PAYLOAD).is_err());
    assert!(writer.datagram(0, pairs[0].0, pairs[0].1, &[0; 65_536]).is_err());
    let drained = drain(writer.finish().unwrap());
    let read = drained.datagrams.iter().map(|datagram| (datagram.1, datagram.2)).collect::<Vec<_>>();
    assert_eq!(read, pairs);
    assert!(drained.datagrams.iter().all(|datagram| datagram.4 == TIME_NS + 7));
    assert_eq!(payloads(&drained), [PAYLOAD, PAYLOAD]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn damage_anywhere_never_panics_and_counters_add_up(
        ng in any::<bool>(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let pieces = v4_fragments(&v4(), &[0, 2, 5]);
        let mut octets = if ng {
            Pcapng::new(false).interface(1, Some(9), 0).enhanced(0, TIME_NS, &ethernet(&[4, 5], &v6()))
                .enhanced(0, TIME_NS, &ethernet(&[], &pieces[0])).simple(60, &ethernet(&[], &pieces[1])).octets
        } else {
            pieces.iter().fold(raw_ip().packet(&v6()), |file, piece| file.packet(piece)).octets
        };
        for (index, value) in damage {
            let at = index.index(octets.len());
            octets[at] = value;
        }
        let drained = drain(octets);
        let counters = drained.counters;
        prop_assert_eq!(drained.datagrams.len() as u64, counters.datagrams);
        prop_assert!(counters.datagrams <= counters.packets);
        prop_assert!(counters.other + counters.fragments + counters.unsupported_link <= counters.packets);
    }
}

/// The header that the builder writes is the one that the cases above rely on.
#[test]
fn ethernet_frames_of_these_tests_are_ethernet() {
    let frame = ethernet(&[], &v4());
    assert_eq!(Ethernet2Header::from_slice(&frame).unwrap().0.ether_type.0, 0x0800);
}
