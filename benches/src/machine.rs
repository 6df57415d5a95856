//! What the machine and its processes spent: processor time of all kinds, and memory.
//!
//! A server's cost is more than its threads' time: the kernel does much of the work in interrupts, which are charged
//! to nobody or to whoever was running. So the cost is taken from the time that the processors were *not* idle, as
//! the kernel's tick management knows it to the nanosecond (`/proc/timer_list`; `/proc/stat` counts in hundredths of a
//! second only and is what is used where the former is missing).

use std::{
    collections::BTreeMap,
    fs, io,
    time::{Duration, Instant},
};

/// The processors' idle time at one moment.
#[derive(Clone, Debug)]
pub struct Processors {
    at: Instant,
    /// Of each processor, waiting for a disk included.
    idle_ns: Vec<u64>,
    /// Time that the host of a virtual machine kept for itself, all processors.
    steal_ns: u64,
    /// What processes of others have spent since they began, the kernel's threads not among them.
    others_ns: u64,
}

/// What passed between two moments.
#[derive(Clone, Debug, PartialEq)]
pub struct Spent {
    /// Wall clock.
    pub wall_ns: f64,
    /// Of each processor: not idle, others' work and time stolen by the host included.
    pub busy_ns: Vec<f64>,
    /// By processes that are neither this one nor its children nor the kernel's threads: compilers beside us.
    pub others_ns: f64,
    /// Not given to us by the host.
    pub steal_ns: f64,
}

impl Spent {
    /// The whole machine's time less others' and what was stolen, nanoseconds.
    pub fn ours_ns(&self) -> f64 {
        (self.busy_ns.iter().sum::<f64>() - self.others_ns - self.steal_ns).max(0.0)
    }

    /// The share of one processor's time that it was busy, 0 to 1.
    pub fn share(&self, processor: usize) -> f64 {
        self.busy_ns.get(processor).map_or(0.0, |busy| (busy / self.wall_ns).clamp(0.0, 1.0))
    }
}

impl Processors {
    /// Reads them now.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn now() -> io::Result<Processors> {
        let stat = fs::read_to_string("/proc/stat")?;
        let others_ns = others_ns()?;
        let timers = fs::read_to_string("/proc/timer_list").unwrap_or_default();
        let at = Instant::now();
        let (coarse, steal_ns) = from_stat(&stat);
        let fine = from_timer_list(&timers);
        let idle_ns = if fine.len() == coarse.len() { fine } else { coarse };
        Ok(Processors { at, idle_ns, steal_ns, others_ns })
    }

    /// What passed since.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn spent(&self) -> io::Result<Spent> {
        let now = Processors::now()?;
        let wall_ns = now.at.duration_since(self.at).as_nanos() as f64;
        let busy = |(before, after): (&u64, &u64)| (wall_ns - after.saturating_sub(*before) as f64).max(0.0);
        Ok(Spent {
            wall_ns,
            busy_ns: self.idle_ns.iter().zip(&now.idle_ns).map(busy).collect(),
            others_ns: now.others_ns.saturating_sub(self.others_ns) as f64,
            steal_ns: now.steal_ns.saturating_sub(self.steal_ns) as f64,
        })
    }
}

/// Idle time of each processor, and stolen time of all.
fn from_stat(stat: &str) -> (Vec<u64>, u64) {
    let mut idle_ns = Vec::new();
    let mut steal = 0;
    for line in stat.lines() {
        let mut words = line.split_whitespace();
        let Some(name) = words.next().filter(|name| name.starts_with("cpu") && *name != "cpu") else {
            continue;
        };
        let fields: Vec<u64> = words.map(|word| word.parse().unwrap_or(0)).collect();
        // user nice system idle iowait irq softirq steal
        let field = |index: usize| fields.get(index).copied().unwrap_or(0);
        debug_assert!(name.len() > 3);
        idle_ns.push((field(3) + field(4)) * TICK_NS);
        steal += field(7);
    }
    (idle_ns, steal * TICK_NS)
}

/// Idle time of each processor: with and without a process that waits for a disk.
fn from_timer_list(text: &str) -> Vec<u64> {
    let mut idle_ns: Vec<u64> = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        let value = |rest: &str| rest.trim_start_matches([' ', ':']).split(' ').next()?.parse::<u64>().ok();
        if let Some(ns) = line.strip_prefix(".idle_sleeptime").and_then(value) {
            idle_ns.push(ns);
        } else if let (Some(ns), Some(last)) =
            (line.strip_prefix(".iowait_sleeptime").and_then(value), idle_ns.last_mut())
        {
            *last += ns;
        }
    }
    idle_ns
}

/// USER_HZ is 100 on every architecture that we run on.
const TICK_NS: u64 = 10_000_000;

/// `PF_KTHREAD` (`include/linux/sched.h`): a thread of the kernel.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// What all processes but this one, its children and the kernel's threads have spent, children that they waited for
/// included. `ksoftirqd`, `kworker` and `jbd2` do the receiving and the syncing that a server asks for: that is its
/// cost, not others' work.
fn others_ns() -> io::Result<u64> {
    let me = std::process::id();
    let mut ticks = 0;
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // It may have ended meanwhile.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some(process) = Process::parse(&stat) else { continue };
        if pid != me && process.parent != me && !process.of_kernel {
            ticks += process.ticks;
        }
    }
    Ok(ticks * TICK_NS)
}

/// What a line of `/proc/PID/stat` says (proc_pid_stat(5)).
#[derive(Debug, PartialEq)]
struct Process {
    parent: u32,
    /// A thread of the kernel, which works for whoever asked.
    of_kernel: bool,
    /// Spent by it and by children that it waited for, user and system.
    ticks: u64,
}

impl Process {
    /// None for what is no such line.
    fn parse(stat: &str) -> Option<Process> {
        // Behind the name, which may hold anything but ends with the last parenthesis.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |index: usize| fields.get(index)?.parse::<u64>().ok();
        // state ppid(1) pgrp session tty tpgid flags(6) ... utime(11) stime(12) cutime(13) cstime(14)
        Some(Process {
            parent: field(1)?.try_into().ok()?,
            of_kernel: field(6)? & KERNEL_THREAD != 0,
            ticks: field(11)? + field(12)? + field(13)? + field(14)?,
        })
    }
}

/// The time that each thread of a process has run, nanoseconds, by thread id, with its name.
pub fn threads(pid: u32) -> BTreeMap<u32, (String, u64)> {
    let mut threads = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let read = |file: &str| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
        let run = read("schedstat").split(' ').next().and_then(|ns| ns.parse().ok());
        let tid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let (Some(tid), Some(run)) = (tid, run) {
            threads.insert(tid, (read("comm").trim().to_owned(), run));
        }
    }
    threads
}

/// Resident memory of a process, octets: now, and at most until now (`VmRSS`, `VmHWM`).
pub fn resident(pid: u32) -> io::Result<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|value| value.trim().trim_end_matches(" kB").parse::<u64>().ok()).map(|kib| kib * 1024)
    };
    match (field("VmRSS"), field("VmHWM")) {
        (Some(now), Some(most)) => Ok((now, most)),
        _ => Err(io::Error::other(format!("process {pid} has no memory any more"))),
    }
}

/// The type of the file system that holds this path, as `stat -f` names it.
pub fn file_system(path: &std::path::Path) -> String {
    let output = std::process::Command::new("stat").args(["-f", "-c", "%T"]).arg(path).output();
    output.map_or_else(|_| "?".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Waits until others leave the machine alone: less than `share` of one processor for 200 ms. Gives up after `patience`
/// and returns false.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn wait_for_quiet(share: f64, patience: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + patience;
    loop {
        let before = Processors::now()?;
        std::thread::sleep(Duration::from_millis(200));
        let spent = before.spent()?;
        if spent.others_ns <= share * spent.wall_ns {
            return Ok(true);
        }
        if Instant::now() > deadline {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_times_are_read_from_both_places() {
        let timers = "cpu: 0\n  .idle_sleeptime : 636306097729 nsecs\n  .iowait_sleeptime: 1925045406 nsecs\n\
                      cpu: 1\n  .idle_sleeptime : 5 nsecs\n  .iowait_sleeptime: 6 nsecs\n";
        assert_eq!(from_timer_list(timers), [636306097729 + 1925045406, 11]);
        let stat = "cpu  1 2 3 4 5 6 7 8 0 0\ncpu0 1 0 3 40 2 0 0 7 0 0\ncpu1 1 0 3 50 0 0 0 1 0 0\nintr 5\n";
        assert_eq!(from_stat(stat), (vec![420_000_000, 500_000_000], 80_000_000));
    }

    #[test]
    fn the_kernels_threads_are_told_from_processes() {
        let softirq = "13 (ksoftirqd/0) S 2 0 0 0 -1 69238848 0 0 0 0 0 4711 0 0 20 0 1 0 17 0 0\n";
        assert_eq!(Process::parse(softirq), Some(Process { parent: 2, of_kernel: true, ticks: 4711 }));
        let compiler = "900 (rustc) R 899 899 1 0 -1 4194304 5 6 7 8 100 20 3 4 20 0 1 0 17 0 0\n";
        assert_eq!(Process::parse(compiler), Some(Process { parent: 899, of_kernel: false, ticks: 127 }));
        // A name that looks like the rest of a line.
        let named = "901 (a ) S 2 (b)) S 900 900 1 0 -1 4194560 5 6 7 8 1 2 0 0 20 0 1 0 17 0 0\n";
        assert_eq!(Process::parse(named), Some(Process { parent: 900, of_kernel: false, ticks: 3 }));
        assert_eq!(Process::parse("902 (gone"), None);
        assert_eq!(Process::parse("902 (short) S 1"), None);
    }

    #[test]
    fn work_is_seen_and_sleep_is_not() {
        let before = Processors::now().unwrap();
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(300) {
            std::hint::black_box(0);
        }
        let spent = before.spent().unwrap();
        assert!(spent.busy_ns.iter().sum::<f64>() > 250e6, "{spent:?}");
        let mine = threads(std::process::id());
        std::thread::sleep(Duration::from_millis(50));
        let tid = rustix::thread::gettid().as_raw_nonzero().get() as u32;
        let ran = threads(std::process::id())[&tid].1 - mine[&tid].1;
        assert!(ran < 25_000_000, "{ran}");
    }

    #[test]
    fn shares_are_of_one_processor() {
        let spent = Spent { wall_ns: 100.0, busy_ns: vec![100.0, 30.0], others_ns: 10.0, steal_ns: 5.0 };
        assert_eq!((spent.share(0), spent.share(1), spent.share(2)), (1.0, 0.3, 0.0));
        assert_eq!(spent.ours_ns(), 115.0);
    }

    #[test]
    fn this_process_has_memory() {
        let (now, most) = resident(std::process::id()).unwrap();
        assert!(now > 1 << 20 && most >= now);
        assert!(resident(u32::MAX).is_err());
    }
}
