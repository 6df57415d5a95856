//! A shared secret made ready: what follows a message is composed from it by loads alone.

use std::fmt;

use md5::{Digest as _, Md5};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    kernel::{BLOCK, State, Words},
    portable,
    rounds::INITIAL,
};

/// What a message ends in where no secret follows it: 64 zeros, the padding's first octet, zeros.
pub(crate) static PADDING: [u8; tail_length(0)] = {
    let mut tail = [0; tail_length(0)];
    tail[BLOCK] = 0x80;
    tail
};

/// Octets of a tail for a secret of this length: the last block begins at most 8 octets behind the secret's end, and
/// 64 octets are read from there on, counted with the 64 zeros in front.
const fn tail_length(secret: usize) -> usize {
    BLOCK + secret + 8 + BLOCK
}

/// A shared secret made ready for the lanes: the padded text that follows a message, and the inner and outer states of
/// HMAC-MD5 (RFC 2104 section 4). Make it once a secret, not once a message: it allocates and hashes.
///
/// Any length. An empty secret can be prepared, and nothing ever verifies under it. Overwritten with zeros on drop;
/// `Debug` shows nothing of it.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Prepared {
    /// 64 zeros, the secret, 0x80, zeros.
    tail: Box<[u8]>,
    length: usize,
    inner: [u32; 4],
    outer: [u32; 4],
}

impl Prepared {
    /// Prepares a secret. The caller's octets stay the caller's to wipe.
    pub fn new(secret: &[u8]) -> Prepared {
        let mut tail = vec![0; tail_length(secret.len())].into_boxed_slice();
        tail[BLOCK..BLOCK + secret.len()].copy_from_slice(secret);
        tail[BLOCK + secret.len()] = 0x80;
        let mut key = Zeroizing::new([0; BLOCK]);
        if secret.len() > BLOCK {
            key[..16].copy_from_slice(&<[u8; 16]>::from(Md5::digest(secret)));
        } else {
            key[..secret.len()].copy_from_slice(secret);
        }
        Prepared { tail, length: secret.len(), inner: keyed(&key, 0x36), outer: keyed(&key, 0x5C) }
    }

    /// The secret itself.
    pub fn octets(&self) -> &[u8] {
        &self.tail[BLOCK..BLOCK + self.length]
    }

    /// Whether there is no secret: under an empty one nothing is genuine.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Loads the cache lines that the lanes will read of a secret of usual length, and returns a mixture that means
    /// nothing: for callers that have many secrets and bring those of a burst near at once. No octet of the secret is
    /// looked at, only the zeros and the padding around it.
    #[inline]
    pub fn bring_near(&self) -> u8 {
        let places = [0, BLOCK - 1, BLOCK + self.length, self.tail.len() - 1];
        places.iter().fold(0, |mixture, &place| mixture ^ self.tail[place])
    }

    /// What follows a message: 64 zeros, the secret, its padding.
    #[inline(always)]
    pub(crate) fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// Octets of the secret.
    #[inline(always)]
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// The state of HMAC-MD5 before the message.
    pub(crate) fn inner(&self) -> &[u32; 4] {
        &self.inner
    }

    /// The state of HMAC-MD5 before the inner digest.
    pub(crate) fn outer(&self) -> &[u32; 4] {
        &self.outer
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prepared(redacted)")
    }
}

/// The state after the block of the key with `pad` on every octet.
fn keyed(key: &[u8; BLOCK], pad: u8) -> [u32; 4] {
    let mut block = Zeroizing::new(key.map(|octet| octet ^ pad));
    let mut states = [State::<1>::all(INITIAL)];
    let mut words = [Words::<1>::ZERO];
    portable::transpose(&[&block], &mut words[0]);
    portable::compress(&mut states, &words);
    words.zeroize();
    block.zeroize();
    states[0].0.map(|[word]| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_it() {
        assert_eq!(format!("{:?}", Prepared::new(b"xyzzy5461")), "Prepared(redacted)");
    }

    #[test]
    fn the_octets_are_the_secret() {
        for length in [0, 1, 16, 63, 64, 65, 300] {
            let secret = vec![b'x'; length];
            let prepared = Prepared::new(&secret);
            assert_eq!(prepared.octets(), secret);
            assert_eq!(prepared.is_empty(), length == 0);
        }
    }

    #[test]
    fn the_state_of_a_long_key_is_that_of_its_digest() {
        let long = vec![7; 65];
        let short: [u8; 16] = Md5::digest(&long).into();
        assert_eq!(Prepared::new(&long).inner, Prepared::new(&short).inner);
        assert_eq!(Prepared::new(&long).outer, Prepared::new(&short).outer);
    }
}
