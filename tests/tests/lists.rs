//! Lists that are set in the portal, with the real sensor: nothing new is merged into what is there, sinks are edited in
//! place and keep their secrets to themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;

use end_to_end::api::{ask, patch};
use end_to_end::config::{Config, SECRET};
use end_to_end::portal::{Browser, Page, link};
use end_to_end::sensor::Home;
use end_to_end::tools::output;
use end_to_end::Wire;
use serde_json::{Value, json};

const SINKS: &str = "/settings/sinks";
const PASSWORD: &str = "the-password-of-the-letters";

/// An administrator of a sensor with this configuration.
fn administrator<'n>(home: &Home, wire: &'n Wire) -> Browser<'n> {
    Browser::signed_in(&wire.sensor, &link(home, &wire.sensor, "carol", "administrator"))
}

/// Fills in the form of a page's newest state.
fn submit(carol: &Browser<'_>, page: &str, fields: &[(&str, &str)]) -> Page {
    carol.submit(&carol.get(page), page, fields)
}

/// What the sensor has of a list, as the API says it.
fn entries(wire: &Wire, token: &str, list: &str) -> Vec<Value> {
    let settings = ask(&wire.sensor, "settings", Some(token)).1;
    let all = settings["entries"].as_array().unwrap();
    all.iter().filter(|entry| entry["list"] == list).cloned().collect()
}

fn token(carol: &Browser<'_>) -> String {
    let fields = [("name", "setup"), ("may", "administer"), ("days", "1")];
    let token = carol.get("/settings/tokens").value("token").to_owned();
    let made = carol.post("/settings/tokens", &[&[("token", &*token)], &fields[..]].concat());
    made.secret().to_owned()
}

fn audit(home: &Home, wire: &Wire) -> String {
    let mut audit = home.command(&wire.sensor, "audit --limit 100");
    String::from_utf8(output(&mut audit).stdout).unwrap()
}

#[test]
fn what_is_added_twice_is_refused_and_changes_nothing() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let _sensor = home.start(&wire.sensor);
    let carol = administrator(&home, &wire);
    let setup = token(&carol);
    let syslog =
        [("name", "siem"), ("kind", "syslog"), ("what", "alerts"), ("min_severity", "informational")];
    let sink = |target| [&syslog[..], &[("target", target), ("secret", "")]].concat();
    let client = |address| vec![("name", "branch"), ("address", address), ("secret", SECRET), ("do", "set")];
    let site = |address| vec![("name", "Berlin"), ("address", address)];
    for (list, page, first, second) in [
        ("sink", SINKS, sink("127.0.0.1:9"), sink("siem.evil.example:9")),
        ("client", "/settings/clients", client("198.51.100.0/24"), client("203.0.113.0/24")),
        ("site", "/settings/sites", site("10.1.0.0/16"), site("10.2.0.0/16")),
    ] {
        assert_eq!(submit(&carol, page, &first).status, 303, "{list}");
        let before = entries(&wire, &setup, list);
        let again = submit(&carol, page, &second);
        let reason = format!("there is a {list} of the name");
        assert!(again.status == 422 && again.text.contains(&reason), "{list}: {}", again.text);
        assert!(again.text.contains("already"), "{}", again.text);
        let name = first.iter().find(|(key, _)| *key == "name").unwrap().1;
        let add = json!({"edits": [{"add": {"list": list, "name": name, "fields": {"what": ["health"]}}}]});
        let (status, refused) = patch(&wire.sensor, "settings", &setup, &add);
        assert!(status == 422 && refused["detail"].as_str().unwrap().contains(&reason), "{refused}");
        assert_eq!(entries(&wire, &setup, list), before, "{list}");
    }
    // The contract of `put`: whatever has the name is changed.
    let put = json!({"edits": [{"put": {"list": "site", "name": "Berlin", "fields": {"radius_km": 7}}}]});
    assert_eq!(patch(&wire.sensor, "settings", &setup, &put).0, 200);
    let berlin = &entries(&wire, &setup, "site")[0];
    assert_eq!(berlin["fields"]["radius_km"], 7);
    let page = carol.get("/settings/sites/change?name=Berlin");
    assert!(
        page.text.contains("value=\"7\"") && page.text.contains("value=\"10.1.0.0/16\""),
        "{}",
        page.text
    );
    let moved = [("change", "true"), ("name", "Berlin"), ("address", "10.1.0.0/16"), ("radius_km", "")];
    assert_eq!(carol.submit(&page, "/settings/sites", &moved).status, 303);
    assert_eq!(entries(&wire, &setup, "site")[0]["fields"].get("radius_km"), None);
    assert!(audit(&home, &wire).contains("site Berlin: changed: radius_km = null; "), "nothing else differs");
}

#[test]
fn a_sink_is_edited_in_place_and_its_secret_goes_nowhere_else() {
    let wire = Wire::new();
    let file = "[[sink]]\nname = \"files\"\nkind = \"syslog\"\naddress = \"127.0.0.1:9\"\ntls = false\n";
    let home = Home::new(&Config::udp().lines(file));
    let _sensor = home.start(&wire.sensor);
    let carol = administrator(&home, &wire);
    let setup = token(&carol);
    let letters = [
        ("name", "desk"),
        ("kind", "mail"),
        ("tls", "true"),
        ("target", "127.0.0.1:9"),
        ("what", "alerts"),
        ("min_severity", "medium"),
        ("user", "sensor"),
        ("from", "sensor@contoso.example"),
        ("to", "desk@contoso.example, soc@contoso.example"),
    ];
    let made = submit(&carol, SINKS, &[&letters[..], &[("secret", PASSWORD)]].concat());
    assert_eq!(made.status, 303, "{}", made.text);

    // What the file sets is shown with its place and cannot be changed.
    let page = carol.get(SINKS);
    let line = fs::read_to_string(home.config()).unwrap();
    let line = line.lines().position(|line| line == "[[sink]]").unwrap() + 1;
    assert!(page.text.contains(&format!("{}:{line}", home.config().display())), "{}", page.text);
    assert!(!page.text.contains("change?name=files") && page.text.contains("change?name=desk"));
    assert_eq!(carol.get("/settings/sinks/change?name=files").status, 404);

    let here = "/settings/sinks/change?name=desk";
    let page = carol.get(here);
    for part in [
        "value=\"127.0.0.1:9\"",
        "value=\"sensor\"",
        "value=\"desk@contoso.example, soc@contoso.example\"",
        "value=\"medium\" selected",
        "empty: the one that is set",
    ] {
        assert!(page.text.contains(part), "{part} is not in {}", page.text);
    }
    assert!(!page.text.contains(PASSWORD) && !page.text.contains("name=\"format\""));

    // With `changes` in place of what is there.
    let with = |changes: &[(&'static str, &'static str)]| {
        let kept = letters.into_iter().filter(|(key, _)| changes.iter().all(|(other, _)| key != other));
        kept.chain(changes.iter().copied()).chain([("change", "true")]).collect::<Vec<_>>()
    };
    let quieter = with(&[("min_severity", "high"), ("secret", "")]);
    assert_eq!(carol.submit(&page, SINKS, &quieter).status, 303);
    let sink = |name: &str| entries(&wire, &setup, "sink").into_iter().find(|sink| sink["name"] == name);
    let desk = sink("desk").unwrap();
    assert_eq!((&desk["fields"]["min_severity"], &desk["has_secret"]), (&json!("high"), &json!(true)));
    assert!(audit(&home, &wire).contains("sink desk: changed: min_severity = \"high\"; revision"));

    // Two tabs: the second is told what the first did.
    let lost = carol.submit(&page, SINKS, &with(&[("target", "127.0.0.1:10"), ("secret", PASSWORD)]));
    assert!(lost.status == 409 && lost.text.contains("min_severity = &quot;high&quot;"), "{}", lost.text);

    // Elsewhere, or in the clear, the secret is wanted again.
    let elsewhere = [("target", "mail.evil.example:25"), ("min_severity", "high")];
    let in_the_clear = [("tls", ""), ("min_severity", "high")];
    for changes in [elsewhere, in_the_clear] {
        let refused = carol.submit(&carol.get(here), SINKS, &with(&changes));
        assert!(refused.status == 422 && refused.text.contains("give the secret again"), "{}", refused.text);
    }
    let redirect = json!({"address": "mail.evil.example:25"});
    let put = json!({"edits": [{"put": {"list": "sink", "name": "desk", "fields": redirect}}]});
    assert_eq!(patch(&wire.sensor, "settings", &setup, &put).0, 422, "nor by the API");
    assert_eq!(sink("desk").unwrap(), desk);
    let moved = with(&[("target", "127.0.0.1:10"), ("min_severity", "high"), ("secret", PASSWORD)]);
    assert_eq!(carol.submit(&carol.get(here), SINKS, &moved).status, 303);
    assert_eq!(sink("desk").unwrap()["fields"]["address"], "127.0.0.1:10");

    // A name that the file has is refused with its place, and what is gone is gone.
    let twice = [("name", "files"), ("kind", "syslog"), ("target", "127.0.0.1"), ("what", "alerts")];
    let twice = submit(&carol, SINKS, &twice);
    assert!(twice.status == 422 && twice.text.contains(&format!(":{line})")), "{}", twice.text);
    let gone = carol.submit(&carol.get(here), "/settings/sinks/remove", &[("name", "desk")]);
    assert_eq!((gone.status, &*gone.location), (303, SINKS));
    assert_eq!(carol.get(here).status, 404);
    let secrets = fs::read_dir(home.state().join("settings/secrets")).unwrap().count();
    assert_eq!(secrets, 0, "nobody needs it any more");
    assert!(!audit(&home, &wire).contains(PASSWORD) && !home.log().contains(PASSWORD));
}
