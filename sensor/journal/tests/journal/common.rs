//! What several test files share: records whose content follows from a number, and a port that is woken by nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use journal::{
    CapturePath, Handle, NewRecord, OpenError, Options, Outcome, Port, Reader, RecoveryReport, Storage, Wake,
    Writer, open,
};

pub(crate) struct Silent;

impl Wake for Silent {
    fn wake(&self) {}
}

/// Small segments, so that a short workload fills several.
pub(crate) fn small() -> Options {
    Options { segment_bytes: 18 << 10, batch_bytes: 8 << 10, batch_records: 4, ..Options::default() }
}

/// The request numbered `tag`: its octets repeat the number.
pub(crate) fn octets(tag: u64, length: usize) -> Vec<u8> {
    tag.to_le_bytes().iter().copied().cycle().take(length.max(8)).collect()
}

pub(crate) fn tag(octets: &[u8]) -> u64 {
    u64::from_le_bytes(octets[..8].try_into().unwrap())
}

pub(crate) fn record(octets: &[u8]) -> NewRecord<'_> {
    NewRecord {
        arrival_unix_ns: 1_790_000_000_000_000_000 + tag(octets),
        source: "192.0.2.10:49152".parse().unwrap(),
        destination: "[2001:db8::1]:1813".parse().unwrap(),
        path: CapturePath::Udp,
        client: "branch-rras",
        octets,
    }
}

/// Submits one batch with these tags; `false` when no batch is free.
pub(crate) fn submit(port: &mut Port, tags: std::ops::Range<u64>, length: usize) -> bool {
    let Some(mut batch) = port.take_free() else { return false };
    for tag in tags {
        batch.append(&record(&octets(tag, length))).unwrap();
    }
    port.submit(batch);
    true
}

/// Takes all completed batches: the first sequence of the committed ones (`None`: failed) and their number of records.
pub(crate) fn outcomes(port: &mut Port) -> Vec<(Option<u64>, usize)> {
    let mut all = Vec::new();
    while let Some((batch, outcome)) = port.completed() {
        let records = batch.len();
        port.give_back(batch);
        all.push(match outcome {
            Outcome::Committed { first_sequence } => (Some(first_sequence), records),
            Outcome::Failed => (None, records),
        });
    }
    all
}

/// What clients were told: sequence and tag of each record that was acknowledged.
pub(crate) type Acknowledged = BTreeMap<u64, u64>;

/// The journal holds what was acknowledged, nothing twice, without a gap from its oldest record on.
pub(crate) fn check<S: Storage>(
    storage: &Arc<S>,
    handle: &Handle,
    acknowledged: &Acknowledged,
) -> Result<Vec<(u64, u64)>, String> {
    let mut records = Vec::new();
    for record in Reader::over(storage.clone(), Some(handle.clone())).records_from(1) {
        let record = record.map_err(|e| e.to_string())?;
        records.push((record.sequence, tag(&record.octets)));
    }
    let oldest = records.first().map_or(1, |r| r.0);
    for (n, (sequence, _)) in records.iter().enumerate() {
        if *sequence != oldest + n as u64 {
            return Err(format!("a gap before {sequence}"));
        }
    }
    if records.last().map_or(0, |r| r.0) != handle.watermark() {
        return Err(format!("{} is the watermark, {:?} the last record", handle.watermark(), records.last()));
    }
    let by_sequence: BTreeMap<u64, u64> = records.iter().copied().collect();
    for (sequence, tag) in acknowledged.range(oldest..) {
        if by_sequence.get(sequence) != Some(tag) {
            return Err(format!("acknowledged {sequence} is {:?}, not {tag}", by_sequence.get(sequence)));
        }
    }
    let tags: BTreeSet<u64> = records.iter().map(|r| r.1).collect();
    if tags.len() != records.len() {
        return Err("a record is there twice".into());
    }
    Ok(records)
}

/// One run of the journal over a disk, as a worker and its client see it.
pub(crate) struct Session<S: Storage> {
    pub(crate) storage: Arc<S>,
    pub(crate) writer: Writer<S>,
    pub(crate) handle: Handle,
    pub(crate) port: Port,
    pub(crate) report: RecoveryReport,
    /// Tags of the batches on their way.
    sent: VecDeque<Range<u64>>,
}

impl<S: Storage + Clone> Session<S> {
    pub(crate) fn open(storage: &S, options: Options) -> Result<Self, OpenError> {
        let mut opened = open(storage.clone(), options)?;
        let port = opened.writer.port(4, Arc::new(Silent));
        Ok(Self {
            storage: Arc::new(storage.clone()),
            writer: opened.writer,
            handle: opened.handle,
            port,
            report: opened.report,
            sent: VecDeque::new(),
        })
    }

    pub(crate) fn submit(&mut self, tags: Range<u64>, length: usize) {
        assert!(submit(&mut self.port, tags.clone(), length));
        self.sent.push_back(tags);
    }

    /// Commits, and notes what comes back; returns what failed.
    pub(crate) fn turn(&mut self, acknowledged: &mut Acknowledged) -> Vec<Range<u64>> {
        self.writer.turn();
        let mut failed = Vec::new();
        for (sequence, records) in outcomes(&mut self.port) {
            let tags = self.sent.pop_front().unwrap();
            assert_eq!(records as u64, tags.end - tags.start);
            match sequence {
                Some(first) => acknowledged.extend(tags.enumerate().map(|(n, tag)| (first + n as u64, tag))),
                None => failed.push(tags),
            }
        }
        failed
    }

    pub(crate) fn check(&self, acknowledged: &Acknowledged) -> Result<Vec<(u64, u64)>, String> {
        if !self.report.damage.is_empty() {
            return Err(format!("reported as damage: {:?}", self.report.damage));
        }
        check(&self.storage, &self.handle, acknowledged)
    }
}
