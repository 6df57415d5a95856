//! Ring memory that the kernel mapped for a socket.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
    ptr::NonNull,
    sync::atomic::AtomicU32,
};

use super::Memory;
use crate::umem::Mapping;

/// A ring in memory shared with the kernel; unmapped on drop.
#[derive(Debug)]
pub struct Mapped<T> {
    mapping: Mapping,
    producer: NonNull<AtomicU32>,
    consumer: NonNull<AtomicU32>,
    flags: NonNull<AtomicU32>,
    slots: NonNull<T>,
    mask: u32,
}

// SAFETY: the pointers lead into `mapping`, which this value owns and which any thread may access.
unsafe impl<T: Send> Send for Mapped<T> {}

impl<T: Copy> Mapped<T> {
    /// Maps the ring at `page_offset` (an `XDP_PGOFF_*` constant) of a socket whose ring has `size` slots.
    ///
    /// # Safety
    /// `offsets` is what `XDP_MMAP_OFFSETS` told of this very ring, the socket's ring was set to `size` slots, a
    /// power of two, and its slots are of type `T`.
    pub(crate) unsafe fn map(
        fd: BorrowedFd<'_>,
        page_offset: i64,
        offsets: &libc::xdp_ring_offset,
        size: u32,
    ) -> io::Result<Mapped<T>> {
        let length = offsets.desc as usize + size as usize * size_of::<T>();
        let mapping = Mapping::shared(fd.as_raw_fd(), page_offset, length)?;
        let base = mapping.pointer();
        // SAFETY: the kernel promises that each offset lies within the mapping whose length was computed above,
        // and aligns the index words and the slots for their types.
        unsafe {
            Ok(Mapped {
                producer: base.add(offsets.producer as usize).cast(),
                consumer: base.add(offsets.consumer as usize).cast(),
                flags: base.add(offsets.flags as usize).cast(),
                slots: base.add(offsets.desc as usize).cast(),
                mask: size - 1,
                mapping,
            })
        }
    }

    /// Octets of address space the ring takes.
    pub fn octets(&self) -> usize {
        self.mapping.length()
    }
}

// SAFETY: `map` set up `mask + 1` slots, and the peer is the kernel, which follows the protocol.
unsafe impl<T: Copy> Memory<T> for Mapped<T> {
    fn size(&self) -> u32 {
        self.mask + 1
    }

    fn producer(&self) -> &AtomicU32 {
        // SAFETY: points into the mapping, aligned, alive as long as `self`; both sides access it atomically.
        unsafe { self.producer.as_ref() }
    }

    fn consumer(&self) -> &AtomicU32 {
        // SAFETY: as for `producer`.
        unsafe { self.consumer.as_ref() }
    }

    fn flags(&self) -> &AtomicU32 {
        // SAFETY: as for `producer`.
        unsafe { self.flags.as_ref() }
    }

    unsafe fn read(&self, index: u32) -> T {
        // SAFETY: masked, so within the slots; the caller promises that the kernel is done writing it.
        unsafe { self.slots.add((index & self.mask) as usize).read() }
    }

    unsafe fn write(&self, index: u32, value: T) {
        // SAFETY: masked, so within the slots; the caller promises that the kernel is done reading it.
        unsafe { self.slots.add((index & self.mask) as usize).write(value) }
    }
}
