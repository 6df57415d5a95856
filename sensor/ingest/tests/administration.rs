//! What an administrator does to running workers: accounting off and on, and looking at what was refused.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test, and what its parts share")]

mod support;

use std::{net::UdpSocket, time::Duration};

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
    drop(thief);
    wait_until("the worker is open", || sensor.ingest.closed_workers() == 0);
    Nas::new("127.0.0.5:0").ask(sensor.address(), &request(1, "open"));
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
