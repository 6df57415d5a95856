//! The conformance list, one test (or more) for each rule, the rule's number in the test's name.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test helpers may panic like tests")]

mod attributes;
mod authenticators;
mod contents;
mod extended;
mod framing;
mod responses;
mod vendors;

use radius::attribute::Fault;
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

/// What `fill` appends, decoded: id as text, tag, rendered value, fault.
fn decoded(fill: impl FnOnce(&mut RequestBuilder<'_>)) -> Vec<(String, Option<u8>, String, Option<Fault>)> {
    let octets = accounting(fill);
    let request = request(&octets);
    request.decoded().map(|d| (d.id.to_string(), d.tag, d.render().to_string(), d.fault())).collect()
}

/// The same for one attribute that must be sound and untagged: its rendered value.
fn rendered(fill: impl FnOnce(&mut RequestBuilder<'_>)) -> String {
    let all = decoded(fill);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((all[0].1, all[0].3), (None, None));
    all[0].2.clone()
}

/// The faults of what `fill` appends.
fn faults(fill: impl FnOnce(&mut RequestBuilder<'_>)) -> Vec<Option<Fault>> {
    decoded(fill).into_iter().map(|d| d.3).collect()
}

/// All of them; every 41st under Miri, where each digest takes a thousand times as long.
fn spread<I: Iterator>(all: I) -> std::iter::StepBy<I> {
    all.step_by(if cfg!(miri) { 499 } else { 1 })
}

/// Octets from hexadecimal digits.
fn hex(digits: &str) -> Vec<u8> {
    let digit = |d: u8| char::from(d).to_digit(16).unwrap() as u8;
    digits.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
