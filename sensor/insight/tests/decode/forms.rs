//! What VPN servers write in different ways: endpoints, tags, names, pairs, times, counters.

use insight::vpn::{
    Decoder, Settings, TimeSource,
    address::Scope,
    names::{NameSort, Realms},
};

use crate::{ARRIVAL_NS, ARRIVAL_S, event, octets, received, start};

fn remote(octets: &[u8]) -> Option<(String, Option<u16>, Scope)> {
    event(octets).remote.map(|remote| (remote.address.to_string(), remote.port, remote.scope))
}

fn public(address: &str, port: Option<u16>) -> Option<(String, Option<u16>, Scope)> {
    Some((address.to_owned(), port, Scope::Public))
}

#[test]
fn a_tunnel_client_endpoint_comes_with_and_without_a_tag() {
    for value in [&b"\x00198.51.100.7"[..], b"\x01198.51.100.7", b"\x1f198.51.100.7", b"198.51.100.7"] {
        let octets = start(|b| {
            b.text(1, "alice").attribute(66, value);
        });
        assert_eq!(remote(&octets), public("198.51.100.7", None), "{value:?}");
    }
}

#[test]
fn a_tunnel_type_of_24_bits_is_sstp() {
    let octets = start(|b| {
        b.text(1, "alice").attribute(64, &[0x00, 0x01, 0x37, 0x01]);
    });
    assert_eq!(event(&octets).tunnel_type, Some(79617));
    assert_eq!(event(&octets).tunnel_name().as_deref(), Some("SSTP"));
}

#[test]
fn a_calling_station_is_an_address_or_no_place() {
    for (text, address, port) in [
        ("203.0.113.7", "203.0.113.7", None),
        ("203.0.113.7[4500]", "203.0.113.7", Some(4500)),
        ("203.0.113.7:49152", "203.0.113.7", Some(49152)),
        ("::ffff:203.0.113.7", "203.0.113.7", None),
        ("2001:db8::1", "2001:db8::1", None),
        ("2001:db8::1[500]", "2001:db8::1", Some(500)),
        ("[2001:db8::1]:500", "2001:db8::1", Some(500)),
        ("2001:db8::1:500", "2001:db8::1:500", None),
    ] {
        let octets = start(|b| {
            b.text(1, "alice").text(31, text);
        });
        assert_eq!(remote(&octets), public(address, port), "{text}");
        assert_eq!(event(&octets).calling_station.as_deref(), Some(text));
    }
    for text in
        ["(null)", "00-0C-29-74-9D-E8", "eth0:AA:BB:CC:DD:EE:FF", "+15678023561", "pc7.contoso.example"]
    {
        let octets = start(|b| {
            b.text(1, "alice").text(31, text);
        });
        let event = event(&octets);
        assert_eq!((event.remote, event.defects.total()), (None, 0), "{text}");
        assert!(event.attributes.iter().any(|id| id.to_string() == "31"));
    }
}

#[test]
fn the_tunnel_client_endpoint_is_trusted_more_and_another_public_address_is_kept() {
    let both = |endpoint: &str, calling: &str| {
        start(|b| {
            b.text(1, "alice").text(31, calling).tagged_text(66, Some(0), endpoint);
        })
    };
    let octets = both("203.0.113.7", "198.51.100.9");
    assert_eq!(remote(&octets), public("203.0.113.7", None));
    assert_eq!(event(&octets).remote_other, Some([198, 51, 100, 9].into()));
    let octets = both("203.0.113.7", "203.0.113.7[500]");
    assert_eq!(event(&octets).remote_other, None);
    // One inside a provider has no place: the other has.
    let octets = both("100.64.0.9", "198.51.100.9");
    assert_eq!(remote(&octets), public("198.51.100.9", None));
    assert_eq!(event(&octets).remote_other, None);
    let octets = both("lac.contoso.example", "198.51.100.9");
    assert_eq!(remote(&octets), public("198.51.100.9", None));
    assert_eq!(event(&octets).defects.listed()[0].to_string(), "Tunnel-Client-Endpoint: not an address");
}

#[test]
fn addresses_that_have_no_place_are_kept_and_said() {
    for (text, scope) in [
        ("10.1.2.3", Scope::Private),
        ("100.64.1.2", Scope::CarrierGrade),
        ("127.0.0.1", Scope::Loopback),
        ("fd00::1", Scope::Private),
        ("192.0.2.7", Scope::OwnPool),
    ] {
        let octets = start(|b| {
            b.text(1, "alice").text(31, text).ipv4(8, [192, 0, 2, 7].into());
        });
        assert_eq!(remote(&octets), Some((text.to_owned(), None, scope)));
        assert!(event(&octets).attributes.is_empty(), "there is an address");
    }
}

#[test]
fn inner_addresses_that_are_none_are_left_out() {
    let octets = start(|b| {
        b.text(1, "alice")
            .integer(8, u32::MAX)
            .integer(8, u32::MAX - 1)
            .integer(8, 0)
            .integer(8, 0xC000_0207);
        b.ipv6(168, "::".parse().unwrap()).integer(8, 0xC000_0207);
    });
    let assigned: Vec<_> = event(&octets).assigned.iter().map(ToString::to_string).collect();
    assert_eq!(assigned, ["192.0.2.7"]);
}

#[test]
fn user_names_of_every_form_become_users() {
    for (name, key, sort) in [
        ("CONTOSO\\alice", "alice@contoso", NameSort::Person),
        ("CONTOSO/alice", "alice@contoso", NameSort::Person),
        ("alice@contoso.example", "alice@contoso.example", NameSort::Person),
        ("Alice", "alice", NameSort::Person),
        ("alice\0", "alice", NameSort::Person),
        ("host/pc7.contoso.example", "pc7$@contoso.example", NameSort::Machine),
        ("PC7$", "pc7$", NameSort::Machine),
        ("00-0C-29-74-9D-E8", "00:0c:29:74:9d:e8", NameSort::Hardware),
        ("Zoë", "zoë", NameSort::Person),
        ("CN=alice,O=Contoso", "alice", NameSort::Person),
    ] {
        let octets = start(|b| {
            b.text(1, name);
        });
        let user = event(&octets).user.unwrap();
        assert_eq!((&*user.key, user.sort), (key, sort), "{name}");
    }
    let octets = start(|b| {
        b.text(31, "203.0.113.7").text(1, "");
    });
    assert!(event(&octets).user.is_none());
}

#[test]
fn one_person_under_two_names_where_realms_mean_the_same() {
    let realms = Realms::new(&[vec!["contoso.example", "CONTOSO", "alt.contoso.example", ""]]).unwrap();
    let decoder = Decoder::new(Settings { realms, ..Settings::default() });
    for name in ["CONTOSO\\Alice", "alice@contoso.example", "alice@ALT.contoso.example", "alice"] {
        let octets = start(|b| {
            b.text(1, name);
        });
        let user = decoder.decode(&received(&octets)).unwrap().user.unwrap();
        assert_eq!((&*user.key, &*user.original), ("alice@contoso.example", name));
    }
}

#[test]
fn several_pairs_in_one_vendor_specific_attribute_are_read() {
    let pair = |text: &str| [&[1, text.len() as u8 + 2][..], text.as_bytes()].concat();
    let octets = start(|b| {
        let pairs = [
            pair("mdm-tlv=device-platform=mac-intel"),
            pair("mdm-tlv=device-type=A=B, Inc."),
            pair("mdm-tlv=device-uid=77"),
        ];
        b.text(1, "alice").attribute(26, &[&9u32.to_be_bytes()[..], &pairs.concat()].concat());
    });
    let event = event(&octets);
    assert_eq!(event.operating_system.as_deref(), Some("mac-intel"));
    assert_eq!(event.device_model.as_deref(), Some("A=B, Inc."));
    assert_eq!(event.device.as_deref(), Some("77"));
}

#[test]
fn the_time_of_an_event_is_the_timestamp_else_arrival_less_the_delay() {
    let time = |timestamp: Option<u32>, delay: Option<u32>| {
        let octets = start(|b| {
            b.text(1, "alice");
            if let Some(timestamp) = timestamp {
                b.integer(55, timestamp);
            }
            if let Some(delay) = delay {
                b.integer(41, delay);
            }
        });
        let event = event(&octets);
        (ARRIVAL_NS as i64 - event.time.unix_ns as i64, event.time.source, event.defects.total())
    };
    let second = 1_000_000_000;
    let half = second / 2;
    assert_eq!(time(None, None), (0, TimeSource::Arrival, 0));
    assert_eq!(time(None, Some(0)), (0, TimeSource::Arrival, 0));
    assert_eq!(time(None, Some(7)), (7 * second, TimeSource::Delay, 0));
    assert_eq!(time(Some(ARRIVAL_S - 60), Some(7)), (60 * second + half, TimeSource::Timestamp, 0));
    assert_eq!(time(Some(ARRIVAL_S + 300), None), (half - 300 * second, TimeSource::Timestamp, 0));
    // Beyond what is trusted: 5 minutes ahead, a day behind, 0, 2106.
    for timestamp in [ARRIVAL_S + 301, ARRIVAL_S - 86_401, 0, u32::MAX] {
        assert_eq!(time(Some(timestamp), Some(7)), (7 * second, TimeSource::Delay, 1), "{timestamp}");
    }
    assert_eq!(time(Some(0), Some(u32::MAX)), (0, TimeSource::Arrival, 2));
    assert_eq!(time(Some(ARRIVAL_S), Some(u32::MAX)), (half, TimeSource::Timestamp, 1));
}

#[test]
fn a_longer_past_may_be_trusted() {
    let month = 30 * 86_400;
    let octets = start(|b| {
        b.text(1, "alice").integer(55, ARRIVAL_S - month);
    });
    let decoder = Decoder::new(Settings { accept_past_s: 35 * 86_400, ..Settings::default() });
    let event = decoder.decode(&received(&octets)).unwrap();
    assert_eq!(event.time.unix_ns, u64::from(ARRIVAL_S - month) * 1_000_000_000);
}

#[test]
fn gigawords_count_wherever_they_come() {
    let counters = |fill: &[(u8, u32)]| {
        let octets = octets(|b| {
            b.integer(40, 3);
            for (kind, value) in fill {
                b.integer(*kind, *value);
            }
        });
        let counters = event(&octets).counters;
        (counters.input_octets, counters.output_octets, counters.has_gigawords)
    };
    assert_eq!(counters(&[]), (None, None, false));
    assert_eq!(counters(&[(42, 7)]), (Some(7), None, false));
    assert_eq!(counters(&[(52, 2), (42, 7), (43, 1), (53, 0)]), (Some((2 << 32) + 7), Some(1), true));
    assert_eq!(counters(&[(42, u32::MAX), (52, u32::MAX)]), (Some(u64::MAX), None, true));
    assert_eq!(counters(&[(53, 1)]), (None, Some(1 << 32), true));
}

#[test]
fn the_first_of_a_repeated_attribute_counts() {
    let octets = start(|b| {
        b.text(1, "alice").text(1, "mallory").text(31, "203.0.113.7").text(31, "198.51.100.9");
        b.attribute(25, b"one").attribute(25, b"two").text(32, "gw-1").text(32, "gw-2");
    });
    let event = event(&octets);
    assert_eq!(&*event.user.unwrap().account, "alice");
    assert_eq!(event.remote.unwrap().address.to_string(), "203.0.113.7");
    assert_eq!((event.class, event.server.identifier.as_deref()), (Some(&b"one"[..]), Some("gw-1")));
}

#[test]
fn the_server_has_an_address_of_either_family() {
    let six: std::net::Ipv6Addr = "2001:db8::9".parse().unwrap();
    let address = |fill: &[u8]| {
        let octets = start(|b| {
            for kind in fill {
                match kind {
                    4 => b.ipv4(4, [198, 51, 100, 4].into()),
                    0 => b.integer(4, 0),
                    _ => b.ipv6(95, six),
                };
            }
        });
        event(&octets).server.address.map(|address| address.to_string())
    };
    assert_eq!(address(&[4]).as_deref(), Some("198.51.100.4"));
    assert_eq!(address(&[95]).as_deref(), Some("2001:db8::9"));
    assert_eq!(address(&[95, 4]).as_deref(), Some("198.51.100.4"));
    assert_eq!(address(&[4, 95]).as_deref(), Some("198.51.100.4"));
    assert_eq!(address(&[0]), None);
}
