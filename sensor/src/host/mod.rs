//! What this host offers and lacks: which interfaces XDP covers, and what an administrator could change.
//!
//! Used by `run` to choose interfaces and by `check` to report.

mod findings;
mod interfaces;

pub use findings::{Finding, State, findings};
pub use interfaces::{Choice, HostInterface, Kind, choose, host_interfaces, reachable};
