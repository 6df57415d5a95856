//! A session and what becomes of it: what [`Sessions`](super::Sessions) hands to places, profiles and the store. Plain
//! data.

use std::{fmt, net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{details::Details, fact::SECOND, volume::Volume};

/// A VPN server as [`Sessions`](super::Sessions) numbers them; see [`Server`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServerNumber(pub u32);

/// What a VPN server is known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Server {
    /// Name of the configured client.
    pub client: Box<str>,
    /// NAS-Identifier.
    pub identifier: Option<Box<str>>,
    /// NAS-IP-Address or NAS-IPv6-Address; where the request names neither address nor identifier, its source.
    pub address: Option<IpAddr>,
}

impl Server {
    pub(super) fn is(&self, client: &str, identifier: Option<&str>, address: Option<IpAddr>) -> bool {
        *self.client == *client && self.identifier.as_deref() == identifier && self.address == address
    }
}

/// What a session's start rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StartSource {
    /// Its first message that came, without an Acct-Session-Time: it began then or before.
    FirstSeen,
    /// Acct-Session-Time of a later message: the Start is lost.
    SessionTime,
    /// Its Start.
    Start,
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EndReason {
    /// Its Stop.
    Stop,
    /// Accounting-Off.
    ServerStopped,
    /// Accounting-On: it ended then or before.
    ServerStarted,
    /// Its id was used for another session: it ended then or before.
    Replaced,
    /// It missed interims. Its end is its last sign of life.
    Silence,
    /// It never had regular interims and no Stop came. Its end is unknown; the last sign of life stands for it.
    Unknown,
    /// There was no more memory to follow it.
    Evicted,
}

impl EndReason {
    /// One word for people, JSON and metrics.
    pub fn name(self) -> &'static str {
        match self {
            EndReason::Stop => "stop",
            EndReason::ServerStopped => "server-stopped",
            EndReason::ServerStarted => "server-started",
            EndReason::Replaced => "replaced",
            EndReason::Silence => "silence",
            EndReason::Unknown => "unknown",
            EndReason::Evicted => "evicted",
        }
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// ns since 1970 UTC.
    pub unix_ns: u64,
    /// Why it is thought over.
    pub reason: EndReason,
    /// Acct-Terminate-Cause.
    pub cause: Option<u32>,
}

/// One VPN connection of a person. Serialised for snapshots only, and without its details: those of one id are written
/// once, since most of its messages say the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Unlike that of every other session of one [`Sessions`](super::Sessions).
    pub number: u64,
    /// When it began, ns since 1970 UTC.
    pub start_unix_ns: u64,
    /// What the start rests on.
    pub start_source: StartSource,
    /// Event time of the newest message: its last proof of life, ns since 1970 UTC.
    pub last_seen_unix_ns: u64,
    /// What its requests say besides.
    #[serde(skip)]
    pub details: Details,
    /// Greatest Acct-Session-Time, seconds.
    pub session_seconds: u32,
    pub(super) volume: Volume,
    /// The end that messages tell of.
    pub(super) told_end: Option<End>,
    /// The end of a session that fell silent; one more message and it lives.
    pub(super) presumed_end: Option<EndReason>,
    /// The Stop's time is its own.
    pub(super) end_has_time: bool,
    /// A message showed that it went on for a while.
    pub(super) has_progress: bool,
    /// Seconds between its last messages; 0: not yet known.
    pub(super) gaps: [u32; 2],
}

/// An allocation's size: a million are open.
const _: () = assert!(size_of::<Session>() == 128);

impl Session {
    /// Its end; `None` while it is open.
    pub fn end(&self) -> Option<End> {
        self.told_end.or_else(|| {
            self.presumed_end.map(|reason| End { unix_ns: self.last_seen_unix_ns, reason, cause: None })
        })
    }

    /// Octets from the client; `None` if the VPN server sent none.
    pub fn input_octets(&self) -> Option<u64> {
        self.volume.totals().map(|(input, _)| input)
    }

    /// Octets to the client; `None` if the VPN server sent none.
    pub fn output_octets(&self) -> Option<u64> {
        self.volume.totals().map(|(_, output)| output)
    }

    /// Octets in both directions; `None` if the VPN server sent none.
    pub fn octets(&self) -> Option<u64> {
        self.volume.totals().map(|(input, output)| input.saturating_add(output))
    }

    /// How long it had lasted then, seconds.
    pub fn seconds_until(&self, unix_ns: u64) -> u64 {
        unix_ns.saturating_sub(self.start_unix_ns) / SECOND
    }

    /// Seconds between its interims; `None` if it has no regular ones. Of the last two gaps the greater, so that one
    /// out of turn (an address was assigned, a Start repeated) does not make the next late.
    pub fn interim_seconds(&self) -> Option<u32> {
        (self.gaps[0] > 0).then(|| self.gaps[0].max(self.gaps[1]))
    }

    /// Whether there is proof that it was up at `unix_ns`: between its start and last sign of life, or not longer than
    /// `recent_ns` behind that while it is open. An open session alone is no proof: many ends are never told.
    pub fn was_alive_at(&self, unix_ns: u64, recent_ns: u64) -> bool {
        let until = match self.end() {
            Some(end) => end.unix_ns.min(self.last_seen_unix_ns.saturating_add(recent_ns)),
            None => self.last_seen_unix_ns.saturating_add(recent_ns),
        };
        (self.start_unix_ns..=until.max(self.last_seen_unix_ns)).contains(&unix_ns)
    }

    /// When it is to be presumed over, if nothing is heard; ns. `heard_since`: from when on there was somebody to hear.
    pub(super) fn silent_from(&self, settings: &Settings, heard_since: u64) -> (u64, EndReason) {
        let (seconds, reason) = match self.interim_seconds() {
            Some(seconds) => {
                (u64::from(seconds.max(60)) * u64::from(settings.missed_interims.max(1)), EndReason::Silence)
            }
            None => (settings.unknown_after_s, EndReason::Unknown),
        };
        let from = self.last_seen_unix_ns.max(heard_since);
        (from.saturating_add(seconds.saturating_mul(SECOND)).saturating_add(super::LATE), reason)
    }
}

/// What became of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Happening {
    /// It is new; it may be over already.
    Opened,
    /// Something about it changed: time, volume, addresses, start, how it ended.
    Updated,
    /// It is over.
    Closed,
    /// It was thought over and is not.
    Reopened,
    /// A late message showed that it is one with another: take it away. [`Change::session`] is what it was.
    Merged {
        /// The number of the other.
        into: u64,
    },
}

/// A change of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Sequence of the record that brought it; `None`: time went by.
    pub sequence: Option<u64>,
    /// What became of it.
    pub happening: Happening,
    /// The address outside the tunnel was another one until now.
    pub has_moved: bool,
    /// Through which VPN server.
    pub server: ServerNumber,
    /// Acct-Session-Id; without one a text that stands for it, begins with a NUL.
    pub session_id: Arc<str>,
    /// How it is now.
    pub session: Session,
}

/// What the configuration says about sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// So many interims must be missed for a session to be over: at least 1. 3: one lost and one late are usual.
    pub missed_interims: u32,
    /// A session without regular interims and without a Stop has an unknown end after so many seconds.
    pub unknown_after_s: u64,
    /// How long closed sessions are kept for late messages, seconds: as long as an event's time is trusted.
    pub closed_kept_s: u64,
    /// Most session ids that are followed at once, closed ones included.
    pub sessions_max: usize,
    /// Most VPN servers.
    pub servers_max: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            missed_interims: 3,
            unknown_after_s: 24 * 60 * 60,
            closed_kept_s: 24 * 60 * 60,
            sessions_max: 2_000_000,
            servers_max: 65_536,
        }
    }
}
