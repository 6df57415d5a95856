//! `vpn-sensor events` and `vpn-sensor sessions`: what four vendors' requests, sent by a client that we did not write,
//! mean, and which connections they make.

use std::collections::BTreeMap;

use end_to_end::config::{Config, SECRET};
use end_to_end::radclient::{Summary, four_vendors, run};
use end_to_end::requests::{Status, with};
use end_to_end::sensor::Home;
use end_to_end::tools::output;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Namespace, Nas, Wire};
use serde_json::Value;

fn events(home: &Home, namespace: &Namespace, options: &str) -> Vec<Value> {
    lines(home, namespace, &format!("events {options}"))
}

fn lines(home: &Home, namespace: &Namespace, command: &str) -> Vec<Value> {
    let output = output(&mut home.command(namespace, command));
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_requests_of_four_vendors_say_who_came_from_where() {
    const COUNT: usize = 12;
    let wire = Wire::new();
    let home = Home::new(&Config::udp().lines("[users]\nrealms = [[\"contoso\", \"contoso.example\"]]"));
    let sensor = home.start(&wire.sensor);
    let folder = tempfile::tempdir().unwrap();
    let summary = run(&wire.nas, folder.path(), SENSOR_V4.into(), &four_vendors(COUNT), SECRET);
    assert_eq!(summary, Summary { answered: COUNT, lost: 0 });
    // An administrator's log-in on the same port.
    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET).ask_once(&with(
        Status::Start,
        1,
        "ssh",
        SECRET,
        |builder| {
            builder.attribute(6, &6_u32.to_be_bytes()).attribute(61, &5_u32.to_be_bytes());
        },
    ));
    sensor.settled();

    let all = events(&home, &wire.sensor, "");
    assert_eq!(all.len(), COUNT + 1);
    let administrator = all.iter().find(|event| event["session"] == "ssh").unwrap();
    assert_eq!(administrator["kind"], "administrator", "{administrator}");
    let vpn = events(&home, &wire.sensor, "--vpn-only");
    let by_session: BTreeMap<&str, &Value> =
        vpn.iter().map(|event| (event["session"].as_str().unwrap(), event)).collect();
    assert_eq!(by_session.len(), COUNT, "the administrator is left out, and nobody else");
    for number in 0..COUNT {
        let (shape, vendor, realm) = [
            ("Rras", "microsoft", "@contoso"),
            ("F5", "f5", "@contoso"),
            // Nothing that Check Point sends says that it is Check Point.
            ("CheckPoint", "unknown", ""),
            ("Asa", "asa", ""),
        ][number % 4];
        let event = by_session[&*format!("{shape}-{number}")];
        assert_eq!(event["vendor"], vendor, "{event}");
        assert_eq!(event["user"], format!("user{number}{realm}"), "{event}");
        assert_eq!(event["remote"]["address"], format!("198.51.100.{}", number + 1), "{event}");
        assert_eq!(event["status"], ["Start", "Interim-Update", "Stop"][number % 3], "{event}");
        if number % 3 == 2 {
            assert_eq!(event["session_seconds"], 3600, "{event}");
            assert_eq!(event["terminate_cause"], "User-Request", "{event}");
        }
        if shape == "Asa" {
            assert_eq!(event["group"], "Employees", "{event}");
            assert_eq!(event["software"], "AnyConnect Windows 4.10.04065", "{event}");
        }
    }
    let one = events(&home, &wire.sensor, "--user CONTOSO\\USER0");
    assert_eq!(one.len(), 1, "{one:?}");
    assert_eq!(
        (&one[0]["user"], &one[0]["user_original"]),
        (&"user0@contoso".into(), &"CONTOSO\\user0".into())
    );
    assert_eq!(events(&home, &wire.sensor, "--from 3 --limit 2").len(), 2);

    let table = output(&mut home.command(&wire.sensor, "events --format table"));
    let table = String::from_utf8(table.stdout).unwrap();
    let starts = |line: &str, word: &str| line.find(word).map(|at| line[..at].chars().count());
    let mut lines = table.lines();
    let head = lines.next().unwrap();
    let row = lines.find(|line| line.contains("user4@contoso")).unwrap();
    assert_eq!(starts(head, "USER"), starts(row, "user4@contoso"), "{table}");
    assert_eq!(starts(head, "FROM"), starts(row, "198.51.100.5"), "{table}");
}

#[test]
fn a_connection_without_an_address_lists_what_there_was() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    nas.ask_once(&with(Status::Start, 1, "hidden", SECRET, |builder| {
        builder.attribute(6, &2_u32.to_be_bytes()).attribute(61, &5_u32.to_be_bytes());
        builder.attribute(31, b"laptop");
    }));
    sensor.settled();
    let events = events(&home, &wire.sensor, "--vpn-only");
    let names = events[0]["attributes"].as_array().unwrap();
    for name in ["User-Name", "Calling-Station-Id", "NAS-Port-Type"] {
        assert!(names.iter().any(|listed| listed == name), "{name} in {}", events[0]);
    }
    assert!(events[0].get("remote").is_none(), "{}", events[0]);
}

#[test]
fn start_interim_and_stop_are_one_session_and_one_without_a_stop_is_open() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let vpn = |status, identifier, session: &str, octets: u32| {
        nas.ask_once(&with(status, identifier, session, SECRET, |builder| {
            builder.attribute(61, &5_u32.to_be_bytes()).attribute(31, b"203.0.113.7");
            builder.attribute(42, &octets.to_be_bytes()).attribute(43, &(2 * octets).to_be_bytes());
        }));
    };
    vpn(Status::Start, 1, "over", 0);
    vpn(Status::Interim, 2, "over", 1000);
    vpn(Status::Stop, 3, "over", 5000);
    vpn(Status::Start, 4, "lasting", 0);
    sensor.stored();
    let sessions = lines(&home, &wire.sensor, "sessions --format json --user ALICE@contoso.example");
    let [lasting, over] = &sessions[..] else { panic!("{sessions:?}") };
    assert_eq!((&over["session"], &over["end_reason"]), (&"over".into(), &"stop".into()), "{over}");
    assert_eq!((&over["input_octets"], &over["output_octets"]), (&5000.into(), &10_000.into()), "{over}");
    assert_eq!(over["remote"], "203.0.113.7", "{over}");
    assert_eq!(lasting["session"], "lasting", "{lasting}");
    assert!(lasting.get("end").is_none(), "{lasting}");
    assert_eq!(lines(&home, &wire.sensor, "sessions --format json --open").len(), 1);
    assert_eq!(lines(&home, &wire.sensor, "sessions --format json --limit 1")[0]["session"], "lasting");
    assert!(lines(&home, &wire.sensor, "sessions --format json --user bob").is_empty());
    let table = output(&mut home.command(&wire.sensor, "sessions"));
    let table = String::from_utf8(table.stdout).unwrap();
    let [head, lasting, over] = &table.lines().collect::<Vec<_>>()[..] else { panic!("{table}") };
    assert_eq!(head.find("ENDED BY"), over.find("stop"), "{table}");
    assert_eq!(head.find("ENDED BY"), lasting.find("open"), "{table}");
}

#[test]
fn an_export_tells_persons_apart_and_names_none_and_is_written_down() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    for (identifier, session, address) in [(1, "one", "203.0.113.7"), (2, "two", "203.0.113.8")] {
        nas.ask_once(&with(Status::Start, identifier, session, SECRET, |builder| {
            builder.attribute(61, &5_u32.to_be_bytes()).text(31, address);
        }));
    }
    sensor.stored();
    let clear = lines(&home, &wire.sensor, "export --clear");
    let (user, address) = (clear[0]["user"].as_str().unwrap(), clear[0]["remote"].as_str().unwrap());
    assert_eq!((user, address), ("alice@contoso.example", "203.0.113.8"));

    let covered = lines(&home, &wire.sensor, "export");
    let text = serde_json::to_string(&covered).unwrap().to_lowercase();
    for gone in ["alice", "contoso", "203.0.113", "\"one\"", "\"two\""] {
        assert!(!text.contains(gone), "{gone} is in {text}");
    }
    assert_eq!(covered[0]["user"], covered[1]["user"], "one person");
    assert_ne!(covered[0]["remote"], covered[1]["remote"], "two addresses");
    assert_eq!(covered, lines(&home, &wire.sensor, "export"), "exports can be joined");
    let unlinkable = lines(&home, &wire.sensor, "export --unlinkable");
    assert_ne!(covered[0]["user"], unlinkable[0]["user"]);
    assert_eq!(unlinkable[0]["user"], unlinkable[1]["user"]);

    let file = home.file("export.jsonl");
    let to_file = format!("export --user CONTOSO\\ALICE@contoso.example --out {}", file.display());
    assert!(lines(&home, &wire.sensor, &to_file).is_empty());
    let audit = lines(&home, &wire.sensor, "audit --format json");
    let exports: Vec<_> = audit
        .iter()
        .filter(|line| line["action"] == "sessions.export")
        .map(|line| &line["details"])
        .collect();
    assert_eq!(exports, ["clear", "pseudonymised", "pseudonymised", "unlinkable", "pseudonymised"]);
    lines(&home, &wire.sensor, "events --limit 1");
    let audit = lines(&home, &wire.sensor, "audit --format json --limit 1");
    assert_eq!(audit[0]["action"], "events.list");
}
