//! How VPN servers are pointed here, step by step. The same as `docs/vpn-servers.md`, which says what of it is confirmed.

use std::net::{IpAddr, SocketAddr};

use maud::{Markup, html};

/// Of an address that says nothing.
const PORT: u16 = 1813;

/// Where accounting is to be sent: `192.0.2.1 or 2001:db8::1, UDP port 1813`.
pub(super) fn here(addresses: &[SocketAddr]) -> Markup {
    let port = port(addresses);
    let same: Vec<IpAddr> =
        addresses.iter().filter(|address| address.port() == port).map(SocketAddr::ip).collect();
    html! {
        @if same.is_empty() { "an address of this host" }
        @for (index, address) in same.iter().enumerate() {
            @if index > 0 { " or " }
            code { (address) }
        }
        ", UDP port " (port)
    }
}

fn port(addresses: &[SocketAddr]) -> u16 {
    addresses.first().map_or(PORT, SocketAddr::port)
}

/// The steps for each VPN server that has some, to addresses of this host.
pub(super) fn guides(addresses: &[SocketAddr]) -> Markup {
    let port = port(addresses);
    let host = addresses.first().map_or_else(|| "ADDRESS".to_owned(), |address| address.ip().to_string());
    html! {
        h2 { "How to point a VPN server here" }
        p { "Its accounting goes to " (here(addresses)) ", with the shared secret. The address that the VPN server sends "
            em { "from" } " is the one to set here." }
        details { summary { "Microsoft RRAS" } ol {
            li { "Routing and Remote Access: right-click the server, Properties, Security." }
            li { "Accounting provider: RADIUS Accounting. Configure, Add." }
            li { "Server name: " (host) ". Shared secret: Change, and type it. Port: " (port) "." }
            li { "Tick “Send RADIUS Accounting On and Accounting Off messages”." }
            li { "OK, and restart Routing and Remote Access when it asks. With NPS in between, the datagrams come from the NPS host." }
        } }
        details { summary { "F5 BIG-IP APM" } ol {
            li { "Access, Authentication, RADIUS, Create: mode Accounting, " (host) ", port " (port) ", the secret." }
            li { "In the access policy, put a RADIUS Acct agent after authentication." }
            li { "Apply the access policy. The Start is sent when the policy runs, the Stop when the session ends." }
        } }
        details { summary { "Check Point" } ol {
            li { "New, Server, RADIUS: " (host) ", a service on port " (port) ", the shared secret." }
            li { "Select that server for accounting on the gateway." }
            li { "Install the policy." }
        } }
        details { summary { "Cisco ASA and AnyConnect" }
            pre { "aaa-server SENSOR protocol radius\n accounting-mode simultaneous\n interim-accounting-update periodic 1\naaa-server SENSOR (inside) host " (host) "\n key SECRET\n accounting-port " (port) "\ntunnel-group STAFF general-attributes\n accounting-server-group SENSOR" }
            p { @if addresses.is_empty() { "ADDRESS is that of this host, " } "SECRET is the shared secret, STAFF your tunnel group." }
        }
    }
}
