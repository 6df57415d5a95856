//! The service beside the sensor: killed, stopped, given other meanings and other databases, it has the store that a
//! rebuild makes of the journal and its input log.

mod kills;

use std::{
    fs,
    path::Path,
    process::{Child, Stdio},
};

use end_to_end::api::ask;
use end_to_end::config::{Config, SECRET};
use end_to_end::requests::{Status, with};
use end_to_end::sensor::{Home, Sensor};
use end_to_end::small_disk::SmallDisk;
use end_to_end::tools::output;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Namespace, Nas, PATIENCE, Wire, wait_for, wait_until};
use serde_json::Value;

const REALMS: &str = "[users]\nrealms = [[\"hq.example\", \"contoso.example\", \"contoso\", \"\"]]";

/// VPN servers of four vendors at work, until killed. Their requests are sent again until they are answered.
fn vpn_servers(home: &Home, namespace: &Namespace, seed: u32) -> Child {
    vpn_servers_at(home, namespace, seed, 200)
}

/// The same at so many requests a second.
fn vpn_servers_at(home: &Home, namespace: &Namespace, seed: u32, rate: u32) -> Child {
    let secret = home.file("secret");
    fs::write(&secret, SECRET).unwrap();
    let mut command = home.command(
        namespace,
        &format!(
            "send --to 192.0.2.1 --vendor rras --vendor f5 --vendor check-point --vendor asa --status start \
             --status interim-update --status stop --count 100000 --rate {rate} --window 100 --retries 100 --timeout 0.3 \
             --seed {seed} --secret-file {}",
            secret.display()
        ),
    );
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn json(home: &Home, namespace: &Namespace, command: &str) -> Value {
    serde_json::from_str(&text(home, namespace, command)).unwrap()
}

fn text(home: &Home, namespace: &Namespace, command: &str) -> String {
    let output = output(&mut home.command(namespace, command));
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The digest of the store in force, and that of its rebuild.
fn digests(home: &Home, namespace: &Namespace, rebuilt: &Path) -> (Value, Value) {
    let live = json(home, namespace, "store digest --json");
    text(home, namespace, &format!("rebuild --to {}", rebuilt.display()));
    (live, json(home, namespace, &format!("store digest --json {}", rebuilt.display())))
}

/// The senders end, the sensor stores what there is and stops, and a rebuild to a file of this name makes the same store. Its
/// digest.
fn ends_as_rebuilt(
    home: &Home,
    namespace: &Namespace,
    sensor: Sensor<'_>,
    senders: Vec<Child>,
    rebuilt: &str,
) -> Value {
    for mut sender in senders {
        sender.kill().unwrap();
        sender.wait().unwrap();
    }
    sensor.stored();
    assert!(sensor.stop().success());
    let (live, rebuilt) = digests(home, namespace, &home.file(rebuilt));
    assert_eq!(live, rebuilt);
    live
}

/// Sends sixty requests and sees each answered.
fn sixty_are_answered(home: &Home, namespace: &Namespace, seed: u32) {
    let secret = home.file("secret");
    fs::write(&secret, SECRET).unwrap();
    let send = format!(
        "send --to 192.0.2.1 --count 60 --status start --seed {seed} --json --secret-file {}",
        secret.display()
    );
    let answered = text(home, namespace, &send);
    assert!(answered.contains("\"answered\":60"), "{answered}");
}

#[test]
fn a_store_that_is_locked_delays_the_service_and_nothing_else() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    // It has made its store.
    sensor.wait_log("the service goes on");
    let store = home.state().join("service/store.sqlite");
    // Somebody keeps the store locked for longer than SQLite waits.
    let mut holder = rusqlite::Connection::open(&store).unwrap();
    let lock = holder.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();

    sixty_are_answered(&home, &wire.nas, 1);
    sensor.wait_metrics("storing has failed", |metrics| {
        metrics.sum("vpn_sensor_service_store_failures_total", &[]) > 0
    });
    sensor.wait_log("the service waits and tries again");
    lock.rollback().unwrap();
    wait_for("the sessions are stored", PATIENCE, || {
        (json(&home, &wire.sensor, "store digest --json")["sessions"] == 60).then_some(())
    });
}

#[test]
fn a_store_that_is_locked_before_it_is_made_delays_the_service_and_nothing_else() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    // As one finds it who looks while the service makes it: the file is there, and nothing in it that others see.
    let store = home.state().join("service/store.sqlite");
    fs::create_dir_all(store.parent().unwrap()).unwrap();
    let mut holder = rusqlite::Connection::open(&store).unwrap();
    let lock = holder.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    let sensor = home.start(&wire.sensor);

    sixty_are_answered(&home, &wire.nas, 1);
    sensor.wait_log("database is locked; the service waits and tries again");
    assert!(sensor.ready(), "requests are recorded and answered");
    let early = output(&mut home.command(&wire.sensor, "store digest --json"));
    let told = String::from_utf8_lossy(&early.stderr);
    assert!(!early.status.success() && told.contains("is not made yet"), "{told}");
    lock.rollback().unwrap();
    assert_eq!(sensor.stored().records(), 60);
    assert_eq!(json(&home, &wire.sensor, "store digest --json")["sessions"], 60);
    assert!(sensor.stop().success());
}

#[test]
fn a_full_disk_below_the_store_delays_the_service_and_nothing_else() {
    let disk = SmallDisk::new(24);
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    // The journal lies elsewhere: only what SQLite writes finds no room.
    let folder = disk.path().join("service");
    fs::create_dir(&folder).unwrap();
    fs::create_dir(home.state()).unwrap();
    std::os::unix::fs::symlink(&folder, home.state().join("service")).unwrap();
    let sensor = home.start(&wire.sensor);
    sixty_are_answered(&home, &wire.nas, 1);
    sensor.stored();

    disk.fill();
    for seed in 2.. {
        sixty_are_answered(&home, &wire.nas, seed);
        let failures = sensor.metrics().sum("vpn_sensor_service_store_failures_total", &[]);
        // What the write-ahead log has room for already is stored.
        if failures > 0 {
            break;
        }
        assert!(seed < 1000, "the disk is never full");
    }
    sensor.wait_log("the service waits and tries again");
    assert!(sensor.ready(), "requests are recorded and answered");
    let behind = sensor.settled();
    assert!(behind.sum("vpn_sensor_service_lag_records", &[]) > 0, "what is not stored is a lag");

    disk.free();
    sensor.wait_log("the service stores again");
    let live = ends_as_rebuilt(&home, &wire.sensor, sensor, Vec::new(), "rebuilt.sqlite");
    assert_eq!(live["position"].as_u64().unwrap() % 60, 0, "every record that was answered: {live}");
}

#[test]
fn a_database_that_is_added_is_taken_at_sighup_and_a_corrupt_one_costs_only_its_answers() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sensor/insight/tests/geo/data");
    let city = data.join("GeoIP2-City-Test.mmdb").canonicalize().unwrap();
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let connect = |identifier: u8, session: &str, address: &str| {
        nas.ask_once(&with(Status::Start, identifier, session, SECRET, |builder| {
            builder.text(31, address).attribute(61, &5_u32.to_be_bytes());
        }));
        sensor.stored();
    };
    let place = |session: &str| {
        let all = text(&home, &wire.sensor, "sessions --format json");
        let lines = all.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.into_iter().find(|line| line["session"] == session).unwrap()["place"].clone()
    };
    // What comes with the product knows countries, networks and what sort of network it is.
    connect(1, "tor", "185.220.101.1");
    assert_eq!(place("tor")["country"], "DE");
    assert!(place("tor")["kinds"].as_array().unwrap().contains(&Value::from("tor")), "{}", place("tor"));

    let told = text(&home, &wire.sensor, &format!("geo add {}", city.display()));
    assert!(
        told.starts_with("added ") && told.contains("/geo/city.mmdb; a running sensor takes it at SIGHUP"),
        "{told}"
    );
    let looked_up = text(&home, &wire.sensor, "geo 2.125.160.216");
    assert!(looked_up.contains("Boxford"), "{looked_up}");
    connect(2, "before", "2.125.160.216");
    assert_eq!((&place("before")["country"], &place("before")["city"]), (&"GB".into(), &Value::Null));
    sensor.reload("the configuration is in force");
    // The thread takes the change between two of its turns.
    wait_until("the city is known", PATIENCE, || {
        connect(3, "after", "2.125.160.216");
        place("after")["city"] == "Boxford"
    });
    assert!(sensor.stop().success());

    fs::write(home.state().join("geo/city.mmdb"), "damaged").unwrap();
    let sensor = home.start(&wire.sensor);
    sensor.wait_log("city.mmdb");
    sensor.wait_log("the service goes on without it");
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    nas.ask_once(&with(Status::Start, 4, "damaged", SECRET, |builder| {
        builder.text(31, "2.125.160.216").attribute(61, &5_u32.to_be_bytes());
    }));
    sensor.stored();
    assert_eq!((&place("damaged")["country"], &place("damaged")["city"]), (&"GB".into(), &Value::Null));
    text(&home, &wire.sensor, "geo remove city");
    assert!(!home.state().join("geo/city.mmdb").exists());
    ends_as_rebuilt(&home, &wire.sensor, sensor, Vec::new(), "rebuilt.sqlite");
}

#[test]
fn a_running_service_answers_who_has_a_token_and_writes_down_who_looked_at_whom() {
    let wire = Wire::new();
    let home = Home::new(&Config::udp().lines(REALMS));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    nas.ask_once(&with(Status::Start, 1, "one", SECRET, |builder| {
        builder.text(31, "80.128.0.1").attribute(61, &5_u32.to_be_bytes());
    }));
    sensor.stored();
    let everybody = text(&home, &wire.sensor, "users --format json");
    let user: Value = serde_json::from_str(everybody.lines().next().unwrap()).unwrap();
    let key = user["user"].as_str().unwrap();

    let token = text(&home, &wire.sensor, "token add reports");
    let token = token.trim();
    assert_eq!(ask(&wire.sensor, "users", None).0, 401);
    assert_eq!(ask(&wire.sensor, "users", Some("made-up")).0, 401);
    let (status, page) = ask(&wire.sensor, &format!("users/{}", key.replace('@', "%40")), Some(token));
    assert_eq!((status, &page["user"]), (200, &Value::from(key)), "{page}");
    assert_eq!(page["places"][0]["name"], "DE", "{page}");
    let usual = &page["usual"];
    assert_eq!(
        (&usual["networks"][0]["name"], &usual["connections"]),
        (&"AS3320 Deutsche Telekom AG".into(), &1.into())
    );
    assert_eq!(
        (&usual["learned"], usual["hours"].as_array().unwrap().len()),
        (&false.into(), 168),
        "{usual}"
    );
    assert_eq!(page["sessions"][0]["session"], "one", "{page}");
    assert!(ask(&wire.sensor, "openapi.json", None).1["paths"].is_object());

    // The same page on the terminal, for who is root there.
    let terminal = text(&home, &wire.sensor, &format!("user {key}"));
    assert!(terminal.starts_with(key) && terminal.contains("AS3320 Deutsche Telekom AG"), "{terminal}");
    assert!(
        terminal.contains("1 connections on 1 days; not learned yet (the first connection is not"),
        "{terminal}"
    );
    let audit = text(&home, &wire.sensor, "audit --format json");
    let shown: Vec<Value> = audit
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["action"] == "user.show")
        .collect();
    assert_eq!(shown.len(), 2, "{audit}");
    assert!(shown.iter().all(|line| line["subject"] == key), "{audit}");
    assert_eq!((&shown[0]["who"], &shown[1]["who"]), (&"reports".into(), &"uid 0".into()));
    assert!(!home.log().contains(token) && !audit.contains(token), "the token shows");

    text(&home, &wire.sensor, "token remove reports");
    assert_eq!(ask(&wire.sensor, "users", Some(token)).0, 401);
}

#[test]
fn what_retention_takes_from_the_journal_a_base_has_for_the_rebuild() {
    let wire = Wire::new();
    let journal = "[journal]\nsegment_bytes = \"1 MiB\"\nmax_bytes = \"4 MiB\"\nfree_reserve = 0";
    let home = Home::new(&Config::udp().lines(journal));
    let sensor = home.start(&wire.sensor);
    sensor.wait_metrics("the service is up", |metrics| metrics.sum("vpn_sensor_service_up", &[]) == 1);
    // As many as a service that is not optimised follows.
    let sender = vpn_servers_at(&home, &wire.nas, 1, 1000);
    sensor.wait_metrics("retention has taken segments that a base covers", |metrics| {
        metrics.sum("vpn_sensor_service_bases_total", &[]) >= 4
            && metrics.sum("vpn_sensor_journal_removed_segments_total", &[]) >= 2
    });
    ends_as_rebuilt(&home, &wire.sensor, sensor, vec![sender], "rebuilt.sqlite");
    // No record was taken before the service had come to it and a base covered it.
    assert!(!home.log().contains("that a reader had not come to"), "{}", home.log());
}
