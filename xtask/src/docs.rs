//! `cargo xtask docs`: writes what the documentation takes from the code, the man pages beside it.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, ensure};

use crate::program;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where the man pages go
    #[arg(long, value_name = "DIR", default_value = "target/man")]
    man: std::path::PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let sensor = program::build(false)?;
    let output = Command::new(&sensor).arg("reference").output().context("cannot run the sensor")?;
    ensure!(output.status.success(), "reference: {}", String::from_utf8_lossy(&output.stderr));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace's folder")?;
    let page = root.join("sensor/docs/metrics.md");
    fs::write(&page, output.stdout).with_context(|| format!("cannot write {}", page.display()))?;
    program::succeed(Command::new(&sensor).arg("man").arg("--out").arg(&arguments.man))
}
