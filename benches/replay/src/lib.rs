//! Frames in memory through the real worker loop and the real journal: what `replay`, `scale` and the instruction
//! gate run. Worker and writer take turns on one thread, so that the time is that of one core. Depends on nothing but
//! the way of a request, so that the gate builds little; called by `benches` and by its own program `instructions`.
#![deny(unsafe_code)]

mod frames;
pub mod measure;
mod request;
mod source;
mod stages;

pub use frames::{FrameOptions, Frames, Placement, clients};
pub use request::accounting_request;
pub use source::MemorySource;
pub use stages::{STAGES, Stages};

use std::{io, path::Path, time::Instant};

use anyhow::{Context as _, ensure};
use ingest::{Ingest, IngestOptions, clients::Clients, dedup::Key, verdict::Verdict, worker::Worker};
use journal::{Options, RealStorage, Retention, Writer};

/// How many bursts the worker takes for one commit: as many as arrive while a disk syncs, and what lets the writer
/// pay its system calls once for some 1,000 requests.
pub const BURSTS_PER_COMMIT: usize = 8;

/// Octets of a segment, and of all that are kept: memory file systems are small. The oldest segment makes room for the
/// newest, soon, so that what is measured is writing and not a machine that gets memory for the first time.
pub const SEGMENT_BYTES: u64 = 16 << 20;
const MAX_BYTES: u64 = 3 * SEGMENT_BYTES;

/// Requests before anything is measured: some 100 MB of records.
const WARM_UP: u64 = 250_000;

/// A sensor without threads: one worker over frames in memory, one writer.
pub struct Replay {
    ingest: Ingest,
    worker: Worker<MemorySource>,
    writer: Writer<RealStorage>,
    bursts_per_commit: usize,
}

/// The clock of the duplicate table, nanoseconds.
fn now_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// What a run of requests came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run {
    /// Requests accepted, thus committed and answered.
    pub requests: u64,
    /// Nanoseconds from the first frame to the last answer.
    pub elapsed_ns: u64,
}

impl Run {
    /// Nanoseconds a request.
    pub fn ns_per_request(&self) -> f64 {
        self.elapsed_ns as f64 / self.requests as f64
    }
}

impl Replay {
    /// Opens a journal in `folder` and puts a worker over `frames`.
    ///
    /// # Errors
    /// The disk's.
    pub fn new(
        folder: &Path,
        clients: Clients,
        frames: Frames,
        options: &IngestOptions,
    ) -> anyhow::Result<Replay> {
        let storage = RealStorage::create(folder)?;
        let journal = Options {
            segment_bytes: SEGMENT_BYTES,
            retention: Retention { max_bytes: MAX_BYTES, free_reserve_bytes: 0, ..Retention::default() },
            ..Options::default()
        };
        let mut opened = journal::open(storage, journal).map_err(|error| anyhow::anyhow!("{error}"))?;
        let mut ingest = Ingest::new(clients, opened.handle.clone(), options);
        let worker = ingest.worker("replay", MemorySource::new(frames), &mut opened.writer, ())?;
        let mut replay =
            Replay { ingest, worker, writer: opened.writer, bursts_per_commit: BURSTS_PER_COMMIT };
        // Until the first segments have come and gone: before that it is not steady state.
        replay.run(WARM_UP)?;
        Ok(replay)
    }

    /// Takes all frames as often as it needs for `requests` requests, each time as other requests, to their end:
    /// committed and answered. What makes them other requests is done between the times that are measured.
    ///
    /// # Errors
    /// When a frame was not accepted and answered.
    pub fn run(&mut self, requests: u64) -> anyhow::Result<Run> {
        let before = self.worker.counters().snapshot();
        let mut run = Run::default();
        while run.requests < requests {
            run.requests += self.worker.source_mut().offer();
            let began = Instant::now();
            self.once()?;
            run.elapsed_ns += began.elapsed().as_nanos() as u64;
        }
        let after = self.worker.counters().snapshot();
        let accepted = after.verdict(Verdict::Accepted) - before.verdict(Verdict::Accepted);
        let answered = after.responses - before.responses;
        let seen = run.requests;
        ensure!(
            accepted == seen && answered == seen,
            "of {seen} requests {accepted} were accepted, {answered} answered"
        );
        Ok(run)
    }

    fn once(&mut self) -> anyhow::Result<()> {
        while self.worker.source().left() > 0 {
            for _ in 0..self.bursts_per_commit {
                self.worker.turn().map_err(io::Error::other)?;
            }
            self.writer.turn();
        }
        while self.writer.turn() || self.worker.turn().map_err(io::Error::other)? {}
        Ok(())
    }

    /// How many bursts the worker takes for one commit.
    pub fn set_bursts_per_commit(&mut self, bursts: usize) {
        self.bursts_per_commit = bursts.max(1);
    }

    /// How many frames arrive at once, 1 to [`BURST`](ingest::capture::BURST).
    pub fn set_burst(&mut self, frames: usize) {
        self.worker.source_mut().set_burst(frames);
    }

    /// Has the duplicate table remember `requests` others, as if they had been recorded just now.
    pub fn remember(&mut self, requests: u64) {
        let now_ns = now_ns();
        let source = std::net::SocketAddr::from(([198, 51, 100, 1], 1024));
        for number in 0..requests {
            let mut authenticator = [0; 16];
            authenticator[..8].copy_from_slice(&number.to_ne_bytes());
            let key =
                Key { source, destination: source, code: 4, identifier: 0, authenticator: &authenticator };
            self.ingest.duplicates().restore(&key, now_ns, now_ns);
        }
    }

    /// Requests that the duplicate table remembers now.
    pub fn remembered(&self) -> usize {
        self.ingest.duplicates().occupied(now_ns())
    }

    /// Takes `requests` requests and checks each of their answers.
    ///
    /// # Errors
    /// An answer that is not the one to its request.
    pub fn check(&mut self, requests: u64) -> anyhow::Result<()> {
        self.worker.source_mut().keep_answers(true);
        let run = self.run(requests)?;
        let checked = self.worker.source_mut().check_answers().context("an answer is wrong")?;
        ensure!(checked as u64 == run.requests, "{checked} answers to {} requests", run.requests);
        Ok(())
    }
}
