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

/// A set of enumerated values; all that rules name are below 64. A look takes one step, whatever is in it: most rules do
/// not apply.
#[derive(Clone, Copy)]
struct Values(u64);

impl Values {
    const fn of(values: &[u32]) -> Values {
        let mut set = 0;
        let mut at = 0;
        while at < values.len() {
            set |= 1 << values[at];
            at += 1;
        }
        Values(set)
    }

    fn contain(self, value: Option<u32>) -> bool {
        value.is_some_and(|value| self.0.checked_shr(value).is_some_and(|set| set & 1 == 1))
    }
}

/// A condition on the facts.
#[derive(Clone, Copy)]
enum When {
    StatusMissing,
    Status(Values),
    NotOfSession,
    ServiceType(Values),
    PortType(Values),
    SessionType(Values),
    ClientType(Values),
    /// Connect-Info begins with this, and the vendor is Fortinet.
    FortinetInfo(&'static str),
    LogsInAsUser,
    Role,
    Shell,
    TunnelGroup,
    UserIsHardware,
    BothStationsAreHardware,
    CallingIsHardware(Vendor),
    Hotspot,
    TunnelType(Values),
    HasTunnelType,
    HasRemote,
    Always,
}

/// What neither a VPN nor a person is, first by what names it, then by the port; then what is left.
const RULES: &[(When, Kind, &str)] = {
    use Kind::{Administrator, NetworkAccess, Other, Person, Server, SiteTunnel, WebSignIn};
    const fn values(values: &[u32]) -> Values {
        Values::of(values)
    }
    &[
        (When::StatusMissing, Other, "no Acct-Status-Type"),
        (When::Status(values(&[7, 8])), Server, "the VPN server starts or stops"),
        (When::Status(values(&[9, 10, 11, 12, 13, 14])), SiteTunnel, "tunnel accounting (RFC 2867)"),
        (When::NotOfSession, Other, "an Acct-Status-Type that is of no session"),
        (When::SessionType(values(&[6, 7])), SiteTunnel, "ASA-SessionType is LAN-to-LAN"),
        (When::SessionType(values(&[4])), Other, "ASA-SessionType is e-mail proxy"),
        (When::SessionType(values(&[8])), Other, "ASA-SessionType is VPN load balancing"),
        (When::ClientType(values(&[4])), WebSignIn, "ASA-ClientType is cut-through proxy"),
        (When::FortinetInfo("admin-login"), Administrator, "Connect-Info is admin-login"),
        (When::FortinetInfo("web-auth"), WebSignIn, "Connect-Info is web-auth"),
        (When::ServiceType(values(&[6, 7, 11, 18])), Administrator, "Service-Type is an administrator's"),
        (When::LogsInAsUser, Administrator, "Service-Type is Login-User to a host or service"),
        (When::Role, Administrator, "an administrator's role"),
        (When::Shell, Administrator, "a shell's attributes (Cisco-AVPair shell:)"),
        (When::SessionType(values(&[1, 2, 3, 5])), Person, "ASA-SessionType is a client's"),
        (When::TunnelGroup, Person, "ASA-TunnelGroupName"),
        (When::FortinetInfo("vpn-"), Person, "Connect-Info is a VPN's"),
        (When::UserIsHardware, NetworkAccess, "User-Name is a hardware address"),
        (When::ServiceType(values(&[10])), NetworkAccess, "Service-Type is Call-Check"),
        (When::PortType(values(&[15, 20, 21])), NetworkAccess, "NAS-Port-Type is a wired network's (802.1X)"),
        (When::PortType(values(&[18, 19, 22, 23, 24, 25])), NetworkAccess, "NAS-Port-Type is wireless"),
        (
            When::PortType(values(&[11, 12, 13, 14, 16, 17, 30, 31, 32, 33, 34])),
            NetworkAccess,
            "NAS-Port-Type is broadband",
        ),
        (When::PortType(values(&[0, 1, 2, 3, 4, 6, 7, 8, 9, 10])), NetworkAccess, "NAS-Port-Type is dial-in"),
        (When::Hotspot, NetworkAccess, "Mikrotik-Host-IP is a hotspot's"),
        (When::BothStationsAreHardware, NetworkAccess, "both station ids are hardware addresses"),
        (
            When::CallingIsHardware(Vendor::AccelPpp),
            NetworkAccess,
            "Calling-Station-Id is a hardware address (PPPoE, IPoE)",
        ),
        (When::TunnelType(values(&[13])), NetworkAccess, "Tunnel-Type is VLAN"),
        (When::PortType(values(&[5])), Person, "NAS-Port-Type is Virtual"),
        (When::HasTunnelType, Person, "a Tunnel-Type"),
        (When::HasRemote, Person, "an outer address"),
        (When::Always, Person, "nothing says that it is not"),
    ]
};

/// The kind by the first rule that applies. `is_vpn`: the configuration says that this client is a VPN server and
/// nothing else, so what looks like access to a network is a VPN connection.
pub(super) fn classify(facts: &Facts<'_>, is_vpn: bool) -> Classified {
    let applies = |(when, _, _): &&(When, Kind, &'static str)| when.holds(facts);
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

impl When {
    fn holds(self, facts: &Facts<'_>) -> bool {
        match self {
            When::StatusMissing => facts.status.is_none(),
            When::Status(values) => values.contain(facts.status),
            When::NotOfSession => !Status::of(facts.status).is_of_session(),
            When::ServiceType(values) => values.contain(facts.service_type),
            When::PortType(values) => values.contain(facts.port_type),
            When::SessionType(values) => values.contain(facts.session_type),
            When::ClientType(values) => values.contain(facts.client_type),
            When::FortinetInfo(prefix) => {
                facts.vendor == Some(Vendor::Fortinet)
                    && facts.connect_info.is_some_and(|info| info.starts_with(prefix.as_bytes()))
            }
            When::LogsInAsUser => facts.service_type == Some(1) && facts.logs_in,
            When::Role => facts.role,
            When::Shell => facts.shell,
            When::TunnelGroup => facts.tunnel_group,
            When::UserIsHardware => facts.user == Some(NameSort::Hardware) || facts.user_is_calling_hardware,
            When::BothStationsAreHardware => facts.called_is_hardware && facts.calling.is_some(),
            When::CallingIsHardware(vendor) => facts.vendor == Some(vendor) && facts.calling.is_some(),
            When::Hotspot => facts.hotspot,
            When::TunnelType(values) => values.contain(facts.tunnel_type),
            When::HasTunnelType => facts.tunnel_type.is_some(),
            When::HasRemote => facts.has_remote,
            When::Always => true,
        }
    }
}
