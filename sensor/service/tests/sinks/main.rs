//! Sinks over real peers: rsyslog, an HTTP server, a mail server, files; peers that are dead, and kills.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test, and what its parts share")]

mod certificate;
mod files;
mod hook;
mod kill;
mod limits;
mod mail;
mod prompt;
mod rsyslog;
mod webhook;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use service::{
    alert::{Alert, Connection, News, Notice, Severity, State},
    export::{
        Sinks,
        format::{Format, Kind, Source},
        sink::{Settings, Standing, Target},
        spool::Limits,
    },
};

/// 2026-09-21T14:13:20Z.
const TIME: u64 = 1_790_000_000_000_000_000;

/// The notice of this number.
fn notice(sequence: u64, user: &str) -> Notice {
    let connection = Connection {
        session: sequence,
        session_id: format!("s{sequence}"),
        start_unix_ns: TIME,
        user: None,
        score: 5.0,
        address: Some("203.0.113.7".parse().unwrap()),
        place: Some("Lyon, Rhone, FR".to_owned()),
        country: Some("FR".to_owned()),
        latitude: None,
        longitude: None,
        asn: Some(64500),
        organisation: Some("Example Hosting".to_owned()),
        kinds: Vec::new(),
        device: Some("PC-7".to_owned()),
        software: None,
        server: Some("gateway".to_owned()),
        server_address: None,
    };
    let alert = Alert {
        number: sequence,
        revision: 1,
        detection: "suspicious-connection".to_owned(),
        title: "Suspicious VPN connection".to_owned(),
        external_id: Some(2025),
        severity: Severity::Medium,
        score: 5.0,
        message: format!("{user} connected from Lyon"),
        advice: vec!["Ask the user.".to_owned()],
        user: Some(user.to_owned()),
        user_original: None,
        address: None,
        users: Vec::new(),
        first_unix_ns: TIME,
        last_unix_ns: TIME,
        changed_unix_ns: TIME,
        reasons: Vec::new(),
        connections: vec![connection],
        connection_count: 1,
        state: State::Open,
        comments: Vec::new(),
        held_back: None,
    };
    Notice { sequence, news: News::New, is_held: false, alert }
}

fn settings(name: &str, format: Format, target: Target) -> Settings {
    Settings {
        name: name.to_owned(),
        target,
        format,
        what: Kind::ALL.to_vec(),
        min_severity: Severity::Informational,
        limits: Limits::default(),
    }
}

fn file(name: &str, path: &Path) -> Settings {
    settings(name, Format::Json, Target::File { path: path.to_owned() })
}

fn open(state: &Path, settings: Vec<Settings>) -> Sinks {
    let source = Source { host: "gw1".to_owned(), version: "9.8.7".to_owned(), portal: None };
    Sinks::open(state, settings, source)
}

fn standing(sinks: &Sinks, name: &str) -> Standing {
    sinks.standing().into_iter().find(|standing| standing.name == name).unwrap()
}

/// Waits until something is so; says what was not.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(40), "not within 40 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Numbers of the notices in lines of our own JSON, and whether each is marked.
fn numbers(text: &str) -> Vec<(u64, bool)> {
    let number = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?}"));
        (value["sequence"].as_u64().unwrap(), value["delivery"] == "perhaps-twice")
    };
    text.lines().map(number).collect()
}

/// Each of `1..=count` is there; the first of each is in order, and each further one is marked.
fn check_arrived(arrived: &[(u64, bool)], count: u64) {
    let mut seen = 0;
    for (number, is_marked) in arrived {
        if *number == seen + 1 {
            seen += 1;
        } else {
            assert!(*number <= seen, "{number} behind {seen}: {arrived:?}");
            assert!(is_marked, "{number} arrived twice and is not marked: {arrived:?}");
        }
    }
    assert_eq!(seen, count, "{arrived:?}");
}
