//! The exchange itself: window, pace, repetitions.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use super::{Progress, Report, answer};
use crate::config::Secret;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Identifiers of one source port (RFC 2866 section 3: one octet).
const IDENTIFIERS: usize = 256;
/// No wait is longer, so that progress is shown.
const TICK: Duration = Duration::from_millis(100);

/// What to send where, and how patiently.
#[derive(Debug)]
pub struct Plan {
    /// The accounting server.
    pub to: SocketAddr,
    /// The addresses (and ports, if not 0; then `window` is at most 256) to send from; none for what the kernel takes.
    pub sources: Vec<SocketAddr>,
    /// The secret by which answers are checked.
    pub secret: Secret,
    /// Requests.
    pub count: u64,
    /// When each leaves, if the window allows.
    pub pace: Pace,
    /// Requests waiting for an answer at once, 1 to 65,536. Each 256 take one more source port.
    pub window: usize,
    /// How long an answer may take before the request is sent again.
    pub timeout: Duration,
    /// How often it is sent again before it is given up.
    pub retries: u32,
}

/// When requests leave.
#[derive(Clone, Debug)]
pub enum Pace {
    /// At once, from the first source.
    Window,
    /// So many a second, from the first source.
    Rate(f64),
    /// Each so long after the beginning, from the source of that index. As many as there are requests, in their order.
    Schedule(Vec<(Duration, usize)>),
}

impl Pace {
    /// How long after the beginning request `number` is due, and the index of its source.
    fn of(&self, number: u64) -> (Duration, usize) {
        match self {
            Pace::Window => (Duration::ZERO, 0),
            Pace::Rate(rate) => (Duration::from_secs_f64(number as f64 / rate), 0),
            Pace::Schedule(schedule) => usize::try_from(number)
                .ok()
                .and_then(|number| schedule.get(number))
                .copied()
                .unwrap_or_default(),
        }
    }
}

struct Waiting {
    octets: Vec<u8>,
    first_sent: Instant,
    /// Times sent; also tells an old deadline from the one in force.
    tries: u32,
    number: u64,
}

struct Port {
    socket: UdpSocket,
    /// Index of its address in the plan.
    source: usize,
    waiting: Vec<Option<Waiting>>,
    outstanding: usize,
    next_identifier: u8,
}

struct Deadline {
    at: Instant,
    port: usize,
    identifier: u8,
    number: u64,
    tries: u32,
}

/// Sends `plan.count` requests and waits for their answers. `request` writes number n (from 0) with the identifier into
/// the buffer and returns the octets to send; `sent` is told each datagram that leaves (repetitions too), with its source
/// address; `progress` is called about ten times a second.
pub fn exchange(
    plan: &Plan,
    mut request: impl FnMut(u64, u8) -> io::Result<Vec<u8>>,
    mut sent: impl FnMut(SocketAddr, &[u8]) -> io::Result<()>,
    mut progress: impl FnMut(&Progress),
) -> io::Result<Report> {
    let window = plan.window.clamp(1, 65_536);
    let mut ports = open_ports(plan, window)?;
    let mut report = Report::new(plan.timeout.saturating_mul(plan.retries.saturating_add(2)))?;
    // Every timeout is the same, so deadlines expire in the order in which they were made.
    let mut deadlines: VecDeque<Deadline> = VecDeque::new();
    let mut outstanding = 0;
    let mut turn = 0;
    let mut buffer = vec![0; 65_535];
    let start = Instant::now();
    let mut last_shown = start;
    loop {
        let now = Instant::now();
        let (after, source) = plan.pace.of(report.progress.sent);
        let due = start + after;
        let may_send = report.progress.sent < plan.count && outstanding < window;
        if may_send && due <= now {
            // Ports of a source take turns; one of them has an identifier left, because the window is not full.
            let count = ports.len();
            if let Some(index) = (0..count).map(|step| (turn + step) % count).find(|index| {
                let port = &ports[*index];
                port.source == source && port.outstanding < IDENTIFIERS.min(window)
            }) {
                turn = index + 1;
                let number = report.progress.sent;
                let identifier = ports[index].free_identifier();
                let octets = request(number, identifier)?;
                transmit(&ports[index].socket, &octets, &mut sent, &mut report)?;
                let at = Instant::now() + plan.timeout;
                deadlines.push_back(Deadline { at, port: index, identifier, number, tries: 1 });
                let waiting = Waiting { octets, first_sent: now, tries: 1, number };
                ports[index].waiting[usize::from(identifier)] = Some(waiting);
                ports[index].outstanding += 1;
                outstanding += 1;
                report.progress.sent += 1;
            }
        }
        for port in &mut ports {
            outstanding -= port.receive(plan, &mut buffer, &mut report)?;
        }
        let now = Instant::now();
        while let Some(deadline) = deadlines.pop_front_if(|deadline| deadline.at <= now) {
            let port = &mut ports[deadline.port];
            let slot = &mut port.waiting[usize::from(deadline.identifier)];
            let Some(waiting) = slot
                .as_mut()
                .filter(|there| (there.number, there.tries) == (deadline.number, deadline.tries))
            else {
                continue;
            };
            if waiting.tries > plan.retries {
                *slot = None;
                port.outstanding -= 1;
                outstanding -= 1;
                report.progress.unanswered += 1;
            } else {
                waiting.tries += 1;
                // The same octets: only then the server can know it for a repetition (RFC 5080 section 2.2.2).
                transmit(&port.socket, &waiting.octets, &mut sent, &mut report)?;
                report.progress.repeated += 1;
                let tries = waiting.tries;
                deadlines.push_back(Deadline { at: Instant::now() + plan.timeout, tries, ..deadline });
            }
        }
        if report.progress.sent == plan.count && outstanding == 0 {
            break;
        }
        if now.duration_since(last_shown) >= TICK {
            last_shown = now;
            progress(&report.progress);
        }
        let may_send = report.progress.sent < plan.count && outstanding < window;
        let next =
            deadlines.front().map(|deadline| deadline.at).into_iter().chain(may_send.then_some(due)).min();
        let wait = next.map_or(TICK, |next| next.saturating_duration_since(Instant::now())).min(TICK);
        if !wait.is_zero() {
            wait_readable(&ports, wait)?;
        }
    }
    report.elapsed = start.elapsed();
    progress(&report.progress);
    Ok(report)
}

fn open_ports(plan: &Plan, window: usize) -> io::Result<Vec<Port>> {
    let any = match plan.to {
        SocketAddr::V4(_) => SocketAddr::new(IpAddr::from([0; 4]), 0),
        SocketAddr::V6(_) => SocketAddr::new(IpAddr::from([0; 16]), 0),
    };
    let sources = if plan.sources.is_empty() { &[any][..] } else { &plan.sources };
    sources
        .iter()
        .enumerate()
        .flat_map(|source| (0..window.div_ceil(IDENTIFIERS)).map(move |_| source))
        .map(|(source, address)| {
            let socket = UdpSocket::bind(address)?;
            // Only answers from where the request went; the kernel then also tells us when nobody listens.
            socket.connect(plan.to)?;
            socket.set_nonblocking(true)?;
            let waiting = (0..IDENTIFIERS).map(|_| None).collect();
            Ok(Port { socket, source, waiting, outstanding: 0, next_identifier: 0 })
        })
        .collect()
}

impl Port {
    /// Identifiers go round, so that a late answer meets a free one rather than the wrong request.
    fn free_identifier(&mut self) -> u8 {
        while self.waiting[usize::from(self.next_identifier)].is_some() {
            self.next_identifier = self.next_identifier.wrapping_add(1);
        }
        let identifier = self.next_identifier;
        self.next_identifier = identifier.wrapping_add(1);
        identifier
    }

    /// Takes what has come in; returns how many requests were answered by it.
    fn receive(&mut self, plan: &Plan, buffer: &mut [u8], report: &mut Report) -> io::Result<usize> {
        let mut answered = 0;
        loop {
            let length = match self.socket.recv(buffer) {
                Ok(length) => length,
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Ok(answered),
                    io::ErrorKind::Interrupted => continue,
                    io::ErrorKind::ConnectionRefused => {
                        report.refused += 1;
                        continue;
                    }
                    _ => return Err(error),
                },
            };
            let octets = &buffer[..length];
            let slot = octets.get(1).map(|identifier| &mut self.waiting[usize::from(*identifier)]);
            let Some((waiting, slot)) = slot.and_then(|slot| slot.take().map(|waiting| (waiting, slot)))
            else {
                report.surplus += 1;
                continue;
            };
            match answer::check(octets, &waiting.octets, plan.secret.octets()) {
                Ok(()) => {
                    let latency = waiting.first_sent.elapsed();
                    report.latency.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
                    report.progress.answered += 1;
                    self.outstanding -= 1;
                    answered += 1;
                }
                Err(flaw) => {
                    report.flawed(flaw);
                    *slot = Some(waiting);
                }
            }
        }
    }
}

fn transmit(
    socket: &UdpSocket,
    octets: &[u8],
    sent: &mut impl FnMut(SocketAddr, &[u8]) -> io::Result<()>,
    report: &mut Report,
) -> io::Result<()> {
    loop {
        match socket.send(octets) {
            Ok(_) => return sent(socket.local_addr()?, octets),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => {
                    let mut descriptors = [PollFd::new(socket, PollFlags::OUT)];
                    poll_uninterrupted(&mut descriptors, TICK)?;
                }
                io::ErrorKind::Interrupted => {}
                // The error belongs to an earlier datagram and is cleared by being told; this one did not leave yet.
                io::ErrorKind::ConnectionRefused => report.refused += 1,
                _ => return Err(error),
            },
        }
    }
}

fn wait_readable(ports: &[Port], wait: Duration) -> io::Result<()> {
    let mut descriptors =
        ports.iter().map(|port| PollFd::new(&port.socket, PollFlags::IN)).collect::<Vec<_>>();
    poll_uninterrupted(&mut descriptors, wait)
}

fn poll_uninterrupted(descriptors: &mut [PollFd<'_>], wait: Duration) -> io::Result<()> {
    let timeout = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
    match poll(descriptors, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
