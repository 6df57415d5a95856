//! AF_XDP: rings, UMEM, sockets, NIC queries and the ladder of capture modes, straight over the kernel's ABI.
//!
//! Knows nothing of RADIUS and nothing of BPF: the XDP program belongs to the caller, who hands it to [`ladder`]
//! through the [`Program`] trait so that everything happens in the one order that works on all drivers. Called by
//! `ingest::capture` (the data path), by the binary (set-up) and by `check` (questions about the host).
//!
//! One [`Socket`] owns one UMEM, one socket and its four rings, and belongs to one thread at a time. A frame is a
//! [`FrameToken`] that can be moved but neither copied nor made up: handing a frame to the kernel twice does not
//! compile.
#![allow(
    unsafe_code,
    reason = "memory shared with the kernel, mmap and socket calls that no safe crate offers"
)]

pub mod ring;

#[cfg(not(loom))]
pub mod kernel;
#[cfg(not(loom))]
pub mod ladder;
#[cfg(not(loom))]
pub mod nic;
#[cfg(not(loom))]
pub mod socket;
#[cfg(not(loom))]
mod uapi;
#[cfg(not(loom))]
pub mod umem;

#[cfg(not(loom))]
pub use self::{
    kernel::KernelRelease,
    ladder::{Hook, Mode, NoRung, Opened, Plan, Program, Refusal, RungOutcome},
    nic::Interface,
    socket::{Binding, FrameCounts, Options, Packet, Socket, SocketError, Statistics},
    umem::{FrameToken, Pages, Umem},
};
