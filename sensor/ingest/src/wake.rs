//! How a sleeping worker is woken: one eventfd, written only when the worker said that it sleeps.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{
        AtomicBool,
        Ordering::{Relaxed, SeqCst},
        fence,
    },
};

use rustix::event::{EventfdFlags, eventfd};

/// The bell of one worker. The journal's writer rings it after a commit, the exporter when it wants the histograms,
/// the control thread to stop.
#[derive(Debug)]
pub struct WorkerWake {
    asleep: AtomicBool,
    event: OwnedFd,
}

impl WorkerWake {
    /// A bell that has not rung.
    pub fn new() -> io::Result<WorkerWake> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(WorkerWake { asleep: AtomicBool::new(false), event })
    }

    /// Wakes the worker if it sleeps. Never blocks; a system call only if it sleeps.
    pub fn wake(&self) {
        // Pairs with the fence in `announce_sleep`: either this sees the worker asleep, or the worker sees what it is
        // being woken for.
        fence(SeqCst);
        if self.asleep.load(Relaxed) && self.asleep.swap(false, SeqCst) {
            // Fails only if 2^64 - 2 rings are unread.
            let _ = rustix::io::write(&self.event, &1u64.to_ne_bytes());
        }
    }

    /// Worker only: from now on it wants to be woken. It must look at its queues once more before it sleeps.
    pub(crate) fn announce_sleep(&self) {
        self.asleep.store(true, Relaxed);
        fence(SeqCst);
    }

    /// Worker only: it is awake; a ring that came meanwhile is taken off the eventfd.
    pub(crate) fn awake(&self) {
        if !self.asleep.swap(false, SeqCst) {
            // The ringer may not have written yet: then the next sleep ends at once, which does no harm.
            let _ = rustix::io::read(&self.event, &mut [0u8; 8]);
        }
    }

    /// Readable once the bell has rung.
    pub(crate) fn event(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

impl journal::Wake for WorkerWake {
    fn wake(&self) {
        WorkerWake::wake(self);
    }
}
