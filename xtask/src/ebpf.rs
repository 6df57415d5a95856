//! `cargo xtask ebpf`: builds the steer program, which is committed so that nobody else needs an eBPF toolchain.
//!
//! The object must come out the same on every machine, or `--check` would prove nothing: the compiler and the linker
//! are pinned to the versions below, flags from the environment are ignored, and no path of this machine gets in.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};

/// The nightly's date (the day after its commit), and how its compiler names itself.
const TOOLCHAIN: &str = "nightly-2026-05-20";
const RUSTC: &str = "rustc 1.97.0-nightly (e50aa6fba 2026-05-19)";
/// Newer ones want LLVM of the system; this one takes the compiler's own.
const BPF_LINKER: &str = "0.10.3";
const TARGET: &str = "bpfel-unknown-none";
/// Where the object is committed, from the workspace's root.
const OBJECT: &str = "sensor-ebpf/steer.bpf.o";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing: build aside, and fail if the committed object differs
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let workspace = workspace()?;
    let toolchain = toolchain()?;
    let linker = linker()?;
    let aside = tempfile::tempdir().context("cannot make a folder to build in")?;
    let built = build(&workspace, &toolchain, &linker, aside.path())?;
    let committed = workspace.join(OBJECT);
    if !arguments.check {
        fs::write(&committed, &built).with_context(|| format!("cannot write {}", committed.display()))?;
        println!("{OBJECT}: {} bytes", built.len());
        return Ok(());
    }
    let found = fs::read(&committed).with_context(|| format!("cannot read {}", committed.display()))?;
    ensure!(
        found == built,
        "{OBJECT} ({} bytes) is not what its source builds ({} bytes): run `cargo xtask ebpf` and commit the \
         object together with the change of sensor-ebpf",
        found.len(),
        built.len()
    );
    println!("{OBJECT} is what its source builds");
    Ok(())
}

fn workspace() -> anyhow::Result<PathBuf> {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(xtask.parent().context("xtask has no parent folder")?.to_path_buf())
}

/// The installed toolchain that is the pinned compiler: under its date, or as the current nightly.
fn toolchain() -> anyhow::Result<String> {
    for name in [TOOLCHAIN, "nightly"] {
        // Without this rustup would download what it does not have.
        let output = rustup(name).arg("--version").output();
        let Ok(output) = output else { bail!("rustup is missing: see https://rustup.rs") };
        if !output.status.success() || String::from_utf8_lossy(&output.stdout).trim() != RUSTC {
            continue;
        }
        let sysroot = rustup(name).args(["--print", "sysroot"]).output().context("rustc --print sysroot")?;
        let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
        ensure!(
            sysroot.join("lib/rustlib/src/rust/library/core").is_dir(),
            "core's source is missing: run `rustup component add rust-src --toolchain {name}`"
        );
        return Ok(name.to_owned());
    }
    bail!(
        "the object is built by {RUSTC}: run `rustup toolchain install {TOOLCHAIN} --profile minimal --component \
         rust-src`"
    )
}

/// `rustc` of a toolchain.
fn rustup(toolchain: &str) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", toolchain, "rustc"]).env_remove("RUSTUP_TOOLCHAIN").env("RUSTUP_AUTO_INSTALL", "0");
    command
}

/// The folder of the pinned bpf-linker: in `PATH`, or where `cargo install` puts it.
fn linker() -> anyhow::Result<PathBuf> {
    let mut folders: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    folders.push(cargo_home()?.join("bin"));
    let mut wrong = None;
    for folder in folders {
        let Ok(output) = Command::new(folder.join("bpf-linker")).arg("--version").output() else { continue };
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if version == format!("bpf-linker {BPF_LINKER}") {
            return Ok(folder);
        }
        wrong.get_or_insert(version);
    }
    let found = wrong.map_or_else(|| "none is installed".to_owned(), |version| format!("found {version}"));
    bail!("bpf-linker {BPF_LINKER} is needed ({found}): run `cargo install bpf-linker@{BPF_LINKER} --locked`")
}

fn cargo_home() -> anyhow::Result<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .context("no home folder: set CARGO_HOME")
}

fn build(workspace: &Path, toolchain: &str, linker: &Path, aside: &Path) -> anyhow::Result<Vec<u8>> {
    let mut path = vec![linker.to_path_buf()];
    path.extend(
        env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default(),
    );
    // v3: jumps and arithmetic on 32 bits, since kernel 5.1; `--remap-path-prefix` for messages of panics, of which
    // there are none as long as the verifier accepts the program.
    let flags = [
        "-Ctarget-cpu=v3".to_owned(),
        "-Cstrip=debuginfo".to_owned(),
        format!("--remap-path-prefix={}=.", workspace.display()),
        format!("--remap-path-prefix={}=/cargo", cargo_home()?.display()),
        // The lints of the workspace are checked on the stable compiler, not here.
        "--cap-lints=allow".to_owned(),
    ];
    let mut command = Command::new("rustup");
    command
        .args(["run", toolchain, "cargo", "build", "--quiet", "--locked"])
        .args(["--package", "sensor-ebpf", "--bin", "steer", "--features", "program"])
        .args(["--profile", "ebpf", "--target", TARGET, "-Zbuild-std=core"])
        .arg("--target-dir")
        .arg(aside)
        .current_dir(workspace)
        .env("PATH", env::join_paths(path).context("a folder in PATH has a colon in its name")?)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(changes_the_build) {
            command.env_remove(name);
        }
    }
    let status = command.status().context("cannot run cargo")?;
    ensure!(status.success(), "the steer program does not build");
    let object = aside.join(TARGET).join("ebpf/steer");
    fs::read(&object).with_context(|| format!("cannot read {}", object.display()))
}

/// Whether an environment variable of the caller would reach into the build: what the outer cargo and a developer's
/// shell set. `CARGO_HOME` and the like only say where things are.
fn changes_the_build(name: &str) -> bool {
    const OURS: [&str; 1] = ["CARGO_ENCODED_RUSTFLAGS"];
    const PREFIXES: [&str; 6] = [
        "CARGO_BUILD_",
        "CARGO_PROFILE_",
        "CARGO_TARGET_",
        "CARGO_UNSTABLE_",
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
    ];
    const NAMES: [&str; 7] = [
        "RUSTFLAGS",
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTUP_TOOLCHAIN",
        "CARGO",
        "RUST_LOG",
    ];
    !OURS.contains(&name) && (NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_flags_stay_out() {
        for name in ["RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_PROFILE_EBPF_OPT_LEVEL", "RUSTUP_TOOLCHAIN"] {
            assert!(changes_the_build(name), "{name}");
        }
        for name in ["CARGO_HOME", "RUSTUP_HOME", "PATH", "CARGO_ENCODED_RUSTFLAGS", "CARGO_NET_OFFLINE"] {
            assert!(!changes_the_build(name), "{name}");
        }
    }
}
