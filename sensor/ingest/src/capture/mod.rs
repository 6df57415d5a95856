//! Where datagrams come from and answers go to: sources of one shape (XDP, kernel UDP, capture files).
//!
//! The worker loop is generic over [`Source`]; nothing here knows RADIUS.

pub mod frame;
pub mod netlink;
pub mod pcap;
pub mod steer;
pub mod udp;
pub mod xdp;

use std::{net::SocketAddr, os::fd::BorrowedFd};

use journal::CapturePath;

/// Datagrams brought to their verdicts together, at most: a worker takes what is there. Enough that requests of like
/// length find each other in the digest lanes, few enough that the first does not wait noticeably for the last, whose
/// turn comes after 256 times some 500 ns. The digest lanes decided it (bench `digest`, 120 to 400 octets mixed): 53 ns
/// a request in a batch of 64, 40 in large ones.
pub const BURST: usize = 256;

/// Loads an octet of every cache line of `octets` and returns a mixture that means nothing. Called for all frames of a
/// burst before the first is read: what the card or another core has written is then fetched for all of them at once.
/// Alone it took a fifth of a request's time to wait for them one by one.
pub fn bring_near(octets: &[u8]) -> u8 {
    const LINE: usize = 64;
    let last = octets.last().copied().unwrap_or_default();
    octets.iter().step_by(LINE).fold(last, |mixture, octet| mixture ^ octet)
}

/// A UDP payload with its addresses and its arrival time on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// The UDP payload.
    pub payload: &'a [u8],
    /// Who sent it.
    pub source: SocketAddr,
    /// The address and port of this host that it was sent to: the answer leaves from there (RFC 2866 section 3).
    pub destination: SocketAddr,
    /// Arrival, nanoseconds since 1970 UTC.
    pub arrival_unix_ns: u64,
    /// Arrival, nanoseconds of `CLOCK_MONOTONIC`.
    pub arrival_monotonic_ns: u64,
}

/// A frame that reached user space and is not the UDP datagram that it should be: its verdict is `malformed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the frame is not a whole UDP datagram")]
pub struct FrameError;

/// The source can deliver nothing any more.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The network device was removed.
    #[error("the network device is gone")]
    DeviceGone,
    /// A listening address cannot be had again.
    #[error(transparent)]
    Bind(#[from] udp::BindError),
    /// The kernel refused an operation that works on a sound socket.
    #[error("{operation}: {error}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// What the kernel said.
        error: std::io::Error,
    },
}

/// One source of datagrams and its way back. One worker owns it; nothing here blocks but [`Source::wait`].
pub trait Source: Send {
    /// All that is needed to answer after the receive buffers went back; at most 128 bytes.
    type Route: Copy + Send;
    /// The path recorded with each request.
    const PATH: CapturePath;

    /// Takes up to [`BURST`] datagrams that are there already and returns how many.
    fn receive(&mut self) -> Result<usize, SourceError>;
    /// Datagram `index` of the burst. Valid until [`Source::release`].
    fn datagram(&self, index: usize) -> Result<Datagram<'_>, FrameError>;
    /// How to answer datagram `index`.
    fn route(&self, index: usize) -> Self::Route;
    /// The authenticator of datagram `index` is wrong: a source that can tell whether it was damaged on its way may look.
    fn distrust(&self, index: usize) {
        let _ = index;
    }
    /// Closes its sockets, so that senders see that nobody listens, or opens them again. Nothing is in flight then, and
    /// until it is open again nothing is sent. Sources that somebody else keeps from delivering have nothing to do.
    ///
    /// # Errors
    /// What could not be opened; then all stays closed.
    fn set_open(&mut self, open: bool) -> Result<(), SourceError> {
        let _ = open;
        Ok(())
    }
    /// Gives the burst's receive buffers back.
    fn release(&mut self);
    /// Queues one answer. False when there is no room now: the caller keeps it and tries again after a flush.
    fn send(&mut self, route: &Self::Route, response: &[u8]) -> bool;
    /// Hands queued answers to the kernel and takes finished buffers back.
    fn flush(&mut self) -> Result<(), SourceError>;
    /// Sleeps until a datagram is there, an answer can be queued again (if one was refused), `wake` is readable,
    /// or the time is over.
    fn wait(&mut self, wake: BorrowedFd<'_>, timeout_ms: i32) -> Result<(), SourceError>;
}
