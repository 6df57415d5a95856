//! Every message in every format, with names that try to break out.

mod readers;
mod samples;
mod schema;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::{syslog::Header, *};
use crate::alert::{News, Severity};
use readers::{read_cef, read_syslog};
use samples::{activity, bare, crowd, health, notice};
use schema::Schema;

/// 2026-09-21T14:13:20.123456789Z.
const TIME: u64 = 1_790_000_000_123_456_789;

fn source() -> Source {
    let portal = Some("https://portal.contoso.example/".to_owned());
    Source { host: "gw1".to_owned(), version: "9.8.7".to_owned(), portal }
}

/// Calls with every sort of message.
fn all(name: &str, mut each: impl FnMut(&Told<'_>)) {
    for news in [News::New, News::Updated, News::Closed] {
        each(&Told::Notice(&notice(name, news)));
        each(&Told::Notice(&crowd(name, news)));
        let mut nobody = notice(name, news);
        nobody.alert.user = None;
        nobody.alert.external_id = None;
        nobody.alert.reasons.clear();
        nobody.alert.connections.clear();
        each(&Told::Notice(&nobody));
    }
    for what in [Tunnel::Open, Tunnel::Renew, Tunnel::Close] {
        each(&Told::Activity(&activity(name, what)));
        each(&Told::Activity(&bare(what)));
    }
    for is_over in [false, true] {
        each(&Told::Health(&health(name, is_over)));
    }
}

#[test]
fn ocsf_is_what_the_schema_wants() {
    let schema = Schema::read();
    let mut classes = BTreeMap::new();
    all("alice@contoso.example", |told| {
        let line = write(Format::Ocsf, told, &source());
        for line in [mark_perhaps_twice(Format::Ocsf, &line), line] {
            let event: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(schema.faults(&event), Vec::<String>::new(), "{event:#}");
            *classes.entry(event["type_uid"].as_u64().unwrap()).or_insert(0) += 1;
        }
    });
    let seen: Vec<u64> = classes.into_keys().collect();
    assert_eq!(seen, [200_401, 200_402, 200_403, 401_401, 401_402, 401_403, 600_801]);
}

#[test]
fn the_schema_finds_what_is_wrong() {
    let schema = Schema::read();
    let line = write(Format::Ocsf, &Told::Notice(&notice("alice", News::New)), &source());
    let sound: Value = serde_json::from_str(&line).unwrap();
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 7] = [
        (".finding_info is required", |event| drop(event.as_object_mut().unwrap().remove("finding_info"))),
        (".finding_info.uid is required", |event| {
            drop(event["finding_info"].as_object_mut().unwrap().remove("uid"));
        }),
        (".time is no timestamp_t: \"x\"", |event| event["time"] = Value::from("x")),
        (".nonsense is unknown", |event| event["nonsense"] = Value::from(1)),
        (".severity_id is 7, none of the enumeration", |event| event["severity_id"] = Value::from(7)),
        (".severity_id is 99 without its text", |event| event["severity_id"] = Value::from(99)),
        ("type_uid", |event| event["activity_id"] = Value::from(3)),
    ];
    for (fault, change) in changes {
        let mut event = sound.clone();
        change(&mut event);
        assert_eq!(schema.faults(&event), [fault]);
    }
}

#[test]
fn what_is_usual_is_counted_where_connections_are() {
    let said = |connections: u32| {
        let mut notice = notice("alice@contoso.example", News::New);
        notice.alert.reasons[0].expected[0].connections = connections;
        let told = Told::Notice(&notice);
        let event: Value = serde_json::from_str(&write(Format::Ocsf, &told, &source())).unwrap();
        let count = event["anomaly_analyses"][0]["baselines"][0]["observations"][0]["count"].as_u64();
        let letter = write(Format::Text, &told, &source());
        let usual = letter.lines().find(|line| line.contains("usual: ")).unwrap().trim().to_owned();
        (count, usual)
    };
    assert_eq!(said(31), (Some(31), "usual: AS3320 (31 connections)".to_owned()));
    assert_eq!(said(1), (Some(1), "usual: AS3320 (1 connection)".to_owned()));
    assert_eq!(said(0), (None, "usual: AS3320".to_owned()));
}

#[test]
fn a_finding_says_what_was_expected_and_seen() {
    let line = write(Format::Ocsf, &Told::Notice(&notice("alice@contoso.example", News::New)), &source());
    let event: Value = serde_json::from_str(&line).unwrap();
    for recommended in
        ["message", "observables", "status_id", "confidence_id", "evidences", "resources", "is_alert"]
    {
        assert!(!event[recommended].is_null(), "{recommended}");
    }
    let analysis = &event["anomaly_analyses"][0];
    assert_eq!(analysis["baselines"][0]["observations"][0]["value"], "AS3320");
    assert_eq!(analysis["anomalies"][0]["observations"][0]["value"], "alice@contoso.example");
    assert_eq!(event["finding_info"]["src_url"], "https://portal.contoso.example/alerts/17");
    assert_eq!(event["finding_info"]["uid"], "gw1/alerts/17");
    let evidence = &event["evidences"][0];
    assert_eq!(evidence["user"]["domain"], "contoso.example");
    assert_eq!(evidence["src_endpoint"]["autonomous_system"]["number"], 64500);
    assert_eq!((&evidence["verdict_id"], &event["status_id"]), (&Value::from(4), &Value::from(1)));
    // By id: a sub-technique with its technique, the listed with tactic and name, others without.
    let attacks = &event["finding_info"]["attacks"];
    assert_eq!(attacks[0]["technique"]["uid"], "T1078");
    assert_eq!(attacks[0]["sub_technique"]["name"], "Domain Accounts");
    assert_eq!(attacks[1]["tactic"]["uid"], "TA0001");
    assert_eq!(attacks[2]["sub_technique"]["uid"], "T9999.001");
}

#[test]
fn a_finding_is_as_sure_as_its_score_or_as_the_rule_that_names_it() {
    let schema = Schema::read();
    let confidence = |detection: &str, score: f64, severity: Severity| {
        let mut notice = notice("alice@contoso.example", News::New);
        notice.alert.detection = detection.to_owned();
        (notice.alert.score, notice.alert.severity) = (score, severity);
        let event = write(Format::Ocsf, &Told::Notice(&notice), &source());
        let event: Value = serde_json::from_str(&event).unwrap();
        assert_eq!(schema.faults(&event), Vec::<String>::new());
        (event["confidence_id"].as_u64().unwrap(), event["confidence"].as_str().unwrap().to_owned())
    };
    let (low, medium, high) = ((1, "Low".to_owned()), (2, "Medium".to_owned()), (3, "High".to_owned()));
    let suspicious = |score: f64, severity| confidence("suspicious-connection", score, severity);
    assert_eq!([6.8, -3.0].map(|score| suspicious(score, Severity::Medium)), [low.clone(), low.clone()]);
    assert_eq!(
        [7.0, 11.4].map(|score| suspicious(score, Severity::Medium)),
        [medium.clone(), medium.clone()]
    );
    assert_eq!([11.6, 40.0].map(|score| suspicious(score, Severity::Medium)), [high.clone(), high.clone()]);
    // Tor is urgent; what speaks for an attacker says how sure that is.
    assert_eq!(suspicious(6.5, Severity::High), low);
    let travel = |severity| confidence("impossible-travel", 4.0, severity);
    assert_eq!(
        [travel(Severity::Low), travel(Severity::Medium), travel(Severity::High)],
        [low, medium, high.clone()]
    );
    assert_eq!(confidence("impossible-travel", 12.0, Severity::Medium), high);
}

#[test]
fn an_alert_about_an_address_names_all_of_its_users_in_every_format() {
    let notice = crowd("alice@contoso.example", News::New);
    let told = Told::Notice(&notice);
    assert_eq!(told.persons(), ["bob@contoso.example", "alice@contoso.example"]);
    let event: Value = serde_json::from_str(&write(Format::Ocsf, &told, &source())).unwrap();
    let users = ["bob@contoso.example", "alice@contoso.example"];
    for (at, user) in users.into_iter().enumerate() {
        assert_eq!(event["evidences"][at]["user"]["uid"], user);
        assert_eq!(event["observables"][at]["value"], user);
        assert_eq!(event["resources"][at]["name"], user);
    }
    assert_eq!(event["anomaly_analyses"][0]["analysis_targets"][0]["name"], "203.0.113.7");
    let cef = write(Format::Cef, &told, &source());
    assert!(cef.contains("|one-address-many-users|One address, many users|5|start="), "{cef}");
    assert!(cef.contains(" src=203.0.113.7 ") && !cef.contains("suser=") && !cef.contains("shost="), "{cef}");
    assert!(cef.contains(" cs6Label=users cs6=bob@contoso.example, alice@contoso.example cnt=2"), "{cef}");
    let letter = write(Format::Text, &told, &source());
    assert!(
        letter.starts_with("[medium] One address, many users: 203.0.113.7 (2 users) (new alert 17)\n"),
        "{letter}"
    );
    assert!(letter.contains("\nUsers:\nbob@contoso.example, alice@contoso.example\n"), "{letter}");
    assert!(letter.contains("Z, bob@contoso.example, 203.0.113.7, Lyon"), "{letter}");
    let json: Value = serde_json::from_str(&write(Format::Json, &told, &source())).unwrap();
    assert_eq!(
        (&json["alert"]["users"][1], &json["alert"]["address"]),
        (&users[1].into(), &"203.0.113.7".into())
    );

    // A custom string of CEF has an end.
    let mut many = notice.clone();
    many.alert.users = (0..256).map(|at| format!("{at:040}@contoso.example")).collect();
    let cef = write(Format::Cef, &Told::Notice(&many), &source());
    let listed = cef.split(" cs6=").nth(1).unwrap().split(" cnt=").next().unwrap();
    assert!((3900..=4000).contains(&listed.len()) && listed.ends_with("example"), "{listed}");
}

#[test]
fn cef_has_the_keys_that_rules_know() {
    let line = write(Format::Cef, &Told::Notice(&notice("user1", News::New)), &source());
    let start = "CEF:0|VPN Sensor|vpn-sensor|9.8.7|AbnormalVpnSecurityAlert|Suspicious VPN connection|5|\
                 start=2026-09-21T14:12:20.1234567Z app=VpnConnection suser=user1 shost=user1 msg=user1 connected \
                 externalId=2025 cs1Label=url cs1=https://portal.contoso.example/alerts/17 cs2Label=trigger cs2=new ";
    assert!(line.starts_with(start), "{line}");
    let updated = write(Format::Cef, &Told::Notice(&notice("user1", News::Updated)), &source());
    assert!(updated.contains(" cs2=updated "), "{updated}");
    for (severity, priority) in [(Severity::Low, "|3|"), (Severity::High, "|10|")] {
        let mut notice = notice("user1", News::New);
        notice.alert.severity = severity;
        assert!(write(Format::Cef, &Told::Notice(&notice), &source()).contains(priority));
    }
}

#[test]
fn a_message_is_marked_in_every_format() {
    let told = Told::Health(&health("a", false));
    for format in [Format::Ocsf, Format::Cef, Format::Json, Format::Text] {
        let plain = write(format, &told, &source());
        let marked = mark_perhaps_twice(format, &plain);
        assert_ne!(plain, marked, "{format:?}");
        match format {
            Format::Ocsf => {
                let event: Value = serde_json::from_str(&marked).unwrap();
                assert_eq!(event["metadata"]["labels"][0], "delivery:perhaps-twice");
            }
            Format::Json => {
                let event: Value = serde_json::from_str(&marked).unwrap();
                assert_eq!(event["delivery"], "perhaps-twice");
            }
            Format::Cef => assert!(marked.ends_with(" cs3Label=delivery cs3=perhaps-twice")),
            Format::Text => assert!(marked.contains("may have been sent before")),
        }
    }
}

#[test]
fn a_syslog_frame_is_what_the_rfc_says() {
    let header =
        Header { severity: Severity::Medium, unix_ns: TIME, id: "AbnormalVpnSecurityAlert", sequence: 7 };
    let frame = String::from_utf8(syslog::frame(&header, &source(), Format::Text, "zwölf\nlines")).unwrap();
    let (length, line) = frame.split_once(' ').unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), line.len());
    let process = std::process::id();
    assert_eq!(
        line,
        format!(
            "<36>1 2026-09-21T14:13:20.123456Z gw1 vpn-sensor {process} AbnormalVpnSecurityAlert \
             [origin software=\"vpn-sensor\" swVersion=\"9.8.7\"][meta sequenceId=\"7\" language=\"en\"] \
             \u{feff}zwölf\nlines"
        )
    );
}

/// Names that try to break out: signs of all formats, ends of lines, direction marks, up to 253 octets.
fn hostile() -> impl Strategy<Value = String> {
    let sign = prop_oneof![
        4 => prop::sample::select(vec![
            "\"", "\\", "|", "=", "]", "[", "\n", "\r", "\t", " ", ":", "%", "{", "}", "<", ">", "'", "&", "\0",
            "\u{1b}[31m", "\u{202e}", "\u{2066}", "\u{2028}", "\u{85}", "\u{feff}", "\u{e0041}", "@", "ä", "\u{1f600}",
            " cs2=new", " suser=root", "CEF:0|", "\n<36>1 ", "\"}", "\\n", "\\u0022", "\r\nBcc: x@y.example",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z]{1,8}",
    ];
    prop::collection::vec(sign, 1..80).prop_map(|signs| {
        let mut name = signs.concat();
        let end = (0..=253.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap();
        name.truncate(end);
        name
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_name_breaks_out(name in hostile()) {
        let schema = Schema::read();
        all(&name, |told| {
            for format in [Format::Ocsf, Format::Json] {
                let plain = write(format, told, &source());
                for line in [mark_perhaps_twice(format, &plain), plain] {
                    assert!(!line.contains(escape::is_hidden), "{line:?}");
                    let value: Value = serde_json::from_str(&line).unwrap();
                    // Nothing is lost either: who is looked for is found.
                    if told.persons().contains(&name.as_str()) {
                        assert!(texts(format, &line).iter().any(|text| text == &name));
                    }
                    if format == Format::Ocsf {
                        assert_eq!(schema.faults(&value), Vec::<String>::new());
                    }
                }
            }
            let line = write(Format::Cef, told, &source());
            let (fields, keys) = read_cef(&line);
            assert_eq!((fields[0].as_str(), fields[1].as_str(), fields[4].as_str()), ("CEF:0", VENDOR, told.id()));
            let known = ["start", "end", "app", "suser", "shost", "msg", "externalId", "cs1Label", "cs1", "cs2Label",
                "cs2", "src", "c6a2Label", "c6a2", "cs4Label", "cs4", "cs5Label", "cs5", "cs6Label", "cs6", "dvchost",
                "cnt", "in", "out", "reason"];
            let mut seen = std::collections::BTreeSet::new();
            for (key, _) in &keys {
                assert!(known.contains(&key.as_str()) && seen.insert(key), "{key} in {line:?}");
            }
            let letter = write(Format::Text, told, &source());
            let (subject, body) = letter.split_once('\n').unwrap();
            assert!(!subject.contains(escape::is_hidden) && !subject.is_empty(), "{subject:?}");
            assert!(!body.contains(|sign: char| sign != '\n' && escape::is_hidden(sign)), "{body:?}");
        });
    }

    #[test]
    fn no_name_breaks_out_of_structured_data(name in hostile(), message in hostile()) {
        let hostile = Source { host: name.clone(), version: name.clone(), portal: None };
        let header = Header { severity: Severity::High, unix_ns: TIME, id: &name, sequence: u64::MAX };
        let line = syslog::line(&header, &hostile, Format::Json, &message);
        let (fields, values, rest) = read_syslog(&line);
        prop_assert_eq!(fields[0], "<34>1");
        prop_assert!(fields[2..].iter().all(|field| !field.is_empty() && field.chars().all(|c| c.is_ascii_graphic())));
        prop_assert_eq!(&values[1], &escape::visible(&name));
        prop_assert_eq!(values.len(), 4);
        prop_assert_eq!(rest, message);
    }
}
