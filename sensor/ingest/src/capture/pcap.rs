//! Capture files as a source: pcap and pcapng, played through the same pipeline as the wire.
//!
//! Used by `replay` and by tests. Reads the file in one pass and never holds more of it than one record, one
//! burst and a bounded pool of fragments. There is no way back: answers are counted and dropped.

mod file;
mod fragments;
mod packet;
#[cfg(test)]
mod tests;
mod write;

use std::{
    fs::File,
    io::{self, Read},
    net::SocketAddr,
    os::fd::BorrowedFd,
    path::Path,
};

use journal::CapturePath;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

pub use self::{
    file::{CaptureError, CaptureProblem},
    write::PcapWriter,
};
use self::{
    file::{CaptureFile, Packet},
    fragments::Fragments,
    packet::{Content, Udp, content},
};
use super::{BURST, Datagram, FrameError, Source, SourceError};

/// What was found in a capture file so far. Every packet is in `fragments`, `other`, `unsupported_link`, or is a
/// datagram; every datagram got a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PcapCounters {
    /// Packets read.
    pub packets: u64,
    /// Datagrams handed out, `truncated` and `broken` ones and those put together from fragments included.
    pub datagrams: u64,
    /// Packets that are no UDP, or UDP to other ports.
    pub other: u64,
    /// Packets on an interface whose link type we cannot look behind.
    pub unsupported_link: u64,
    /// Packets that are fragments of a UDP datagram.
    pub fragments: u64,
    /// Datagrams put together from fragments, to any port.
    pub reassembled: u64,
    /// Datagrams given up because fragments were missing, overlapped, or were cut.
    pub fragments_lost: u64,
    /// Datagrams or fragments of which the capture holds less than was on the wire (snap length).
    pub truncated: u64,
    /// Datagrams to us whose UDP length contradicts the IP length.
    pub broken: u64,
    /// Answers that the pipeline gave.
    pub answers: u64,
}

/// Which datagram of the file an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PcapRoute {
    /// The datagram's number in the file, beginning with 1; counts what [`PcapCounters::datagrams`] counts.
    pub number: u64,
    /// Where the answer would go to.
    pub source: SocketAddr,
    /// Where it would come from.
    pub destination: SocketAddr,
}

/// A datagram of the latest burst that is not whole, for those who show it: its verdict is `malformed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defect {
    /// Which one, and whose.
    pub route: PcapRoute,
    /// What is wrong with it.
    pub kind: DefectKind,
}

/// Why a datagram of a capture file is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefectKind {
    /// The snap length cut it.
    #[error("the capture holds only a part of it")]
    Truncated,
    /// It would reach beyond its IP packet, or is shorter than its own header.
    #[error("its UDP length contradicts its IP length")]
    Length,
}

#[derive(Debug)]
struct Slot {
    payload: Vec<u8>,
    route: PcapRoute,
    arrival_unix_ns: u64,
    arrival_monotonic_ns: u64,
    whole: bool,
}

/// Datagrams to some UDP ports, out of a capture file.
pub struct PcapSource {
    file: CaptureFile,
    burst: Burst,
    fragments: Fragments,
    finished: bool,
    /// An error found after datagrams that were good: they are handed out first.
    failed: Option<CaptureError>,
}

/// The datagrams of the current burst, and what is needed to fill it.
struct Burst {
    ports: Vec<u16>,
    counters: PcapCounters,
    /// [`BURST`] slots, whose buffers are used again and again.
    slots: Vec<Slot>,
    length: usize,
    /// At most one a slot.
    defects: Vec<Defect>,
}

impl PcapSource {
    /// Opens a capture file for the datagrams to `ports`.
    pub fn open(path: &Path, ports: &[u16]) -> Result<Self, CaptureError> {
        let file = File::open(path).map_err(|error| CaptureError {
            path: path.to_owned(),
            offset: 0,
            problem: CaptureProblem::Read(error),
        })?;
        Self::from_reader(path, file, ports)
    }

    /// The same over anything that can be read; `name` stands in errors.
    pub fn from_reader(
        name: &Path,
        reader: impl Read + Send + 'static,
        ports: &[u16],
    ) -> Result<Self, CaptureError> {
        Ok(Self {
            file: CaptureFile::new(name, reader)?,
            burst: Burst {
                ports: ports.to_vec(),
                counters: PcapCounters::default(),
                slots: Vec::with_capacity(BURST),
                length: 0,
                defects: Vec::new(),
            },
            fragments: Fragments::default(),
            finished: false,
            failed: None,
        })
    }

    /// Whether the file has been read to its end: `receive` returns nothing any more.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// The datagrams of the latest burst that are not whole; kept until the next `receive`.
    pub fn defects(&self) -> &[Defect] {
        &self.burst.defects
    }

    /// What was found so far.
    pub fn counters(&self) -> PcapCounters {
        PcapCounters { fragments_lost: self.fragments.lost, ..self.burst.counters }
    }
}

impl Burst {
    fn packet(&mut self, fragments: &mut Fragments, packet: &Packet<'_>) {
        self.counters.packets += 1;
        let Some(link) = packet.link else {
            self.counters.unsupported_link += 1;
            return;
        };
        match content(link, packet.octets) {
            Content::Other => self.counters.other += 1,
            Content::Udp(udp) => self.counters.other += u64::from(!self.udp(&udp, packet.arrival_unix_ns)),
            Content::Fragment(fragment) => {
                self.counters.fragments += 1;
                if fragment.cut {
                    // Its datagram can never be whole; what else comes of it is given up in time.
                    self.counters.truncated += 1;
                    return;
                }
                let (source, destination) = (fragment.key.source, fragment.key.destination);
                fragments.add(&fragment, packet.arrival_unix_ns, |octets| {
                    self.counters.reassembled += 1;
                    self.udp(&Udp { source, destination, octets, cut: false }, packet.arrival_unix_ns);
                });
            }
        }
    }

    /// Takes a datagram that is for us; false if it is not.
    fn udp(&mut self, udp: &Udp<'_>, arrival_unix_ns: u64) -> bool {
        let [source_high, source_low, port_high, port_low, rest @ ..] = udp.octets else {
            return false;
        };
        let port = u16::from_be_bytes([*port_high, *port_low]);
        if !self.ports.contains(&port) {
            return false;
        }
        // Checked as the kernel does (udp_rcv): the UDP length may be shorter than the IP payload, never longer.
        // The checksum is not: captures on the sending host hold partial ones, and the authenticator decides.
        let payload = match rest {
            [length_high, length_low, _, _, payload @ ..] => {
                let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
                length.checked_sub(8).and_then(|length| payload.get(..length))
            }
            _ => None,
        };
        let payload = match payload {
            _ if udp.cut => {
                self.counters.truncated += 1;
                Err(DefectKind::Truncated)
            }
            None => {
                self.counters.broken += 1;
                Err(DefectKind::Length)
            }
            Some(whole) => Ok(whole),
        };
        self.counters.datagrams += 1;
        let route = PcapRoute {
            number: self.counters.datagrams,
            source: SocketAddr::new(udp.source, u16::from_be_bytes([*source_high, *source_low])),
            destination: SocketAddr::new(udp.destination, port),
        };
        self.push(route, arrival_unix_ns, payload);
        true
    }

    fn push(&mut self, route: PcapRoute, arrival_unix_ns: u64, payload: Result<&[u8], DefectKind>) {
        if self.length == self.slots.len() {
            self.slots.push(Slot {
                payload: Vec::new(),
                route,
                arrival_unix_ns: 0,
                arrival_monotonic_ns: 0,
                whole: false,
            });
        }
        let slot = &mut self.slots[self.length];
        slot.payload.clear();
        slot.payload.extend_from_slice(payload.unwrap_or_default());
        slot.route = route;
        slot.arrival_unix_ns = arrival_unix_ns;
        slot.arrival_monotonic_ns = monotonic_ns();
        slot.whole = payload.is_ok();
        if let Err(kind) = payload {
            self.defects.push(Defect { route, kind });
        }
        self.length += 1;
    }
}

fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

impl Source for PcapSource {
    type Route = PcapRoute;
    const PATH: CapturePath = CapturePath::Pcap;

    fn receive(&mut self) -> Result<usize, SourceError> {
        self.burst.length = 0;
        self.burst.defects.clear();
        while self.burst.length < BURST && !self.finished && self.failed.is_none() {
            let (burst, fragments) = (&mut self.burst, &mut self.fragments);
            match self.file.next(|packet| burst.packet(fragments, &packet)) {
                Ok(true) => {}
                Ok(false) => {
                    self.finished = true;
                    self.fragments.finish();
                }
                Err(error) => self.failed = Some(error),
            }
        }
        if self.burst.length == 0
            && let Some(error) = self.failed.take()
        {
            self.finished = true;
            self.fragments.finish();
            let error = io::Error::new(io::ErrorKind::InvalidData, error);
            return Err(SourceError::Io { operation: "read the capture file", error });
        }
        Ok(self.burst.length)
    }

    fn datagram(&self, index: usize) -> Result<Datagram<'_>, FrameError> {
        let slot = self.burst.slots[..self.burst.length].get(index).ok_or(FrameError)?;
        if !slot.whole {
            return Err(FrameError);
        }
        Ok(Datagram {
            payload: &slot.payload,
            source: slot.route.source,
            destination: slot.route.destination,
            arrival_unix_ns: slot.arrival_unix_ns,
            arrival_monotonic_ns: slot.arrival_monotonic_ns,
        })
    }

    fn route(&self, index: usize) -> PcapRoute {
        self.burst.slots[index].route
    }

    fn release(&mut self) {
        self.burst.length = 0;
    }

    fn send(&mut self, _route: &PcapRoute, _response: &[u8]) -> bool {
        self.burst.counters.answers += 1;
        true
    }

    fn flush(&mut self) -> Result<(), SourceError> {
        Ok(())
    }

    /// The file is always ready; only after its end does this wait, for the commits that are still to come.
    fn wait(&mut self, wake: BorrowedFd<'_>, timeout_ms: i32) -> Result<(), SourceError> {
        if !self.finished {
            return Ok(());
        }
        let timeout = u64::try_from(timeout_ms).ok().map(std::time::Duration::from_millis);
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match poll(&mut [PollFd::new(&wake, PollFlags::IN)], timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(SourceError::Io { operation: "poll", error: error.into() }),
        }
    }
}
