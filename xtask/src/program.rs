//! Building the sensor and running commands: what several tasks share.

use std::{
    env,
    ffi::OsString,
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

/// `cargo run` or `cargo build` for a program of the workspace, from whatever folder.
///
/// Whoever names its package gets the features that this package alone asks for, and builds for them again what was
/// built for the workspace.
pub(crate) fn cargo_for(subcommand: &str, program: &str) -> Command {
    let mut cargo = cargo();
    cargo.args([subcommand, "--manifest-path"]).arg(root().join("Cargo.toml")).args(["--bin", program]);
    cargo
}

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// Runs a command to its end; another exit status than 0 is an error.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status: ExitStatus = command.status().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(status.success(), "{} failed: {status}", command.get_program().to_string_lossy());
    Ok(())
}

/// The environment variable that names a sensor that is built.
pub(crate) const PROGRAM: &str = "VPN_SENSOR_BIN";

/// The sensor that [`PROGRAM`] names, or one that is built; returns where it is.
pub(crate) fn sensor(release: bool) -> anyhow::Result<PathBuf> {
    match env::var_os(PROGRAM) {
        Some(program) => Ok(program.into()),
        None => build("vpn-sensor", release, &[]),
    }
}

/// Builds a program of the workspace in this environment; returns where it is.
pub(crate) fn build(
    program: &str,
    release: bool,
    environment: &[(&str, OsString)],
) -> anyhow::Result<PathBuf> {
    let mut build = cargo_for("build", program);
    build.envs(environment.iter().map(|(name, value)| (name, value)));
    if release {
        build.arg("--release");
    }
    // What fails is said all the same.
    if !io::stderr().is_terminal() {
        build.arg("--quiet");
    }
    succeed(&mut build)?;
    let named = environment.iter().find(|(name, _)| *name == "CARGO_TARGET_DIR");
    let folder = named.map_or_else(target_directory, |(_, folder)| Ok(folder.into()))?;
    Ok(folder.join(if release { "release" } else { "debug" }).join(program))
}

/// Where cargo builds.
pub(crate) fn target_directory() -> anyhow::Result<PathBuf> {
    let output = cargo().args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let folder = metadata["target_directory"].as_str().context("cargo metadata names no target_directory")?;
    Ok(Path::new(folder).to_owned())
}
