//! `cargo xtask bench load`: signed accounting traffic of any rate and mix against a sensor of its own, on a wire of
//! its own; each answer is verified.
#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::{Context as _, ensure};
use benches::{
    load::{Mix, Pace},
    measure::Measurement,
    peers::{Kind, Peer, SensorOptions},
    place::{self, By, Place},
    round::Round,
};
use clap::{Parser, ValueEnum};

#[derive(Parser)]
#[command(
    name = "load",
    about = "Signed accounting traffic at a chosen rate and mix, every answer verified",
    version
)]
struct Arguments {
    /// Datagrams a second, by the clock: latency counts from when each had to leave
    #[arg(long, default_value_t = 20_000.0, conflicts_with = "window")]
    rate: f64,
    /// Requests under way at once, each answer followed by the next request, instead of a rate
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    window: Option<u32>,
    /// For how long
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// What the traffic is made of: sizes=100+168+236 (octets) or vendors=rras+f5+check-point+asa or vendors=all,
    /// sources=8, duplicates=5%, forgeries=10%, storm=5000 (so many at once, half-way; not with --window)
    #[arg(long, default_value = "", hide_default_value = true)]
    mix: Mix,
    /// How the generator sends
    #[arg(long, value_enum, default_value_t)]
    by: By,
    /// How the sensor takes it
    #[arg(long, value_enum, default_value_t = Path::Xdp)]
    path: Path,
    /// When the sensor answers
    #[arg(long, value_enum, default_value_t = Ack::Durable)]
    ack: Ack,
    /// One second, to see that everything works
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Path {
    /// XDP and AF_XDP
    Xdp,
    /// The kernel's UDP sockets
    Udp,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ack {
    /// Once the record is durable
    Durable,
    /// Once the request is verified
    Received,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if arguments.window.is_some() {
        let reason = "with --window requests leave when answers come, not by the clock";
        arguments.mix.refuse_storm(reason).map_err(anyhow::Error::msg)?;
    }
    if !place::enter("load")? {
        return Ok(());
    }
    place::raise_file_limit()?;
    let seconds = if arguments.quick { 1.0 } else { arguments.seconds };
    let place = Place::new(arguments.mix.sources)?;
    let kind = match arguments.path {
        Path::Xdp => Kind::SensorXdp,
        Path::Udp => Kind::SensorUdp,
    };
    let case = match arguments.window {
        Some(window) => format!("window {window}"),
        None => format!("{} a second", arguments.rate),
    };
    if !kind.can_run("load", &case) {
        return Ok(());
    }
    let options = SensorOptions { ack_received: arguments.ack == Ack::Received, ..SensorOptions::default() };
    let peer = Peer::start(&place, kind, &options)?;
    let pace = match arguments.window {
        Some(window) => Pace::Closed { window },
        None => Pace::Open {
            rate: arguments.rate,
            storm: arguments.mix.storm,
            storm_at_ns: (seconds * 5e8) as u64,
        },
    };
    let mut round = Round::new(&place, arguments.by, &arguments.mix);
    let done = round
        .against(&peer, pace, Duration::from_secs_f64(seconds), None)
        .context("the load did not come through")?;
    let report = &done.report;

    let say = |metric: &str, unit: &str, value: f64| {
        Measurement::new("load", &case, kind.name(), metric, unit, &[value]).report();
    };
    say("sent", "1", report.datagrams() as f64);
    say("sent_per_second", "1/s", report.sent_per_second());
    say("answered", "1", report.answered as f64);
    say("answered_per_second", "1/s", report.answered_per_second());
    say("lost", "1", report.lost as f64);
    for (metric, percentile) in
        [("latency_p50", 50.0), ("latency_p99", 99.0), ("latency_p99.9", 99.9), ("latency_max", 100.0)]
    {
        say(metric, "ns", report.latency_ns(percentile));
    }
    say("generator_lateness_p99", "ns", report.lateness.value_at_quantile(0.99) as f64);
    if report.repeats > 0 {
        say("repeats", "1", report.repeats as f64);
        say("repeats_answered", "1", report.repeats_answered as f64);
    }
    if report.forged > 0 {
        say("forgeries", "1", report.forged as f64);
        say("forgeries_answered", "1", report.forged_answered as f64);
    }
    if report.storm > 0 {
        say("storm", "1", report.storm as f64);
        say("storm_latency_max", "ns", report.storm_latency.max() as f64);
    }
    // Where the losses are: in the sensor, in front of it, or (the rest) on the wire.
    let metrics = peer.metrics()?;
    let records = metrics.records();
    say("records", "1", records as f64);
    say("overload", "1", metrics.verdict("overload") as f64);
    say("kernel_drops", "1", metrics.sum("vpn_sensor_kernel_drops_total", &[]) as f64);
    ensure!(report.fault().is_none(), "the sensor did wrong: {}", report.fault().unwrap_or_default());
    // Unanswered requests may be recorded; more than were sent, or fewer than were answered, never.
    ensure!(
        (report.answered..=report.sent).contains(&records),
        "{} requests were sent, {} answered and {records} recorded",
        report.sent,
        report.answered
    );
    Ok(())
}
