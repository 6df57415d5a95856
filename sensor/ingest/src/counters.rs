//! What a worker counts: written by that worker alone, read by the exporter at any time.

use std::sync::{
    Arc,
    atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use crossbeam::utils::CachePadded;
use journal::CapturePath;

use crate::verdict::Verdict;

/// One counter of one writer: a plain load and store, no locked instruction.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, n: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(n), Relaxed);
    }

    pub(crate) fn sub(&self, n: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_sub(n), Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The counters of one worker, alone on their cache lines.
#[derive(Debug)]
pub struct WorkerCounters {
    name: Arc<str>,
    path: CapturePath,
    cells: CachePadded<Cells>,
}

#[derive(Debug, Default)]
pub(crate) struct Cells {
    /// Bumped at the end of each burst and of each batch of completions, odd while one is at work: a reader that
    /// sees it even and unchanged has numbers that belong together.
    version: AtomicU64,
    pub(crate) verdicts: [Count; Verdict::ALL.len()],
    pub(crate) received: Count,
    pub(crate) pending: Count,
    pub(crate) responses: Count,
    pub(crate) responses_dropped: Count,
    pub(crate) status_silent: Count,
    pub(crate) notices_lost: Count,
    pub(crate) specimens_lost: Count,
    pub(crate) passwords_blanked: Count,
    pub(crate) bursts: Count,
    pub(crate) batches: Count,
    pub(crate) sealed_early: Count,
    pub(crate) sleeps: Count,
}

/// The counters of a worker at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerSnapshot {
    /// The worker's name.
    pub name: Arc<str>,
    /// The way by which it gets its datagrams.
    pub path: CapturePath,
    /// Datagrams by verdict, in the order of [`Verdict::ALL`].
    pub verdicts: [u64; Verdict::ALL.len()],
    /// Datagrams taken from the source.
    pub received: u64,
    /// Requests verified and on their way to the journal: they have no verdict yet.
    pub pending: u64,
    /// Answers given to the source.
    pub responses: u64,
    /// Answers let go because the way out stayed full: the client asks again.
    pub responses_dropped: u64,
    /// Genuine Status-Server probes left without an answer because the journal did not take records.
    pub status_silent: u64,
    /// Notices that found their queue full.
    pub notices_lost: u64,
    /// Refused requests of which no copy was kept: all buffers were taken.
    pub specimens_lost: u64,
    /// Attributes with a password that were blanked before the request was recorded.
    pub passwords_blanked: u64,
    /// Bursts that held at least one datagram.
    pub bursts: u64,
    /// Batches handed to the journal.
    pub batches: u64,
    /// Batches that were full, or whose answers were, before their burst ended.
    pub sealed_early: u64,
    /// How often the worker went to sleep.
    pub sleeps: u64,
}

impl WorkerSnapshot {
    /// Datagrams with this verdict.
    pub fn verdict(&self, verdict: Verdict) -> u64 {
        self.verdicts[verdict as usize]
    }

    /// Verdicts and pending requests together: equal to `received` in every snapshot.
    pub fn accounted(&self) -> u64 {
        self.verdicts.iter().sum::<u64>() + self.pending
    }
}

/// How often a reader tries for numbers that belong together before it takes them as they are.
const ATTEMPTS: usize = 1000;

impl WorkerCounters {
    pub(crate) fn new(name: &str, path: CapturePath) -> WorkerCounters {
        WorkerCounters { name: name.into(), path, cells: CachePadded::default() }
    }

    /// The worker's name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// All numbers. They belong together (`received` = `accounted()`), unless the worker is so busy that a thousand
    /// attempts fell into the middle of a burst.
    pub fn snapshot(&self) -> WorkerSnapshot {
        let mut snapshot = self.read();
        for _ in 0..ATTEMPTS {
            let before = self.cells.version.load(Acquire);
            snapshot = self.read();
            std::sync::atomic::fence(Acquire);
            if before.is_multiple_of(2) && before == self.cells.version.load(Relaxed) {
                break;
            }
            std::thread::yield_now();
        }
        snapshot
    }

    fn read(&self) -> WorkerSnapshot {
        let cells = &self.cells;
        WorkerSnapshot {
            name: self.name.clone(),
            path: self.path,
            verdicts: cells.verdicts.each_ref().map(Count::get),
            received: cells.received.get(),
            pending: cells.pending.get(),
            responses: cells.responses.get(),
            responses_dropped: cells.responses_dropped.get(),
            status_silent: cells.status_silent.get(),
            notices_lost: cells.notices_lost.get(),
            specimens_lost: cells.specimens_lost.get(),
            passwords_blanked: cells.passwords_blanked.get(),
            bursts: cells.bursts.get(),
            batches: cells.batches.get(),
            sealed_early: cells.sealed_early.get(),
            sleeps: cells.sleeps.get(),
        }
    }

    pub(crate) fn cells(&self) -> &Cells {
        &self.cells
    }
}

impl Cells {
    pub(crate) fn count(&self, verdict: Verdict) {
        self.verdicts[verdict as usize].add(1);
    }

    /// Numbers do not add up until [`Cells::end`].
    pub(crate) fn begin(&self) {
        self.version.store(self.version.load(Relaxed).wrapping_add(1), Relaxed);
        // The numbers written next must not be seen before the odd version.
        std::sync::atomic::fence(Release);
    }

    pub(crate) fn end(&self) {
        self.version.store(self.version.load(Relaxed).wrapping_add(1), Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_adds_up_while_the_worker_counts() {
        let counters = WorkerCounters::new("w", CapturePath::Udp);
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let cells = counters.cells();
                while !stop.load(Relaxed) {
                    cells.begin();
                    cells.received.add(2);
                    cells.count(Verdict::Malformed);
                    cells.pending.add(1);
                    cells.end();
                    std::thread::yield_now();
                    cells.begin();
                    cells.pending.sub(1);
                    cells.count(Verdict::Accepted);
                    cells.end();
                    std::thread::yield_now();
                }
            });
            for _ in 0..2000 {
                let snapshot = counters.snapshot();
                assert_eq!(snapshot.received, snapshot.accounted());
            }
            stop.store(true, Relaxed);
        });
    }
}
