//! Microsoft, F5, Check Point, Cisco ASA; and Cisco's others, which ASA must be told from.

use insight::vpn::{Client, TimeSource, Vendor};
use radius::build::RequestBuilder;

use crate::{ARRIVAL_NS, ARRIVAL_S, decoder, event, octets, received, shows, start};

fn pairs(b: &mut RequestBuilder<'_>, pairs: &[&str]) {
    for pair in pairs {
        b.vendor(9, 1, pair.as_bytes());
    }
}

#[test]
fn microsoft_rras_over_sstp() {
    let octets = start(|b| {
        b.text(1, "CONTOSO\\alice").text(32, "RRAS-1").ipv4(4, [198, 51, 100, 1].into());
        b.integer(6, 2).integer(7, 1).integer(5, 128).integer(61, 5).ipv4(8, [192, 168, 10, 7].into());
        b.tagged_integer(64, 0, 0x01_37_01).tagged_integer(65, 0, 1);
        b.tagged_text(66, Some(0), "203.0.113.7").tagged_text(67, Some(0), "198.51.100.1");
        b.text(31, "203.0.113.7").integer(55, ARRIVAL_S - 2).text(50, "79").integer(51, 1);
        b.vendor(311, 9, &311u32.to_be_bytes()).vendor(311, 18, b"MSRASV5.20");
        b.vendor(311, 34, b"MSRAS-0-PC7").vendor(311, 35, b"MSRASV5.20");
        b.vendor(311, 56, b"{6B29FC40-CA47-1067-B31D-00DD010662DA}");
    });
    let event = event(&octets);
    shows(
        &event,
        "vendor microsoft by Attributes
         kind vpn: NAS-Port-Type is Virtual
         user CONTOSO\\alice = alice@contoso
         remote 203.0.113.7, public, from 66
         assigned 192.168.10.7
         device PC7
         software MSRASV5.20
         correlation {6B29FC40-CA47-1067-B31D-00DD010662DA}
         tunnel SSTP",
    );
    assert_eq!(event.server.identifier.as_deref(), Some("RRAS-1"));
    assert_eq!(event.server.address, Some([198, 51, 100, 1].into()));
    assert_eq!((event.session_id.as_deref(), event.multi_session_id.as_deref()), (Some("4F"), Some("79")));
    assert_eq!((event.port, event.service_type, event.port_type), (Some(128), Some(2), Some(5)));
    assert_eq!((event.time.unix_ns, event.time.source), (ARRIVAL_NS - 2_500_000_000, TimeSource::Timestamp));
    assert_eq!((event.client, event.arrival_unix_ns), ("gateway", ARRIVAL_NS));
}

#[test]
fn microsoft_ike_v2_has_no_client_name_and_a_machine_name_counts_first() {
    let ike = start(|b| {
        b.text(1, "alice@contoso.example").tagged_integer(64, 0, 9).tagged_text(66, Some(1), "2001:db8::7");
        b.vendor(311, 9, &311u32.to_be_bytes());
    });
    shows(
        &event(&ike),
        "vendor microsoft by Attributes
         kind vpn: a Tunnel-Type
         user alice@contoso.example = alice@contoso.example
         remote 2001:db8::7, public, from 66
         tunnel ESP",
    );
    let both = start(|b| {
        b.text(1, "alice").vendor(311, 34, b"MSRASV5.20").vendor(311, 50, b"PC7.contoso.example");
    });
    assert_eq!(event(&both).device.as_deref(), Some("PC7.contoso.example"));
}

#[test]
fn a_machine_tunnel_of_rras_is_no_person() {
    let octets = start(|b| {
        b.text(1, "host/pc7.contoso.example").integer(61, 5).vendor(311, 9, &311u32.to_be_bytes());
        b.text(31, "203.0.113.7");
    });
    shows(
        &event(&octets),
        "vendor microsoft by Attributes
         kind machine-vpn: User-Name is a computer's
         user host/pc7.contoso.example = pc7$@contoso.example
         remote 203.0.113.7, public, from 31",
    );
}

#[test]
fn f5_start_without_and_stop_with_an_inner_address() {
    let start = start(|b| {
        b.text(1, "alice@vpn.example").text(32, "bigip-1.vpn.example").text(66, "203.0.113.7").integer(6, 2);
    });
    shows(
        &event(&start),
        "vendor f5 by Identifier
         kind vpn: an outer address
         user alice@vpn.example = alice@vpn.example
         remote 203.0.113.7, public, from 66",
    );
    let stop = octets(|b| {
        b.integer(40, 2).text(44, "1a2b3c4d").text(1, "alice@vpn.example").text(66, "203.0.113.7");
        b.ipv4(8, [192, 0, 2, 7].into()).integer(46, 3600).integer(42, 1000).integer(43, 2000);
        b.integer(47, 10).integer(48, 20).integer(49, 1).vendor(3375, 12, b"x");
    });
    let stop = event(&stop);
    shows(
        &stop,
        "vendor f5 by Attributes
         kind vpn: an outer address
         user alice@vpn.example = alice@vpn.example
         remote 203.0.113.7, public, from 66
         assigned 192.0.2.7
         ended by User-Request",
    );
    let counters = stop.counters;
    assert_eq!((counters.input_octets, counters.output_octets), (Some(1000), Some(2000)));
    assert_eq!((counters.input_packets, counters.output_packets), (Some(10), Some(20)));
    assert_eq!((counters.session_seconds, counters.has_gigawords), (Some(3600), false));
}

#[test]
fn check_point_is_carried_by_the_standard_attributes() {
    let octets = start(|b| {
        b.text(1, "alice").text(32, "cp-gw-1").text(31, "203.0.113.7").ipv4(8, [192, 0, 2, 7].into());
    });
    shows(
        &event(&octets),
        "vendor unknown by No
         kind vpn: an outer address
         user alice = alice
         remote 203.0.113.7, public, from 31
         assigned 192.0.2.7",
    );
    let configured = Client { vendor: Some(Vendor::CheckPoint), ..Client::default() };
    let decoder = decoder(configured);
    let event = decoder.decode(&received(&octets)).unwrap();
    shows(
        &event,
        "vendor check-point by Configured
         kind vpn: an outer address
         user alice = alice
         remote 203.0.113.7, public, from 31
         assigned 192.0.2.7",
    );
}

#[test]
fn cisco_asa_with_anyconnect() {
    let octets = start(|b| {
        b.text(1, "alice").ipv4(4, [198, 51, 100, 4].into()).integer(61, 5).ipv4(8, [192, 0, 2, 7].into());
        b.text(30, "198.51.100.4").text(31, "203.0.113.7");
        // No tag octet on the wire.
        b.tagged_text(66, None, "203.0.113.7");
        pairs(
            b,
            &[
                "mdm-tlv=device-platform=win",
                "mdm-tlv=device-mac=02-00-5e-00-53-01",
                "mdm-tlv=device-public-mac=02-00-5e-00-53-02",
                "mdm-tlv=ac-user-agent=AnyConnect Windows 4.10.04065",
                "mdm-tlv=device-platform-version=10.0.19041 ",
                "mdm-tlv=device-type=VMware, Inc. VMware Virtual Platform",
                "mdm-tlv=device-uid-global=9F2C",
                "mdm-tlv=device-uid=3432",
                "audit-session-id=c6336404000010005e",
                "ip:source-ip=203.0.113.7",
                "coa-push=true",
            ],
        );
        b.vendor(3076, 146, b"STAFF-VPN").vendor(3076, 150, &2u32.to_be_bytes());
        b.vendor(3076, 151, &1u32.to_be_bytes()).vendor(3076, 152, &3u32.to_be_bytes());
    });
    shows(
        &event(&octets),
        "vendor asa by Attributes
         kind vpn: ASA-SessionType is a client's
         user alice = alice
         remote 203.0.113.7, public, from 66
         assigned 192.0.2.7
         device 9F2C
         model VMware, Inc. VMware Virtual Platform
         software AnyConnect Windows 4.10.04065
         system win 10.0.19041
         group STAFF-VPN
         correlation c6336404000010005e",
    );
}

#[test]
fn cisco_asa_by_pairs_alone_takes_the_next_best() {
    let octets = start(|b| {
        b.text(1, "alice");
        pairs(b, &["mdm-tlv=device-public-mac=02-00-5e-00-53-02", "ip:source-ip=203.0.113.7"]);
        b.vendor(9, 1, b"ip:source-ip=203.0.113.8");
    });
    shows(
        &event(&octets),
        "vendor asa by Attributes
         kind vpn: an outer address
         user alice = alice
         remote 203.0.113.7, public, from 26.9.1
         device 02-00-5e-00-53-02",
    );
}

#[test]
fn cisco_ios_by_any_of_its_pairs() {
    let octets = start(|b| {
        b.text(1, "alice").text(31, "203.0.113.7").ipv4(8, [192, 0, 2, 7].into()).integer(61, 5);
        pairs(b, &["connect-progress=Call Up", "audit-session-id=0A0000010000000B"]);
    });
    shows(
        &event(&octets),
        "vendor cisco by Attributes
         kind vpn: NAS-Port-Type is Virtual
         user alice = alice
         remote 203.0.113.7, public, from 31
         assigned 192.0.2.7
         correlation 0A0000010000000B",
    );
}
