//! RADIUS accounting on the wire (RFC 2865, 2866 and their extensions): framing, validation, attributes,
//! authenticators, responses and names. Sans-IO: octets in, octets and meaning out; no clock, no socket, no allocation.
//!
//! The worker calls [`Framed::parse`], [`Framed::request`], [`authenticator`] and [`response`] for every datagram;
//! everything behind the journal reads meaning with [`Request::decoded`] and [`dictionary`]. Nothing in here knows its
//! callers. Rule numbers (R1 ...) in comments and tests are those of the
//! conformance list.
#![forbid(unsafe_code)]

pub mod accounting;
pub mod attribute;
pub mod authenticator;
pub mod build;
pub mod dictionary;
mod marks;
mod packet;
pub mod record;
mod request;
pub mod response;

pub use marks::Marks;
pub use packet::{Code, Framed, HEADER_LENGTH, MAX_LENGTH, MIN_LENGTH, Malformed, Rejected};
pub use request::{MAX_ATTRIBUTES, Request};

/// An output buffer that cannot hold what is to be written into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferTooSmall {
    /// Octets that the buffer would have to hold.
    pub needed: usize,
}

impl core::fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "buffer too small: {} octets needed", self.needed)
    }
}

impl core::error::Error for BufferTooSmall {}
