//! `vpn-sensor sizing`: what a number of VPN users comes to in requests, cores, memory and disk.
//!
//! `figures` reads what a bench has measured, `model` does the arithmetic; this file asks and prints.

mod figures;
mod model;

use std::{fmt::Write as _, fs, io::Write as _, path::PathBuf, time::Duration};

use anyhow::Context;
use serde::Serialize;

use super::{Common, Failure, units};
use crate::config;
use figures::{COMMITTED, Figures};
use model::{Capacity, Demand};

/// Users of the table that is printed when no number is given.
const TABLE: [u64; 7] = [1_000, 5_000, 20_000, 50_000, 100_000, 500_000, 1_000_000];

/// Options of `sizing`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// VPN users connected at once; without it a table from 1,000 to 1,000,000
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    users: Option<u64>,
    /// Time between two Interim-Updates of a session, as set on the VPN servers
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = time)]
    interim: Duration,
    /// Log-ins of each user a day
    #[arg(long, value_name = "NUMBER", default_value_t = 2.0, value_parser = positive)]
    sessions_per_day: f64,
    /// Share of a day's log-ins that fall into its busiest hour, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.25, value_parser = share)]
    busy_hour: f64,
    /// Time within which all users come back after an outage
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time)]
    storm: Duration,
    /// How often each request of such a storm is sent again
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0, value_parser = not_negative)]
    retransmissions: f64,
    /// VPN servers that send to this sensor
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    servers: u64,
    /// How many times the measured cost to plan for
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0, value_parser = positive)]
    headroom: f64,
    /// Days that the journal is to hold
    #[arg(long, value_name = "DAYS", default_value_t = 30.0, value_parser = positive)]
    keep_days: f64,
    /// Take the figures from this result file of `cargo xtask bench --json FILE`, run on your own host
    #[arg(long, value_name = "FILE")]
    bench: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

fn time(text: &str) -> Result<Duration, String> {
    let time = config::duration(text)?;
    let range = Duration::from_secs(1)..=Duration::from_secs(86_400);
    if range.contains(&time) { Ok(time) } else { Err("must be 1s to 24h".to_owned()) }
}

fn not_negative(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if value.is_finite() && value >= 0.0 { Ok(value) } else { Err("must not be negative".to_owned()) }
}

fn positive(text: &str) -> Result<f64, String> {
    not_negative(text)
        .and_then(|value| if value > 0.0 { Ok(value) } else { Err("must be above 0".to_owned()) })
}

fn share(text: &str) -> Result<f64, String> {
    not_negative(text)
        .and_then(|value| if value <= 1.0 { Ok(value) } else { Err("must be 0 to 1".to_owned()) })
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    figures: &'a Figures,
    capacities: &'a [Capacity],
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = common.load_config()?;
        let figures = match &self.bench {
            Some(path) => {
                let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
                Figures::read(&text).with_context(|| path.display().to_string())?
            }
            None => Figures::read(COMMITTED).context("the figures that come with the program")?,
        };
        let users = self.users.map_or_else(|| TABLE.to_vec(), |users| vec![users]);
        let demand = |users: u64| Demand {
            users,
            servers: self.servers,
            interim: self.interim,
            sessions_per_day: self.sessions_per_day,
            busy_hour: self.busy_hour,
            storm: self.storm,
            retransmissions: self.retransmissions,
            headroom: self.headroom,
            keep_days: self.keep_days,
            window: config.dedup.window,
            max_bytes: config.journal.max_bytes,
            ring: config.listen.ring,
            batch_records: config.journal.batch_records,
            batch_bytes: config.journal.batch_bytes(),
        };
        let capacities: Vec<Capacity> =
            users.into_iter().map(|users| Capacity::of(&demand(users), &figures)).collect();
        let text = if self.json {
            let report = Report { figures: &figures, capacities: &capacities };
            serde_json::to_string(&report).context("writing JSON")? + "\n"
        } else {
            match capacities.as_slice() {
                [capacity] => one(capacity, &figures),
                capacities => table(capacities, &figures),
            }
        };
        Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
    }
}

fn table(capacities: &[Capacity], figures: &Figures) -> String {
    let titles = [
        "users",
        "steady/s",
        "storm/s",
        "XDP: cores",
        "memory",
        "UDP: cores",
        "memory",
        "dedup.entries",
        "disk a day",
    ];
    let rows = capacities.iter().map(|capacity| {
        [
            units::count(capacity.demand.users),
            units::number(capacity.steady_per_second),
            units::number(capacity.storm_per_second),
            capacity.xdp.cores.to_string(),
            units::bytes(capacity.xdp.memory_bytes),
            capacity.udp.cores.to_string(),
            units::bytes(capacity.udp.memory_bytes),
            capacity.dedup_entries.to_string(),
            units::bytes(capacity.journal_bytes_per_day),
        ]
    });
    let mut rows: Vec<[String; 9]> = rows.collect();
    rows.insert(0, titles.map(str::to_owned));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: [usize; 9] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}"));
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  "));
    }
    if let Some(capacity) = capacities.first() {
        text += &assumptions(capacity);
    }
    text += "One number of users in detail, with the configuration to set: --users NUMBER\n";
    text + &provenance(figures)
}

fn one(capacity: &Capacity, figures: &Figures) -> String {
    let Capacity { demand, xdp, udp, .. } = capacity;
    let days = match capacity.days_until_full {
        Some(days) => format!("{} days until the configuration's journal.max_bytes", units::number(days)),
        None => "journal.max_bytes sets no limit".to_owned(),
    };
    let stall = units::seconds(figures.commit_p999_ns / 1e9);
    let lines = [
        ("busiest hour", format!("{} requests/s", units::number(capacity.steady_per_second))),
        (
            "reconnect storm",
            format!(
                "{} requests/s for {}",
                units::number(capacity.storm_per_second),
                units::age(demand.storm.as_secs())
            ),
        ),
        (
            "cores",
            format!(
                "XDP {}, UDP {}; in the busiest hour {:.1} % and {:.1} % of one",
                xdp.cores,
                udp.cores,
                xdp.steady_load * 100.0,
                udp.steady_load * 100.0
            ),
        ),
        (
            "workers",
            format!("XDP {} (receive queues of the card), UDP {} (listen.workers)", xdp.workers, udp.workers),
        ),
        (
            "memory",
            format!(
                "XDP {}, UDP {}; of which the service {}",
                units::bytes(xdp.memory_bytes),
                units::bytes(udp.memory_bytes),
                units::bytes(capacity.service_bytes)
            ),
        ),
        (
            "duplicate table",
            format!(
                "{} requests within {}",
                units::number(capacity.requests_in_window),
                units::age(demand.window.as_secs())
            ),
        ),
        (
            "journal",
            format!(
                "{} records and {} a day; {days}",
                units::number(capacity.records_per_day),
                units::bytes(capacity.journal_bytes_per_day)
            ),
        ),
        (
            "worker away",
            format!(
                "rings hold the storm for {}, socket buffers for {}",
                units::seconds(xdp.kept_seconds),
                units::seconds(udp.kept_seconds)
            ),
        ),
        (
            "disk stall",
            format!(
                "batches hold the storm for {} (XDP) and {} (UDP); one commit in a thousand took more than {stall}",
                units::seconds(xdp.disk_stall_seconds),
                units::seconds(udp.disk_stall_seconds)
            ),
        ),
    ];
    let mut text = format!("{} VPN users\n", units::count(demand.users));
    for (name, value) in lines {
        let _ = writeln!(text, "  {name:<16} {value}");
    }
    let notes = notes(capacity);
    let _ = write!(
        text,
        "\nConfiguration\n  [listen]\n  workers = {}\n  [dedup]\n  entries = {}\n  [journal]\n  max_bytes = \"{} GiB\"    # {} days\n{notes}",
        udp.workers.min(64),
        capacity.dedup_entries,
        capacity.max_gibibytes.max(1),
        demand.keep_days
    );
    text += &assumptions(capacity);
    text + &provenance(figures)
}

/// What the numbers alone do not say.
fn notes(capacity: &Capacity) -> String {
    let mut text = String::new();
    let most = capacity.xdp.workers.max(capacity.udp.workers);
    if capacity.beyond_one_table {
        text +=
            "\nMore requests than one duplicate table takes: spread the VPN servers over several sensors.\n";
    }
    if most > capacity.demand.servers {
        let _ = write!(
            text,
            "\n{most} workers, but {} VPN servers: datagrams of one server go to one queue unless the hash takes ports in\n(ethtool -N INTERFACE rx-flow-hash udp4 sdfn).\n",
            capacity.demand.servers
        );
    }
    text
}

fn assumptions(capacity: &Capacity) -> String {
    let demand = &capacity.demand;
    format!(
        "\nAssumed: an Interim-Update every {}, {} sessions a day and user, {:.0} % of them in the busiest hour; all users\nback within {}, each request sent {} times; {} times the measured cost.\n",
        units::age(demand.interim.as_secs()),
        demand.sessions_per_day,
        demand.busy_hour * 100.0,
        units::age(demand.storm.as_secs()),
        1.0 + demand.retransmissions,
        demand.headroom
    )
}

fn provenance(figures: &Figures) -> String {
    let mut text = String::from(
        "Costs are those of another machine until you measure your own (--bench). Measured on:\n",
    );
    for place in &figures.measured_on {
        let _ = writeln!(text, "  {place}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capacity(users: u64, max_bytes: Option<u64>) -> (Capacity, Figures) {
        let figures = Figures::read(COMMITTED).unwrap();
        let demand = Demand {
            users,
            servers: 1,
            interim: Duration::from_secs(300),
            sessions_per_day: 2.0,
            busy_hour: 0.25,
            storm: Duration::from_secs(60),
            retransmissions: 1.0,
            headroom: 2.0,
            keep_days: 30.0,
            window: Duration::from_secs(30),
            max_bytes,
            ring: 2048,
            batch_records: 256,
            batch_bytes: 128 << 10,
        };
        (Capacity::of(&demand, &figures), figures)
    }

    #[test]
    fn the_table_aligns_and_says_where_its_figures_are_from() {
        let (small, figures) = capacity(1_000, None);
        let (large, _) = capacity(1_000_000, None);
        let text = table(&[small, large], &figures);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0].len(), lines[2].len(), "{text}");
        assert!(lines[2].trim_start().starts_with("1,000,000 "), "{text}");
        assert!(text.contains(&figures.measured_on[0]), "{text}");
    }

    #[test]
    fn the_configuration_it_prints_is_taken_by_the_configuration() {
        for users in [1, 1_000, 1_000_000, 1_000_000_000] {
            let (capacity, figures) = capacity(users, Some(16 << 30));
            let text = one(&capacity, &figures);
            let lines = text.lines().skip_while(|line| *line != "Configuration").skip(1);
            let toml: String =
                lines.take_while(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("sensor.toml");
            fs::write(&path, &toml).unwrap();
            let config = config::load(Some(&path)).unwrap_or_else(|error| panic!("{error}\n{toml}"));
            assert_eq!(config.dedup.entries as u64, capacity.dedup_entries, "{toml}");
        }
    }

    #[test]
    fn a_million_users_need_the_memory_of_the_service() {
        let (capacity, figures) = capacity(1_000_000, None);
        let least = 1_000_000.0 * 800.0;
        assert!(capacity.service_bytes >= least, "{}", capacity.service_bytes);
        for needs in [&capacity.xdp, &capacity.udp] {
            assert!(needs.memory_bytes > capacity.service_bytes, "{}", needs.memory_bytes);
        }
        let text = one(&capacity, &figures);
        assert!(text.contains("of which the service 1."), "{text}");
    }

    #[test]
    fn more_workers_than_servers_need_another_hash() {
        let (capacity, figures) = capacity(10_000_000, None);
        assert!(one(&capacity, &figures).contains("rx-flow-hash"));
    }

    #[test]
    fn arguments_have_ranges() {
        assert_eq!(time("5m"), Ok(Duration::from_secs(300)));
        assert!(time("0s").is_err() && time("25h").is_err());
        assert!(share("1.5").is_err() && share("-1").is_err() && share("0.5").is_ok());
        assert!(positive("0").is_err() && positive("NaN").is_err() && not_negative("0").is_ok());
    }
}
