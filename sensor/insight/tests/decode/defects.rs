//! What is wrong with an attribute costs that attribute, is listed, and never costs the event.

use insight::vpn::{ATTRIBUTES_MAX, DEFECTS_MAX};
use radius::build::RequestBuilder;

use crate::{event, octets, start};

/// The defects of a Start of alice's from 203.0.113.7 with these attributes besides; the rest must be whole.
#[track_caller]
fn defects(fill: impl FnOnce(&mut RequestBuilder<'_>)) -> Vec<String> {
    let octets = start(|b| {
        fill(b);
        b.text(1, "alice").text(31, "203.0.113.7");
    });
    let event = event(&octets);
    assert_eq!(event.session_id.as_deref(), Some("4F"));
    assert_eq!(event.remote.unwrap().address.to_string(), "203.0.113.7");
    assert_eq!(event.defects.total(), event.defects.listed().len());
    event.defects.listed().iter().map(ToString::to_string).collect()
}

#[test]
fn a_value_of_the_wrong_length_is_left_out_and_listed() {
    for (kind, name) in [
        (4, "NAS-IP-Address"),
        (5, "NAS-Port"),
        (8, "Framed-IP-Address"),
        (41, "Acct-Delay-Time"),
        (42, "Acct-Input-Octets"),
        (46, "Acct-Session-Time"),
        (49, "Acct-Terminate-Cause"),
        (52, "Acct-Input-Gigawords"),
        (55, "Event-Timestamp"),
        (61, "NAS-Port-Type"),
        (64, "Tunnel-Type"),
        (95, "NAS-IPv6-Address"),
        (168, "Framed-IPv6-Address"),
    ] {
        for length in [1, 3, 5, 15, 17] {
            let found = defects(|b| {
                b.attribute(kind, &vec![1; length]);
            });
            assert_eq!(found, [format!("{name}: wrong length")]);
        }
    }
    let found = defects(|b| {
        b.attribute(64, &[0x20, 0, 0, 9]).attribute(97, &[0, 129, 0]).attribute(26, &[0, 0, 9]);
        b.vendor(0x0100_0000, 1, b"x").vendor(3076, 151, &[1]);
    });
    assert_eq!(
        found,
        [
            "Tunnel-Type: tag above 31",
            "Framed-IPv6-Prefix: no sound prefix",
            "Vendor-Specific: wrong length",
            "Vendor-Specific: no enterprise number",
            "ASA-SessionType: wrong length",
        ]
    );
}

#[test]
fn a_wrong_value_does_not_hide_a_right_one_behind_it() {
    let octets = start(|b| {
        b.text(1, "alice").attribute(8, &[1, 2, 3]).ipv4(8, [192, 0, 2, 7].into()).attribute(61, &[5]);
        b.integer(61, 5);
    });
    let event = event(&octets);
    assert_eq!(event.assigned.len(), 1);
    assert_eq!((event.port_type, event.defects.total()), (Some(5), 2));
}

#[test]
fn a_vendor_specific_attribute_that_is_no_sub_attributes_costs_itself_alone() {
    for content in [&[1, 0, b'x'][..], &[1, 1], &[1, 99, b'x'], &[1, 3, b'x', 2]] {
        let found = defects(|b| {
            b.attribute(26, &[&9u32.to_be_bytes()[..], content].concat());
        });
        assert_eq!(found, ["26.9: wrong length"], "{content:?}");
    }
    // Starent's are laid out in another way, 4242's nobody knows.
    for vendor in [8164u32, 4242] {
        let found = defects(|b| {
            b.attribute(26, &[&vendor.to_be_bytes()[..], &[0, 1, 0, 4]].concat());
        });
        assert_eq!(found, Vec::<String>::new());
    }
}

#[test]
fn empty_attributes_say_nothing_and_are_no_defect() {
    let found = defects(|b| {
        b.text(1, "").text(31, "").attribute(8, b"").attribute(66, b"").text(77, "").vendor(311, 34, b"");
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn texts_that_are_not_clean_are_escaped_and_listed() {
    let octets = start(|b| {
        b.attribute(1, b"DE\\M\xfcller").attribute(32, b"gw\x1b[2J").text(31, "203.0.113.7");
        b.vendor(311, 34, "MSRAS-0-PC\u{202e}7".as_bytes()).attribute(25, b"\xff\x00");
    });
    let event = event(&octets);
    let user = event.user.as_ref().unwrap();
    assert_eq!((&*user.original, &*user.key), ("DE\\M\\xfcller", "m\\xfcller@de"));
    assert_eq!(event.server.identifier.as_deref(), Some("gw\\x1b[2J"));
    assert_eq!(event.device.as_deref(), Some("PC\\u{202e}7"));
    assert_eq!(event.class, Some(&b"\xff\x00"[..]), "octets stay octets");
    let mut defects: Vec<_> = event.defects.listed().iter().map(ToString::to_string).collect();
    defects.sort();
    assert_eq!(
        defects,
        [
            "MS-RAS-Client-Name: control or bidirectional characters",
            "NAS-Identifier: control or bidirectional characters",
            "User-Name: not UTF-8",
        ]
    );
}

#[test]
fn names_as_long_as_an_attribute_stay_bounded() {
    for name in [vec![b'a'; 253], vec![0xff; 253], "\u{fdfa}".repeat(84).into_bytes()] {
        let octets = start(|b| {
            b.attribute(1, &name).attribute(32, &name).attribute(44, &name);
        });
        let event = event(&octets);
        let user = event.user.unwrap();
        assert!(user.key.len() <= 4096 && user.original.len() <= 4096);
        assert!(event.server.identifier.unwrap().len() <= 4096);
    }
}

#[test]
fn what_should_be_there_once_is_listed_when_it_is_there_twice() {
    let octets = octets(|b| {
        b.integer(40, 1).integer(40, 2).text(44, "1").text(44, "2").text(1, "alice");
    });
    let event = event(&octets);
    assert_eq!((event.status.to_string().as_str(), event.session_id.as_deref()), ("Start", Some("1")));
    let defects: Vec<_> = event.defects.listed().iter().map(ToString::to_string).collect();
    assert_eq!(defects, ["Acct-Status-Type: repeated", "Acct-Session-Id: repeated"]);
}

#[test]
fn a_status_type_of_the_wrong_length_leaves_the_event() {
    let octets = octets(|b| {
        b.attribute(40, &[1]).text(44, "4F").text(1, "alice");
    });
    let event = event(&octets);
    assert_eq!(event.status.to_string(), "missing");
    assert_eq!(&*event.user.unwrap().key, "alice");
}

#[test]
fn lists_are_bounded_and_all_defects_counted() {
    let octets = octets(|b| {
        b.integer(40, 1).text(1, "alice");
        for kind in 0..200u8 {
            b.attribute(8, &[1]).vendor(4242, kind, b"x");
        }
    });
    let event = event(&octets);
    assert_eq!((event.defects.total(), event.defects.listed().len()), (200, DEFECTS_MAX));
    assert_eq!(event.attributes.len(), ATTRIBUTES_MAX);
}

#[test]
fn only_a_request_becomes_an_event() {
    let decoder = insight::vpn::Decoder::new(insight::vpn::Settings::default());
    assert!(decoder.decode(&crate::received(&[4; 10])).is_err());
    assert!(
        decoder
            .decode(&crate::received(&[5, 1, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
            .is_err()
    );
}
