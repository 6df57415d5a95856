//! FreeRADIUS' `radclient`, a client that we did not write, and requests in the shapes of four vendors.

use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use crate::Namespace;
use crate::config::PORT;
use crate::tools::{need_program, output};

/// The four vendors whose VPN servers send most of what the product sees.
#[derive(Clone, Copy, Debug)]
pub enum Vendor {
    /// Microsoft Routing and Remote Access
    Rras,
    /// F5 BIG-IP Access Policy Manager
    F5,
    /// Check Point
    CheckPoint,
    /// Cisco Adaptive Security Appliance
    Asa,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Vendor; 4] = [Vendor::Rras, Vendor::F5, Vendor::CheckPoint, Vendor::Asa];

    /// A request of this vendor's shape in radclient's notation: a Start, Interim-Update or Stop of session `number`.
    pub fn request(self, number: usize) -> String {
        let mut text = String::new();
        let status = ["Start", "Interim-Update", "Stop"][number % 3];
        let public = format!("198.51.100.{}", number % 254 + 1);
        let inside = format!("10.{}.{}.{}", number >> 16 & 0xff, number >> 8 & 0xff, number & 0xff);
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(text, "{name} = {value}");
        };
        line("Acct-Status-Type", status);
        line("Acct-Session-Id", &format!("\"{self:?}-{number}\""));
        match self {
            Vendor::Rras => {
                line("User-Name", &format!("\"CONTOSO\\\\user{number}\""));
                line("NAS-Identifier", "\"RRAS01\"");
                line("NAS-Port", &number.to_string());
                line("Service-Type", "Framed-User");
                line("Framed-Protocol", "PPP");
                line("Framed-IP-Address", &inside);
                line("Calling-Station-Id", &format!("\"{public}\""));
                line("Tunnel-Client-Endpoint:0", &format!("\"{public}\""));
                line("NAS-Port-Type", "Virtual");
                line("Acct-Authentic", "RADIUS");
                line("Attr-26", &vendor_octets(311, 34, b"MSRAS-0-LAPTOP-17"));
                line("Attr-26", &vendor_octets(311, 35, b"MSRASV5.20"));
                line("Class", "0x4d9c0a0c000001370001");
            }
            Vendor::F5 => {
                line("User-Name", &format!("\"user{number}@contoso.example\""));
                line("NAS-IP-Address", "192.0.2.10");
                line("NAS-Identifier", "\"bigip-apm\"");
                line("Service-Type", "Authenticate-Only");
                line("NAS-Port", "0");
                line("Tunnel-Client-Endpoint:0", &format!("\"{public}\""));
            }
            Vendor::CheckPoint => {
                line("User-Name", &format!("\"user{number}\""));
                line("NAS-IP-Address", "192.0.2.10");
                line("Framed-IP-Address", &inside);
                line("Calling-Station-Id", &format!("\"{public}\""));
                line("Service-Type", "Framed-User");
                line("NAS-Port-Type", "Virtual");
            }
            Vendor::Asa => {
                line("User-Name", &format!("\"user{number}\""));
                line("NAS-IP-Address", "192.0.2.10");
                line("NAS-Port-Type", "Virtual");
                line("Framed-IP-Address", &inside);
                line("Called-Station-Id", "\"192.0.2.10\"");
                line("Calling-Station-Id", &format!("\"{public}\""));
                line("Tunnel-Client-Endpoint:0", &format!("\"{public}\""));
                for pair in [
                    "mdm-tlv=device-platform=win".to_owned(),
                    "mdm-tlv=device-platform-version=10.0.19041 ".to_owned(),
                    "mdm-tlv=ac-user-agent=AnyConnect Windows 4.10.04065".to_owned(),
                    format!("ip:source-ip={public}"),
                ] {
                    line("Attr-26", &vendor_octets(9, 1, pair.as_bytes()));
                }
                line("Attr-26", &vendor_octets(3076, 146, b"Employees"));
                line("Attr-26", &vendor_octets(3076, 150, &2_u32.to_be_bytes()));
                line("Attr-26", &vendor_octets(3076, 151, &1_u32.to_be_bytes()));
            }
        }
        if status == "Stop" {
            line("Acct-Session-Time", "3600");
            line("Acct-Input-Octets", "123456789");
            line("Acct-Output-Octets", "987654321");
            line("Acct-Terminate-Cause", "User-Request");
        }
        text
    }
}

/// A Vendor-Specific attribute's value in radclient's notation for octets. This way the request does not depend on the
/// dictionaries that a distribution ships.
fn vendor_octets(vendor: u32, kind: u8, value: &[u8]) -> String {
    let length = u8::try_from(value.len() + 2).expect("a short value");
    let octets = [&vendor.to_be_bytes()[..], &[kind, length], value].concat();
    octets.iter().fold(String::from("0x"), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// What radclient's summary says.
#[derive(Debug, PartialEq, Eq)]
pub struct Summary {
    /// Requests that were answered.
    pub answered: usize,
    /// Requests without an answer.
    pub lost: usize,
}

/// `count` requests of all four vendors' shapes, in turn, as radclient reads them.
pub fn four_vendors(count: usize) -> String {
    let requests = (0..count).map(|number| Vendor::ALL[number % 4].request(number));
    requests.collect::<Vec<_>>().join("\n")
}

/// Has radclient send the requests, up to 128 at a time, each again after 5 s without an answer.
#[track_caller]
pub fn run(namespace: &Namespace, folder: &Path, server: IpAddr, requests: &str, secret: &str) -> Summary {
    need_program("radclient", "freeradius-utils");
    let (packets, secret_file) = (folder.join("radclient.requests"), folder.join("radclient.secret"));
    fs::write(&packets, requests).expect("write the requests");
    fs::write(&secret_file, secret).expect("write the secret");
    let server = match server {
        IpAddr::V4(address) => format!("{address}:{PORT}"),
        IpAddr::V6(address) => format!("[{address}]:{PORT}"),
    };
    let mut command: Command = namespace.command("radclient");
    command.args(["-q", "-s", "-p", "128", "-r", "8", "-t", "5", "-f"]).arg(packets);
    command.arg("-S").arg(secret_file).args([&server, "acct"]);
    let output = output(&mut command);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let figure = |name: &str| -> usize {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name)?.split(':').nth(1));
        line.and_then(|figure| figure.trim().parse().ok())
            .unwrap_or_else(|| panic!("no {name:?} in {text}\n{}", String::from_utf8_lossy(&output.stderr)))
    };
    Summary { answered: figure("Accepted"), lost: figure("Lost") }
}
