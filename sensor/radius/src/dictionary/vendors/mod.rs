//! The attributes of vendors whose VPN servers send accounting. Names carry the vendor's usual prefix.

mod cisco;
mod cisco_asa;
mod microsoft;
mod others;

use super::Vendor;

/// Sorted by Private Enterprise Number.
pub(super) const VENDORS: &[Vendor] = &[
    Vendor { number: 9, name: "Cisco", attributes: cisco::ATTRIBUTES },
    Vendor { number: 66, name: "Citrix", attributes: others::CITRIX },
    Vendor { number: 311, name: "Microsoft", attributes: microsoft::ATTRIBUTES },
    Vendor { number: 2620, name: "Check Point", attributes: others::CHECK_POINT },
    Vendor { number: 2636, name: "Juniper", attributes: others::JUNIPER },
    Vendor { number: 3076, name: "Cisco ASA", attributes: cisco_asa::ATTRIBUTES },
    Vendor { number: 3224, name: "NetScreen", attributes: others::NETSCREEN },
    Vendor { number: 3375, name: "F5", attributes: others::F5 },
    Vendor { number: 6983, name: "SofaWare", attributes: others::SOFAWARE },
    Vendor { number: 8741, name: "SonicWall", attributes: others::SONICWALL },
    Vendor { number: 12356, name: "Fortinet", attributes: others::FORTINET },
    Vendor { number: 14988, name: "MikroTik", attributes: others::MIKROTIK },
    Vendor { number: 25461, name: "Palo Alto", attributes: others::PALO_ALTO },
];
