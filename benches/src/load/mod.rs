//! The load generator: signed accounting traffic at a chosen rate and mix, each answer verified.
//!
//! A [`Mix`] says what the traffic is made of, [`Requests`] has it built and signed beforehand, a [`Numbering`] gives
//! each request of a run its source and Identifier so that no two are the same request, a [`Pace`] says when each has
//! to leave, a [`sender::Sender`] gets it there, and [`run`] does it and keeps the [`Report`]. Used by the benches of
//! `src/bin` and by the end-to-end test beside them.
//!
//! In an open loop latency is the time from when a request *had to leave* by the schedule to its answer: whatever
//! holds up the generator or the server counts for all requests that should have left meanwhile, so that nothing is
//! hidden by coordinated omission.

mod mix;
pub mod mmsg;
mod numbering;
mod pace;
mod report;
mod requests;
mod run;
pub mod sender;

pub use self::{
    mix::{Contents, Mix},
    numbering::{Numbering, Place},
    pace::Pace,
    report::Report,
    requests::{Expect, Requests},
    run::{Plan, run},
};
