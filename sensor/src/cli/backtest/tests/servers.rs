//! Lines that do not say which VPN server they are about.

use super::*;

/// One who is at home, and some hours later in another town, through either of two gateways. `between` ends the first.
fn journey(between: &[Value]) -> Vec<Value> {
    let mut lines = log_lines();
    lines.pop();
    let start = |seconds: i64, session: &str, address: &str| {
        json!({
            "time": at(60 * DAY_S + seconds), "status": "Start", "client": "asa", "session": session, "user": "user7",
            "address": address, "device": "PC-7", "software": "AnyConnect Windows 5.1", "nas": "gateway",
        })
    };
    lines.push(start(0, "home", "81.2.69.167"));
    lines.extend(between.iter().cloned());
    lines.push(with(&start(600, "away", "175.16.199.7"), json!({"nas": "gateway-2", "device": "KALI"})));
    lines
}

fn message(status: &str, members: Value) -> Value {
    with(&json!({"time": at(60 * DAY_S + 300), "status": status, "client": "asa"}), members)
}

#[test]
fn messages_without_nas_are_of_the_server_of_their_session() {
    let lines = log_lines();
    let without: Vec<Value> = lines
        .iter()
        .map(|line| if line["status"] == "Stop" { with(line, json!({"nas": null})) } else { line.clone() })
        .collect();
    assert_eq!(said(&without), said(&lines));
    let open = said(&journey(&[]));
    for (status, members) in [
        ("Stop", json!({"session": "home", "input_octets": 5})),
        ("Interim-Update", json!({"session": "home", "user": "user7", "address": "175.16.199.9"})),
        ("Accounting-On", json!({})),
        ("Accounting-Off", json!({})),
    ] {
        let whole = said(&journey(&[message(status, with(&members, json!({"nas": "gateway"})))]));
        assert_ne!(whole, open, "{status} says something");
        assert_eq!(said(&journey(&[message(status, members)])), whole, "{status}");
    }
}

#[test]
fn another_client_or_session_is_another_server() {
    // The same id at another client, where everything has other names.
    let elsewhere = json!({"session": "home", "client": "another", "nas": "elsewhere", "user": "user3"});
    let elsewhere = message("Start", elsewhere);
    let stop = message("Stop", json!({"session": "home", "input_octets": 5}));
    let named = with(&stop, json!({"nas": "gateway"}));
    assert_eq!(said(&journey(&[elsewhere.clone(), stop])), said(&journey(&[elsewhere, named])));
    let open = said(&journey(&[]));
    for (status, members) in [
        ("Stop", json!({"session": "another", "input_octets": 5})),
        ("Stop", json!({"session": "home", "client": "another"})),
        ("Accounting-On", json!({"client": "another"})),
        ("Accounting-On", json!({"nas": "gateway-3"})),
    ] {
        assert_eq!(said(&journey(&[message(status, members.clone())])), open, "{members}");
    }
}
