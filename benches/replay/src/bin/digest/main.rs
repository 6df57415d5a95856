//! Bench `digest`: what an authenticator costs, by path, by size and by batch, against the crate `md-5` one by one on
//! the same packets in the same rounds. The rounds of each case are spread over the whole run, so that a busy phase of
//! the machine is felt by all alike; `speedup` compares best deciles, sweep by sweep.
#![forbid(unsafe_code)]

mod work;

use std::{
    hint::black_box,
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
    time::Instant,
};

use clap::Parser;
use md5_lanes::{Lanes, Path};
use replay::measure::{Measurement, interleaved, quantile};
use work::{Kind, PACKETS, Packets, Work};

/// What everything is compared with.
const BASELINE: &str = "md-5";

/// Measure digests by path, size and batch
#[derive(Parser)]
struct Arguments {
    /// Fewer rounds: about 20 seconds instead of 150
    #[arg(long)]
    quick: bool,
}

/// The batches that are compared with each other: one message, some lanes of a vector, all of one (8, 16), of all that are
/// interleaved (24, 64), and a worker's bursts and more.
const BATCHES: [usize; 15] = [1, 2, 3, 4, 8, 12, 16, 24, 32, 64, 128, 256, 1024, 2048, LARGEST];
const LARGEST: usize = 4096;

struct Case {
    name: String,
    batch: usize,
    packets: Packets,
    /// Nanoseconds a packet in each round: the baseline, then each path.
    runs: Vec<Vec<f64>>,
    /// How many times faster than the baseline each of these is, by the best decile of each sweep.
    speedups: Vec<Vec<f64>>,
}

impl Case {
    fn new(name: &str, batch: usize, packets: Packets) -> Case {
        Case::named(format!("{name}, batch {batch}"), batch, packets)
    }

    fn named(name: String, batch: usize, packets: Packets) -> Case {
        Case { name, batch, packets, runs: Vec::new(), speedups: Vec::new() }
    }

    /// So many rounds more; fewer of a case with more packets.
    fn measure(&mut self, rounds: usize, lanes: &mut [Lanes]) {
        let rounds = (rounds * PACKETS / self.packets.len()).max(1);
        let (batch, packets) = (self.batch, &self.packets);
        let mut buffers = vec![packets.octets.clone(); lanes.len()];
        let mut works: Vec<_> =
            lanes.iter().zip(&mut buffers).map(|(_, buffer)| Work::new(packets, buffer)).collect();
        let mut one_by_one = || packets.one_by_one();
        let mut paths: Vec<_> = works
            .iter_mut()
            .zip(lanes)
            .map(|(work, lanes)| move || black_box(&mut *work).run(batch, lanes))
            .collect();
        let mut candidates: Vec<&mut dyn FnMut()> = vec![&mut one_by_one];
        candidates.extend(paths.iter_mut().map(|path| path as &mut dyn FnMut()));
        // The first round warms up: caches, and the clock that wide registers may change.
        interleaved(1, packets.len(), &mut candidates);
        let runs = interleaved(rounds, packets.len(), &mut candidates);
        self.runs.resize_with(runs.len(), Vec::new);
        self.speedups.resize_with(runs.len(), Vec::new);
        // Of the best decile each: a pair of which the other half was interrupted says nothing.
        let best: Vec<_> = runs.iter().map(|runs| quantile(runs, 0.1)).collect();
        for (all, this) in self.speedups.iter_mut().zip(&best) {
            all.push(best[0] / this);
        }
        for (all, runs) in self.runs.iter_mut().zip(runs) {
            all.extend(runs);
        }
    }

    fn report(&self, lanes: &[Lanes], gigahertz: f64) {
        let names = std::iter::once(BASELINE).chain(lanes.iter().map(|lanes| lanes.path().name()));
        for ((name, runs), ratios) in names.zip(&self.runs).zip(&self.speedups) {
            let time = Measurement::new("digest", &self.name, name, "time_per_request", "ns", runs);
            time.against(BASELINE, ratios).report();
            let cycles: Vec<_> = runs.iter().map(|ns| ns * gigahertz).collect();
            Measurement::new("digest", &self.name, name, "cycles_per_request", "1", &cycles).report();
            if name != BASELINE {
                Measurement::new("digest", &self.name, name, "speedup", "1", ratios).report();
            }
        }
    }
}

fn cases() -> Result<Vec<Case>, radius::build::BuildError> {
    let sixteen = |_| 16;
    // Steps without a common divisor: neighbours differ, and every length comes.
    let mixed = |n: usize| 120 + n * 97 % 281;
    let secrets = |n: usize| 8 + n * 23 % 57;
    let mut cases = Vec::new();
    for length in [64, 128, 200, 256, 400, 1000] {
        let packets = Packets::requests(Kind::Requests, PACKETS, |_| length, sixteen)?;
        cases.push(Case::new(&format!("{length} octets"), 1024, packets));
    }
    cases.push(Case::new("mixed octets", 1024, Packets::requests(Kind::Requests, PACKETS, mixed, secrets)?));
    for batch in [16, 64, 256] {
        cases.push(Case::new(
            "200 octets",
            batch,
            Packets::requests(Kind::Requests, PACKETS, |_| 200, sixteen)?,
        ));
        cases.push(Case::new(
            "mixed octets",
            batch,
            Packets::requests(Kind::Requests, PACKETS, mixed, secrets)?,
        ));
    }
    for batch in [64, 1024] {
        cases.push(Case::new("response of 20 octets", batch, Packets::responses(secrets)));
        let packets = Packets::requests(Kind::Messages, PACKETS, |_| 200, sixteen)?;
        cases.push(Case::new("message authenticator of 200 octets", batch, packets));
    }
    // From one lane of the narrowest vector to many times all lanes of the widest, over the same memory.
    for batch in BATCHES {
        let packets = Packets::requests(Kind::Requests, LARGEST, |_| 200, sixteen)?;
        cases.push(Case::named(format!("{batch} a batch of 200 octets"), batch, packets));
    }
    Ok(cases)
}

/// The clock in cycles per nanosecond, from a chain in which every multiplication (3 cycles) and addition (1) waits for
/// the one before: the time stamp counter runs at a rate of its own. The best of many, since others may interrupt.
fn gigahertz() -> f64 {
    const LINKS: u64 = 100_000;
    let chains = (0..50).map(|_| {
        let began = Instant::now();
        let mut value = black_box(3_u64);
        for _ in 0..LINKS {
            value = value.wrapping_mul(value).wrapping_add(0x1234_5677);
        }
        black_box(value);
        began.elapsed().as_nanos() as f64
    });
    (4 * LINKS) as f64 / quantile(&chains.collect::<Vec<_>>(), 0.0)
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let mut lanes: Vec<Lanes> = Path::ALL.into_iter().filter_map(|path| Lanes::new(path).ok()).collect();
    let mut cases = cases().map_err(|error| format!("the packets could not be built: {error}"))?;
    for case in &cases {
        for lanes in &mut lanes {
            case.packets.check(case.batch, lanes).map_err(|error| format!("{}: {error}", case.name))?;
        }
    }
    let (sweeps, rounds) = if arguments.quick { (5, 50) } else { (30, 60) };
    let progress = std::io::stderr().is_terminal();
    let mut clock = gigahertz();
    for sweep in 0..sweeps {
        for (number, case) in cases.iter_mut().enumerate() {
            if progress {
                eprint!("\rsweep {} of {sweeps}, case {number:<3}", sweep + 1);
                let _ = std::io::stderr().flush();
            }
            case.measure(rounds, &mut lanes);
        }
        clock = clock.max(gigahertz());
    }
    if progress {
        eprint!("\r{:40}\r", "");
    }
    Measurement::new("digest", "clock", "chain", "frequency", "1/s", &[clock * 1e9]).report();
    for case in &cases {
        case.report(&lanes, clock);
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("digest: {error}");
            ExitCode::FAILURE
        }
    }
}
