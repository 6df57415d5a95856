//! UMEM: the memory whose frames go back and forth between user space and the kernel.

use std::{
    io,
    os::fd::RawFd,
    ptr::NonNull,
    sync::atomic::{AtomicU32, Ordering},
};

/// Pages that carry a UMEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// Explicit huge pages from the host's pool (`vm.nr_hugepages`).
    Huge,
    /// Ordinary pages; the kernel was asked for transparent huge ones.
    Ordinary,
}

/// One `mmap`, unmapped on drop.
#[derive(Debug)]
pub(crate) struct Mapping {
    pointer: NonNull<u8>,
    length: usize,
}

// SAFETY: memory that belongs to this value alone; which thread touches or unmaps it makes no difference.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `length` octets of a socket's ring.
    pub(crate) fn shared(fd: RawFd, offset: i64, length: usize) -> io::Result<Mapping> {
        Mapping::new(fd, offset, length, libc::MAP_SHARED | libc::MAP_POPULATE)
    }

    /// Maps zeroed private memory: huge pages if the host's pool holds enough, else ordinary ones.
    fn anonymous(length: usize, numa_node: Option<u32>) -> io::Result<(Mapping, Pages)> {
        const HUGE: usize = 2 << 20;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let huge = length.next_multiple_of(HUGE);
        let (mapping, pages) = match Mapping::new(-1, 0, huge, flags | libc::MAP_HUGETLB | libc::MAP_HUGE_2MB)
        {
            Ok(mapping) => (mapping, Pages::Huge),
            Err(_) => (Mapping::new(-1, 0, length, flags)?, Pages::Ordinary),
        };
        // Both are wishes: without them the memory is slower, not wrong. The pages come into being when the kernel
        // pins them, after these calls.
        if pages == Pages::Ordinary {
            // SAFETY: advice about exactly the memory mapped above.
            unsafe { libc::madvise(mapping.pointer.as_ptr().cast(), mapping.length, libc::MADV_HUGEPAGE) };
        }
        if let Some(node) = numa_node.filter(|node| *node < 63) {
            let nodes = 1u64 << node;
            // SAFETY: a policy for exactly the memory mapped above; the mask is one word that outlives the call.
            unsafe {
                libc::syscall(
                    libc::SYS_mbind,
                    mapping.pointer.as_ptr(),
                    mapping.length,
                    libc::MPOL_PREFERRED,
                    &raw const nodes,
                    64usize,
                    0u32,
                )
            };
        }
        Ok((mapping, pages))
    }

    fn new(fd: RawFd, offset: i64, length: usize, flags: i32) -> io::Result<Mapping> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let pointer = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, fd, offset) };
        if pointer == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let pointer = NonNull::new(pointer.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Mapping { pointer, length })
    }

    pub(crate) fn pointer(&self) -> NonNull<u8> {
        self.pointer
    }

    pub(crate) fn length(&self) -> usize {
        self.length
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly what `new` mapped, unmapped once. Nothing borrowed from it outlives its owner.
        unsafe { libc::munmap(self.pointer.as_ptr().cast(), self.length) };
    }
}

/// The right to one frame of one UMEM. Whoever holds it owns the frame's memory; giving it to the kernel consumes it.
///
/// Neither `Copy` nor `Clone`, and nobody outside this crate can make one. A frame cannot be given away twice:
///
/// ```compile_fail,E0382
/// fn twice(socket: &mut xsk::Socket, frame: xsk::FrameToken) {
///     socket.give_back(frame);
///     socket.give_back(frame);
/// }
/// ```
///
/// ```
/// fn once(socket: &mut xsk::Socket, frame: xsk::FrameToken) {
///     socket.give_back(frame);
/// }
/// ```
///
/// A token that is dropped leaks its frame: it stays in the count of held frames, which the tests watch.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a dropped token leaks its frame"]
pub struct FrameToken {
    index: u32,
    umem: u32,
}

/// Frames of equal size, a power of two, in one mapping.
#[derive(Debug)]
pub struct Umem {
    mapping: Mapping,
    pages: Pages,
    frames: u32,
    frame_shift: u32,
    /// Tells this UMEM's tokens from those of others.
    id: u32,
}

impl Umem {
    /// Maps `frames` frames of `frame_size` octets each (a power of two) and hands out a token for each of them.
    pub fn new(frames: u32, frame_size: u32, numa_node: Option<u32>) -> io::Result<(Umem, Vec<FrameToken>)> {
        static NEXT_ID: AtomicU32 = AtomicU32::new(0);
        if !frame_size.is_power_of_two() || frames == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let (mapping, pages) = Mapping::anonymous(frames as usize * frame_size as usize, numa_node)?;
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let tokens = (0..frames).rev().map(|index| FrameToken { index, umem: id }).collect();
        Ok((Umem { mapping, pages, frames, frame_shift: frame_size.trailing_zeros(), id }, tokens))
    }

    /// Frames in all.
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// Octets of a frame.
    pub fn frame_size(&self) -> u32 {
        1 << self.frame_shift
    }

    /// The pages underneath.
    pub fn pages(&self) -> Pages {
        self.pages
    }

    /// Octets of all frames: what counts against `RLIMIT_MEMLOCK`.
    pub fn octets(&self) -> usize {
        (self.frames as usize) << self.frame_shift
    }

    /// The frame's memory.
    ///
    /// # Panics
    /// When the token is another UMEM's.
    pub fn frame<'a>(&'a self, token: &'a FrameToken) -> &'a [u8] {
        // SAFETY: the frame lies in the mapping, zeroed at first. The token is the only right to it, and is borrowed
        // here: neither the kernel nor anybody with `&mut FrameToken` writes it meanwhile.
        unsafe { std::slice::from_raw_parts(self.start(token), self.frame_size() as usize) }
    }

    /// The frame's memory, to write.
    ///
    /// # Panics
    /// When the token is another UMEM's.
    #[allow(
        clippy::mut_from_ref,
        reason = "the exclusive borrow is that of the token, the only right to the frame"
    )]
    pub fn frame_mut<'a>(&'a self, token: &'a mut FrameToken) -> &'a mut [u8] {
        // SAFETY: as in `frame`; the token is borrowed exclusively, so nobody else reads or writes the frame.
        unsafe { std::slice::from_raw_parts_mut(self.start(token), self.frame_size() as usize) }
    }

    fn start(&self, token: &FrameToken) -> *mut u8 {
        assert_eq!(token.umem, self.id, "a frame of another UMEM");
        let offset = (token.index as usize) << self.frame_shift;
        // SAFETY: tokens of this UMEM have indices below `frames`, and the mapping holds that many frames.
        unsafe { self.mapping.pointer.as_ptr().add(offset) }
    }

    /// The address of the mapping, for `XDP_UMEM_REG`.
    pub(crate) fn address(&self) -> u64 {
        self.mapping.pointer.as_ptr().addr() as u64
    }

    /// Turns a token into the address that the kernel knows the frame by.
    pub(crate) fn surrender(&self, token: FrameToken) -> u64 {
        assert_eq!(token.umem, self.id, "a frame of another UMEM");
        u64::from(token.index) << self.frame_shift
    }

    /// Takes a frame over from the kernel; the address may lie anywhere within it. `None` beyond the UMEM.
    ///
    /// # Safety
    /// The kernel was given this frame by [`Umem::surrender`] and has just handed it back, once.
    pub(crate) unsafe fn receive(&self, address: u64) -> Option<FrameToken> {
        let index = u32::try_from(address >> self.frame_shift).ok()?;
        (index < self.frames).then_some(FrameToken { index, umem: self.id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_disjoint_and_cover_the_umem() {
        let (umem, mut tokens) = Umem::new(16, 2048, None).unwrap();
        assert_eq!((umem.frames(), umem.octets(), tokens.len()), (16, 16 * 2048, 16));
        for (n, token) in tokens.iter_mut().enumerate() {
            umem.frame_mut(token).fill(n as u8 + 1);
        }
        for (n, token) in tokens.iter().enumerate() {
            assert!(umem.frame(token).iter().all(|octet| *octet == n as u8 + 1));
        }
    }

    #[test]
    fn a_frame_keeps_its_address_on_the_way_through_the_kernel() {
        let (umem, mut tokens) = Umem::new(4, 2048, Some(0)).unwrap();
        let mut token = tokens.pop().unwrap();
        umem.frame_mut(&mut token)[0] = 42;
        let address = umem.surrender(token);
        assert_eq!(address, 0);
        // SAFETY: surrendered above, received once.
        let token = unsafe { umem.receive(address + 256) }.unwrap();
        assert_eq!(umem.frame(&token)[0], 42);
        // SAFETY: no frame lies there, so no token comes of it.
        assert_eq!(unsafe { umem.receive(4 * 2048) }, None);
    }

    #[test]
    #[should_panic(expected = "another UMEM")]
    fn a_token_opens_no_frame_of_another_umem() {
        let (_one, mut tokens) = Umem::new(4, 2048, None).unwrap();
        let (two, _) = Umem::new(4, 2048, None).unwrap();
        two.frame(&tokens.pop().unwrap());
    }
}
