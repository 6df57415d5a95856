//! The project's own tasks: `cargo xtask <task>`. One file a task; this one only names them.
#![forbid(unsafe_code)]

mod bench;
mod demo;
mod docs;
mod ebpf;
mod evaluate;
mod instructions;
mod program;
mod report;
mod screenshots;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The project's own tasks", version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measure, side by side in one run, and write what was measured
    Bench(bench::Arguments),
    /// Watch a sensor at work on a wire of its own, with the traffic of four VPN servers
    Demo(demo::Arguments),
    /// Write what the documentation takes from the code, and the man pages
    Docs(docs::Arguments),
    /// Rebuild the steer program's object, or prove that it was built from its source
    Ebpf(ebpf::Arguments),
    /// Say how well abnormal connections are found in made-up organisations, beside four simpler ways
    Evaluate(evaluate::Arguments),
    /// Count the instructions a request, and fail if they are more than the baseline
    Instructions(instructions::Arguments),
    /// Take the pictures of the portal that README and guide show
    Screenshots(screenshots::Arguments),
    /// Run all tests, after installing what they need
    Test(test::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Demo(arguments) => demo::run(&arguments),
        Task::Docs(arguments) => docs::run(&arguments),
        Task::Ebpf(arguments) => ebpf::run(&arguments),
        Task::Evaluate(arguments) => evaluate::run(&arguments),
        Task::Instructions(arguments) => instructions::run(&arguments),
        Task::Screenshots(arguments) => screenshots::run(&arguments),
        Task::Test(arguments) => test::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
