//! Events that somebody else decoded: lines of another product's log, or of our own `events`. What a record's attributes
//! say to [`Decoder`](super::Decoder), the members of [`Told`] say here; names and texts are read by the same rules, so
//! that both give the same sessions.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use arrayvec::ArrayVec;
use radius::{
    Marks, accounting,
    attribute::{Id, kind},
};

use super::{
    Classified, Kind, Recognised, Vendor,
    address::Scope,
    event::{
        ASSIGNED_MAX, Assigned, Counters, Defects, Event, EventTime, Remote, Status, TimeSource, VpnServer,
    },
    names::{NameSort, Realms, UserName},
    text::text,
};

/// What is told of one moment of a connection. Only the first four members are always there.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// When it happened, ns since 1970 UTC.
    pub unix_ns: u64,
    /// What happened.
    pub status: Status,
    /// Who told it: stands for the configured client.
    pub client: &'a str,
    /// Acct-Session-Id.
    pub session: Option<&'a str>,
    /// When it was heard of, ns since 1970 UTC: never goes back.
    pub arrival_unix_ns: u64,
    /// What its time was taken from, if that is told; else it is the VPN server's own.
    pub time_source: Option<TimeSource>,
    /// Where it came from, if that is told: which VPN server it is where it names none.
    pub source: Option<SocketAddr>,
    /// What it is about, if that is told; else a person's connection unless the name is none of a person.
    pub kind: Option<Kind>,
    /// The VPN server behind the client, by name or address.
    pub nas: Option<&'a str>,
    /// Its address beside a name.
    pub nas_address: Option<IpAddr>,
    /// The user in any form.
    pub user: Option<&'a str>,
    /// The client's address outside the tunnel.
    pub address: Option<IpAddr>,
    /// Addresses inside the tunnel.
    pub assigned: [Option<IpAddr>; 2],
    /// The device.
    pub device: Option<&'a str>,
    /// The client software.
    pub software: Option<&'a str>,
    /// The client's operating system.
    pub operating_system: Option<&'a str>,
    /// Tunnel group or connection profile.
    pub group: Option<&'a str>,
    /// Octets from the client so far.
    pub input_octets: Option<u64>,
    /// Octets to the client so far.
    pub output_octets: Option<u64>,
    /// How long the connection has been there, seconds.
    pub session_seconds: Option<u32>,
}

impl<'a> Told<'a> {
    /// The event. Its time is trusted as far back from the arrival as the configuration says.
    pub fn event(&self, realms: &Realms, accept_past_s: u64) -> Event<'a> {
        let words = |told: Option<&'a str>| told.and_then(|told| Some(text(told.as_bytes())?.0));
        let user = self.user.and_then(|user| Some(UserName::parse(user.as_bytes(), None, realms).ok()??.0));
        let nas_address = self.nas.and_then(|nas| nas.parse().ok());
        let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        Event {
            client: self.client,
            // Mostly nobody knows; which VPN server it is, name and address of it say.
            source: self.source.unwrap_or(nowhere),
            destination: nowhere,
            arrival_unix_ns: self.arrival_unix_ns,
            time: self.time(accept_past_s),
            status: self.status,
            classified: self.classified(user.as_ref()),
            vendor: Vendor::Unknown,
            recognised: Recognised::No,
            server: VpnServer {
                identifier: words(self.nas.filter(|_| nas_address.is_none())),
                address: nas_address.or(self.nas_address).map(|address| address.to_canonical()),
            },
            user,
            remote: self.address.map(|address| address.to_canonical()).map(|address| Remote {
                address,
                port: None,
                scope: Scope::of(address),
                from: Id::Standard(kind::CALLING_STATION_ID),
            }),
            remote_other: None,
            attributes: Vec::new(),
            assigned: self.assigned(),
            device: words(self.device),
            device_model: None,
            software: words(self.software),
            operating_system: words(self.operating_system),
            operating_system_version: None,
            group: words(self.group),
            correlation: None,
            session_id: words(self.session),
            multi_session_id: None,
            class: None,
            called_station: None,
            calling_station: None,
            connect_info: None,
            port: None,
            port_id: None,
            port_type: None,
            service_type: None,
            tunnel_type: None,
            authentic: None,
            counters: Counters {
                input_octets: self.input_octets,
                output_octets: self.output_octets,
                // Totals, not what is left of them in 32 bits.
                has_gigawords: true,
                session_seconds: self.session_seconds,
                ..Counters::default()
            },
            terminate_cause: None,
            marks: Marks::default(),
            defects: Defects::default(),
        }
    }

    fn time(&self, accept_past_s: u64) -> EventTime {
        let arrival = self.arrival_unix_ns;
        let earliest = arrival.saturating_sub(accept_past_s.saturating_mul(1_000_000_000));
        let latest = arrival.saturating_add(accounting::TRUSTED_FUTURE * 1_000_000_000);
        let told = self.time_source.unwrap_or(TimeSource::Timestamp);
        let is_trusted = told != TimeSource::Arrival && (earliest..=latest).contains(&self.unix_ns);
        let (unix_ns, source) =
            if is_trusted { (self.unix_ns, told) } else { (arrival, TimeSource::Arrival) };
        EventTime { unix_ns, source, timestamp: None, delay: None }
    }

    fn classified(&self, user: Option<&UserName<'_>>) -> Classified {
        let (kind, reason) = match (self.kind, self.status, user.map(|user| user.sort)) {
            (Some(kind), ..) => (kind, "it was told so"),
            (None, Status::AccountingOn | Status::AccountingOff, _) => {
                (Kind::Server, "the VPN server starts or stops")
            }
            (None, status, _) if !status.is_of_session() => {
                (Kind::Other, "an Acct-Status-Type that is of no session")
            }
            (None, _, Some(NameSort::Machine)) => (Kind::Machine, "User-Name is a computer's"),
            (None, _, Some(NameSort::Hardware)) => (Kind::NetworkAccess, "User-Name is a hardware address"),
            (None, _, Some(NameSort::Person) | None) => (Kind::Person, "nothing says that it is not"),
        };
        Classified { kind, reason }
    }

    fn assigned(&self) -> ArrayVec<Assigned, ASSIGNED_MAX> {
        let each = self.assigned.into_iter().flatten().map(|address| {
            let address = address.to_canonical();
            Assigned { address, prefix_length: if address.is_ipv4() { 32 } else { 128 } }
        });
        each.collect()
    }
}
