//! What became of the datagrams, as the sensor's metrics have it.

use prometheus_parse::{Scrape, Value};

/// What became of the datagrams.
pub(super) struct Counters {
    answers: f64,
    verdicts: Vec<(String, f64)>,
    pub(super) modes: Vec<String>,
    /// Records whose outcome is not stored yet; none before the service is up.
    pub(super) lag: Option<f64>,
}

impl Counters {
    pub(super) fn read(agent: &ureq::Agent, address: &str) -> anyhow::Result<Counters> {
        let text = agent.get(format!("http://{address}/metrics")).call()?.body_mut().read_to_string()?;
        let scrape = Scrape::parse(text.lines().map(|line| Ok(line.to_owned())))?;
        let mut counters = Counters { answers: 0.0, verdicts: Vec::new(), modes: Vec::new(), lag: None };
        let mut is_up = false;
        for sample in scrape.samples {
            let (Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value)) = sample.value else {
                continue;
            };
            let label = |name| sample.labels.get(name).unwrap_or_default().to_owned();
            match sample.metric.as_str() {
                "vpn_sensor_service_lag_records" => counters.lag = Some(value),
                "vpn_sensor_service_up" => is_up = value == 1.0,
                "vpn_sensor_responses_total" => counters.answers += value,
                "vpn_sensor_datagrams_total" if value > 0.0 => {
                    let verdict = label("verdict");
                    match counters.verdicts.iter_mut().find(|(name, _)| *name == verdict) {
                        Some((_, sum)) => *sum += value,
                        None => counters.verdicts.push((verdict, value)),
                    }
                }
                "vpn_sensor_capture_mode" => {
                    let place = format!("{} queue {}", label("interface"), label("queue"));
                    counters.modes.push(format!("{} by {}", place.trim(), label("mode")));
                }
                _ => {}
            }
        }
        counters.lag = counters.lag.filter(|_| is_up);
        counters.verdicts.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(counters)
    }

    pub(super) fn line(&self) -> String {
        let verdicts: Vec<String> =
            self.verdicts.iter().map(|(verdict, count)| format!("{verdict} {count}")).collect();
        format!("answers {}  {}", self.answers, verdicts.join("  "))
    }
}
