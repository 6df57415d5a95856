//! Alerts go in and come out.

use rusqlite::{Connection, OptionalExtension as _, Row, params, types::Type};

use super::{StoreError, StoreReader};
use crate::{
    alert::{Alert, News, Notice, Severity, State},
    fold::Outcome,
    forget::{NAME_OCTETS_MIN, Person},
};

pub(super) fn write(connection: &Connection, outcome: &Outcome) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO alert (number, user, severity, is_open, changed, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET user = ?2, severity = ?3, is_open = ?4, changed = ?5, body = ?6",
    )?;
    for alert in &outcome.alerts {
        put.execute(params![
            alert.number as i64,
            alert.user,
            alert.severity as i64,
            alert.state == State::Open,
            alert.changed_unix_ns as i64,
            body(alert)?,
        ])?;
    }
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO notice (sequence, alert, news, is_held, changed, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for Notice { sequence, news, is_held, alert } in &outcome.notices {
        put.execute(params![
            *sequence as i64,
            alert.number as i64,
            news.name(),
            is_held,
            alert.changed_unix_ns as i64,
            body(alert)?,
        ])?;
    }
    Ok(())
}

pub(super) fn forget_before(connection: &Connection, unix_ns: u64) -> rusqlite::Result<()> {
    for table in ["alert", "notice"] {
        let mut delete = connection.prepare_cached(&format!("DELETE FROM {table} WHERE changed < ?1"))?;
        delete.execute([unix_ns as i64])?;
    }
    Ok(())
}

/// What names a person: alerts that go, with all that happened to them, and rows of those about several users, as they
/// are without the person.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Naming {
    going: Vec<u64>,
    /// Row and body.
    alerts: Vec<(i64, String)>,
    notices: Vec<(i64, String)>,
}

pub(super) fn find(connection: &Connection, person: &Person) -> rusqlite::Result<Naming> {
    let mut naming = Naming::default();
    let names = |text: &str| person.is_in(text);
    // Short names are not looked for in texts.
    let is_short = person.key().len() < NAME_OCTETS_MIN;
    for (table, query) in
        [("alert", "SELECT body, number FROM alert"), ("notice", "SELECT body, sequence FROM notice")]
    {
        let mut select = connection.prepare(query)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            if !is_short && !names(row.get_ref(0)?.as_str()?) {
                continue;
            }
            let alert = read(row)?;
            if !alert.names(names) {
                continue;
            }
            let (number, is_of_several) = (alert.number, alert.address.is_some());
            match Some(alert).filter(|_| is_of_several).and_then(|alert| alert.without(names)) {
                Some(left) if table == "alert" => naming.alerts.push((row.get(1)?, body(&left)?)),
                Some(left) => naming.notices.push((row.get(1)?, body(&left)?)),
                None => naming.going.push(number),
            }
        }
    }
    Ok(naming)
}

pub(super) fn forget(connection: &Connection, naming: &Naming) -> rusqlite::Result<()> {
    for (table, rows) in [
        ("alert SET body = ?2 WHERE number", &naming.alerts),
        ("notice SET body = ?2 WHERE sequence", &naming.notices),
    ] {
        let mut update = connection.prepare(&format!("UPDATE {table} = ?1"))?;
        for (row, body) in rows {
            update.execute(params![row, body])?;
        }
    }
    for number in &naming.going {
        connection.execute("DELETE FROM alert WHERE number = ?1", [*number as i64])?;
        connection.execute("DELETE FROM notice WHERE alert = ?1", [*number as i64])?;
    }
    Ok(())
}

impl StoreReader {
    /// One alert.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn alert(&self, number: u64) -> Result<Option<Alert>, StoreError> {
        let ask = || {
            let mut select = self.connection().prepare_cached("SELECT body FROM alert WHERE number = ?1")?;
            select.query_row([number as i64], read).optional()
        };
        ask().map_err(|error| self.flawed(error))
    }

    /// What happened to alerts behind this, in its order.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn notices(&self, behind: u64, limit: usize) -> Result<Vec<Notice>, StoreError> {
        let ask = || {
            let mut select = self.connection().prepare_cached(
                "SELECT body, sequence, news, is_held FROM notice WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
            )?;
            let rows = select.query_map([behind as i64, limit as i64], notice)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        ask().map_err(|error| self.flawed(error))
    }

    /// The notices of an alert before this one that were not held back, by sequence, and how urgent it was then.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn told_before(&self, alert: u64, sequence: u64) -> Result<Vec<(u64, Severity)>, StoreError> {
        let ask = || {
            let mut select = self.connection().prepare_cached(
                "SELECT sequence, body -> '$.severity' FROM notice
                 WHERE alert = ?1 AND sequence < ?2 AND NOT is_held ORDER BY sequence",
            )?;
            let told = |row: &Row<'_>| {
                let severity = serde_json::from_str(row.get_ref(1)?.as_str()?).map_err(wrong)?;
                Ok((row.get::<_, i64>(0)? as u64, severity))
            };
            select.query_map([alert as i64, sequence as i64], told)?.collect::<Result<Vec<_>, _>>()
        };
        ask().map_err(|error| self.flawed(error))
    }

    /// The last thing that happened to an alert; 0: nothing did.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn last_notice(&self) -> Result<u64, StoreError> {
        let last = self
            .connection()
            .query_row("SELECT coalesce(max(sequence), 0) FROM notice", [], |row| row.get::<_, i64>(0));
        last.map(|last| last as u64).map_err(|error| self.flawed(error))
    }
}

fn body(alert: &Alert) -> rusqlite::Result<String> {
    serde_json::to_string(alert).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Of `body, sequence, news, is_held`.
pub(super) fn notice(row: &Row<'_>) -> rusqlite::Result<Notice> {
    let news: String = row.get(2)?;
    Ok(Notice {
        alert: read(row)?,
        sequence: row.get::<_, i64>(1)? as u64,
        news: News::named(&news).ok_or_else(|| wrong(format!("{news} is no news")))?,
        is_held: row.get(3)?,
    })
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Alert> {
    serde_json::from_str(row.get_ref(0)?.as_str()?).map_err(wrong)
}

fn wrong(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into())
}
