//! The sockets alone, on loopback.

use std::{net::UdpSocket, time::Duration};

use super::*;
use crate::WorkerWake;

fn source(addresses: &[&str]) -> UdpSource {
    let addresses: Vec<SocketAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
    UdpSource::bind(&addresses).unwrap()
}

fn client(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket
}

/// Waits until something is there and takes it.
fn receive(source: &mut UdpSource) -> usize {
    let wake = WorkerWake::new().unwrap();
    loop {
        match source.receive().unwrap() {
            0 => source.wait(wake.event(), 5000).unwrap(),
            count => return count,
        }
    }
}

#[test]
fn r8_the_answer_leaves_from_the_address_that_was_asked() {
    let mut source = source(&["0.0.0.0:0", "[::]:0"]);
    let ports: Vec<u16> = source.addresses().map(|address| address.port()).collect();
    for (asked, from) in [
        (SocketAddr::new("127.0.0.1".parse().unwrap(), ports[0]), "127.0.0.9:0"),
        (SocketAddr::new("127.0.0.2".parse().unwrap(), ports[0]), "127.0.0.1:0"),
        (SocketAddr::new("::1".parse().unwrap(), ports[1]), "[::1]:0"),
    ] {
        let client = client(from);
        client.send_to(b"question", asked).unwrap();
        assert_eq!(receive(&mut source), 1);
        let datagram = source.datagram(0).unwrap();
        assert_eq!(datagram.payload, b"question");
        assert_eq!(datagram.source, client.local_addr().unwrap());
        assert_eq!(datagram.destination, asked);
        let route = source.route(0);
        source.release();
        assert!(source.send(&route, b"answer"));
        source.flush().unwrap();
        let mut answer = [0; 64];
        let (length, sender) = client.recv_from(&mut answer).unwrap();
        assert_eq!((&answer[..length], sender), (&b"answer"[..], asked));
    }
}

#[test]
fn arrival_times_are_the_kernels() {
    let mut source = source(&["127.0.0.1:0"]);
    let to = source.addresses().next().unwrap();
    let client = client("127.0.0.1:0");
    let mut exchange = || {
        let before = (unix_ns(), monotonic_ns());
        client.send_to(b"x", to).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        let sent = (unix_ns(), monotonic_ns());
        assert_eq!(receive(&mut source), 1);
        let datagram = source.datagram(0).unwrap();
        let arrival = (datagram.arrival_unix_ns, datagram.arrival_monotonic_ns);
        source.release();
        (before, arrival, sent)
    };
    // The kernel begins to stamp some time after the first socket asks for it, on a busy host later. Until then the time of
    // the look is what it says.
    let is_stamped = (0..250).any(|_| {
        let (_, arrival, sent) = exchange();
        arrival.0 < sent.0
    });
    assert!(is_stamped, "no datagram in five seconds");
    for _ in 0..3 {
        let (before, arrival, sent) = exchange();
        let slack = 5_000_000;
        assert!(arrival.0 >= before.0 && arrival.0 < sent.0);
        assert!(arrival.1 + slack >= before.1 && arrival.1 < sent.1);
    }
}

#[test]
fn r7_a_datagram_longer_than_a_packet_is_taken_and_counted() {
    let mut source = source(&["127.0.0.1:0"]);
    let to = source.addresses().next().unwrap();
    let client = client("127.0.0.1:0");
    client.send_to(&[7; 4100], to).unwrap();
    client.send_to(&[8; 9000], to).unwrap();
    client.send_to(&[], to).unwrap();
    let mut lengths = Vec::new();
    while lengths.len() < 3 {
        let count = receive(&mut source);
        lengths.extend((0..count).map(|index| source.datagram(index).unwrap().payload.len()));
    }
    assert_eq!(lengths, [4100, 4160, 0]);
    assert_eq!(source.counters().longer_than_a_packet(), 1);
}

#[test]
fn many_sockets_share_a_burst_and_none_starves() {
    let mut source = source(&["127.0.0.1:0", "127.0.0.2:0", "[::1]:0"]);
    let to: Vec<SocketAddr> = source.addresses().collect();
    let (v4, v6) = (client("127.0.0.1:0"), client("[::1]:0"));
    for _ in 0..2 * MESSAGES {
        v4.send_to(b"flood", to[0]).unwrap();
    }
    v4.send_to(b"lone", to[1]).unwrap();
    v6.send_to(b"lone", to[2]).unwrap();
    let mut seen = [0; 3];
    for _ in 0..3 {
        let count = receive(&mut source);
        (0..count).for_each(|index| seen[source.route(index).listener] += 1);
        source.release();
    }
    assert_eq!(seen[1..], [1, 1]);
    assert!(seen[0] >= MESSAGES);
}

#[test]
fn a_refused_answer_does_not_hold_up_the_others() {
    let mut source = source(&["127.0.0.1:0"]);
    let client = client("127.0.0.1:0");
    client.send_to(b"x", source.addresses().next().unwrap()).unwrap();
    receive(&mut source);
    let good = source.route(0);
    // Port 0 cannot be sent to.
    let bad = UdpRoute { peer: "127.0.0.1:0".parse().unwrap(), ..good };
    for route in [&bad, &good, &bad, &good] {
        assert!(source.send(route, b"answer"));
    }
    source.flush().unwrap();
    let mut answer = [0; 64];
    for _ in 0..2 {
        assert_eq!(client.recv_from(&mut answer).unwrap().0, 6);
    }
    assert_eq!(source.counters().send_errors(), 2);
    assert!(source.sockets[0].waiting.is_empty());
}

#[test]
fn answers_beyond_the_room_are_refused_until_a_flush() {
    let mut source = source(&["127.0.0.1:0"]);
    let client = client("127.0.0.1:0");
    client.send_to(b"x", source.addresses().next().unwrap()).unwrap();
    receive(&mut source);
    let route = source.route(0);
    assert_eq!((0..100).filter(|_| source.send(&route, &[0; 20])).count(), MESSAGES);
    source.flush().unwrap();
    assert_eq!((0..100).filter(|_| source.send(&route, &[0; 4096])).count(), 8);
    source.flush().unwrap();
    assert!(source.send(&route, &[0; 4096]));
}

#[test]
fn what_a_closed_socket_leaves_unsent_is_no_answer() {
    let mut source = source(&["127.0.0.1:0"]);
    let client = client("127.0.0.1:0");
    client.send_to(b"x", source.addresses().next().unwrap()).unwrap();
    receive(&mut source);
    let route = source.route(0);
    assert!(source.send(&route, b"queued") && source.send(&route, b"queued"));
    source.set_open(false).unwrap();
    assert_eq!(source.counters().send_errors(), 2);
    assert!(!source.send(&route, b"too late"));
    source.set_open(true).unwrap();
    assert!(source.send(&route, b"answer"));
    source.flush().unwrap();
    let mut answer = [0; 64];
    assert_eq!(client.recv_from(&mut answer).unwrap().0, 6);
    assert_eq!(source.counters().send_errors(), 2);
}

#[test]
fn sockets_that_are_opened_without_privileges_tell_how_little_the_kernel_grants_them() {
    let mut source = source(&["127.0.0.1:0"]);
    // What this process may do is what it may do again; what no kernel grants is never said to be.
    let granted = source.counters().receive_buffer();
    let socket = &source.sockets[0].socket;
    assert_eq!(2 * granted as usize, rustix::net::sockopt::socket_recv_buffer_size(socket).unwrap());
    assert!(granted <= RECEIVE_BUFFER as u64);
    source.set_open(false).unwrap();
    std::thread::scope(|scope| {
        let opened = scope.spawn(|| {
            give_up_privileges();
            source.set_open(true).unwrap();
            source
        });
        let source = opened.join().unwrap();
        let limit: u64 =
            std::fs::read_to_string("/proc/sys/net/core/rmem_max").unwrap().trim().parse().unwrap();
        assert_eq!(source.counters().receive_buffer(), limit.min(RECEIVE_BUFFER as u64));
    });
}

/// Of this thread alone.
fn give_up_privileges() {
    use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none }).unwrap();
}

#[test]
fn two_workers_share_an_address_and_strangers_are_told_why_not() {
    let first = source(&["127.0.0.1:0"]);
    let address = first.addresses().next().unwrap();
    let second = UdpSource::bind(&[address]).unwrap();
    assert_eq!(second.addresses().next(), Some(address));
    let error = UdpSource::bind(&["192.0.2.1:1813".parse().unwrap()]).err().unwrap();
    assert!(error.to_string().starts_with("192.0.2.1:1813: bind: "), "{error}");
    let many = vec!["127.0.0.1:0".parse().unwrap(); MAX_ADDRESSES + 1];
    assert!(UdpSource::bind(&many).is_err());
}

#[test]
fn drops_of_a_full_socket_are_counted() {
    let mut source = source(&["127.0.0.1:0"]);
    let to = source.addresses().next().unwrap();
    rustix::net::sockopt::set_socket_recv_buffer_size(&source.sockets[0].socket, 4096).unwrap();
    let client = client("127.0.0.1:0");
    for _ in 0..200 {
        client.send_to(&[0; 500], to).unwrap();
    }
    let mut taken = 0;
    loop {
        match source.receive().unwrap() {
            0 => break,
            count => taken += count,
        }
        source.release();
    }
    assert!(taken < 200);
    client.send_to(b"tell", to).unwrap();
    receive(&mut source);
    assert_eq!(source.counters().socket_drops(), 200 - taken as u64);
}
