//! One AF_XDP socket with its UMEM and four rings: the data path of one NIC queue.
//!
//! Receive a burst, give the frames back, write answers into fresh frames, flush: the calls below in that order,
//! over and over, by one thread. Nothing here allocates, and only [`Socket::flush`] enters the kernel, once a call
//! when there is anything to send.

mod error;
mod open;

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

pub use self::{
    error::{SocketError, Step},
    open::{Binding, Options},
};
use crate::{
    ring::{Consumer, Mapped, Producer},
    uapi,
    umem::{FrameToken, Umem},
};

/// An AF_XDP socket bound to one queue of one interface.
#[derive(Debug)]
pub struct Socket {
    // The order of the fields is the order in which they are dropped: the socket is closed before its memory goes.
    fd: OwnedFd,
    fill: Producer<u64, Mapped<u64>>,
    completion: Consumer<u64, Mapped<u64>>,
    receive: Consumer<libc::xdp_desc, Mapped<libc::xdp_desc>>,
    transmit: Producer<libc::xdp_desc, Mapped<libc::xdp_desc>>,
    umem: Umem,
    /// Frames that are nowhere. Capacity for all frames from the start: pushing never allocates.
    free: Vec<FrameToken>,
    /// Frames that [`Socket::refill`] leaves for answers, so that a flood of requests cannot keep answers from being
    /// written.
    transmit_reserve: usize,
    /// Tokens that are with the caller.
    held: u32,
    /// Tokens given to the kernel and not received back.
    with_kernel: u32,
    binding: Binding,
    transmit_budget: u32,
}

/// A received packet: its frame, and where in the frame it lies.
#[derive(Debug)]
#[must_use = "the frame must be given back"]
pub struct Packet {
    frame: FrameToken,
    offset: u32,
    length: u32,
}

impl Packet {
    /// The frame it lies in, to be given back to the socket it came from.
    pub fn into_frame(self) -> FrameToken {
        self.frame
    }

    /// Octets of the packet.
    pub fn length(&self) -> usize {
        self.length as usize
    }
}

/// Where the frames of a UMEM are. Taken by the worker between two bursts the sum is the UMEM's number of frames
/// (invariant: frames are conserved); `kernel` is what was given to the kernel and lies in no ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCounts {
    /// In the fill ring, for the kernel to receive into.
    pub fill: u32,
    /// With the driver or the network stack, between two rings.
    pub kernel: u32,
    /// In the receive ring.
    pub rx: u32,
    /// Tokens with the caller: received or to be sent.
    pub held: u32,
    /// In the transmit ring, not yet taken by the kernel.
    pub tx: u32,
    /// Sent, in the completion ring.
    pub completion: u32,
    /// In no use.
    pub free: u32,
}

impl FrameCounts {
    /// All frames. Equals the UMEM's number of frames unless one was lost or counted twice.
    pub fn sum(&self) -> u32 {
        [self.fill, self.kernel, self.rx, self.held, self.tx, self.completion, self.free].iter().sum()
    }
}

/// What the kernel counts for a socket (`XDP_STATISTICS`), since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Packets dropped for other reasons than a full ring: longer than a frame, or no frame to copy into.
    pub rx_dropped: u64,
    /// Fill ring entries that were not addresses of the UMEM: a bug of ours.
    pub rx_invalid_descriptors: u64,
    /// Transmit ring entries that the kernel refused: a bug of ours.
    pub tx_invalid_descriptors: u64,
    /// Packets dropped since the receive ring was full: the worker is too slow.
    pub rx_ring_full: u64,
    /// Times the fill ring was found empty: the worker stalled longer than the ring lasts.
    pub rx_fill_ring_empty: u64,
    /// Times the transmit ring was found empty; harmless.
    pub tx_ring_empty: u64,
}

/// What a flush did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// System calls made.
    pub kicks: u32,
    /// Frames that came back through the completion ring.
    pub completed: u32,
    /// Answers that the kernel has not yet taken: flush again.
    pub outstanding: u32,
}

impl Socket {
    /// Takes up to `limit` packets that are there already and returns how many. Their order is that of arrival.
    ///
    /// Allocates only when `burst` has too little capacity.
    pub fn receive(&mut self, burst: &mut Vec<Packet>, limit: usize) -> usize {
        let before = burst.len();
        while burst.len() - before < limit {
            let Some(descriptor) = self.receive.pop() else { break };
            // SAFETY: the kernel hands back a frame that came to it through the fill ring, once.
            let Some(frame) = (unsafe { self.umem.receive(descriptor.addr) }) else {
                // A descriptor outside of the UMEM: no frame of ours came back. It stays counted as the kernel's.
                continue;
            };
            self.with_kernel -= 1;
            self.held += 1;
            let frame_size = self.umem.frame_size();
            let offset = (descriptor.addr & u64::from(frame_size - 1)) as u32;
            // A packet that overlapped the next frame would be the kernel's mistake; it is made empty here so that
            // nobody reads beyond the frame.
            let length = if descriptor.len <= frame_size - offset { descriptor.len } else { 0 };
            burst.push(Packet { frame, offset, length });
        }
        self.receive.release();
        burst.len() - before
    }

    /// The packet's octets.
    pub fn packet<'a>(&'a self, packet: &'a Packet) -> &'a [u8] {
        let start = packet.offset as usize;
        &self.umem.frame(&packet.frame)[start..start + packet.length as usize]
    }

    /// The last `length` octets in front of the packet, where the XDP program leaves its metadata. `None` when the
    /// frame has fewer. Whether anything was written there only its content tells.
    pub fn before_packet<'a>(&'a self, packet: &'a Packet, length: usize) -> Option<&'a [u8]> {
        let end = packet.offset as usize;
        self.umem.frame(&packet.frame).get(end.checked_sub(length)?..end)
    }

    /// Gives a frame back that is not needed any more. It goes to the kernel with the next [`Socket::refill`].
    pub fn give_back(&mut self, frame: FrameToken) {
        self.held -= 1;
        self.free.push(frame);
    }

    /// Tops up the fill ring from the free frames, all but those reserved for answers. Call it once a burst.
    pub fn refill(&mut self) {
        while self.free.len() > self.transmit_reserve && self.fill.free(1) > 0 {
            let Some(frame) = self.free.pop() else { break };
            // There is room, so nothing comes back.
            if self.fill.push(self.umem.surrender(frame)).is_err() {
                break;
            }
            self.with_kernel += 1;
        }
        self.fill.commit();
    }

    /// A fresh frame to write an answer into. `None` when all are in use: flush and try again.
    pub fn take_frame(&mut self) -> Option<FrameToken> {
        let frame = self.free.pop()?;
        self.held += 1;
        Some(frame)
    }

    /// The memory of a frame of this socket, to write.
    pub fn frame_mut<'a>(&'a self, frame: &'a mut FrameToken) -> &'a mut [u8] {
        self.umem.frame_mut(frame)
    }

    /// Queues the first `length` octets of a frame for sending with the next [`Socket::flush`]. The frame comes back
    /// when the ring is full, or when `length` is zero or more than a frame.
    pub fn transmit(&mut self, frame: FrameToken, length: usize) -> Result<(), FrameToken> {
        if length == 0 || length > self.umem.frame_size() as usize || self.transmit.free(1) == 0 {
            return Err(frame);
        }
        let descriptor = libc::xdp_desc { addr: self.umem.surrender(frame), len: length as u32, options: 0 };
        let pushed = self.transmit.push(descriptor);
        debug_assert!(pushed.is_ok(), "there was room");
        self.held -= 1;
        self.with_kernel += 1;
        Ok(())
    }

    /// Hands queued answers to the kernel, wakes it if it asks for that, and takes finished frames back.
    ///
    /// In copy mode this is where answers are sent, by the calling thread: it calls the kernel until the ring is
    /// empty or the kernel takes no more, so at most once for each outstanding answer and normally once. A link that
    /// is down, a full send buffer or a busy device are not errors: the answers stay queued for the next flush.
    pub fn flush(&mut self) -> io::Result<Flushed> {
        self.transmit.commit();
        let mut kicks = 0;
        let mut outstanding = self.transmit.outstanding();
        while outstanding > 0 && self.transmit.needs_wakeup() {
            kicks += 1;
            let more = self.kick_transmit()?;
            let left = self.transmit.outstanding();
            let progress = left < outstanding;
            outstanding = left;
            if !more || !progress {
                break;
            }
        }
        // Copy mode looks at the fill ring by itself; a zero-copy driver may sleep until it is called.
        if self.binding == Binding::ZeroCopy && self.fill.needs_wakeup() {
            kicks += 1;
            self.kick_receive()?;
        }
        Ok(Flushed { kicks, completed: self.reap(), outstanding })
    }

    /// Takes finished frames back from the completion ring and returns how many.
    fn reap(&mut self) -> u32 {
        let mut completed = 0;
        while let Some(address) = self.completion.pop() {
            // SAFETY: the kernel hands back a frame that came to it through the transmit ring, once.
            if let Some(frame) = unsafe { self.umem.receive(address) } {
                self.with_kernel -= 1;
                self.free.push(frame);
                completed += 1;
            }
        }
        self.completion.release();
        completed
    }

    /// One `sendto`. True when it is worth calling again at once.
    fn kick_transmit(&self) -> io::Result<bool> {
        // SAFETY: no buffer and no address are passed.
        let result = unsafe {
            libc::sendto(self.fd.as_raw_fd(), std::ptr::null(), 0, libc::MSG_DONTWAIT, std::ptr::null(), 0)
        };
        if result >= 0 {
            return Ok(true);
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            // The budget of one call is used up, or the send buffer: whether it went on tells which.
            Some(libc::EAGAIN | libc::EINTR) => Ok(true),
            // A queue that is full, out of memory, or a link that is down: transient, keep the socket.
            Some(libc::EBUSY | libc::ENOBUFS | libc::ENOMEM | libc::ENETDOWN) => Ok(false),
            _ => Err(error),
        }
    }

    fn kick_receive(&self) -> io::Result<()> {
        // SAFETY: no buffer and no address are passed.
        let result = unsafe {
            libc::recvfrom(
                self.fd.as_raw_fd(),
                std::ptr::null_mut(),
                0,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            )
        };
        if result >= 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(
                libc::EAGAIN | libc::EINTR | libc::EBUSY | libc::ENOBUFS | libc::ENOMEM | libc::ENETDOWN,
            ) => Ok(()),
            _ => Err(error),
        }
    }

    /// Where all frames are. The kernel goes on meanwhile: each ring is read before the one that feeds it, so that a
    /// moving frame counts as the kernel's, never twice.
    pub fn frames(&self) -> FrameCounts {
        let completion = self.completion.available();
        let tx = self.transmit.outstanding();
        let rx = self.receive.available();
        let fill = self.fill.outstanding();
        FrameCounts {
            fill,
            kernel: self.with_kernel.saturating_sub(fill + rx + tx + completion),
            rx,
            held: self.held,
            tx,
            completion,
            free: self.free.len() as u32,
        }
    }

    /// Whether packets are waiting in the receive ring.
    pub fn has_packets(&self) -> bool {
        self.receive.available() > 0
    }

    /// Answers that the kernel has not yet taken.
    pub fn outstanding(&self) -> u32 {
        self.transmit.outstanding()
    }

    /// The kernel's counters.
    pub fn statistics(&self) -> io::Result<Statistics> {
        let (raw, _) =
            uapi::get_option::<libc::xdp_statistics>(self.as_fd(), libc::SOL_XDP, libc::XDP_STATISTICS)?;
        Ok(Statistics {
            rx_dropped: raw.rx_dropped,
            rx_invalid_descriptors: raw.rx_invalid_descs,
            tx_invalid_descriptors: raw.tx_invalid_descs,
            rx_ring_full: raw.rx_ring_full,
            rx_fill_ring_empty: raw.rx_fill_ring_empty_descs,
            tx_ring_empty: raw.tx_ring_empty_descs,
        })
    }

    /// How the socket is bound, confirmed by the kernel (`XDP_OPTIONS`).
    pub fn binding(&self) -> Binding {
        self.binding
    }

    /// Answers that one call into the kernel sends at most, in copy mode.
    pub fn transmit_budget(&self) -> u32 {
        self.transmit_budget
    }

    /// The memory underneath.
    pub fn umem(&self) -> &Umem {
        &self.umem
    }
}

impl AsFd for Socket {
    /// For `poll` (readable: a packet is there) and for the XSKMAP.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
