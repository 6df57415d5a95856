//! Against a small server on loopback that answers as each test says.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use super::*;
use crate::config::Secret;
use radius::{Framed, response};
use traffic::{Attribute, Session, Status, Vendor};

const SECRET: &[u8] = b"a shared secret";

struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// `answers` says, for datagram n and its correct answer, what to send back.
    fn start(mut answers: impl FnMut(usize, Vec<u8>) -> Vec<Vec<u8>> + Send + 'static) -> Server {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let address = socket.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let (mut buffer, mut out, mut number) = ([0; 4096], [0; 4096], 0);
            while !stopped.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let request = Framed::parse(&buffer[..length]).unwrap().request().unwrap();
                let length = response::write(&request, SECRET, &mut out).unwrap();
                for answer in answers(number, out[..length].to_vec()) {
                    socket.send_to(&answer, from).unwrap();
                }
                number += 1;
            }
        });
        Server { address, stop, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(Err(panic)) = self.thread.take().map(thread::JoinHandle::join)
            && !thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

fn plan(to: SocketAddr, count: u64) -> Plan {
    Plan {
        to,
        sources: Vec::new(),
        secret: Secret::new(SECRET.to_vec()).unwrap(),
        count,
        pace: Pace::Window,
        window: 16,
        timeout: Duration::from_millis(150),
        retries: 1,
    }
}

fn request(number: u64, identifier: u8) -> std::io::Result<Vec<u8>> {
    let session = Session::made_up(Vendor::ALL[(number % 4) as usize], 1, number);
    let mut attributes = session.attributes(Status::Start, 0);
    attributes.extend([Attribute::new(33, *b"one"), Attribute::new(33, *b"two")]);
    let mut buffer = [0; 4096];
    let written = traffic::write(&mut buffer, Status::Start, identifier, &[0; 16], &attributes, SECRET);
    Ok(written.unwrap().to_vec())
}

fn run(plan: &Plan) -> (Report, Vec<Vec<u8>>) {
    let mut datagrams = Vec::new();
    let report = exchange(
        plan,
        request,
        |_, octets| {
            datagrams.push(octets.to_vec());
            Ok(())
        },
        |_| {},
    );
    (report.unwrap(), datagrams)
}

#[test]
fn every_request_is_answered_over_more_source_ports_than_one() {
    let server = Server::start(|_, answer| vec![answer]);
    // The server's receive buffer need not hold such a window: what it drops is sent again.
    let plan =
        Plan { window: 300, timeout: Duration::from_millis(500), retries: 20, ..plan(server.address, 3000) };
    let (report, datagrams) = run(&plan);
    let Progress { sent, answered, unanswered, repeated } = report.progress;
    assert_eq!((sent, answered, unanswered), (3000, 3000, 0));
    assert_eq!((report.wrong_total(), report.latency.len()), (0, 3000));
    assert_eq!(datagrams.len() as u64, 3000 + repeated);
}

#[test]
fn a_lost_request_is_sent_again_with_the_same_octets() {
    let server = Server::start(|number, answer| if number == 0 { vec![] } else { vec![answer] });
    let (report, datagrams) = run(&plan(server.address, 1));
    assert_eq!(report.progress, Progress { sent: 1, answered: 1, repeated: 1, unanswered: 0 });
    assert_eq!(datagrams.len(), 2);
    assert_eq!(datagrams[0], datagrams[1]);
    // Latency counts from the first sending.
    assert!(report.latency.min() >= 150_000_000);
}

#[test]
fn silence_is_given_up_after_the_retries() {
    let server = Server::start(|_, _| vec![]);
    let (report, datagrams) = run(&plan(server.address, 3));
    assert_eq!(report.progress, Progress { sent: 3, answered: 0, unanswered: 3, repeated: 3 });
    assert_eq!(datagrams.len(), 6);
}

#[test]
fn wrong_answers_are_named_and_the_right_one_still_counts() {
    let server = Server::start(|_, answer| {
        let mut authenticator = answer.clone();
        authenticator[10] ^= 1;
        let mut code = answer.clone();
        code[0] = 2;
        vec![authenticator, code, answer[..19].to_vec(), answer.clone(), answer]
    });
    let (report, _) = run(&Plan { window: 1, ..plan(server.address, 1) });
    assert_eq!(report.progress.answered, 1);
    let wrong = report.wrong.into_iter().collect::<Vec<_>>();
    assert_eq!(wrong, [("malformed", 1), ("wrong_authenticator", 1), ("wrong_code", 1)]);
}

#[test]
fn proxy_state_must_come_back_in_order() {
    let request = request(0, 7).unwrap();
    let asked: &[u8; 16] = request[4..20].try_into().unwrap();
    let sign = |states: &[&[u8]]| {
        let mut answer = vec![5, 7, 0, 0];
        answer.extend([0; 16]);
        for state in states {
            answer.extend([33, state.len() as u8 + 2]);
            answer.extend_from_slice(state);
        }
        answer[3] = answer.len() as u8;
        let signature = radius::authenticator::response_authenticator(&answer, asked, SECRET);
        answer[4..20].copy_from_slice(&signature);
        answer
    };
    let check = |states: &[&[u8]]| answer::check(&sign(states), &request, SECRET);
    assert_eq!(check(&[b"one", b"two"]), Ok(()));
    assert_eq!(check(&[b"two", b"one"]), Err(Flaw::ProxyState));
    assert_eq!(check(&[b"one"]), Err(Flaw::ProxyState));
    assert_eq!(check(&[]), Err(Flaw::ProxyState));
}

#[test]
fn nobody_listening_is_noticed() {
    let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (report, _) = run(&plan(free, 2));
    assert_eq!(report.progress.unanswered, 2);
    assert!(report.refused > 0);
}

#[test]
fn the_rate_is_kept() {
    let server = Server::start(|_, answer| vec![answer]);
    let (report, _) = run(&Plan { pace: Pace::Rate(100.0), ..plan(server.address, 30) });
    // 30 requests are 29 gaps of 10 ms.
    assert!(report.elapsed >= Duration::from_millis(290), "{:?}", report.elapsed);
    assert!(report.elapsed < Duration::from_secs(3), "{:?}", report.elapsed);
}

#[test]
fn a_schedule_says_when_and_from_where() {
    let server = Server::start(|_, answer| vec![answer]);
    let sources = ["127.0.0.2:0", "127.0.0.3:0"].map(|source| source.parse().unwrap()).to_vec();
    let after = |milliseconds, source| (Duration::from_millis(milliseconds), source);
    let schedule = vec![after(0, 1), after(0, 0), after(0, 1), after(200, 0)];
    let plan = Plan { sources, pace: Pace::Schedule(schedule), ..plan(server.address, 4) };
    let mut left = Vec::new();
    let report = exchange(
        &plan,
        request,
        |source, _| {
            left.push(source.ip().to_string());
            Ok(())
        },
        |_| {},
    )
    .unwrap();
    assert_eq!(report.progress.answered, 4);
    assert!(report.elapsed >= Duration::from_millis(200), "{:?}", report.elapsed);
    left.truncate(3);
    assert_eq!(left, ["127.0.0.3", "127.0.0.2", "127.0.0.3"]);
}
