//! The conformance rules that a worker keeps, each by its number, over real sockets and a real journal.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test, and what its parts share")]

mod support;

use std::time::{Duration, Instant};

use ingest::{clients::Secret, latency::Stage, notice::Reason, verdict::Verdict};
use support::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn r8_answered_from_the_address_and_port_that_were_asked() {
    let folder = folder();
    let sensor = Sensor::start(folder.path(), everyone());
    let port = sensor.addresses[0].port();
    for asked in ["127.0.0.1", "127.0.0.77"] {
        // `ask` checks the sender of the answer.
        Nas::new("127.0.0.5:0")
            .ask((asked.parse::<std::net::Ipv4Addr>().unwrap(), port).into(), &request(1, asked));
    }
    Nas::new("[::1]:0").ask(sensor.addresses[1], &request(1, "v6"));
    count(&sensor.stop(), &[(Verdict::Accepted, 3)]);
    let records = records(folder.path());
    assert_eq!(records[1].destination.to_string(), format!("127.0.0.77:{port}"));
    assert_eq!(records[2].destination.ip().to_string(), "::1");
}

#[test]
fn r25_an_unknown_client_gets_silence_and_a_notice() {
    let folder = folder();
    let sensor = Sensor::start(folder.path(), clients(vec![client("known", &["127.0.0.2/32"])]));
    let stranger = Nas::new("127.0.0.3:0");
    stranger.send(sensor.address(), &request(1, "a"));
    // The secret is chosen by the source address, never by what the request says of itself.
    stranger.send(
        sensor.address(),
        &build(2, SECRET, |r| {
            r.integer(40, 1).ipv4(4, "127.0.0.2".parse().unwrap());
        }),
    );
    count(&sensor.settled(2), &[(Verdict::UnknownClient, 2)]);
    assert!(stranger.heard_nothing());
    let notices = notices(&sensor);
    assert_eq!(notices.len(), 2);
    assert_eq!(notices[0].reason, Reason::UnknownClient);
    assert_eq!(notices[0].source, stranger.0.local_addr().unwrap());
    assert!(notices[0].client.is_none());
    drop(sensor);
    assert!(records(folder.path()).is_empty());
}

/// Each datagram breaks several rules; the verdict is that of the first check in the order of R26.
#[test]
fn r26_checks_come_in_their_order() {
    let folder = folder();
    let sensor = Sensor::start(folder.path(), clients(vec![client("known", &["127.0.0.2/32"])]));
    let (known, stranger) = (Nas::new("127.0.0.2:0"), Nas::new("127.0.0.3:0"));
    let mut lying = request(1, "a");
    lying[2] = 0xff;
    stranger.send(sensor.address(), &lying);
    let mut code_and_attributes = request(1, "a");
    code_and_attributes[0] = 1;
    code_and_attributes[21] = 0;
    stranger.send(sensor.address(), &code_and_attributes);
    known.send(sensor.address(), &code_and_attributes);
    let mut attributes_and_authenticator = request(1, "a");
    attributes_and_authenticator[21] = 0;
    known.send(sensor.address(), &attributes_and_authenticator);
    let mut authenticator = request(1, "a");
    authenticator[4] ^= 1;
    known.send(sensor.address(), &authenticator);
    let snapshot = sensor.settled(5);
    count(
        &snapshot,
        &[
            (Verdict::Malformed, 2),
            (Verdict::UnknownClient, 1),
            (Verdict::UnsupportedCode, 1),
            (Verdict::BadAuthenticator, 1),
        ],
    );
    assert_eq!(snapshot.responses, 0);
    assert_eq!(sensor.ingest.duplicates().occupied(0), 0, "nothing that failed a check is remembered");
    let reasons: Vec<Verdict> = notices(&sensor).iter().map(|notice| notice.reason.verdict()).collect();
    assert_eq!(reasons.len(), 5);
    // One sender and one socket keep their order: lying, code, attributes, authenticator of the known client.
    assert_eq!(reasons.last(), Some(&Verdict::BadAuthenticator));
}

#[test]
fn r28_two_secrets_in_rotation_and_the_answer_is_signed_with_the_one_that_verified() {
    let folder = folder();
    let old = b"the secret of last year.";
    let rotating = || {
        let mut rotating = client("rotating", &["127.0.0.0/8"]);
        rotating.secrets[1] = Some(Secret::new(old.to_vec()).unwrap());
        rotating
    };
    let sensor = Sensor::start(folder.path(), clients(vec![rotating()]));
    let nas = Nas::new("127.0.0.1:0");
    for (identifier, secret) in [(1, SECRET), (2, old.as_slice()), (3, SECRET)] {
        let octets = build(identifier, secret, |r| {
            r.integer(40, 1);
        });
        nas.send(sensor.address(), &octets);
        assert_genuine(&nas.receive().0, &octets, secret);
    }
    let now = sensor.ingest.clients().current();
    let state = now.state(now.lookup("127.0.0.1".parse().unwrap()).unwrap());
    assert!(state.previous_secret_unix_s().is_some());
    // After the rotation the old one is worth nothing any more; the reload takes effect without a restart.
    sensor.ingest.clients().replace(clients(vec![client("rotating", &["127.0.0.0/8"])]));
    nas.send(
        sensor.address(),
        &build(4, old, |r| {
            r.integer(40, 1);
        }),
    );
    count(&sensor.settled(4), &[(Verdict::Accepted, 3), (Verdict::BadAuthenticator, 1)]);
    assert!(nas.heard_nothing());
    assert_eq!(state.bad_authenticators(), 1, "what is known of a client outlives the reload");
}

#[test]
fn r29_answered_means_recorded() {
    let folder = folder();
    let sensor = Sensor::start(folder.path(), everyone());
    let nas = Nas::new("127.0.0.1:0");
    for n in 0..50u8 {
        let octets = request(n, &format!("session {n}"));
        nas.ask(sensor.address(), &octets);
        let recorded = journal::Reader::beside(folder.path(), &sensor.handle).unwrap();
        let last = recorded.records_from(u64::from(n) + 1).next().expect("answered and not there").unwrap();
        assert_eq!(last.octets, octets);
        assert_eq!(&*last.client, "everyone");
        assert_eq!(last.source, nas.0.local_addr().unwrap());
    }
    count(&sensor.settled(50), &[(Verdict::Accepted, 50)]);
    // A worker counts its answers after they left: whoever has the last one may be ahead of the number.
    assert_eq!(sensor.stop().responses, 50);
}

#[test]
fn r31_answers_with_long_proxy_state_are_whole_and_seal_early() {
    let folder = folder();
    let sensor = Sensor::start(folder.path(), everyone());
    let nas = Nas::new("127.0.0.1:0");
    let octets = |n: u8| {
        build(n, SECRET, |r| {
            r.integer(40, 1);
            for state in 0..15 {
                r.attribute(33, &[state; 253]);
            }
        })
    };
    let mut seen = [false; 40];
    // Ten at a time: more than a flight holds, and less than the asking socket's buffer.
    for round in 0..4 {
        for n in 0..10 {
            nas.send(sensor.address(), &octets(10 * round + n));
        }
        for _ in 0..10 {
            let (answer, _) = nas.receive();
            assert_eq!(answer.len(), 20 + 15 * 255);
            assert_genuine(&answer, &octets(answer[1]), SECRET);
            assert!(!std::mem::replace(&mut seen[usize::from(answer[1])], true));
        }
    }
    count(&sensor.settled(40), &[(Verdict::Accepted, 40)]);
}

#[test]
fn r38_passwords_are_blanked_before_they_are_recorded() {
    let folder = folder();
    let sensor = Sensor::start(folder.path(), everyone());
    let octets = build(1, SECRET, |r| {
        r.integer(40, 1).text(2, "hunter2 hunter2").attribute(3, b"seventeen octets!");
    });
    Nas::new("127.0.0.1:0").ask(sensor.address(), &octets);
    assert_eq!(sensor.stop().passwords_blanked, 2);
    let recorded = &records(folder.path())[0].octets;
    assert_eq!(recorded.len(), octets.len());
    assert!(!recorded.windows(7).any(|window| window == b"hunter2" || window == b"seventee"));
}

#[test]
fn r44_r51_a_retransmission_gets_the_same_octets_and_one_record() {
    let folder = folder();
    let sensor = Sensor::start(folder.path(), everyone());
    let nas = Nas::new("127.0.0.1:0");
    let octets = build(9, SECRET, |r| {
        r.integer(40, 1).attribute(33, b"proxy");
    });
    let first = nas.ask(sensor.address(), &octets);
    for _ in 0..3 {
        assert_eq!(nas.ask(sensor.address(), &octets), first);
    }
    // Another port, another address: another request each.
    let elsewhere = Nas::new("127.0.0.1:0");
    elsewhere.ask(sensor.address(), &octets);
    Nas::new("127.0.0.2:0").ask(sensor.address(), &octets);
    count(&sensor.settled(6), &[(Verdict::Accepted, 3), (Verdict::Duplicate, 3)]);
    drop(sensor);
    assert_eq!(records(folder.path()).len(), 3);
}

#[test]
fn r44_a_retransmission_after_a_restart_is_still_known() {
    let folder = folder();
    let sensor = Sensor::start(folder.path(), everyone());
    let nas = Nas::new("127.0.0.1:0");
    let octets = request(1, "a");
    let first = nas.ask(sensor.address(), &octets);
    let address = sensor.address();
    drop(sensor);

    let opened =
        journal::open(journal::RealStorage::create(folder.path()).unwrap(), journal_options()).unwrap();
    let mut writer = opened.writer;
    let mut ingest =
        ingest::Ingest::new(everyone(), opened.handle.clone(), &ingest::IngestOptions::default());
    let reader = journal::Reader::beside(folder.path(), &opened.handle).unwrap();
    assert_eq!(ingest.remember(&reader).unwrap(), 1);
    // The very same address and port as before.
    let source = ingest::capture::udp::UdpSource::bind(&[address]).unwrap();
    ingest.spawn_worker("udp", None, source, &mut writer).unwrap();
    let writer = std::thread::spawn(move || writer.run());
    assert_eq!(nas.ask(address, &octets), first);
    nas.ask(address, &request(2, "b"));
    ingest.stop();
    count(&ingest.snapshot()[0], &[(Verdict::Accepted, 1), (Verdict::Duplicate, 1)]);
    opened.handle.stop();
    writer.join().unwrap();
    assert_eq!(records(folder.path()).len(), 2);
}

#[test]
fn r45_the_same_identifier_with_another_authenticator_is_a_new_request() {
    let folder = folder();
    let sensor = Sensor::start(folder.path(), everyone());
    let nas = Nas::new("127.0.0.1:0");
    let (one, other) = (request(1, "one"), request(1, "other"));
    nas.ask(sensor.address(), &one);
    nas.ask(sensor.address(), &other);
    // The old one is still the old one.
    nas.ask(sensor.address(), &one);
    count(&sensor.settled(3), &[(Verdict::Accepted, 2), (Verdict::Duplicate, 1)]);
}

/// T7: what a forger sends between a request and its retransmission changes nothing.
#[test]
fn r46_what_does_not_verify_does_not_touch_the_duplicate_table() {
    let folder = folder();
    let sensor = Sensor::start(folder.path(), everyone());
    let nas = Nas::new("127.0.0.1:0");
    let octets = request(1, "a");
    let first = nas.ask(sensor.address(), &octets);
    let occupied = || sensor.ingest.duplicates().occupied(u64::MAX >> 1);
    let before = occupied();
    for flip in 4..20 {
        let mut forged = octets.clone();
        forged[flip] ^= 0x40;
        nas.send(sensor.address(), &forged);
    }
    // The same authenticator over other attributes: the key of the genuine one, and still not genuine.
    let mut forged = octets.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    nas.send(sensor.address(), &forged);
    sensor.settled(18);
    assert_eq!(occupied(), before);
    assert!(nas.heard_nothing(), "a forgery under a known key is not answered from the table");
    assert_eq!(nas.ask(sensor.address(), &octets), first);
    count(
        &sensor.settled(19),
        &[(Verdict::Accepted, 1), (Verdict::BadAuthenticator, 17), (Verdict::Duplicate, 1)],
    );
}

#[test]
fn r47_the_authenticator_stands_for_the_content_also_with_other_padding() {
    let folder = folder();
    let sensor = Sensor::start(folder.path(), everyone());
    let nas = Nas::new("127.0.0.1:0");
    let mut octets = request(1, "a");
    let first = nas.ask(sensor.address(), &octets);
    octets.extend_from_slice(b"padding of any content");
    assert_eq!(nas.ask(sensor.address(), &octets), first);
    count(&sensor.settled(2), &[(Verdict::Accepted, 1), (Verdict::Duplicate, 1)]);
}

#[test]
fn r48_another_delay_time_is_another_request() {
    let folder = folder();
    let sensor = Sensor::start(folder.path(), everyone());
    let nas = Nas::new("127.0.0.1:0");
    for (identifier, delay) in [(1, 0), (2, 3)] {
        let octets = build(identifier, SECRET, |r| {
            r.integer(40, 1).text(44, "s").integer(41, delay);
        });
        nas.ask(sensor.address(), &octets);
    }
    count(&sensor.stop(), &[(Verdict::Accepted, 2)]);
    assert_eq!(records(folder.path()).len(), 2);
}

#[test]
fn r49_r75_identical_content_after_the_window_is_a_new_record() {
    let folder = folder();
    let options = ingest::IngestOptions {
        duplicate_window: Duration::from_millis(300),
        ..ingest::IngestOptions::default()
    };
    let storage = journal::RealStorage::create(folder.path()).unwrap();
    let sensor = Sensor::over(storage, everyone(), options, 1);
    let nas = Nas::new("127.0.0.1:0");
    nas.ask(sensor.address(), &request(1, "a"));
    std::thread::sleep(Duration::from_millis(500));
    nas.ask(sensor.address(), &request(1, "a"));
    count(&sensor.stop(), &[(Verdict::Accepted, 2)]);
    assert_eq!(records(folder.path()).len(), 2);
}

#[test]
fn r54_r55_message_authenticator_is_checked_where_present_and_required_where_configured() {
    let folder = folder();
    let mut strict = client("strict", &["127.0.0.2/32"]);
    strict.require_message_authenticator = true;
    let sensor = Sensor::start(folder.path(), clients(vec![client("lax", &["127.0.0.1/32"]), strict]));
    let signed = |id| {
        build(id, SECRET, |r| {
            r.integer(40, 1).message_authenticator();
        })
    };
    let (lax, strict) = (Nas::new("127.0.0.1:0"), Nas::new("127.0.0.2:0"));
    lax.ask(sensor.address(), &signed(1));
    lax.ask(sensor.address(), &request(2, "unsigned"));
    strict.ask(sensor.address(), &signed(1));
    strict.send(sensor.address(), &request(2, "unsigned"));
    // A wrong Message-Authenticator under a right Request Authenticator: one keyed with another secret.
    let mut wrong = build(3, SECRET, |r| {
        r.integer(40, 1).attribute(80, &[7; 16]);
    });
    let digest = radius::authenticator::request_authenticator(&wrong, SECRET);
    wrong[4..20].copy_from_slice(&digest);
    lax.send(sensor.address(), &wrong);
    count(&sensor.settled(5), &[(Verdict::Accepted, 3), (Verdict::BadMessageAuthenticator, 2)]);
    assert!(lax.heard_nothing() && strict.heard_nothing());
}

#[test]
fn r58_status_server_proves_itself_by_its_message_authenticator() {
    let folder = folder();
    let sensor = Sensor::start(folder.path(), everyone());
    let nas = Nas::new("127.0.0.1:0");
    // Without one: discarded as malformed.
    let mut buffer = [0; 64];
    let mut bare = radius::build::RequestBuilder::new(&mut buffer, radius::Code::StatusServer, 1);
    bare.authenticator(&[1; 16]);
    nas.send(sensor.address(), bare.seal(SECRET).unwrap());
    // Wrong one.
    nas.send(sensor.address(), &status_server(2, 1, b"another secret"));
    count(&sensor.settled(2), &[(Verdict::Malformed, 1), (Verdict::BadMessageAuthenticator, 1)]);
    assert!(nas.heard_nothing());
}

#[test]
fn r59_r62_status_server_is_answered_with_20_octets_and_leaves_no_trace() {
    let folder = folder();
    let sensor = Sensor::start(folder.path(), everyone());
    let nas = Nas::new("127.0.0.1:0");
    let octets = status_server(7, 9, SECRET);
    assert_eq!(nas.ask(sensor.address(), &octets).len(), 20);
    // The same again: probes are no duplicates of one another; and the identifier is free for accounting.
    nas.ask(sensor.address(), &octets);
    nas.ask(sensor.address(), &request(7, "a"));
    count(&sensor.stop(), &[(Verdict::StatusServer, 2), (Verdict::Accepted, 1)]);
    assert_eq!(records(folder.path()).len(), 1);
}

#[test]
fn r60_status_server_has_a_switch_and_a_rate_limit() {
    let folder = folder();
    let mut off = client("off", &["127.0.0.2/32"]);
    off.status_server = false;
    let sensor = Sensor::start(folder.path(), clients(vec![client("on", &["127.0.0.1/32"]), off]));
    let (on, off) = (Nas::new("127.0.0.1:0"), Nas::new("127.0.0.2:0"));
    off.send(sensor.address(), &status_server(1, 1, SECRET));
    let started = Instant::now();
    for n in 0..100 {
        on.send(sensor.address(), &status_server(n, 1, SECRET));
    }
    let snapshot = sensor.settled(101);
    assert_eq!(snapshot.verdict(Verdict::UnsupportedCode), 1);
    let answered = snapshot.verdict(Verdict::StatusServer);
    let allowed = 10 + 10 * (started.elapsed().as_secs() + 1);
    assert!((10..=allowed).contains(&answered), "{answered} of at most {allowed}");
    assert_eq!(snapshot.verdict(Verdict::RateLimited), 100 - answered);
    assert!(off.heard_nothing());
}

#[test]
fn max_rate_limits_genuine_requests_of_its_client_only() {
    let folder = folder();
    let mut limited = client("limited", &["127.0.0.2/32"]);
    limited.max_rate = Some(5);
    let sensor = Sensor::start(folder.path(), clients(vec![client("free", &["127.0.0.1/32"]), limited]));
    let (free, limited) = (Nas::new("127.0.0.1:0"), Nas::new("127.0.0.2:0"));
    // Forged requests in its name do not use its tokens.
    for n in 0..50 {
        limited.send(
            sensor.address(),
            &build(n, b"forged", |r| {
                r.integer(40, 1);
            }),
        );
    }
    let started = Instant::now();
    for n in 0..50 {
        limited.send(sensor.address(), &request(n, "limited"));
        free.ask(sensor.address(), &request(n, "free"));
    }
    let snapshot = sensor.settled(150);
    assert_eq!(snapshot.verdict(Verdict::BadAuthenticator), 50);
    let accepted = snapshot.verdict(Verdict::Accepted) - 50;
    let allowed = 5 + 5 * (started.elapsed().as_secs() + 1);
    assert!((5..=allowed).contains(&accepted), "{accepted} of at most {allowed}");
    assert_eq!(snapshot.verdict(Verdict::RateLimited), 50 - accepted);
}

/// A lone request is answered as fast as one in a flood: no timer and no poll interval in its way.
#[test]
fn a_lone_request_waits_for_no_timer() {
    let folder = folder();
    let mut sensor = Sensor::start(folder.path(), everyone());
    let nas = Nas::new("127.0.0.1:0");
    let mut times: Vec<Duration> = (0..50u8)
        .map(|n| {
            std::thread::sleep(Duration::from_millis(2));
            let octets = request(n, "a");
            let started = Instant::now();
            nas.ask(sensor.address(), &octets);
            started.elapsed()
        })
        .collect();
    times.sort();
    // The worker's longest sleep is 1 s; the disk of a busy test machine may take its time now and then.
    assert!(times[25] < Duration::from_millis(100), "{times:?}");
    let (_, bank) = sensor.ingest.latency(Duration::from_secs(5)).next().unwrap();
    for stage in Stage::ALL {
        assert_eq!(bank.stage(stage).len(), 50, "{}", stage.name());
    }
}

/// One burst of everything, over several workers: the sum of verdicts is what was sent.
#[test]
fn verdicts_add_up_over_workers_under_load() {
    let folder = folder();
    let storage = journal::RealStorage::create(folder.path()).unwrap();
    let sensor = Sensor::over(storage, everyone(), ingest::IngestOptions::default(), 3);
    let senders = 8u64;
    let each = 600u64;
    let address = sensor.address();
    std::thread::scope(|scope| {
        for _ in 0..senders {
            scope.spawn(move || {
                let nas = Nas::new("127.0.0.1:0");
                for n in 0..each {
                    let octets = request(n as u8, &format!("{n}"));
                    match n % 3 {
                        0 => nas.send(address, &octets[..19]),
                        1 => nas.send(
                            address,
                            &build(n as u8, b"wrong", |r| {
                                r.integer(40, 2);
                            }),
                        ),
                        _ => drop(nas.ask(address, &octets)),
                    }
                }
            });
        }
    });
    let sent = senders * each;
    let third = sent / 3;
    count(
        &sensor.settled(sent),
        &[(Verdict::Malformed, third), (Verdict::BadAuthenticator, third), (Verdict::Accepted, third)],
    );
    drop(sensor);
    assert_eq!(records(folder.path()).len() as u64, third);
}
