//! Many MD5s at once: Request Authenticators and Response Authenticators (RFC 2866 section 3) and Message-Authenticators
//! (RFC 2869 section 5.14) of a whole burst in one call. The worker hands over what it has; nothing else calls this.
//! Knows where the Authenticator lies and nothing more of RADIUS; does no I/O.
//!
//! A digest cannot be made faster by wide registers, but many independent ones can: each lane of a vector works on
//! another message. Messages are read where they lie, in the ring or the journal; no packet is copied. See
//! [`Lanes`] for what may be called, `schedule` for how messages come into lanes, `kernel` for what a path consists of.
//!
//! `unsafe` is left to the loads and stores of the kernels and to the calls into code for a processor that was detected.

mod jobs;
mod kernel;
mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;
mod order;
mod path;
mod portable;
mod prepared;
mod rounds;
mod scalar;
mod schedule;
pub mod unprepared;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use lanes::{Lanes, MessageCheck, RequestCheck, ResponseSignature};
pub use path::{Path, Unavailable, UnknownPath};
pub use prepared::Prepared;
