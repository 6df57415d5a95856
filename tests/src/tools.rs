//! Programs and privileges that the tests need; a missing one is a failure that says what to install.

use std::ffi::OsStr;
use std::process::{Command, Output};

/// Fails unless the tests run as root.
#[track_caller]
pub fn need_root() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test makes network namespaces and loads XDP programs: run it as root (cargo xtask test)"
    );
}

/// Fails unless `program` is there; `package` is the Debian package that brings it.
#[track_caller]
pub fn need_program(program: &str, package: &str) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    assert!(found, "this test needs `{program}`: apt-get install {package} (cargo xtask test does it)");
}

/// Runs a program to its end; fails with its error output unless it succeeds.
#[track_caller]
pub fn run<I: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = I>) -> String {
    let mut command = Command::new(program);
    command.args(arguments);
    let output = output(&mut command);
    assert!(
        output.status.success(),
        "{command:?}: {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    String::from_utf8(output.stdout).expect("UTF-8 output")
}

/// Runs a command to its end, whatever its outcome.
#[track_caller]
pub fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}
