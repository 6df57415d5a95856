//! Outcomes go in, and checkpoints behind them. Every row says how something stands, so writing one again changes nothing.

use std::{borrow::Borrow, net::IpAddr};

use insight::vpn::session::{Change, Server, StartSource};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::{Store, StoreError, alert, checkpoint};
use crate::fold::{Outcome, Placed, SessionChange, Sighting};

impl Store {
    /// Takes an outcome, whole or not at all; behind it the state that it led to, if there is one, whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`]; the same outcome can be given again.
    pub fn write(&mut self, outcome: &Outcome, state: Option<&[u8]>) -> Result<(), StoreError> {
        let path = self.path.clone();
        let transaction = self.connection.transaction();
        let written = transaction.and_then(|transaction| {
            rows(&transaction, outcome)?;
            position(&transaction, outcome.position)?;
            transaction.commit()
        });
        let written = written.and_then(|()| match state {
            Some(octets) => checkpoint::replace(&mut self.connection, octets),
            None => Ok(()),
        });
        written.map_err(|error| StoreError::Sqlite { path, error })
    }

    /// The last record that is in it; 0 if none is.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn position(&self) -> Result<u64, StoreError> {
        let position: Option<i64> = self
            .connection
            .query_row("SELECT value FROM meta WHERE name = 'position'", [], |row| row.get(0))
            .optional()
            .map_err(|error| self.flawed(error))?;
        Ok(position.unwrap_or(0) as u64)
    }

    /// The checkpoint; `None` if none was written yet.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn checkpoint(&self) -> Result<Option<Vec<u8>>, StoreError> {
        checkpoint::read(&self.connection).map_err(|error| self.flawed(error))
    }
}

pub(super) fn position(connection: &Connection, position: u64) -> rusqlite::Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO meta (name, value) VALUES ('position', ?1) ON CONFLICT DO UPDATE SET value = max(value, ?1)",
    )?;
    upsert.execute([position as i64]).map(drop)
}

fn rows(transaction: &Transaction<'_>, outcome: &Outcome) -> rusqlite::Result<()> {
    servers(transaction, outcome)?;
    // In the order of their numbers: new rows then go to the end of the table, one behind the other. Of two changes of
    // one session the later stays the later.
    let mut changes: Vec<&SessionChange> = outcome.sessions.iter().collect();
    changes.sort_by_key(|change| change.number());
    for change in changes {
        if let SessionChange::Stands(_, Some(placed)) = change {
            place(transaction, placed)?;
        }
        session_change(transaction, change)?;
    }
    sightings(transaction, &outcome.sightings)?;
    alert::write(transaction, outcome)?;
    if let Some(before) = outcome.forget_before_unix_ns {
        forget_sessions(transaction, before)?;
        alert::forget_before(transaction, before)?;
        transaction.execute("DELETE FROM sighting WHERE last < ?1", [before as i64])?;
        transaction.execute(
            "DELETE FROM place WHERE NOT EXISTS (SELECT 1 FROM session WHERE session.place = place.id)",
            [],
        )?;
    }
    Ok(())
}

pub(super) fn servers(connection: &Connection, outcome: &Outcome) -> rusqlite::Result<()> {
    let mut server = connection.prepare_cached(
        "INSERT OR IGNORE INTO server (number, client, identifier, address) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (number, Server { client, identifier, address }) in &outcome.servers {
        server.execute(params![number, client, identifier, address.map(|address| address.to_string())])?;
    }
    Ok(())
}

pub(super) fn sightings(
    connection: &Connection,
    sightings: impl IntoIterator<Item: Borrow<Sighting>>,
) -> rusqlite::Result<()> {
    let mut sighting = connection.prepare_cached(
        "INSERT INTO sighting (sort, name, first, last, count, original) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET first = ?3, last = ?4, count = ?5, original = ?6",
    )?;
    for seen in sightings {
        let seen = seen.borrow();
        let (first, last) = (seen.first_unix_ns() as i64, seen.last_unix_ns() as i64);
        let (sort, name, count) = (seen.sort() as u8, seen.name(), seen.count() as i64);
        sighting.execute(params![sort, name, first, last, count, seen.original()])?;
    }
    Ok(())
}

pub(super) fn forget_sessions(connection: &Connection, before_unix_ns: u64) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached("DELETE FROM session WHERE start < ?1 AND last_seen < ?1")?;
    delete.execute([before_unix_ns as i64]).map(drop)
}

/// One session as it stands; its place is there already.
pub(super) fn session_change(connection: &Connection, change: &SessionChange) -> rusqlite::Result<()> {
    match change {
        SessionChange::Stands(change, placed) => session(connection, change, placed.as_deref()),
        SessionChange::Gone(number) => {
            let mut delete = connection.prepare_cached("DELETE FROM session WHERE number = ?1")?;
            delete.execute([*number as i64]).map(drop)
        }
    }
}

fn session(connection: &Connection, change: &Change, placed: Option<&Placed>) -> rusqlite::Result<()> {
    let session = &change.session;
    let details = &session.details;
    let end = session.end();
    let assigned: Vec<String> = details.assigned().map(|assigned| assigned.to_string()).collect();
    connection
        .prepare_cached(
            "INSERT INTO session (number, server, session_id, start, start_source, last_seen, ended, end_reason,
                 terminate_cause, user, user_original, remote, assigned, device, software,
                 operating_system, user_group, input_octets, output_octets, place)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
             ON CONFLICT DO UPDATE SET server = ?2, session_id = ?3, start = ?4, start_source = ?5, last_seen = ?6,
                 ended = ?7, end_reason = ?8, terminate_cause = ?9, user = ?10, user_original = ?11,
                 remote = ?12, assigned = ?13, device = ?14, software = ?15, operating_system = ?16,
                 user_group = ?17, input_octets = ?18, output_octets = ?19, place = ?20",
        )?
        .execute(params![
            session.number as i64,
            change.server.0,
            change.session_id.trim_start_matches('\0'),
            session.start_unix_ns as i64,
            start_source(session.start_source),
            session.last_seen_unix_ns as i64,
            end.map(|end| end.unix_ns as i64),
            end.map(|end| end.reason.name()),
            end.and_then(|end| end.cause),
            details.user(),
            details.user_original(),
            details.remote().map(|remote: IpAddr| remote.to_string()),
            assigned.join(" "),
            details.device(),
            details.software(),
            details.operating_system(),
            details.group(),
            session.input_octets().map(|octets| octets as i64),
            session.output_octets().map(|octets| octets as i64),
            placed.map(|placed| placed.id),
        ])?;
    Ok(())
}

pub(super) fn place(connection: &Connection, placed: &Placed) -> rusqlite::Result<()> {
    let resolved = &placed.resolved;
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO place (id, whereabouts, name, site, country, region, city, latitude, longitude,
                 radius_km, asn, organisation, kinds, anycast, database)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .execute(params![
            placed.id,
            resolved.whereabouts,
            resolved.name(),
            resolved.site,
            resolved.country,
            resolved.region,
            resolved.city,
            resolved.latitude,
            resolved.longitude,
            resolved.radius_km,
            resolved.asn,
            resolved.organisation,
            resolved.kinds.join(" "),
            resolved.anycast,
            resolved.database,
        ])?;
    Ok(())
}

fn start_source(source: StartSource) -> &'static str {
    match source {
        StartSource::FirstSeen => "first-seen",
        StartSource::SessionTime => "session-time",
        StartSource::Start => "start",
    }
}
