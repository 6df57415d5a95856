//! A person goes out of all that the service keeps, step by step. Each can be taken again: after a crash anywhere all of
//! them are, and those that were done find nothing to do.

use std::{
    fs,
    path::{Path, PathBuf},
};

use insight::vpn::Decoder;
use journal::{ReadError, Redact, RedactError, Redactor, codec::RecordView};

use super::Live;
use crate::{
    Meaning, ServiceError, control,
    event::received,
    fold::Fold,
    forget::Person,
    inputs,
    rebuild::BASE_FILE,
    store::{self, Store},
};

/// Records between two looks whether to go on.
const LOOK_RECORDS: u64 = 1024;
/// Names at which equal ones are sought out: a person may have millions of records.
const WRITTEN_MAX: usize = 4096;

/// What goes out of the journal.
struct Records<'a> {
    person: &'a Person,
    decoder: &'a Decoder,
    goes_on: &'a dyn Fn() -> bool,
}

impl Redact for Records<'_> {
    fn takes_record(&mut self, record: &RecordView<'_>) -> bool {
        self.person.has_record(self.decoder, record)
    }

    fn takes_octets(&mut self, octets: &[u8]) -> bool {
        self.person.is_near(octets)
    }

    fn goes_on(&mut self) -> bool {
        (self.goes_on)()
    }
}

impl Live {
    /// Finds all ways in which the person's name was written, in the store and in the journal.
    ///
    /// # Errors
    /// [`ServiceError`]; [`RedactError::Stopped`] if it is not to go on.
    pub(crate) fn learn(
        &mut self,
        person: &mut Person,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<(), ServiceError> {
        let mut written = self.store.written(person.key())?;
        let decoder = self.decoder()?;
        for record in self.reader.records_from(1) {
            let record = match record {
                Ok(record) => record,
                Err(ReadError::Damaged(_) | ReadError::Removed { .. }) => continue,
                Err(error) => return Err(ServiceError::Journal(error)),
            };
            if record.sequence.is_multiple_of(LOOK_RECORDS) && !goes_on() {
                return Err(RedactError::Stopped.into());
            }
            if record.redacted {
                continue;
            }
            let event = decoder.decode(&received(&record)).ok();
            let user = event.and_then(|event| event.user).filter(|user| user.key == person.key());
            written.extend(user.map(|user| user.original.into_owned()));
            if written.len() > WRITTEN_MAX {
                written.sort_unstable();
                written.dedup();
                person.learn(written.drain(..));
            }
        }
        person.learn(written);
        Ok(())
    }

    /// Takes the person out of the journal; the number of records.
    ///
    /// # Errors
    /// [`ServiceError::Redact`].
    pub(crate) fn redact(
        &mut self,
        person: &Person,
        redactor: &Redactor,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<u64, ServiceError> {
        // What was counted of records that are about to go is in the store, and must be in the state that a start goes on
        // from: taken again, they would count nothing.
        self.write_checkpoint()?;
        let decoder = self.decoder()?;
        let redacted = redactor.run(&mut Records { person, decoder: &decoder, goes_on });
        // The reader may be within a file that is no more, and hold what was in it.
        self.records = self.reader.records_behind(self.fold.position());
        self.ahead.clear();
        self.behind = None;
        Ok(redacted?.records)
    }

    /// Takes the person out of the state, the store, its copies and the input log; a rebuild begins behind it. The number
    /// of sessions that went.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub(crate) fn take_out(&mut self, person: &Person) -> Result<u64, ServiceError> {
        // The store has what the state has: what goes is found there.
        self.write_checkpoint()?;
        let sessions = forget_in(&mut self.store, &mut self.fold, person)?;
        self.make_base()?;
        self.store.clean()?;
        self.clean_copies(person)?;
        self.standing.forgotten += 1;
        Ok(sessions)
    }

    /// Copies of the store: what a rebuild put aside, or wrote here. What one left unfinished goes.
    fn clean_copies(&self, person: &Person) -> Result<(), ServiceError> {
        let in_use = [store::FILE, BASE_FILE, inputs::FILE, control::FILE];
        // Closing a file that SQLite has open beside us would give up its locks: POSIX locks are the process's.
        let is_beside_one = |name: &str| ["-wal", "-shm", "-journal"].iter().any(|end| name.ends_with(end));
        for folder in [Some(&*self.folder), self.folder.parent()].into_iter().flatten() {
            for path in files(folder)? {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if ["store.new", "base.new"].iter().any(|unfinished| name.starts_with(unfinished)) {
                    crate::remove_if_there(&path)?;
                } else if !in_use.contains(&&*name) && !is_beside_one(&name) && Store::is_at(&path) {
                    clean_copy(&path, person).map_err(|reason| ServiceError::Copy {
                        path: path.clone(),
                        reason: reason.to_string(),
                    })?;
                }
            }
            fs::File::open(folder)
                .and_then(|f| f.sync_all())
                .map_err(|error| ServiceError::io(folder, error))?;
        }
        Ok(())
    }

    fn decoder(&self) -> Result<Decoder, ServiceError> {
        Ok(Decoder::new(self.fold.meaning().decoding()?))
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, ServiceError> {
    let flawed = |error| ServiceError::io(folder, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(flawed)? {
        let entry = entry.map_err(flawed)?;
        if entry.file_type().map_err(flawed)?.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

fn clean_copy(path: &Path, person: &Person) -> Result<(), ServiceError> {
    let mut store = Store::open(path)?;
    let mut fold = match store.checkpoint()? {
        Some(octets) => Fold::load(&octets)?,
        None => Fold::new(Meaning::default())?,
    };
    forget_in(&mut store, &mut fold, person)?;
    Ok(store.clean()?)
}

/// Takes the person out of a store and the state that belongs to it; the number of sessions that went.
fn forget_in(store: &mut Store, fold: &mut Fold, person: &Person) -> Result<u64, ServiceError> {
    let going = store.of_person(person)?;
    fold.forget(person, going.seen.iter().map(|(sort, name)| (*sort, &**name)));
    store.forget(&going, &fold.save()?)?;
    Ok(going.sessions.len() as u64)
}
