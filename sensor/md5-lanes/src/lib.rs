//! Many Request Authenticators (RFC 2866 section 3) checked in one call. The worker hands over the requests of one
//! burst; nothing else calls this. Knows where the Authenticator lies and nothing more of RADIUS.
//!
//! Today one digest after the other; the call takes a whole batch because independent messages are what wide registers
//! are for, and the caller should not change when they come.
#![forbid(unsafe_code)]

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

/// Octets before the Authenticator field: Code, Identifier, Length.
const AUTHENTICATOR_START: usize = 4;
/// Octets before the attributes.
const AUTHENTICATOR_END: usize = 20;

/// One request to be checked.
#[derive(Debug, Clone, Copy)]
pub struct RequestCheck<'a> {
    /// The packet: exactly Length octets. Fewer than 20 are never genuine.
    pub octets: &'a [u8],
    /// The client's shared secret; an empty one is never genuine.
    pub secret: &'a [u8],
    /// Out: whether the Authenticator field is what the secret makes it. What it held before does not matter.
    pub genuine: bool,
}

/// Sets [`genuine`](RequestCheck::genuine) of every check. Any number, lengths and secrets may be mixed; each result
/// is independent of the others. Digests are compared in constant time.
pub fn verify_requests(checks: &mut [RequestCheck<'_>]) {
    for check in checks {
        check.genuine = is_genuine(check.octets, check.secret);
    }
}

fn is_genuine(octets: &[u8], secret: &[u8]) -> bool {
    let Some(received) = octets.get(AUTHENTICATOR_START..AUTHENTICATOR_END) else { return false };
    let mut md5 = Md5::new();
    md5.update(&octets[..AUTHENTICATOR_START]);
    md5.update([0; AUTHENTICATOR_END - AUTHENTICATOR_START]);
    md5.update(&octets[AUTHENTICATOR_END..]);
    md5.update(secret);
    !secret.is_empty() && bool::from(md5.finalize()[..].ct_eq(received))
}
