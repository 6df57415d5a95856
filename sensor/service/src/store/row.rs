//! What comes out of the store: plain rows with the member names of the JSON that the command line and the API print.
//! Absent members are left out. Times are RFC 3339, UTC, with microseconds.

use insight::vpn::terminate_cause_name;
use jiff::Timestamp;
use rusqlite::Row;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    alert::{Severity, SeverityName},
    fold::Resolved,
};

/// A VPN connection.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SessionRow {
    /// Its number in this store.
    pub number: i64,
    /// When it began.
    pub start: String,
    /// What that rests on: `start`, `session-time` (the Start is lost), `first-seen` (then or before).
    pub start_source: String,
    /// When it ended; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// Why it is over: `stop`, `server-stopped`, `server-started`, `replaced`, `silence`, `unknown`, `evicted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
    /// Acct-Terminate-Cause by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminate_cause: Option<String>,
    /// Its last sign of life.
    pub last_seen: String,
    /// How long it lasted, or has lasted.
    pub seconds: u64,
    /// The user's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The user's name as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_original: Option<String>,
    /// The client's address outside the tunnel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// Where that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceRow>,
    /// Addresses inside the tunnel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assigned: Vec<String>,
    /// The client of the configuration.
    pub client: String,
    /// NAS-Identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nas_identifier: Option<String>,
    /// NAS address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nas_address: Option<String>,
    /// Acct-Session-Id.
    pub session: String,
    /// The device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The client software.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// The client's operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<String>,
    /// Tunnel group or connection profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Octets from the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_octets: Option<i64>,
    /// Octets to the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_octets: Option<i64>,
    /// The newest alert that lists it: it is among the newest 16 of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<i64>,
    /// `start` as the store has it, for the next page.
    #[serde(skip)]
    pub start_unix_ns: i64,
}

/// Where an address is and whose network it is in.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlaceRow {
    /// Its number in this store.
    pub id: i64,
    /// In one line: `Lyon, FR`, `Headquarters`, `internal`.
    pub name: String,
    /// Two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The largest part of the country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// The network's name in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Degrees north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
    /// Within how many kilometres of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub radius_km: Option<i64>,
    /// Autonomous system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asn: Option<i64>,
    /// Who runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Kinds of the network: `hosting`, `vpn`, `tor`, `mobile` ...
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
}

impl PlaceRow {
    /// The same as it would be stored.
    pub fn of(resolved: &Resolved) -> PlaceRow {
        PlaceRow {
            id: resolved.id(),
            name: resolved.name(),
            country: resolved.country.clone(),
            region: resolved.region.clone(),
            city: resolved.city.clone(),
            site: resolved.site.clone(),
            latitude: resolved.latitude,
            longitude: resolved.longitude,
            radius_km: resolved.radius_km.map(i64::from),
            asn: resolved.asn.map(i64::from),
            organisation: resolved.organisation.clone(),
            kinds: resolved.kinds.clone(),
        }
    }

    /// `AS3320 Deutsche Telekom AG`.
    pub fn network(&self) -> Option<String> {
        Some(network_name(self.asn?, self.organisation.as_deref()))
    }
}

/// A network in one line.
pub(super) fn network_name(asn: i64, organisation: Option<&str>) -> String {
    match organisation {
        Some(organisation) => format!("AS{asn} {organisation}"),
        None => format!("AS{asn}"),
    }
}

/// A user.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct UserRow {
    /// The user's key.
    pub user: String,
    /// How the name was written last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
    /// First connection.
    pub first_seen: String,
    /// Last sign of life.
    pub last_seen: String,
    /// Connections between the two.
    pub connections: i64,
    /// Alerts that nobody has closed.
    pub open_alerts: i64,
    /// The severest of them; only in lists by risk, and absent where more than 2,000 are open and it is none of the severest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<SeverityName>)]
    pub severity: Option<Severity>,
    /// The highest score of them; only in lists by risk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// `first_seen` as the store has it.
    #[serde(skip)]
    pub first_unix_ns: i64,
    /// `last_seen` as the store has it, for the next page.
    #[serde(skip)]
    pub last_unix_ns: i64,
}

/// Something of somebody, with how often and when: a place of a user, a user of a device.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Share {
    /// What.
    pub name: String,
    /// In so many connections.
    pub connections: i64,
    /// In the first of them.
    pub first_seen: String,
    /// Last sign of life.
    pub last_seen: String,
}

/// A device, VPN server or sensor and when it was seen.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SeenRow {
    /// Its name.
    pub name: String,
    /// First seen.
    pub first_seen: String,
    /// Last seen.
    pub last_seen: String,
    /// Connections; records for a sensor.
    pub count: i64,
    /// `last_seen` as the store has it, for the next page.
    #[serde(skip)]
    pub last_unix_ns: i64,
}

/// A device and its open alerts.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DeviceRow {
    /// Which, and when it was seen.
    #[serde(flatten)]
    pub seen: SeenRow,
    /// Open alerts that list it; absent where the list is not by risk, and where more are open than the 1,000 of the highest
    /// severity and score, none of which lists it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_alerts: Option<i64>,
    /// The highest severity of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<SeverityName>)]
    pub severity: Option<Severity>,
    /// The highest score of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

impl From<SeenRow> for DeviceRow {
    fn from(seen: SeenRow) -> DeviceRow {
        DeviceRow { seen, open_alerts: None, severity: None, score: None }
    }
}

/// A VPN server.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ServerRow {
    /// Its number in this store.
    pub number: i64,
    /// The client of the configuration.
    pub client: String,
    /// NAS-Identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nas_identifier: Option<String>,
    /// NAS address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nas_address: Option<String>,
    /// First connection.
    pub first_seen: String,
    /// Last sign of life.
    pub last_seen: String,
    /// Connections.
    pub connections: i64,
    /// Connections that are open.
    pub open: i64,
}

/// The members of [`SessionRow`], in the order in which [`session`] reads them.
pub(super) const SESSION_COLUMNS: &str = "session.number, start, start_source, ended, end_reason, terminate_cause, last_seen,
    user, user_original, remote, assigned, server.client, server.identifier, server.address, session_id, device,
    software, operating_system, user_group, input_octets, output_octets, place.id, place.name, country, region, city,
    site, latitude, longitude, radius_km, asn, organisation, kinds";

pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    let start: i64 = row.get(1)?;
    let (end, last_seen): (Option<i64>, i64) = (row.get(3)?, row.get(6)?);
    let cause: Option<u32> = row.get(5)?;
    let place: Option<i64> = row.get(21)?;
    Ok(SessionRow {
        number: row.get(0)?,
        start: rfc3339(start),
        start_source: row.get(2)?,
        end: end.map(rfc3339),
        end_reason: row.get(4)?,
        terminate_cause: cause.map(|cause| terminate_cause_name(cause).into_owned()),
        last_seen: rfc3339(last_seen),
        seconds: (end.unwrap_or(last_seen).saturating_sub(start).max(0) / 1_000_000_000) as u64,
        user: row.get(7)?,
        user_original: row.get(8)?,
        remote: row.get(9)?,
        place: place.map(|_| place_from(row, 21)).transpose()?,
        assigned: words(row, 10)?,
        client: row.get::<_, Option<String>>(11)?.unwrap_or_default(),
        nas_identifier: row.get(12)?,
        nas_address: row.get(13)?,
        session: row.get(14)?,
        device: row.get(15)?,
        software: row.get(16)?,
        operating_system: row.get(17)?,
        group: row.get(18)?,
        input_octets: row.get(19)?,
        output_octets: row.get(20)?,
        alert: None,
        start_unix_ns: start,
    })
}

/// What [`place_from`] reads.
pub(super) const PLACE_COLUMNS: &str =
    "id, name, country, region, city, site, latitude, longitude, radius_km, asn, organisation, kinds";

/// The members of [`PlaceRow`] from this column on.
pub(super) fn place_from(row: &Row<'_>, at: usize) -> rusqlite::Result<PlaceRow> {
    Ok(PlaceRow {
        id: row.get(at)?,
        name: row.get(at + 1)?,
        country: row.get(at + 2)?,
        region: row.get(at + 3)?,
        city: row.get(at + 4)?,
        site: row.get(at + 5)?,
        latitude: row.get(at + 6)?,
        longitude: row.get(at + 7)?,
        radius_km: row.get(at + 8)?,
        asn: row.get(at + 9)?,
        organisation: row.get(at + 10)?,
        kinds: words(row, at + 11)?,
    })
}

fn words(row: &Row<'_>, at: usize) -> rusqlite::Result<Vec<String>> {
    let text: String = row.get(at)?;
    Ok(text.split_ascii_whitespace().map(str::to_owned).collect())
}

/// A moment for people and machines; `-` where it lies outside the calendar.
pub(super) fn rfc3339(unix_ns: i64) -> String {
    match Timestamp::from_nanosecond(i128::from(unix_ns)) {
        Ok(time) => format!("{time:.6}"),
        Err(_) => "-".to_owned(),
    }
}
