//! `cargo xtask screenshots`: takes the pictures of the portal anew that README and guide show.

use std::path::{self, PathBuf};

use anyhow::ensure;

use crate::{
    program::{self, cargo_for, succeed},
    test,
};

/// Where the guide finds them, from the root of the repository.
const FOLDER: &str = "sensor/docs/screenshots";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Leave the pictures in DIR
    #[arg(long, value_name = "DIR", default_value = FOLDER)]
    out: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "the company of the pictures is in network namespaces: run this as root"
    );
    test::install_missing()?;
    let program = program::sensor(true)?;
    let folder = path::absolute(&arguments.out)?;
    succeed(
        cargo_for("run", "screenshots").args(["--release", "--"]).arg(folder).env(program::PROGRAM, program),
    )
}
