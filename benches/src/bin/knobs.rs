//! `cargo xtask bench knobs`: what each knob of `docs/tuning.md` moves. For each of its values a sensor is started and
//! given the same load; the values take turns, so that a busy neighbour is felt by all alike.
//!
//! Ratios compare with the default of the same round. RSS and `ethtool` settings are not here: a veth pair has no
//! hardware that would obey them.
#![forbid(unsafe_code)]

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use benches::{
    load::{Mix, Pace},
    machine,
    measure::Measurement,
    peers::{Kind, Peer, SensorOptions},
    place::{self, By, Place},
    round::{Done, Round},
};
use clap::Parser;

/// Requests due at once, for the rings: four times what the default holds.
const STORM: u64 = 8192;
/// Requests a second beside it.
const BESIDE_THE_STORM: f64 = 5_000.0;

#[derive(Parser)]
#[command(name = "knobs", about = "What each knob for tuning moves, value by value", version)]
struct Arguments {
    /// Rounds, each with every value of every knob in turn
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Length of each run
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// Requests a second that are offered
    #[arg(long, default_value_t = 20_000.0)]
    rate: f64,
    /// Only knobs whose name begins so
    #[arg(long, default_value = "", hide_default_value = true)]
    only: String,
    /// Where the journal is to be; its file system is the one measured
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// One round of the ends of each knob: to see that everything works
    #[arg(long)]
    quick: bool,
}

/// One knob with the load that shows what it moves.
struct Knob {
    name: &'static str,
    /// Lines for `[listen]`, or else the table `[journal]`.
    table: &'static str,
    kinds: &'static [Kind],
    load: Load,
    /// As they are written in the file; the default first.
    values: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Load {
    /// The rate that the arguments say.
    Offered,
    /// A lower one, with many due at once in its middle.
    Storm,
}

const BOTH: &[Kind] = &[Kind::SensorXdp, Kind::SensorUdp];

const KNOBS: [Knob; 5] = [
    Knob {
        name: "listen.spin",
        table: "listen",
        kinds: BOTH,
        load: Load::Offered,
        values: &["0us", "20us", "50us", "200us", "1ms"],
    },
    Knob {
        name: "listen.ring",
        table: "listen",
        // A UDP socket has no rings.
        kinds: &[Kind::SensorXdp],
        load: Load::Storm,
        values: &["2048", "256", "512", "1024", "4096", "8192"],
    },
    Knob {
        name: "journal.batch_records",
        table: "journal",
        kinds: BOTH,
        load: Load::Offered,
        values: &["256", "1", "4", "16", "64", "1024"],
    },
    Knob {
        name: "journal.commit_interval",
        table: "journal",
        kinds: BOTH,
        load: Load::Offered,
        values: &["0us", "200us", "1ms", "5ms", "20ms"],
    },
    Knob { name: "listen.cores", table: "listen", kinds: BOTH, load: Load::Offered, values: CORES },
];

/// Not values, but names of what [`Bench::options`] makes of this machine's processors.
const CORES: &[&str] = &["beside the writer", "the writer elsewhere", "beside the load"];

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    if !place::enter("knobs")? {
        return Ok(());
    }
    place::raise_file_limit()?;
    if arguments.quick {
        arguments.rounds = 1;
        arguments.seconds = 0.2;
    }
    let place = Place::new(1)?;
    let folder = arguments.state.clone().unwrap_or_else(std::env::temp_dir);
    eprintln!("the journal is on {}", machine::file_system(&folder));
    let knobs: Vec<&Knob> = KNOBS.iter().filter(|knob| knob.name.starts_with(&arguments.only)).collect();
    if knobs.is_empty() {
        bail!("no knob's name begins with {:?}", arguments.only);
    }
    let mut bench = Bench { place: &place, folder, arguments: &arguments, figures: BTreeMap::new() };
    for number in 0..arguments.rounds {
        eprintln!("round {} of {}", number + 1, arguments.rounds);
        for &knob in &knobs {
            for &kind in knob.kinds.iter().filter(|kind| kind.missing().is_none()) {
                for (index, value) in knob.values.iter().enumerate() {
                    if !arguments.quick || index == 0 || index + 1 == knob.values.len() {
                        bench.run(knob, kind, value)?;
                    }
                }
            }
        }
    }
    bench.report(&knobs);
    Ok(())
}

/// Case, path and metric.
type Name = (String, &'static str, &'static str);

struct Bench<'a> {
    place: &'a Place,
    folder: PathBuf,
    arguments: &'a Arguments,
    /// A value a round.
    figures: BTreeMap<Name, Vec<f64>>,
}

impl Bench<'_> {
    fn options(&self, knob: &Knob, value: &str) -> SensorOptions {
        let mut options = SensorOptions { state: Some(self.folder.clone()), ..SensorOptions::default() };
        let key = knob.name.split('.').next_back().unwrap_or_default();
        let (generator, server) = (self.place.generator, self.place.server);
        let quoted = if value.parse::<u32>().is_ok() { value.to_owned() } else { format!("{value:?}") };
        match (knob.table, value) {
            ("listen", "beside the writer") => {}
            ("listen", "the writer elsewhere") => {
                options.every_core = true;
                options.listen = format!("cores = [{server}]");
            }
            ("listen", "beside the load") => {
                options.every_core = true;
                options.listen = format!("cores = [{generator}]");
            }
            ("listen", _) => options.listen = format!("{key} = {quoted}"),
            (table, _) => options.lines = format!("[{table}]\n{key} = {quoted}"),
        }
        options
    }

    /// A new sensor and one load on it.
    fn run(&mut self, knob: &'static Knob, kind: Kind, value: &str) -> anyhow::Result<()> {
        let case = format!("{} {value}", knob.name);
        let peer = Peer::start(self.place, kind, &self.options(knob, value)).context(case.clone())?;
        let duration = Duration::from_secs_f64(self.arguments.seconds);
        let (pace, mix) = match knob.load {
            Load::Offered => (Pace::open(self.arguments.rate), Mix::default()),
            Load::Storm => {
                let storm_at_ns = duration.as_nanos() as u64 / 2;
                let pace = Pace::Open { rate: BESIDE_THE_STORM, storm: STORM, storm_at_ns };
                (pace, Mix { storm: STORM, ..Mix::default() })
            }
        };
        let done = Round::new(self.place, By::default(), &mix).against(&peer, pace, duration, None)?;
        if let Some(fault) = done.report.fault() {
            bail!("{case}, {}: {fault}", kind.name());
        }
        let metrics = peer.metrics()?;
        let commits = metrics.sum("vpn_sensor_journal_commit_seconds_count", &[]).max(1);
        let records = metrics.records();
        self.add(&case, kind, &done, records as f64 / commits as f64);
        Ok(())
    }

    fn add(&mut self, case: &str, kind: Kind, done: &Done, records_per_commit: f64) {
        let report = &done.report;
        let answered = report.answered.max(1) as f64;
        for (metric, value) in [
            ("latency_p50", report.latency_ns(50.0)),
            ("latency_p99", report.latency_ns(99.0)),
            // On the sensor's threads; what the kernel does in interrupts is the same for all values.
            ("cpu_per_request", done.threads_ns / answered),
            ("requests_per_second", report.answered_per_second()),
            ("records_per_commit", records_per_commit),
            ("lost", report.lost_percent()),
            ("others_share_of_a_core", done.spent.others_ns / done.spent.wall_ns),
        ] {
            self.figures.entry((case.to_owned(), kind.name(), metric)).or_default().push(value);
        }
        if report.storm > 0 {
            let storm = &report.storm_latency;
            for (metric, percentile) in [("storm_latency_p50", 50.0), ("storm_latency_p99", 99.0)] {
                let value = storm.value_at_percentile(percentile) as f64;
                self.figures.entry((case.to_owned(), kind.name(), metric)).or_default().push(value);
            }
        }
    }

    fn report(&self, knobs: &[&Knob]) {
        for &kind in BOTH {
            kind.can_run("knobs", "everything");
        }
        for knob in knobs {
            let baseline = format!("{} {}", knob.name, knob.values[0]);
            for ((case, path, metric), values) in &self.figures {
                let of_this = knob.values.iter().any(|value| *case == format!("{} {value}", knob.name));
                if !of_this {
                    continue;
                }
                let unit = match *metric {
                    "requests_per_second" => "1/s",
                    "lost" => "%",
                    "records_per_commit" | "others_share_of_a_core" => "1",
                    _ => "ns",
                };
                let mut measurement = Measurement::new("knobs", case, path, metric, unit, values);
                let compared = unit == "ns" && *case != baseline;
                if let Some(before) = self.figures.get(&(baseline.clone(), path, metric)).filter(|_| compared)
                {
                    let ratios: Vec<f64> =
                        before.iter().zip(values).map(|(before, after)| before / after).collect();
                    measurement = measurement.against(&baseline, &ratios);
                }
                measurement.report();
            }
        }
    }
}
