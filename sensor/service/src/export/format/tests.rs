//! Every message in every format, with names that try to break out.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::{syslog::Header, *};
use crate::alert::{Alert, Comment, Connection, Expected, News, Notice, Reason, Severity, State, Verdict};

/// 2026-09-21T14:13:20.123456789Z.
const TIME: u64 = 1_790_000_000_123_456_789;

fn source() -> Source {
    let portal = Some("https://portal.contoso.example/".to_owned());
    Source { host: "gw1".to_owned(), version: "9.8.7".to_owned(), portal }
}

/// Everything that comes from the network is this text.
fn notice(name: &str, news: News) -> Notice {
    let connection = Connection {
        session: 5,
        session_id: name.to_owned(),
        start_unix_ns: TIME - 60_000_000_000,
        score: 7.25,
        address: Some("203.0.113.7".parse().unwrap()),
        place: Some("Lyon, Rhone, FR".to_owned()),
        country: Some("FR".to_owned()),
        latitude: Some(45.76),
        longitude: Some(4.84),
        asn: Some(64500),
        organisation: Some(name.to_owned()),
        kinds: vec!["hosting".to_owned()],
        device: Some(name.to_owned()),
        software: Some(name.to_owned()),
        server: Some(name.to_owned()),
        server_address: Some("2001:db8::1".parse().unwrap()),
    };
    let bare = Connection {
        address: None,
        place: None,
        country: None,
        device: None,
        server: None,
        server_address: None,
        ..connection.clone()
    };
    let reason = Reason {
        detection: "suspicious-connection".to_owned(),
        feature: Some("network".to_owned()),
        seen: name.to_owned(),
        expected: vec![Expected { value: "AS3320".to_owned(), connections: 31, last_unix_s: 1_789_000_000 }],
        weight: 3.5,
        text: format!("{name} was never seen"),
        techniques: vec!["T1133".to_owned(), "T1078.002".to_owned(), "T9999.001".to_owned()],
    };
    let travel = Reason {
        detection: "impossible-travel".to_owned(),
        feature: None,
        expected: Vec::new(),
        ..reason.clone()
    };
    let state = match news {
        News::Closed => State::Closed { verdict: Verdict::Usual, by: "uid 0".to_owned(), unix_ns: TIME },
        _ => State::Open,
    };
    let alert = Alert {
        number: 17,
        revision: 2,
        detection: "suspicious-connection".to_owned(),
        title: "Suspicious VPN connection".to_owned(),
        external_id: Some(2025),
        severity: Severity::Medium,
        score: 7.25,
        message: format!("{name} connected"),
        advice: vec!["Ask the user.".to_owned(), "Reset the password.".to_owned()],
        user: Some(name.to_owned()),
        user_original: Some(name.to_owned()),
        first_unix_ns: TIME - 60_000_000_000,
        last_unix_ns: TIME - 1,
        changed_unix_ns: TIME,
        reasons: vec![reason, travel],
        connections: vec![connection, bare],
        connection_count: 2,
        state,
        comments: vec![Comment { by: "uid 0".to_owned(), unix_ns: TIME, text: name.to_owned() }],
    };
    Notice { sequence: 9, news, is_held: false, alert }
}

fn activity(name: &str, what: Tunnel) -> TunnelActivity {
    TunnelActivity {
        unix_ns: TIME,
        what,
        user: Some(name.to_owned()),
        user_original: Some(name.to_owned()),
        session_id: name.to_owned(),
        start_unix_ns: TIME - 60_000_000_000,
        end_reason: (what == Tunnel::Close).then(|| "stop".to_owned()),
        terminate_cause: Some("User-Request".to_owned()),
        client: Client {
            address: Some("2001:db8:7::1".parse().unwrap()),
            place: Some(name.to_owned()),
            country: Some("FR".to_owned()),
            region: Some("Rhone".to_owned()),
            city: Some("Lyon".to_owned()),
            latitude: Some(45.76),
            longitude: Some(4.84),
            radius_km: Some(20),
            asn: Some(3215),
            organisation: Some("Orange".to_owned()),
        },
        assigned: vec!["10.9.8.7".parse().unwrap(), "fd00::7".parse().unwrap()],
        server: Some(name.to_owned()),
        server_address: Some("192.0.2.10".parse().unwrap()),
        device: Some(name.to_owned()),
        software: None,
        input_octets: Some(1000),
        output_octets: Some(u64::MAX),
    }
}

/// Of a VPN server that tells next to nothing.
fn bare(what: Tunnel) -> TunnelActivity {
    TunnelActivity {
        user: None,
        user_original: None,
        client: Client::default(),
        assigned: Vec::new(),
        server: None,
        server_address: None,
        device: None,
        input_octets: None,
        output_octets: None,
        ..activity("1", what)
    }
}

fn health(name: &str, is_over: bool) -> Health {
    Health {
        unix_ns: TIME,
        name: "client-silent".to_owned(),
        severity: Severity::High,
        is_over,
        about: Some(name.to_owned()),
        message: format!("{name} is silent"),
        advice: vec!["Look at it.".to_owned()],
    }
}

/// Calls with every sort of message.
fn all(name: &str, mut each: impl FnMut(&Told<'_>)) {
    for news in [News::New, News::Updated, News::Closed] {
        each(&Told::Notice(&notice(name, news)));
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

/// The published schema's classes and objects that are in use: see the file's first member.
struct Schema(Value);

impl Schema {
    fn read() -> Schema {
        Schema(serde_json::from_str(include_str!("../../../tests/ocsf/schema.json")).unwrap())
    }

    /// What is wrong with an event.
    fn faults(&self, event: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        let class = &self.0["classes"][event["class_uid"].to_string()];
        if class.is_null() {
            return vec!["no class".to_owned()];
        }
        if class["category_uid"] != event["category_uid"] {
            faults.push("category_uid".to_owned());
        }
        let type_uid =
            event["class_uid"].as_u64().unwrap_or(0) * 100 + event["activity_id"].as_u64().unwrap_or(0);
        if event["type_uid"] != type_uid {
            faults.push("type_uid".to_owned());
        }
        self.check(class, event, "", &mut faults);
        faults
    }

    fn check(&self, shape: &Value, object: &Value, path: &str, faults: &mut Vec<String>) {
        let attributes = shape["attributes"].as_object().unwrap();
        let Some(members) = object.as_object() else {
            return faults.push(format!("{path} is no object"));
        };
        for (name, value) in members {
            match attributes.get(name) {
                Some(attribute) => {
                    self.check_value(attribute, value, members, &format!("{path}.{name}"), faults)
                }
                None => faults.push(format!("{path}.{name} is unknown")),
            }
        }
        for (name, attribute) in attributes {
            let kind = attribute.as_str().or(attribute[0].as_str()).unwrap();
            if kind.ends_with('!') && !members.contains_key(name) {
                faults.push(format!("{path}.{name} is required"));
            }
        }
        for group in shape["at_least_one"].as_array().unwrap() {
            if !group.as_array().unwrap().iter().any(|name| members.contains_key(name.as_str().unwrap())) {
                faults.push(format!("{path} has none of {group}"));
            }
        }
    }

    fn check_value(
        &self,
        attribute: &Value,
        value: &Value,
        beside: &serde_json::Map<String, Value>,
        path: &str,
        faults: &mut Vec<String>,
    ) {
        let kind = attribute.as_str().or(attribute[0].as_str()).unwrap().trim_end_matches(['!', '+']);
        if let Some(values) = attribute[1].as_array() {
            if !values.contains(value) {
                faults.push(format!("{path} is {value}, none of the enumeration"));
            }
            let text = path.rsplit('.').next().unwrap().trim_end_matches("_id");
            if *value == 99 && !beside.contains_key(text) {
                faults.push(format!("{path} is 99 without its text"));
            }
        }
        if let Some(kind) = kind.strip_suffix("[]") {
            let Some(items) = value.as_array() else {
                return faults.push(format!("{path} is no array"));
            };
            items.iter().for_each(|item| self.check_value(&Value::from(kind), item, beside, path, faults));
            return;
        }
        let text = value.as_str();
        let is_sound = match kind {
            "integer_t" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            "long_t" => value.is_i64() || value.is_u64(),
            // Milliseconds of this century.
            "timestamp_t" => {
                value.as_u64().is_some_and(|ms| (946_684_800_000..4_102_444_800_000).contains(&ms))
            }
            "boolean_t" => value.is_boolean(),
            "float_t" => value.is_number(),
            "ip_t" => text.is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok()),
            "object" | "json_t" => value.is_object(),
            "url_t" => text.is_some_and(|text| text.starts_with("https://")),
            scalar if scalar.ends_with("_t") => text.is_some_and(|text| !text.is_empty()),
            object => {
                let shape = &self.0["objects"][object];
                assert!(!shape.is_null(), "{object} is not in the table");
                return self.check(shape, value, path, faults);
            }
        };
        if !is_sound {
            faults.push(format!("{path} is no {kind}: {value}"));
        }
    }
}

#[test]
fn ocsf_is_what_the_schema_wants() {
    let schema = Schema::read();
    let mut classes = BTreeMap::new();
    all("alice@contoso.example", |told| {
        let line = Format::Ocsf.write(told, &source());
        for line in [Format::Ocsf.mark_perhaps_twice(&line), line] {
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
    let line = Format::Ocsf.write(&Told::Notice(&notice("alice", News::New)), &source());
    let sound: Value = serde_json::from_str(&line).unwrap();
    let changes: [(&str, fn(&mut Value)); 7] = [
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
fn a_finding_says_what_was_expected_and_seen() {
    let line = Format::Ocsf.write(&Told::Notice(&notice("alice@contoso.example", News::New)), &source());
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

/// Header fields and keys of a line, as a receiver reads them.
fn read_cef(line: &str) -> (Vec<String>, Vec<(String, String)>) {
    assert!(!line.contains(['\n', '\r']), "{line:?}");
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while fields.len() < 8 {
        match characters.next().expect("seven bars") {
            '|' => fields.push(String::new()),
            '\\' => fields.last_mut().unwrap().push(characters.next().unwrap()),
            other => fields.last_mut().unwrap().push(other),
        }
    }
    fields.pop();
    let rest: Vec<char> = characters.collect();
    // A key begins behind a space and ends with `=`; a value goes on to the next.
    let mut keys: Vec<(String, String)> = Vec::new();
    let mut text = String::new();
    let mut at = 0;
    while at < rest.len() {
        match rest[at] {
            '\\' => {
                text.push(if rest[at + 1] == 'n' { '\n' } else { rest[at + 1] });
                at += 1;
            }
            '=' => {
                let (value, key) = text.rsplit_once(' ').unwrap_or(("", &text));
                if let Some((_, last)) = keys.last_mut() {
                    *last = value.to_owned();
                }
                keys.push((key.to_owned(), String::new()));
                text.clear();
            }
            other => text.push(other),
        }
        at += 1;
    }
    keys.last_mut().unwrap().1 = text;
    (fields, keys)
}

#[test]
fn cef_has_the_keys_that_rules_know() {
    let line = Format::Cef.write(&Told::Notice(&notice("user1", News::New)), &source());
    let start = "CEF:0|VPN Sensor|vpn-sensor|9.8.7|AbnormalVpnSecurityAlert|Suspicious VPN connection|5|\
                 start=2026-09-21T14:12:20.1234567Z app=VpnConnection suser=user1 shost=user1 msg=user1 connected \
                 externalId=2025 cs1Label=url cs1=https://portal.contoso.example/alerts/17 cs2Label=trigger cs2=new ";
    assert!(line.starts_with(start), "{line}");
    let updated = Format::Cef.write(&Told::Notice(&notice("user1", News::Updated)), &source());
    assert!(updated.contains(" cs2=updated "), "{updated}");
    for (severity, priority) in [(Severity::Low, "|3|"), (Severity::High, "|10|")] {
        let mut notice = notice("user1", News::New);
        notice.alert.severity = severity;
        assert!(Format::Cef.write(&Told::Notice(&notice), &source()).contains(priority));
    }
}

#[test]
fn a_message_is_marked_in_every_format() {
    let told = Told::Health(&health("a", false));
    for format in [Format::Ocsf, Format::Cef, Format::Json, Format::Text] {
        let plain = format.write(&told, &source());
        let marked = format.mark_perhaps_twice(&plain);
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

/// Structured data of a line, its values as a receiver reads them, and the message behind it.
fn read_syslog(line: &str) -> (Vec<&str>, Vec<String>, &str) {
    let parts: Vec<&str> = line.splitn(7, ' ').collect();
    let (header, mut rest) = (parts[..6].to_vec(), parts[6]);
    let mut values = Vec::new();
    while rest.starts_with('[') {
        let mut is_inside = false;
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next().unwrap() {
                (_, '\\') if is_inside => values
                    .last_mut()
                    .map(|value: &mut String| value.push(characters.next().unwrap().1))
                    .unwrap(),
                (_, '"') => {
                    is_inside = !is_inside;
                    values.extend(is_inside.then(String::new));
                }
                (at, ']') if !is_inside => break at,
                (_, other) if is_inside => values.last_mut().unwrap().push(other),
                _ => {}
            }
        };
        rest = &rest[end + 1..];
    }
    (header, values, rest.strip_prefix(" \u{feff}").unwrap())
}

#[test]
fn a_syslog_frame_is_what_the_rfc_says() {
    let header =
        Header { severity: Severity::Medium, unix_ns: TIME, id: "AbnormalVpnSecurityAlert", sequence: 7 };
    let frame = String::from_utf8(syslog::frame(&header, &source(), "zwölf\nlines")).unwrap();
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
                let plain = format.write(told, &source());
                for line in [format.mark_perhaps_twice(&plain), plain] {
                    assert!(!line.contains(escape::is_hidden), "{line:?}");
                    let value: Value = serde_json::from_str(&line).unwrap();
                    // Nothing is lost either: who is looked for is found.
                    if told.persons().contains(&name.as_str()) {
                        assert!(format.texts(&line).iter().any(|text| text == &name));
                    }
                    if format == Format::Ocsf {
                        assert_eq!(schema.faults(&value), Vec::<String>::new());
                    }
                }
            }
            let line = Format::Cef.write(told, &source());
            let (fields, keys) = read_cef(&line);
            assert_eq!((fields[0].as_str(), fields[1].as_str(), fields[4].as_str()), ("CEF:0", VENDOR, told.id()));
            let known = ["start", "end", "app", "suser", "shost", "msg", "externalId", "cs1Label", "cs1", "cs2Label",
                "cs2", "src", "c6a2Label", "c6a2", "cs4Label", "cs4", "cs5Label", "cs5", "cs6Label", "cs6", "dvchost",
                "cnt", "in", "out", "reason"];
            let mut seen = std::collections::BTreeSet::new();
            for (key, _) in &keys {
                assert!(known.contains(&key.as_str()) && seen.insert(key), "{key} in {line:?}");
            }
            let letter = Format::Text.write(told, &source());
            let (subject, body) = letter.split_once('\n').unwrap();
            assert!(!subject.contains(escape::is_hidden) && !subject.is_empty(), "{subject:?}");
            assert!(!body.contains(|sign: char| sign != '\n' && escape::is_hidden(sign)), "{body:?}");
        });
    }

    #[test]
    fn no_name_breaks_out_of_structured_data(name in hostile(), message in hostile()) {
        let hostile = Source { host: name.clone(), version: name.clone(), portal: None };
        let header = Header { severity: Severity::High, unix_ns: TIME, id: &name, sequence: u64::MAX };
        let line = syslog::line(&header, &hostile, &message);
        let (fields, values, rest) = read_syslog(&line);
        prop_assert_eq!(fields[0], "<34>1");
        prop_assert!(fields[2..].iter().all(|field| !field.is_empty() && field.chars().all(|c| c.is_ascii_graphic())));
        prop_assert_eq!(&values[1], &escape::visible(&name));
        prop_assert_eq!(values.len(), 4);
        prop_assert_eq!(rest, message);
    }
}
