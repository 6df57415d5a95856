//! Benchmarks that report and never gate. `cargo xtask bench` runs the programs in `src/bin`, one file a bench, and
//! gathers the lines of JSON that they print ([`replay::measure`]); `cargo bench -p benches` has the micro benches. What gates
//! is counted, not timed: `cargo xtask instructions` runs the program `instructions` of the member [`replay`], which
//! knows nothing but the way of a request, and compares with `baseline.json`. This library builds their inputs ([`load`]), the wire that they run on ([`place`]), the
//! servers that are compared ([`peers`]), the look-ups by themselves ([`alone`]), writes journals of a made-up past
//! ([`past`]), and reads what the machine spent ([`machine`]).
#![deny(unsafe_code)]

pub mod alone;
pub mod disk;
pub mod load;
pub mod machine;
pub mod past;
pub mod peers;
pub mod place;
pub mod report;
pub mod round;

pub use replay::{self, accounting_request, measure};
