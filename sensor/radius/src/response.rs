//! The answer: an Accounting-Response to an Accounting-Request and, on the accounting port, also to a Status-Server.
//! Whoever calls this has recorded the request first (R29).

use crate::BufferTooSmall;
use crate::attribute::{Attribute, kind};
use crate::authenticator::response_authenticator;
use crate::packet::{Code, HEADER_LENGTH};
use crate::request::Request;

/// Octets of the answer: 20, and for an Accounting-Request all its Proxy-State. Never more than the request (R33).
pub fn length(request: &Request<'_>) -> usize {
    HEADER_LENGTH + proxy_states(request).map(|state| 2 + state.value.len()).sum::<usize>()
}

/// Writes the answer into `out` and returns its length. Proxy-State is copied unmodified, in order, duplicates too
/// (R31); nothing else goes in: no Message-Authenticator (R34), nothing at all for a Status-Server (R59).
///
/// `secret` is the one that verified the request (R28).
pub fn write(request: &Request<'_>, secret: &[u8], out: &mut [u8]) -> Result<usize, BufferTooSmall> {
    let needed = length(request);
    let out = out.get_mut(..needed).ok_or(BufferTooSmall { needed })?;
    out[0] = Code::AccountingResponse.into();
    out[1] = request.identifier();
    // Not larger than the request, whose length fits.
    out[2..4].copy_from_slice(&(needed as u16).to_be_bytes());
    let mut offset = HEADER_LENGTH;
    for state in proxy_states(request) {
        let end = offset + 2 + state.value.len();
        out[offset] = state.kind;
        out[offset + 1] = (end - offset) as u8;
        out[offset + 2..end].copy_from_slice(state.value);
        offset = end;
    }
    let digest = response_authenticator(out, request.authenticator(), secret);
    out[4..HEADER_LENGTH].copy_from_slice(&digest);
    Ok(needed)
}

/// The Proxy-States to be copied: empty ones break RFC 2865 section 5.33 and are left out (R32).
fn proxy_states<'a>(request: &Request<'a>) -> impl Iterator<Item = Attribute<'a>> {
    let attributes = (request.code() == Code::AccountingRequest).then(|| request.attributes());
    attributes.into_iter().flatten().filter(|a| a.kind == kind::PROXY_STATE && !a.value.is_empty())
}
