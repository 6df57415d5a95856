//! `cargo xtask bench latency`: latency against offered load up to saturation, stage by stage, for durable and received
//! acknowledgement; write and `fdatasync` of the same sizes alone beside it; a lone request; a flood of forgeries.
//!
//! The generator never sleeps here, and latency counts from when a request had to leave. Each step has a sensor of its
//! own, so that its `/latency` is that step's alone.
#![forbid(unsafe_code)]

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, bail};
use benches::{
    disk,
    load::{self, Mix, Pace},
    machine,
    measure::Measurement,
    peers::{Kind, Peer, SensorOptions},
    place::{self, By, Place},
    round::{Done, Round},
};
use clap::Parser;
use serde::Deserialize;

/// Requests a second of an idle sensor: each is answered long before the next.
const LONE_RATE: f64 = 200.0;
/// Octets that one request of 168 octets takes in the journal, with its batch's header.
const LONE_OCTETS: usize = 512;
/// Others' share of one processor that is put up with, and how long is waited for a machine that is quieter.
const OTHERS: f64 = 0.05;
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Parser)]
#[command(name = "latency", about = "Latency against offered load, stage by stage", version)]
struct Arguments {
    /// Rounds, each with every step in turn
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Length of each step
    #[arg(long, default_value_t = 0.6)]
    seconds: f64,
    /// Steps, per cent of the throughput of a closed loop
    #[arg(long, value_delimiter = ',', default_values_t = [5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 100.0])]
    steps: Vec<f64>,
    /// Requests under way at once in the closed loop, as for `wire`
    #[arg(long, default_value_t = 192)]
    window: u32,
    /// What the traffic is made of, as for `load`, but for storm=
    #[arg(long, default_value = "", hide_default_value = true, value_parser = Mix::calm)]
    mix: Mix,
    /// Where the journal is to be; its file system is the one measured
    #[arg(long, value_name = "FOLDER")]
    state: Option<std::path::PathBuf>,
    /// One round of three short steps: to see that everything works
    #[arg(long)]
    quick: bool,
}

/// What a sensor says about its stages.
#[derive(Deserialize)]
struct Stages {
    stages: Vec<Stage>,
}

#[derive(Deserialize)]
struct Stage {
    stage: String,
    count: u64,
    /// Pairs of percentile and nanoseconds.
    percentiles: Vec<(f64, f64)>,
}

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    if !place::enter("latency")? {
        return Ok(());
    }
    place::raise_file_limit()?;
    if arguments.quick {
        arguments.rounds = 1;
        arguments.seconds = 0.25;
        arguments.steps = vec![10.0, 50.0, 100.0];
    }
    let place = Place::new(arguments.mix.sources)?;
    let folder = arguments.state.clone().unwrap_or_else(std::env::temp_dir);
    let file_system = machine::file_system(&folder);
    eprintln!("the journal is on {file_system}");
    let mut bench = Bench {
        place: &place,
        folder,
        file_system,
        figures: BTreeMap::new(),
        ratios: BTreeMap::new(),
        arguments: &arguments,
    };
    for number in 0..arguments.rounds {
        eprintln!("round {} of {}", number + 1, arguments.rounds);
        for kind in [Kind::SensorXdp, Kind::SensorUdp] {
            if kind.missing().is_some() {
                continue;
            }
            for received in [false, true] {
                bench.sweep(kind, received)?;
            }
            bench.lone(kind)?;
            bench.flood(kind)?;
        }
    }
    bench.report();
    Ok(())
}

/// Case, path and metric.
type Name = (String, String, String);

struct Bench<'a> {
    place: &'a Place,
    folder: std::path::PathBuf,
    file_system: String,
    arguments: &'a Arguments,
    /// A value a round.
    figures: BTreeMap<Name, Vec<f64>>,
    /// Baseline, and a value a round.
    ratios: BTreeMap<Name, (String, Vec<f64>)>,
}

impl<'a> Bench<'a> {
    fn add(&mut self, case: &str, path: &str, metric: &str, value: f64) {
        let name = (case.to_owned(), path.to_owned(), metric.to_owned());
        self.figures.entry(name).or_default().push(value);
    }

    /// A time, with the time it is compared with.
    fn add_against(&mut self, case: &str, path: &str, metric: &str, value: f64, baseline: (&str, f64)) {
        self.add(case, path, metric, value);
        let name = (case.to_owned(), path.to_owned(), metric.to_owned());
        let ratios = self.ratios.entry(name).or_insert_with(|| (baseline.0.to_owned(), Vec::new()));
        ratios.1.push(baseline.1 / value);
    }

    fn options(&self, received: bool) -> SensorOptions {
        SensorOptions { ack_received: received, state: Some(self.folder.clone()), ..SensorOptions::default() }
    }

    fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.arguments.seconds)
    }

    /// A new sensor and one load on it.
    fn step(&self, kind: Kind, received: bool, pace: Pace, mix: &Mix) -> anyhow::Result<(Done, Peer<'a>)> {
        if !self.arguments.quick {
            machine::wait_for_quiet(OTHERS, PATIENCE)?;
        }
        let peer = Peer::start(self.place, kind, &self.options(received))?;
        let mut round = Round::new(self.place, By::default(), mix);
        let done = round.against(&peer, pace, self.duration(), None).context(kind.name())?;
        match done.report.fault() {
            Some(fault) => bail!("{}: {fault}", kind.name()),
            None => Ok((done, peer)),
        }
    }

    fn add_latency(&mut self, case: &str, path: &str, done: &Done) {
        let report = &done.report;
        for (metric, percentile) in PERCENTILES {
            self.add(case, path, metric, report.latency_ns(percentile));
        }
        self.add(case, path, "latency_max", report.latency_ns(100.0));
        self.add(case, path, "lost", report.lost_percent());
        self.add(case, path, "generator_lateness_p99", report.lateness.value_at_quantile(0.99) as f64);
        // How much to believe of the rest.
        let others = done.spent.others_ns / done.spent.wall_ns;
        self.add(case, path, "others_share_of_a_core", others);
    }

    /// What the sensor says about where the time went.
    fn add_stages(&mut self, case: &str, path: &str, peer: &Peer<'_>) -> anyhow::Result<()> {
        let stages: Stages = serde_json::from_str(&peer.get("/latency")?).context("/latency")?;
        for stage in stages.stages.iter().filter(|stage| stage.count > 0) {
            for (percentile, ns) in &stage.percentiles {
                if [50.0, 99.0, 99.9].contains(percentile) {
                    self.add(case, path, &format!("stage_{}_p{percentile}", stage.stage), *ns);
                }
            }
        }
        Ok(())
    }

    /// Saturation, then each step below it.
    fn sweep(&mut self, kind: Kind, received: bool) -> anyhow::Result<()> {
        let path = format!("{}-{}", kind.name(), if received { "received" } else { "durable" });
        let closed = Pace::Closed { window: self.arguments.window };
        let (done, peer) = self.step(kind, received, closed, &self.arguments.mix)?;
        drop(peer);
        let saturation = done.report.answered_per_second();
        let case = format!("window {}", self.arguments.window);
        self.add(&case, &path, "requests_per_second", saturation);
        self.add_latency(&case, &path, &done);
        let spent = &done.spent;
        let limited = spent.share(self.place.server) < 0.97;
        self.add(&case, &path, "server_core_has_idle_time", f64::from(u8::from(limited)));
        let arguments = self.arguments;
        for &step in &arguments.steps {
            let rate = saturation * step / 100.0;
            let (done, peer) = self.step(kind, received, Pace::open(rate), &self.arguments.mix)?;
            let case = format!("{step} % of saturation");
            self.add(&case, &path, "requests_per_second", done.report.answered_per_second());
            self.add_latency(&case, &path, &done);
            self.add_stages(&case, &path, &peer)?;
            if !received {
                let octets = commit_octets(&peer)?;
                self.add(&case, &path, "octets_per_commit", octets);
                if step == 50.0 {
                    drop(peer);
                    self.beside_the_disk(&case, &path, octets as usize, &done.report)?;
                }
            }
        }
        Ok(())
    }

    /// The disk alone with commits of the same size, on the server's processor.
    fn beside_the_disk(
        &mut self,
        case: &str,
        path: &str,
        octets: usize,
        report: &load::Report,
    ) -> anyhow::Result<()> {
        let (folder, core) = (self.folder.clone(), self.place.server);
        let times = disk::write_and_sync(&folder, octets.max(1), self.duration(), None, core)?;
        let arrivals = times.clone_correct(times.value_at_percentile(50.0));
        for (metric, percentile) in PERCENTILES {
            let alone = times.value_at_percentile(percentile) as f64;
            let disk_path = format!("fdatasync-beside-{path}");
            self.add(case, &disk_path, metric, alone);
            let compared = format!("{metric}_against_disk");
            let latency = report.latency_ns(percentile);
            self.add_against(case, path, &compared, latency, ("fdatasync", alone));
            // A sync that takes 5 ms is one in thousands here, and all arrivals of 5 ms in an open loop.
            let met = arrivals.value_at_percentile(percentile) as f64;
            let disk_path = format!("fdatasync-as-arrivals-meet-it-beside-{path}");
            self.add(case, &disk_path, metric, met);
            let compared = format!("{metric}_against_disk_in_an_open_loop");
            self.add_against(case, path, &compared, latency, ("fdatasync", met));
        }
        Ok(())
    }

    /// One request at a time on an idle sensor.
    fn lone(&mut self, kind: Kind) -> anyhow::Result<()> {
        let (case, path) = ("lone request", format!("{}-durable", kind.name()));
        let (done, peer) = self.step(kind, false, Pace::open(LONE_RATE), &Mix::default())?;
        self.add_stages(case, &path, &peer)?;
        drop(peer);
        let pause = Some(Duration::from_secs_f64(1.0 / LONE_RATE));
        let (folder, core) = (self.folder.clone(), self.place.server);
        let times = disk::write_and_sync(&folder, LONE_OCTETS, self.duration(), pause, core)?;
        for (metric, percentile) in PERCENTILES {
            let alone = times.value_at_percentile(percentile) as f64;
            self.add(case, &format!("fdatasync-beside-{path}"), metric, alone);
            self.add_against(case, &path, metric, done.report.latency_ns(percentile), ("fdatasync", alone));
        }
        Ok(())
    }

    /// Genuine requests alone, then the same among nine times as many forgeries.
    fn flood(&mut self, kind: Kind) -> anyhow::Result<()> {
        let path = format!("{}-durable", kind.name());
        let key =
            (format!("window {}", self.arguments.window), path.clone(), "requests_per_second".to_owned());
        let saturation = self.figures.get(&key).and_then(|rates| rates.last().copied()).unwrap_or(50_000.0);
        // With the forgeries half of what the sensor can take.
        let rate = saturation / 20.0;
        let alone = self.step(kind, false, Pace::open(rate), &self.arguments.mix)?.0;
        let mix = Mix { forgeries: 0.9, ..self.arguments.mix.clone() };
        let flooded = self.step(kind, false, Pace::open(rate * 10.0), &mix)?.0;
        for (metric, percentile) in PERCENTILES {
            let before = alone.report.latency_ns(percentile);
            self.add("genuine requests alone", &path, metric, before);
            let after = flooded.report.latency_ns(percentile);
            let baseline = ("genuine requests alone", before);
            self.add_against("among 90 % forgeries", &path, metric, after, baseline);
        }
        self.add("among 90 % forgeries", &path, "lost", flooded.report.lost_percent());
        Ok(())
    }

    fn report(&self) {
        for kind in [Kind::SensorXdp, Kind::SensorUdp] {
            kind.can_run("latency", "everything");
        }
        for (name @ (case, path, metric), values) in &self.figures {
            let unit = match metric.as_str() {
                "requests_per_second" => "1/s",
                "octets_per_commit" => "B",
                "lost" => "%",
                "server_core_has_idle_time" | "others_share_of_a_core" => "1",
                _ => "ns",
            };
            let mut measurement = Measurement::new("latency", case, path, metric, unit, values);
            if let Some((baseline, ratios)) = self.ratios.get(name) {
                let baseline = match baseline.as_str() {
                    "fdatasync" => format!("fdatasync on {}", self.file_system),
                    other => other.to_owned(),
                };
                measurement = measurement.against(&baseline, ratios);
            }
            measurement.report();
        }
    }
}

const PERCENTILES: [(&str, f64); 4] =
    [("latency_p50", 50.0), ("latency_p90", 90.0), ("latency_p99", 99.0), ("latency_p99.9", 99.9)];

/// Octets of a group commit in the mean.
fn commit_octets(peer: &Peer<'_>) -> anyhow::Result<f64> {
    let text = peer.get("/metrics")?;
    let value = |name: &str| -> anyhow::Result<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.split(' ').next()?.parse().ok()).with_context(|| format!("no {name}"))
    };
    let commits = value("vpn_sensor_journal_commit_seconds_count")?;
    Ok(value("vpn_sensor_journal_written_bytes_total")? / commits.max(1.0))
}
