//! `cargo xtask docs`: writes what the documentation takes from the code, the man pages beside it.

use std::{fs, process::Command};

use anyhow::{Context as _, ensure};

use crate::program;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where the man pages go
    #[arg(long, value_name = "DIR", default_value = "target/man")]
    man: std::path::PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let sensor = program::sensor(false)?;
    for name in ["metrics", "thresholds"] {
        let output =
            Command::new(&sensor).args(["reference", name]).output().context("cannot run the sensor")?;
        ensure!(output.status.success(), "reference {name}: {}", String::from_utf8_lossy(&output.stderr));
        let page = program::root().join(format!("sensor/docs/{name}.md"));
        fs::write(&page, output.stdout).with_context(|| format!("cannot write {}", page.display()))?;
    }
    program::succeed(Command::new(&sensor).arg("man").arg("--out").arg(&arguments.man))
}
