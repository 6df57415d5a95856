//! The journal's tests over whole journals: on a real directory and on a simulated disk.
// The lint's exception for tests does not reach the functions that tests share.
#![allow(clippy::unwrap_used)]

mod commit_interval;
mod common;
mod damage;
mod disk;
mod faults;
mod patience;
mod power_cut;
mod real;
mod redaction;
mod retention;
