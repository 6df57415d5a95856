//! What one box finds: addresses, session ids, devices, places and VPN servers by the beginning or a part of what they are
//! called. Each question reads a few rows of an index, or all of a small table.

use std::collections::HashSet;

use rusqlite::ToSql;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    StoreError, StoreReader,
    row::{SeenRow, UserRow, rfc3339},
};
use crate::alert::Severity;

/// Open alerts that are looked at for who is at risk, the newest.
const ALERTS_MAX: usize = 2_000;

/// A place that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FoundPlace {
    /// Its number in this store.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The network that it was seen with: `AS3320 Deutsche Telekom AG`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
}

/// A VPN server that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FoundServer {
    /// Its number in this store.
    pub number: i64,
    /// What it calls itself, or its address, or the client that it is.
    pub name: String,
    /// The client of the configuration.
    pub client: String,
}

impl StoreReader {
    /// Addresses outside the tunnel that begin so, ascending.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn addresses_beginning(&self, beginning: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        self.beginning("session", "remote", beginning, limit)
    }

    /// Acct-Session-Ids that begin so, in any case of their Latin letters, ascending.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn session_ids_beginning(&self, beginning: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        self.beginning("session", "session_id COLLATE NOCASE", beginning, limit)
    }

    /// Steps through the column's index, in the order that the column is given with, from value to value: one that a
    /// million rows have costs as much as any other.
    pub(super) fn beginning(
        &self,
        table: &str,
        column: &str,
        beginning: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        // Behind all that begin so: no text has the last character of Unicode twice.
        let end = format!("{beginning}\u{10ffff}\u{10ffff}");
        let query = format!(
            "WITH RECURSIVE found (value, number) AS (
                 SELECT min({column}), 1 FROM {table} WHERE {column} >= ?1 AND {column} < ?2
                 UNION ALL
                 SELECT (SELECT min({column}) FROM {table} WHERE {column} > found.value AND {column} < ?2), number + 1
                 FROM found WHERE found.value IS NOT NULL AND number < {limit})
             SELECT value FROM found WHERE value IS NOT NULL"
        );
        self.rows(&query, &[Box::new(beginning.to_owned()), Box::new(end)], |row| row.get(0))
    }

    /// Devices whose name holds this, in any case of its Latin letters; the latest seen first.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn devices_with(
        &self,
        part: &str,
        after: Option<(i64, &str)>,
        limit: usize,
    ) -> Result<Vec<SeenRow>, StoreError> {
        let (last, name) = after.unwrap_or((i64::MAX, ""));
        let query = format!(
            "SELECT sighting.name, first, last, count FROM
                 (SELECT name FROM sighting INDEXED BY sighting_by_last
                  WHERE sort = 2 AND (last < ?1 OR (last = ?1 AND name > ?2)) AND name LIKE ?3 ESCAPE '\\'
                  ORDER BY last DESC, name LIMIT {limit}) AS found
             CROSS JOIN sighting ON sort = 2 AND sighting.name = found.name
             ORDER BY last DESC, sighting.name"
        );
        let values: [Box<dyn ToSql>; 3] =
            [Box::new(last), Box::new(name.to_owned()), Box::new(holding(part))];
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

    /// Places whose name or network holds this, in any case of its Latin letters.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn places_with(&self, part: &str, limit: usize) -> Result<Vec<FoundPlace>, StoreError> {
        let query = format!(
            "SELECT id, name, CASE WHEN asn IS NULL THEN NULL ELSE 'AS' || asn || coalesce(' ' || organisation, '') END
             FROM place WHERE name LIKE ?1 ESCAPE '\\' OR organisation LIKE ?1 ESCAPE '\\' OR asn = ?2
             ORDER BY id LIMIT {limit}"
        );
        let lowered = part.to_ascii_lowercase();
        let number: Option<u32> = lowered.strip_prefix("as").and_then(|number| number.parse().ok());
        self.rows(&query, &[Box::new(holding(part)), Box::new(number)], |row| {
            Ok(FoundPlace { id: row.get(0)?, name: row.get(1)?, network: row.get(2)? })
        })
    }

    /// One place's name.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn place_name(&self, id: i64) -> Result<Option<String>, StoreError> {
        let query = "SELECT name FROM place WHERE id = ?1";
        Ok(self.rows(query, &[Box::new(id)], |row| row.get(0))?.pop())
    }

    /// VPN servers whose client, NAS-Identifier or address holds this, in any case of its Latin letters.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn servers_with(&self, part: &str, limit: usize) -> Result<Vec<FoundServer>, StoreError> {
        let query = format!(
            "SELECT number, coalesce(identifier, address, client), client FROM server
             WHERE client LIKE ?1 ESCAPE '\\' OR identifier LIKE ?1 ESCAPE '\\' OR address LIKE ?1 ESCAPE '\\'
             ORDER BY number LIMIT {limit}"
        );
        self.rows(&query, &[Box::new(holding(part))], |row| {
            Ok(FoundServer { number: row.get(0)?, name: row.get(1)?, client: row.get(2)? })
        })
    }

    /// Users, the riskiest first: those with open alerts by severity and score, behind them all others, the latest seen
    /// first. Those whose key holds `part`. `from`: where the page before says that this one begins; with where the next
    /// one does.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn users_by_risk(
        &self,
        part: Option<&str>,
        from: Option<RiskPosition>,
        limit: usize,
    ) -> Result<(Vec<UserRow>, Option<RiskPosition>), StoreError> {
        let at_risk = self.at_risk(part)?;
        let from = from.unwrap_or(RiskPosition::AtRisk(0));
        let mut users = Vec::with_capacity(limit);
        let mut after: Option<(i64, String)> = None;
        match from {
            RiskPosition::AtRisk(first) => {
                let shown: Vec<&AtRisk> = at_risk.iter().skip(first).take(limit).collect();
                let keys: Vec<&str> = shown.iter().map(|risk| &*risk.user).collect();
                for user in self.users_named(&keys)? {
                    let risk = shown.iter().find(|risk| risk.user == user.user);
                    let severity = risk.map(|risk| risk.severity);
                    users.push(UserRow { severity, score: risk.and_then(|risk| risk.score), ..user });
                }
                if first + limit < at_risk.len() {
                    return Ok((users, Some(RiskPosition::AtRisk(first + limit))));
                }
            }
            RiskPosition::Seen(last, name) => after = Some((last, name)),
        }
        let shown: HashSet<&str> = at_risk.iter().map(|risk| &*risk.user).collect();
        loop {
            let others = self.users(part, after.as_ref().map(|(last, name)| (*last, &**name)), limit + 1)?;
            let is_last = others.len() <= limit;
            for user in others {
                if users.len() == limit {
                    return Ok((
                        users,
                        Some(after.map_or(RiskPosition::AtRisk(at_risk.len()), RiskPosition::seen)),
                    ));
                }
                after = Some((user.last_unix_ns, user.user.clone()));
                if !shown.contains(&*user.user) {
                    users.push(user);
                }
            }
            if is_last {
                return Ok((users, None));
            }
        }
    }

    /// Who has open alerts, the riskiest first.
    fn at_risk(&self, part: Option<&str>) -> Result<Vec<AtRisk>, StoreError> {
        let query = format!(
            "WITH open AS MATERIALIZED
                 (SELECT user, severity, body ->> '$.score' AS score, CASE WHEN user IS NULL THEN body END AS body
                  FROM alert WHERE is_open ORDER BY number DESC LIMIT {ALERTS_MAX})
             SELECT user, max(severity) AS severity, max(score) AS score FROM
                 (SELECT user, severity, score FROM open WHERE user IS NOT NULL
                  UNION ALL
                  SELECT listed.value, severity, score FROM open, json_each(open.body, '$.users') AS listed
                  WHERE open.user IS NULL)
             WHERE instr(user, ?1) > 0
             GROUP BY user ORDER BY severity DESC, score DESC, user"
        );
        self.rows(&query, &[Box::new(part.unwrap_or_default().to_owned())], |row| {
            let severity: i64 = row.get(1)?;
            let severity = Severity::ALL.into_iter().find(|known| *known as i64 == severity);
            Ok(AtRisk { user: row.get(0)?, severity: severity.unwrap_or_default(), score: row.get(2)? })
        })
    }
}

/// A pattern for what holds this text, whatever it is.
fn holding(part: &str) -> String {
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for c in part.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

struct AtRisk {
    user: String,
    severity: Severity,
    score: Option<f64>,
}

/// Where a page of users by risk begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RiskPosition {
    /// At so manieth of those with open alerts.
    AtRisk(usize),
    /// Behind this one of the others, by last sign of life and name.
    Seen(i64, String),
}

impl RiskPosition {
    fn seen((last, name): (i64, String)) -> RiskPosition {
        RiskPosition::Seen(last, name)
    }
}
