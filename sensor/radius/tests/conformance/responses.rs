//! Section D: the answer.

use radius::authenticator::verify_response;
use radius::response;
use radius::{BufferTooSmall, Framed, Rejected};

use crate::{SECRET, accepted, accounting, answer, parse, request, start};

/// The attributes of an answer, by plain slicing.
fn attributes(response: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut rest = &response[20..];
    let mut found = Vec::new();
    while let [kind, length, ..] = *rest {
        found.push((kind, rest[2..usize::from(length)].to_vec()));
        rest = &rest[usize::from(length)..];
    }
    assert!(rest.is_empty());
    found
}

#[test]
fn r28_the_answer_is_signed_with_the_secret_that_verified() {
    let octets = start();
    let request = request(&octets);
    let mut out = [0; 20];
    response::write(&request, b"previous", &mut out).unwrap();
    assert!(verify_response(&out, request.authenticator(), b"previous"));
    assert!(!verify_response(&out, request.authenticator(), SECRET));
}

#[test]
fn r30_response_authenticator_holds_only_for_its_own_request() {
    let octets = start();
    let response = answer(&request(&octets));
    assert_eq!(Framed::parse(&response).unwrap().code(), 5);
    assert!(verify_response(&response, request(&octets).authenticator(), SECRET));
    assert!(!verify_response(&response, &[0; 16], SECRET));
    assert!(!verify_response(&response[..19], request(&octets).authenticator(), SECRET));
}

#[test]
fn r31_proxy_states_are_copied_unmodified_in_order_with_duplicates() {
    let octets = accounting(|b| {
        b.attribute(33, b"b\0\xff").integer(40, 1).attribute(33, b"a").vendor(9, 1, b"x=y");
        b.attribute(33, b"a").text(1, "alice").attribute(33, b"\x21\x04zz");
    });
    assert!(accepted(&octets));
    let expected: Vec<(u8, Vec<u8>)> =
        [&b"b\0\xff"[..], b"a", b"a", b"\x21\x04zz"].iter().map(|state| (33, state.to_vec())).collect();
    assert_eq!(attributes(&answer(&request(&octets))), expected);
}

#[test]
fn r32_an_empty_proxy_state_is_not_copied() {
    let octets = accounting(|b| {
        b.attribute(33, b"").attribute(33, b"x").attribute(33, b"");
    });
    assert!(accepted(&octets));
    assert_eq!(attributes(&answer(&request(&octets))), [(33, b"x".to_vec())]);
}

#[test]
fn r33_the_answer_is_20_octets_without_proxy_state_and_never_larger_than_the_request() {
    assert_eq!(response::length(&request(&start())), 20);
    let octets = accounting(|b| {
        for n in 0..15 {
            b.attribute(33, &[n; 253]);
        }
        b.attribute(33, &[99; 249]);
    });
    assert_eq!(octets.len(), 4096);
    let response = answer(&request(&octets));
    assert_eq!(response.len(), 4096);
    assert_eq!(response[20..], octets[20..]);
}

#[test]
fn r33_a_buffer_too_small_is_refused_and_left_alone() {
    let octets = accounting(|b| {
        b.attribute(33, b"abc");
    });
    let request = request(&octets);
    assert_eq!(response::length(&request), 25);
    let mut out = [0xAA; 24];
    assert_eq!(response::write(&request, SECRET, &mut out), Err(BufferTooSmall { needed: 25 }));
    assert_eq!(out, [0xAA; 24]);
}

#[test]
fn r34_no_message_authenticator_in_the_answer() {
    let octets = accounting(|b| {
        b.message_authenticator().attribute(33, b"p");
    });
    assert_eq!(attributes(&answer(&request(&octets))), [(33, b"p".to_vec())]);
}

#[test]
fn r35_a_response_is_no_request() {
    let octets = start();
    let response = answer(&request(&octets));
    assert_eq!(parse(&response).unwrap_err(), Rejected::UnsupportedCode(5));
}

#[test]
fn t4_any_number_and_size_of_proxy_states_mixed_with_others() {
    let many = if cfg!(miri) { 60 } else { 511 };
    for (count, size) in [(0, 0), (1, 1), (2, 7), (16, 100), (1, 253), (15, 253), (many, 3)] {
        let octets = accounting(|b| {
            b.integer(40, 3);
            for n in 0..count {
                b.attribute(33, &vec![n as u8; size]);
                if count < 16 {
                    b.integer(5, n);
                }
            }
        });
        assert!(accepted(&octets), "{count} x {size}");
        let expected: Vec<_> = (0..count).map(|n| (33, vec![n as u8; size])).collect();
        let response = answer(&request(&octets));
        assert_eq!(attributes(&response), expected);
        assert!(verify_response(&response, request(&octets).authenticator(), SECRET));
    }
}
