//! Building the sensor and running commands: what several tasks share.

use std::{
    env,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use anyhow::{Context as _, ensure};

/// The cargo that runs this, as from a shell: without what it says of this package. `ring` is built anew whenever that
/// changes, and with it most of the product.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Runs a command to its end; another exit status than 0 is an error.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status: ExitStatus = command.status().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(status.success(), "{} failed: {status}", command.get_program().to_string_lossy());
    Ok(())
}

/// Builds the sensor; returns where it is.
pub(crate) fn build(release: bool) -> anyhow::Result<PathBuf> {
    build_of("vpn-sensor", "vpn-sensor", release)
}

/// Builds a program of a package of the workspace; returns where it is.
pub(crate) fn build_of(package: &str, program: &str, release: bool) -> anyhow::Result<PathBuf> {
    let mut build = cargo();
    build.args(["build", "--package", package, "--bin", program]);
    if release {
        build.arg("--release");
    }
    // What fails is said all the same.
    if !io::stderr().is_terminal() {
        build.arg("--quiet");
    }
    succeed(&mut build)?;
    Ok(folder("target_directory")?.join(if release { "release" } else { "debug" }).join(program))
}

/// A folder that cargo names.
fn folder(name: &str) -> anyhow::Result<PathBuf> {
    let output = cargo().args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let folder = metadata[name].as_str().with_context(|| format!("cargo metadata names no {name}"))?;
    Ok(Path::new(folder).to_owned())
}
