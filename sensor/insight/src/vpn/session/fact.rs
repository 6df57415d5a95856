//! What one request says of its session, made small: what a key's rewind holds. Made from events by
//! [`Sessions`](super::Sessions); read by the rules in `step`.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{
    super::{Counters, Event, EventTime, Interim, Status, TimeSource},
    details::Details,
    model::EndReason,
};

/// Nanoseconds of a second.
pub(super) const SECOND: u64 = 1_000_000_000;
/// Farthest that two copies of one request lie apart: ns. The second has its own Acct-Delay-Time, in whole seconds, and
/// its own way through the network.
pub(super) const COPY_APART: u64 = 2 * SECOND;

/// Longest Acct-Session-Time that is believed, seconds: two years. The attribute can say 136 years, and a VPN server that
/// lies or whose clock was set while the session was up does; the longest that VPN gateways go without the restart of an
/// update is months.
const SESSION_SECONDS_MAX: u32 = 2 * 365 * 24 * 60 * 60;

/// What a fact reports. The order is that of facts at one time: what ends comes before what begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Report {
    Stop,
    /// The VPN server starts or stops, and the reason with which its sessions end.
    Boot(EndReason),
    Start,
    Interim,
}

/// What one request says of its session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Fact {
    /// Event time, ns since 1970 UTC.
    pub(super) time: u64,
    pub(super) report: Report,
    /// The time is the request's own, not its arrival.
    pub(super) has_time: bool,
    /// Gigawords are in it.
    pub(super) has_gigawords: bool,
    /// Acct-Session-Time, if it can be true.
    pub(super) seconds: Option<u32>,
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
    /// Acct-Terminate-Cause.
    pub(super) cause: Option<u32>,
    /// None for a boot.
    #[serde(skip)]
    pub(super) details: Option<Details>,
}

impl Fact {
    /// The fact of an event about a session. `None`: it is about none.
    pub(super) fn of(event: &Event<'_>, details: Details) -> Option<Fact> {
        let report = match event.status {
            Status::Start => Report::Start,
            Status::InterimUpdate => Report::Interim,
            Status::Stop => Report::Stop,
            _ => return None,
        };
        let cause = event.terminate_cause;
        Some(Fact { cause, ..Fact::with(report, event.time, event.counters, details) })
    }

    /// The fact of an interim that repeats these details. It has no terminate cause: interims that carry one are decoded.
    pub(super) fn of_interim(interim: &Interim, details: Details) -> Fact {
        Fact::with(Report::Interim, interim.time, interim.counters, details)
    }

    fn with(report: Report, time: EventTime, counters: Counters, details: Details) -> Fact {
        Fact {
            time: time.unix_ns,
            report,
            has_time: time.source != TimeSource::Arrival,
            has_gigawords: counters.has_gigawords,
            seconds: counters.session_seconds.filter(|seconds| *seconds <= SESSION_SECONDS_MAX),
            input: counters.input_octets,
            output: counters.output_octets,
            cause: None,
            details: Some(details),
        }
    }

    /// A VPN server starts or stops.
    pub(super) fn boot(time: u64, reason: EndReason) -> Fact {
        Fact {
            time,
            report: Report::Boot(reason),
            has_time: true,
            has_gigawords: false,
            seconds: None,
            input: None,
            output: None,
            cause: None,
            details: None,
        }
    }

    /// When the session began, by Acct-Session-Time.
    pub(super) fn began(&self) -> Option<u64> {
        self.seconds.map(|seconds| self.time.saturating_sub(u64::from(seconds) * SECOND))
    }

    /// Whether it shows that the session went on for a while.
    pub(super) fn shows_progress(&self) -> bool {
        self.seconds > Some(0) || self.input > Some(0) || self.output > Some(0)
    }

    /// Whether both are one request, sent again or to two sensors.
    pub(super) fn is_copy_of(&self, other: &Fact) -> bool {
        self.time.abs_diff(other.time) <= COPY_APART
            && self.report == other.report
            && (self.seconds, self.input, self.output) == (other.seconds, other.input, other.output)
            && self.cause == other.cause
            && self.details == other.details
    }

    /// The order in which facts are taken, whatever order they came in.
    pub(super) fn order(&self, other: &Fact) -> Ordering {
        let key = |fact: &Fact| (fact.time, fact.report, fact.seconds, fact.input, fact.output, fact.cause);
        key(self).cmp(&key(other)).then_with(|| self.details.cmp(&other.details))
    }
}
