//! The journal read from front to back, and what comes of it printed a line at a time: for `journal dump`, `events` and
//! `sessions`.

use std::{
    io::{self, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use clap::ValueEnum;
use journal::{ReadError, Reader, Record};
use serde::Serialize;

use super::{Exit, Failure};

/// How lines are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One JSON object a line.
    Json,
    /// Columns for people.
    Table,
}

/// What is printed on a line: its members as JSON, or a row below a head.
pub(super) trait Row: Serialize {
    fn write_head(out: &mut impl Write) -> io::Result<()>;
    fn write_row(&self, out: &mut impl Write) -> io::Result<()>;
}

impl Format {
    /// What stands above all lines.
    pub(super) fn head<R: Row>(self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Format::Json => Ok(()),
            Format::Table => R::write_head(out),
        }
    }

    /// One line.
    pub(super) fn line(self, row: &impl Row, out: &mut impl Write) -> io::Result<()> {
        match self {
            Format::Json => {
                serde_json::to_writer(&mut *out, row)?;
                out.write_all(b"\n")
            }
            Format::Table => row.write_row(out),
        }
    }
}

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
