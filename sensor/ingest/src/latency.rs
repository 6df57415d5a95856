//! How long each stage took, per worker, read without ever stopping the worker.
//!
//! The worker owns one bank of histograms and records into it with plain arithmetic. The reader owns another, empty
//! one. To read, it hands that one over and wakes the worker, which at the end of its burst swaps the two and hands
//! the full one back. Neither waits for a lock; an idle worker is woken by the same eventfd as for a commit. All
//! memory is allocated when the pair is made. Called by the workers and by the metrics exporter.

use std::{
    array, fmt,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crossbeam::queue::ArrayQueue;
use hdrhistogram::Histogram;

/// A part of a request's way. All are measured in nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Stage {
    /// From arrival at the kernel to the worker that took it.
    ArrivalToWorker,
    /// Parse, client and digest, for the whole burst it was in.
    Verify,
    /// From verified to handed to the journal.
    Batch,
    /// From handed to the journal to known to be durable.
    Commit,
    /// From known to be durable to given to the kernel.
    Respond,
    /// From arrival at the kernel to the answer given to the kernel.
    Total,
}

impl Stage {
    /// All stages in the order of their indexes.
    pub const ALL: [Stage; 6] =
        [Stage::ArrivalToWorker, Stage::Verify, Stage::Batch, Stage::Commit, Stage::Respond, Stage::Total];

    /// The name used in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::ArrivalToWorker => "arrival_to_worker",
            Stage::Verify => "verify",
            Stage::Batch => "batch",
            Stage::Commit => "commit",
            Stage::Respond => "respond",
            Stage::Total => "total",
        }
    }
}

/// The shortest time told apart, nanoseconds. Shorter ones count as this or less.
pub const LOWEST_NS: u64 = 1_000;
/// The longest time told apart, nanoseconds. Longer ones count as this.
pub const HIGHEST_NS: u64 = 60_000_000_000;
/// Two significant digits: 1 % is finer than any two runs agree, and the bank of a worker stays at some 130 KiB.
const DIGITS: u8 = 2;

/// One histogram a stage.
pub struct Bank([Histogram<u64>; 6]);

impl Bank {
    /// Empty histograms of fixed bounds.
    #[expect(clippy::expect_used, reason = "the bounds are constants that the crate documents as valid")]
    pub fn new() -> Bank {
        Bank(array::from_fn(|_| {
            Histogram::new_with_bounds(LOWEST_NS, HIGHEST_NS, DIGITS).expect("constant bounds are valid")
        }))
    }

    /// The histogram of one stage, values in nanoseconds.
    pub fn stage(&self, stage: Stage) -> &Histogram<u64> {
        &self.0[stage as usize]
    }

    fn clear(&mut self) {
        self.0.iter_mut().for_each(Histogram::reset);
    }

    fn absorb(&mut self, other: &Bank) {
        for (sum, part) in self.0.iter_mut().zip(&other.0) {
            // Same bounds on both sides: this cannot be refused.
            let added = sum.add(part);
            debug_assert!(added.is_ok());
        }
    }
}

impl Default for Bank {
    fn default() -> Bank {
        Bank::new()
    }
}

impl fmt::Debug for Bank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for stage in Stage::ALL {
            map.entry(&stage.name(), &self.stage(stage).len());
        }
        map.finish()
    }
}

/// One bank on its way in each direction; neither queue can overflow, because there are two banks in all.
struct Exchange {
    to_worker: ArrayQueue<Box<Bank>>,
    to_reader: ArrayQueue<Box<Bank>>,
}

/// The worker's side.
pub struct Recorder {
    bank: Box<Bank>,
    exchange: Arc<Exchange>,
}

/// The reader's side.
pub struct LatencyReader {
    spare: Option<Box<Bank>>,
    sum: Bank,
    exchange: Arc<Exchange>,
}

/// Both sides of one worker's histograms.
pub fn pair() -> (Recorder, LatencyReader) {
    let exchange = Arc::new(Exchange { to_worker: ArrayQueue::new(1), to_reader: ArrayQueue::new(1) });
    let recorder = Recorder { bank: Box::default(), exchange: exchange.clone() };
    (recorder, LatencyReader { spare: Some(Box::default()), sum: Bank::new(), exchange })
}

impl Recorder {
    /// Records `count` passages of `ns` nanoseconds; what is beyond the bounds counts as the bound.
    pub fn record(&mut self, stage: Stage, ns: u64, count: u64) {
        self.bank.0[stage as usize].saturating_record_n(ns, count);
    }

    /// Hands the bank over if the reader asked. To be called between bursts and before sleeping.
    pub fn exchange(&mut self) -> bool {
        let Some(empty) = self.exchange.to_worker.pop() else { return false };
        let full = std::mem::replace(&mut self.bank, empty);
        let refused = self.exchange.to_reader.push(full);
        debug_assert!(refused.is_ok(), "two banks, two places");
        true
    }
}

impl LatencyReader {
    /// Everything recorded until now, since the start. Waits up to `timeout` for a worker in the middle of a burst;
    /// after that it returns what it has, and the rest comes with the next call. `wake` must wake the worker.
    pub fn collect(&mut self, wake: impl FnOnce(), timeout: Duration) -> &Bank {
        if let Some(spare) = self.spare.take() {
            let refused = self.exchange.to_worker.push(spare);
            debug_assert!(refused.is_ok(), "two banks, two places");
        }
        wake();
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(mut full) = self.exchange.to_reader.pop() {
                self.sum.absorb(&full);
                full.clear();
                self.spare = Some(full);
                break;
            }
            if Instant::now() >= deadline {
                break;
            }
            thread::sleep(Duration::from_micros(50));
        }
        &self.sum
    }

    /// What was collected last, without asking the worker.
    pub fn collected(&self) -> &Bank {
        &self.sum
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    use super::*;

    #[test]
    fn out_of_bounds_counts_as_the_bound() {
        let (mut recorder, mut reader) = pair();
        recorder.record(Stage::Total, 0, 1);
        recorder.record(Stage::Total, u64::MAX, 2);
        let bank = thread::scope(|scope| {
            scope.spawn(|| while !recorder.exchange() {});
            reader.collect(|| {}, Duration::from_secs(5))
        });
        let total = bank.stage(Stage::Total);
        assert_eq!(total.len(), 3);
        assert!(total.max() >= HIGHEST_NS && total.max() < HIGHEST_NS + HIGHEST_NS / 50);
        assert_eq!(bank.stage(Stage::Verify).len(), 0);
    }

    #[test]
    fn nothing_is_lost_or_counted_twice_while_the_worker_runs() {
        let (mut recorder, mut reader) = pair();
        let stop = AtomicBool::new(false);
        let recorded = thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let mut recorded = 0;
                while !stop.load(SeqCst) {
                    recorder.record(Stage::Commit, 5_000, 3);
                    recorded += 3;
                    recorder.exchange();
                }
                // The last bank goes out when it is asked for.
                while !recorder.exchange() {}
                recorded
            });
            let mut last = 0;
            for _ in 0..50 {
                let now = reader.collect(|| {}, Duration::from_secs(5)).stage(Stage::Commit).len();
                assert!(now >= last);
                last = now;
            }
            stop.store(true, SeqCst);
            while !worker.is_finished() {
                reader.collect(|| {}, Duration::from_millis(1));
            }
            worker.join().unwrap()
        });
        reader.collect(|| {}, Duration::ZERO);
        assert_eq!(reader.collected().stage(Stage::Commit).len(), recorded);
    }

    #[test]
    fn a_silent_worker_costs_the_reader_its_patience_only() {
        let (mut recorder, mut reader) = pair();
        recorder.record(Stage::Batch, 2_000, 1);
        assert_eq!(reader.collect(|| {}, Duration::from_millis(2)).stage(Stage::Batch).len(), 0);
        assert!(recorder.exchange());
        assert!(!recorder.exchange());
        assert_eq!(reader.collect(|| {}, Duration::from_secs(5)).stage(Stage::Batch).len(), 1);
    }
}
