//! The parts of the `vpn-sensor` binary: command line, metrics and the wiring of a running sensor.
//!
//! `cli` is called by `main` alone; `send` is the test client; `config` is a crate of its own, used by everything here; `run` puts
//! ingest, journal and metrics together; `places` opens the databases of places.
#![forbid(unsafe_code)]

pub mod cli;
pub mod failure;
pub mod host;
pub mod metrics;
pub mod places;
pub mod run;
pub mod send;

pub use config;
