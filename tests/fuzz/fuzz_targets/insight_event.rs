//! Whatever a sensor records becomes an event, bounded, for every vendor that a client can be configured as.
#![no_main]

use std::{collections::HashMap, sync::LazyLock};

use insight::vpn::{ATTRIBUTES_MAX, Client, DEFECTS_MAX, Decoder, Received, Settings, Status, Vendor};
use libfuzzer_sys::fuzz_target;

/// One client for each vendor, by the vendor's name, beside `auto`.
static DECODER: LazyLock<Decoder> = LazyLock::new(|| {
    let client =
        |vendor: Vendor| (vendor.name().to_owned(), Client { vendor: Some(vendor), ..Client::default() });
    let clients: HashMap<_, _> = Vendor::all().map(client).collect();
    Decoder::new(Settings { clients, ..Settings::default() })
});

fuzz_target!(|input: (u8, u64, Vec<u8>)| {
    let (vendor, arrival_unix_ns, attributes) = input;
    let mut octets = vec![4, 1, 0, 0];
    octets.extend([0; 16]);
    octets.extend(attributes.iter().take(4076));
    let length = octets.len() as u16;
    octets[2..4].copy_from_slice(&length.to_be_bytes());
    let received = Received {
        octets: &octets,
        source: ([192, 0, 2, 10], 40_000).into(),
        destination: ([192, 0, 2, 1], 1813).into(),
        client: Vendor::all().nth(usize::from(vendor)).map_or("auto", |vendor| vendor.name()),
        // Up to the year 2500: no clock shows more.
        arrival_unix_ns: arrival_unix_ns % 16_725_225_600_000_000_000,
    };
    let is_request = radius::Framed::parse(&octets).is_ok_and(|framed| framed.request().is_ok());
    let event = DECODER.decode(&received);
    assert_eq!(event.is_ok(), is_request);
    let interim = DECODER.interim(&received);
    assert!(is_request || interim.is_none());
    let Ok(event) = event else { return };
    if let Some(interim) = interim {
        assert_eq!((event.status, event.time), (Status::InterimUpdate, interim.time));
        assert_eq!(event.counters, interim.counters);
    }
    assert!(event.defects.listed().len() <= DEFECTS_MAX && event.attributes.len() <= ATTRIBUTES_MAX);
    if let Some(user) = event.user {
        assert!(!user.key.is_empty() && user.key.len() <= 4096 && !user.key.chars().any(char::is_control));
    }
});
