//! The service: follows the journal, folds its records into sessions, places, profiles and sightings, keeps the outcome
//! in a store, and answers questions about it.
//!
//! Everything in the store comes from two inputs: the journal, and the input log ([`inputs`]) with what is not in the
//! journal (configuration, resolved places, the passing of time), each at the place in the journal at which it took
//! effect. [`rebuild`](mod@rebuild) makes the same store from them again.
//!
//! | file | what lives there |
//! |---|---|
//! | `live` | [`live::Live`]: the thread beside a running sensor. Calls all below it |
//! | `rebuild` | the store made again from the inputs |
//! | `fold/` | [`fold::Fold`]: the state in memory, and what each record changes. Touches no file |
//! | `inputs` | the input log |
//! | `store/` | [`store::Store`]: what is kept of it in SQLite, and how it is read |
//! | `control/` | tokens, audit log, requests to the running service: what no rebuild makes again |
//! | `api/` | the HTTP API over store, journal and `control` |
//! | `portal/` | the pages for people, and the listener of both |
//! | `backtest/` | past connections under today's thresholds |
//! | `forget/` | requests to forget a person, executed step by step |
//! | `event` | one decoded record as JSON |
//! | `record` | one record as it was written, as JSON |
//! | `observed/` | what the sensor tells of itself, now and during the last day |
//! | `alert/` | what people are told when a connection is abnormal |
//! | `health/` | what keeps the product from its work, told once |
//! | `export/` | what leaves the host for other eyes |
//! | `settings` | what an administrator sets: [`settings::Administer`], which the running sensor implements |
//! | `feed` | the input log read beside the journal |
//!
//! Called by the command line and by the running sensor; knows `insight`, `journal` and `policy`.
#![forbid(unsafe_code)]

pub mod alert;
pub mod api;
pub mod backtest;
pub mod control;
mod error;
pub mod event;
pub mod export;
mod feed;
pub mod fold;
pub mod forget;
pub mod health;
pub mod inputs;
pub mod live;
pub mod observed;
pub mod portal;
pub mod rebuild;
pub mod record;
pub mod settings;
pub mod store;

use std::{
    fs::{self, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use insight::geo::Places;
use sha2::{Digest as _, Sha256};

pub use error::ServiceError;
pub use policy::{ClientMeaning, Detecting, Exclusion, Meaning, MeaningError};

/// The service's folder below a state directory.
pub fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join("service")
}

/// Makes the service's folder, for its owner alone: it holds what people did.
fn make_folder(state_dir: &Path) -> Result<PathBuf, ServiceError> {
    let folder = folder(state_dir);
    let made = fs::DirBuilder::new().recursive(true).mode(0o750).create(&folder);
    made.map_err(|error| ServiceError::io(&folder, error))?;
    Ok(folder)
}

/// Of all databases and sites together: equal ones say the same of every address.
fn fingerprint(places: &Places) -> String {
    let mut hash = Sha256::new();
    for database in places.databases() {
        hash.update(database.fingerprint().to_be_bytes());
    }
    for site in places.sites().iter() {
        hash.update(format!("{site:?}\n"));
    }
    hash.finalize().iter().take(16).map(|octet| format!("{octet:02x}")).collect()
}

fn remove_if_there(path: &Path) -> Result<(), ServiceError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ServiceError::io(path, error)),
        _ => Ok(()),
    }
}

/// Puts a finished file in the place of another: after a crash one of them is there, whole.
fn replace_durably(new: &Path, old: &Path) -> Result<(), ServiceError> {
    let sync = |path: &Path| {
        File::open(path).and_then(|file| file.sync_all()).map_err(|error| ServiceError::io(path, error))
    };
    sync(new)?;
    fs::rename(new, old).map_err(|error| ServiceError::io(old, error))?;
    old.parent().map_or(Ok(()), sync)
}
