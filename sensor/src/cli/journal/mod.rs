//! `journal dump` and `journal verify`: the records on disk, read beside a running sensor or without one.

mod line;

use std::{
    io::{self, BufWriter, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Subcommand;
use service::record::RecordLine;

use super::{
    Common, Exit, Failure,
    records::{self, Format},
};

/// Options of `journal`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// The state directory; by default the configuration's
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print the records, one a line
    Dump(Dump),
    /// Check every batch of every segment
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
struct Dump {
    /// How a record is printed
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Begin with this sequence number
    #[arg(long, value_name = "SEQUENCE", default_value_t = 1)]
    from: u64,
    /// Print this many records at most
    #[arg(long, value_name = "RECORDS")]
    limit: Option<usize>,
}

#[derive(Debug, clap::Args)]
struct Verify {
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let state_dir = match self.state_dir {
            Some(state_dir) => state_dir,
            None => common.load_config()?.state_dir,
        };
        let directory = records::folder(&state_dir)?;
        match self.action {
            Action::Dump(dump) => dump.execute(&directory),
            Action::Verify(verify) => verify.execute(&directory),
        }
    }
}

impl Dump {
    fn execute(self, directory: &Path) -> Result<(), Failure> {
        let mut out = BufWriter::new(io::stdout().lock());
        let mut left = self.limit.unwrap_or(usize::MAX);
        self.format.head::<RecordLine<'_>>(&mut out)?;
        records::print_each(directory, self.from, &mut out, |record, out| {
            if left == 0 {
                return Ok(ControlFlow::Break(()));
            }
            left -= 1;
            self.format.line(&RecordLine::new(record), out)?;
            Ok(ControlFlow::Continue(()))
        })
    }
}

impl Verify {
    fn execute(self, directory: &Path) -> Result<(), Failure> {
        let report =
            journal::verify(directory).with_context(|| format!("cannot check {}", directory.display()))?;
        let damage: Vec<serde_json::Value> = report
            .damage
            .iter()
            .map(|damage| {
                serde_json::json!({
                    "segment": damage.segment,
                    "offset": damage.offset,
                    "bytes": damage.bytes,
                    "lost": damage.lost.map(|(first, last)| [first, last]),
                    "quarantine": damage.quarantine,
                })
            })
            .collect();
        let mut out = io::stdout().lock();
        if self.json {
            let object = serde_json::json!({
                "good": report.is_good(),
                "segments": report.segments,
                "batches": report.batches,
                "records": report.records,
                "redacted": report.redacted,
                "first": report.first,
                "last": report.last,
                "watermark": report.watermark,
                "torn_bytes": report.torn_bytes,
                "damage": damage,
            });
            writeln!(out, "{object}")?;
        } else {
            writeln!(out, "journal    {}", directory.display())?;
            writeln!(out, "segments   {}", report.segments)?;
            writeln!(out, "batches    {}", report.batches)?;
            match (report.first, report.last) {
                (Some(first), Some(last)) => {
                    writeln!(out, "records    {} ({first} to {last})", report.records)?
                }
                _ => writeln!(out, "records    none")?,
            }
            if report.redacted > 0 {
                writeln!(out, "redacted   {} of them: taken out, tombstones stand there", report.redacted)?;
            }
            writeln!(out, "committed  up to {}", report.watermark)?;
            if report.torn_bytes > 0 {
                writeln!(out, "unfinished {} bytes at the end, not acknowledged", report.torn_bytes)?;
            }
            for damage in &report.damage {
                let lost = damage.lost.map_or("no record lost".to_owned(), |(first, last)| {
                    format!("records {first} to {last} lost")
                });
                writeln!(out, "DAMAGED    {} at byte {}: {lost}", damage.segment, damage.offset)?;
            }
            writeln!(out, "{}", if report.is_good() { "good" } else { "acknowledged data is damaged" })?;
        }
        if report.is_good() { Ok(()) } else { Err(Failure::silent(Exit::Failed)) }
    }
}
