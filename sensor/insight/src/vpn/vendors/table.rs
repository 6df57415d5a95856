//! The vendors' rows. A field that a row does not list is read as [`STANDARD`] says: standard attributes carry any vendor.
//! Only the parent module reads this.

use std::borrow::Cow;

use radius::attribute::{Id, kind};

use super::{
    super::source::{Field, Form, Source},
    Mark, Row, Vendor,
};

const fn standard(kind: u8) -> Source {
    Source { attribute: Id::Standard(kind), form: Form::Whole }
}

const fn vendor(vendor: u32, kind: u8) -> Source {
    with_form(vendor, kind, Form::Whole)
}

const fn with_form(vendor: u32, kind: u8, form: Form) -> Source {
    Source { attribute: Id::Vendor { vendor, kind }, form }
}

const fn cisco_pair(key: &'static str) -> Source {
    with_form(9, 1, Form::Pair(Cow::Borrowed(key)))
}

/// What every vendor shares. Tunnel-Client-Endpoint is 'the address from which the tunnel was initiated' (RFC 2868
/// section 3.3), so it comes before Calling-Station-Id, which may be a telephone number.
pub(super) const STANDARD: &[(Field, &[Source])] = &[
    (Field::User, &[standard(kind::USER_NAME)]),
    (Field::Remote, &[standard(kind::TUNNEL_CLIENT_ENDPOINT), standard(kind::CALLING_STATION_ID)]),
    (
        Field::Assigned,
        &[
            standard(kind::FRAMED_IP_ADDRESS),
            standard(kind::FRAMED_IPV6_ADDRESS),
            standard(kind::FRAMED_IPV6_PREFIX),
            standard(kind::DELEGATED_IPV6_PREFIX),
        ],
    ),
    (Field::Correlation, &[standard(kind::ACCT_MULTI_SESSION_ID)]),
];

/// In the order in which marks are looked for: a vendor whose attributes others' requests may carry too (Microsoft's,
/// added by NPS on the way; Cisco's pairs, which ASA, IOS and others send) comes behind those.
pub(in crate::vpn) const ROWS: &[Row] = &[
    Row {
        vendor: Vendor::CiscoAsa,
        name: "asa",
        also: &["cisco-asa", "anyconnect", "ftd"],
        title: "Cisco ASA, FTD, AnyConnect",
        marks: &[Mark::Enterprise(3076), Mark::Pair("mdm-tlv="), Mark::Word("asa"), Mark::Word("asav")],
        reads: &[
            (
                Field::Remote,
                &[
                    standard(kind::TUNNEL_CLIENT_ENDPOINT),
                    standard(kind::CALLING_STATION_ID),
                    cisco_pair("ip:source-ip"),
                ],
            ),
            (
                Field::Device,
                &[
                    cisco_pair("mdm-tlv=device-uid-global"),
                    cisco_pair("mdm-tlv=device-uid"),
                    cisco_pair("mdm-tlv=device-public-mac"),
                ],
            ),
            (Field::DeviceModel, &[cisco_pair("mdm-tlv=device-type")]),
            (Field::Software, &[cisco_pair("mdm-tlv=ac-user-agent")]),
            (Field::OperatingSystem, &[cisco_pair("mdm-tlv=device-platform")]),
            (Field::OperatingSystemVersion, &[cisco_pair("mdm-tlv=device-platform-version")]),
            // Tunnel-Group-Name, else Group-Policy.
            (Field::Group, &[vendor(3076, 146), vendor(3076, 25)]),
            (Field::Correlation, &[cisco_pair("audit-session-id"), standard(kind::ACCT_MULTI_SESSION_ID)]),
        ],
        confirmed: &[
            Id::Standard(kind::USER_NAME),
            Id::Standard(kind::TUNNEL_CLIENT_ENDPOINT),
            Id::Standard(kind::CALLING_STATION_ID),
            Id::Standard(kind::FRAMED_IP_ADDRESS),
            Id::Vendor { vendor: 9, kind: 1 },
            Id::Vendor { vendor: 3076, kind: 146 },
        ],
    },
    Row {
        vendor: Vendor::PaloAlto,
        name: "palo-alto",
        also: &["paloalto", "globalprotect"],
        title: "Palo Alto GlobalProtect",
        marks: &[Mark::Enterprise(25461), Mark::Word("globalprotect"), Mark::Word("paloalto")],
        // Sent in authentication; that accounting carries them is not confirmed.
        reads: &[
            (Field::Domain, &[vendor(25461, 6)]),
            (
                Field::Remote,
                &[
                    standard(kind::TUNNEL_CLIENT_ENDPOINT),
                    standard(kind::CALLING_STATION_ID),
                    vendor(25461, 7),
                ],
            ),
            (Field::Device, &[vendor(25461, 9)]),
            (Field::Software, &[with_form(25461, 10, Form::Prefixed("GlobalProtect "))]),
            (Field::OperatingSystem, &[vendor(25461, 8)]),
            (Field::Group, &[vendor(25461, 5)]),
        ],
        confirmed: &[],
    },
    Row {
        vendor: Vendor::Fortinet,
        name: "fortinet",
        also: &["fortigate"],
        title: "Fortinet FortiGate",
        marks: &[Mark::Enterprise(12356), Mark::ConnectInfo("vpn-"), Mark::Word("fortigate")],
        reads: &[
            (
                Field::Assigned,
                &[
                    standard(kind::FRAMED_IP_ADDRESS),
                    standard(kind::FRAMED_IPV6_ADDRESS),
                    standard(kind::FRAMED_IPV6_PREFIX),
                    vendor(12356, 2),
                    vendor(12356, 4),
                ],
            ),
            (Field::Group, &[vendor(12356, 1)]),
        ],
        confirmed: &[Id::Standard(kind::USER_NAME), Id::Standard(kind::CALLING_STATION_ID)],
    },
    Row {
        vendor: Vendor::MikroTik,
        name: "mikrotik",
        also: &["routeros"],
        title: "MikroTik RouterOS",
        marks: &[Mark::Enterprise(14988), Mark::Word("mikrotik")],
        reads: &[(Field::Domain, &[vendor(14988, 9)]), (Field::Group, &[vendor(14988, 3)])],
        // RouterOS manual, PPTP and L2TP: Calling-Station-Id is the client's public address.
        confirmed: &[
            Id::Standard(kind::USER_NAME),
            Id::Standard(kind::CALLING_STATION_ID),
            Id::Vendor { vendor: 14988, kind: 9 },
        ],
    },
    Row {
        vendor: Vendor::F5,
        name: "f5",
        also: &["big-ip", "bigip", "apm"],
        title: "F5 BIG-IP APM",
        marks: &[Mark::Enterprise(3375), Mark::Word("bigip")],
        reads: &[],
        confirmed: &[Id::Standard(kind::USER_NAME), Id::Standard(kind::TUNNEL_CLIENT_ENDPOINT)],
    },
    Row {
        vendor: Vendor::CheckPoint,
        name: "check-point",
        also: &["checkpoint"],
        title: "Check Point",
        marks: &[Mark::Enterprise(2620), Mark::Enterprise(6983), Mark::Word("checkpoint")],
        reads: &[],
        confirmed: &[],
    },
    Row {
        vendor: Vendor::Ivanti,
        name: "ivanti",
        also: &["pulse", "juniper"],
        title: "Ivanti, Pulse Secure, Juniper",
        marks: &[
            Mark::Enterprise(2636),
            Mark::Enterprise(3224),
            Mark::Enterprise(4874),
            Mark::Word("ivanti"),
            Mark::Word("pulse"),
        ],
        reads: &[(Field::Group, &[vendor(3224, 3)])],
        confirmed: &[],
    },
    Row {
        vendor: Vendor::Citrix,
        name: "citrix",
        also: &["netscaler"],
        title: "Citrix NetScaler Gateway",
        marks: &[Mark::Enterprise(66), Mark::Word("netscaler"), Mark::Word("citrix")],
        reads: &[(Field::Group, &[vendor(66, 16)])],
        // No address at all is documented.
        confirmed: &[Id::Standard(kind::USER_NAME)],
    },
    Row {
        vendor: Vendor::SonicWall,
        name: "sonicwall",
        also: &["sma"],
        title: "SonicWall",
        marks: &[Mark::Enterprise(8741), Mark::Word("sonicwall")],
        reads: &[(Field::Group, &[vendor(8741, 3)])],
        confirmed: &[],
    },
    Row {
        vendor: Vendor::PfSense,
        name: "pfsense",
        also: &["opnsense", "mpd"],
        title: "pfSense, OPNsense, mpd",
        marks: &[
            Mark::Enterprise(13644),
            Mark::Enterprise(12341),
            Mark::Word("pfsense"),
            Mark::Word("opnsense"),
        ],
        reads: &[],
        // mpd's manual lists the standard attributes without their form; pfSense's scripts are not confirmed.
        confirmed: &[Id::Standard(kind::USER_NAME)],
    },
    Row {
        vendor: Vendor::AccelPpp,
        name: "accel-ppp",
        also: &["accel"],
        title: "accel-ppp",
        marks: &[Mark::Enterprise(55999), Mark::Word("accel")],
        reads: &[],
        confirmed: &[
            Id::Standard(kind::USER_NAME),
            Id::Standard(kind::CALLING_STATION_ID),
            Id::Standard(kind::FRAMED_IP_ADDRESS),
            Id::Standard(kind::FRAMED_IPV6_PREFIX),
            Id::Standard(kind::DELEGATED_IPV6_PREFIX),
        ],
    },
    Row {
        vendor: Vendor::Microsoft,
        name: "microsoft",
        also: &["rras", "nps"],
        title: "Microsoft RRAS, NPS",
        // Those that RRAS sends: MikroTik, for one, sends MS-CHAP-Domain.
        marks: &[
            Mark::Attributes(311, &[9, 18, 23, 24, 34, 35, 50, 56]),
            Mark::Word("rras"),
            Mark::Word("nps"),
        ],
        reads: &[
            (Field::Device, &[vendor(311, 50), with_form(311, 34, Form::RasClientName)]),
            (Field::Software, &[vendor(311, 35)]),
            (Field::Correlation, &[vendor(311, 56), standard(kind::ACCT_MULTI_SESSION_ID)]),
        ],
        confirmed: &[
            Id::Standard(kind::USER_NAME),
            Id::Standard(kind::FRAMED_IP_ADDRESS),
            Id::Vendor { vendor: 311, kind: 34 },
            Id::Vendor { vendor: 311, kind: 35 },
            Id::Vendor { vendor: 311, kind: 50 },
            Id::Vendor { vendor: 311, kind: 56 },
        ],
    },
    Row {
        vendor: Vendor::Cisco,
        name: "cisco",
        also: &["ios"],
        title: "Cisco IOS and others",
        marks: &[Mark::Enterprise(9)],
        reads: &[
            (
                Field::Remote,
                &[
                    standard(kind::TUNNEL_CLIENT_ENDPOINT),
                    standard(kind::CALLING_STATION_ID),
                    cisco_pair("ip:source-ip"),
                ],
            ),
            (Field::Correlation, &[cisco_pair("audit-session-id"), standard(kind::ACCT_MULTI_SESSION_ID)]),
        ],
        confirmed: &[Id::Standard(kind::USER_NAME)],
    },
    Row {
        vendor: Vendor::StrongSwan,
        name: "strongswan",
        also: &[],
        title: "strongSwan",
        marks: &[Mark::Word("strongswan"), Mark::SessionIdNamesPort],
        // The name of the connection.
        reads: &[(Field::Group, &[standard(kind::NAS_PORT_ID)])],
        confirmed: &[
            Id::Standard(kind::USER_NAME),
            Id::Standard(kind::CALLING_STATION_ID),
            Id::Standard(kind::FRAMED_IP_ADDRESS),
            Id::Standard(kind::FRAMED_IPV6_ADDRESS),
            Id::Standard(kind::NAS_PORT_ID),
        ],
    },
    Row {
        vendor: Vendor::OpenVpn,
        name: "openvpn",
        also: &[],
        title: "OpenVPN (radiusplugin)",
        marks: &[Mark::Word("openvpn"), Mark::SessionIdIsDigest],
        reads: &[],
        confirmed: &[
            Id::Standard(kind::USER_NAME),
            Id::Standard(kind::CALLING_STATION_ID),
            Id::Standard(kind::FRAMED_IP_ADDRESS),
        ],
    },
    Row {
        vendor: Vendor::Ocserv,
        name: "ocserv",
        also: &["openconnect"],
        title: "ocserv (OpenConnect)",
        marks: &[Mark::Word("ocserv"), Mark::Word("openconnect")],
        // The client's user agent, in Starts only.
        reads: &[(Field::Software, &[standard(kind::CONNECT_INFO)])],
        confirmed: &[
            Id::Standard(kind::USER_NAME),
            Id::Standard(kind::CALLING_STATION_ID),
            Id::Standard(kind::FRAMED_IP_ADDRESS),
            Id::Standard(kind::FRAMED_IPV6_ADDRESS),
            Id::Standard(kind::CONNECT_INFO),
        ],
    },
    Row {
        vendor: Vendor::WatchGuard,
        name: "watchguard",
        also: &["firebox"],
        title: "WatchGuard",
        marks: &[Mark::Enterprise(3097), Mark::Word("watchguard"), Mark::Word("firebox")],
        reads: &[],
        confirmed: &[],
    },
    Row {
        vendor: Vendor::Unknown,
        name: "unknown",
        also: &["other", "generic"],
        title: "any other",
        marks: &[],
        reads: &[],
        confirmed: &[],
    },
];
