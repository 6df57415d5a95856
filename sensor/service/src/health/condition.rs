//! What there is to say about the product's own health.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::Severity;

const DAY: Duration = Duration::from_secs(86_400);

/// Each sort of message, by the name that rules in a SIEM go by.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// A client that sent before is silent.
    ClientSilent,
    /// Nobody at all is heard.
    SensorSilent,
    /// A client's requests do not verify.
    WrongSecret,
    /// Datagrams come from nobody who is configured.
    UnknownClient,
    /// A database of places is missing or cannot be read.
    GeoMissing,
    /// A database of places is old.
    GeoStale,
    /// A sink does not run.
    SinkStopped,
    /// A sink's messages wait.
    SinkBehind,
    /// A sink lost messages.
    SinkLost,
    /// Some of a sink's recipients are refused, others are not.
    RecipientRefused,
    /// Accounting is on, and its ports cannot be opened.
    PortsClosed,
    /// The disk is nearly full, or the journal cannot be written.
    Disk,
    /// A clock is wrong.
    ClockSkew,
    /// Duplicate-detection entries were evicted before their time.
    DuplicatesEvicted,
    /// Records went before they were read.
    RecordsLost,
    /// The service ended.
    Service,
    /// The store cannot be written.
    Store,
}

impl Condition {
    /// All of them.
    pub const ALL: [Condition; 17] = [
        Condition::ClientSilent,
        Condition::SensorSilent,
        Condition::WrongSecret,
        Condition::UnknownClient,
        Condition::GeoMissing,
        Condition::GeoStale,
        Condition::SinkStopped,
        Condition::SinkBehind,
        Condition::SinkLost,
        Condition::RecipientRefused,
        Condition::PortsClosed,
        Condition::Disk,
        Condition::ClockSkew,
        Condition::DuplicatesEvicted,
        Condition::RecordsLost,
        Condition::Service,
        Condition::Store,
    ];

    /// Its name in messages, metrics and the runbook.
    pub fn name(self) -> &'static str {
        match self {
            Condition::ClientSilent => "client-silent",
            Condition::SensorSilent => "sensor-silent",
            Condition::WrongSecret => "wrong-secret",
            Condition::UnknownClient => "unknown-client",
            Condition::GeoMissing => "geo-missing",
            Condition::GeoStale => "geo-stale",
            Condition::SinkStopped => "sink-stopped",
            Condition::SinkBehind => "sink-behind",
            Condition::SinkLost => "sink-lost",
            Condition::RecipientRefused => "recipient-refused",
            Condition::PortsClosed => "ports-closed",
            Condition::Disk => "disk",
            Condition::ClockSkew => "clock-skew",
            Condition::DuplicatesEvicted => "duplicates-evicted",
            Condition::RecordsLost => "records-lost",
            Condition::Service => "service",
            Condition::Store => "store",
        }
    }

    /// Between two messages of what still stands. What can wait is said once a week.
    pub(super) fn repeat(severity: Severity) -> Duration {
        if severity >= Severity::Medium { DAY } else { 7 * DAY }
    }

    /// Where people read on, the last sentence of the advice.
    pub(super) fn runbook(self) -> String {
        let name = self.name();
        format!("The runbook of this product has more, in its section '{name}'.")
    }

    /// That it is over, in a sentence.
    pub(super) fn over(self, subject: &str) -> String {
        match self {
            Condition::ClientSilent => format!("The client {subject:?} is heard again."),
            Condition::SensorSilent => "Requests arrive again.".to_owned(),
            Condition::WrongSecret => format!("Requests of the client {subject:?} verify."),
            Condition::UnknownClient => format!("No more datagrams are refused from {subject}."),
            Condition::GeoMissing => "Databases of places are there and can be read.".to_owned(),
            Condition::GeoStale => "No database of places is too old.".to_owned(),
            Condition::SinkStopped => format!("The sink {subject:?} runs, or is configured no more."),
            Condition::SinkBehind => format!("The sink {subject:?} has caught up."),
            Condition::SinkLost => format!("The sink {subject:?} loses no more messages."),
            Condition::RecipientRefused => {
                format!("No recipient of the sink {subject:?} is refused any more.")
            }
            Condition::PortsClosed => "Accounting is heard again, or switched off.".to_owned(),
            Condition::Disk if subject == "journal" => "The journal records again.".to_owned(),
            Condition::Disk => "There is enough free space where the state directory is.".to_owned(),
            Condition::ClockSkew if subject == super::clock::HOST => "The time is past the jump.".to_owned(),
            Condition::ClockSkew => format!("The clock of {subject} is right."),
            Condition::DuplicatesEvicted => {
                "No more duplicate-detection entries are evicted before their time.".to_owned()
            }
            Condition::RecordsLost => "No more records are lost.".to_owned(),
            Condition::Service => "The service runs.".to_owned(),
            Condition::Store => "The store is written again.".to_owned(),
        }
    }
}

/// A length of time as people say it: `40 s`, `15 min`, `26 h`, `3 days`.
pub(super) fn lasting(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..259_200 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// A moment as people write it: `2026-11-26 10:00:00 UTC`.
pub(super) fn moment(unix_ns: u64) -> String {
    let time = Timestamp::from_second((unix_ns / 1_000_000_000) as i64).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Octets as people write them: `1.5 GiB`.
pub(super) fn octets(octets: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let (mut amount, mut unit) = (octets as f64, 0);
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        (amount, unit) = (amount / 1024.0, unit + 1);
    }
    if unit == 0 { format!("{octets} bytes") } else { format!("{amount:.1} {}", UNITS[unit]) }
}
