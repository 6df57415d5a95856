//! One segment: a file of messages, only ever appended to.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::entry::{Entry, HEAD, MESSAGE_MAX, Origin};

const MAGIC: [u8; 8] = *b"vpnspl1\n";
const SUFFIX: &str = "spool";

/// What is known of a segment without reading it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    /// By what it is named: no message in it has a smaller sequence.
    pub(super) first: u64,
    /// Sequence of its last message.
    pub(super) last: u64,
    /// Messages.
    pub(super) count: u64,
    /// Octets of its file up to the end of the last message.
    pub(super) octets: u64,
    /// When its first message was kept, ns since 1970 UTC.
    pub(super) first_unix_ns: u64,
    /// And its last.
    pub(super) last_unix_ns: u64,
    /// The last origin in it, by sort.
    pub(super) marks: Marks,
}

/// The last origin by sort.
pub(super) type Marks = [Option<Origin>; 3];

/// The later of each sort.
pub(super) fn later(marks: &mut Marks, others: &Marks) {
    for (mark, other) in marks.iter_mut().zip(others) {
        *mark = (*mark).max(*other);
    }
}

impl Segment {
    pub(super) fn new(first: u64) -> Segment {
        Segment {
            first,
            last: first.saturating_sub(1),
            count: 0,
            octets: MAGIC.len() as u64,
            first_unix_ns: 0,
            last_unix_ns: 0,
            marks: [None; 3],
        }
    }

    pub(super) fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{:020}.{SUFFIX}", self.first))
    }

    /// Counts a message that is in it.
    pub(super) fn note(&mut self, entry: &Entry, octets: usize) {
        if self.count == 0 {
            self.first_unix_ns = entry.kept_unix_ns;
        }
        self.count += 1;
        self.last = entry.sequence;
        self.octets += octets as u64;
        self.last_unix_ns = entry.kept_unix_ns;
        let mark = &mut self.marks[entry.kind as usize];
        *mark = (*mark).max(entry.origin);
    }
}

/// The segments of a folder by the sequences in their names, in order.
pub(super) fn listed(folder: &Path) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|suffix| suffix == SUFFIX) {
            let name = path.file_stem().and_then(|name| name.to_str());
            found.extend(name.and_then(|name| name.parse::<u64>().ok()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Opens a segment's file for appending, and makes it if there is none.
pub(super) fn open_to_append(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    // A full disk may have taken a part of it.
    if file.metadata()?.len() < MAGIC.len() as u64 {
        file.set_len(0)
            .or_else(|error| if error.kind() == io::ErrorKind::InvalidInput { Ok(()) } else { Err(error) })?;
        file.write_all(&MAGIC)?;
    }
    Ok(file)
}

/// Reads a segment from its beginning and calls `each` with every message and its octets. Returns the octets up to the
/// end of the last whole message; what follows is torn or damaged.
pub(super) fn scan(path: &Path, mut each: impl FnMut(Entry, usize)) -> io::Result<u64> {
    let octets = fs::read(path)?;
    if !octets.starts_with(&MAGIC) {
        return Ok(0);
    }
    let mut at = MAGIC.len();
    while let Some((entry, length)) = Entry::read(&octets[at..]) {
        each(entry, length);
        at += length;
    }
    Ok(at as u64)
}

/// Writes a segment anew with these messages, in the place of what was there: after a crash one of the two is there.
pub(super) fn rewrite(path: &Path, entries: &[Entry]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut octets = MAGIC.to_vec();
    entries.iter().filter_map(Entry::octets).for_each(|entry| octets.extend(entry));
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(&octets)?;
    drop(file);
    crate::replace_durably(&fresh, path).map_err(io::Error::other)
}

/// A place in a segment that is being read.
#[derive(Debug)]
pub(super) struct Place {
    /// The segment's name.
    pub(super) first: u64,
    file: File,
    at: u64,
}

impl Place {
    pub(super) fn open(folder: &Path, segment: &Segment) -> io::Result<Place> {
        let file = File::open(segment.path(folder))?;
        Ok(Place { first: segment.first, file, at: MAGIC.len() as u64 })
    }

    /// The next message before `end`. None where there is none, or no whole one.
    pub(super) fn next(&mut self, end: u64) -> io::Result<Option<Entry>> {
        if self.at + HEAD as u64 > end {
            return Ok(None);
        }
        let mut head = [0; HEAD];
        self.file.read_exact_at(&mut head, self.at)?;
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if length > MESSAGE_MAX || self.at + (HEAD + length) as u64 > end {
            return Ok(None);
        }
        let mut octets = vec![0; HEAD + length];
        self.file.read_exact_at(&mut octets, self.at)?;
        let Some((entry, length)) = Entry::read(&octets) else { return Ok(None) };
        self.at += length as u64;
        Ok(Some(entry))
    }
}
