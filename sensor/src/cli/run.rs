//! `run`: the sensor itself.

use super::{Common, Failure};
use crate::run;

/// Options of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        run::run(common.load_whole_config()?)
    }
}
