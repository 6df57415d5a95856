//! How VPN servers are pointed here, step by step. The same as `docs/vpn-servers.md`, which says what of it is confirmed.

use maud::{Markup, html};

/// The steps for each VPN server that has some.
pub(super) fn guides() -> Markup {
    html! {
        h2 { "How to point a VPN server here" }
        p { "Its accounting goes to an address of this host, UDP port 1813, with the shared secret. The address that the VPN server sends "
            em { "from" } " is the one to set here." }
        details { summary { "Microsoft RRAS" } ol {
            li { "Routing and Remote Access: right-click the server, Properties, Security." }
            li { "Accounting provider: RADIUS Accounting. Configure, Add." }
            li { "Server name: the address of this host. Shared secret: Change, and type it. Port: 1813." }
            li { "Tick “Send RADIUS Accounting On and Accounting Off messages”." }
            li { "OK, and restart Routing and Remote Access when it asks. With NPS in between, the datagrams come from the NPS host." }
        } }
        details { summary { "F5 BIG-IP APM" } ol {
            li { "Access, Authentication, RADIUS, Create: mode Accounting, the address of this host, port 1813, the secret." }
            li { "In the access policy, put a RADIUS Acct agent after authentication." }
            li { "Apply the access policy. The Start is sent when the policy runs, the Stop when the session ends." }
        } }
        details { summary { "Check Point" } ol {
            li { "New, Server, RADIUS: this host, a service on port 1813, the shared secret." }
            li { "Select that server for accounting on the gateway." }
            li { "Install the policy." }
        } }
        details { summary { "Cisco ASA and AnyConnect" }
            pre { "aaa-server SENSOR protocol radius\n accounting-mode simultaneous\n interim-accounting-update periodic 1\naaa-server SENSOR (inside) host ADDRESS\n key SECRET\n accounting-port 1813\ntunnel-group STAFF general-attributes\n accounting-server-group SENSOR" }
            p { "ADDRESS is that of this host, SECRET the shared secret, STAFF your tunnel group." }
        }
    }
}
