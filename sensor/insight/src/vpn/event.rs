//! What a record says once vendor, forms and tags are resolved. Made by [`Decoder`](super::Decoder); read by everything
//! behind it: sessions, places, profiles, the store.

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, SocketAddr},
};

use arrayvec::ArrayVec;
use radius::{
    Marks,
    attribute::{Fault, Id},
    dictionary,
};

use serde::{Deserialize, Serialize};

use super::{Classified, Recognised, Vendor, address::Scope, names::UserName};

/// Inner addresses of one event that are kept: dual stack with a prefix and a delegated one makes four; strongSwan
/// sends one for each virtual address.
pub const ASSIGNED_MAX: usize = 8;
/// Defects of one event that are listed; all are counted.
pub const DEFECTS_MAX: usize = 16;
/// Attributes that an event without a remote address lists. Real requests hold 15 to 60.
pub const ATTRIBUTES_MAX: usize = 64;

/// A decoded record. Texts are safe to show: what is no clean text is escaped (see [`Flaw`]); all are bounded by what
/// an attribute can carry.
#[derive(Debug, Clone)]
pub struct Event<'a> {
    /// Name of the configured client that sent it.
    pub client: &'a str,
    /// Where the datagram came from.
    pub source: SocketAddr,
    /// Where it was sent to.
    pub destination: SocketAddr,
    /// When it arrived, ns since 1970 UTC.
    pub arrival_unix_ns: u64,
    /// When what it tells of happened.
    pub time: EventTime,
    /// What it reports.
    pub status: Status,
    /// Whether it is about a person's VPN connection, and why it is thought so.
    pub classified: Classified,
    /// Whose VPN server sent it.
    pub vendor: Vendor,
    /// How the vendor was found out.
    pub recognised: Recognised,
    /// Which VPN server the request says it comes from.
    pub server: VpnServer<'a>,
    /// The user; none in Accounting-On and -Off.
    pub user: Option<UserName<'a>>,
    /// The client's address outside the tunnel.
    pub remote: Option<Remote>,
    /// Another public address that a less trusted attribute gives: a proxied tunnel, for one.
    pub remote_other: Option<IpAddr>,
    /// If it is a person's connection without a remote address: which attributes there were, so that an administrator
    /// finds the one that holds it. The first [`ATTRIBUTES_MAX`] different ones.
    pub attributes: Vec<Id>,
    /// Addresses inside the tunnel.
    pub assigned: ArrayVec<Assigned, ASSIGNED_MAX>,
    /// The device: a computer's name or a stable identifier.
    pub device: Option<Cow<'a, str>>,
    /// What kind of device.
    pub device_model: Option<Cow<'a, str>>,
    /// The client software.
    pub software: Option<Cow<'a, str>>,
    /// The client's operating system.
    pub operating_system: Option<Cow<'a, str>>,
    /// Its version.
    pub operating_system_version: Option<Cow<'a, str>>,
    /// Tunnel group, connection profile or user group.
    pub group: Option<Cow<'a, str>>,
    /// What ties records of one login together besides the session id.
    pub correlation: Option<Cow<'a, str>>,
    /// Acct-Session-Id.
    pub session_id: Option<Cow<'a, str>>,
    /// Acct-Multi-Session-Id.
    pub multi_session_id: Option<Cow<'a, str>>,
    /// The first Class: an echo of the authentication server.
    pub class: Option<&'a [u8]>,
    /// Called-Station-Id.
    pub called_station: Option<Cow<'a, str>>,
    /// Calling-Station-Id, whatever it holds.
    pub calling_station: Option<Cow<'a, str>>,
    /// Connect-Info.
    pub connect_info: Option<Cow<'a, str>>,
    /// NAS-Port.
    pub port: Option<u32>,
    /// NAS-Port-Id.
    pub port_id: Option<Cow<'a, str>>,
    /// NAS-Port-Type.
    pub port_type: Option<u32>,
    /// Service-Type.
    pub service_type: Option<u32>,
    /// Tunnel-Type, 24 bits (79617 is SSTP).
    pub tunnel_type: Option<u32>,
    /// Acct-Authentic.
    pub authentic: Option<u32>,
    /// Volumes and length so far.
    pub counters: Counters,
    /// Acct-Terminate-Cause.
    pub terminate_cause: Option<u32>,
    /// What is unusual about the request as a whole.
    pub marks: Marks,
    /// Attributes that were left out or mended.
    pub defects: Defects,
}

impl Event<'_> {
    /// The name of the tunnel's type: `SSTP`; the number if it has none.
    pub fn tunnel_name(&self) -> Option<Cow<'static, str>> {
        Some(value_name(64, self.tunnel_type?))
    }

    /// The name of the terminate cause: `User-Request`; the number if it has none.
    pub fn terminate_cause_name(&self) -> Option<Cow<'static, str>> {
        Some(terminate_cause_name(self.terminate_cause?))
    }

    /// Operating system and version, as far as known.
    pub fn operating_system_text(&self) -> Option<Cow<'_, str>> {
        match (&self.operating_system, &self.operating_system_version) {
            (Some(system), Some(version)) => Some(Cow::Owned(format!("{system} {version}"))),
            (Some(one), None) | (None, Some(one)) => Some(Cow::Borrowed(one)),
            (None, None) => None,
        }
    }
}

/// The name of an Acct-Terminate-Cause (RFC 2866 section 5.10): `User-Request`; the number if it has none.
pub fn terminate_cause_name(cause: u32) -> Cow<'static, str> {
    value_name(49, cause)
}

fn value_name(kind: u8, value: u32) -> Cow<'static, str> {
    dictionary::value_name(kind, value).map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed)
}

/// Acct-Status-Type (RFC 2866 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// A session begins.
    Start,
    /// It goes on.
    InterimUpdate,
    /// It ended.
    Stop,
    /// The VPN server started.
    AccountingOn,
    /// It is about to stop.
    AccountingOff,
    /// 9 to 14: a tunnel between servers (RFC 2867 section 3); 15; and what nobody defined.
    Other(u32),
    /// None, or none of the right length.
    Missing,
}

impl Status {
    pub(super) fn of(value: Option<u32>) -> Status {
        match value {
            None => Status::Missing,
            Some(1) => Status::Start,
            Some(2) => Status::Stop,
            Some(3) => Status::InterimUpdate,
            Some(7) => Status::AccountingOn,
            Some(8) => Status::AccountingOff,
            Some(other) => Status::Other(other),
        }
    }

    /// Whether it tells of a session: Start, Interim-Update, Stop.
    pub fn is_of_session(self) -> bool {
        matches!(self, Status::Start | Status::InterimUpdate | Status::Stop)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = match self {
            Status::Start => 1,
            Status::Stop => 2,
            Status::InterimUpdate => 3,
            Status::AccountingOn => 7,
            Status::AccountingOff => 8,
            Status::Other(value) => *value,
            Status::Missing => return f.write_str("missing"),
        };
        f.write_str(&value_name(40, value))
    }
}

/// Who the request says it comes from. Which VPN server that is, later parts decide with the client and the source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VpnServer<'a> {
    /// NAS-Identifier.
    pub identifier: Option<Cow<'a, str>>,
    /// NAS-IP-Address, else NAS-IPv6-Address.
    pub address: Option<IpAddr>,
}

/// The client's address outside the tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remote {
    /// The address; an IPv4-mapped one as IPv4.
    pub address: IpAddr,
    /// The port, where the VPN server writes it.
    pub port: Option<u16>,
    /// What the address is worth for finding a place.
    pub scope: Scope,
    /// The attribute that carried it.
    pub from: Id,
}

/// An address or prefix inside the tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Assigned {
    /// The address, with zeros behind the prefix.
    pub address: IpAddr,
    /// Its prefix length: 32 or 128 for one address.
    pub prefix_length: u8,
}

impl fmt::Display for Assigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, self.prefix_length) {
            (IpAddr::V4(_), 32) | (IpAddr::V6(_), 128) => self.address.fmt(f),
            (address, length) => write!(f, "{address}/{length}"),
        }
    }
}

/// When an event happened and what that rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTime {
    /// ns since 1970 UTC.
    pub unix_ns: u64,
    /// What it was taken from.
    pub source: TimeSource,
    /// Event-Timestamp as sent, seconds since 1970 by the VPN server's clock.
    pub timestamp: Option<u32>,
    /// Acct-Delay-Time as sent, seconds.
    pub delay: Option<u32>,
}

/// What an event's time was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeSource {
    /// Event-Timestamp, within the time that is trusted.
    Timestamp,
    /// Arrival less Acct-Delay-Time.
    Delay,
    /// Arrival: there was nothing better, or what there was is not to be trusted.
    Arrival,
}

impl TimeSource {
    /// One word for JSON.
    pub fn name(self) -> &'static str {
        match self {
            TimeSource::Timestamp => "event-timestamp",
            TimeSource::Delay => "delay-time",
            TimeSource::Arrival => "arrival",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<TimeSource> {
        [TimeSource::Timestamp, TimeSource::Delay, TimeSource::Arrival]
            .into_iter()
            .find(|source| source.name() == name)
    }
}

/// Totals since the session's start. Input is what came from the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Octets from the client, gigawords included.
    pub input_octets: Option<u64>,
    /// Octets to the client, gigawords included.
    pub output_octets: Option<u64>,
    /// Whether the VPN server sends gigawords: without, octets begin again at 4 GiB.
    pub has_gigawords: bool,
    /// Packets from the client.
    pub input_packets: Option<u32>,
    /// Packets to the client.
    pub output_packets: Option<u32>,
    /// Acct-Session-Time, seconds.
    pub session_seconds: Option<u32>,
}

/// What is wrong with an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// The octets do not fit the attribute's type: left out (RFC 6929 section 2.8).
    Invalid(Fault),
    /// A text that is no UTF-8: kept, with `\xff` for what is none.
    NotUtf8,
    /// Control characters or such as turn the direction of writing: kept, escaped.
    Unprintable,
    /// Longer than any attribute: left out.
    TooLong,
    /// What should be an address is none: left out.
    NotAnAddress,
    /// A time outside what is trusted: not applied.
    Implausible,
    /// There should be one: the first counts.
    Repeated,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Flaw::Invalid(Fault::Empty) => "empty",
            Flaw::Invalid(Fault::Length) => "wrong length",
            Flaw::Invalid(Fault::Tag) => "tag above 31",
            Flaw::Invalid(Fault::Prefix) => "no sound prefix",
            Flaw::Invalid(Fault::VendorId) => "no enterprise number",
            Flaw::Invalid(Fault::Fragments) => "fragments missing",
            Flaw::NotUtf8 => "not UTF-8",
            Flaw::Unprintable => "control or bidirectional characters",
            Flaw::TooLong => "too long",
            Flaw::NotAnAddress => "not an address",
            Flaw::Implausible => "implausible time",
            Flaw::Repeated => "repeated",
        })
    }
}

/// One attribute and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defect {
    /// Which attribute.
    pub attribute: Id,
    /// What is wrong.
    pub flaw: Flaw,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match dictionary::lookup(self.attribute) {
            Some(entry) => write!(f, "{}: {}", entry.name, self.flaw),
            None => write!(f, "{}: {}", self.attribute, self.flaw),
        }
    }
}

/// Defects of one event: none takes no memory, and a forger cannot make the list long.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defects {
    listed: Vec<Defect>,
    total: usize,
}

impl Defects {
    pub(super) fn add(&mut self, attribute: Id, flaw: Flaw) {
        self.total += 1;
        if self.listed.len() < DEFECTS_MAX {
            self.listed.push(Defect { attribute, flaw });
        }
    }

    /// The first [`DEFECTS_MAX`].
    pub fn listed(&self) -> &[Defect] {
        &self.listed
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        self.total
    }
}
