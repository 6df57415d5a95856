//! The journal: the durable record of every verified request, and the truth that all else is derived from.
//!
//! [`open`] recovers a directory and gives a [`Writer`] (the body of the one writing thread), a [`Handle`] (state,
//! watermark, statistics, for anybody) and a [`RecoveryReport`]. Each worker gets a [`Port`], fills [`Batch`]es and
//! submits them; they come back with an [`Outcome`], and only `Committed` means that the records are durable.
//! [`Reader`] reads beside a running writer; [`Cursor`] remembers how far a reader came; [`verify`] checks a
//! directory; a [`Redactor`] takes records out for good. The format on disk is described in [`codec`].
//!
//! Ingest calls the writing half, the command line, the service and the duplicate table's rebuild the reading half.
#![forbid(unsafe_code)]

mod batch;
mod chain;
pub mod codec;
mod cursor;
mod handle;
mod options;
mod port;
mod reader;
mod recovery;
mod redact;
mod retention;
mod segment;
mod storage;
mod verify;
mod writer;

use std::net::SocketAddr;

pub use batch::{Batch, BatchFull};
pub use chain::{Damage, UnknownVersion};
pub use cursor::{Cursor, CursorError};
pub use handle::{
    COMMIT_BOUNDS_NS, COMMIT_BUCKETS, COMMIT_RECORDS_BOUNDS, Event, FailureKind, Handle, State, Statistics,
};
pub use options::{BATCH_BYTES_MIN, Options, Retention};
pub use port::{Outcome, Port, Wake};
pub use reader::{ReadError, Reader, Record, Records};
pub use recovery::{OpenError, Opened, RecoveryReport, open};
pub use redact::{Redact, RedactError, Redacted, Redactor};
pub use storage::{Entry, RealStorage, Space, Storage};
pub use verify::{VerifyReport, verify, verify_storage};
pub use writer::Writer;

/// The way by which a request reached the sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CapturePath {
    /// Off the NIC through AF_XDP.
    Xdp = 1,
    /// Through a kernel UDP socket.
    Udp = 2,
    /// From a capture file.
    Pcap = 3,
}

impl CapturePath {
    /// `xdp`, `udp`, `pcap`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xdp => "xdp",
            Self::Udp => "udp",
            Self::Pcap => "pcap",
        }
    }
}

/// A request to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct NewRecord<'a> {
    /// When the datagram arrived, ns since the Unix epoch.
    pub arrival_unix_ns: u64,
    /// Who sent it.
    pub source: SocketAddr,
    /// Whom it was sent to.
    pub destination: SocketAddr,
    /// How it came in.
    pub path: CapturePath,
    /// Name of the configured client; at most 255 octets are kept.
    pub client: &'a str,
    /// The request: what its Length field covers, at most 65,535 octets.
    pub octets: &'a [u8],
}
