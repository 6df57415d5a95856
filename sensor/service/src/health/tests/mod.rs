//! Each condition, over looks that a test makes up.

mod board;
mod clients;
mod sensor;
mod told;

use std::{sync::Arc, time::Duration};

use insight::geo::Contents;

use super::*;
use crate::export::sink;

/// 2026-09-21T14:13:20Z.
const START_S: u64 = 1_790_000_000;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

fn at(running: Duration) -> Now {
    Now { unix_ns: START_S * 1_000_000_000 + running.as_nanos() as u64, running }
}

/// A monitor with the looks that are taken of it, and what it told.
struct Watch {
    monitor: Monitor,
    settings: Settings,
    running: Duration,
    seen: Seen,
}

/// What was told, in short: `+name subject` or `-name subject`.
fn short(told: &[Health]) -> Vec<String> {
    let one = |health: &Health| {
        let sign = if health.is_over { '-' } else { '+' };
        format!("{sign}{} {}", health.name, health.about.as_deref().unwrap_or_default()).trim_end().to_owned()
    };
    told.iter().map(one).collect()
}

impl Watch {
    fn new() -> Watch {
        Watch {
            monitor: Monitor::new(Vec::new(), at(Duration::ZERO)),
            settings: Settings::default(),
            running: Duration::ZERO,
            seen: well(),
        }
    }

    /// A look after so long.
    fn after(&mut self, time: Duration) -> Vec<Health> {
        self.running += time;
        self.monitor.look(&self.seen, at(self.running), &self.settings)
    }

    fn short_after(&mut self, time: Duration) -> Vec<String> {
        short(&self.after(time))
    }

    /// Looks every minute for so long.
    fn minutes(&mut self, minutes: u32) -> Vec<String> {
        (0..minutes).flat_map(|_| self.short_after(Duration::from_secs(60))).collect()
    }

    /// Behind a stop: what stood goes on, and the running clock begins anew.
    fn restart(&mut self) {
        self.monitor = Monitor::new(self.monitor.standing(), at(self.running));
    }
}

fn client(name: &str) -> ClientSeen {
    ClientSeen {
        name: name.to_owned(),
        genuine: 0,
        bad_authenticators: 0,
        bad_message_authenticators: 0,
        bad_sources: Vec::new(),
    }
}

fn database(name: &str, built_unix_s: u64, is_included: bool) -> DatabaseSeen {
    let contents = Contents { countries: true, networks: true, kinds: true, ..Contents::default() };
    DatabaseSeen { name: name.to_owned(), contents, built_unix_s, is_included }
}

fn sink_seen(name: &str) -> sink::Standing {
    sink::Standing {
        name: name.to_owned(),
        kind: "webhook",
        is_up: true,
        sent: 0,
        failures: 0,
        waiting: 0,
        lost: 0,
        refused: 0,
        recipients_refused: None,
        stopped: None,
        last_error: None,
        behind_seconds: 0.0,
        spool_bytes: 0,
    }
}

/// A sensor that nothing is wrong with: two clients that are heard, one sink.
fn well() -> Seen {
    let databases = vec![database("included: all", START_S - 86_400, true)];
    Seen {
        clients: vec![client("branch"), client("head")],
        geo: Some(GeoSeen { databases, wrong: Arc::from([]) }),
        sinks: Some(Arc::from([sink_seen("siem")])),
        disk: Some(DiskSeen { path: "/state".into(), free_bytes: 50 << 30, total_bytes: 100 << 30 }),
        service: ServiceSeen { state: WorkState::Up, store: "/state/service/store.sqlite".into() },
        ..Seen::default()
    }
}

#[test]
fn nothing_is_said_of_what_is_well() {
    let mut watch = Watch::new();
    for minute in 0..2 * 24 * 60 {
        watch.seen.clients.iter_mut().for_each(|client| client.genuine = minute / 60);
        assert_eq!(watch.short_after(Duration::from_secs(60)), [""; 0]);
    }
    assert_eq!(watch.monitor.standing(), []);
}
