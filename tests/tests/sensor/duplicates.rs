//! Retransmissions are answered and never recorded again; what only looks like one is recorded.

use end_to_end::config::{Path, SECRET};
use end_to_end::requests::{Status, kind, start, with};
use end_to_end::sensor::Home;
use end_to_end::strace::Strace;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Nas, PATIENCE, Wire, journal, on_each_path};

on_each_path!(
    a_duplicate_while_pending_is_answered_once,
    a_duplicate_after_commit_gets_the_same_octets,
    a_duplicate_after_a_restart_is_answered_and_not_recorded_again,
    an_identifier_used_again_with_another_authenticator_is_a_new_request,
    forgeries_between_request_and_retransmission_change_nothing,
    two_ports_with_the_same_identifier_are_two_requests,
    proxy_state_comes_back_unchanged_and_in_order,
);

fn a_duplicate_while_pending_is_answered_once(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

    let request = start(1, "pending", SECRET);
    let slow = Strace::slow_sync(&sensor, 3000);
    nas.send(&request);
    // One at a time, so that the first is surely the one that is under way.
    sensor.wait_metrics("it has arrived", |metrics| metrics.received() == 1);
    for count in 1..=5 {
        nas.send(&request);
        sensor.wait_metrics("a duplicate", |metrics| metrics.received() == 1 + count);
    }
    let answer = nas.answer(PATIENCE).expect("an answer");
    assert!(nas.is_answer(&request, &answer));
    slow.detach();
    // Those that came while it was pending get no answer of their own (R44).
    let metrics = sensor.answered(1);
    assert_eq!(metrics.verdict("accepted"), 1);
    assert_eq!(metrics.verdict("duplicate"), 5);
    nas.assert_silence();
    journal::assert_sessions(&home, &wire.sensor, &["pending"]);
}

fn a_duplicate_after_commit_gets_the_same_octets(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

    let request = with(Status::Start, 1, "committed", SECRET, |builder| {
        builder.attribute(kind::PROXY_STATE, b"proxy");
    });
    let answer = nas.ask_once(&request);
    for _ in 0..5 {
        assert_eq!(nas.ask_once(&request), answer);
    }
    let metrics = sensor.answered(6);
    assert_eq!((metrics.verdict("accepted"), metrics.verdict("duplicate")), (1, 5));
    assert_eq!(metrics.records(), 1);
    journal::assert_sessions(&home, &wire.sensor, &["committed"]);
}

fn a_duplicate_after_a_restart_is_answered_and_not_recorded_again(path: Path) {
    let wire = Wire::new();
    // The window is the longest there is: starting anew may take long on a busy machine.
    let home = Home::new(&path.config().lines("[dedup]\nwindow = \"300s\""));
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let request = start(1, "before", SECRET);

    let sensor = home.start(&wire.sensor);
    let answer = nas.ask_once(&request);
    sensor.kill();
    let sensor = home.start(&wire.sensor);
    assert_eq!(nas.ask(&request), answer, "after kill -9");
    assert_eq!(sensor.settled().verdict("accepted"), 0);
    assert!(sensor.stop().success());
    let sensor = home.start(&wire.sensor);
    assert_eq!(nas.ask(&request), answer, "after an orderly stop");
    nas.ask_once(&start(2, "after", SECRET));
    assert_eq!(sensor.settled().verdict("accepted"), 1);
    journal::assert_sessions(&home, &wire.sensor, &["before", "after"]);
}

fn an_identifier_used_again_with_another_authenticator_is_a_new_request(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

    nas.ask_once(&start(9, "first", SECRET));
    nas.ask_once(&start(9, "second", SECRET));
    // Another delay is another request too; joining the two is for whoever reads the journal (R48).
    nas.ask_once(&with(Status::Start, 9, "third", SECRET, |builder| {
        builder.integer(41, 2);
    }));
    assert_eq!(sensor.settled().verdict("accepted"), 3);
    journal::assert_sessions(&home, &wire.sensor, &["first", "second", "third"]);
}

fn forgeries_between_request_and_retransmission_change_nothing(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

    let request = start(9, "genuine", SECRET);
    let answer = nas.ask_once(&request);
    for number in 0..50 {
        nas.send(&start(9, &format!("forged-{number}"), "not the secret of this client"));
    }
    sensor.wait_metrics("50 forged", |metrics| metrics.verdict("bad_authenticator") == 50);
    assert_eq!(nas.ask_once(&request), answer, "R46");
    let metrics = sensor.settled();
    assert_eq!((metrics.verdict("accepted"), metrics.verdict("duplicate")), (1, 1));
    journal::assert_sessions(&home, &wire.sensor, &["genuine"]);
}

fn two_ports_with_the_same_identifier_are_two_requests(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let request = start(9, "twice", SECRET);
    for _ in 0..2 {
        Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET).ask_once(&request);
    }
    assert_eq!(sensor.settled().verdict("accepted"), 2, "T8");
    assert_eq!(journal::sessions(&home, &wire.sensor)["twice"], 2);
}

fn proxy_state_comes_back_unchanged_and_in_order(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

    let request = with(Status::Stop, 1, "proxied", SECRET, |builder| {
        builder.attribute(kind::PROXY_STATE, b"outer").integer(46, 3600);
        builder.attribute(kind::PROXY_STATE, &[0; 253]).attribute(kind::PROXY_STATE, b"outer");
    });
    let answer = nas.ask_once(&request);
    let mut expected = vec![kind::PROXY_STATE, 7];
    expected.extend_from_slice(b"outer");
    expected.extend_from_slice(&[kind::PROXY_STATE, 255]);
    expected.extend_from_slice(&[0; 253]);
    expected.extend_from_slice(&[kind::PROXY_STATE, 7]);
    expected.extend_from_slice(b"outer");
    assert_eq!(answer[20..], expected, "R31");
    sensor.settled();
}
