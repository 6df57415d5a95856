//! The XDP source on the real kernel: the committed steer program on one end of a veth pair, ordinary UDP sockets on
//! the other, in two network namespaces of the test's own. Needs root.
//!
//! A namespace is gone with its last thread and socket: nothing is left behind, whatever becomes of the test.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]
#![allow(unsafe_code, reason = "moving a thread into a network namespace")]

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    os::fd::{AsFd, BorrowedFd},
    process::Command,
    sync::atomic::Ordering::Relaxed,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use aya::{
    Ebpf,
    maps::{Array, HashMap, LpmTrie, XskMap, lpm_trie::Key},
    programs::{Xdp, XdpMode},
};
use ingest::capture::{BURST, Source, SourceError, xdp::XdpSource};
use rustix::event::{EventfdFlags, eventfd};
use sensor_ebpf::{Config, LocalV4, LocalV6, OBJECT, PORT_WORDS, maps, programs};
use xsk::{Hook, Interface, KernelRelease, Mode, Options, Plan, Program, ladder};

const PORT: u16 = 1813;
const SENSOR: [&str; 2] = ["10.91.0.1", "fd91::1"];
const CLIENT: [&str; 2] = ["10.91.0.2", "fd91::2"];
const OPTIONS: Options = Options {
    frames: 1024,
    frame_size: 2048,
    fill: 512,
    receive: 512,
    transmit: 256,
    completion: 256,
    numa_node: None,
};

fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split(' ')).output().expect("the ip command");
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Moves this thread into a new network namespace and returns the path to it.
fn enter_namespace() -> String {
    // SAFETY: moves this thread alone.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0, "needs root: {}", io::Error::last_os_error());
    // SAFETY: only asks for a number.
    format!("/proc/{}/task/{}/ns/net", std::process::id(), unsafe { libc::gettid() })
}

/// A client's socket of each family, in its own namespace at the other end of the interface `sensor0` of this one.
fn wire() -> [UdpSocket; 2] {
    let (path_out, path_in) = mpsc::channel();
    let (go_out, go_in) = mpsc::channel::<()>();
    let client = thread::spawn(move || {
        path_out.send(enter_namespace()).unwrap();
        go_in.recv().unwrap();
        ip(&format!("addr add {}/24 dev client0", CLIENT[0]));
        ip(&format!("addr add {}/64 dev client0 nodad", CLIENT[1]));
        ip("link set client0 up");
        CLIENT.map(|address| {
            let socket = UdpSocket::bind((address.parse::<IpAddr>().unwrap(), 0)).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            socket
        })
    });
    ip("link add sensor0 type veth peer name client0");
    ip(&format!("link set client0 netns {}", path_in.recv().unwrap()));
    ip(&format!("addr add {}/24 dev sensor0", SENSOR[0]));
    ip(&format!("addr add {}/64 dev sensor0 nodad", SENSOR[1]));
    ip("link set sensor0 up");
    go_out.send(()).unwrap();
    client.join().unwrap()
}

/// The steer program, for one port at both addresses, and clients in both networks.
struct Steer(Option<Ebpf>);

impl Steer {
    fn ebpf(&mut self) -> &mut Ebpf {
        self.0.as_mut().unwrap()
    }

    fn set_armed(&mut self, armed: u32) {
        let config = Config { sample_interval_ns: 0, armed, frame_length_max: OPTIONS.longest_packet() };
        let mut map =
            Array::<_, [u8; Config::LENGTH]>::try_from(self.ebpf().map_mut(maps::CONFIG).unwrap()).unwrap();
        map.set(0, config.to_bytes(), 0).unwrap();
    }
}

impl Program for Steer {
    type Error = io::Error;

    fn attach(&mut self, interface: &Interface, hook: Hook) -> Result<(), io::Error> {
        self.0 = Some(Ebpf::load(OBJECT).map_err(io::Error::other)?);
        self.set_armed(0);
        let mut words = [0u64; PORT_WORDS as usize];
        words[usize::from(PORT) / 64] |= 1 << (PORT % 64);
        let mut ports = Array::<_, u64>::try_from(self.ebpf().map_mut(maps::PORTS).unwrap()).unwrap();
        for (index, word) in (0..).zip(words) {
            ports.set(index, word, 0).unwrap();
        }
        let (IpAddr::V4(v4), IpAddr::V6(v6)) = (SENSOR[0].parse().unwrap(), SENSOR[1].parse().unwrap())
        else {
            unreachable!()
        };
        let local = self.ebpf().map_mut(maps::LOCAL_V4).unwrap();
        let mut local = HashMap::<_, [u8; LocalV4::LENGTH], u32>::try_from(local).unwrap();
        local.insert(LocalV4::new(v4.octets(), PORT.to_be_bytes()).to_bytes(), 0, 0).unwrap();
        let local = self.ebpf().map_mut(maps::LOCAL_V6).unwrap();
        let mut local = HashMap::<_, [u8; LocalV6::LENGTH], u32>::try_from(local).unwrap();
        local.insert(LocalV6::new(v6.octets(), PORT.to_be_bytes()).to_bytes(), 0, 0).unwrap();
        let clients = self.ebpf().map_mut(maps::CLIENTS_V4).unwrap();
        LpmTrie::<_, [u8; 4], u32>::try_from(clients)
            .unwrap()
            .insert(&Key::new(24, v4.octets()), 0, 0)
            .unwrap();
        let clients = self.ebpf().map_mut(maps::CLIENTS_V6).unwrap();
        LpmTrie::<_, [u8; 16], u32>::try_from(clients)
            .unwrap()
            .insert(&Key::new(64, v6.octets()), 0, 0)
            .unwrap();

        let mode = match hook {
            Hook::Driver => XdpMode::Driver,
            Hook::Skb => XdpMode::Skb,
        };
        let program: &mut Xdp = self.ebpf().program_mut(programs::STEER).unwrap().try_into().unwrap();
        program.load().map_err(io::Error::other)?;
        program.attach(&interface.name, mode).map_err(io::Error::other)?;
        Ok(())
    }

    fn insert(&mut self, queue: u32, socket: BorrowedFd<'_>) -> Result<(), io::Error> {
        use std::os::fd::AsRawFd;
        let mut map = XskMap::try_from(self.ebpf().map_mut(maps::XSKS).unwrap()).unwrap();
        map.set(queue, socket.as_raw_fd(), 0).map_err(io::Error::other)
    }

    fn arm(&mut self) -> Result<(), io::Error> {
        self.set_armed(1);
        Ok(())
    }

    fn detach(&mut self) {
        self.0 = None;
    }
}

/// Runs a test with a source over a wire, opened in this mode.
fn with_source(mode: Mode, test: impl FnOnce(XdpSource, [UdpSocket; 2]) + Send + 'static) {
    let result = thread::spawn(move || {
        enter_namespace();
        let clients = wire();
        let interface = Interface::query("sensor0").unwrap();
        let plan = Plan {
            modes: &[mode],
            options: OPTIONS,
            release: KernelRelease::running().unwrap(),
            force_copy_mode: false,
        };
        let mut steer = Steer(None);
        let mut opened =
            ladder::open(&interface, &mut steer, &plan).unwrap_or_else(|error| panic!("{error}"));
        test(XdpSource::new(opened.sockets.pop().unwrap()), clients);
    })
    .join();
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

/// Takes bursts until `count` datagrams came and were answered with their own payload, reversed.
fn echo(source: &mut XdpSource, wake: BorrowedFd<'_>, count: usize) {
    let start = Instant::now();
    let mut answered = 0;
    while answered < count {
        assert!(start.elapsed() < Duration::from_secs(10), "{answered} of {count}: {:?}", source.counters());
        let received = source.receive().unwrap();
        assert!(received <= BURST);
        let answers: Vec<_> = (0..received)
            .map(|index| {
                let datagram = source.datagram(index).unwrap();
                assert_eq!(datagram.destination.port(), PORT);
                source.distrust(index);
                assert!(CLIENT.contains(&datagram.source.ip().to_string().as_str()));
                (source.route(index), datagram.payload.iter().rev().copied().collect::<Vec<u8>>())
            })
            .collect();
        assert_eq!(source.frames().held as usize, received, "the burst, and nothing else");
        // The routes must outlive the buffers.
        source.release();
        for (route, answer) in &answers {
            while !source.send(route, answer) {
                source.flush().unwrap();
                source.wait(wake, 10).unwrap();
            }
        }
        source.flush().unwrap();
        assert_eq!(source.frames().sum(), OPTIONS.frames, "{:?}", source.frames());
        answered += received;
        if received == 0 {
            source.wait(wake, 100).unwrap();
        }
    }
}

fn requests_are_answered(mode: Mode) {
    with_source(mode, |mut source, clients| {
        let wake = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        let mut total = 0;
        for (client, sensor) in clients.iter().zip(SENSOR) {
            let to = SocketAddr::new(sensor.parse().unwrap(), PORT);
            for round in 0..20u8 {
                let payloads: Vec<Vec<u8>> = (0..100u8)
                    .map(|n| [vec![round, n], vec![n; usize::from(n) * 10 + 20]].concat())
                    .collect();
                for payload in &payloads {
                    client.send_to(payload, to).unwrap();
                }
                total += payloads.len();
                echo(&mut source, wake.as_fd(), payloads.len());
                let mut buffer = [0; 2048];
                for payload in &payloads {
                    let (length, from) = client.recv_from(&mut buffer).unwrap();
                    assert_eq!(from, to, "the answer comes from the address that was asked");
                    buffer[..length].reverse();
                    assert_eq!(buffer[..length], payload[..], "in order, every octet, checksums good");
                }
            }
        }
        let start = Instant::now();
        while source.frames().kernel > 0 {
            assert!(start.elapsed() < Duration::from_secs(5), "frames stay away: {:?}", source.frames());
            source.flush().unwrap();
        }
        let frames = source.frames();
        assert_eq!(
            (frames.sum(), frames.held, frames.rx, frames.tx),
            (OPTIONS.frames, 0, 0, 0),
            "{frames:?}"
        );
        let counters = source.counters();
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Relaxed) as usize;
        assert_eq!((read(&counters.received), read(&counters.sent)), (total, total));
        // What stands in the field for the device is by chance, once in 65,536, the very checksum: then it counts as whole.
        let left_to_the_device = read(&counters.checksum_partial);
        assert!(
            (total - 4..=total).contains(&left_to_the_device),
            "a veth sender leaves the checksum to the device: {left_to_the_device} of {total}"
        );
        assert_eq!((read(&counters.without_metadata), read(&counters.unsendable)), (0, 0));
        assert!(read(&counters.kicks) < total / 4, "{} calls for {total} answers", read(&counters.kicks));
        assert_eq!(counters.frames().iter().map(|(_, count)| count).sum::<u64>(), u64::from(OPTIONS.frames));
        assert_eq!(source.socket().statistics().unwrap().rx_dropped, 0);
    });
}

#[test]
fn requests_are_answered_in_native_mode() {
    requests_are_answered(Mode::NativeCopy);
}

#[test]
fn requests_are_answered_in_skb_mode() {
    requests_are_answered(Mode::SkbCopy);
}

#[test]
fn arrival_is_when_the_packet_came_not_when_it_was_read() {
    with_source(Mode::NativeCopy, |mut source, clients| {
        let to = SocketAddr::new(SENSOR[0].parse().unwrap(), PORT);
        // The first one waits for address resolution.
        let wake = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        clients[0].send_to(b"first", to).unwrap();
        echo(&mut source, wake.as_fd(), 1);
        let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        clients[0].send_to(b"second", to).unwrap();
        thread::sleep(Duration::from_millis(200));
        assert_eq!(source.receive().unwrap(), 1);
        let datagram = source.datagram(0).unwrap();
        let waited =
            datagram.arrival_unix_ns.checked_sub(before.as_nanos() as u64).expect("after it was sent");
        assert!(waited < 150_000_000, "it arrived at once, not {waited} ns later");
        assert!(source.datagram(1).is_err());
        source.release();
    });
}

#[test]
fn a_wait_ends_with_a_packet_a_wake_or_the_timeout() {
    with_source(Mode::NativeCopy, |mut source, clients| {
        let wake = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        let timed = |source: &mut XdpSource, timeout| {
            let start = Instant::now();
            source.wait(wake.as_fd(), timeout).unwrap();
            start.elapsed()
        };
        assert!(timed(&mut source, 50) >= Duration::from_millis(50));
        let sender = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            clients[0].send_to(b"wake up", (SENSOR[0].parse::<IpAddr>().unwrap(), PORT)).unwrap();
            clients
        });
        assert!(timed(&mut source, 10_000) < Duration::from_secs(5));
        assert_eq!(source.receive().unwrap(), 1);
        source.release();
        let _clients = sender.join().unwrap();
        rustix::io::write(&wake, &1u64.to_ne_bytes()).unwrap();
        assert!(timed(&mut source, -1) < Duration::from_secs(5));
    });
}

#[test]
fn a_deleted_device_ends_the_source() {
    with_source(Mode::NativeCopy, |mut source, clients| {
        let wake = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        clients[0].send_to(b"last", (SENSOR[0].parse::<IpAddr>().unwrap(), PORT)).unwrap();
        source.wait(wake.as_fd(), 5000).unwrap();
        assert_eq!(source.receive().unwrap(), 1);
        let route = source.route(0);
        source.release();
        ip("link del sensor0");
        assert!(source.send(&route, b"too late"));
        assert!(matches!(source.flush(), Err(SourceError::DeviceGone)));
        assert_eq!(source.frames().sum(), OPTIONS.frames);
    });
}
