//! What must hold for any octets and for any request.
#![allow(clippy::unwrap_used, reason = "test helpers may panic like tests")]

use std::fmt::Write;

use proptest::prelude::*;
use radius::build::{RequestBuilder, reseal};
use radius::{Code, Framed, Request, attribute::tlv, authenticator, record, response};

/// Fewer cases where each takes a thousand times as long; none is left out.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 512 },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Calls everything that reads a request.
fn read_all(request: &Request<'_>) -> usize {
    let mut text = String::new();
    for decoded in request.decoded() {
        write!(text, "{} {:?} {}", decoded.id, decoded.name(), decoded.render()).unwrap();
        let _ = (decoded.integer(), decoded.address(), decoded.prefix());
        if let Some(octets) = decoded.octets() {
            tlv::leaves(octets, |path| path.len() % 2 == 1).into_iter().flatten().for_each(drop);
        }
    }
    write!(text, "{}", request.marks()).unwrap();
    authenticator::verify_request(request.octets(), b"s");
    authenticator::verify_message_authenticator(request, b"s");
    let mut out = [0; 4096];
    let length = response::write(request, b"s", &mut out).unwrap();
    assert!(length <= request.octets().len());
    assert!(authenticator::verify_response(&out[..length], request.authenticator(), b"s"));
    let mut stored = request.octets().to_vec();
    record::blank_passwords(&mut stored);
    assert_eq!(Framed::parse(&stored).unwrap().request().unwrap().marks(), request.marks());
    text.len()
}

/// Attribute types that have code of their own come often.
fn kind() -> impl Strategy<Value = u8> {
    const SPECIAL: [u8; 17] = [2, 4, 8, 26, 33, 40, 44, 55, 64, 66, 79, 95, 97, 241, 245, 245, 246];
    prop_oneof![prop::sample::select(&SPECIAL[..]), 1..=255u8]
}

fn attributes() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let value = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        prop::collection::vec(0..6u8, 0..30),
        // A full fragment of few types.
        (0..3u8, any::<u8>()).prop_map(|(ext, fill)| [&[ext, 0x80][..], &[fill; 251]].concat()),
        // A VSA of a known vendor.
        (prop::sample::select(&[9u8, 66][..]), prop::collection::vec(0..9u8, 0..30))
            .prop_map(|(vendor, rest)| [&[0, 0, 0, vendor][..], &rest].concat()),
    ];
    prop::collection::vec(
        (kind().prop_filter("has rules of its own", |k| !matches!(k, 79 | 80)), value),
        0..if cfg!(miri) { 6 } else { 14 },
    )
}

fn sealed(attributes: &[(u8, Vec<u8>)], secret: &[u8], signed: bool) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let mut builder = RequestBuilder::new(&mut buffer, Code::AccountingRequest, 1);
    for (kind, value) in attributes {
        builder.attribute(*kind, value);
    }
    if signed {
        builder.message_authenticator();
    }
    builder.seal(secret).unwrap().to_vec()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_datagram_is_parsed_without_a_panic(
        mut datagram in prop::collection::vec(any::<u8>(), 0..300), code in prop::sample::select(&[4u8, 12][..]),
    ) {
        let _ = Framed::parse(&datagram).map(Framed::request);
        // The same with a header that stands, so that the attributes are reached.
        if datagram.len() >= 20 {
            datagram[0] = code;
            let length = datagram.len() as u16;
            datagram[2..4].copy_from_slice(&length.to_be_bytes());
            if let Ok(request) = Framed::parse(&datagram).unwrap().request() {
                read_all(&request);
            }
        }
    }

    #[test]
    fn any_well_formed_attributes_are_read_without_a_panic(attributes in attributes(), signed: bool) {
        let octets = sealed(&attributes, b"s", signed);
        read_all(&Framed::parse(&octets).unwrap().request().unwrap());
    }

    #[test]
    fn what_was_built_is_what_is_parsed(attributes in attributes(), identifier: u8) {
        let mut octets = sealed(&attributes, b"s", false);
        octets[1] = identifier;
        reseal(&mut octets, b"s");
        let request = Framed::parse(&octets).unwrap().request().unwrap();
        prop_assert_eq!(request.identifier(), identifier);
        let parsed: Vec<_> = request.attributes().map(|a| (a.kind, a.value.to_vec())).collect();
        prop_assert_eq!(parsed, attributes);
    }

    #[test]
    fn the_authenticator_verifies_and_one_flipped_bit_does_not(
        attributes in attributes(),
        secret in prop::collection::vec(any::<u8>(), 1..80),
        signed: bool,
        flip: prop::sample::Index,
    ) {
        let mut octets = sealed(&attributes, &secret, signed);
        prop_assert!(authenticator::verify_request(&octets, &secret));
        let request = Framed::parse(&octets).unwrap().request().unwrap();
        prop_assert!(authenticator::verify_message_authenticator(&request, &secret));
        let bit = flip.index(octets.len() * 8);
        octets[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!authenticator::verify_request(&octets, &secret));
    }

    #[test]
    fn every_octet_of_a_request_comes_out_of_the_decoder_once(
        value in prop::collection::vec(any::<u8>(), 1..if cfg!(miri) { 600 } else { 2000 }), extended: u8, kind in 245..=246u8,
    ) {
        let mut buffer = [0; 4096];
        let mut builder = RequestBuilder::new(&mut buffer, Code::AccountingRequest, 1);
        builder.long_extended(kind, extended, &value);
        let octets = builder.seal(b"s").unwrap();
        let request = Framed::parse(octets).unwrap().request().unwrap();
        prop_assert_eq!(request.decoded().count(), 1);
        if extended != 26 {
            let decoded = request.decoded().next().unwrap();
            let joined: Vec<u8> = decoded.value().unwrap().fragments().flatten().copied().collect();
            prop_assert_eq!(joined, value);
        }
    }
}
