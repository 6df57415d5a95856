//! What bounds the memory, and what happens at the bound.

use insight::vpn::session::{EndReason, Happening, Settings};

use crate::{ON, Say, Told, interim, server, sessions, start, stop};

fn few(sessions_max: usize) -> Told {
    Told::new(Settings { sessions_max, ..Settings::default() })
}

fn of(id: &'static str, say: Say) -> Say {
    Say { id, ..say }
}

#[test]
fn when_full_what_closed_first_goes_first() {
    let mut told = few(3);
    told.hear(&[of("1", start(0)), of("2", start(1)), of("3", start(2))]);
    told.hear(&[of("2", stop(10, 9)), of("3", stop(20, 18)), of("4", start(30)), of("5", start(40))]);
    sessions(&told, &["1:1 alice 0-open", "1:4 alice 30-open", "1:5 alice 40-open"]);
    assert_eq!(told.sessions.counts().evicted, 0);
}

#[test]
fn when_full_of_open_ones_the_first_to_fall_silent_is_given_up_and_told() {
    let mut told = few(2);
    told.hear(&[
        of("1", start(0)),
        of("2", start(1)),
        of("1", interim(300, 300)),
        of("1", interim(600, 600)),
    ]);
    // Both for a day; the first by its interims for minutes only.
    told.hear(&[of("3", start(700))]);
    sessions(&told, &["1:2 alice 1-open", "1:3 alice 700-open"]);
    let gone = told.changes.iter().find(|change| change.happening == Happening::Closed).unwrap();
    assert_eq!((&*gone.session_id, gone.session.end().unwrap().reason), ("1", EndReason::Evicted));
    assert_eq!(told.sessions.counts().evicted, 1);
    // Its list of active ids is in order: a restart ends the other two.
    told.hear(&[server(ON, 800)]);
    sessions(&told, &["1:2 alice 1-800 server-started", "1:3 alice 700-800 server-started"]);
}

#[test]
fn room_given_to_another_server_is_no_longer_of_the_first() {
    let mut told = few(1);
    let other = |say: Say| Say { server: 2, ..say };
    told.hear(&[start(0), other(start(1)), server(ON, 100)]);
    sessions(&told, &["2:1 alice 1-open"]);
    told.hear(&[other(server(ON, 200))]);
    sessions(&told, &["2:1 alice 1-200 server-started"]);
}

#[test]
fn ids_without_end_stay_within_the_bound() {
    let mut told = few(100);
    for at in 0..20_000u32 {
        let id = format!("{at:x}");
        told.octets(u64::from(at), 10, |b| {
            b.integer(40, 1).text(44, &id).text(1, "alice").attribute(4, &[192, 0, 2, 1]);
        });
        told.tick(u64::from(at));
    }
    assert_eq!(told.sessions.len(), 100);
    assert_eq!(told.sessions.counts().evicted, 19_900);
}

#[test]
fn surplus_servers_of_one_client_are_one() {
    let mut told = Told::new(Settings { servers_max: 2, ..Settings::default() });
    told.hear(&(1..=9).map(|server| Say { server, ..start(0) }).collect::<Vec<_>>());
    assert_eq!(told.sessions.server_count(), 3);
    assert_eq!(told.sessions.counts().server_surplus, 7);
}

/// Starts, and stops a second behind, of ever new users and ids; how large the state is at the end.
fn octets_after(told: &mut Told, from: u64, lives: u32, per_second: u32) -> usize {
    for at in 0..lives {
        let second = from + u64::from(at / per_second);
        let name = format!("u{from}-{at:x}");
        for (status, length) in [(1, None), (2, Some(1))] {
            told.octets(second + u64::from(status), 10, |b| {
                b.integer(40, status).text(44, &name).text(1, &name).attribute(4, &[192, 0, 2, 1]);
                if let Some(length) = length {
                    b.integer(46, length);
                }
            });
        }
        told.changes.clear();
        if at % per_second == 0 {
            told.tick(second);
        }
    }
    told.sessions.save(Vec::new()).unwrap().len()
}

#[test]
fn sessions_that_were_forgotten_leave_nothing_behind() {
    // Far from full, so nobody ever makes room.
    let mut told = Told::new(Settings { closed_kept_s: 600, ..Settings::default() });
    let mut emptied = |from, lives| {
        octets_after(&mut told, from, lives, 2);
        told.wait(from + u64::from(lives / 2), from + u64::from(lives / 2) + 1_200);
        assert!(told.sessions.is_empty());
        told.sessions.save(Vec::new()).unwrap().len()
    };
    let (early, late) = (emptied(0, 4_000), emptied(10_000, 40_000));
    assert!(late < early + early / 2, "{early} octets after 4,000 sessions, {late} after 44,000");
}

#[test]
fn a_storm_of_new_ids_when_full_leaves_nothing_behind() {
    let mut told = few(500);
    let early = octets_after(&mut told, 0, 2_000, 1_000);
    let late = octets_after(&mut told, 10, 40_000, 1_000);
    assert!(late < early + early / 2, "{early} octets after 2,000 sessions, {late} after 42,000");
}
