//! What a worker has to say to people: put into a bounded queue as it is, turned into rate-limited log lines and health
//! alerts by the control thread. The worker formats nothing and waits for nobody.

use std::{fmt, net::SocketAddr, sync::Arc};

use crossbeam::queue::ArrayQueue;
use radius::Malformed;

use crate::verdict::Verdict;

/// One datagram that somebody may have to know of.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Who sent it, as far as its source address can be trusted.
    pub source: SocketAddr,
    /// The address it was sent to.
    pub destination: SocketAddr,
    /// The name of the client that holds the source address, where it was looked up.
    pub client: Option<Arc<str>>,
    /// What was wrong.
    pub reason: Reason,
}

/// Why a datagram was not simply recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The frame is not a whole UDP datagram.
    NotADatagram,
    /// The lengths or attributes break a rule of the protocol.
    Malformed(Malformed),
    /// No client holds the source address.
    UnknownClient,
    /// A code that this port does not serve.
    UnsupportedCode(u8),
    /// Status-Server from a client for which it is switched off.
    StatusServerOff,
    /// Verifies under none of the client's secrets: most likely the secret is not the same on both sides.
    BadAuthenticator,
    /// The Message-Authenticator is wrong.
    BadMessageAuthenticator,
    /// The client must send a Message-Authenticator and did not.
    NoMessageAuthenticator,
    /// Above the client's configured rate, or the rate of Status-Server.
    RateLimited,
    /// No batch was free: the journal does not keep up.
    NoFreeBatch,
    /// The journal could not write the batch.
    BatchFailed,
    /// The duplicate table holds nothing but pending entries where this one would go.
    DuplicatesFull,
}

impl Reason {
    /// The verdict that comes with it.
    pub const fn verdict(self) -> Verdict {
        match self {
            Reason::NotADatagram | Reason::Malformed(_) => Verdict::Malformed,
            Reason::UnknownClient => Verdict::UnknownClient,
            Reason::UnsupportedCode(_) | Reason::StatusServerOff => Verdict::UnsupportedCode,
            Reason::BadAuthenticator => Verdict::BadAuthenticator,
            Reason::BadMessageAuthenticator | Reason::NoMessageAuthenticator => {
                Verdict::BadMessageAuthenticator
            }
            Reason::RateLimited => Verdict::RateLimited,
            Reason::NoFreeBatch | Reason::BatchFailed | Reason::DuplicatesFull => Verdict::Overload,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NotADatagram => f.write_str("not a whole UDP datagram"),
            Reason::Malformed(malformed) => malformed.fmt(f),
            Reason::UnknownClient => f.write_str("no client with this address"),
            Reason::UnsupportedCode(code) => write!(f, "code {code} is not served on this port"),
            Reason::StatusServerOff => f.write_str("Status-Server is switched off for this client"),
            Reason::BadAuthenticator => f.write_str("wrong Request Authenticator: check the shared secret"),
            Reason::BadMessageAuthenticator => {
                f.write_str("wrong Message-Authenticator: check the shared secret")
            }
            Reason::NoMessageAuthenticator => {
                f.write_str("no Message-Authenticator, which this client must send")
            }
            Reason::RateLimited => f.write_str("above the rate limit"),
            Reason::NoFreeBatch => f.write_str("the journal does not keep up"),
            Reason::BatchFailed => f.write_str("the journal could not write"),
            Reason::DuplicatesFull => f.write_str("the duplicate table is full of requests in progress"),
        }
    }
}

/// The queue of notices, of all workers. When it is full a notice is dropped and counted by its worker: the verdict
/// counters have it all the same.
#[derive(Clone, Debug)]
pub struct Notices(Arc<ArrayQueue<Notice>>);

impl Notices {
    pub(crate) fn new(capacity: usize) -> Notices {
        Notices(Arc::new(ArrayQueue::new(capacity.max(1))))
    }

    /// The oldest notice.
    pub fn next(&self) -> Option<Notice> {
        self.0.pop()
    }

    /// False when the queue is full.
    pub(crate) fn push(&self, notice: Notice) -> bool {
        self.0.push(notice).is_ok()
    }

    /// Whether another notice would be dropped: asked first, so that a flood does not even count references.
    pub(crate) fn is_full(&self) -> bool {
        self.0.is_full()
    }
}
