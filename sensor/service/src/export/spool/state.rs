//! Segments, cursor and what is on its way, under the lock, and the side of who hands messages over. Nothing here waits
//! for a disk to sync.

use std::{
    collections::VecDeque,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use super::{
    Backlog, Kept, Limits,
    age::Clock,
    cursor::{self, Cursor, CursorFile},
    entry::{Draft, Entry, Origin},
    filter::Filter,
    room::Room,
    segment::{self, Marks, Place, Segment},
};
use crate::export::format::Kind;

/// Parts of the limits that one segment may have, and of all that waits: what falls out falls out in such parts, and what came
/// last is not in one file with all that came before.
const SEGMENTS: u64 = 8;
const SEGMENT_MAX: u64 = 16 << 20;
/// As small as a part of what waits gets.
const SEGMENT_MIN: u64 = 64 << 10;

/// A message that was taken and is not done with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flying {
    pub(super) sequence: u64,
    pub(super) kept_unix_ns: u64,
    /// It is in no file any more.
    pub(super) fell_out: bool,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) folder: PathBuf,
    limits: Limits,
    pub(super) room: Room,
    pub(super) segments: VecDeque<Segment>,
    /// The last segment, open for appending; none: the next message begins one.
    pub(super) tail: Option<File>,
    next: u64,
    pub(super) cursor_file: CursorFile,
    pub(super) cursor: Cursor,
    pub(super) filter: Filter,
    /// The clock as it was written last for its own sake.
    clock_written: Clock,
    /// The last origins that were handed over.
    pub(super) marks: Marks,
    /// The last message that the sink's thread has taken.
    pub(super) taken: u64,
    /// Messages up to this one may have arrived.
    pub(super) doubtful: u64,
    pub(super) flying: VecDeque<Flying>,
    /// Messages behind `taken`.
    pub(super) unread: u64,
    pub(super) unread_since: u64,
    pub(super) place: Option<Place>,
    /// Files whose octets may not be durable.
    pub(super) unsynced: Vec<File>,
}

impl State {
    pub(super) fn open(folder: &Path, limits: Limits) -> io::Result<State> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            // A rewriting that a crash interrupted.
            if path.extension().is_some_and(|suffix| suffix == "new") {
                fs::remove_file(path)?;
            }
        }
        let (cursor_file, cursor) = CursorFile::open(folder)?;
        let mut state = State {
            folder: folder.to_owned(),
            limits,
            room: Room::default(),
            segments: VecDeque::new(),
            tail: None,
            next: cursor.done.max(cursor.attempted) + 1,
            cursor_file,
            taken: cursor.done,
            doubtful: cursor.attempted,
            marks: cursor.marks,
            clock_written: cursor.clock,
            cursor,
            filter: Filter::open(folder)?,
            flying: VecDeque::new(),
            unread: 0,
            unread_since: 0,
            place: None,
            unsynced: Vec::new(),
        };
        let mut was_cut = false;
        for first in segment::listed(folder)? {
            // Damage took what is between the last whole message and the next segment.
            if let Some(before) = state.segments.back().filter(|_| was_cut) {
                state.cursor.lost += first.saturating_sub(before.last.max(state.cursor.done) + 1);
            }
            was_cut = state.open_segment(first)?;
        }
        let newest = state.segments.iter().map(|segment| segment.last_unix_ns).max();
        state.cursor.clock.resume(newest.unwrap_or_default());
        if let Some(last) = state.segments.back() {
            state.next = state.next.max(last.last + 1);
            let file = segment::open_to_append(&last.path(folder))?;
            // A kill leaves what was written to the system's care.
            state.unsynced.push(file.try_clone()?);
            state.tail = Some(file);
        }
        Ok(state)
    }

    /// Takes a segment up, without what is torn or damaged at its end; whether there was such.
    fn open_segment(&mut self, first: u64) -> io::Result<bool> {
        let mut found = Segment::new(first);
        let path = found.path(&self.folder);
        let (done, mut unread, mut oldest) = (self.cursor.done, 0, 0);
        let end = segment::scan(&path, |entry, octets| {
            found.note(&entry, octets);
            if entry.sequence > done {
                oldest = if unread == 0 { entry.kept_unix_ns } else { oldest };
                unread += 1;
            }
        })?;
        if found.count == 0 {
            fs::remove_file(path)?;
            return Ok(false);
        }
        let is_torn = fs::metadata(&path)?.len() > end;
        if is_torn {
            OpenOptions::new().write(true).open(&path)?.set_len(end)?;
        }
        if self.unread == 0 {
            self.unread_since = oldest;
        }
        self.unread += unread;
        segment::later(&mut self.marks, &found.marks);
        self.segments.push_back(found);
        Ok(is_torn)
    }

    pub(super) fn push(&mut self, draft: &Draft<'_>, now: u64) -> Kept {
        let mark = self.marks[draft.kind as usize];
        if draft.origin.is_some() && mark >= draft.origin {
            return Kept::Known;
        }
        let kept = self.append(draft, now);
        if draft.origin.is_some() {
            self.marks[draft.kind as usize] = draft.origin;
        }
        match kept {
            Some(()) => Kept::Waiting,
            None => {
                self.lose(1);
                Kept::Lost
            }
        }
    }

    fn append(&mut self, draft: &Draft<'_>, now: u64) -> Option<()> {
        let entry = Entry::of(draft, self.next, now);
        let octets = entry.octets()?;
        self.make_room(octets.len() as u64, now)?;
        self.roll(octets.len() as u64, now);
        if self.tail.is_none() {
            let fresh = Segment::new(self.next);
            let file = segment::open_to_append(&fresh.path(&self.folder)).ok()?;
            self.unsynced.extend(file.try_clone());
            self.unsynced.extend(File::open(&self.folder));
            self.tail = Some(file);
            self.segments.push_back(fresh);
        }
        let (file, last) = (self.tail.as_mut()?, self.segments.back_mut()?);
        if file.write_all(&octets).is_err() {
            // A part of it may be there. If that cannot be cut off, nothing may come behind it.
            if file.set_len(last.octets).is_err() || last.count == 0 {
                self.tail = None;
            }
            if last.count == 0
                && let Some(empty) = self.segments.pop_back()
            {
                let _ = fs::remove_file(empty.path(&self.folder));
            }
            return None;
        }
        last.note(&entry, octets.len());
        self.next += 1;
        if self.unread == 0 {
            self.unread_since = now;
        }
        self.unread += 1;
        Some(())
    }

    /// Lets the oldest fall out until so many octets fit, beside the cursor. None: they never do.
    fn make_room(&mut self, octets: u64, now: u64) -> Option<()> {
        self.expire(now);
        self.fit(octets + Segment::new(0).octets + cursor::OCTETS, now)
    }

    fn fit(&mut self, octets: u64, now: u64) -> Option<()> {
        if octets > self.octets_max(now) {
            return None;
        }
        // One after the other: what has gone may be enough for the disk.
        while self.octets() + octets > self.octets_max(now) {
            let before = self.octets();
            if !self.drop_oldest() {
                return None;
            }
            self.room.gain(before - self.octets());
        }
        Some(())
    }

    /// Octets that may wait now: by the limits and the disk's room.
    fn octets_max(&mut self, now: u64) -> u64 {
        self.room.octets_max(&self.folder, &self.limits, now)
    }

    /// Ends the last segment when it is large or old enough.
    fn roll(&mut self, octets: u64, now: u64) {
        let part = (self.octets() / SEGMENTS).clamp(SEGMENT_MIN, SEGMENT_MAX);
        let octets_max = (self.octets_max(now) / SEGMENTS).min(part);
        let Some(last) = self.segments.back() else { return };
        let age_max = self.age_max() / SEGMENTS;
        if last.octets + octets > octets_max || now.saturating_sub(last.first_unix_ns) > age_max {
            self.tail = None;
        }
    }

    fn octets(&self) -> u64 {
        self.segments.iter().map(|segment| segment.octets).sum()
    }

    fn age_max(&self) -> u64 {
        u64::try_from(self.limits.max_age.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Whether what was kept then is too old, as late as it was when that was looked for last.
    pub(super) fn is_old(&self, kept_unix_ns: u64) -> bool {
        self.cursor.clock.is_old(kept_unix_ns, self.age_max())
    }

    /// Lets segments fall out of which every message is too old, and those for which the disk has no room any more.
    pub(super) fn expire(&mut self, now: u64) {
        let age_max = self.age_max();
        self.cursor.clock.look(now, age_max);
        if self.cursor.clock.is_worth_writing(&self.clock_written, age_max) {
            self.clock_written = self.cursor.clock;
            // Should it not be written, messages may stay for a day longer behind a start.
            let _ = self.cursor_file.write(&mut self.cursor);
        }
        while self.segments.front().is_some_and(|oldest| self.is_old(oldest.last_unix_ns)) {
            if !self.drop_oldest() {
                return;
            }
        }
        let _ = self.fit(cursor::OCTETS, now);
    }

    /// Removes the oldest segment; what of it is not done with is lost. Whether one is removed.
    fn drop_oldest(&mut self) -> bool {
        let Some(oldest) = self.segments.front().copied() else { return false };
        let path = oldest.path(&self.folder);
        let mut lost = 0;
        if oldest.first > self.taken {
            lost = oldest.count;
        } else if oldest.last > self.cursor.done {
            let (taken, done, flying) = (self.taken, self.cursor.done, &mut self.flying);
            let scanned = segment::scan(&path, |entry, _| match entry.sequence {
                sequence if sequence > taken => lost += 1,
                sequence if sequence > done => {
                    let on_its_way = flying.iter_mut().filter(|flying| flying.sequence == sequence);
                    on_its_way.for_each(|flying| flying.fell_out = true);
                }
                _ => {}
            });
            if scanned.is_err() {
                lost = oldest.last.saturating_sub(taken);
            }
        }
        if fs::remove_file(&path).is_err_and(|error| error.kind() != io::ErrorKind::NotFound) {
            return false;
        }
        self.segments.pop_front();
        if self.segments.is_empty() {
            self.tail = None;
        }
        self.place = None;
        self.cursor.lost += lost;
        self.unread = self.unread.saturating_sub(lost);
        self.pass(oldest.last);
        segment::later(&mut self.cursor.marks, &oldest.marks);
        // Should it not be written, what fell out may be handed over again.
        let _ = self.cursor_file.write(&mut self.cursor);
        true
    }

    /// Everything up to this sequence needs no taking any more.
    pub(super) fn pass(&mut self, sequence: u64) {
        self.taken = self.taken.max(sequence);
        if self.flying.is_empty() {
            self.cursor.done = self.cursor.done.max(self.taken);
        }
    }

    pub(super) fn lose(&mut self, messages: u64) {
        if messages > 0 {
            self.cursor.lost += messages;
            // It has a place on the disk already, full or not.
            let _ = self.cursor_file.write(&mut self.cursor);
        }
    }

    pub(super) fn is_doubtful(&self, sequence: u64) -> bool {
        sequence <= self.doubtful
    }

    pub(super) fn is_wanted(&self, sequence: u64) -> bool {
        self.flying.iter().any(|flying| flying.sequence == sequence)
    }

    /// Somebody's message is not on its way any more.
    pub(super) fn drop_flying(&mut self, sequence: u64) {
        self.flying.retain(|flying| flying.sequence != sequence);
    }

    pub(super) fn has_unread(&self) -> bool {
        self.unread > 0
    }

    pub(super) fn mark(&self, kind: Kind) -> Option<Origin> {
        self.marks[kind as usize]
    }

    /// Keeps the marks of a segment that is going to be written anew.
    pub(super) fn keep_marks(&mut self, segment: &Segment) -> io::Result<()> {
        segment::later(&mut self.cursor.marks, &segment.marks);
        self.cursor_file.write(&mut self.cursor)?;
        self.cursor_file.handle()?.sync_data()
    }

    pub(super) fn backlog(&self) -> Backlog {
        let flying = self.flying.front().map(|flying| flying.kept_unix_ns);
        Backlog {
            waiting: self.unread + self.flying.len() as u64,
            lost: self.cursor.lost,
            oldest_unix_ns: flying.or((self.unread > 0).then_some(self.unread_since)),
            octets: self.octets(),
        }
    }
}
