//! What keeps the sensor from its work is told over the wire: to a file, in metrics, once, and that it is over.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use end_to_end::config::{ClientEntry, Config, SECRET};
use end_to_end::requests::{Status, of_length, start};
use end_to_end::sensor::Home;
use end_to_end::small_disk::SmallDisk;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Nas, PATIENCE, Sensor, Wire, wait_for, wait_until};
use radius::{Code, build::RequestBuilder};
use serde_json::Value;

/// A configuration with a file that health messages go to, and the file.
struct Told {
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Told {
    fn new() -> Told {
        let folder = tempfile::tempdir().unwrap();
        Told { file: folder.path().join("health.json"), _folder: folder }
    }

    fn sink(&self) -> String {
        format!("[[sink]]\nname = \"file\"\nkind = \"file\"\npath = {:?}\nwhat = [\"health\"]\n", self.file)
    }

    /// Messages of this condition that have arrived, in order: whether it is over, and the message.
    fn of(&self, condition: &str) -> Vec<(bool, Value)> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let messages = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        messages
            .map(|line| line["health"].clone())
            .filter(|health| health["name"] == condition)
            .map(|health| (health["is_over"].as_bool().unwrap(), health))
            .collect()
    }

    /// Waits for the first message of this condition that is, or is not, that it is over.
    #[track_caller]
    fn wait(&self, condition: &str, is_over: bool) -> Value {
        wait_for(&format!("{condition} is told, over: {is_over}"), PATIENCE, || {
            self.of(condition).into_iter().find(|(over, _)| *over == is_over).map(|(_, health)| health)
        })
    }
}

#[track_caller]
fn assert_says(health: &Value, texts: &[&str]) {
    let said = health.to_string();
    for text in texts {
        assert!(said.contains(text), "{text:?} is not in {said}");
    }
}

fn stands(sensor: &Sensor<'_>, condition: &str, subject: &str) -> bool {
    let labels = [("condition", condition), ("subject", subject)];
    sensor.metrics().sum("vpn_sensor_health", &labels) == 1
}

#[test]
fn a_wrong_secret_and_an_unknown_client_are_told_of_until_they_are_mended() {
    let wire = Wire::new();
    let told = Told::new();
    let known = |secret| ClientEntry::new("branch-rras", &["192.0.2.10"], secret);
    let home =
        Home::new(&Config::udp().clients(&[known("not the secret of the server")]).lines(&told.sink()));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let address = "192.0.2.77".parse().unwrap();
    wire.add_nas_address(address);
    let stranger = Nas::new(&wire.nas, address, SENSOR_V4, SECRET);

    for identifier in 0..5 {
        nas.send(&start(identifier, "wrong", SECRET));
        stranger.send(&start(identifier, "unknown", SECRET));
    }
    let wrong = told.wait("wrong-secret", false);
    assert_eq!((&wrong["about"], &wrong["severity"]), (&"branch-rras".into(), &"high".into()));
    assert_says(
        &wrong,
        &["branch-rras", "192.0.2.10", "shared secret", "previous_secret", "Since 2", "runbook"],
    );
    assert!(!wrong.to_string().contains("not the secret of"), "{wrong}");
    let unknown = told.wait("unknown-client", false);
    assert_eq!(unknown["about"], "192.0.2.77");
    assert_says(&unknown, &["First packet in the portal", "[[client]]", "SIGHUP", "runbook"]);
    assert!(
        stands(&sensor, "wrong-secret", "branch-rras") && stands(&sensor, "unknown-client", "192.0.2.77")
    );
    sensor.wait_log("wrong-secret");

    // It goes on, across a restart too, and is told once.
    assert!(sensor.stop().success());
    let sensor = home.start(&wire.sensor);
    for identifier in 10..15 {
        nas.send(&start(identifier, "wrong", SECRET));
        stranger.send(&start(identifier, "unknown", SECRET));
        std::thread::sleep(Duration::from_millis(700));
    }
    sensor.wait_metrics("it stands", |metrics| {
        metrics.sum("vpn_sensor_health", &[("condition", "wrong-secret")]) == 1
    });

    let mended = [known(SECRET), ClientEntry::new("new", &["192.0.2.77"], SECRET)];
    home.configure(&Config::udp().clients(&mended).lines(&told.sink()));
    sensor.reload("the configuration is in force");
    nas.ask(&start(20, "right", SECRET));
    stranger.ask(&start(20, "known", SECRET));
    assert_says(&told.wait("wrong-secret", true), &["branch-rras", "verify", "It lasted"]);
    assert_says(&told.wait("unknown-client", true), &["192.0.2.77"]);
    sensor.wait_metrics("nothing of it stands", |metrics| {
        metrics.sum("vpn_sensor_health", &[("subject", "branch-rras")]) == 0
            && metrics.sum("vpn_sensor_health", &[("subject", "192.0.2.77")]) == 0
    });
    for condition in ["wrong-secret", "unknown-client"] {
        let edges: Vec<bool> = told.of(condition).iter().map(|(is_over, _)| *is_over).collect();
        assert_eq!(edges, [false, true], "{condition}: each is told once");
    }
}

#[test]
fn silence_is_told_of_until_somebody_is_heard() {
    let wire = Wire::new();
    let told = Told::new();
    let clients = [
        ClientEntry::new("branch", &["192.0.2.10"], SECRET),
        ClientEntry::new("head", &["192.0.2.77"], SECRET),
    ];
    let health = "[health]\nclient_silent = \"4s\"\nsensor_silent = \"10s\"\n";
    let home = Home::new(&Config::udp().clients(&clients).lines(&(health.to_owned() + &told.sink())));
    let sensor = home.start(&wire.sensor);
    let address = "192.0.2.77".parse().unwrap();
    wire.add_nas_address(address);
    let branch = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let head = Nas::new(&wire.nas, address, SENSOR_V4, SECRET);

    branch.ask(&start(1, "a", SECRET));
    let mut identifier = 1;
    wait_until("the silent one is told of", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(500));
        identifier += 1;
        head.ask(&start(identifier, &format!("b{identifier}"), SECRET));
        !told.of("client-silent").is_empty()
    });
    let silent = told.wait("client-silent", false);
    assert_eq!(silent["about"], "branch");
    assert_says(&silent, &["branch", "silent for", "client_silent"]);
    assert!(!stands(&sensor, "client-silent", "head"));
    // Silence goes on where nobody looks.
    assert!(sensor.stop().success());
    let sensor = home.start(&wire.sensor);
    assert_says(&told.wait("sensor-silent", false), &["No client", "tcpdump", "sensor_silent"]);
    branch.ask(&start(2, "c", SECRET));
    told.wait("sensor-silent", true);
    assert_says(&told.wait("client-silent", true), &["branch", "heard again"]);
    assert_eq!(told.of("sensor-silent").len(), 2);
    drop(sensor);
}

#[test]
fn databases_of_places_that_are_old_or_damaged_are_told_of_until_they_are_mended() {
    let wire = Wire::new();
    let told = Told::new();
    let config =
        |geo_stale| Config::udp().lines(&format!("[health]\ngeo_stale = {geo_stale:?}\n{}", told.sink()));
    // Those that come with the product are older than that on every day but the one that they were made.
    let home = Home::new(&config("1d"));
    let damaged = home.state().join("geo/city.mmdb");
    fs::create_dir_all(damaged.parent().unwrap()).unwrap();
    fs::write(&damaged, "damaged").unwrap();
    let sensor = home.start(&wire.sensor);
    assert_says(&told.wait("geo-missing", false), &["city.mmdb", "vpn-sensor geo"]);
    assert_says(&told.wait("geo-stale", false), &[" days)", "vpn-sensor geo add FILE"]);
    assert!(stands(&sensor, "geo-missing", "") && stands(&sensor, "geo-stale", ""));

    fs::remove_file(&damaged).unwrap();
    home.configure(&config("off"));
    sensor.reload("the configuration is in force");
    for condition in ["geo-missing", "geo-stale"] {
        told.wait(condition, true);
        assert!(!stands(&sensor, condition, ""), "{condition}");
    }
}

#[test]
fn a_dead_webhook_is_told_of_until_it_has_caught_up() {
    let wire = Wire::new();
    let told = Told::new();
    let hook = "[[sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/hook\"\n\
                what = [\"connections\", \"health\"]\n";
    let health = "[health]\nsink_behind = \"3s\"\n";
    let with = |hook: &str| Config::udp().lines(&format!("{health}{}{hook}", told.sink()));
    let home = Home::new(&with(hook));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    nas.ask(&start(1, "s", SECRET));
    let behind = told.wait("sink-behind", false);
    assert_eq!(behind["about"], "hook");
    assert_says(&behind, &["webhook", "127.0.0.1:9", "max_age"]);
    let labels = [("sink", "hook")];
    let metrics = sensor
        .wait_metrics("attempts fail", |metrics| metrics.sum("vpn_sensor_sink_failures_total", &labels) > 1);
    assert_eq!(metrics.sum("vpn_sensor_sink_up", &labels), 0);
    assert!(metrics.sum("vpn_sensor_sink_waiting_messages", &labels) > 0);
    assert!(metrics.sum("vpn_sensor_sink_oldest_waiting_seconds", &labels) >= 3);
    assert!(metrics.sum("vpn_sensor_sink_spool_bytes", &labels) > 0);
    assert!(metrics.sum("vpn_sensor_sink_delivered_total", &[("sink", "file")]) > 0);
    assert_eq!(metrics.sum("vpn_sensor_sink_up", &[("sink", "file")]), 1);

    // A receiver takes what waited: connections, and that it was behind.
    let receiver = wire.sensor.enter(|| std::net::TcpListener::bind("127.0.0.1:9").unwrap());
    std::thread::spawn(move || {
        for stream in receiver.incoming() {
            answer(stream.unwrap());
        }
    });
    assert_says(&told.wait("sink-behind", true), &["hook", "caught up"]);
    assert_eq!(told.of("sink-behind").len(), 2);
}

/// Answers one request with 200 and closes.
fn answer(stream: std::net::TcpStream) {
    use std::io::{BufRead as _, Read as _, Write as _};
    let mut reader = std::io::BufReader::new(stream);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).unwrap_or(0) > 0 && line != "\r\n" {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    reader.into_inner().write_all(answer).unwrap();
}

#[test]
fn a_disk_that_fills_is_told_of_until_there_is_space() {
    let disk = SmallDisk::new(128);
    let wire = Wire::new();
    let told = Told::new();
    let journal =
        "[journal]\nsegment_bytes = \"1 MiB\"\nfree_reserve = 0\n[health]\ndisk_free = \"20 MiB\"\n";
    let home = Home::with_state(
        &Config::udp().lines(&(journal.to_owned() + &told.sink())),
        &disk.path().join("state"),
    );
    let sensor = home.start(&wire.sensor);
    let ballast = disk.path().join("more");
    grow(&ballast, disk.path(), 15 << 20);
    let short = told.wait("disk", false);
    assert_eq!(short["about"], "space");
    assert_says(&short, &[&disk.path().display().to_string(), "less than 20.0 MiB", "max_bytes"]);
    assert!(stands(&sensor, "disk", "space"));
    fs::remove_file(ballast).unwrap();
    assert_says(&told.wait("disk", true), &["enough free space"]);
    assert_eq!(told.of("disk").len(), 2);
}

/// Makes a file that leaves so many octets free.
fn grow(file: &Path, disk: &Path, leave: u64) {
    let space = rustix::fs::statvfs(disk).unwrap();
    let size = (space.f_bavail * space.f_frsize).saturating_sub(leave);
    fs::write(file, vec![0xa5; size as usize]).unwrap();
}

#[test]
fn the_wrong_clock_of_a_vpn_server_is_told_of_until_it_is_set() {
    let wire = Wire::new();
    let told = Told::new();
    let home = Home::new(&Config::udp().lines(&told.sink()));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let mut identifier = 0;
    // Its clock is so many seconds behind.
    let mut connect = |server: &str, behind_s: i64| {
        identifier += 1;
        let now = jiff::Timestamp::now().as_second() - behind_s;
        let mut buffer = [0; radius::MAX_LENGTH];
        let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, identifier);
        request.integer(40, Status::Start as u32).text(44, &format!("{server}-{identifier}"));
        request.text(1, "alice@contoso.example").text(32, server).integer(55, now as u32);
        nas.ask(request.seal(SECRET.as_bytes()).unwrap());
    };
    // Nobody is told of it before it has been so for two minutes.
    wait_until("the wrong clock is told of", 5 * PATIENCE, || {
        std::thread::sleep(Duration::from_secs(3));
        connect("branch", 3600);
        connect("head", 0);
        !told.of("clock-skew").is_empty()
    });
    let wrong = told.wait("clock-skew", false);
    assert_eq!((&wrong["about"], &wrong["severity"]), (&"nas (branch)".into(), &"low".into()));
    assert_says(&wrong, &["behind of this host's", "NTP", "time zone", "runbook"]);
    assert!(stands(&sensor, "clock-skew", "nas (branch)") && !stands(&sensor, "clock-skew", "nas (head)"));

    connect("branch", 0);
    assert_says(&told.wait("clock-skew", true), &["The clock of nas (branch) is right.", "It lasted"]);
    assert!(!stands(&sensor, "clock-skew", "nas (branch)"));
    assert_eq!(told.of("clock-skew").len(), 2);
}

#[test]
fn records_that_went_before_they_were_read_are_told_of_until_no_more_are_lost() {
    let wire = Wire::new();
    let told = Told::new();
    let journal = "[journal]\nsegment_bytes = \"1 MiB\"\nmax_bytes = \"4 MiB\"\nfree_reserve = 0\n\
                   keep_unread = false\n[health]\nover_after = \"5s\"\n";
    let home = Home::new(&Config::udp().lines(&(journal.to_owned() + &told.sink())));
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let sensor = home.start(&wire.sensor);
    nas.ask(&start(1, "before", SECRET));
    sensor.stored();
    assert!(sensor.stop().success());

    // The store is locked: the service does not come to what is recorded, and retention takes it.
    let store = home.state().join("service/store.sqlite");
    let mut holder = rusqlite::Connection::open(&store).unwrap();
    let lock = holder.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    let sensor = home.start(&wire.sensor);
    let mut number = 0;
    wait_until("retention takes records", PATIENCE, || {
        number += 1;
        nas.ask(&of_length(4000, number as u8, &format!("{number}"), SECRET));
        home.log().contains("that a reader had not come to")
    });
    assert!(told.of("records-lost").is_empty());
    lock.rollback().unwrap();
    let lost = told.wait("records-lost", false);
    assert_eq!(lost["severity"], "high");
    assert_says(&lost, &["Records went before", "journal.max_bytes", "journal verify", "runbook"]);
    assert_says(&told.wait("records-lost", true), &["No more records are lost."]);
    sensor.stored();
    nas.ask(&start(2, "after", SECRET));
    sensor.stored();
    assert_eq!(told.of("records-lost").len(), 2);
}
