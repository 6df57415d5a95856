//! The XDP source: one AF_XDP queue, requests in, answers out by the same queue.
//!
//! The steer program has chosen the packets; each is checked again here. An answer is written into a fresh frame
//! from the headers kept in its [`XdpRoute`]; the request's own frame went back at the end of its burst. Bounded by
//! the socket's frames: without a free one [`Source::send`] says false and the worker keeps the answer.

use std::{
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use journal::CapturePath;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    time::{ClockId, clock_gettime},
};
use sensor_ebpf::Meta;
use xsk::{FrameCounts, Packet, Socket, Statistics};

use super::{
    BURST, Datagram, FrameError, Source, SourceError, bring_near,
    frame::{Checksum, Layout, ReplyHeader},
};

/// How long a packet may have waited for us by its metadata; a longer time is not believed.
const WAIT_BELIEVED_NS: u64 = 60_000_000_000;
/// How often the kernel's counters are read: a system call each time. Twice for each look of `vpn-sensor top`.
const STATISTICS_INTERVAL_NS: u64 = 500_000_000;
/// How long to sleep while the kernel still owes us frames: nothing wakes a poll when it gives them back.
const OWED_TIMEOUT_MS: i32 = 1;

/// What an [`XdpSource`] counts. Written by its worker, read by the exporter.
#[derive(Debug, Default)]
pub struct XdpCounters {
    /// Frames in the fill ring.
    pub frames_fill: AtomicU64,
    /// Frames with the kernel, in no ring.
    pub frames_kernel: AtomicU64,
    /// Frames in the receive ring.
    pub frames_rx: AtomicU64,
    /// Frames in the worker's hands.
    pub frames_held: AtomicU64,
    /// Frames in the transmit ring.
    pub frames_tx: AtomicU64,
    /// Frames in the completion ring.
    pub frames_completion: AtomicU64,
    /// Frames in no use.
    pub frames_free: AtomicU64,
    /// Packets taken from the receive ring.
    pub received: AtomicU64,
    /// Packets without metadata of the steer program: their arrival time is when the worker saw them.
    pub without_metadata: AtomicU64,
    /// UDP checksums that are right, of datagrams whose authenticator is wrong: they were not damaged on their way. The
    /// authenticator says more than a checksum, so that of genuine datagrams is not looked at, in any of the four.
    pub checksum_right: AtomicU64,
    /// Checksums over the pseudo-header only (veth, virtio).
    pub checksum_partial: AtomicU64,
    /// No checksum.
    pub checksum_absent: AtomicU64,
    /// Wrong checksums: damaged on their way, rather than forged or signed with another secret.
    pub checksum_wrong: AtomicU64,
    /// Answers queued.
    pub sent: AtomicU64,
    /// Times an answer found neither frame nor slot; the worker kept it.
    pub send_refused: AtomicU64,
    /// Answers that fit no frame: never sent.
    pub unsendable: AtomicU64,
    /// System calls made to send.
    pub kicks: AtomicU64,
    /// `XDP_STATISTICS`: dropped packets, longer than a frame among them.
    pub kernel_rx_dropped: AtomicU64,
    /// `XDP_STATISTICS`: dropped since the receive ring was full.
    pub kernel_rx_ring_full: AtomicU64,
    /// `XDP_STATISTICS`: the fill ring was empty.
    pub kernel_rx_fill_ring_empty: AtomicU64,
    /// `XDP_STATISTICS`: descriptors of ours that the kernel refused, of either direction. A bug if not zero.
    pub kernel_invalid_descriptors: AtomicU64,
}

impl XdpCounters {
    /// Where the frames were at the last flush.
    pub fn frames(&self) -> [(&'static str, u64); 7] {
        [
            ("fill", self.frames_fill.load(Relaxed)),
            ("kernel", self.frames_kernel.load(Relaxed)),
            ("rx", self.frames_rx.load(Relaxed)),
            ("held", self.frames_held.load(Relaxed)),
            ("tx", self.frames_tx.load(Relaxed)),
            ("completion", self.frames_completion.load(Relaxed)),
            ("free", self.frames_free.load(Relaxed)),
        ]
    }

    fn publish_frames(&self, counts: FrameCounts) {
        self.frames_fill.store(counts.fill.into(), Relaxed);
        self.frames_kernel.store(counts.kernel.into(), Relaxed);
        self.frames_rx.store(counts.rx.into(), Relaxed);
        self.frames_held.store(counts.held.into(), Relaxed);
        self.frames_tx.store(counts.tx.into(), Relaxed);
        self.frames_completion.store(counts.completion.into(), Relaxed);
        self.frames_free.store(counts.free.into(), Relaxed);
    }

    fn publish_statistics(&self, statistics: Statistics) {
        self.kernel_rx_dropped.store(statistics.rx_dropped, Relaxed);
        self.kernel_rx_ring_full.store(statistics.rx_ring_full, Relaxed);
        self.kernel_rx_fill_ring_empty.store(statistics.rx_fill_ring_empty, Relaxed);
        let invalid = statistics.rx_invalid_descriptors.saturating_add(statistics.tx_invalid_descriptors);
        self.kernel_invalid_descriptors.store(invalid, Relaxed);
    }
}

/// Adds to a counter that only this thread writes: no locked instruction.
fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(amount), Relaxed);
}

/// The way back to a requester; for a frame that was no datagram, which nobody answers, none.
#[derive(Clone, Copy, Debug)]
pub struct XdpRoute(ReplyHeader);

/// A packet of the burst with what was found in it.
#[derive(Debug)]
struct Received {
    packet: Packet,
    layout: Result<Layout, FrameError>,
    arrival_monotonic_ns: u64,
}

/// One AF_XDP queue as a source.
#[derive(Debug)]
pub struct XdpSource {
    socket: Socket,
    /// Packets as they came; at most [`BURST`], allocated once.
    incoming: Vec<Packet>,
    /// The same, examined; at most [`BURST`], allocated once.
    burst: Vec<Received>,
    /// What to add to the monotonic clock to get the time since 1970; read once a burst.
    unix_offset_ns: u64,
    /// The monotonic clock when last read.
    now_ns: u64,
    statistics_ns: u64,
    /// An answer was refused since the last flush freed something.
    refused: bool,
    counters: Arc<XdpCounters>,
}

impl XdpSource {
    /// The source of one open socket.
    pub fn new(socket: Socket) -> XdpSource {
        XdpSource {
            socket,
            incoming: Vec::with_capacity(BURST),
            burst: Vec::with_capacity(BURST),
            unix_offset_ns: 0,
            now_ns: 0,
            statistics_ns: 0,
            refused: false,
            counters: Arc::new(XdpCounters::default()),
        }
    }

    /// The counters, for the exporter.
    pub fn counters(&self) -> Arc<XdpCounters> {
        Arc::clone(&self.counters)
    }

    /// Where the frames are now; their sum is the number of frames of the socket's UMEM.
    pub fn frames(&self) -> FrameCounts {
        self.socket.frames()
    }

    /// The socket underneath.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    fn read_clocks(&mut self) {
        self.now_ns = nanoseconds(ClockId::Monotonic);
        self.unix_offset_ns = nanoseconds(ClockId::Realtime).wrapping_sub(self.now_ns);
    }

    /// When the packet met the steer program, if it left word and that can be true.
    fn arrival(&self, packet: &Packet) -> Option<u64> {
        let octets = self.socket.before_packet(packet, Meta::LENGTH)?.first_chunk()?;
        let arrival_ns = Meta::from_bytes(octets)?.arrival_ns;
        let waited = self.now_ns.checked_sub(arrival_ns)?;
        (waited < WAIT_BELIEVED_NS).then_some(arrival_ns)
    }

    fn examine(&self, packet: Packet) -> Received {
        let octets = self.socket.packet(&packet);
        let layout = Layout::find(octets);
        let arrival_monotonic_ns = self.arrival(&packet).unwrap_or_else(|| {
            add(&self.counters.without_metadata, 1);
            self.now_ns
        });
        Received { packet, layout, arrival_monotonic_ns }
    }

    fn publish(&mut self) {
        self.counters.publish_frames(self.socket.frames());
        if self.now_ns.saturating_sub(self.statistics_ns) >= STATISTICS_INTERVAL_NS {
            self.statistics_ns = self.now_ns;
            if let Ok(statistics) = self.socket.statistics() {
                self.counters.publish_statistics(statistics);
            }
        }
    }
}

impl Source for XdpSource {
    type Route = XdpRoute;
    const PATH: CapturePath = CapturePath::Xdp;

    fn receive(&mut self) -> Result<usize, SourceError> {
        debug_assert!(self.burst.is_empty(), "release comes before the next receive");
        let mut incoming = std::mem::take(&mut self.incoming);
        let count = self.socket.receive(&mut incoming, BURST - self.burst.len().min(BURST));
        if count > 0 {
            self.read_clocks();
            add(&self.counters.received, count as u64);
        }
        let near = incoming.iter().fold(0, |near, packet| near ^ bring_near(self.socket.packet(packet)));
        // Without a use the compiler would leave the loads out.
        std::hint::black_box(near);
        for packet in incoming.drain(..) {
            let received = self.examine(packet);
            self.burst.push(received);
        }
        self.incoming = incoming;
        Ok(self.burst.len())
    }

    #[inline]
    fn datagram(&self, index: usize) -> Result<Datagram<'_>, FrameError> {
        let received = self.burst.get(index).ok_or(FrameError)?;
        let layout = received.layout?;
        let octets = self.socket.packet(&received.packet);
        Ok(Datagram {
            payload: layout.payload(octets),
            source: layout.source(octets),
            destination: layout.destination(octets),
            arrival_unix_ns: received.arrival_monotonic_ns.wrapping_add(self.unix_offset_ns),
            arrival_monotonic_ns: received.arrival_monotonic_ns,
        })
    }

    #[inline]
    fn route(&self, index: usize) -> XdpRoute {
        XdpRoute(match self.burst.get(index) {
            Some(Received { packet, layout: Ok(layout), .. }) => {
                ReplyHeader::to_sender_of(self.socket.packet(packet), layout)
            }
            _ => ReplyHeader::NONE,
        })
    }

    fn distrust(&self, index: usize) {
        let Some(Received { packet, layout: Ok(layout), .. }) = self.burst.get(index) else { return };
        let counter = match layout.checksum(self.socket.packet(packet)) {
            Checksum::Right => &self.counters.checksum_right,
            Checksum::Partial => &self.counters.checksum_partial,
            Checksum::Absent => &self.counters.checksum_absent,
            Checksum::Wrong => &self.counters.checksum_wrong,
        };
        add(counter, 1);
    }

    fn release(&mut self) {
        for received in self.burst.drain(..) {
            self.socket.give_back(received.packet.into_frame());
        }
        self.socket.refill();
    }

    /// True also for an answer that can never be sent (no way back, or longer than a frame): it is counted, and
    /// keeping it would be of no use.
    fn send(&mut self, route: &XdpRoute, response: &[u8]) -> bool {
        let Some(mut frame) = self.socket.take_frame() else {
            self.refused = true;
            add(&self.counters.send_refused, 1);
            return false;
        };
        let written = route.0.write(response, self.socket.frame_mut(&mut frame));
        let Some(length) = written else {
            self.socket.give_back(frame);
            add(&self.counters.unsendable, 1);
            return true;
        };
        match self.socket.transmit(frame, length) {
            Ok(()) => {
                add(&self.counters.sent, 1);
                true
            }
            Err(frame) => {
                self.socket.give_back(frame);
                self.refused = true;
                add(&self.counters.send_refused, 1);
                false
            }
        }
    }

    fn flush(&mut self) -> Result<(), SourceError> {
        let flushed =
            self.socket.flush().map_err(|error| fault("sending through the AF_XDP socket", error))?;
        add(&self.counters.kicks, flushed.kicks.into());
        if flushed.completed > 0 {
            self.refused = false;
            // Frames that went out may be what the fill ring lacked.
            self.socket.refill();
        }
        self.publish();
        Ok(())
    }

    fn wait(&mut self, wake: BorrowedFd<'_>, timeout_ms: i32) -> Result<(), SourceError> {
        // In copy mode poll itself goes on sending; but nothing tells us when a sent frame came back.
        let owed = self.refused || self.socket.outstanding() > 0;
        let timeout_ms = match (owed, timeout_ms) {
            (false, timeout) => timeout,
            (true, timeout) if timeout < 0 => OWED_TIMEOUT_MS,
            (true, timeout) => timeout.min(OWED_TIMEOUT_MS),
        };
        let timeout = (timeout_ms >= 0).then(|| Timespec {
            tv_sec: i64::from(timeout_ms / 1000),
            tv_nsec: i64::from(timeout_ms % 1000) * 1_000_000,
        });
        let mut fds = [
            PollFd::from_borrowed_fd(self.socket.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(wake, PollFlags::IN),
        ];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(fault("waiting for packets", error.into())),
        }
        // An idle queue has its counters published too.
        self.now_ns = nanoseconds(ClockId::Monotonic);
        self.publish();
        Ok(())
    }
}

/// A socket whose device was deleted is unbound by the kernel, and says so on the next call.
fn fault(operation: &'static str, error: std::io::Error) -> SourceError {
    match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::NXIO | rustix::io::Errno::NODEV) => SourceError::DeviceGone,
        _ => SourceError::Io { operation, error },
    }
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

/// The way back must outlive thousands of receive buffers: it has to stay small.
const _: () = assert!(size_of::<XdpRoute>() <= 128);
