//! `cargo xtask test`: all tests of the workspace, on a machine that may lack what they need.
//!
//! Tests never skip themselves. So this installs what is missing (Debian's packages, as root), or says what to install
//! and stops before anything has run.

use std::{env, ffi::OsString, fs, process::Command};

use anyhow::{bail, ensure};

use crate::program::{self, cargo, succeed};

/// Programs that tests start, and the Debian package that brings each.
const PROGRAMS: [(&str, &str); 12] = [
    ("ip", "iproute2"),
    ("radclient", "freeradius-utils"),
    ("strace", "strace"),
    ("ethtool", "ethtool"),
    ("setpriv", "util-linux"),
    ("script", "bsdutils"),
    ("curl", "curl"),
    ("openssl", "openssl"),
    ("rsyslogd", "rsyslog"),
    ("exim4", "exim4-daemon-light"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
];

/// What one of them loads to speak TLS, below the folder of the machine's libraries, and its package.
const RSYSLOG_TLS: (&str, &str) = ("rsyslog/lmnsd_ossl.so", "rsyslog-openssl");

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Arguments for `cargo test`, such as `-p radius` or a test's name, or `--release` for programs as they are shipped;
    /// without any, the whole workspace
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    cargo: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "the tests make network namespaces and load XDP programs into the kernel: run this as root"
    );
    install_missing()?;

    let shipped = arguments.cargo.iter().take_while(|argument| *argument != "--").any(|it| it == "--release");
    let mut tests = cargo();
    tests.arg("test");
    if shipped {
        tests.env(program::PROGRAM, program::build("vpn-sensor", true, &[])?);
    } else {
        let quickly = quickly_built()?;
        tests
            .arg("--release")
            .env(program::PROGRAM, program::build("vpn-sensor", true, &quickly)?)
            .envs(quickly);
    }
    // A test of a workspace member is what is asked for, unless a package is named.
    let names_package = arguments.cargo.iter().take_while(|argument| *argument != "--").any(|it| {
        it == "-p" || it.starts_with("-p=") || it.starts_with("--package") || it == "--manifest-path"
    });
    if !names_package {
        tests.arg("--workspace");
    }
    tests.arg("--no-fail-fast").args(&arguments.cargo);
    succeed(&mut tests)
}

/// What cargo's release profile is while tests run, and where it builds.
///
/// The commands of the documentation say `--release`. Tests that are built as these are share everything with them, and
/// what is optimised a little is tested in half the time. Assertions stay, as in a debug build. In a folder of its own,
/// so that nobody measures or installs such a program.
fn quickly_built() -> anyhow::Result<Vec<(&'static str, OsString)>> {
    let profile = [
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
        ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
        ("CARGO_PROFILE_RELEASE_DEBUG", "none"),
        ("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true"),
    ];
    let folder = program::target_directory()?.join("tests");
    let folder = ("CARGO_TARGET_DIR", folder.into_os_string());
    Ok(profile.map(|(name, value)| (name, value.into())).into_iter().chain([folder]).collect())
}

pub(crate) fn install_missing() -> anyhow::Result<()> {
    let programs = PROGRAMS.iter().filter(|(program, _)| !is_there(program)).map(|&(_, package)| package);
    let tls = Some(RSYSLOG_TLS.1).filter(|_| !is_library_there(RSYSLOG_TLS.0));
    let packages: Vec<&str> = programs.chain(tls).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    if !is_there("apt-get") {
        bail!("the tests need programs of these Debian packages, and there is no apt-get here: {list}");
    }
    println!("installing what the tests need: {list}");
    let apt_get = |arguments: &[&str]| {
        succeed(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(arguments))
    };
    apt_get(&["update", "-qq"])?;
    apt_get(&[&["install", "-y", "-qq", "--no-install-recommends"], &packages[..]].concat())?;
    for (program, package) in PROGRAMS {
        ensure!(is_there(program), "`{program}` is still missing after installing {package}");
    }
    let (library, package) = RSYSLOG_TLS;
    ensure!(is_library_there(library), "`{library}` is still missing after installing {package}");
    Ok(())
}

fn is_library_there(name: &str) -> bool {
    // Of each architecture in a folder of its own.
    let mut folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    folders.any(|folder| folder.path().join(name).is_file())
}

fn is_there(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if !path.ends_with("target") => sources(&path, found),
                false if path.extension().is_some_and(|extension| extension == "rs") => found.push(path),
                _ => {}
            }
        }
    }

    #[test]
    fn what_tests_need_is_installed() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut files = Vec::new();
        ["tests", "sensor"].iter().for_each(|folder| sources(&root.join(folder), &mut files));
        let mut needed = 0;
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for rest in text.split("need_program(\"").skip(1) {
                let program = rest.split('"').next().unwrap();
                let is_known = PROGRAMS.iter().any(|(known, _)| *known == program);
                assert!(is_known, "{} needs {program}, which is not installed", file.display());
                needed += 1;
            }
        }
        assert!(needed >= 10, "{needed}");
    }
}
