//! The journal read from front to back, for the commands that print what is in it.

use std::{
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use journal::{ReadError, Reader, Record};

use super::{Exit, Failure};

/// The journal below a state directory.
///
/// # Errors
/// When there is none.
pub(super) fn folder(state_dir: &Path) -> Result<PathBuf, Failure> {
    let folder = state_dir.join("journal");
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err(anyhow!("there is no journal in {}: no sensor has run with it yet", folder.display()).into())
    }
}

/// Hands every record from sequence `from` on to `print`, until that has enough. Reading goes on behind damage and behind
/// what retention took: what is missing is said where it is missing.
///
/// # Errors
/// The disk's, and what `print` says; at the end a silent one, if damaged records were left out.
pub(super) fn print_each<W: Write>(
    folder: &Path,
    from: u64,
    out: &mut W,
    mut print: impl FnMut(&Record, &mut W) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure> {
    let reader = Reader::open(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut left_out = false;
    for record in reader.records_from(from) {
        match record {
            Ok(record) => {
                if print(&record, out)?.is_break() {
                    break;
                }
            }
            Err(error @ (ReadError::Damaged(_) | ReadError::Removed { .. })) => {
                left_out |= matches!(error, ReadError::Damaged(_));
                out.flush()?;
                tracing::warn!("{error}");
            }
            Err(error) => return Err(anyhow::Error::new(error).into()),
        }
    }
    out.flush()?;
    if left_out { Err(Failure::silent(Exit::Failed)) } else { Ok(()) }
}
