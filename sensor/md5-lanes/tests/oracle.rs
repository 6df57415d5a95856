//! Every batch against the definition, one message at a time, by every path.
#![allow(clippy::unwrap_used, reason = "test helpers may panic like tests")]

mod common;

use common::{
    every_path, message_authenticator, noise, request_authenticator, response_authenticator, signed,
};
use md5_lanes::{Lanes, MessageCheck, Prepared, RequestCheck, ResponseSignature};
use proptest::prelude::*;

/// Verdicts over (packet, secret).
fn verdicts(lanes: &mut Lanes, requests: &[(Vec<u8>, Prepared)]) -> Vec<bool> {
    // What stood in `genuine` before must not matter.
    let mut checks: Vec<_> = requests
        .iter()
        .enumerate()
        .map(|(n, (octets, secret))| RequestCheck { octets, secret, genuine: n % 2 == 0 })
        .collect();
    lanes.verify_requests(&mut checks);
    checks.iter().map(|check| check.genuine).collect()
}

/// What signing makes of (response, secret).
fn signatures(lanes: &mut Lanes, responses: &[(Vec<u8>, Prepared)]) -> Vec<Vec<u8>> {
    let mut octets: Vec<_> = responses.iter().map(|(octets, _)| octets.clone()).collect();
    let mut batch: Vec<_> = octets
        .iter_mut()
        .zip(responses)
        .map(|(octets, (_, secret))| ResponseSignature { octets, secret })
        .collect();
    lanes.sign_responses(&mut batch);
    octets
}

/// A packet whose Message-Authenticator at `offset` is right.
fn authenticated(seed: u64, length: usize, offset: usize, keeps: bool, secret: &[u8]) -> Vec<u8> {
    let mut octets = noise(seed, length);
    let digest = message_authenticator(&octets, offset, keeps, secret);
    octets[offset..offset + 16].copy_from_slice(&digest);
    octets
}

#[test]
fn empty_batches_are_fine() {
    for mut lanes in every_path() {
        lanes.verify_requests(&mut []);
        lanes.sign_responses(&mut []);
        lanes.verify_messages(&mut []);
    }
}

#[test]
fn every_batch_size() {
    let sizes =
        if cfg!(miri) { vec![1, 2, 3, 17] } else { (0..=200).chain([1023, 1024, 1025, 2100]).collect() };
    let largest = *sizes.last().unwrap();
    let secret = b"xyzzy5461";
    let batch: Vec<_> = (0..largest)
        .map(|n| {
            let mut octets = signed(n as u64, 20 + n * 7 % 300, secret);
            if n % 5 == 3 {
                octets[n % 20] ^= 1;
            }
            (octets, Prepared::new(secret))
        })
        .collect();
    let expected: Vec<_> = (0..largest).map(|n| n % 5 != 3).collect();
    let signed: Vec<_> = batch.iter().map(|(octets, _)| response_authenticator(octets, secret)).collect();
    for mut lanes in every_path() {
        for &size in &sizes {
            assert_eq!(verdicts(&mut lanes, &batch[..size]), expected[..size], "{lanes:?}, {size}");
            for (octets, expected) in signatures(&mut lanes, &batch[..size]).iter().zip(&signed) {
                assert_eq!(octets[4..20], *expected, "{lanes:?}, {size}");
            }
        }
    }
}

#[test]
fn one_forged_request_does_not_touch_its_neighbours() {
    let count = if cfg!(miri) { 8 } else { 150 };
    let mut batch: Vec<_> = (0..count)
        .map(|n| (signed(n as u64, 20 + n * 11 % 400, b"xyzzy"), Prepared::new(b"xyzzy")))
        .collect();
    for mut lanes in every_path() {
        for forged in 0..count {
            *batch[forged].0.last_mut().unwrap() ^= 1;
            let expected: Vec<_> = (0..count).map(|n| n != forged).collect();
            assert_eq!(verdicts(&mut lanes, &batch), expected, "{lanes:?}");
            *batch[forged].0.last_mut().unwrap() ^= 1;
        }
    }
}

#[test]
fn short_octets_and_empty_secrets_are_never_genuine() {
    let whole = signed(1, 20, b"s");
    let mut batch: Vec<_> = (0..20).map(|n| (whole[..n].to_vec(), Prepared::new(b"s"))).collect();
    batch.push((signed(2, 23, b""), Prepared::new(b"")));
    batch.push((whole.clone(), Prepared::new(b"s")));
    let mut expected = vec![false; 21];
    expected.push(true);
    for mut lanes in every_path() {
        assert_eq!(verdicts(&mut lanes, &batch), expected, "{lanes:?}");
        // Alone they go another way.
        for n in 0..batch.len() {
            assert_eq!(verdicts(&mut lanes, &batch[n..=n]), expected[n..=n], "{lanes:?}");
        }
    }
}

#[test]
fn short_responses_are_left_as_they_are() {
    let batch: Vec<_> = (0..20).map(|n| (noise(n, n as usize), Prepared::new(b"s"))).collect();
    for mut lanes in every_path() {
        assert!(
            signatures(&mut lanes, &batch).iter().eq(batch.iter().map(|(octets, _)| octets)),
            "{lanes:?}"
        );
    }
}

#[test]
fn offsets_outside_the_attributes_are_never_genuine() {
    let octets = noise(1, 60);
    let secret = Prepared::new(b"s");
    let outside = [0, 4, 19, 45, 59, 60, 61, usize::MAX - 15, usize::MAX];
    for mut lanes in every_path() {
        let mut checks = outside.map(|offset| MessageCheck {
            octets: &octets,
            secret: &secret,
            offset,
            keeps_authenticator: true,
            genuine: true,
        });
        lanes.verify_messages(&mut checks);
        assert!(checks.iter().all(|check| !check.genuine), "{lanes:?}");
        lanes.verify_messages(&mut checks[..1]);
        assert!(!checks[0].genuine, "{lanes:?}");
    }
}

#[test]
fn messages_at_every_offset_and_secret_length() {
    let lengths: Vec<usize> =
        if cfg!(miri) { vec![40, 130] } else { (38..=200).step_by(3).chain([1000]).collect() };
    for mut lanes in every_path() {
        for &length in &lengths {
            let offsets: Vec<usize> =
                (20..=length - 16).step_by(if cfg!(miri) { 31 } else { 1 + length / 400 }).collect();
            let secrets: Vec<Vec<u8>> = offsets.iter().map(|&offset| noise(3, 1 + offset % 131)).collect();
            let prepared: Vec<_> = secrets.iter().map(|secret| Prepared::new(secret)).collect();
            let packets: Vec<_> = offsets
                .iter()
                .zip(&secrets)
                .map(|(&offset, secret)| {
                    let mut octets = authenticated(offset as u64, length, offset, offset % 2 == 0, secret);
                    if offset % 3 == 0 {
                        let bit = offset * 7 % (length * 8);
                        octets[bit / 8] ^= 1 << (bit % 8);
                    }
                    octets
                })
                .collect();
            let mut checks: Vec<_> = offsets
                .iter()
                .enumerate()
                .map(|(n, &offset)| MessageCheck {
                    octets: &packets[n],
                    secret: &prepared[n],
                    offset,
                    keeps_authenticator: offset % 2 == 0,
                    genuine: n % 2 == 0,
                })
                .collect();
            lanes.verify_messages(&mut checks);
            for (check, secret) in checks.iter().zip(&secrets) {
                let right =
                    message_authenticator(check.octets, check.offset, check.keeps_authenticator, secret);
                let expected = check.octets[check.offset..check.offset + 16] == right;
                assert_eq!(check.genuine, expected, "{lanes:?}, {length} octets, offset {}", check.offset);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 4 } else { 200 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_batch_agrees_with_the_definition(
        requests in prop::collection::vec(
            (20..600_usize, prop::collection::vec(any::<u8>(), 1..150), any::<Option<u16>>()),
            0..if cfg!(miri) { 6 } else { 90 },
        ),
    ) {
        let (batch, expected): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .map(|(length, secret, flip)| {
                let mut octets = signed(length as u64, length, &secret);
                if let Some(flip) = flip {
                    let bit = usize::from(flip) % (octets.len() * 8);
                    octets[bit / 8] ^= 1 << (bit % 8);
                }
                let genuine = octets[4..20] == request_authenticator(&octets, &secret);
                let response = response_authenticator(&octets, &secret);
                ((octets, Prepared::new(&secret)), (genuine, response))
            })
            .unzip();
        for mut lanes in every_path() {
            let genuine: Vec<_> = expected.iter().map(|&(genuine, _)| genuine).collect();
            prop_assert_eq!(verdicts(&mut lanes, &batch), genuine);
            for (signed, (_, response)) in signatures(&mut lanes, &batch).iter().zip(&expected) {
                prop_assert_eq!(&signed[4..20], response);
            }
        }
    }

    #[test]
    fn arbitrary_octets_never_panic(
        requests in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..60), prop::collection::vec(any::<u8>(), 0..20)), 0..10),
    ) {
        let batch: Vec<_> =
            requests.into_iter().map(|(octets, secret)| (octets, Prepared::new(&secret))).collect();
        for mut lanes in every_path() {
            prop_assert!(verdicts(&mut lanes, &batch).iter().all(|genuine| !genuine));
            signatures(&mut lanes, &batch);
        }
    }
}
