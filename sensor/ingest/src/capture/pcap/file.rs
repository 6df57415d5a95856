//! The records of a capture file, one at a time: pcap (both byte orders, micro- and nanoseconds) and pcapng.

use std::{
    io::{self, Cursor, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use pcap_parser::{Block, PcapBlockOwned, PcapError, PcapHeader, traits::PcapReaderIterator};

use super::packet::Link;

/// The first read buffer; it holds a whole record of any capture made with the usual snap length of 256 KiB.
const BUFFER_LENGTH: usize = 512 * 1024;
/// No record is longer than this: libpcap itself refuses packets above 256 KiB, and the rest is room for the
/// blocks of pcapng that carry other things (names, keys, comments). Bounds what a damaged length can allocate.
const RECORD_LENGTH_MAX: usize = 16 * 1024 * 1024;
/// Interfaces described in one pcapng section; what comes after is an error, so that a hostile file cannot grow
/// the table without end.
const INTERFACES_MAX: usize = 4096;

/// What is wrong with a capture file, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}: at octet {offset}: {problem}", path.display())]
pub struct CaptureError {
    /// The file, as it was named to us.
    pub path: PathBuf,
    /// Octets from the start of the file to the record that could not be read.
    pub offset: u64,
    /// What is wrong there.
    pub problem: CaptureProblem,
}

/// The ways in which a capture file disappoints.
#[derive(Debug, thiserror::Error)]
pub enum CaptureProblem {
    /// The file cannot be opened or read.
    #[error("{0}")]
    Read(io::Error),
    /// Neither a pcap nor a pcapng header.
    #[error("neither a pcap nor a pcapng file")]
    NotACapture,
    /// The file ends inside a record.
    #[error("the file ends inside a record")]
    Truncated,
    /// A record contradicts itself.
    #[error("the record is damaged")]
    Damaged,
    /// A record claims more than 16 MiB.
    #[error("the record claims more than {RECORD_LENGTH_MAX} octets")]
    TooLong,
    /// A packet names an interface that its section does not describe.
    #[error("the packet names interface {0}, which the file does not describe")]
    UnknownInterface(u32),
    /// A section describes more interfaces than anybody has.
    #[error("more than {INTERFACES_MAX} interfaces in one section")]
    TooManyInterfaces,
    /// A pcap file of a link type that we cannot look into.
    #[error("link type {0} is not supported (Ethernet, Linux cooked, raw IP and loopback are)")]
    UnsupportedLink(i32),
}

/// One captured packet.
pub(super) struct Packet<'a> {
    /// None for a link type that we cannot look into.
    pub(super) link: Option<Link>,
    /// Nanoseconds since 1970 UTC.
    pub(super) arrival_unix_ns: u64,
    /// What was captured of it, beginning with the link header.
    pub(super) octets: &'a [u8],
}

/// Ticks of a capture clock, as nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
struct Clock {
    ticks_per_second: u64,
    offset_seconds: i64,
}

impl Clock {
    /// The clock of a pcapng interface: `if_tsresol` is a power of ten, or of two when its high bit is set.
    fn of_interface(resolution: u8, offset_seconds: i64) -> Option<Self> {
        let exponent = u32::from(resolution & 0x7f);
        let ticks_per_second =
            if resolution & 0x80 == 0 { 10u64.checked_pow(exponent)? } else { 1u64.checked_shl(exponent)? };
        Some(Self { ticks_per_second, offset_seconds })
    }

    fn unix_ns(self, ticks: u64) -> u64 {
        // At most 2^64 * 10^9 + 2^63 * 10^9: far inside 128 bits.
        let since_offset = i128::from(ticks) * 1_000_000_000 / i128::from(self.ticks_per_second);
        let unix_ns = since_offset + i128::from(self.offset_seconds) * 1_000_000_000;
        u64::try_from(unix_ns.max(0)).unwrap_or(u64::MAX)
    }
}

struct Interface {
    link: Option<Link>,
    clock: Clock,
    snap_length: u32,
}

/// A capture file being read.
pub(super) struct CaptureFile {
    path: PathBuf,
    reader: Box<dyn PcapReaderIterator + Send>,
    read_error: ReadError,
    /// pcap: one, from the file header. pcapng: those of the current section.
    interfaces: Vec<Interface>,
    /// For packets without a time of their own (pcapng's simple packet block).
    last_unix_ns: u64,
}

/// The error behind [`PcapError::ReadError`], which does not carry it.
type ReadError = Arc<Mutex<Option<io::Error>>>;

struct RememberError<R> {
    inner: R,
    error: ReadError,
}

impl<R: Read> Read for RememberError<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let kind = error.kind();
                    *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    return Err(kind.into());
                }
                Ok(length) => return Ok(length),
            }
        }
    }
}

fn take_read_error(error: &ReadError) -> CaptureProblem {
    let error = error.lock().unwrap_or_else(PoisonError::into_inner).take();
    CaptureProblem::Read(error.unwrap_or_else(|| io::Error::other("the read failed")))
}

impl CaptureFile {
    pub(super) fn new(path: &Path, reader: impl Read + Send + 'static) -> Result<Self, CaptureError> {
        let fail = |problem| CaptureError { path: path.to_owned(), offset: 0, problem };
        let read_error = ReadError::default();
        let mut reader = RememberError { inner: reader, error: read_error.clone() };
        // The parser looks for its header in what the first read returns, and a pipe may return less than that.
        let mut head = Vec::new();
        reader
            .by_ref()
            .take(64 * 1024)
            .read_to_end(&mut head)
            .map_err(|_| fail(take_read_error(&read_error)))?;
        let reader =
            pcap_parser::create_reader(BUFFER_LENGTH, Cursor::new(head).chain(reader)).map_err(|error| {
                fail(match error {
                    PcapError::ReadError => take_read_error(&read_error),
                    _ => CaptureProblem::NotACapture,
                })
            })?;
        Ok(Self { path: path.to_owned(), reader, read_error, interfaces: Vec::new(), last_unix_ns: 0 })
    }

    fn fail(&self, problem: CaptureProblem) -> CaptureError {
        CaptureError { path: self.path.clone(), offset: self.reader.consumed() as u64, problem }
    }

    /// Reads up to the next packet and hands it to `take`. False at the end of the file.
    pub(super) fn next(&mut self, take: impl FnOnce(Packet<'_>)) -> Result<bool, CaptureError> {
        loop {
            let problem = match self.reader.next() {
                Ok((length, block)) => {
                    match read_block(&mut self.interfaces, &mut self.last_unix_ns, block) {
                        Ok(Some(packet)) => {
                            take(packet);
                            self.reader.consume(length);
                            return Ok(true);
                        }
                        Ok(None) => {
                            self.reader.consume(length);
                            continue;
                        }
                        Err(problem) => problem,
                    }
                }
                Err(PcapError::Eof) => return Ok(false),
                Err(PcapError::Incomplete(_)) => {
                    if self.reader.refill().is_ok() {
                        continue;
                    }
                    take_read_error(&self.read_error)
                }
                Err(PcapError::BufferTooSmall) => {
                    // Reading more may be enough; grow only when the buffer is full.
                    let length = self.reader.data().len();
                    let refilled = self.reader.refill().is_ok();
                    if refilled && (self.reader.data().len() > length || self.reader.reader_exhausted()) {
                        continue;
                    }
                    if !refilled {
                        take_read_error(&self.read_error)
                    } else if length.saturating_mul(2) <= RECORD_LENGTH_MAX {
                        self.reader.grow(length.saturating_mul(2).max(BUFFER_LENGTH));
                        continue;
                    } else {
                        CaptureProblem::TooLong
                    }
                }
                Err(PcapError::UnexpectedEof) => CaptureProblem::Truncated,
                Err(PcapError::ReadError) => take_read_error(&self.read_error),
                Err(_) => CaptureProblem::Damaged,
            };
            if matches!(problem, CaptureProblem::Truncated) && self.reader.data().is_empty() {
                return Ok(false);
            }
            return Err(self.fail(problem));
        }
    }
}

fn read_block<'a>(
    interfaces: &mut Vec<Interface>,
    last_unix_ns: &mut u64,
    block: PcapBlockOwned<'a>,
) -> Result<Option<Packet<'a>>, CaptureProblem> {
    match block {
        PcapBlockOwned::LegacyHeader(header) => {
            interfaces.push(legacy_interface(&header)?);
            Ok(None)
        }
        PcapBlockOwned::Legacy(record) => {
            let interface = interfaces.first().ok_or(CaptureProblem::Damaged)?;
            let seconds = Clock { ticks_per_second: 1, offset_seconds: interface.clock.offset_seconds };
            let fraction = Clock { offset_seconds: 0, ..interface.clock };
            *last_unix_ns = seconds
                .unix_ns(u64::from(record.ts_sec))
                .saturating_add(fraction.unix_ns(u64::from(record.ts_usec)));
            Ok(Some(Packet { link: interface.link, arrival_unix_ns: *last_unix_ns, octets: record.data }))
        }
        PcapBlockOwned::NG(Block::SectionHeader(_)) => {
            interfaces.clear();
            Ok(None)
        }
        PcapBlockOwned::NG(Block::InterfaceDescription(description)) => {
            if interfaces.len() == INTERFACES_MAX {
                return Err(CaptureProblem::TooManyInterfaces);
            }
            interfaces.push(Interface {
                link: Link::of(description.linktype.0),
                clock: Clock::of_interface(description.if_tsresol, description.if_tsoffset)
                    .ok_or(CaptureProblem::Damaged)?,
                snap_length: description.snaplen,
            });
            Ok(None)
        }
        PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
            let interface = usize::try_from(packet.if_id)
                .ok()
                .and_then(|index| interfaces.get(index))
                .ok_or(CaptureProblem::UnknownInterface(packet.if_id))?;
            let octets = usize::try_from(packet.caplen)
                .ok()
                .and_then(|length| packet.data.get(..length))
                .ok_or(CaptureProblem::Damaged)?;
            let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
            *last_unix_ns = interface.clock.unix_ns(ticks);
            Ok(Some(Packet { link: interface.link, arrival_unix_ns: *last_unix_ns, octets }))
        }
        PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
            let interface = interfaces.first().ok_or(CaptureProblem::UnknownInterface(0))?;
            let snapped = match interface.snap_length {
                0 => packet.origlen,
                limit => packet.origlen.min(limit),
            };
            // The block pads its data to four octets; how much of it is packet follows from the snap length.
            let length = usize::try_from(snapped).unwrap_or(usize::MAX).min(packet.data.len());
            let octets = packet.data.get(..length).ok_or(CaptureProblem::Damaged)?;
            Ok(Some(Packet { link: interface.link, arrival_unix_ns: *last_unix_ns, octets }))
        }
        PcapBlockOwned::NG(_) => Ok(None),
    }
}

fn legacy_interface(header: &PcapHeader) -> Result<Interface, CaptureProblem> {
    // The upper half of the field holds frame check sequence length and class.
    let link_type = header.network.0 & 0xffff;
    Ok(Interface {
        link: Some(Link::of(link_type).ok_or(CaptureProblem::UnsupportedLink(link_type))?),
        clock: Clock {
            ticks_per_second: if header.is_nanosecond_precision() { 1_000_000_000 } else { 1_000_000 },
            // Recorded times are local standard time minus this correction to get UTC; in practice always 0.
            offset_seconds: -i64::from(header.thiszone),
        },
        snap_length: header.snaplen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interface_clocks_follow_their_resolution_and_offset() {
        let unix_ns =
            |resolution, offset, ticks| Clock::of_interface(resolution, offset).unwrap().unix_ns(ticks);
        assert_eq!(unix_ns(6, 0, 1_700_000_000_000_001), 1_700_000_000_000_001_000);
        assert_eq!(unix_ns(9, 0, 1_700_000_000_000_000_001), 1_700_000_000_000_000_001);
        assert_eq!(unix_ns(0, 0, 1_700_000_000), 1_700_000_000_000_000_000);
        assert_eq!(unix_ns(0x80 | 10, 0, 1536), 1_500_000_000);
        assert_eq!(unix_ns(6, -3, 5_000_000), 2_000_000_000);
        assert_eq!(unix_ns(6, -9, 5_000_000), 0, "before 1970");
        assert_eq!(unix_ns(0, i64::MAX, u64::MAX), u64::MAX);
        assert!(Clock::of_interface(20, 0).is_none());
        assert!(Clock::of_interface(0x80 | 64, 0).is_none());
    }
}
