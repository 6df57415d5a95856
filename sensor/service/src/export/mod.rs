//! What leaves the host for other eyes.
//!
//! | file | what lives there |
//! |---|---|
//! | `pseudonym` | names and addresses made unreadable, each always the same way |
//! | `format/` | what is told, and how it is written: OCSF, CEF, JSON, text, syslog. Pure functions |
//! | `spool/` | what a sink has not got yet, on disk, bounded |
//! | `sink/` | files, syslog, webhooks, mail: a thread for each, from its spool to its peer |
//! | `stopped` | a sink that cannot be started, until it can |
//! | `telling` | [`Telling`]: what the running service hands over, and when |
//! | `sinks` | [`Sinks`]: all of them, for the one that hands messages over |
//!
//! Called by the command line and by the thread of the running service. No sink makes it wait: what cannot be kept is
//! counted as lost.

pub mod format;
mod pseudonym;
pub mod sink;
mod sinks;
pub mod spool;
mod stopped;
mod telling;

pub use pseudonym::{Pseudonyms, PseudonymsError};
pub use sinks::Sinks;
pub use telling::Telling;
