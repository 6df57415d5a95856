//! Who and what is at risk: users and devices with open alerts, by severity and score, and behind them all others.

use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashSet},
};

use serde::{Deserialize, Serialize};

use super::{
    StoreError, StoreReader, UserPart,
    row::{DeviceRow, UserRow},
};
use crate::alert::Severity;

/// Open alerts that are looked at for who is at risk: those of the highest severity and score.
pub const OPEN_ALERTS_MAX: usize = 2_000;
/// The same for devices: each body is read whole for those of its connections.
pub const BODIES_MAX: usize = 1_000;

/// Where a page of users or devices by risk begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RiskPosition {
    /// Behind this one of those with open alerts, by severity, score (its bits) and name. Whoever is not at risk any more
    /// moves nobody.
    Behind(u8, u64, String),
    /// Behind this one of the others, by last sign of life and name.
    Seen(i64, String),
}

/// A page of a list by risk.
#[derive(Debug, Clone, PartialEq)]
pub struct ByRisk<R> {
    /// What is on it.
    pub rows: Vec<R>,
    /// Where the next one begins.
    pub next: Option<RiskPosition>,
    /// Whether more alerts are open than are looked at: of whom those behind are about nothing is known here.
    pub is_cut: bool,
}

/// Who has open alerts.
struct AtRisk {
    name: String,
    severity: Severity,
    score: Option<f64>,
    alerts: i64,
}

impl AtRisk {
    /// Without a score behind all that have one.
    fn score(&self) -> f64 {
        self.score.unwrap_or(f64::NEG_INFINITY)
    }

    /// The riskiest first; of equal ones by name.
    fn order(&self, severity: u8, score: f64, name: &str) -> Ordering {
        let by_severity = severity.cmp(&(self.severity as u8));
        by_severity.then(score.total_cmp(&self.score())).then_with(|| (*self.name).cmp(name))
    }

    /// Whether a page that begins here has it behind it.
    fn is_before(&self, position: &RiskPosition) -> bool {
        match position {
            RiskPosition::Behind(severity, score, name) => {
                self.order(*severity, f64::from_bits(*score), name).is_le()
            }
            RiskPosition::Seen(..) => true,
        }
    }

    fn position(&self) -> RiskPosition {
        RiskPosition::Behind(self.severity as u8, self.score().to_bits(), self.name.clone())
    }
}

/// A row of a list by risk.
trait Ranked {
    fn name(&self) -> &str;
    fn last_unix_ns(&self) -> i64;
    fn rank(&mut self, risk: &AtRisk);
}

impl Ranked for UserRow {
    fn name(&self) -> &str {
        &self.user
    }

    fn last_unix_ns(&self) -> i64 {
        self.last_unix_ns
    }

    fn rank(&mut self, risk: &AtRisk) {
        self.severity = Some(risk.severity);
        self.score = risk.score;
    }
}

impl Ranked for DeviceRow {
    fn name(&self) -> &str {
        &self.seen.name
    }

    fn last_unix_ns(&self) -> i64 {
        self.seen.last_unix_ns
    }

    fn rank(&mut self, risk: &AtRisk) {
        self.severity = Some(risk.severity);
        self.score = risk.score;
        self.open_alerts = Some(risk.alerts);
    }
}

impl StoreReader {
    /// Users, the riskiest first: those with open alerts by severity and score, behind them all others, the latest seen
    /// first. Those whose key is of `part`. `from`: where the page before says that this one begins; with where the next
    /// one does.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn users_by_risk(
        &self,
        part: &UserPart,
        from: Option<RiskPosition>,
        limit: usize,
    ) -> Result<ByRisk<UserRow>, StoreError> {
        let is_cut = self.are_more_open(OPEN_ALERTS_MAX)?;
        let at_risk = self.users_at_risk(part)?;
        let others = |after: Option<(i64, &str)>, limit| self.users(part, after, limit);
        let (rows, next) = by_risk(&at_risk, from, limit, |keys| self.users_named(keys), others)?;
        Ok(ByRisk { rows, next, is_cut })
    }

    /// Devices in the same order: those of the connections of the severest 1,000 open alerts come first. Those whose name
    /// holds `part`, in any case of its Latin letters.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn devices_by_risk(
        &self,
        part: &str,
        from: Option<RiskPosition>,
        limit: usize,
    ) -> Result<ByRisk<DeviceRow>, StoreError> {
        let is_cut = self.are_more_open(BODIES_MAX)?;
        let at_risk = self.devices_at_risk(part)?;
        // Of whom an alert is that was not looked at, nobody can say.
        let open_alerts = (!is_cut).then_some(0);
        let none = |seen| DeviceRow { open_alerts, ..DeviceRow::from(seen) };
        let named = |names: &[&str]| Ok(self.devices_named(names)?.into_iter().map(none).collect());
        let others = |after: Option<(i64, &str)>, limit| {
            Ok(self.devices_with(part, after, limit)?.into_iter().map(none).collect())
        };
        let (rows, next) = by_risk(&at_risk, from, limit, named, others)?;
        Ok(ByRisk { rows, next, is_cut })
    }

    /// Whether more alerts are open than so many.
    fn are_more_open(&self, alerts: usize) -> Result<bool, StoreError> {
        let query =
            format!("SELECT 1 FROM alert INDEXED BY alert_by_risk WHERE is_open LIMIT 1 OFFSET {alerts}");
        Ok(!self.rows(&query, &[], |_| Ok(()))?.is_empty())
    }

    /// Who has open alerts, the riskiest first.
    fn users_at_risk(&self, part: &UserPart) -> Result<Vec<AtRisk>, StoreError> {
        let mut at_risk = self.rows(&at_risk(), &[], |row| {
            let (name, severity) = (row.get(0)?, severity(row.get(1)?));
            Ok(AtRisk { name, severity, score: row.get(2)?, alerts: row.get(3)? })
        })?;
        at_risk.retain(|user| part.is_of(&user.name));
        at_risk.sort_by(|a, b| a.order(b.severity as u8, b.score(), &b.name));
        Ok(at_risk)
    }

    /// What open alerts are about, the riskiest first. Bodies are read here: in SQL each of their connections would be
    /// read once more.
    fn devices_at_risk(&self, part: &str) -> Result<Vec<AtRisk>, StoreError> {
        let query = format!("SELECT severity, body {SEVEREST} LIMIT {BODIES_MAX}");
        let part = part.to_ascii_lowercase();
        let found = self.rows(&query, &[], |row| {
            let body = row.get_ref(1)?.as_str()?;
            // What does not say its devices has none here.
            let body: Body<'_> = serde_json::from_str(body).unwrap_or_default();
            let devices = body.connections.into_iter().filter_map(|connection| connection.device);
            let devices = devices.filter(|device| device.to_ascii_lowercase().contains(&part));
            let devices: BTreeSet<String> = devices.map(Cow::into_owned).collect();
            Ok((severity(row.get(0)?), body.score, devices))
        })?;
        let mut by_name: BTreeMap<String, AtRisk> = BTreeMap::new();
        for (severity, score, devices) in found {
            for name in devices {
                let risk = AtRisk { name: name.clone(), severity, score, alerts: 0 };
                let risk = by_name.entry(name).or_insert(risk);
                risk.severity = risk.severity.max(severity);
                risk.score = if risk.score > score { risk.score } else { score };
                risk.alerts += 1;
            }
        }
        let mut at_risk: Vec<AtRisk> = by_name.into_values().collect();
        at_risk.sort_by(|a, b| a.order(b.severity as u8, b.score(), &b.name));
        Ok(at_risk)
    }
}

/// Open alerts, the severest first, by their index.
const SEVEREST: &str = "FROM alert INDEXED BY alert_by_risk WHERE is_open
     ORDER BY severity DESC, body ->> '$.score' DESC, number DESC";

/// Users with open alerts. The severest are found by their index alone, which has the score: of their bodies those are read
/// that list whom they are about.
fn at_risk() -> String {
    format!(
        "WITH open AS MATERIALIZED
             (SELECT number, user, severity, body ->> '$.score' AS score {SEVEREST} LIMIT {OPEN_ALERTS_MAX})
         SELECT user, max(severity) AS severity, max(score) AS score, count(*) FROM
             (SELECT user, severity, score FROM open WHERE user IS NOT NULL
              UNION ALL
              SELECT listed.value, open.severity, open.score
              FROM open CROSS JOIN alert USING (number), json_each(alert.body, '$.users') AS listed
              WHERE open.user IS NULL)
         GROUP BY user"
    )
}

/// What of an alert's body says which devices it is about.
#[derive(Default, Deserialize)]
struct Body<'b> {
    score: Option<f64>,
    #[serde(borrow, default)]
    connections: Vec<Connection<'b>>,
}

#[derive(Deserialize)]
struct Connection<'b> {
    #[serde(borrow)]
    device: Option<Cow<'b, str>>,
}

fn severity(number: i64) -> Severity {
    Severity::ALL.into_iter().find(|known| *known as i64 == number).unwrap_or_default()
}

/// A page: of those at risk, by their names, and of all others.
fn by_risk<R: Ranked>(
    at_risk: &[AtRisk],
    from: Option<RiskPosition>,
    limit: usize,
    named: impl Fn(&[&str]) -> Result<Vec<R>, StoreError>,
    others: impl Fn(Option<(i64, &str)>, usize) -> Result<Vec<R>, StoreError>,
) -> Result<(Vec<R>, Option<RiskPosition>), StoreError> {
    let mut rows = Vec::with_capacity(limit);
    let mut after: Option<(i64, String)> = None;
    match from {
        Some(RiskPosition::Seen(last, name)) => after = Some((last, name)),
        from => {
            let first = from.map_or(0, |from| at_risk.partition_point(|risk| risk.is_before(&from)));
            let shown: Vec<&AtRisk> = at_risk[first..].iter().take(limit).collect();
            let names: Vec<&str> = shown.iter().map(|risk| &*risk.name).collect();
            for mut row in named(&names)? {
                if let Some(risk) = shown.iter().find(|risk| risk.name == row.name()) {
                    row.rank(risk);
                }
                rows.push(row);
            }
            if first + shown.len() < at_risk.len() {
                return Ok((rows, shown.last().map(|last| last.position())));
            }
        }
    }
    let shown: HashSet<&str> = at_risk.iter().map(|risk| &*risk.name).collect();
    loop {
        let others = others(after.as_ref().map(|(last, name)| (*last, &**name)), limit + 1)?;
        let is_last = others.len() <= limit;
        for row in others {
            if rows.len() == limit {
                // Where none of the others is shown yet they begin at the latest.
                let (last, name) = after.unwrap_or((i64::MAX, String::new()));
                return Ok((rows, Some(RiskPosition::Seen(last, name))));
            }
            after = Some((row.last_unix_ns(), row.name().to_owned()));
            if !shown.contains(row.name()) {
                rows.push(row);
            }
        }
        if is_last {
            return Ok((rows, None));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Store, *};

    #[test]
    fn who_is_at_risk_is_found_without_the_bodies_of_open_alerts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let _store = Store::open(&path).unwrap();
        let reader = StoreReader::open(&path).unwrap();
        // A score that the index does not have would be taken out of a body by a function.
        let steps: Vec<String> =
            reader.rows(&format!("EXPLAIN {}", at_risk()), &[], |row| row.get("opcode")).unwrap();
        assert!(!steps.iter().any(|step| step.contains("Func")), "{steps:?}");
        let plan = reader.plan(&at_risk(), &[]);
        assert!(plan.iter().any(|step| step == "SCAN alert USING INDEX alert_by_risk"), "{plan:?}");
    }

    /// So many alerts of one severity that nobody has closed, each of another user and her device, numbered from here on.
    fn open(store: &Store, from: i64, many: i64, severity: Severity, name: &str) {
        store
            .connection
            .execute(
                "WITH RECURSIVE n (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < ?1 + ?2)
                 INSERT INTO alert (number, user, severity, is_open, changed, body) SELECT n, ?4 || n, ?3, TRUE, n,
                     json_object('score', 1.0 + n % 7 / 3.0, 'reasons', json_array(),
                         'connections', json_array(json_object('device', 'PC-' || ?4 || n))) FROM n",
                (from, many, severity as i64, name),
            )
            .unwrap();
        store
            .connection
            .execute_batch(
                "INSERT OR IGNORE INTO sighting (sort, name, first, last, count)
                     SELECT 1, user, number, number, 1 FROM alert
                     UNION ALL SELECT 2, 'PC-' || user, number, number, 1 FROM alert;",
            )
            .unwrap();
    }

    fn store(folder: &tempfile::TempDir) -> (Store, StoreReader) {
        let path = folder.path().join(super::super::FILE);
        (Store::open(&path).unwrap(), StoreReader::open(&path).unwrap())
    }

    #[test]
    fn the_severest_alert_stands_first_however_many_came_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let (store, reader) = store(&folder);
        open(&store, 1, 1, Severity::High, "old");
        open(&store, 2, OPEN_ALERTS_MAX as i64 - 1, Severity::Low, "new");
        let users = || reader.users_by_risk(&UserPart::default(), None, 3).unwrap();
        let devices = || reader.devices_by_risk("", None, 3).unwrap();
        assert!(!users().is_cut && devices().is_cut);
        open(&store, 3000, 10, Severity::Low, "newest");
        let page = users();
        assert_eq!((&*page.rows[0].user, page.rows[0].severity), ("old1", Some(Severity::High)));
        assert!(
            page.is_cut && page.rows[1].score > Some(2.9),
            "those are left out that weigh least: {page:?}"
        );
        let page = devices();
        assert_eq!((&*page.rows[0].seen.name, page.rows[0].open_alerts), ("PC-old1", Some(1)));
        let others =
            reader.devices_by_risk("", Some(RiskPosition::Seen(i64::MAX, String::new())), 1).unwrap();
        assert_eq!(others.rows[0].open_alerts, None, "nobody knows: {others:?}");
        store.connection.execute("UPDATE alert SET is_open = FALSE WHERE number > 100", []).unwrap();
        let others = reader.devices_by_risk("newest", None, 1).unwrap();
        assert_eq!((others.is_cut, others.rows[0].open_alerts), (false, Some(0)));
    }

    #[test]
    fn whoever_is_not_at_risk_any_more_moves_nobody_off_the_next_page() {
        let folder = tempfile::tempdir().unwrap();
        let (store, reader) = store(&folder);
        open(&store, 1, 20, Severity::Medium, "user");
        open(&store, 21, 20, Severity::Low, "user");
        // One without a score, behind all others of the same severity.
        store
            .connection
            .execute("UPDATE alert SET body = '{\"connections\": []}' WHERE number = 20", [])
            .unwrap();
        let mut seen = Vec::new();
        let mut from = None;
        loop {
            let page = reader.users_by_risk(&UserPart::default(), from, 7).unwrap();
            seen.extend(page.rows.into_iter().filter(|row| row.severity.is_some()).map(|row| row.user));
            // The first that was shown, which nobody looks for any more.
            let closed = seen[seen.len() / 14].trim_start_matches("user").to_owned();
            store.connection.execute("UPDATE alert SET is_open = FALSE WHERE number = ?1", [closed]).unwrap();
            let Some(RiskPosition::Behind(..)) = page.next else { break };
            // As a cursor is.
            from = serde_json::from_str(&serde_json::to_string(&page.next).unwrap()).unwrap();
        }
        assert_eq!((seen.len(), &*seen[19]), (40, "user20"), "{seen:?}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 40);
        assert!(
            serde_json::from_str::<RiskPosition>("{\"AtRisk\":50}").is_err(),
            "as a release before wrote it"
        );
    }
}
