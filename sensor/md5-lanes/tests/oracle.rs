//! Every batch against the definition, one request at a time.
#![allow(clippy::unwrap_used, reason = "test helpers may panic like tests")]

use md5::{Digest, Md5};
use md5_lanes::{RequestCheck, verify_requests};
use proptest::prelude::*;

/// The definition, over one concatenated text: RFC 2866 section 3.
fn authenticator(octets: &[u8], secret: &[u8]) -> [u8; 16] {
    Md5::digest([&octets[..4], &[0; 16], &octets[20..], secret].concat()).into()
}

/// A request with `attributes`, signed.
fn signed(attributes: &[u8], secret: &[u8]) -> Vec<u8> {
    let length = 20 + attributes.len() as u16;
    let mut octets = vec![4, 9];
    octets.extend(length.to_be_bytes());
    octets.extend([0; 16]);
    octets.extend(attributes);
    let digest = authenticator(&octets, secret);
    octets[4..20].copy_from_slice(&digest);
    octets
}

fn verdicts(requests: &[(Vec<u8>, Vec<u8>)]) -> Vec<bool> {
    // What stood in `genuine` before must not matter.
    let mut checks: Vec<_> = requests
        .iter()
        .enumerate()
        .map(|(n, (octets, secret))| RequestCheck { octets, secret, genuine: n % 2 == 0 })
        .collect();
    verify_requests(&mut checks);
    checks.iter().map(|check| check.genuine).collect()
}

#[test]
fn an_empty_batch_is_fine() {
    verify_requests(&mut []);
}

#[test]
fn every_length_around_the_block_boundaries_and_every_batch_size() {
    let secret_lengths = if cfg!(miri) { vec![1, 55, 64] } else { (1..=130).collect::<Vec<_>>() };
    for secret_length in secret_lengths {
        let secret: Vec<u8> = (0..secret_length).map(|n| n as u8 ^ 0x5A).collect();
        let batch: Vec<_> = (0..if cfg!(miri) { 20 } else { 150 })
            .map(|n| (signed(&vec![n as u8; n], &secret), secret.clone()))
            .collect();
        for size in [1, 2, 3, 7, 8, 15, 16, 17, 20, 64, 65, 150] {
            let Some(batch) = batch.get(..size) else { continue };
            assert_eq!(verdicts(batch), vec![true; size]);
        }
    }
}

#[test]
fn one_forged_request_does_not_touch_its_neighbours() {
    let good: Vec<_> = (0..if cfg!(miri) { 8 } else { 40 })
        .map(|n| (signed(&vec![7; n * 11], b"xyzzy"), b"xyzzy".to_vec()))
        .collect();
    for forged in 0..good.len() {
        let mut batch = good.clone();
        *batch[forged].0.last_mut().unwrap() ^= 1;
        let expected: Vec<_> = (0..good.len()).map(|n| n != forged).collect();
        assert_eq!(verdicts(&batch), expected);
    }
}

#[test]
fn short_octets_and_empty_secrets_are_never_genuine() {
    let whole = signed(&[], b"s");
    let mut batch: Vec<_> = (0..20).map(|n| (whole[..n].to_vec(), b"s".to_vec())).collect();
    batch.push((signed(&[1, 2, 3], b""), vec![]));
    batch.push((whole, b"s".to_vec()));
    let mut expected = vec![false; 21];
    expected.push(true);
    assert_eq!(verdicts(&batch), expected);
}

#[test]
fn the_largest_request_with_a_long_secret() {
    let secret = vec![0xC3; 4096];
    assert_eq!(verdicts(&[(signed(&vec![1; 4076], &secret), secret)]), [true]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 8 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_batch_agrees_with_the_definition(
        requests in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..400), prop::collection::vec(any::<u8>(), 1..100), any::<Option<u16>>()),
            0..if cfg!(miri) { 6 } else { 70 },
        ),
    ) {
        let requests: Vec<_> = requests
            .into_iter()
            .map(|(attributes, secret, flip)| {
                let mut octets = signed(&attributes, &secret);
                if let Some(flip) = flip {
                    let bit = usize::from(flip) % (octets.len() * 8);
                    octets[bit / 8] ^= 1 << (bit % 8);
                }
                (octets, secret)
            })
            .collect();
        let expected: Vec<_> =
            requests.iter().map(|(octets, secret)| octets[4..20] == authenticator(octets, secret)).collect();
        prop_assert_eq!(verdicts(&requests), expected);
    }

    #[test]
    fn arbitrary_octets_never_panic(
        requests in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..60), prop::collection::vec(any::<u8>(), 0..20)), 0..10),
    ) {
        for genuine in verdicts(&requests) {
            prop_assert!(!genuine);
        }
    }
}
