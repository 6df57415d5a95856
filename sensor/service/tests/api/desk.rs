//! A running service with people whose connections are usual until today, the API over it, and the people at the desk who
//! decide about alerts.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use insight::geo::{Database, Places, Sites};
use journal::{CapturePath, Handle, NewRecord, Options, Port, Reader, RealStorage, Wake};
use radius::{Code, build::RequestBuilder};
use serde_json::Value;
use service::{
    Meaning,
    alert::Deciding,
    api,
    control::{Control, Right},
    live::{Live, Retention},
    observed::{Observed, SensorNow},
    portal,
    rebuild::{WAITING_MAX, rebuild},
    store::{self, Digest},
};

use crate::host::Answer;

const DAY_S: u64 = 86_400;
/// Each of these has an alert: the first one's cannot be, the others' are of what is new.
pub(crate) const PEOPLE: usize = 6;
/// In Boxford, GB.
const HOME: &str = "2.125.160.216";
/// Each in another country.
const AWAY: [&str; PEOPLE] =
    ["175.16.199.7", "89.160.20.112", "216.160.83.56", "67.43.156.7", "202.196.224.7", "2001:218::7"];

pub(crate) struct Desk {
    pub(crate) control: Control,
    /// May decide.
    pub(crate) token: String,
    /// Reads.
    pub(crate) reader: String,
    address: SocketAddr,
    folder: tempfile::TempDir,
    journal: Handle,
    is_paused: Arc<AtomicBool>,
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    _runtime: tokio::runtime::Runtime,
}

/// Framed-IPv6-Prefix: 2001:db8:1:2::/64, everybody's.
const ASSIGNED_PREFIX: [u8; 10] = [0, 64, 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2];

struct Silent;

impl Wake for Silent {
    fn wake(&self) {}
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn places() -> Arc<Places> {
    let file = "GeoIP2-City-Test.mmdb";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../insight/tests/geo/data").join(file);
    let database = Database::read(file, fs::read(path).unwrap()).unwrap();
    Arc::new(Places::new(Arc::new(Sites::default()), vec![Arc::new(database)]))
}

fn hear(port: &mut Port, at_s: u64, status: u32, user: usize, session: &str, address: &str, device: &str) {
    let mut buffer = [0; radius::MAX_LENGTH];
    let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, at_s as u8);
    request.integer(40, status).text(44, session).integer(61, 5).integer(6, 2);
    request.text(1, &format!("user{user}")).text(32, "gateway").text(31, address);
    request.ipv4(8, [10, 1, 0, user as u8].into()).attribute(97, &ASSIGNED_PREFIX);
    request.vendor(9, 1, format!("mdm-tlv=device-uid={device}").as_bytes());
    let record = NewRecord {
        arrival_unix_ns: at_s * 1_000_000_000,
        source: "192.0.2.10:49152".parse().unwrap(),
        destination: "192.0.2.1:1813".parse().unwrap(),
        path: CapturePath::Udp,
        client: "branch",
        octets: request.seal(b"secret").unwrap(),
    };
    let mut batch = port.take_free().unwrap();
    batch.append(&record).unwrap();
    port.submit(batch);
    let batch = loop {
        match port.completed() {
            Some((batch, _)) => break batch,
            None => thread::yield_now(),
        }
    };
    port.give_back(batch);
}

impl Desk {
    pub(crate) fn open() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().to_owned();
        let storage = RealStorage::create(state_dir.join("journal")).unwrap();
        let mut opened = journal::open(storage, Options::default()).unwrap();
        let mut port = opened.writer.port(2, Arc::new(Silent));
        let journal = opened.handle;
        let writer = thread::spawn(move || opened.writer.run());
        let now = now_s();
        for day in (1..=20).rev() {
            for user in 0..PEOPLE {
                let (at, session) = (now - day * DAY_S + user as u64, format!("{day}-{user}"));
                hear(&mut port, at, 1, user, &session, HOME, &format!("PC-{user}"));
                hear(&mut port, at + 3600, 2, user, &session, HOME, &format!("PC-{user}"));
            }
        }
        hear(&mut port, now - 60, 1, 0, "0-0", HOME, "PC-0");
        for (user, away) in AWAY.into_iter().enumerate() {
            hear(&mut port, now - 50 + user as u64, 1, user, &format!("away-{user}"), away, "KALI");
        }
        let realms = vec![vec!["contoso.example".to_owned(), "CONTOSO".to_owned(), String::new()]];
        let mut meaning = Meaning { realms, ..Meaning::default() };
        meaning.detect.notices_per_day = 3;
        let reader = Reader::beside(state_dir.join("journal"), &journal).unwrap();
        let retention = Retention { max_octets: u64::MAX, max_age: None };
        let mut live = Live::open(&state_dir, &reader, &meaning, places(), retention, false).unwrap();
        while live.standing().stored < journal.watermark() {
            live.turn(now * 1_000_000_000).unwrap();
        }
        let (is_paused, is_over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (paused, over, of) = (Arc::clone(&is_paused), Arc::clone(&is_over), state_dir.clone());
        let service = thread::spawn(move || {
            let mut deciding = Deciding::new(&of);
            while !over.load(SeqCst) {
                if !paused.load(SeqCst) {
                    deciding.turn(&mut live);
                    live.turn(now_s() * 1_000_000_000).unwrap();
                }
                thread::sleep(Duration::from_millis(5));
            }
            live.stop().unwrap();
        });
        let control = Control::open(&state_dir).unwrap();
        let add = |name, right| control.add_token(name, right, None).unwrap().reveal().to_owned();
        let (token, reader) = (add("desk", Some(Right::Decide)), add("reports", None));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (_, meaning) = tokio::sync::watch::channel(Arc::new(meaning));
        let (_, places) = tokio::sync::watch::channel(Arc::default());
        let (_, health) = tokio::sync::watch::channel(Arc::from(crate::host::standing()));
        let (_, link) = tokio::sync::watch::channel(None);
        let sensor = Observed::default();
        sensor.note(SensorNow { name: "edge".to_owned(), ..SensorNow::default() });
        let settings =
            api::Settings { state_dir, meaning, places, health, link, sensor, administration: None };
        runtime.spawn(portal::serve(listener, settings, portal::Door::default()));
        let threads = vec![service, writer];
        Desk {
            control,
            token,
            reader,
            address,
            folder,
            journal,
            is_paused,
            is_over,
            threads,
            _runtime: runtime,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        let request = agent().get(self.url(path)).header("authorization", format!("Bearer {}", self.reader));
        Answer::of(request.call().unwrap())
    }

    /// The items of a list.
    pub(crate) fn list(&self, path: &str) -> Vec<Value> {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body["items"].as_array().unwrap().clone()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.posting(path, body)()
    }

    /// The same for another thread.
    pub(crate) fn posting(&self, path: &str, body: &Value) -> impl FnOnce() -> Answer + Send + 'static {
        let (url, token, body) = (self.url(path), self.token.clone(), body.to_string());
        move || post(&url, Some(&token), "application/json", &body)
    }

    pub(crate) fn post_as(&self, path: &str, token: Option<&str>, media_type: &str, body: &str) -> Answer {
        post(&self.url(path), token, media_type, body)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1/{path}", self.address)
    }

    /// The service does nothing until it goes on.
    pub(crate) fn pause(&self, is_paused: bool) {
        self.is_paused.store(is_paused, SeqCst);
    }

    /// Ends the service. The digests of its store and of the rebuild from its inputs.
    pub(crate) fn close(mut self) -> (Digest, Digest) {
        self.is_over.store(true, SeqCst);
        self.threads.remove(0).join().unwrap();
        let service = service::folder(self.folder.path());
        let live = Digest::of(&service.join(store::FILE)).unwrap();
        let rebuilt = self.folder.path().join("rebuilt.sqlite");
        let reader = Reader::beside(self.folder.path().join("journal"), &self.journal).unwrap();
        let nowhere = Places::default();
        rebuild(&service, &reader, &rebuilt, live.position, &nowhere, WAITING_MAX, |_| {}).unwrap();
        (live, Digest::of(&rebuilt).unwrap())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.is_over.store(true, SeqCst);
        self.journal.stop();
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking());
        }
    }
}

fn post(url: &str, token: Option<&str>, media_type: &str, body: &str) -> Answer {
    let mut request = agent().post(url).header("content-type", media_type);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    Answer::of(request.send(body).unwrap())
}

fn agent() -> ureq::Agent {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
    agent.timeout_global(Some(Duration::from_secs(60))).build().new_agent()
}
