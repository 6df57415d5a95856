//! Vendors with few attributes of interest.

use super::super::{Entry, Type, Value, entry};

/// Citrix, 66.
pub(in crate::dictionary) const CITRIX: &[Entry] = &[
    entry(10, "Citrix-UID", Type::Integer, &[]),
    entry(11, "Citrix-GID", Type::Integer, &[]),
    entry(12, "Citrix-Home", Type::Text, &[]),
    entry(13, "Citrix-Shell", Type::Text, &[]),
    entry(14, "Citrix-Group-Names", Type::Text, &[]),
    entry(15, "Citrix-Group-Ids", Type::Text, &[]),
    entry(16, "Citrix-User-Groups", Type::Text, &[]),
];

/// Check Point, 2620.
pub(in crate::dictionary) const CHECK_POINT: &[Entry] = &[
    entry(229, "CheckPoint-Gaia-User-Role", Type::Text, &[]),
    entry(230, "CheckPoint-Gaia-SuperUser-Access", Type::Integer, &[]),
];

/// Juniper, 2636.
pub(in crate::dictionary) const JUNIPER: &[Entry] = &[
    entry(1, "Juniper-Local-User-Name", Type::Text, &[]),
    entry(2, "Juniper-Allow-Commands", Type::Text, &[]),
    entry(3, "Juniper-Deny-Commands", Type::Text, &[]),
    entry(4, "Juniper-Allow-Configuration", Type::Text, &[]),
    entry(5, "Juniper-Deny-Configuration", Type::Text, &[]),
    entry(8, "Juniper-Interactive-Command", Type::Text, &[]),
    entry(9, "Juniper-Configuration-Change", Type::Text, &[]),
    entry(10, "Juniper-User-Permissions", Type::Text, &[]),
    entry(11, "Juniper-Junosspace-Profile", Type::Text, &[]),
    entry(21, "Juniper-CTP-Group", Type::Integer, JUNIPER_CTP_GROUP),
    entry(22, "Juniper-CTPView-APP-Group", Type::Integer, JUNIPER_CTPVIEW_APP_GROUP),
    entry(23, "Juniper-CTPView-OS-Group", Type::Integer, JUNIPER_CTPVIEW_OS_GROUP),
    entry(31, "Juniper-Primary-Dns", Type::Ipv4, &[]),
    entry(32, "Juniper-Primary-Wins", Type::Ipv4, &[]),
    entry(33, "Juniper-Secondary-Dns", Type::Ipv4, &[]),
    entry(34, "Juniper-Secondary-Wins", Type::Ipv4, &[]),
    entry(35, "Juniper-Interface-id", Type::Text, &[]),
    entry(36, "Juniper-Ip-Pool-Name", Type::Text, &[]),
    entry(37, "Juniper-Keep-Alive", Type::Integer, &[]),
    entry(38, "Juniper-CoS-Traffic-Control-Profile", Type::Text, &[]),
    entry(39, "Juniper-CoS-Parameter", Type::Text, &[]),
    entry(40, "Juniper-encapsulation-overhead", Type::Integer, &[]),
    entry(41, "Juniper-cell-overhead", Type::Integer, &[]),
    entry(42, "Juniper-tx-connect-speed", Type::Integer, &[]),
    entry(43, "Juniper-rx-connect-speed", Type::Integer, &[]),
    entry(44, "Juniper-Firewall-filter-name", Type::Text, &[]),
    entry(45, "Juniper-Policer-Parameter", Type::Text, &[]),
    entry(46, "Juniper-Local-Group-Name", Type::Text, &[]),
    entry(47, "Juniper-Local-Interface", Type::Text, &[]),
    entry(48, "Juniper-Switching-Filter", Type::Text, &[]),
    entry(49, "Juniper-VoIP-Vlan", Type::Text, &[]),
    entry(50, "Juniper-CWA-Redirect", Type::Text, &[]),
    entry(52, "Juniper-AV-Pair", Type::Text, &[]),
];

const JUNIPER_CTP_GROUP: &[Value] =
    &[(1, "Read_Only"), (2, "Admin"), (3, "Privileged_Admin"), (4, "Auditor")];

const JUNIPER_CTPVIEW_APP_GROUP: &[Value] = &[(1, "Net_View"), (2, "Net_Admin"), (3, "Global_Admin")];

const JUNIPER_CTPVIEW_OS_GROUP: &[Value] = &[(1, "Web_Manager"), (2, "System_Admin"), (3, "Auditor")];

/// NetScreen, 3224.
pub(in crate::dictionary) const NETSCREEN: &[Entry] = &[
    entry(1, "NS-Admin-Privilege", Type::Integer, NETSCREEN_ADMIN_PRIVILEGE),
    entry(2, "NS-VSYS-Name", Type::Text, &[]),
    entry(3, "NS-User-Group", Type::Text, &[]),
    entry(4, "NS-Primary-DNS", Type::Ipv4, &[]),
    entry(5, "NS-Secondary-DNS", Type::Ipv4, &[]),
    entry(6, "NS-Primary-WINS", Type::Ipv4, &[]),
    entry(7, "NS-Secondary-WINS", Type::Ipv4, &[]),
    entry(220, "NS-NSM-User-Domain-Name", Type::Text, &[]),
    entry(221, "NS-NSM-User-Role-Mapping", Type::Text, &[]),
];

const NETSCREEN_ADMIN_PRIVILEGE: &[Value] = &[
    (1, "Root-Admin"),
    (2, "All-VSYS-Root-Admin"),
    (3, "VSYS-Admin"),
    (4, "Read-Only-Admin"),
    (5, "Read-Only-VSYS-Admin"),
];

/// F5, 3375.
pub(in crate::dictionary) const F5: &[Entry] = &[
    entry(1, "F5-LTM-User-Role", Type::Integer, F5_LTM_USER_ROLE),
    entry(2, "F5-LTM-User-Role-Universal", Type::Integer, F5_LTM_USER_ROLE_UNIVERSAL),
    entry(3, "F5-LTM-User-Partition", Type::Text, &[]),
    entry(4, "F5-LTM-User-Console", Type::Integer, F5_LTM_USER_CONSOLE),
    entry(5, "F5-LTM-User-Shell", Type::Text, &[]),
    entry(10, "F5-LTM-User-Context-1", Type::Integer, &[]),
    entry(11, "F5-LTM-User-Context-2", Type::Integer, &[]),
    entry(12, "F5-LTM-User-Info-1", Type::Text, &[]),
    entry(13, "F5-LTM-User-Info-2", Type::Text, &[]),
    entry(14, "F5-LTM-Audit-Msg", Type::Text, &[]),
    entry(21, "F5-F5OS-UID", Type::Integer, &[]),
    entry(22, "F5-F5OS-GID", Type::Integer, F5_F5OS_GID),
    entry(23, "F5-F5OS-HOMEDIR", Type::Text, &[]),
    entry(24, "F5-F5OS-SHELL", Type::Text, &[]),
    entry(25, "F5-F5OS-USERINFO", Type::Text, &[]),
    entry(26, "F5-F5OS-SECONDARYGIDS", Type::Text, &[]),
];

const F5_LTM_USER_ROLE: &[Value] = &[
    (0, "Administrator"),
    (20, "Resource-Admin"),
    (40, "User-Manager"),
    (80, "Auditor"),
    (100, "Manager"),
    (300, "App-Editor"),
    (350, "Advanced-Operator"),
    (400, "Operator"),
    (450, "Firewall-Manager"),
    (480, "Fraud-Protection-Manager"),
    (500, "Certificate-Manager"),
    (510, "IRule-Manager"),
    (700, "Guest"),
    (800, "Web-Application-Security-Administrator"),
    (810, "Web-Application-Security-Editor"),
    (850, "Acceleration-Policy-Editor"),
    (900, "No-Access"),
];

const F5_LTM_USER_ROLE_UNIVERSAL: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const F5_LTM_USER_CONSOLE: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const F5_F5OS_GID: &[Value] = &[
    (9000, "admin"),
    (9001, "operator"),
    (9002, "user"),
    (9003, "resource-admin"),
    (9004, "superuser"),
    (9100, "tenant-console"),
];

/// SofaWare, 6983.
pub(in crate::dictionary) const SOFAWARE: &[Entry] = &[
    entry(1, "SofaWare-Admin", Type::Text, &[]),
    entry(2, "SofaWare-VPN", Type::Text, &[]),
    entry(3, "SofaWare-Hotspot", Type::Text, &[]),
    entry(4, "SofaWare-UFP", Type::Text, &[]),
];

/// SonicWall, 8741.
pub(in crate::dictionary) const SONICWALL: &[Entry] = &[
    entry(1, "SonicWall-User-Privilege", Type::Integer, SONICWALL_USER_PRIVILEGE),
    entry(3, "SonicWall-User-Group", Type::Text, &[]),
];

const SONICWALL_USER_PRIVILEGE: &[Value] = &[
    (1, "Remote-Access"),
    (2, "Bypass-Filters"),
    (3, "VPN-Client-Access"),
    (4, "Access-To-VPN"),
    (5, "Limited-Management"),
    (6, "L2TP-Client-Access"),
    (7, "Wireless-Guest"),
    (8, "Wireless-Add-ACL"),
    (9, "Internet-Access"),
];

/// Fortinet, 12356.
pub(in crate::dictionary) const FORTINET: &[Entry] = &[
    entry(1, "Fortinet-Group-Name", Type::Text, &[]),
    entry(2, "Fortinet-Client-IP-Address", Type::Ipv4, &[]),
    entry(3, "Fortinet-Vdom-Name", Type::Text, &[]),
    entry(4, "Fortinet-Client-IPv6-Address", Type::Ipv6, &[]),
    entry(5, "Fortinet-Interface-Name", Type::Text, &[]),
    entry(6, "Fortinet-Access-Profile", Type::Text, &[]),
    entry(7, "Fortinet-SSID", Type::Text, &[]),
    entry(8, "Fortinet-AP-Name", Type::Text, &[]),
    entry(11, "Fortinet-FAC-Auth-Status", Type::Text, &[]),
    entry(12, "Fortinet-FAC-Token-ID", Type::Text, &[]),
    entry(15, "Fortinet-FAC-Challenge-Code", Type::Text, &[]),
    entry(16, "Fortinet-Webfilter-Category-Allow", Type::Octets, &[]),
    entry(17, "Fortinet-Webfilter-Category-Block", Type::Octets, &[]),
    entry(18, "Fortinet-Webfilter-Category-Monitor", Type::Octets, &[]),
    entry(19, "Fortinet-AppCtrl-Category-Allow", Type::Octets, &[]),
    entry(20, "Fortinet-AppCtrl-Category-Block", Type::Octets, &[]),
    entry(21, "Fortinet-AppCtrl-Risk-Allow", Type::Octets, &[]),
    entry(22, "Fortinet-AppCtrl-Risk-Block", Type::Octets, &[]),
    entry(23, "Fortinet-WirelessController-Device-MAC", Type::Octets, &[]),
    entry(24, "Fortinet-WirelessController-WTP-ID", Type::Text, &[]),
    entry(25, "Fortinet-WirelessController-Assoc-Time", Type::Time, &[]),
    entry(26, "Fortinet-FortiWAN-AVPair", Type::Text, &[]),
    entry(30, "Fortinet-FDD-Access-Profile", Type::Text, &[]),
    entry(31, "Fortinet-FDD-Trusted-Hosts", Type::Text, &[]),
    entry(32, "Fortinet-FDD-SPP-Name", Type::Text, &[]),
    entry(33, "Fortinet-FDD-Is-System-Admin", Type::Text, &[]),
    entry(34, "Fortinet-FDD-Is-SPP-Admin", Type::Text, &[]),
    entry(35, "Fortinet-FDD-SPP-Policy-Group", Type::Text, &[]),
    entry(36, "Fortinet-FDD-Allow-API-Access", Type::Text, &[]),
    entry(40, "Fortinet-Fpc-User-Role", Type::Text, &[]),
    entry(41, "Fortinet-Tenant-Identification", Type::Text, &[]),
    entry(42, "Fortinet-Host-Port-AVPair", Type::Text, &[]),
];

/// MikroTik, 14988.
pub(in crate::dictionary) const MIKROTIK: &[Entry] = &[
    entry(1, "Mikrotik-Recv-Limit", Type::Integer, &[]),
    entry(2, "Mikrotik-Xmit-Limit", Type::Integer, &[]),
    entry(3, "Mikrotik-Group", Type::Text, &[]),
    entry(4, "Mikrotik-Wireless-Forward", Type::Integer, &[]),
    entry(5, "Mikrotik-Wireless-Skip-Dot1x", Type::Integer, &[]),
    entry(6, "Mikrotik-Wireless-Enc-Algo", Type::Integer, MIKROTIK_WIRELESS_ENC_ALGO),
    entry(7, "Mikrotik-Wireless-Enc-Key", Type::Text, &[]),
    entry(8, "Mikrotik-Rate-Limit", Type::Text, &[]),
    entry(9, "Mikrotik-Realm", Type::Text, &[]),
    entry(10, "Mikrotik-Host-IP", Type::Ipv4, &[]),
    entry(11, "Mikrotik-Mark-Id", Type::Text, &[]),
    entry(12, "Mikrotik-Advertise-URL", Type::Text, &[]),
    entry(13, "Mikrotik-Advertise-Interval", Type::Integer, &[]),
    entry(14, "Mikrotik-Recv-Limit-Gigawords", Type::Integer, &[]),
    entry(15, "Mikrotik-Xmit-Limit-Gigawords", Type::Integer, &[]),
    entry(16, "Mikrotik-Wireless-PSK", Type::Text, &[]),
    entry(17, "Mikrotik-Total-Limit", Type::Integer, &[]),
    entry(18, "Mikrotik-Total-Limit-Gigawords", Type::Integer, &[]),
    entry(19, "Mikrotik-Address-List", Type::Text, &[]),
    entry(20, "Mikrotik-Wireless-MPKey", Type::Text, &[]),
    entry(21, "Mikrotik-Wireless-Comment", Type::Text, &[]),
    entry(22, "Mikrotik-Delegated-IPv6-Pool", Type::Text, &[]),
    entry(23, "Mikrotik-DHCP-Option-Set", Type::Text, &[]),
    entry(24, "Mikrotik-DHCP-Option-Param-STR1", Type::Text, &[]),
    entry(25, "Mikrotik-DHCP-Option-ParamSTR2", Type::Text, &[]),
    entry(26, "Mikrotik-Wireless-VLANID", Type::Integer, &[]),
    entry(27, "Mikrotik-Wireless-VLANID-Type", Type::Integer, MIKROTIK_WIRELESS_VLANID_TYPE),
    entry(28, "Mikrotik-Wireless-Minsignal", Type::Text, &[]),
    entry(29, "Mikrotik-Wireless-Maxsignal", Type::Text, &[]),
    entry(30, "Mikrotik-Switching-Filter", Type::Text, &[]),
];

const MIKROTIK_WIRELESS_ENC_ALGO: &[Value] =
    &[(0, "No-encryption"), (1, "40-bit-WEP"), (2, "104-bit-WEP"), (3, "AES-CCM"), (4, "TKIP")];

const MIKROTIK_WIRELESS_VLANID_TYPE: &[Value] = &[(0, "802.1q"), (1, "802.1ad")];

/// Palo Alto, 25461.
pub(in crate::dictionary) const PALO_ALTO: &[Entry] = &[
    entry(1, "PaloAlto-Admin-Role", Type::Text, &[]),
    entry(2, "PaloAlto-Admin-Access-Domain", Type::Text, &[]),
    entry(3, "PaloAlto-Panorama-Admin-Role", Type::Text, &[]),
    entry(4, "PaloAlto-Panorama-Admin-Access-Domain", Type::Text, &[]),
    entry(5, "PaloAlto-User-Group", Type::Text, &[]),
    entry(6, "PaloAlto-User-Domain", Type::Text, &[]),
    entry(7, "PaloAlto-Client-Source-IP", Type::Text, &[]),
    entry(8, "PaloAlto-Client-OS", Type::Text, &[]),
    entry(9, "PaloAlto-Client-Hostname", Type::Text, &[]),
    entry(10, "PaloAlto-GlobalProtect-Client-Version", Type::Text, &[]),
];
