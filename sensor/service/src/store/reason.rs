//! Alerts by why they were raised.

use rusqlite::Connection;

/// Makes the table anew in a store that has all its alerts and no triggers.
pub(super) fn fill(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(include_str!("alert-reasons-fill.sql"))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{AlertFilter, Store, StoreReader},
        *,
    };

    fn rows(store: &Store) -> Vec<(String, i64, bool)> {
        let mut select = store.connection.prepare("SELECT name, number, is_open FROM alert_reason").unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }

    fn row(name: &str, number: i64, is_open: bool) -> (String, i64, bool) {
        (name.to_owned(), number, is_open)
    }

    /// As `alert::write` puts one in, with detections and features of its reasons.
    fn write(store: &Store, number: i64, is_open: bool, reasons: &[(&str, Option<&str>)]) {
        let reasons: Vec<_> = reasons
            .iter()
            .map(|(detection, feature)| serde_json::json!({ "detection": detection, "feature": feature }))
            .collect();
        let body = serde_json::json!({ "reasons": reasons }).to_string();
        store
            .connection
            .execute(
                "INSERT INTO alert (number, user, severity, is_open, changed, body) VALUES (?1, 'ada', 2, ?2, 5, ?3)
                 ON CONFLICT DO UPDATE SET user = 'ada', severity = 2, is_open = ?2, changed = 5, body = ?3",
                (number, is_open, body),
            )
            .unwrap();
    }

    #[test]
    fn an_alert_is_there_under_each_of_its_reasons_as_they_are_now() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join(super::super::FILE)).unwrap();
        let score = "suspicious-connection";
        write(&store, 1, true, &[(score, Some("network")), (score, Some("device"))]);
        assert_eq!(rows(&store), [row("device", 1, true), row("network", 1, true), row(score, 1, true)]);
        write(&store, 1, true, &[(score, Some("network")), ("impossible-travel", None)]);
        write(&store, 2, true, &[(score, Some("network"))]);
        write(&store, 1, false, &[(score, Some("network")), ("impossible-travel", None)]);
        let standing = [
            row("impossible-travel", 1, false),
            row("network", 1, false),
            row("network", 2, true),
            row(score, 1, false),
            row(score, 2, true),
        ];
        assert_eq!(rows(&store), standing);
        fill(&store.connection).unwrap();
        assert_eq!(rows(&store), standing, "at once it is the same");
        store.connection.execute("DELETE FROM alert WHERE number = 1", []).unwrap();
        assert_eq!(rows(&store), [row("network", 2, true), row(score, 2, true)]);
    }

    #[test]
    fn a_store_of_the_release_before_gets_its_reasons_when_it_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let store = Store::open(&path).unwrap();
        write(&store, 1, true, &[("suspicious-connection", Some("network"))]);
        write(&store, 2, false, &[("impossible-travel", None)]);
        let made = rows(&store);
        store
            .connection
            .execute_batch(
                "DROP TRIGGER reasons_with_alert; DROP TRIGGER reasons_changed; DROP TRIGGER reasons_gone;
                 DROP TABLE alert_reason; DROP INDEX notice_held; DROP INDEX session_long_by_user;
                 DROP INDEX session_long_by_remote; DROP INDEX place_by_name; DROP INDEX place_by_country;
                 DROP INDEX device_by_name; DROP INDEX alert_by_risk; PRAGMA user_version = 6;",
            )
            .unwrap();
        drop(store);
        assert_eq!(rows(&Store::open(&path).unwrap()), made);
    }

    #[test]
    fn alerts_of_a_reason_are_found_without_a_look_into_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(super::super::FILE);
        let _store = Store::open(&path).unwrap();
        let reader = StoreReader::open(&path).unwrap();
        for (state, index) in [
            (None, "PRIMARY KEY (name="),
            (Some(super::super::AlertState::Open), "INDEX alert_reason_open (name="),
            (Some(super::super::AlertState::Closed), "PRIMARY KEY (name="),
        ] {
            let filter = AlertFilter {
                state,
                reason: Some("network".to_owned()),
                before: Some(9),
                ..AlertFilter::default()
            };
            let plan = reader.plan_of_alerts(&filter);
            assert!(plan[0].contains(index) && plan[0].contains("number<"), "{state:?}: {plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{state:?}: {plan:?}");
        }
    }
}
