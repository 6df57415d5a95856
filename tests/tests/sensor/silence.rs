//! Datagrams that deserve silence: each gets its verdict, none an answer or a record, and the next genuine request is
//! answered as if nothing had happened.

use std::time::Duration;

use end_to_end::config::{ClientEntry, Path, SECRET};
use end_to_end::requests::{Status, kind, of_length, start, status_server, with};
use end_to_end::sensor::Home;
use end_to_end::wire::{NAS_V4, SENSOR_V4};
use end_to_end::{Nas, Sensor, Wire, journal, on_each_path};
use radius::MAX_LENGTH;
use radius::build::{RequestBuilder, reseal};

on_each_path!(
    a_wrong_secret_gets_silence_and_a_log_line_without_the_secret,
    an_unknown_client_gets_silence_and_is_named_in_the_log,
    malformed_datagrams_get_silence,
    unsupported_codes_get_silence,
    a_flipped_bit_anywhere_gets_silence,
    a_wrong_message_authenticator_gets_silence,
    a_client_that_must_sign_and_does_not_gets_silence,
    status_server_is_answered_and_never_recorded,
);

/// Sends datagrams that deserve `verdict`, one after the other, each followed by a genuine request, whose answer must
/// be the first thing that comes back.
#[track_caller]
fn assert_silence(sensor: &Sensor<'_>, nas: &Nas, verdict: &str, datagrams: &[(&str, Vec<u8>)]) {
    for (index, (what, datagram)) in datagrams.iter().enumerate() {
        let before = sensor.metrics().verdict(verdict);
        nas.send(datagram);
        sensor.wait_metrics(&format!("{what}: {verdict}"), |metrics| metrics.verdict(verdict) == before + 1);
        let identifier = 200 + index as u8;
        nas.ask_once(&start(identifier, &format!("genuine-{index}"), nas.secret()));
    }
    let metrics = sensor.answered(datagrams.len() as u64); // only genuine requests
    assert_eq!(metrics.verdict("accepted"), datagrams.len() as u64);
    assert_eq!(metrics.verdict(verdict), datagrams.len() as u64);
    assert_eq!(metrics.records(), datagrams.len() as u64, "only genuine requests are recorded");
}

fn a_wrong_secret_gets_silence_and_a_log_line_without_the_secret(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

    let forged = start(1, "forged", "not the secret of this client");
    assert_silence(&sensor, &nas, "bad_authenticator", &[("wrong secret", forged)]);
    journal::assert_sessions(&home, &wire.sensor, &["genuine-0"]);
    sensor.wait_log("nas");
    assert!(!home.log().contains(SECRET), "the secret is in the log");
    assert!(!sensor.get("/metrics").unwrap().1.contains(SECRET), "the secret is in the metrics");
}

fn an_unknown_client_gets_silence_and_is_named_in_the_log(path: Path) {
    let wire = Wire::new();
    let known = ClientEntry::new("nas", &["192.0.2.10"], SECRET);
    let home = Home::new(&path.config().clients(&[known]));
    let sensor = home.start(&wire.sensor);
    let stranger = "192.0.2.77".parse().unwrap();
    wire.add_nas_address(stranger);
    let unknown = Nas::new(&wire.nas, stranger, SENSOR_V4, SECRET);
    let known = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

    for index in 0..20 {
        unknown.send(&start(index, "unknown", SECRET));
    }
    known.ask_once(&start(1, "known", SECRET));
    sensor.wait_metrics("20 unknown", |metrics| metrics.verdict("unknown_client") == 20);
    unknown.assert_silence();
    sensor.wait_log("192.0.2.77");
    let metrics = sensor.settled();
    assert_eq!(metrics.verdict("accepted"), 1);
    assert_eq!(metrics.received(), 21);
    journal::assert_sessions(&home, &wire.sensor, &["known"]);
    let lines = home.log().lines().filter(|line| line.contains("192.0.2.77")).count();
    assert!(lines <= 5, "{lines} log lines for 20 datagrams of one stranger");
}

fn malformed_datagrams_get_silence(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

    let good = start(1, "malformed", SECRET);
    let with_length = |length: usize| {
        let mut octets = good.clone();
        octets[2..4].copy_from_slice(&(length as u16).to_be_bytes());
        reseal(&mut octets, SECRET.as_bytes());
        octets
    };
    // Sealed after the damage: nothing but the shape is wrong.
    let with_tail = |tail: &[u8]| {
        with(Status::Start, 1, "malformed", SECRET, |builder| {
            builder.raw(tail);
        })
    };
    let datagrams = [
        ("empty", Vec::new()),
        ("one octet", good[..1].to_vec()),
        ("shorter than a header", good[..19].to_vec()),
        ("truncated", good[..good.len() - 1].to_vec()),
        ("Length one too many (R4)", with_length(good.len() + 1)),
        ("Length 65535", with_length(0xffff)),
        ("Length 0", with_length(0)),
        ("Length 19 (R3)", with_length(19)),
        ("Length inside an attribute (R11)", with_length(good.len() - 1)),
        ("a left-over octet (R11)", with_tail(&[kind::USER_NAME])),
        ("attribute length 0 (R11)", with_tail(&[kind::USER_NAME, 0])),
        ("attribute length 1 (R11)", with_tail(&[kind::USER_NAME, 1])),
        ("attribute past the end (R11)", with_tail(&[kind::USER_NAME, 3])),
        ("attribute far past the end (R11)", with_tail(&[kind::USER_NAME, 255, 0])),
        ("attribute type 0 (R12)", with_tail(&[0, 3, 0])),
    ];
    assert_silence(&sensor, &nas, "malformed", &datagrams);
    assert!(!journal::sessions(&home, &wire.sensor).contains_key("malformed"));
}

fn unsupported_codes_get_silence(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

    let of_code = |code: u8| {
        let mut buffer = [0; MAX_LENGTH];
        let mut builder = RequestBuilder::new(&mut buffer, code, 1);
        builder.text(kind::USER_NAME, "alice");
        builder.seal(SECRET.as_bytes()).unwrap().to_vec()
    };
    let datagrams = [0, 1, 2, 5, 11, 40, 43, 255].map(|code| ("an unsupported code (R2)", of_code(code)));
    assert_silence(&sensor, &nas, "unsupported_code", &datagrams);
}

fn a_flipped_bit_anywhere_gets_silence(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

    let good = start(1, "flipped", SECRET);
    // Identifier, Authenticator, and values (an attribute's type or length may make it malformed instead).
    let offsets = [1, 4, 19, 25, good.len() - 1];
    let datagrams = offsets.map(|offset| {
        let mut octets = good.clone();
        octets[offset] ^= 0x10;
        ("a flipped bit (R23)", octets)
    });
    assert_silence(&sensor, &nas, "bad_authenticator", &datagrams);
}

fn a_wrong_message_authenticator_gets_silence(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

    let signed = with(Status::Start, 1, "signed", SECRET, |builder| {
        builder.message_authenticator();
    });
    // The Request Authenticator is right, the Message-Authenticator is not.
    let wrong = with(Status::Start, 1, "wrong", SECRET, |builder| {
        builder.attribute(80, &[7; 16]);
    });
    assert_silence(&sensor, &nas, "bad_message_authenticator", &[("R54", wrong)]);
    nas.ask_once(&signed);
    assert_eq!(sensor.settled().verdict("accepted"), 2);
}

fn a_client_that_must_sign_and_does_not_gets_silence(path: Path) {
    let wire = Wire::new();
    let strict =
        ClientEntry::new("strict", &["192.0.2.0/24"], SECRET).line("require_message_authenticator = true");
    let home = Home::new(&path.config().clients(&[strict]));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

    nas.send(&start(1, "unsigned", SECRET));
    sensor.wait_metrics("refused", |metrics| metrics.verdict("bad_message_authenticator") == 1);
    nas.ask_once(&with(Status::Start, 2, "signed", SECRET, |builder| {
        builder.message_authenticator();
    }));
    sensor.settled();
    journal::assert_sessions(&home, &wire.sensor, &["signed"]);
}

fn status_server_is_answered_and_never_recorded(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

    let probe = status_server(3, SECRET);
    assert_eq!(nas.ask_once(&probe).len(), 20, "an answer without attributes (R59)");
    let mut unsigned = probe;
    unsigned.truncate(20);
    unsigned[2..4].copy_from_slice(&20_u16.to_be_bytes());
    nas.send(&unsigned);
    nas.send(&status_server(4, "not the secret of this client"));
    nas.ask_once(&start(5, "after", SECRET));
    let metrics = sensor.answered(2);
    assert_eq!(metrics.verdict("status_server"), 1);
    journal::assert_sessions(&home, &wire.sensor, &["after"]);
}

mod lengths {
    //! Whole requests whose length is unusual: they are answered.

    use super::*;

    on_each_path!(
        padding_is_ignored_and_not_recorded,
        the_longest_requests_are_accepted_and_longer_ones_are_not,
    );

    fn padding_is_ignored_and_not_recorded(path: Path) {
        let wire = Wire::new();
        let home = Home::new(&path.config());
        let sensor = home.start(&wire.sensor);
        let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

        let request = start(1, "padded", SECRET);
        let mut padded = request.clone();
        padded.extend_from_slice(&[0xee; 100]);
        nas.send(&padded);
        let answer = nas.answer(Duration::from_secs(60)).expect("an answer");
        assert!(nas.is_answer(&request, &answer));
        // Without the padding it is the same request.
        assert_eq!(nas.ask_once(&request), answer, "R5");
        let metrics = sensor.settled();
        assert_eq!((metrics.verdict("accepted"), metrics.verdict("duplicate")), (1, 1));
        let lines = journal::dump(&home, &wire.sensor);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].attributes().count(), 4);
        journal::verify(&home, &wire.sensor);
    }

    fn the_longest_requests_are_accepted_and_longer_ones_are_not(path: Path) {
        let wire = Wire::new();
        let home = Home::new(&path.config());
        let sensor = home.start(&wire.sensor);
        let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);

        // Longer than the wire's packets: these arrive as IP fragments, whatever the path.
        nas.ask(&of_length(4095, 1, "4095", SECRET));
        nas.ask(&of_length(4096, 2, "4096", SECRET));
        let mut oversized = of_length(4096, 3, "4097", SECRET);
        oversized.extend_from_slice(&[223, 3, 0]);
        oversized[2..4].copy_from_slice(&4099_u16.to_be_bytes());
        reseal(&mut oversized, SECRET.as_bytes());
        nas.send(&oversized);
        sensor.wait_metrics("too long (R6)", |metrics| metrics.verdict("malformed") == 1);
        nas.ask_once(&start(4, "after", SECRET));
        sensor.settled();
        journal::assert_sessions(&home, &wire.sensor, &["4095", "4096", "after"]);
    }
}
