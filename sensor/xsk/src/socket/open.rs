//! Opening a socket: every step in the order that all drivers can live with.

use std::{
    fmt, io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    thread,
    time::Duration,
};

use super::{Socket, SocketError, Step};
use crate::{
    nic::Interface,
    ring::{Consumer, Mapped, Producer},
    uapi,
    umem::Umem,
};

/// The kernel takes a queue's previous owner down in the background: a bind straight after a close meets EBUSY.
const BIND_ATTEMPTS: u32 = 50;
const BIND_PAUSE: Duration = Duration::from_millis(20);

/// What copy mode sends in one call before Linux 6.17.
const TRANSMIT_BUDGET_BEFORE_6_17: u32 = 32;

/// How packets come into the UMEM. Always forced: a bind that leaves the choice to the kernel lands in copy mode
/// without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The NIC writes into the UMEM.
    ZeroCopy,
    /// The kernel copies.
    Copy,
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Binding::ZeroCopy => "zero-copy",
            Binding::Copy => "copy",
        })
    }
}

/// Sizes of a socket. Every ring is a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Frames of the UMEM; at least the fill and the transmit ring together.
    pub frames: u32,
    /// Octets of a frame: 2048 or 4096. The kernel keeps 256 of them in front of each packet.
    pub frame_size: u32,
    /// Slots of the fill ring, all of them filled at the start: packets that arrive while the worker stalls.
    pub fill: u32,
    /// Slots of the receive ring.
    pub receive: u32,
    /// Slots of the transmit ring, and the frames reserved for answers.
    pub transmit: u32,
    /// Slots of the completion ring; at least those of the transmit ring.
    pub completion: u32,
    /// Where the memory should come from; the node of the NIC, as a rule.
    pub numa_node: Option<u32>,
}

impl Default for Options {
    /// 8 MiB: what the default `RLIMIT_MEMLOCK` allows for one queue. 2048 packets are 10 ms at 200,000 a second. The bench
    /// `knobs` lost 20 % of a storm of 8,192 with 1024 and nothing with 2048 (docs/tuning.md).
    fn default() -> Options {
        Options::of_ring(2048)
    }
}

impl Options {
    /// Rings that hold this many packets, a power of two of at least 2, in twice as many frames, so that a full fill ring
    /// and the answers on their way leave frames for the packets that the worker has. The transmit ring is half as long:
    /// answers leave between two bursts.
    ///
    /// Frames are 2048 octets: the kernel takes 2048 or a page, and 1792 behind its head room hold the longest frame of an
    /// MTU of 1500 with two VLAN tags (1522). A page each would lock twice the memory for the same packets. Derived, not
    /// measured.
    pub const fn of_ring(ring: u32) -> Options {
        Options {
            frames: 2 * ring,
            frame_size: 2048,
            fill: ring,
            receive: ring,
            transmit: ring / 2,
            completion: ring,
            numa_node: None,
        }
    }

    /// Octets of the UMEM: what counts against `RLIMIT_MEMLOCK`.
    pub const fn locked_octets(&self) -> u64 {
        self.frames as u64 * self.frame_size as u64
    }

    /// The longest packet that fits into a frame behind the kernel's head room.
    pub fn longest_packet(&self) -> u32 {
        self.frame_size - 256
    }

    fn contradiction(&self) -> Option<&'static str> {
        let rings = [self.fill, self.receive, self.transmit, self.completion];
        if !rings.iter().all(|size| size.is_power_of_two() && *size <= 1 << 20) {
            Some("ring sizes must be powers of two, at most 1048576")
        } else if ![2048, 4096].contains(&self.frame_size) {
            Some("frames must be 2048 or 4096 octets")
        } else if self.frames < self.fill + self.transmit || self.frames > 1 << 21 {
            Some("there must be frames for the fill and the transmit ring, and at most 2097152")
        } else if self.completion < self.transmit {
            Some("the completion ring must not be smaller than the transmit ring")
        } else {
            None
        }
    }
}

impl Socket {
    /// Opens a socket on one queue: memory, rings, a full fill ring, bind (retried for a second while the queue is
    /// busy), check of the mode, send buffer, and a first call into the transmit path.
    ///
    /// The XDP program must be attached before (some drivers bind only then), and must not redirect to the socket
    /// yet. Needs CAP_NET_RAW.
    pub fn open(
        interface: &Interface,
        queue: u32,
        binding: Binding,
        options: &Options,
    ) -> Result<Socket, SocketError> {
        let at = |step: Step| {
            move |error: io::Error| SocketError { interface: interface.name.clone(), queue, step, error }
        };
        if let Some(contradiction) = options.contradiction() {
            return Err(at(Step::Options(contradiction))(io::ErrorKind::InvalidInput.into()));
        }
        let fd = create().map_err(at(Step::Create))?;
        let octets = options.locked_octets() as usize;
        let (umem, free) = Umem::new(options.frames, options.frame_size, options.numa_node)
            .map_err(at(Step::MapUmem { octets }))?;
        register(fd.as_fd(), &umem).map_err(at(Step::RegisterUmem { octets, limit: memory_lock_limit() }))?;

        for (name, option, size) in [
            ("fill", libc::XDP_UMEM_FILL_RING, options.fill),
            ("completion", libc::XDP_UMEM_COMPLETION_RING, options.completion),
            ("receive", libc::XDP_RX_RING, options.receive),
            ("transmit", libc::XDP_TX_RING, options.transmit),
        ] {
            uapi::set_option(fd.as_fd(), libc::SOL_XDP, option, &size).map_err(at(Step::SizeRing(name)))?;
        }
        let offsets = ring_offsets(fd.as_fd()).map_err(at(Step::MapRing("first")))?;
        // SAFETY: in each of the four: the offsets of this ring, its size as set above, and its type of entry. One
        // producer or consumer is made of each mapping, and the peer is the kernel.
        let (fill, completion, receive, transmit) = unsafe {
            (
                Producer::new(
                    Mapped::map(fd.as_fd(), libc::XDP_UMEM_PGOFF_FILL_RING as i64, &offsets.fr, options.fill)
                        .map_err(at(Step::MapRing("fill")))?,
                ),
                Consumer::new(
                    Mapped::map(
                        fd.as_fd(),
                        libc::XDP_UMEM_PGOFF_COMPLETION_RING as i64,
                        &offsets.cr,
                        options.completion,
                    )
                    .map_err(at(Step::MapRing("completion")))?,
                ),
                Consumer::new(
                    Mapped::map(fd.as_fd(), libc::XDP_PGOFF_RX_RING, &offsets.rx, options.receive)
                        .map_err(at(Step::MapRing("receive")))?,
                ),
                Producer::new(
                    Mapped::map(fd.as_fd(), libc::XDP_PGOFF_TX_RING, &offsets.tx, options.transmit)
                        .map_err(at(Step::MapRing("transmit")))?,
                ),
            )
        };
        let mut socket = Socket {
            fd,
            fill,
            completion,
            receive,
            transmit,
            umem,
            free,
            transmit_reserve: options.transmit as usize,
            held: 0,
            with_kernel: 0,
            binding,
            transmit_budget: TRANSMIT_BUDGET_BEFORE_6_17,
        };
        // Full, not just filled: some drivers never look again if they find the ring empty at bind.
        socket.refill();

        bind(socket.as_fd(), interface.index, queue, binding).map_err(at(Step::Bind(binding)))?;
        let granted = granted(socket.as_fd()).map_err(at(Step::ReadOptions))?;
        if granted != binding {
            return Err(at(Step::Granted(granted))(io::ErrorKind::Unsupported.into()));
        }
        socket.widen_transmit(options);
        socket.kick_transmit().map_err(at(Step::TestKick))?;
        Ok(socket)
    }

    /// Lets one call into the kernel send a whole ring. Without it there are more calls, not fewer answers.
    fn widen_transmit(&mut self, options: &Options) {
        let budget = options.transmit;
        if uapi::set_option(self.as_fd(), libc::SOL_XDP, uapi::XDP_MAX_TX_SKB_BUDGET, &budget).is_ok() {
            self.transmit_budget = budget;
        }
        // Each answer in flight is charged with its buffer and the kernel's bookkeeping, about 1 KiB.
        let octets = (options.transmit * 2048).min(i32::MAX as u32) as i32;
        let forced = uapi::set_option(self.as_fd(), libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, &octets);
        if forced.is_err() {
            // Without CAP_NET_ADMIN: as much as net.core.wmem_max allows.
            let _ = uapi::set_option(self.as_fd(), libc::SOL_SOCKET, libc::SO_SNDBUF, &octets);
        }
    }
}

fn create() -> io::Result<OwnedFd> {
    // SAFETY: takes no memory of ours.
    let fd = unsafe { libc::socket(libc::AF_XDP, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just created, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn register(fd: BorrowedFd<'_>, umem: &Umem) -> io::Result<()> {
    let registration = libc::xdp_umem_reg {
        addr: umem.address(),
        len: umem.octets() as u64,
        chunk_size: umem.frame_size(),
        headroom: 0,
        flags: 0,
        tx_metadata_len: 0,
    };
    uapi::set_option(fd, libc::SOL_XDP, libc::XDP_UMEM_REG, &registration)
}

fn ring_offsets(fd: BorrowedFd<'_>) -> io::Result<libc::xdp_mmap_offsets> {
    let (offsets, length) =
        uapi::get_option::<libc::xdp_mmap_offsets>(fd, libc::SOL_XDP, libc::XDP_MMAP_OFFSETS)?;
    // Kernels before 5.4 know no flags word and answer with a shorter struct.
    if length == size_of::<libc::xdp_mmap_offsets>() {
        Ok(offsets)
    } else {
        Err(io::ErrorKind::Unsupported.into())
    }
}

fn bind(fd: BorrowedFd<'_>, interface: u32, queue: u32, binding: Binding) -> io::Result<()> {
    let mode = match binding {
        Binding::ZeroCopy => libc::XDP_ZEROCOPY,
        Binding::Copy => libc::XDP_COPY,
    };
    let address = libc::sockaddr_xdp {
        sxdp_family: libc::AF_XDP as u16,
        sxdp_flags: mode | libc::XDP_USE_NEED_WAKEUP,
        sxdp_ifindex: interface,
        sxdp_queue_id: queue,
        sxdp_shared_umem_fd: 0,
    };
    let mut attempt = 1;
    loop {
        // SAFETY: `address` is valid for reads of its size during the call.
        let result = unsafe {
            libc::bind(
                fd.as_raw_fd(),
                (&raw const address).cast(),
                size_of::<libc::sockaddr_xdp>() as libc::socklen_t,
            )
        };
        if result == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EBUSY) || attempt == BIND_ATTEMPTS {
            return Err(error);
        }
        attempt += 1;
        thread::sleep(BIND_PAUSE);
    }
}

fn granted(fd: BorrowedFd<'_>) -> io::Result<Binding> {
    let (options, _) = uapi::get_option::<libc::xdp_options>(fd, libc::SOL_XDP, libc::XDP_OPTIONS)?;
    Ok(if options.flags & libc::XDP_OPTIONS_ZEROCOPY != 0 { Binding::ZeroCopy } else { Binding::Copy })
}

/// The soft limit in octets; `None`: unlimited.
fn memory_lock_limit() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for writes during the call.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) };
    (result == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradicting_options_are_named() {
        let defaults = Options::default();
        for ring in [256, 2048, 8192] {
            assert_eq!(Options::of_ring(ring).contradiction(), None);
        }
        for (options, word) in [
            (Options { fill: 1000, ..defaults }, "powers of two"),
            (Options { transmit: 0, ..defaults }, "powers of two"),
            (Options { frame_size: 1024, ..defaults }, "2048 or 4096"),
            (Options { frames: 3000, ..defaults }, "frames for the fill"),
            (Options { completion: 512, ..defaults }, "completion ring"),
        ] {
            assert!(options.contradiction().unwrap().contains(word), "{options:?}");
        }
    }
}
