//! The call of before [`Lanes`](crate::Lanes): one request after the other, under secrets as they are. For callers that
//! have no lanes yet.

use crate::scalar;

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

/// Sets [`genuine`](RequestCheck::genuine) of every check.
pub fn verify_requests(checks: &mut [RequestCheck<'_>]) {
    for check in checks {
        check.genuine = scalar::request(check.octets, check.secret);
    }
}
