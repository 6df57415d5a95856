//! A user's profile: maps, days, files.

use crate::{HOSTILE, check, desk::Desk, host::Host, path};

#[test]
fn a_profile_shows_places_days_and_the_last_month() {
    let desk = Desk::open();
    let carol = desk.host.signed_in("carol");
    let answer = carol.get("/users/user0");
    check(&answer, "profile");
    for part in [
        "class=\"map\"",
        "class=\"calendar\"",
        "class=\"timeline\"",
        "class=\"bar alert\"",
        "Boxford",
        "Changchun",
        "Places of connections: 2 places, most at Boxford",
        "Connections on 21 days since",
        "scope=\"col\"",
        "/users/user0/connections.csv",
    ] {
        assert!(answer.text.contains(part), "{part:?} is not in {}", answer.text);
    }
    // What was done, each with where: mornings at Boxford, and somebody at Changchun.
    let (_, activities) = answer.text.split_once("aria-label=\"Activities\"").unwrap();
    let (activities, _) = activities.split_once("</table>").unwrap();
    let rows: Vec<&str> = activities.split("<tr>").skip(2).collect();
    assert_eq!(rows.len(), 20, "{activities}");
    let has = |parts: &[&str]| rows.iter().any(|row| parts.iter().all(|part| row.contains(part)));
    assert!(has(&[">connected<", "Changchun", "href=\"/alerts/1\""]), "{activities}");
    assert!(has(&[">connected<", "Boxford"]) && has(&[">disconnected", "Boxford"]), "{activities}");
    let times: Vec<&str> = rows.iter().map(|row| row.split("datetime=\"").nth(1).unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0][..20] >= pair[1][..20]), "the newest first: {times:?}");
    let moved = "Of a connection that moved: where it was last.";
    assert_eq!(answer.text.matches(moved).count(), 4, "map, locations, activities, connections");
    let on_the_wire = carol.octets_on_the_wire("/users/user0");
    assert!(on_the_wire < answer.text.len() / 3, "{on_the_wire} of {}", answer.text.len());
    let device = carol.get("/devices/KALI");
    check(&device, "device");
    assert!(device.text.contains("class=\"map\"") && device.text.contains("/users/user2"));
    assert_eq!(device.text.matches(moved).count(), 3, "map, locations, connections");
    let overview = carol.get("/");
    check(&overview, "overview");
    assert!(overview.text.contains("On line now: 4") && overview.text.contains("Where they are: 4 places"));
}

#[test]
fn a_user_s_connections_are_files_without_formulas() {
    let formula = "=HYPERLINK(\"http://evil.example\")";
    let host = Host::start(&[formula, HOSTILE[0], "dave"]);
    let carol = host.signed_in("carol");
    let answer = carol.get(&format!("/users/{}/connections.csv", path(formula)));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    let name = "attachment; filename=\"connections-_HYPERLINK__http___evil.example__.csv\"";
    assert_eq!(answer.header("content-disposition"), name);
    let lines: Vec<&str> = answer.text.split("\r\n").collect();
    assert!(
        lines[0]
            .starts_with("\u{feff}\"start\",\"end\",\"seconds\",\"user\",\"address\",\"place\",\"country\""),
        "{}",
        lines[0]
    );
    assert!(lines[1].contains(",\"'=hyperlink(\"\"http://evil.example\"\")\","), "{}", lines[1]);
    assert!(
        lines[1].contains("\"203.0.113.0\",\"Lyon, FR\",\"FR\",\"AS64500 Example Telecom"),
        "{}",
        lines[1]
    );
    assert!(!answer.text.contains(",=") && !answer.text.contains(",\"="));
    let answer = carol.get(&format!("/users/{}/connections.json", path(HOSTILE[0])));
    assert_eq!(answer.header("content-type"), "application/json");
    let rows: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(rows[0]["session"], "s001");
    assert_eq!(carol.get("/users/nobody/connections.csv").status, 404);
    assert_eq!(host.stranger().get("/users/dave/connections.csv").status, 303, "to the sign-in");
    let audit = host.control.audit(100).unwrap();
    assert!(audit.iter().any(|row| &*row.action == "user.export" && row.who == "carol@portal"));
}
