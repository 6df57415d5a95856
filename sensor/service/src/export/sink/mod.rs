//! Where messages are sent: each sink has a thread of its own, which takes messages from its spool, sends them, and moves
//! its cursor. A peer that is dead delays its own messages alone.
//!
//! | file | what lives there |
//! |---|---|
//! | `deliver` | the thread: order, retries, doubt |
//! | `file` | JSON lines in a file |
//! | `syslog` | a stream to a syslog receiver |
//! | `webhook` | POST requests with a signature |
//! | `mail` | letters over SMTP |
//! | `tls` | whom to trust |
//!
//! Called by `export::sinks`.

mod deliver;
mod file;
mod mail;
mod syslog;
mod tls;
mod webhook;

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam::channel::{Sender, bounded};

pub use policy::sink::{MailSettings, Mailbox, Secret, Settings, Target, Trust, mailbox};
pub use webhook::{DELIVERY_HEADER, ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, signature};

use super::{
    format::Source,
    spool::{Entry, Spool},
};
use deliver::Delivery;

/// Between two attempts at a peer that cannot be reached. An alert is to arrive within 5 s where its peer runs, also when
/// that was away until a moment ago; an attempt costs it nothing.
const REST_MAX: Duration = Duration::from_secs(3);
/// Between two at one that says that it cannot take more.
const REST_BUSY_MAX: Duration = Duration::from_secs(30);

/// How a sink stands, for metrics and for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// `file`, `syslog`, `webhook`, `mail`.
    pub kind: &'static str,
    /// Whether the last attempt went well, or there was none yet.
    pub is_up: bool,
    /// Messages sent since the start.
    pub sent: u64,
    /// Attempts that failed since the start.
    pub failures: u64,
    /// Messages that are not known to have arrived.
    pub waiting: u64,
    /// Messages that fell out of the spool, found no room in it, or were refused for good, since the spool was made.
    pub lost: u64,
    /// Those of them that the peer refused, since the start.
    pub refused: u64,
    /// Recipients for whom the peer refused the last message for good while it took it for others, each with its answer;
    /// none: nothing was sent since the start, or a message has one recipient.
    pub recipients_refused: Option<Vec<String>>,
    /// Why it does not run: its spool cannot be opened; none: it does.
    pub stopped: Option<String>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// How long the oldest waiting message waits, about.
    pub behind_seconds: f64,
    /// Octets of the spool's files.
    pub spool_bytes: u64,
}

/// What the thread tells of itself.
#[derive(Debug, Default)]
struct Progress {
    is_down: bool,
    sent: u64,
    failures: u64,
    refused: u64,
    recipients_refused: Option<Vec<String>>,
    last_error: Option<String>,
}

/// A message on its way.
struct Message<'a> {
    entry: &'a Entry,
    /// As it is sent: with the remark, if it may have arrived before.
    body: &'a str,
    may_be_twice: bool,
}

/// Why a message did not arrive.
#[derive(Debug)]
enum Failure {
    /// The peer will never take it.
    Refused(String),
    /// The peer cannot be reached or takes nothing now.
    Unreachable {
        /// Why, and what to do.
        reason: String,
        /// Whether the message may have arrived all the same.
        may_have_arrived: bool,
        /// Longest rest before the next attempt.
        rest_max: Duration,
    },
}

impl Failure {
    /// Nothing left this host.
    fn before(reason: impl Into<String>) -> Failure {
        Failure::Unreachable { reason: reason.into(), may_have_arrived: false, rest_max: REST_MAX }
    }

    /// What was sent may have arrived.
    fn during(reason: impl Into<String>) -> Failure {
        Failure::Unreachable { reason: reason.into(), may_have_arrived: true, rest_max: REST_MAX }
    }

    /// The peer is there, and takes nothing now: it is not to be pressed.
    fn busy(reason: impl Into<String>, may_have_arrived: bool) -> Failure {
        Failure::Unreachable { reason: reason.into(), may_have_arrived, rest_max: REST_BUSY_MAX }
    }
}

/// The other end.
trait Peer: Send {
    /// Sends a message; it need not have arrived yet.
    fn send(&mut self, message: &Message<'_>) -> Result<(), Failure>;

    /// The last message that certainly arrived, with all before it.
    fn certain(&mut self) -> Result<Option<u64>, Failure>;

    /// Whether each message has arrived when it is sent.
    fn is_prompt(&self) -> bool;

    /// Recipients for whom the last message was refused for good while others took it, each with the answer; none for a
    /// peer that is one recipient, and before the first message.
    fn refusals(&self) -> Option<&[String]> {
        None
    }

    /// Ends the connection, and says what certainly arrived. Takes 2 s at most.
    fn close(&mut self) -> Option<u64>;
}

/// A sink: its spool and its thread.
#[derive(Debug)]
pub(super) struct Sink {
    pub(super) settings: Settings,
    pub(super) spool: Arc<Spool>,
    progress: Arc<Mutex<Progress>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    /// Starts the thread over an opened spool.
    pub(super) fn start(settings: Settings, spool: Spool, source: &Source) -> io::Result<Sink> {
        let spool = Arc::new(spool);
        let progress = Arc::new(Mutex::new(Progress::default()));
        let peer: Box<dyn Peer> = match &settings.target {
            Target::File { path } => Box::new(file::File::new(path.clone())),
            Target::Syslog { address, tls } => {
                Box::new(syslog::Receiver::new(address.clone(), tls.clone(), source.clone()))
            }
            Target::Webhook { url, trust, secret } => {
                let name = format!("{}/{}", source.host, settings.name);
                Box::new(webhook::Hook::new(url.clone(), trust.clone(), secret.clone(), name))
            }
            Target::Mail(server) => Box::new(mail::Server::new(server.clone())),
        };
        let (stop, stopping) = bounded(0);
        let delivery =
            Delivery::new(settings.name.clone(), Arc::clone(&spool), peer, Arc::clone(&progress), stopping);
        let thread =
            thread::Builder::new().name(format!("sink {}", settings.name)).spawn(move || delivery.run())?;
        Ok(Sink { settings, spool, progress, stop: Some(stop), thread: Some(thread) })
    }

    /// How it stands.
    pub(super) fn standing(&self, now_unix_ns: u64) -> Standing {
        let backlog = self.spool.backlog();
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = backlog.oldest_unix_ns.map_or(0, |oldest| now_unix_ns.saturating_sub(oldest));
        Standing {
            name: self.settings.name.clone(),
            kind: self.settings.target.name(),
            is_up: !progress.is_down,
            sent: progress.sent,
            failures: progress.failures,
            waiting: backlog.waiting,
            lost: backlog.lost,
            refused: progress.refused,
            recipients_refused: progress.recipients_refused.clone(),
            stopped: None,
            last_error: progress.last_error.clone(),
            behind_seconds: behind as f64 / 1e9,
            spool_bytes: backlog.octets,
        }
    }

    /// Lets the thread end what it is at; the others can be told to meanwhile.
    pub(super) fn begin_to_stop(&mut self) {
        self.stop = None;
        self.spool.wake();
    }

    /// Waits until the thread has ended.
    pub(super) fn join(mut self) {
        self.begin_to_stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of sink {:?} panicked; its messages wait", self.settings.name);
        }
    }
}
