//! The definitions over one concatenated text, and the lanes of every path this machine has.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test uses its part; helpers may panic like tests"
)]

use std::{
    io::{self, Write as _},
    sync::Once,
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use md5_lanes::{Lanes, Path};

/// RFC 2866 section 3, over a packet whose Authenticator field holds anything.
pub fn request_authenticator(octets: &[u8], secret: &[u8]) -> [u8; 16] {
    Md5::digest([&octets[..4], &[0; 16], &octets[20..], secret].concat()).into()
}

/// RFC 2866 section 3, over a response that holds the Authenticator of its request.
pub fn response_authenticator(octets: &[u8], secret: &[u8]) -> [u8; 16] {
    Md5::digest([octets, secret].concat()).into()
}

/// RFC 2869 section 5.14, RFC 5997 section 3.
pub fn message_authenticator(octets: &[u8], offset: usize, keeps: bool, secret: &[u8]) -> [u8; 16] {
    let mut octets = octets.to_vec();
    octets[offset..offset + 16].fill(0);
    if !keeps {
        octets[4..20].fill(0);
    }
    let mut mac = Hmac::<Md5>::new_from_slice(secret).unwrap();
    mac.update(&octets);
    mac.finalize().into_bytes().into()
}

/// Octets that look like nothing, the same for the same seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut octets = Vec::with_capacity(length + 8);
    while octets.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        octets.extend(state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
    }
    octets.truncate(length);
    octets
}

/// A packet of `length` octets (20 or more) whose Authenticator is right.
pub fn signed(seed: u64, length: usize, secret: &[u8]) -> Vec<u8> {
    let mut octets = noise(seed, length);
    let digest = request_authenticator(&octets, secret);
    octets[4..20].copy_from_slice(&digest);
    octets
}

/// Whether a processor of this architecture can have the path.
fn is_of_this_architecture(path: Path) -> bool {
    match path {
        Path::Scalar => true,
        Path::Neon => cfg!(target_arch = "aarch64"),
        Path::Avx2 | Path::Avx512 => cfg!(target_arch = "x86_64"),
    }
}

/// Lanes of each path that this processor has. Says once, past what the test runner holds back, which it has not: what
/// these tests then leave open should be seen.
pub fn every_path() -> Vec<Lanes> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for path in
            Path::ALL.into_iter().filter(|path| is_of_this_architecture(*path) && !path.is_available())
        {
            let _ = writeln!(
                io::stderr(),
                "digests by {path} are NOT TESTED: this processor cannot compute them"
            );
        }
    });
    Path::ALL.into_iter().filter(|path| path.is_available()).map(|path| Lanes::new(path).unwrap()).collect()
}
