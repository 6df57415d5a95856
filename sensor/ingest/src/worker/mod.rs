//! The worker: one thread that takes bursts from one source and brings each datagram to its verdict.
//!
//! A turn: finished batches come back from the journal, their answers go out, the next burst is taken, examined,
//! handed to the journal. Nothing in it blocks, allocates or locks; the only system calls are the source's own, one
//! for many datagrams, and those of going to sleep. The assembly makes workers and runs them on their threads.
//!
//! What bounds it: the port's batches. Each has a flight, which holds the answers to its requests until they may
//! leave. With no free batch a request that is not known becomes `overload`. So that a slow sync does not use up the
//! batches with a few requests each, a batch is handed over at the end of its burst only while fewer than half of them
//! are with the journal; then it is filled on until some come back.

mod answers;
mod burst;
mod flights;
mod verify;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{
            AtomicBool, AtomicU64, AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::{Duration, Instant},
};

use journal::{Batch, Port};
use md5_lanes::Lanes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::{
    capture::{BURST, Datagram, FrameError, Source, SourceError},
    clients::{ClientsHandle, ClientsView},
    clock::monotonic_ns,
    counters::WorkerCounters,
    dedup::Duplicates,
    latency::Recorder,
    notice::{Notices, Reason},
    proof::Proofs,
    specimen::Specimens,
    verdict::Verdict,
    wake::WorkerWake,
};
use answers::Answers;
use flights::Flight;

/// Octets of answers that one flight holds at least. Nearly all are 20 octets long, so that 256 take 5,120; the rest is
/// for answers with Proxy-State, up to eight of the longest. When it is full the batch is sealed early.
const FLIGHT_OCTETS: usize = 32 << 10;

/// Octets that a flight has for each answer of a batch with more than 256 records: as many as with 256.
const FLIGHT_OCTETS_PER_ANSWER: usize = FLIGHT_OCTETS / BURST;

/// Longest sleep. Everything that a worker waits for wakes it; this only limits what a mistake there could cost.
const SLEEP_MS: i32 = 1000;

/// Status-Server stays unanswered for this long after a batch failed, so that clients move to another server and do
/// not come back between two failures (RFC 5997 section 4.2).
const STATUS_HOLD_NS: u64 = 5_000_000_000;

/// How long a stopping worker tries to get rid of answers when nothing goes out any more.
const DRAIN_NS: u64 = 2_000_000_000;

/// When the answer leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Ack {
    /// Once the record is durable.
    #[default]
    Durable,
    /// Once the request is verified and handed to the journal: a record may be lost that was acknowledged.
    Received,
}

/// Watches every datagram of a worker, for `replay` and tests. The unit type watches nothing and costs nothing.
pub trait Observer: Send {
    /// Datagram `number` (from 0, in the order of the source) was taken.
    fn datagram(&mut self, number: u64, datagram: &Result<Datagram<'_>, FrameError>) {
        let _ = (number, datagram);
    }

    /// Its verdict, and why if it is not a good one. Comes exactly once for each number, not always in their order.
    fn verdict(&mut self, number: u64, verdict: Verdict, reason: Option<Reason>) {
        let _ = (number, verdict, reason);
    }
}

impl Observer for () {}

/// What all workers share.
pub(crate) struct Shared {
    pub(crate) clients: ClientsHandle,
    pub(crate) duplicates: Duplicates,
    pub(crate) notices: Notices,
    pub(crate) specimens: Specimens,
    pub(crate) proofs: Proofs,
    pub(crate) journal: journal::Handle,
    pub(crate) ack: Ack,
    pub(crate) stop: AtomicBool,
    /// Whether sources are to be closed: accounting is switched off.
    pub(crate) closed: AtomicBool,
    /// Workers whose source is closed.
    pub(crate) closed_workers: AtomicUsize,
    /// Why a source could not be opened again, the last time that one could not. No worker waits for it in a burst.
    pub(crate) closed_because: Mutex<Option<String>>,
    /// When a batch last failed, ns of `CLOCK_MONOTONIC`; 0 for never.
    pub(crate) failed_monotonic_ns: AtomicU64,
}

/// One worker over one source.
pub struct Worker<S: Source, O: Observer = ()> {
    source: S,
    is_closed: bool,
    /// Whether it was to be closed when that was last looked at, and done as far as it could be.
    closed_seen: bool,
    spin: Duration,
    pipeline: Pipeline<S::Route, O>,
}

/// All of a worker but its source, which lends its buffers to the checks while all this changes.
struct Pipeline<R, O> {
    port: Port,
    shared: Arc<Shared>,
    clients: ClientsView,
    wake: Arc<WorkerWake>,
    counters: Arc<WorkerCounters>,
    latency: Recorder,
    observer: O,
    /// The batch being filled; handed over at the end of the burst at the latest.
    open: Option<Batch>,
    /// One for each batch of the port, by its slot.
    flights: Box<[Flight<R>]>,
    /// Slots whose answers may leave, in order. At most one entry a flight.
    outgoing: VecDeque<usize>,
    /// Slots whose answers were handed to the source and wait for its flush. At most one entry a flight.
    flushing: VecDeque<usize>,
    in_flight: usize,
    /// Those of them that the journal has not given back.
    with_journal: usize,
    /// Answers that record nothing: to duplicates and Status-Server. Has room for a burst of the longest.
    direct: Answers<R>,
    /// When the requests of this burst were verified.
    verified_ns: u64,
    /// When the first request of the open batch was.
    open_since_ns: u64,
    lanes: Lanes,
}

/// What a worker is made of.
pub(crate) struct Parts<S, O> {
    pub(crate) source: S,
    pub(crate) port: Port,
    pub(crate) shared: Arc<Shared>,
    pub(crate) wake: Arc<WorkerWake>,
    pub(crate) counters: Arc<WorkerCounters>,
    pub(crate) latency: Recorder,
    pub(crate) observer: O,
    pub(crate) lanes: Lanes,
    pub(crate) spin: Duration,
}

impl<S: Source, O: Observer> Worker<S, O> {
    pub(crate) fn new(parts: Parts<S, O>) -> Worker<S, O> {
        let Parts { source, port, shared, wake, counters, latency, observer, lanes, spin } = parts;
        let batches = port.free();
        let records = port.batch_records();
        let flight = |_| Flight {
            answers: Answers::new(records, FLIGHT_OCTETS.max(records * FLIGHT_OCTETS_PER_ANSWER)),
            batch: None,
            submitted_ns: 0,
            committed_ns: 0,
            answered: false,
        };
        let pipeline = Pipeline {
            clients: shared.clients.view(),
            flights: (0..batches).map(flight).collect(),
            outgoing: VecDeque::with_capacity(batches),
            flushing: VecDeque::with_capacity(batches),
            in_flight: 0,
            with_journal: 0,
            direct: Answers::new(BURST, BURST * radius::MAX_LENGTH),
            open: None,
            verified_ns: 0,
            open_since_ns: 0,
            lanes,
            port,
            shared,
            wake,
            counters,
            latency,
            observer,
        };
        Worker { source, is_closed: false, closed_seen: false, spin, pipeline }
    }

    /// Turns and sleeps until it is told to stop, then waits for the batches in flight and answers them. An error is
    /// the source's; what is in flight is waited for then too, so that every verdict is counted.
    pub fn run(&mut self) -> Result<(), SourceError> {
        let ended = self.serve();
        self.drain();
        ended
    }

    fn serve(&mut self) -> Result<(), SourceError> {
        while !self.pipeline.shared.stop.load(Relaxed) {
            self.closed_seen = self.pipeline.shared.closed.load(Relaxed);
            if self.closed_seen != self.is_closed {
                self.open_or_close();
            }
            if !self.turn()? && !self.look_on()? {
                self.sleep()?;
            }
        }
        Ok(())
    }

    /// Closes the source once what is in flight is answered, or opens it again. What cannot be opened now is tried again
    /// after each sleep.
    fn open_or_close(&mut self) {
        let closing = !self.is_closed;
        if closing {
            self.drain();
            self.pipeline.drop_outgoing();
        }
        let done = self.source.set_open(!closing);
        let shared = &self.pipeline.shared;
        match &done {
            Ok(()) if closing => shared.closed_workers.fetch_add(1, SeqCst),
            Ok(()) => shared.closed_workers.fetch_sub(1, SeqCst),
            Err(_) => 0,
        };
        let because = done.as_ref().err().map(SourceError::to_string);
        *shared.closed_because.lock().unwrap_or_else(PoisonError::into_inner) = because;
        if done.is_ok() {
            self.is_closed = closing;
        }
    }

    /// Goes on turning for as long as an idle worker is to stay awake. Whether there was something to do, or a stop.
    fn look_on(&mut self) -> Result<bool, SourceError> {
        if self.spin.is_zero() {
            return Ok(false);
        }
        let began = Instant::now();
        while began.elapsed() < self.spin {
            if self.pipeline.shared.stop.load(Relaxed) || self.turn()? {
                return Ok(true);
            }
            // Leaves the core's other thread more of it between two looks.
            std::hint::spin_loop();
        }
        Ok(false)
    }

    /// One round: completions, answers, one burst. Whether there was anything to do.
    pub fn turn(&mut self) -> Result<bool, SourceError> {
        let completed = self.pipeline.complete();
        let answered = self.send_answers()?;
        // A burst needs room for its direct answers. What the way out could not take by now is let go: it was an
        // answer to a repeated question, which will be repeated.
        self.pipeline.drop_direct();
        let count = self.source.receive()?;
        if count > 0 {
            self.pipeline.burst(&self.source, count);
            self.source.release();
        }
        if self.pipeline.seal_when_due() | (count > 0) {
            self.send_answers()?;
        }
        self.pipeline.latency.exchange();
        Ok(completed || answered || count > 0)
    }

    /// Waits for the batches in flight and gets their answers out, as far as they still go out. Takes no datagrams.
    pub fn drain(&mut self) {
        let mut stuck_since = monotonic_ns();
        self.pipeline.seal();
        loop {
            self.pipeline.latency.exchange();
            let progress = self.pipeline.complete() | self.send_answers().unwrap_or(false);
            if progress {
                stuck_since = monotonic_ns();
            }
            if self.pipeline.is_idle() {
                break;
            }
            // The journal always comes back, if only to say that it failed. The way out need not.
            let awaiting_commit = self.pipeline.counters.cells().pending.get() > 0;
            if !awaiting_commit && monotonic_ns() - stuck_since > DRAIN_NS {
                break;
            }
            if !progress {
                self.pipeline.wake.announce_sleep();
                if !self.pipeline.complete() {
                    // The source may be gone for good: wait for the bell alone.
                    let nanoseconds = if awaiting_commit { 100_000_000 } else { 1_000_000 };
                    let timeout = Timespec { tv_sec: 0, tv_nsec: nanoseconds };
                    let _ =
                        poll(&mut [PollFd::new(&self.pipeline.wake.event(), PollFlags::IN)], Some(&timeout));
                }
                self.pipeline.wake.awake();
            }
        }
        self.pipeline.drop_direct();
    }

    /// The source, to ask it whether it is at its end, or for its counters.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// The source, between two turns.
    pub fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    /// The observer, to ask it what it saw.
    pub fn observer(&mut self) -> &mut O {
        &mut self.pipeline.observer
    }

    /// What this worker counted.
    pub fn counters(&self) -> &Arc<WorkerCounters> {
        &self.pipeline.counters
    }

    /// Sleeps until there is something to do.
    fn sleep(&mut self) -> Result<(), SourceError> {
        let pipeline = &mut self.pipeline;
        pipeline.wake.announce_sleep();
        // Whoever rings after this is heard. Whoever was too early to ring is found here.
        let found = pipeline.complete()
            | pipeline.latency.exchange()
            | pipeline.shared.stop.load(SeqCst)
            | (pipeline.shared.closed.load(SeqCst) != self.closed_seen);
        let slept = if found {
            Ok(())
        } else {
            pipeline.counters.cells().sleeps.add(1);
            self.source.wait(pipeline.wake.event(), SLEEP_MS)
        };
        pipeline.wake.awake();
        slept
    }

    /// Gives the source every answer that may leave, as far as it has room, and flushes. Whether any left.
    fn send_answers(&mut self) -> Result<bool, SourceError> {
        let Worker { source, pipeline, .. } = self;
        let mut handed = send_all(source, &mut pipeline.direct)?;
        let mut full = pipeline.direct.unsent() > 0;
        while !full && let Some(&slot) = pipeline.outgoing.front() {
            let answers = &mut pipeline.flights[slot].answers;
            handed += send_all(source, answers)?;
            full = answers.unsent() > 0;
            if !full {
                pipeline.outgoing.pop_front();
                pipeline.flushing.push_back(slot);
            }
        }
        source.flush()?;
        if pipeline.direct.unsent() == 0 {
            pipeline.direct.clear();
        }
        if handed > 0 {
            pipeline.counters.cells().responses.add(handed);
        }
        if !pipeline.flushing.is_empty() {
            pipeline.account_flushed();
        }
        Ok(handed > 0)
    }
}

/// Hands over answers until all are sent or the source stays full after a flush. Returns how many.
fn send_all<S: Source>(source: &mut S, answers: &mut Answers<S::Route>) -> Result<u64, SourceError> {
    let mut handed = 0;
    while let Some((answer, octets)) = answers.next() {
        if !source.send(&answer.route, octets) {
            source.flush()?;
            if !source.send(&answer.route, octets) {
                break;
            }
        }
        answers.sent_one();
        handed += 1;
    }
    Ok(handed)
}

#[cfg(test)]
mod tests;
