//! A client's configuration says where its values stand.

use insight::vpn::{Client, Field, Mapping, Vendor};

use crate::{decoder, received, start};

fn mapping(fields: &[(Field, &[&str])]) -> Mapping {
    let mut mapping = Mapping::default();
    for (field, sources) in fields {
        mapping.set(*field, sources.iter().map(|source| source.parse().unwrap()).collect()).unwrap();
    }
    mapping
}

#[test]
fn any_field_can_be_read_from_any_attribute() {
    let client = Client {
        mapping: mapping(&[
            (Field::User, &["Chargeable-User-Identity", "User-Name"]),
            (Field::Remote, &["26.4242.3"]),
            (Field::Device, &["Cisco-AVPair:client-name"]),
            (Field::Assigned, &["Login-IP-Host"]),
            (Field::Group, &["NAS-Port", "Filter-Id"]),
            (Field::Software, &[]),
        ]),
        ..Client::default()
    };
    let octets = start(|b| {
        b.text(1, "anonymous")
            .text(89, "alice")
            .vendor(4242, 3, b"[2001:db8::7]:4433")
            .text(31, "203.0.113.7");
        b.vendor(9, 1, b"client-name=PC7").vendor(9, 1, b"ip:source-ip=198.51.100.9");
        b.ipv4(14, [192, 0, 2, 7].into()).ipv4(8, [192, 0, 2, 8].into()).integer(5, 12);
        b.vendor(311, 35, b"MSRASV5.20");
    });
    let decoder = decoder(client);
    let event = decoder.decode(&received(&octets)).unwrap();
    assert_eq!(&*event.user.unwrap().account, "alice");
    let remote = event.remote.unwrap();
    assert_eq!((remote.address.to_string().as_str(), remote.port), ("2001:db8::7", Some(4433)));
    assert_eq!(event.device.as_deref(), Some("PC7"));
    let assigned: Vec<_> = event.assigned.iter().map(ToString::to_string).collect();
    assert_eq!(assigned, ["192.0.2.7"]);
    // The order is the order of trust, whatever comes first on the wire.
    assert_eq!((event.group.as_deref(), event.software.as_deref()), (Some("12"), None));
    assert_eq!(event.vendor, Vendor::Microsoft);
}

#[test]
fn what_is_not_overridden_stays_the_vendors() {
    let client = Client {
        vendor: Some(Vendor::Microsoft),
        mapping: mapping(&[(Field::Remote, &["31"])]),
        ..Client::default()
    };
    let octets = start(|b| {
        b.text(1, "alice").text(66, "203.0.113.7").text(31, "198.51.100.9").vendor(311, 34, b"MSRAS-0-PC7");
    });
    let decoder = decoder(client);
    let event = decoder.decode(&received(&octets)).unwrap();
    assert_eq!(event.remote.unwrap().address.to_string(), "198.51.100.9");
    assert_eq!(event.remote_other, None);
    assert_eq!(event.device.as_deref(), Some("PC7"));
}

#[test]
fn an_address_attribute_of_any_type_is_read() {
    let client = Client { mapping: mapping(&[(Field::Remote, &["Login-IP-Host"])]), ..Client::default() };
    let octets = start(|b| {
        b.text(1, "alice").ipv4(14, [203, 0, 113, 7].into());
    });
    let decoder = decoder(client);
    assert_eq!(
        decoder.decode(&received(&octets)).unwrap().remote.unwrap().address.to_string(),
        "203.0.113.7"
    );
}

#[test]
fn other_clients_are_not_touched() {
    let client = Client { mapping: mapping(&[(Field::Remote, &[])]), ..Client::default() };
    let octets = start(|b| {
        b.text(1, "alice").text(31, "203.0.113.7");
    });
    let decoder = decoder(client);
    assert!(decoder.decode(&received(&octets)).unwrap().remote.is_none());
    let other = insight::vpn::Received { client: "another", ..received(&octets) };
    assert!(decoder.decode(&other).unwrap().remote.is_some());
}
