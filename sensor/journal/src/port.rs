//! A worker's way to the writer: `Port`, its batches, and how the writer is woken.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst, fence};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;

use crossbeam::queue::ArrayQueue;

use crate::batch::Batch;

/// What became of a submitted batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its records are durable, numbered from `first_sequence` in the order of `append`.
    Committed {
        /// Sequence of its first record.
        first_sequence: u64,
    },
    /// It could not be written; none of it may be answered.
    Failed,
}

/// Called by the writer after it has returned batches to a port. Must not block.
pub trait Wake: Send + Sync {
    /// There is something in [`Port::completed`].
    fn wake(&self);
}

/// The writer's sleep: it parks only after it has announced that, and a submitter makes a system call only then.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    asleep: AtomicBool,
    thread: OnceLock<Thread>,
    /// Batches submitted and not yet taken by the writer, over all ports.
    pub(crate) queued: AtomicU64,
}

impl Bell {
    /// The calling thread is the one to be woken.
    pub(crate) fn answer_here(&self) {
        // Set once: a writer runs in one thread.
        let _ = self.thread.set(std::thread::current());
    }

    pub(crate) fn announce_sleep(&self) {
        self.asleep.store(true, SeqCst);
        // Pairs with the fence in `ring`: either we see the batch, or its submitter sees us asleep.
        fence(SeqCst);
    }

    pub(crate) fn awake(&self) {
        self.asleep.store(false, SeqCst);
    }

    /// Ends a sleep whatever it waits for: for the stop.
    pub(crate) fn unpark(&self) {
        // As in `ring`: either the writer sees the stop, or we see its thread.
        fence(SeqCst);
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    pub(crate) fn ring(&self) {
        fence(SeqCst);
        if self.asleep.load(SeqCst)
            && self.asleep.swap(false, SeqCst)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }
}

/// The two queues of a port. Each has room for all batches of the port, which bounds them: a push cannot fail.
pub(crate) struct Queues {
    pub(crate) submitted: ArrayQueue<Batch>,
    pub(crate) done: ArrayQueue<(Batch, Outcome)>,
}

/// The writer's end of a port.
pub(crate) struct PortEnd {
    pub(crate) queues: Arc<Queues>,
    pub(crate) wake: Arc<dyn Wake>,
}

/// A worker's end: free batches out, filled ones in, outcomes back. Owned by one thread; never blocks, never
/// allocates.
pub struct Port {
    free: Vec<Batch>,
    batch_records: usize,
    queues: Arc<Queues>,
    bell: Arc<Bell>,
}

impl Port {
    pub(crate) fn new(
        batches: Vec<Batch>,
        batch_records: usize,
        wake: Arc<dyn Wake>,
        bell: Arc<Bell>,
    ) -> (Self, PortEnd) {
        let capacity = batches.len().max(1);
        let queues =
            Arc::new(Queues { submitted: ArrayQueue::new(capacity), done: ArrayQueue::new(capacity) });
        (Self { free: batches, batch_records, queues: queues.clone(), bell }, PortEnd { queues, wake })
    }

    /// An empty batch; `None` while all are filled or on their way (overload).
    pub fn take_free(&mut self) -> Option<Batch> {
        self.free.pop()
    }

    /// Hands a batch of this port to the writer. Batches of a port are written in this order.
    pub fn submit(&mut self, batch: Batch) {
        self.bell.queued.fetch_add(1, SeqCst);
        if let Err(batch) = self.queues.submitted.push(batch) {
            // Cannot be with batches of this port. One of another port is dropped, thus never acknowledged.
            debug_assert!(false, "batch {} is not of this port", batch.slot());
            self.bell.queued.fetch_sub(1, SeqCst);
            return;
        }
        self.bell.ring();
    }

    /// The next batch that came back. Its records are readable no more; give it back when its outcome is dealt with.
    pub fn completed(&mut self) -> Option<(Batch, Outcome)> {
        self.queues.done.pop()
    }

    /// Empties a batch and puts it among the free ones.
    pub fn give_back(&mut self, mut batch: Batch) {
        batch.clear();
        self.free.push(batch);
    }

    /// Records that each batch takes at most.
    pub fn batch_records(&self) -> usize {
        self.batch_records
    }

    /// Free batches now.
    pub fn free(&self) -> usize {
        self.free.len()
    }
}

impl std::fmt::Debug for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Port").field("free", &self.free.len()).finish_non_exhaustive()
    }
}
