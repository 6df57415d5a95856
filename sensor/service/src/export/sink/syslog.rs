//! A stream to a syslog receiver, over TCP or TLS.
//!
//! Syslog has no answer: what is written lies in buffers and is gone when the connection breaks. The kernel ends a
//! connection whose octets the other kernel has not acknowledged within [`UNANSWERED`]; so a message is certain when it
//! was written much longer ago than that and the connection stands, or when the receiver closed the connection behind us.
//! What is not certain when it breaks is sent again, with the remark.
//!
//! A connection may be dead without a word: a firewall forgot it, the receiver's host lost power. What is written to it is
//! swallowed, and sent again when the kernel gives up: so that an alert arrives within 5 s all the same, that is soon, and
//! a connection that rests is asked now and then whether it stands.

use std::{
    collections::VecDeque,
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpStream, ToSocketAddrs as _},
    time::{Duration, Instant},
};

use rustix::net::sockopt;
use rustls::{ClientConnection, pki_types::ServerName};

use super::{Failure, Message, Peer, Trust, tls};
use crate::export::format::{Source, syslog};

/// For a handshake, a write.
const TIMEOUT: Duration = Duration::from_secs(10);
/// For a connection to one of a name's addresses; the next is tried then.
const CONNECTING: Duration = Duration::from_secs(2);
/// The kernel waits so long for an acknowledgement. With what it takes to look and to connect anew this stays below 5 s.
const UNANSWERED: Duration = Duration::from_secs(3);
/// And a message is certain after so long: the kernel's timers are not that exact, and a receiver may read slowly.
const CERTAIN: Duration = Duration::from_secs(12);
/// A connection that rests is asked after so long, and once more after so long, whether it stands.
const ASKED: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(1));
/// Octets that one record of TLS carries (RFC 8446 section 5.1).
const TLS_RECORD: usize = 1 << 14;
/// For the receiver to close the connection behind us at a stop.
const CLOSING: Duration = Duration::from_secs(2);

pub(super) struct Receiver {
    address: String,
    tls: Option<Trust>,
    source: Source,
    stream: Option<Stream>,
    /// What was written and when, not certain yet.
    written: VecDeque<(u64, Instant)>,
}

struct Stream {
    socket: TcpStream,
    tls: Option<ClientConnection>,
}

impl Receiver {
    pub(super) fn new(address: String, tls: Option<Trust>, source: Source) -> Receiver {
        Receiver { address, tls, source, stream: None, written: VecDeque::new() }
    }

    fn failure(&mut self, error: &io::Error) -> Failure {
        self.stream = None;
        self.written.clear();
        Failure::during(format!("the syslog receiver {} is lost: {error}; see whether it runs", self.address))
    }

    fn connect(&self) -> Result<Stream, String> {
        let Receiver { address, .. } = self;
        let advice = "see whether it runs, listens there and is let through";
        let failed =
            |error: io::Error| format!("no connection to the syslog receiver {address}: {error}; {advice}");
        let mut socket = Err(io::Error::other("the name has no address"));
        for resolved in address.to_socket_addrs().map_err(failed)? {
            socket = TcpStream::connect_timeout(&resolved, CONNECTING);
            if socket.is_ok() {
                break;
            }
        }
        let socket = socket.map_err(failed)?;
        let prepare = || {
            socket.set_nodelay(true)?;
            socket.set_write_timeout(Some(TIMEOUT))?;
            socket.set_read_timeout(Some(TIMEOUT))?;
            sockopt::set_socket_keepalive(&socket, true)?;
            sockopt::set_tcp_keepidle(&socket, ASKED.0)?;
            sockopt::set_tcp_keepintvl(&socket, ASKED.1)?;
            sockopt::set_tcp_user_timeout(&socket, UNANSWERED.as_millis() as u32).map_err(io::Error::from)
        };
        prepare().map_err(failed)?;
        let Some(trust) = &self.tls else { return Ok(Stream { socket, tls: None }) };
        let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let host = ServerName::try_from(host).map_err(|error| format!("{address}: {error}"))?;
        let mut tls = ClientConnection::new(tls::client(trust)?, host).map_err(|error| error.to_string())?;
        let mut stream = socket;
        while tls.is_handshaking() {
            let advice = "see whether its certificate names this host and `ca_file` names its authority";
            tls.complete_io(&mut stream)
                .map_err(|error| format!("no TLS with the syslog receiver {address}: {error}; {advice}"))?;
        }
        Ok(Stream { socket: stream, tls: Some(tls) })
    }
}

impl Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => {
                // It holds 64 KiB that are not written, and a message may be longer.
                for part in octets.chunks(TLS_RECORD) {
                    tls.writer().write_all(part)?;
                    while tls.wants_write() {
                        tls.write_tls(&mut self.socket)?;
                    }
                }
                Ok(())
            }
            None => self.socket.write_all(octets),
        }
    }

    /// Looks for the end of the connection, and passes over what the receiver says: it has nothing to say.
    fn look(&mut self) -> io::Result<()> {
        self.socket.set_nonblocking(true)?;
        let seen = self.read_what_is_there();
        self.socket.set_nonblocking(false)?;
        match seen {
            Ok(()) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection")),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reads up to the end of the stream.
    fn read_what_is_there(&mut self) -> io::Result<()> {
        let mut octets = [0; 512];
        loop {
            let Some(tls) = &mut self.tls else {
                if self.socket.read(&mut octets)? == 0 {
                    return Ok(());
                }
                continue;
            };
            if tls.read_tls(&mut self.socket)? == 0 {
                return Ok(());
            }
            let state = tls.process_new_packets().map_err(io::Error::other)?;
            if state.plaintext_bytes_to_read() > 0 {
                // Passed over.
                let _ = tls.reader().read(&mut octets)?;
            }
            if state.peer_has_closed() {
                return Ok(());
            }
        }
    }

    /// Ends our half; whether the receiver ends its own within [`CLOSING`], and so has read all.
    fn close(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            while tls.wants_write() {
                tls.write_tls(&mut self.socket)?;
            }
        }
        self.socket.shutdown(Shutdown::Write)?;
        self.socket.set_read_timeout(Some(CLOSING))?;
        let mut octets = [0; 512];
        while self.socket.read(&mut octets)? > 0 {}
        Ok(())
    }
}

impl Peer for Receiver {
    fn send(&mut self, message: &Message<'_>) -> Result<(), Failure> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let connected = self.connect().map_err(Failure::before)?;
                self.stream.insert(connected)
            }
        };
        let entry = message.entry;
        let header = syslog::Header {
            severity: entry.severity,
            unix_ns: entry.unix_ns,
            id: &entry.id,
            sequence: entry.sequence,
        };
        let written = stream.write(&syslog::frame(&header, &self.source, message.entry.format, message.body));
        written.map_err(|error| self.failure(&error))?;
        self.written.push_back((entry.sequence, Instant::now()));
        Ok(())
    }

    fn certain(&mut self) -> Result<Option<u64>, Failure> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        if let Err(error) = stream.look() {
            if self.written.is_empty() {
                // It rested; the next message makes another one.
                self.stream = None;
                return Ok(None);
            }
            return Err(self.failure(&error));
        }
        let mut certain = None;
        while let Some((sequence, at)) = self.written.front()
            && at.elapsed() > CERTAIN
        {
            certain = Some(*sequence);
            self.written.pop_front();
        }
        Ok(certain)
    }

    fn is_prompt(&self) -> bool {
        false
    }

    fn close(&mut self) -> Option<u64> {
        let mut stream = self.stream.take()?;
        let last = self.written.back().map(|(sequence, _)| *sequence);
        stream.close().ok().and(last)
    }
}
