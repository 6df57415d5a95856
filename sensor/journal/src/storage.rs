//! What the journal asks of a disk: one small trait over one flat directory. [`RealStorage`] is the file system;
//! the tests put a simulated disk under the same journal.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, IoSlice, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// A file in the journal's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without the directory.
    pub name: String,
    /// Its length in octets.
    pub bytes: u64,
}

/// Room on the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Octets that can still be written.
    pub free_bytes: u64,
    /// Octets in all.
    pub total_bytes: u64,
}

/// One directory of files. Nothing is durable before `sync` (a file's octets and length) and `sync_directory`
/// (names: made, renamed, removed) have returned without error.
pub trait Storage: Send + Sync + 'static {
    /// An open file.
    type File: Send + Sync + 'static;

    /// Where it is, for messages.
    fn location(&self) -> String;
    /// Takes the exclusive lock for as long as this value lives. `false`: somebody else has it.
    fn lock(&self) -> io::Result<bool>;
    /// Whether anybody (this process included) holds the lock.
    fn is_locked(&self) -> io::Result<bool>;
    /// All files.
    fn list(&self) -> io::Result<Vec<Entry>>;
    /// Makes a file that must not exist yet.
    fn create(&self, name: &str) -> io::Result<Self::File>;
    /// Opens a file for reading.
    fn open(&self, name: &str) -> io::Result<Self::File>;
    /// Length of a file in octets.
    fn size(&self, file: &Self::File) -> io::Result<u64>;
    /// Reads until `buffer` is full or the file ends; returns how much.
    fn read_at(&self, file: &Self::File, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes all of `parts`, one behind the other, or fails (having written any part of them).
    fn write_at(&self, file: &Self::File, offset: u64, parts: &[IoSlice<'_>]) -> io::Result<()>;
    /// Makes a file's octets durable, its name aside.
    fn sync(&self, file: &Self::File) -> io::Result<()>;
    /// Makes the names durable.
    fn sync_directory(&self) -> io::Result<()>;
    /// Gives a file another name, replacing what had it, in one step.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Room left.
    fn space(&self) -> io::Result<Space>;
}

const LOCK: &str = "lock";
/// A reader that asks whether a writer runs holds a shared lock for a moment; a starting writer waits that out.
const LOCK_ATTEMPTS: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(5);
/// Linux takes 1,024 parts in one call (UIO_MAXIOV).
const MAX_PARTS: usize = 1024;

/// A directory of the file system.
#[derive(Debug)]
pub struct RealStorage {
    path: PathBuf,
    directory: File,
    lock: OnceLock<File>,
}

impl RealStorage {
    /// For a writer: makes the directory, and those above it, where they are missing, durably, mode 0700.
    ///
    /// # Errors
    /// What the file system says, with the path that was concerned.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        create_directory(path)?;
        Self::existing(path)
    }

    /// For readers: the directory must be there.
    ///
    /// # Errors
    /// What the file system says, with the path.
    pub fn existing(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_path_buf();
        let directory = File::open(&path).map_err(|e| name(&path, e))?;
        if !directory.metadata()?.is_dir() {
            return Err(name(&path, io::ErrorKind::NotADirectory.into()));
        }
        Ok(Self { path, directory, lock: OnceLock::new() })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn at(&self, file: &str) -> PathBuf {
        self.path.join(file)
    }
}

fn name(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Each new directory is made durable in the one above it.
fn create_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    create_directory(parent)?;
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => File::open(parent).and_then(|d| d.sync_all()).map_err(|e| name(parent, e)),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(name(path, e)),
    }
}

impl Storage for RealStorage {
    type File = File;

    fn location(&self) -> String {
        self.path.display().to_string()
    }

    fn lock(&self) -> io::Result<bool> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = self.at(LOCK);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|e| name(&path, e))?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < LOCK_ATTEMPTS => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::WouldBlock) => return Ok(false),
                Err(TryLockError::Error(e)) => return Err(name(&path, e)),
            }
        }
        // The number is for people who look who has it; nothing depends on it.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(self.lock.set(file).is_ok())
    }

    fn is_locked(&self) -> io::Result<bool> {
        match File::open(self.at(LOCK)) {
            Ok(file) => match file.try_lock_shared() {
                Ok(()) => Ok(false),
                Err(TryLockError::WouldBlock) => Ok(true),
                Err(TryLockError::Error(e)) => Err(e),
            },
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn list(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(|e| name(&self.path, e))? {
            let entry = entry?;
            let bytes = match entry.metadata() {
                Ok(metadata) if metadata.is_file() => metadata.len(),
                Ok(_) => continue,
                // Removed while we looked.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(e),
            };
            if let Ok(name) = entry.file_name().into_string() {
                entries.push(Entry { name, bytes });
            }
        }
        Ok(entries)
    }

    fn create(&self, file: &str) -> io::Result<File> {
        use std::os::unix::fs::OpenOptionsExt as _;
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(self.at(file))
    }

    fn open(&self, file: &str) -> io::Result<File> {
        File::open(self.at(file))
    }

    fn size(&self, file: &File) -> io::Result<u64> {
        Ok(file.metadata()?.len())
    }

    fn read_at(&self, file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            match file.read_at(&mut buffer[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(done)
    }

    fn write_at(&self, file: &File, mut offset: u64, parts: &[IoSlice<'_>]) -> io::Result<()> {
        for parts in parts.chunks(MAX_PARTS) {
            let mut written = match rustix::io::pwritev(file, parts, offset) {
                Ok(written) => written,
                Err(rustix::io::Errno::INTR) => 0,
                Err(e) => return Err(e.into()),
            };
            // A short write is rare: finish it part by part.
            for part in parts {
                let done = written.min(part.len());
                written -= done;
                if done < part.len() {
                    file.write_all_at(&part[done..], offset + done as u64)?;
                }
                offset += part.len() as u64;
            }
        }
        Ok(())
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.directory.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from), self.at(to))
    }

    fn remove(&self, file: &str) -> io::Result<()> {
        fs::remove_file(self.at(file))
    }

    fn space(&self) -> io::Result<Space> {
        let s = rustix::fs::fstatvfs(&self.directory)?;
        Ok(Space {
            free_bytes: s.f_bavail.saturating_mul(s.f_frsize),
            total_bytes: s.f_blocks.saturating_mul(s.f_frsize),
        })
    }
}

/// Replaces the file `name` by one that holds `octets`, durably: after a crash there is the old one or the new one.
pub(crate) fn replace<S: Storage>(storage: &S, name: &str, octets: &[u8]) -> io::Result<()> {
    let fresh = format!("{name}.new");
    match storage.remove(&fresh) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let file = storage.create(&fresh)?;
    storage.write_at(&file, 0, &[IoSlice::new(octets)])?;
    storage.sync(&file)?;
    storage.rename(&fresh, name)?;
    storage.sync_directory()
}
