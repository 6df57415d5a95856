//! A running sensor under strace: to count its system calls and to make them slow or fail.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::Sensor;
use crate::tools::need_program;

/// A strace that is attached to all threads of a sensor; detached when dropped.
pub struct Strace {
    child: Child,
    output: PathBuf,
}

impl Strace {
    /// Attaches with these arguments (separated by blanks) and returns when strace has hold of every thread.
    #[track_caller]
    pub fn attach(sensor: &Sensor<'_>, arguments: &str) -> Strace {
        need_program("strace", "strace");
        let output = sensor.home().file("strace");
        let mut child = Command::new("strace")
            .args(["-f", "-o"])
            .arg(&output)
            .args(arguments.split_whitespace())
            .args(["-p", &sensor.pid().to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("start strace");
        let mut line = String::new();
        let mut lines = BufReader::new(child.stderr.take().expect("its error output"));
        lines.read_line(&mut line).expect("a line from strace");
        assert!(line.contains("attached"), "strace: {line}");
        // The rest goes nowhere, but is read, so that strace never waits for us.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Strace { child, output }
    }

    /// Makes every `fdatasync` and `fsync` of the sensor take this much longer.
    #[track_caller]
    pub fn slow_sync(sensor: &Sensor<'_>, milliseconds: u32) -> Strace {
        Strace::attach(
            sensor,
            &format!("-e trace=fdatasync,fsync -e inject=fdatasync,fsync:delay_enter={milliseconds}ms"),
        )
    }

    /// Makes every `fdatasync` and `fsync` of the sensor fail with EIO.
    #[track_caller]
    pub fn failing_sync(sensor: &Sensor<'_>) -> Strace {
        Strace::attach(sensor, "-e trace=fdatasync,fsync -e inject=fdatasync,fsync:error=EIO")
    }

    /// Detaches; returns what strace wrote.
    #[track_caller]
    pub fn detach(mut self) -> String {
        self.interrupt();
        read(&self.output)
    }

    fn interrupt(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::INT);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        self.interrupt();
    }
}

/// Calls by name, out of the table that `strace -c` prints.
pub fn counts(table: &str) -> Vec<(String, u64)> {
    table
        .lines()
        .filter_map(|line| {
            // % time, seconds, usecs/call, calls, [errors,] name
            let fields: Vec<&str> = line.split_whitespace().collect();
            let calls = fields.get(3)?.parse().ok()?;
            let name = fields.last()?;
            (*name != "total" && fields.len() >= 5).then(|| ((*name).to_owned(), calls))
        })
        .collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
