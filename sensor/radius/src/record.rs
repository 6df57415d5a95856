//! What must happen to a request's octets before they are stored. The worker calls this on the copy in the journal's
//! batch, never on the datagram: the digests need the octets as they came.

use crate::attribute::{kind, value_range};
use crate::packet::HEADER_LENGTH;

/// Zeroes the values of User-Password (2) and CHAP-Password (3) in place and returns how many attributes that were.
///
/// RFC 2866 section 4.1 forbids both in an Accounting-Request; some NASes send them nevertheless, and the record must
/// not hold them (R38). Lengths stay, so the record parses as before; the Request Authenticator no longer matches it.
/// `octets` is a validated request, header included; octets behind the first malformed attribute are left alone.
pub fn blank_passwords(octets: &mut [u8]) -> usize {
    let mut blanked = 0;
    let mut offset = HEADER_LENGTH;
    while offset < octets.len() {
        let Ok(value) = value_range(octets, offset) else { break };
        if matches!(octets[offset], kind::USER_PASSWORD | kind::CHAP_PASSWORD) {
            octets[value.clone()].fill(0);
            blanked += 1;
        }
        offset = value.end;
    }
    blanked
}
