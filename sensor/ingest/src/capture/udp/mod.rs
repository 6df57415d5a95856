//! The kernel's UDP sockets as a source: always there beside XDP, and the whole product without it.
//!
//! Every worker has its own socket for each listening address (SO_REUSEPORT: the kernel spreads the senders over the
//! workers). One `recvmmsg` takes a burst, one `sendmmsg` sends the answers of a socket, from the address that was
//! asked. Fragmented requests arrive here whole. Made by the binary, driven by the worker.

#[allow(
    unsafe_code,
    reason = "recvmmsg, sendmmsg and control messages have no safe wrapper that can be reused"
)]
mod syscall;
mod waiting;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use arrayvec::ArrayVec;
use journal::CapturePath;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, ipproto, socket_with},
};

use super::{Datagram, FrameError, Source, SourceError};
use crate::clock::{monotonic_ns, unix_ns};
use syscall::Room;
use waiting::Waiting;

/// Addresses that one worker can listen on.
pub const MAX_ADDRESSES: usize = 32;

/// Datagrams taken or sent with one system call. Derived, not measured: entering the kernel takes some 0.2 us and each
/// datagram some 1 us there, so that with 64 a call is well below a hundredth and more of them gain nothing. The headers
/// of 64 are a page of the stack, and their buffers (270 KiB) stay in the second-level cache.
pub const MESSAGES: usize = 64;

/// Octets that the kernel may keep for a socket while its worker is busy or away (SO_RCVBUF). 8 MiB hold some 10,000
/// requests as the kernel counts them, 50 ms at 200,000 a second.
pub const RECEIVE_BUFFER: usize = 8 << 20;

/// A listening address that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {operation}: {error}")]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// What was tried.
    pub operation: &'static str,
    /// What the kernel said.
    pub error: io::Error,
}

/// What the UDP sockets of a worker counted. Read by the exporter while the worker writes.
#[derive(Debug, Default)]
pub struct UdpCounters {
    socket_drops: AtomicU64,
    send_errors: AtomicU64,
    longer_than_a_packet: AtomicU64,
    receive_buffer: AtomicU64,
}

impl UdpCounters {
    /// Datagrams that the kernel dropped because a socket's buffer was full (SO_RXQ_OVFL). The kernel tells with the
    /// next datagram that it delivers.
    pub fn socket_drops(&self) -> u64 {
        self.socket_drops.load(Relaxed)
    }

    /// Answers that were queued and not sent: the kernel refused to (no route, a firewall), or the socket was closed.
    pub fn send_errors(&self) -> u64 {
        self.send_errors.load(Relaxed)
    }

    /// Octets of receive buffer that the kernel granted each open socket, the least of them, in the measure of
    /// [`RECEIVE_BUFFER`]. It grants less to a process without CAP_NET_ADMIN, as one is that opens its ports again.
    pub fn receive_buffer(&self) -> u64 {
        self.receive_buffer.load(Relaxed)
    }

    /// Datagrams longer than the receive buffer. What is cut off is beyond the 4096 octets that a packet can have,
    /// so it is padding and the verdict is the same without it.
    pub fn longer_than_a_packet(&self) -> u64 {
        self.longer_than_a_packet.load(Relaxed)
    }
}

/// One worker's sockets.
pub struct UdpSource {
    sockets: Vec<Listener>,
    /// Where it listens when it is open.
    addresses: Vec<SocketAddr>,
    room: Room,
    /// Which socket each datagram of the burst came from, and its addresses and times.
    burst: ArrayVec<Received, MESSAGES>,
    /// The socket that is asked first, so that a busy one cannot starve the others.
    turn: usize,
    counters: Arc<UdpCounters>,
}

struct Listener {
    socket: OwnedFd,
    address: SocketAddr,
    waiting: Waiting,
    /// Octets that the kernel granted, in the measure of [`RECEIVE_BUFFER`].
    receive_buffer: usize,
    /// The socket's drops as the kernel last told them, modulo 2^32.
    drops: u32,
}

#[derive(Clone, Copy)]
struct Received {
    length: usize,
    destination: SocketAddr,
    arrival_unix_ns: u64,
    arrival_monotonic_ns: u64,
    route: UdpRoute,
}

/// The way back to the sender of a datagram.
#[derive(Clone, Copy, Debug)]
pub struct UdpRoute {
    listener: usize,
    peer: SocketAddr,
    /// The address to answer from; unspecified if the kernel did not say which one was asked.
    from: IpAddr,
    /// The interface, where the address means nothing without it (IPv6 link-local); else 0.
    interface: u32,
}

impl UdpSource {
    /// Binds one socket for each address. Port 0 takes a free one: see [`UdpSource::addresses`].
    ///
    /// # Errors
    /// The first address that cannot be had; or, for its address, that there are more than [`MAX_ADDRESSES`].
    pub fn bind(addresses: &[SocketAddr]) -> Result<UdpSource, BindError> {
        if let Some(&address) = addresses.get(MAX_ADDRESSES) {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "too many listening addresses");
            return Err(BindError { address, operation: "listen", error });
        }
        let mut source = UdpSource {
            sockets: Vec::new(),
            addresses: addresses.to_vec(),
            room: Room::new(),
            burst: ArrayVec::new(),
            turn: 0,
            counters: Arc::default(),
        };
        source.open()?;
        source.addresses = source.sockets.iter().map(|listener| listener.address).collect();
        Ok(source)
    }

    fn open(&mut self) -> Result<(), BindError> {
        let bound: Vec<Listener> =
            self.addresses.iter().map(|&address| Listener::bind(address)).collect::<Result<_, _>>()?;
        let least = bound.iter().map(|listener| listener.receive_buffer).min();
        self.counters.receive_buffer.store(least.unwrap_or(0) as u64, Relaxed);
        self.sockets = bound;
        Ok(())
    }

    /// The addresses that the sockets are bound to, in the order given.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.sockets.iter().map(|listener| listener.address)
    }

    /// The counters, to be kept by whoever exports them.
    pub fn counters(&self) -> &Arc<UdpCounters> {
        &self.counters
    }
}

impl Listener {
    fn bind(address: SocketAddr) -> Result<Listener, BindError> {
        let failed = |operation| move |error: io::Error| BindError { address, operation, error };
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(family, SocketType::DGRAM, flags, Some(ipproto::UDP))
            .map_err(|error| failed("socket")(error.into()))?;
        syscall::prepare(socket.as_fd(), address.is_ipv6(), RECEIVE_BUFFER).map_err(failed("setsockopt"))?;
        bind(&socket, &address).map_err(|error| failed("bind")(error.into()))?;
        let bound = getsockname(&socket).map_err(|error| failed("getsockname")(error.into()))?;
        let address = SocketAddr::try_from(bound).map_err(|error| failed("getsockname")(error.into()))?;
        let granted = rustix::net::sockopt::socket_recv_buffer_size(&socket)
            .map_err(|error| failed("getsockopt")(error.into()))?;
        // The kernel doubles what it is asked for, for what a datagram takes beside its octets (socket(7)).
        let receive_buffer = granted / 2;
        Ok(Listener { socket, address, waiting: Waiting::new(), receive_buffer, drops: 0 })
    }
}

impl Source for UdpSource {
    type Route = UdpRoute;
    const PATH: CapturePath = CapturePath::Udp;

    fn receive(&mut self) -> Result<usize, SourceError> {
        self.burst.clear();
        let sockets = self.sockets.len();
        for step in 0..sockets {
            let index = (self.turn + step) % sockets;
            let listener = &mut self.sockets[index];
            let at = self.burst.len();
            let count = match self.room.receive(listener.socket.as_fd(), at) {
                Ok(count) => count,
                Err(error) if would_block(&error) => continue,
                Err(error) => return Err(SourceError::Io { operation: "recvmmsg", error }),
            };
            let (now_unix, now_monotonic) = (unix_ns(), monotonic_ns());
            for arrived in self.room.arrived(at, count) {
                if let Some(drops) = arrived.drops {
                    let new = drops.wrapping_sub(listener.drops);
                    listener.drops = drops;
                    if new > 0 {
                        self.counters.socket_drops.fetch_add(u64::from(new), Relaxed);
                    }
                }
                if arrived.cut {
                    self.counters.longer_than_a_packet.fetch_add(1, Relaxed);
                }
                let arrival_unix_ns = arrived.unix_ns.unwrap_or(now_unix);
                // The kernel stamps with the clock of the calendar; the age is what carries over to the other one.
                let age = now_unix.saturating_sub(arrival_unix_ns);
                let destination = arrived.destination.unwrap_or(listener.address.ip());
                self.burst.push(Received {
                    length: arrived.length,
                    destination: SocketAddr::new(destination, listener.address.port()),
                    arrival_unix_ns,
                    arrival_monotonic_ns: now_monotonic.saturating_sub(age),
                    route: UdpRoute {
                        listener: index,
                        peer: arrived.peer,
                        from: arrived.local.unwrap_or(listener.address.ip()),
                        interface: if is_link_local(destination) { arrived.interface } else { 0 },
                    },
                });
            }
            if self.burst.is_full() {
                break;
            }
        }
        self.turn = (self.turn + 1) % sockets.max(1);
        Ok(self.burst.len())
    }

    fn datagram(&self, index: usize) -> Result<Datagram<'_>, FrameError> {
        let received = self.burst.get(index).ok_or(FrameError)?;
        Ok(Datagram {
            payload: self.room.payload(index, received.length),
            source: received.route.peer,
            destination: received.destination,
            arrival_unix_ns: received.arrival_unix_ns,
            arrival_monotonic_ns: received.arrival_monotonic_ns,
        })
    }

    fn route(&self, index: usize) -> UdpRoute {
        self.burst[index].route
    }

    fn set_open(&mut self, open: bool) -> Result<(), SourceError> {
        self.burst.clear();
        let unsent: u64 = self.sockets.drain(..).map(|listener| listener.waiting.len() as u64).sum();
        self.counters.send_errors.fetch_add(unsent, Relaxed);
        if open { Ok(self.open()?) } else { Ok(()) }
    }

    fn release(&mut self) {
        self.burst.clear();
    }

    fn send(&mut self, route: &UdpRoute, response: &[u8]) -> bool {
        // A closed socket has no room for any.
        self.sockets
            .get_mut(route.listener)
            .is_some_and(|listener| listener.waiting.push(route.peer, route.from, route.interface, response))
    }

    fn flush(&mut self) -> Result<(), SourceError> {
        for listener in &mut self.sockets {
            let refused = listener.waiting.flush(listener.socket.as_fd());
            if refused > 0 {
                self.counters.send_errors.fetch_add(refused, Relaxed);
            }
        }
        Ok(())
    }

    fn wait(&mut self, wake: BorrowedFd<'_>, timeout_ms: i32) -> Result<(), SourceError> {
        let mut fds: ArrayVec<PollFd<'_>, { MAX_ADDRESSES + 1 }> = ArrayVec::new();
        fds.push(PollFd::from_borrowed_fd(wake, PollFlags::IN));
        for listener in &self.sockets {
            let room = if listener.waiting.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
            fds.push(PollFd::new(&listener.socket, PollFlags::IN | room));
        }
        let timeout = Timespec {
            tv_sec: i64::from(timeout_ms.max(0)) / 1000,
            tv_nsec: i64::from(timeout_ms.max(0)) % 1000 * 1_000_000,
        };
        match poll(&mut fds, (timeout_ms >= 0).then_some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(SourceError::Io { operation: "poll", error: error.into() }),
        }
    }
}

fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

#[cfg(test)]
mod tests;
