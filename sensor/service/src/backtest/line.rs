//! Lines that hold events: JSON objects of somebody else's log, or those that `vpn-sensor events` prints. Members that are
//! not named here are ignored, absent ones may be `null`.

use std::{borrow::Cow, net::IpAddr};

use insight::vpn::{Kind, Status, Told, address::Station};
use jiff::Timestamp;
use serde::Deserialize;

/// One line, as it stands.
#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    client: Cow<'a, str>,
    #[serde(borrow, default)]
    session: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    user: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    address: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    remote: Option<Remote<'a>>,
    #[serde(borrow, default)]
    assigned: Option<Assigned<'a>>,
    #[serde(borrow, default)]
    device: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    software: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    operating_system: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    group: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    nas: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    nas_identifier: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    nas_address: Option<Cow<'a, str>>,
    #[serde(default)]
    input_octets: Option<u64>,
    #[serde(default)]
    output_octets: Option<u64>,
    #[serde(default)]
    session_seconds: Option<u32>,
}

/// As `events` prints it.
#[derive(Debug, Deserialize)]
struct Remote<'a> {
    #[serde(borrow)]
    address: Cow<'a, str>,
}

/// One address, or all of them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Assigned<'a> {
    One(#[serde(borrow)] Cow<'a, str>),
    All(#[serde(borrow)] Vec<Cow<'a, str>>),
}

/// Why a line is no event.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// No JSON object, a required member is missing, or one has another type.
    #[error("no event: {0}")]
    Json(#[from] serde_json::Error),
    /// `time`.
    #[error("the time {time:?} is none of RFC 3339 (2026-11-02T08:00:00Z): {error}")]
    Time {
        /// As it stands.
        time: String,
        /// What is wrong with it.
        error: jiff::Error,
    },
    /// `status`.
    #[error("the status {0:?} is none of Start, Interim-Update, Stop, Accounting-On, Accounting-Off")]
    Status(String),
    /// A message of a session that does not say which.
    #[error("a {0} needs `session`, the Acct-Session-Id")]
    NoSession(Status),
}

impl<'a> Line<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// [`LineError::Json`].
    pub(super) fn read(line: &'a [u8]) -> Result<Line<'a>, LineError> {
        Ok(serde_json::from_slice(line)?)
    }

    /// What it tells. `latest_unix_ns` is the time that the lines before it have come to: time never goes back.
    ///
    /// # Errors
    /// [`LineError`].
    pub(super) fn told(&self, latest_unix_ns: u64) -> Result<Told<'_>, LineError> {
        let status = status(&self.status)?;
        let session = self.session.as_deref().filter(|session| !session.is_empty());
        if status.is_of_session() && session.is_none() {
            return Err(LineError::NoSession(status));
        }
        let unix_ns = self.unix_ns()?;
        let assigned: &[Cow<'_, str>] = match &self.assigned {
            None => &[],
            Some(Assigned::One(one)) => std::slice::from_ref(one),
            Some(Assigned::All(all)) => all,
        };
        let remote = self.remote.as_ref().map(|remote| &*remote.address);
        Ok(Told {
            unix_ns,
            status,
            client: &self.client,
            session,
            arrival_unix_ns: unix_ns.max(latest_unix_ns),
            kind: self.kind.as_deref().and_then(Kind::named),
            nas: self.nas.as_deref().or(self.nas_identifier.as_deref()),
            nas_address: self.nas_address.as_deref().and_then(address),
            user: self.user.as_deref(),
            address: self.address.as_deref().or(remote).and_then(address),
            assigned: [assigned.first(), assigned.get(1)].map(|text| text.and_then(|text| address(text))),
            device: self.device.as_deref(),
            software: self.software.as_deref(),
            operating_system: self.operating_system.as_deref(),
            group: self.group.as_deref(),
            input_octets: self.input_octets,
            output_octets: self.output_octets,
            session_seconds: self.session_seconds,
        })
    }

    /// What stands where the client's address does, and is none. Nothing is no lie.
    pub(super) fn no_address(&self) -> Option<&str> {
        let remote = self.remote.as_ref().map(|remote| &*remote.address);
        self.address.as_deref().or(remote).filter(|text| {
            !matches!(Station::parse(text.as_bytes()), Station::Address(..) | Station::Nothing)
        })
    }

    fn unix_ns(&self) -> Result<u64, LineError> {
        let wrong = |error| LineError::Time { time: self.time.clone().into_owned(), error };
        let time: Timestamp = self.time.parse().map_err(wrong)?;
        // Nothing of a VPN happened before 1970.
        Ok(u64::try_from(time.as_nanosecond()).unwrap_or(0))
    }
}

fn status(text: &str) -> Result<Status, LineError> {
    [Status::Start, Status::InterimUpdate, Status::Stop, Status::AccountingOn, Status::AccountingOff]
        .into_iter()
        .find(|status| status.to_string().eq_ignore_ascii_case(text))
        .ok_or_else(|| LineError::Status(text.to_owned()))
}

/// An address as VPN servers write it, with a port perhaps.
fn address(text: &str) -> Option<IpAddr> {
    Station::parse(text.as_bytes()).address()
}
