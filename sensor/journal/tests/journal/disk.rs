//! A simulated disk with a page cache: what was not synced is lost, torn at sectors and reordered by a power cut,
//! file names included; syncs fail the way Linux lets them fail; any one kind of sync can be left out.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use journal::{Entry, Space, Storage};

const SECTOR: usize = 512;

/// The syncs that the journal makes, each by its purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SyncKind {
    /// A batch in a segment that has been synced before.
    Batch,
    /// A new segment's first sync.
    NewSegment,
    /// The directory, for a new segment.
    NewSegmentName,
    /// The segment that recovery writes.
    Recovery,
    /// The directory, for its name.
    RecoveryName,
    /// A cursor or a quarantined region.
    Replacement,
    /// The directory, for its name.
    ReplacementName,
    /// The directory, after retention removed a segment.
    Removal,
    /// The directory, with nothing of note to make durable.
    Nothing,
}

/// What a power cut leaves of what was not synced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    Nothing,
    Everything,
    /// Each sector and each name on its own, by this seed.
    Some(u64),
}

#[derive(Clone, Default)]
struct File {
    cache: Vec<u8>,
    durable: Vec<u8>,
    dirty: BTreeSet<usize>,
    synced: bool,
}

#[derive(Clone, Debug)]
enum NameChange {
    Set(String, usize),
    Rename(String, String),
    Remove(String),
}

#[derive(Clone, Default)]
pub(crate) struct Inner {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    changes: Vec<NameChange>,
    locked: bool,
    off: bool,
    random: u64,
    /// Operations that change something, so far.
    pub(crate) operations: u64,
    /// The power goes at this one.
    pub(crate) cut_at: Option<u64>,
    /// Syncs and writes in this range of operations fail.
    pub(crate) fail: std::ops::Range<u64>,
    pub(crate) fail_with: Option<io::ErrorKind>,
    pub(crate) ignore: Option<SyncKind>,
    /// How often that was ignored.
    pub(crate) ignored: u64,
    /// The operations that wrote batches.
    pub(crate) writes: Vec<u64>,
    pub(crate) capacity: Option<u64>,
    pub(crate) read_only: bool,
    /// How long each read takes.
    pub(crate) read_time: Duration,
}

#[derive(Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Inner>>);

impl Disk {
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.0.lock().unwrap())
    }

    /// The process is killed: the page cache stays.
    pub(crate) fn kill(&self) -> Disk {
        let mut inner = self.with(|inner| inner.clone());
        inner.locked = false;
        inner.off = false;
        inner.operations = 0;
        inner.cut_at = None;
        inner.fail = 0..0;
        Disk(Arc::new(Mutex::new(inner)))
    }

    /// The power is cut: what was not synced is left as `cut` says.
    pub(crate) fn power_cut(&self, cut: Cut) -> Disk {
        let disk = self.kill();
        disk.with(|inner| {
            inner.random = match cut {
                Cut::Some(seed) => seed,
                _ => 0,
            };
            let keep = |inner_random: &mut u64| match cut {
                Cut::Nothing => false,
                Cut::Everything => true,
                Cut::Some(_) => random(inner_random) & 1 == 1,
            };
            let mut seed = inner.random;
            for file in &mut inner.files {
                let dirty = std::mem::take(&mut file.dirty);
                // The length may be durable without the octets: zeros.
                if keep(&mut seed) {
                    let length = file.cache.len().max(file.durable.len());
                    file.durable.resize(length, 0);
                }
                for sector in dirty {
                    if keep(&mut seed) {
                        file.persist(sector);
                    }
                }
                file.cache = file.durable.clone();
            }
            for change in std::mem::take(&mut inner.changes) {
                if keep(&mut seed) {
                    apply(&mut inner.durable_names, &change);
                }
            }
            inner.names = inner.durable_names.clone();
        });
        disk
    }

    /// A copy of a file's octets.
    pub(crate) fn octets(&self, name: &str) -> Vec<u8> {
        self.with(|inner| inner.files[inner.names[name]].cache.clone())
    }

    /// Puts a file there, durable.
    pub(crate) fn put(&self, name: &str, octets: Vec<u8>) {
        self.with(|inner| {
            inner.files.push(File { cache: octets.clone(), durable: octets, ..File::default() });
            let file = inner.files.len() - 1;
            inner.names.insert(name.into(), file);
            inner.durable_names.insert(name.into(), file);
        });
    }

    /// A disk with the same files, all durable, of their own.
    pub(crate) fn copy(&self) -> Disk {
        let copy = Disk::default();
        for entry in self.list().unwrap() {
            copy.put(&entry.name, self.octets(&entry.name));
        }
        copy
    }

    /// Names of the segments, oldest first.
    pub(crate) fn segments(&self) -> Vec<String> {
        let names = self.list().unwrap().into_iter().map(|e| e.name);
        names.filter(|name| name.ends_with(".segment")).collect()
    }
}

impl File {
    fn persist(&mut self, sector: usize) {
        let start = sector * SECTOR;
        let end = (start + SECTOR).min(self.cache.len());
        if self.durable.len() < end {
            self.durable.resize(end, 0);
        }
        self.durable[start..end].copy_from_slice(&self.cache[start..end]);
    }
}

fn apply(names: &mut BTreeMap<String, usize>, change: &NameChange) {
    match change {
        NameChange::Set(name, file) => {
            names.insert(name.clone(), *file);
        }
        NameChange::Rename(from, to) => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
        NameChange::Remove(name) => {
            names.remove(name);
        }
    }
}

fn random(state: &mut u64) -> u64 {
    // splitmix64
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) >> 7
}

impl Inner {
    /// Counts an operation that changes something. `Ok(true)`: it happens in memory, and then the power goes.
    fn operation(&mut self) -> io::Result<bool> {
        if self.off {
            return Err(io::Error::other("the power is off"));
        }
        let number = self.operations;
        self.operations += 1;
        if self.cut_at == Some(number) {
            self.off = true;
            return Ok(true);
        }
        if self.read_only {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        Ok(false)
    }

    /// This operation, just counted, is to fail.
    fn fails(&self) -> Option<io::Error> {
        let here = self.fail.contains(&(self.operations - 1));
        here.then(|| self.fail_with.map_or_else(|| io::Error::other("injected"), io::Error::from))
    }

    fn ends(&self, off: bool) -> io::Result<()> {
        if off { Err(io::Error::other("the power went")) } else { Ok(()) }
    }

    fn ignores(&mut self, kind: SyncKind) -> bool {
        let ignores = self.ignore == Some(kind);
        self.ignored += u64::from(ignores);
        ignores
    }
}

impl Storage for Disk {
    type File = usize;

    fn location(&self) -> String {
        "the simulated disk".into()
    }

    fn lock(&self) -> io::Result<bool> {
        self.with(|inner| Ok(!std::mem::replace(&mut inner.locked, true)))
    }

    fn is_locked(&self) -> io::Result<bool> {
        self.with(|inner| Ok(inner.locked))
    }

    fn list(&self) -> io::Result<Vec<Entry>> {
        self.with(|inner| {
            let entry = |(name, file): (&String, &usize)| Entry {
                name: name.clone(),
                bytes: inner.files[*file].cache.len() as u64,
            };
            Ok(inner.names.iter().map(entry).collect())
        })
    }

    fn create(&self, name: &str) -> io::Result<usize> {
        self.with(|inner| {
            let off = inner.operation()?;
            if inner.names.contains_key(name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            inner.files.push(File::default());
            let file = inner.files.len() - 1;
            inner.names.insert(name.into(), file);
            inner.changes.push(NameChange::Set(name.into(), file));
            inner.ends(off)?;
            Ok(file)
        })
    }

    fn open(&self, name: &str) -> io::Result<usize> {
        self.with(|inner| inner.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into()))
    }

    fn size(&self, file: &usize) -> io::Result<u64> {
        self.with(|inner| Ok(inner.files[*file].cache.len() as u64))
    }

    fn read_at(&self, file: &usize, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::thread::sleep(self.with(|inner| inner.read_time));
        self.with(|inner| {
            let cache = &inner.files[*file].cache;
            let rest = cache.get(offset as usize..).unwrap_or_default();
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            Ok(length)
        })
    }

    fn write_at(&self, file: &usize, offset: u64, parts: &[IoSlice<'_>]) -> io::Result<()> {
        self.with(|inner| {
            let off = inner.operation()?;
            if parts.iter().map(|part| part.len()).sum::<usize>() > SECTOR {
                let number = inner.operations - 1;
                inner.writes.push(number);
            }
            let mut octets = parts.iter().map(|part| &**part).collect::<Vec<_>>().concat();
            let used: usize = inner.names.values().map(|f| inner.files[*f].cache.len()).sum();
            let room = inner.capacity.map_or(usize::MAX, |c| (c as usize).saturating_sub(used));
            let mut error = inner.fails();
            if error.is_some() {
                octets.truncate(octets.len() / 2);
            } else if octets.len() > room {
                octets.truncate(room);
                error = Some(io::ErrorKind::StorageFull.into());
            }
            let file = &mut inner.files[*file];
            let (start, end) = (offset as usize, offset as usize + octets.len());
            if file.cache.len() < end {
                file.cache.resize(end, 0);
            }
            file.cache[start..end].copy_from_slice(&octets);
            file.dirty.extend(start / SECTOR..end.div_ceil(SECTOR));
            error.map_or_else(|| inner.ends(off), Err)
        })
    }

    fn sync(&self, file: &usize) -> io::Result<()> {
        self.with(|inner| {
            let off = inner.operation()?;
            inner.ends(off)?;
            let name = inner.names.iter().find(|(_, f)| *f == file).map_or("", |(name, _)| name);
            let kind = match name.rsplit('.').next() {
                Some("recovering") => SyncKind::Recovery,
                Some("new") => SyncKind::Replacement,
                _ if inner.files[*file].synced => SyncKind::Batch,
                _ => SyncKind::NewSegment,
            };
            let mut seed = inner.operations;
            let error = inner.fails();
            if error.is_none() && inner.ignores(kind) {
                inner.files[*file].synced = true;
                return Ok(());
            }
            let file = &mut inner.files[*file];
            file.synced = true;
            for sector in std::mem::take(&mut file.dirty) {
                // After a failed sync some pages are on the disk and all are marked clean: the next one lies.
                if error.is_none() || random(&mut seed) & 1 == 1 {
                    file.persist(sector);
                }
            }
            error.map_or(Ok(()), Err)
        })
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.with(|inner| {
            let off = inner.operation()?;
            inner.ends(off)?;
            let segment = |name: &str| name.ends_with(".segment");
            let kind = inner.changes.iter().rev().find_map(|change| match change {
                NameChange::Rename(_, to) if segment(to) => Some(SyncKind::RecoveryName),
                NameChange::Rename(..) => Some(SyncKind::ReplacementName),
                NameChange::Set(name, _) if segment(name) => Some(SyncKind::NewSegmentName),
                NameChange::Remove(name) if segment(name) => Some(SyncKind::Removal),
                _ => None,
            });
            if let Some(error) = inner.fails() {
                return Err(error);
            }
            if !inner.ignores(kind.unwrap_or(SyncKind::Nothing)) {
                for change in std::mem::take(&mut inner.changes) {
                    apply(&mut inner.durable_names, &change);
                }
            }
            Ok(())
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.with(|inner| {
            let off = inner.operation()?;
            let change = NameChange::Rename(from.into(), to.into());
            apply(&mut inner.names, &change);
            inner.changes.push(change);
            inner.ends(off)
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.with(|inner| {
            if !inner.names.contains_key(name) {
                return Err(io::ErrorKind::NotFound.into());
            }
            let off = inner.operation()?;
            let change = NameChange::Remove(name.into());
            apply(&mut inner.names, &change);
            inner.changes.push(change);
            inner.ends(off)
        })
    }

    fn space(&self) -> io::Result<Space> {
        self.with(|inner| {
            let used: u64 = inner.names.values().map(|f| inner.files[*f].cache.len() as u64).sum();
            let total_bytes = inner.capacity.unwrap_or(1 << 40);
            Ok(Space { free_bytes: total_bytes.saturating_sub(used), total_bytes })
        })
    }
}
