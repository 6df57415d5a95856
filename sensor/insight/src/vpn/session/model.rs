//! A session and what becomes of it: what [`Sessions`](super::Sessions) hands to places, profiles and the store. Plain
//! data.

use std::{fmt, net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    super::{Assigned, Event},
    fact::SECOND,
    volume::Volume,
};

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

/// What a session's requests said of it besides times and volumes. Absent in one request, it is filled from another.
/// All texts share one allocation: there are a million of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Details {
    /// The newest address outside the tunnel: it may change while the session lasts (MOBIKE).
    pub remote: Option<IpAddr>,
    /// Addresses inside the tunnel.
    pub assigned: Box<[Assigned]>,
    /// One behind the other; an absent one is empty, since no decoded text is.
    texts: Box<str>,
    /// Where each of them ends. Six texts of one request are far shorter than 64 KiB.
    ends: [u16; TEXTS],
}

/// Texts of [`Details`]: user, user as sent, device, software, operating system, group.
const TEXTS: usize = 6;

impl Details {
    /// The user's key; see [`UserName`](super::super::names::UserName).
    pub fn user(&self) -> Option<&str> {
        self.text(0)
    }

    /// The user's name as sent.
    pub fn user_original(&self) -> Option<&str> {
        self.text(1)
    }

    /// The device: a computer's name or a stable identifier.
    pub fn device(&self) -> Option<&str> {
        self.text(2)
    }

    /// The client software.
    pub fn software(&self) -> Option<&str> {
        self.text(3)
    }

    /// The client's operating system and its version.
    pub fn operating_system(&self) -> Option<&str> {
        self.text(4)
    }

    /// Tunnel group, connection profile or user group.
    pub fn group(&self) -> Option<&str> {
        self.text(5)
    }

    fn text(&self, at: usize) -> Option<&str> {
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        let range = usize::from(begin)..usize::from(self.ends[at]);
        self.texts.get(range).filter(|text| !text.is_empty())
    }

    fn with(remote: Option<IpAddr>, assigned: &[Assigned], given: [Option<&str>; TEXTS]) -> Details {
        let mut texts = String::with_capacity(given.iter().flatten().map(|text| text.len()).sum());
        let mut ends = [0; TEXTS];
        for (text, end) in given.into_iter().zip(&mut ends) {
            let text = text.unwrap_or_default();
            if texts.len() + text.len() <= usize::from(u16::MAX) {
                texts.push_str(text);
            }
            *end = texts.len() as u16;
        }
        Details { remote, assigned: assigned.into(), texts: texts.into(), ends }
    }

    pub(super) fn of(event: &Event<'_>) -> Details {
        let system = event.operating_system_text();
        let texts = Details::texts_of(event, system.as_deref());
        Details::with(event.remote.map(|remote| remote.address), &event.assigned, texts)
    }

    fn texts_of<'e>(event: &'e Event<'_>, system: Option<&'e str>) -> [Option<&'e str>; TEXTS] {
        let user = event.user.as_ref();
        [
            user.map(|user| &*user.key),
            user.map(|user| &*user.original),
            event.device.as_deref(),
            event.software.as_deref(),
            system,
            event.group.as_deref(),
        ]
    }

    /// Whether the event says the same, without allocating: most interims do.
    pub(super) fn are_of(&self, event: &Event<'_>) -> bool {
        let system = event.operating_system_text();
        let texts = Details::texts_of(event, system.as_deref());
        self.remote == event.remote.map(|remote| remote.address)
            && *self.assigned == event.assigned[..]
            && texts.into_iter().enumerate().all(|(at, text)| text == self.text(at))
    }

    /// Whether both can be of one user: nobody is told apart by a name that is not there.
    pub(super) fn may_share_user(&self, other: &Details) -> bool {
        agree(self.user().as_ref(), other.user().as_ref())
    }

    /// Whether both can be of one connection.
    pub(super) fn may_share_addresses(&self, other: &Details) -> bool {
        agree(self.remote.as_ref(), other.remote.as_ref())
            && (self.assigned.is_empty() || other.assigned.is_empty() || self.assigned == other.assigned)
    }

    /// Fills what is absent in `newer` from `older`.
    pub(super) fn filled(newer: &Arc<Details>, older: &Arc<Details>) -> Arc<Details> {
        if Arc::ptr_eq(newer, older) || newer == older {
            return Arc::clone(older);
        }
        let assigned = if newer.assigned.is_empty() { &older.assigned } else { &newer.assigned };
        let mut texts: [Option<&str>; TEXTS] =
            std::array::from_fn(|at| newer.text(at).or_else(|| older.text(at)));
        // Key and name are one thing.
        texts[1] = if newer.user().is_some() { newer.user_original() } else { older.user_original() };
        let filled = Details::with(newer.remote.or(older.remote), assigned, texts);
        if filled == **older { Arc::clone(older) } else { Arc::new(filled) }
    }
}

fn agree<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
    one.zip(other).is_none_or(|(one, other)| one == other)
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
    pub details: Arc<Details>,
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
