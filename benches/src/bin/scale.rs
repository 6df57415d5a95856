//! The bench `scale`: what a request costs on one core against the number of clients, of requests remembered, of workers,
//! of frames that arrive at once, and of its octets; and the two look-ups that could grow with these numbers by themselves.
#![forbid(unsafe_code)]

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use benches::{
    alone::{Lookup, Remembered},
    disk,
    measure::{Measurement, speedups},
    replay::{FrameOptions, Frames, MemorySource, Placement, Replay, clients},
};
use clap::Parser;
use ingest::{Ingest, IngestOptions, capture::BURST, pin, verdict::Verdict};
use journal::{Options, RealStorage, Retention};

/// The product's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(
    about = "Cost a request against clients, remembered requests, workers, burst and packet size",
    version
)]
struct Arguments {
    /// Fewer and shorter runs
    #[arg(long)]
    quick: bool,
    /// A folder on a memory file system; by default one of our own is mounted (as root), else /dev/shm is taken
    #[arg(long, value_name = "DIR")]
    memory: Option<PathBuf>,
    /// Where it is.
    #[arg(skip)]
    folder: PathBuf,
}

impl Arguments {
    /// How many clients there are in each case.
    fn clients(&self) -> &'static [usize] {
        if self.quick { &[1, 1000, 100_000] } else { &[1, 10, 100, 1000, 10_000, 100_000] }
    }

    /// How often each case is run, and with how many requests.
    fn rounds(&self) -> (usize, u64) {
        if self.quick { (5, 50_000) } else { (25, 100_000) }
    }
}

/// One value of what is varied, ready to run.
struct Case {
    name: String,
    replay: Replay,
    _folder: tempfile::TempDir,
}

/// Frames enough that each of 100,000 clients has one, whatever their number is: so that all cases read the same memory.
const FRAMES: usize = 100_000;

/// Requests of a worker that may wait for their answers: what some commits' time brings, and an eighth of what its 64
/// batches hold, so that none is overload.
const WINDOW: u64 = 8 * BURST as u64;

impl Case {
    fn new(
        arguments: &Arguments,
        name: String,
        frames: &FrameOptions,
        options: &IngestOptions,
    ) -> anyhow::Result<Case> {
        let folder = tempfile::tempdir_in(&arguments.folder)?;
        let replay = Replay::new(folder.path(), clients(frames.clients)?, Frames::build(frames)?, options)?;
        Ok(Case { name, replay, _folder: folder })
    }

    /// Has the duplicate table hold so many others from now on.
    fn remember(&mut self, count: u64) -> anyhow::Result<()> {
        self.replay.remember(count);
        ensure!(
            self.replay.remembered() as u64 >= count - count / 100,
            "the table does not hold {count} requests"
        );
        Ok(())
    }
}

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    arguments.folder = disk::memory_folder(arguments.memory.clone())?;
    let cores: Vec<usize> = pin::Topology::read()?.cores().collect();
    let _ = pin::pin_current(cores.last().copied().unwrap_or_default());
    // First, and the tables kept meanwhile: nothing that was freed hides what clients and tables take.
    let tables = remembered(&arguments)?;
    lookups(&arguments)?;
    drop(tables);
    let usual = FrameOptions { count: FRAMES, placement: Placement::Packed, ..FrameOptions::default() };
    let options = IngestOptions::default();

    let mut cases = Vec::new();
    for &count in arguments.clients() {
        let frames = FrameOptions { clients: count, ..usual.clone() };
        cases.push(Case::new(&arguments, format!("{count} clients"), &frames, &options)?);
    }
    report(&arguments, "clients", &mut cases)?;

    let counts: &[u64] =
        if arguments.quick { &[0, 10_000_000] } else { &[0, 1000, 100_000, 1_000_000, 10_000_000] };
    let mut cases = Vec::new();
    for &count in counts {
        let options = IngestOptions {
            // The same room for all: what differs is what is in it, and that it is remembered throughout.
            duplicate_entries: 1 << 24,
            duplicate_window: Duration::from_secs(300),
            ..IngestOptions::default()
        };
        let mut case = Case::new(&arguments, format!("{count} remembered"), &usual, &options)?;
        case.remember(count)?;
        cases.push(case);
    }
    // A table that lies in the second-level cache: what ten millions are compared with. In a smaller one some bucket is
    // full of what is on its way between two commits.
    let small = IngestOptions { duplicate_entries: 1 << 16, ..IngestOptions::default() };
    cases.insert(0, Case::new(&arguments, "table of 65536".to_owned(), &usual, &small)?);
    report(&arguments, "remembered requests", &mut cases)?;
    drop(cases);
    few_and_many(&arguments, &usual, &small)?;

    let mut cases = Vec::new();
    for burst in [1, 4, 16, 64, 128, 256] {
        let mut case = Case::new(&arguments, format!("{burst} a burst"), &FrameOptions::default(), &options)?;
        case.replay.set_burst(burst);
        case.replay.set_bursts_per_commit(2048 / burst);
        cases.push(case);
    }
    report(&arguments, "burst", &mut cases)?;

    let mut cases = Vec::new();
    for length in [64, 128, 200, 400, 800, 1400] {
        let frames = FrameOptions { length: Some(length), ..FrameOptions::default() };
        cases.push(Case::new(&arguments, format!("{length} octets"), &frames, &options)?);
    }
    report(&arguments, "octets", &mut cases)?;

    workers(&arguments, &cores)
}

/// Who a request's client is, by itself: no frame, no digest, no journal.
fn lookups(arguments: &Arguments) -> anyhow::Result<()> {
    let cases = arguments.clients().iter().map(|&count| Ok((count as u64, Lookup::new(count)?)));
    let mut cases = cases.collect::<anyhow::Result<Vec<_>>>()?;
    alone(arguments, "clients", "lookup alone", &mut cases, Lookup::run)?;
    let (count, lookup) = cases.last().context("a case")?;
    let each = [lookup.octets_each()];
    Measurement::new("scale", &format!("{count} clients"), "lookup alone", "bytes_each", "B", &each).report();
    Ok(())
}

/// Whether a request is remembered, by itself.
fn remembered(arguments: &Arguments) -> anyhow::Result<Vec<(u64, Remembered)>> {
    let counts: &[u64] =
        if arguments.quick { &[1000, 1_000_000] } else { &[1000, 100_000, 1_000_000, 10_000_000] };
    let cases = counts.iter().map(|&count| Ok((count, Remembered::new(count)?)));
    let mut cases = cases.collect::<anyhow::Result<Vec<_>>>()?;
    alone(arguments, "remembered", "duplicates alone", &mut cases, Remembered::run)?;
    let (count, table) = cases.last().context("a case")?;
    let (case, each) = (format!("{count} remembered"), [table.octets_each()]);
    Measurement::new("scale", &case, "duplicates alone", "bytes_each", "B", &each).report();
    Ok(cases)
}

/// Runs them in turn and compares each with the first.
fn alone<T>(
    arguments: &Arguments,
    what: &str,
    path: &str,
    cases: &mut [(u64, T)],
    run: impl Fn(&mut T, usize) -> anyhow::Result<f64>,
) -> anyhow::Result<()> {
    let (rounds, requests) = arguments.rounds();
    let mut runs = vec![Vec::new(); cases.len()];
    // The first round fills the caches.
    for round in 0..=rounds {
        for ((_, case), runs) in cases.iter_mut().zip(&mut runs) {
            let ns = run(case, requests as usize)?;
            if round > 0 {
                runs.push(ns);
            }
        }
    }
    let names: Vec<_> = cases.iter().map(|(count, _)| format!("{count} {what}")).collect();
    for (name, times) in names.iter().zip(&runs) {
        Measurement::new("scale", name, path, "time_per_request", "ns", times)
            .against(&names[0], &speedups(&runs[0], times))
            .report();
    }
    Ok(())
}

/// Clients and remembered requests together: a sensor that has much of both, against one that has next to nothing and a
/// table to match.
fn few_and_many(arguments: &Arguments, usual: &FrameOptions, small: &IngestOptions) -> anyhow::Result<()> {
    let large = IngestOptions {
        duplicate_entries: 1 << 24,
        duplicate_window: Duration::from_secs(300),
        ..IngestOptions::default()
    };
    let mut cases = Vec::new();
    for (count, remembered, options) in [(1, 1000, small), (100_000, 10_000_000, &large)] {
        let name = format!("{count} and {remembered}");
        let frames = FrameOptions { clients: count, ..usual.clone() };
        let mut case = Case::new(arguments, name, &frames, options)?;
        case.remember(remembered)?;
        cases.push(case);
    }
    let runs = in_turn(arguments, &mut cases)?;
    let few = cases.first().map(|case| case.name.clone()).context("a case")?;
    for (case, times) in cases.iter().zip(&runs) {
        let what = "clients and remembered requests";
        let mut measured = Measurement::new("scale", what, &case.name, "time_per_request", "ns", times);
        if case.name != few {
            measured = measured.against(&few, &speedups(&runs[0], times));
        }
        measured.report();
    }
    Ok(())
}

/// Runs the cases in turn and compares each with the first.
fn report(arguments: &Arguments, what: &str, cases: &mut [Case]) -> anyhow::Result<()> {
    let runs = in_turn(arguments, cases)?;
    let baseline = cases.first().map(|case| case.name.clone()).context("a case")?;
    for (case, times) in cases.iter().zip(&runs) {
        Measurement::new("scale", &case.name, what, "time_per_request", "ns", times)
            .against(&baseline, &speedups(&runs[0], times))
            .report();
    }
    Ok(())
}

/// Nanoseconds a request of each case, a value a round.
fn in_turn(arguments: &Arguments, cases: &mut [Case]) -> anyhow::Result<Vec<Vec<f64>>> {
    let (rounds, requests) = arguments.rounds();
    let mut runs = vec![Vec::new(); cases.len()];
    for case in &mut *cases {
        case.replay.check(1)?;
    }
    for _ in 0..rounds {
        for (case, runs) in cases.iter_mut().zip(&mut runs) {
            runs.push(case.replay.run(requests)?.ns_per_request());
        }
    }
    Ok(runs)
}

/// Workers on their own threads, as many as there are cores, with one journal and its writer's thread between them: the
/// rate of all together.
fn workers(arguments: &Arguments, cores: &[usize]) -> anyhow::Result<()> {
    let (rounds, requests) = if arguments.quick { (3, 100_000) } else { (15, 400_000) };
    let mut rates = vec![Vec::new(); cores.len()];
    for _ in 0..rounds {
        for (rates, count) in rates.iter_mut().zip(1..) {
            rates.push(together(arguments, &cores[cores.len() - count..], requests)?);
        }
    }
    for (all, count) in rates.iter().zip(1..) {
        // Of rates this / baseline: how many times one worker's.
        let ratios = speedups(all, &rates[0]);
        let case = format!("{count} workers");
        Measurement::new("scale", &case, "workers", "requests_per_second", "1/s", all)
            .against("1 workers", &ratios)
            .report();
    }
    Ok(())
}

fn together(arguments: &Arguments, cores: &[usize], requests: u64) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir_in(&arguments.folder)?;
    let options = Options {
        retention: Retention { max_bytes: 256 << 20, free_reserve_bytes: 0, ..Retention::default() },
        ..Options::default()
    };
    let mut opened = journal::open(RealStorage::create(folder.path())?, options)
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut ingest = Ingest::new(clients(1000)?, opened.handle.clone(), &IngestOptions::default());
    for (number, core) in cores.iter().enumerate() {
        let frames = Frames::build(&FrameOptions { seed: number as u64, ..FrameOptions::default() })?;
        let source = MemorySource::running(frames, requests, WINDOW);
        ingest.spawn_worker(&format!("bench-{number}"), Some(*core), source, &mut opened.writer)?;
    }
    let all = requests * cores.len() as u64;
    let accepted = |ingest: &Ingest| {
        ingest.snapshot().iter().map(|worker| worker.verdict(Verdict::Accepted)).sum::<u64>()
    };
    let began = Instant::now();
    let writer = thread::Builder::new().name("journal".to_owned()).spawn(move || opened.writer.run())?;
    let mut done = 0;
    while done < all && began.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(1));
        done = accepted(&ingest);
    }
    let elapsed = began.elapsed().as_secs_f64();
    for ended in ingest.stop() {
        ended.result?;
    }
    opened.handle.stop();
    ensure!(writer.join().is_ok(), "the journal's writer panicked");
    ensure!(
        done == all,
        "of {all} requests {done} were accepted: the rest was overload, which is no part of a rate"
    );
    Ok(done as f64 / elapsed)
}
