//! R21: Vendor-Specific attributes, and the names of the vendors' attributes.

use radius::attribute::{Fault, Id};
use radius::dictionary;

use crate::{accepted, accounting, decoded, faults, hex, request, spread};

#[test]
fn r21_sub_attributes_are_read_and_several_may_share_one_vsa() {
    let all = decoded(|b| {
        b.vendor(9, 1, b"mdm-tlv=device-platform=win").vendor(311, 35, b"MSRASV5.20");
        // Microsoft, two sub-attributes in one.
        b.attribute(26, &[&hex("00000137")[..], &[34, 13], b"MSRAS-0-PC7", &[9, 6, 0, 0, 1, 0x37]].concat());
    });
    let found: Vec<_> = all.iter().map(|d| (d.0.as_str(), d.2.as_str(), d.3)).collect();
    let expected = [
        ("26.9.1", "mdm-tlv=device-platform=win", None),
        ("26.311.35", "MSRASV5.20", None),
        ("26.311.34", "MSRAS-0-PC7", None),
        ("26.311.9", "311", None),
    ];
    assert_eq!(found, expected);
}

#[test]
fn r21_a_vsa_that_is_no_sub_attributes_is_kept_opaque() {
    for content in [&[1, 0][..], &[1, 1], &[1, 9, 7], &[7], &[1, 3, b'x', 2, 1, 0], &[1, 3, b'x', 2]] {
        let octets = accounting(|b| {
            b.attribute(26, &[&9u32.to_be_bytes()[..], content].concat()).text(1, "alice");
        });
        assert!(accepted(&octets));
        let request = request(&octets);
        let all: Vec<_> = request.decoded().collect();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].id, Id::OpaqueVendor { vendor: 9 });
        assert_eq!(all[0].octets(), Some(content));
        assert_eq!(all[1].id, Id::Standard(1));
    }
    // Starent's types are two octets long: not to be read as the usual ones.
    let all = decoded(|b| {
        b.attribute(26, &[&8164u32.to_be_bytes()[..], &[0, 1, 0, 4]].concat());
    });
    assert_eq!(all, [("26.8164".into(), None, "00010004".into(), None)]);
}

#[test]
fn r21_an_empty_sub_attribute_is_skipped_and_the_rest_read() {
    let all = decoded(|b| {
        b.attribute(26, &[&9u32.to_be_bytes()[..], &[1, 2, 1, 5], b"a=b", &[2, 2]].concat());
    });
    let found: Vec<_> = all.iter().map(|d| (d.2.as_str(), d.3)).collect();
    assert_eq!(found, [("", Some(Fault::Empty)), ("a=b", None), ("", Some(Fault::Empty))]);
}

#[test]
fn r21_a_vsa_too_short_or_with_a_high_vendor_id_is_an_invalid_attribute() {
    for length in 1..=4 {
        assert_eq!(
            faults(|b| {
                b.attribute(26, &vec![0; length]);
            }),
            [Some(Fault::Length)]
        );
    }
    assert_eq!(
        faults(|b| {
            b.vendor(0x0100_0009, 1, b"x");
        }),
        [Some(Fault::VendorId)]
    );
}

#[test]
fn r14_vendor_values_of_a_wrong_length_are_invalid_too() {
    assert_eq!(
        faults(|b| {
            b.vendor(3076, 150, &[0, 0, 1]);
        }),
        [Some(Fault::Length)]
    );
}

#[test]
fn vendor_attributes_carry_the_usual_names() {
    for (vendor, kind, name) in [
        (9, 1, "Cisco-AVPair"),
        (311, 9, "MS-RAS-Vendor"),
        (311, 18, "MS-RAS-Version"),
        (311, 34, "MS-RAS-Client-Name"),
        (311, 35, "MS-RAS-Client-Version"),
        (311, 50, "MS-Machine-Name"),
        (311, 56, "MS-RAS-Correlation-ID"),
        (2620, 229, "CheckPoint-Gaia-User-Role"),
        (3375, 1, "F5-LTM-User-Role"),
        (12356, 2, "Fortinet-Client-IP-Address"),
        (12356, 3, "Fortinet-Vdom-Name"),
        (14988, 10, "Mikrotik-Host-IP"),
        (25461, 7, "PaloAlto-Client-Source-IP"),
        (25461, 9, "PaloAlto-Client-Hostname"),
        (3076, 146, "ASA-TunnelGroupName"),
        (4874, 1, "ERX-Virtual-Router-Name"),
        (12341, 12, "mpd-link"),
        (13644, 1, "pfSense-Bandwidth-Max-Up"),
        (14179, 1, "Airespace-Wlan-Id"),
        (14823, 1, "Aruba-User-Role"),
        (55999, 1, "Accel-VRF-Name"),
    ] {
        assert_eq!(dictionary::lookup(Id::Vendor { vendor, kind }).map(|e| e.name), Some(name));
    }
    assert_eq!(dictionary::vendor(3076).map(|v| v.name), Some("Cisco ASA"));
    assert!(dictionary::lookup(Id::Vendor { vendor: 3076, kind: 146 }).is_some());
    // Its sub-attributes are not read, its name is known.
    assert_eq!(dictionary::vendor(8164).map(|v| v.name), Some("Starent"));
    assert!(dictionary::vendor(4242).is_none());
}

#[test]
fn keys_and_passwords_of_vendors_are_never_shown() {
    for (vendor, kind) in [(9, 249), (311, 17), (529, 214), (14988, 7), (14988, 16)] {
        let entry = dictionary::lookup(Id::Vendor { vendor, kind }).unwrap();
        assert_eq!(entry.kind, dictionary::Type::Hidden, "{}", entry.name);
    }
}

#[test]
fn dictionary_tables_are_sorted_and_names_are_unique() {
    let mut names: Vec<_> =
        spread(dictionary::all()).map(|(_, entry)| entry.name.to_ascii_lowercase()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for (id, entry) in spread(dictionary::all()) {
        assert_eq!(dictionary::lookup(id).map(|e| e.name), Some(entry.name), "{id}");
        assert_eq!(dictionary::by_name(entry.name).map(|(found, _)| found), Some(id));
        assert!(entry.values.is_sorted_by(|a, b| a.0 < b.0), "{}", entry.name);
    }
}
