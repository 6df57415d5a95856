//! Where journals of the benches lie, and what a disk costs: write and `fdatasync` of a given size, alone, over and over.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use ingest::pin::pin_current;

/// Appends `octets` to a new file in `folder` and syncs it, over and over for this long, on this processor; returns how
/// long each took, nanoseconds. With `pause` it sleeps between two, as a journal does that has nothing to record.
///
/// # Errors
/// When the file cannot be written.
pub fn write_and_sync(
    folder: &Path,
    octets: usize,
    duration: Duration,
    pause: Option<Duration>,
    core: usize,
) -> io::Result<Histogram<u64>> {
    let file = tempfile::tempfile_in(folder)?;
    let work = move || -> io::Result<Histogram<u64>> {
        pin_current(core)?;
        appends(&file, octets, duration, pause)
    };
    match thread::Builder::new().name("disk".to_owned()).spawn(work)?.join() {
        Ok(times) => times,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn appends(
    file: &File,
    octets: usize,
    duration: Duration,
    pause: Option<Duration>,
) -> io::Result<Histogram<u64>> {
    let mut times = Histogram::new_with_bounds(100, 60_000_000_000, 3).map_err(io::Error::other)?;
    let contents = vec![0x5A; octets];
    let began = Instant::now();
    let mut end = 0;
    while began.elapsed() < duration {
        let start = Instant::now();
        file.write_all_at(&contents, end)?;
        file.sync_data()?;
        times.saturating_record(start.elapsed().as_nanos() as u64);
        end += octets as u64;
        if let Some(pause) = pause {
            thread::sleep(pause);
        }
    }
    Ok(times)
}

/// A memory file system whose pages come in large pieces, as one for a journal would be mounted: 4 KiB at a time, the
/// kernel's own book-keeping costs more than the copy. In a mount namespace of its own, gone with this process.
///
/// Comes back in a new process: to be called first of all.
///
/// # Errors
/// Without `unshare` and `mount`.
pub fn memory_folder(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    if let Some(folder) = given {
        return Ok(folder);
    }
    let shared = PathBuf::from("/dev/shm");
    if !rustix::process::geteuid().is_root() {
        return Ok(shared);
    }
    const INSIDE: &str = "VPN_SENSOR_BENCH_MEMORY";
    if std::env::var_os(INSIDE).is_none() {
        use std::os::unix::process::CommandExt as _;
        let mut command = Command::new("unshare");
        command.arg("--mount").arg(std::env::current_exe()?).args(std::env::args_os().skip(1));
        // Comes back only if it fails.
        return Err(command.env(INSIDE, "1").exec()).context("cannot run unshare (util-linux)");
    }
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=2g,huge=always", "tmpfs"])
        .arg(&shared)
        .status()?;
    ensure!(mounted.success(), "mounting a tmpfs on {}: {mounted}", shared.display());
    Ok(shared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_append_is_timed() {
        let folder = tempfile::tempdir().unwrap();
        let pause = Some(Duration::from_millis(5));
        let times = write_and_sync(folder.path(), 4096, Duration::from_millis(100), pause, 0).unwrap();
        assert!((1..=20).contains(&times.len()), "{}", times.len());
        // Two system calls on any file system take more than this.
        assert!(times.min() >= 100, "{} ns", times.min());
        assert!(write_and_sync(Path::new("/absent"), 1, Duration::ZERO, None, 0).is_err());
    }
}
