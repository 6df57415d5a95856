//! The page of somebody busy, and of somebody who was away.

use std::path::Path;

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use tower::ServiceExt as _;

use super::*;
use crate::{control::Role, portal::testing, store::Store};

fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs() as i64
}

/// A store in which `busy` connected each so many seconds, as often as is said, and alerts list some of the connections, each
/// by how many there were since; the second of them is about an address. When the newest began, seconds since 1970.
fn fill(folder: &Path, every_s: i64, connections: i64, in_alerts: &[i64]) -> i64 {
    std::fs::create_dir_all(crate::folder(folder)).unwrap();
    let path = crate::folder(folder).join(crate::store::FILE);
    drop(Store::open(&path).unwrap());
    let store = rusqlite::Connection::open(&path).unwrap();
    let newest_s = now_s() - 60;
    let newest = newest_s * SECOND_NS;
    store
        .execute_batch(&format!(
            "BEGIN;
             INSERT INTO server (number, client) VALUES (1, 'vpn');
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {connections})
             INSERT INTO session (number, server, session_id, start, start_source, last_seen, ended, end_reason, user, assigned)
             SELECT n, 1, 's' || n, {newest} - ({connections} - n) * {every_s}000000000, 'start',
                 {newest} - ({connections} - n) * {every_s}000000000 + 60000000000,
                 {newest} - ({connections} - n) * {every_s}000000000 + 60000000000, 'stop', 'busy', '' FROM n;
             INSERT INTO sighting (sort, name, first, last, count)
             SELECT 1, 'busy', min(start), max(last_seen), count(*) FROM session;"
        ))
        .unwrap();
    for (number, since) in (1..).zip(in_alerts) {
        let mut alert = testing::alert(number);
        alert.user = (number != 2).then(|| "busy".to_owned());
        let mut body = serde_json::to_value(alert).unwrap();
        let session = connections - since;
        body["connections"] = serde_json::json!([{
            "session": session, "session_id": "s", "start_unix_ns": 0, "score": 0.0, "address": null, "place": null,
            "country": null, "latitude": null, "longitude": null, "asn": null, "organisation": null, "kinds": [],
            "user": (number == 2).then_some("busy"), "device": null, "software": null, "server": null, "server_address": null,
        }]);
        let put = "INSERT INTO alert (number, user, severity, is_open, changed, body) VALUES (?1, ?2, 1, 1, ?3, ?4)";
        let user = body["user"].as_str();
        store.execute(put, rusqlite::params![number as i64, user, newest, body.to_string()]).unwrap();
    }
    store.execute_batch("COMMIT").unwrap();
    newest_s
}

/// The page of `busy`.
async fn page_of(folder: &Path) -> String {
    let portal = testing::portal(folder, None).await;
    let cookie = testing::visit(&portal, "carol", Role::Analyst);
    let (status, _, text) = testing::ask(&portal, "/users/busy", &[("cookie", &cookie)], None).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    let request = Request::builder().uri("/users/busy").header(header::HOST, "127.0.0.1:8813");
    let request = request.header(header::COOKIE, cookie).header(header::ACCEPT_ENCODING, "gzip");
    let answer = crate::portal::router(&portal).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
    let octets = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    assert!(octets.len() < 40_000, "{} on the wire", octets.len());
    text
}

#[tokio::test]
async fn of_somebody_busy_every_day_is_counted_and_an_alert_of_ten_days_ago_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    // 120 connections a day since before the first day that the calendar shows.
    let (every_s, ago) = (720, 1_200);
    let newest_s = fill(folder.path(), every_s, 24_000, &[ago, ago - 1]);
    let text = page_of(folder.path()).await;
    assert!(!text.contains("not counted") && !text.contains("class=\"uncounted\""), "{text}");
    let half = newest_s - 100 * DAY_S;
    assert!(text.contains(&format!("<title>{}: 120</title>", plot::date(half / DAY_S))), "{text}");
    // 300 of the newest, which is two days and a half, and the two in alerts.
    assert_eq!(text.matches("class=\"bar alert\"").count(), 2, "{text}");
    for part in [
        "302 connections in thirty days since",
        "302 connections are drawn: all that began since",
        "and of those before in alerts alone",
        "class=\"partly\"",
        "href=\"/connections?user=busy&amp;since=",
        "all else but days and hours are of the newest 2000",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let began_s = newest_s - ago * every_s;
    assert!(text.contains(&Zone::default().minute(began_s)), "the bar says when: {text}");
}

#[tokio::test]
async fn of_somebody_busier_the_page_says_from_which_day_on_days_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    // 480 a day: 40,000 of them are 83 days.
    let newest_s = fill(folder.path(), 180, 60_000, &[]);
    let text = page_of(folder.path()).await;
    let oldest_s = newest_s - (STARTS_COUNTED as i64 - 1) * 180;
    let whole = oldest_s / DAY_S + 1;
    for part in [
        format!("<title>{}: not counted</title>", plot::date(whole - 1)),
        format!("<title>{}: 480</title>", plot::date(whole)),
        format!("counted over the newest 40000 connections: since {}", plot::date(whole)),
        format!("days since {}, most on", plot::date(whole)),
    ] {
        assert!(text.contains(&part), "{part}: {text}");
    }
    let long_before = format!("<title>{}: not counted</title>", plot::date(whole - 60));
    assert!(text.contains(&long_before), "no day that was not counted is one without: {text}");
}

fn values(count: usize) -> Vec<UsualValue> {
    let value = |number| UsualValue {
        name: format!("<{number}>"),
        connections: 20 - number as u32,
        days: 1,
        first_seen: String::new(),
        last_seen: String::new(),
    };
    (0..count).map(value).collect()
}

#[test]
fn all_that_is_usual_is_there_and_until_when_that_was() {
    // 2026-11-23.
    let now_s = 20_780 * DAY_S + 5;
    let page = UsualPage {
        as_of: "2026-11-23".to_owned(),
        connections: 42,
        days: 20,
        places: values(16),
        devices: values(5),
        ..UsualPage::empty()
    };
    let today = usual(&page, now_s).into_string();
    assert!(today.contains("42 connections on 20 of thirty days. "), "{today}");
    for number in 0..16 {
        assert!(today.contains(&format!("&lt;{number}&gt;</bdi> ({})", 20 - number)), "{number}: {today}");
    }
    assert_eq!(today.matches("<details><summary>11 more</summary>").count(), 1, "{today}");
    assert_eq!(today.matches("<details>").count(), 1, "five need not be unfolded: {today}");
    let away = usual(&UsualPage { as_of: "2026-09-21".to_owned(), ..page }, now_s).into_string();
    assert!(away.contains("42 connections on 20 of thirty days up to 2026-09-21 (UTC). "), "{away}");
}
