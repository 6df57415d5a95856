//! Section B: attributes on the wire; sections I: data types and tags.

use radius::attribute::{Attribute, Fault};
use radius::{MAX_ATTRIBUTES, Malformed, Rejected};

use crate::{accepted, accounting, answer, decoded, faults, parse, rendered, request, spread};

fn refused_for(raw: &[u8]) -> Rejected {
    let octets = accounting(|b| {
        b.integer(40, 1).raw(raw);
    });
    parse(&octets).unwrap_err()
}

#[test]
fn r11_attributes_must_fill_length_exactly() {
    assert_eq!(refused_for(&[1]), Rejected::Malformed(Malformed::LeftOverOctet));
    assert_eq!(refused_for(&[1, 0]), Rejected::Malformed(Malformed::AttributeLengthTooSmall));
    assert_eq!(refused_for(&[1, 1, 0]), Rejected::Malformed(Malformed::AttributeLengthTooSmall));
    assert_eq!(refused_for(&[1, 3]), Rejected::Malformed(Malformed::AttributeOverrun));
    assert_eq!(refused_for(&[1, 255, 0, 0]), Rejected::Malformed(Malformed::AttributeOverrun));
    assert_eq!(refused_for(&[1, 3, b'a', 5]), Rejected::Malformed(Malformed::LeftOverOctet));
}

#[test]
fn r12_attribute_type_0_is_discarded() {
    assert_eq!(refused_for(&[0, 3, 1]), Rejected::Malformed(Malformed::AttributeTypeZero));
}

#[test]
fn r13_an_empty_value_is_accepted_kept_and_means_nothing() {
    let octets = accounting(|b| {
        b.attribute(1, b"").text(1, "alice").attribute(89, b"");
    });
    assert!(accepted(&octets));
    let request = request(&octets);
    assert_eq!(request.attributes().next(), Some(Attribute { kind: 1, value: b"" }));
    assert_eq!(request.first(1), Some(&b"alice"[..]));
    // Chargeable-User-Identity is the exception.
    assert_eq!(request.first(89), Some(&b""[..]));
    let faults: Vec<_> = request.decoded().map(|d| d.fault()).collect();
    assert_eq!(faults, [Some(Fault::Empty), None, None]);
}

#[test]
fn r14_a_wrong_value_length_spoils_the_attribute_and_not_the_packet() {
    let octets = accounting(|b| {
        b.attribute(4, &[192, 0, 2]).attribute(5, &[0; 5]).attribute(40, &[1]).text(1, "alice");
    });
    assert!(accepted(&octets));
    let request = request(&octets);
    let all: Vec<_> = request.decoded().collect();
    for wrong in &all[..3] {
        assert_eq!(wrong.fault(), Some(Fault::Length));
        assert!(wrong.value().is_none() && wrong.address().is_none() && wrong.integer().is_none());
    }
    assert_eq!(all[0].render().to_string(), "c00002");
    assert_eq!(all[3].fault(), None);
    assert_eq!(request.status_type(), None);
}

#[test]
fn r15_unknown_types_are_kept() {
    for kind in spread(1..=255).filter(|k| *k != 80 && *k != 79) {
        let octets = accounting(|b| {
            b.attribute(kind, &[0xAB, 0xCD, 0xEF]);
        });
        assert!(accepted(&octets), "type {kind}");
        let kept = request(&octets).attributes().next();
        assert_eq!(kept, Some(Attribute { kind, value: &[0xAB, 0xCD, 0xEF] }));
    }
    assert_eq!(
        rendered(|b| {
            b.attribute(200, &[0xAB]);
        }),
        "ab"
    );
}

#[test]
fn r16_order_within_a_type_is_kept_and_across_types_free() {
    let octets = accounting(|b| {
        b.attribute(25, b"1").text(1, "alice").attribute(25, b"2").integer(40, 2).attribute(25, b"3");
    });
    let request = request(&octets);
    let classes: Vec<_> = request.attributes().filter(|a| a.kind == 25).map(|a| a.value).collect();
    assert_eq!(classes, [b"1", b"2", b"3"]);
    assert_eq!(request.status_type(), Some(2));
}

#[test]
fn r17_nul_octets_are_data() {
    let octets = accounting(|b| {
        b.attribute(1, b"a\0b");
    });
    assert_eq!(request(&octets).first(1), Some(&b"a\0b"[..]));
    assert_eq!(request(&octets).decoded().next().unwrap().render().to_string(), "a\\x00b");
}

#[test]
fn r18_bad_utf8_is_accepted_and_shown_escaped() {
    assert_eq!(
        rendered(|b| {
            b.attribute(1, b"J\xfcrgen");
        }),
        "J\\xfcrgen"
    );
    assert_eq!(
        rendered(|b| {
            b.text(1, "Jürgen \u{4e2d}");
        }),
        "Jürgen \u{4e2d}"
    );
    assert_eq!(
        rendered(|b| {
            b.attribute(1, b"cut \xe4\xb8");
        }),
        "cut \\xe4\\xb8"
    );
    assert_eq!(
        rendered(|b| {
            b.text(1, "a\u{202e}b\x1b[31m");
        }),
        "a\\u{202e}b\\x1b[31m"
    );
    assert_eq!(
        rendered(|b| {
            b.text(1, "CONTOSO\\alice");
        }),
        "CONTOSO\\alice"
    );
}

#[test]
fn r19_experimental_and_implementation_types_are_unknown() {
    for kind in spread(192..=240) {
        let all = decoded(|b| {
            b.attribute(kind, &[1, 2, 3, 4]);
        });
        assert_eq!(all, [(kind.to_string(), None, "01020304".into(), None)]);
    }
}

#[test]
fn r20_more_than_512_attributes_are_discarded() {
    let with = |count: usize| {
        accounting(|b| {
            for _ in 0..count {
                b.attribute(25, b"");
            }
        })
    };
    assert!(accepted(&with(MAX_ATTRIBUTES)));
    let too_many = Rejected::Malformed(Malformed::TooManyAttributes);
    assert_eq!(parse(&with(MAX_ATTRIBUTES + 1)).unwrap_err(), too_many);
    assert_eq!(parse(&with(2038)).unwrap_err(), too_many);
}

#[test]
fn r64_values_are_read_by_their_type() {
    assert_eq!(
        rendered(|b| {
            b.attribute(8, &[198, 51, 100, 7]);
        }),
        "198.51.100.7"
    );
    assert_eq!(
        rendered(|b| {
            b.integer(46, u32::MAX);
        }),
        "4294967295"
    );
    assert_eq!(
        rendered(|b| {
            b.integer(55, 0x8000_0000);
        }),
        "2147483648"
    );
    assert_eq!(
        rendered(|b| {
            b.attribute(96, &[1, 2, 3, 4, 0xAA, 0xBB, 0xCC, 0xDD]);
        }),
        "0102:0304:aabb:ccdd"
    );
    let text = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    assert_eq!(
        rendered(|b| {
            b.attribute(95, &text);
        }),
        "2001:db8::1"
    );
    for kind in [8, 46, 55, 95, 96] {
        assert_eq!(
            faults(|b| {
                b.attribute(kind, &[0; 7]);
            }),
            [Some(Fault::Length)]
        );
    }
}

#[test]
fn r64_ipv6_prefixes() {
    let prefix = |value: &[u8]| {
        decoded(|b| {
            b.attribute(97, value);
        })[0]
            .clone()
    };
    assert_eq!(prefix(&[0, 32, 0x20, 1, 0xd, 0xb8]).2, "2001:db8::/32");
    assert_eq!(prefix(&[9, 0]).2, "::/0");
    assert_eq!(prefix(&[0, 33, 0x20, 1, 0xd, 0xb8, 0x80]).2, "2001:db8:8000::/33");
    let full = [&[0, 128][..], &[0x20; 16]].concat();
    assert_eq!(prefix(&full).3, None);
    // The reserved octet is ignored; octets behind the prefix are allowed if they are 0.
    assert_eq!(prefix(&[0xFF, 16, 0x20, 1, 0, 0]).2, "2001::/16");
    assert_eq!(prefix(&[0, 129, 0x20, 1]).3, Some(Fault::Prefix));
    assert_eq!(prefix(&[0, 64, 0x20, 1]).3, Some(Fault::Prefix));
    assert_eq!(prefix(&[0, 31, 0x20, 1, 0xd, 0xb9]).3, Some(Fault::Prefix));
    assert_eq!(prefix(&[0]).3, Some(Fault::Length));
    assert_eq!(prefix(&[&full[..], &[0]].concat()).3, Some(Fault::Length));
}

#[test]
fn r65_ipv6_attributes_are_known_and_may_repeat() {
    let address = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    let all = decoded(|b| {
        b.attribute(168, &address)
            .attribute(168, &address)
            .attribute(123, &[0, 48, 0x20, 1, 0xd, 0xb8, 0, 7]);
        b.attribute(98, &address).text(99, "2001:db8::/32 ::").text(100, "pool").attribute(169, &address);
        b.text(171, "a").text(172, "b");
    });
    let values: Vec<_> = all.iter().map(|d| d.2.as_str()).collect();
    let ip = "2001:db8::9";
    assert_eq!(values, [ip, ip, "2001:db8:7::/48", ip, "2001:db8::/32 ::", "pool", ip, "a", "b"]);
    assert!(all.iter().all(|d| d.3.is_none()));
}

#[test]
fn r66_tags_of_integers_and_texts() {
    let all = decoded(|b| {
        b.tagged_integer(64, 0, 0x0001_3701).tagged_integer(64, 31, 3).tagged_integer(65, 1, 1);
        b.attribute(66, b"\x00198.51.100.7")
            .attribute(66, b"\x01198.51.100.7")
            .attribute(66, b"198.51.100.7");
        b.attribute(67, b"\x1f2001:db8::1")
            .attribute(82, b" x")
            .attribute(90, b"\x02client")
            .text(68, "\x01raw");
        b.integer(86, 0x0100_0007)
            .attribute(66, b"\x01")
            .attribute(64, &[0x20, 0, 0, 1])
            .attribute(64, &[0, 0, 1]);
    });
    let expected = [
        (None, "SSTP", None),
        (Some(31), "L2TP", None),
        (Some(1), "IP", None),
        (None, "198.51.100.7", None),
        (Some(1), "198.51.100.7", None),
        (None, "198.51.100.7", None),
        (Some(31), "2001:db8::1", None),
        (None, " x", None),
        (Some(2), "client", None),
        (None, "\\x01raw", None),
        (None, "16777223", None),
        (None, "01", Some(Fault::Empty)),
        (None, "20000001", Some(Fault::Tag)),
        (None, "000001", Some(Fault::Length)),
    ];
    let found: Vec<_> = all.iter().map(|d| (d.1, d.2.as_str(), d.3)).collect();
    assert_eq!(found, expected);
}

#[test]
fn r31_unsound_values_do_not_reach_the_answer() {
    let octets = accounting(|b| {
        b.attribute(4, &[1]).attribute(241, &[1]).attribute(33, b"p").attribute(26, &[0]);
    });
    assert_eq!(answer(&request(&octets))[20..], [33, 3, b'p']);
}
