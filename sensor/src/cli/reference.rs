//! `reference`: the page of all metrics, written from the code. `cargo xtask docs` puts it into the documentation.

use std::io::Write;

use super::Failure;
use crate::metrics;

/// Options of `reference`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

impl Arguments {
    pub(super) fn execute(self) -> Result<(), Failure> {
        std::io::stdout().lock().write_all(metrics::markdown().as_bytes())?;
        Ok(())
    }
}
