//! `cargo xtask bench memory`: the sensor's resident memory under rising load, under overload, and over time.
#![forbid(unsafe_code)]

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use anyhow::Context as _;
use benches::{
    load::{Mix, Pace},
    machine,
    measure::Measurement,
    peers::{Kind, Peer, SensorOptions},
    place::{self, By, Place},
    round::{Done, Round},
};
use clap::Parser;

/// Requests under way at once in the closed loop that finds the throughput, as for `wire`.
const WINDOW: u32 = 192;
/// Points of the line that shows memory over time.
const TENTHS: usize = 10;
/// How often memory is looked at.
const INTERVAL: Duration = Duration::from_millis(50);

#[derive(Parser)]
#[command(name = "memory", about = "Resident memory against load and time", version)]
struct Arguments {
    /// Length of each step
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Length of the steady load at the end, half of what the sensor can take
    #[arg(long, default_value_t = 30.0)]
    steady: f64,
    /// Steps, per cent of the throughput of a closed loop; above 100 is overload
    #[arg(long, value_delimiter = ',', default_values_t = [10.0, 50.0, 90.0, 200.0])]
    steps: Vec<f64>,
    /// What the traffic is made of, as for `load`, but for storm=
    #[arg(long, default_value = "", hide_default_value = true, value_parser = Mix::calm)]
    mix: Mix,
    /// Short steps: to see that everything works
    #[arg(long)]
    quick: bool,
}

fn main() -> anyhow::Result<()> {
    let mut arguments = Arguments::parse();
    if !place::enter("memory")? {
        return Ok(());
    }
    place::raise_file_limit()?;
    if arguments.quick {
        (arguments.seconds, arguments.steady) = (0.5, 2.0);
    }
    let place = Place::new(arguments.mix.sources)?;
    for kind in [Kind::SensorXdp, Kind::SensorUdp] {
        if !kind.can_run("memory", "everything") {
            continue;
        }
        measure(&place, kind, &arguments).with_context(|| kind.name().to_owned())?;
    }
    Ok(())
}

fn measure(place: &Place, kind: Kind, arguments: &Arguments) -> anyhow::Result<()> {
    let peer = Peer::start(place, kind, &SensorOptions::default())?;
    let pid = peer.pid().context("the sensor is a process")?;
    let say = |case: &str, metric: &str, unit: &str, values: &[f64]| {
        Measurement::new("memory", case, kind.name(), metric, unit, values).report();
    };
    say("idle", "resident", "B", &[machine::resident(pid)?.0 as f64]);
    let mut round = Round::new(place, By::default(), &arguments.mix);
    let step = Duration::from_secs_f64(arguments.seconds);
    let closed = format!("window {WINDOW}");
    let (done, samples) = watched(pid, || round.against(&peer, Pace::Closed { window: WINDOW }, step, None))?;
    let saturation = done.report.answered_per_second();
    say(&closed, "resident", "B", &samples);
    say(&closed, "requests_per_second", "1/s", &[saturation]);
    for &percent in &arguments.steps {
        let case = format!("{percent} % of saturation");
        let pace = Pace::open(saturation * percent / 100.0);
        let (done, samples) = watched(pid, || round.against(&peer, pace, step, None))?;
        say(&case, "resident", "B", &samples);
        say(&case, "requests_per_second", "1/s", &[done.report.answered_per_second()]);
        say(&case, "lost", "%", &[done.report.lost_percent()]);
    }
    let steady = Duration::from_secs_f64(arguments.steady);
    let pace = Pace::open(saturation / 2.0);
    let (done, samples) = watched(pid, || round.against(&peer, pace, steady, None))?;
    let case = format!("{} s at half of saturation", arguments.steady);
    say(&case, "resident", "B", &samples);
    say(&case, "requests_per_second", "1/s", &[done.report.answered_per_second()]);
    // A point for each tenth of the time, of whose looks the median counts.
    for (samples, tenth) in samples.chunks(samples.len().div_ceil(TENTHS)).zip(1..) {
        let until = arguments.steady * f64::from(tenth) / TENTHS as f64;
        say(&format!("{until} s into the steady load"), "resident", "B", samples);
    }
    // What came in the last three quarters of the time: a leak shows here, what is filled once does not.
    let early = samples[samples.len() / 4];
    let growth = samples.last().map_or(0.0, |last| last - early);
    say(&case, "growth", "B", &[growth]);
    say("all of it", "resident_peak", "B", &[machine::resident(pid)?.1 as f64]);
    sizing(&peer, kind, &closed, &done, saturation, &samples)
}

/// What `vpn-sensor sizing --bench` derives a capacity from, of the steady load and of the closed loop before it.
fn sizing(
    peer: &Peer<'_>,
    kind: Kind,
    case: &str,
    steady: &Done,
    saturation: f64,
    samples: &[f64],
) -> anyhow::Result<()> {
    let say = |path: &str, metric: &str, unit: &str, values: &[f64]| {
        Measurement::new("sizing", case, path, metric, unit, values).report();
    };
    let path = if kind == Kind::SensorXdp { "xdp" } else { "udp" };
    let answered = steady.report.answered.max(1) as f64;
    say(path, "cpu_per_request", "ns", &[steady.threads_ns / answered]);
    say(path, "requests_per_second", "1/s", &[saturation]);
    let metrics = peer.metrics()?;
    let sum = |name: &str| metrics.sum(name, &[]) as f64;
    // The table is there from the start, whatever is in it.
    let table = sum("vpn_sensor_duplicates_capacity") * BYTES_PER_ENTRY;
    let resident: Vec<f64> = samples.iter().map(|sample| (sample - table).max(0.0)).collect();
    say(path, "resident", "B", &resident);
    say("duplicates", "bytes_per_entry", "B", &[BYTES_PER_ENTRY]);
    let records = sum("vpn_sensor_records_total").max(1.0);
    say("journal", "bytes_per_record", "B", &[sum("vpn_sensor_journal_written_bytes_total") / records]);
    let latency: serde_json::Value = serde_json::from_str(&peer.get("/latency")?).context("/latency")?;
    let stages = latency["stages"].as_array().context("the stages of /latency")?;
    let commit = stages.iter().find(|stage| stage["stage"] == "commit").context("the stage commit")?;
    let percentiles = commit["percentiles"].as_array().context("its percentiles")?;
    let p999 = percentiles.iter().find(|pair| pair[0].as_f64().is_some_and(|at| at >= 99.9));
    say("journal", "commit_p999", "ns", &[p999.and_then(|pair| pair[1].as_f64()).context("the 99.9th")?]);
    Ok(())
}

/// Octets of an entry of the duplicate table: a word and a key (`ingest::dedup`).
const BYTES_PER_ENTRY: f64 = 16.0;

/// Runs a load and looks at the memory meanwhile; at least one sample.
fn watched(pid: u32, load: impl FnOnce() -> anyhow::Result<Done>) -> anyhow::Result<(Done, Vec<f64>)> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| -> anyhow::Result<Vec<f64>> {
            let mut samples = Vec::new();
            while !over.load(Relaxed) {
                samples.push(machine::resident(pid)?.0 as f64);
                thread::sleep(INTERVAL);
            }
            samples.push(machine::resident(pid)?.0 as f64);
            Ok(samples)
        });
        let done = load();
        over.store(true, Relaxed);
        let samples = watcher.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((done?, samples?))
    })
}
