//! The answer: an Accounting-Response to an Accounting-Request and, on the accounting port, also to a Status-Server.
//! Whoever calls this has recorded the request first (R29).

use crate::BufferTooSmall;
use crate::attribute::kind;
use crate::authenticator::response_authenticator;
use crate::packet::{Code, HEADER_LENGTH};
use crate::request::Request;

/// Octets of the answer: 20, and for an Accounting-Request all its Proxy-State. Never more than the request (R33).
pub fn length(request: &Request<'_>) -> usize {
    HEADER_LENGTH + request.proxy_state_octets()
}

/// Writes the answer into `out` and returns its length. Proxy-State is copied unmodified, in order, duplicates too
/// (R31); nothing else goes in: no Message-Authenticator (R34), nothing at all for a Status-Server (R59).
///
/// `secret` is the one that verified the request (R28).
pub fn write(request: &Request<'_>, secret: &[u8], out: &mut [u8]) -> Result<usize, BufferTooSmall> {
    let length = write_unsigned(request, out)?;
    let digest = response_authenticator(&out[..length], request.authenticator(), secret);
    out[4..HEADER_LENGTH].copy_from_slice(&digest);
    Ok(length)
}

/// The same with the Request Authenticator where the Response Authenticator goes: what that is the digest of (R30).
/// For whoever signs many answers at once.
pub fn write_unsigned(request: &Request<'_>, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
    let needed = length(request);
    let out = out.get_mut(..needed).ok_or(BufferTooSmall { needed })?;
    out[0] = Code::AccountingResponse.into();
    out[1] = request.identifier();
    // Not larger than the request, whose length fits.
    out[2..4].copy_from_slice(&(needed as u16).to_be_bytes());
    out[4..HEADER_LENGTH].copy_from_slice(request.authenticator());
    // Few requests come by way of a proxy: the others are not walked through again.
    if needed > HEADER_LENGTH {
        let mut offset = HEADER_LENGTH;
        for state in request.attributes().filter(|a| a.kind == kind::PROXY_STATE && !a.value.is_empty()) {
            let end = offset + 2 + state.value.len();
            out[offset] = state.kind;
            out[offset + 1] = (end - offset) as u8;
            out[offset + 2..end].copy_from_slice(state.value);
            offset = end;
        }
    }
    Ok(needed)
}
