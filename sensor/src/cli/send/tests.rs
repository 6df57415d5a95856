use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    send: Arguments,
    #[command(flatten)]
    common: Common,
}

fn run(arguments: &[&str]) -> Result<(), Failure> {
    let line = Line::try_parse_from([&["send"], arguments].concat()).unwrap();
    line.send.execute(&line.common)
}

#[test]
fn a_capture_file_holds_what_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (secret, pcap) = (path("s"), path("x.pcap"));
    std::fs::write(&secret, "a secret of sixteen and more\n").unwrap();
    run(&[
        "--secret-file",
        &secret,
        "--pcap",
        &pcap,
        "--pcap-only",
        "--count",
        "600",
        "--vendor",
        "rras,f5,check-point,asa",
        "--status",
        "start,stop",
        "--user",
        "alice",
        "--attribute",
        "Proxy-State=p",
        "--seed",
        "1",
        "--source",
        "198.51.100.7",
    ])
    .unwrap();
    use ingest::capture::{Source, pcap::PcapSource};
    let mut source = PcapSource::open(std::path::Path::new(&pcap), &[1813]).unwrap();
    let mut seen = 0;
    let mut addresses = std::collections::HashSet::new();
    loop {
        let length = source.receive().unwrap();
        if length == 0 {
            break;
        }
        for index in 0..length {
            let datagram = source.datagram(index).unwrap();
            addresses.insert(datagram.source);
            let request = radius::Framed::parse(datagram.payload).unwrap().request().unwrap();
            assert!(radius::authenticator::verify_request(request.octets(), b"a secret of sixteen and more"));
            assert_eq!(request.first(1), Some(&b"alice"[..]));
            assert_eq!(request.first(33), Some(&b"p"[..]));
            assert_eq!(request.status_type(), Some(1 + seen % 2));
            seen += 1;
        }
    }
    assert_eq!((seen, addresses.len()), (600, 3));
}

#[test]
fn mistakes_are_bad_usage() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("s");
    std::fs::write(&secret, "secret").unwrap();
    let secret = secret.to_str().unwrap();
    let long = format!("User-Name={}", "x".repeat(254));
    for arguments in [
        &["--secret-file", "/nonexistent"][..],
        &["--secret-file", secret, "--attribute", &long],
        &["--secret-file", secret, "--source", "::1"],
        &["--secret-file", secret, "--to", "no-such-host.invalid:1813"],
    ] {
        assert_eq!(run(arguments).unwrap_err().exit(), Exit::Usage, "{arguments:?}");
    }
    for arguments in [
        &["send", "--attribute", "Usre-Name=x"][..],
        &["send", "--count", "0"],
        &["send", "--rate", "0"],
        &["send", "--timeout", "nan"],
        &["send", "--window", "65537"],
        &["send", "--pcap-only"],
        &["send", "--source", "here"],
        &["send", "--vendor", "none"],
        &["send", "--secret", "x"],
    ] {
        assert!(Line::try_parse_from(arguments).is_err(), "{arguments:?}");
    }
}

#[test]
fn nobody_listening_fails_and_with_a_bad_secret_silence_is_right() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("s");
    std::fs::write(&secret, "secret").unwrap();
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = silent.local_addr().unwrap().to_string();
    let common = [
        "--secret-file",
        secret.to_str().unwrap(),
        "--to",
        &to,
        "--retries",
        "0",
        "--timeout",
        "0.05",
        "--json",
    ];
    assert_eq!(run(&common).unwrap_err().exit(), Exit::Failed);
    run(&[&common[..], &["--bad-secret"]].concat()).unwrap();
}

#[test]
fn addresses_may_lack_a_port() {
    assert_eq!(resolve("192.0.2.1").unwrap().to_string(), "192.0.2.1:1813");
    assert_eq!(resolve("2001:db8::1").unwrap().to_string(), "[2001:db8::1]:1813");
    assert_eq!(resolve("[2001:db8::1]").unwrap().to_string(), "[2001:db8::1]:1813");
    assert_eq!(resolve("[2001:db8::1]:99").unwrap().to_string(), "[2001:db8::1]:99");
    assert_eq!(address_perhaps_port("2001:db8::1").unwrap().to_string(), "[2001:db8::1]:0");
    assert_eq!(address_perhaps_port("192.0.2.1:7").unwrap().to_string(), "192.0.2.1:7");
}
