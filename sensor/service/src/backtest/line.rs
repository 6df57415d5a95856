//! Lines that hold events: JSON objects of somebody else's log, or those that `vpn-sensor events` prints. Members that are
//! not named here are ignored, absent ones may be `null`. What only `events` prints means something in its lines only: in
//! another product's log `kind` may be anything.

use std::{borrow::Cow, net::IpAddr};

use insight::vpn::{Kind, Status, TimeSource, Told, address::Station};
use jiff::Timestamp;
use serde::Deserialize;

use super::member::{AddressOf, Perhaps, PerhapsWhole, Text, UpToTwo, Whole};

/// One line, as it stands.
#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    client: Text<'a>,
    #[serde(borrow, default)]
    session: Option<Text<'a>>,
    #[serde(borrow, default)]
    user: Option<Text<'a>>,
    #[serde(borrow, default)]
    address: Option<Text<'a>>,
    #[serde(borrow, default)]
    assigned: Option<UpToTwo<'a>>,
    #[serde(borrow, default)]
    device: Option<Text<'a>>,
    #[serde(borrow, default)]
    software: Option<Text<'a>>,
    #[serde(borrow, default)]
    nas: Option<Text<'a>>,
    #[serde(default)]
    input_octets: Option<Whole>,
    #[serde(default)]
    output_octets: Option<Whole>,

    // Written as no other product does: believed wherever they stand.
    #[serde(borrow, default)]
    remote: AddressOf<'a>,
    #[serde(borrow, default)]
    nas_identifier: Perhaps<'a>,

    // What only `events` prints. By the first two its lines are known.
    #[serde(borrow, default)]
    time_source: Perhaps<'a>,
    #[serde(borrow, default)]
    kind_reason: Perhaps<'a>,
    #[serde(borrow, default)]
    kind: Perhaps<'a>,
    #[serde(borrow, default)]
    arrival: Perhaps<'a>,
    #[serde(borrow, default)]
    src: Perhaps<'a>,
    #[serde(borrow, default)]
    nas_address: Perhaps<'a>,
    #[serde(borrow, default)]
    operating_system: Perhaps<'a>,
    #[serde(borrow, default)]
    group: Perhaps<'a>,
    #[serde(default)]
    session_seconds: PerhapsWhole,
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

    /// Whether `vpn-sensor events` printed it.
    pub(super) fn is_of_events(&self) -> bool {
        self.time_source.0.is_some() || self.kind_reason.0.is_some()
    }

    /// What it tells, as if it had been heard of when it says.
    ///
    /// # Errors
    /// [`LineError`].
    pub(super) fn told(&self) -> Result<Told<'_>, LineError> {
        let is_of_events = self.is_of_events();
        let status = match status(&self.status) {
            // It prints records that are about no session, too.
            Err(_) if is_of_events => Status::Missing,
            status => status?,
        };
        let session = text(&self.session).filter(|session| !session.is_empty());
        // A VPN server may name none; there the user stands for it.
        if status.is_of_session() && session.is_none() && !is_of_events {
            return Err(LineError::NoSession(status));
        }
        let unix_ns = self.unix_ns()?;
        let assigned = |at: usize| self.assigned.as_ref().and_then(|two| address(two.0[at].as_deref()?));
        let whole = |octets: Option<Whole>| octets.map(|octets| octets.0);
        let told = Told {
            unix_ns,
            status,
            client: &self.client.0,
            session,
            arrival_unix_ns: unix_ns,
            time_source: None,
            source: None,
            kind: None,
            nas: text(&self.nas).or(self.nas_identifier.0.as_deref()),
            nas_address: None,
            user: text(&self.user),
            address: self.remote().and_then(address),
            assigned: [assigned(0), assigned(1)],
            device: text(&self.device),
            software: text(&self.software),
            operating_system: None,
            group: None,
            input_octets: whole(self.input_octets),
            output_octets: whole(self.output_octets),
            session_seconds: None,
        };
        Ok(if is_of_events { self.told_by_events(told) } else { told })
    }

    /// What only `events` says besides.
    fn told_by_events<'t>(&'t self, told: Told<'t>) -> Told<'t> {
        let arrival = self.arrival.0.as_deref().and_then(|text| unix_ns(text.parse().ok()?));
        Told {
            arrival_unix_ns: arrival.unwrap_or(told.unix_ns),
            time_source: self.time_source.0.as_deref().and_then(TimeSource::named),
            source: self.src.0.as_deref().and_then(|source| source.parse().ok()),
            kind: self.kind.0.as_deref().and_then(Kind::named),
            nas_address: self.nas_address.0.as_deref().and_then(address),
            operating_system: self.operating_system.0.as_deref(),
            group: self.group.0.as_deref(),
            session_seconds: self.session_seconds.0.and_then(|seconds| u32::try_from(seconds).ok()),
            ..told
        }
    }

    /// What stands where the client's address does, and is none. Nothing is no lie.
    pub(super) fn no_address(&self) -> Option<&str> {
        self.remote().filter(|text| {
            !matches!(Station::parse(text.as_bytes()), Station::Address(..) | Station::Nothing)
        })
    }

    fn remote(&self) -> Option<&str> {
        text(&self.address).or(self.remote.0.as_deref())
    }

    fn unix_ns(&self) -> Result<u64, LineError> {
        let wrong = |error| LineError::Time { time: self.time.clone().into_owned(), error };
        let time: Timestamp = self.time.parse().map_err(wrong)?;
        // Nothing of a VPN happened before 1970.
        Ok(unix_ns(time).unwrap_or(0))
    }
}

fn unix_ns(time: Timestamp) -> Option<u64> {
    u64::try_from(time.as_nanosecond()).ok()
}

fn text<'t>(member: &'t Option<Text<'_>>) -> Option<&'t str> {
    member.as_ref().map(|text| &*text.0)
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

#[cfg(test)]
mod tests {
    use insight::vpn::names::Realms;

    use super::*;

    const MEMBERS: &str = r#""time":"2026-11-02T08:00:00Z","status":"Stop","client":"vpn","session":"1","user":"alice",
        "arrival":"2026-11-02T08:00:07.5Z","src":"192.0.2.1:1024","nas_address":"10.0.0.1","kind":"machine-vpn",
        "operating_system":"Windows","group":"staff","session_seconds":3600"#;

    fn said<T>(more: &str, of: impl Fn(&Told<'_>) -> T) -> T {
        let line = format!("{{{MEMBERS}{more}}}");
        of(&Line::read(line.as_bytes()).unwrap().told().unwrap())
    }

    #[test]
    fn what_only_events_prints_is_believed_in_its_lines_only() {
        let all = |told: &Told<'_>| {
            let texts = [told.operating_system, told.group].map(|text| text.map(str::to_owned));
            let source = told.source.map(|source| source.to_string());
            (told.kind, texts, source, told.nas_address.is_some(), told.session_seconds, told.time_source)
        };
        let texts = ["Windows", "staff"].map(|text| Some(text.to_owned()));
        let source = Some("192.0.2.1:1024".to_owned());
        let time_source = Some(TimeSource::Arrival);
        let whole = (Some(Kind::Machine), texts, source, true, Some(3600), time_source);
        let of_events = r#","time_source":"arrival","kind_reason":"it is one""#;
        assert_eq!(said(of_events, all), whole);
        assert_eq!(said("", all), (None, [None, None], None, false, None, None));
        let apart_ns = |told: &Told<'_>| told.arrival_unix_ns - told.unix_ns;
        assert_eq!((said(of_events, apart_ns), said("", apart_ns)), (7_500_000_000, 0));
    }

    #[test]
    fn where_and_when_it_was_heard_of_is_in_the_event() {
        let heard = |told: &Told<'_>| {
            let event = told.event(&Realms::default(), 60);
            (event.source.to_string(), event.time.source, event.arrival_unix_ns - event.time.unix_ns)
        };
        let source = "192.0.2.1:1024".to_owned();
        for (name, time_source, apart_ns) in [
            ("arrival", TimeSource::Arrival, 0),
            ("delay-time", TimeSource::Delay, 7_500_000_000),
            ("event-timestamp", TimeSource::Timestamp, 7_500_000_000),
        ] {
            let more = format!(",\"time_source\":\"{name}\"");
            assert_eq!(said(&more, heard), (source.clone(), time_source, apart_ns));
        }
        assert_eq!(said("", heard), ("0.0.0.0:0".to_owned(), TimeSource::Timestamp, 0));
    }
}
