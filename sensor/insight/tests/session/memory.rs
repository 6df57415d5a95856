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
