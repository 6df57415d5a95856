//! The parts that a journal on disk is needed for: keeping up with it, taking up again after a kill, rebuilding.

use std::{sync::Arc, time::Instant};

use anyhow::ensure;
use benches::past;
use insight::geo::Places;
use journal::Reader;

use super::{Arguments, IDLE_MAX, START_UNIX_S, open, people::People, rebuilt, say};

pub(super) fn measure(
    arguments: &Arguments,
    places: &Arc<Places>,
    folder: &tempfile::TempDir,
) -> anyhow::Result<()> {
    let state = folder.path().join("state");
    let journal = state.join("journal");
    let users = arguments.users.min(arguments.rebuild as u64 / 10).max(1);
    let mut people = People::new(users, START_UNIX_S);
    past::write(&journal, arguments.rebuild as u64, || people.next())?;

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
