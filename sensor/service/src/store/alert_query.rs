//! Which alerts there are, by what they are about and how they stand; and which alert a connection belongs to.

use std::collections::{BTreeSet, HashMap};

use insight::detect::{Detection, ReasonFeature};
use rusqlite::{Row, ToSql};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    StoreError, StoreReader,
    alert::{notice, read},
    row::{SESSION_COLUMNS, SessionRow, rfc3339, session},
    session_filter::SESSION_TABLES,
};
use crate::alert::{Alert, AlertPage, AlertRow, Severity};

/// So much of what happened to an alert is on its page, the newest part.
const HAPPENED_MAX: usize = 200;
/// So many of a user's alerts are looked through for a connection, the newest: one user has one open at a time.
const ALERTS_OF_USER_MAX: usize = 100;
/// The same of alerts about addresses and VPN servers, all users' together.
const ALERTS_OF_NO_USER_MAX: usize = 200;
/// Whether what an alert says now was held back.
const IS_HELD: &str =
    "coalesce((SELECT is_held FROM notice WHERE alert = number ORDER BY sequence DESC LIMIT 1), FALSE)";
/// Whether anything that it said was: few, and found at once.
const EVER_HELD: &str = "number IN (SELECT alert FROM notice INDEXED BY notice_held WHERE is_held)";

/// Which alerts, the newest first.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// About the user with this key, perhaps among others.
    pub user: Option<String>,
    /// How they stand.
    pub state: Option<AlertState>,
    /// Of this severity or a higher one.
    pub severity: Severity,
    /// With a reason of this detection, or about this feature: see [`AlertFilter::is_reason`].
    pub reason: Option<String>,
    /// Whether what they say now was held back.
    pub held: Option<bool>,
    /// Raised or changed then or later, ns since 1970 UTC.
    pub since_unix_ns: Option<i64>,
    /// Raised or changed last before, ns since 1970 UTC.
    pub until_unix_ns: Option<i64>,
    /// Before this one: the last of the page before.
    pub before: Option<u64>,
}

/// How an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlertState {
    /// Nobody has closed it.
    Open,
    /// It is closed, however.
    Closed,
    /// It was the user's own doing.
    Usual,
    /// It was an attacker's.
    Malicious,
    /// Neither was found out.
    Unclear,
}

impl AlertState {
    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            AlertState::Open => "open",
            AlertState::Closed => "closed",
            AlertState::Usual => "usual",
            AlertState::Malicious => "malicious",
            AlertState::Unclear => "unclear",
        }
    }
}

impl AlertFilter {
    /// Whether a reason can be called so: a detection (`impossible-travel`), or what is new (`network`).
    pub fn is_reason(name: &str) -> bool {
        Detection::ALL.iter().any(|detection| detection.name() == name)
            || ReasonFeature::ALL.iter().any(|feature| feature.name() == name)
    }

    /// What it asks for besides the user, for the audit log: `state=open, reason=network`.
    pub fn details(&self) -> Option<String> {
        let time = |name: &str, value: Option<i64>| value.map(|at| format!("{name}={}", rfc3339(at)));
        let is_severe = self.severity > Severity::Informational;
        let parts = [
            self.state.map(|state| format!("state={}", state.name())),
            is_severe.then(|| format!("severity={}", self.severity.name())),
            self.reason.as_ref().map(|reason| format!("reason={reason}")),
            self.held.map(|held| format!("held={held}")),
            time("since", self.since_unix_ns),
            time("until", self.until_unix_ns),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// As SQL, with the values for its parameters in their order.
    fn condition(&self) -> (String, Vec<Box<dyn ToSql>>) {
        let mut conditions = vec!["severity >= ?1".to_owned()];
        let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(self.severity as i64)];
        // As the indices of the open ones have it.
        let table = if self.reason.is_some() { "alert_reason" } else { "alert" };
        match self.state {
            Some(AlertState::Open) => conditions.push(format!("{table}.is_open")),
            Some(AlertState::Closed) => conditions.push(format!("NOT {table}.is_open")),
            _ => {}
        }
        if self.held == Some(true) {
            conditions.push(EVER_HELD.to_owned());
        }
        let mut add = |condition: &str, value: Box<dyn ToSql>| {
            values.push(value);
            conditions.push(condition.replace('?', &format!("?{}", values.len())));
        };
        if let Some(reason) = &self.reason {
            add("name = ?", Box::new(reason.clone()));
        }
        if let Some(before) = self.before {
            add("number < ?", Box::new(i64::try_from(before).unwrap_or(i64::MAX)));
        }
        if let Some(user) = &self.user {
            let is_about = "number IN (SELECT number FROM alert WHERE user = ? UNION ALL
                 SELECT number FROM alert, json_each(body, '$.users') AS listed
                 WHERE user IS NULL AND listed.value = ?)";
            add(is_about, Box::new(user.clone()));
        }
        for (condition, time) in [("changed >= ?", self.since_unix_ns), ("changed < ?", self.until_unix_ns)] {
            if let Some(time) = time {
                add(condition, Box::new(time));
            }
        }
        match self.state {
            None | Some(AlertState::Open | AlertState::Closed) => {}
            Some(state) => {
                add("NOT alert.is_open AND body ->> '$.state.verdict' = ?", Box::new(state.name()))
            }
        }
        if let Some(held) = self.held {
            add(&format!("{IS_HELD} = ?"), Box::new(held));
        }
        (conditions.join(" AND "), values)
    }
}

/// Those that a filter takes, the newest first.
fn listing(second_column: &str, filter: &AlertFilter, limit: usize) -> (String, Vec<Box<dyn ToSql>>) {
    let (condition, values) = filter.condition();
    // The numbers of a reason come in their order, and an alert is read for each that is listed.
    let from = match (&filter.reason, filter.state) {
        (None, _) => "alert",
        (Some(_), Some(AlertState::Open)) => {
            "alert_reason INDEXED BY alert_reason_open CROSS JOIN alert USING (number)"
        }
        (Some(_), _) => "alert_reason CROSS JOIN alert USING (number)",
    };
    let query = format!(
        "SELECT body, {second_column} FROM {from} WHERE {condition} ORDER BY number DESC LIMIT {limit}"
    );
    (query, values)
}

impl StoreReader {
    /// Alerts with all that they hold, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn alerts(&self, filter: &AlertFilter, limit: usize) -> Result<Vec<Alert>, StoreError> {
        self.select_alerts("FALSE", filter, limit, read)
    }

    /// The same as rows of a list.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn alert_rows(&self, filter: &AlertFilter, limit: usize) -> Result<Vec<AlertRow>, StoreError> {
        self.select_alerts(IS_HELD, filter, limit, |row| Ok(AlertRow::new(read(row)?, row.get(1)?)))
    }

    fn select_alerts<T>(
        &self,
        second_column: &str,
        filter: &AlertFilter,
        limit: usize,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let (query, values) = listing(second_column, filter, limit);
        self.rows(&query, &values, read)
    }

    /// How a list of alerts is found, step by step.
    #[cfg(test)]
    pub(super) fn plan_of_alerts(&self, filter: &AlertFilter) -> Vec<String> {
        let (query, values) = listing(IS_HELD, filter, 50);
        self.plan(&query, &values)
    }

    /// All that there is about one alert.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn alert_page(&self, number: u64) -> Result<Option<AlertPage>, StoreError> {
        let Some(alert) = self.alert(number)? else { return Ok(None) };
        let query = format!(
            "SELECT body, sequence, news, is_held FROM notice WHERE alert = ?1 ORDER BY sequence DESC LIMIT {HAPPENED_MAX}"
        );
        let mut notices = self.rows(&query, &[Box::new(number as i64)], notice)?;
        notices.reverse();
        Ok(Some(AlertPage::new(alert, notices)))
    }

    /// Those of a user's sessions that the newest alerts list and that were not over before a moment, ns since 1970 UTC: the
    /// newest `limit` that are listed, the newest first. Whether more are listed.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn sessions_in_alerts(
        &self,
        key: &str,
        since_unix_ns: i64,
        limit: usize,
    ) -> Result<(Vec<SessionRow>, bool), StoreError> {
        // Numbers of sessions count up.
        let query = format!(
            "SELECT session, max(number) FROM
                 (SELECT one.value ->> '$.session' AS session, number FROM
                      (SELECT number, body FROM alert WHERE user = ?1 ORDER BY number DESC LIMIT {ALERTS_OF_USER_MAX}) AS alert,
                      json_each(alert.body, '$.connections') AS one
                  UNION ALL
                  SELECT one.value ->> '$.session', number FROM
                      (SELECT number, body FROM alert WHERE user IS NULL ORDER BY number DESC LIMIT {ALERTS_OF_NO_USER_MAX}) AS alert,
                      json_each(alert.body, '$.connections') AS one WHERE one.value ->> '$.user' = ?1)
             GROUP BY session ORDER BY session DESC LIMIT ?2"
        );
        let one_more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let values: [Box<dyn ToSql>; 2] = [Box::new(key.to_owned()), Box::new(one_more)];
        let mut listed =
            self.rows(&query, &values, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        let is_cut = listed.len() > limit;
        listed.truncate(limit);
        let alerts: HashMap<i64, i64> = listed.into_iter().collect();
        let numbers: Vec<i64> = alerts.keys().copied().collect();
        let query = format!(
            "SELECT {SESSION_COLUMNS} FROM json_each(?1) AS wanted CROSS JOIN {SESSION_TABLES}
             WHERE session.number = wanted.value AND session.user = ?2 AND (ended IS NULL OR max(start, ended) >= ?3)
             ORDER BY start DESC, session.number DESC"
        );
        // Plain data can always be written.
        let numbers = serde_json::to_string(&numbers).unwrap_or_default();
        let values: [Box<dyn ToSql>; 3] =
            [Box::new(numbers), Box::new(key.to_owned()), Box::new(since_unix_ns)];
        let mut sessions = self.rows(&query, &values, session)?;
        for session in &mut sessions {
            session.alert = alerts.get(&session.number).copied();
        }
        Ok((sessions, is_cut))
    }

    /// Puts into each session the number of the newest alert that lists it.
    pub(super) fn name_alerts(&self, sessions: &mut [SessionRow]) -> Result<(), StoreError> {
        let users: BTreeSet<&String> = sessions.iter().filter_map(|session| session.user.as_ref()).collect();
        // Those of one alert are overwritten by those of a newer one.
        let query = |which: &str, limit: usize| {
            format!(
                "SELECT one.value ->> '$.session', number FROM
                     (SELECT number, body FROM alert WHERE {which} ORDER BY number DESC LIMIT {limit}) AS alert,
                     json_each(alert.body, '$.connections') AS one
                 ORDER BY number"
            )
        };
        let pair = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        let of_no_user = self.rows(&query("user IS NULL", ALERTS_OF_NO_USER_MAX), &[], pair)?;
        let mut alerts: HashMap<i64, i64> = of_no_user.into_iter().collect();
        let of_user = query("user = ?1", ALERTS_OF_USER_MAX);
        for user in users {
            for (session, number) in self.rows(&of_user, &[Box::new(user.clone())], pair)? {
                let known = alerts.entry(session).or_insert(number);
                *known = number.max(*known);
            }
        }
        for session in sessions {
            session.alert = alerts.get(&session.number).copied();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Store, *};

    #[test]
    fn what_was_held_back_is_found_without_a_look_at_all_that_was_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let _store = Store::open(&path).unwrap();
        let reader = StoreReader::open(&path).unwrap();
        for state in [None, Some(AlertState::Open), Some(AlertState::Usual)] {
            let filter = AlertFilter { state, held: Some(true), ..AlertFilter::default() };
            let plan = reader.plan_of_alerts(&filter);
            assert!(plan.iter().any(|step| step.contains("INDEX notice_held")), "{state:?}: {plan:?}");
            assert!(!plan.iter().any(|step| step.starts_with("SCAN alert")), "{state:?}: {plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{state:?}: {plan:?}");
        }
        // What it says now, of each that is listed, comes from one index.
        let plan = reader.plan_of_alerts(&AlertFilter::default());
        assert!(plan.iter().any(|step| step.contains("COVERING INDEX notice_by_alert")), "{plan:?}");
    }

    #[test]
    fn alerts_in_one_state_are_listed_without_a_look_at_those_in_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let _store = Store::open(&path).unwrap();
        let reader = StoreReader::open(&path).unwrap();
        for (state, index) in [
            (AlertState::Open, "alert_open"),
            (AlertState::Closed, "alert_closed"),
            (AlertState::Usual, "alert_by_verdict"),
        ] {
            let filter = AlertFilter { state: Some(state), ..AlertFilter::default() };
            let plan = reader.plan_of_alerts(&filter);
            assert!(plan.iter().any(|step| step.contains(&format!("INDEX {index}"))), "{state:?}: {plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{state:?}: {plan:?}");
        }
    }
}
