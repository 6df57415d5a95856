//! One secret for several VPN servers, ids that begin again, servers that lie.

use crate::{OFF, ON, Say, Told, interim, server, sessions, start, stop};

fn of(server: u8, say: Say) -> Say {
    Say { server, ..say }
}

#[test]
fn two_rras_with_one_secret_and_equal_session_ids_one_of_them_rebooting() {
    let bob = |say: Say| Say { user: "bob", server: 2, ..say };
    let told = Told::by(&[
        of(1, start(0)),
        bob(start(10)),
        of(1, interim(300, 300)),
        bob(interim(310, 300)),
        of(1, server(ON, 400)),
        of(1, Say { user: "carol", ..start(420) }),
        bob(interim(610, 600)),
        of(1, Say { user: "carol", ..stop(700, 280) }),
        bob(stop(900, 890)),
    ]);
    sessions(&told, &["1:1 alice 0-400 server-started", "1:1 carol 420-700 stop", "2:1 bob 10-900 stop"]);
    assert_eq!(told.sessions.server_count(), 2);
}

#[test]
fn a_reboot_that_nobody_told_of() {
    // Counters begin again; the id is the same user's.
    let told = Told::by(&[start(0), interim(600, 600), start(700), stop(900, 200)]);
    sessions(&told, &["1:1 alice 0-700 replaced", "1:1 alice 700-900 stop"]);
}

#[test]
fn without_a_name_the_source_is_the_server() {
    let from = |source, say: Say| Say { server: 0, source, ..say };
    let told = Told::by(&[from(10, start(0)), from(11, start(5)), from(11, server(OFF, 100))]);
    sessions(&told, &["10:1 alice 0-open", "11:1 alice 5-100 server-stopped"]);
}

#[test]
fn behind_a_proxy_one_source_is_many_servers() {
    let told = Told::by(&[of(1, start(0)), of(2, start(0)), Say { source: 77, ..of(2, stop(60, 60)) }]);
    sessions(&told, &["1:1 alice 0-open", "2:1 alice 0-60 stop"]);
}

#[test]
fn a_stop_of_before_the_reboot_ends_the_session_of_before() {
    let told = Told::by(&[
        start(0).timed(),
        server(ON, 100).timed(),
        start(150).timed(),
        stop(99, 99).timed().late(90),
    ]);
    sessions(&told, &["1:1 alice 0-99 stop", "1:1 alice 150-open"]);
}

#[test]
fn a_stop_that_says_when_its_session_began_ends_no_other() {
    let told = Told::by(&[
        start(0).timed(),
        interim(600, 600).timed(),
        start(1000).timed(),
        stop(1010, 1010).timed(),
    ]);
    sessions(&told, &["1:1 alice 0-1010 stop", "1:1 alice 1000-open"]);
}

#[test]
fn what_comes_to_light_hours_later_was_replaced() {
    let told = Told::by(&[
        start(5_000).timed(),
        interim(5_600, 600).timed(),
        interim(6_200, 1_200).timed(),
        Say { time: Some(600), ..interim(6_300, 600) },
    ]);
    sessions(&told, &["1:1 alice 0-5000 replaced", "1:1 alice 5000-open"]);
}

#[test]
fn behind_a_reboot_an_interim_without_a_length_is_new_unless_its_volume_goes_on() {
    let volume = |arrival, octets| Say { seconds: None, octets: Some(octets), ..interim(arrival, 0) };
    let before = [start(0), volume(90, (500, 500)), server(ON, 100)];
    let after = |octets| Told::by(&[&before[..], &[volume(800, octets)]].concat());
    sessions(&after((100, 100)), &["1:1 alice 0-100 server-started", "1:1 alice 800-open"]);
    sessions(&after((600, 700)), &["1:1 alice 0-open"]);
}

#[test]
fn a_server_that_lies_about_lengths_makes_no_second_session() {
    let told = Told::by(&[
        start(0).timed(),
        interim(600, u32::MAX).timed(),
        interim(1200, 100).timed(),
        interim(1800, 0).timed(),
        interim(1900, 900).timed(),
    ]);
    // Some say that it began behind its last sign of life: those are new. None is lost, none panics.
    assert!(told.list().len() <= 4, "{:?}", told.list());
    let says = [start(0), interim(600, 600), interim(1200, 700), stop(1300, 1)];
    sessions(&Told::by(&says), &["1:1 alice 0-1300 stop"]);
    let timed = says.map(Say::timed);
    sessions(&Told::by(&timed), &["1:1 alice 0-1299 replaced", "1:1 alice 1299-1300 stop"]);
}

#[test]
fn an_id_used_over_and_over_keeps_its_last_sessions() {
    let told = Told::by(&(0..100).map(|at| start(at * 1000)).collect::<Vec<_>>());
    assert_eq!(told.list().len(), 4);
    assert_eq!(told.happenings().matches('O').count(), 100);
    assert_eq!(told.happenings().matches('C').count(), 99);
    assert_eq!(told.happenings().matches('M').count(), 0);
}
