//! The binary: chooses the allocator and hands over to the command line.
#![forbid(unsafe_code)]

use std::process::ExitCode;

// The workers allocate nothing in steady state; the control thread, scrapes and start-up do, and mimalloc keeps their
// memory from fragmenting over months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    vpn_sensor::cli::main()
}
