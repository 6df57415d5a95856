//! The API over a real listener, with a store and a journal filled from requests.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test, and what its parts share")]

mod administering;
mod alerts;
mod desk;
mod host;
#[path = "../desk/mod.rs"]
mod running;

use std::collections::BTreeSet;

use desk::Desk;
use host::{Host, PEOPLE};
use serde_json::{Value, json};

#[test]
fn only_a_good_token_opens_anything() {
    let host = Host::start();
    let over = host.control.add_token("over", None, Some(0)).unwrap();
    let gone = host.control.add_token("gone", None, None).unwrap();
    host.control.remove_token("gone").unwrap();
    for token in [None, Some(""), Some("vpns_wrong"), Some(over.reveal()), Some(gone.reveal())] {
        let answer = host.get_with("/api/v1/users", token);
        assert_eq!(answer.status, 401, "{token:?}");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"vpn-sensor\"");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(answer.body.get("items").is_none());
    }
    let answer = host.get("/api/v1/users");
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    assert_eq!(host.get_with("/api/v1/openapi.json", None).status, 200);
    assert_eq!(host.get_with("/api/v1/nothing", None).status, 401, "strangers learn no paths");
    assert_eq!(host.get("/api/v1/nothing").status, 404);
}

#[test]
fn every_described_route_answers_and_every_list_has_what_was_sent() {
    let desk = Desk::open();
    let description = desk.get("openapi.json").body;
    let session = desk.list("sessions?limit=1")[0]["number"].to_string();
    let device = desk.list("devices")[0]["name"].as_str().unwrap().to_owned();
    let paths = description["paths"].as_object().unwrap();
    let expected = "accounts accounts/links accounts/{account} alerts alerts/{alert} alerts/{alert}/close \
                    alerts/{alert}/comments alerts/{alert}/records audit devices devices/{device} events health map places \
                    search sensors sensors/history sensors/now servers sessions sessions/{number} settings \
                    settings/arrivals settings/arrivals/try settings/secret tokens tokens/{token} users users/{user}";
    let listed: Vec<&str> = paths.keys().map(|path| path.strip_prefix("/api/v1/").unwrap()).collect();
    assert_eq!(listed.join(" "), expected);
    // What is closed takes no comment.
    for (path, methods) in paths.iter().rev() {
        let path = path.strip_prefix("/api/v1/").unwrap();
        let path = path.replace("{user}", "user0").replace("{number}", &session).replace("{device}", &device);
        let path = path.replace("{alert}", "1");
        if administering::is_of_administrators(&path) {
            continue;
        }
        let path = if path == "search" { "search?q=user0".to_owned() } else { path };
        for method in methods.as_object().unwrap().keys() {
            let answer = match (&**method, path.rsplit('/').next()) {
                ("get", _) => desk.get(&path),
                ("post", Some("close")) => desk.post(&path, &json!({"verdict": "usual"})),
                ("post", Some("comments")) => desk.post(&path, &json!({"text": "looked at"})),
                other => panic!("{path} has {other:?}"),
            };
            assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
            if let Some(items) = answer.body.get("items") {
                assert!(!items.as_array().unwrap().is_empty(), "{path}");
            }
        }
    }
}

#[test]
fn paging_reaches_everything_once() {
    let host = Host::start();
    for (path, member, limit, all) in [
        ("users", "user", 7, PEOPLE),
        ("devices", "name", 7, PEOPLE),
        ("sessions", "number", 7, PEOPLE),
        ("events", "seq", 7, PEOPLE),
        ("servers", "number", 1, 2),
    ] {
        let mut seen = BTreeSet::new();
        let mut next = String::new();
        loop {
            let page = host.get(&format!("/api/v1/{path}?limit={limit}{next}")).body;
            for item in page["items"].as_array().unwrap() {
                assert!(seen.insert(item[member].to_string()), "{path}: {} twice", item[member]);
            }
            let Some(cursor) = page["next"].as_str() else { break };
            next = format!("&cursor={cursor}");
        }
        assert_eq!(seen.len(), all, "{path}");
    }
}

#[test]
fn filters_choose() {
    let host = Host::start();
    let count = |query: &str| {
        let answer = host.get(&format!("/api/v1/{query}"));
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        answer.body["items"].as_array().unwrap().len()
    };
    assert_eq!(count("users?q=USER00"), 10);
    assert_eq!(count("sessions?user=CONTOSO%5CUser003"), 1);
    assert_eq!(count("sessions?user=user003@contoso.example"), 1);
    assert_eq!(count("sessions?device=PC-003"), 1);
    assert_eq!(count("sessions?remote=203.0.113.3"), 1);
    let through_spare = (0..PEOPLE).filter(|number| number % 5 == 0).count();
    assert_eq!(count("sessions?server=spare"), through_spare);
    assert_eq!(count("sessions?server=gateway"), PEOPLE - through_spare);
    assert_eq!(count("sessions?server=other"), 0);
    assert_eq!(count("sessions?open=true"), PEOPLE);
    assert_eq!(count("sessions?country=fr"), 0);
    assert_eq!(count("sessions?since=2026-09-21T14:13:20Z&until=2026-09-21T14:13:30Z"), 10);
    assert_eq!(count("events?user=user003"), 1);
    assert_eq!(count("events?from=25"), PEOPLE - 24);
    let place = host.get("/api/v1/places").body["items"][0].clone();
    assert_eq!(
        count(&format!("sessions?place={}", place["id"])),
        place["connections"].as_u64().unwrap() as usize
    );
}

#[test]
fn a_search_has_ten_of_a_sort_first_what_is_called_so_and_says_where_there_are_more() {
    let host = Host::start();
    let found = |q: &str| host.get(&format!("/api/v1/search?q={q}")).body;
    let all = found("USER0");
    assert_eq!((all["users"].as_array().unwrap().len(), &all["more"]), (10, &json!(["users"])));
    assert_eq!(all["users"][0]["user"], "user029@contoso.example", "the latest seen");
    for q in ["User003", "contoso%5CUSER003", "user003@contoso.example"] {
        let found = found(q);
        assert_eq!(
            (&found["users"][0]["user"], &found["more"]),
            (&json!("user003@contoso.example"), &json!([]))
        );
    }
    assert_eq!(found("pc-0")["more"], json!(["devices"]));
    assert_eq!(found("203.0.113.")["more"], json!(["addresses"]));
    let lyon = &found("lyon")["places"];
    assert_eq!((lyon.as_array().unwrap().len(), &lyon[0]["other_networks"]), (1, &json!(false)));
}

#[test]
fn wrong_parameters_are_named() {
    let host = Host::start();
    for (query, named) in [
        ("sessions?usr=alice", "usr"),
        ("users?limit=0", "limit"),
        ("users?limit=1001", "limit"),
        ("events?cursor=x", "cursor"),
        ("sessions?since=yesterday", "since"),
        ("sessions?remote=nowhere", "remote"),
        ("servers?limit=x", "limit"),
        ("sessions/x", "x"),
        ("users/%FF", "UTF-8"),
        ("devices/%FF", "UTF-8"),
    ] {
        let answer = host.get(&format!("/api/v1/{query}"));
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (400, "application/problem+json"),
            "{query}"
        );
        assert!(answer.body["detail"].as_str().unwrap().contains(named), "{query}: {}", answer.body);
    }
    for missing in ["users/nobody", "devices/none", "sessions/999"] {
        assert_eq!(host.get(&format!("/api/v1/{missing}")).status, 404, "{missing}");
    }
}

#[test]
fn who_saw_whom_is_written_down() {
    let host = Host::start();
    for path in ["users/CONTOSO%5CUSER001", "sessions?user=user002", "users", "sensors"] {
        assert_eq!(host.get(&format!("/api/v1/{path}")).status, 200, "{path}");
    }
    let rows = host.control.audit(10).unwrap();
    let rows: Vec<(&str, &str, Option<&str>)> =
        rows.iter().map(|row| (&*row.who, &*row.action, row.subject.as_deref())).collect();
    let expected = [
        ("tests", "user.show", Some("user001@contoso.example")),
        ("tests", "sessions.list", Some("user002@contoso.example")),
        ("tests", "users.list", None),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_user_has_everything_on_one_page() {
    let host = Host::start();
    let page: Value = host.get("/api/v1/users/user001").body;
    assert_eq!(page["user"], "user001@contoso.example");
    for (member, name) in [("addresses", "203.0.113.1"), ("devices", "PC-001"), ("servers", "gateway")] {
        assert_eq!(page[member][0]["name"], name, "{page}");
    }
    assert_eq!(page["hours"].as_array().unwrap().len(), 168);
    assert_eq!(page["open"].as_array().unwrap().len(), 1);
    let device = host.get("/api/v1/devices/PC-001").body;
    assert_eq!(device["users"][0]["name"], "user001@contoso.example");
    assert_eq!(device["locations"][0]["address"], "203.0.113.1", "{device}");
}

#[test]
fn what_is_wrong_with_the_product_is_listed_and_is_about_nobody() {
    let host = Host::start();
    let list = host.get("/api/v1/health").body;
    let expected = serde_json::json!({"items": [{
        "condition": "wrong-secret",
        "subject": "branch",
        "severity": "high",
        "since": "2026-09-21T14:13:20.000000Z",
        "told": "2026-09-21T14:13:20.000000Z",
        "message": "Requests do not verify.",
        "advice": ["Set the secret."],
    }]});
    assert_eq!(list, expected);
    assert_eq!(host.get_with("/api/v1/health", None).status, 401);
    assert!(host.control.audit(10).unwrap().is_empty());
}
