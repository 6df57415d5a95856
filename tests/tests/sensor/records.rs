//! What is recorded of a genuine request, and how it is answered.

use std::net::{IpAddr, Ipv4Addr};

use end_to_end::config::{ClientEntry, Path, SECRET};
use end_to_end::requests::{Status, accounting, kind, start, with};
use end_to_end::sensor::Home;
use end_to_end::wire::{NAS_V4, NAS_V6, SENSOR_DEVICE, SENSOR_V4, SENSOR_V6};
use end_to_end::{Nas, Wire, journal, on_each_path};

on_each_path!(
    accounting_on_and_off_are_recorded_and_answered,
    a_record_says_who_where_when_and_by_which_path,
    passwords_that_a_client_wrongly_sends_are_blanked,
    requests_over_ipv6_are_recorded_and_answered,
    the_answer_comes_from_the_address_that_was_asked,
    the_longest_prefix_chooses_the_client_and_its_secret,
    a_request_without_attributes_is_recorded_and_answered,
);

fn accounting_on_and_off_are_recorded_and_answered(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    for (identifier, (status, session)) in
        [(Status::On, "on"), (Status::Start, "start"), (Status::Interim, "interim"), (Status::Off, "off")]
            .into_iter()
            .enumerate()
    {
        nas.ask_once(&accounting(status, identifier as u8, session, SECRET));
    }
    sensor.settled();
    journal::assert_sessions(&home, &wire.sensor, &["on", "start", "interim", "off"]);
    let lines = journal::dump(&home, &wire.sensor);
    let names: Vec<_> = lines.iter().map(|line| line.attribute(kind::STATUS_TYPE).unwrap()).collect();
    assert_eq!(names, ["Accounting-On", "Start", "Interim-Update", "Accounting-Off"]);
}

fn a_record_says_who_where_when_and_by_which_path(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let request = start(77, "recorded", SECRET);
    nas.ask_once(&request);
    sensor.settled();

    let lines = journal::dump(&home, &wire.sensor);
    let line = &lines[0];
    assert_eq!(line.text("client"), "nas");
    assert_eq!(line.text("src"), nas.address().to_string());
    assert_eq!(line.text("dst"), format!("{SENSOR_V4}:1813"));
    assert_eq!(line.text("path"), path.label());
    assert_eq!(line.json()["id"], 77);
    let authenticator: String = request[4..20].iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(line.text("authenticator"), authenticator);
    assert_eq!(line.attribute(kind::USER_NAME).as_deref(), Some("alice@contoso.example"));
    assert!(line.text("time").ends_with('Z'), "UTC: {}", line.text("time"));
    assert!(!line.text("sensor").is_empty());
}

fn passwords_that_a_client_wrongly_sends_are_blanked(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let password = b"Pa55word-in-clear";
    nas.ask_once(&with(Status::Start, 1, "careless", SECRET, |builder| {
        builder.attribute(kind::USER_PASSWORD, password).attribute(3, password);
    }));
    sensor.settled();
    journal::assert_sessions(&home, &wire.sensor, &["careless"]);
    // Neither in what is shown nor anywhere in the state directory.
    let mut folders = vec![home.state().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let content = std::fs::read(entry.path()).unwrap();
            let found = content.windows(password.len()).any(|window| window == password);
            assert!(!found, "the password is in {}", entry.path().display());
        }
    }
}

fn requests_over_ipv6_are_recorded_and_answered(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V6, SENSOR_V6, SECRET);
    nas.ask_once(&start(1, "six", SECRET));
    let metrics = sensor.settled();
    assert_eq!(metrics.verdict_on(path.label(), "accepted"), 1);
    let lines = journal::dump(&home, &wire.sensor);
    assert_eq!(lines[0].text("src"), nas.address().to_string());
    assert_eq!(lines[0].text("dst"), format!("[{SENSOR_V6}]:1813"));
}

fn the_answer_comes_from_the_address_that_was_asked(path: Path) {
    let wire = Wire::new();
    let second = Ipv4Addr::new(192, 0, 2, 2);
    wire.sensor.ip(&format!("address add {second}/24 dev {SENSOR_DEVICE}"));
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    // The client's socket is connected: an answer from elsewhere would not reach it (R8).
    for (address, session) in [(SENSOR_V4, "first"), (second, "second")] {
        Nas::new(&wire.nas, NAS_V4, address, SECRET).ask_once(&start(1, session, SECRET));
    }
    sensor.settled();
    journal::assert_sessions(&home, &wire.sensor, &["first", "second"]);
}

fn the_longest_prefix_chooses_the_client_and_its_secret(path: Path) {
    let wire = Wire::new();
    let other: IpAddr = Ipv4Addr::new(192, 0, 2, 11).into();
    wire.add_nas_address(other);
    let clients = [
        ClientEntry::new("all", &["0.0.0.0/0", "::/0"], "the secret of everybody else"),
        ClientEntry::new("one", &["192.0.2.10"], SECRET)
            .line("previous_secret = \"the one before this one\""),
    ];
    let home = Home::new(&path.config().clients(&clients));
    let sensor = home.start(&wire.sensor);

    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET).ask_once(&start(1, "one", SECRET));
    let before = "the one before this one";
    // The answer is signed with the secret that verified (R28).
    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, before).ask_once(&start(1, "one-before", before));
    let shared = "the secret of everybody else";
    Nas::new(&wire.nas, other, SENSOR_V4, shared).ask_once(&start(1, "other", shared));
    Nas::new(&wire.nas, NAS_V6, SENSOR_V6, shared).ask_once(&start(1, "six", shared));
    Nas::new(&wire.nas, NAS_V4, SENSOR_V4, shared).send(&start(1, "wrong", shared));
    let metrics = sensor.wait_metrics("all seen", |metrics| metrics.received() == 5);
    assert_eq!(metrics.verdict("bad_authenticator"), 1);
    sensor.settled();
    let lines = journal::dump(&home, &wire.sensor);
    let clients: Vec<_> = lines.iter().map(|line| line.text("client")).collect();
    assert_eq!(clients, ["one", "one", "all", "all"]);
}

fn a_request_without_attributes_is_recorded_and_answered(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let mut buffer = [0; 20];
    let bare = radius::build::RequestBuilder::new(&mut buffer, radius::Code::AccountingRequest, 1);
    let answer = nas.ask_once(bare.seal(SECRET.as_bytes()).unwrap());
    assert_eq!(answer.len(), 20, "T3");
    assert_eq!(sensor.settled().records(), 1);
}
