//! A sensor without its binary: the real journal on a temporary directory, a real UDP worker on loopback.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::{
    net::{SocketAddr, UdpSocket},
    path::Path,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use ingest::{
    Ingest, IngestOptions,
    capture::udp::UdpSource,
    clients::{Client, Clients, Secret},
    counters::WorkerSnapshot,
    verdict::Verdict,
};
use journal::{Handle, Options, Reader, RealStorage, Record, Storage};
use radius::{Code, build::RequestBuilder};

pub const SECRET: &[u8] = b"a secret of 24 octets...";

pub fn client(name: &str, prefixes: &[&str]) -> Client {
    Client {
        name: name.into(),
        secrets: [Some(Secret::new(SECRET.to_vec()).unwrap()), None],
        status_server: true,
        require_message_authenticator: false,
        max_rate: None,
        prefixes: prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect(),
        vendor: "auto".into(),
    }
}

pub fn clients(list: Vec<Client>) -> Clients {
    Clients::build(list).unwrap()
}

/// One client on all of loopback.
pub fn everyone() -> Clients {
    clients(vec![client("everyone", &["127.0.0.0/8", "::1/128"])])
}

/// A running sensor.
pub struct Sensor {
    pub ingest: Ingest,
    pub handle: Handle,
    /// Where its workers listen: IPv4, then IPv6.
    pub addresses: Vec<SocketAddr>,
    writer: Option<JoinHandle<()>>,
}

pub fn journal_options() -> Options {
    let mut options = Options { segment_bytes: 4 << 20, ..Options::default() };
    // A full development disk must not fail these tests.
    options.retention.free_reserve_bytes = 0;
    options
}

impl Sensor {
    pub fn start(directory: &Path, clients: Clients) -> Sensor {
        Sensor::over(RealStorage::create(directory).unwrap(), clients, IngestOptions::default(), 1)
    }

    /// `workers` workers on the same two addresses.
    pub fn over<S: Storage>(storage: S, clients: Clients, options: IngestOptions, workers: usize) -> Sensor {
        let mut opened = journal::open(storage, journal_options()).unwrap();
        let mut ingest = Ingest::new(clients, opened.handle.clone(), &options);
        let mut addresses: Vec<SocketAddr> = vec!["0.0.0.0:0".parse().unwrap(), "[::]:0".parse().unwrap()];
        for worker in 0..workers {
            let source = UdpSource::bind(&addresses).unwrap();
            addresses = source.addresses().collect();
            ingest.spawn_worker(&format!("udp-{worker}"), None, source, &mut opened.writer).unwrap();
        }
        let to = |ip: &str, port| SocketAddr::new(ip.parse().unwrap(), port);
        let addresses = vec![to("127.0.0.1", addresses[0].port()), to("::1", addresses[1].port())];
        let writer = std::thread::spawn(move || opened.writer.run());
        Sensor { ingest, handle: opened.handle, addresses, writer: Some(writer) }
    }

    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// All workers' numbers in one.
    pub fn total(&self) -> WorkerSnapshot {
        let mut snapshots = self.ingest.snapshot().into_iter();
        let mut total = snapshots.next().unwrap();
        for next in snapshots {
            total.verdicts.iter_mut().zip(next.verdicts).for_each(|(sum, n)| *sum += n);
            total.received += next.received;
            total.pending += next.pending;
            total.responses += next.responses;
            total.responses_dropped += next.responses_dropped;
            total.status_silent += next.status_silent;
            total.notices_lost += next.notices_lost;
            total.specimens_lost += next.specimens_lost;
            total.passwords_blanked += next.passwords_blanked;
            total.sleeps += next.sleeps;
        }
        total
    }

    /// Waits until this many datagrams have their verdict, and checks that the numbers add up.
    pub fn settled(&self, received: u64) -> WorkerSnapshot {
        wait_until("every datagram has its verdict", || {
            let total = self.total();
            total.received >= received && total.pending == 0
        });
        let total = self.total();
        assert_eq!(total.received, received);
        assert_eq!(total.accounted(), received);
        total
    }

    /// Stops workers, then the writer.
    pub fn stop(mut self) -> WorkerSnapshot {
        self.halt();
        self.total()
    }

    fn halt(&mut self) {
        if let Some(writer) = self.writer.take() {
            for ended in self.ingest.stop() {
                ended.result.unwrap();
            }
            self.handle.stop();
            writer.join().unwrap();
        }
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.halt();
        }
    }
}

pub fn records(directory: &Path) -> Vec<Record> {
    Reader::open(directory).unwrap().records_from(1).map(Result::unwrap).collect()
}

pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "not in 20 s: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// An Accounting-Request that differs by `session`.
pub fn request(identifier: u8, session: &str) -> Vec<u8> {
    build(identifier, SECRET, |request| {
        request.integer(40, 1).text(1, "alice").text(44, session).text(32, "gateway");
    })
}

pub fn build(identifier: u8, secret: &[u8], fill: impl FnOnce(&mut RequestBuilder<'_>)) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let mut request = RequestBuilder::new(&mut buffer, Code::AccountingRequest, identifier);
    fill(&mut request);
    request.seal(secret).unwrap().to_vec()
}

pub fn status_server(identifier: u8, random: u8, secret: &[u8]) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let mut request = RequestBuilder::new(&mut buffer, Code::StatusServer, identifier);
    request.authenticator(&[random; 16]).message_authenticator();
    request.seal(secret).unwrap().to_vec()
}

/// A client's socket.
pub struct Nas(pub UdpSocket);

impl Nas {
    pub fn new(address: &str) -> Nas {
        let socket = UdpSocket::bind(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Nas(socket)
    }

    pub fn send(&self, to: SocketAddr, octets: &[u8]) {
        self.0.send_to(octets, to).unwrap();
    }

    /// The next answer and who sent it.
    pub fn receive(&self) -> (Vec<u8>, SocketAddr) {
        let mut buffer = [0; 5000];
        let (length, from) = self.0.recv_from(&mut buffer).expect("no answer came");
        (buffer[..length].to_vec(), from)
    }

    /// Sends, waits for the answer and checks that it belongs to the request.
    pub fn ask(&self, to: SocketAddr, octets: &[u8]) -> Vec<u8> {
        self.send(to, octets);
        let (answer, from) = self.receive();
        assert_eq!(from, to, "answered from elsewhere");
        assert_genuine(&answer, octets, SECRET);
        answer
    }

    /// To be called when all verdicts are in: nothing was sent to this socket.
    pub fn heard_nothing(&self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let heard = self.0.recv_from(&mut [0; 64]).is_ok();
        self.0.set_nonblocking(false).unwrap();
        !heard
    }
}

pub fn assert_genuine(answer: &[u8], request: &[u8], secret: &[u8]) {
    assert_eq!((answer[0], answer[1]), (5, request[1]), "code and identifier");
    let authenticator = request[4..20].try_into().unwrap();
    assert!(
        radius::authenticator::verify_response(answer, authenticator, secret),
        "wrong Response Authenticator"
    );
}

pub fn count(snapshot: &WorkerSnapshot, verdicts: &[(Verdict, u64)]) {
    for verdict in Verdict::ALL {
        let expected = verdicts.iter().find(|(v, _)| *v == verdict).map_or(0, |&(_, n)| n);
        assert_eq!(snapshot.verdict(verdict), expected, "{} in {snapshot:?}", verdict.name());
    }
}

/// Takes the notices that are there.
pub fn notices(sensor: &Sensor) -> Vec<ingest::notice::Notice> {
    std::iter::from_fn(|| sensor.ingest.notices().next()).collect()
}

pub fn name(record: &Record) -> Arc<str> {
    record.client.clone()
}
