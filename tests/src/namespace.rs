//! Network namespaces that live as long as their value.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::tools::{need_program, need_root, output, run};

/// Names begin like this, then the process id of the test, then a number.
const PREFIX: &str = "vpn-sensor-test";
const FOLDER: &str = "/run/netns";

/// A network namespace with its loopback device up, deleted with all that runs in it when dropped, also in a panic.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes a namespace. `role` is part of its name, for whoever looks at a hanging test.
    #[track_caller]
    pub fn new(role: &str) -> Namespace {
        static SWEEP: Once = Once::new();
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        need_root();
        need_program("ip", "iproute2");
        SWEEP.call_once(sweep);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let namespace = Namespace { name: format!("{PREFIX}-{}-{number}-{role}", std::process::id()) };
        run("ip", ["netns", "add", &namespace.name]);
        namespace.ip("link set lo up");
        namespace
    }

    /// Its name, for `ip -n` and `ip netns exec`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `ip` on this namespace; the arguments are separated by blanks.
    #[track_caller]
    pub fn ip(&self, arguments: &str) -> String {
        run("ip", ["-n", &self.name].into_iter().chain(arguments.split_whitespace()))
    }

    /// A command that will run in this namespace. The process that is spawned is the program itself, not a parent of it.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program.as_ref());
        command
    }

    /// Runs a program in this namespace to its end; fails unless it succeeds. The arguments are separated by blanks.
    #[track_caller]
    pub fn run(&self, program: &str, arguments: &str) -> String {
        let mut command = self.command(program);
        command.args(arguments.split_whitespace());
        let output = output(&mut command);
        assert!(
            output.status.success(),
            "{command:?}: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
        String::from_utf8(output.stdout).expect("UTF-8 output")
    }

    /// Runs `work` on a thread that has entered the namespace. Sockets made there stay in it wherever they are used.
    #[track_caller]
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let file = File::open(self.path()).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let outcome = thread::scope(|scope| {
            scope
                .spawn(move || {
                    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
                        .expect("enter the namespace");
                    work()
                })
                .join()
        });
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// A thread that stays in the namespace and does `work` there until its channel closes; for what speaks with one
    /// program there many times.
    pub fn resident<Q: Send + 'static>(
        &self,
        mut work: impl FnMut(Q) + Send + 'static,
    ) -> std::sync::mpsc::Sender<Q> {
        let file = File::open(self.path()).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let (sender, questions) = std::sync::mpsc::channel();
        thread::spawn(move || {
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
                .expect("enter the namespace");
            questions.into_iter().for_each(&mut work);
        });
        sender
    }

    fn path(&self) -> PathBuf {
        Path::new(FOLDER).join(&self.name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        delete(&self.name);
    }
}

/// Kills what still runs in the namespace, then deletes it. Never panics: it also runs while a panic unwinds.
fn delete(name: &str) {
    if let Ok(output) = Command::new("ip").args(["netns", "pids", name]).output() {
        for pid in String::from_utf8_lossy(&output.stdout).split_whitespace() {
            let pid = pid.parse().ok().and_then(rustix::process::Pid::from_raw);
            if let Some(pid) = pid {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
    match Command::new("ip").args(["netns", "del", name]).output() {
        Ok(output) if output.status.success() => {}
        outcome => eprintln!("cannot delete the namespace {name}: {outcome:?}"),
    }
}

/// Deletes what test processes left behind that were killed before they could drop their namespaces.
fn sweep() {
    let Ok(entries) = fs::read_dir(FOLDER) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').nth(1)).map(str::to_owned);
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            delete(&name);
        }
    }
}
