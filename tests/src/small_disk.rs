//! A file system small enough to fill.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::tools::{need_root, run};

/// A tmpfs of a few MiB, unmounted when dropped.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one.
    #[track_caller]
    pub fn new(mebibytes: u32) -> SmallDisk {
        need_root();
        let folder =
            tempfile::Builder::new().prefix("vpn-sensor-test").tempdir().expect("a temporary folder");
        let path = folder.path().to_str().expect("a UTF-8 path");
        run("mount", ["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "vpn-sensor-test", path]);
        SmallDisk { folder }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it to the last byte.
    #[track_caller]
    pub fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.ballast()).expect("a file");
        // Ever smaller pieces, until not even a byte fits.
        for size in [1 << 20, 1 << 12, 1] {
            while file.write_all(&vec![0xa5; size]).is_ok() {}
        }
    }

    /// Gives the space back that [`fill`](SmallDisk::fill) took.
    #[track_caller]
    pub fn free(&self) {
        fs::remove_file(self.ballast()).expect("remove a file");
    }

    /// Remounts it read-only or writable again, as a kernel does after an error.
    #[track_caller]
    pub fn set_read_only(&self, read_only: bool) {
        let options = if read_only { "remount,ro" } else { "remount,rw" };
        run("mount", ["-o", options, self.path().to_str().expect("a UTF-8 path")]);
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a test that fails may leave the sensor running for a moment.
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.path()).output();
    }
}
