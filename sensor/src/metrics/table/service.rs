//! Metrics of the service: how far it is behind the journal, what it follows, how storing goes.

use super::{
    Kind::{Counter, Gauge},
    Metric, Reading, metric, plain,
};

/// All of them.
pub(super) const METRICS: &[Metric] = &[
    metric(
        "vpn_sensor_service_up",
        Gauge,
        &[],
        "1 while records are made sense of; 0 if the service could not start or ended: see the log",
        plain!(gauge, |reading| f64::from(u8::from(reading.insight.is_up))),
    ),
    metric(
        "vpn_sensor_service_lag_records",
        Gauge,
        &[],
        "Committed records whose outcome is not in the store yet: what people see is so far behind",
        plain!(gauge, |reading| {
            reading.journal.watermark.saturating_sub(reading.insight.standing.stored) as f64
        }),
    ),
    metric(
        "vpn_sensor_service_records_total",
        Counter,
        &[],
        "Records made sense of, since the journal's first",
        plain!(counter, |reading| reading.insight.standing.counts.records),
    ),
    metric(
        "vpn_sensor_service_records_missed_total",
        Counter,
        &[],
        "Records that retention or damage took before the service came to them",
        plain!(counter, |reading| reading.insight.standing.records_missed),
    ),
    metric(
        "vpn_sensor_service_events_without_address_total",
        Counter,
        &[],
        "Events of persons' VPN connections without an address of the client: see client.attributes",
        plain!(counter, |reading| reading.insight.standing.counts.without_address),
    ),
    metric(
        "vpn_sensor_service_session_changes_total",
        Counter,
        &[],
        "Changes of VPN sessions: opened, went on, closed",
        plain!(counter, |reading| reading.insight.standing.counts.session_changes),
    ),
    metric(
        "vpn_sensor_service_sessions",
        Gauge,
        &[],
        "Session ids that are followed, open ones and those that a late message may still change",
        plain!(gauge, |reading| reading.insight.standing.sessions as f64),
    ),
    metric(
        "vpn_sensor_service_users",
        Gauge,
        &[],
        "Users that are followed",
        plain!(gauge, |reading| reading.insight.standing.users as f64),
    ),
    metric(
        "vpn_sensor_service_addresses",
        Gauge,
        &[],
        "Addresses whose place is known",
        plain!(gauge, |reading| reading.insight.standing.addresses as f64),
    ),
    metric(
        "vpn_sensor_service_stored_rows_total",
        Counter,
        &[],
        "Rows written to the store",
        plain!(counter, |reading| reading.insight.standing.rows),
    ),
    metric(
        "vpn_sensor_service_store_failures_total",
        Counter,
        &[],
        "Attempts to store, or to read the journal, that failed and were made again: a full disk, a lock that somebody holds",
        plain!(counter, |reading| reading.insight.standing.store_failures),
    ),
    metric(
        "vpn_sensor_service_sessions_evicted_total",
        Counter,
        &[],
        "Open sessions given up since there was no room to follow another",
        plain!(counter, |reading| reading.insight.standing.events.evicted),
    ),
    metric(
        "vpn_sensor_service_events_unidentified_total",
        Counter,
        &[],
        "Events with neither Acct-Session-Id nor User-Name: they belong to no session",
        plain!(counter, |reading| reading.insight.standing.events.unidentified),
    ),
    metric(
        "vpn_sensor_service_servers_surplus_total",
        Counter,
        &[],
        "Events of VPN servers beyond those that are told apart: one client makes up identifiers",
        plain!(counter, |reading| reading.insight.standing.events.server_surplus),
    ),
    metric(
        "vpn_sensor_service_names_surplus_total",
        Counter,
        &[],
        "Times that a user, device, VPN server or sensor had no room among those that totals are kept of",
        plain!(counter, |reading| reading.insight.standing.names_surplus),
    ),
    metric(
        "vpn_sensor_service_profiles",
        Gauge,
        &[],
        "Users of whom it is kept what is usual",
        plain!(gauge, |reading| reading.insight.standing.profiles as f64),
    ),
    metric(
        "vpn_sensor_service_profiles_outside_total",
        Counter,
        &[],
        "Connections that profiles did not learn from: too late, ahead, or the clock jumped",
        plain!(counter, |reading| reading.insight.standing.profile_counts.outside),
    ),
    metric(
        "vpn_sensor_service_profiles_surplus_total",
        Counter,
        &[],
        "Connections and values that profiles had no room for",
        plain!(counter, |reading| {
            let counts = reading.insight.standing.profile_counts;
            counts.users_surplus.saturating_add(counts.values_surplus)
        }),
    ),
    metric(
        "vpn_sensor_service_records_without_request_total",
        Counter,
        &[],
        "Records that hold no request",
        plain!(counter, |reading| reading.insight.standing.counts.without_request),
    ),
    metric(
        "vpn_sensor_service_bases_total",
        Counter,
        &[],
        "Copies of the store made, so that a rebuild can do without the oldest records",
        plain!(counter, |reading| reading.insight.standing.bases),
    ),
    metric(
        "vpn_sensor_service_checkpoints_total",
        Counter,
        &[],
        "Checkpoints written; behind the last one records are taken again after a kill",
        plain!(counter, |reading| reading.insight.standing.checkpoints),
    ),
    metric(
        "vpn_sensor_service_forgotten_total",
        Counter,
        &[],
        "Persons forgotten since the start",
        plain!(counter, |reading| reading.insight.standing.forgotten),
    ),
];
