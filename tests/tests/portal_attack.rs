//! The portal under attack: thousands of connections that say nothing, heads that never end, bodies without measure,
//! handshakes that stop half way, sign-ins by the dozen whose senders do not wait. Each request of a VPN server is answered
//! the first time it is sent, and is recorded once; people are answered; what connections hold is bounded.
//!
//! How long answers take is printed and gates nothing here: hosts of tests share their processors. On a quiet host,
//! `cargo test --release -p end-to-end --test portal_attack -- --nocapture --test-threads 1` says it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use end_to_end::{
    Nas, PATIENCE, Sensor, Wire,
    config::{Config, SECRET},
    requests::start,
    sensor::Home,
    strace::{Strace, counts},
    tools::{need_program, output, run},
    wait_until,
    wire::{NAS_V4, SENSOR_V4},
};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity},
};

/// Connections that say nothing, as far as files may be open.
const SILENT: usize = 10_000;
/// Requests of the VPN server, before and during the attack.
const REQUESTS: usize = 1_000;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(5);
/// Connections that the portal keeps, one that is being taken, and one that is being closed.
const HELD_MAX: usize = 256 + 2;
/// What the attack may cost in memory at any time: 256 connections with a head, a body and a TLS session each.
const MEMORY_MAX: u64 = 64 << 20;
/// The same where sign-ins are among it, with what is not yet given back to the kernel of two passwords of 19 MiB that
/// were looked at before. Ten at once are more.
const MEMORY_WITH_SIGN_INS_MAX: u64 = 96 << 20;

#[test]
fn over_plain_http_no_request_is_lost_and_people_are_answered() {
    attacked(
        "",
        "127.0.0.1:8813".parse().unwrap(),
        &[silent, slow_head, endless_body, slow_body, sign_in_and_leave],
        MEMORY_WITH_SIGN_INS_MAX,
    );
}

#[test]
fn over_tls_no_request_is_lost_and_people_are_answered() {
    let address = SocketAddr::new(SENSOR_V4.into(), 8813);
    let config = format!("[portal]\naddress = \"{address}\"\n");
    attacked(&config, address, &[silent, half_a_handshake], MEMORY_MAX);
}

#[test]
fn the_portal_gives_its_core_away_after_each_step_of_a_connection() {
    const CONNECTIONS: usize = 20;
    const STEPS: usize = 25;
    let wire = Wire::new();
    let home = Home::new(&Config::udp());
    let sensor = home.start(&wire.sensor);
    let address = "127.0.0.1:8813".parse().unwrap();
    let opened = AtomicUsize::new(0);
    let connect = || connect(address, &opened);
    wait_until("the portal listens", PATIENCE, || wire.sensor.enter(connect).is_some());
    let strace = Strace::attach(&sensor, "-c -e trace=sched_yield");
    let mut connections: Vec<TcpStream> =
        wire.sensor.enter(|| (0..CONNECTIONS).map(|_| connect().unwrap()).collect());
    for _ in 0..STEPS {
        for stream in &mut connections {
            // The beginning of a method that is not known yet.
            stream.write_all(b"A").unwrap();
        }
        // One octet, one step: those that arrive together are read together.
        thread::sleep(Duration::from_millis(20));
    }
    let table = strace.detach();
    let yields: u64 =
        counts(&table).iter().filter(|(name, _)| name == "sched_yield").map(|(_, calls)| calls).sum();
    // One at each accept would be no more than there are connections.
    assert!(yields >= (CONNECTIONS * STEPS / 2) as u64, "{yields} times:\n{table}");
}

type Attacker = fn(SocketAddr, &AtomicBool, &AtomicUsize);

fn attacked(config: &str, address: SocketAddr, attackers: &[Attacker], memory_max: u64) {
    let most = raise_open_files();
    let wire = Wire::new();
    let home = Home::new(&Config::udp().lines(config));
    let sensor = home.start(&wire.sensor);
    let nas = Nas::new(&wire.nas, NAS_V4, SENSOR_V4, SECRET);
    let sign_in = || {
        need_program("curl", "curl");
        let scheme = if config.is_empty() { "http" } else { "https" };
        let mut command = wire.sensor.command("curl");
        command.args(["--silent", "--insecure", "--max-time", "5", &format!("{scheme}://{address}/sign-in")]);
        String::from_utf8_lossy(&output(&mut command).stdout).contains("Password")
    };
    assert!(sign_in());
    let [portal, journal] = ["portal", "journal"].map(|thread| niceness(sensor.pid(), thread).unwrap());
    assert_eq!(portal, (journal + 10).min(19), "the portal gives way");
    let [worker, apart] = ["udp0", "portal"].map(|thread| cores_of(sensor.pid(), thread));
    let all = sched_getaffinity(None).unwrap();
    assert!(
        all.count() == 1 || (0..CpuSet::MAX_CPU).all(|core| !(worker.is_set(core) && apart.is_set(core))),
        "the portal leaves the worker its core"
    );
    // The VPN server and the attackers stand for other hosts. None of them takes time on a core of what it asks: the
    // former is where the worker is, and runs while that waits for it; the latter are where it is not.
    sched_setaffinity(None, &worker).unwrap();
    let idle = ask(&nas, 0);
    let attack = |target: SocketAddr, from: usize| {
        under_attack(&sensor, &wire, attackers, target, &sign_in, (most, &apart), || ask(&nas, from))
    };
    let decoy = SocketAddr::new(address.ip(), address.port() + 1);
    let (elsewhere, _) = beside(&wire, decoy, &apart, || attack(decoy, REQUESTS));
    let memory = sensor.resident_bytes();
    let sockets = open_sockets(sensor.pid());
    let (under, seen) = attack(address, 2 * REQUESTS);
    let grown = seen.memory.saturating_sub(memory);
    let held = seen.sockets.saturating_sub(sockets);
    println!(
        "{} connections of attackers; p99 of an answer to the VPN server {idle:?} idle, {elsewhere:?} while the attack \
         goes to something else on the host, {under:?} while it goes to the portal; {held} of them held at most; {} pages \
         for people; {} KiB more memory at most",
        seen.opened,
        seen.answered,
        grown >> 10
    );
    assert!(seen.answered > 0, "nobody could sign in while the attack went on");
    assert!(grown < memory_max, "{grown} octets more");
    assert!((100..=HELD_MAX).contains(&held), "{held} connections were held at once");
    wait_until("people are answered again", PATIENCE, sign_in);
    let (metrics, all) = (sensor.stored(), 3 * REQUESTS as u64);
    assert_eq!((metrics.received(), metrics.verdict("accepted")), (all, all), "all verified");
    assert_eq!((metrics.records(), metrics.responses()), (all, all), "each once");
}

/// What was seen of an attack: most sockets that the sensor had open, most memory, connections, pages for people.
struct Seen {
    sockets: usize,
    memory: u64,
    opened: usize,
    answered: usize,
}

/// Does this while the attackers attack and people sign in.
fn under_attack<R>(
    sensor: &Sensor<'_>,
    wire: &Wire,
    attackers: &[Attacker],
    target: SocketAddr,
    sign_in: &(impl Fn() -> bool + Sync),
    (most, apart): (usize, &CpuSet),
    work: impl FnOnce() -> R,
) -> (R, Seen) {
    let (stop, opened, answered) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let (sockets, memory) = (AtomicUsize::new(0), AtomicU64::new(0));
    let done = thread::scope(|scope| {
        for attacker in attackers {
            scope.spawn(|| {
                aside(apart);
                wire.sensor.enter(|| attacker(target, &stop, &opened));
            });
        }
        wait_until("the attack is under way", PATIENCE, || opened.load(Relaxed) >= 1_000);
        scope.spawn(|| {
            aside(apart);
            while !stop.load(Relaxed) {
                answered.fetch_add(usize::from(sign_in()), Relaxed);
                // A person, not one more attacker: each is a process to start, which costs more than what it asks for.
                thread::sleep(Duration::from_millis(100));
            }
        });
        scope.spawn(|| {
            aside(apart);
            while !stop.load(Relaxed) {
                sockets.fetch_max(open_sockets(sensor.pid()), Relaxed);
                memory.fetch_max(sensor.resident_bytes(), Relaxed);
                thread::sleep(Duration::from_millis(20));
            }
        });
        // Whatever becomes of this, the attackers end.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let done = work();
            wait_until("all of the attack came", PATIENCE, || opened.load(Relaxed) >= SILENT.min(most));
            done
        }));
        stop.store(true, Relaxed);
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    let seen = Seen {
        sockets: sockets.into_inner(),
        memory: memory.into_inner(),
        opened: opened.into_inner(),
        answered: answered.into_inner(),
    };
    (done, seen)
}

/// Does this while something listens there that has nothing to do with the sensor: it holds as many connections as the
/// portal does, and gives way to everybody.
///
/// The attackers are on this host, and a kernel lets go of a core only when a system call ends. So an attack on whatever
/// it may be moves the answers to a VPN server; what one on the portal costs beyond that it costs by the portal.
fn beside<R>(wire: &Wire, address: SocketAddr, apart: &CpuSet, work: impl FnOnce() -> R) -> R {
    let stop = AtomicBool::new(false);
    let listener = wire.sensor.enter(|| TcpListener::bind(address).unwrap());
    listener.set_nonblocking(true).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            aside(apart);
            let mut held = VecDeque::new();
            while !stop.load(Relaxed) {
                let Ok((stream, _)) = listener.accept() else {
                    thread::sleep(Duration::from_millis(1));
                    continue;
                };
                held.push_back(stream);
                if held.len() >= HELD_MAX {
                    held.pop_front();
                }
            }
        });
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        stop.store(true, Relaxed);
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// This thread and what it starts stand for other hosts and those who look on: they take no time from the sensor and its
/// VPN server, but what nobody else wants, on these cores.
fn aside(apart: &CpuSet) {
    sched_setaffinity(None, apart).unwrap();
    let thread = rustix::thread::gettid().as_raw_nonzero().to_string();
    run("chrt", ["--idle", "--pid", "0", &thread]);
}

/// What the kernel says about the thread of this name (`stat`).
fn stat_of(pid: u32, name: &str) -> String {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let mut lines =
        threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("stat")).ok());
    lines.find(|line| line.contains(&format!("({name})"))).unwrap_or_else(|| panic!("no thread {name}"))
}

/// How nice the thread of this name is: field 19, counted behind the name.
fn niceness(pid: u32, name: &str) -> Option<i32> {
    stat_of(pid, name).rsplit_once(") ")?.1.split(' ').nth(16)?.parse().ok()
}

/// Where the thread of this name may run.
fn cores_of(pid: u32, name: &str) -> CpuSet {
    let thread = stat_of(pid, name).split(' ').next().and_then(|number| number.parse().ok()).unwrap();
    sched_getaffinity(Pid::from_raw(thread)).unwrap()
}

/// Requests, each of which is answered the first time; the time that 99 of 100 took at most.
fn ask(nas: &Nas, from: usize) -> Duration {
    let mut times: Vec<Duration> = (from..from + REQUESTS)
        .map(|number| {
            let request = start(number as u8, &format!("s{number}"), SECRET);
            thread::sleep(PAUSE);
            let begin = Instant::now();
            nas.ask_once(&request);
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[REQUESTS * 99 / 100]
}

/// Sockets that a process has open.
fn open_sockets(pid: u32) -> usize {
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("its files").flatten();
    // One that was closed since it was listed is none.
    let targets = files.filter_map(|file| std::fs::read_link(file.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

/// Files beside the silent connections.
const OTHER_FILES: u64 = 1_000;

/// As many files as this process may open: enough for all attackers where the host lets root raise the limit. How many
/// connections that is.
fn raise_open_files() -> usize {
    let wanted = Some(SILENT as u64 + OTHER_FILES);
    let mut maximum = getrlimit(Resource::Nofile).maximum;
    // A container may hold root to the limit that it was given.
    if maximum.is_some_and(|most| Some(most) < wanted)
        && setrlimit(Resource::Nofile, Rlimit { current: wanted, maximum: wanted }).is_ok()
    {
        maximum = wanted;
    }
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("a limit that is allowed");
    maximum.map_or(SILENT, |most| usize::try_from(most.saturating_sub(OTHER_FILES)).unwrap_or(SILENT))
}

fn connect(address: SocketAddr, opened: &AtomicUsize) -> Option<TcpStream> {
    // The portal's backlog is full at times: that is what it is for.
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_nonblocking(true).unwrap();
    opened.fetch_add(1, Relaxed);
    Some(stream)
}

/// Opens connections and says nothing.
fn silent(address: SocketAddr, stop: &AtomicBool, opened: &AtomicUsize) {
    let mut held = Vec::new();
    while !stop.load(Relaxed) {
        if held.len() < SILENT {
            held.extend(connect(address, opened));
        } else {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Writes what `more` gives on many connections, a little at a time, and opens another where one was closed.
fn slowly(address: SocketAddr, stop: &AtomicBool, opened: &AtomicUsize, head: &str, more: &[u8]) {
    let mut held: Vec<TcpStream> = Vec::new();
    while !stop.load(Relaxed) {
        while held.len() < 200 {
            let Some(mut stream) = connect(address, opened) else { break };
            let _ = stream.write(head.as_bytes());
            held.push(stream);
        }
        held.retain_mut(|stream| goes_on(stream, more));
        thread::sleep(Duration::from_millis(50));
    }
}

fn goes_on(stream: &mut TcpStream, octets: &[u8]) -> bool {
    let open = |outcome: std::io::Result<usize>| match outcome {
        Ok(read) => read > 0,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    };
    open(stream.write(octets)) && open(stream.read(&mut [0; 64]))
}

fn slow_head(address: SocketAddr, stop: &AtomicBool, opened: &AtomicUsize) {
    slowly(address, stop, opened, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"a");
}

fn slow_body(address: SocketAddr, stop: &AtomicBool, opened: &AtomicUsize) {
    let head = format!(
        "POST /sign-in HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000\r\n\r\naccount="
    );
    slowly(address, stop, opened, &head, b"a");
}

fn endless_body(address: SocketAddr, stop: &AtomicBool, opened: &AtomicUsize) {
    let head = format!(
        "POST /sign-in HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000000000000\r\n\r\naccount="
    );
    slowly(address, stop, opened, &head, &[b'a'; 16 << 10]);
}

/// Sends sign-ins, whole, and waits for no answer. Each would be 19 MiB and much of a core if as many were looked at as come.
fn sign_in_and_leave(address: SocketAddr, stop: &AtomicBool, opened: &AtomicUsize) {
    let form = "account=carol&password=wrong";
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    while !stop.load(Relaxed) {
        if let Some(mut stream) = connect(address, opened) {
            let _ = stream.write(request.as_bytes());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The beginning of a ClientHello, and then an octet now and then.
fn half_a_handshake(address: SocketAddr, stop: &AtomicBool, opened: &AtomicUsize) {
    slowly(address, stop, opened, "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{7c}\u{3}\u{3}", b"a");
}
