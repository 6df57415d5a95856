//! Whatever `radius` accepts becomes an event, bounded, without a panic.

use std::collections::HashMap;

use insight::vpn::{ASSIGNED_MAX, ATTRIBUTES_MAX, Client, DEFECTS_MAX, Decoder, Event, Settings, Vendor};
use proptest::prelude::*;

use crate::{octets, received};

/// Types that are read come often.
const READ: [u8; 24] =
    [1, 4, 5, 6, 8, 25, 26, 30, 31, 32, 40, 41, 42, 44, 46, 50, 52, 55, 61, 64, 66, 77, 97, 168];

fn value() -> impl Strategy<Value = Vec<u8>> {
    let vendor = prop::sample::select(vec![9u32, 66, 311, 2620, 3076, 3375, 12356, 14988, 25461]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        prop::collection::vec(any::<u8>(), 4..5),
        prop::collection::vec(0..6u8, 0..40),
        "[0-9.:a-f\\[\\]%]{0,20}".prop_map(String::into_bytes),
        "(mdm-tlv|ip|shell|host|vpn|MSRAS-0)?[-:=/\\\\@$,A-Za-z0-9]{0,30}".prop_map(String::into_bytes),
        (vendor, any::<u8>(), prop::collection::vec(any::<u8>(), 0..30)).prop_map(|(vendor, kind, value)| {
            [&vendor.to_be_bytes()[..], &[kind, value.len() as u8 + 2], &value].concat()
        }),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let kind = prop_oneof![4 => prop::sample::select(READ.to_vec()), 1 => 1..=255u8];
    prop::collection::vec(
        (kind.prop_filter("has rules of its own", |kind| !matches!(kind, 79 | 80)), value()),
        0..30,
    )
}

fn check(event: &Event<'_>) -> Result<(), TestCaseError> {
    prop_assert!(event.defects.listed().len() <= DEFECTS_MAX && event.assigned.len() <= ASSIGNED_MAX);
    prop_assert!(event.attributes.len() <= ATTRIBUTES_MAX);
    prop_assert!(!event.classified.reason.is_empty());
    let texts = [
        &event.device,
        &event.device_model,
        &event.software,
        &event.operating_system,
        &event.operating_system_version,
        &event.group,
        &event.correlation,
        &event.session_id,
        &event.multi_session_id,
        &event.calling_station,
        &event.connect_info,
        &event.server.identifier,
    ];
    for text in texts.into_iter().flatten() {
        prop_assert!(!text.is_empty() && text.len() <= 4096 && !text.chars().any(char::is_control));
    }
    prop_assert!(event.time.unix_ns <= event.arrival_unix_ns + 300_000_000_000);
    if let Some(remote) = event.remote {
        prop_assert!(!remote.address.is_unspecified() && event.remote_other != Some(remote.address));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_request_becomes_an_event(attributes in attributes(), arrival: u64, vendor in prop::option::of(0..18usize)) {
        let octets = octets(|b| {
            for (kind, value) in &attributes {
                b.attribute(*kind, value);
            }
        });
        let client = Client { vendor: vendor.and_then(|at| Vendor::all().nth(at)), ..Client::default() };
        let decoder = Decoder::new(Settings {
            clients: HashMap::from([("gateway".to_owned(), client)]),
            ..Settings::default()
        });
        // Later than any clock will show within the life of this: 2500.
        let received = insight::vpn::Received { arrival_unix_ns: arrival % 16_725_225_600_000_000_000, ..received(&octets) };
        check(&decoder.decode(&received).unwrap())?;
    }

    #[test]
    fn any_octets_that_are_a_request_become_an_event(mut octets in prop::collection::vec(any::<u8>(), 20..400)) {
        octets[0] = 4;
        let length = octets.len() as u16;
        octets[2..4].copy_from_slice(&length.to_be_bytes());
        let decoder = Decoder::new(Settings::default());
        let accepted = radius::Framed::parse(&octets).unwrap().request().is_ok();
        prop_assert_eq!(decoder.decode(&received(&octets)).is_ok(), accepted);
    }

    #[test]
    fn decoding_depends_on_nothing_but_the_record(attributes in attributes()) {
        let octets = octets(|b| {
            for (kind, value) in &attributes {
                b.attribute(*kind, value);
            }
        });
        let once = crate::shown(&crate::event(&octets));
        prop_assert_eq!(once, crate::shown(&crate::event(&octets)));
    }
}
