//! The conformance list, one test (or more) for each rule, the rule's number in the test's name.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test helpers may panic like tests")]

mod authenticators;
mod framing;
mod responses;

use radius::build::RequestBuilder;
use radius::{Code, Framed, Rejected, Request};

/// What all clients of these tests share with the server.
const SECRET: &[u8] = b"correct horse battery";

/// A signed Accounting-Request with what `fill` appends.
fn accounting(fill: impl FnOnce(&mut RequestBuilder<'_>)) -> Vec<u8> {
    packet(Code::AccountingRequest, fill)
}

/// A sealed packet of any code with what `fill` appends.
fn packet(code: impl Into<u8>, fill: impl FnOnce(&mut RequestBuilder<'_>)) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let mut builder = RequestBuilder::new(&mut buffer, code, 77);
    fill(&mut builder);
    builder.seal(SECRET).unwrap().to_vec()
}

/// A signed Start as a plain NAS sends it: no marks.
fn start() -> Vec<u8> {
    accounting(|b| {
        b.integer(40, 1).text(1, "alice").text(44, "0000002a").text(32, "gateway").integer(5, 17);
    })
}

/// Parses a datagram that must be a request.
fn request(datagram: &[u8]) -> Request<'_> {
    Framed::parse(datagram).unwrap().request().unwrap()
}

/// The verdict of the two parsing steps.
fn parse(datagram: &[u8]) -> Result<Request<'_>, Rejected> {
    Framed::parse(datagram)?.request()
}

/// Whether the whole way, as the worker goes it, accepts the datagram.
fn accepted(datagram: &[u8]) -> bool {
    parse(datagram).is_ok_and(|r| {
        radius::authenticator::verify_request(r.octets(), SECRET)
            && radius::authenticator::verify_message_authenticator(&r, SECRET)
    })
}

/// The answer to a request.
fn answer(request: &Request<'_>) -> Vec<u8> {
    let mut out = [0xAA; 4096];
    let length = radius::response::write(request, SECRET, &mut out).unwrap();
    out[..length].to_vec()
}

/// Octets from hexadecimal digits.
fn hex(digits: &str) -> Vec<u8> {
    let digit = |d: u8| char::from(d).to_digit(16).unwrap() as u8;
    digits.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
