//! Sockets on the real kernel: binding, sending, frame conservation, faults, the ladder. Needs root (CAP_NET_ADMIN
//! and CAP_NET_RAW); receiving needs an XDP program and is tested where one is (`ingest`).
//!
//! Each test runs in a thread with a network namespace of its own, which is gone with its last thread and socket:
//! nothing is left behind, whatever becomes of the test.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]
#![allow(
    unsafe_code,
    reason = "unshare and packet sockets have no safe interface in the crates that xsk has"
)]

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use xsk::{
    Binding, Hook, Interface, KernelRelease, Mode, Options, Plan, Program, Refusal, Socket, ladder,
    socket::Step,
};

/// The EtherType for local experiments (IEEE 802): nothing else on the link uses it.
const ETHERTYPE: u16 = 0x88B5;
const SMALL: Options = Options {
    frames: 128,
    frame_size: 2048,
    fill: 64,
    receive: 64,
    transmit: 64,
    completion: 64,
    numa_node: None,
};

/// Runs a test in a new network namespace.
fn in_namespace(test: impl FnOnce() + Send + 'static) {
    let result = thread::spawn(move || {
        // SAFETY: moves this thread alone into a new network namespace.
        assert_eq!(
            // SAFETY: moves this thread alone.
            unsafe { libc::unshare(libc::CLONE_NEWNET) },
            0,
            "needs root: {}",
            io::Error::last_os_error()
        );
        test();
    })
    .join();
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

/// Runs `ip` in this thread's namespace.
fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split(' ')).output().expect("the ip command");
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A veth pair `here` - `there`, both ends up, and what `here` is.
fn veth() -> Interface {
    ip("link add here type veth peer name there");
    ip("link set here up");
    ip("link set there up");
    Interface::query("here").unwrap()
}

fn wait_until(what: &str, timeout: Duration, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < timeout, "not within {timeout:?}: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Receives the frames of our EtherType that arrive at an interface.
struct Listener(OwnedFd);

impl Listener {
    fn new(interface: &str) -> Listener {
        // SAFETY: takes no memory of ours.
        let fd = unsafe {
            libc::socket(
                libc::AF_PACKET,
                libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC,
                i32::from(ETHERTYPE.to_be()),
            )
        };
        assert!(fd >= 0, "{}", io::Error::last_os_error());
        // SAFETY: just created, and nobody else's.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: integers and arrays of them: zero is a value.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = ETHERTYPE.to_be();
        address.sll_ifindex = Interface::query(interface).unwrap().index as i32;
        let length = size_of::<libc::sockaddr_ll>() as u32;
        // SAFETY: `address` is valid for reads of its size during the call.
        let result = unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
        Listener(fd)
    }

    fn receive(&self) -> Option<Vec<u8>> {
        let mut buffer = vec![0u8; 2048];
        // SAFETY: `buffer` is valid for writes of its length during the call.
        let length = unsafe { libc::recv(self.0.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
        buffer.truncate(usize::try_from(length).ok()?);
        Some(buffer)
    }
}

/// Queues a frame that carries `number`. False when there is no room.
fn queue(socket: &mut Socket, number: u32) -> bool {
    let Some(mut frame) = socket.take_frame() else { return false };
    let octets = socket.frame_mut(&mut frame);
    octets[..6].fill(0xFF);
    octets[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    octets[12..14].copy_from_slice(&ETHERTYPE.to_be_bytes());
    octets[14..18].copy_from_slice(&number.to_be_bytes());
    octets[18..60].fill(0);
    match socket.transmit(frame, 60) {
        Ok(()) => true,
        Err(frame) => {
            socket.give_back(frame);
            false
        }
    }
}

#[test]
fn frames_are_sent_in_order_and_conserved() {
    in_namespace(|| {
        let interface = veth();
        let listener = Listener::new("there");
        let mut socket = Socket::open(&interface, 0, Binding::Copy, &SMALL).unwrap();
        let at_start = socket.frames();
        assert_eq!(
            (at_start.fill, at_start.free, at_start.sum()),
            (64, 64, 128),
            "the fill ring is full at bind"
        );

        let can_widen = KernelRelease::running().unwrap() >= KernelRelease { major: 6, minor: 17 };
        assert_eq!(socket.transmit_budget(), if can_widen { 64 } else { 32 });
        let calls_a_burst = 50u32.div_ceil(socket.transmit_budget());
        let (mut sent, mut received) = (0u32, 0u32);
        while sent < 1000 {
            // A burst of a batch's size, one flush.
            for _ in 0..50 {
                if sent < 1000 && queue(&mut socket, sent) {
                    sent += 1;
                }
            }
            let flushed = socket.flush().unwrap();
            assert_eq!(flushed.kicks, calls_a_burst, "not one a packet: {flushed:?}");
            let frames = socket.frames();
            assert_eq!((frames.sum(), frames.held), (128, 0), "{frames:?}");
            wait_until("all frames sent so far to arrive", Duration::from_secs(5), || {
                while let Some(frame) = listener.receive() {
                    assert_eq!(frame[14..18], received.to_be_bytes());
                    received += 1;
                }
                received == sent
            });
        }
        wait_until("all frames to come back", Duration::from_secs(5), || {
            socket.flush().unwrap();
            socket.frames() == at_start
        });
        let statistics = socket.statistics().unwrap();
        assert_eq!((statistics.tx_invalid_descriptors, statistics.rx_invalid_descriptors), (0, 0));
    });
}

#[test]
fn a_full_transmit_ring_refuses_and_nothing_is_lost() {
    in_namespace(|| {
        let interface = veth();
        let mut socket =
            Socket::open(&interface, 0, Binding::Copy, &Options { transmit: 32, ..SMALL }).unwrap();
        let queued = (0..100).filter(|number| queue(&mut socket, *number)).count();
        assert_eq!(queued, 32);
        let frames = socket.frames();
        assert_eq!((frames.tx, frames.held, frames.sum()), (32, 0, 128));
        let frame = socket.take_frame().unwrap();
        assert_eq!(socket.frames().held, 1);
        let frame = socket.transmit(frame, 2049).expect_err("longer than a frame");
        socket.give_back(frame);
        socket.flush().unwrap();
        assert_eq!(socket.outstanding(), 0, "one flush takes the whole ring");
        assert_eq!(socket.frames().sum(), 128);
    });
}

#[test]
fn a_queue_in_use_is_busy_and_free_again_after_close() {
    in_namespace(|| {
        let interface = veth();
        let first = Socket::open(&interface, 0, Binding::Copy, &SMALL).unwrap();
        let error = Socket::open(&interface, 0, Binding::Copy, &SMALL).unwrap_err();
        assert_eq!(
            (error.step.clone(), error.error.raw_os_error()),
            (Step::Bind(Binding::Copy), Some(libc::EBUSY))
        );
        assert!(error.to_string().starts_with("here queue 0: "), "{error}");
        drop(first);
        // The kernel may still be taking the first one down: the retries cover that.
        for _ in 0..5 {
            Socket::open(&interface, 0, Binding::Copy, &SMALL).unwrap();
        }
    });
}

#[test]
fn what_the_kernel_refuses_is_named() {
    in_namespace(|| {
        let interface = veth();
        let zero_copy = Socket::open(&interface, 0, Binding::ZeroCopy, &SMALL).unwrap_err();
        assert_eq!(zero_copy.error.raw_os_error(), Some(libc::EOPNOTSUPP), "forced: no silent copy mode");
        assert!(zero_copy.to_string().contains("no zero-copy"), "{zero_copy}");
        let no_queue = Socket::open(&interface, 7, Binding::Copy, &SMALL).unwrap_err();
        assert!(no_queue.to_string().contains("queue 7"), "{no_queue}");
    });
}

#[test]
fn a_link_that_goes_down_and_up_keeps_its_socket() {
    in_namespace(|| {
        let interface = veth();
        let listener = Listener::new("there");
        let mut socket = Socket::open(&interface, 0, Binding::Copy, &SMALL).unwrap();
        ip("link set here down");
        assert!(queue(&mut socket, 1));
        socket.flush().expect("a link that is down is no error");
        assert_eq!(socket.frames().sum(), 128);
        ip("link set here up");
        wait_until("a frame to arrive again", Duration::from_secs(5), || {
            queue(&mut socket, 2);
            socket.flush().unwrap();
            listener.receive().is_some()
        });
        assert_eq!(socket.frames().sum(), 128);
    });
}

#[test]
fn a_deleted_device_is_an_error_at_the_next_flush() {
    in_namespace(|| {
        let interface = veth();
        let mut socket = Socket::open(&interface, 0, Binding::Copy, &SMALL).unwrap();
        ip("link del here");
        assert!(queue(&mut socket, 1));
        assert_eq!(socket.flush().unwrap_err().raw_os_error(), Some(libc::ENXIO));
    });
}

#[test]
fn queues_of_a_veth_are_counted() {
    in_namespace(|| {
        ip("link add many numrxqueues 3 numtxqueues 2 type veth peer name peer numrxqueues 2 numtxqueues 3");
        let many = Interface::query("many").unwrap();
        assert_eq!((many.rx_queues, many.tx_queues, many.queues()), (3, 2, 2));
        assert_eq!((many.driver.as_deref(), many.mtu, many.up), (Some("veth"), 1500, false));
        ip("link set many mtu 9000 up");
        let many = Interface::query("many").unwrap();
        assert_eq!((many.mtu, many.up), (9000, true));
    });
}

/// A program that only notes what is asked of it, and fails where told.
#[derive(Default)]
struct Noted {
    calls: Vec<String>,
    fail_at: Option<&'static str>,
}

impl Noted {
    fn note(&mut self, call: String) -> Result<(), io::Error> {
        let fails = self.fail_at.is_some_and(|at| call.starts_with(at));
        self.calls.push(call);
        if fails { Err(io::Error::other("told to fail")) } else { Ok(()) }
    }
}

impl Program for Noted {
    type Error = io::Error;

    fn attach(&mut self, interface: &Interface, hook: Hook) -> Result<(), io::Error> {
        self.note(format!("attach {} {hook:?}", interface.name))
    }

    fn insert(&mut self, queue: u32, _socket: BorrowedFd<'_>) -> Result<(), io::Error> {
        self.note(format!("insert {queue}"))
    }

    fn arm(&mut self) -> Result<(), io::Error> {
        self.note("arm".into())
    }

    fn detach(&mut self) {
        self.calls.push("detach".into());
    }
}

fn plan(modes: &[Mode]) -> Plan<'_> {
    Plan { modes, options: SMALL, release: KernelRelease { major: 6, minor: 18 }, force_copy_mode: false }
}

#[test]
fn the_ladder_takes_the_first_rung_that_works() {
    in_namespace(|| {
        ip("link add here numrxqueues 2 numtxqueues 2 type veth peer name there numrxqueues 2 numtxqueues 2");
        ip("link set here up");
        let interface = Interface::query("here").unwrap();
        let mut program = Noted::default();
        let opened = ladder::open(&interface, &mut program, &plan(&Mode::ALL)).unwrap();
        assert_eq!((opened.mode, opened.sockets.len()), (Mode::NativeCopy, 2));
        assert_eq!(program.calls, ["attach here Driver", "insert 0", "insert 1", "arm"]);
        assert!(matches!(opened.rungs[0].result, Err(Refusal::Driver { .. })));
        assert!(opened.rungs[1].result.is_ok() && opened.rungs.len() == 2);
    });
}

#[test]
fn a_rung_that_fails_anywhere_is_taken_down_before_the_next() {
    in_namespace(|| {
        let interface = veth();
        for (fail_at, calls) in [
            ("attach here Driver", vec!["attach here Driver", "detach"]),
            ("insert", vec!["attach here Driver", "insert 0", "detach"]),
            ("arm", vec!["attach here Driver", "insert 0", "arm", "detach"]),
        ] {
            let mut program = Noted { fail_at: Some(fail_at), ..Noted::default() };
            let refused = ladder::open(&interface, &mut program, &plan(&[Mode::NativeCopy])).unwrap_err();
            assert_eq!(program.calls, calls);
            assert!(refused.to_string().contains("native copy: "), "{refused}");
            assert!(refused.to_string().contains("told to fail"), "{refused}");
            // The next one finds the queue free.
            let mut program = Noted { fail_at: Some("attach here Driver"), ..Noted::default() };
            let opened = ladder::open(&interface, &mut program, &plan(&Mode::ALL)).unwrap();
            assert_eq!(opened.mode, Mode::SkbCopy);
            assert_eq!(program.calls[1..], ["detach", "attach here Skb", "insert 0", "arm"]);
        }
    });
}

/// Linux 6.16 and 6.17 panic in copy-mode transmit: nothing is tried there unless forced.
#[test]
fn copy_mode_is_not_tried_on_kernels_that_panic_from_it() {
    in_namespace(|| {
        let interface = veth();
        let mut program = Noted::default();
        let dangerous = Plan { release: KernelRelease { major: 6, minor: 17 }, ..plan(&Mode::ALL) };
        let refused = ladder::open(&interface, &mut program, &dangerous).unwrap_err();
        assert!(program.calls.is_empty(), "{:?}", program.calls);
        let kernel = |n: usize| matches!(refused.rungs[n].result, Err(Refusal::Kernel { .. }));
        assert!(kernel(1) && kernel(2));
        let forced = Plan { force_copy_mode: true, ..dangerous };
        assert_eq!(ladder::open(&interface, &mut program, &forced).unwrap().mode, Mode::NativeCopy);
    });
}
