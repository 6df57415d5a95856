//! The committed object in the running kernel (`BPF_PROG_TEST_RUN`): every verdict, and what each rests on.
//!
//! Needs root. Without it the tests fail: a program that nobody ran proves nothing.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod frames;
mod kernel;

use frames::{V4_LOCAL, V4_SOURCE, ours4, ours6, tagged, udp4, udp6, v4, v6};
use kernel::{Steer, both};
use sensor_ebpf::{Config, Flags, Meta, UNKNOWN_SOURCES, Verdict, programs};

const CUSTOMER: u16 = 0x8100;
const SERVICE: u16 = 0x88A8;

fn expect(frame: &[u8], verdict: Verdict) {
    for mut steer in both() {
        assert_eq!(steer.run(frame).verdict, verdict);
    }
}

#[test]
fn a_known_clients_datagram_goes_to_the_ring_with_its_metadata() {
    for mut steer in both() {
        for (tags, frame, ip_length, client, flags) in [
            (&[][..], ours4(), 20, 7, Flags(0)),
            (&[CUSTOMER][..], ours4(), 20, 7, Flags(0)),
            (&[SERVICE, CUSTOMER][..], ours4(), 20, 7, Flags(0)),
            (&[][..], ours6(), 40, 9, Flags::IPV6),
            (&[SERVICE][..], ours6(), 40, 9, Flags::IPV6),
            (&[CUSTOMER, CUSTOMER][..], ours6(), 40, 9, Flags::IPV6),
        ] {
            let before = monotonic_ns();
            let outcome = steer.run(&tagged(frame, tags));
            let after = monotonic_ns();
            assert_eq!(outcome.verdict, Verdict::Steered);
            let meta = outcome.meta.unwrap();
            let l3 = 14 + 4 * tags.len() as u8;
            assert!((before..=after).contains(&meta.arrival_ns));
            assert_eq!(
                meta,
                Meta {
                    arrival_ns: meta.arrival_ns,
                    magic: Meta::MAGIC,
                    client_index: client,
                    payload_length: 100,
                    flags,
                    l3_offset: l3,
                    l4_offset: l3 + ip_length,
                    payload_offset: l3 + ip_length + 8,
                    vlan_tags: tags.len() as u8,
                }
            );
            let start = usize::from(meta.payload_offset);
            assert_eq!(outcome.packet[start..], [0xA5; 100]);
        }
    }
}

#[test]
fn padding_of_short_frames_is_not_payload() {
    for mut steer in both() {
        let mut frame = udp4(V4_SOURCE, V4_LOCAL, 1813, 0);
        frame.resize(60, 0);
        let outcome = steer.run(&frame);
        assert_eq!((outcome.verdict, outcome.meta.unwrap().payload_length), (Verdict::Steered, 0));
    }
}

#[test]
fn disarmed_everything_passes() {
    for mut steer in both() {
        steer.configure(Config { armed: 0, frame_length_max: 1792, sample_interval_ns: 1 });
        for frame in [ours4(), ours6(), udp4([8; 4], V4_LOCAL, 1813, 9), vec![0; 60]] {
            assert_eq!(steer.run(&frame).verdict, Verdict::Disarmed);
        }
        assert_eq!(steer.unknown_sources(), []);
    }
}

#[test]
fn what_is_not_ip_passes() {
    let mut arp = vec![0; 60];
    arp[12..14].copy_from_slice(&[0x08, 0x06]);
    expect(&arp, Verdict::NotIp);
    expect(&tagged(ours4(), &[CUSTOMER; 3]), Verdict::NotIp);
    expect(&tagged(ours6(), &[SERVICE, CUSTOMER, CUSTOMER]), Verdict::NotIp);
    // The ethertype lies about the version.
    for (mut frame, version) in [(ours4(), 0x65), (ours4(), 0x05), (ours6(), 0x45), (ours6(), 0x00)] {
        frame[14] = version;
        expect(&frame, Verdict::NotIp);
    }
}

#[test]
fn other_transports_ports_and_addresses_pass() {
    let (mut tcp4, mut tcp6) = (ours4(), ours6());
    tcp4[14 + 9] = 6;
    tcp6[14 + 6] = 6;
    expect(&tcp4, Verdict::NotUdp);
    expect(&tcp6, Verdict::NotUdp);
    for port in [0, 1812, 1814, 1813 ^ 64, 65_535] {
        expect(&udp4(V4_SOURCE, V4_LOCAL, port, 100), Verdict::OtherPort);
        expect(&udp6(v6("2001:db8::99"), v6("2001:db8::1"), port, 100), Verdict::OtherPort);
    }
    for address in ["192.0.2.2", "255.255.255.255", "224.0.0.1", "10.1.2.3"] {
        expect(&udp4(V4_SOURCE, v4(address), 1813, 100), Verdict::OtherAddress);
    }
    for address in ["2001:db8::2", "ff02::1", "::ffff:192.0.2.1"] {
        expect(&udp6(v6("2001:db8::99"), v6(address), 1813, 100), Verdict::OtherAddress);
    }
}

#[test]
fn an_address_is_ours_only_with_its_own_port() {
    for mut steer in both() {
        steer.listen("192.0.2.5", 65_535);
        assert_eq!(steer.run(&udp4(V4_SOURCE, v4("192.0.2.5"), 65_535, 9)).verdict, Verdict::Steered);
        assert_eq!(steer.run(&udp4(V4_SOURCE, v4("192.0.2.5"), 1813, 9)).verdict, Verdict::OtherAddress);
        assert_eq!(steer.run(&udp4(V4_SOURCE, V4_LOCAL, 65_535, 9)).verdict, Verdict::OtherAddress);
    }
}

#[test]
fn fragments_options_and_extension_headers_pass() {
    // More fragments, an offset, both, don't-fragment with an offset.
    for flags_and_offset in [0x2000_u16, 0x0001, 0x1FFF, 0x2001, 0x4001] {
        let mut frame = ours4();
        frame[20..22].copy_from_slice(&flags_and_offset.to_be_bytes());
        expect(&frame, Verdict::Ipv4Fragment);
    }
    let mut whole = ours4();
    whole[20..22].copy_from_slice(&[0x40, 0]);
    expect(&whole, Verdict::Steered);

    for version_and_length in [0x40, 0x44, 0x46, 0x4F] {
        let mut frame = ours4();
        frame[14] = version_and_length;
        expect(&frame, Verdict::Ipv4Options);
    }
    for next_header in [0, 43, 44, 50, 51, 60, 135, 139, 140, 253, 254] {
        let mut frame = ours6();
        frame[14 + 6] = next_header;
        expect(&frame, Verdict::Ipv6Extension);
    }
}

#[test]
fn a_frame_may_end_at_any_octet() {
    for mut steer in both() {
        for tags in [&[][..], &[CUSTOMER], &[SERVICE, CUSTOMER]] {
            for (whole, headers) in [(ours4(), 42), (ours6(), 62)] {
                let whole = tagged(whole, tags);
                let headers = headers + 4 * tags.len();
                // The kernel runs no test on less than an Ethernet header.
                for end in 14..whole.len() {
                    let expected = if end < headers { Verdict::Truncated } else { Verdict::BadLength };
                    assert_eq!(steer.run(&whole[..end]).verdict, expected, "{end} octets");
                }
                assert_eq!(steer.run(&whole).verdict, Verdict::Steered);
            }
        }
    }
}

#[test]
fn lengths_that_contradict_each_other_pass() {
    // IPv4's total length, IPv6's payload length and UDP's length of a datagram of 100 octets.
    for (frame, ip_at, ip_true) in [(ours4(), 16, 128_u16), (ours6(), 18, 108)] {
        let udp_at = frame.len() - 100 - 4;
        for ip in [0, 1, 8, 20, 28, ip_true - 1, ip_true + 1, 1500, 65_535] {
            let mut lying = frame.clone();
            lying[ip_at..ip_at + 2].copy_from_slice(&ip.to_be_bytes());
            expect(&lying, Verdict::BadLength);
        }
        for udp in [0, 1, 7, 8, 107, 109, 1500, 65_535] {
            let mut lying = frame.clone();
            lying[udp_at..udp_at + 2].copy_from_slice(&u16::to_be_bytes(udp));
            expect(&lying, Verdict::BadLength);
        }
        // Both agree, and the frame has less, or has more (padding).
        for (more, verdict) in
            [(1_i32, Verdict::BadLength), (60_000, Verdict::BadLength), (-1, Verdict::Steered)]
        {
            let mut lying = frame.clone();
            let ip = (i32::from(ip_true) + more) as u16;
            let udp = (108 + more) as u16;
            lying[ip_at..ip_at + 2].copy_from_slice(&ip.to_be_bytes());
            lying[udp_at..udp_at + 2].copy_from_slice(&udp.to_be_bytes());
            expect(&lying, verdict);
        }
    }
}

#[test]
fn a_frame_longer_than_a_umem_frame_passes() {
    expect(&udp4(V4_SOURCE, V4_LOCAL, 1813, 1792 - 42), Verdict::Steered);
    expect(&udp4(V4_SOURCE, V4_LOCAL, 1813, 1792 - 41), Verdict::TooLong);
    expect(&udp6(v6("2001:db8::99"), v6("2001:db8::1"), 1813, 1792 - 61), Verdict::TooLong);
    // Padding counts: it would be copied as well.
    let mut padded = ours4();
    padded.resize(1793, 0);
    expect(&padded, Verdict::TooLong);
}

#[test]
fn a_packet_of_several_buffers_passes() {
    let mut steer = Steer::ready(programs::STEER_FRAGS);
    steer.configure(Config { armed: 1, frame_length_max: 9000, sample_interval_ns: 0 });
    assert_eq!(steer.run(&udp4(V4_SOURCE, V4_LOCAL, 1813, 3000)).verdict, Verdict::Steered);
    assert_eq!(steer.run(&udp4(V4_SOURCE, V4_LOCAL, 1813, 4000)).verdict, Verdict::MultiBuffer);
}

#[test]
fn without_a_socket_at_the_queue_the_packet_passes() {
    for mut steer in both() {
        steer.close_socket();
        assert_eq!(steer.run(&ours4()).verdict, Verdict::NoSocket);
        steer.open_socket();
        assert_eq!(steer.run(&ours4()).verdict, Verdict::Steered);
    }
}

#[test]
fn without_room_for_metadata_the_packet_passes() {
    for mut steer in both() {
        // Metadata of another program fills the headroom of 256 octets, of which the kernel keeps some for itself.
        assert_eq!(steer.run_behind(&[1; 200], &ours4()).verdict, Verdict::NoMetadata);
    }
}

#[test]
fn the_longest_prefix_names_the_client() {
    for mut steer in both() {
        steer.client("10.1.0.0", 16, 70);
        steer.client("10.1.2.3", 32, 71);
        steer.client("2001:db8::99", 128, 90);
        steer.client("0.0.0.0", 0, 1);
        for (source, client) in [("10.1.2.3", 71), ("10.1.2.4", 70), ("10.2.0.0", 7), ("198.51.100.1", 1)] {
            let outcome = steer.run(&udp4(v4(source), V4_LOCAL, 1813, 9));
            assert_eq!(outcome.meta.unwrap().client_index, client);
        }
        for (source, client) in [("2001:db8::99", 90), ("2001:db8::98", 9)] {
            let outcome = steer.run(&udp6(v6(source), v6("2001:db8::1"), 1813, 9));
            assert_eq!(outcome.meta.unwrap().client_index, client);
        }
    }
}

#[test]
fn unknown_sources_die_and_are_remembered() {
    for mut steer in both() {
        let four = udp4(v4("198.51.100.7"), V4_LOCAL, 1813, 9);
        let six = udp6(v6("2001:db9::7"), v6("2001:db8::1"), 1813, 9);
        // Whatever its lengths say, and whether or not a socket is there.
        for frame in [&four[..], &four[..43], &six[..], &six[..62]] {
            assert_eq!(steer.run(frame).verdict, Verdict::UnknownClient);
        }
        steer.close_socket();
        let before = monotonic_ns();
        assert_eq!(steer.run(&four).verdict, Verdict::UnknownClient);
        let mut sources = steer.unknown_sources();
        sources.sort_by_key(|(address, _)| *address);
        let [(mapped, first), (long, second)] = sources[..] else { panic!("{sources:?}") };
        assert_eq!((mapped, long), (v6("::ffff:198.51.100.7"), v6("2001:db9::7")));
        assert_eq!((first.count, second.count), (3, 2));
        assert_eq!(u16::from_be_bytes(first.last_port), 40_000);
        assert_eq!(u16::from_be_bytes(first.our_port), 1813);
        assert!((before..=monotonic_ns()).contains(&first.last_ns));
        assert!(second.last_ns < before);
    }
}

#[test]
fn the_memory_of_unknown_sources_is_bounded() {
    let mut steer = Steer::ready(programs::STEER);
    for index in 0..3 * UNKNOWN_SOURCES {
        let [.., high, low] = index.to_be_bytes();
        assert_eq!(steer.run(&udp4([11, 0, high, low], V4_LOCAL, 1813, 9)).verdict, Verdict::UnknownClient);
    }
    let remembered = steer.unknown_sources();
    assert!(remembered.len() <= UNKNOWN_SOURCES as usize, "{} remembered", remembered.len());
    let [.., high, low] = (3 * UNKNOWN_SOURCES - 1).to_be_bytes();
    let last = v4(&format!("11.0.{high}.{low}")).map(u16::from);
    assert!(remembered.iter().any(|(address, _)| address[12..].iter().map(|o| u16::from(*o)).eq(last)));
}

#[test]
fn samples_of_unknown_sources_are_rare_and_flagged() {
    for mut steer in both() {
        let unknown = udp4(v4("198.51.100.7"), V4_LOCAL, 1813, 9);
        steer.configure(Config { armed: 1, frame_length_max: 1792, sample_interval_ns: 1 });
        let outcome = steer.run(&unknown);
        assert_eq!(outcome.verdict, Verdict::UnknownSample);
        let meta = outcome.meta.unwrap();
        assert!(meta.flags.has(Flags::UNKNOWN));
        assert_eq!((meta.client_index, meta.payload_length), (Meta::NO_CLIENT, 9));
        steer.configure(Config { armed: 1, frame_length_max: 1792, sample_interval_ns: 3_600_000_000_000 });
        for _ in 0..5 {
            assert_eq!(steer.run(&unknown).verdict, Verdict::UnknownClient);
        }
        // One that cannot go up is no sample, and leaves the turn to the next.
        steer.configure(Config { armed: 1, frame_length_max: 1792, sample_interval_ns: 1 });
        assert_eq!(steer.run(&unknown[..43]).verdict, Verdict::UnknownClient);
        steer.close_socket();
        assert_eq!(steer.run(&unknown).verdict, Verdict::UnknownClient);
        // Each datagram has one verdict, and all are remembered.
        let seen: u64 = steer.unknown_sources().iter().map(|(_, source)| source.count).sum();
        let counters = steer.counters();
        assert_eq!(
            seen,
            counters[Verdict::UnknownClient as usize] + counters[Verdict::UnknownSample as usize]
        );
    }
}

#[test]
fn a_decision_costs_less_than_a_microsecond() {
    let mut steer = Steer::ready(programs::STEER);
    for (name, frame) in [
        ("other port", udp4(V4_SOURCE, V4_LOCAL, 53, 100)),
        ("unknown", udp4([8; 4], V4_LOCAL, 1813, 100)),
        ("too long", udp4(V4_SOURCE, V4_LOCAL, 1813, 1800)),
    ] {
        let nanoseconds = steer.nanoseconds(&frame);
        println!("{name}: {nanoseconds} ns");
        assert!(nanoseconds < 1000.0, "{name}: {nanoseconds} ns");
    }
}

fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
