//! Messages of a person taken out: segments are written anew without them.

use std::{fs, io, path::Path};

use super::{
    entry::Entry,
    segment::{self, Segment},
    state::State,
};
use crate::{export::format, forget::Person};

impl State {
    /// Takes all messages of a person out, and all that are done with. Returns how many of the person's waited.
    pub(super) fn forget(&mut self, person: &Person) -> io::Result<u64> {
        let mut forgotten = 0;
        self.place = None;
        let mut waiting = std::mem::take(&mut self.segments).into_iter();
        let mut outcome = Ok(());
        for segment in waiting.by_ref() {
            match self.forget_in(segment, person, &mut forgotten) {
                Ok(left) => self.segments.extend(left),
                Err(error) => {
                    self.segments.extend(reread(&self.folder, segment));
                    outcome = Err(error);
                    break;
                }
            }
        }
        self.segments.extend(waiting);
        // The last file may be another now.
        self.tail = None;
        outcome.map(|()| forgotten)
    }

    fn forget_in(
        &mut self,
        segment: Segment,
        person: &Person,
        forgotten: &mut u64,
    ) -> io::Result<Option<Segment>> {
        let path = segment.path(&self.folder);
        let (mut kept, mut of_person) = (Vec::new(), Vec::new());
        let done = self.cursor.done;
        segment::scan(&path, |entry, _| match is_of(&entry, person) {
            _ if entry.sequence <= done => {}
            true => of_person.push(entry.sequence),
            false => kept.push(entry),
        })?;
        if kept.len() as u64 == segment.count {
            return Ok(Some(segment));
        }
        self.keep_marks(&segment)?;
        let mut left = Segment::new(segment.first);
        for entry in &kept {
            left.note(entry, entry.octets().map_or(0, |octets| octets.len()));
        }
        if kept.is_empty() {
            fs::remove_file(&path)?;
        } else {
            segment::rewrite(&path, &kept)?;
        }
        for sequence in of_person {
            *forgotten += 1;
            if sequence > self.taken {
                self.unread = self.unread.saturating_sub(1);
            }
            self.drop_flying(sequence);
        }
        Ok((!kept.is_empty()).then_some(left))
    }
}

/// What is there after writing a segment anew failed: the old one or the new one.
fn reread(folder: &Path, segment: Segment) -> Option<Segment> {
    let mut found = Segment::new(segment.first);
    match segment::scan(&segment.path(folder), |entry, octets| found.note(&entry, octets)) {
        Ok(_) => (found.count > 0).then_some(found),
        Err(_) => Some(segment),
    }
}

/// Whether a message is of the person, or names the person.
fn is_of(entry: &Entry, person: &Person) -> bool {
    entry.persons.iter().any(|name| name == person.key() || person.is_in(name))
        || format::texts(entry.format, &entry.body).iter().any(|text| person.is_in(text))
}
