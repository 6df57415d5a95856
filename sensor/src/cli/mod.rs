//! The command line: one file a subcommand. Nothing calls into it but `main`.
//!
//! Each subcommand has `Arguments` (its options) and `execute`, which returns when the work is done. A [`Failure`]
//! carries the exit code; what it prints never holds a secret, because no error type holds one.

mod alerts;
mod audit;
mod backtest;
mod check;
mod completions;
mod endpoint;
mod events;
mod export;
mod forget;
mod geo;
mod journal;
mod latency;
mod man;
mod portal;
mod rebuild;
mod records;
mod reference;
mod replay;
mod run;
mod send;
mod sessions;
mod sizing;
mod store;
mod token;
mod top;
mod units;
mod user;
mod users;

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::config::{self, Config};
pub use crate::failure::{Exit, Failure};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "vpn-sensor", version, about, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 good, 1 failed while running, 2 bad usage or configuration, 3 the host lacks \
                        something, 4 the network device went away."
)]
struct CommandLine {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Options of every subcommand.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// The configuration file (TOML). Without one the safe built-in defaults hold
    #[arg(long, global = true, value_name = "FILE", env = "VPN_SENSOR_CONFIG")]
    pub config: Option<PathBuf>,
    /// How log lines are written to standard error
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

impl Common {
    /// The configuration in force, for a command that shows something, or needs no more than where things are: without what
    /// was set in the portal where whoever calls may not read that. Warnings go to the log.
    pub fn load_config(&self) -> Result<Config, Failure> {
        Ok(warned(config::load_to_ask(self.config.as_deref())?))
    }

    /// The same for a command whose outcome is made of it and stays: all layers, or an error.
    pub fn load_whole_config(&self) -> Result<Config, Failure> {
        Ok(warned(config::load(self.config.as_deref())?))
    }
}

fn warned(config: Config) -> Config {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    config
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take, record and answer accounting requests until a signal ends it
    Run(run::Arguments),
    /// What is abnormal, why, and what became of it
    Alerts(alerts::Arguments),
    /// Who looked at whom, and who made and removed tokens
    Audit(audit::Arguments),
    /// Past connections under today's thresholds: what would there have been an alert about?
    Backtest(backtest::Arguments),
    /// Check the configuration and this host, and say what to change
    Check(check::Arguments),
    /// Show where the time between arrival and answer goes
    Latency(latency::Arguments),
    /// Write shell completions to standard output
    Completions(completions::Arguments),
    /// What the records on disk mean: who connected, from where, through which VPN server
    Events(events::Arguments),
    /// Write VPN connections for other eyes: by default without names and addresses
    Export(export::Arguments),
    /// Take a person out of everything that is kept: records, connections, audit log
    Forget(forget::Arguments),
    /// Where an address is and whose network it is in; which databases say so
    Geo(geo::Arguments),
    /// Read and check the records on disk
    Journal(journal::Arguments),
    /// Write a man page for each command
    #[command(hide = true)]
    Man(man::Arguments),
    /// Make the store of sessions and users again from the records on disk
    Rebuild(rebuild::Arguments),
    /// Run a capture file through the pipeline, one line of JSON a datagram
    Replay(replay::Arguments),
    /// Who may sign in at the portal
    Portal(portal::Arguments),
    /// Send accounting requests as a VPN server would, and check the answers
    Send(Box<send::Arguments>),
    /// The VPN connections of persons: when, who, from where, how long
    Sessions(sessions::Arguments),
    /// How many cores, how much memory and disk a number of VPN users needs
    Sizing(sizing::Arguments),
    /// Look at the store of sessions and users as a whole
    Store(store::Arguments),
    /// Who may ask the HTTP API
    Token(token::Arguments),
    /// Watch a running sensor in the terminal
    Top(top::Arguments),
    /// All that is known of one user: connections, places, networks, devices, usual hours
    User(user::Arguments),
    /// The users, the latest seen first
    Users(users::Arguments),
    /// Write a page of the documentation, of metrics or thresholds, to standard output
    #[command(hide = true)]
    Reference(reference::Arguments),
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let line = CommandLine::parse();
    start_log(line.common.log_format);
    match execute(line) {
        Ok(()) => ExitCode::SUCCESS,
        // A reader that closed the pipe (`| head`) has what it wanted.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_silent() {
                tracing::error!("{failure}");
            }
            ExitCode::from(failure.exit() as u8)
        }
    }
}

fn execute(line: CommandLine) -> Result<(), Failure> {
    let common = line.common;
    match line.command {
        Command::Run(arguments) => arguments.execute(&common),
        Command::Alerts(arguments) => arguments.execute(&common),
        Command::Audit(arguments) => arguments.execute(&common),
        Command::Backtest(arguments) => arguments.execute(&common),
        Command::Check(arguments) => arguments.execute(&common),
        Command::Latency(arguments) => arguments.execute(&common),
        Command::Completions(arguments) => arguments.execute(),
        Command::Events(arguments) => arguments.execute(&common),
        Command::Export(arguments) => arguments.execute(&common),
        Command::Forget(arguments) => arguments.execute(&common),
        Command::Geo(arguments) => arguments.execute(&common),
        Command::Journal(arguments) => arguments.execute(&common),
        Command::Man(arguments) => arguments.execute(),
        Command::Portal(arguments) => arguments.execute(&common),
        Command::Rebuild(arguments) => arguments.execute(&common),
        Command::Replay(arguments) => arguments.execute(&common),
        Command::Send(arguments) => arguments.execute(&common),
        Command::Sessions(arguments) => arguments.execute(&common),
        Command::Sizing(arguments) => arguments.execute(&common),
        Command::Store(arguments) => arguments.execute(&common),
        Command::Token(arguments) => arguments.execute(&common),
        Command::Top(arguments) => arguments.execute(&common),
        Command::User(arguments) => arguments.execute(&common),
        Command::Users(arguments) => arguments.execute(&common),
        Command::Reference(arguments) => arguments.execute(),
    }
}

/// The command tree, for completions, man pages and tests.
fn command() -> clap::Command {
    CommandLine::command()
}

fn start_log(format: LogFormat) {
    // RUST_LOG chooses other levels; a mistake in it must not keep the sensor from starting.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_subcommand_takes_config() {
        for subcommand in command().get_subcommands() {
            let name = subcommand.get_name().to_owned();
            let mut line = vec!["vpn-sensor".to_owned(), name.clone()];
            line.extend(["--config".to_owned(), "x.toml".to_owned(), "--help".to_owned()]);
            let error = command().try_get_matches_from(line).expect_err("help ends the parse");
            assert_eq!(error.kind(), clap::error::ErrorKind::DisplayHelp, "{name}");
        }
    }
}
