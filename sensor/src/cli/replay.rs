//! `replay FILE`: runs a capture file through the same pipeline as the wire and tells what became of each datagram.

mod line;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
};

use ingest::{
    Ingest, IngestOptions,
    capture::{
        BURST, SourceError,
        pcap::{PcapCounters, PcapSource},
    },
    clients::Clients,
    verdict::Verdict,
    worker::Worker,
};
use journal::{Options, RealStorage, Retention};
use tempfile::TempDir;

use self::line::{Line, Lines};
use super::{Common, Exit, Failure};
use crate::{config::Config, run};

/// Options of `replay`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Prints one JSON object for each datagram to a listening port, in the order of the file, and a \
                        summary to standard error. Clients and ports are those of the configuration. A request that \
                        is in the file twice, octet by octet and from the same port, is a `duplicate`.\n\nExit codes: \
                        0 the whole file was read, whatever the verdicts; 1 it was not; 2 bad usage or configuration; 3 this host \
                        cannot do what is configured (digest.lanes)."
)]
pub(super) struct Arguments {
    /// A pcap or pcapng file; - for standard input
    file: PathBuf,
    /// Record into this journal and keep it [default: a temporary one that is discarded]
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
}

/// Batches of the one worker. A burst needs nine at most: 256 requests of at most 4 KiB, 128 KiB a batch.
const BATCHES: usize = 16;

/// Entries of the duplicate table at least, whatever is configured. A file arrives faster than any wire: a burst of it is
/// pending all at once, and a small table would refuse some of it by the chance of its hash. With 64 entries for each
/// request of a burst more than eight meet in a bucket in one burst of 10^10 (Poisson).
const LEAST_ENTRIES: usize = 64 * BURST;

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let mut config = common.load_config()?;
        // Removed when it goes out of scope, also when what follows fails.
        let temporary = temporary()?;
        let directory = self.journal.as_deref().unwrap_or(temporary.path()).to_owned();
        let options = journal_options(&config, self.journal.is_some());
        let mut out = io::BufWriter::new(io::stdout().lock());
        play(&self.file, &mut config, directory, options, |line| {
            serde_json::to_writer(&mut out, &line)?;
            out.write_all(b"\n")
        })?;
        Ok(out.flush()?)
    }
}

/// The journal that a capture was recorded in; gone with it.
pub(super) struct Recorded {
    directory: TempDir,
    /// For each record the number of its datagram, from 1.
    pub(super) accepted: Vec<u64>,
}

impl Recorded {
    pub(super) fn folder(&self) -> &Path {
        self.directory.path()
    }
}

/// Records a capture, all of it, to be read again.
///
/// # Errors
/// Those of `replay`.
pub(super) fn record(file: &Path, config: &mut Config) -> Result<Recorded, Failure> {
    let directory = temporary()?;
    let mut accepted = Vec::new();
    let options = journal_options(config, true);
    play(file, config, directory.path().to_owned(), options, |line| {
        accepted.extend(line.accepted());
        Ok(())
    })?;
    Ok(Recorded { directory, accepted })
}

fn temporary() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("vpn-sensor-replay-").tempdir()
}

/// Runs the whole file through the pipeline into a journal; `each` takes the lines, and a summary goes to standard error.
fn play(
    file: &Path,
    config: &mut Config,
    journal: PathBuf,
    options: Options,
    each: impl FnMut(Line) -> io::Result<()>,
) -> Result<(), Failure> {
    let clients = known_clients(config)?;
    let ingest = ingest_options(config)?;
    let mut ports = config.listen.addresses.iter().map(|address| address.port()).collect::<Vec<_>>();
    ports.sort_unstable();
    ports.dedup();
    let failed = |error: anyhow::Error| Failure::new(Exit::Failed, error);
    let source = match file.as_os_str() == "-" {
        true => PcapSource::from_reader(file, io::stdin(), &ports),
        false => PcapSource::open(file, &ports),
    };
    let source = source.map_err(|error| failed(error.into()))?;

    let storage = RealStorage::create(journal)?;
    let opened = journal::open(storage, options).map_err(|error| failed(error.into()))?;
    let (mut writer, handle) = (opened.writer, opened.handle);
    let mut ingest = Ingest::new(clients, handle.clone(), &ingest);
    let mut worker = ingest.worker("replay", source, &mut writer, Lines::default())?;
    let writing = thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run())?;
    let played = turns(&mut worker, each);
    handle.stop();
    let written = writing.join().map_err(|_| failed(anyhow::anyhow!("the journal's writer panicked")));
    summarise(&worker.source().counters(), worker.observer().verdicts())?;
    played?;
    written
}

/// Turn by turn; after each, the journal commits what is on its way, so that the file is never faster than the disk and
/// every run of it gives the same verdicts.
fn turns(
    worker: &mut Worker<PcapSource, Lines>,
    mut each: impl FnMut(Line) -> io::Result<()>,
) -> Result<(), Failure> {
    loop {
        let turned = worker.turn();
        worker.drain();
        let defects = worker.source().defects().to_vec();
        worker.observer().explain(&defects);
        worker.observer().ready().try_for_each(&mut each)?;
        match turned {
            Ok(_) if worker.source().finished() => return Ok(()),
            Ok(_) => {}
            Err(SourceError::Io { error, .. }) => return Err(error.into()),
            Err(error) => return Err(Failure::new(Exit::Failed, error)),
        }
    }
}

fn summarise(counters: &PcapCounters, verdicts: &[u64; Verdict::ALL.len()]) -> io::Result<()> {
    let mut out = io::stderr().lock();
    let PcapCounters { packets, datagrams, other, unsupported_link, .. } = counters;
    writeln!(out, "{packets} packets: {datagrams} datagrams to us, {other} others")?;
    for (verdict, count) in Verdict::ALL.iter().zip(verdicts).filter(|(_, count)| **count > 0) {
        writeln!(out, "{count:>9} {}", verdict.name())?;
    }
    let PcapCounters { fragments, reassembled, fragments_lost, truncated, broken, .. } = counters;
    for (count, what) in [
        (unsupported_link, "packets of a link type that is not supported"),
        (fragments, "fragments"),
        (reassembled, "datagrams put together from them"),
        (fragments_lost, "datagrams of which fragments were missing or contradictory"),
        (truncated, "cut by the capture's snap length"),
        (broken, "with a UDP length that contradicts the IP length"),
    ] {
        if *count > 0 {
            writeln!(out, "{count:>9} {what}")?;
        }
    }
    Ok(())
}

/// The configured clients, else the one that `run` made for this machine, else none: then every source is unknown.
fn known_clients(config: &mut Config) -> Result<Clients, Failure> {
    if config.clients.is_empty() {
        if config.generated_secret_path().exists() {
            config.generate_client().map_err(|error| Failure::new(Exit::Usage, anyhow::anyhow!(error)))?;
        } else {
            tracing::warn!("no client is configured: every source is unknown (--config FILE names clients)");
        }
    }
    // A rate says something of the wire and nothing of a file, which is read as fast as it goes.
    for client in &mut config.clients {
        client.max_rate = None;
    }
    run::clients::snapshot(&config.clients).map_err(|error| Failure::new(Exit::Usage, error))
}

fn ingest_options(config: &Config) -> Result<IngestOptions, Failure> {
    Ok(IngestOptions {
        duplicate_window: config.dedup.window,
        duplicate_entries: config.dedup.entries.max(LEAST_ENTRIES),
        batches: BATCHES,
        digests: Some(run::digests::path(config)?),
        ..IngestOptions::default()
    })
}

/// A journal that is kept loses nothing for its size; a temporary one keeps no more than it must.
fn journal_options(config: &Config, kept: bool) -> Options {
    let retention = match kept {
        true => Retention {
            max_bytes: u64::MAX,
            max_age: None,
            free_reserve_bytes: config.journal.free_reserve_bytes,
            keep_unread: true,
        },
        false => Retention { max_bytes: 32 << 20, max_age: None, free_reserve_bytes: 0, keep_unread: false },
    };
    let segment_bytes = if kept { config.journal.segment_bytes } else { 8 << 20 };
    Options { segment_bytes, retention, ..Options::default() }
}

#[cfg(test)]
mod tests;
