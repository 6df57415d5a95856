//! Why the service cannot go on.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{MeaningError, fold::CheckpointError, inputs::InputsError, store::StoreError};

/// Why the service cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The input log.
    #[error(transparent)]
    Inputs(#[from] InputsError),
    /// The state that was saved.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The configuration.
    #[error(transparent)]
    Meaning(#[from] MeaningError),
    /// The journal.
    #[error("the journal: {0}")]
    Journal(journal::ReadError),
    /// The journal's note of how far the service is.
    #[error(transparent)]
    Cursor(#[from] journal::CursorError),
    /// Taking records out of the journal.
    #[error(transparent)]
    Redact(#[from] journal::RedactError),
    /// What people decide.
    #[error(transparent)]
    Control(#[from] crate::control::ControlError),
    /// A copy of the store that somebody is to be taken out of.
    #[error("{} is a copy of the store and cannot be cleaned of a person: {reason}; remove it", .path.display())]
    Copy {
        /// Its file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A file or folder.
    #[error("{}: {error}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file that would be written over.
    #[error("{} is there already: move it away or name another file", .0.display())]
    Exists(PathBuf),
}

impl ServiceError {
    pub(crate) fn io(path: &Path, error: io::Error) -> ServiceError {
        ServiceError::Io { path: path.to_owned(), error }
    }

    /// Whether trying again later can help: a full disk, a lock, a journal that cannot be read for a moment.
    pub fn may_pass(&self) -> bool {
        match self {
            ServiceError::Store(error) => error.may_pass(),
            ServiceError::Inputs(InputsError::Sqlite(error)) => crate::store::may_pass(error),
            ServiceError::Journal(journal::ReadError::Io(_)) | ServiceError::Io { .. } => true,
            _ => false,
        }
    }
}

/// How many records a reader's complaint is about; the complaint itself if reading cannot go on behind it.
pub(crate) fn records_missed(error: journal::ReadError) -> Result<u64, ServiceError> {
    match error {
        journal::ReadError::Removed { first, last } => Ok(last - first + 1),
        journal::ReadError::Damaged(damage) => {
            Ok(damage.lost.map_or(0, |(first, last)| last.saturating_sub(first) + 1))
        }
        error => Err(ServiceError::Journal(error)),
    }
}
