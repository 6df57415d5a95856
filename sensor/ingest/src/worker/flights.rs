//! Batches on their way to the disk and back, each with the answers to its requests. Called by the worker's turn and by
//! the burst that fills them.

use std::sync::atomic::Ordering::Relaxed;

use journal::{Batch, Outcome};

use super::{Ack, Observer, Pipeline, answers::Answers};
use crate::{clock::monotonic_ns, latency::Stage, notice::Reason, verdict::Verdict};

/// A batch on its way, with the answers to its requests.
pub(super) struct Flight<R> {
    pub(super) answers: Answers<R>,
    /// Here from the moment the journal gave it back until its answers are sent.
    pub(super) batch: Option<Batch>,
    pub(super) submitted_ns: u64,
    pub(super) committed_ns: u64,
    pub(super) answered: bool,
}

impl<R, O: Observer> Pipeline<R, O> {
    /// Nothing in flight and nothing left to send.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0
            && self.direct.unsent() == 0
            && self.outgoing.is_empty()
            && self.flushing.is_empty()
    }

    /// Takes the batches that came back: their requests get their verdict, their entries become committed or go.
    pub(super) fn complete(&mut self) -> bool {
        let Some(mut returned) = self.port.completed() else { return false };
        let now = monotonic_ns();
        loop {
            let cells = self.counters.cells();
            let (batch, outcome) = returned;
            let slot = batch.slot();
            let flight = &mut self.flights[slot];
            let requests = flight.answers.len() as u64;
            self.with_journal -= 1;
            cells.begin();
            cells.pending.sub(requests);
            match outcome {
                Outcome::Committed { .. } => {
                    for answer in flight.answers.iter() {
                        if let Some(entry) = answer.slot {
                            self.shared.duplicates.commit(entry, now);
                        }
                        cells.count(Verdict::Accepted);
                        self.observer.verdict(answer.number, Verdict::Accepted, None);
                    }
                    self.latency.record(Stage::Commit, now.saturating_sub(flight.submitted_ns), requests);
                }
                Outcome::Failed => {
                    for answer in flight.answers.iter() {
                        if let Some(entry) = answer.slot {
                            self.shared.duplicates.remove(entry);
                        }
                        cells.count(Verdict::Overload);
                        self.observer.verdict(answer.number, Verdict::Overload, Some(Reason::BatchFailed));
                    }
                    self.shared.failed_monotonic_ns.fetch_max(now, Relaxed);
                }
            }
            cells.end();
            flight.batch = Some(batch);
            flight.committed_ns = now;
            match (self.shared.ack, outcome) {
                (Ack::Durable, Outcome::Committed { .. }) => self.outgoing.push_back(slot),
                (Ack::Durable, Outcome::Failed) => self.free(slot),
                // The answers went their way when the batch was handed over; they may be on it still.
                (Ack::Received, _) if flight.answered => self.free(slot),
                (Ack::Received, _) => {}
            }
            match self.port.completed() {
                Some(next) => returned = next,
                None => return true,
            }
        }
    }

    /// The flight is over: its batch can be filled again.
    pub(super) fn free(&mut self, slot: usize) {
        let flight = &mut self.flights[slot];
        flight.answers.clear();
        flight.answered = false;
        if let Some(batch) = flight.batch.take() {
            self.port.give_back(batch);
        }
        self.in_flight -= 1;
    }

    /// Hands the open batch to the journal, unless more are on their way than the journal takes at once: those that
    /// come back will bring us here again. Under `received` its answers would wait for them, so it always goes. Whether
    /// there was an open batch that went.
    pub(super) fn seal_when_due(&mut self) -> bool {
        let due = self.with_journal < self.flights.len().div_ceil(2) || self.shared.ack == Ack::Received;
        let open = self.open.is_some();
        if due && open {
            self.seal();
        }
        due && open
    }

    /// Hands the open batch to the journal.
    pub(super) fn seal(&mut self) {
        let Some(batch) = self.open.take() else { return };
        let slot = batch.slot();
        let flight = &mut self.flights[slot];
        if batch.is_empty() {
            self.port.give_back(batch);
            return;
        }
        let now = monotonic_ns();
        flight.submitted_ns = now;
        let requests = flight.answers.len() as u64;
        self.latency.record(Stage::Batch, now.saturating_sub(self.open_since_ns), requests);
        self.in_flight += 1;
        self.with_journal += 1;
        self.counters.cells().batches.add(1);
        if self.shared.ack == Ack::Received {
            self.outgoing.push_back(slot);
        }
        self.port.submit(batch);
    }

    /// The answers of these flights are the kernel's now.
    pub(super) fn account_flushed(&mut self) {
        let now = monotonic_ns();
        while let Some(slot) = self.flushing.pop_front() {
            let flight = &mut self.flights[slot];
            for answer in flight.answers.iter() {
                self.latency.record(Stage::Total, now.saturating_sub(answer.arrival_monotonic_ns), 1);
            }
            flight.answered = true;
            if self.shared.ack == Ack::Durable {
                let requests = flight.answers.len() as u64;
                self.latency.record(Stage::Respond, now.saturating_sub(flight.committed_ns), requests);
            }
            // Under `received` the batch may still be with the journal: then it frees the flight when it is back.
            if flight.batch.is_some() {
                self.free(slot);
            }
        }
    }

    /// Answers that the way out does not take before it is closed: their requests are recorded, and will be repeated.
    pub(super) fn drop_outgoing(&mut self) {
        while let Some(slot) = self.outgoing.pop_front() {
            let flight = &mut self.flights[slot];
            self.counters.cells().responses_dropped.add(flight.answers.unsent() as u64);
            flight.answered = true;
            // As for those that were sent: under `received` the batch may still be with the journal.
            if flight.batch.is_some() {
                self.free(slot);
            }
        }
    }

    pub(super) fn drop_direct(&mut self) {
        let unsent = self.direct.unsent() as u64;
        if unsent > 0 {
            self.counters.cells().responses_dropped.add(unsent);
        }
        self.direct.clear();
    }
}
