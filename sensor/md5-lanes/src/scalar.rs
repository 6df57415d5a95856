//! One message after the other, by the crates `md-5` and `hmac`: the path of every processor, and the oracle of the
//! others' tests.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use crate::MessageCheck;

/// Octets before the Authenticator field: Code, Identifier, Length.
const START: usize = 4;
/// Octets before the attributes.
pub(crate) const HEADER: usize = 20;
const ZERO: [u8; 16] = [0; 16];

/// Whether the Authenticator field is what the secret makes it (RFC 2866 section 3).
pub(crate) fn request(octets: &[u8], secret: &[u8]) -> bool {
    let Some(received) = octets.get(START..HEADER) else { return false };
    let mut md5 = Md5::new();
    md5.update(&octets[..START]);
    md5.update(ZERO);
    md5.update(&octets[HEADER..]);
    md5.update(secret);
    !secret.is_empty() && bool::from(md5.finalize()[..].ct_eq(received))
}

/// The Authenticator of a response whose field holds that of the request (RFC 2866 section 3).
pub(crate) fn response(octets: &[u8], secret: &[u8]) -> [u8; 16] {
    let mut md5 = Md5::new();
    md5.update(octets);
    md5.update(secret);
    md5.finalize().into()
}

/// The 16 octets of a Message-Authenticator, if they lie behind the header and within the packet.
#[inline(always)]
pub(crate) fn message_authenticator(octets: &[u8], offset: usize) -> Option<&[u8; 16]> {
    if offset < HEADER { None } else { octets.get(offset..)?.first_chunk() }
}

/// What the Message-Authenticator has to be (RFC 2869 section 5.14, RFC 5997 section 3), if the value lies where it can.
pub(crate) fn message_digest(check: &MessageCheck<'_>) -> Option<[u8; 16]> {
    message_authenticator(check.octets, check.offset)?;
    // HMAC takes keys of any length; the error exists for other MACs.
    let mut mac = Hmac::<Md5>::new_from_slice(check.secret.octets()).ok()?;
    mac.update(&check.octets[..START]);
    mac.update(if check.keeps_authenticator { &check.octets[START..HEADER] } else { &ZERO });
    mac.update(&check.octets[HEADER..check.offset]);
    mac.update(&ZERO);
    mac.update(&check.octets[check.offset + 16..]);
    Some(mac.finalize().into_bytes().into())
}

/// Whether the Message-Authenticator is what the secret makes it.
pub(crate) fn message(check: &MessageCheck<'_>) -> bool {
    let Some(received) = message_authenticator(check.octets, check.offset) else { return false };
    let Some(expected) = message_digest(check) else { return false };
    !check.secret.is_empty() && bool::from(expected[..].ct_eq(received))
}
