//! `store`: the store of sessions and users as a whole.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Subcommand;
use serde::Serialize;
use service::store::Digest;

use super::{Common, Failure};

/// Options of `store`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One number for all that the store says: equal for a store and its rebuild
    Digest(DigestArguments),
}

#[derive(Debug, clap::Args)]
struct DigestArguments {
    /// The store's file; by default that of the running service
    file: Option<PathBuf>,
    /// As a JSON object
    #[arg(long)]
    json: bool,
    /// The state directory; by default the configuration's
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Serialize)]
struct Line {
    digest: String,
    position: u64,
    sessions: u64,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let Command::Digest(arguments) = self.command;
        let config = common.load_config()?;
        let state_dir = arguments.state_dir.unwrap_or(config.state_dir);
        let path = arguments.file.unwrap_or_else(|| service::folder(&state_dir).join(service::store::FILE));
        let digest = Digest::of(&path).map_err(anyhow::Error::new)?;
        let mut out = io::stdout().lock();
        let line = Line { digest: digest.to_string(), position: digest.position, sessions: digest.sessions };
        match arguments.json {
            true => {
                serde_json::to_writer(&mut out, &line).map_err(io::Error::from)?;
                writeln!(out)?;
            }
            false => writeln!(out, "{}  record {}, {} sessions", line.digest, line.position, line.sessions)?,
        }
        Ok(())
    }
}
