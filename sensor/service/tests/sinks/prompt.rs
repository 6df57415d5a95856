//! An alert arrives within 5 s where its peer runs: also when that was away for long, and when the connection to it is dead
//! without a word.

use std::{
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use rustix::net::{AddressFamily, SocketType, bind, listen, socket, sockopt};
use service::export::format::Format;

use super::{hook, notice, open, rsyslog::syslog, standing, until, webhook::webhook};

const IN_TIME: Duration = Duration::from_secs(5);

/// Tells of each octet-counted message that comes in, when it came.
fn read_all(stream: TcpStream) -> Receiver<Instant> {
    let (arrived, arrivals) = channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        loop {
            let mut length = Vec::new();
            if stream.read_until(b' ', &mut length).unwrap_or(0) == 0 {
                return;
            }
            let length: usize = String::from_utf8(length).unwrap().trim().parse().unwrap();
            let mut message = vec![0; length];
            std::io::Read::read_exact(&mut stream, &mut message).unwrap();
            let _ = arrived.send(Instant::now());
        }
    });
    arrivals
}

/// A listener whose connections take so little that a message stays in the sender's kernel.
fn narrow() -> TcpListener {
    let listener = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    sockopt::set_socket_recv_buffer_size(&listener, 4096).unwrap();
    bind(&listener, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    listen(&listener, 8).unwrap();
    listener.into()
}

#[test]
fn a_connection_that_swallows_what_is_written_is_given_up_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let listener = narrow();
    let port = listener.local_addr().unwrap().port();
    let sinks = open(folder.path(), vec![syslog("syslog", Format::Json, port, None)]);
    let mut long = notice(1, "alice");
    long.alert.message = "x".repeat(500_000);
    let told = Instant::now();
    sinks.tell_notice(&long, &[]);
    // Its kernel takes the beginning and no more, as behind a firewall that forgot the connection.
    let (_dead, _) = listener.accept().unwrap();
    let (lives, _) = listener.accept().unwrap();
    read_all(lives).recv_timeout(Duration::from_secs(30)).unwrap();
    assert!(told.elapsed() < IN_TIME, "{:?}", told.elapsed());
    sinks.stop();
}

#[test]
fn a_peer_that_was_away_for_long_gets_the_next_message_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let (log, web) = (hook::free_address(), hook::free_address());
    let sinks = open(
        folder.path(),
        vec![
            syslog("log", Format::Cef, log.port(), None),
            webhook("web", format!("http://{web}/hook"), Default::default()),
        ],
    );
    sinks.tell_notice(&notice(1, "alice"), &[]);
    until("both are away", || ["log", "web"].iter().all(|name| !standing(&sinks, name).is_up));
    // Until each rests for as long as it ever does.
    thread::sleep(Duration::from_secs(9));
    assert!(["log", "web"].iter().all(|name| standing(&sinks, name).failures > 3));
    let listener = TcpListener::bind(log).unwrap();
    let (_, inbox) = hook::serve(web);
    let told = Instant::now();
    sinks.tell_notice(&notice(2, "alice"), &[]);
    let (stream, _) = listener.accept().unwrap();
    let arrivals = read_all(stream);
    for _ in 0..2 {
        arrivals.recv_timeout(Duration::from_secs(30)).unwrap();
    }
    assert!(told.elapsed() < IN_TIME, "syslog: {:?}", told.elapsed());
    until("both arrive", || inbox.taken().lines().count() == 2);
    assert!(told.elapsed() < IN_TIME, "webhook: {:?}", told.elapsed());
    sinks.stop();
}

#[test]
fn a_receiver_that_ends_a_connection_at_rest_is_not_down() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let sinks = open(folder.path(), vec![syslog("syslog", Format::Cef, port, None)]);
    sinks.tell_notice(&notice(1, "alice"), &[]);
    let (first, _) = listener.accept().unwrap();
    read_all(first.try_clone().unwrap()).recv_timeout(IN_TIME).unwrap();
    until("it is known to have arrived", || standing(&sinks, "syslog").waiting == 0);
    first.shutdown(std::net::Shutdown::Both).unwrap();
    thread::sleep(Duration::from_secs(1));
    let rests = standing(&sinks, "syslog");
    assert_eq!((rests.is_up, rests.failures), (true, 0));
    sinks.tell_notice(&notice(2, "alice"), &[]);
    let (second, _) = listener.accept().unwrap();
    read_all(second).recv_timeout(IN_TIME).unwrap();
    sinks.stop();
}
