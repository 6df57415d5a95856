//! Debian's rsyslog takes what is sent, over TCP and TLS.

use std::{
    fs,
    io::Read as _,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use rustls::{ServerConnection, StreamOwned};
use service::export::{
    format::Format,
    sink::{Settings, Target, Trust},
};

use super::{certificate::Certificates, hook::free_address, notice, open, settings, standing, until};

/// A running rsyslogd that writes each message's parts into a file.
struct Rsyslog {
    process: Child,
    output: PathBuf,
}

impl Rsyslog {
    fn start(folder: &Path, port: u16, tls: Option<&Certificates>) -> Rsyslog {
        let output = folder.join("received");
        let (driver, module) = match tls {
            Some(Certificates { authority, certificate, key }) => (
                format!(
                    "global(DefaultNetstreamDriver=\"ossl\" DefaultNetstreamDriverCAFile=\"{}\" \
                     DefaultNetstreamDriverCertFile=\"{}\" DefaultNetstreamDriverKeyFile=\"{}\")\n",
                    authority.display(),
                    certificate.display(),
                    key.display()
                ),
                "StreamDriver.Name=\"ossl\" StreamDriver.Mode=\"1\" StreamDriver.Authmode=\"anon\"",
            ),
            None => (String::new(), ""),
        };
        let text = format!(
            "global(workDirectory=\"{folder}\" maxMessageSize=\"64k\")\n{driver}\
             module(load=\"imtcp\" {module})\n\
             input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\")\n\
             template(name=\"parts\" type=\"string\" string=\"%syslogfacility-text%.%syslogseverity-text%\t\
             %timestamp:::date-rfc3339%\t%hostname%\t%app-name%\t%msgid%\t%structured-data%\t%msg%\\n\")\n\
             action(type=\"omfile\" file=\"{output}\" template=\"parts\")\n",
            folder = folder.display(),
            output = output.display(),
        );
        let path = folder.join("rsyslog.conf");
        fs::write(&path, text).unwrap();
        let process = Command::new("rsyslogd")
            .args(["-n", "-f"])
            .arg(&path)
            .arg("-i")
            .arg(folder.join("pid"))
            .spawn()
            .expect("rsyslogd does not start: apt-get install rsyslog rsyslog-openssl");
        until("rsyslogd listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Rsyslog { process, output }
    }

    fn received(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// As an administrator restarts it: it writes what it has.
    fn stop(&mut self) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        // Ended by itself already, or by this.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn syslog(name: &str, format: Format, port: u16, tls: Option<Trust>) -> Settings {
    settings(name, format, Target::Syslog { address: format!("localhost:{port}"), tls })
}

#[test]
fn rsyslog_takes_ocsf_and_cef_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    let port = free_address().port();
    let mut rsyslog = Rsyslog::start(folder.path(), port, Some(&certificates));
    let tls = || Some(Trust { ca_file: Some(certificates.authority.clone()) });
    let both = || vec![syslog("ocsf", Format::Ocsf, port, tls()), syslog("cef", Format::Cef, port, tls())];
    let sinks = open(folder.path(), both());
    let user = "zwölf|\"]\n=<36>1 \\ \u{202e}mallory";
    sinks.tell_notice(&notice(1, user), &[]);
    sinks.tell_notice(&notice(2, "alice"), &[]);
    until("four messages are there", || rsyslog.received().lines().count() >= 4);
    sinks.stop();
    // rsyslog closed the connection behind us: all is known to have arrived.
    let sinks = open(folder.path(), both());
    assert!(sinks.standing().iter().all(|standing| standing.waiting == 0));
    sinks.tell_notice(&notice(3, "alice"), &[]);
    until("six messages are there", || rsyslog.received().lines().count() >= 6);
    sinks.stop();
    rsyslog.stop();
    let received = rsyslog.received();
    assert_eq!(received.lines().count(), 6, "{received}");
    for line in received.lines() {
        let parts: Vec<&str> = line.splitn(7, '\t').collect();
        assert_eq!(parts[0], "auth.warning", "{line}");
        assert_eq!(parts[1], "2026-09-21T14:13:20.000000Z");
        assert_eq!(parts[2..5], ["gw1", "vpn-sensor", "AbnormalVpnSecurityAlert"]);
        assert!(
            parts[5].starts_with("[origin software=\"vpn-sensor\" swVersion=\"9.8.7\"][meta sequenceId=\"")
        );
        let message = parts[6].trim_start_matches('\u{feff}');
        assert_eq!(message == parts[6], message.starts_with("CEF:"), "the mark of UTF-8, but for CEF");
        assert!(!message.contains("perhaps-twice"));
        if message.starts_with('{') {
            let event: serde_json::Value = serde_json::from_str(message).unwrap();
            assert_eq!(event["class_uid"], 2004);
            assert!(
                event["evidences"][0]["user"]["name"] == user
                    || event["finding_info"]["uid"] != "gw1/alerts/1"
            );
        } else {
            assert!(
                message.starts_with("CEF:0|VPN Sensor|vpn-sensor|9.8.7|AbnormalVpnSecurityAlert|"),
                "{line}"
            );
            assert!(message.contains(" externalId=2025 ") && message.contains(" cs2Label=trigger cs2=new "));
        }
    }
    let hostile = " suser=zwölf|\"]\\n\\=<36>1 \\\\ <U+202E>mallory shost=";
    assert!(received.contains(hostile), "{received}");
}

#[test]
fn a_receiver_that_is_not_trusted_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    let other = tempfile::tempdir().unwrap();
    let others = Certificates::make(other.path());
    let port = free_address().port();
    let rsyslog = Rsyslog::start(folder.path(), port, Some(&certificates));
    let trust = Trust { ca_file: Some(others.authority.clone()) };
    let sinks = open(folder.path(), vec![syslog("syslog", Format::Cef, port, Some(trust))]);
    sinks.tell_notice(&notice(1, "alice"), &[]);
    until("it says why", || standing(&sinks, "syslog").last_error.is_some());
    let reason = standing(&sinks, "syslog").last_error.unwrap();
    assert!(reason.contains("no TLS") && reason.contains("ca_file"), "{reason}");
    // The authority of the file is another from here on; that needs no restart.
    fs::copy(&certificates.authority, &others.authority).unwrap();
    until("it arrives", || rsyslog.received().contains("suser=alice"));
    assert!(!rsyslog.received().contains("perhaps-twice"), "nothing was sent before");
    sinks.stop();
}

#[test]
fn a_receiver_that_is_restarted_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_address().port();
    let mut rsyslog = Rsyslog::start(folder.path(), port, None);
    let sinks = open(folder.path(), vec![syslog("syslog", Format::Json, port, None)]);
    for number in 1..=1500 {
        sinks.tell_notice(&notice(number, "alice"), &[]);
        if number % 500 == 0 {
            rsyslog.stop();
            // Written to a connection that nobody reads any more.
            sinks.tell_notice(&notice(number + 1, "alice"), &[]);
            rsyslog = Rsyslog::start(folder.path(), port, None);
        }
    }
    sinks.tell_notice(&notice(1501, "alice"), &[]);
    until("the last arrives", || rsyslog.received().contains("\"sequence\":1501"));
    sinks.stop();
    rsyslog.stop();
    let messages: String = rsyslog
        .received()
        .lines()
        .map(|line| line.splitn(7, '\t').last().unwrap().trim_start_matches('\u{feff}').to_owned() + "\n")
        .collect();
    super::check_arrived(&super::numbers(&messages), 1501);
}

#[test]
fn a_message_longer_than_all_buffers_arrives_whole() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    let config = certificates.server();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let receiver = thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).unwrap();
        String::from_utf8(octets).unwrap()
    });
    let trust = Trust { ca_file: Some(certificates.authority.clone()) };
    let sinks = open(folder.path(), vec![syslog("syslog", Format::Json, port, Some(trust))]);
    let mut long = notice(1, "alice");
    long.alert.message = "x".repeat(300_000);
    sinks.tell_notice(&long, &[]);
    until("it is sent", || standing(&sinks, "syslog").sent == 1);
    sinks.stop();
    let received = receiver.join().unwrap();
    let (length, line) = received.split_once(' ').unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), line.len());
    assert!(line.contains(&long.alert.message));
}

#[test]
fn what_a_receiver_never_read_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let receiver = thread::spawn(move || {
        // Its kernel acknowledges; it dies before it reads.
        let (dies, _) = listener.accept().unwrap();
        thread::sleep(Duration::from_secs(2));
        drop(dies);
        let (mut reads, _) = listener.accept().unwrap();
        let mut text = String::new();
        reads.read_to_string(&mut text).unwrap();
        text
    });
    let sinks = open(folder.path(), vec![syslog("syslog", Format::Cef, port, None)]);
    sinks.tell_notice(&notice(1, "alice"), &[]);
    until("it is sent", || standing(&sinks, "syslog").sent == 1);
    assert_eq!(standing(&sinks, "syslog").waiting, 1, "nobody knows yet");
    until("it is sent again", || standing(&sinks, "syslog").sent == 2);
    sinks.tell_notice(&notice(2, "bob"), &[]);
    until("the next is sent", || standing(&sinks, "syslog").sent == 3);
    sinks.stop();
    let text = receiver.join().unwrap();
    let (again, next) = text.split_once("suser=bob").unwrap();
    assert!(again.contains("suser=alice") && again.contains("cs3=perhaps-twice"), "{text}");
    assert!(!next.contains("perhaps-twice"), "{text}");
}
