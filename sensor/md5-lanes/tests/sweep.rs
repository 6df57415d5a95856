//! Every packet length, every secret length, every lane: against the definition.
#![allow(clippy::unwrap_used, reason = "test helpers may panic like tests")]

mod common;

use common::{every_path, message_authenticator, noise, response_authenticator, signed};
use md5_lanes::{MessageCheck, Path, Prepared, RequestCheck, ResponseSignature};

/// The longest packet (RFC 2865 section 3).
const LONGEST: usize = if cfg!(any(miri, emulated)) { 200 } else { 4096 };

/// Secrets up to a block with its padding and a few beyond, where the tail takes one, two, three and more blocks. An
/// emulated processor gets those around the boundaries.
fn secret_lengths() -> Vec<usize> {
    if cfg!(miri) {
        vec![1, 64]
    } else if cfg!(emulated) {
        vec![1, 15, 16, 55, 56, 57, 63, 64, 65, 130]
    } else {
        (1..=72).chain([119, 120, 121, 128, 129, 1000, 4096]).collect()
    }
}

/// A shuffle that is the same each time: neighbours in length do not stay neighbours.
fn shuffled(lengths: std::ops::RangeInclusive<usize>) -> Vec<usize> {
    let mut lengths: Vec<_> = lengths.collect();
    let count = lengths.len();
    lengths.sort_by_key(|length| length * 7919 % count);
    lengths
}

#[test]
fn every_packet_length_under_every_secret_length() {
    let lengths = shuffled(20..=LONGEST);
    let mut every_lanes = every_path();
    for secret_length in secret_lengths() {
        let octets = noise(secret_length as u64, secret_length);
        let secret = Prepared::new(&octets);
        let packets: Vec<_> = lengths
            .iter()
            .map(|&length| {
                let mut packet = signed(length as u64, length, &octets);
                if length % 3 == 0 {
                    let bit = length * 31 % (length * 8);
                    packet[bit / 8] ^= 1 << (bit % 8);
                }
                packet
            })
            .collect();
        for lanes in &mut every_lanes {
            let mut checks: Vec<_> = packets
                .iter()
                .map(|octets| RequestCheck { octets, secret: &secret, genuine: false })
                .collect();
            lanes.verify_requests(&mut checks);
            for check in checks {
                let length = check.octets.len();
                assert_eq!(
                    check.genuine,
                    length % 3 != 0,
                    "{lanes:?}: {length} octets, secret of {secret_length}"
                );
            }
        }
    }
}

#[test]
fn every_lane_at_every_length() {
    // More than the lanes of all vectors that are interleaved, so that a vector is also refilled.
    let count: usize = if cfg!(miri) { 20 } else { 100 };
    let bits = count.next_power_of_two().trailing_zeros();
    let mut every_lanes = every_path();
    // One by one there are no lanes.
    every_lanes.retain(|lanes| lanes.path() != Path::Scalar);
    assert!(cfg!(miri) || !every_lanes.is_empty());
    for secret_length in secret_lengths().into_iter().filter(|&length| length <= 130) {
        let secret = noise(5, secret_length);
        let prepared = Prepared::new(&secret);
        for length in (20..=LONGEST.min(300)).step_by(if cfg!(any(miri, emulated)) { 13 } else { 1 }) {
            let good = signed(9, length, &secret);
            let mut bad = good.clone();
            bad[(length * 7 + secret_length) % length] ^= 1 << (length % 8);
            for lanes in &mut every_lanes {
                // In round n those are forged whose place has bit n: no two places have the same verdicts.
                for bit in 0..bits {
                    let is_good = |place: usize| place >> bit & 1 == 0;
                    let mut checks: Vec<_> = (0..count)
                        .map(|place| RequestCheck {
                            octets: if is_good(place) { &good } else { &bad },
                            secret: &prepared,
                            genuine: !is_good(place),
                        })
                        .collect();
                    lanes.verify_requests(&mut checks);
                    for (place, check) in checks.iter().enumerate() {
                        assert_eq!(
                            check.genuine,
                            is_good(place),
                            "{lanes:?}: place {place}, {length} octets, secret of {secret_length}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn every_bit_of_a_request_counts() {
    let secret = noise(1, 16);
    let prepared = Prepared::new(&secret);
    let good = signed(2, if cfg!(miri) { 20 } else { 150 }, &secret);
    let forged: Vec<Vec<u8>> = (0..good.len() * 8)
        .map(|bit| {
            let mut forged = good.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            forged
        })
        .collect();
    for mut lanes in every_path() {
        let mut checks: Vec<_> = forged
            .iter()
            .chain([&good])
            .map(|octets| RequestCheck { octets, secret: &prepared, genuine: true })
            .collect();
        lanes.verify_requests(&mut checks);
        let genuine: Vec<_> =
            checks.iter().enumerate().filter(|(_, check)| check.genuine).map(|(n, _)| n).collect();
        assert_eq!(genuine, [forged.len()], "{lanes:?}");
    }
}

#[test]
fn responses_and_messages_of_every_length() {
    let lengths = shuffled(36..=LONGEST);
    let mut every_lanes = every_path();
    for secret_length in secret_lengths().into_iter().step_by(7) {
        let octets = noise(secret_length as u64, secret_length);
        let secret = Prepared::new(&octets);
        let packets: Vec<_> = lengths.iter().map(|&length| noise(length as u64, length)).collect();
        let offset = |length: usize| 20 + length * 13 % (length - 35);
        let right: Vec<_> = packets
            .iter()
            .map(|packet| {
                let digest =
                    message_authenticator(packet, offset(packet.len()), packet.len() % 2 == 0, &octets);
                let mut packet = packet.clone();
                let offset = offset(packet.len());
                packet[offset..offset + 16].copy_from_slice(&digest);
                packet
            })
            .collect();
        let signatures: Vec<_> =
            packets.iter().map(|packet| response_authenticator(packet, &octets)).collect();
        for lanes in &mut every_lanes {
            let mut signed = packets.clone();
            let mut responses: Vec<_> =
                signed.iter_mut().map(|octets| ResponseSignature { octets, secret: &secret }).collect();
            lanes.sign_responses(&mut responses);
            for ((signed, packet), signature) in signed.iter().zip(&packets).zip(&signatures) {
                let expected = [&packet[..4], signature, &packet[20..]].concat();
                assert_eq!(
                    *signed,
                    expected,
                    "{lanes:?}: {} octets, secret of {secret_length}",
                    packet.len()
                );
            }
            let mut checks: Vec<_> = right
                .iter()
                .chain(&packets)
                .map(|octets| MessageCheck {
                    octets,
                    secret: &secret,
                    offset: offset(octets.len()),
                    keeps_authenticator: octets.len() % 2 == 0,
                    genuine: false,
                })
                .collect();
            lanes.verify_messages(&mut checks);
            for (place, check) in checks.iter().enumerate() {
                let length = check.octets.len();
                assert_eq!(
                    check.genuine,
                    place < right.len(),
                    "{lanes:?}: {length} octets, secret of {secret_length}"
                );
            }
        }
    }
}
