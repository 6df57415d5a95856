//! The hot half: from datagrams to durable records and answers.
//!
//! `capture` takes datagrams off the wire and puts answers on it, `worker` runs each burst to completion
//! (parse, client, verify, duplicates, batch, answer), and everything else here serves the worker; [`Ingest`] puts
//! them together. Called by the `vpn-sensor` binary alone; knows nothing of what becomes of the records.
#![deny(unsafe_code)]

mod assembly;
pub mod capture;
pub mod clients;
mod clock;
pub mod counters;
pub mod dedup;
pub mod latency;
pub mod notice;
pub mod pin;
pub mod proof;
pub mod specimen;
pub mod verdict;
mod wake;
pub mod worker;

pub use assembly::{Ended, Ingest, IngestOptions, SpawnError};
pub use wake::WorkerWake;
