//! Is this the answer to that request?

use radius::{Framed, attribute::kind, authenticator};

/// What is wrong with an answer (RFC 2866 section 4.2, RFC 2865 section 5.33).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Flaw {
    /// Not a RADIUS packet.
    #[error("not a RADIUS packet")]
    Malformed,
    /// Another code than Accounting-Response.
    #[error("not an Accounting-Response")]
    Code,
    /// The Response Authenticator does not verify.
    #[error("wrong Response Authenticator")]
    Authenticator,
    /// The Proxy-State attributes are not those of the request, in their order.
    #[error("Proxy-State not returned as sent")]
    ProxyState,
}

/// Checks an answer of the right identifier.
pub(super) fn check(answer: &[u8], request: &[u8], secret: &[u8]) -> Result<(), Flaw> {
    const ACCOUNTING_RESPONSE: u8 = radius::Code::AccountingResponse as u8;
    let framed = Framed::parse(answer).map_err(|_| Flaw::Malformed)?;
    if framed.code() != ACCOUNTING_RESPONSE {
        return Err(Flaw::Code);
    }
    let asked = request.get(4..20).and_then(|field| field.try_into().ok()).ok_or(Flaw::Malformed)?;
    if !authenticator::verify_response(framed.octets(), asked, secret) {
        return Err(Flaw::Authenticator);
    }
    if !proxy_states(request).eq(proxy_states(framed.octets())) {
        return Err(Flaw::ProxyState);
    }
    Ok(())
}

/// The values of attribute 33, in order. Stops at what is no attribute.
fn proxy_states(packet: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = packet.get(radius::HEADER_LENGTH..).unwrap_or_default();
    std::iter::from_fn(move || {
        let [kind, length, ..] = *rest else { return None };
        let value = rest.get(2..usize::from(length))?;
        rest = &rest[usize::from(length)..];
        Some((kind, value))
    })
    .filter(|(kind, _)| *kind == kind::PROXY_STATE)
    .map(|(_, value)| value)
}
