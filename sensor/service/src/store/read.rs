//! Questions to the store. Each is answered as of one moment, beside a running service or without one.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, ToSql, params};

use super::{
    SessionFilter, StoreError, UserPart, open_read_only,
    parts::Named,
    row::{
        PLACE_COLUMNS, PlaceRow, SESSION_COLUMNS, SeenRow, SessionRow, UserRow, place_from, rfc3339, session,
    },
    session_filter::{Began, SESSION_TABLES},
};
use crate::fold::Sort;

/// Steps of SQLite's machine between two looks at the clock: well below a millisecond.
const STEPS: i32 = 1_000;

/// How many open alerts about an address or a VPN server list whom. They are few, and read once a question: by the index of
/// them alone, since by one of open alerts the body of each is opened.
const LISTED: &str = "WITH listed AS MATERIALIZED
    (SELECT listed.value AS user, count(*) AS alerts
     FROM alert INDEXED BY alert_of_no_user, json_each(body, '$.users') AS listed
     WHERE alert.user IS NULL AND is_open GROUP BY listed.value)";

/// The members of [`UserRow`], in the order in which [`user`] reads them; behind [`LISTED`].
const USER_COLUMNS: &str = "sighting.name, original, first, last, count,
    (SELECT count(*) FROM alert WHERE alert.user = sighting.name AND is_open)
    + coalesce((SELECT alerts FROM listed WHERE listed.user = sighting.name), 0)";

/// Whether a name holds ?3 before its ending ?4. By octets where there is an ending: a length in letters ends at the first
/// NUL, which a name may hold.
const OF_PART: &str = "CASE WHEN ?4 IS NULL THEN instr(sighting.name, ?3) > 0 ELSE
    substr(CAST(sighting.name AS BLOB), -length(CAST(?4 AS BLOB))) = CAST(?4 AS BLOB)
    AND instr(substr(CAST(sighting.name AS BLOB), 1,
        length(CAST(sighting.name AS BLOB)) - length(CAST(?4 AS BLOB))), CAST(?3 AS BLOB)) > 0 END";

/// The store, to be read.
#[derive(Debug)]
pub struct StoreReader {
    connection: Connection,
    path: PathBuf,
}

impl StoreReader {
    /// Opens the store in this file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path) -> Result<StoreReader, StoreError> {
        Ok(StoreReader { connection: open_read_only(path)?, path: path.to_owned() })
    }

    /// From now on questions have this long, all together; then they are [`StoreError::TooLong`], until this is said again.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn give_up_after(&mut self, time: Duration) -> Result<(), StoreError> {
        let began = Instant::now();
        let is_over = move || began.elapsed() >= time;
        let path = &self.path;
        self.connection
            .progress_handler(STEPS, Some(is_over))
            .map_err(|error| StoreError::Sqlite { path: path.clone(), error })
    }

    /// Questions that belong together: all see the store as it is when the first is asked, and what one has read the next
    /// ones need not read again, however much is written meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`]; or what the work says.
    pub fn at_one_moment<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&StoreReader) -> Result<T, E>,
    ) -> Result<T, E> {
        let moment = self.connection.unchecked_transaction().map_err(|error| self.flawed(error))?;
        let outcome = work(self)?;
        moment.finish().map_err(|error| self.flawed(error))?;
        Ok(outcome)
    }

    /// Whether nothing is left of the questions before: it can be asked again.
    pub(crate) fn is_idle(&self) -> bool {
        self.connection.is_autocommit()
    }

    /// Sessions, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn sessions(&self, filter: &SessionFilter, limit: usize) -> Result<Vec<SessionRow>, StoreError> {
        if filter.is_of_a_place_alone() {
            let mut sessions = self.sessions_from_place(filter, limit)?;
            self.name_alerts(&mut sessions)?;
            return Ok(sessions);
        }
        let mut sessions = self.sessions_that(filter, Began::InReach, limit)?;
        if filter.has_long_before() && sessions.len() < limit {
            sessions.extend(self.sessions_that(filter, Began::LongBefore, limit - sessions.len())?);
        }
        self.name_alerts(&mut sessions)?;
        Ok(sessions)
    }

    fn sessions_that(
        &self,
        filter: &SessionFilter,
        began: Began,
        limit: usize,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let (query, values) = filter.query(began, limit);
        self.rows(&query, &values, session)
    }

    /// One session by its number.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn session(&self, number: i64) -> Result<Option<SessionRow>, StoreError> {
        let query = format!("SELECT {SESSION_COLUMNS} FROM {SESSION_TABLES} WHERE session.number = ?1");
        let mut sessions = self.rows(&query, &[Box::new(number)], session)?;
        self.name_alerts(&mut sessions)?;
        Ok(sessions.pop())
    }

    /// Users, the latest seen first; those whose key is of `part`. `after`: the last of the page before.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn users(
        &self,
        part: &UserPart,
        after: Option<(i64, &str)>,
        limit: usize,
    ) -> Result<Vec<UserRow>, StoreError> {
        let (last, name) = after.map_or((i64::MAX, ""), |(last, name)| (last, name));
        let mut values: Vec<Box<dyn ToSql>> = vec![
            Box::new(last),
            Box::new(name.to_owned()),
            Box::new(part.holds.clone()),
            Box::new(part.ending.clone()),
        ];
        let few = self.may_hold(Named::User, &part.holds)?;
        // Among few, or looked for in the index alone, which has the names.
        let among = match few {
            Some(few) => {
                values.push(Box::new(few));
                "(SELECT value FROM json_each(?5)) CROSS JOIN user_name ON number = value
                 CROSS JOIN sighting ON sort = 1 AND sighting.name = user_name.name"
            }
            None => "sighting INDEXED BY sighting_by_last",
        };
        let query = format!(
            "{LISTED} SELECT {USER_COLUMNS} FROM
                 (SELECT sighting.name FROM {among}
                  WHERE sort = 1 AND (last < ?1 OR (last = ?1 AND sighting.name > ?2)) AND {OF_PART}
                  ORDER BY last DESC, sighting.name LIMIT {limit}) AS found
             CROSS JOIN sighting ON sort = 1 AND sighting.name = found.name
             ORDER BY last DESC, sighting.name"
        );
        self.rows(&query, &values, user)
    }

    /// One user by key.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn user(&self, key: &str) -> Result<Option<UserRow>, StoreError> {
        let query = format!("{LISTED} SELECT {USER_COLUMNS} FROM sighting WHERE sort = 1 AND name = ?1");
        Ok(self.rows(&query, &[Box::new(key.to_owned())], user)?.pop())
    }

    /// Users by their keys, in the order of those; nobody is known by some of them, perhaps.
    pub(super) fn users_named(&self, keys: &[&str]) -> Result<Vec<UserRow>, StoreError> {
        let query = format!(
            "{LISTED} SELECT {USER_COLUMNS} FROM json_each(?1) AS wanted
             CROSS JOIN sighting ON sort = 1 AND sighting.name = wanted.value ORDER BY wanted.key"
        );
        // Plain data can always be written.
        let keys = serde_json::to_string(keys).unwrap_or_default();
        self.rows(&query, &[Box::new(keys)], user)
    }

    /// Devices, users or sensors, the latest seen first. `after`: the last of the page before.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn seen(
        &self,
        sort: Sort,
        after: Option<(i64, &str)>,
        limit: usize,
    ) -> Result<Vec<SeenRow>, StoreError> {
        let (last, name) = after.map_or((i64::MAX, ""), |(last, name)| (last, name));
        let values: Vec<Box<dyn ToSql>> =
            vec![Box::new(sort as u8), Box::new(last), Box::new(name.to_owned())];
        let query = format!(
            "SELECT name, first, last, count FROM sighting
             WHERE sort = ?1 AND (last < ?2 OR (last = ?2 AND name > ?3)) ORDER BY last DESC, name LIMIT {limit}"
        );
        self.rows(&query, &values, |row| {
            Ok(SeenRow {
                name: row.get(0)?,
                first_seen: rfc3339(row.get(1)?),
                last_seen: rfc3339(row.get(2)?),
                count: row.get(3)?,
                last_unix_ns: row.get(2)?,
            })
        })
    }

    /// One device by name.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn has_device(&self, name: &str) -> Result<bool, StoreError> {
        let query = "SELECT 1 FROM sighting WHERE sort = 2 AND name = ?1";
        self.connection
            .query_row(query, [name], |_| Ok(()))
            .optional()
            .map(|found| found.is_some())
            .map_err(|error| self.flawed(error))
    }

    /// Places that stored sessions came from, with how often and when.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn places(&self, after: i64, limit: usize) -> Result<Vec<(PlaceRow, i64)>, StoreError> {
        let query = format!(
            "SELECT {PLACE_COLUMNS},
                 (SELECT count(*) FROM session WHERE session.place = place.id) AS connections
             FROM place WHERE id > ?1 AND connections > 0 ORDER BY id LIMIT {limit}"
        );
        self.rows(&query, &[Box::new(after)], |row| Ok((place_from(row, 0)?, row.get(12)?)))
    }

    /// The last record that is in the store.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn position(&self) -> Result<u64, StoreError> {
        let query = "SELECT coalesce(max(value), 0) FROM meta WHERE name = 'position'";
        let position: i64 = self
            .connection
            .query_row(query, params![], |row| row.get(0))
            .map_err(|error| self.flawed(error))?;
        Ok(position as u64)
    }

    pub(super) fn rows<T>(
        &self,
        query: &str,
        values: &[Box<dyn ToSql>],
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = || {
            let mut select = self.connection.prepare_cached(query)?;
            let values: Vec<&dyn ToSql> = values.iter().map(|value| &**value).collect();
            let rows = select.query_map(&values[..], |row| read(row))?;
            rows.collect::<rusqlite::Result<Vec<T>>>()
        };
        rows().map_err(|error| self.flawed(error))
    }

    /// How SQLite answers a question, step by step.
    #[cfg(test)]
    pub(super) fn plan(&self, query: &str, values: &[Box<dyn ToSql>]) -> Vec<String> {
        self.rows(&format!("EXPLAIN QUERY PLAN {query}"), values, |row| row.get("detail")).unwrap()
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn flawed(&self, error: rusqlite::Error) -> StoreError {
        if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) {
            return StoreError::TooLong;
        }
        StoreError::Sqlite { path: self.path.clone(), error }
    }
}

fn user(row: &Row<'_>) -> rusqlite::Result<UserRow> {
    Ok(UserRow {
        user: row.get(0)?,
        original: row.get(1)?,
        first_seen: rfc3339(row.get(2)?),
        last_seen: rfc3339(row.get(3)?),
        connections: row.get(4)?,
        open_alerts: row.get(5)?,
        severity: None,
        score: None,
        first_unix_ns: row.get(2)?,
        last_unix_ns: row.get(3)?,
    })
}
