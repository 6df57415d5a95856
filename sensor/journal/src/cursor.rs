//! Named, durable positions of readers. Retention reads them to know what nobody has dealt with yet.

use std::io;
use std::sync::Arc;

use crate::codec::{u32_at, u64_at};
use crate::storage::{self, RealStorage, Storage};

const SUFFIX: &str = ".cursor";
const LENGTH: usize = 16;
const MAGIC: &[u8; 4] = b"crs1";

/// How far a reader has come: durable, moved forward only. One value per name at a time.
pub struct Cursor<S: Storage = RealStorage> {
    storage: Arc<S>,
    file: String,
    position: u64,
}

/// Why a cursor cannot be had or moved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CursorError {
    /// The name has other characters than `a-z`, `0-9`, `-`, `_`, or not 1 to 64 of them.
    #[error("{0:?} is no cursor name: 1 to 64 of a-z, 0-9, - and _")]
    Name(String),
    /// The file is not what a cursor wrote. Remove it to start over from the oldest record.
    #[error("the cursor file {0} is damaged; remove it to start over from the oldest record")]
    Damaged(String),
    /// The disk.
    #[error("cursor {0}: {1}")]
    Io(String, io::Error),
}

impl Cursor {
    /// The cursor `name` of the journal in `directory`; at 0 if there is none yet.
    ///
    /// # Errors
    /// [`CursorError`].
    pub fn open(directory: impl AsRef<std::path::Path>, name: &str) -> Result<Self, CursorError> {
        let storage = RealStorage::existing(directory).map_err(|e| CursorError::Io(name.into(), e))?;
        Self::over(Arc::new(storage), name)
    }
}

impl<S: Storage> Cursor<S> {
    /// The same over any storage. From now on retention knows the name.
    ///
    /// # Errors
    /// [`CursorError`].
    pub fn over(storage: Arc<S>, name: &str) -> Result<Self, CursorError> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_';
        if !(1..=64).contains(&name.len()) || !name.bytes().all(allowed) {
            return Err(CursorError::Name(name.into()));
        }
        let file = format!("{name}{SUFFIX}");
        let position = read(&*storage, &file).map_err(|e| match e.kind() {
            io::ErrorKind::InvalidData => CursorError::Damaged(file.clone()),
            _ => CursorError::Io(name.into(), e),
        })?;
        let cursor = Self { storage, file, position: position.unwrap_or(0) };
        if position.is_none() {
            cursor.write(0)?;
        }
        Ok(cursor)
    }

    /// Highest sequence that its reader has dealt with; 0 at first.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// All up to `sequence` is dealt with. Durable when this returns; going back is no error and changes nothing.
    ///
    /// # Errors
    /// [`CursorError::Io`]; the position is then the old one, and after a crash the old or the new one.
    pub fn advance(&mut self, sequence: u64) -> Result<(), CursorError> {
        if sequence > self.position {
            self.write(sequence)?;
            self.position = sequence;
        }
        Ok(())
    }

    /// Gives the name up: retention waits for it no more.
    ///
    /// # Errors
    /// [`CursorError::Io`].
    pub fn remove(self) -> Result<(), CursorError> {
        let io = |e| CursorError::Io(self.file.clone(), e);
        self.storage.remove(&self.file).map_err(io)?;
        self.storage.sync_directory().map_err(io)
    }

    fn write(&self, position: u64) -> Result<(), CursorError> {
        let mut octets = [0; LENGTH];
        octets[..8].copy_from_slice(&position.to_le_bytes());
        octets[8..12].copy_from_slice(MAGIC);
        let crc = crc32c::crc32c(&octets[..12]);
        octets[12..].copy_from_slice(&crc.to_le_bytes());
        storage::replace(&*self.storage, &self.file, &octets)
            .map_err(|e| CursorError::Io(self.file.clone(), e))
    }
}

impl<S: Storage> std::fmt::Debug for Cursor<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cursor").field("file", &self.file).field("position", &self.position).finish()
    }
}

fn read<S: Storage>(storage: &S, file: &str) -> io::Result<Option<u64>> {
    let file = match storage.open(file) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut octets = [0; LENGTH];
    let n = storage.read_at(&file, 0, &mut octets)?;
    if n < LENGTH || octets[8..12] != *MAGIC || u32_at(&octets, 12) != crc32c::crc32c(&octets[..12]) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(Some(u64_at(&octets, 0)))
}

/// The lowest position of all cursors; `None` without cursors. One that cannot be read counts as 0.
pub(crate) fn lowest<S: Storage>(storage: &S) -> Option<u64> {
    let entries = storage.list().ok()?;
    let cursors = entries.iter().filter(|e| e.name.ends_with(SUFFIX));
    cursors.map(|e| read(storage, &e.name).ok().flatten().unwrap_or(0)).min()
}
