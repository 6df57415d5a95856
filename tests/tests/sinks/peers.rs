//! The four sinks at once, and what arrived in each.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    thread,
    time::{Duration, Instant},
};

use end_to_end::Namespace;
use serde_json::Value;

use crate::{
    company::Theft,
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
        Peers { rsyslog, webhook: Webhook::start(namespace, HOOK), folder }
    }

    /// The configuration of the four.
    pub(crate) fn sinks(&self) -> String {
        let folder = self.folder.path().display();
        let port = rsyslog::PORT;
        format!(
            "[[sink]]\nname = \"lines\"\nkind = \"file\"\npath = \"{folder}/alerts.json\"\nwhat = [\"alerts\"]\n\
             [[sink]]\nname = \"cef\"\nkind = \"file\"\npath = \"{folder}/alerts.cef\"\nformat = \"cef\"\n\
             what = [\"alerts\"]\n\
             [[sink]]\nname = \"siem\"\nkind = \"syslog\"\naddress = \"localhost:{port}\"\nformat = \"ocsf\"\n\
             ca_file = \"{folder}/authority.pem\"\nwhat = [\"alerts\"]\n\
             [[sink]]\nname = \"tickets\"\nkind = \"webhook\"\nurl = \"http://{HOOK}/vpn\"\n\
             secret_file = \"{folder}/hook.secret\"\nwhat = [\"alerts\"]\n"
        )
    }

    /// New alerts, by sink.
    pub(crate) fn arrived(&self) -> [(&'static str, Vec<Arrived>); 4] {
        let read = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        let (lines, cef) = (read("alerts.json"), read("alerts.cef"));
        [
            ("lines", whole_lines(&lines).filter_map(json).collect()),
            ("cef", whole_lines(&cef).filter_map(self::cef).collect()),
            ("siem", self.rsyslog.received().iter().filter_map(|line| ocsf(line)).collect()),
            ("tickets", self.webhook.taken().iter().filter_map(|body| json(body)).collect()),
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
