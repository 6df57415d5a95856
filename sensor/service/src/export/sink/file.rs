//! Lines at the end of a file. Whoever rotates it renames it, and the next line begins a new one.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::PathBuf,
};

use super::{Failure, Message, Peer};

/// The file.
pub(super) struct File {
    path: PathBuf,
    file: Option<fs::File>,
    written: Option<u64>,
}

impl File {
    pub(super) fn new(path: PathBuf) -> File {
        File { path, file: None, written: None }
    }

    /// The file of this name, opened anew if that is another one than before.
    fn current(&mut self) -> io::Result<&mut fs::File> {
        let identity = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
        let named = fs::metadata(&self.path).ok().map(|metadata| identity(&metadata));
        let kept = match self.file.take() {
            Some(file) if named == Some(identity(&file.metadata()?)) => file,
            Some(file) => {
                file.sync_data()?;
                self.open()?
            }
            None => self.open()?,
        };
        Ok(self.file.insert(kept))
    }

    fn open(&self) -> io::Result<fs::File> {
        // A group of its own may read it: whatever ships logs runs as somebody else.
        let mut file =
            OpenOptions::new().create(true).read(true).append(true).mode(0o640).open(&self.path)?;
        // A write that failed may have left a part of a line.
        if file.metadata()?.len() > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(file)
    }

    fn failure(&mut self, error: &io::Error) -> Failure {
        self.file = None;
        Failure::during(format!(
            "{}: {error}; make room there, or let the service write to it",
            self.path.display()
        ))
    }
}

impl Peer for File {
    fn send(&mut self, message: &Message<'_>) -> Result<(), Failure> {
        let line = format!("{}\n", message.body);
        let written = self.current().and_then(|file| {
            let before = file.metadata()?.len();
            file.write_all(line.as_bytes()).inspect_err(|_| {
                // If it cannot be cut off, the next opening ends the line.
                let _ = file.set_len(before);
            })
        });
        written.map_err(|error| self.failure(&error))?;
        self.written = Some(message.entry.sequence);
        Ok(())
    }

    fn certain(&mut self) -> Result<Option<u64>, Failure> {
        let Some(written) = self.written.take() else { return Ok(None) };
        match self.file.as_ref().map_or(Ok(()), fs::File::sync_data) {
            Ok(()) => Ok(Some(written)),
            // /dev/stdout, a pipe: there is nothing to sync.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(Some(written)),
            Err(error) => Err(self.failure(&error)),
        }
    }

    fn is_prompt(&self) -> bool {
        false
    }

    fn close(&mut self) -> Option<u64> {
        self.certain().ok().flatten()
    }
}
