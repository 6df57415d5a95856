//! The other products.

use crate::{event, shows, start};

#[test]
fn palo_alto_global_protect() {
    let octets = start(|b| {
        b.text(1, "alice").vendor(25461, 7, b"203.0.113.7").vendor(25461, 9, b"PC7");
        b.vendor(25461, 8, b"Windows 11").vendor(25461, 10, b"6.2.1").vendor(25461, 6, b"CONTOSO");
        b.ipv4(8, [192, 0, 2, 7].into());
    });
    shows(
        &event(&octets),
        "vendor palo-alto by Attributes
         kind vpn: an outer address
         user alice = alice@contoso
         remote 203.0.113.7, public, from 26.25461.7
         assigned 192.0.2.7
         device PC7
         software GlobalProtect 6.2.1
         system Windows 11",
    );
}

#[test]
fn fortinet_tells_vpn_from_administrators_and_web() {
    let of = |info: &str| {
        start(|b| {
            b.text(1, "alice").text(31, "203.0.113.7").text(77, info).vendor(12356, 3, b"root");
            b.vendor(12356, 1, b"staff").vendor(12356, 2, &[192, 0, 2, 7]);
        })
    };
    shows(
        &event(&of("vpn-ssl")),
        "vendor fortinet by Attributes
         kind vpn: Connect-Info is a VPN's
         user alice = alice
         remote 203.0.113.7, public, from 31
         assigned 192.0.2.7
         group staff",
    );
    let bare = start(|b| {
        b.text(1, "alice").text(31, "203.0.113.7").text(77, "vpn-ssl");
    });
    assert_eq!(event(&bare).vendor.name(), "fortinet");
    for (info, kind) in [("vpn-ikev2", "vpn"), ("admin-login", "administrator"), ("web-auth", "web-sign-in")]
    {
        assert_eq!(event(&of(info)).classified.kind.name(), kind, "{info}");
    }
}

#[test]
fn ivanti_by_its_enterprises() {
    for enterprise in [2636, 3224, 4874] {
        let octets = start(|b| {
            b.text(1, "alice").text(66, "203.0.113.7").ipv4(8, [192, 0, 2, 7].into()).text(50, "user-1");
            b.vendor(enterprise, 2, b"x");
        });
        shows(
            &event(&octets),
            "vendor ivanti by Attributes
             kind vpn: an outer address
             user alice = alice
             remote 203.0.113.7, public, from 66
             assigned 192.0.2.7
             correlation user-1",
        );
    }
}

#[test]
fn citrix_gives_no_place_and_says_what_there_was() {
    let octets = start(|b| {
        b.text(1, "alice").text(32, "netscaler-1").vendor(66, 16, b"staff");
    });
    let event = event(&octets);
    shows(
        &event,
        "vendor citrix by Attributes
         kind vpn: nothing says that it is not
         user alice = alice
         group staff",
    );
    let attributes: Vec<_> = event.attributes.iter().map(ToString::to_string).collect();
    assert_eq!(attributes, ["40", "44", "1", "32", "26.66.16"]);
}

#[test]
fn mikrotik_tunnels_hotspots_and_pppoe() {
    let tunnel = start(|b| {
        b.text(1, "alice").text(32, "MikroTik").integer(61, 5).integer(6, 2).integer(7, 1);
        b.text(31, "203.0.113.7").text(30, "198.51.100.4").ipv4(8, [192, 0, 2, 7].into());
        // Microsoft's domain does not make it Microsoft.
        b.vendor(311, 10, b"\x01CONTOSO").vendor(14988, 9, b"contoso");
    });
    shows(
        &event(&tunnel),
        "vendor mikrotik by Attributes
         kind vpn: NAS-Port-Type is Virtual
         user alice = alice@contoso
         remote 203.0.113.7, public, from 31
         assigned 192.0.2.7",
    );
    let without_its_own = start(|b| {
        b.text(1, "alice").text(32, "MikroTik").integer(61, 5).vendor(311, 10, b"\x01CONTOSO");
    });
    assert_eq!(event(&without_its_own).vendor.name(), "mikrotik");
    let hotspot = start(|b| {
        b.text(1, "alice").vendor(14988, 10, &[10, 0, 0, 9]).text(31, "00:0C:29:74:9D:E8");
    });
    shows(
        &event(&hotspot),
        "vendor mikrotik by Attributes
         kind network-access: Mikrotik-Host-IP is a hotspot's
         user alice = alice",
    );
    let pppoe = start(|b| {
        b.text(1, "alice").text(32, "MikroTik").integer(61, 15).text(31, "00:0C:29:74:9D:E8");
    });
    assert_eq!(event(&pppoe).classified.kind.name(), "network-access");
}

#[test]
fn watchguard_and_sonicwall_are_carried_by_the_standard_attributes() {
    for (identifier, vendor) in [("firebox-1", "watchguard"), ("sonicwall", "sonicwall")] {
        let octets = start(|b| {
            b.text(1, "alice").text(32, identifier).text(31, "203.0.113.7").ipv4(8, [192, 0, 2, 7].into());
        });
        shows(
            &event(&octets),
            &format!(
                "vendor {vendor} by Identifier
                 kind vpn: an outer address
                 user alice = alice
                 remote 203.0.113.7, public, from 31
                 assigned 192.0.2.7"
            ),
        );
    }
    let privileges = start(|b| {
        b.text(1, "alice").vendor(8741, 3, b"staff");
    });
    assert_eq!(event(&privileges).group.as_deref(), Some("staff"));
}
