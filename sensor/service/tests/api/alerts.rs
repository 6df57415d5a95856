//! Alerts: listed, read, closed and commented on.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::desk::{Desk, PEOPLE};

/// The alert of the user with this number.
fn alert_of(desk: &Desk, user: usize) -> u64 {
    let listed = desk.list(&format!("alerts?user=user{user}"));
    assert_eq!(listed.len(), 1, "{listed:?}");
    listed[0]["number"].as_u64().unwrap()
}

fn rfc3339(seconds_ago: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    jiff::Timestamp::from_second((now - seconds_ago) as i64).unwrap().to_string()
}

#[test]
fn filters_choose() {
    let desk = Desk::open();
    let count = |filter: &str| desk.list(&format!("alerts?{filter}")).len();
    assert_eq!(count(""), PEOPLE);
    assert_eq!((count("severity=low"), count("severity=medium"), count("severity=high")), (PEOPLE, 1, 1));
    assert_eq!(desk.list("alerts?severity=high")[0]["user"], "user0@contoso.example");
    assert_eq!((count("user=CONTOSO%5CUser3"), count("user=nobody")), (1, 0));
    // Three of a day are sent besides those of high severity.
    assert_eq!((count("held=true"), count("held=false")), (2, PEOPLE - 2));
    assert!(desk.list("alerts?held=true").iter().all(|alert| alert["held"] == true));
    assert_eq!((count("reason=simultaneous-sessions"), count("reason=country")), (1, PEOPLE));
    assert_eq!((count("reason=unusual-volume"), count("reason=hour")), (0, 0));
    let (before, after) = (rfc3339(3600), rfc3339(0));
    assert_eq!((count(&format!("since={before}")), count(&format!("since={after}"))), (PEOPLE, 0));
    assert_eq!((count(&format!("until={before}")), count(&format!("until={after}"))), (0, PEOPLE));

    let (usual, unclear) = (alert_of(&desk, 1), alert_of(&desk, 2));
    for (alert, verdict) in [(usual, "usual"), (unclear, "unclear")] {
        let answer = desk.post(&format!("alerts/{alert}/close"), &json!({"verdict": verdict}));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!((count("state=open"), count("state=closed")), (PEOPLE - 2, 2));
    assert_eq!((count("state=usual"), count("state=unclear"), count("state=malicious")), (1, 1, 0));
    assert_eq!(desk.list("alerts?state=usual")[0]["number"], usual);
    assert_eq!(count("state=closed&severity=high"), 0);

    let audit = desk.control.audit(1000).unwrap();
    let lists: Vec<_> = audit.iter().filter(|row| row.action == "alerts.list").collect();
    assert!(lists.iter().any(|row| row.subject.as_deref() == Some("user3@contoso.example")));
    assert_eq!(lists.last().unwrap().details.as_deref(), Some("state=closed, severity=high"));
}

#[test]
fn what_is_usual_has_only_connections_whose_alert_was_closed_as_usual() {
    let desk = Desk::open();
    let is_usual = |user: usize| {
        let page = desk.get(&format!("users/user{user}@contoso.example"));
        assert_eq!(page.status, 200, "{}", page.body);
        let devices = page.body["usual"]["devices"].as_array().unwrap();
        devices
            .iter()
            .any(|device| device["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("kali")))
    };
    for (user, verdict, becomes_usual) in [(1, "usual", true), (2, "unclear", false), (3, "malicious", false)]
    {
        assert!(!is_usual(user), "while it is open");
        let close = format!("alerts/{}/close", alert_of(&desk, user));
        assert_eq!(desk.post(&close, &json!({"verdict": verdict})).status, 200);
        assert_eq!(is_usual(user), becomes_usual, "{verdict}");
    }
}

#[test]
fn paging_reaches_every_alert_once_the_newest_first() {
    let desk = Desk::open();
    let mut seen = Vec::new();
    let mut next = String::new();
    loop {
        let page = desk.get(&format!("alerts?limit=4&reason=country{next}")).body;
        seen.extend(page["items"].as_array().unwrap().iter().map(|alert| alert["number"].as_u64().unwrap()));
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(seen, (1..=PEOPLE as u64).rev().collect::<Vec<_>>());
}

#[test]
fn an_alert_has_everything_on_one_page() {
    let desk = Desk::open();
    let number = alert_of(&desk, 0);
    let page = desk.get(&format!("alerts/{number}")).body;
    let mut reasons = page["reasons"].as_array().unwrap().iter();
    let country = reasons.find(|reason| reason["feature"] == "country").unwrap();
    assert_eq!((&country["seen"], &country["expected"][0]["value"]), (&"CN".into(), &"GB".into()), "{page}");
    let evidence = &page["connections"][0];
    assert_eq!(
        (&evidence["address"], &evidence["device"], &evidence["server"]),
        (&"175.16.199.7".into(), &"KALI".into(), &"gateway".into())
    );
    let technique = page["techniques"].as_array().unwrap().iter().find(|one| one["id"] == "T1133").unwrap();
    assert_eq!(technique["name"], "External Remote Services");
    assert!(!page["advice"].as_array().unwrap().is_empty());
    assert_eq!((&page["history"][0]["news"], &page["waiting"]), (&"new".into(), &0.into()));

    // What belongs to it says so.
    let session = desk.get(&format!("sessions/{}", evidence["session"])).body;
    assert_eq!((&session["session"], &session["alert"]), (&"away-0".into(), &number.into()));
    let sessions = desk.list("sessions?user=user0&limit=3");
    let alerts: Vec<_> =
        sessions.iter().map(|session| (session["session"].as_str().unwrap(), &session["alert"])).collect();
    assert_eq!(alerts, [("away-0", &number.into()), ("0-0", &Value::Null), ("1-0", &Value::Null)]);
    let user = desk.get("users/user0").body;
    assert_eq!((&user["open_alerts"], &user["alerts"][0]["number"]), (&1.into(), &number.into()), "{user}");
    assert!(desk.list("users").iter().all(|user| user["open_alerts"] == 1));

    let audit = desk.control.audit(1000).unwrap();
    let shown = audit.iter().find(|row| row.action == "alert.show").unwrap();
    assert_eq!((&*shown.who, shown.subject.as_deref()), ("reports", Some("user0@contoso.example")));
}

#[test]
fn a_comment_and_a_verdict_take_effect_before_they_are_answered() {
    let desk = Desk::open();
    let number = alert_of(&desk, 4);
    let written = "asked her:\n\tshe \"was\" in Lyon, ça va \u{1f44d}";
    let answer = desk.post(&format!("alerts/{number}/comments"), &json!({"text": format!(" {written}\r\n")}));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let comment = &answer.body["comments"][0];
    assert_eq!((&comment["by"], &comment["text"]), (&"desk".into(), &written.into()));
    assert_eq!(answer.body["waiting"], 0);
    // Word for word the same again is another comment.
    for count in [2, 3] {
        let answer = desk.post(&format!("alerts/{number}/comments"), &json!({"text": "again"}));
        assert_eq!(answer.body["comments"].as_array().unwrap().len(), count, "{}", answer.body);
    }
    let revision = desk.get(&format!("alerts/{number}")).body["revision"].as_u64().unwrap();
    let stale = json!({"verdict": "usual", "revision": revision - 1});
    let answer = desk.post(&format!("alerts/{number}/close"), &stale);
    assert_eq!((answer.status, &answer.body["state"]["state"]), (409, &"open".into()), "{}", answer.body);
    assert!(answer.body["detail"].as_str().unwrap().contains("changed since"), "{}", answer.body);
    let closing = json!({"verdict": "malicious", "comment": "stolen", "revision": revision});
    let answer = desk.post(&format!("alerts/{number}/close"), &closing);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let state = &answer.body["state"];
    assert_eq!(
        (&state["state"], &state["verdict"], &state["by"]),
        (&"closed".into(), &"malicious".into(), &"desk".into())
    );
    let page = desk.get(&format!("alerts/{number}")).body;
    assert_eq!(page, answer.body);
    let history = page["history"].as_array().unwrap();
    let news: Vec<_> = history.iter().map(|happened| happened["news"].as_str().unwrap()).collect();
    assert_eq!(news, ["new", "updated", "updated", "updated", "updated", "closed"]);
    let texts: Vec<_> = history.iter().map(|happened| happened["comment"]["text"].as_str()).collect();
    assert_eq!(texts, [None, Some(written), Some("again"), Some("again"), Some("stolen"), None]);
    assert_eq!(history[5]["closed"], page["state"]);
    assert_eq!(desk.get("users/user4").body["open_alerts"], 0);

    let audit = desk.control.audit(1000).unwrap();
    let decided: Vec<_> = audit
        .iter()
        .filter(|row| row.who == "desk")
        .map(|row| (&*row.action, row.subject.as_deref()))
        .collect();
    let subject = Some("user4@contoso.example");
    let comments = std::iter::repeat_n(("alert.comment", subject), 3);
    assert_eq!(decided, comments.chain([("alert.close", subject)]).collect::<Vec<_>>());

    // People's decisions are inputs: a rebuild makes the same of them.
    let (live, rebuilt) = desk.close();
    assert_eq!(live, rebuilt);
}

#[test]
fn of_those_who_decide_at_once_one_is_first_and_the_others_learn_it() {
    let desk = Desk::open();
    let number = alert_of(&desk, 3);
    desk.pause(true);
    let path = format!("alerts/{number}/close");
    let deciders = ["usual", "malicious", "unclear"]
        .map(|verdict| thread::spawn(desk.posting(&path, &json!({"verdict": verdict, "comment": verdict}))));
    // All have been put in before the service looks.
    while desk.control.decisions_waiting(number).unwrap() != (3, 3) {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(desk.get(&format!("alerts/{number}")).body["waiting"], 3);
    desk.pause(false);
    let answers = deciders.map(|decider| decider.join().unwrap());
    let (taken, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((taken.len(), refused.len()), (1, 2));
    let state = &taken[0].body["state"];
    for answer in refused {
        assert_eq!((answer.status, answer.header("content-type")), (409, "application/problem+json"));
        assert_eq!(&answer.body["state"], state, "{}", answer.body);
        assert!(answer.body["detail"].as_str().unwrap().contains("by desk"), "{}", answer.body);
    }
    // Who comes later learns it at once, also with a comment.
    for (path, body) in [("close", json!({"verdict": "unclear"})), ("comments", json!({"text": "late"}))] {
        let answer = desk.post(&format!("alerts/{number}/{path}"), &body);
        assert_eq!((answer.status, &answer.body["state"]), (409, state), "{path}: {}", answer.body);
    }
    assert_eq!(&desk.get(&format!("alerts/{number}")).body["state"], state);
}

#[test]
fn what_the_service_has_not_taken_yet_is_accepted_and_taken_later() {
    let desk = Desk::open();
    let number = alert_of(&desk, 3);
    desk.pause(true);
    let answer = desk.post(&format!("alerts/{number}/close"), &json!({"verdict": "usual"}));
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert!(answer.body["detail"].as_str().unwrap().contains("will"), "{}", answer.body);
    let page = desk.get(&format!("alerts/{number}")).body;
    assert_eq!((&page["state"]["state"], &page["waiting"]), (&"open".into(), &1.into()));
    desk.pause(false);
    while desk.get(&format!("alerts/{number}")).body["state"]["state"] == "open" {
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn nobody_fills_the_disk_with_decisions_that_wait() {
    let desk = Desk::open();
    let number = alert_of(&desk, 3);
    desk.pause(true);
    for _ in 0..1000 {
        desk.control.decide(number, None, Some("again"), "desk").unwrap();
    }
    let answer = desk.post(&format!("alerts/{number}/close"), &json!({"verdict": "usual"}));
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{}", answer.body);
    desk.pause(false);
    while desk.control.decisions_waiting(number).unwrap().0 > 0 {
        thread::sleep(Duration::from_millis(20));
    }
    // Of so many an alert keeps a hundred, and says so.
    let answer = desk.post(&format!("alerts/{number}/comments"), &json!({"text": "one more"}));
    assert_eq!((answer.status, &answer.body["state"]["state"]), (409, &"open".into()), "{}", answer.body);
    let answer = desk.post(&format!("alerts/{number}/close"), &json!({"verdict": "usual"}));
    assert_eq!((answer.status, answer.body["comments"].as_array().unwrap().len()), (200, 100));
}

#[test]
fn wrong_questions_and_decisions_are_named_and_change_nothing() {
    let desk = Desk::open();
    for (path, named) in [
        ("alerts?stat=open", "stat"),
        ("alerts?state=shut", "shut"),
        ("alerts?severity=worst", "worst"),
        ("alerts?held=maybe", "held"),
        ("alerts?reason=travel", "travel"),
        ("alerts?since=yesterday", "since"),
        ("alerts?cursor=x", "cursor"),
        ("alerts?limit=1001", "limit"),
        ("alerts/x", "x"),
        ("alerts/18446744073709551615", "18446744073709551615"),
        ("alerts/1?x=y", "x"),
    ] {
        let answer = desk.get(path);
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        assert!(answer.body["detail"].as_str().unwrap().contains(named), "{path}: {}", answer.body);
    }
    assert_eq!(desk.get("alerts/999").status, 404);

    let number = alert_of(&desk, 0);
    let (close, comments) = (format!("alerts/{number}/close"), format!("alerts/{number}/comments"));
    let json = "application/json";
    let deep = "[".repeat(5000);
    let (long, longest) = (json!({"text": "x".repeat(4097)}), json!({"text": "x".repeat(60_000)}));
    for (status, path, body) in [
        (400, &close, "{"),
        (400, &close, ""),
        (422, &comments, &*deep),
        (422, &close, r#"["usual","x"]"#),
        (422, &close, "{}"),
        (422, &close, "[]"),
        (422, &close, r#"{"verdict":"guilty"}"#),
        (422, &close, r#"{"verdict":"usual","coment":"x"}"#),
        (422, &close, r#"{"verdict":"usual","verdict":"malicious"}"#),
        (422, &close, r#"{"verdict":"usual","comment":" "}"#),
        (422, &comments, r#"{"text":"a\u001b[2Jb"}"#),
        (422, &comments, r#"{"text":"a\u202eb"}"#),
        (422, &comments, r#"{"text":""}"#),
        (422, &comments, r#"{"text":7}"#),
        (422, &comments, &*long.to_string()),
        (413, &comments, &*longest.to_string()),
        (404, &"alerts/999/close".to_owned(), r#"{"verdict":"usual"}"#),
        (400, &"alerts/x/close".to_owned(), r#"{"verdict":"usual"}"#),
        (400, &format!("{close}?by=root"), r#"{"verdict":"usual"}"#),
        (405, &"alerts".to_owned(), "{}"),
    ] {
        let answer = desk.post_as(path, Some(&desk.token), json, body);
        let shown: String = body.chars().take(60).collect();
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, "application/problem+json"),
            "{path} {shown}: {}",
            answer.body
        );
        assert!(answer.body["detail"].as_str().unwrap().len() < 400, "{shown}: {}", answer.body);
    }
    // Who may not decide is told before anything of the body is read.
    let usual = r#"{"verdict":"usual"}"#;
    for (status, token, media_type, body) in [
        (401, None, json, usual),
        (401, Some("vpns_wrong"), json, usual),
        (403, Some(&*desk.reader), json, usual),
        (403, Some(&*desk.reader), json, "{"),
        (415, Some(&*desk.token), "text/plain", usual),
    ] {
        let answer = desk.post_as(&close, token, media_type, body);
        assert_eq!(answer.status, status, "{token:?} {media_type} {body}: {}", answer.body);
    }
    assert_eq!(desk.control.decisions_waiting(number).unwrap(), (0, 0));
    let page = desk.get(&format!("alerts/{number}")).body;
    assert_eq!((&page["state"]["state"], &page["revision"]), (&"open".into(), &1.into()));
}

#[test]
fn the_description_tells_all_members_that_an_alert_has() {
    let desk = Desk::open();
    let answer = desk.post("alerts/1/close", &json!({"verdict": "usual", "comment": "at home"}));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let description = desk.get("openapi.json").body;
    for (schema, answer) in [("AlertNow", answer.body), ("AlertRow", desk.list("alerts")[0].clone())] {
        let described = members(&description, &description["components"]["schemas"][schema]);
        let had: BTreeSet<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(had.is_subset(&described), "{schema}: {:?}", had.difference(&described));
    }
    let close = &description["paths"]["/api/v1/alerts/{alert}/close"]["post"];
    let body = &close["requestBody"]["content"]["application/json"]["schema"];
    assert!(members(&description, body).contains("verdict"), "{close}");
    for status in ["200", "202", "409", "default"] {
        assert!(close["responses"][status].is_object(), "{status}: {close}");
    }
}

/// Of a schema, also where it is made of others.
fn members<'a>(description: &'a Value, schema: &'a Value) -> BTreeSet<&'a str> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/components/schemas/").unwrap();
        found.extend(members(description, &description["components"]["schemas"][name]));
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        found.extend(members(description, part));
    }
    found.extend(schema["properties"].as_object().into_iter().flat_map(|all| all.keys().map(String::as_str)));
    found
}

#[test]
fn an_alert_about_travel_has_its_journey_and_its_records() {
    let desk = Desk::open();
    let number = alert_of(&desk, 0);
    let alert = desk.get(&format!("alerts/{number}")).body;
    let journey = &alert["journey"];
    assert!(journey["from"]["name"].as_str().unwrap().contains("Boxford"), "{journey}");
    assert_eq!((journey["seconds"].as_u64(), journey.get("kmh_least")), (Some(0), None), "both at once");
    assert!(journey["km"].as_f64().unwrap() > 8000.0 && journey["km_least"].as_f64().unwrap() > 7000.0);
    let records = desk.get(&format!("alerts/{number}/records")).body;
    assert_eq!(records["complete"], true);
    let items = records["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{records}");
    let has =
        |value: &str| items[0]["attributes"].as_array().unwrap().iter().any(|one| one["value"] == value);
    assert!(has("away-0") && has("Start") && has("user0"), "{records}");
    assert!(desk.get(&format!("alerts/{}", alert_of(&desk, 1))).body.get("journey").is_none());
    assert_eq!(desk.get("alerts/999/records").status, 404);
}

#[test]
fn users_come_by_risk_and_maps_have_points() {
    let desk = Desk::open();
    let users = desk.list("users?sort=risk&limit=3");
    assert_eq!((&users[0]["user"], &users[0]["severity"]), (&"user0@contoso.example".into(), &"high".into()));
    assert!(users[0]["score"].as_f64().unwrap() > users[1]["score"].as_f64().unwrap());
    let page = desk.get("users?sort=risk&limit=3").body;
    let next = page["next"].as_str().unwrap();
    let others = desk.list(&format!("users?sort=risk&limit=3&cursor={next}"));
    assert_eq!(others.len(), PEOPLE - 3);
    assert!(others.iter().all(|user| !users.contains(user)));
    assert_eq!(desk.get("users?sort=name").status, 400);
    let spots = desk.list("map");
    assert_eq!(
        spots.iter().map(|spot| spot["connections"].as_i64().unwrap()).sum::<i64>(),
        PEOPLE as i64 + 1
    );
    assert_eq!(desk.get("map").body["open"], PEOPLE + 1);
    assert!(spots.iter().all(|spot| spot["latitude"].is_f64() && spot["radius_km"].is_i64()), "{spots:?}");
    let user = desk.get("users/user0").body;
    assert_eq!(
        (user["spots"][0]["connections"].as_i64(), user["days"].as_array().unwrap().len()),
        (Some(21), 21)
    );
}

#[test]
fn whoever_had_an_address_inside_the_tunnel_is_found_by_it() {
    let desk = Desk::open();
    let found = |q: &str| desk.get(&format!("search?q={q}")).body["assigned"].clone();
    let addresses = |found: &Value| -> Vec<String> {
        found.as_array().unwrap().iter().map(|row| row["address"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        addresses(&found("10.1.")),
        (0..PEOPLE).map(|user| format!("10.1.0.{user}")).collect::<Vec<_>>()
    );
    let one = &found("10.1.0.3")[0];
    assert_eq!(
        (&one["user"], &one["end"]),
        (&"user3@contoso.example".into(), &Value::Null),
        "the newest: {one}"
    );
    assert_eq!(addresses(&found("2001:DB8:1:2:a::7")), ["2001:db8:1:2::/64"]);
    assert_eq!(addresses(&found("2001:db8:1:3::7")), Vec::<String>::new());
    assert_eq!(desk.get("search?q=AWAY-3").body["sessions"], json!(["away-3"]));
    assert_eq!(desk.list("sessions?session=AWAY-3").len(), 1);

    let had = desk.list("sessions?assigned=10.1.0.3");
    let starts: Vec<&str> = had.iter().map(|row| row["start"].as_str().unwrap()).collect();
    assert_eq!(had.len(), 21);
    assert!(starts.is_sorted_by(|one, next| one > next), "the newest first: {starts:?}");
    assert!(had.iter().all(|row| row["user"] == "user3@contoso.example"));
    assert_eq!(desk.list("sessions?assigned=10.1.0.3&open=true").len(), 1);
    assert_eq!(desk.list("sessions?assigned=10.1.0.3&user=user2").len(), 0);
    for wrong in ["10.1.0", "10.1.0.3/33", "nowhere", "2001:db8::/x"] {
        assert_eq!(desk.get(&format!("sessions?assigned={wrong}")).status, 400, "{wrong}");
    }
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = desk.get(&format!("sessions?assigned=2001:db8:1:2::9&limit=50{next}")).body;
        seen.extend(page["items"].as_array().unwrap().iter().map(|row| row["number"].as_i64().unwrap()));
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!((all, seen.len()), (21 * PEOPLE + 1, 21 * PEOPLE + 1));
    // Addresses come and go with their connections, live and when the store is made anew.
    let (live, rebuilt) = desk.close();
    assert_eq!(live, rebuilt);
}

#[test]
fn one_question_finds_everything_that_has_a_name() {
    let desk = Desk::open();
    let found = |q: &str| desk.get(&format!("search?q={q}")).body;
    assert_eq!(found("USER3")["users"][0]["user"], "user3@contoso.example");
    assert_eq!(found("kal")["devices"][0]["name"], "KALI");
    assert_eq!(found("2.125.")["addresses"], serde_json::json!(["2.125.160.216"]));
    assert_eq!(found("away-")["sessions"].as_array().unwrap().len(), PEOPLE);
    assert_eq!(found("gate")["servers"][0]["name"], "gateway");
    assert_eq!(found("boxford")["places"].as_array().unwrap().len(), 1);
    let number = found("gate")["servers"][0]["number"].as_i64().unwrap();
    assert_eq!(desk.list(&format!("sessions?server_number={number}&open=true")).len(), PEOPLE + 1);
    assert_eq!(found("%20")["users"], serde_json::json!([]), "nothing was asked");
    assert_eq!(desk.get("search").status, 400);
    assert_eq!(desk.get("sensors/now").body["name"], "edge");
    assert_eq!(desk.get("sensors/history?minutes=0").status, 400);
    assert_eq!(desk.get("sensors/history").body["requests"], serde_json::json!([]));
    assert_eq!(desk.list("devices?q=pc-1").len(), 1);
}
