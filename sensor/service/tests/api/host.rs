//! A running API with 30 people's connections, and questions to it.

use std::{net::IpAddr, sync::Arc, time::Duration};

use journal::{CapturePath, NewRecord, Options, Reader, RealStorage, Wake};
use radius::{Code, build::RequestBuilder};
use serde_json::Value;
use service::{
    Meaning,
    alert::Severity,
    api,
    control::Control,
    fold::{Fold, Resolve, Resolved},
    health::{Condition, Standing},
    portal,
    store::{self, Store},
};

pub(crate) const PEOPLE: usize = 30;
/// 2026-09-21T14:13:20Z.
const START_S: u64 = 1_790_000_000;

pub(crate) struct Host {
    pub(crate) control: Control,
    pub(crate) token: String,
    address: std::net::SocketAddr,
    _folder: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    headers: ureq::http::HeaderMap,
}

impl Answer {
    pub(crate) fn of(mut answer: ureq::http::Response<ureq::Body>) -> Answer {
        let text = answer.body_mut().read_to_string().unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

struct Silent;

impl Wake for Silent {
    fn wake(&self) {}
}

struct OnePlace;

impl Resolve for OnePlace {
    fn resolve(&mut self, _: u64, _: IpAddr) -> Resolved {
        Resolved { whereabouts: "place".into(), city: Some("Lyon".into()), ..Resolved::default() }
    }
}

fn start(number: u8, buffer: &mut [u8]) -> &[u8] {
    let mut request = RequestBuilder::new(buffer, Code::AccountingRequest, number);
    request.integer(40, 1).text(1, &format!("CONTOSO\\User{number:03}")).text(44, &format!("s{number:03}"));
    // Every fifth through another VPN server.
    request
        .text(32, if number.is_multiple_of(5) { "spare" } else { "gateway" })
        .integer(61, 5)
        .integer(6, 2)
        .text(31, &format!("203.0.113.{number}"));
    request.integer(55, (START_S + u64::from(number)) as u32);
    request.vendor(9, 1, format!("mdm-tlv=device-uid=PC-{number:03}").as_bytes());
    request.seal(b"secret").unwrap()
}

impl Host {
    pub(crate) fn start() -> Host {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path();
        let control = Control::open(state_dir).unwrap();
        let token = control.add_token("tests", None, None).unwrap().reveal().to_owned();
        let realms = vec![vec!["contoso.example".to_owned(), "CONTOSO".to_owned(), String::new()]];
        let meaning = Meaning { realms, ..Meaning::default() };
        fill(state_dir, &meaning);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (_, meaning) = tokio::sync::watch::channel(Arc::new(meaning));
        let (_, places) = tokio::sync::watch::channel(Arc::default());
        let (_, health) = tokio::sync::watch::channel(Arc::from(standing()));
        let (_, link) = tokio::sync::watch::channel(None);
        let settings = api::Settings {
            state_dir: state_dir.to_owned(),
            meaning,
            places,
            health,
            link,
            sensor: Default::default(),
            administration: None,
        };
        runtime.spawn(portal::serve(listener, settings, portal::Door::default()));
        Host { control, token, address, _folder: folder, _runtime: runtime }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1/{path}", self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, Some(&self.token))
    }

    pub(crate) fn get_with(&self, path: &str, token: Option<&str>) -> Answer {
        let agent = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = agent.timeout_global(Some(Duration::from_secs(60))).build().new_agent();
        let mut request = agent.get(format!("http://{}{path}", self.address));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        Answer::of(request.call().unwrap())
    }
}

/// What is wrong with this host.
pub(crate) fn standing() -> Vec<Standing> {
    vec![Standing {
        condition: Condition::WrongSecret,
        subject: "branch".to_owned(),
        severity: Severity::High,
        since_unix_ns: START_S * 1_000_000_000,
        told_unix_ns: START_S * 1_000_000_000,
        message: "Requests do not verify.".to_owned(),
        advice: vec!["Set the secret.".to_owned()],
    }]
}

fn fill(state_dir: &std::path::Path, meaning: &Meaning) {
    let journal = state_dir.join("journal");
    let mut opened = journal::open(RealStorage::create(&journal).unwrap(), Options::default()).unwrap();
    let mut port = opened.writer.port(1, Arc::new(Silent));
    let mut batch = port.take_free().unwrap();
    for number in 0..PEOPLE as u8 {
        let mut buffer = [0; radius::MAX_LENGTH];
        let record = NewRecord {
            arrival_unix_ns: (START_S + u64::from(number)) * 1_000_000_000,
            source: "192.0.2.10:49152".parse().unwrap(),
            destination: "192.0.2.1:1813".parse().unwrap(),
            path: CapturePath::Udp,
            client: "branch",
            octets: start(number, &mut buffer),
        };
        batch.append(&record).unwrap();
    }
    port.submit(batch);
    while port.completed().is_none() {
        opened.writer.turn();
    }
    drop((port, opened));
    let mut fold = Fold::new(meaning.clone()).unwrap();
    for record in Reader::open(&journal).unwrap().records_from(1) {
        fold.take(&record.unwrap(), &mut OnePlace);
    }
    let path = service::folder(state_dir).join(store::FILE);
    let outcome = fold.finish();
    Store::open(&path).unwrap().write(&outcome, None).unwrap();
}
