//! What is no person's VPN connection, and why.

use insight::vpn::{Client, Kind, Status};
use radius::build::RequestBuilder;

use crate::{decoder, event, octets, received, start};

#[track_caller]
fn is(kind: Kind, reason: &str, fill: impl FnOnce(&mut RequestBuilder<'_>)) {
    let octets = start(fill);
    let classified = event(&octets).classified;
    assert_eq!((classified.kind, classified.reason), (kind, reason));
}

#[test]
fn x802_1_and_mac_authentication_are_network_access() {
    is(Kind::NetworkAccess, "NAS-Port-Type is a wired network's (802.1X)", |b| {
        b.text(1, "CONTOSO\\alice").integer(61, 15).text(31, "00-0C-29-74-9D-E8");
    });
    is(Kind::NetworkAccess, "NAS-Port-Type is wireless", |b| {
        b.text(1, "alice").integer(61, 19).text(30, "00-0C-29-00-00-01:staff").text(31, "00-0C-29-74-9D-E8");
    });
    is(Kind::NetworkAccess, "both station ids are hardware addresses", |b| {
        b.text(1, "alice").text(30, "00-0C-29-00-00-01:staff").text(31, "00-0C-29-74-9D-E8");
    });
    is(Kind::NetworkAccess, "User-Name is a hardware address", |b| {
        b.text(1, "00-0C-29-74-9D-E8");
    });
    is(Kind::NetworkAccess, "User-Name is a hardware address", |b| {
        b.text(1, "001122334455").text(31, "00-11-22-33-44-55");
    });
    is(Kind::NetworkAccess, "Service-Type is Call-Check", |b| {
        b.text(1, "alice").integer(6, 10);
    });
    is(Kind::NetworkAccess, "Tunnel-Type is VLAN", |b| {
        b.text(1, "alice").tagged_integer(64, 0, 13);
    });
    // A computer on the wire is access, not a machine's VPN.
    is(Kind::NetworkAccess, "NAS-Port-Type is a wired network's (802.1X)", |b| {
        b.text(1, "host/pc7.contoso.example").integer(61, 15);
    });
}

#[test]
fn broadband_and_dial_in_are_network_access() {
    is(Kind::NetworkAccess, "NAS-Port-Type is broadband", |b| {
        b.text(1, "alice").integer(61, 32);
    });
    is(Kind::NetworkAccess, "NAS-Port-Type is dial-in", |b| {
        b.text(1, "alice").integer(61, 0).text(31, "+15678023561");
    });
}

#[test]
fn administrators_are_told_by_what_they_do() {
    for service_type in [6, 7] {
        is(Kind::Administrator, "Service-Type is an administrator's", |b| {
            b.text(1, "root").integer(6, service_type).integer(61, 5).text(31, "203.0.113.7");
        });
    }
    is(Kind::Administrator, "Service-Type is Login-User to a host or service", |b| {
        b.text(1, "root").integer(6, 1).integer(15, 0);
    });
    is(Kind::Administrator, "an administrator's role", |b| {
        b.text(1, "root").vendor(2620, 229, b"adminRole");
    });
    is(Kind::Administrator, "an administrator's role", |b| {
        b.text(1, "root").vendor(3375, 1, &0u32.to_be_bytes());
    });
    is(Kind::Administrator, "a shell's attributes (Cisco-AVPair shell:)", |b| {
        b.text(1, "root").vendor(9, 1, b"shell:priv-lvl=15");
    });
    // Login-User alone says little: a VPN server may send it.
    is(Kind::Person, "an outer address", |b| {
        b.text(1, "alice").integer(6, 1).text(31, "203.0.113.7");
    });
}

#[test]
fn asa_session_types_tell_sites_proxies_and_clients() {
    for (session_type, kind) in [
        (1, Kind::Person),
        (2, Kind::Person),
        (3, Kind::Person),
        (4, Kind::Other),
        (5, Kind::Person),
        (6, Kind::SiteTunnel),
        (7, Kind::SiteTunnel),
        (8, Kind::Other),
    ] {
        let octets = start(|b| {
            b.text(1, "203.0.113.99").vendor(3076, 146, b"203.0.113.99").integer(61, 5);
            b.vendor(3076, 151, &u32::to_be_bytes(session_type));
        });
        assert_eq!(event(&octets).classified.kind, kind, "{session_type}");
    }
    is(Kind::WebSignIn, "ASA-ClientType is cut-through proxy", |b| {
        b.text(1, "alice").vendor(3076, 150, &4u32.to_be_bytes());
    });
    is(Kind::Person, "ASA-TunnelGroupName", |b| {
        b.text(1, "alice").vendor(3076, 146, b"STAFF");
    });
}

#[test]
fn what_is_of_no_session_is_no_connection() {
    for (status, kind, shown) in [
        (7, Kind::Server, "Accounting-On"),
        (8, Kind::Server, "Accounting-Off"),
        (9, Kind::SiteTunnel, "Tunnel-Start"),
        (14, Kind::SiteTunnel, "Tunnel-Link-Reject"),
        (15, Kind::Other, "Failed"),
        (0, Kind::Other, "0"),
        (4, Kind::Other, "4"),
        (77, Kind::Other, "77"),
    ] {
        let octets = octets(|b| {
            b.integer(40, status).text(44, "4F").text(32, "gw");
        });
        let event = event(&octets);
        assert_eq!((event.classified.kind, event.status.to_string().as_str()), (kind, shown));
        assert!(event.user.is_none() && event.attributes.is_empty() && !event.status.is_of_session());
    }
    let nothing = octets(|_| {});
    let event = event(&nothing);
    assert_eq!((event.status, event.classified.kind), (Status::Missing, Kind::Other));
}

#[test]
fn a_client_that_is_a_vpn_server_only_gives_connections() {
    let ethernet = start(|b| {
        b.text(1, "alice").integer(61, 15);
    });
    let decoder = decoder(Client { is_vpn: true, ..Client::default() });
    let classified = decoder.decode(&received(&ethernet)).unwrap().classified;
    assert_eq!(
        (classified.kind, classified.reason),
        (Kind::Person, "the configuration says that it is a VPN server")
    );
    // Its administrators stay administrators.
    let administrator = start(|b| {
        b.text(1, "root").integer(6, 6);
    });
    assert_eq!(decoder.decode(&received(&administrator)).unwrap().classified.kind, Kind::Administrator);
}
