use std::{fs, net::SocketAddr, path::Path};

use clap::Parser;
use ingest::capture::pcap::PcapWriter;
use serde_json::{Value, json};

use super::*;
use traffic::{Attribute, Session, Status, Vendor};

const SECRET: &[u8] = b"a secret of sixteen and more";

fn request(identifier: u8, status: Status, secret: &[u8], more: &[Attribute]) -> Vec<u8> {
    let mut attributes = Session::made_up(Vendor::Asa, 0, identifier.into()).attributes(status, 0);
    traffic::overlay(&mut attributes, more);
    let mut buffer = [0; 4096];
    traffic::write(&mut buffer, status, identifier, &[identifier; 16], &attributes, secret).unwrap().to_vec()
}

struct Played {
    result: Result<(), Failure>,
    lines: Vec<Value>,
}

/// Plays a capture with `[[client]]`s of the given TOML.
fn play_file(directory: &Path, octets: Vec<u8>, clients: &str, journal: Option<&Path>) -> Played {
    let configuration = directory.join("c.toml");
    fs::write(&configuration, clients).unwrap();
    let mut config = crate::config::load(Some(&configuration)).unwrap();
    let clients = known_clients(&mut config).unwrap();
    let source = PcapSource::from_reader(Path::new("x.pcap"), io::Cursor::new(octets), &[1813]).unwrap();
    let directory = journal.map_or_else(|| directory.join("journal"), Path::to_owned);
    let mut opened =
        journal::open(RealStorage::create(&directory).unwrap(), journal_options(&config, true)).unwrap();
    let mut ingest = Ingest::new(clients, opened.handle.clone(), &ingest_options(&config).unwrap());
    let mut worker = ingest.worker("replay", source, &mut opened.writer, Lines::default()).unwrap();
    let writing = thread::spawn(move || opened.writer.run());
    let mut lines = Vec::new();
    let result = turns(&mut worker, |line| {
        lines.push(serde_json::to_value(line)?);
        Ok(())
    });
    opened.handle.stop();
    writing.join().unwrap();
    let counters = worker.source().counters();
    assert_eq!(worker.observer().verdicts().iter().sum::<u64>(), counters.datagrams);
    Played { result, lines }
}

fn client() -> String {
    format!(
        "[[client]]\nname = \"vpn\"\naddress = [\"192.0.2.0/24\", \"2001:db8::/32\"]\nsecret = \"{}\"\n",
        str::from_utf8(SECRET).unwrap()
    )
}

const VPN: &str = "192.0.2.1:40000";

fn capture(datagrams: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut capture = PcapWriter::new(Vec::new()).unwrap();
    for (number, (source, payload)) in datagrams.iter().enumerate() {
        let source: SocketAddr = source.parse().unwrap();
        let to = if source.is_ipv4() { "192.0.2.200:1813" } else { "[2001:db8::200]:1813" };
        capture
            .datagram(1_790_000_000_000_000_000 + number as u64, source, to.parse().unwrap(), payload)
            .unwrap();
    }
    capture.finish().unwrap()
}

#[test]
fn each_datagram_gets_its_line_in_order_with_what_is_wrong() {
    let good = request(1, Status::Start, SECRET, &[Attribute::new(1, *b"al\x1bice")]);
    let mut access = request(5, Status::Start, SECRET, &[]);
    access[0] = 1;
    let mut broken = request(6, Status::Start, SECRET, &[]);
    broken[21] = 1;
    let nameless = [Attribute::new(32, Vec::new())];
    let datagrams = [
        (VPN, good.clone()),
        (VPN, good),
        ("198.51.100.1:5", request(2, Status::Stop, SECRET, &[])),
        (VPN, request(3, Status::Stop, b"another secret", &[])),
        ("[2001:db8::9]:7", request(4, Status::AccountingOn, SECRET, &nameless)),
        (VPN, access),
        (VPN, broken),
        (VPN, vec![4]),
        (VPN, request(7, Status::StatusServer, SECRET, &[])),
        (VPN, request(8, Status::Start, SECRET, &[Attribute::new(40, [0, 0, 0, 99])])),
    ];
    let directory = tempfile::tempdir().unwrap();
    let played = play_file(directory.path(), capture(&datagrams), &client(), None);
    played.result.unwrap();
    let column = |name: &str| played.lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("n"), (1..=10).map(Value::from).collect::<Vec<_>>());
    assert_eq!(
        column("verdict"),
        [
            "accepted",
            "duplicate",
            "unknown_client",
            "bad_authenticator",
            "accepted",
            "unsupported_code",
            "malformed",
            "malformed",
            "status_server",
            "accepted"
        ]
    );
    assert_eq!(
        played.lines[0],
        json!({"n": 1, "src": VPN, "id": 1, "verdict": "accepted", "nas": "asa-1", "status": "Start",
               "user": "al\\x1bice", "error": null})
    );
    assert_eq!(column("id"), json!([1, 1, 2, 3, 4, 5, 6, null, 7, 8]).as_array().unwrap().clone());
    assert_eq!(played.lines[4]["src"], "[2001:db8::9]:7");
    assert_eq!(played.lines[9]["status"], "99");
    for (line, verdict) in played.lines.iter().zip(column("verdict")) {
        let good = verdict == "accepted" || verdict == "status_server";
        assert_eq!(line["error"].is_null(), good, "{line}");
    }
}

#[test]
fn a_kept_journal_holds_the_accepted_ones_with_the_times_of_the_file() {
    let datagrams = (0..=255)
        .map(|identifier| (VPN, request(identifier, Status::Start, SECRET, &[])))
        .collect::<Vec<_>>();
    let directory = tempfile::tempdir().unwrap();
    let journal = directory.path().join("kept");
    let played = play_file(directory.path(), capture(&datagrams), &client(), Some(&journal));
    played.result.unwrap();
    assert!(played.lines.iter().all(|line| line["verdict"] == "accepted"));
    assert_eq!(played.lines.len(), 256);
    let reader = journal::Reader::open(&journal).unwrap();
    let records = reader.records_from(1).collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(records.len(), 256);
    for (record, number) in records.iter().zip(0..) {
        assert_eq!(record.arrival_unix_ns, 1_790_000_000_000_000_000 + number);
        assert_eq!((record.path, &*record.client), (journal::CapturePath::Pcap, "vpn"));
        assert_eq!(record.octets, datagrams[number as usize].1);
    }
}

#[test]
fn the_duplicate_table_holds_a_burst_whatever_is_configured() {
    let directory = tempfile::tempdir().unwrap();
    let entries = |configured: usize| {
        let configuration = directory.path().join("c.toml");
        fs::write(&configuration, format!("[dedup]\nentries = {configured}\n")).unwrap();
        ingest_options(&crate::config::load(Some(&configuration)).unwrap()).unwrap().duplicate_entries
    };
    assert_eq!([entries(1024), entries(1 << 21)], [LEAST_ENTRIES, 1 << 21]);
}

#[test]
fn a_cut_datagram_and_a_cut_file_are_told_with_their_source_and_place() {
    let mut octets = capture(&[(VPN, request(1, Status::Start, SECRET, &[]))]);
    // The record's captured length: 100 octets less, and so many octets less of it.
    let cut = octets.len() - 100;
    let length = u32::from_le_bytes(octets[32..36].try_into().unwrap()) - 100;
    octets[32..36].copy_from_slice(&length.to_le_bytes());
    octets.truncate(cut);
    octets.extend([0; 7]);
    let directory = tempfile::tempdir().unwrap();
    let played = play_file(directory.path(), octets, &client(), None);
    let failure = played.result.unwrap_err();
    assert_eq!(failure.exit(), Exit::Failed);
    assert_eq!(failure.to_string(), format!("x.pcap: at octet {cut}: the file ends inside a record"));
    assert_eq!(
        played.lines,
        [json!({"n": 1, "src": VPN, "id": null, "verdict": "malformed", "nas": null, "status": null,
                "user": null, "error": "the capture holds only a part of it"})]
    );
}

#[test]
fn the_command_discards_its_journal_and_fails_for_a_missing_file() {
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        replay: Arguments,
        #[command(flatten)]
        common: Common,
    }
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("c.toml"), client()).unwrap();
    fs::write(path("x.pcap"), capture(&[(VPN, request(1, Status::Start, SECRET, &[]))])).unwrap();
    let run = |file: &str| {
        let line = Line::try_parse_from(["replay", file, "--config", &path("c.toml")]).unwrap();
        line.replay.execute(&line.common)
    };
    run(&path("x.pcap")).unwrap();
    let failure = run(&path("none.pcap")).unwrap_err();
    assert_eq!(failure.exit(), Exit::Failed);
    assert!(failure.to_string().contains("none.pcap: at octet 0: No such file"), "{failure}");
    let mut left =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    left.sort();
    assert_eq!(left, ["c.toml", "x.pcap"]);
}
