//! A past on disk: a journal with records that nobody sent.

use std::{path::Path, sync::Arc, thread};

use anyhow::{Context as _, ensure};
use journal::{NewRecord, Options, Outcome, RealStorage, Record, Wake};

/// Nobody sleeps here.
struct Awake;

impl Wake for Awake {
    fn wake(&self) {}
}

/// Writes a journal of this many records.
///
/// # Errors
/// The folder, the journal, or what `next` says.
pub fn write(
    folder: &Path,
    records: u64,
    mut next: impl FnMut() -> anyhow::Result<Record>,
) -> anyhow::Result<()> {
    let storage = RealStorage::create(folder).with_context(|| folder.display().to_string())?;
    let opened = journal::open(storage, Options::default())?;
    let (mut writer, handle) = (opened.writer, opened.handle);
    let mut port = writer.port(16, Arc::new(Awake));
    let writing = thread::spawn(move || writer.run());
    let mut written = 0;
    let mut pending = next()?;
    while written < records {
        while let Some((batch, outcome)) = port.completed() {
            ensure!(matches!(outcome, Outcome::Committed { .. }), "the journal failed: {:?}", handle.state());
            port.give_back(batch);
        }
        let Some(mut batch) = port.take_free() else {
            thread::yield_now();
            continue;
        };
        while written < records {
            let record = NewRecord {
                arrival_unix_ns: pending.arrival_unix_ns,
                source: pending.source,
                destination: pending.destination,
                path: pending.path,
                client: &pending.client,
                octets: &pending.octets,
            };
            if batch.append(&record).is_err() {
                break;
            }
            written += 1;
            pending = next()?;
        }
        port.submit(batch);
    }
    while handle.watermark() < records {
        thread::yield_now();
        while let Some((batch, _)) = port.completed() {
            port.give_back(batch);
        }
    }
    handle.stop();
    writing.join().map_err(|_| anyhow::anyhow!("the journal's writer panicked"))
}
