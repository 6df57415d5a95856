//! Section A: header and framing.

use radius::build::reseal;
use radius::{Code, Framed, Malformed, Marks, Rejected};

use crate::{accepted, accounting, answer, packet, parse, request, spread, start};

fn with_length(mut octets: Vec<u8>, length: u16) -> Vec<u8> {
    octets[2..4].copy_from_slice(&length.to_be_bytes());
    octets
}

/// A signed request of exactly `length` octets, mostly User-Name attributes.
fn of_length(length: usize) -> Vec<u8> {
    accounting(|b| {
        let mut left = length - 20;
        while left > 0 {
            let mut take = left.min(255);
            // One octet cannot be an attribute.
            if left - take == 1 {
                take -= 1;
            }
            b.attribute(25, &vec![b'x'; take - 2]);
            left -= take;
        }
    })
}

#[test]
fn r01_header_fields_lie_where_the_rfc_puts_them() {
    let octets = start();
    let framed = Framed::parse(&octets).unwrap();
    assert_eq!(framed.code(), 4);
    assert_eq!(framed.identifier(), 77);
    assert_eq!(usize::from(u16::from_be_bytes([octets[2], octets[3]])), octets.len());
    assert_eq!(framed.authenticator(), &octets[4..20]);
    assert_eq!(framed.octets(), octets);
    assert_eq!(framed.request().unwrap().attributes().count(), 5);
}

#[test]
fn r02_only_codes_4_and_12_are_served() {
    for code in spread(0..=255u8).chain([4, 5, 12]) {
        let octets = packet(code, |b| {
            b.message_authenticator();
        });
        match parse(&octets) {
            Ok(request) => assert_eq!(request.code() as u8, code),
            Err(Rejected::UnsupportedCode(refused)) => {
                assert_eq!(refused, code);
                assert!(code != 4 && code != 12);
            }
            Err(other) => panic!("code {code}: {other}"),
        }
    }
}

#[test]
fn r03_fewer_than_20_octets_are_discarded() {
    let octets = start();
    for length in 0..20 {
        assert_eq!(Framed::parse(&octets[..length]).unwrap_err(), Malformed::Truncated);
    }
}

#[test]
fn r03_length_below_20_is_discarded() {
    for length in 0..20 {
        let octets = with_length(start(), length);
        assert_eq!(Framed::parse(&octets).unwrap_err(), Malformed::LengthBelowMinimum);
    }
}

#[test]
fn r04_length_beyond_the_datagram_is_discarded() {
    let whole = start();
    let one_too_big = with_length(whole.clone(), whole.len() as u16 + 1);
    assert_eq!(Framed::parse(&one_too_big).unwrap_err(), Malformed::LengthBeyondDatagram);
    // The tail fragment was lost.
    assert_eq!(Framed::parse(&whole[..whole.len() - 1]).unwrap_err(), Malformed::LengthBeyondDatagram);
}

#[test]
fn r05_octets_after_length_are_padding() {
    let octets = start();
    let plain = answer(&request(&octets));
    for padding in [&[0][..], &[1], &[0xFF; 3], b"\x01\x00", b"\x1a\xff\x00", &[0x5A; 1000]] {
        let padded = [&octets[..], padding].concat();
        let request = request(&padded);
        assert_eq!(request.octets(), octets);
        assert!(accepted(&padded));
        assert_eq!(answer(&request), plain);
    }
}

#[test]
fn r06_r71_length_4095_and_4096_are_accepted_4097_is_not() {
    for length in [4095, 4096] {
        let octets = of_length(length);
        assert_eq!(octets.len(), length);
        assert!(accepted(&octets));
    }
    let mut octets = of_length(4096);
    octets.extend([25; 100]);
    for length in [4097, 4196, 65535] {
        let octets = with_length(octets.clone(), length);
        assert_eq!(Framed::parse(&octets).unwrap_err(), Malformed::LengthAboveMaximum);
    }
}

#[test]
fn r07_a_datagram_above_4096_with_a_sound_length_is_accepted() {
    for total in if cfg!(miri) { vec![4097] } else { vec![4097, 9000, 65507] } {
        let mut octets = start();
        let plain = answer(&request(&octets));
        octets.resize(total, 0xEE);
        assert!(accepted(&octets));
        assert_eq!(answer(&request(&octets)), plain);
    }
}

#[test]
fn r10_every_identifier_is_accepted_and_copied() {
    for identifier in spread(0..=255) {
        let mut octets = start();
        octets[1] = identifier;
        reseal(&mut octets, crate::SECRET);
        assert!(accepted(&octets));
        assert_eq!(request(&octets).identifier(), identifier);
        assert_eq!(answer(&request(&octets))[1], identifier);
    }
}

#[test]
fn r26_length_is_checked_before_code_and_code_before_attributes() {
    // Everything is wrong with it: the first check speaks.
    let mut octets = packet(1u8, |b| {
        b.raw(&[1, 0, 0]);
    });
    assert_eq!(parse(&octets).unwrap_err(), Rejected::UnsupportedCode(1));
    octets[0] = 4;
    assert_eq!(parse(&octets).unwrap_err(), Rejected::Malformed(Malformed::AttributeLengthTooSmall));
    octets[0] = 1;
    octets[3] += 1;
    assert_eq!(parse(&octets).unwrap_err(), Rejected::Malformed(Malformed::LengthBeyondDatagram));
}

#[test]
fn t1_every_cut_with_length_unchanged_is_discarded() {
    let octets = start();
    for cut in 0..octets.len() {
        assert!(Framed::parse(&octets[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn t1_every_cut_signed_again_is_accepted_exactly_at_attribute_boundaries() {
    let octets = start();
    let mut boundaries = vec![20];
    for attribute in request(&octets).attributes() {
        boundaries.push(boundaries.last().unwrap() + 2 + attribute.value.len());
    }
    assert_eq!(boundaries.last(), Some(&octets.len()));
    for cut in spread(20..=octets.len()).chain(boundaries.clone()) {
        let mut octets = with_length(octets[..cut].to_vec(), cut as u16);
        reseal(&mut octets, crate::SECRET);
        assert_eq!(accepted(&octets), boundaries.contains(&cut), "cut at {cut}");
    }
}

#[test]
fn t3_a_bare_signed_header_is_accepted_marked_and_answered() {
    let octets = accounting(|_| {});
    assert_eq!(octets.len(), 20);
    assert!(accepted(&octets));
    let request = request(&octets);
    assert_eq!(request.code(), Code::AccountingRequest);
    assert_eq!(request.marks(), Marks::NAS_MISSING | Marks::STATUS_TYPE_MISSING | Marks::SESSION_ID_MISSING);
    assert_eq!(answer(&request).len(), 20);
}
