//! A RADIUS client that tests drive datagram by datagram.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use radius::{MAX_LENGTH, authenticator};

use crate::config::PORT;
use crate::{Namespace, PATIENCE};

/// How long a client waits before it sends the same octets again.
const RETRANSMIT_AFTER: Duration = Duration::from_secs(2);

/// A UDP socket in a namespace that speaks to the sensor.
pub struct Nas {
    socket: UdpSocket,
    secret: String,
}

impl Nas {
    /// A client at `from` that speaks to port 1813 of `server`.
    #[track_caller]
    pub fn new(
        namespace: &Namespace,
        from: impl Into<IpAddr>,
        server: impl Into<IpAddr>,
        secret: &str,
    ) -> Nas {
        Nas::from_port(namespace, SocketAddr::new(from.into(), 0), server, secret)
    }

    /// The same with a source port.
    #[track_caller]
    pub fn from_port(
        namespace: &Namespace,
        from: impl Into<SocketAddr>,
        server: impl Into<IpAddr>,
        secret: &str,
    ) -> Nas {
        let (from, server) = (from.into(), SocketAddr::new(server.into(), PORT));
        let socket = namespace.enter(|| {
            let socket = UdpSocket::bind(from).unwrap_or_else(|error| panic!("{from}: {error}"));
            // Connected: an answer from another address or port than the one that was asked would not be received (R8).
            socket.connect(server).unwrap_or_else(|error| panic!("{server}: {error}"));
            socket
        });
        Nas { socket, secret: secret.into() }
    }

    /// The client's address and port.
    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("an address")
    }

    /// Its secret.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Sends a datagram. A port that is closed for a moment, while the sensor restarts, is not an error.
    #[track_caller]
    pub fn send(&self, octets: &[u8]) {
        // A connected socket reports the ICMP error of an earlier datagram instead of sending this one.
        for _ in 0..3 {
            match self.socket.send(octets) {
                Ok(_) => return,
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(error) => panic!("send {} octets: {error}", octets.len()),
            }
        }
    }

    /// The next answer, whatever it is, or `None` after `timeout`.
    #[track_caller]
    pub fn answer(&self, timeout: Duration) -> Option<Vec<u8>> {
        let deadline = Instant::now() + timeout;
        let mut buffer = [0; MAX_LENGTH];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            self.socket.set_read_timeout(Some(left.max(Duration::from_micros(1)))).expect("a timeout");
            match self.socket.recv(&mut buffer) {
                Ok(length) => return Some(buffer[..length].to_vec()),
                // A timeout is rounded to the kernel's ticks, and a tracer of another process may interrupt a call.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::ConnectionRefused
                            | ErrorKind::WouldBlock
                            | ErrorKind::TimedOut
                            | ErrorKind::Interrupted
                    ) => {}
                Err(error) => panic!("receive: {error}"),
            }
            if Instant::now() >= deadline {
                return None;
            }
        }
    }

    /// Sends a request as a VPN server does, again and again, until it is answered; checks the answer and returns it.
    #[track_caller]
    pub fn ask(&self, request: &[u8]) -> Vec<u8> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.send(request);
            while let Some(answer) = self.answer(RETRANSMIT_AFTER) {
                if self.is_answer(request, &answer) {
                    return answer;
                }
            }
        }
        panic!("no answer within {PATIENCE:?}");
    }

    /// Sends a request once; fails unless the next datagram that comes back is its answer. What was sent before and
    /// deserves silence would have been answered earlier, by the same worker.
    #[track_caller]
    pub fn ask_once(&self, request: &[u8]) -> Vec<u8> {
        self.send(request);
        let answer = self.answer(PATIENCE).expect("an answer");
        assert!(self.is_answer(request, &answer), "this does not answer the request: {answer:02x?}");
        answer
    }

    /// Fails if an answer is waiting to be read. Call it when the sensor has counted what was sent.
    #[track_caller]
    pub fn assert_silence(&self) {
        let answer = self.answer(Duration::from_millis(50));
        assert_eq!(answer, None, "this client deserves silence");
    }

    /// Whether `answer` is an Accounting-Response to `request` under this client's secret.
    pub fn is_answer(&self, request: &[u8], answer: &[u8]) -> bool {
        is_answer(request, answer, &self.secret)
    }
}

/// Whether `answer` is an Accounting-Response to `request` under `secret`.
pub fn is_answer(request: &[u8], answer: &[u8], secret: &str) -> bool {
    let Some(authenticator) = request.get(4..20).and_then(|octets| octets.try_into().ok()) else {
        return false;
    };
    answer.len() >= 20
        && answer[0] == 5
        && answer[1] == request[1]
        && usize::from(u16::from_be_bytes([answer[2], answer[3]])) == answer.len()
        && authenticator::verify_response(answer, authenticator, secret.as_bytes())
}
