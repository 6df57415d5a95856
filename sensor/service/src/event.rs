//! One decoded record as JSON: a line of `vpn-sensor events`, an element of the API's events. Absent members are left out.

use std::{
    borrow::Cow,
    net::{IpAddr, SocketAddr},
};

use insight::{
    geo::Places,
    vpn::{Event, Received},
};
use journal::Record;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{fold::Resolved, store::PlaceRow};

/// What a record hands to the decoder.
pub fn received(record: &Record) -> Received<'_> {
    Received {
        octets: &record.octets,
        source: record.source,
        destination: record.destination,
        client: &record.client,
        arrival_unix_ns: record.arrival_unix_ns,
    }
}

/// A record and what it means.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventLine<'a> {
    seq: u64,
    time: String,
    time_source: &'static str,
    arrival: String,
    kind: &'static str,
    kind_reason: &'static str,
    status: String,
    vendor: &'static str,
    client: &'a str,
    #[schema(value_type = String)]
    src: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    nas_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    nas_address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_original: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<Remote>,
    /// Where that is, by the databases in force now.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<PlaceRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    remote_other: Option<IpAddr>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assigned: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operating_system: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tunnel: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_octets: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_octets: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminate_cause: Option<Cow<'static, str>>,
    /// Of a person's connection without a remote address: what there was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    defects: Vec<String>,
}

/// The client's address outside the tunnel and the attribute that told it.
#[derive(Serialize, ToSchema)]
#[schema(as = EventRemote)]
struct Remote {
    #[schema(value_type = String)]
    address: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    scope: String,
    from: String,
}

impl<'a> EventLine<'a> {
    /// The event of the record with this sequence. Its place is what `places` say now; what they said when it came, the
    /// store has.
    pub fn new(sequence: u64, event: &'a Event<'a>, places: &Places) -> EventLine<'a> {
        let user = event.user.as_ref();
        EventLine {
            seq: sequence,
            time: rfc3339(event.time.unix_ns),
            time_source: event.time.source.name(),
            arrival: rfc3339(event.arrival_unix_ns),
            kind: event.classified.kind.name(),
            kind_reason: event.classified.reason,
            status: event.status.to_string(),
            vendor: event.vendor.name(),
            client: event.client,
            src: event.source,
            nas_identifier: event.server.identifier.as_deref(),
            nas_address: event.server.address,
            user: user.map(|user| &*user.key),
            user_original: user.map(|user| &*user.original),
            remote: event.remote.map(|remote| Remote {
                address: remote.address,
                port: remote.port,
                scope: remote.scope.to_string(),
                from: attribute(remote.from),
            }),
            place: event.remote.map(|remote| PlaceRow::of(&Resolved::of(&places.find(remote.address)))),
            remote_other: event.remote_other,
            assigned: event.assigned.iter().map(ToString::to_string).collect(),
            device: event.device.as_deref(),
            device_model: event.device_model.as_deref(),
            software: event.software.as_deref(),
            operating_system: event.operating_system_text(),
            group: event.group.as_deref(),
            session: event.session_id.as_deref(),
            tunnel: event.tunnel_name(),
            input_octets: event.counters.input_octets,
            output_octets: event.counters.output_octets,
            session_seconds: event.counters.session_seconds,
            terminate_cause: event.terminate_cause_name(),
            attributes: event.attributes.iter().copied().map(attribute).collect(),
            defects: event.defects.listed().iter().map(ToString::to_string).collect(),
        }
    }

    /// For a table: sequence, time, kind, status, user, address, place, network, VPN server, device.
    pub fn columns(&self) -> [Cow<'_, str>; 10] {
        let shown = |text: Option<&'a str>| Cow::Borrowed(text.unwrap_or("-"));
        [
            self.seq.to_string().into(),
            (&*self.time).into(),
            self.kind.into(),
            (&*self.status).into(),
            shown(self.user),
            self.remote.as_ref().map_or("-".into(), |remote| remote.address.to_string().into()),
            self.place.as_ref().map_or("-".into(), |place| (&*place.name).into()),
            self.place.as_ref().and_then(PlaceRow::network).map_or("-".into(), Cow::from),
            self.nas_identifier.unwrap_or(self.client).into(),
            shown(self.device.or(self.software)),
        ]
    }
}

/// A moment in UTC with microseconds; `-` where it lies outside the calendar.
pub(crate) fn rfc3339(unix_ns: u64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(unix_ns))
        .map_or_else(|_| "-".to_owned(), |time| format!("{time:.6}"))
}

/// An attribute's name, or its number where the dictionary has none.
fn attribute(id: radius::attribute::Id) -> String {
    radius::dictionary::lookup(id).map_or_else(|| id.to_string(), |entry| entry.name.to_owned())
}
