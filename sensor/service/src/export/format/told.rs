//! What is told: alerts as the fold made them, VPN connections as they begin, go on and end, and how the product itself
//! is. Plain data.

use std::net::IpAddr;

use serde::Serialize;

use policy::sink::Kind;

use crate::alert::{News, Notice, Severity};

/// One message.
#[derive(Debug, Clone, Copy)]
pub enum Told<'a> {
    /// Of an alert.
    Notice(&'a Notice),
    /// Of a connection.
    Activity(&'a TunnelActivity),
    /// Of the product.
    Health(&'a Health),
}

impl<'a> Told<'a> {
    /// Its sort.
    pub fn kind(&self) -> Kind {
        match self {
            Told::Notice(_) => Kind::Alert,
            Told::Activity(_) => Kind::Connection,
            Told::Health(_) => Kind::Health,
        }
    }

    /// How urgent.
    pub fn severity(&self) -> Severity {
        match self {
            Told::Notice(notice) => notice.alert.severity,
            Told::Activity(_) => Severity::Informational,
            Told::Health(health) if health.is_over => Severity::Informational,
            Told::Health(health) => health.severity,
        }
    }

    /// By what a sink chooses: who was told that something began is told that it is over.
    pub fn weight(&self) -> Severity {
        match self {
            Told::Health(health) => health.severity,
            _ => self.severity(),
        }
    }

    /// When it happened, ns since 1970 UTC.
    pub fn unix_ns(&self) -> u64 {
        match self {
            Told::Notice(notice) => notice.unix_ns(),
            Told::Activity(activity) => activity.unix_ns,
            Told::Health(health) => health.unix_ns,
        }
    }

    /// What happened, in a word: MSGID of syslog, the class of CEF.
    pub fn id(&self) -> &'a str {
        match self {
            // By this one, and by the external id, people's rules know Microsoft's alert.
            Told::Notice(notice) if notice.alert.external_id == Some(2025) => "AbnormalVpnSecurityAlert",
            Told::Notice(notice) => &notice.alert.detection,
            Told::Activity(activity) => match activity.what {
                Tunnel::Open => "tunnel-open",
                Tunnel::Renew => "tunnel-renew",
                Tunnel::Close => "tunnel-close",
            },
            Told::Health(health) => &health.name,
        }
    }

    /// Whom it names: the user's key first.
    pub fn persons(&self) -> Vec<&'a str> {
        let (user, original, others) = match self {
            Told::Notice(Notice { alert, .. }) => (&alert.user, &alert.user_original, &alert.users[..]),
            Told::Activity(activity) => (&activity.user, &activity.user_original, &[][..]),
            Told::Health(_) => return Vec::new(),
        };
        user.iter().chain(original).chain(others).map(String::as_str).collect()
    }
}

/// What is news, in the word that SIEM rules know.
pub(super) fn trigger(news: News) -> &'static str {
    match news {
        News::New => "new",
        News::Updated => "updated",
        News::Closed => "closed",
    }
}

/// A VPN connection begins, goes on or ends.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TunnelActivity {
    /// When, ns since 1970 UTC.
    pub unix_ns: u64,
    /// What of it.
    pub what: Tunnel,
    /// The user's key: `alice@contoso.example`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The name as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_original: Option<String>,
    /// Acct-Session-Id.
    pub session_id: String,
    /// When the connection began, ns since 1970 UTC.
    pub start_unix_ns: u64,
    /// Why it ended: `stop`, `silence`; none while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
    /// Acct-Terminate-Cause by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminate_cause: Option<String>,
    /// The client outside the tunnel, and where that is.
    pub client: Client,
    /// Its addresses inside the tunnel.
    pub assigned: Vec<IpAddr>,
    /// The VPN server by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_address: Option<IpAddr>,
    /// The user's device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The client software.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// Octets from the client since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_octets: Option<u64>,
    /// Octets to the client since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_octets: Option<u64>,
}

/// What of a connection is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tunnel {
    /// It begins.
    Open,
    /// It goes on.
    Renew,
    /// It is over.
    Close,
}

/// The client's end of a connection, outside the tunnel.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Client {
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The place in one line: `Lyon, Rhone, FR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The largest part of the country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Degrees north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
    /// Within how many kilometres of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub radius_km: Option<u32>,
    /// Number of the autonomous system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asn: Option<u32>,
    /// Who runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
}

/// Something keeps the product from its work, or does so no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// When, ns since 1970 UTC.
    pub unix_ns: u64,
    /// What: `client-silent`, `wrong-secret`.
    pub name: String,
    /// How urgent, while it lasts.
    pub severity: Severity,
    /// Whether it is over.
    pub is_over: bool,
    /// What it is about: a client of the configuration, a sink.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// In sentences.
    pub message: String,
    /// What to do about it, a sentence each.
    pub advice: Vec<String>,
}
