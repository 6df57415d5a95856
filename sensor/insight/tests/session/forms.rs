//! The rows of what VPN servers do differently, as far as sessions are concerned.

use crate::{Say, Told, interim, say, server, sessions, start, stop};

#[test]
fn the_same_with_another_delay_is_a_retransmission() {
    let again = |delay| Say { delay: Some(delay), ..start(u64::from(delay)) };
    let told = Told::by(&[start(0), again(2), again(6), again(14)]);
    sessions(&told, &["1:1 alice 0-open"]);
    assert_eq!(told.happenings(), "O");
    // The delay is in whole seconds, the way is not.
    let jittered = Say { delay: Some(6), ..interim(67, 60) };
    assert_eq!(Told::by(&[interim(60, 60), jittered]).happenings(), "O");
}

#[test]
fn a_start_without_address_is_filled_from_the_next_message() {
    let told = Told::by(&[
        Say { remote: "", user: "", ..start(0) },
        Say { assigned: 9, ..interim(60, 60) },
        Say { remote: "", ..interim(120, 120) },
    ]);
    let session = &told.changes.last().unwrap().session;
    assert_eq!(session.details.assigned().count(), 1);
    assert_eq!(session.details.user(), Some("alice"));
    assert_eq!(session.details.remote().unwrap().to_string(), "203.0.113.7");
}

#[test]
fn the_address_may_change_within_a_session() {
    let moved = Say { remote: "198.51.100.9", ..interim(60, 60) };
    let told = Told::by(&[start(0), moved.clone()]);
    assert_eq!(told.changes[1].session.details.remote().unwrap().to_string(), "198.51.100.9");
    // The newest by its time, not the last to come.
    let old = Say { time: Some(30), ..interim(70, 30) };
    let told = Told::by(&[start(0).timed(), moved.timed(), old]);
    assert!(told.list()[0].ends_with("198.51.100.9"), "{:?}", told.list());
    // One that comes hours late fills nothing that is known.
    let hours = Say { time: Some(30), ..interim(9_000, 30) };
    let told =
        Told::by(&[start(0).timed(), interim(8_000, 8_000).timed(), Say { remote: "192.0.2.99", ..hours }]);
    assert!(told.list()[0].ends_with("203.0.113.7"), "{:?}", told.list());
}

#[test]
fn zeros_as_session_id_without_a_user_are_a_restart() {
    let zeros = |status, arrival| Say { id: "00000000", ..server(status, arrival) };
    sessions(&Told::by(&[start(0), zeros(1, 50)]), &["1:1 alice 0-50 server-started"]);
    sessions(&Told::by(&[start(0), zeros(2, 50)]), &["1:1 alice 0-50 server-stopped"]);
    let told = Told::by(&[start(0), Say { id: "00000000", ..start(50) }]);
    sessions(&told, &["1:00000000 alice 50-open", "1:1 alice 0-open"]);
}

#[test]
fn without_session_id_user_and_address_stand_for_it() {
    let bare = |say: Say| Say { id: "", ..say };
    let told = Told::by(&[bare(start(0)), bare(stop(60, 60)), bare(Say { user: "bob", ..start(61) })]);
    assert_eq!(told.happenings(), "OCO");
    let told = Told::by(&[bare(Say { user: "", ..start(0) })]);
    assert_eq!((told.sessions.len(), told.sessions.counts().unidentified), (0, 1));
}

#[test]
fn what_is_no_persons_connection_is_passed_by() {
    let wireless = Say { port_type: 19, ..start(0) };
    let machine = Say { user: "host/pc7.contoso.example", ..start(0) };
    let tunnel = say(9, 0);
    let failed = say(15, 0);
    let told = Told::by(&[wireless, machine, tunnel, failed]);
    assert_eq!((told.sessions.len(), told.sessions.counts().passed_by), (0, 4));
}

#[test]
fn ids_that_name_the_boot_are_different_sessions() {
    // strongSwan: start of the daemon and number.
    let told = Told::by(&[Say { id: "1795428000-1", ..start(0) }, Say { id: "1795428900-1", ..start(900) }]);
    sessions(&told, &["1:1795428000-1 alice 0-open", "1:1795428900-1 alice 900-open"]);
}

#[test]
fn a_clamped_delay_gives_the_arrival() {
    // An Event-Timestamp of 0.
    let zero = Say { time: Some((1 << 32) - crate::DAY), ..stop(90, 40) };
    let told = Told::by(&[Say { delay: Some(u32::MAX), ..start(50) }, zero]);
    sessions(&told, &["1:1 alice 50-90 stop"]);
}

#[test]
fn what_only_the_start_says_stays_with_the_session() {
    let mut told = Told::by(&[]);
    told.octets(0, 10, |b| {
        start(0).fill(b);
        b.vendor(311, 34, b"MSRAS-0-PC7").vendor(311, 35, b"MSRASV5.20");
    });
    told.hear(&[Say { user: "CONTOSO\\Alice", id: "2", ..start(0) }, Say { user: "", ..stop(60, 60) }]);
    let details = |at: usize| &told.changes[at].session.details;
    assert_eq!((details(2).user(), details(2).user_original()), (Some("alice"), Some("alice")));
    assert_eq!((details(2).device(), details(2).software()), (Some("PC7"), Some("MSRASV5.20")));
    assert_eq!((details(2).operating_system(), details(2).group()), (None, None));
    assert_eq!(details(1).user_original(), Some("CONTOSO\\Alice"));
    assert_eq!((details(1).device(), details(1).software()), (None, None));
}
