//! Lists that are set in the portal, with the real sensor: nothing new is merged into what is there, sinks are edited in
//! place and keep their secrets to themselves, and what is excluded raises no alert.

use std::fs;

use end_to_end::api::{ask, patch};
use end_to_end::config::{Config, SECRET};
use end_to_end::portal::{Browser, Page, link};
use end_to_end::sensor::Home;
use end_to_end::tools::output;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Nas, PATIENCE, Wire, wait_until};
use radius::{Code, build::RequestBuilder};
use serde_json::{Value, json};

const SINKS: &str = "/settings/sinks";
const EXCLUSIONS: &str = "/settings/exclusions";
const HOSTILE: &str = "<script>alert(1)</script>\"'";
const PASSWORD: &str = "the-password-of-the-letters";
/// Great Britain and China, by the databases that come with the product.
const PLACES: [&str; 2] = ["81.2.69.160", "175.16.199.7"];

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

#[test]
fn exclusions_are_made_from_an_alert_changed_and_removed() {
    let wire = Wire::new();
    let file = "[[detect.exclusion]]\nnetwork = \"198.51.100.0/24\"\nreason = \"a test that is over\"\nuntil = 2026-01-31\n";
    let home = Home::new(&Config::udp().lines(file));
    let sensor = home.start(&wire.sensor);
    let carol = administrator(&home, &wire);
    let setup = token(&carol);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let connect = |user: &str, identifier: u8, address: &str, device: &str| {
        let mut buffer = [0; radius::MAX_LENGTH];
        let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, identifier);
        request.integer(40, 1).text(44, &format!("{user}{identifier}")).text(32, "gateway");
        request.text(1, user).text(31, address).integer(61, 5);
        request.vendor(9, 1, format!("mdm-tlv=device-uid={device}").as_bytes());
        nas.ask(request.seal(SECRET.as_bytes()).unwrap());
    };
    let alerts = |user: &str| {
        let alerts = ask(&wire.sensor, &format!("alerts?user={user}"), Some(&setup)).1;
        alerts["items"].as_array().map_or(0, Vec::len)
    };

    // An alert's page offers what it would take, to whoever may set it.
    connect("alice", 1, PLACES[0], "PC-7");
    connect("alice", 2, PLACES[1], "KALI");
    sensor.stored();
    wait_until("an alert about alice", PATIENCE, || alerts("alice") == 1);
    let alert = carol.get("/alerts/1");
    let (_, way) = alert.text.split_once("<a href=\"/settings/exclusions?").expect("a way to exclude it");
    let way = format!("{EXCLUSIONS}?{}", way.split_once('"').unwrap().0.replace("&amp;", "&"));
    assert!(way.contains("user=alice") && way.contains(&format!("network={}", PLACES[1])), "{way}");
    let dave = Browser::signed_in(&wire.sensor, &link(&home, &wire.sensor, "dave", "analyst"));
    assert!(!dave.get("/alerts/1").text.contains(EXCLUSIONS));
    assert_eq!(dave.get(EXCLUSIONS).status, 403);

    // The form is filled in; bob is excluded with it in alice's place.
    let page = carol.get(&way);
    let until = page.value("until").to_owned();
    assert!(page.value("user") == "alice" && page.value("reason") == "alert 1" && until.len() == 10);
    let place = format!("{}:", home.config().display());
    assert!(page.text.contains(&place) && page.text.contains("ended"), "the file's is over: {}", page.text);
    let form =
        |reason, until| vec![("user", "BOB"), ("network", PLACES[1]), ("reason", reason), ("until", until)];
    let made = carol.submit(&page, EXCLUSIONS, &form(HOSTILE, &until));
    assert_eq!(made.status, 303, "{}", made.text);
    let shown = carol.get(EXCLUSIONS);
    assert!(shown.text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{}", shown.text);
    assert!(!shown.text.contains("<script>") && shown.text.contains("carol@portal"), "{}", shown.text);
    connect("bob", 3, PLACES[0], "PC-8");
    connect("bob", 4, PLACES[1], "KALI");
    connect("eve", 5, PLACES[0], "PC-9");
    connect("eve", 6, PLACES[1], "KALI");
    sensor.stored();
    wait_until("an alert about eve", PATIENCE, || alerts("eve") == 1);
    assert_eq!(alerts("bob"), 0, "he is excluded");

    // Changed in place; who changed it is said whatever a caller says of it.
    let here = format!("{EXCLUSIONS}/change?name=1");
    let page = carol.get(&here);
    assert_eq!((page.value("user"), page.value("until")), ("BOB", &*until));
    let change = [("change", "true"), ("name", "1"), ("asn", "AS64500"), ("place", "cn")];
    let change = |reason, until| [form(reason, until), change.to_vec()].concat();
    assert_eq!(carol.submit(&page, EXCLUSIONS, &change("a journey", "2026-01-31")).status, 303);
    let lost = carol.submit(&page, EXCLUSIONS, &change("another", &until));
    assert!(lost.status == 409 && lost.text.contains("a journey"), "{}", lost.text);
    let fields = json!({"reason": "by a script", "set_by": "somebody else"});
    let put = json!({"edits": [{"put": {"list": "exclusion", "name": "1", "fields": fields}}]});
    assert_eq!(patch(&wire.sensor, "settings", &setup, &put).0, 200);
    let all = entries(&wire, &setup, "exclusion");
    let [of_file, own] = &all[..] else { panic!("{all:?}") };
    assert_eq!(
        (&of_file["origin"]["layer"], &of_file["ends"]),
        (&json!("file"), &json!("2026-02-01T00:00:00Z"))
    );
    let expected =
        json!({"user": "BOB", "network": PLACES[1], "asn": 64500, "place": "cn", "until": "2026-01-31"});
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&own["fields"][key], value, "{key}");
    }
    assert_eq!(own["fields"]["set_by"], "setup");
    assert_eq!(carol.get(EXCLUSIONS).text.matches("ended").count(), 2);

    // A day is of the zone that the form named when it was shown.
    let page = carol.get(EXCLUSIONS);
    assert_eq!(page.value("zone"), "UTC");
    for (zone, until) in [("Europe/Berlin", "2098-12-31T00:00:00+01:00"), ("Mars/Olympus", "2098-12-30")] {
        let typed = [("user", "x"), ("reason", "of a zone"), ("until", "2098-12-30"), ("zone", zone)];
        assert_eq!(submit(&carol, EXCLUSIONS, &typed).status, 303);
        let kept = entries(&wire, &setup, "exclusion").pop().unwrap();
        assert_eq!(kept["fields"]["until"], until, "{zone}");
        let name = kept["name"].as_str().unwrap();
        let gone = carol.submit(&carol.get(EXCLUSIONS), "/settings/exclusions/remove", &[("name", name)]);
        assert_eq!(gone.status, 303);
    }

    // What makes no exclusion is refused with the reason.
    for (fields, reason) in [
        (vec![("reason", "x"), ("until", "2099-12-31")], "an exclusion wants"),
        (vec![("user", "x"), ("reason", ""), ("until", "2099-12-31")], "a reason must not be empty"),
        (vec![("user", "x"), ("reason", "x"), ("until", "soon")], "not a date"),
        (vec![("asn", "many"), ("reason", "x"), ("until", "2099-12-31")], "asn"),
    ] {
        let refused = submit(&carol, EXCLUSIONS, &fields);
        assert!(refused.status == 422 && refused.text.contains(reason), "{reason}: {}", refused.text);
    }
    let gone = carol.submit(&carol.get(EXCLUSIONS), "/settings/exclusions/remove", &[("name", "1")]);
    assert_eq!((gone.status, &*gone.location), (303, EXCLUSIONS));
    assert_eq!(entries(&wire, &setup, "exclusion").len(), 1, "the file's");
    let audit = audit(&home, &wire);
    for line in ["exclusion 1: made: ", "exclusion 1: changed: ", "exclusion 1: removed"] {
        assert!(audit.contains(line), "{line} is not in {audit}");
    }
}

/// Of each form what was typed stands in it again when it is refused, so that one mistake is one thing to mend; but for
/// secrets, which go nowhere.
#[test]
fn what_is_refused_is_not_typed_again() {
    const TYPED: &str = "typed and not shown again";
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let _sensor = home.start(&wire.sensor);
    let carol = administrator(&home, &wire);
    let refused = |page: &str, fields: &[(&str, &str)], kept: &[&str]| {
        let from = carol.get(if page.starts_with("/settings/vpn") { "/settings/vpn" } else { page });
        let mut form = vec![("token", from.value("token"))];
        if from.text.contains("name=\"revision\"") {
            form.push(("revision", from.value("revision")));
        }
        form.extend(fields);
        let answer = carol.post(page, &form);
        assert!((400..500).contains(&answer.status), "{page}: {}", answer.text);
        let (_, form) = answer.text.split_once("As you sent it").unwrap_or_else(|| panic!("{}", answer.text));
        for part in kept {
            assert!(form.contains(part), "{page}: {part:?} is not in {form}");
        }
        assert!(!answer.text.contains(TYPED), "{page}: {}", answer.text);
        answer
    };
    refused(
        "/settings/sites",
        &[("name", "Berlin"), ("address", "10.1.0.0/33"), ("position", "52.5, 13.4"), ("radius_km", "2")],
        &["value=\"Berlin\"", "value=\"10.1.0.0/33\"", "value=\"52.5, 13.4\"", "value=\"2\""],
    );
    let mail = [
        ("name", "letters"),
        ("kind", "mail"),
        ("target", "no port and a space"),
        ("what", "health"),
        ("min_severity", "high"),
        ("user", "sensor"),
        ("from", "sensor@contoso.example"),
        ("to", "a@contoso.example, b@contoso.example"),
        ("secret", TYPED),
    ];
    let answer = refused(
        SINKS,
        &mail,
        &[
            "value=\"letters\"",
            "value=\"mail\" selected",
            "value=\"no port and a space\"",
            "value=\"health\" checked",
            "value=\"high\" selected",
            "value=\"sensor@contoso.example\"",
            "value=\"a@contoso.example, b@contoso.example\"",
        ],
    );
    for unchecked in ["value=\"alerts\" checked", "name=\"tls\" value=\"true\" checked"] {
        assert!(!answer.text.contains(unchecked), "{unchecked}: {}", answer.text);
    }
    refused(
        EXCLUSIONS,
        &[("user", "alice"), ("asn", "64500"), ("reason", "a test"), ("until", "soon")],
        &["value=\"alice\"", "value=\"64500\"", "value=\"a test\"", "value=\"soon\""],
    );
    refused(
        "/settings/clients",
        &[("name", "branch"), ("address", "nowhere"), ("vendor", "cisco"), ("secret", TYPED), ("do", "set")],
        &["value=\"branch\"", "value=\"nowhere\"", "value=\"cisco\" selected"],
    );
    refused(
        "/settings/vpn/secret",
        &[("scope", "any"), ("secret", ""), ("do", "set")],
        &["value=\"any\" selected"],
    );
    refused(
        "/settings/tokens",
        &[("name", "<b>"), ("may", "administer"), ("days", "7")],
        &["value=\"&lt;b&gt;\"", "value=\"administer\" selected", "value=\"7\""],
    );
    refused(
        "/settings/people",
        &[("account", "a b"), ("role", "administrator")],
        &["value=\"a b\"", "value=\"administrator\" selected"],
    );
    let thresholds = [("detect.travel_kmh", "7"), ("detect.alert_score", "5.5")];
    refused("/settings/detections", &thresholds, &["value=\"7\"", "value=\"5.5\""]);

    // Where somebody else was there first, what differs is listed: fields that nobody touched would undo hers.
    let before = carol.get("/settings/detections");
    let hers = [("detect.high_score", "12"), ("detect.travel_kmh", "")];
    assert_eq!(submit(&carol, "/settings/detections", &hers).status, 303);
    let late = carol.submit(&before, "/settings/detections", &[("detect.travel_kmh", "800")]);
    assert_eq!(late.status, 409, "{}", late.text);
    let (_, rows) = late.text.split_once("As you sent it").unwrap();
    for part in ["detect.travel_kmh", ">800<", "detect.high_score", ">12<"] {
        assert!(rows.contains(part), "{part}: {rows}");
    }
    assert!(!rows.contains("detect.alert_score<"), "{rows}");

    // So would the fields of an entry that somebody else changed: they are told, and the form is where it is.
    let site =
        [("name", "Berlin"), ("address", "10.1.0.0/16"), ("position", "52.5, 13.4"), ("radius_km", "")];
    assert_eq!(submit(&carol, "/settings/sites", &site).status, 303);
    let change = "/settings/sites/change?name=Berlin";
    let before = carol.get(change);
    let changed =
        |address| [&[("change", "true"), ("name", "Berlin"), ("address", address)], &site[2..]].concat();
    assert_eq!(carol.submit(&carol.get(change), "/settings/sites", &changed("10.2.0.0/16")).status, 303);
    let late = carol.submit(&before, "/settings/sites", &changed("10.3.0.0/16"));
    assert_eq!(late.status, 409, "{}", late.text);
    let (_, typed) = late.text.split_once("As you sent it").unwrap();
    assert!(typed.contains("10.3.0.0/16") && !typed.contains("<form"), "{typed}");
}
