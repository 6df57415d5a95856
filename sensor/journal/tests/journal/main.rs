//! The journal's tests over whole journals: on a real directory and on a simulated disk.

mod common;
mod real;
