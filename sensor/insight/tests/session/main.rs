//! From the octets of requests to sessions: every rule, every order, every bad day.
#![allow(clippy::unwrap_used, reason = "test helpers may panic like tests")]

mod bad_days;
mod clock;
mod ends;
mod forms;
mod memory;
mod orders;
mod repeated;
mod reuse;
mod snapshots;
mod volumes;

use std::{collections::HashMap, net::SocketAddr};

use insight::vpn::{
    Client, Decoder, Received, Settings as Decoding, Vendor,
    session::{Change, Happening, Sessions, Settings},
};
use radius::{Code, build::RequestBuilder};

/// 2026-11-23T10:00:00Z, from which all times in here count, seconds.
const DAY: u64 = 1_795_428_000;

const ON: u32 = 7;
const OFF: u32 = 8;

/// One request. Times in seconds from [`DAY`].
#[derive(Debug, Clone, PartialEq)]
struct Say {
    status: u32,
    id: &'static str,
    user: &'static str,
    /// Last octet of NAS-IP-Address; 0: there is none.
    server: u8,
    source: u8,
    arrival: u64,
    /// Event-Timestamp.
    time: Option<u64>,
    delay: Option<u32>,
    seconds: Option<u32>,
    octets: Option<(u32, u32)>,
    gigawords: Option<(u32, u32)>,
    remote: &'static str,
    assigned: u8,
    cause: Option<u32>,
    port_type: u32,
}

/// A request that arrives when it is sent and carries no time.
fn say(status: u32, arrival: u64) -> Say {
    Say {
        status,
        id: "1",
        user: "alice",
        server: 1,
        source: 10,
        arrival,
        time: None,
        delay: None,
        seconds: None,
        octets: None,
        gigawords: None,
        remote: "203.0.113.7",
        assigned: 0,
        cause: None,
        port_type: 5,
    }
}

fn start(arrival: u64) -> Say {
    say(1, arrival)
}

fn stop(arrival: u64, seconds: u32) -> Say {
    Say { seconds: Some(seconds), ..say(2, arrival) }
}

fn interim(arrival: u64, seconds: u32) -> Say {
    Say { seconds: Some(seconds), ..say(3, arrival) }
}

/// On or Off: of nobody, no session.
fn server(status: u32, arrival: u64) -> Say {
    Say { id: "", user: "", remote: "", ..say(status, arrival) }
}

impl Say {
    /// With its time in it.
    fn timed(self) -> Say {
        Say { time: Some(self.arrival), ..self }
    }

    /// Arrives later than it was sent.
    fn late(self, seconds: u64) -> Say {
        Say { arrival: self.arrival + seconds, ..self }
    }

    fn fill(&self, b: &mut RequestBuilder<'_>) {
        b.integer(40, self.status).integer(61, self.port_type);
        for (kind, text) in [(44, self.id), (1, self.user), (31, self.remote)] {
            if !text.is_empty() {
                b.text(kind, text);
            }
        }
        if self.server > 0 {
            b.attribute(4, &[192, 0, 2, self.server]);
        }
        if self.assigned > 0 {
            b.attribute(8, &[10, 0, 0, self.assigned]);
        }
        let integers = [
            (55, self.time.map(|time| (DAY + time) as u32)),
            (41, self.delay),
            (46, self.seconds),
            (42, self.octets.map(|octets| octets.0)),
            (43, self.octets.map(|octets| octets.1)),
            (52, self.gigawords.map(|words| words.0)),
            (53, self.gigawords.map(|words| words.1)),
            (49, self.cause),
        ];
        for (kind, value) in integers {
            if let Some(value) = value {
                b.integer(kind, value);
            }
        }
    }
}

/// Octets that arrive so many seconds behind [`DAY`].
fn received(octets: &[u8], arrival: u64, source: u8) -> Received<'_> {
    Received {
        octets,
        source: SocketAddr::from(([192, 0, 2, source], 40_000)),
        destination: SocketAddr::from(([192, 0, 2, 200], 1813)),
        client: "rras",
        arrival_unix_ns: (DAY + arrival) * 1_000_000_000,
    }
}

/// Sessions with what they told.
struct Told {
    decoder: Decoder,
    sessions: Sessions,
    sequence: u64,
    changes: Vec<Change>,
}

impl Told {
    fn new(settings: Settings) -> Told {
        let client = Client { vendor: Some(Vendor::Microsoft), ..Client::default() };
        let clients = HashMap::from([("rras".to_owned(), client)]);
        Told {
            decoder: Decoder::new(Decoding { clients, ..Decoding::default() }),
            sessions: Sessions::new(settings),
            sequence: 0,
            changes: Vec::new(),
        }
    }

    /// What these requests make, in this order.
    fn by(says: &[Say]) -> Told {
        let mut told = Told::new(Settings::default());
        told.hear(says);
        told
    }

    fn hear(&mut self, says: &[Say]) {
        for say in says {
            self.octets(say.arrival, say.source, |b| say.fill(b));
        }
    }

    fn octets(&mut self, arrival: u64, source: u8, fill: impl FnOnce(&mut RequestBuilder<'_>)) {
        let mut buffer = [0; 4096];
        let mut builder = RequestBuilder::new(&mut buffer, Code::AccountingRequest, 1);
        fill(&mut builder);
        self.sequence += 1;
        let event =
            self.decoder.decode(&received(builder.seal(b"secret").unwrap(), arrival, source)).unwrap();
        self.sessions.take(self.sequence, &event, &mut self.changes);
    }

    /// The clock goes on to `until`, a minute at a time.
    fn wait(&mut self, from: u64, until: u64) {
        for now in (from..=until).step_by(60) {
            self.tick(now);
        }
    }

    fn tick(&mut self, now: u64) {
        self.sessions.advance((DAY + now) * 1_000_000_000, &mut self.changes);
    }

    /// One line a session: VPN server, id, user, start and what it rests on, last seen, end and why, length, volume.
    fn list(&self) -> Vec<String> {
        let seconds = |ns: u64| (ns / 1_000_000_000) as i64 - DAY as i64;
        let mut lines: Vec<String> = (self.sessions.iter())
            .map(|(server, id, session)| {
                let server = self.sessions.server(server).unwrap();
                let address = server.address.map(|address| address.to_string()).unwrap_or_default();
                let end = session.end().map_or("open".to_owned(), |end| {
                    let cause = end.cause.map_or(String::new(), |cause| format!(" {cause}"));
                    format!("{} {}{cause}", seconds(end.unix_ns), end.reason)
                });
                let volume = session.input_octets().zip(session.output_octets());
                format!(
                    "{} {id} {} {:?} {} seen {} end {end} {}s {volume:?} {}",
                    address.rsplit('.').next().unwrap_or_default(),
                    session.details.user().unwrap_or("-"),
                    session.start_source,
                    seconds(session.start_unix_ns),
                    seconds(session.last_seen_unix_ns),
                    session.session_seconds,
                    session.details.remote().map(|remote| remote.to_string()).unwrap_or_default(),
                )
            })
            .collect();
        let start = |line: &String| line.split(' ').nth(4).and_then(|word| word.parse::<i64>().ok());
        lines.sort_by_key(|line| {
            (line.split(' ').take(2).map(str::to_owned).collect::<Vec<_>>(), start(line))
        });
        lines
    }

    /// What was told so far, one letter each: Opened, Updated, Closed, Reopened, Merged.
    fn happenings(&self) -> String {
        let letter = |change: &Change| match change.happening {
            Happening::Opened => 'O',
            Happening::Updated => 'U',
            Happening::Closed => 'C',
            Happening::Reopened => 'R',
            Happening::Merged { .. } => 'M',
        };
        self.changes.iter().map(letter).collect()
    }
}

/// Compares the sessions, each `start-end reason`, `open` without an end.
#[track_caller]
fn sessions(told: &Told, expected: &[&str]) {
    let short: Vec<String> = (told.list().iter())
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let at = words.iter().position(|word| *word == "end").unwrap();
            let end =
                if words[at + 1] == "open" { "open".to_owned() } else { words[at + 1..at + 3].join(" ") };
            format!("{}:{} {} {}-{end}", words[0], words[1], words[2], words[4])
        })
        .collect();
    assert_eq!(short, expected, "{:#?}", told.list());
}
