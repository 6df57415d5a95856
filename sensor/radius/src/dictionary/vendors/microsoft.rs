//! Microsoft, Private Enterprise Number 311.

use super::super::{Entry, Type, Value, entry};

/// Microsoft, 311.
pub(in crate::dictionary) const ATTRIBUTES: &[Entry] = &[
    entry(1, "MS-CHAP-Response", Type::Hidden, &[]),
    entry(2, "MS-CHAP-Error", Type::Text, &[]),
    entry(3, "MS-CHAP-CPW-1", Type::Hidden, &[]),
    entry(4, "MS-CHAP-CPW-2", Type::Hidden, &[]),
    entry(5, "MS-CHAP-LM-Enc-PW", Type::Hidden, &[]),
    entry(6, "MS-CHAP-NT-Enc-PW", Type::Hidden, &[]),
    entry(7, "MS-MPPE-Encryption-Policy", Type::Integer, MPPE_ENCRYPTION_POLICY),
    entry(8, "MS-MPPE-Encryption-Type", Type::Integer, &[]),
    entry(9, "MS-RAS-Vendor", Type::Integer, &[]),
    entry(10, "MS-CHAP-Domain", Type::Text, &[]),
    entry(11, "MS-CHAP-Challenge", Type::Hidden, &[]),
    entry(12, "MS-CHAP-MPPE-Keys", Type::Hidden, &[]),
    entry(13, "MS-BAP-Usage", Type::Integer, BAP_USAGE),
    entry(14, "MS-Link-Utilization-Threshold", Type::Integer, &[]),
    entry(15, "MS-Link-Drop-Time-Limit", Type::Integer, &[]),
    entry(16, "MS-MPPE-Send-Key", Type::Hidden, &[]),
    entry(17, "MS-MPPE-Recv-Key", Type::Hidden, &[]),
    entry(18, "MS-RAS-Version", Type::Text, &[]),
    entry(19, "MS-Old-ARAP-Password", Type::Hidden, &[]),
    entry(20, "MS-New-ARAP-Password", Type::Hidden, &[]),
    entry(21, "MS-ARAP-PW-Change-Reason", Type::Integer, ARAP_PW_CHANGE_REASON),
    entry(22, "MS-Filter", Type::Octets, &[]),
    entry(23, "MS-Acct-Auth-Type", Type::Integer, ACCT_AUTH_TYPE),
    entry(24, "MS-Acct-EAP-Type", Type::Integer, ACCT_EAP_TYPE),
    entry(25, "MS-CHAP2-Response", Type::Hidden, &[]),
    entry(26, "MS-CHAP2-Success", Type::Hidden, &[]),
    entry(27, "MS-CHAP2-CPW", Type::Hidden, &[]),
    entry(28, "MS-Primary-DNS-Server", Type::Ipv4, &[]),
    entry(29, "MS-Secondary-DNS-Server", Type::Ipv4, &[]),
    entry(30, "MS-Primary-NBNS-Server", Type::Ipv4, &[]),
    entry(31, "MS-Secondary-NBNS-Server", Type::Ipv4, &[]),
    entry(34, "MS-RAS-Client-Name", Type::Text, &[]),
    entry(35, "MS-RAS-Client-Version", Type::Text, &[]),
    entry(36, "MS-Quarantine-IPFilter", Type::Octets, &[]),
    entry(37, "MS-Quarantine-Session-Timeout", Type::Integer, &[]),
    entry(40, "MS-User-Security-Identity", Type::Text, &[]),
    entry(41, "MS-Identity-Type", Type::Integer, IDENTITY_TYPE),
    entry(42, "MS-Service-Class", Type::Text, &[]),
    entry(44, "MS-Quarantine-User-Class", Type::Text, &[]),
    entry(45, "MS-Quarantine-State", Type::Integer, QUARANTINE_STATE),
    entry(46, "MS-Quarantine-Grace-Time", Type::Integer, &[]),
    entry(47, "MS-Network-Access-Server-Type", Type::Integer, NETWORK_ACCESS_SERVER_TYPE),
    entry(48, "MS-AFW-Zone", Type::Integer, AFW_ZONE),
    entry(49, "MS-AFW-Protection-Level", Type::Integer, AFW_PROTECTION_LEVEL),
    entry(50, "MS-Machine-Name", Type::Text, &[]),
    entry(51, "MS-IPv6-Filter", Type::Octets, &[]),
    entry(52, "MS-IPv4-Remediation-Servers", Type::Octets, &[]),
    entry(53, "MS-IPv6-Remediation-Servers", Type::Octets, &[]),
    entry(54, "MS-RNAP-Not-Quarantine-Capable", Type::Integer, RNAP_NOT_QUARANTINE_CAPABLE),
    entry(55, "MS-Quarantine-SOH", Type::Octets, &[]),
    entry(56, "MS-RAS-Correlation-ID", Type::Text, &[]),
    entry(57, "MS-Extended-Quarantine-State", Type::Integer, EXTENDED_QUARANTINE_STATE),
    entry(58, "MS-HCAP-User-Groups", Type::Text, &[]),
    entry(59, "MS-HCAP-Location-Group-Name", Type::Text, &[]),
    entry(60, "MS-HCAP-User-Name", Type::Text, &[]),
    entry(61, "MS-User-IPv4-Address", Type::Ipv4, &[]),
    entry(62, "MS-User-IPv6-Address", Type::Ipv6, &[]),
    entry(63, "MS-TSG-Device-Redirection", Type::Integer, &[]),
];

const MPPE_ENCRYPTION_POLICY: &[Value] = &[(1, "Encryption-Allowed"), (2, "Encryption-Required")];

const BAP_USAGE: &[Value] = &[(0, "Not-Allowed"), (1, "Allowed"), (2, "Required")];

const ARAP_PW_CHANGE_REASON: &[Value] = &[
    (1, "Just-Change-Password"),
    (2, "Expired-Password"),
    (3, "Admin-Requires-Password-Change"),
    (4, "Password-Too-Short"),
];

const ACCT_AUTH_TYPE: &[Value] = &[(1, "PAP"), (2, "CHAP"), (3, "CHAP-1"), (4, "CHAP-2"), (5, "EAP")];

const ACCT_EAP_TYPE: &[Value] = &[(4, "MD5"), (5, "OTP"), (6, "Generic-Token-Card"), (13, "TLS")];

const IDENTITY_TYPE: &[Value] = &[(1, "Machine-Health-Check"), (2, "Ignore-User-Lookup-Failure")];

const QUARANTINE_STATE: &[Value] = &[(0, "Full-Access"), (1, "Quarantine"), (2, "Probation")];

const NETWORK_ACCESS_SERVER_TYPE: &[Value] = &[
    (0, "Unspecified"),
    (1, "Terminal-Server-Gateway"),
    (2, "Remote-Access-Server"),
    (3, "DHCP-Server"),
    (4, "Wireless-Access-Point"),
    (5, "HRA"),
    (6, "HCAP-Server"),
];

const AFW_ZONE: &[Value] =
    &[(1, "AFW-Zone-Boundary-Policy"), (2, "AFW-Zone-Unprotected-Policy"), (3, "AFW-Zone-Protected-Policy")];

const AFW_PROTECTION_LEVEL: &[Value] =
    &[(1, "HECP-Response-Sign-Only"), (2, "HECP-Response-Sign-And-Encrypt")];

const RNAP_NOT_QUARANTINE_CAPABLE: &[Value] = &[(0, "SoH-Sent"), (1, "SoH-Not-Sent")];

const EXTENDED_QUARANTINE_STATE: &[Value] =
    &[(1, "Transition"), (2, "Infected"), (3, "Unknown"), (4, "No-Data")];
