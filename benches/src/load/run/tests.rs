//! The run against a server in memory: it answers as told, late, wrongly, twice or not at all.

use std::{collections::VecDeque, io};

use radius::{Framed, response};

use super::*;
use crate::load::{Contents, Expect};

const SECRET: &[u8] = b"of the load";

/// What the server does with request `n` of those it received.
type Habit = fn(u64) -> Vec<Answering>;

enum Answering {
    Well,
    After(u64),
    WithWrongOctet,
    UnderAnotherSecret,
}

struct Server {
    habit: Habit,
    received: u64,
    /// When due, source, octets.
    answers: VecDeque<(u64, u32, Vec<u8>)>,
    /// How many datagrams fit before a flush.
    room: usize,
    queued: usize,
}

impl Server {
    fn new(habit: Habit) -> Server {
        Server { habit, received: 0, answers: VecDeque::new(), room: usize::MAX, queued: 0 }
    }
}

impl Sender for Server {
    fn send(&mut self, flow: u32, octets: &[u8]) -> io::Result<bool> {
        if self.queued == self.room {
            return Ok(false);
        }
        self.queued += 1;
        let request = Framed::parse(octets).unwrap().request().unwrap();
        let genuine = radius::authenticator::verify_request(octets, SECRET);
        for answering in (self.habit)(self.received) {
            if !genuine && !matches!(answering, Answering::UnderAnotherSecret) {
                continue;
            }
            let mut buffer = [0; 64];
            let secret = if matches!(answering, Answering::UnderAnotherSecret) {
                b"another".as_slice()
            } else {
                SECRET
            };
            let length = response::write(&request, secret, &mut buffer).unwrap();
            if matches!(answering, Answering::WithWrongOctet) {
                buffer[10] ^= 1;
            }
            let after = if let Answering::After(ns) = answering { ns } else { 0 };
            self.answers.push_back((monotonic_ns() + after, flow, buffer[..length].to_vec()));
        }
        self.received += 1;
        Ok(true)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.queued = 0;
        Ok(())
    }

    fn receive(&mut self, take: &mut dyn FnMut(Answer<'_>)) -> io::Result<usize> {
        let mut count = 0;
        while let Some((_, flow, octets)) = self.answers.pop_front_if(|(due, ..)| *due <= monotonic_ns()) {
            take(Answer { flow, octets: &octets, at_ns: monotonic_ns() });
            count += 1;
        }
        Ok(count)
    }
}

fn run_against(server: &mut Server, mix: &str, pace: Pace, milliseconds: u64) -> Report {
    run_telling(server, mix, pace, milliseconds, &mut || {})
}

fn run_telling(
    server: &mut Server,
    mix: &str,
    pace: Pace,
    milliseconds: u64,
    settled: &mut dyn FnMut(),
) -> Report {
    let numbering = Numbering { flows: 4, variants: 8 };
    let requests = Requests::build(&Contents::Sizes(vec![64, 100]), 8, SECRET, 1, Expect::Response).unwrap();
    let plan =
        Plan { pace, duration_ns: milliseconds * 1_000_000, timeout_ns: 100_000_000, rest_ns: Some(20_000) };
    run(server, &requests, numbering, &mix.parse().unwrap(), &plan, settled).unwrap()
}

#[test]
fn everything_is_sent_once_and_answered() {
    let mut server = Server::new(|_| vec![Answering::Well]);
    let report = run_against(&mut server, "", Pace::open(10_000.0), 300);
    assert_eq!((report.sent, report.answered, report.lost), (3000, 3000, 0));
    assert_eq!(report.latency.len(), 3000);
    assert_eq!(report.fault(), None);
    assert_eq!(server.received, 3000);
    // Never faster than the schedule; how much slower is the machine's affair.
    assert!(report.sent_per_second() < 10_010.0, "{}", report.sent_per_second());
}

#[test]
fn what_is_not_answered_is_lost() {
    let mut server = Server::new(|n| if n % 10 == 0 { vec![] } else { vec![Answering::Well] });
    let report = run_against(&mut server, "", Pace::open(10_000.0), 100);
    assert_eq!((report.sent, report.answered, report.lost, report.fault()), (1000, 900, 100, None));
    // A window is not filled by what never comes back.
    let mut server = Server::new(|n| if n % 10 == 0 { vec![] } else { vec![Answering::Well] });
    let report = run_against(&mut server, "", Pace::Closed { window: 32 }, 250);
    assert!(report.sent > 320, "{report:?}");
    assert_eq!(report.answered + report.lost, report.sent);
    assert!(report.lost >= 32, "{report:?}");
}

#[test]
fn a_load_has_settled_long_before_what_is_lost_is_given_up() {
    for (habit, waits) in [
        ((|n| if n == 999 { vec![] } else { vec![Answering::Well] }) as Habit, true),
        (|_| vec![Answering::Well], false),
    ] {
        let mut at = Vec::new();
        run_telling(&mut Server::new(habit), "", Pace::open(10_000.0), 100, &mut || at.push(monotonic_ns()));
        let [at] = at[..] else { panic!("{at:?}") };
        let waited = monotonic_ns() - at;
        // A run is over 100 ms after its last request at the latest, and this load settles after 20.
        assert_eq!(waited > 40_000_000, waits, "{waited}");
    }
}

#[test]
fn wrong_answers_and_answers_to_forgeries_are_faults() {
    let mut server =
        Server::new(|n| if n == 5 { vec![Answering::WithWrongOctet] } else { vec![Answering::Well] });
    let report = run_against(&mut server, "", Pace::open(10_000.0), 50);
    assert_eq!((report.wrong, report.lost), (1, 1));
    assert!(report.fault().unwrap().contains("do not verify"));

    let mut server =
        Server::new(|n| if n == 7 { vec![Answering::Well, Answering::Well] } else { vec![Answering::Well] });
    let report = run_against(&mut server, "", Pace::open(10_000.0), 50);
    assert_eq!((report.surplus, report.answered), (1, 500));

    let mut server = Server::new(|_| vec![Answering::Well]);
    let report = run_against(&mut server, "forgeries=90%", Pace::open(10_000.0), 100);
    assert_eq!((report.sent, report.answered, report.forged), (100, 100, 900));
    assert_eq!(report.fault(), None);
    let mut server =
        Server::new(|n| if n == 3 { vec![Answering::UnderAnotherSecret] } else { vec![Answering::Well] });
    let report = run_against(&mut server, "forgeries=90%", Pace::open(10_000.0), 100);
    assert_eq!((report.forged_answered, report.answered), (1, 100));
}

#[test]
fn a_repetition_is_of_an_answered_request_and_answered_again() {
    let mut server = Server::new(|_| vec![Answering::Well]);
    let report = run_against(&mut server, "duplicates=20%", Pace::open(5_000.0), 400);
    assert_eq!(report.datagrams(), 2000);
    // None in the first 50 ms: there is nothing old enough.
    assert!((300..=400).contains(&report.repeats), "{}", report.repeats);
    assert_eq!((report.repeats_answered, report.fault()), (report.repeats, None));
}

#[test]
fn what_was_never_answered_is_not_repeated() {
    let mut server = Server::new(|_| vec![]);
    let report = run_against(&mut server, "duplicates=20%", Pace::open(5_000.0), 200);
    assert_eq!((report.sent, report.repeats, report.lost), (1000, 0, 1000));
}

#[test]
fn a_stalled_server_is_felt_by_all_that_should_have_left() {
    // It takes 40 ms over one request and has no room meanwhile: a generator that measures from sending would see
    // one slow request, by the schedule there are hundreds.
    struct Stalling(Server, Option<u64>);
    impl Sender for Stalling {
        fn send(&mut self, flow: u32, octets: &[u8]) -> io::Result<bool> {
            if self.0.received == 500 {
                let until = *self.1.get_or_insert(monotonic_ns() + 40_000_000);
                if monotonic_ns() < until {
                    return Ok(false);
                }
            }
            self.0.send(flow, octets)
        }
        fn flush(&mut self) -> io::Result<()> {
            self.0.flush()
        }
        fn receive(&mut self, take: &mut dyn FnMut(Answer<'_>)) -> io::Result<usize> {
            self.0.receive(take)
        }
    }
    let mut stalling = Stalling(Server::new(|_| vec![Answering::Well]), None);
    let requests = Requests::build(&Contents::Sizes(vec![64]), 8, SECRET, 1, Expect::Response).unwrap();
    let numbering = Numbering { flows: 4, variants: 8 };
    let plan = Plan {
        pace: Pace::open(10_000.0),
        duration_ns: 200_000_000,
        timeout_ns: 100_000_000,
        rest_ns: Some(20_000),
    };
    let report = run(&mut stalling, &requests, numbering, &Mix::default(), &plan, &mut || {}).unwrap();
    assert_eq!(report.answered, 2000);
    // 400 requests were due within the 40 ms; half of them waited for more than 20 ms.
    let slow = report.latency.count_between(20_000_000, 1_000_000_000);
    assert!(slow >= 190, "{slow}");
    assert!(report.lateness.max() > 35_000_000);
}

#[test]
fn latency_is_what_the_server_took() {
    let mut server = Server::new(|_| vec![Answering::After(3_000_000)]);
    let report = run_against(&mut server, "", Pace::open(2_000.0), 200);
    assert!(report.latency_ns(0.0) >= 2_990_000.0, "{}", report.latency_ns(0.0));
    assert_eq!(report.answered, 400);
}

#[test]
fn a_storm_is_counted_beside_the_rest() {
    let mut server = Server::new(|_| vec![Answering::Well]);
    let pace = Pace::Open { rate: 5_000.0, storm: 300, storm_at_ns: 50_000_000 };
    let report = run_against(&mut server, "", pace, 100);
    assert_eq!((report.sent, report.storm, report.answered), (800, 300, 800));
    assert_eq!((report.storm_latency.len(), report.latency.len()), (300, 500));
}

#[test]
fn no_room_is_waited_for() {
    let mut server = Server::new(|_| vec![Answering::Well]);
    server.room = 3;
    // All of the storm is due at once, so that more is due than there is room for, however late this thread runs.
    let pace = Pace::Open { rate: 20_000.0, storm: 100, storm_at_ns: 50_000_000 };
    let report = run_against(&mut server, "forgeries=30%", pace, 100);
    assert!(report.refused >= 30, "{}", report.refused);
    assert_eq!((report.sent, report.forged, report.answered), (1500, 600, 1500));
}

#[test]
fn requests_that_would_be_repetitions_are_not_sent() {
    let mut server = Server::new(|_| vec![Answering::Well]);
    let requests = Requests::build(&Contents::Sizes(vec![64]), 1, SECRET, 1, Expect::Response).unwrap();
    let plan = Plan { pace: Pace::open(1e6), duration_ns: 10_000_000, timeout_ns: 1_000_000, rest_ns: None };
    let numbering = Numbering { flows: 1, variants: 1 };
    let error = run(&mut server, &requests, numbering, &Mix::default(), &plan, &mut || {}).unwrap_err();
    assert!(error.to_string().contains("ran out"), "{error}");
}
