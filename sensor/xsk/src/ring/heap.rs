//! Ring memory on the heap, shared by a producer and a consumer of one process: for tests, Miri and loom.

#[cfg(loom)]
use loom::{
    cell::UnsafeCell,
    sync::{Arc, atomic::AtomicU32},
};
#[cfg(not(loom))]
use std::{
    cell::UnsafeCell,
    sync::{Arc, atomic::AtomicU32},
};

use super::{Consumer, Memory, Producer};

struct Shared<T> {
    producer: AtomicU32,
    consumer: AtomicU32,
    flags: AtomicU32,
    slots: Box<[UnsafeCell<T>]>,
}

// SAFETY: a slot is accessed by one side at a time: that is what the rings' protocol establishes, and what Miri
// and loom check here.
unsafe impl<T: Send> Sync for Shared<T> {}

pub(crate) struct Heap<T>(Arc<Shared<T>>);

impl<T> Clone for Heap<T> {
    fn clone(&self) -> Self {
        Heap(Arc::clone(&self.0))
    }
}

impl<T: Copy + Default> Heap<T> {
    /// An empty ring of `size` slots whose indices both stand at `start`.
    pub(crate) fn new(size: u32, start: u32) -> Heap<T> {
        assert!(size.is_power_of_two());
        Heap(Arc::new(Shared {
            producer: AtomicU32::new(start),
            consumer: AtomicU32::new(start),
            flags: AtomicU32::new(0),
            slots: (0..size).map(|_| UnsafeCell::new(T::default())).collect(),
        }))
    }

    /// Both sides of a new ring.
    pub(crate) fn pair(size: u32, start: u32) -> (Producer<T, Heap<T>>, Consumer<T, Heap<T>>) {
        let heap = Heap::new(size, start);
        // SAFETY: the memory is new and not handed out otherwise: one producer, one consumer.
        unsafe { (Producer::new(heap.clone()), Consumer::new(heap)) }
    }

    /// What the kernel does when it goes to sleep or wakes up.
    #[cfg(not(loom))]
    pub(crate) fn set_flags(&self, flags: u32) {
        self.0.flags.store(flags, std::sync::atomic::Ordering::Relaxed);
    }
}

// SAFETY: `size` slots exist and never change; both sides are this module's `Producer` and `Consumer`.
unsafe impl<T: Copy> Memory<T> for Heap<T> {
    fn size(&self) -> u32 {
        self.0.slots.len() as u32
    }

    fn producer(&self) -> &AtomicU32 {
        &self.0.producer
    }

    fn consumer(&self) -> &AtomicU32 {
        &self.0.consumer
    }

    fn flags(&self) -> &AtomicU32 {
        &self.0.flags
    }

    unsafe fn read(&self, index: u32) -> T {
        let slot = &self.0.slots[(index & (self.size() - 1)) as usize];
        // SAFETY: the caller promises that the producer is done with the slot.
        #[cfg(not(loom))]
        return unsafe { *slot.get() };
        // SAFETY: as above; loom checks that nobody writes meanwhile.
        #[cfg(loom)]
        return slot.with(|pointer| unsafe { *pointer });
    }

    unsafe fn write(&self, index: u32, value: T) {
        let slot = &self.0.slots[(index & (self.size() - 1)) as usize];
        // SAFETY: the caller promises that the consumer is done with the slot.
        #[cfg(not(loom))]
        unsafe {
            *slot.get() = value;
        }
        // SAFETY: as above; loom checks that nobody reads or writes meanwhile.
        #[cfg(loom)]
        slot.with_mut(|pointer| unsafe { *pointer = value });
    }
}
