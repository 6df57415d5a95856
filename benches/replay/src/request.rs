//! The request of the micro benches: of any length, signed.

use radius::{
    Code,
    build::{BuildError, RequestBuilder},
};

/// Writes a signed Accounting-Request of exactly `length` octets (64 to 4096) into `buffer`: a Start with a user
/// name and a session id, filled up with Class attributes as gateways do.
pub fn accounting_request<'b>(
    buffer: &'b mut [u8],
    length: usize,
    identifier: u8,
    secret: &[u8],
) -> Result<&'b [u8], BuildError> {
    const CLASS: u8 = 25;
    let mut request = RequestBuilder::new(&mut buffer[..length], Code::AccountingRequest, identifier);
    request.integer(40, 1).text(1, "alice").text(44, "0000A1B2").text(32, "gateway");
    let mut left = length - (20 + 6 + 7 + 10 + 9);
    let filler = [0x5a; 253];
    while left > 0 {
        // Never leave a remainder of 1 or 2 octets: no attribute is that short.
        let take = if left <= 255 { left } else { 255.min(left - 3) };
        request.attribute(CLASS, &filler[..take - 2]);
        left -= take;
    }
    request.seal(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use radius::{Framed, authenticator};

    #[test]
    fn requests_have_the_length_asked_for_and_verify() {
        for length in [64, 65, 200, 307, 308, 309, 310, 400, 1000, 4096] {
            let mut buffer = [0; radius::MAX_LENGTH];
            let octets = accounting_request(&mut buffer, length, 9, b"secret").unwrap();
            assert_eq!(octets.len(), length);
            assert!(Framed::parse(octets).unwrap().request().is_ok());
            assert!(authenticator::verify_request(octets, b"secret"));
        }
    }
}
