//! Several receive queues: each is covered, a request that comes by two of them is recorded once, and one without a
//! socket is served by the kernel's way.

use std::net::SocketAddr;
use std::thread;

use end_to_end::config::{ClientEntry, Config, PORT, SECRET};
use end_to_end::frames::{Frame, parse};
use end_to_end::nas::is_answer;
use end_to_end::packet_socket::PacketSocket;
use end_to_end::requests::start;
use end_to_end::sensor::Home;
use end_to_end::wire::{NAS_DEVICE, NAS_V4, SENSOR_DEVICE, SENSOR_V4};
use end_to_end::{Nas, PATIENCE, Wire, journal};
use rustix::thread::{CpuSet, sched_setaffinity};

/// Runs `work` on a thread that stays on one CPU.
fn on_cpu<T: Send>(cpu: usize, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        scope
            .spawn(|| {
                let mut set = CpuSet::new();
                set.set(cpu);
                sched_setaffinity(None, &set).expect("this test needs two CPUs");
                work()
            })
            .join()
            .unwrap()
    })
}

#[test]
fn where_xdp_has_no_queue_it_is_said_why() {
    let wire = Wire::new();
    let here = [ClientEntry::new("here", &["127.0.0.0/8"], SECRET)];
    for (config, why) in [
        (Config::udp(), ("reason", "listen.xdp is off")),
        (Config::udp().mode("auto").clients(&here), ("reason", "every client is on loopback")),
    ] {
        let metrics = Home::new(&config).start(&wire.sensor).metrics();
        assert!(metrics.has("vpn_sensor_capture_refused", &[("mode", "xdp"), why]), "{why:?}");
    }
}

#[test]
fn the_same_request_by_two_queues_is_answered_twice_and_recorded_once() {
    let wire = Wire::with_queues(2);
    wire.steer_queues_by_cpu();
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    assert_eq!(sensor.metrics().queues_in_mode("native copy"), 2);
    let (from, to) = (SocketAddr::from((NAS_V4, 40_000)), SocketAddr::from((SENSOR_V4, PORT)));
    let socket = PacketSocket::new(&wire.nas, NAS_DEVICE);
    for round in 0..20 {
        let request = start(round, &format!("round-{round}"), SECRET);
        let frame = Frame::new((wire.nas_mac(), wire.sensor_mac()), from, to, &request).octets();
        for cpu in [0, 1] {
            on_cpu(cpu, || socket.send(&frame));
            let is_answer_frame = |octets: &[u8]| {
                parse(octets).is_some_and(|captured| {
                    captured.source_port == PORT && is_answer(&request, &captured.payload, SECRET)
                })
            };
            assert!(socket.receive(PATIENCE, is_answer_frame).is_some(), "no answer by queue {cpu}");
        }
    }
    let metrics = sensor.settled();
    assert_eq!((metrics.verdict("accepted"), metrics.verdict("duplicate")), (20, 20));
    for queue in [0, 1] {
        let worker = format!("{SENSOR_DEVICE}-{queue}");
        assert_eq!(metrics.sum("vpn_sensor_received_total", &[("worker", &worker)]), 20, "queue {queue}");
    }
    assert_eq!(journal::sessions(&home, &wire.sensor).len(), 20);
}

#[test]
fn a_queue_without_a_socket_is_served_by_the_kernel() {
    // One receive queue at the start, one more while the sensor runs: it knows nothing of the second.
    let wire = Wire::with_queues(2);
    wire.nas.run("ethtool", &format!("-L {NAS_DEVICE} rx 2 tx 1"));
    wire.sensor.run("ethtool", &format!("-L {SENSOR_DEVICE} rx 1 tx 1"));
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    assert_eq!(sensor.metrics().queues_in_mode("native copy"), 1);
    wire.sensor.run("ethtool", &format!("-L {SENSOR_DEVICE} rx 2"));
    wire.nas.run("ethtool", &format!("-L {NAS_DEVICE} tx 2"));
    wire.steer_queues_by_cpu();
    for (cpu, session) in [(0, "queue-0"), (1, "queue-1")] {
        let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
        on_cpu(cpu, || nas.ask(&start(1, session, SECRET)));
    }
    let metrics = sensor.settled();
    assert_eq!((metrics.verdict_on("xdp", "accepted"), metrics.verdict_on("udp", "accepted")), (1, 1));
    journal::assert_sessions(&home, &wire.sensor, &["queue-0", "queue-1"]);
}
