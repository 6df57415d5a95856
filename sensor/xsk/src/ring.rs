//! The single-producer, single-consumer rings that user space and the kernel share.
//!
//! [`Producer`] and [`Consumer`] are generic over the memory they work on, so that the same code runs over the
//! kernel's mapping ([`Mapped`]) and, in tests, over the heap (Miri, loom). Indices count from 0 to `u32::MAX` and
//! wrap; a slot is `index & (size - 1)`. Each side is owned by one thread: the handles are `Send`, not shared.

#[cfg(any(test, loom))]
mod heap;
#[cfg(not(loom))]
mod mapped;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU32, Ordering};

#[cfg(loom)]
use loom::sync::atomic::{AtomicU32, Ordering};

#[cfg(not(loom))]
pub use self::mapped::Mapped;

/// `XDP_RING_NEED_WAKEUP`: the kernel sleeps until it is called.
const NEED_WAKEUP: u32 = 1;

/// Where a ring lives.
///
/// # Safety
/// `size` is a constant power of two, at most 2^31, and `read` and `write` reach `size` slots. The index words are
/// shared with exactly one peer, which follows the protocol of this module.
pub unsafe trait Memory<T: Copy> {
    /// Slots, a power of two.
    fn size(&self) -> u32;
    /// The index after the last produced entry; only the producer stores to it.
    fn producer(&self) -> &AtomicU32;
    /// The index of the oldest entry not yet consumed; only the consumer stores to it.
    fn consumer(&self) -> &AtomicU32;
    /// The kernel's flags.
    fn flags(&self) -> &AtomicU32;
    /// Reads the slot of `index`.
    ///
    /// # Safety
    /// The slot was produced and not yet given back: `consumer <= index < producer`.
    unsafe fn read(&self, index: u32) -> T;
    /// Writes the slot of `index`.
    ///
    /// # Safety
    /// The slot is free: `producer <= index < consumer + size`.
    unsafe fn write(&self, index: u32, value: T);
}

/// The side of a ring that adds entries.
///
/// Bounded by the ring's size: [`Producer::push`] hands the value back when it is full.
#[derive(Debug)]
pub struct Producer<T: Copy, M: Memory<T>> {
    memory: M,
    /// Next index to write; ahead of the shared index until `commit`.
    next: u32,
    /// What of `next` the peer was told.
    committed: u32,
    /// The peer's index when last looked at: never ahead of the truth, so free space is never overstated.
    seen_consumer: u32,
    entries: PhantomData<T>,
}

impl<T: Copy, M: Memory<T>> Producer<T, M> {
    /// Takes over the producing side.
    ///
    /// # Safety
    /// No other producer works on the same memory.
    pub unsafe fn new(memory: M) -> Producer<T, M> {
        let next = memory.producer().load(Ordering::Relaxed);
        let seen_consumer = memory.consumer().load(Ordering::Acquire);
        Producer { memory, next, committed: next, seen_consumer, entries: PhantomData }
    }

    /// Slots of the ring.
    pub fn size(&self) -> u32 {
        self.memory.size()
    }

    /// Free slots: exact when fewer than `wanted`, else at least `wanted`. The peer's cache line is touched only
    /// when what was seen of it before does not suffice.
    pub fn free(&mut self, wanted: u32) -> u32 {
        let free = self.seen_free();
        if free >= wanted {
            return free;
        }
        // Acquire: the peer's reads of the slots happen before our next writes to them.
        self.seen_consumer = self.memory.consumer().load(Ordering::Acquire);
        self.seen_free()
    }

    fn seen_free(&self) -> u32 {
        self.size().saturating_sub(self.next.wrapping_sub(self.seen_consumer))
    }

    /// Adds one entry that the peer sees after the next [`Producer::commit`]. A full ring hands it back.
    pub fn push(&mut self, value: T) -> Result<(), T> {
        if self.free(1) == 0 {
            return Err(value);
        }
        // SAFETY: `free` found the slot of `next` free, and we are the only producer.
        unsafe { self.memory.write(self.next, value) };
        self.next = self.next.wrapping_add(1);
        Ok(())
    }

    /// Shows the peer everything pushed so far. True when there was anything new.
    pub fn commit(&mut self) -> bool {
        if self.committed == self.next {
            return false;
        }
        self.committed = self.next;
        // Release: the slots are written before the peer can see the index that covers them.
        self.memory.producer().store(self.next, Ordering::Release);
        true
    }

    /// Entries pushed but not yet committed.
    pub fn uncommitted(&self) -> u32 {
        self.next.wrapping_sub(self.committed)
    }

    /// Entries that the peer has not yet consumed, uncommitted ones included.
    pub fn outstanding(&self) -> u32 {
        let consumer = self.memory.consumer().load(Ordering::Acquire);
        self.next.wrapping_sub(consumer).min(self.size())
    }

    /// Whether the kernel wants a system call before it looks at the ring again. Meaningful after a `commit`.
    pub fn needs_wakeup(&self) -> bool {
        self.memory.flags().load(Ordering::Relaxed) & NEED_WAKEUP != 0
    }
}

/// The side of a ring that takes entries.
#[derive(Debug)]
pub struct Consumer<T: Copy, M: Memory<T>> {
    memory: M,
    /// Next index to read; ahead of the shared index until `release`.
    next: u32,
    /// What of `next` the peer was told.
    released: u32,
    /// The peer's index when last looked at.
    seen_producer: u32,
    entries: PhantomData<T>,
}

impl<T: Copy, M: Memory<T>> Consumer<T, M> {
    /// Takes over the consuming side.
    ///
    /// # Safety
    /// No other consumer works on the same memory.
    pub unsafe fn new(memory: M) -> Consumer<T, M> {
        let next = memory.consumer().load(Ordering::Relaxed);
        let seen_producer = memory.producer().load(Ordering::Acquire);
        Consumer { memory, next, released: next, seen_producer, entries: PhantomData }
    }

    /// Slots of the ring.
    pub fn size(&self) -> u32 {
        self.memory.size()
    }

    /// Takes the oldest entry. Its slot goes back to the peer with the next [`Consumer::release`].
    pub fn pop(&mut self) -> Option<T> {
        if self.next == self.seen_producer {
            // Acquire: the peer's writes to the slots happen before our reads of them.
            self.seen_producer = self.memory.producer().load(Ordering::Acquire);
            if self.next == self.seen_producer {
                return None;
            }
        }
        // SAFETY: `next` was produced and not yet given back, and we are the only consumer.
        let value = unsafe { self.memory.read(self.next) };
        self.next = self.next.wrapping_add(1);
        Some(value)
    }

    /// Gives the slots of everything popped so far back to the peer.
    pub fn release(&mut self) {
        if self.released != self.next {
            self.released = self.next;
            // Release: our reads of the slots happen before the peer can write to them again.
            self.memory.consumer().store(self.next, Ordering::Release);
        }
    }

    /// Entries produced and not yet popped.
    pub fn available(&self) -> u32 {
        self.memory.producer().load(Ordering::Acquire).wrapping_sub(self.next).min(self.size())
    }
}
