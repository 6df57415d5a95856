//! A journal, a service over it, and the time that both are given.

use std::{
    fs,
    io::Read as _,
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
};

use insight::geo::{Database, Places, Sites};
use journal::{CapturePath, Handle, NewRecord, Options, Port, Reader, RealStorage, Redactor, Wake};
use radius::{Code, build::RequestBuilder};
use ruzstd::decoding::StreamingDecoder;
use service::{
    Detecting, Meaning,
    alert::Verdict,
    control::{Control, Names},
    forget::Forgetting,
    live::{Live, Retention},
    rebuild::rebuild,
    store::{self, AlertFilter, AlertState, Digest, StoreReader},
};

/// 2026-01-01T00:00:00Z: second 0 of a test.
pub(crate) const fn epoch_s() -> u64 {
    1_767_225_600
}

/// In the databases: a city, another, a documentation address, an internal one, a city far away.
const ADDRESSES: [&str; 5] = ["2.125.160.216", "81.2.69.160", "203.0.113.7", "10.0.0.7", "175.16.199.7"];

pub(crate) fn places_of(file: &str) -> Arc<Places> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../insight/tests/geo/data").join(file);
    let database = Database::read(file, fs::read(path).unwrap()).unwrap();
    Arc::new(Places::new(Arc::new(Sites::default()), vec![Arc::new(database)]))
}

/// Those that come with the product.
pub(crate) fn included() -> Arc<Places> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../geo-data");
    let database = |name: &str| {
        let packed = fs::read(folder.join(format!("{name}.mmdb.zst"))).unwrap();
        let mut octets = Vec::new();
        StreamingDecoder::new(&packed[..]).unwrap().read_to_end(&mut octets).unwrap();
        Arc::new(Database::read(name, octets).unwrap())
    };
    Arc::new(Places::new(Arc::default(), ["country", "asn", "kinds"].map(database).into()))
}

/// What a VPN server says.
pub(crate) struct Request<'a> {
    /// Second of its arrival.
    pub(crate) at: u64,
    /// Second that it says itself.
    pub(crate) event: Option<u64>,
    pub(crate) status: u32,
    pub(crate) user: u64,
    pub(crate) session: &'a str,
    pub(crate) address: u64,
    pub(crate) octets: u64,
    /// The user's name has two letters.
    pub(crate) is_short: bool,
    /// Instead of what `user` and `address` say.
    pub(crate) instead: Instead<'a>,
}

/// What a request says in other words.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Instead<'a> {
    pub(crate) name: Option<&'a str>,
    /// Where the connection comes from.
    pub(crate) address: Option<&'a str>,
    /// Empty: none is told.
    pub(crate) device: Option<&'a str>,
    pub(crate) server: Option<&'a str>,
}

impl<'a> Request<'a> {
    pub(crate) fn start() -> Request<'a> {
        Request {
            at: 0,
            event: None,
            status: 1,
            user: 0,
            session: "",
            address: 0,
            octets: 0,
            is_short: false,
            instead: Instead::default(),
        }
    }

    /// The Stop of the same connection.
    pub(crate) fn stop(&self, octets: u64) -> Request<'a> {
        Request { status: 2, octets, ..*self }
    }

    /// As the VPN server writes it.
    fn write<'b>(&self, buffer: &'b mut [u8; radius::MAX_LENGTH]) -> &'b [u8] {
        let mut request = RequestBuilder::new(buffer, Code::AccountingRequest, self.at as u8);
        request.integer(40, self.status).text(44, self.session).integer(61, 5).integer(6, 2);
        // Written in more than one way.
        let user = self.user;
        let name = match self.at % 2 {
            _ if self.instead.name.is_some() => self.instead.name.unwrap_or_default().to_owned(),
            _ if self.is_short => format!("u{user}"),
            0 => format!("CONTOSO\\User{user}"),
            _ => format!("user{user}"),
        };
        let server = self.instead.server.unwrap_or(["gateway", "spare"][user as usize % 2]);
        request.text(1, &name).text(32, server);
        request.text(31, self.instead.address.unwrap_or(ADDRESSES[self.address as usize]));
        let device = match self.instead.device {
            Some(device) => device.to_owned(),
            // Who is far away is somebody else.
            None if self.address == 4 => "PC-elsewhere".to_owned(),
            None => format!("PC-{user}"),
        };
        if !device.is_empty() {
            request.vendor(9, 1, format!("mdm-tlv=device-uid={device}").as_bytes());
        }
        request.integer(42, self.octets as u32);
        if let Some(event) = self.event {
            request.integer(55, (epoch_s() + event) as u32);
        }
        request.seal(b"secret").unwrap()
    }
}

struct Silent;

impl Wake for Silent {
    fn wake(&self) {}
}

pub(crate) struct House {
    folder: tempfile::TempDir,
    handle: Handle,
    writer: Option<JoinHandle<()>>,
    port: Port,
    live: Option<Live>,
    meaning: Meaning,
    places: Arc<Places>,
    pub(crate) kills: u32,
    pub(crate) decisions: u32,
}

impl House {
    pub(crate) fn new(meaning: Meaning, places: Arc<Places>) -> House {
        let folder = tempfile::tempdir().unwrap();
        let storage = RealStorage::create(folder.path().join("journal")).unwrap();
        let mut opened = journal::open(storage, Options::default()).unwrap();
        let port = opened.writer.port(2, Arc::new(Silent));
        let handle = opened.handle;
        let writer = Some(thread::spawn(move || opened.writer.run()));
        House { folder, handle, writer, port, live: None, meaning, places, kills: 0, decisions: 0 }
    }

    fn reader(&self) -> Reader {
        Reader::beside(self.folder.path().join("journal"), &self.handle).unwrap()
    }

    /// Where all of it is.
    pub(crate) fn state_dir(&self) -> &Path {
        self.folder.path()
    }

    /// A request is recorded.
    pub(crate) fn hear(&mut self, said: &Request<'_>) {
        self.hear_all(std::slice::from_ref(said));
    }

    /// Requests are recorded together.
    pub(crate) fn hear_all(&mut self, said: &[Request<'_>]) {
        let mut batch = self.port.take_free().unwrap();
        for said in said {
            let mut buffer = [0; radius::MAX_LENGTH];
            let record = NewRecord {
                arrival_unix_ns: (epoch_s() + said.at) * 1_000_000_000,
                source: "192.0.2.10:49152".parse().unwrap(),
                destination: "192.0.2.1:1813".parse().unwrap(),
                path: CapturePath::Udp,
                client: "branch",
                octets: said.write(&mut buffer),
            };
            batch.append(&record).unwrap();
        }
        self.port.submit(batch);
        let batch = loop {
            match self.port.completed() {
                Some((batch, _)) => break batch,
                None => thread::yield_now(),
            }
        };
        self.port.give_back(batch);
    }

    /// Another configuration, other databases.
    pub(crate) fn reload(&mut self, meaning: Meaning, places: Option<Arc<Places>>) {
        self.meaning = meaning;
        self.places = places.unwrap_or_else(|| self.places.clone());
        let (meaning, places) = (self.meaning.clone(), self.places.clone());
        let live = self.live();
        live.set_meaning(&meaning).unwrap();
        live.set_places(places).unwrap();
    }

    /// Another `[detect]`.
    pub(crate) fn tune(&mut self, detect: Detecting) {
        self.reload(Meaning { detect, ..self.meaning.clone() }, None);
    }

    pub(crate) fn live(&mut self) -> &mut Live {
        if self.live.is_none() {
            let retention = Retention { max_octets: u64::MAX, max_age: None };
            let live = Live::open(
                self.folder.path(),
                &self.reader(),
                &self.meaning,
                self.places.clone(),
                retention,
                false,
            );
            self.live = Some(live.unwrap());
        }
        self.live.as_mut().unwrap()
    }

    /// One turn at this second.
    pub(crate) fn turn(&mut self, at: u64) {
        self.live().turn((epoch_s() + at) * 1_000_000_000).unwrap();
    }

    /// Turns until everything is taken.
    pub(crate) fn catch_up(&mut self, at: u64) {
        let last = self.handle.watermark();
        while self.live().standing().position < last {
            self.turn(at);
        }
    }

    /// Somebody is forgotten.
    pub(crate) fn forget(&mut self, key: &str) {
        let state_dir = self.folder.path().to_owned();
        let names = Names { typed: key.into(), key: key.into(), written: Vec::new() };
        Control::open(&state_dir).unwrap().ask_to_forget(&names, "uid 0").unwrap();
        let redactor = Redactor::beside(state_dir.join("journal"), &self.handle).unwrap();
        let live = self.live();
        assert!(Forgetting::new(&state_dir, redactor).execute_next(live, None, &|| true).unwrap());
    }

    /// How many files name this one.
    pub(crate) fn holding(&self, name: &str) -> usize {
        fn files(folder: &Path, name: &[u8]) -> usize {
            let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let holds = |path: &Path| {
                fs::read(path).unwrap().windows(name.len()).any(|part| part.eq_ignore_ascii_case(name))
            };
            paths.map(|path| if path.is_dir() { files(&path, name) } else { usize::from(holds(&path)) }).sum()
        }
        files(self.folder.path(), name.as_bytes())
    }

    /// Somebody closes every open alert, or writes about it.
    pub(crate) fn decide(&mut self, verdict: Option<Verdict>) {
        let control = Control::open(self.folder.path()).unwrap();
        // What was not stored cannot be seen.
        self.live();
        self.stop();
        let open = AlertFilter { state: Some(AlertState::Open), ..AlertFilter::default() };
        for alert in self.store().alerts(&open, 100).unwrap() {
            control.decide(alert.number, verdict, Some("looked at"), "uid 0").unwrap();
            self.decisions += 1;
        }
        self.live().take_decisions(&control).unwrap();
    }

    /// It is gone between two turns, with all that it had not stored.
    pub(crate) fn kill(&mut self) {
        self.kills += u32::from(self.live.take().is_some());
    }

    /// What the disk has of the store now.
    pub(crate) fn sync(&mut self) {
        self.kill();
        fs::copy(self.store_file(), self.synced_file()).unwrap();
    }

    /// The store is what was synced last, as it may be behind a loss of power; journal and input log have all.
    pub(crate) fn lose_power(&mut self) {
        self.kill();
        fs::rename(self.synced_file(), self.store_file()).unwrap();
    }

    fn synced_file(&self) -> std::path::PathBuf {
        self.folder.path().join("synced.sqlite")
    }

    pub(crate) fn stop(&mut self) {
        if let Some(live) = self.live.take() {
            live.stop().unwrap();
        }
    }

    pub(crate) fn store(&self) -> StoreReader {
        StoreReader::open(&self.store_file()).unwrap()
    }

    pub(crate) fn store_file(&self) -> std::path::PathBuf {
        service::folder(self.folder.path()).join(store::FILE)
    }

    /// Of the store in force, and of its rebuild by databases that say nothing: what was resolved is an input. In the
    /// rebuild at most `waiting_max` sessions wait to be written.
    pub(crate) fn digests(&self, waiting_max: usize) -> (Digest, Digest) {
        let live = Digest::of(&self.store_file()).unwrap();
        let to = tempfile::tempdir().unwrap();
        let to = to.path().join("rebuilt.sqlite");
        let folder = service::folder(self.folder.path());
        let rebuilt =
            rebuild(&folder, &self.reader(), &to, live.position, &Places::default(), waiting_max, |_| {})
                .unwrap();
        assert_eq!((rebuilt.missed, rebuilt.resolved_anew), (0, 0));
        (live, Digest::of(&to).unwrap())
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.handle.stop();
        self.writer.take().map(JoinHandle::join);
    }
}
