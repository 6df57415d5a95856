use proptest::prelude::*;

use super::*;
use crate::batch::Batch;

fn cases() -> u32 {
    if cfg!(miri) { 12 } else { 500 }
}

fn address() -> impl Strategy<Value = SocketAddr> {
    prop_oneof![
        (any::<[u8; 4]>(), any::<u16>()).prop_map(|(a, p)| SocketAddr::new(IpAddr::V4(a.into()), p)),
        (any::<[u8; 16]>(), any::<u16>()).prop_map(|(a, p)| SocketAddr::new(IpAddr::V6(a.into()), p)),
    ]
}

#[derive(Clone, Debug)]
struct Input {
    arrival_unix_ns: u64,
    source: SocketAddr,
    destination: SocketAddr,
    path: CapturePath,
    client: String,
    octets: Vec<u8>,
}

impl Input {
    fn record(&self) -> NewRecord<'_> {
        NewRecord {
            arrival_unix_ns: self.arrival_unix_ns,
            source: self.source,
            destination: self.destination,
            path: self.path,
            client: &self.client,
            octets: &self.octets,
        }
    }
}

fn input() -> impl Strategy<Value = Input> {
    let path = prop_oneof![Just(CapturePath::Xdp), Just(CapturePath::Udp), Just(CapturePath::Pcap)];
    let octets = proptest::collection::vec(any::<u8>(), 0..if cfg!(miri) { 40 } else { 600 });
    // No regular expression as strategy: it is slow under Miri.
    let client = proptest::collection::vec(any::<char>(), 0..100).prop_map(String::from_iter);
    (any::<u64>(), address(), address(), path, client, octets).prop_map(
        |(arrival_unix_ns, source, destination, path, client, octets)| Input {
            arrival_unix_ns,
            source,
            destination,
            path,
            client,
            octets,
        },
    )
}

fn sealed(inputs: &[Input], first: u64, salt: u64) -> Vec<u8> {
    let mut batch = Batch::new("edge-1", 0, MAX_BATCH, u32::MAX);
    for input in inputs {
        let copied = batch.append(&input.record()).unwrap();
        assert_eq!(copied, input.octets);
    }
    batch.seal(first, first - 1, salt);
    batch.octets().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        // Miri has no file system to keep failures in.
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_written_is_read(inputs in proptest::collection::vec(input(), 1..6), first in 1..u64::MAX / 2, salt: u64) {
        let octets = sealed(&inputs, first, salt);
        prop_assert_eq!(octets.len() % ALIGNMENT, 0);
        let view = parse_batch(&octets).unwrap();
        prop_assert_eq!(view.header().total(), octets.len());
        prop_assert_eq!((view.header().first_sequence, view.header().salt), (first, salt));
        prop_assert_eq!(view.header().last_sequence(), first + inputs.len() as u64 - 1);
        prop_assert_eq!(view.sensor(), "edge-1");
        prop_assert_eq!(view.records().count(), inputs.len());
        for (n, (record, input)) in view.records().zip(&inputs).enumerate() {
            prop_assert_eq!(record.sequence, first + n as u64);
            prop_assert_eq!(record.arrival_unix_ns, input.arrival_unix_ns);
            prop_assert_eq!((record.source, record.destination), (input.source, input.destination));
            prop_assert_eq!(record.path, input.path);
            prop_assert!(input.client.starts_with(record.client) && record.client.len() + 4 > input.client.len().min(MAX_CLIENT));
            prop_assert_eq!(record.octets, &input.octets[..]);
        }
        prop_assert_eq!(check(&[vec![0; SEGMENT_HEADER], octets].concat()), 1);
    }

    #[test]
    fn octets_of_any_kind_do_no_harm(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        check(&octets);
        let _ = parse_batch(&octets);
    }
}

fn example() -> Vec<u8> {
    let input = Input {
        arrival_unix_ns: 1,
        source: "192.0.2.1:1".parse().unwrap(),
        destination: "[2001:db8::1]:1813".parse().unwrap(),
        path: CapturePath::Xdp,
        client: "rras".into(),
        octets: vec![4; 20],
    };
    sealed(&[input.clone(), input], 7, 0x5A17)
}

#[test]
fn a_batch_with_any_octet_changed_is_refused() {
    let good = example();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        assert!(parse_batch(&bad).is_err(), "octet {at}");
    }
}

#[test]
fn a_batch_cut_anywhere_is_refused_and_says_how_long_it_was() {
    let good = example();
    for length in 0..good.len() {
        let error = parse_batch(&good[..length]).unwrap_err();
        let known = (length >= BATCH_HEADER).then_some(good.len());
        assert_eq!(error.header().map(|h| h.total()), known, "{length} octets");
        assert!(matches!(error, BatchError::Short(_)));
    }
}

#[test]
fn a_segment_header_with_any_octet_changed_is_refused() {
    let header =
        SegmentHeader { number: 3, first_sequence: 9, salt: 1 << 63, created_unix_ns: 5, redacted: true };
    let good = segment_header(&header);
    assert_eq!(parse_segment_header(&good), Ok(header));
    for at in 0..good.len() {
        let mut bad = good;
        bad[at] ^= 1;
        assert_eq!(parse_segment_header(&bad), Err(SegmentError::Damaged), "octet {at}");
    }
    assert_eq!(parse_segment_header(&good[..63]), Err(SegmentError::Damaged));
}

#[test]
fn a_later_format_is_told_from_damage() {
    let mut octets = segment_header(&SegmentHeader {
        number: 1,
        first_sequence: 1,
        salt: 0,
        created_unix_ns: 0,
        redacted: false,
    });
    octets[8] = 3;
    let crc = crc32c::crc32c(&octets[..60]);
    octets[60..].copy_from_slice(&crc.to_le_bytes());
    assert_eq!(parse_segment_header(&octets), Err(SegmentError::Version(3)));
}

#[test]
fn the_format_is_the_documented_one() {
    let octets = example();
    assert_eq!(octets[..8], *b"\xB5vpnBAT\n");
    assert_eq!(octets[8..12], [1, 0, 6, 0]);
    assert_eq!(octets[12..16], [2, 0, 0, 0]);
    assert_eq!(octets[16], 7);
    assert_eq!(octets[24], 6);
    assert_eq!(octets[32..34], [0x17, 0x5A]);
    let record = 18 + 4 + 16 + 4 + 20;
    assert_eq!(octets[40], 2 * record);
    assert_eq!(octets[48..54], *b"edge-1");
    assert_eq!(octets[54..62], [1, 2, 4, 0, 20, 0, 1, 0]);
    assert_eq!(octets[54 + 18..54 + 22], [192, 0, 2, 1]);
    assert_eq!(octets.len(), (54 + 2 * usize::from(record) + 4).next_multiple_of(8));
}

#[test]
fn a_full_batch_says_so_and_stays_whole() {
    let mut batch = Batch::new("edge-1", 3, 8 << 10, 3);
    let octets = [7; 4096];
    let record = NewRecord {
        arrival_unix_ns: 0,
        source: "[::1]:1".parse().unwrap(),
        destination: "[::1]:2".parse().unwrap(),
        path: CapturePath::Udp,
        client: "",
        octets: &octets,
    };
    assert!(batch.has_room(4096));
    batch.append(&record).unwrap();
    assert!(!batch.has_room(4096));
    assert!(batch.append(&record).is_err());
    let small = NewRecord { octets: &octets[..20], ..record };
    batch.append(&small).unwrap();
    batch.append(&small).unwrap();
    assert!(batch.append(&small).is_err() && !batch.has_room(0));
    batch.seal(1, 0, 0);
    assert_eq!(parse_batch(batch.octets()).unwrap().records().count(), 3);
    // Sealing again gives it another place, with the same records.
    batch.seal(5, 4, 9);
    let view = parse_batch(batch.octets()).unwrap();
    assert_eq!((view.header().first_sequence, view.records().count()), (5, 3));
    assert_eq!((batch.slot(), batch.len()), (3, 3));
}

#[test]
fn a_tombstone_keeps_sequence_arrival_and_path_and_nothing_else() {
    let mut batch = vec![0; BATCH_HEADER];
    batch.extend_from_slice(b"edge-1");
    push_tombstone(&mut batch, 77, CapturePath::Xdp);
    let header = BatchHeader {
        count: 1,
        first_sequence: 9,
        watermark: 8,
        salt: 5,
        sensor_length: 6,
        records_length: TOMBSTONE as u32,
    };
    seal(&mut batch, &header);
    let record = parse_batch(&batch).unwrap().records().next().unwrap();
    assert!(record.redacted && record.client.is_empty() && record.octets.is_empty());
    assert_eq!((record.sequence, record.arrival_unix_ns, record.path), (9, 77, CapturePath::Xdp));
    assert!(record.source.ip().is_unspecified() && record.source.port() == 0);
    assert!(has_tombstones(&batch));
    assert_eq!(check(&[&[0; SEGMENT_HEADER], &*batch].concat()), 1);

    // One with anything left in it is none.
    for at in (2..10).chain(18..TOMBSTONE) {
        let mut batch = batch[..BATCH_HEADER + 6 + TOMBSTONE].to_vec();
        batch[BATCH_HEADER + 6 + at] = 1;
        seal(&mut batch, &header);
        assert!(matches!(parse_batch(&batch), Err(BatchError::Body(_))), "octet {at}");
    }
}
