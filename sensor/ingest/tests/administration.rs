//! What an administrator does to running workers: accounting off and on, and looking at what was refused.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test, and what its parts share")]

mod support;

use std::{net::UdpSocket, os::fd::BorrowedFd, time::Duration};

use ingest::{
    capture::{
        Datagram, FrameError, Source, SourceError,
        udp::{UdpRoute, UdpSource},
    },
    verdict::Verdict,
};
use journal::CapturePath;
use support::*;

#[test]
fn off_closes_the_ports_behind_the_last_answer_and_on_opens_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let sensor = Sensor::over(
        journal::RealStorage::create(folder.path()).unwrap(),
        everyone(),
        ingest::IngestOptions::default(),
        2,
    );
    let nas = Nas::new("127.0.0.5:0");
    for round in 0..3_u8 {
        nas.ask(sensor.address(), &request(round, &format!("on {round}")));
        sensor.ingest.set_open(false);
        wait_until("both workers are closed", || sensor.ingest.closed_workers() == 2);
        // Nobody else could have the port if a socket of ours were left.
        drop(UdpSocket::bind(sensor.address()).expect("the port is free"));
        assert!(!sensor.ingest.is_open());
        sensor.ingest.set_open(true);
        wait_until("both workers are open", || sensor.ingest.closed_workers() == 0);
    }
    nas.ask(sensor.address(), &request(7, "on again"));
    drop(sensor);
    assert_eq!(records(folder.path()).len(), 4, "what was answered is recorded");
}

#[test]
fn a_port_that_somebody_took_meanwhile_is_tried_again_until_it_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let sensor = Sensor::start(folder.path(), everyone());
    sensor.ingest.set_open(false);
    wait_until("the worker is closed", || sensor.ingest.closed_workers() == 1);
    let thief = UdpSocket::bind(sensor.address()).unwrap();
    sensor.ingest.set_open(true);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(sensor.ingest.closed_workers(), 1);
    assert!(!sensor.ingest.any_ended(), "a port that is taken ends no worker");
    let because = sensor.ingest.closed_because().unwrap();
    assert!(because.contains(": bind: ") && because.contains("in use"), "{because}");
    drop(thief);
    wait_until("the worker is open", || sensor.ingest.closed_workers() == 0);
    assert_eq!(sensor.ingest.closed_because(), None);
    Nas::new("127.0.0.5:0").ask(sensor.address(), &request(1, "open"));
}

/// A socket whose way out is stuck.
struct Stuck(UdpSource);

impl Source for Stuck {
    type Route = UdpRoute;
    const PATH: CapturePath = UdpSource::PATH;

    fn receive(&mut self) -> Result<usize, SourceError> {
        self.0.receive()
    }
    fn datagram(&self, index: usize) -> Result<Datagram<'_>, FrameError> {
        self.0.datagram(index)
    }
    fn route(&self, index: usize) -> UdpRoute {
        self.0.route(index)
    }
    fn set_open(&mut self, open: bool) -> Result<(), SourceError> {
        self.0.set_open(open)
    }
    fn release(&mut self) {
        self.0.release();
    }
    fn send(&mut self, _: &UdpRoute, _: &[u8]) -> bool {
        false
    }
    fn flush(&mut self) -> Result<(), SourceError> {
        self.0.flush()
    }
    fn wait(&mut self, wake: BorrowedFd<'_>, timeout_ms: i32) -> Result<(), SourceError> {
        self.0.wait(wake, timeout_ms)
    }
}

#[test]
fn answers_that_a_closed_port_keeps_back_are_lost_and_their_requests_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let storage = journal::RealStorage::create(folder.path()).unwrap();
    let mut opened = journal::open(storage, journal_options()).unwrap();
    let options = ingest::IngestOptions::default();
    let mut ingest = ingest::Ingest::new(everyone(), opened.handle.clone(), &options);
    let source = UdpSource::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let address = source.addresses().next().unwrap();
    ingest.spawn_worker("udp", None, Stuck(source), &mut opened.writer).unwrap();
    let writer = std::thread::spawn(move || opened.writer.run());
    let nas = Nas::new("127.0.0.5:0");
    for number in 0..3 {
        nas.send(address, &request(number, &format!("{number}")));
    }
    wait_until("all are recorded", || ingest.snapshot()[0].verdict(Verdict::Accepted) == 3);
    ingest.set_open(false);
    wait_until("the worker is closed", || ingest.closed_workers() == 1);
    let closed = &ingest.snapshot()[0];
    assert_eq!((closed.responses, closed.responses_dropped), (0, 3));
    // Nothing of before is in the way.
    ingest.set_open(true);
    wait_until("the worker is open", || ingest.closed_workers() == 0);
    nas.send(address, &request(7, "7"));
    wait_until("it goes on", || ingest.snapshot()[0].verdict(Verdict::Accepted) == 4);
    ingest.stop().into_iter().for_each(|ended| ended.result.unwrap());
    opened.handle.stop();
    writer.join().unwrap();
}

#[test]
fn requests_that_are_refused_for_their_sender_or_secret_are_kept_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let sensor = Sensor::start(folder.path(), clients(vec![client("known", &["127.0.0.2/32"])]));
    let (known, stranger) = (Nas::new("127.0.0.2:0"), Nas::new("127.0.0.3:0"));
    let mut forged = request(1, "forged");
    forged[10] ^= 1;
    known.send(sensor.address(), &forged);
    known.ask(sensor.address(), &request(2, "genuine"));
    let unknown = request(3, "unknown");
    stranger.send(sensor.address(), &unknown);
    stranger.send(sensor.address(), &unknown[..15]);
    stranger.send(sensor.address(), &status_server(4, 7, SECRET));
    sensor.settled(5);
    let mut kept = Vec::new();
    let specimens = sensor.ingest.specimens();
    specimens.look(|source, octets| kept.push((source.ip().to_string(), octets.to_vec())));
    assert_eq!(kept, [("127.0.0.2".to_owned(), forged.clone()), ("127.0.0.3".to_owned(), unknown.clone())]);
    let holders = sensor.ingest.clients().current();
    let holder = holders.get(holders.lookup("127.0.0.2".parse().unwrap()).unwrap());
    assert!(holder.proves(&unknown) && !holder.proves(&forged));
    assert_eq!(sensor.total().specimens_lost, 0);
    // Nobody looks: there is no buffer for all of these.
    for number in 0..100 {
        stranger.send(sensor.address(), &request(number, "unknown"));
    }
    let total = sensor.settled(105);
    let mut count = 0;
    sensor.ingest.specimens().look(|_, _| count += 1);
    assert_eq!(total.specimens_lost + count, 100);
    assert!(total.specimens_lost > 0);
}
