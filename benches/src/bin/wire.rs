//! `cargo xtask bench wire`: the sensor on either path, a bare echo, and FreeRADIUS with and without its `detail` file, on
//! the same veth with the same load in the same run, in turn.
//!
//! Each server runs alone, on a processor of its own, in short rounds: once by the clock at a rate that all of them
//! sustain, for cost and latency, and once in a closed loop, for throughput. The cost is the whole machine's time less
//! what the generator spends on the same load against a host that drops everything ([`benches::place::Target`]), less
//! what other programs used; the time of the server's own threads is shown beside it.
#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::ensure;
use benches::{
    load::{Mix, Pace},
    machine,
    measure::Measurement,
    peers::{Kind, Peer, SensorOptions},
    place::{self, By, Place},
    round::{Done, Round},
};
use clap::Parser;

/// The generator's pause between looks, where its processor's idle time is measured: long enough that the pauses cost
/// little, short enough that a burst is a few requests at the common rate.
const REST: Duration = Duration::from_micros(200);
/// The same in a closed loop, where a pause must not be what limits the throughput: 192 requests in 50 us are 4
/// million a second.
const SHORT_REST: Duration = Duration::from_micros(50);
/// Others' share of one processor that is put up with, and how long is waited for a machine that is quieter.
const OTHERS: f64 = 0.05;
const PATIENCE: Duration = Duration::from_secs(4);
/// A processor that is idle for less of the time is what limits.
const BUSY: f64 = 0.97;

#[derive(Parser)]
#[command(name = "wire", about = "The sensor beside FreeRADIUS and a bare echo on the same wire", version)]
struct Arguments {
    /// Rounds, each with every server in turn
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Length of each run
    #[arg(long, default_value_t = 0.8)]
    seconds: f64,
    /// The rate at which costs are compared: one that FreeRADIUS with its detail file sustains
    #[arg(long, default_value_t = 10_000.0)]
    rate: f64,
    /// Requests under way at once in the closed loop; many more find no room in a veth, which holds 256 less what it has
    /// not cleared yet, or in the receive buffer that FreeRADIUS has
    #[arg(long, default_value_t = 192, value_parser = clap::value_parser!(u32).range(1..=16_384))]
    window: u32,
    /// What the traffic is made of, as for `load`, but for storm=
    #[arg(long, default_value = "", hide_default_value = true, value_parser = Mix::calm)]
    mix: Mix,
    /// How the generator sends
    #[arg(long, value_enum, default_value_t)]
    by: By,
    /// Two short rounds: to see that everything works
    #[arg(long)]
    quick: bool,
}

/// The runs of one server.
#[derive(Default)]
struct Runs {
    /// By the clock.
    steady: Loop,
    /// In the closed loop.
    full: Loop,
    /// What held up each run of the closed loop.
    limits: Vec<Limit>,
    /// Why it was not measured to the end.
    failed: Option<String>,
}

/// Whose processor was busy throughout a run, so that nothing more could come of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    Generator,
    Server,
    Both,
    /// The number of requests under way, and how long each takes.
    Neither,
}

impl Limit {
    const ALL: [Limit; 4] = [Limit::Generator, Limit::Server, Limit::Both, Limit::Neither];

    /// From the shares of the time that their processors were busy, 0 to 1.
    fn of(generator: f64, server: f64) -> Limit {
        match (generator > BUSY, server > BUSY) {
            (true, false) => Limit::Generator,
            (false, true) => Limit::Server,
            (true, true) => Limit::Both,
            (false, false) => Limit::Neither,
        }
    }

    /// The one of most of the runs.
    fn of_most(runs: &[Limit]) -> Limit {
        let count = |limit: &Limit| runs.iter().filter(|it| *it == limit).count();
        Limit::ALL.into_iter().max_by_key(count).unwrap_or(Limit::Neither)
    }

    fn name(self) -> &'static str {
        match self {
            Limit::Generator => "the generator",
            Limit::Server => "the server",
            Limit::Both => "both sides",
            Limit::Neither => "neither side",
        }
    }
}

/// A figure a run.
#[derive(Default)]
struct Loop {
    rate: Vec<f64>,
    machine: Vec<f64>,
    threads: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    p999: Vec<f64>,
    max: Vec<f64>,
    lost: Vec<f64>,
    others: Vec<f64>,
}

impl Loop {
    /// `generator_ns`: what the generator spends on a datagram.
    fn add(&mut self, done: &Done, generator_ns: f64) {
        let report = &done.report;
        let answered = report.answered.max(1) as f64;
        let generator = generator_ns * report.datagrams() as f64;
        self.rate.push(report.answered_per_second());
        self.machine.push((done.spent.ours_ns() - generator) / answered);
        self.threads.push(done.threads_ns / answered);
        self.p50.push(report.latency_ns(50.0));
        self.p99.push(report.latency_ns(99.0));
        self.p999.push(report.latency_ns(99.9));
        self.max.push(report.latency_ns(100.0));
        self.lost.push(report.lost_percent());
        self.others.push(done.spent.others_ns / done.spent.wall_ns);
    }
}

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    if !place::enter("wire")? {
        return Ok(());
    }
    place::raise_file_limit()?;
    if arguments.quick {
        (arguments.rounds, arguments.seconds) = (1, 0.4);
    }
    let place = Place::new(arguments.mix.sources)?;
    let mut bench = Bench {
        round: Round::new(&place, arguments.by, &arguments.mix),
        runs: Kind::ALL.map(|_| Runs::default()).into(),
        arguments: &arguments,
        place: &place,
    };
    for number in 0..arguments.rounds {
        eprint!("round {} of {}\r", number + 1, arguments.rounds);
        for (index, kind) in Kind::ALL.into_iter().enumerate() {
            if kind.missing().is_none() && bench.runs[index].failed.is_none() {
                // The others can be measured without it.
                bench.runs[index].failed = bench.measure(index, kind).err().map(|error| format!("{error:#}"));
            }
        }
    }
    bench.report();
    let failed = Kind::ALL.into_iter().zip(&bench.runs);
    let failed: Vec<_> = failed
        .filter_map(|(kind, runs)| Some(format!("{}: {}", kind.name(), runs.failed.as_ref()?)))
        .collect();
    ensure!(failed.is_empty(), "{}", failed.join("; "));
    Ok(())
}

struct Bench<'a> {
    arguments: &'a Arguments,
    place: &'a Place,
    round: Round<'a>,
    runs: Vec<Runs>,
}

impl Bench<'_> {
    /// One server's part of a round.
    fn measure(&mut self, index: usize, kind: Kind) -> anyhow::Result<()> {
        let duration = Duration::from_secs_f64(self.arguments.seconds);
        let steady = Pace::open(self.arguments.rate);
        let closed = Pace::Closed { window: self.arguments.window };
        if !self.arguments.quick {
            machine::wait_for_quiet(OTHERS, PATIENCE)?;
        }
        let peer = Peer::start(self.place, kind, &SensorOptions::default())?;
        // Caches, buffers and FreeRADIUS' threads.
        self.round.against(&peer, steady, duration / 4, Some(REST))?;
        let by_clock = self.round.against(&peer, steady, duration, Some(REST))?;
        let full = self.round.against(&peer, closed, duration, Some(SHORT_REST))?;
        drop(peer);
        let runs = &mut self.runs[index];
        for done in [&by_clock, &full] {
            if let Some(fault) = done.report.fault() {
                anyhow::bail!("{fault}");
            }
        }
        // The same loads, with nobody there. The closed loop's is one by the clock, at the rate that came of it.
        let alone = self.round.against_nobody(steady, duration, Some(REST))?;
        runs.steady.add(&by_clock, cost(&alone));
        let reached = Pace::open(full.report.sent_per_second());
        let alone = self.round.against_nobody(reached, duration / 2, Some(SHORT_REST))?;
        runs.full.add(&full, cost(&alone));
        let share = |core| full.spent.share(core);
        runs.limits.push(Limit::of(share(self.place.generator), share(self.place.server)));
        Ok(())
    }

    fn report(&self) {
        let rate = format!("{} a second", self.arguments.rate);
        let window = format!("window {}", self.arguments.window);
        for (kind, runs) in Kind::ALL.into_iter().zip(&self.runs) {
            if !kind.can_run("wire", &rate) {
                continue;
            }
            if let Some(reason) = &runs.failed {
                Measurement::missing("wire", &rate, kind.name(), reason).report();
                continue;
            }
            for (case, figures, of) in
                [(&rate, &runs.steady, steady_of as fn(&Runs) -> &Loop), (&window, &runs.full, full_of)]
            {
                let say = |metric: &str, unit: &str, values: &[f64]| {
                    Measurement::new("wire", case, kind.name(), metric, unit, values)
                };
                let mut rate = say("requests_per_second", "1/s", &figures.rate);
                // By the clock the rate is what was asked for.
                if *case == window {
                    rate = rate.limited_by(Limit::of_most(&runs.limits).name());
                }
                for measurement in self.compared(rate, of, false) {
                    measurement.report();
                }
                for measurement in self.compared(say("cpu_per_request", "ns", &figures.machine), of, true) {
                    measurement.report();
                }
                say("thread_time_per_request", "ns", &figures.threads).report();
                say("latency_p50", "ns", &figures.p50).report();
                say("latency_p99", "ns", &figures.p99).report();
                say("latency_p99.9", "ns", &figures.p999).report();
                say("latency_max", "ns", &figures.max).report();
                say("lost", "%", &figures.lost).report();
                // How much to believe of the rest.
                say("others_share_of_a_core", "1", &figures.others).report();
            }
            for (metric, limit) in
                [("limited_by_generator", Limit::Generator), ("limited_by_server", Limit::Server)]
            {
                let rounds = runs.limits.iter().filter(|it| **it == limit).count();
                let share = rounds as f64 / runs.limits.len().max(1) as f64;
                Measurement::new("wire", &window, kind.name(), metric, "1", &[share]).report();
            }
        }
    }

    /// The figure as it is and against each server that it is to be compared with, round by round.
    fn compared(&self, figure: Measurement, of: fn(&Runs) -> &Loop, cost: bool) -> Vec<Measurement> {
        let values = |runs: &Runs| {
            let figures = of(runs);
            if cost { figures.machine.clone() } else { figures.rate.clone() }
        };
        let Some(own) = Kind::ALL.into_iter().position(|kind| kind.name() == figure.path) else {
            return vec![figure];
        };
        let mine = values(&self.runs[own]);
        let mut all = Vec::new();
        for baseline in [Kind::FreeRadiusDetail, Kind::Echo] {
            let theirs = Kind::ALL.into_iter().position(|kind| kind == baseline);
            let theirs = theirs.filter(|&index| self.runs[index].failed.is_none());
            let theirs = theirs.map(|index| values(&self.runs[index])).unwrap_or_default();
            if theirs.is_empty() || baseline.name() == figure.path {
                continue;
            }
            let pairs = mine.iter().zip(&theirs);
            let ratios: Vec<f64> =
                pairs.map(|(mine, theirs)| if cost { theirs / mine } else { mine / theirs }).collect();
            all.push(figure.clone().against(baseline.name(), &ratios));
        }
        if all.is_empty() { vec![figure] } else { all }
    }
}

fn steady_of(runs: &Runs) -> &Loop {
    &runs.steady
}

fn full_of(runs: &Runs) -> &Loop {
    &runs.full
}

/// What a datagram cost the generator.
fn cost(done: &Done) -> f64 {
    done.spent.ours_ns() / done.report.datagrams().max(1) as f64
}
