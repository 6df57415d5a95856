//! The parts that a journal on disk is needed for: keeping up with it, taking up again after a kill, rebuilding.

use std::{sync::Arc, thread, time::Instant};

use anyhow::{Context as _, ensure};
use insight::geo::Places;
use journal::{NewRecord, Options, Outcome, Reader, RealStorage, Wake};

use super::{Arguments, IDLE_MAX, START_UNIX_S, open, people::People, rebuilt, say};

/// Nobody sleeps here.
struct Awake;

impl Wake for Awake {
    fn wake(&self) {}
}

pub(super) fn measure(
    arguments: &Arguments,
    places: &Arc<Places>,
    folder: &tempfile::TempDir,
) -> anyhow::Result<()> {
    let state = folder.path().join("state");
    let journal = state.join("journal");
    let users = arguments.users.min(arguments.rebuild as u64 / 10).max(1);
    write(&journal, &mut People::new(users, START_UNIX_S), arguments.rebuild)?;

    let reader = Reader::open(&journal)?;
    let case = format!("{} records, {users} users", arguments.rebuild);
    let (_, mut live) = open(&state, &reader, places)?;
    let began = Instant::now();
    let mut idle_since = None;
    while live.standing().stored < arguments.rebuild as u64 {
        // No ticks: the bench's time is that of its records.
        if live.turn(0)? {
            idle_since = None;
        } else {
            let since = *idle_since.get_or_insert_with(Instant::now);
            ensure!(since.elapsed() < IDLE_MAX, "the service takes nothing more: {:?}", live.standing());
        }
    }
    let rate = arguments.rebuild as f64 / began.elapsed().as_secs_f64();
    say(&case, "live_records_per_second", "1/s", &[rate]);
    // As a kill would: nothing is stored on the way out.
    drop(live);
    let (seconds, live) = open(&state, &reader, places)?;
    say(&case, "restart_seconds", "s", &[seconds]);
    drop(live);

    let (seconds, records) = rebuilt(&reader, &state, &folder.path().join("rebuilt.sqlite"), places)?;
    ensure!(records > 0, "nothing was rebuilt");
    say(&case, "rebuild_records_per_second", "1/s", &[records as f64 / seconds]);
    Ok(())
}

/// Writes a journal of this many records.
fn write(folder: &std::path::Path, people: &mut People, records: usize) -> anyhow::Result<()> {
    let storage = RealStorage::create(folder).with_context(|| folder.display().to_string())?;
    let opened = journal::open(storage, Options::default())?;
    let (mut writer, handle) = (opened.writer, opened.handle);
    let mut port = writer.port(16, Arc::new(Awake));
    let writing = thread::spawn(move || writer.run());
    let mut written = 0;
    let mut pending = people.next()?;
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
            pending = people.next()?;
        }
        port.submit(batch);
    }
    while handle.watermark() < records as u64 {
        thread::yield_now();
        while let Some((batch, _)) = port.completed() {
            port.give_back(batch);
        }
    }
    handle.stop();
    writing.join().map_err(|_| anyhow::anyhow!("the journal's writer panicked"))
}
