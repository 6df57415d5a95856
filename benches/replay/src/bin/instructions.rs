//! The work whose instructions `cargo xtask instructions` counts under callgrind: the same requests each time, so many
//! as it is told, and nothing that depends on time or on other threads. Says on standard output how many requests
//! that were: all frames are taken each time round, so it may be more than it was told.
#![forbid(unsafe_code)]

use std::hint::black_box;

use anyhow::ensure;
use clap::{Parser, Subcommand};
use ingest::{IngestOptions, capture::BURST};
use md5_lanes::{Lanes, Path, Prepared, RequestCheck};
use radius::Framed;
use replay::{FrameOptions, Frames, Replay, clients, measure::Measurement};

/// The product's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Work to count the instructions of: see `cargo xtask instructions`", version)]
struct Arguments {
    #[command(subcommand)]
    work: Work,
}

#[derive(Subcommand)]
enum Work {
    /// Verify the Request Authenticators of bursts
    Digest {
        /// By this path: scalar, neon, avx2, avx512
        #[arg(long)]
        lanes: Path,
        #[arg(long)]
        requests: u64,
    },
    /// Parse and validate one by one
    Parse {
        #[arg(long)]
        requests: u64,
    },
    /// Through the whole worker loop and the journal, to the answers
    Worker {
        /// Digests by this path: scalar, neon, avx2, avx512
        #[arg(long)]
        lanes: Path,
        #[arg(long)]
        requests: u64,
    },
    /// Write a figure that was counted as a line of results
    Report { bench: String, path: String, instructions_per_request: f64 },
}

fn main() -> anyhow::Result<()> {
    let options = FrameOptions::default();
    let frames = || Frames::build(&options);
    let done = match Arguments::parse().work {
        Work::Digest { lanes, requests } => digest(&frames()?, lanes, requests)?,
        Work::Parse { requests } => parse(&frames()?, requests)?,
        Work::Worker { lanes, requests } => {
            // Which file system does not matter: the kernel's instructions are not counted.
            let folder = tempfile::tempdir()?;
            let ingest = IngestOptions { digests: Some(lanes), ..IngestOptions::default() };
            let mut replay = Replay::new(folder.path(), clients(options.clients)?, frames()?, &ingest)?;
            replay.run(requests)?.requests
        }
        Work::Report { bench, path, instructions_per_request } => {
            let case = format!("four vendors, {} clients", options.clients);
            let runs = [instructions_per_request];
            Measurement::new(&bench, &case, &path, "instructions_per_request", "1", &runs).report();
            return Ok(());
        }
    };
    println!("{done}");
    Ok(())
}

fn digest(frames: &Frames, path: Path, requests: u64) -> anyhow::Result<u64> {
    let mut lanes = Lanes::new(path)?;
    let secrets: Vec<_> = (0..frames.len()).map(|index| Prepared::new(&frames.secret(index))).collect();
    let check = |(index, secret)| RequestCheck { octets: frames.request(index), secret, genuine: false };
    let mut checks: Vec<_> = secrets.iter().enumerate().map(check).collect();
    let mut done = 0;
    while done < requests {
        checks.chunks_mut(BURST).for_each(|burst| lanes.verify_requests(black_box(burst)));
        done += checks.len() as u64;
    }
    ensure!(checks.iter().all(|check| check.genuine), "a genuine request did not verify");
    Ok(done)
}

fn parse(frames: &Frames, requests: u64) -> anyhow::Result<u64> {
    let mut done = 0;
    while done < requests {
        for index in 0..frames.len() {
            black_box(Framed::parse(black_box(frames.request(index)))?.request()?);
        }
        done += frames.len() as u64;
    }
    Ok(done)
}
