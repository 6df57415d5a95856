//! `completions SHELL`: what the shell needs to complete commands and options.

use std::io;

use super::Failure;

/// Options of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The shell to write for
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

impl Arguments {
    pub(super) fn execute(self) -> Result<(), Failure> {
        // Into memory first: the generator panics when its writer fails, and a closed pipe is no reason to.
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "vpn-sensor", &mut text);
        io::Write::write_all(&mut io::stdout().lock(), &text)?;
        Ok(())
    }
}
