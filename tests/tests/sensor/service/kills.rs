//! Twenty kills while four VPN servers work, people decide about alerts and thresholds, meanings and databases change.

use std::{path::Path, process::Child, thread, time::Duration};

use end_to_end::config::{Config, SECRET};
use end_to_end::requests::{Status, with};
use end_to_end::sensor::{Home, Sensor};
use end_to_end::tools::output;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Namespace, Nas, PATIENCE, Wire, wait_until};
use radius::{Code, build::RequestBuilder};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::{REALMS, ends_as_rebuilt, json, text, vpn_servers};

/// Another threshold, an exclusion, another bound on notices.
const DETECT: &str = "[detect]\ntravel_kmh = 400\nsimultaneous_km_min = 50\nnotices_per_day = 2\n\
                      [[detect.exclusion]]\nuser = \"excluded@hq.example\"\nreason = \"ticket 7\"\n\
                      until = \"2099-01-01T00:00:00Z\"\n";

/// Somebody is at home in Great Britain and at once, with another computer, in China. Both are answered.
fn steal(nas: &Nas, number: u32) {
    for (place, address, device) in [("home", "81.2.69.160", "PC-7"), ("away", "175.16.199.7", "KALI")] {
        let mut buffer = [0; radius::MAX_LENGTH];
        let identifier = (number * 2 + u32::from(place == "away")) as u8;
        let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, 128 + identifier);
        request.integer(40, Status::Start as u32).text(44, &format!("{place}-{number}")).text(32, "gateway");
        request.text(1, &format!("victim{number}@contoso.example")).text(31, address).integer(61, 5);
        request.vendor(9, 1, format!("mdm-tlv=device-uid={device}").as_bytes());
        nas.ask(request.seal(SECRET.as_bytes()).unwrap());
    }
}

fn alerts(home: &Home, namespace: &Namespace) -> Vec<Value> {
    let listed = output(&mut home.command(namespace, "alerts --format json"));
    // The store is not made yet.
    let lines = String::from_utf8(listed.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Somebody decides about the oldest open alert, each time otherwise, whether the service takes it before it is killed or
/// not. Whether there was one.
fn decide(home: &Home, namespace: &Namespace, turn: usize) -> bool {
    let open = alerts(home, namespace).into_iter().filter(|alert| alert["state"]["state"] == "open");
    let Some(number) = open.filter_map(|alert| alert["number"].as_u64()).min() else { return false };
    let verdict = ["usual", "malicious", "unclear"][turn % 3];
    text(home, namespace, &format!("alerts comment {number} looked_at"));
    // Somebody else, or the decision of a moment before, may be ahead.
    output(&mut home.command(namespace, &format!("alerts close {number} --as {verdict}")));
    true
}

/// How often meanings or databases have changed, as the input log has it.
fn changes(home: &Home) -> i64 {
    let log = home.state().join("service/inputs.sqlite");
    let log = Connection::open_with_flags(log, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let kinds = "SELECT count(*) FROM input WHERE json_extract(body, '$.input') IN ('meaning', 'databases')";
    log.query_row(kinds, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_store_that_went_through_twenty_kills_is_what_its_rebuild_makes() {
    const KILLS: u32 = 20;
    let databases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sensor/insight/tests/geo/data");
    let databases = databases.canonicalize().unwrap();
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let senders: Vec<Child> = (1..3).map(|seed| vpn_servers(&home, &wire.nas, seed)).collect();
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let connect = |identifier: u8, session: &str| {
        nas.ask(&with(Status::Start, identifier, session, SECRET, |builder| {
            builder.text(31, "203.0.113.7").attribute(61, &5_u32.to_be_bytes());
        }));
    };
    let change = |sensor: &Sensor<'_>, lines: &str| {
        let before = changes(&home);
        home.configure(&Config::udp().lines(lines));
        sensor.reload("the configuration is in force");
        // The thread takes it between two of its turns.
        wait_until("the change is an input", PATIENCE, || changes(&home) > before);
    };
    let mut decisions = 0;
    for kill in 0..KILLS {
        let mut sensor = home.spawn(&wire.sensor);
        sensor.wait_ready();
        if kill == 0 {
            connect(1, "early");
            sensor.stored();
        } else if !kill.is_multiple_of(4) {
            // The others are killed before the service has begun, or while it opens its store.
            sensor
                .wait_metrics("the service is up", |metrics| metrics.sum("vpn_sensor_service_up", &[]) == 1);
        }
        steal(&nas, kill);
        if kill % 2 == 1 {
            decisions += usize::from(decide(&home, &wire.sensor, decisions));
        }
        // Anywhere: while it stores, while it takes, while it has nothing to do.
        thread::sleep(Duration::from_millis(u64::from(kill * kill * 7 % 400)));
        match kill {
            6 => change(&sensor, REALMS),
            10 => change(&sensor, &format!("{REALMS}\n{DETECT}")),
            13 => {
                let networks = databases.join("GeoLite2-ASN-Test.mmdb").display().to_string();
                change(&sensor, &format!("{REALMS}\n{DETECT}\n[geo]\ndatabases = [{networks:?}]"));
            }
            // A clean stop leaves a checkpoint: what follows is killed between one and the next.
            4 | 9 | 15 => {
                assert!(sensor.stop().success());
                continue;
            }
            _ => {}
        }
        sensor.kill();
    }
    let sensor = home.start(&wire.sensor);
    connect(2, "late");
    let live = ends_as_rebuilt(&home, &wire.sensor, sensor, senders, "rebuilt.sqlite");
    assert!(live["sessions"].as_u64().unwrap() > 200, "{live}");
    // People decided, before and behind the change, and what they decided is there.
    let all = alerts(&home, &wire.sensor);
    let closed = all.iter().filter(|alert| alert["state"]["state"] == "closed").count();
    assert!(decisions > 4 && closed > 4, "{decisions} {closed} {all:#?}");
    // The name meant another user in the beginning: the old record still means what it meant.
    let sessions = text(&home, &wire.sensor, "sessions --format json");
    let user = |session: &str| {
        let lines = sessions.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let found = lines.into_iter().find(|line| line["session"] == session);
        found.unwrap_or_else(|| panic!("{session} in {sessions}"))["user"].as_str().unwrap().to_owned()
    };
    assert_eq!((&*user("early"), &*user("late")), ("alice@contoso.example", "alice@hq.example"));

    // A rebuilt store goes on where the old one was.
    text(&home, &wire.sensor, "rebuild");
    let sensor = home.start(&wire.sensor);
    let before = json(&home, &wire.sensor, "store digest --json");
    let sender = vpn_servers(&home, &wire.nas, 3);
    wait_until("more is stored", PATIENCE, || {
        json(&home, &wire.sensor, "store digest --json")["position"].as_u64() > before["position"].as_u64()
    });
    ends_as_rebuilt(&home, &wire.sensor, sensor, vec![sender], "rebuilt-again.sqlite");
}
