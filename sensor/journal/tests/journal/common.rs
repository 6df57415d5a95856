//! What several test files share: records whose content follows from a number, and a port that is woken by nothing.

use journal::{CapturePath, NewRecord, Options, Outcome, Port, Wake};

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
