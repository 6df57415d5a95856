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
        p { "Its accounting goes to " (here(addresses)) ", with the shared secret. The address that the VPN server \
              sends "
            em { "from" } " is the one to set here." }
        p { "Let UDP port " (port) " through to this host from each VPN server, whatever firewall is in between." }
        details { summary { "Microsoft RRAS" } ol {
            li { "Routing and Remote Access: right-click the server, Properties, Security." }
            li { "Accounting provider: RADIUS Accounting. Configure, Add. The authentication provider may stay as it \
                  is." }
            li { "Server name: " (host) ". Shared secret: Change, and type it. Port: " (port) "." }
            li { "Tick “Send RADIUS Account On and Accounting Off messages”: it comes unticked." }
            li { "OK in every dialog. If it asks to restart Routing and Remote Access, that ends the connections \
                  there are." }
            li { "With NPS in between: Connection Request Policies, the policy, Settings, Accounting, forward \
                  accounting requests to a remote RADIUS server group with " (host) ". The datagrams then come from \
                  the NPS host." }
            li { "Remote Access set up by its wizard or by DirectAccess, in PowerShell instead of all this:"
                pre { "Set-RemoteAccessAccounting -EnableAccountingType ExternalRadius -RadiusServer " (host)
                    " -SharedSecret SECRET -RadiusPort " (port) " -AccountingOnOffMsg Enabled" } }
        } p { "A second server in that list gets records only while the first does not answer." } }
        details { summary { "F5 BIG-IP APM" } ol {
            li { "Access, Authentication, RADIUS, Create (before version 13: Access Policy, AAA Servers, RADIUS): \
                  mode Accounting, server connection Direct, " (host) ", accounting service port " (port) ", the \
                  secret." }
            li { "In the access policy, put a RADIUS Acct agent after authentication." }
            li { "Apply the access policy. The Start is sent when the policy runs, the Stop when the session ends." }
        } p { "“NAS IP Address” there does not change the address that datagrams come from. Of a pair of units set \
              both addresses here." } }
        details { summary { "Check Point" }
            p { "Accounting belongs to the RADIUS server that looks at the users' passwords and goes to that one. So \
                  let it forward accounting to this host." }
            ol {
                li { "SmartConsole: open the RADIUS server that authenticates VPN users. Its Service stays as it is: \
                      that is the port for authentication." }
                li { "Turn on its IP pool management, which turns accounting on, with the accounting service \
                      NEW-RADIUS-ACCOUNTING (UDP 1813)." }
                li { "Install the policy." }
                li { "On that RADIUS server (NPS: Connection Request Policies, the policy, Settings, Accounting): \
                      forward accounting requests to " (host) ", port " (port) ". The datagrams then come from its \
                      address, which is the one to set here." }
            }
            p { "Not the page Identity Awareness, RADIUS Accounting: there the gateway takes accounting, it sends \
                  none." }
        }
        details { summary { "Cisco ASA and AnyConnect" }
            pre { "aaa-server SENSOR protocol radius\n accounting-mode simultaneous\n interim-accounting-update periodic 1\naaa-server SENSOR (inside) host " (host) "\n key SECRET\n accounting-port " (port) "\ntunnel-group STAFF general-attributes\n accounting-server-group SENSOR" }
            p { @if addresses.is_empty() { "ADDRESS is that of this host, " } "SECRET is the shared secret, STAFF \
                  your tunnel group (the last two lines once for each), inside the interface towards this host. The \
                  interval is in hours. Where accounting goes to another server already, add this host to that server's group and make it simultaneous; never add it to the group that looks at passwords." }
        }
    }
}
