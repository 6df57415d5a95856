//! How sessions begin and end: Start, Interim-Update, Stop in any order, missing, repeated, late.

use insight::vpn::session::{EndReason, Happening, StartSource};

use crate::{OFF, ON, Say, Told, interim, say, server, sessions, start, stop};

#[test]
fn a_whole_session() {
    let cause = Say { cause: Some(1), ..stop(900, 900) };
    let told = Told::by(&[start(0), interim(300, 300), interim(600, 600), cause]);
    sessions(&told, &["1:1 alice 0-900 stop"]);
    assert_eq!(told.happenings(), "OUUC");
    let end = told.changes[3].session.end().unwrap();
    assert_eq!((end.reason, end.cause, told.changes[3].sequence), (EndReason::Stop, Some(1), Some(4)));
}

#[test]
fn without_a_start_it_began_when_its_length_says() {
    let told = Told::by(&[interim(500, 400)]);
    sessions(&told, &["1:1 alice 100-open"]);
    assert_eq!(told.changes[0].session.start_source, StartSource::SessionTime);
    sessions(&Told::by(&[stop(500, 400)]), &["1:1 alice 100-500 stop"]);
    // Without a length it began then or before.
    let told = Told::by(&[say(3, 500)]);
    assert_eq!(told.changes[0].session.start_source, StartSource::FirstSeen);
    sessions(&told, &["1:1 alice 500-open"]);
}

#[test]
fn a_start_that_comes_last_of_all_changes_nothing_about_the_end() {
    let told = Told::by(&[stop(100, 100), start(101)]);
    sessions(&told, &["1:1 alice 0-100 stop"]);
    // However long ago it began.
    let told = Told::by(&[stop(5_000, 5_000), start(5_001)]);
    sessions(&told, &["1:1 alice 0-5000 stop"]);
    // Its time is exact, so it corrects the estimate.
    let told = Told::by(&[stop(100, 90).timed(), start(5).timed().late(100)]);
    sessions(&told, &["1:1 alice 5-100 stop"]);
    assert_eq!(told.happenings(), "OU");
    // To later, too, and hours behind.
    let told = Told::by(&[
        interim(600, 590).timed(),
        interim(1200, 1190).timed(),
        Say { time: Some(15), ..start(1300) },
    ]);
    sessions(&told, &["1:1 alice 15-open"]);
}

#[test]
fn an_interim_behind_the_stop_does_not_reopen() {
    let told = Told::by(&[start(0), stop(100, 100), interim(101, 100)]);
    sessions(&told, &["1:1 alice 0-100 stop"]);
    // Hours later by the NAS's own clock, too.
    let told = Told::by(&[start(0), stop(100, 100), interim(7_000, 7_000)]);
    sessions(&told, &["1:1 alice 0-100 stop"]);
    // Without a length: shortly behind.
    let told = Told::by(&[start(0), stop(100, 100), say(3, 130)]);
    sessions(&told, &["1:1 alice 0-100 stop"]);
}

#[test]
fn a_second_stop_counts_if_it_is_later_or_the_only_one_with_a_time() {
    let told = Told::by(&[start(0), stop(100, 100), stop(140, 140)]);
    sessions(&told, &["1:1 alice 0-140 stop"]);
    let told = Told::by(&[start(0).timed(), stop(100, 100).timed(), stop(140, 100)]);
    sessions(&told, &["1:1 alice 0-100 stop"]);
    let told = Told::by(&[start(0), stop(100, 100), Say { time: Some(140), ..stop(101, 100) }]);
    sessions(&told, &["1:1 alice 0-140 stop"]);
    let told = Told::by(&[start(0), stop(140, 100), stop(100, 100).timed().late(50)]);
    sessions(&told, &["1:1 alice 0-100 stop"]);
}

#[test]
fn the_same_again_tells_nothing() {
    let retransmitted = Say { delay: Some(6), ..start(6) };
    let told = Told::by(&[start(0), start(0), retransmitted, stop(50, 50), stop(50, 50)]);
    assert_eq!(told.happenings(), "OC");
    assert_eq!(told.sessions.counts().without_change, 3);
}

#[test]
fn on_and_off_end_the_sessions_of_their_server_alone() {
    let of = |id, server, arrival| Say { id, server, ..start(arrival) };
    for (status, reason) in [(ON, "server-started"), (OFF, "server-stopped")] {
        let told = Told::by(&[of("1", 1, 0), of("2", 1, 10), of("1", 2, 20), server(status, 100)]);
        let ended = |id, start| format!("1:{id} alice {start}-100 {reason}");
        sessions(&told, &[&ended("1", 0), &ended("2", 10), "2:1 alice 20-open"]);
        assert_eq!(told.happenings(), "OOOCC");
    }
}

#[test]
fn on_again_is_no_second_restart() {
    let told = Told::by(&[start(0), server(ON, 100), server(ON, 101), start(102).timed(), server(ON, 102)]);
    assert_eq!(told.happenings(), "OCO");
}

#[test]
fn an_on_that_comes_late_ends_what_began_before_it_and_nothing_else() {
    let on = server(ON, 100).timed().late(200);
    let two = Say { id: "2", ..start(150).timed() };
    let told = Told::by(&[start(0).timed(), two, on]);
    sessions(&told, &["1:1 alice 0-100 server-started", "1:2 alice 150-open"]);
    // The Start that was on its way when On came is of before.
    let told = Told::by(&[server(ON, 100).timed(), start(90).timed().late(60)]);
    sessions(&told, &["1:1 alice 90-100 server-started"]);
}

#[test]
fn an_on_hours_late_ends_nothing_that_went_on_behind_it() {
    let mut told =
        Told::by(&[start(100).timed(), interim(400, 300).timed(), Say { id: "2", ..start(150).timed() }]);
    told.wait(400, 9_000);
    told.hear(&[Say { time: Some(150), ..server(ON, 9_000) }]);
    sessions(&told, &["1:1 alice 100-open", "1:2 alice 150-open"]);
}

#[test]
fn on_repeated_pushes_no_other_out_of_memory() {
    let mut says = vec![server(ON, 50).timed()];
    says.extend((0..9).map(|late| server(ON, 100).timed().late(late)));
    says.push(start(40).timed().late(100));
    sessions(&Told::by(&says), &["1:1 alice 40-50 server-started"]);
}

#[test]
fn a_session_that_outlives_an_on_is_open_again() {
    let told = Told::by(&[start(0), server(ON, 100), interim(400, 400)]);
    sessions(&told, &["1:1 alice 0-open"]);
    assert_eq!(told.happenings(), "OCR");
}

#[test]
fn a_stop_behind_off_is_the_end() {
    let last = Say { cause: Some(11), ..stop(101, 101) };
    let told = Told::by(&[start(0), server(OFF, 100), last]);
    sessions(&told, &["1:1 alice 0-101 stop"]);
    let told = Told::by(&[start(0), server(OFF, 100), say(2, 101)]);
    sessions(&told, &["1:1 alice 0-101 stop"]);
}

#[test]
fn two_sensors_tell_one_start() {
    let told = Told::by(&[start(0), start(500)]);
    sessions(&told, &["1:1 alice 0-open"]);
    // Other addresses, progress, a restart between, or more than ten minutes: another session.
    let first = ["1:1 alice 0-500 replaced", "1:1 alice 500-open"];
    sessions(&Told::by(&[start(0), Say { remote: "203.0.113.8", ..start(500) }]), &first);
    sessions(&Told::by(&[start(0), interim(300, 300), start(500)]), &first);
    sessions(&Told::by(&[start(0), start(700)]), &["1:1 alice 0-700 replaced", "1:1 alice 700-open"]);
    let restarted = ["1:1 alice 0-300 server-started", "1:1 alice 500-open"];
    sessions(&Told::by(&[start(0), server(ON, 300), start(500)]), &restarted);
    // Also where the first Start is lost.
    let told = Told::by(&[interim(40, 40).timed(), server(ON, 45).timed(), start(50).timed()]);
    sessions(&told, &["1:1 alice 0-45 server-started", "1:1 alice 50-open"]);
    // A copy of the Start hours later is still the same.
    let told = Told::by(&[
        start(0).timed(),
        interim(4_000, 4_000),
        interim(8_000, 8_000),
        start(0).timed().late(9_000),
    ]);
    assert_eq!(told.happenings(), "OUU");
}

#[test]
fn progress_that_comes_late_parts_what_was_taken_for_one() {
    let told = Told::by(&[start(0).timed(), start(250).timed(), interim(200, 200).timed().late(90)]);
    sessions(&told, &["1:1 alice 0-250 replaced", "1:1 alice 250-open"]);
    assert_eq!(told.happenings(), "OUCO");
}

#[test]
fn what_was_taken_for_two_becomes_one() {
    // The second began behind the last sign of life of the first, until one comes that was in between.
    let two = [say(3, 200).timed(), interim(290, 20).timed()];
    sessions(&Told::by(&two), &["1:1 alice 200-270 replaced", "1:1 alice 270-open"]);
    let told = Told::by(&[&two[..], &[say(3, 250).timed().late(60)]].concat());
    sessions(&told, &["1:1 alice 200-open"]);
    assert_eq!(told.happenings(), "OCORM");
    let (kept, gone) = (&told.changes[3].session, &told.changes[4]);
    assert_eq!(gone.happening, Happening::Merged { into: kept.number });
    assert_ne!(gone.session.number, kept.number);
}

#[test]
fn a_lost_stop_shows_when_the_id_is_used_again() {
    let told = Told::by(&[start(0), interim(600, 600), start(5_000)]);
    sessions(&told, &["1:1 alice 0-5000 replaced", "1:1 alice 5000-open"]);
    // The new one's Start is lost, too.
    let told = Told::by(&[start(0), interim(600, 600), interim(5_000, 300)]);
    sessions(&told, &["1:1 alice 0-4700 replaced", "1:1 alice 4700-open"]);
}

#[test]
fn other_users_are_other_sessions_and_nobody_is_anybody() {
    let bob = Say { user: "bob", ..interim(300, 300) };
    let told = Told::by(&[start(0), bob, Say { user: "", ..stop(400, 400) }]);
    assert_eq!(told.list().len(), 2, "{:?}", told.list());
    let told = Told::by(&[start(0), Say { user: "", ..stop(400, 400) }]);
    sessions(&told, &["1:1 alice 0-400 stop"]);
}
