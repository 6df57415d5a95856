//! The digests that prove who sent a packet: Request and Response Authenticator (RFC 2866 section 3) and
//! Message-Authenticator (RFC 2869 section 5.14, RFC 5997 section 3).
//!
//! Comparisons take the same time wherever the first difference is (R24). An empty secret never verifies (R27).

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use crate::packet::{Code, HEADER_LENGTH};
use crate::request::Request;

const ZERO: [u8; 16] = [0; 16];
/// Where the Authenticator field begins.
const OFFSET: usize = 4;

/// What the Authenticator field of an Accounting-Request must hold: MD5 over Code, Identifier, Length, 16 zero octets,
/// attributes and secret (R22). `octets` is one whole packet; what its Authenticator field holds does not matter.
pub fn request_authenticator(octets: &[u8], secret: &[u8]) -> [u8; 16] {
    digest(octets, &ZERO, secret)
}

/// Whether the Authenticator field of an Accounting-Request is what `secret` makes it. `octets` is exactly Length
/// octets; fewer than a header never verify.
pub fn verify_request(octets: &[u8], secret: &[u8]) -> bool {
    verify(octets, &ZERO, secret)
}

/// What the Authenticator field of an answer must hold: the same digest with the Authenticator of the request in the
/// place of the zeros (R30).
pub fn response_authenticator(response: &[u8], request_authenticator: &[u8; 16], secret: &[u8]) -> [u8; 16] {
    digest(response, request_authenticator, secret)
}

/// Whether `response` (exactly Length octets) answers the request with this Authenticator under this secret.
pub fn verify_response(response: &[u8], request_authenticator: &[u8; 16], secret: &[u8]) -> bool {
    verify(response, request_authenticator, secret)
}

/// What the Message-Authenticator of the request must hold, or `None` if it carries none.
///
/// HMAC-MD5 over the packet with the attribute's value zero. In an Accounting-Request the Authenticator field counts as
/// zero too, since that is computed afterwards (R53); in a Status-Server it stands as sent (R58).
pub fn message_authenticator(request: &Request<'_>, secret: &[u8]) -> Option<[u8; 16]> {
    let offset = request.message_authenticator_offset()?;
    let authenticator = match request.code() {
        Code::StatusServer => request.authenticator(),
        Code::AccountingRequest | Code::AccountingResponse => &ZERO,
    };
    Some(message_digest(request.octets(), authenticator, offset, secret))
}

/// Whether the Message-Authenticator, if there is one, is right. Absent from an Accounting-Request is right (R54):
/// whoever requires one asks [`Request::message_authenticator_offset`]. A Status-Server always has one (R58).
pub fn verify_message_authenticator(request: &Request<'_>, secret: &[u8]) -> bool {
    let Some(offset) = request.message_authenticator_offset() else {
        return request.code() == Code::AccountingRequest;
    };
    let Some(expected) = message_authenticator(request, secret) else { return false };
    let received = &request.octets()[offset..offset + 16];
    !secret.is_empty() && bool::from(expected[..].ct_eq(received))
}

fn digest(octets: &[u8], authenticator: &[u8; 16], secret: &[u8]) -> [u8; 16] {
    let start = octets.len().min(OFFSET);
    let attributes = octets.len().min(HEADER_LENGTH);
    let mut md5 = Md5::new();
    md5.update(&octets[..start]);
    md5.update(authenticator);
    md5.update(&octets[attributes..]);
    md5.update(secret);
    md5.finalize().into()
}

fn verify(octets: &[u8], authenticator: &[u8; 16], secret: &[u8]) -> bool {
    let Some(received) = octets.get(OFFSET..HEADER_LENGTH) else { return false };
    !secret.is_empty() && bool::from(digest(octets, authenticator, secret)[..].ct_eq(received))
}

/// HMAC-MD5 over a packet with `authenticator` in its header and the 16 octets at `offset` counted as zero.
pub(crate) fn message_digest(
    octets: &[u8],
    authenticator: &[u8; 16],
    offset: usize,
    secret: &[u8],
) -> [u8; 16] {
    // HMAC takes keys of any length; the error exists for other MACs.
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(secret) else { return ZERO };
    mac.update(&octets[..OFFSET]);
    mac.update(authenticator);
    mac.update(&octets[HEADER_LENGTH..offset]);
    mac.update(&ZERO);
    mac.update(&octets[offset + 16..]);
    mac.finalize().into_bytes().into()
}
