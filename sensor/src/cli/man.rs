//! `man --out DIR`: a man page for the program and one for each subcommand, from the same definitions as `--help`.

use std::path::PathBuf;

use anyhow::Context;

use super::Failure;

/// Options of `man`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder to write the pages to; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Arguments {
    pub(super) fn execute(self) -> Result<(), Failure> {
        std::fs::create_dir_all(&self.out).with_context(|| format!("cannot make {}", self.out.display()))?;
        clap_mangen::generate_to(super::command(), &self.out)
            .with_context(|| format!("cannot write man pages to {}", self.out.display()))?;
        Ok(())
    }
}
