//! What accounting values mean together: volumes and the time of an event. For whoever turns records into events.

/// Octets of a session in one direction: Acct-Input- or -Output-Octets and its Gigawords (RFC 2869 sections 5.1, 5.2).
/// Absent gigawords are 0. Cannot overflow (R56).
pub fn total_octets(octets: u32, gigawords: Option<u32>) -> u64 {
    u64::from(gigawords.unwrap_or(0)) << 32 | u64::from(octets)
}

/// When an event happened, seconds since 1970 UTC, and what was odd about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTime {
    /// Arrival less Acct-Delay-Time (RFC 2866 section 5.2), by our clock.
    pub by_delay: u64,
    /// Event-Timestamp (RFC 2869 section 5.3), by the NAS's clock; only if it is plausible.
    pub by_timestamp: Option<u64>,
    /// The delay was longer than the trusted past and is not applied.
    pub delay_implausible: bool,
    /// The timestamp lay outside the trusted past and [`TRUSTED_FUTURE`] around arrival (0, for one) and is not given.
    pub timestamp_implausible: bool,
}

/// Farthest that an event may lie before its arrival unless somebody says otherwise: seconds, one day. NASes retransmit
/// for hours, not for days.
pub const TRUSTED_PAST: u64 = 24 * 60 * 60;
/// Farthest that an event may lie behind its arrival: seconds, five minutes of wrong clock.
pub const TRUSTED_FUTURE: u64 = 5 * 60;

/// Weighs Acct-Delay-Time and Event-Timestamp of a request that arrived at `arrival`, seconds since 1970 UTC, where events
/// up to `trusted_past` seconds before their arrival are believed. Keeps both, since neither can be trusted alone, and
/// never leaves the range of the numbers (R52).
pub fn event_time(arrival: u64, delay: Option<u32>, timestamp: Option<u32>, trusted_past: u64) -> EventTime {
    let delay = delay.map_or(0, u64::from);
    let delay_implausible = delay > trusted_past || delay > arrival;
    let plausible = arrival.saturating_sub(trusted_past)..=arrival.saturating_add(TRUSTED_FUTURE);
    let timestamp = timestamp.map(u64::from);
    let by_timestamp = timestamp.filter(|t| *t != 0 && plausible.contains(t));
    EventTime {
        by_delay: if delay_implausible { arrival } else { arrival - delay },
        by_timestamp,
        delay_implausible,
        timestamp_implausible: timestamp.is_some() && by_timestamp.is_none(),
    }
}
