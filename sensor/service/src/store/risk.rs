//! Who and what is at risk: users and devices with open alerts, by severity and score, and behind them all others.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashSet},
};

use serde::{Deserialize, Serialize};

use super::{
    StoreError, StoreReader, UserPart,
    row::{DeviceRow, UserRow},
};
use crate::alert::Severity;

/// Open alerts that are looked at for who is at risk, the newest.
const ALERTS_MAX: usize = 2_000;
/// The same for devices: each body is read whole for those of its connections.
const BODIES_MAX: usize = 1_000;

/// Where a page of users or devices by risk begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RiskPosition {
    /// At so manieth of those with open alerts.
    AtRisk(usize),
    /// Behind this one of the others, by last sign of life and name.
    Seen(i64, String),
}

/// Who has open alerts.
struct AtRisk {
    name: String,
    severity: Severity,
    score: Option<f64>,
    alerts: i64,
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
    ) -> Result<(Vec<UserRow>, Option<RiskPosition>), StoreError> {
        let at_risk = self.users_at_risk(part)?;
        let others = |after: Option<(i64, &str)>, limit| self.users(part, after, limit);
        by_risk(&at_risk, from, limit, |keys| self.users_named(keys), others)
    }

    /// Devices in the same order: those of the connections of the newest 1,000 open alerts come first. Those whose name
    /// holds `part`, in any case of its Latin letters.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn devices_by_risk(
        &self,
        part: &str,
        from: Option<RiskPosition>,
        limit: usize,
    ) -> Result<(Vec<DeviceRow>, Option<RiskPosition>), StoreError> {
        let at_risk = self.devices_at_risk(part)?;
        let none = |seen| DeviceRow { open_alerts: Some(0), ..DeviceRow::from(seen) };
        let named = |names: &[&str]| Ok(self.devices_named(names)?.into_iter().map(none).collect());
        let others = |after: Option<(i64, &str)>, limit| {
            Ok(self.devices_with(part, after, limit)?.into_iter().map(none).collect())
        };
        by_risk(&at_risk, from, limit, named, others)
    }

    /// Who has open alerts, the riskiest first.
    fn users_at_risk(&self, part: &UserPart) -> Result<Vec<AtRisk>, StoreError> {
        let mut at_risk = self.rows(&at_risk(), &[], |row| {
            let (name, severity) = (row.get(0)?, severity(row.get(1)?));
            Ok(AtRisk { name, severity, score: row.get(2)?, alerts: row.get(3)? })
        })?;
        at_risk.retain(|user| part.is_of(&user.name));
        Ok(at_risk)
    }

    /// What open alerts are about, the riskiest first. Bodies are read here: in SQL each of their connections would be
    /// read once more.
    fn devices_at_risk(&self, part: &str) -> Result<Vec<AtRisk>, StoreError> {
        let query =
            format!("SELECT severity, body FROM alert WHERE is_open ORDER BY number DESC LIMIT {BODIES_MAX}");
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
        let score = |risk: &AtRisk| risk.score.unwrap_or(0.0);
        at_risk.sort_by(|a, b| b.severity.cmp(&a.severity).then(score(b).total_cmp(&score(a))));
        Ok(at_risk)
    }
}

/// Users with open alerts. The newest are found by their index alone, which has the score: of their bodies those are read
/// that list whom they are about.
fn at_risk() -> String {
    format!(
        "WITH open AS MATERIALIZED
             (SELECT number, user, severity, body ->> '$.score' AS score
              FROM alert WHERE is_open ORDER BY number DESC LIMIT {ALERTS_MAX})
         SELECT user, max(severity) AS severity, max(score) AS score, count(*) FROM
             (SELECT user, severity, score FROM open WHERE user IS NOT NULL
              UNION ALL
              SELECT listed.value, open.severity, open.score
              FROM open CROSS JOIN alert USING (number), json_each(alert.body, '$.users') AS listed
              WHERE open.user IS NULL)
         GROUP BY user ORDER BY severity DESC, score DESC, user"
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
    match from.unwrap_or(RiskPosition::AtRisk(0)) {
        RiskPosition::AtRisk(first) => {
            let shown: Vec<&AtRisk> = at_risk.iter().skip(first).take(limit).collect();
            let names: Vec<&str> = shown.iter().map(|risk| &*risk.name).collect();
            for mut row in named(&names)? {
                if let Some(risk) = shown.iter().find(|risk| risk.name == row.name()) {
                    row.rank(risk);
                }
                rows.push(row);
            }
            if first.saturating_add(limit) < at_risk.len() {
                return Ok((rows, Some(RiskPosition::AtRisk(first + limit))));
            }
        }
        RiskPosition::Seen(last, name) => after = Some((last, name)),
    }
    let shown: HashSet<&str> = at_risk.iter().map(|risk| &*risk.name).collect();
    loop {
        let others = others(after.as_ref().map(|(last, name)| (*last, &**name)), limit + 1)?;
        let is_last = others.len() <= limit;
        for row in others {
            if rows.len() == limit {
                let next = after.map(|(last, name)| RiskPosition::Seen(last, name));
                return Ok((rows, Some(next.unwrap_or(RiskPosition::AtRisk(at_risk.len())))));
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
        assert!(plan.iter().any(|step| step == "SCAN alert USING INDEX alert_open"), "{plan:?}");
    }
}
