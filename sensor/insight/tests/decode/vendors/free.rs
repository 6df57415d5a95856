//! Free software, and what has no table.

use insight::vpn::Vendor;

use crate::{ARRIVAL_S, event, octets, shows, start};

#[test]
fn ocserv_says_its_user_agent_in_connect_info() {
    let octets = start(|b| {
        b.text(1, "alice")
            .text(32, "ocserv")
            .integer(6, 2)
            .integer(7, 1)
            .integer(45, 1)
            .text(31, "2001:db8::7");
        b.ipv4(8, [192, 0, 2, 7].into()).ipv6(168, "2001:db8:1::7".parse().unwrap());
        b.text(77, "Open AnyConnect VPN Agent v9.12").integer(52, 0).integer(53, 0);
    });
    let event = event(&octets);
    shows(
        &event,
        "vendor ocserv by Identifier
         kind vpn: an outer address
         user alice = alice
         remote 2001:db8::7, public, from 31
         assigned 192.0.2.7
         assigned 2001:db8:1::7
         software Open AnyConnect VPN Agent v9.12",
    );
    assert_eq!((event.authentic, event.counters.has_gigawords), (Some(1), true));
}

#[test]
fn strong_swan_by_its_default_name_and_by_its_session_id() {
    let of = |identifier: Option<&str>| {
        start(|b| {
            b.text(1, "alice").integer(61, 5).integer(6, 2).integer(5, 17).text(87, "staff");
            b.text(31, "203.0.113.7[4500]").text(30, "198.51.100.4[4500]");
            b.ipv4(8, [192, 0, 2, 7].into()).ipv4(8, [192, 0, 2, 8].into());
            b.ipv6(168, "2001:db8:1::7".parse().unwrap());
            if let Some(identifier) = identifier {
                b.text(32, identifier);
            }
        })
    };
    let named = of(Some("strongSwan"));
    shows(
        &event(&named),
        "vendor strongswan by Identifier
         kind vpn: NAS-Port-Type is Virtual
         user alice = alice
         remote 203.0.113.7 port 4500, public, from 31
         assigned 192.0.2.7
         assigned 192.0.2.8
         assigned 2001:db8:1::7
         group staff",
    );
    let by_id = octets(|b| {
        b.integer(40, 3)
            .text(44, "1795420000-17")
            .text(1, "alice")
            .integer(5, 17)
            .text(31, "2001:db8::7[4500]");
    });
    shows(
        &event(&by_id),
        "vendor strongswan by SessionId
         kind vpn: an outer address
         user alice = alice
         remote 2001:db8::7 port 4500, public, from 31",
    );
}

#[test]
fn a_session_id_that_does_not_name_the_port_is_not_strong_swans() {
    let octets = octets(|b| {
        b.integer(40, 1).text(44, "1795420000-17").text(1, "alice").integer(5, 18).text(31, "203.0.113.7");
    });
    assert_eq!(event(&octets).vendor, Vendor::Unknown);
}

#[test]
fn accel_ppp_tunnels_are_vpn_and_pppoe_is_not() {
    let of = |calling: &str| {
        start(|b| {
            b.text(1, "alice").text(32, "accel-ppp").integer(61, 5).text(31, calling);
            b.ipv4(8, [192, 0, 2, 7].into()).attribute(97, &[0, 56, 0x20, 1, 0x0d, 0xb8, 0, 0, 1]);
            b.attribute(123, &[0, 48, 0x20, 1, 0x0d, 0xb8, 0, 2]).attribute(96, &[0, 0, 0, 0, 0, 0, 0, 1]);
        })
    };
    shows(
        &event(&of("203.0.113.7")),
        "vendor accel-ppp by Identifier
         kind vpn: NAS-Port-Type is Virtual
         user alice = alice
         remote 203.0.113.7, public, from 31
         assigned 192.0.2.7
         assigned 2001:db8:0:100::/56
         assigned 2001:db8:2::/48",
    );
    assert_eq!(event(&of("eth0:AA:BB:CC:DD:EE:FF")).classified.kind.name(), "network-access");
}

#[test]
fn openvpn_radiusplugin_by_its_digest() {
    let octets = octets(|b| {
        b.integer(40, 1)
            .text(44, "0123456789ABCDEF0123456789ABCDEF")
            .text(1, "alice")
            .text(31, "203.0.113.7");
        b.ipv4(8, [10, 8, 0, 6].into()).integer(6, 5).integer(7, 1).integer(61, 5);
    });
    shows(
        &event(&octets),
        "vendor openvpn by SessionId
         kind vpn: NAS-Port-Type is Virtual
         user alice = alice
         remote 203.0.113.7, public, from 31
         assigned 10.8.0.6",
    );
}

#[test]
fn pfsense_over_mpd_and_from_a_script_without_an_address() {
    let mpd = start(|b| {
        b.text(1, "alice").text(32, "fw.contoso.example").vendor(12341, 12, b"l2tp-1").integer(61, 5);
        b.text(31, "203.0.113.7").tagged_text(66, Some(0), "203.0.113.7").ipv4(8, [192, 0, 2, 7].into());
    });
    shows(
        &event(&mpd),
        "vendor pfsense by Attributes
         kind vpn: NAS-Port-Type is Virtual
         user alice = alice
         remote 203.0.113.7, public, from 66
         assigned 192.0.2.7",
    );
    let script = start(|b| {
        b.text(1, "alice").text(32, "pfSense.contoso.example");
    });
    let event = event(&script);
    assert_eq!((event.vendor, event.remote), (Vendor::PfSense, None));
    assert!(!event.attributes.is_empty());
}

#[test]
fn vendors_without_a_table_are_carried_by_the_standard_attributes() {
    let seil = octets(|b| {
        b.integer(40, 1).text(44, "5f3a9c1200000007").text(1, "alice").integer(61, 5).text(32, "gw");
        b.tagged_integer(64, 0, 3).tagged_integer(65, 0, 1).tagged_text(66, Some(0), "203.0.113.7");
        b.tagged_text(67, Some(0), "198.51.100.4").tagged_text(82, Some(0), "t1").text(68, "1");
        b.ipv4(8, [192, 0, 2, 7].into());
    });
    shows(
        &event(&seil),
        "vendor unknown by No
         kind vpn: NAS-Port-Type is Virtual
         user alice = alice
         remote 203.0.113.7, public, from 66
         assigned 192.0.2.7
         tunnel L2TP",
    );
    let net_defend = octets(|b| {
        b.integer(40, 3).text(44, "hGf7k2a").text(1, "alice").ipv4(8, [192, 0, 2, 7].into());
        b.integer(42, 5).integer(52, 1).integer(55, ARRIVAL_S);
    });
    let event = event(&net_defend);
    assert_eq!(event.counters.input_octets, Some((1 << 32) + 5));
    assert!(event.remote.is_none() && !event.attributes.is_empty());
}

#[test]
fn softether_pretends_to_be_microsoft_and_its_address_is_no_device() {
    let octets = start(|b| {
        b.text(1, "alice").text(31, "203.0.113.7").text(66, "203.0.113.7");
        b.vendor(311, 34, b"203.0.113.7").vendor(311, 35, b"MSRASV5.20");
    });
    shows(
        &event(&octets),
        "vendor microsoft by Attributes
         kind vpn: an outer address
         user alice = alice
         remote 203.0.113.7, public, from 66
         software MSRASV5.20",
    );
}
