//! Cisco ASA, Private Enterprise Number 3076.

use super::super::{Entry, Type, Value, entry};

/// Cisco ASA, 3076.
pub(in crate::dictionary) const ATTRIBUTES: &[Entry] = &[
    entry(2, "ASA-Simultaneous-Logins", Type::Integer, &[]),
    entry(5, "ASA-Primary-DNS", Type::Ipv4, &[]),
    entry(6, "ASA-Secondary-DNS", Type::Ipv4, &[]),
    entry(7, "ASA-Primary-WINS", Type::Ipv4, &[]),
    entry(8, "ASA-Secondary-WINS", Type::Ipv4, &[]),
    entry(9, "ASA-SEP-Card-Assignment", Type::Integer, &[]),
    entry(11, "ASA-Tunneling-Protocols", Type::Integer, &[]),
    entry(12, "ASA-IPsec-Sec-Association", Type::Text, &[]),
    entry(13, "ASA-IPsec-Authentication", Type::Integer, IPSEC_AUTHENTICATION),
    entry(15, "ASA-Banner1", Type::Text, &[]),
    entry(16, "ASA-IPsec-Allow-Passwd-Store", Type::Integer, IPSEC_ALLOW_PASSWD_STORE),
    entry(17, "ASA-Use-Client-Address", Type::Integer, USE_CLIENT_ADDRESS),
    entry(20, "ASA-PPTP-Encryption", Type::Integer, &[]),
    entry(21, "ASA-L2TP-Encryption", Type::Integer, &[]),
    entry(25, "ASA-Group-Policy", Type::Text, &[]),
    entry(27, "ASA-IPsec-Split-Tunnel-List", Type::Text, &[]),
    entry(28, "ASA-IPsec-Default-Domain", Type::Text, &[]),
    entry(29, "ASA-IPsec-Split-DNS-Names", Type::Text, &[]),
    entry(30, "ASA-IPsec-Tunnel-Type", Type::Integer, IPSEC_TUNNEL_TYPE),
    entry(31, "ASA-IPsec-Mode-Config", Type::Integer, IPSEC_MODE_CONFIG),
    entry(34, "ASA-IPsec-Over-UDP", Type::Integer, IPSEC_OVER_UDP),
    entry(35, "ASA-IPsec-Over-UDP-Port", Type::Integer, &[]),
    entry(36, "ASA-Banner2", Type::Text, &[]),
    entry(37, "ASA-PPTP-MPPC-Compression", Type::Integer, PPTP_MPPC_COMPRESSION),
    entry(38, "ASA-L2TP-MPPC-Compression", Type::Integer, L2TP_MPPC_COMPRESSION),
    entry(39, "ASA-IPsec-IP-Compression", Type::Integer, IPSEC_IP_COMPRESSION),
    entry(40, "ASA-IPsec-IKE-Peer-ID-Check", Type::Integer, IPSEC_IKE_PEER_ID_CHECK),
    entry(41, "ASA-IKE-Keep-Alives", Type::Integer, IKE_KEEP_ALIVES),
    entry(42, "ASA-IPsec-Auth-On-Rekey", Type::Integer, IPSEC_AUTH_ON_REKEY),
    entry(
        45,
        "ASA-Required-Client-Firewall-Vendor-Code",
        Type::Integer,
        REQUIRED_CLIENT_FIREWALL_VENDOR_CODE,
    ),
    entry(46, "ASA-Required-Client-Firewall-Product-Code", Type::Integer, &[]),
    entry(47, "ASA-Required-Client-Firewall-Description", Type::Text, &[]),
    entry(48, "ASA-Require-HW-Client-Auth", Type::Integer, REQUIRE_HW_CLIENT_AUTH),
    entry(49, "ASA-Required-Individual-User-Auth", Type::Integer, REQUIRED_INDIVIDUAL_USER_AUTH),
    entry(50, "ASA-Authenticated-User-Idle-Timeout", Type::Integer, &[]),
    entry(51, "ASA-Cisco-IP-Phone-Bypass", Type::Integer, CISCO_IP_PHONE_BYPASS),
    entry(55, "ASA-IPsec-Split-Tunneling-Policy", Type::Integer, IPSEC_SPLIT_TUNNELING_POLICY),
    entry(
        56,
        "ASA-IPsec-Required-Client-Firewall-Capability",
        Type::Integer,
        IPSEC_REQUIRED_CLIENT_FIREWALL_CAPABILITY,
    ),
    entry(57, "ASA-IPsec-Client-Firewall-Filter-Name", Type::Text, &[]),
    entry(
        58,
        "ASA-IPsec-Client-Firewall-Filter-Optional",
        Type::Integer,
        IPSEC_CLIENT_FIREWALL_FILTER_OPTIONAL,
    ),
    entry(59, "ASA-IPsec-Backup-Servers", Type::Integer, IPSEC_BACKUP_SERVERS),
    entry(60, "ASA-IPsec-Backup-Server-List", Type::Text, &[]),
    entry(61, "ASA-DHCP-Network-Scope", Type::Ipv4, &[]),
    entry(62, "ASA-Intercept-DHCP-Configure-Msg", Type::Integer, INTERCEPT_DHCP_CONFIGURE_MSG),
    entry(63, "ASA-MS-Client-Subnet-Mask", Type::Ipv4, &[]),
    entry(64, "ASA-Allow-Network-Extension-Mode", Type::Integer, ALLOW_NETWORK_EXTENSION_MODE),
    entry(65, "ASA-Authorization-Type", Type::Integer, AUTHORIZATION_TYPE),
    entry(66, "ASA-Authorization-Required", Type::Integer, AUTHORIZATION_REQUIRED),
    entry(67, "ASA-Authorization-DN-Field", Type::Text, &[]),
    entry(68, "ASA-IKE-KeepAlive-Confidence-Interval", Type::Integer, &[]),
    entry(69, "ASA-WebVPN-Content-Filter-Parameters", Type::Integer, &[]),
    entry(70, "ASA-WebVPN-HTML-Filter", Type::Integer, &[]),
    entry(71, "ASA-WebVPN-URL-List", Type::Text, &[]),
    entry(72, "ASA-WebVPN-Port-Forwarding-List", Type::Text, &[]),
    entry(73, "ASA-WebVPN-Access-List", Type::Text, &[]),
    entry(74, "ASA-WebVPN-HTTP-Proxy-IP-Address", Type::Text, &[]),
    entry(75, "ASA-Cisco-LEAP-Bypass", Type::Integer, CISCO_LEAP_BYPASS),
    entry(76, "ASA-WebVPN-Default-Homepage", Type::Text, &[]),
    entry(77, "ASA-Client-Type-Version-Limiting", Type::Text, &[]),
    entry(78, "ASA-WebVPN-Group-based-HTTP/HTTPS-Proxy-Exception-List", Type::Text, &[]),
    entry(79, "ASA-WebVPN-Port-Forwarding-Name", Type::Text, &[]),
    entry(80, "ASA-IE-Proxy-Server", Type::Text, &[]),
    entry(81, "ASA-IE-Proxy-Server-Policy", Type::Integer, IE_PROXY_SERVER_POLICY),
    entry(82, "ASA-IE-Proxy-Exception-List", Type::Text, &[]),
    entry(83, "ASA-IE-Proxy-Bypass-Local", Type::Integer, IE_PROXY_BYPASS_LOCAL),
    entry(84, "ASA-IKE-Keepalive-Retry-Interval", Type::Integer, &[]),
    entry(85, "ASA-Tunnel-Group-Lock", Type::Text, &[]),
    entry(86, "ASA-Access-List-Inbound", Type::Text, &[]),
    entry(87, "ASA-Access-List-Outbound", Type::Text, &[]),
    entry(88, "ASA-Perfect-Forward-Secrecy-Enable", Type::Integer, PERFECT_FORWARD_SECRECY_ENABLE),
    entry(89, "ASA-NAC-Enable", Type::Integer, NAC_ENABLE),
    entry(90, "ASA-NAC-Status-Query-Timer", Type::Integer, &[]),
    entry(91, "ASA-NAC-Revalidation-Timer", Type::Integer, &[]),
    entry(92, "ASA-NAC-Default-ACL", Type::Text, &[]),
    entry(93, "ASA-WebVPN-URL-Entry-Enable", Type::Integer, WEBVPN_URL_ENTRY_ENABLE),
    entry(94, "ASA-WebVPN-File-Access-Enable", Type::Integer, WEBVPN_FILE_ACCESS_ENABLE),
    entry(95, "ASA-WebVPN-File-Server-Entry-Enable", Type::Integer, WEBVPN_FILE_SERVER_ENTRY_ENABLE),
    entry(96, "ASA-WebVPN-File-Server-Browsing-Enable", Type::Integer, WEBVPN_FILE_SERVER_BROWSING_ENABLE),
    entry(97, "ASA-WebVPN-Port-Forwarding-Enable", Type::Integer, WEBVPN_PORT_FORWARDING_ENABLE),
    entry(
        98,
        "ASA-WebVPN-Port-Forwarding-Exchange-Proxy-Enable",
        Type::Integer,
        WEBVPN_PORT_FORWARDING_EXCHANGE_PROXY_ENABLE,
    ),
    entry(99, "ASA-WebVPN-Port-Forwarding-HTTP-Proxy", Type::Integer, WEBVPN_PORT_FORWARDING_HTTP_PROXY),
    entry(101, "ASA-WebVPN-Citrix-Metaframe-Enable", Type::Integer, WEBVPN_CITRIX_METAFRAME_ENABLE),
    entry(102, "ASA-WebVPN-Apply-ACL", Type::Integer, WEBVPN_APPLY_ACL),
    entry(103, "ASA-WebVPN-SSL-VPN-Client-Enable", Type::Integer, WEBVPN_SSL_VPN_CLIENT_ENABLE),
    entry(104, "ASA-WebVPN-SSL-VPN-Client-Required", Type::Integer, WEBVPN_SSL_VPN_CLIENT_REQUIRED),
    entry(
        105,
        "ASA-WebVPN-SSL-VPN-Client-Keep-Installation",
        Type::Integer,
        WEBVPN_SSL_VPN_CLIENT_KEEP_INSTALLATION,
    ),
    entry(107, "ASA-WebVPN-SVC-Keepalive-Frequency", Type::Integer, &[]),
    entry(108, "ASA-WebVPN-SVC-Client-DPD-Frequency", Type::Integer, &[]),
    entry(109, "ASA-WebVPN-SVC-Gateway-DPD-Frequency", Type::Integer, &[]),
    entry(110, "ASA-WebVPN-SVC-Rekey-Time", Type::Integer, &[]),
    entry(111, "ASA-WebVPN-SVC-Rekey-Method", Type::Integer, WEBVPN_SVC_REKEY_METHOD),
    entry(112, "ASA-WebVPN-SVC-Compression", Type::Integer, WEBVPN_SVC_COMPRESSION),
    entry(113, "ASA-WebVPN-Customization", Type::Text, &[]),
    entry(114, "ASA-WebVPN-SSO-Server-Name", Type::Text, &[]),
    entry(116, "ASA-WebVPN-Deny-Message", Type::Text, &[]),
    entry(120, "ASA-WebVPN-HTTP-Compression", Type::Integer, WEBVPN_HTTP_COMPRESSION),
    entry(121, "ASA-WebVPN-Keepalive-Ignore", Type::Integer, &[]),
    entry(122, "ASA-Extended-Authentication-On-Rekey", Type::Integer, EXTENDED_AUTHENTICATION_ON_REKEY),
    entry(123, "ASA-WebVPN-SVC-DTLS-Enable", Type::Integer, WEBVPN_SVC_DTLS_ENABLE),
    entry(124, "ASA-WebVPN-Auto-HTTP-Signon", Type::Text, &[]),
    entry(125, "ASA-WebVPN-SVC-DTLS-MTU", Type::Integer, &[]),
    entry(126, "ASA-WebVPN-Hidden-Shares", Type::Integer, WEBVPN_HIDDEN_SHARES),
    entry(127, "ASA-SVC-Modules", Type::Text, &[]),
    entry(128, "ASA-SVC-Profiles", Type::Text, &[]),
    entry(131, "ASA-SVC-Ask", Type::Integer, SVC_ASK),
    entry(132, "ASA-SVC-Ask-Timeout", Type::Integer, &[]),
    entry(133, "ASA-IE-Proxy-PAC-URL", Type::Text, &[]),
    entry(135, "ASA-Strip-Realm", Type::Integer, STRIP_REALM),
    entry(136, "ASA-WebVPN-Smart-Tunnel", Type::Text, &[]),
    entry(137, "ASA-WebVPN-ActiveX-Relay", Type::Integer, &[]),
    entry(138, "ASA-WebVPN-Smart-Tunnel-Auto-Start", Type::Integer, WEBVPN_SMART_TUNNEL_AUTO_START),
    entry(139, "ASA-WebVPN-Smart-Tunnel-Auto-Sign-On", Type::Text, &[]),
    entry(140, "ASA-VLAN", Type::Integer, &[]),
    entry(141, "ASA-NAC-Settings", Type::Text, &[]),
    entry(145, "ASA-Member-Of", Type::Text, &[]),
    entry(146, "ASA-TunnelGroupName", Type::Text, &[]),
    entry(148, "ASA-WebVPN-Idle-Timeout-Alert-Interval", Type::Integer, &[]),
    entry(149, "ASA-WebVPN-Session-Timeout-Alert-Interval", Type::Integer, &[]),
    entry(150, "ASA-ClientType", Type::Integer, CLIENTTYPE),
    entry(151, "ASA-SessionType", Type::Integer, SESSIONTYPE),
    entry(152, "ASA-SessionSubtype", Type::Integer, SESSIONSUBTYPE),
    entry(157, "ASA-WebVPN-Download_Max-Size", Type::Integer, &[]),
    entry(158, "ASA-WebVPN-Upload-Max-Size", Type::Integer, &[]),
    entry(159, "ASA-WebVPN-Post-Max-Size", Type::Integer, &[]),
    entry(160, "ASA-WebVPN-User-Storage", Type::Text, &[]),
    entry(161, "ASA-WebVPN-Storage-Objects", Type::Text, &[]),
    entry(162, "ASA-WebVPN-Storage-Key", Type::Text, &[]),
    entry(163, "ASA-WebVPN-VDI", Type::Text, &[]),
    entry(217, "ASA-Address-Pools", Type::Text, &[]),
    entry(218, "ASA-IPv6-Address-Pools", Type::Text, &[]),
    entry(219, "ASA-IPv6-VPN-Filter", Type::Text, &[]),
    entry(220, "ASA-Privilege-Level", Type::Integer, &[]),
    entry(221, "ASA-WebVPN-UNIX-User-ID", Type::Integer, &[]),
    entry(222, "ASA-WebVPN-UNIX-Group-ID", Type::Integer, &[]),
    entry(223, "ASA-WebVPN-Macro-Substitution-Value1", Type::Text, &[]),
    entry(224, "ASA-WebVPN-Macro-Substitution-Value2", Type::Text, &[]),
    entry(225, "ASA-WebVPNSmart-Card-Removal-Disconnect", Type::Integer, WEBVPNSMART_CARD_REMOVAL_DISCONNECT),
    entry(227, "ASA-WebVPN-Smart-Tunnel-Tunnel-Policy", Type::Text, &[]),
    entry(228, "ASA-WebVPN-Home-Page-Use-Smart-Tunnel", Type::Integer, &[]),
];

const IPSEC_AUTHENTICATION: &[Value] = &[
    (0, "None"),
    (1, "RADIUS"),
    (2, "LDAP-Authorization-only"),
    (3, "NT-Domain"),
    (4, "SDI"),
    (5, "Internal"),
    (6, "RADIUS-with-Expiry"),
    (7, "Kerberos/Active-Directory"),
];

const IPSEC_ALLOW_PASSWD_STORE: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const USE_CLIENT_ADDRESS: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const IPSEC_TUNNEL_TYPE: &[Value] = &[(1, "LAN-to-LAN"), (2, "Remote-Access")];

const IPSEC_MODE_CONFIG: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const IPSEC_OVER_UDP: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const PPTP_MPPC_COMPRESSION: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const L2TP_MPPC_COMPRESSION: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const IPSEC_IP_COMPRESSION: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const IPSEC_IKE_PEER_ID_CHECK: &[Value] =
    &[(1, "Required"), (2, "If-Supported-By-Peer-Certificate"), (3, "Do-Not-Check")];

const IKE_KEEP_ALIVES: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const IPSEC_AUTH_ON_REKEY: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const REQUIRED_CLIENT_FIREWALL_VENDOR_CODE: &[Value] =
    &[(1, "Cisco-CIC"), (2, "Zone-Labs"), (3, "NetworkICE"), (4, "Sygate"), (5, "Cisco-IPSA")];

const REQUIRE_HW_CLIENT_AUTH: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const REQUIRED_INDIVIDUAL_USER_AUTH: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const CISCO_IP_PHONE_BYPASS: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const IPSEC_SPLIT_TUNNELING_POLICY: &[Value] =
    &[(0, "No-Split-Tunneling"), (1, "Split-Tunneling"), (2, "Local-LAN-Permitted")];

const IPSEC_REQUIRED_CLIENT_FIREWALL_CAPABILITY: &[Value] =
    &[(0, "None"), (1, "Policy-Remotely-Defined"), (2, "Policy-Pushed"), (4, "Policy-from-Server")];

const IPSEC_CLIENT_FIREWALL_FILTER_OPTIONAL: &[Value] = &[(0, "Required"), (1, "Optional")];

const IPSEC_BACKUP_SERVERS: &[Value] =
    &[(1, "Use-Client-Configured-List"), (2, "Disable-and-clear-client-list"), (3, "Use-Backup-Server-List")];

const INTERCEPT_DHCP_CONFIGURE_MSG: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const ALLOW_NETWORK_EXTENSION_MODE: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const AUTHORIZATION_TYPE: &[Value] = &[(0, "None"), (1, "Radius"), (2, "LDAP")];

const AUTHORIZATION_REQUIRED: &[Value] = &[(0, "No"), (1, "Yes")];

const CISCO_LEAP_BYPASS: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const IE_PROXY_SERVER_POLICY: &[Value] =
    &[(1, "No-Modify"), (2, "No-Proxy"), (3, "Auto-detect"), (4, "Use-Concentrator-Setting")];

const IE_PROXY_BYPASS_LOCAL: &[Value] = &[(0, "None"), (1, "Local")];

const PERFECT_FORWARD_SECRECY_ENABLE: &[Value] = &[(0, "No"), (1, "Yes")];

const NAC_ENABLE: &[Value] = &[(0, "No"), (1, "Yes")];

const WEBVPN_URL_ENTRY_ENABLE: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_FILE_ACCESS_ENABLE: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_FILE_SERVER_ENTRY_ENABLE: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_FILE_SERVER_BROWSING_ENABLE: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_PORT_FORWARDING_ENABLE: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_PORT_FORWARDING_EXCHANGE_PROXY_ENABLE: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_PORT_FORWARDING_HTTP_PROXY: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_CITRIX_METAFRAME_ENABLE: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_APPLY_ACL: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_SSL_VPN_CLIENT_ENABLE: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_SSL_VPN_CLIENT_REQUIRED: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_SSL_VPN_CLIENT_KEEP_INSTALLATION: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_SVC_REKEY_METHOD: &[Value] = &[(0, "Off"), (1, "SSL"), (2, "New-Tunnel")];

const WEBVPN_SVC_COMPRESSION: &[Value] = &[(0, "Off"), (1, "Deflate-Compression")];

const WEBVPN_HTTP_COMPRESSION: &[Value] = &[(0, "Off"), (1, "Deflate-Compression")];

const EXTENDED_AUTHENTICATION_ON_REKEY: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_SVC_DTLS_ENABLE: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_HIDDEN_SHARES: &[Value] = &[(0, "None"), (1, "Visible")];

const SVC_ASK: &[Value] =
    &[(0, "Disabled"), (1, "Enabled"), (3, "Enable-Default-Service"), (5, "Enable-Default-Clientless")];

const STRIP_REALM: &[Value] = &[(0, "Disabled"), (1, "Enabled")];

const WEBVPN_SMART_TUNNEL_AUTO_START: &[Value] = &[(0, "Disabled"), (1, "Enabled"), (2, "AutoStart")];

const CLIENTTYPE: &[Value] = &[
    (1, "Cisco-VPN-Client-IKEv1"),
    (2, "AnyConnect-Client-SSL-VPN"),
    (3, "Clientless-SSL-VPN"),
    (4, "Cut-Through-Proxy"),
    (5, "L2TP/IPsec-SSL-VPN"),
    (6, "AnyConnect-Client-IPSec-VPN-IKEv2"),
];

const SESSIONTYPE: &[Value] = &[
    (0, "None"),
    (1, "AnyConnect-Client-SSL-VPN"),
    (2, "AnyConnect-Client-IPSec-VPN/IKEv2"),
    (3, "Clientless-SSL-VPN"),
    (4, "Clientless-Email-Proxy"),
    (5, "Cisco-VPN-Client/IKEv1"),
    (6, "IKEv1-LAN-to-LAN"),
    (7, "IKEv2-LAN-to-LAN"),
    (8, "VPN-Load-Balancing"),
];

const SESSIONSUBTYPE: &[Value] = &[(0, "None"), (1, "Clientless"), (2, "Client"), (3, "Client-Only")];

const WEBVPNSMART_CARD_REMOVAL_DISCONNECT: &[Value] = &[(0, "Disabled"), (1, "Enabled")];
