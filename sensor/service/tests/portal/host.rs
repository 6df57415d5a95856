//! A running portal with a connection of each of some people, and browsers without a script.

use std::{
    cell::RefCell,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use journal::{CapturePath, NewRecord, Options, Reader, RealStorage, Wake};
use radius::{Code, build::RequestBuilder};
use service::{
    Meaning, api,
    control::{Control, Role},
    fold::{Fold, Resolve, Resolved},
    health::Standing,
    observed::Observed,
    portal,
    store::{self, Store},
};

pub(crate) const PASSWORD: &str = "correct horse battery";
/// 2026-09-21T14:13:20Z.
const START_S: u64 = 1_790_000_000;
/// Records that are written at once.
const BATCH: usize = 100;

pub(crate) struct Host {
    pub(crate) control: Control,
    /// Looks at a sensor go here.
    pub(crate) sensor: Observed,
    /// What keeps the product from its work goes here.
    pub(crate) health: tokio::sync::watch::Sender<Arc<[Standing]>>,
    address: SocketAddr,
    folder: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

/// One browser: it keeps its cookie.
pub(crate) struct Browser<'h> {
    host: &'h Host,
    cookie: RefCell<Option<String>>,
    /// What its script would keep as the zone.
    zone: RefCell<Option<String>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
    headers: ureq::http::HeaderMap,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Of the first form on the page.
    pub(crate) fn form_token(&self) -> String {
        let (_, rest) = self.text.split_once("name=\"token\" value=\"").expect("a form");
        rest.split_once('"').unwrap().0.to_owned()
    }
}

struct Silent;

impl Wake for Silent {
    fn wake(&self) {}
}

struct OnePlace;

impl Resolve for OnePlace {
    fn resolve(&mut self, _: u64, _: IpAddr) -> Resolved {
        Resolved {
            whereabouts: "place".into(),
            city: Some("Lyon".into()),
            country: Some("FR".into()),
            latitude: Some(45.76),
            longitude: Some(4.84),
            radius_km: Some(20),
            asn: Some(64_500),
            organisation: Some("Example Telecom".into()),
            ..Resolved::default()
        }
    }
}

/// A connection that begins, and stays.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    /// As the VPN server calls itself.
    pub(crate) server: String,
    /// Seconds behind [`START_S`].
    pub(crate) after_s: u64,
}

impl Host {
    /// A connection of each, a second apart.
    pub(crate) fn start(people: &[&str]) -> Host {
        let login = |(number, user): (usize, &&str)| Login {
            user: (*user).to_owned(),
            server: "gateway".to_owned(),
            after_s: number as u64,
        };
        Host::after(&people.iter().enumerate().map(login).collect::<Vec<_>>())
    }

    /// Behind these connections.
    pub(crate) fn after(logins: &[Login]) -> Host {
        let folder = tempfile::tempdir().unwrap();
        // Makes the service's folder.
        drop(Control::open(folder.path()).unwrap());
        fill(folder.path(), logins);
        Host::serving(folder)
    }

    /// Over the state directory as it is.
    pub(crate) fn serving(folder: tempfile::TempDir) -> Host {
        let state_dir = folder.path();
        let control = Control::open(state_dir).unwrap();
        let sensor = Observed::default();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (_, meaning) = tokio::sync::watch::channel(Arc::new(Meaning::default()));
        let (_, places) = tokio::sync::watch::channel(Arc::default());
        let (health, standing) = tokio::sync::watch::channel(Arc::from([]));
        let (_, link) = tokio::sync::watch::channel(None);
        let settings = api::Settings {
            state_dir: state_dir.to_owned(),
            meaning,
            places,
            health: standing,
            link,
            sensor: sensor.clone(),
            administration: None,
        };
        runtime.spawn(portal::serve(listener, settings, portal::Door::default()));
        Host { control, sensor, health, address, folder, _runtime: runtime }
    }

    /// Writes into the store.
    pub(crate) fn write(&self, statements: &str) {
        let path = service::folder(self.folder.path()).join(store::FILE);
        rusqlite::Connection::open(&path).unwrap().execute_batch(statements).unwrap();
    }

    /// All connections were over in the moment in which they began.
    pub(crate) fn end_all(&self) {
        self.write("UPDATE session SET ended = start, end_reason = 'stop'");
    }

    pub(crate) fn link(&self, account: &str) -> String {
        self.link_as(account, Role::Analyst)
    }

    fn link_as(&self, account: &str, role: Role) -> String {
        self.control.add_link(account, Some(role)).unwrap().reveal().to_owned()
    }

    pub(crate) fn stranger(&self) -> Browser<'_> {
        Browser { host: self, cookie: RefCell::default(), zone: RefCell::default() }
    }

    /// Somebody with a new account.
    pub(crate) fn signed_in(&self, account: &str) -> Browser<'_> {
        self.signed_in_as(account, Role::Analyst)
    }

    /// The same with this role.
    pub(crate) fn signed_in_as(&self, account: &str, role: Role) -> Browser<'_> {
        let browser = self.stranger();
        let path = format!("/link/{}", self.link_as(account, role));
        let answer =
            browser.post(&path, &[("account", account), ("password", PASSWORD), ("again", PASSWORD)]);
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }
}

impl Browser<'_> {
    /// From now on it has a cookie with this zone.
    pub(crate) fn go_to_zone(&self, zone: &str) {
        *self.zone.borrow_mut() = Some(zone.to_owned());
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_as(path, &self.host.address.to_string())
    }

    pub(crate) fn get_as(&self, path: &str, name: &str) -> Answer {
        let request = agent().get(format!("http://{}{path}", self.host.address)).header("host", name);
        self.keep(self.with_cookie(request).call().unwrap())
    }

    /// Octets of a page on the wire, for a browser that takes gzip.
    pub(crate) fn octets_on_the_wire(&self, path: &str) -> usize {
        let request = agent().get(format!("http://{}{path}", self.host.address));
        let request = self.with_cookie(request).header("accept-encoding", "gzip");
        let mut answer = request.call().unwrap();
        assert_eq!(answer.headers()["content-encoding"], "gzip", "{path}");
        assert_eq!(answer.headers()["vary"], "accept-encoding");
        answer.body_mut().read_to_vec().unwrap().len()
    }

    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.post_from(path, form, Some(&format!("http://{}", self.host.address)))
    }

    pub(crate) fn post_from(&self, path: &str, form: &[(&str, &str)], origin: Option<&str>) -> Answer {
        let mut request = agent().post(format!("http://{}{path}", self.host.address));
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        self.keep(self.with_cookie(request).send_form(form.iter().copied()).unwrap())
    }

    pub(crate) fn sign_in(&self, account: &str, password: &str) -> Answer {
        self.post("/sign-in", &[("account", account), ("password", password)])
    }

    fn with_cookie<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        let zone = self.zone.borrow().as_ref().map(|zone| format!("vpn-sensor-zone={zone}"));
        let cookies: Vec<String> = self.cookie.borrow().iter().cloned().chain(zone).collect();
        if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) }
    }

    fn keep(&self, mut answer: ureq::http::Response<ureq::Body>) -> Answer {
        let text = answer.body_mut().read_to_string().unwrap();
        let answer = Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), text };
        if let Some((cookie, _)) = answer.header("set-cookie").split_once(';') {
            *self.cookie.borrow_mut() = Some(cookie.to_owned());
        }
        answer
    }
}

fn agent() -> ureq::Agent {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
    agent.timeout_global(Some(Duration::from_secs(60))).build().new_agent()
}

fn start<'b>(number: usize, login: &Login, buffer: &'b mut [u8]) -> &'b [u8] {
    let name = &*login.user;
    let mut request = RequestBuilder::new(buffer, Code::AccountingRequest, number as u8);
    request.integer(40, 1).text(1, name).text(44, &format!("s{number:03}")).text(32, &login.server);
    request.integer(6, 2).text(31, &format!("203.0.{}.{}", 113 + number / 256, number % 256));
    request.integer(55, (START_S + login.after_s) as u32);
    request.ipv4(8, [10, 1, (number / 256) as u8, number as u8].into());
    let device = if name.is_ascii() && name.len() < 6 { format!("PC-{name}") } else { name.to_owned() };
    request.vendor(9, 1, format!("mdm-tlv=device-uid={device}").as_bytes());
    request.seal(b"secret").unwrap()
}

fn fill(state_dir: &std::path::Path, logins: &[Login]) {
    let journal = state_dir.join("journal");
    let mut opened = journal::open(RealStorage::create(&journal).unwrap(), Options::default()).unwrap();
    let mut port = opened.writer.port(1, Arc::new(Silent));
    // More than these do not fit into a batch.
    for (part, logins) in logins.chunks(BATCH).enumerate() {
        let mut batch = port.take_free().unwrap();
        for (index, login) in logins.iter().enumerate() {
            let mut buffer = [0; radius::MAX_LENGTH];
            let record = NewRecord {
                arrival_unix_ns: (START_S + login.after_s) * 1_000_000_000,
                source: "192.0.2.10:49152".parse().unwrap(),
                destination: "192.0.2.1:1813".parse().unwrap(),
                path: CapturePath::Udp,
                client: "branch",
                octets: start(part * BATCH + index, login, &mut buffer),
            };
            batch.append(&record).unwrap();
        }
        port.submit(batch);
        let written = loop {
            opened.writer.turn();
            if let Some((batch, _)) = port.completed() {
                break batch;
            }
        };
        port.give_back(written);
    }
    drop((port, opened));
    let mut fold = Fold::new(Meaning::default()).unwrap();
    for record in Reader::open(&journal).unwrap().records_from(1) {
        fold.take(&record.unwrap(), &mut OnePlace);
    }
    let path = service::folder(state_dir).join(store::FILE);
    let outcome = fold.finish();
    Store::open(&path).unwrap().write(&outcome, None).unwrap();
}
