//! How datagrams get to the server and answers back: two ways of one shape.
//!
//! [`Xdp`] sends and receives through an AF_XDP socket at the far end of a veth pair, [`Datagrams`] are ordinary UDP
//! sockets and work on loopback too. The run loop owns one and knows no more of it than [`Sender`].

mod datagrams;
mod xdp;

use std::io;

use rustix::time::{ClockId, clock_gettime};

pub use self::{
    datagrams::Datagrams,
    xdp::{Way, Xdp},
};

/// One way to the server. Sources are numbered from 0.
pub trait Sender {
    /// Queues a datagram from this source. False when there is no room before the next flush.
    ///
    /// # Errors
    /// What the kernel refuses for good.
    fn send(&mut self, flow: u32, octets: &[u8]) -> io::Result<bool>;

    /// Hands what is queued to the kernel.
    ///
    /// # Errors
    /// What the kernel refuses for good.
    fn flush(&mut self) -> io::Result<()>;

    /// Takes the answers that are there and returns how many.
    ///
    /// # Errors
    /// What the kernel refuses for good.
    fn receive(&mut self, take: &mut dyn FnMut(Answer<'_>)) -> io::Result<usize>;
}

/// An answer as it came.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The source that it is for.
    pub flow: u32,
    /// The UDP payload.
    pub octets: &'a [u8],
    /// When it came, nanoseconds of `CLOCK_MONOTONIC`.
    pub at_ns: u64,
}

/// `CLOCK_MONOTONIC` in nanoseconds.
pub(super) fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}
