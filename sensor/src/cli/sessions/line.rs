//! One session as a line: the JSON object of `sessions` and its row for people. Absent members are left out.

use std::{
    io::{self, Write},
    net::IpAddr,
};

use insight::vpn::session::{Change, Server, StartSource};
use serde::Serialize;

use super::super::{
    records::Row,
    units::{age, count, rfc3339},
};

/// A session as `sessions` prints it.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    start: String,
    start_source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_reason: Option<&'static str>,
    last_seen: String,
    seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_original: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<IpAddr>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assigned: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nas_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nas_address: Option<IpAddr>,
    session: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operating_system: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_octets: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_octets: Option<u64>,
}

impl<'a> Line<'a> {
    pub(super) fn new(change: &'a Change, server: Option<&'a Server>) -> Line<'a> {
        let session = &change.session;
        let details = &*session.details;
        let end = session.end();
        let until = end.map_or(session.last_seen_unix_ns, |end| end.unix_ns);
        Line {
            start: rfc3339(session.start_unix_ns),
            start_source: match session.start_source {
                StartSource::FirstSeen => "first-seen",
                StartSource::SessionTime => "session-time",
                StartSource::Start => "start",
            },
            end: end.map(|end| rfc3339(end.unix_ns)),
            end_reason: end.map(|end| end.reason.name()),
            last_seen: rfc3339(session.last_seen_unix_ns),
            seconds: until.saturating_sub(session.start_unix_ns) / 1_000_000_000,
            user: details.user(),
            user_original: details.user_original(),
            remote: details.remote,
            assigned: details.assigned.iter().map(ToString::to_string).collect(),
            client: server.map(|server| &*server.client),
            nas_identifier: server.and_then(|server| server.identifier.as_deref()),
            nas_address: server.and_then(|server| server.address),
            session: change.session_id.trim_start_matches('\0'),
            device: details.device(),
            software: details.software(),
            operating_system: details.operating_system(),
            group: details.group(),
            input_octets: session.input_octets(),
            output_octets: session.output_octets(),
        }
    }
}

impl Row for Line<'_> {
    fn write_head(out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "{:<27}  {:>11}  {:<14}  {:<32}  {:<39}  {:<24}  {:>15}  {:>15}  DEVICE",
            "START", "LASTED", "ENDED BY", "USER", "FROM", "VPN SERVER", "OCTETS IN", "OCTETS OUT"
        )
    }

    fn write_row(&self, out: &mut impl Write) -> io::Result<()> {
        let octets = |octets: Option<u64>| octets.map_or("-".to_owned(), count);
        writeln!(
            out,
            "{:<27}  {:>11}  {:<14}  {:<32}  {:<39}  {:<24}  {:>15}  {:>15}  {}",
            self.start,
            age(self.seconds),
            self.end_reason.unwrap_or("open"),
            self.user.unwrap_or("-"),
            self.remote.map_or("-".to_owned(), |address| address.to_string()),
            self.nas_identifier.or(self.client).unwrap_or("-"),
            octets(self.input_octets),
            octets(self.output_octets),
            self.device.or(self.software).unwrap_or("-"),
        )
    }
}
