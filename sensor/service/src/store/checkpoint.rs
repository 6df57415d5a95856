//! The fold's checkpoint, in pieces. Of a hundred thousand users it has hundreds of megabytes, which in one transaction would
//! all lie in the write-ahead log: pieces of a new one are written one by one beside those of the one in force, then a row
//! of `meta` says which are in force, then the others go, one by one. What an interruption leaves behind is in nobody's way and goes
//! with the next one.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

/// Octets of one piece: well below what SQLite takes in one value (1 GB), as much as the write-ahead log holds before it is
/// written into the file, and little enough to be read without a copy of the whole beside it.
const PIECE_OCTETS: usize = 16 << 20;

/// Of the pieces in force, as rows of `meta`. A store of before has neither: there all pieces are.
const FIRST: &str = "checkpoint_first";
const COUNT: &str = "checkpoint_pieces";

/// The checkpoint in force; `None` if none was written yet.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Option<Vec<u8>>> {
    let (first, end) = in_force(connection)?;
    let mut select = connection
        .prepare("SELECT octets FROM checkpoint WHERE piece >= ?1 AND piece < ?2 ORDER BY piece")?;
    let mut rows = select.query([first, end])?;
    let mut octets = Vec::new();
    while let Some(row) = rows.next()? {
        octets.extend_from_slice(row.get_ref(0)?.as_blob()?);
    }
    Ok((!octets.is_empty()).then_some(octets))
}

/// Puts another into its place, whole or not at all, a piece a transaction.
pub(super) fn replace(connection: &mut Connection, octets: &[u8]) -> rusqlite::Result<()> {
    remove_others(connection)?;
    let (_, end) = in_force(connection)?;
    let first = match end {
        i64::MAX => {
            connection
                .query_row("SELECT coalesce(max(piece) + 1, 0) FROM checkpoint", [], |row| row.get(0))?
        }
        end => end,
    };
    let count = stage(connection, first, octets)?;
    let transaction = connection.transaction()?;
    point_to(&transaction, first, count)?;
    transaction.commit()?;
    remove_others(connection)
}

/// The same in somebody's transaction, together with what else is in it; no other piece is left.
pub(super) fn replace_within(transaction: &Transaction<'_>, octets: &[u8]) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM checkpoint", [])?;
    let count = stage(transaction, 0, octets)?;
    point_to(transaction, 0, count)
}

fn stage(connection: &Connection, first: i64, octets: &[u8]) -> rusqlite::Result<i64> {
    let mut insert = connection.prepare_cached("INSERT INTO checkpoint (piece, octets) VALUES (?1, ?2)")?;
    let mut next = first;
    for piece in octets.chunks(PIECE_OCTETS) {
        insert.execute(params![next, piece])?;
        next += 1;
    }
    Ok(next - first)
}

fn point_to(transaction: &Transaction<'_>, first: i64, count: i64) -> rusqlite::Result<()> {
    let mut upsert = transaction.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2",
    )?;
    upsert.execute(params![FIRST, first])?;
    upsert.execute(params![COUNT, count])?;
    Ok(())
}

/// The first piece in force, and the one behind the last.
fn in_force(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let mut select = connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    let mut value = |name| select.query_row([name], |row| row.get(0)).optional();
    match (value(FIRST)?, value(COUNT)?) {
        (Some(first), Some(count)) => Ok((first, first + count)),
        _ => Ok((0, i64::MAX)),
    }
}

/// Takes away what is not in force, a piece a transaction.
fn remove_others(connection: &Connection) -> rusqlite::Result<()> {
    let (first, end) = in_force(connection)?;
    let mut select =
        connection.prepare_cached("SELECT piece FROM checkpoint WHERE piece < ?1 OR piece >= ?2")?;
    let others = select.query_map([first, end], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
    let mut delete = connection.prepare_cached("DELETE FROM checkpoint WHERE piece = ?1")?;
    others.iter().try_for_each(|piece| delete.execute([piece]).map(drop))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{super::Store, *};

    fn pieces(store: &Store) -> i64 {
        store.connection.query_row("SELECT count(*) FROM checkpoint", [], |row| row.get(0)).unwrap()
    }

    fn state(octet: u8, octets: usize) -> Vec<u8> {
        (0..octets).map(|at| octet ^ at as u8).collect()
    }

    fn store(folder: &Path) -> Store {
        Store::open(&folder.join(super::super::FILE)).unwrap()
    }

    #[test]
    fn one_is_in_force_at_any_time_and_the_write_ahead_log_never_holds_all_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        assert_eq!(read(&store.connection).unwrap(), None);
        for octet in 0..3 {
            let state = state(octet, 6 * PIECE_OCTETS - 1);
            replace(&mut store.connection, &state).unwrap();
            assert!(read(&store.connection).unwrap().unwrap() == state, "the last one");
            assert_eq!(pieces(&store), 6);
        }
        let log = folder.path().join(format!("{}-wal", super::super::FILE));
        let written_ahead = fs::metadata(log).unwrap().len();
        assert!(written_ahead < 3 * PIECE_OCTETS as u64, "{written_ahead}");
    }

    #[test]
    fn what_an_interruption_leaves_is_not_read_and_goes_with_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        replace(&mut store.connection, b"one").unwrap();
        stage(&store.connection, 1, &state(7, PIECE_OCTETS + 1)).unwrap();
        assert_eq!(read(&store.connection).unwrap().unwrap(), b"one");
        replace(&mut store.connection, b"two").unwrap();
        assert_eq!((read(&store.connection).unwrap().unwrap(), pieces(&store)), (b"two".to_vec(), 1));
        let transaction = store.connection.transaction().unwrap();
        replace_within(&transaction, b"three").unwrap();
        transaction.commit().unwrap();
        assert_eq!((read(&store.connection).unwrap().unwrap(), pieces(&store)), (b"three".to_vec(), 1));
    }

    #[test]
    fn a_checkpoint_of_before_is_all_its_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        stage(&store.connection, 0, &state(1, PIECE_OCTETS + 1)).unwrap();
        assert!(read(&store.connection).unwrap().unwrap() == state(1, PIECE_OCTETS + 1));
        replace(&mut store.connection, b"next").unwrap();
        assert_eq!((read(&store.connection).unwrap().unwrap(), pieces(&store)), (b"next".to_vec(), 1));
    }
}
