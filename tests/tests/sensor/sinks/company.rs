//! The company of forty: its four VPN servers, the month that teaches, and attackers with somebody's password.

use std::process::Stdio;

use end_to_end::{
    Wire,
    config::{ClientEntry, Config, SECRET},
    sensor::Home,
    tools::output,
    wire::SENSOR_V4,
};

/// Vendor, and the last octet of the address that it sends from; in the order of `send --month`.
const SERVERS: [(&str, u8); 4] = [("rras", 11), ("f5", 12), ("check-point", 13), ("asa", 14)];

/// The sensor's configuration without sinks: as the demo has it.
pub(crate) fn config() -> Config {
    let client = |(vendor, last): (&str, u8)| {
        ClientEntry::new(vendor, &[&format!("192.0.2.{last}")], SECRET).line(&format!("vendor = {vendor:?}"))
    };
    Config::udp().clients(&SERVERS.map(client)).lines(
        "[events]\naccept_past = \"35d\"\n[users]\nrealms = [[\"contoso.example\", \"CONTOSO\", \"\"]]\n\
         [portal]\naddress = \"off\"\n",
    )
}

/// A connection of somebody who has a user's password.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Theft<'a> {
    pub(crate) vendor: &'a str,
    /// As that VPN server names the user.
    pub(crate) name: &'a str,
    pub(crate) user: &'a str,
    pub(crate) address: &'a str,
    /// Where that address is.
    pub(crate) country: &'a str,
}

/// One through each VPN server, of somebody who uses it: servers for rent in four countries.
pub(crate) const THEFTS: [Theft<'static>; 4] = [
    Theft {
        vendor: "rras",
        name: "CONTOSO\\dave",
        user: "dave@contoso.example",
        address: "128.199.64.23",
        country: "SG",
    },
    Theft {
        vendor: "f5",
        name: "carol@contoso.example",
        user: "carol@contoso.example",
        address: "216.238.100.20",
        country: "BR",
    },
    Theft {
        vendor: "check-point",
        name: "frank",
        user: "frank@contoso.example",
        address: "139.162.64.10",
        country: "JP",
    },
    Theft { vendor: "asa", name: "bob", user: "bob@contoso.example", address: "13.244.10.10", country: "ZA" },
];

/// The VPN servers' end of a wire.
pub(crate) struct Company<'a> {
    wire: &'a Wire,
    home: &'a Home,
}

impl<'a> Company<'a> {
    pub(crate) fn new(wire: &'a Wire, home: &'a Home) -> Company<'a> {
        SERVERS.iter().for_each(|(_, last)| wire.add_nas_address([192, 0, 2, *last].into()));
        Company { wire, home }
    }

    /// All that the four say of a month; every request is answered.
    pub(crate) fn live_a_month(&self) {
        let sources = SERVERS.map(|(_, last)| format!("192.0.2.{last}")).join(",");
        self.send(&["--month", &sources, "--month-seconds", "3", "--seed", "1"]);
    }

    /// The attacker connects; the request is answered.
    pub(crate) fn suffer(&self, theft: &Theft<'_>) {
        let (_, last) = SERVERS.into_iter().find(|(vendor, _)| *vendor == theft.vendor).unwrap();
        self.send(&[
            "--vendor",
            theft.vendor,
            "--source",
            &format!("192.0.2.{last}"),
            "--user",
            theft.name,
            "--calling-station-id",
            theft.address,
            "--session",
            &format!("theft-{}", theft.user),
        ]);
    }

    fn send(&self, arguments: &[&str]) {
        let mut command = self.home.command(&self.wire.nas, &format!("send --to {SENSOR_V4}"));
        command.args(arguments).env("VPN_SENSOR_SECRET", SECRET).stdin(Stdio::null());
        let output = output(&mut command);
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
}
