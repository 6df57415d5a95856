//! The store made again from the fold's inputs: from the base, if there is one, and everything in the journal and the
//! input log behind it. Nothing is decided anew and nothing is sent.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use insight::geo::Places;
use journal::Reader;

use crate::{
    Meaning, ServiceError,
    error::records_missed,
    feed::Feed,
    fold::{Fold, Resolve, Resolved},
    inputs::Inputs,
    store::{Store, StoreReader},
};

/// Name of the copy of the store in the service's folder that a rebuild begins with.
pub const BASE_FILE: &str = "base.sqlite";

/// Rows of an outcome at which it is stored. Sessions that begin and end within one are written once: the larger, the
/// less is written. Five times what the live service gathers: nobody waits for it here.
const OUTCOME_ROWS: usize = 100_000;
/// Records between two calls of `tell`.
const TELL_RECORDS: u64 = 8192;

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

/// Makes the store again, in the new file `to`, up to the record `until`. `tell` hears the sequence of a record now and
/// then. Reads beside a running service.
///
/// # Errors
/// [`ServiceError`]; `to` is there already.
pub fn rebuild(
    folder: &Path,
    reader: &Reader,
    to: &Path,
    until: u64,
    places: &Places,
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
    let mut store = Store::open(to)?;
    store.make_in_bulk()?;
    let mut fold = match store.checkpoint()? {
        Some(octets) => Fold::load(&octets)?,
        None => Fold::new(Meaning::default())?,
    };
    let mut rebuilt = Rebuilt { base: fold.position(), ..Rebuilt::default() };
    let mut resolve = Today { places, count: 0 };
    let mut feed = Feed::behind(fold.entry());
    for record in reader.records_from(fold.position() + 1) {
        let record = match record {
            Ok(record) if record.sequence > until => break,
            Ok(record) => record,
            Err(error) => {
                rebuilt.missed += records_missed(error)?;
                continue;
            }
        };
        feed.before(record.sequence, &inputs, &mut fold, &mut resolve)?;
        fold.take(&record, &mut resolve);
        rebuilt.records += 1;
        if rebuilt.records.is_multiple_of(TELL_RECORDS) {
            tell(record.sequence);
        }
        if fold.rows() >= OUTCOME_ROWS || fold.must_be_stored() {
            let outcome = fold.finish();
            store.write(&outcome, None)?;
            fold.reuse(outcome);
        }
    }
    // Inputs at the last record itself took effect behind it.
    feed.before(until.saturating_add(1), &inputs, &mut fold, &mut resolve)?;
    let outcome = fold.finish();
    store.write(&outcome, Some(&fold.save()?))?;
    (rebuilt.position, rebuilt.resolved_anew) = (fold.position(), resolve.count);
    Ok(rebuilt)
}

/// The last record that the store of a service has, to rebuild up to the same.
///
/// # Errors
/// [`ServiceError`].
pub fn position_of(store: &Path) -> Result<u64, ServiceError> {
    Ok(StoreReader::open(store)?.position()?)
}
