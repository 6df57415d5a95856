//! `rebuild`: the store made again from the records on disk and what the service wrote down beside them.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};
use journal::{Reader, RealStorage, Storage as _};
use service::{
    rebuild::{Rebuilt, WAITING_MAX, position_of, rebuild},
    store,
};

use super::{
    Common, Exit, Failure, records,
    units::{count, number},
};
use crate::places;

/// Options of `rebuild`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Beside a running sensor only with --to: what it holds in memory belongs to the store it has. The store \
                  that is replaced is kept as store.sqlite.old."
)]
pub(super) struct Arguments {
    /// Write the new store to this file and leave the old one in force
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Take records up to this sequence number; by default those that the store in force has, all if there is none
    #[arg(long, value_name = "SEQUENCE")]
    until: Option<u64>,
    /// The state directory; by default the configuration's
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = common.load_whole_config()?;
        let state_dir = self.state_dir.as_ref().unwrap_or(&config.state_dir);
        let journal = records::folder(state_dir)?;
        let folder = service::folder(state_dir);
        let in_force = folder.join(store::FILE);
        if self.to.is_none() {
            refuse_beside_a_sensor(&journal)?;
        }
        let until = match self.until {
            Some(until) => until,
            None if self.to.is_some() && in_force.exists() => {
                position_of(&in_force).map_err(anyhow::Error::new)?
            }
            None => u64::MAX,
        };
        let reader = Reader::open(&journal).with_context(|| format!("cannot read {}", journal.display()))?;
        let places = places::Sources::of(&config).open()?;
        let to = self.to.clone().unwrap_or_else(|| folder.join("store.new"));
        if self.to.is_none() && to.exists() {
            // Of a rebuild that did not come to its end.
            fs::remove_file(&to).with_context(|| format!("cannot remove {}", to.display()))?;
        }
        let mut progress = Progress::new();
        let rebuilt =
            rebuild(&folder, &reader, &to, until, &places, WAITING_MAX, |sequence| progress.tell(sequence))
                .map_err(anyhow::Error::new)?;
        progress.end();
        if self.to.is_none() {
            put_in_force(&to, &in_force)?;
        }
        tell(&rebuilt, progress.started.elapsed(), self.to.as_deref().unwrap_or(&in_force))
    }
}

/// A running sensor holds the journal's lock, and in its memory what belongs to the store in force.
fn refuse_beside_a_sensor(journal: &Path) -> Result<(), Failure> {
    let storage = RealStorage::existing(journal)?;
    if storage.is_locked()? {
        let running =
            anyhow!("a sensor runs with this state directory: stop it first, or name a new file with --to");
        return Err(Failure::new(Exit::Failed, running));
    }
    Ok(())
}

/// Takes the new store into force. The old one is kept beside it, with what SQLite has written ahead for it.
fn put_in_force(new: &Path, in_force: &Path) -> Result<(), Failure> {
    let moved = |from: &Path, to: &Path| match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(anyhow!("cannot rename {} to {}: {error}", from.display(), to.display()))
        }
        _ => Ok(()),
    };
    let with = |path: &Path, suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    for suffix in ["", "-wal", "-shm"] {
        moved(&with(in_force, suffix), &with(&with(in_force, ".old"), suffix))?;
    }
    for suffix in ["-wal", ""] {
        moved(&with(new, suffix), &with(in_force, suffix))?;
    }
    let folder = in_force.parent().unwrap_or(in_force);
    Ok(File::open(folder).and_then(|folder| folder.sync_all())?)
}

fn tell(rebuilt: &Rebuilt, took: Duration, file: &Path) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let rate = rebuilt.records as f64 / took.as_secs_f64().max(1e-9);
    writeln!(
        out,
        "{}: {} records in {:.1} s ({}/s), up to record {}",
        file.display(),
        count(rebuilt.records),
        took.as_secs_f64(),
        number(rate),
        rebuilt.position
    )?;
    if rebuilt.base > 0 {
        writeln!(out, "began with the base, which covers records up to {}", rebuilt.base)?;
    }
    if rebuilt.resolved_anew > 0 {
        let addresses = count(rebuilt.resolved_anew);
        writeln!(
            out,
            "{addresses} addresses that no service had resolved were resolved by today's databases"
        )?;
    }
    if rebuilt.missed > 0 {
        tracing::warn!("{} records are gone or damaged: what they said is missing", rebuilt.missed);
        return Err(Failure::silent(Exit::Failed));
    }
    Ok(())
}

/// A line on a terminal that says how far it is; nothing in a pipe.
struct Progress {
    started: Instant,
    last: Instant,
    first: Option<u64>,
    is_shown: bool,
}

impl Progress {
    fn new() -> Progress {
        let now = Instant::now();
        Progress { started: now, last: now, first: None, is_shown: io::stderr().is_terminal() }
    }

    fn tell(&mut self, sequence: u64) {
        let first = *self.first.get_or_insert(sequence);
        if self.is_shown && self.last.elapsed() >= Duration::from_millis(200) {
            self.last = Instant::now();
            let rate = (sequence - first) as f64 / self.started.elapsed().as_secs_f64();
            eprint!("\rrecord {}, {} a second \x1b[K", count(sequence), number(rate));
        }
    }

    fn end(&self) {
        if self.is_shown {
            eprint!("\r\x1b[K");
        }
    }
}
