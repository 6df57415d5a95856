//! The steer program on a real wire: attached, fed and asked through its loader. Needs root.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use end_to_end::{
    Namespace, PATIENCE, Wire, wait_until,
    wire::{NAS_V4, NAS_V6, SENSOR_DEVICE, SENSOR_V4, SENSOR_V6},
};
use ingest::capture::{
    netlink::{self, Watch},
    steer::{Options, Steer, SteerError},
};
use ipnet::IpNet;
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use sensor_ebpf::{Flags, Meta, Verdict};
use xsk::{Hook, Interface, KernelRelease, Mode, Opened, Plan, ladder};

const PORT: u16 = 1813;

/// A program that takes port 1813 of the sensor's addresses from the first client's, attached nowhere. Call it inside
/// the sensor's namespace.
fn load() -> Steer {
    let interface = Interface::query(SENSOR_DEVICE).unwrap();
    let mut steer = Steer::load(&interface, &Options::default()).unwrap();
    let listening = ["0.0.0.0:1813".parse().unwrap(), "[::]:1813".parse().unwrap()];
    let addresses = Watch::open().unwrap().addresses().unwrap();
    steer.set_endpoints(netlink::endpoints(&listening, &addresses, interface.index)).unwrap();
    steer.set_clients(clients(&["192.0.2.10/32", "2001:db8::10/128"])).unwrap();
    steer
}

fn clients(prefixes: &[&str]) -> Vec<(IpNet, u32)> {
    (0..).zip(prefixes).map(|(index, prefix)| (prefix.parse().unwrap(), index)).collect()
}

/// The program in force with its sockets, as the sensor sets it up.
fn capture(wire: &Wire, modes: &[Mode]) -> (Steer, Opened) {
    wire.sensor.enter(|| {
        let mut steer = load();
        let options = xsk::Options {
            frames: 512,
            fill: 256,
            receive: 256,
            transmit: 64,
            completion: 64,
            ..Default::default()
        };
        let release = KernelRelease::running().unwrap();
        let plan = Plan { modes, options, release, force_copy_mode: false };
        let interface = Interface::query(SENSOR_DEVICE).unwrap();
        let opened = ladder::open(&interface, &mut steer, &plan).unwrap();
        (steer, opened)
    })
}

fn socket(namespace: &Namespace, address: impl Into<IpAddr>, port: u16) -> UdpSocket {
    let address = SocketAddr::new(address.into(), port);
    let socket = namespace.enter(|| UdpSocket::bind(address)).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    socket
}

fn count(steer: &Steer, verdict: Verdict) -> u64 {
    steer.verdicts().unwrap()[verdict as usize]
}

fn programs(wire: &Wire) -> Vec<u32> {
    let links = wire.sensor.enter(|| Watch::open().unwrap().links()).unwrap();
    links.into_iter().find(|link| link.name == SENSOR_DEVICE).unwrap().xdp_program_ids
}

#[test]
fn a_known_clients_datagram_reaches_the_ring_with_its_metadata_in_front() {
    for mode in [Mode::NativeCopy, Mode::SkbCopy] {
        let wire = Wire::new();
        let (steer, mut opened) = capture(&wire, &[mode]);
        assert_eq!(opened.mode, mode);
        let kernel = [socket(&wire.sensor, SENSOR_V4, PORT), socket(&wire.sensor, SENSOR_V6, PORT)];
        for (client, source, destination, flags, l3) in [
            (0, IpAddr::from(NAS_V4), IpAddr::from(SENSOR_V4), Flags(0), 20),
            (1, NAS_V6.into(), SENSOR_V6.into(), Flags::IPV6, 40),
        ] {
            socket(&wire.nas, source, 0).send_to(b"payload", (destination, PORT)).unwrap();
            let mut burst = Vec::new();
            wait_until("the datagram in the ring", PATIENCE, || {
                opened.sockets[0].receive(&mut burst, 64) > 0
            });
            let packet = burst.pop().unwrap();
            let meta = opened.sockets[0].before_packet(&packet, Meta::LENGTH).unwrap().first_chunk();
            let meta = Meta::from_bytes(meta.unwrap()).expect("our metadata");
            assert_eq!((meta.client_index, meta.payload_length, meta.flags), (client, 7, flags));
            assert_eq!((meta.l3_offset, meta.l4_offset, meta.payload_offset), (14, 14 + l3, 22 + l3));
            let payload = &opened.sockets[0].packet(&packet)[meta.payload_offset.into()..];
            assert_eq!(payload[..7], *b"payload");
            opened.sockets[0].give_back(packet.into_frame());
        }
        assert_eq!(count(&steer, Verdict::Steered), 2);
        for kernel in &kernel {
            assert!(kernel.recv_from(&mut [0; 16]).is_err(), "the kernel's socket got it as well");
        }
    }
}

#[test]
fn disarmed_or_without_a_socket_the_kernel_gets_the_datagram() {
    let wire = Wire::new();
    let (mut steer, opened) = capture(&wire, &[Mode::NativeCopy]);
    let kernel = socket(&wire.sensor, SENSOR_V4, PORT);
    let nas = socket(&wire.nas, NAS_V4, 0);
    let mut buffer = [0; 16];

    steer.disarm().unwrap();
    nas.send_to(b"disarmed", (SENSOR_V4, PORT)).unwrap();
    assert_eq!(kernel.recv(&mut buffer).unwrap(), 8);

    steer.arm().unwrap();
    // Closing a socket takes it out of the map.
    drop(opened);
    nas.send_to(b"no socket", (SENSOR_V4, PORT)).unwrap();
    assert_eq!(kernel.recv(&mut buffer).unwrap(), 9);
    assert_eq!(count(&steer, Verdict::NoSocket), 1);
    assert_eq!(count(&steer, Verdict::Steered), 0);
}

#[test]
fn dropped_it_leaves_the_hook() {
    let wire = Wire::new();
    let (steer, opened) = capture(&wire, &[Mode::NativeCopy]);
    assert_eq!(programs(&wire).len(), 1);
    drop(steer);
    wait_until("the program's leaving", PATIENCE, || programs(&wire).is_empty());
    drop(opened);
    let kernel = socket(&wire.sensor, SENSOR_V4, PORT);
    socket(&wire.nas, NAS_V4, 0).send_to(b"free", (SENSOR_V4, PORT)).unwrap();
    assert_eq!(kernel.recv(&mut [0; 16]).unwrap(), 4);
}

#[test]
fn who_holds_the_hook_is_named() {
    let wire = Wire::new();
    let (_steer, _opened) = capture(&wire, &[Mode::NativeCopy]);
    let held_by = programs(&wire)[0];
    for hook in [Hook::Driver, Hook::Skb] {
        let error = wire.sensor.enter(|| load().attach(hook)).unwrap_err();
        let text = error.to_string();
        let SteerError::Occupied { interface, owner } = error else { panic!("{error:?}") };
        let owner = owner.unwrap();
        assert_eq!((&interface[..], owner.program_id), (SENSOR_DEVICE, held_by));
        assert_eq!(owner.program_name.as_deref(), Some("steer"));
        let link = owner.link_id.unwrap();
        assert!(text.contains(&format!("bpftool link detach id {link}")), "{text}");
    }
}

#[test]
fn a_jumbo_mtu_takes_the_program_that_knows_fragments() {
    let wire = Wire::new();
    wire.sensor.ip(&format!("link set {SENSOR_DEVICE} mtu 9000"));
    wire.sensor.enter(|| {
        let mut steer = load();
        steer.attach(Hook::Driver).unwrap();
        assert!(steer.is_attached());
    });
}

#[test]
fn too_few_queues_say_what_to_change() {
    let namespace = Namespace::new("queues");
    namespace.ip(&format!("link add {SENSOR_DEVICE} numtxqueues 1 numrxqueues 1 type veth peer name peer0 numtxqueues 4 numrxqueues 4"));
    namespace.ip("link set peer0 up");
    namespace.ip(&format!("link set {SENSOR_DEVICE} up"));
    let error = namespace.enter(|| load().attach(Hook::Driver)).unwrap_err();
    assert!(matches!(error, SteerError::Queues { rx: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("ethtool -L sensor0"), "{error}");
}

#[test]
fn a_deleted_device_cannot_be_attached_to() {
    let wire = Wire::new();
    let mut steer = wire.sensor.enter(load);
    wire.sensor.ip(&format!("link delete {SENSOR_DEVICE}"));
    let error = wire.sensor.enter(|| steer.attach(Hook::Driver)).unwrap_err();
    assert!(matches!(error, SteerError::Gone { .. }), "{error:?}");
}

#[test]
fn everything_goes_on_without_capabilities_but_loading() {
    let wire = Wire::new();
    let (mut steer, mut opened) = capture(&wire, &[Mode::NativeCopy]);
    wire.sensor.enter(|| {
        let none = CapabilitySet::empty();
        let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
        // This thread's only, and it ends with the closure.
        set_capabilities(None, sets).unwrap();
        let error =
            Steer::load(&Interface::query(SENSOR_DEVICE).unwrap(), &Options::default()).err().unwrap();
        assert!(matches!(error, SteerError::Privileges { .. }), "{error:?}");

        steer.set_clients(clients(&["192.0.2.0/24"])).unwrap();
        steer.set_endpoints([SocketAddr::new(SENSOR_V4.into(), 1646)]).unwrap();
        steer.disarm().unwrap();
        steer.arm().unwrap();
        steer.set_sample_interval(Duration::ZERO).unwrap();
        steer.unknown_sources().unwrap();
        steer.verdicts().unwrap();
        let mut watch = Watch::open().unwrap();
        watch.addresses().unwrap();
        watch.events().unwrap();
    });
    socket(&wire.nas, NAS_V4, 0).send_to(b"after", (SENSOR_V4, 1646)).unwrap();
    let mut burst = Vec::new();
    wait_until("the datagram in the ring", PATIENCE, || opened.sockets[0].receive(&mut burst, 64) > 0);
    opened.sockets[0].give_back(burst.pop().unwrap().into_frame());
    wire.sensor.enter(|| {
        let none = CapabilitySet::empty();
        set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
            .unwrap();
        drop(steer);
    });
    wait_until("the program's leaving", PATIENCE, || programs(&wire).is_empty());
}

#[test]
fn other_ports_and_addresses_replace_the_old_ones() {
    let wire = Wire::new();
    let (mut steer, mut opened) = capture(&wire, &[Mode::NativeCopy]);
    let nas = socket(&wire.nas, NAS_V4, 0);
    let mut expect = |steer: &Steer, port: u16, verdict: Verdict| {
        let before = count(steer, verdict);
        nas.send_to(b"x", (SENSOR_V4, port)).unwrap();
        wait_until("the verdict", PATIENCE, || count(steer, verdict) == before + 1);
        let mut burst = Vec::new();
        opened.sockets[0].receive(&mut burst, 64);
        burst.into_iter().for_each(|packet| opened.sockets[0].give_back(packet.into_frame()));
    };
    expect(&steer, 1813, Verdict::Steered);
    expect(&steer, 1646, Verdict::OtherPort);
    steer.set_endpoints([SocketAddr::new(SENSOR_V4.into(), 1646)]).unwrap();
    expect(&steer, 1813, Verdict::OtherPort);
    expect(&steer, 1646, Verdict::Steered);
    // The port stays for the address that still has it.
    steer.set_endpoints([SocketAddr::new(SENSOR_V6.into(), 1646)]).unwrap();
    expect(&steer, 1646, Verdict::OtherAddress);
    steer.set_endpoints([]).unwrap();
    expect(&steer, 1646, Verdict::OtherPort);
}

#[test]
fn a_client_that_stays_is_never_missing_while_others_are_replaced() {
    let wire = Wire::new();
    let (mut steer, mut opened) = capture(&wire, &[Mode::NativeCopy]);
    let nas = socket(&wire.nas, NAS_V4, 0);
    let (done, seen) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                nas.send_to(b"x", (SENSOR_V4, PORT)).unwrap();
                let mut burst = Vec::new();
                if opened.sockets[0].receive(&mut burst, 64) > 0 {
                    seen.store(true, Relaxed);
                }
                burst.into_iter().for_each(|packet| opened.sockets[0].give_back(packet.into_frame()));
                opened.sockets[0].refill();
            }
        });
        wait_until("datagrams", PATIENCE, || seen.load(Relaxed));
        // By another index, by a longer or a shorter prefix, among others that come and go.
        for round in 0..300 {
            let other = |n: u32| (format!("10.{}.{n}.0/24", round % 256).parse().unwrap(), n);
            let mut table: Vec<(IpNet, u32)> = (0..20).map(other).collect();
            table.push((
                ["192.0.2.10/32", "192.0.2.0/24", "0.0.0.0/0"][round % 3].parse().unwrap(),
                round as u32,
            ));
            steer.set_clients(table).unwrap();
        }
        done.store(true, Relaxed);
    });
    assert!(count(&steer, Verdict::Steered) > 100);
    assert_eq!(count(&steer, Verdict::UnknownClient) + count(&steer, Verdict::UnknownSample), 0);
}

#[test]
fn unknown_sources_are_dropped_remembered_and_sampled() {
    let wire = Wire::new();
    let (mut steer, mut opened) = capture(&wire, &[Mode::NativeCopy]);
    steer.set_sample_interval(Duration::ZERO).unwrap();
    let kernel = socket(&wire.sensor, SENSOR_V4, PORT);
    steer.set_clients(clients(&["203.0.113.0/24"])).unwrap();
    let (four, six) = (socket(&wire.nas, NAS_V4, 0), socket(&wire.nas, NAS_V6, 0));
    for _ in 0..3 {
        four.send_to(b"who?", (SENSOR_V4, PORT)).unwrap();
    }
    six.send_to(b"who?", (SENSOR_V6, PORT)).unwrap();
    wait_until("the verdicts", PATIENCE, || count(&steer, Verdict::UnknownClient) == 4);
    let sources: HashSet<(IpAddr, u64, u16, u16)> = steer
        .unknown_sources()
        .unwrap()
        .into_iter()
        .map(|source| (source.address, source.count, source.last_port, source.our_port))
        .collect();
    let port = |socket: &UdpSocket| socket.local_addr().unwrap().port();
    let expected = [(NAS_V4.into(), 3, port(&four), PORT), (NAS_V6.into(), 1, port(&six), PORT)];
    assert_eq!(sources, HashSet::from(expected));
    assert!(kernel.recv(&mut [0; 16]).is_err(), "the kernel's socket got a dropped datagram");

    steer.set_sample_interval(Duration::from_nanos(1)).unwrap();
    four.send_to(b"sample", (SENSOR_V4, PORT)).unwrap();
    let mut burst = Vec::new();
    wait_until("the sample in the ring", PATIENCE, || opened.sockets[0].receive(&mut burst, 64) > 0);
    let meta = opened.sockets[0].before_packet(&burst[0], Meta::LENGTH).unwrap().first_chunk();
    let meta = Meta::from_bytes(meta.unwrap()).unwrap();
    assert!(meta.flags.has(Flags::UNKNOWN));
    assert_eq!(count(&steer, Verdict::UnknownSample), 1);
    assert_eq!(count(&steer, Verdict::UnknownClient), 4);
    burst.into_iter().for_each(|packet| opened.sockets[0].give_back(packet.into_frame()));
}

#[test]
fn more_prefixes_than_there_is_room_for_are_an_error() {
    let wire = Wire::new();
    wire.sensor.enter(|| {
        let options = Options { prefixes_max: 2, ..Options::default() };
        let mut steer = Steer::load(&Interface::query(SENSOR_DEVICE).unwrap(), &options).unwrap();
        steer.set_clients(clients(&["10.0.0.0/8", "192.0.2.0/24"])).unwrap();
        let error =
            steer.set_clients(clients(&["10.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24"])).unwrap_err();
        assert!(matches!(error, SteerError::Full { map: "CLIENTS_V4" }), "{error:?}");
        // Of these at least one has found room before another found none: it has gone again.
        let others = ["198.51.100.0/24", "203.0.113.0/24"];
        steer.set_clients(clients(&["10.0.0.0/8"])).unwrap();
        steer.set_clients(clients(&others)).unwrap_err();
        steer.set_clients(clients(&["10.0.0.0/8", "192.0.2.0/24"])).unwrap();
        steer.set_clients(clients(&["10.0.0.0/8"])).unwrap();
        steer.set_clients(clients(&["10.0.0.0/8", "198.51.100.0/24"])).unwrap();
    });
}
