//! Shared secrets: held in one place, overwritten when let go, never shown.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use md5_lanes::Prepared;
use radius::{Code, build::RequestBuilder};
use zeroize::Zeroizing;

/// A RADIUS shared secret. Overwritten with zeros on drop; neither printable nor comparable: the only thing to do
/// with one is to key a digest, whose result is compared in constant time.
// In a box, since it takes some 300 octets and a client nearly always has only one of its two.
pub struct Secret(Box<Kept>);

struct Kept {
    prepared: Prepared,
    /// When a request last verified under it, seconds since 1970 UTC; 0 for never. Beside what was read for that anyway,
    /// and second-grained, so that workers write it once a second and otherwise only read it.
    last_used_unix_s: AtomicU64,
}

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
        let (prepared, last_used_unix_s) = (Prepared::new(&octets), AtomicU64::new(0));
        Ok(Secret(Box::new(Kept { prepared, last_used_unix_s })))
    }

    /// Seconds since 1970 UTC at which a request last verified under it; `None` if none did since it was first in force.
    pub fn last_used_unix_s(&self) -> Option<u64> {
        Some(self.0.last_used_unix_s.load(Relaxed)).filter(|&at| at > 0)
    }

    /// Notes that a request verified under it then, seconds since 1970 UTC; what is known and later stays.
    pub fn note_used(&self, unix_s: u64) {
        if self.0.last_used_unix_s.load(Relaxed) < unix_s {
            self.0.last_used_unix_s.store(unix_s, Relaxed);
        }
    }

    /// By what a client's secret is known again without being kept: the Request Authenticator of a request with `salt` as
    /// its Acct-Session-Id and `client` as its NAS-Identifier. It says of the secret what any request on the wire says.
    /// `None` where one of them has more than 253 octets, or there is no salt.
    pub fn mark(&self, salt: &str, client: &str) -> Option<[u8; 16]> {
        let mut buffer = [0; 3 * 255];
        let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, 0);
        request.text(44, salt).text(32, client);
        let request = request.seal(self.0.prepared.octets()).ok().filter(|_| !salt.is_empty())?;
        request.get(4..20)?.try_into().ok()
    }

    /// Takes over when it was last used from one with the same octets.
    pub(crate) fn inherit(&self, before: &Secret) {
        // Both are known here: nobody learns anything from how long the comparison takes.
        if before.0.prepared.octets() == self.0.prepared.octets() {
            self.note_used(before.0.last_used_unix_s.load(Relaxed));
        }
    }

    /// The secret in the form that the digests take.
    pub(crate) fn prepared(&self) -> &Prepared {
        &self.0.prepared
    }

    /// Whether it is shorter than the 16 octets that RFC 2865 section 3 prefers: one request is then enough to
    /// guess it offline.
    pub fn is_weak(&self) -> bool {
        self.0.prepared.octets().len() < 16
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
    fn a_mark_knows_a_secret_again_and_is_another_for_another_salt() {
        let [one, same, other] =
            ["xyzzy5461", "xyzzy5461", "xyzzy5462"].map(|text| Secret::new(text.into()).unwrap());
        let vpn = |secret: &Secret, salt: &str| secret.mark(salt, "vpn");
        assert_eq!(vpn(&one, "salt"), vpn(&same, "salt"));
        assert_ne!(vpn(&one, "salt"), vpn(&other, "salt"));
        assert_ne!(vpn(&one, "salt"), vpn(&one, "tlas"));
        // The same secret of another client is another one.
        assert_ne!(one.mark("salt", "vpn"), one.mark("salt", "branch"));
        assert!(vpn(&one, "").is_none() && vpn(&one, &"x".repeat(254)).is_none());
        assert!(one.mark(&"x".repeat(253), &"y".repeat(253)).is_some());
    }

    #[test]
    fn what_is_noted_is_never_earlier_than_what_is_known() {
        let secret = Secret::new(b"xyzzy5461".to_vec()).unwrap();
        secret.note_used(7);
        secret.note_used(5);
        assert_eq!(secret.last_used_unix_s(), Some(7));
    }

    #[test]
    fn debug_shows_nothing_of_it() {
        let shown = format!("{:?}", Secret::new(b"xyzzy5461".to_vec()).unwrap());
        assert_eq!(shown, "Secret(redacted)");
    }
}
