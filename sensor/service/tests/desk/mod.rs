//! A running service with people whose connections are usual until today, when each comes from far away: alerts, for the
//! tests of the API and of the portal.

use std::{
    fs,
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
use service::{
    Meaning,
    alert::Deciding,
    live::{Live, Retention},
};

const DAY_S: u64 = 86_400;
/// In Boxford, GB.
const HOME: &str = "2.125.160.216";
/// Each in another country.
const AWAY: [&str; 6] =
    ["175.16.199.7", "89.160.20.112", "216.160.83.56", "67.43.156.7", "202.196.224.7", "2001:218::7"];

/// Service and journal, until it is dropped.
pub(crate) struct Running {
    journal: Handle,
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

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

/// Framed-IPv6-Prefix: 2001:db8:1:2::/64, everybody's.
const ASSIGNED_PREFIX: [u8; 10] = [0, 64, 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2];

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

impl Running {
    /// With so many people, 6 at most: `user0` is at home and, at once, far away; the others are on a device that is new,
    /// somewhere new. While `is_paused` the service does nothing.
    pub(crate) fn start(
        state_dir: &Path,
        people: usize,
        meaning: &Meaning,
        is_paused: &Arc<AtomicBool>,
    ) -> Running {
        let storage = RealStorage::create(state_dir.join("journal")).unwrap();
        let mut opened = journal::open(storage, Options::default()).unwrap();
        let mut port = opened.writer.port(2, Arc::new(Silent));
        let journal = opened.handle;
        let writer = thread::spawn(move || opened.writer.run());
        let now = now_s();
        for day in (1..=20).rev() {
            for user in 0..people {
                let (at, session) = (now - day * DAY_S + user as u64, format!("{day}-{user}"));
                hear(&mut port, at, 1, user, &session, HOME, &format!("PC-{user}"));
                hear(&mut port, at + 3600, 2, user, &session, HOME, &format!("PC-{user}"));
            }
        }
        hear(&mut port, now - 60, 1, 0, "0-0", HOME, "PC-0");
        for (user, away) in AWAY.into_iter().take(people).enumerate() {
            hear(&mut port, now - 50 + user as u64, 1, user, &format!("away-{user}"), away, "KALI");
        }
        let reader = Reader::beside(state_dir.join("journal"), &journal).unwrap();
        let retention = Retention { max_octets: u64::MAX, max_age: None };
        let mut live = Live::open(state_dir, &reader, meaning, places(), retention, false).unwrap();
        while live.standing().stored < journal.watermark() {
            live.turn(now * 1_000_000_000).unwrap();
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let (paused, over, of) = (Arc::clone(is_paused), Arc::clone(&is_over), state_dir.to_owned());
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
        Running { journal, is_over, threads: vec![service, writer] }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.is_over.store(true, SeqCst);
        self.journal.stop();
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking());
        }
    }
}
