//! The harness of the end-to-end tests: a wire of its own for each test (network namespaces and veth pairs), the
//! sensor as a child process on one end of it, RADIUS clients and raw frames on the other, and what the sensor says
//! about itself: metrics, journal, log.
//!
//! Everything here panics with a sentence when the machine lacks something: a test that cannot run has failed. Called
//! by the tests of this package, and by those of `ingest` that need a wire.
#![deny(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a harness fails by panicking")]

pub mod api;
pub mod config;
pub mod frames;
pub mod journal;
pub mod load;
pub mod metrics;
pub mod namespace;
pub mod nas;
pub mod packet_socket;
pub mod portal;
pub mod radclient;
pub mod requests;
pub mod sensor;
pub mod small_disk;
pub mod strace;
pub mod tools;
pub mod wait;
pub mod wire;

pub use namespace::Namespace;
pub use nas::Nas;
pub use sensor::Sensor;
pub use wait::{PATIENCE, wait_for, wait_until};
pub use wire::Wire;
