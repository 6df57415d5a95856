//! Sections C and G: Request Authenticator and Message-Authenticator; section H: Status-Server.

use md5::{Digest, Md5};
use radius::authenticator::{
    message_authenticator, request_authenticator, verify_message_authenticator, verify_request,
    verify_response,
};
use radius::build::reseal;
use radius::{Code, Malformed, Rejected};

use crate::{SECRET, accepted, accounting, answer, hex, packet, parse, request, spread, start};

#[test]
fn r22_request_authenticator_is_md5_with_zeros_in_its_own_place() {
    let octets = start();
    let mut text = octets.clone();
    text[4..20].fill(0);
    text.extend(SECRET);
    let expected: [u8; 16] = Md5::digest(&text).into();
    assert_eq!(octets[4..20], expected);
    assert_eq!(request_authenticator(&octets, SECRET), expected);
    assert!(verify_request(&octets, SECRET));
}

#[test]
fn r23_a_wrong_secret_and_a_zero_authenticator_do_not_verify() {
    let mut octets = start();
    assert!(!verify_request(&octets, b"wrong horse battery"));
    assert!(!verify_request(&octets, &SECRET[..SECRET.len() - 1]));
    octets[4..20].fill(0);
    assert!(!verify_request(&octets, SECRET));
}

#[test]
fn r24_authenticators_that_differ_anywhere_are_refused() {
    // Constant time itself comes from `subtle`; this shows that every octet takes part.
    for at in spread(4..20) {
        let mut octets = start();
        octets[at] ^= 0x80;
        assert!(!verify_request(&octets, SECRET));
        let octets = start();
        let mut response = answer(&request(&octets));
        response[at] ^= 1;
        assert!(!verify_response(&response, request(&octets).authenticator(), SECRET));
    }
}

#[test]
fn r27_secrets_are_any_octets_and_never_empty() {
    for secret in [&[0u8][..], &[0xFF, 0, 0xFE], &[b's'; 300], "geheim-ü".as_bytes()] {
        let mut octets = start();
        reseal(&mut octets, secret);
        assert!(verify_request(&octets, secret));
    }
    let mut octets = accounting(|b| {
        b.message_authenticator();
    });
    reseal(&mut octets, b"");
    assert!(!verify_request(&octets, b""));
    assert!(!verify_message_authenticator(&request(&octets), b""));
    assert!(!verify_response(&answer(&request(&octets)), request(&octets).authenticator(), b""));
}

#[test]
fn r53_message_authenticator_of_an_accounting_request_counts_the_authenticator_as_zeros() {
    let octets = accounting(|b| {
        b.text(1, "alice").message_authenticator().text(44, "1");
    });
    assert!(accepted(&octets));
    let request = request(&octets);
    let offset = request.message_authenticator_offset().unwrap();
    // HMAC by its definition (RFC 2104), over the packet with both fields zero.
    let mut text = octets.clone();
    text[4..20].fill(0);
    text[offset..offset + 16].fill(0);
    let mut key = [0; 64];
    key[..SECRET.len()].copy_from_slice(SECRET);
    let inner = Md5::digest([&key.map(|k| k ^ 0x36)[..], &text].concat());
    let outer: [u8; 16] = Md5::digest([&key.map(|k| k ^ 0x5c)[..], &inner[..]].concat()).into();
    assert_eq!(message_authenticator(&request, SECRET), Some(outer));
    assert_eq!(octets[offset..offset + 16], outer);
    // The Request Authenticator covers the real value.
    assert!(verify_request(&octets, SECRET));
}

#[test]
fn r54_a_wrong_message_authenticator_is_discarded_an_absent_one_is_not() {
    assert!(accepted(&start()));
    assert_eq!(request(&start()).message_authenticator_offset(), None);
    let octets = accounting(|b| {
        b.attribute(80, &[0x42; 16]);
    });
    // The Authenticator is right, so only the Message-Authenticator can refuse it.
    assert!(verify_request(&octets, SECRET));
    assert!(!verify_message_authenticator(&request(&octets), SECRET));
    assert!(!accepted(&octets));
}

#[test]
fn r54_a_message_authenticator_of_another_length_is_discarded() {
    for length in spread(0..=253).chain([15, 17, 253]).filter(|l| *l != 16) {
        let octets = accounting(|b| {
            b.attribute(80, &vec![0; length]);
        });
        let expected = Rejected::Malformed(Malformed::MessageAuthenticatorLength);
        assert_eq!(parse(&octets).unwrap_err(), expected);
    }
}

#[test]
fn r54_two_message_authenticators_are_discarded() {
    let octets = accounting(|b| {
        b.message_authenticator().text(1, "alice").message_authenticator();
    });
    let expected = Rejected::Malformed(Malformed::MessageAuthenticatorRepeated);
    assert_eq!(parse(&octets).unwrap_err(), expected);
}

#[test]
fn r55_whether_a_message_authenticator_is_there_can_be_asked() {
    let octets = accounting(|b| {
        b.text(1, "alice").message_authenticator();
    });
    assert_eq!(request(&octets).message_authenticator_offset(), Some(20 + 7 + 2));
    assert_eq!(message_authenticator(&request(&start()), SECRET), None);
    assert!(verify_message_authenticator(&request(&start()), SECRET));
}

fn status_server() -> Vec<u8> {
    packet(Code::StatusServer, |b| {
        b.authenticator(b"sixteen random o").message_authenticator();
    })
}

#[test]
fn r58_status_server_without_message_authenticator_is_discarded() {
    let octets = packet(Code::StatusServer, |_| {});
    assert_eq!(parse(&octets).unwrap_err(), Rejected::Malformed(Malformed::StatusServerUnsigned));
}

#[test]
fn r58_status_server_is_signed_with_its_own_authenticator_in_place() {
    let mut octets = status_server();
    assert_eq!(octets[4..20], *b"sixteen random o");
    assert!(verify_message_authenticator(&request(&octets), SECRET));
    assert!(!verify_message_authenticator(&request(&octets), b"other"));
    // Its Authenticator is random: not checked as in R22, but covered by the Message-Authenticator.
    assert!(!verify_request(&octets, SECRET));
    octets[4] ^= 1;
    assert!(!verify_message_authenticator(&request(&octets), SECRET));
}

#[test]
fn r59_status_server_is_answered_with_code_5_and_no_attributes() {
    let octets = packet(Code::StatusServer, |b| {
        b.authenticator(&[9; 16]).attribute(33, b"proxy").message_authenticator();
    });
    let request = request(&octets);
    let response = answer(&request);
    assert_eq!(response[..4], [5, 77, 0, 20]);
    assert!(verify_response(&response, request.authenticator(), SECRET));
}

#[test]
fn r62_accounting_attributes_in_a_status_server_are_ignored() {
    let octets = packet(Code::StatusServer, |b| {
        b.text(1, "alice").attribute(2, &[7; 16]).message_authenticator();
    });
    let request = request(&octets);
    assert_eq!(request.code(), Code::StatusServer);
    assert!(request.marks().is_empty());
    assert!(verify_message_authenticator(&request, SECRET));
}

#[test]
fn r63_the_rfc_5997_exchange() {
    let secret = b"xyzzy5461";
    let sent = hex("0cb30026925f6b66dd5fed571fcb1db7ad3882605012e8d6eabda910875cd91fdade26367858");
    let request = request(&sent);
    assert_eq!(request.code(), Code::StatusServer);
    assert!(verify_message_authenticator(&request, secret));
    assert!(!verify_message_authenticator(&request, b"xyzzy5462"));
    let mut out = [0; 20];
    assert_eq!(radius::response::write(&request, secret, &mut out), Ok(20));
    assert_eq!(out[..], hex("05b300140f6f92145f107e2f504e860a4860669c"));
    assert!(verify_response(&out, request.authenticator(), secret));
}

#[test]
fn r74_proxy_state_without_message_authenticator_is_accepted() {
    assert!(accepted(&accounting(|b| {
        b.integer(40, 1).attribute(33, &[0; 250]).attribute(33, &[1; 250]);
    })));
}

#[test]
fn t2_every_flipped_bit_within_length_is_discarded_and_every_one_in_padding_accepted() {
    let plain = start();
    let mut with_message_authenticator = accounting(|b| {
        b.integer(40, 1).message_authenticator();
    });
    let mut padded = plain.clone();
    padded.extend([0; 6]);
    with_message_authenticator.extend([0xFF; 3]);
    for (octets, length) in [(padded, plain.len()), (with_message_authenticator.clone(), 44)] {
        for bit in spread(0..octets.len() * 8) {
            let mut flipped = octets.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(accepted(&flipped), bit / 8 >= length, "bit {bit}");
        }
    }
}

#[test]
fn r72_a_packet_of_radius_1_1_does_not_verify_on_udp() {
    // RFC 9765 puts a token of four octets in place of the authenticator and zeros behind it.
    let mut octets = accounting(|request| {
        request.integer(40, 1).text(44, "0001");
    });
    octets[4..20].fill(0);
    octets[4..8].copy_from_slice(&7u32.to_be_bytes());
    assert!(
        radius::Framed::parse(&octets).unwrap().request().is_ok(),
        "its form is that of any other packet"
    );
    assert!(!verify_request(&octets, SECRET));
}
