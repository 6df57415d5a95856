//! Frames in all forms that a network brings: whichever way they take through the sensor, the request is answered, and
//! the answer is fit for the wire.

use std::net::SocketAddr;
use std::time::Duration;

use end_to_end::config::{Config, PORT, Path, SECRET};
use end_to_end::frames::{Captured, Frame, parse};
use end_to_end::nas::is_answer;
use end_to_end::packet_socket::PacketSocket;
use end_to_end::requests::{of_length, start};
use end_to_end::sensor::Home;
use end_to_end::wire::{NAS_DEVICE, NAS_V4, NAS_V6, SENSOR_V4, SENSOR_V6};
use end_to_end::{Nas, PATIENCE, Wire, journal, on_each_path};

on_each_path!(
    fragments_are_answered_through_the_kernel,
    fragments_over_ipv6_are_answered_through_the_kernel,
    partial_udp_checksums_are_no_reason_to_refuse,
);

const NAS_PORT: u16 = 40_000;

/// A frame from the client's end to the sensor's.
fn frame(wire: &Wire, v6: bool, payload: &[u8]) -> Frame {
    let [source, destination] = if v6 {
        [SocketAddr::from((NAS_V6, NAS_PORT)), SocketAddr::from((SENSOR_V6, PORT))]
    } else {
        [SocketAddr::from((NAS_V4, NAS_PORT)), SocketAddr::from((SENSOR_V4, PORT))]
    };
    Frame::new((wire.nas_mac(), wire.sensor_mac()), source, destination, payload)
}

/// The next frame that answers from port 1813 to the client's port.
fn answer(socket: &PacketSocket, timeout: Duration) -> Option<Captured> {
    let answers = |frame: &[u8]| {
        parse(frame)
            .is_some_and(|captured| (captured.source_port, captured.destination_port) == (PORT, NAS_PORT))
    };
    parse(&socket.receive(timeout, answers)?)
}

fn fragments_are_answered_through_the_kernel(path: Path) {
    fragments(path, false);
}

fn fragments_over_ipv6_are_answered_through_the_kernel(path: Path) {
    fragments(path, true);
}

fn fragments(path: Path, v6: bool) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    // Bound, so that the answer finds a socket; the request leaves as frames of our own making.
    let from = if v6 { SocketAddr::from((NAS_V6, NAS_PORT)) } else { SocketAddr::from((NAS_V4, NAS_PORT)) };
    let to = if v6 { SENSOR_V6.into() } else { std::net::IpAddr::from(SENSOR_V4) };
    let nas = Nas::from_port(&wire.nas, from, to, SECRET);
    let socket = PacketSocket::new(&wire.nas, NAS_DEVICE);

    let request = of_length(1200, 1, "fragmented", SECRET);
    for fragment in frame(&wire, v6, &request).fragments(400) {
        socket.send(&fragment);
    }
    let answer = nas.answer(PATIENCE).expect("an answer");
    assert!(is_answer(&request, &answer, SECRET));
    // The other way round: the last fragment first.
    let request = of_length(1200, 2, "reordered", SECRET);
    for fragment in frame(&wire, v6, &request).fragments(400).iter().rev() {
        socket.send(fragment);
    }
    assert!(is_answer(&request, &nas.answer(PATIENCE).expect("an answer"), SECRET));
    // And one that never becomes whole: nothing arrives at all.
    let request = of_length(1200, 3, "incomplete", SECRET);
    for fragment in &frame(&wire, v6, &request).fragments(400)[..2] {
        socket.send(fragment);
    }
    // What the sender's own stack cuts.
    nas.ask(&of_length(4000, 4, "cut-by-the-sender", SECRET));

    let metrics = sensor.settled();
    assert_eq!(metrics.received_on("udp"), 3);
    assert_eq!(metrics.received_on("xdp"), 0);
    journal::assert_sessions(&home, &wire.sensor, &["fragmented", "reordered", "cut-by-the-sender"]);
}

fn partial_udp_checksums_are_no_reason_to_refuse(path: Path) {
    let wire = Wire::new();
    let home = Home::new(&path.config());
    let sensor = home.start(&wire.sensor);
    // An ordinary socket on a veth pair: its device completes no checksum, so each arrives partial.
    for (from, to, session) in
        [(NAS_V4.into(), SENSOR_V4.into(), "four"), (NAS_V6.into(), SENSOR_V6.into(), "six")]
    {
        let from: std::net::IpAddr = from;
        let to: std::net::IpAddr = to;
        Nas::new(&wire.nas, from, to, SECRET).ask_once(&start(1, session, SECRET));
    }
    let metrics = sensor.settled();
    assert_eq!(metrics.verdict_on(path.label(), "accepted"), 2);
    journal::assert_sessions(&home, &wire.sensor, &["four", "six"]);
}

#[test]
fn a_raw_frame_with_a_partial_checksum_is_accepted_from_the_ring() {
    for v6 in [false, true] {
        let wire = Wire::new();
        let home = Home::new(&Config::xdp());
        let sensor = home.start(&wire.sensor);
        let socket = PacketSocket::new(&wire.nas, NAS_DEVICE);
        let request = start(1, "partial", SECRET);
        let mut partial = frame(&wire, v6, &request);
        partial.udp_checksum = Some(partial.partial_checksum());
        socket.send(&partial.octets());
        let answer = answer(&socket, PATIENCE).expect("an answer");
        assert!(is_answer(&request, &answer.payload, SECRET));
        assert!(answer.checksums_right, "the answer's checksums are complete");
        let metrics = sensor.settled();
        assert_eq!((metrics.received_on("xdp"), metrics.received_on("udp")), (1, 0));
    }
}

#[test]
fn an_answer_carries_the_vlan_tags_of_its_request() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    let socket = PacketSocket::new(&wire.nas, NAS_DEVICE);
    let mut count = 0;
    for v6 in [false, true] {
        for vlans in [&[][..], &[7], &[100, 7]] {
            count += 1;
            let request = start(count, &format!("vlan-{count}"), SECRET);
            let mut tagged = frame(&wire, v6, &request);
            tagged.vlans = vlans.to_vec();
            socket.send(&tagged.octets());
            let answer = answer(&socket, PATIENCE).unwrap_or_else(|| panic!("no answer with tags {vlans:?}"));
            assert_eq!(answer.vlans, vlans);
            assert!(is_answer(&request, &answer.payload, SECRET));
            assert!(answer.checksums_right, "the answer's checksums");
        }
    }
    let metrics = sensor.settled();
    assert_eq!(metrics.received_on("xdp"), u64::from(count));
    assert_eq!(metrics.received_on("udp"), 0);
}

#[test]
fn three_vlan_tags_and_lying_lengths_never_reach_a_worker() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    let socket = PacketSocket::new(&wire.nas, NAS_DEVICE);
    let request = start(1, "lying", SECRET);
    for length in [0, 7, request.len() as u16 + 9, 0xffff] {
        let mut lying = frame(&wire, false, &request);
        lying.udp_length = Some(length);
        socket.send(&lying.octets());
    }
    // Cut off inside each header.
    let whole = frame(&wire, false, &request).octets();
    for length in [14, 15, 33, 34, 41] {
        socket.send(&whole[..length]);
    }
    let mut triple = frame(&wire, false, &request);
    triple.vlans = vec![100, 7];
    let mut octets = triple.octets();
    octets.splice(12..12, [0x88, 0xa8, 0, 9]);
    socket.send(&octets);
    // One more tag than steer reads; a genuine one shows that all before it is over.
    let genuine = start(2, "genuine", SECRET);
    socket.send(&frame(&wire, false, &genuine).octets());
    let answer = answer(&socket, PATIENCE).expect("an answer");
    assert!(is_answer(&genuine, &answer.payload, SECRET));
    let metrics = sensor.settled();
    assert_eq!(metrics.received(), 1);
    journal::assert_sessions(&home, &wire.sensor, &["genuine"]);
}

#[test]
fn a_udp_length_shorter_than_the_packet_is_the_datagrams_end() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    let socket = PacketSocket::new(&wire.nas, NAS_DEVICE);
    // Ethernet pads short frames: what stands behind the IP packet is not part of the datagram.
    let request = start(1, "padded-frame", SECRET);
    let mut octets = frame(&wire, false, &request).octets();
    octets.extend_from_slice(&[0xee; 40]);
    socket.send(&octets);
    let answer = answer(&socket, PATIENCE).expect("an answer");
    assert!(is_answer(&request, &answer.payload, SECRET));
    let metrics = sensor.settled();
    assert_eq!(metrics.verdict_on("xdp", "accepted"), 1);
}

#[test]
fn ip_options_take_the_kernels_way() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    let socket = PacketSocket::new(&wire.nas, NAS_DEVICE);
    let nas = Nas::from_port(&wire.nas, SocketAddr::from((NAS_V4, NAS_PORT)), SENSOR_V4, SECRET);
    let request = start(1, "options", SECRET);
    let mut options = frame(&wire, false, &request);
    options.options = vec![1, 1, 1, 0];
    socket.send(&options.octets());
    assert!(is_answer(&request, &nas.answer(PATIENCE).expect("an answer"), SECRET));
    let metrics = sensor.settled();
    assert_eq!((metrics.received_on("xdp"), metrics.received_on("udp")), (0, 1));
}

#[test]
fn the_same_request_by_both_ways_is_answered_twice_and_recorded_once() {
    let wire = Wire::new();
    let home = Home::new(&Config::xdp());
    let sensor = home.start(&wire.sensor);
    let socket = PacketSocket::new(&wire.nas, NAS_DEVICE);
    let nas = Nas::from_port(&wire.nas, SocketAddr::from((NAS_V4, NAS_PORT)), SENSOR_V4, SECRET);
    let mut answers = Vec::new();
    for (identifier, ring_first) in [(1, true), (2, false)] {
        let request = start(identifier, &format!("both-{identifier}"), SECRET);
        let by_ring = frame(&wire, false, &request);
        let mut by_kernel = by_ring.clone();
        by_kernel.options = vec![1, 1, 1, 0];
        let order = if ring_first { [by_ring, by_kernel] } else { [by_kernel, by_ring] };
        for frame in order {
            socket.send(&frame.octets());
            let answer = nas.answer(PATIENCE).expect("an answer");
            assert!(is_answer(&request, &answer, SECRET));
            answers.push(answer);
        }
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[2], answers[3]);
    let metrics = sensor.settled();
    assert_eq!((metrics.received_on("xdp"), metrics.received_on("udp")), (2, 2));
    assert_eq!((metrics.verdict("accepted"), metrics.verdict("duplicate")), (2, 2));
    journal::assert_sessions(&home, &wire.sensor, &["both-1", "both-2"]);
}
