//! The sink's side of a spool: messages are taken, are going to be sent, have arrived or come back.

use std::{
    fs::{self, File},
    io,
};

use super::{
    entry::{Entry, Origin},
    segment::{self, Place, Segment},
    state::{Flying, State},
};
use crate::{alert::Severity, export::format::Kind};

/// Octets of messages taken at once.
const TAKEN_MAX: usize = 1 << 20;
/// The last segment is removed once all of it is done with and it has this size: what is sent does not lie around.
const REMOVE_OCTETS: u64 = 64 << 10;

impl State {
    pub(super) fn take(&mut self, messages_max: usize, now: u64) -> io::Result<Vec<Entry>> {
        self.expire(now);
        let (mut entries, mut octets) = (Vec::new(), 0);
        while entries.len() < messages_max && octets < TAKEN_MAX {
            match self.next_entry() {
                Ok(Some(entry)) if self.is_old(entry.kept_unix_ns) => {
                    self.cursor.lost += 1;
                    self.pass(entry.sequence);
                }
                Ok(Some(entry)) => {
                    let (sequence, kept_unix_ns) = (entry.sequence, entry.kept_unix_ns);
                    self.flying.push_back(Flying { sequence, kept_unix_ns, fell_out: false });
                    self.taken = sequence;
                    self.unread_since = kept_unix_ns;
                    octets += entry.body.len();
                    entries.push(entry);
                }
                Ok(None) => break,
                Err(error) if entries.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(entries)
    }

    /// The message behind `taken`, read and not counted as unread any more.
    fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        loop {
            let taken = self.taken;
            let Some(segment) = self.segments.iter().find(|segment| segment.last > taken).copied() else {
                // Whoever waits for more must not be told that there is some.
                self.unread = 0;
                return Ok(None);
            };
            let place = match &mut self.place {
                Some(place) if place.first == segment.first => place,
                other => other.insert(Place::open(&self.folder, &segment)?),
            };
            while let Some(entry) = place.next(segment.octets)? {
                if entry.sequence > taken {
                    self.unread = self.unread.saturating_sub(1);
                    return Ok(Some(entry));
                }
            }
            // Damaged since it was opened.
            let lost = (segment.last - taken).min(self.unread);
            self.unread -= lost;
            self.cursor.lost += lost;
            self.pass(segment.last);
        }
    }

    /// Notes that what is taken is going to be sent. Returns the files to sync before it is.
    pub(super) fn intend(&mut self) -> io::Result<Vec<File>> {
        if self.cursor.attempted >= self.taken {
            return Ok(Vec::new());
        }
        self.cursor.attempted = self.taken;
        self.cursor_file.write(&mut self.cursor)?;
        let mut files = std::mem::take(&mut self.unsynced);
        if let Some(tail) = &self.tail {
            self.unsynced.push(tail.try_clone()?);
        }
        files.push(self.cursor_file.handle()?);
        Ok(files)
    }

    /// The cursor to sync before segments are removed, if any are to be.
    pub(super) fn confirm(&mut self, sequence: u64) -> io::Result<Option<File>> {
        while self.flying.front().is_some_and(|flying| flying.sequence <= sequence) {
            self.flying.pop_front();
        }
        self.cursor.done = self.cursor.done.max(sequence);
        if self.flying.is_empty() {
            self.cursor.done = self.cursor.done.max(self.taken);
        }
        let goes = self.is_done_with(self.segments.front());
        let marks = &mut self.cursor.marks;
        let done = self.segments.iter().filter(|segment| segment.last <= self.cursor.done);
        done.for_each(|segment| segment::later(marks, &segment.marks));
        self.cursor_file.write(&mut self.cursor)?;
        if goes { self.cursor_file.handle().map(Some) } else { Ok(None) }
    }

    fn is_done_with(&self, segment: Option<&Segment>) -> bool {
        segment.is_some_and(|segment| {
            let is_tail = self.tail.is_some() && self.segments.len() == 1;
            segment.last <= self.cursor.done && (!is_tail || segment.octets >= REMOVE_OCTETS)
        })
    }

    pub(super) fn purge(&mut self) -> io::Result<()> {
        while let Some(oldest) =
            self.segments.front().copied().filter(|oldest| self.is_done_with(Some(oldest)))
        {
            fs::remove_file(oldest.path(&self.folder))?;
            self.segments.pop_front();
            if self.segments.is_empty() {
                self.tail = None;
                self.unsynced.clear();
            }
        }
        Ok(())
    }

    pub(super) fn give_back(&mut self, handed: u64) -> io::Result<()> {
        for flying in std::mem::take(&mut self.flying) {
            if self.unread == 0 || flying.kept_unix_ns < self.unread_since {
                self.unread_since = flying.kept_unix_ns;
            }
            match flying.fell_out {
                true => self.cursor.lost += 1,
                false => self.unread += 1,
            }
        }
        self.place = None;
        self.taken = self.cursor.done;
        self.doubtful = self.doubtful.max(handed);
        // What certainly did not leave is not doubtful behind the next start either.
        self.cursor.attempted = self.doubtful.max(self.cursor.done);
        self.cursor_file.write(&mut self.cursor)
    }

    pub(super) fn pass_over(&mut self, kind: Kind, origin: Origin) {
        let mark = &mut self.marks[kind as usize];
        *mark = (*mark).max(Some(origin));
    }

    pub(super) fn begin(&mut self, kind: Kind, origin: Origin) -> io::Result<()> {
        if self.marks[kind as usize].is_some() {
            return Ok(());
        }
        self.marks[kind as usize] = Some(origin);
        // Of the other sorts the cursor must not have what the segments do not have durably.
        self.cursor.marks[kind as usize] = Some(origin);
        self.cursor_file.write(&mut self.cursor)?;
        self.cursor_file.handle()?.sync_data()
    }

    pub(super) fn filter_alerts(&mut self, origin: Origin, least: Option<Severity>) -> io::Result<()> {
        let behind = match (self.filter.now(), self.marks[Kind::Alert as usize]) {
            (Some(now), _) if now == least => return Ok(()),
            (Some(None), Some(mark)) if mark < origin => {
                self.marks[Kind::Alert as usize] = None;
                origin.position
            }
            (Some(_), Some(mark)) => mark.position,
            // Releases of before did not note it: as far as is known, it always was as it is.
            (None, Some(_)) => 0,
            (_, None) => origin.position,
        };
        self.begin(Kind::Alert, origin)?;
        self.filter.change(&self.folder, behind, least)
    }

    pub(super) fn close(&mut self) -> io::Result<()> {
        for file in std::mem::take(&mut self.unsynced).iter().chain(&self.tail) {
            file.sync_data()?;
        }
        self.cursor.marks = self.marks;
        self.cursor_file.write(&mut self.cursor)?;
        self.cursor_file.handle()?.sync_data()
    }
}
