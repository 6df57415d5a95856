//! What can be chosen about a journal.

use std::time::Duration;

use crate::codec::{BATCH_HEADER, MAX_BATCH, MAX_RECORD_OVERHEAD, MAX_SENSOR, SEGMENT_HEADER};

/// The smallest batch: one longest RADIUS packet (4,096 octets) with all that is recorded around it, and room to spare.
pub const BATCH_BYTES_MIN: usize = 8 << 10;

/// How a journal is written and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Name of this sensor, written into every batch; at most 64 octets.
    pub sensor: String,
    /// A segment file that has reached this many octets is followed by a new one. 64 MiB: retention works in steps
    /// of one segment, and recovery reads the newest whole.
    pub segment_bytes: u64,
    /// Octets of memory per batch, from 8 KiB to 1 MiB.
    pub batch_bytes: usize,
    /// Records per batch, at least 1.
    pub batch_records: u32,
    /// Shortest time between the beginnings of two commits in [`Writer::run`](crate::Writer::run): what is submitted
    /// meanwhile shares the next sync. Zero: a commit begins as soon as there is something to commit.
    pub commit_interval: Duration,
    /// A segment older than this is followed by a new one at the next commit, so that retention by age can work.
    pub segment_age: Duration,
    /// What goes when.
    pub retention: Retention,
    /// While the journal cannot write, it tries again this often without being asked.
    pub probe_interval: Duration,
    /// Recovery checks the checksums of the newest segments up to this many octets (always of the newest one).
    /// Older ones are checked when they are read, and by `verify`.
    pub recovery_check_bytes: u64,
    /// Copies of damaged regions are kept up to this many octets in all.
    pub quarantine_bytes: u64,
}

/// When the oldest segment goes, read or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// All segments together take at most about this many octets.
    pub max_bytes: u64,
    /// A segment goes when its youngest record is older than this.
    pub max_age: Option<Duration>,
    /// Segments go while the file system has less room than this, or than a tenth of its size if that is less.
    pub free_reserve_bytes: u64,
    /// Keep what a cursor has not passed, and rather stop answering when the disk is full.
    pub keep_unread: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sensor: "vpn-sensor".into(),
            segment_bytes: 64 << 20,
            // A burst of a worker, so that it leaves with one hand-over, of up to 512 octets a record. From 4 to 1024 records
            // the bench `knobs` shows no difference beyond the noise while the disk is fast (docs/tuning.md).
            batch_bytes: 128 << 10,
            batch_records: 256,
            commit_interval: Duration::ZERO,
            segment_age: Duration::from_secs(24 * 3600),
            retention: Retention::default(),
            probe_interval: Duration::from_millis(250),
            recovery_check_bytes: 1 << 30,
            quarantine_bytes: 64 << 20,
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { max_bytes: 16 << 30, max_age: None, free_reserve_bytes: 1 << 30, keep_unread: false }
    }
}

impl Options {
    /// The least `segment_bytes` with batches of this many octets: two of them.
    pub const fn segment_bytes_min(batch_bytes: usize) -> u64 {
        (2 * batch_bytes + SEGMENT_HEADER) as u64
    }

    /// Says what is out of range.
    pub(crate) fn validate(&self) -> Result<(), String> {
        if self.sensor.len() > MAX_SENSOR {
            return Err(format!("the sensor's name has more than {MAX_SENSOR} octets"));
        }
        if !(BATCH_BYTES_MIN..=MAX_BATCH).contains(&self.batch_bytes) {
            return Err(format!(
                "batch_bytes is {}, not in {BATCH_BYTES_MIN}..={MAX_BATCH}",
                self.batch_bytes
            ));
        }
        if self.batch_records == 0 {
            return Err("batch_records is 0".into());
        }
        let least = Self::segment_bytes_min(self.batch_bytes);
        if self.segment_bytes < least {
            return Err(format!("segment_bytes is {}, less than {least}, two batches", self.segment_bytes));
        }
        Ok(())
    }
}

const _: () = assert!(BATCH_BYTES_MIN > BATCH_HEADER + MAX_SENSOR + MAX_RECORD_OVERHEAD + 4096 + 16);
