//! A RADIUS accounting client for tests: sends requests, repeats what stays unanswered, checks every answer.
//!
//! [`exchange`] does the work over its own UDP sockets in the calling thread; what a request says comes from a closure.
//! Used by the `send` command and by the demo.

mod answer;
mod exchange;
mod report;

pub use self::{
    answer::Flaw,
    exchange::{Pace, Plan, exchange},
    report::{Progress, Report},
};

#[cfg(test)]
mod tests;
