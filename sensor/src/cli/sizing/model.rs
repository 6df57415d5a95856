//! From a number of VPN users to requests, cores, memory and disk. Pure arithmetic; `docs/tuning.md` states it in words.

use std::time::Duration;

use ingest::{IngestOptions, capture::udp::RECEIVE_BUFFER};
use serde::Serialize;

use super::figures::{Figures, PathFigures};
use crate::config::Config;

const SECONDS_A_DAY: f64 = 86_400.0;

/// Entries of the duplicate table for each request expected within the window: with four, buckets of eight slots are
/// seldom full (see `ingest::dedup`).
const ENTRIES_PER_REQUEST: f64 = 4.0;

/// Most entries that the configuration takes.
const ENTRIES_MAX: u64 = 1 << 26;

/// Octets that the kernel charges to a socket's buffer for one request of a few hundred octets, its own structures
/// included: what makes `RECEIVE_BUFFER` hold some 10,000 of them.
const BUFFER_OCTETS_PER_REQUEST: f64 = 832.0;

/// What is asked: how the users behave and what the sensor may need.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Demand {
    /// Connected at once, around the clock: the worst day.
    pub(super) users: u64,
    /// VPN servers that send.
    pub(super) servers: u64,
    /// Between two Interim-Updates of a session.
    #[serde(serialize_with = "in_seconds")]
    pub(super) interim: Duration,
    /// Log-ins of each user a day, each a Start and a Stop.
    pub(super) sessions_per_day: f64,
    /// Share of a day's log-ins that fall into its busiest hour.
    pub(super) busy_hour: f64,
    /// Time within which all users come back after an outage.
    #[serde(serialize_with = "in_seconds")]
    pub(super) storm: Duration,
    /// Times that each request of the storm is sent again.
    pub(super) retransmissions: f64,
    /// How many times the measured cost is planned for.
    pub(super) headroom: f64,
    /// Days that the journal is to hold.
    pub(super) keep_days: f64,
    /// From the configuration: `dedup.window`.
    #[serde(serialize_with = "in_seconds")]
    pub(super) window: Duration,
    /// From the configuration: `journal.max_bytes`.
    pub(super) max_bytes: Option<u64>,
    /// From the configuration: `listen.ring`.
    pub(super) ring: u32,
    /// From the configuration: `journal.batch_records`.
    pub(super) batch_records: u32,
    /// Octets of such a batch.
    pub(super) batch_bytes: usize,
}

fn in_seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

/// What it comes to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Capacity {
    pub(super) demand: Demand,
    /// Requests a second in the busiest hour.
    pub(super) steady_per_second: f64,
    /// Requests a second while all users come back, Interim-Updates of those already back included.
    pub(super) storm_per_second: f64,
    /// Requests within the duplicate table's window, at most.
    pub(super) requests_in_window: f64,
    /// `dedup.entries` to set: a power of two, not below the default.
    pub(super) dedup_entries: u64,
    /// More than the configuration takes: spread the VPN servers over several sensors.
    pub(super) beyond_one_table: bool,
    pub(super) records_per_day: f64,
    pub(super) journal_bytes_per_day: f64,
    /// Until `journal.max_bytes` of the configuration is full; none without a limit.
    pub(super) days_until_full: Option<f64>,
    /// `journal.max_bytes` for the days asked for, whole GiB.
    pub(super) max_gibibytes: u64,
    /// Resident memory of the service, bytes: in that of either way.
    pub(super) service_bytes: f64,
    pub(super) xdp: Needs,
    pub(super) udp: Needs,
}

/// What one way into the sensor needs.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Needs {
    /// Cores, with headroom, at the storm's rate.
    pub(super) cores: u64,
    /// Share of one core in the busiest hour, without headroom.
    pub(super) steady_load: f64,
    /// Workers: receive queues with XDP, `listen.workers` with UDP.
    pub(super) workers: u64,
    /// Resident memory, bytes.
    pub(super) memory_bytes: f64,
    /// How long what the kernel keeps for the workers lasts at the storm's rate, seconds: a worker may be away for so
    /// long.
    pub(super) kept_seconds: f64,
    /// How long the disk may stall at the storm's rate before new requests become `overload`, seconds.
    pub(super) disk_stall_seconds: f64,
}

impl Capacity {
    pub(super) fn of(demand: &Demand, figures: &Figures) -> Capacity {
        let users = demand.users as f64;
        let interims = users / demand.interim.as_secs_f64();
        let busiest = users * demand.sessions_per_day * 2.0 * demand.busy_hour / 3_600.0;
        let steady = interims + busiest;
        let storm_seconds = demand.storm.as_secs_f64();
        let storm = users / storm_seconds * (1.0 + demand.retransmissions) + interims;
        let window = demand.window.as_secs_f64();
        // A storm shorter than the window lies in it as a whole, with what goes on beside it.
        let in_window = storm * window.min(storm_seconds) + steady * (window - storm_seconds).max(0.0);
        let wanted = (in_window * ENTRIES_PER_REQUEST).ceil() as u64;
        let least = Config::built_in().dedup.entries as u64;
        let dedup_entries = wanted.clamp(least, ENTRIES_MAX).next_power_of_two();
        let records_per_day =
            users * (SECONDS_A_DAY / demand.interim.as_secs_f64() + 2.0 * demand.sessions_per_day);
        let journal_bytes_per_day = records_per_day * figures.bytes_per_record;
        let table = dedup_entries as f64 * figures.bytes_per_entry;
        let service = users * figures.bytes_per_user;
        let whole = table + service;
        let rings = xsk::Options::of_ring(demand.ring);
        let umem = rings.locked_octets() as f64;
        let buffered = RECEIVE_BUFFER as f64 / BUFFER_OCTETS_PER_REQUEST;
        Capacity {
            demand: demand.clone(),
            steady_per_second: steady,
            storm_per_second: storm,
            requests_in_window: in_window,
            dedup_entries,
            beyond_one_table: wanted > ENTRIES_MAX,
            records_per_day,
            journal_bytes_per_day,
            days_until_full: demand.max_bytes.map(|bytes| bytes as f64 / journal_bytes_per_day),
            max_gibibytes: (journal_bytes_per_day * demand.keep_days / f64::from(1 << 30)).ceil() as u64,
            service_bytes: service,
            xdp: Needs::of(demand, &figures.xdp, steady, storm, whole, umem, f64::from(rings.fill)),
            udp: Needs::of(demand, &figures.udp, steady, storm, whole, 0.0, buffered),
        }
    }
}

impl Needs {
    fn of(
        demand: &Demand,
        path: &PathFigures,
        steady: f64,
        storm: f64,
        whole_sensor: f64,
        ring_bytes: f64,
        kept_per_worker: f64,
    ) -> Needs {
        let planned = storm * demand.headroom;
        let batches = IngestOptions::default().batches as f64;
        let per_worker = ring_bytes + batches * demand.batch_bytes as f64;
        let workers = (planned / path.requests_per_second).ceil().max(1.0);
        Needs {
            // A worker and the journal's writer run beside each other.
            cores: (planned * path.cpu_ns_per_request / 1e9).ceil().max(2.0) as u64,
            steady_load: steady * path.cpu_ns_per_request / 1e9,
            workers: workers as u64,
            memory_bytes: path.resident_bytes + whole_sensor + (workers - 1.0) * per_worker,
            kept_seconds: kept_per_worker * workers / storm,
            disk_stall_seconds: batches * f64::from(demand.batch_records) * workers / storm,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(users: u64) -> Demand {
        Demand {
            users,
            servers: 4,
            interim: Duration::from_secs(300),
            sessions_per_day: 2.0,
            busy_hour: 0.25,
            storm: Duration::from_secs(60),
            retransmissions: 1.0,
            headroom: 2.0,
            keep_days: 30.0,
            window: Duration::from_secs(30),
            max_bytes: Some(16 << 30),
            ring: 2048,
            batch_records: 256,
            batch_bytes: 128 << 10,
        }
    }

    fn figures() -> Figures {
        let path = |cpu, rate, resident| PathFigures {
            cpu_ns_per_request: cpu,
            requests_per_second: rate,
            resident_bytes: resident,
        };
        Figures {
            xdp: path(10_000.0, 100_000.0, 50e6),
            udp: path(20_000.0, 20_000.0, 30e6),
            bytes_per_record: 400.0,
            commit_p999_ns: 1e6,
            bytes_per_entry: 16.0,
            bytes_per_user: 2_000.0,
            measured_on: vec!["here".to_owned()],
        }
    }

    #[test]
    fn the_model_is_the_documented_one() {
        let capacity = Capacity::of(&demand(360_000), &figures());
        // 1,200 Interim-Updates; 360,000 users x 2 sessions x 2 requests x a quarter of them in 3,600 s.
        assert_eq!(capacity.steady_per_second, 1_200.0 + 100.0);
        // 6,000 Starts a second, each sent twice.
        assert_eq!(capacity.storm_per_second, 12_000.0 + 1_200.0);
        assert_eq!(capacity.requests_in_window, 396_000.0);
        assert_eq!(capacity.dedup_entries, 1 << 21);
        assert_eq!(capacity.records_per_day, 360_000.0 * (288.0 + 4.0));
        assert_eq!(capacity.journal_bytes_per_day, 360_000.0 * 292.0 * 400.0);
        assert_eq!(capacity.max_gibibytes, 1_175);
        assert!((capacity.days_until_full.unwrap() - 0.4086).abs() < 1e-3);
        // 13,200 x 2 x 10 us and x 20 us.
        assert_eq!((capacity.xdp.cores, capacity.udp.cores), (2, 2));
        assert_eq!(Capacity::of(&demand(3_600_000), &figures()).udp.cores, 6);
        assert_eq!((capacity.xdp.workers, capacity.udp.workers), (1, 2));
        assert_eq!(capacity.service_bytes, 720e6);
        assert_eq!(capacity.xdp.memory_bytes, 50e6 + 720e6 + 16.0 * f64::from(1 << 21));
        assert_eq!(capacity.udp.memory_bytes, 30e6 + 720e6 + 16.0 * f64::from(1 << 21) + f64::from(8 << 20));
        assert!((capacity.xdp.kept_seconds - 2_048.0 / 13_200.0).abs() < 1e-9);
        assert!((capacity.udp.disk_stall_seconds - 32_768.0 / 13_200.0).abs() < 1e-9);
    }

    #[test]
    fn a_storm_shorter_than_the_window_is_in_it_as_a_whole() {
        let mut short = demand(6_000);
        short.storm = Duration::from_secs(10);
        let capacity = Capacity::of(&short, &figures());
        let beside = capacity.steady_per_second * 20.0;
        assert!((capacity.requests_in_window - (12_000.0 + 20.0 * 10.0 + beside)).abs() < 1e-6);
    }

    #[test]
    fn more_than_one_table_takes_is_said() {
        let capacity = Capacity::of(&demand(100_000_000), &figures());
        assert!(capacity.beyond_one_table);
        assert_eq!(capacity.dedup_entries, ENTRIES_MAX);
        assert!(!Capacity::of(&demand(1_000_000), &figures()).beyond_one_table);
    }
}
