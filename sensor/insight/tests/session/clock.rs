//! Silence, unknown ends, clocks that jump, events from the future and from months ago.

use insight::vpn::session::{Happening, Settings};

use crate::{DAY, Say, Told, interim, say, sessions, start, stop};

const HOUR: u64 = 3600;

#[test]
fn a_session_that_misses_its_interims_is_over_at_its_last_sign_of_life() {
    let mut told = Told::by(&[start(0), interim(300, 300), interim(600, 600)]);
    // Three of 300 seconds, and five minutes for what is on its way.
    told.wait(600, 1740);
    sessions(&told, &["1:1 alice 0-open"]);
    told.wait(1741, 1860);
    sessions(&told, &["1:1 alice 0-600 silence"]);
    assert_eq!(told.changes.last().unwrap().sequence, None);
    // One more and it lives.
    told.hear(&[interim(1900, 1900)]);
    sessions(&told, &["1:1 alice 0-open"]);
    assert_eq!(told.happenings(), "OUUCR");
}

#[test]
fn an_older_message_does_not_break_silence() {
    let mut told = Told::by(&[start(0), interim(300, 300), interim(600, 600)]);
    told.wait(600, 2000);
    told.hear(&[Say { time: Some(450), ..interim(2000, 450) }]);
    sessions(&told, &["1:1 alice 0-600 silence"]);
}

#[test]
fn without_regular_interims_the_end_is_unknown_after_a_day() {
    // One right behind the Start, for an address, is no interval.
    let mut told = Told::by(&[start(0), interim(3, 3), interim(6, 6)]);
    told.wait(0, 24 * HOUR + 240);
    sessions(&told, &["1:1 alice 0-open"]);
    told.wait(24 * HOUR + 240, 24 * HOUR + 400);
    sessions(&told, &["1:1 alice 0-6 unknown"]);
}

#[test]
fn how_long_is_configured() {
    let mut told = Told::new(Settings { missed_interims: 1, unknown_after_s: HOUR, ..Settings::default() });
    told.hear(&[start(0), interim(300, 300), interim(600, 600), Say { id: "2", ..start(600) }]);
    told.wait(600, 1260);
    sessions(&told, &["1:1 alice 0-600 silence", "1:2 alice 600-open"]);
    told.wait(1260, 600 + HOUR + 360);
    sessions(&told, &["1:1 alice 0-600 silence", "1:2 alice 600-600 unknown"]);
}

#[test]
fn an_open_session_is_alive_only_for_a_while_behind_its_last_sign() {
    let told = Told::by(&[start(0), interim(300, 300)]);
    let session = &told.changes[1].session;
    let alive = |at: u64| session.was_alive_at((DAY + at) * 1_000_000_000, 600 * 1_000_000_000);
    assert!(alive(0) && alive(300) && alive(900));
    assert!(!alive(901) && !session.was_alive_at((DAY - 1) * 1_000_000_000, u64::MAX));
    let told = Told::by(&[start(0), stop(300, 300)]);
    let session = &told.changes[1].session;
    assert!(!session.was_alive_at((DAY + 301) * 1_000_000_000, 600 * 1_000_000_000));
}

#[test]
fn nobody_is_silent_while_nobody_listens() {
    let mut told = Told::by(&[start(0), interim(300, 300), interim(600, 600)]);
    // The service was down for six hours; the VPN server sends the next interim.
    told.tick(600 + 6 * HOUR);
    sessions(&told, &["1:1 alice 0-open"]);
    told.hear(&[interim(900 + 6 * HOUR, 900 + 6 * HOUR as u32)]);
    assert_eq!(told.happenings(), "OUUU");
}

#[test]
fn a_clock_that_jumps_a_day_ahead_and_back_closes_nothing() {
    let mut told = Told::by(&[start(0), interim(300, 300), interim(600, 600)]);
    told.wait(600, 700);
    told.tick(700 + 24 * HOUR);
    told.wait(720, 900);
    told.hear(&[interim(900, 900), interim(1200, 1200)]);
    told.wait(1200, 1300);
    sessions(&told, &["1:1 alice 0-open"]);
    assert!(told.changes.iter().all(|change| change.happening != Happening::Closed));
    // And silence is still seen.
    told.wait(1300, 3000);
    sessions(&told, &["1:1 alice 0-1200 silence"]);
}

#[test]
fn a_time_from_the_future_or_two_months_ago_is_the_arrival() {
    let months = Say { delay: Some(60 * 86_400), ..start(0) };
    sessions(&Told::by(&[months]), &["1:1 alice 0-open"]);
    let future = Say { time: Some(30 * 86_400), ..start(0) };
    let told = Told::by(&[future, Say { time: Some(40 * 86_400), ..stop(60, 60) }]);
    sessions(&told, &["1:1 alice 0-60 stop"]);
    // Four minutes ahead are a clock that is wrong by that.
    sessions(&Told::by(&[Say { time: Some(240), ..start(0) }]), &["1:1 alice 240-open"]);
}

#[test]
fn a_stop_hours_late_ends_its_session_and_leaves_the_next_alone() {
    let told = Told::by(&[
        start(0).timed(),
        interim(600, 600).timed(),
        start(5_000).timed(),
        interim(9_000, 4_000).timed(),
        Say { time: Some(700), ..stop(9_500, 700) },
    ]);
    sessions(&told, &["1:1 alice 0-700 stop", "1:1 alice 5000-open"]);
}

#[test]
fn an_id_without_lengths_that_comes_up_after_more_than_a_day_is_used_again() {
    let told = Told::by(&[start(0), say(3, 600), say(3, 600 + 23 * HOUR)]);
    sessions(&told, &["1:1 alice 0-open"]);
    let told = Told::by(&[start(0), say(3, 600), say(3, 600 + 25 * HOUR)]);
    let again = 600 + 25 * HOUR;
    sessions(&told, &[&format!("1:1 alice 0-{again} replaced"), &format!("1:1 alice {again}-open")]);
}

#[test]
fn closed_sessions_are_forgotten_after_a_day() {
    let mut told = Told::by(&[start(0), stop(100, 100)]);
    told.wait(100, 24 * HOUR);
    assert_eq!(told.sessions.len(), 1);
    told.wait(24 * HOUR, 24 * HOUR + 200);
    assert!(told.sessions.is_empty());
    assert_eq!(told.happenings(), "OC");
    told.hear(&[say(1, 24 * HOUR + 300)]);
    assert_eq!(told.sessions.len(), 1);
}
