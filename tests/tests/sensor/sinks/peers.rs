//! The six sinks at once, and what arrived in each.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    thread,
    time::{Duration, Instant},
};

use end_to_end::Namespace;
use serde_json::Value;

use super::{
    company::Theft,
    mail::{self, Letter, Mail},
    rsyslog::{self, Rsyslog},
    webhook::{self, Webhook},
};

/// Where webhooks go, in the sensor's namespace.
const HOOK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const LOOK: Duration = Duration::from_millis(20);

/// Receivers in the sensor's namespace.
pub(crate) struct Peers {
    folder: tempfile::TempDir,
    rsyslog: Rsyslog,
    webhook: Webhook,
    mail: Mail,
}

/// A new alert as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) user: String,
    /// The alert's number; CEF has none.
    pub(crate) number: Option<u64>,
    /// It may have arrived before.
    pub(crate) is_marked: bool,
    /// All of it.
    pub(crate) text: String,
}

impl Peers {
    pub(crate) fn start(namespace: &Namespace) -> Peers {
        let folder = tempfile::tempdir().unwrap();
        webhook::write_secret(&folder.path().join("hook.secret"));
        let rsyslog = Rsyslog::start(namespace, folder.path());
        mail::write_secret(&folder.path().join("mail.secret"));
        let mail = Mail::start(namespace, folder.path());
        Peers { rsyslog, webhook: Webhook::start(namespace, HOOK), mail, folder }
    }

    /// The configuration of the six.
    pub(crate) fn sinks(&self) -> String {
        let folder = self.folder.path().display();
        let (port, mail) = (rsyslog::PORT, mail::PORT);
        format!(
            "[[sink]]\nname = \"lines\"\nkind = \"file\"\npath = \"{folder}/alerts.json\"\nwhat = [\"alerts\"]\n\
             [[sink]]\nname = \"cef\"\nkind = \"file\"\npath = \"{folder}/alerts.cef\"\nformat = \"cef\"\n\
             what = [\"alerts\"]\n\
             [[sink]]\nname = \"siem\"\nkind = \"syslog\"\naddress = \"localhost:{port}\"\nformat = \"ocsf\"\n\
             ca_file = \"{folder}/authority.pem\"\nwhat = [\"alerts\"]\n\
             [[sink]]\nname = \"sentinel\"\nkind = \"syslog\"\naddress = \"localhost:{port}\"\n\
             ca_file = \"{folder}/authority.pem\"\nwhat = [\"alerts\", \"health\"]\n\
             [[sink]]\nname = \"people\"\nkind = \"mail\"\naddress = \"localhost:{mail}\"\n\
             ca_file = \"{folder}/authority.pem\"\nfrom = \"VPN sensor <vpn-sensor@contoso.example>\"\n\
             to = [\"security@contoso.example\"]\nuser = \"sensor\"\nsecret_file = \"{folder}/mail.secret\"\n\
             what = [\"alerts\", \"health\"]\n\
             [[sink]]\nname = \"tickets\"\nkind = \"webhook\"\nurl = \"http://{HOOK}/vpn\"\n\
             secret_file = \"{folder}/hook.secret\"\nwhat = [\"alerts\"]\n"
        )
    }

    /// New alerts, by sink.
    pub(crate) fn arrived(&self) -> [(&'static str, Vec<Arrived>); 6] {
        let read = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        let (lines, cef) = (read("alerts.json"), read("alerts.cef"));
        [
            ("lines", whole_lines(&lines).filter_map(json).collect()),
            ("cef", whole_lines(&cef).filter_map(self::cef).collect()),
            ("siem", self.rsyslog.received().iter().filter_map(|line| ocsf(line)).collect()),
            ("sentinel", self.rsyslog.received_cef().iter().filter_map(|line| self::cef(line)).collect()),
            ("people", self.mail.received().iter().filter_map(letter).collect()),
            ("tickets", self.webhook.taken().iter().filter_map(|body| json(body)).collect()),
        ]
    }

    /// Health messages of this condition, as CEF over TLS and as letters: what each says.
    pub(crate) fn health(&self, condition: &str) -> [Vec<String>; 2] {
        let is_of = |line: &String| line.contains(&format!("|{condition}|"));
        let letters = self.mail.received().into_iter();
        let letters = letters.filter(|letter| letter.subject.contains(&format!("] {condition}: ")));
        [
            self.rsyslog.received_cef().into_iter().filter(is_of).collect(),
            letters.map(|letter| format!("{}\n{}", letter.subject, letter.text)).collect(),
        ]
    }

    /// Waits until the alert of this theft is in every sink.
    #[track_caller]
    pub(crate) fn wait_for(&self, theft: &Theft<'_>, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        loop {
            let mut arrived = self.arrived().to_vec();
            arrived.retain(|(_, arrived)| arrived.iter().all(|arrived| arrived.user != theft.user));
            let missing: Vec<&str> = arrived.iter().map(|(sink, _)| *sink).collect();
            if missing.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "after {timeout:?} {theft:?} is not in {missing:?}");
            thread::sleep(LOOK);
        }
    }
}

/// The last one may still be written.
fn whole_lines(text: &str) -> std::str::Lines<'_> {
    text.rsplit_once('\n').map_or("", |(whole, _)| whole).lines()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Our own JSON.
pub(crate) fn json(line: &str) -> Option<Arrived> {
    let told: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    (told["kind"] == "alert" && told["trigger"] == "new").then(|| Arrived {
        user: text(&told["alert"]["user"]),
        number: told["alert"]["number"].as_u64(),
        is_marked: told["delivery"] == "perhaps-twice",
        text: line.to_owned(),
    })
}

fn cef(line: &str) -> Option<Arrived> {
    let keys = line.strip_prefix("CEF:0|VPN Sensor|vpn-sensor|").unwrap_or_else(|| panic!("{line}"));
    let user = keys.split_once(" suser=").and_then(|(_, rest)| rest.split(' ').next())?;
    line.contains(" cs2Label=trigger cs2=new").then(|| Arrived {
        user: user.to_owned(),
        number: None,
        is_marked: line.contains("cs3=perhaps-twice"),
        text: line.to_owned(),
    })
}

/// A letter of a new alert.
fn letter(letter: &Letter) -> Option<Arrived> {
    let (title, about) = letter.subject.split_once(": ")?;
    let (user, number) = about.strip_suffix(')')?.split_once(" (new alert ")?;
    assert!(title.starts_with('['), "{}", letter.subject);
    for part in ["From: \"VPN sensor\" <vpn-sensor@contoso.example>", "To: security@contoso.example"] {
        assert!(letter.head.contains(part), "{part}: {}", letter.head);
    }
    Some(Arrived {
        user: user.to_owned(),
        number: number.parse().ok(),
        is_marked: letter.text.contains("may have been sent before"),
        text: letter.text.clone(),
    })
}

/// A Detection Finding that is created.
fn ocsf(line: &str) -> Option<Arrived> {
    let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert_eq!(event["class_uid"], 2004, "{event}");
    let number = text(&event["finding_info"]["uid"]).rsplit_once('/')?.1.parse().ok();
    let labels = event["metadata"]["labels"].as_array();
    (event["activity_id"] == 1).then(|| Arrived {
        user: text(&event["evidences"][0]["user"]["uid"]),
        number,
        is_marked: labels.is_some_and(|labels| labels.contains(&Value::from("delivery:perhaps-twice"))),
        text: line.to_owned(),
    })
}
