//! Somebody else's log, a capture and a journal through `backtest`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{fs, net::SocketAddr, path::Path};

use ingest::capture::pcap::PcapWriter;
use serde_json::{Value, json};

use super::*;
use traffic::{Session, Status, Vendor};

mod answers;
mod clocks;
mod known;
mod members;
mod servers;

const DAY_S: i64 = 86_400;

fn run<T>(work: impl FnOnce(&mut Run<'_, Vec<u8>>) -> T) -> (T, Vec<Value>, Sum) {
    run_with(&crate::config::Config::built_in(), work)
}

fn run_with<T>(
    config: &crate::config::Config,
    work: impl FnOnce(&mut Run<'_, Vec<u8>>) -> T,
) -> (T, Vec<Value>, Sum) {
    let places = places::Sources::of(config).open().unwrap();
    let backtest = Backtest::new(config.meaning(), &places).unwrap();
    let mut run =
        Run { backtest, alerts_only: false, later_too: false, out: Vec::new(), sum: Sum::default() };
    let result = work(&mut run);
    let lines = run.out.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
    let lines = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
    (result, lines, run.sum)
}

fn scored(log: &[u8]) -> (Vec<Value>, Sum) {
    let (result, lines, sum) = run(|run| run.lines(log).map_err(|failure| failure.to_string()));
    result.unwrap();
    (lines, sum)
}

/// What is said of lines, without their numbers.
fn said(lines: &[Value]) -> Vec<(String, u64)> {
    let log: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let (said, sum) = scored(log.as_bytes());
    assert_eq!(sum.left_out, 0, "{sum}");
    let text = |line: &Value| format!("{} {} {}", line["user"], line["alert"], line["reasons"]);
    said.iter().map(|line| (text(line), line["score"].as_f64().unwrap().to_bits())).collect()
}

/// [`log`] as values, the stranger last.
fn log_lines() -> Vec<Value> {
    let log = log();
    let lines = log.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// A line with other members, or without those that are `null`.
fn with(line: &Value, members: Value) -> Value {
    let mut line = line.clone();
    for (name, value) in members.as_object().unwrap() {
        line[name] = value.clone();
    }
    line.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    line
}

fn at(unix_s: i64) -> String {
    jiff::Timestamp::from_second(1_790_000_000 + unix_s).unwrap().to_string()
}

/// Two months of twenty people at home, and in the end one of them in another country on another computer while she is
/// at home.
fn log() -> Vec<u8> {
    let mut lines = String::new();
    let mut push = |line: Value| lines += &format!("{line}\n");
    for day in 0..60 {
        for user in 0..20 {
            let (session, begin) = (format!("{day}-{user}"), day * DAY_S + user * 60 + 8 * 3600);
            push(json!({
                "time": at(begin), "status": "Start", "client": "asa", "session": session,
                "user": format!("user{user}"), "address": format!("81.2.69.{}", 160 + user),
                "device": format!("PC-{user}"), "software": "AnyConnect Windows 5.1", "nothing": {"we": ["know"]},
                "assigned": null, "nas": "gateway",
            }));
            push(json!({
                "time": at(begin + 7 * 3600), "status": "Stop", "client": "asa", "session": session, "nas": "gateway",
                "user": format!("user{user}"), "input_octets": 5_000_000_000_u64, "output_octets": 7,
            }));
        }
    }
    // As our own `events` prints an address.
    push(json!({
        "time": at(60 * DAY_S), "status": "Start", "client": "asa", "session": "stranger", "nas_identifier": "gateway",
        "user": "user7", "remote": {"address": "175.16.199.7", "scope": "public"}, "device": "KALI",
    }));
    lines.into_bytes()
}

#[test]
fn a_stranger_is_told_and_nobody_else() {
    let (lines, sum) = scored(&log());
    assert_eq!((lines.len(), sum.starts, sum.left_out), (60 * 20 + 1, 60 * 20 + 1, 0));
    let alerts: Vec<&Value> = lines.iter().filter(|line| line["alert"] == true).collect();
    let [stranger] = alerts[..] else { panic!("{alerts:?}") };
    assert_eq!((&stranger["n"], &stranger["user"]), (&json!(2401), &json!("user7")));
    let reasons: Vec<&str> =
        stranger["reasons"].as_array().unwrap().iter().map(|reason| reason.as_str().unwrap()).collect();
    assert!(
        reasons.iter().any(|reason| reason.contains("CN") && reason.contains("usual: GB")),
        "{reasons:?}"
    );
    assert!(reasons.iter().any(|reason| reason.contains("KALI")), "{reasons:?}");
    let others = lines.iter().filter(|line| line["n"] != 2401).map(|line| line["score"].as_f64().unwrap());
    assert!(stranger["score"].as_f64().unwrap() > others.fold(f64::MIN, f64::max));
}

#[test]
fn alerts_that_no_start_raises_are_counted_by_detection_and_printed_when_asked_for() {
    let mut log = log();
    let mut push = |status: &str, user: u64, second: i64, more: Value| {
        let mut line = json!({
            "time": at(60 * DAY_S + second), "status": status, "client": "asa", "session": format!("late-{user}"),
            "user": format!("user{user}"), "address": format!("81.2.69.{}", 160 + user), "nas": "gateway",
            "device": format!("PC-{user}"), "software": "AnyConnect Windows 5.1",
        });
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        log.extend(format!("{line}\n").into_bytes());
    };
    for user in [3, 4] {
        push("Start", user, 10, json!({}));
    }
    // One moves to China within twenty minutes; the other takes a hundred times what she ever did.
    push("Interim-Update", 3, 1200, json!({"address": "175.16.199.9"}));
    push("Stop", 4, 3600, json!({"input_octets": 500_000_000_000_u64}));
    for later_too in [false, true] {
        let (result, lines, sum) = run(|run| {
            run.later_too = later_too;
            run.lines(&log[..]).map_err(|failure| failure.to_string())
        });
        result.unwrap();
        assert_eq!((sum.starts, sum.alerts), (60 * 20 + 3, 1));
        assert_eq!(
            sum.to_string(),
            "1203 Starts, 1 with an alert; 2 more alerts at Interim-Updates, Stops or silence: address-change 1, \
             unusual-volume 1"
        );
        let later: Vec<&Value> = lines.iter().filter(|line| line["at"].is_string()).collect();
        if !later_too {
            assert!(later.is_empty() && lines.len() == 1203, "a line a Start");
            continue;
        }
        let [moved, volume] = later[..] else { panic!("{later:?}") };
        assert_eq!(
            (&moved["n"], &moved["at"], &moved["user"], &moved["detection"], &moved["alert"]),
            (&json!(2404), &json!("Interim-Update"), &json!("user3"), &json!("address-change"), &json!(true))
        );
        assert_eq!(
            (&volume["n"], &volume["at"], &volume["user"]),
            (&json!(2405), &json!("Stop"), &json!("user4"))
        );
        assert!(volume["reasons"][0].as_str().unwrap().contains("unusual volume"), "{volume}");
    }
}

#[test]
fn what_is_not_taken_as_written_is_said() {
    let line = |unix_s: i64, session: &str, more: Value| {
        let mut line = json!({
            "time": at(unix_s), "status": "Start", "client": "asa", "session": session, "user": "alice",
        });
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line.to_string()
    };
    let addresses = ["", "81.2.69.160", "81.2.69.160:4500", "[2001:db8::7]:4433", "unknown", "81.2.69.300"];
    let mut lines: Vec<String> =
        (0..).zip(addresses).map(|(at, address)| line(at, address, json!({ "address": address }))).collect();
    lines[0] = line(0, "none", json!({}));
    // What VPN servers write where they have none.
    lines.extend(
        ["", "(null)", "0.0.0.0"].map(|none| line(5, &format!("none {none}"), json!({"address": none}))),
    );
    // As `events` prints it.
    lines.push(line(6, "remote", json!({"remote": {"address": "nowhere"}})));
    let log = lines.join("\n");
    let (scored_lines, sum) = scored(log.as_bytes());
    assert_eq!((scored_lines.len(), sum.doubted, sum.left_out), (10, 3, 0));
    assert_eq!(sum.to_string(), "10 Starts, 0 with an alert; 3 lines were not taken as written");

    // A little out of order are many logs. A day before is another matter.
    let (_, sum) =
        scored([line(DAY_S * 9, "1", json!({})), line(DAY_S * 8 + 1, "2", json!({}))].join("\n").as_bytes());
    assert_eq!((sum.doubted, sum.to_string().as_str()), (0, "2 Starts, 0 with an alert"));
    let early = [line(DAY_S * 9, "1", json!({})), line(DAY_S * 8 - 1, "2", json!({}))].join("\n");
    let (_, sum) = scored(early.as_bytes());
    assert_eq!(sum.to_string(), "2 Starts, 0 with an alert; 1 line was not taken as written");
    let both = [line(DAY_S * 9, "1", json!({})), line(0, "2", json!({"address": "unknown"}))].join("\n");
    assert_eq!(scored(both.as_bytes()).1.doubted, 1);
}

#[test]
fn thresholds_and_exclusions_are_those_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    let exclusion = |until: &str| {
        format!("[[detect.exclusion]]\nuser = 'CONTOSO\\User7'\nreason = \"pentest\"\nuntil = {until}\n")
    };
    let realms = "[users]\nrealms = [[\"CONTOSO\", \"\"]]\n";
    // Another one has a new computer at home, from where all others connect too.
    let mut log = log();
    let bought = json!({
        "time": at(60 * DAY_S + 60), "status": "Start", "client": "asa", "session": "bought", "nas": "gateway",
        "user": "user8", "address": "81.2.69.18", "device": "PC-8-new", "software": "AnyConnect Windows 5.1",
    });
    log.extend(format!("{bought}\n").into_bytes());
    for (detect, is_stranger, is_bought) in [
        (String::new(), true, true),
        ("[detect]\nalert_score = 12\nalert_score_one_group = 12\n".to_owned(), true, false),
        (exclusion(&at(60 * DAY_S + 1)), false, true),
        (exclusion(&at(60 * DAY_S)), true, true),
    ] {
        fs::write(&file, format!("{realms}{detect}")).unwrap();
        let config = crate::config::load(Some(&file)).unwrap();
        let (result, lines, sum) =
            run_with(&config, |run| run.lines(&log[..]).map_err(|failure| failure.to_string()));
        result.unwrap();
        let [.., stranger, bought] = &lines[..] else { panic!("{}", lines.len()) };
        assert_eq!(
            (&stranger["alert"], &bought["alert"]),
            (&json!(is_stranger), &json!(is_bought)),
            "{detect}"
        );
        assert_eq!(sum.alerts, u64::from(is_stranger) + u64::from(is_bought), "{detect}");
        assert!(stranger["score"].as_f64().unwrap() > 10.0, "risk is what it is: {stranger}");
    }
}

#[test]
fn the_learning_rule_is_that_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    // The first twelve days, and the stranger on the thirteenth.
    let log = log();
    let lines: Vec<&[u8]> = log.split_inclusive(|octet| *octet == b'\n').collect();
    let stranger = String::from_utf8(lines[2400].to_vec()).unwrap().replace(&at(60 * DAY_S), &at(12 * DAY_S));
    let log: Vec<u8> =
        lines[..12 * 40].iter().copied().chain([stranger.as_bytes()]).flatten().copied().collect();
    for (detect, is_alert) in [
        ("", false),
        ("learning = \"11d\"", true),
        ("learning = \"12d\"", false),
        ("learning = \"11d\"\nlearning_connections_min = 12", true),
        ("learning = \"11d\"\nlearning_connections_min = 13", false),
    ] {
        // Neither the country nor two places at once.
        let others = "organisation_learning = \"365d\"\nsimultaneous_km_min = 20000\ntravel_kmh = 100000";
        fs::write(&file, format!("[detect]\n{others}\n{detect}\n")).unwrap();
        let config = crate::config::load(Some(&file)).unwrap();
        let (result, said, _) =
            run_with(&config, |run| run.lines(&log[..]).map_err(|failure| failure.to_string()));
        result.unwrap();
        assert_eq!(said.last().unwrap()["alert"], json!(is_alert), "{detect}: {}", said.last().unwrap());
    }
}

#[test]
fn what_is_said_of_a_line_rests_on_the_lines_before_it() {
    let log = log();
    let (whole, _) = scored(&log);
    for lines in [1, 37, 1200, 2400] {
        let end = log.iter().enumerate().filter(|(_, octet)| **octet == b'\n').nth(lines - 1).unwrap().0 + 1;
        let (part, _) = scored(&log[..end]);
        assert_eq!(part, whole[..part.len()], "{lines} lines");
        assert_eq!(part.len(), lines.div_ceil(2));
    }
}

#[test]
fn a_database_that_comes_in_the_middle_counts_from_then_on() {
    // The town of all of them is in China from the fiftieth day on.
    let test_data =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("insight/tests/geo/data/GeoIP2-City-Test.mmdb");
    let mut octets = fs::read(test_data).unwrap();
    for at in 0..octets.len() - 3 {
        if octets[at..].starts_with(b"\x42GB") {
            octets[at..at + 3].copy_from_slice(b"\x42CN");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("later.mmdb");
    fs::write(&file, octets).unwrap();
    let update = GeoUpdate::parse(&format!("{}={}", at(50 * DAY_S), file.display())).unwrap();
    assert_eq!(update.file, file);
    let sources = places::Sources::of(&crate::config::Config::built_in());
    let later = sources.before(&update.file).open().unwrap();
    let is_china = |line: &Value| {
        let mut reasons = line["reasons"].as_array().unwrap().iter().map(|reason| reason.as_str().unwrap());
        reasons.any(|reason| reason.contains("from CN") && reason.contains("usual: GB"))
    };
    let config = crate::config::Config::built_in();
    let before = places::Sources::of(&config).open().unwrap();
    let mut backtest = Backtest::new(config.meaning(), &before).unwrap();
    backtest.update(update.at.as_nanosecond() as u64, &later);
    let mut run =
        Run { backtest, alerts_only: false, later_too: false, out: Vec::new(), sum: Sum::default() };
    assert!(run.lines(&log()[..]).is_ok());
    let lines: Vec<Value> =
        run.out.split(|octet| *octet == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    // Two lines a connection, twenty connections a day.
    let (first, then) = lines.split_at(50 * 20);
    assert!(!first.iter().any(is_china));
    assert!(then[..20].iter().all(is_china), "{:?}", &then[..20]);
    assert!(then[..20].iter().all(|line| line["alert"] == false), "everybody's is there");

    for (text, wrong) in [("x.mmdb", "an equals sign"), ("yesterday=x.mmdb", "no time of RFC 3339")] {
        assert!(GeoUpdate::parse(text).unwrap_err().contains(wrong), "{text}");
    }
}

#[test]
fn what_is_no_event_is_left_out_and_counted() {
    let good = json!({"time": at(0), "status": "start", "client": "asa", "session": "1"});
    let mut log = format!("{good}\n\n");
    for wrong in [
        "no json".to_owned(),
        json!({"status": "Start", "client": "asa", "session": "2"}).to_string(),
        json!({"time": "yesterday", "status": "Start", "client": "asa", "session": "2"}).to_string(),
        json!({"time": at(1), "status": "Begin", "client": "asa", "session": "2"}).to_string(),
        json!({"time": at(1), "status": "Start", "client": "asa"}).to_string(),
        json!({"time": at(1), "status": "Start", "client": "asa", "session": "2", "input_octets": "many"})
            .to_string(),
    ] {
        log += &format!("{wrong}\n");
    }
    log += &json!({"time": at(2), "status": "Accounting-On", "client": "asa"}).to_string();
    let (lines, sum) = scored(log.as_bytes());
    assert_eq!((lines.len(), sum.left_out), (1, 6));
    assert_eq!(lines[0], json!({"n": 1, "user": null, "score": 0.0, "reasons": [], "alert": false}));
    let (_, _, sum) = run(|run| {
        let failure = run.lines(&vec![b'x'; LINE_MAX as usize + 1][..]).unwrap_err();
        assert!(failure.to_string().contains("no file of event lines"), "{failure}");
    });
    assert_eq!(sum.starts, 0);
}

#[test]
fn a_capture_says_what_the_journal_that_it_is_recorded_in_says() {
    let folder = tempfile::tempdir().unwrap();
    let (file, journal) = (folder.path().join("x.pcap"), folder.path().join("journal"));
    let secret = b"sixteen octets or more";
    let mut capture = PcapWriter::new(Vec::new()).unwrap();
    let mut buffer = [0; radius::MAX_LENGTH];
    let listening: SocketAddr = "192.0.2.250:1813".parse().unwrap();
    let mut put = |number: u64, source: &str, secret: &[u8]| {
        let session = Session::made_up(Vendor::ALL[number as usize % 4], 1, number);
        let unix_s = 1_790_000_000 + number;
        let attributes = session.attributes(Status::Start, unix_s as u32);
        let octets =
            traffic::write(&mut buffer, Status::Start, number as u8, &[0; 16], &attributes, secret).unwrap();
        capture.datagram(unix_s * 1_000_000_000, source.parse().unwrap(), listening, octets).unwrap();
    };
    put(1, "192.0.2.1:1024", secret);
    put(2, "192.0.2.1:1024", b"a secret of somebody else");
    put(3, "198.51.100.1:1024", secret);
    put(4, "192.0.2.1:1024", secret);
    fs::write(&file, capture.finish().unwrap()).unwrap();
    let configuration = folder.path().join("c.toml");
    let client =
        "[[client]]\nname = \"vpn\"\naddress = [\"192.0.2.0/24\"]\nsecret = \"sixteen octets or more\"\n";
    fs::write(&configuration, client).unwrap();
    let config = || crate::config::load(Some(&configuration)).unwrap();

    assert!(is_capture(&fs::read(&file).unwrap()) && !is_capture(b"{\"time\""));
    let recorded = replay::record(&file, &mut config()).unwrap();
    let (result, of_capture, _) =
        run(|run| run.capture(recorded.folder(), &recorded.accepted).map_err(|failure| failure.to_string()));
    result.unwrap();
    let numbers: Vec<&Value> = of_capture.iter().map(|line| &line["n"]).collect();
    assert_eq!(numbers, [1, 4], "neither the forged one nor the unknown client's");

    copy(recorded.folder(), &journal);
    let (result, mut of_journal, _) = run(|run| run.journal(&journal).map_err(|failure| failure.to_string()));
    result.unwrap();
    for (line, n) in of_journal.iter_mut().zip([1, 4]) {
        line["n"] = json!(n);
    }
    assert_eq!(of_journal, of_capture);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
