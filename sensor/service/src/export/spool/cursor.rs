//! How far a sink is, in two slots of one small file that are written by turns: a torn write leaves the other. The slots
//! are there from the beginning, so that a full disk does not keep the cursor from moving.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::{age::Clock, segment::Marks};

const FILE: &str = "cursor";
/// Octets of a slot: a sector, so that one write does not tear the other slot.
const SLOT: usize = 512;
/// Of the file, always.
pub(super) const OCTETS: u64 = 2 * SLOT as u64;

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// Counts the writes.
    generation: u64,
    /// All messages up to this sequence are done with.
    pub(super) done: u64,
    /// None behind this one was ever handed to the peer.
    pub(super) attempted: u64,
    /// Messages that fell out.
    pub(super) lost: u64,
    /// The last origins in segments that are removed.
    pub(super) marks: Marks,
    /// What was seen of the clock by which messages grow old.
    pub(super) clock: Clock,
}

/// As earlier releases wrote it.
#[derive(Deserialize)]
struct WithoutClock {
    generation: u64,
    done: u64,
    attempted: u64,
    lost: u64,
    marks: Marks,
}

impl From<WithoutClock> for Cursor {
    fn from(before: WithoutClock) -> Cursor {
        let WithoutClock { generation, done, attempted, lost, marks } = before;
        Cursor { generation, done, attempted, lost, marks, clock: Clock::default() }
    }
}

/// Its file.
#[derive(Debug)]
pub(super) struct CursorFile {
    file: File,
}

impl CursorFile {
    /// Opens it in a folder and reads what it holds; makes it if there is none.
    pub(super) fn open(folder: &Path) -> io::Result<(CursorFile, Cursor)> {
        let path = folder.join(FILE);
        let file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)?;
        if file.metadata()?.len() < OCTETS {
            file.write_all_at(&[0; 2 * SLOT], 0)?;
            file.sync_all()?;
        }
        let mut octets = [0; 2 * SLOT];
        file.read_exact_at(&mut octets, 0)?;
        let slots = octets.as_chunks::<SLOT>().0.iter().filter_map(read);
        let cursor = slots.max_by_key(|cursor| cursor.generation).unwrap_or_default();
        Ok((CursorFile { file }, cursor))
    }

    /// Writes it; a crash of this process keeps it, loss of power may not.
    pub(super) fn write(&self, cursor: &mut Cursor) -> io::Result<()> {
        cursor.generation += 1;
        let payload = postcard::to_stdvec(cursor).map_err(io::Error::other)?;
        let mut slot = [0; SLOT];
        // Nine numbers of ten octets at most and three marks of twenty-one.
        let (head, rest) = slot.split_at_mut(8);
        let room = rest.get_mut(..payload.len()).ok_or(io::ErrorKind::InvalidData)?;
        room.copy_from_slice(&payload);
        head[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        head[4..].copy_from_slice(&crc32c::crc32c(&payload).to_le_bytes());
        self.file.write_all_at(&slot, (cursor.generation % 2) * SLOT as u64)
    }

    /// The file, to be synced without a lock.
    pub(super) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

fn read(slot: &[u8; SLOT]) -> Option<Cursor> {
    let number = |at: usize| u32::from_le_bytes([slot[at], slot[at + 1], slot[at + 2], slot[at + 3]]);
    let payload = slot.get(8..8 + number(0) as usize).filter(|payload| !payload.is_empty())?;
    let before = || Some(postcard::from_bytes::<WithoutClock>(payload).ok()?.into());
    (crc32c::crc32c(payload) == number(4)).then(|| postcard::from_bytes(payload).ok().or_else(before))?
}

#[cfg(test)]
mod tests {
    use super::{super::entry::Origin, *};

    #[test]
    fn what_an_earlier_release_wrote_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let mark = Some(Origin { position: 7, index: 2 });
        let marks: Marks = [mark, None, mark];
        let payload = postcard::to_stdvec(&(3_u64, 40_u64, 42_u64, 5_u64, marks)).unwrap();
        let mut octets = [0; 2 * SLOT];
        octets[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        octets[4..8].copy_from_slice(&crc32c::crc32c(&payload).to_le_bytes());
        octets[8..8 + payload.len()].copy_from_slice(&payload);
        std::fs::write(folder.path().join(FILE), octets).unwrap();
        let (file, mut cursor) = CursorFile::open(folder.path()).unwrap();
        assert_eq!((cursor.done, cursor.attempted, cursor.lost, cursor.marks), (40, 42, 5, marks));
        cursor.clock.look(1, 1);
        file.write(&mut cursor).unwrap();
        assert_eq!(CursorFile::open(folder.path()).unwrap().1, cursor);
    }

    #[test]
    fn a_torn_write_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let (file, mut cursor) = CursorFile::open(folder.path()).unwrap();
        assert_eq!(cursor, Cursor::default());
        for done in 1..=9 {
            cursor.done = done;
            cursor.marks[0] = Some(Origin { position: u64::MAX, index: u64::MAX });
            file.write(&mut cursor).unwrap();
        }
        assert_eq!(CursorFile::open(folder.path()).unwrap().1, cursor);
        let slot = (cursor.generation % 2) as usize * SLOT;
        let octets = std::fs::read(folder.path().join(FILE)).unwrap();
        let used = 8 + u32::from_le_bytes(octets[slot..slot + 4].try_into().unwrap()) as usize;
        for at in 0..used {
            let mut torn = octets.clone();
            torn[slot + at] ^= 0x40;
            std::fs::write(folder.path().join(FILE), torn).unwrap();
            assert_eq!(CursorFile::open(folder.path()).unwrap().1.done, 8, "{at}");
        }
    }
}
