//! Metrics of what people are told: alerts, sinks, health.

use service::{alert::Severity, export::sink, live::AlertCounts};

use super::{
    Kind::{Counter, Gauge},
    Metric, Reading, Samples, metric,
};

/// All of them.
pub(super) const METRICS: &[Metric] = &[
    metric(
        "vpn_sensor_alerts_opened_total",
        Counter,
        &["severity"],
        "Alerts raised since the start",
        |reading, samples| count_alerts(reading, samples, |alerts| &alerts.opened),
    ),
    metric(
        "vpn_sensor_alerts_closed_total",
        Counter,
        &["severity"],
        "Alerts closed since the start, by people or because there was no room",
        |reading, samples| count_alerts(reading, samples, |alerts| &alerts.closed),
    ),
    metric(
        "vpn_sensor_alerts_open",
        Gauge,
        &["severity"],
        "Alerts that nobody has closed",
        |reading, samples| {
            let open = reading.insight.standing.alerts.open;
            let mut open = Severity::ALL.into_iter().zip(open);
            open.try_for_each(|(severity, count)| samples.gauge(&[severity.name()], count as f64))
        },
    ),
    metric(
        "vpn_sensor_alert_notices_sent_total",
        Counter,
        &["severity"],
        "Notices of alerts handed to the sinks: raised, grown, closed",
        |reading, samples| count_alerts(reading, samples, |alerts| &alerts.sent),
    ),
    metric(
        "vpn_sensor_alert_notices_held_total",
        Counter,
        &["severity"],
        "News of alerts that is listed and not sent: over the day's bound of notices, or beyond what one alert tells",
        |reading, samples| count_alerts(reading, samples, |alerts| &alerts.held),
    ),
    metric(
        "vpn_sensor_sink_up",
        Gauge,
        &["sink"],
        "1 unless the sink's last attempt failed: see the log",
        |reading, samples| gauge_sinks(reading, samples, |sink| f64::from(u8::from(sink.is_up))),
    ),
    metric(
        "vpn_sensor_sink_delivered_total",
        Counter,
        &["sink"],
        "Messages sent since the start",
        |reading, samples| count_sinks(reading, samples, |sink| sink.sent),
    ),
    metric(
        "vpn_sensor_sink_failures_total",
        Counter,
        &["sink"],
        "Attempts to send that failed and are made again",
        |reading, samples| count_sinks(reading, samples, |sink| sink.failures),
    ),
    metric(
        "vpn_sensor_sink_lost_total",
        Counter,
        &["sink"],
        "Messages that fell out of the sink's spool, found no room in it or were refused for good, since it was made",
        |reading, samples| count_sinks(reading, samples, |sink| sink.lost),
    ),
    metric(
        "vpn_sensor_sink_waiting_messages",
        Gauge,
        &["sink"],
        "Messages that are not known to have arrived",
        |reading, samples| gauge_sinks(reading, samples, |sink| sink.waiting as f64),
    ),
    metric(
        "vpn_sensor_sink_spool_bytes",
        Gauge,
        &["sink"],
        "Bytes of the sink's spool on disk",
        |reading, samples| gauge_sinks(reading, samples, |sink| sink.spool_bytes as f64),
    ),
    metric(
        "vpn_sensor_sink_oldest_waiting_seconds",
        Gauge,
        &["sink"],
        "How long the oldest waiting message waits, about; syslog's are certain after some seconds only",
        |reading, samples| gauge_sinks(reading, samples, |sink| sink.behind_seconds),
    ),
    metric(
        "vpn_sensor_health",
        Gauge,
        &["condition", "subject"],
        "1 for each thing that keeps the product from its work now; the runbook has a section for each condition",
        |reading, samples| {
            let mut standing = reading.health.iter();
            standing.try_for_each(|one| samples.gauge(&[one.condition.name(), &one.subject], 1.0))
        },
    ),
];

fn count_alerts(
    reading: &Reading,
    samples: &mut Samples<'_>,
    counts: fn(&AlertCounts) -> &[u64; 4],
) -> std::fmt::Result {
    let counts = counts(&reading.insight.standing.alerts);
    let mut counts = Severity::ALL.into_iter().zip(counts);
    counts.try_for_each(|(severity, count)| samples.counter(&[severity.name()], *count))
}

fn sinks(reading: &Reading) -> impl Iterator<Item = &sink::Standing> {
    reading.insight.sinks.iter().flat_map(|sinks| sinks.iter())
}

fn count_sinks(
    reading: &Reading,
    samples: &mut Samples<'_>,
    count: fn(&sink::Standing) -> u64,
) -> std::fmt::Result {
    sinks(reading).try_for_each(|sink| samples.counter(&[&sink.name], count(sink)))
}

fn gauge_sinks(
    reading: &Reading,
    samples: &mut Samples<'_>,
    gauge: fn(&sink::Standing) -> f64,
) -> std::fmt::Result {
    sinks(reading).try_for_each(|sink| samples.gauge(&[&sink.name], gauge(sink)))
}
