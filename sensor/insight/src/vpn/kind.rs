//! Whether a request is about a person's VPN connection. On the same port come 802.1X, administrators' log-ins and
//! tunnels between sites: they are recorded and kept out of profiles and alerts. A table of rules, the first that
//! applies decides; decoding collects the [`Facts`].

use std::fmt;

use radius::attribute::Id;

use super::{Status, Vendor, names::NameSort};

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A person's VPN connection: the only kind that profiles and alerts are made of.
    Person,
    /// A computer's own VPN connection, before anybody logged in.
    Machine,
    /// Access to a network that is no VPN: 802.1X, wireless, broadband, dial-in.
    NetworkAccess,
    /// An administrator's log-in on the device itself.
    Administrator,
    /// A tunnel between sites.
    SiteTunnel,
    /// A log-in on a web page: captive portals, cut-through proxies.
    WebSignIn,
    /// The VPN server about itself: Accounting-On and -Off.
    Server,
    /// Nothing of these.
    Other,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 8] = [
        Kind::Person,
        Kind::Machine,
        Kind::NetworkAccess,
        Kind::Administrator,
        Kind::SiteTunnel,
        Kind::WebSignIn,
        Kind::Server,
        Kind::Other,
    ];

    /// The kind of this [name](Kind::name).
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// One word for people, JSON and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Person => "vpn",
            Kind::Machine => "machine-vpn",
            Kind::NetworkAccess => "network-access",
            Kind::Administrator => "administrator",
            Kind::SiteTunnel => "site-tunnel",
            Kind::WebSignIn => "web-sign-in",
            Kind::Server => "server",
            Kind::Other => "other",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A kind and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classified {
    /// What the request is about.
    pub kind: Kind,
    /// One phrase: what in the request says so.
    pub reason: &'static str,
}

/// What the rules look at.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts<'a> {
    pub(super) vendor: Option<Vendor>,
    pub(super) status: Option<u32>,
    pub(super) service_type: Option<u32>,
    pub(super) port_type: Option<u32>,
    pub(super) tunnel_type: Option<u32>,
    /// Login-IP-Host, Login-Service or Login-TCP-Port.
    pub(super) logs_in: bool,
    /// An attribute of [`ADMINISTRATOR_ROLES`].
    pub(super) role: bool,
    /// A Cisco-AVPair that begins with `shell:`.
    pub(super) shell: bool,
    /// ASA: Tunnel-Group-Name is there.
    pub(super) tunnel_group: bool,
    /// ASA: Session-Type, Client-Type.
    pub(super) session_type: Option<u32>,
    pub(super) client_type: Option<u32>,
    /// Mikrotik-Host-IP is there.
    pub(super) hotspot: bool,
    pub(super) connect_info: Option<&'a [u8]>,
    pub(super) called_is_hardware: bool,
    /// Calling-Station-Id, if it is a hardware address.
    pub(super) calling: Option<[u8; 6]>,
    pub(super) has_remote: bool,
    pub(super) user: Option<NameSort>,
    /// User-Name is the hardware address of Calling-Station-Id, without separators.
    pub(super) user_is_calling_hardware: bool,
}

/// Roles that only administrators of the device have: Gaia, F5, Palo Alto, ScreenOS, SofaWare.
pub(super) const ADMINISTRATOR_ROLES: [Id; 13] = {
    const fn role(vendor: u32, kind: u8) -> Id {
        Id::Vendor { vendor, kind }
    }
    [
        role(2620, 229),
        role(2620, 230),
        role(3375, 1),
        role(3375, 3),
        role(3375, 4),
        role(3375, 5),
        role(3375, 14),
        role(25461, 1),
        role(25461, 2),
        role(25461, 3),
        role(25461, 4),
        role(3224, 1),
        role(6983, 1),
    ]
};

/// An enumerated value that rules look at, or [`Sign`]s as one.
#[derive(Clone, Copy)]
enum Of {
    Status,
    ServiceType,
    PortType,
    /// ASA.
    SessionType,
    ClientType,
    TunnelType,
    Sign,
}

/// What a request shows besides enumerated values.
#[derive(Clone, Copy)]
enum Sign {
    StatusMissing,
    NotOfSession,
    /// Fortinet: Connect-Info begins with `admin-login`, `web-auth`, `vpn-`.
    FortinetAdministrator,
    FortinetWeb,
    FortinetVpn,
    LogsInAsUser,
    Role,
    Shell,
    TunnelGroup,
    UserIsHardware,
    BothStationsAreHardware,
    AccelCallingIsHardware,
    Hotspot,
    HasTunnelType,
    HasRemote,
    Always,
}

/// A condition: one of these values is there. A bit for each, so that a rule costs one look: most do not apply.
#[derive(Clone, Copy)]
struct When {
    of: Of,
    values: u64,
}

/// All values that rules name are below 64.
const fn among(of: Of, values: &[u32]) -> When {
    let mut set = 0;
    let mut at = 0;
    while at < values.len() {
        set |= 1 << values[at];
        at += 1;
    }
    When { of, values: set }
}

const fn sign(sign: Sign) -> When {
    among(Of::Sign, &[sign as u32])
}

/// What neither a VPN nor a person is, first by what names it, then by the port; then what is left.
const RULES: &[(When, Kind, &str)] = {
    use Kind::{Administrator, NetworkAccess, Other, Person, Server, SiteTunnel, WebSignIn};
    &[
        (sign(Sign::StatusMissing), Other, "no Acct-Status-Type"),
        (among(Of::Status, &[7, 8]), Server, "the VPN server starts or stops"),
        (among(Of::Status, &[9, 10, 11, 12, 13, 14]), SiteTunnel, "tunnel accounting (RFC 2867)"),
        (sign(Sign::NotOfSession), Other, "an Acct-Status-Type that is of no session"),
        (among(Of::SessionType, &[6, 7]), SiteTunnel, "ASA-SessionType is LAN-to-LAN"),
        (among(Of::SessionType, &[4]), Other, "ASA-SessionType is e-mail proxy"),
        (among(Of::SessionType, &[8]), Other, "ASA-SessionType is VPN load balancing"),
        (among(Of::ClientType, &[4]), WebSignIn, "ASA-ClientType is cut-through proxy"),
        (sign(Sign::FortinetAdministrator), Administrator, "Connect-Info is admin-login"),
        (sign(Sign::FortinetWeb), WebSignIn, "Connect-Info is web-auth"),
        (among(Of::ServiceType, &[6, 7, 11, 18]), Administrator, "Service-Type is an administrator's"),
        (sign(Sign::LogsInAsUser), Administrator, "Service-Type is Login-User to a host or service"),
        (sign(Sign::Role), Administrator, "an administrator's role"),
        (sign(Sign::Shell), Administrator, "a shell's attributes (Cisco-AVPair shell:)"),
        (among(Of::SessionType, &[1, 2, 3, 5]), Person, "ASA-SessionType is a client's"),
        (sign(Sign::TunnelGroup), Person, "ASA-TunnelGroupName"),
        (sign(Sign::FortinetVpn), Person, "Connect-Info is a VPN's"),
        (sign(Sign::UserIsHardware), NetworkAccess, "User-Name is a hardware address"),
        (among(Of::ServiceType, &[10]), NetworkAccess, "Service-Type is Call-Check"),
        (among(Of::PortType, &[15, 20, 21]), NetworkAccess, "NAS-Port-Type is a wired network's (802.1X)"),
        (among(Of::PortType, &[18, 19, 22, 23, 24, 25]), NetworkAccess, "NAS-Port-Type is wireless"),
        (
            among(Of::PortType, &[11, 12, 13, 14, 16, 17, 30, 31, 32, 33, 34]),
            NetworkAccess,
            "NAS-Port-Type is broadband",
        ),
        (among(Of::PortType, &[0, 1, 2, 3, 4, 6, 7, 8, 9, 10]), NetworkAccess, "NAS-Port-Type is dial-in"),
        (sign(Sign::Hotspot), NetworkAccess, "Mikrotik-Host-IP is a hotspot's"),
        (sign(Sign::BothStationsAreHardware), NetworkAccess, "both station ids are hardware addresses"),
        (
            sign(Sign::AccelCallingIsHardware),
            NetworkAccess,
            "Calling-Station-Id is a hardware address (PPPoE, IPoE)",
        ),
        (among(Of::TunnelType, &[13]), NetworkAccess, "Tunnel-Type is VLAN"),
        (among(Of::PortType, &[5]), Person, "NAS-Port-Type is Virtual"),
        (sign(Sign::HasTunnelType), Person, "a Tunnel-Type"),
        (sign(Sign::HasRemote), Person, "an outer address"),
        (sign(Sign::Always), Person, "nothing says that it is not"),
    ]
};

/// The kind by the first rule that applies. `is_vpn`: the configuration says that this client is a VPN server and
/// nothing else, so what looks like access to a network is a VPN connection.
pub(super) fn classify(facts: &Facts<'_>, is_vpn: bool) -> Classified {
    let shown = shown(facts);
    let applies = |(when, _, _): &&(When, Kind, &str)| shown[when.of as usize] & when.values != 0;
    let (kind, reason) =
        RULES.iter().find(applies).map_or((Kind::Other, ""), |(_, kind, reason)| (*kind, *reason));
    let (kind, reason) = match kind {
        Kind::NetworkAccess if is_vpn => (Kind::Person, "the configuration says that it is a VPN server"),
        kind => (kind, reason),
    };
    match (kind, facts.user) {
        (Kind::Person, Some(NameSort::Machine)) => {
            Classified { kind: Kind::Machine, reason: "User-Name is a computer's" }
        }
        _ => Classified { kind, reason },
    }
}

/// What is there of each [`Of`], a bit for each value.
fn shown(facts: &Facts<'_>) -> [u64; 7] {
    let value = |value: Option<u32>| value.and_then(|value| 1u64.checked_shl(value)).unwrap_or(0);
    let info = |prefix: &[u8]| facts.connect_info.is_some_and(|info| info.starts_with(prefix));
    let is_fortinet = facts.vendor == Some(Vendor::Fortinet);
    let is_accel = facts.vendor == Some(Vendor::AccelPpp);
    let signs = [
        (Sign::StatusMissing, facts.status.is_none()),
        (Sign::NotOfSession, !Status::of(facts.status).is_of_session()),
        (Sign::FortinetAdministrator, is_fortinet && info(b"admin-login")),
        (Sign::FortinetWeb, is_fortinet && info(b"web-auth")),
        (Sign::FortinetVpn, is_fortinet && info(b"vpn-")),
        (Sign::LogsInAsUser, facts.service_type == Some(1) && facts.logs_in),
        (Sign::Role, facts.role),
        (Sign::Shell, facts.shell),
        (Sign::TunnelGroup, facts.tunnel_group),
        (Sign::UserIsHardware, facts.user == Some(NameSort::Hardware) || facts.user_is_calling_hardware),
        (Sign::BothStationsAreHardware, facts.called_is_hardware && facts.calling.is_some()),
        (Sign::AccelCallingIsHardware, is_accel && facts.calling.is_some()),
        (Sign::Hotspot, facts.hotspot),
        (Sign::HasTunnelType, facts.tunnel_type.is_some()),
        (Sign::HasRemote, facts.has_remote),
        (Sign::Always, true),
    ];
    // In the order of `Of`.
    [
        value(facts.status),
        value(facts.service_type),
        value(facts.port_type),
        value(facts.session_type),
        value(facts.client_type),
        value(facts.tunnel_type),
        signs.into_iter().fold(0, |all, (sign, holds)| all | u64::from(holds) << sign as u32),
    ]
}
