//! The store made again from the fold's inputs: from the base, if there is one, and everything in the journal and the
//! input log behind it. Nothing is decided anew and nothing is sent.
//!
//! One thread reads and folds, another stores; neither waits for the other but where two outcomes are on the way. What
//! the store holds in the end does not depend on when it was written, so sessions wait in `pending` until they are over,
//! and sightings and indices come last.

mod pending;

use std::{
    fs::{self, File},
    net::IpAddr,
    panic,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

use insight::geo::Places;
use journal::{ReadError, Reader, Record, Records};

use crate::{
    Meaning, ServiceError,
    error::records_missed,
    feed::Feed,
    fold::{Fold, NEAR, Outcome, Resolve, Resolved},
    inputs::Inputs,
    store::{Bulk, Store, StoreError, StoreReader},
};
pub use pending::WAITING_MAX;

use pending::Pending;

/// Name of the copy of the store in the service's folder that a rebuild begins with.
pub const BASE_FILE: &str = "base.sqlite";

/// Sessions of an outcome at which it goes to the store: large enough that the way there costs nothing.
const OUTCOME_ROWS: usize = 8192;
/// Records at which it does in any case, so that progress is told.
const OUTCOME_RECORDS: u64 = 65_536;
/// Outcomes between the two threads: one is stored, one waits.
const OUTCOMES_MAX: usize = 2;

/// What a rebuild did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// The last record that the base covers; 0 without one.
    pub base: u64,
    /// Records taken.
    pub records: u64,
    /// Sequence of the last of them.
    pub position: u64,
    /// Records that are gone or damaged.
    pub missed: u64,
    /// Addresses that the input log does not have and that were resolved by today's databases: records that no service
    /// had come to.
    pub resolved_anew: u64,
}

struct Today<'a> {
    places: &'a Places,
    count: u64,
}

impl Resolve for Today<'_> {
    fn resolve(&mut self, _position: u64, address: IpAddr) -> Resolved {
        self.count += 1;
        Resolved::of(&self.places.find(address))
    }
}

/// Makes the store again, in the new file `to`, up to the record `until`. At most `waiting_max` sessions wait in memory to
/// be written once instead of with each of their messages ([`WAITING_MAX`] unless memory is short). `tell` hears the
/// sequence of a record now and then. Reads beside a running service.
///
/// # Errors
/// [`ServiceError`]; `to` is there already.
pub fn rebuild(
    folder: &Path,
    reader: &Reader,
    to: &Path,
    until: u64,
    places: &Places,
    waiting_max: usize,
    mut tell: impl FnMut(u64),
) -> Result<Rebuilt, ServiceError> {
    if to.exists() {
        return Err(ServiceError::Exists(to.to_owned()));
    }
    let base: PathBuf = folder.join(BASE_FILE);
    if base.exists() {
        fs::copy(&base, to).map_err(|error| ServiceError::io(to, error))?;
    }
    let inputs = Inputs::open_read_only(folder)?;
    let store = Store::open(to)?;
    let mut fold = match store.checkpoint()? {
        Some(octets) => Fold::load(&octets)?,
        None => Fold::new(Meaning::default())?,
    };
    let bulk = Bulk::begin(store)?;
    let mut rebuilt = Rebuilt { base: fold.position(), ..Rebuilt::default() };
    let (to_store, outcomes) = mpsc::sync_channel(OUTCOMES_MAX);
    let (to_fold, stored) = mpsc::channel();
    let bulk = thread::scope(|scope| {
        let storing = scope.spawn(move || store_all(&outcomes, &to_fold, bulk, waiting_max));
        let mut resolve = Today { places, count: 0 };
        let folded = fold_all(&mut fold, &inputs, reader, until, &mut resolve, &mut rebuilt, |fold| {
            stored.try_iter().for_each(|outcome| fold.reuse(outcome));
            let is_stored = to_store.send(fold.finish_sessions()).is_ok();
            tell(fold.position());
            is_stored
        });
        drop(to_store);
        let bulk = storing.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
        folded.map(|()| bulk)
    })?;
    rebuilt.position = fold.position();
    bulk.finish(fold.position(), fold.sightings(), &fold.save()?)?;
    File::open(to).and_then(|file| file.sync_all()).map_err(|error| ServiceError::io(to, error))?;
    Ok(rebuilt)
}

/// Folds all records and inputs. `store` takes what changed and tells whether it could.
fn fold_all(
    fold: &mut Fold,
    inputs: &Inputs,
    reader: &Reader,
    until: u64,
    resolve: &mut Today<'_>,
    rebuilt: &mut Rebuilt,
    mut store: impl FnMut(&mut Fold) -> bool,
) -> Result<(), ServiceError> {
    let mut feed = Feed::behind(fold.entry());
    let mut records = reader.records_behind(fold.position());
    let (mut few, mut stored_at) = (Vec::with_capacity(NEAR), fold.position());
    while read_some(&mut records, until, &mut few, rebuilt)? {
        let mut left = &few[..];
        while let [first, .., last] | [first @ last] = left {
            let taken = if feed.is_due(last.sequence, inputs)? {
                feed.before(first.sequence, inputs, fold, resolve)?;
                fold.take(first, resolve);
                1
            } else {
                fold.take_some(left, resolve)
            };
            left = &left[taken..];
            rebuilt.records += taken as u64;
            let is_due = fold.session_rows() >= OUTCOME_ROWS
                || fold.position() - stored_at >= OUTCOME_RECORDS
                || fold.must_be_stored();
            if is_due {
                stored_at = fold.position();
                if !store(fold) {
                    // The storing thread says why.
                    return Ok(());
                }
            }
        }
    }
    // Inputs at the last record itself took effect behind it.
    feed.before(until.saturating_add(1), inputs, fold, resolve)?;
    store(fold);
    rebuilt.resolved_anew = resolve.count;
    Ok(())
}

/// Reads the next few records; whether there are any.
fn read_some(
    records: &mut Records,
    until: u64,
    few: &mut Vec<Record>,
    rebuilt: &mut Rebuilt,
) -> Result<bool, ServiceError> {
    few.clear();
    while few.len() < NEAR {
        match records.next() {
            Some(Ok(record)) if record.sequence <= until => few.push(record),
            // What went behind `until` was never asked for.
            Some(Err(ReadError::Removed { first, .. })) if first > until => break,
            Some(Err(ReadError::Removed { first, last })) => {
                rebuilt.missed += records_missed(ReadError::Removed { first, last: last.min(until) })?;
            }
            Some(Err(error)) => rebuilt.missed += records_missed(error)?,
            Some(Ok(_)) | None => break,
        }
    }
    Ok(!few.is_empty())
}

/// Stores outcomes until there are no more.
fn store_all(
    outcomes: &mpsc::Receiver<Outcome>,
    stored: &mpsc::Sender<Outcome>,
    mut bulk: Bulk,
    waiting_max: usize,
) -> Result<Bulk, StoreError> {
    let mut pending = Pending::new(waiting_max);
    for mut outcome in outcomes {
        bulk.write_rest(&outcome)?;
        pending.take(&mut outcome, &mut bulk)?;
        // Nobody takes the last ones back.
        let _ = stored.send(outcome);
    }
    pending.write_all(&mut bulk)?;
    Ok(bulk)
}

/// The last record that the store of a service has, to rebuild up to the same.
///
/// # Errors
/// [`ServiceError`].
pub fn position_of(store: &Path) -> Result<u64, ServiceError> {
    Ok(StoreReader::open(store)?.position()?)
}
