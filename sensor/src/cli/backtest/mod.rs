//! `backtest FILE`: what today's thresholds would have said of the past.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use journal::Reader;
use service::backtest::{Backtest, Scored};

use super::{Common, Exit, Failure, replay};
use crate::places;

/// So much is asked for at once.
const READ_OCTETS: usize = 1 << 20;
/// Longest line, octets: more than any event fills.
const LINE_MAX: u64 = 1 << 20;
/// So many lines that are no event, or not taken as they stand, are named; all are counted.
const NAMED_MAX: u64 = 10;

/// Options of `backtest`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Everything goes through sessions, places, profiles and detections with the configuration's thresholds \
                  and exclusions, in memory: the store is not touched and nothing is sent. Prints one JSON object for each Start, \
                  {\"n\",\"user\",\"score\",\"reasons\",\"alert\"}; n is the number of the line, record or datagram. A line's \
                  score rests on what stands before it in the file, never on what stands behind. Alerts that no Start \
                  raises (another place within a session, volume and length, two places that only an end proves, Stops \
                  without a Start) are counted by detection in the summary, which goes to standard error; with --all each \
                  has a line too, with \"at\", the status of what it was known with, and \"detection\".\n\nLines need \"time\" (RFC 3339), \"status\" (Start, Interim-Update, Stop, Accounting-On, \
                  Accounting-Off), \"client\" and \"session\"; \"user\", \"address\", \"assigned\", \"device\", \
                  \"software\", \"nas\", \"input_octets\" and \"output_octets\" are used where they are there. Numbers \
                  may stand for texts; other members are ignored, whatever they hold. Without \"nas\" a message is of the VPN server that an \
                  earlier line of its session named, an Accounting-On or -Off of all that its client has. What `events` \
                  prints can be read as it is. Lines stand in the order of their times. An address that is none, a time long before that of \
                  the lines above, and one that is ahead of all others are not taken as they stand: the first ten are named, all are counted in the \
                  summary. The second line in a row that is so far from the others is believed: the time is what it says from then \
                  on.\n\nA Start that comes behind another message of its session, or twice, has the score that the session got \
                  then. What was said is written out before more lines are waited for.\n\nExit codes: 0 all of it was \
                  taken; 1 something was not; 2 bad usage or configuration."
)]
pub(super) struct Arguments {
    /// Lines of JSON, a pcap or pcapng file, or the folder of a journal; - for lines from standard input
    file: PathBuf,
    /// Print those with an alert only
    #[arg(long)]
    alerts: bool,
    /// Print a line too for each alert that an Interim-Update, a Stop or a silence raises
    #[arg(long)]
    all: bool,
    /// From this time on ask the database FILE before all others, as if it had been added then
    #[arg(long, value_name = "TIME=FILE", value_parser = GeoUpdate::parse)]
    geo_update: Option<GeoUpdate>,
}

/// A database that comes in the middle.
#[derive(Debug, Clone)]
struct GeoUpdate {
    at: Timestamp,
    file: PathBuf,
}

impl GeoUpdate {
    fn parse(text: &str) -> Result<GeoUpdate, String> {
        let (time, file) = text.split_once('=').ok_or("give the time, an equals sign and the file")?;
        let at = time.parse().map_err(|error| format!("{time:?} is no time of RFC 3339: {error}"))?;
        Ok(GeoUpdate { at, file: file.into() })
    }
}

impl Arguments {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let mut config = common.load_config()?;
        let places = places::Sources::of(&config).open()?;
        let later = self.geo_update.as_ref().map(|update| places::Sources::of(&config).before(&update.file));
        let later = later.map(|sources| sources.open()).transpose()?;
        let mut backtest = Backtest::new(config.meaning(), &places).map_err(anyhow::Error::new)?;
        if let (Some(GeoUpdate { at, .. }), Some(later)) = (&self.geo_update, &later) {
            // Nothing of a VPN happened before 1970.
            backtest.update(u64::try_from(at.as_nanosecond()).unwrap_or(0), later);
        }
        let mut run = Run {
            backtest,
            alerts_only: self.alerts,
            later_too: self.all,
            out: BufWriter::new(io::stdout().lock()),
            sum: Sum::default(),
        };
        if self.file.is_dir() {
            run.journal(&self.file)?;
        } else if self.file.as_os_str() == "-" {
            run.lines(io::stdin().lock())?;
        } else {
            let named = || format!("cannot read {}", self.file.display());
            let mut file = BufReader::with_capacity(READ_OCTETS, File::open(&self.file).with_context(named)?);
            if is_capture(file.fill_buf().with_context(named)?) {
                let recorded = replay::record(&self.file, &mut config)?;
                run.capture(recorded.folder(), &recorded.accepted)?;
            } else {
                run.lines(file)?;
            }
        }
        run.end()
    }
}

/// Whether a file begins as pcap (four ways) or pcapng does.
fn is_capture(begin: &[u8]) -> bool {
    const MAGICS: [[u8; 4]; 5] = [
        [0xd4, 0xc3, 0xb2, 0xa1],
        [0xa1, 0xb2, 0xc3, 0xd4],
        [0x4d, 0x3c, 0xb2, 0xa1],
        [0xa1, 0xb2, 0x3c, 0x4d],
        [0x0a, 0x0d, 0x0d, 0x0a],
    ];
    begin.first_chunk().is_some_and(|magic| MAGICS.contains(magic))
}

#[derive(Debug, Default)]
struct Sum {
    starts: u64,
    alerts: u64,
    /// Alerts that no Start raised, by detection.
    later: BTreeMap<&'static str, u64>,
    left_out: u64,
    /// Lines that were not taken as they stand.
    doubted: u64,
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sum { starts, alerts, later, doubted, .. } = self;
        write!(f, "{starts} Starts, {alerts} with an alert")?;
        if !later.is_empty() {
            write!(f, "; {} more alerts at Interim-Updates, Stops or silence", later.values().sum::<u64>())?;
        }
        for (at, (detection, count)) in later.iter().enumerate() {
            write!(f, "{} {detection} {count}", if at == 0 { ":" } else { "," })?;
        }
        if *doubted > 0 {
            let lines = if *doubted == 1 { "line was" } else { "lines were" };
            write!(f, "; {doubted} {lines} not taken as written")?;
        }
        Ok(())
    }
}

struct Run<'p, W: Write> {
    backtest: Backtest<'p>,
    alerts_only: bool,
    later_too: bool,
    out: W,
    sum: Sum,
}

impl<W: Write> Run<'_, W> {
    fn lines(&mut self, file: impl Read) -> Result<(), Failure> {
        let mut file = BufReader::with_capacity(READ_OCTETS, file);
        let mut line = Vec::new();
        for n in 1.. {
            line.clear();
            // Whoever writes the lines may wait for an answer before writing the next. Nobody is asked for more until what was
            // said is out; where there is more already, as in a file, that is seldom.
            if !file.buffer().contains(&b'\n') {
                self.out.flush()?;
            }
            let length =
                file.by_ref().take(LINE_MAX).read_until(b'\n', &mut line).context("cannot read the lines")?;
            if length == 0 {
                break;
            }
            if length as u64 == LINE_MAX && line.last() != Some(&b'\n') {
                return Err(anyhow!(
                    "line {n} has no end within {LINE_MAX} octets: this is no file of event lines"
                )
                .into());
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            match self.backtest.take_line(n, &line) {
                Ok(scored) => {
                    self.doubt(n);
                    self.print(scored)?;
                }
                Err(error) => self.leave_out(format_args!("line {n}: {error}")),
            }
        }
        Ok(())
    }

    fn journal(&mut self, folder: &Path) -> Result<(), Failure> {
        // The state directory will do as well.
        let below = folder.join("journal");
        let folder = if below.is_dir() { &below } else { folder };
        let reader = Reader::open(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for record in reader.records_from(1) {
            match record {
                Ok(record) => self.record(record.sequence, &record)?,
                Err(error) => self.leave_out(format_args!("{error}")),
            }
        }
        Ok(())
    }

    /// A journal that a capture was recorded in; each record with the number of its datagram.
    fn capture(&mut self, folder: &Path, accepted: &[u64]) -> Result<(), Failure> {
        let reader = Reader::open(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for (record, n) in reader.records_from(1).zip(accepted) {
            self.record(*n, &record.map_err(anyhow::Error::new)?)?;
        }
        Ok(())
    }

    fn record(&mut self, n: u64, record: &journal::Record) -> Result<(), Failure> {
        match self.backtest.take_record(n, record) {
            Ok(scored) => self.print(scored)?,
            Err(_) if record.redacted => {}
            Err(error) => self.leave_out(format_args!("record {}: {error}", record.sequence)),
        }
        Ok(())
    }

    fn print(&mut self, scored: Option<Scored>) -> Result<(), Failure> {
        for later in self.backtest.take_later() {
            *self.sum.later.entry(later.detection).or_default() += 1;
            if self.later_too {
                serde_json::to_writer(&mut self.out, &later).map_err(io::Error::from)?;
                self.out.write_all(b"\n")?;
            }
        }
        let Some(scored) = scored else { return Ok(()) };
        self.sum.starts += 1;
        self.sum.alerts += u64::from(scored.alert);
        if scored.alert || !self.alerts_only {
            serde_json::to_writer(&mut self.out, &scored).map_err(io::Error::from)?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Says what of the line taken last was not taken as it stands.
    fn doubt(&mut self, n: u64) {
        let doubts = self.backtest.take_doubts();
        self.sum.doubted += u64::from(!doubts.is_empty());
        if self.sum.doubted <= NAMED_MAX {
            doubts.iter().for_each(|doubt| tracing::warn!("line {n}: {doubt}"));
        }
    }

    fn leave_out(&mut self, what: std::fmt::Arguments<'_>) {
        self.sum.left_out += 1;
        if self.sum.left_out <= NAMED_MAX {
            tracing::warn!("left out: {what}");
        }
    }

    fn end(mut self) -> Result<(), Failure> {
        self.out.flush()?;
        writeln!(io::stderr().lock(), "{}", self.sum)?;
        let left_out = self.sum.left_out;
        if left_out > 0 {
            let error =
                anyhow!("{left_out} lines or records were left out: mend them and run again for the whole");
            return Err(Failure::new(Exit::Failed, error));
        }
        Ok(())
    }
}

#[cfg(test)]
mod month;
#[cfg(test)]
mod tests;
