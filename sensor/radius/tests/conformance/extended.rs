//! Section I: extended attributes, fragments, TLVs (RFC 6929).

use radius::attribute::tlv::{self, MAX_DEPTH};
use radius::attribute::{Fault, Id};
use radius::build::RequestBuilder;

use crate::{accepted, accounting, faults, request};

/// The ids and joined values of what decodes soundly.
fn sound(fill: impl FnOnce(&mut RequestBuilder<'_>)) -> Vec<(String, Vec<u8>)> {
    let octets = accounting(fill);
    assert!(accepted(&octets));
    let mut buffer = [0; 4096];
    request(&octets)
        .decoded()
        .filter_map(|d| {
            let value = d.value()?;
            let joined = value.copy_to(&mut buffer).unwrap().to_vec();
            assert_eq!(value.len(), joined.len());
            Some((d.id.to_string(), joined))
        })
        .collect()
}

#[test]
fn r67_extended_attributes_are_identified_by_both_types() {
    let all = sound(|b| {
        b.extended(241, 1, &[0, 0, 0, 1]).extended(244, 200, b"x").long_extended(245, 1, b"y");
        // The other seven flag bits are ignored.
        b.attribute(246, &[9, 0x7F, b'z']);
    });
    let expected = [("241.1", &[0, 0, 0, 1][..]), ("244.200", b"x"), ("245.1", b"y"), ("246.9", b"z")];
    assert_eq!(all, expected.map(|(id, value)| (id.to_string(), value.to_vec())));
}

#[test]
fn r67_too_short_extended_attributes_are_invalid() {
    let all = faults(|b| {
        b.attribute(241, b"")
            .attribute(242, &[1])
            .attribute(245, b"")
            .attribute(245, &[1])
            .attribute(246, &[1, 0]);
        b.text(1, "alice");
    });
    assert_eq!(all[..5], [Some(Fault::Length); 5]);
    assert_eq!(all[5], None);
}

#[test]
fn r68_fragments_are_joined_in_order_with_others_between_them() {
    let long: Vec<u8> = (0..600).map(|n| n as u8).collect();
    let full = |b: &mut RequestBuilder<'_>, extended: u8, part: &[u8], flags: u8| {
        b.attribute(245, &[&[extended, flags], part].concat());
    };
    let all = sound(|b| {
        full(b, 5, &long[..251], 0x80);
        b.text(1, "alice");
        full(b, 6, &long[..251], 0x80);
        b.attribute(246, &[5, 0, b'!']);
        full(b, 5, &long[251..502], 0x80);
        full(b, 6, b"six", 0);
        full(b, 5, &long[502..], 0);
        full(b, 5, b"next", 0);
    });
    let expected = [
        ("245.5", long.clone()),
        ("1", b"alice".to_vec()),
        ("245.6", [&long[..251], b"six"].concat()),
        ("246.5", b"!".to_vec()),
        ("245.5", b"next".to_vec()),
    ];
    assert_eq!(all, expected.map(|(id, value)| (id.to_string(), value)));
}

#[test]
fn r68_one_value_may_fill_the_packet() {
    let long = vec![0x5A; 15 * 251 + 247];
    let octets = accounting(|b| {
        b.long_extended(246, 77, &long);
    });
    assert_eq!(octets.len(), 4096);
    let request = request(&octets);
    let value = request.decoded().next().unwrap().value().unwrap();
    assert_eq!(value.as_slice(), None);
    assert_eq!(value.fragments().count(), 16);
    assert_eq!(value.len(), long.len());
    assert_eq!(request.decoded().count(), 1);
    assert!(value.copy_to(&mut [0; 4000]).is_err());
    assert!(request.decoded().next().unwrap().render().to_string().starts_with("5a5a"));
}

#[test]
fn r68_sets_without_an_end_or_with_a_short_fragment_are_invalid() {
    let full = [&[5, 0x80][..], &[0; 251]].concat();
    let unended = faults(|b| {
        b.attribute(245, &full).attribute(245, &full).text(1, "alice");
    });
    assert_eq!(unended, [Some(Fault::Fragments), Some(Fault::Fragments), None]);
    // The end of a broken set must not be read as a value of its own; the next one may.
    let short = faults(|b| {
        b.attribute(245, &[5, 0x80, 1]).attribute(245, &[5, 0, 2]).attribute(245, &[5, 0, 3]);
    });
    assert_eq!(short, [Some(Fault::Fragments), Some(Fault::Fragments), None]);
    let short_inside = faults(|b| {
        b.attribute(245, &full).attribute(245, &[5, 0x80, 1]).attribute(245, &[5, 0, 2]);
    });
    assert_eq!(short_inside, [Some(Fault::Fragments); 3]);
}

#[test]
fn r69_extended_vendor_specific() {
    let all = sound(|b| {
        b.extended(241, 26, &[0, 0, 0, 9, 4, b'v']);
        b.long_extended(245, 26, &[&[0, 0, 1, 0x37, 5][..], &[7; 300]].concat());
    });
    let expected = [("241.26.9.4", b"v".to_vec()), ("245.26.311.5", vec![7; 300])];
    assert_eq!(all, expected.map(|(id, value)| (id.to_string(), value)));
    let wrong = faults(|b| {
        b.extended(241, 26, &[0, 0, 0, 9, 4]).extended(241, 26, &[0, 0]).extended(
            241,
            26,
            &[1, 0, 0, 9, 4, 1],
        );
        b.long_extended(245, 26, &[0, 0, 0, 9, 4]);
    });
    assert_eq!(wrong, [Some(Fault::Length), Some(Fault::Length), Some(Fault::VendorId), Some(Fault::Length)]);
}

#[test]
fn r69_tlvs_nest_and_a_bad_one_does_not_spoil_its_container() {
    let container = [1, 6, 0, 0, 0, 3, 2, 8, 9, 3, b'a', 10, 3, b'b', 3, 5, 7, 9, 1];
    let leaves = |octets: &[u8]| -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
        let leaves = tlv::leaves(octets, |path| matches!(path, [2 | 3]))?;
        Some(leaves.map(|leaf| (leaf.path().to_vec(), leaf.value.to_vec())).collect())
    };
    let expected = [
        (vec![1], vec![0, 0, 0, 3]),
        (vec![2, 9], b"a".to_vec()),
        (vec![2, 10], b"b".to_vec()),
        // 3 should hold TLVs and does not.
        (vec![3], vec![7, 9, 1]),
    ];
    assert_eq!(leaves(&container), Some(expected.to_vec()));
    for unsound in [&[][..], &[1], &[1, 2], &[1, 0, 0], &[0, 3, 1], &[1, 4, 0], &[1, 3, 0, 1]] {
        assert_eq!(leaves(unsound), None, "{unsound:?}");
    }
    // The attribute that carries a bad one stands, and so does the packet.
    assert_eq!(
        faults(|b| {
            b.extended(241, 5, &[1, 2]);
        }),
        [None]
    );
}

#[test]
fn r69_nesting_is_bounded() {
    let mut nested = vec![1, 3, 0xEE];
    while nested.len() < 200 {
        nested = [&[1, nested.len() as u8 + 2][..], &nested].concat();
    }
    let leaves: Vec<_> = tlv::leaves(&nested, |_| true).unwrap().collect();
    assert_eq!(leaves.len(), 1);
    assert_eq!(leaves[0].path(), [1; MAX_DEPTH]);
    assert_eq!(leaves[0].value.len(), nested.len() - 2 * MAX_DEPTH);
}

#[test]
fn r70_integer64_is_8_octets() {
    let octets = accounting(|b| {
        b.attribute(124, &u64::MAX.to_be_bytes()).attribute(124, &[0; 4]);
    });
    let request = request(&octets);
    let all: Vec<_> = request.decoded().collect();
    assert_eq!(all[0].id, Id::Standard(124));
    assert_eq!(all[0].integer(), Some(u64::MAX));
    assert_eq!(all[1].fault(), Some(Fault::Length));
}
