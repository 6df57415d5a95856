//! Files: rotated, taken away, begun in the middle of a line; and what reaches all sinks.

use std::{fs, time::Duration};

use service::{
    alert::Severity,
    control::Names,
    export::{
        format::{Client, Format, Health, Kind, Tunnel, TunnelActivity},
        spool::{Limits, Origin},
    },
    forget::Person,
};

use super::{TIME, check_arrived, file, hook, notice, numbers, open, standing, until, webhook::webhook};

#[test]
fn a_file_that_is_rotated_away_loses_nothing() {
    let state = tempfile::tempdir().unwrap();
    let path = state.path().join("alerts.json");
    // Somebody's half of a line.
    const HALF: &str = "{\"sequence\":0}";
    fs::write(&path, HALF).unwrap();
    let sinks = open(state.path(), vec![file("file", &path)]);
    for number in 1..=300 {
        sinks.tell_notice(&notice(number, "alice"), &[]);
        if number % 100 == 0 {
            // In the middle of whatever it is at.
            fs::rename(&path, state.path().join(format!("alerts.json.{number}"))).unwrap_or_default();
        }
    }
    until("all are written", || standing(&sinks, "file").waiting == 0);
    fs::rename(&path, state.path().join("alerts.json.last")).unwrap_or_default();
    sinks.tell_notice(&notice(301, "alice"), &[]);
    until("a new file begins", || path.exists() && standing(&sinks, "file").waiting == 0);
    sinks.stop();
    let parts = ["alerts.json.100", "alerts.json.200", "alerts.json.300", "alerts.json.last", "alerts.json"];
    let read = |part: &&str| fs::read_to_string(state.path().join(part)).unwrap_or_default();
    assert_eq!(numbers(&read(&parts[4])), [(301, false)]);
    let whole = |text: String| {
        // It stays one where it was rotated away before the sink had opened the file; the sink's own lines are whole.
        if text == HALF {
            return text + "\n";
        }
        assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
        text
    };
    let text: String = parts.iter().map(read).map(whole).collect();
    let found = numbers(&text);
    assert_eq!(found[0], (0, false));
    check_arrived(&found[1..], 301);
    assert_eq!(found.len(), 302, "none twice");
}

#[test]
fn each_sink_gets_what_it_wants_and_nothing_twice() {
    let state = tempfile::tempdir().unwrap();
    let path = |name: &str| state.path().join(name);
    let connections = || {
        let mut settings = file("connections", &path("connections"));
        settings.what = vec![Kind::Connection];
        // Connections have no severity that it could be about.
        settings.min_severity = Severity::High;
        settings
    };
    let urgent = || {
        let mut settings = file("urgent", &path("urgent"));
        (settings.min_severity, settings.format) = (Severity::High, Format::Ocsf);
        settings.what = vec![Kind::Alert, Kind::Health];
        settings
    };
    let all = || vec![connections(), urgent(), file("all", &path("all"))];
    let activity = TunnelActivity {
        unix_ns: TIME,
        what: Tunnel::Open,
        user: Some("alice".to_owned()),
        user_original: None,
        session_id: "1".to_owned(),
        start_unix_ns: TIME,
        end_reason: None,
        terminate_cause: None,
        client: Client::default(),
        assigned: Vec::new(),
        server: None,
        server_address: None,
        device: None,
        software: None,
        input_octets: None,
        output_octets: None,
    };
    let mut high = notice(3, "alice");
    high.alert.severity = Severity::High;
    let mut held = notice(4, "alice");
    held.is_held = true;
    // The same is handed over again behind a start, as by who does not know how far it was.
    for round in 0..2 {
        let sinks = open(state.path(), all());
        for notice in [&notice(1, "alice"), &notice(2, "alice"), &high, &held] {
            sinks.tell_notice(notice, &[]);
        }
        for index in [0, 1] {
            sinks.tell_activity(&activity, Origin { position: 70, index });
        }
        if round == 0 {
            sinks.tell_health(&silent());
            sinks.tell_health(&Health { is_over: true, ..silent() });
        }
        until("all is written", || sinks.standing().iter().all(|standing| standing.waiting == 0));
        let mark = |position, index| Some(Origin { position, index });
        assert_eq!((sinks.mark(Kind::Alert), sinks.mark(Kind::Connection)), (mark(4, 0), mark(70, 1)));
        sinks.stop();
    }
    let lines = |name: &str| fs::read_to_string(path(name)).unwrap().lines().count();
    assert_eq!((lines("connections"), lines("urgent"), lines("all")), (2, 3, 7));
}

#[test]
fn a_person_is_forgotten_where_no_sink_is_any_more() {
    let state = tempfile::tempdir().unwrap();
    let dead = || webhook("dead", format!("http://{}/hook", hook::free_address()), Default::default());
    let mut sinks = open(state.path(), vec![dead()]);
    sinks.tell_notice(&notice(1, "mallory"), &[]);
    sinks.tell_notice(&notice(2, "bob"), &[]);
    sinks.reload(Vec::new());
    let person = Person::new(Names { typed: "mallory".into(), key: "mallory".into(), written: Vec::new() });
    assert_eq!(sinks.forget(&person).unwrap(), 1);
    let folder = service::folder(state.path()).join("spool/dead");
    let octets: Vec<u8> =
        fs::read_dir(&folder).unwrap().flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    let text = String::from_utf8_lossy(&octets);
    assert!(!text.contains("mallory") && text.contains("bob"));
    // Put back into use it goes on with what is left.
    let settings = dead();
    sinks.reload(vec![settings]);
    assert_eq!(standing(&sinks, "dead").waiting, 1);
    sinks.stop();
    // Nothing left, nothing kept.
    let mut short = dead();
    short.limits = Limits { max_age: Duration::from_nanos(1), ..Limits::default() };
    let sinks = open(state.path(), vec![short]);
    until("it falls out", || standing(&sinks, "dead").waiting == 0);
    sinks.stop();
    open(state.path(), Vec::new()).stop();
    assert!(!folder.exists());
}

#[test]
fn a_sink_that_cannot_be_started_keeps_no_other_from_its_work() {
    let state = tempfile::tempdir().unwrap();
    let spools = service::folder(state.path()).join("spool");
    let (bad, good) = (state.path().join("bad.json"), state.path().join("good.json"));
    fs::create_dir_all(&spools).unwrap();
    fs::write(spools.join("bad"), "in the way").unwrap();
    // What is left of another one cannot be opened either: a folder in the place of its cursor.
    fs::create_dir_all(spools.join("left/cursor")).unwrap();
    let mut sinks = open(state.path(), vec![file("bad", &bad), file("good", &good)]);
    sinks.tell_notice(&notice(1, "alice"), &[]);
    until("the other one writes", || standing(&sinks, "good").sent == 1);
    let stopped = standing(&sinks, "bad");
    assert!(!stopped.is_up && standing(&sinks, "good").stopped.is_none());
    assert!(stopped.stopped.unwrap().contains("spool/bad"));
    // A file holds no messages of anybody; a folder that cannot be opened may.
    let person = Person::new(Names { typed: "bob".into(), key: "bob".into(), written: Vec::new() });
    let error = sinks.forget(&person).unwrap_err().to_string();
    assert!(error.contains("spool/left"), "{error}");
    fs::remove_dir_all(spools.join("left")).unwrap();
    assert_eq!(sinks.forget(&person).unwrap(), 0);
    // Nothing changed, then it is mended.
    assert_eq!(sinks.try_again(), None);
    assert!(standing(&sinks, "bad").stopped.is_some());
    sinks.tell_health(&silent());
    fs::remove_file(spools.join("bad")).unwrap();
    sinks.try_again();
    sinks.tell_notice(&notice(2, "alice"), &[]);
    until("both write", || ["bad", "good"].iter().all(|name| standing(&sinks, name).waiting == 0));
    let mended = standing(&sinks, "bad");
    assert_eq!((mended.stopped, mended.sent, mended.lost), (None, 1, 1));
    assert_eq!(standing(&sinks, "good").sent, 3);
    sinks.stop();
}

fn silent() -> Health {
    Health {
        unix_ns: TIME,
        name: "client-silent".to_owned(),
        severity: Severity::High,
        is_over: false,
        about: None,
        message: "it is silent".to_owned(),
        advice: Vec::new(),
    }
}
