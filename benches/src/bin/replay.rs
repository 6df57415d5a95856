//! The bench `replay`: frames in memory through the real worker loop and journal, on one core.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use benches::{
    measure::Measurement,
    replay::{FrameOptions, Frames, Placement, Replay, clients},
};
use clap::Parser;
use ingest::IngestOptions;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    /// Fewer and shorter runs
    #[arg(long)]
    quick: bool,
    /// Where the journal goes
    #[arg(long, default_value = "/dev/shm")]
    folder: PathBuf,
    /// Octets from one frame to the next; 0: packed
    #[arg(long, default_value_t = 2048)]
    slot: usize,
    /// Runs
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// Requests a run
    #[arg(long, default_value_t = 200_000)]
    requests: u64,
    #[arg(long, default_value_t = 1000)]
    clients: usize,
    #[arg(long, default_value_t = 8)]
    bursts: usize,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let placement = if arguments.slot == 0 { Placement::Packed } else { Placement::Slots(arguments.slot) };
    let frames =
        Frames::build(&FrameOptions { placement, clients: arguments.clients, ..FrameOptions::default() })?;
    eprintln!("mean length {:.0}", frames.mean_length);
    let folder = tempfile::tempdir_in(&arguments.folder)?;
    let mut replay =
        Replay::new(folder.path(), clients(arguments.clients)?, frames, &IngestOptions::default())?;
    replay.set_bursts_per_commit(arguments.bursts);
    replay.check(10_000)?;
    let mut runs = Vec::new();
    for _ in 0..arguments.rounds {
        runs.push(replay.run(arguments.requests)?.ns_per_request());
    }
    Measurement::new("replay", "four vendors", "tmpfs", "time_per_request", "ns", &runs).report();
    Ok(())
}
