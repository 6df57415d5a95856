//! The hot half: from datagrams to durable records and answers.
//!
//! `capture` takes datagrams off the wire and puts answers on it, `worker` runs each burst to completion
//! (parse, client, verify, duplicates, batch, answer), and everything else here serves the worker. Called by the
//! `vpn-sensor` binary alone; knows nothing of what becomes of the records.
#![deny(unsafe_code)]

pub mod capture;
pub mod clients;
pub mod dedup;
pub mod latency;
pub mod pin;
pub mod verdict;
