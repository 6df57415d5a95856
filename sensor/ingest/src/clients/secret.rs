//! Shared secrets: held in one place, overwritten when let go, never shown.

use std::fmt;

use md5_lanes::Prepared;
use zeroize::Zeroizing;

/// A RADIUS shared secret. Overwritten with zeros on drop; neither printable nor comparable: the only thing to do
/// with one is to key a digest, whose result is compared in constant time.
// In a box, since it takes some 300 octets and a client nearly always has only one of its two.
pub struct Secret(Box<Prepared>);

/// RFC 2865 section 3: a secret must not be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret is empty")]
pub struct EmptySecret;

impl Secret {
    /// Takes the octets over; at least one.
    pub fn new(octets: Vec<u8>) -> Result<Secret, EmptySecret> {
        let octets = Zeroizing::new(octets);
        if octets.is_empty() {
            return Err(EmptySecret);
        }
        Ok(Secret(Box::new(Prepared::new(&octets))))
    }

    /// The secret in the form that the digests take.
    pub(crate) fn prepared(&self) -> &Prepared {
        &self.0
    }

    /// Whether it is shorter than the 16 octets that RFC 2865 section 3 prefers: one request is then enough to
    /// guess it offline.
    pub fn is_weak(&self) -> bool {
        self.0.octets().len() < 16
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r27_empty_is_refused_and_short_is_weak() {
        assert_eq!(Secret::new(Vec::new()).unwrap_err(), EmptySecret);
        assert!(Secret::new(vec![b'x'; 15]).unwrap().is_weak());
        assert!(!Secret::new(vec![b'x'; 16]).unwrap().is_weak());
    }

    #[test]
    fn debug_shows_nothing_of_it() {
        let shown = format!("{:?}", Secret::new(b"xyzzy5461".to_vec()).unwrap());
        assert_eq!(shown, "Secret(redacted)");
    }
}
