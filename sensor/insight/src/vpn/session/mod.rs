//! Sessions: from events to VPN connections with a beginning, an end and what was in between. The service hands every
//! event of the journal to [`Sessions::take`], in the journal's order, and the time to [`Sessions::advance`], at least
//! once a minute; both answer with [`Change`]s. No clock is read; equal calls give equal changes.
//!
//! # The rules
//!
//! **Who.** A VPN server is the client's name with NAS-Identifier and NAS address; without both, with the source
//! address. Everything below is per VPN server. A session is one VPN server, Acct-Session-Id and start. Only persons'
//! VPN connections ([`Kind::Person`]) and Accounting-On and -Off count; the rest is passed by.
//!
//! **Order.** The facts of one id are taken in the order of their times. One that comes late, up to five minutes, is
//! put where it belongs and what followed is taken again; so neither the order of arrival nor repetition matters where
//! requests carry Event-Timestamp or Acct-Delay-Time. What comes later still is added to what stands. A request
//! without a time of its own counts at its arrival. Two requests that say the same within two seconds are one.
//!
//! **Which session.** An Interim-Update or Stop belongs to the session that began when it says (its time less
//! Acct-Session-Time, give or take a minute; five without a time of its own); else to the newest that its time and
//! user allow. If it says that it began behind the last sign of life, or behind the end, of that one, the id was used
//! again: a new session. One that belongs to none opens one that began at time less Acct-Session-Time. Two different
//! users are never one session; a request without a user is anybody's.
//!
//! **Start.** A Start is the Start of a session known from later messages, or that of one whose Start is known if
//! both lie within two seconds, or within ten minutes with equal addresses, no progress (time or volume) and no restart
//! between: one VPN server telling two sensors. Otherwise it opens a session and ends the id's older ones, `replaced`.
//!
//! **End.** By Stop; by Accounting-On or -Off; by another session under the id; by silence, once
//! [`Settings::missed_interims`] of its interims are missing (its interval is the greater of its last two gaps); without
//! regular interims after [`Settings::unknown_after_s`], end unknown. All five minutes later than due, for what is on
//! its way. A Stop is believed over all others, and no message behind it reopens the session. Silence is broken by any
//! newer message, a restart by one of a session that began before it: the session is reopened. The end by silence is
//! the last sign of life. Silence counts only while there was somebody to hear: behind a gap of ten minutes in which
//! neither events nor the clock came, or a clock that went back by five, it begins anew.
//!
//! **Volume.** Totals never go down. Without gigawords a lower value wrapped if the way round is shorter than 2 GiB;
//! otherwise, and with gigawords, the counter began again, and both parts count. A lower value with nothing to show when
//! it was sent is late, and passed by.
//!
//! # Where the sources are silent
//!
//! - A Stop for a session that a restart ended: it is the end (VPN servers send theirs behind Accounting-Off).
//! - An Interim without Acct-Session-Time behind a restart: the same session if its counters go on, else a new one.
//! - No Acct-Session-Id: user and remote address stand for it. Neither: passed by, counted.
//! - Start or Stop with session id `00000000`, without user and session time, is On or Off (old servers, R42).
//! - An Acct-Session-Time of more than two years is a lie, and not there.
//! - What changes in a session (the remote address, MOBIKE) is the newest; what is absent is filled from other messages.
//! - A second Stop at another time: the later, unless only one carries its time.
//! - Event times are those of the decoder, which trusts them from arrival - `events.accept_past` to + 5 minutes.
//!
//! # Bounds
//!
//! At most [`Settings::sessions_max`] ids, each with 4 sessions, 32 facts that can be taken again and one fingerprint; at most
//! [`Settings::servers_max`] VPN servers. Closed sessions are kept for [`Settings::closed_kept_s`], then forgotten: a
//! copy that comes later looks like a new session. When full, the one that closed first is forgotten; if none is closed,
//! the open one that would fall silent first is closed, `evicted`. Beyond the last VPN server all unknown ones of a
//! client are one. What is queued for later is bounded by the ids as well, whatever was forgotten in between.

mod details;
mod fact;
mod history;
mod model;
mod servers;
mod slots;
mod snapshot;
mod step;
mod upkeep;
mod volume;
mod written;

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    sync::Arc,
};

pub use details::Details;
pub use model::{Change, End, EndReason, Happening, Server, ServerNumber, Session, Settings, StartSource};

use serde::{Deserialize, Serialize};

use super::{Event, Fingerprint, Interim, Kind, Status};
pub use snapshot::SnapshotError;

use fact::{Fact, SECOND};
use history::{SessionsOfId, Taken, differences};
use servers::Servers;
use slots::{INACTIVE, Slots};

/// How late a message may be without leaving its place in the order: ns, five minutes.
const LATE: u64 = 300 * SECOND;
/// A longer gap between two calls means that nobody listened: ns.
const UNHEARD: u64 = 600 * SECOND;

/// So many queued ids are looked at before the first of them is taken: enough that looks at memory go side by side, few
/// enough that what they found is still in the nearest cache when it is used. Not tuned further.
const NEAR: usize = 16;

/// What was done with events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Not about a person's VPN connection.
    pub passed_by: u64,
    /// Copies of what was known, and late ones that changed nothing.
    pub without_change: u64,
    /// Neither session id nor user.
    pub unidentified: u64,
    /// Open sessions given up to make room.
    pub evicted: u64,
    /// Events of VPN servers beyond [`Settings::servers_max`].
    pub server_surplus: u64,
}

/// All sessions of all VPN servers.
#[derive(Debug, Default)]
pub struct Sessions {
    settings: Settings,
    servers: Servers,
    slots: Slots,
    /// When to look at which use of which slot.
    due: BinaryHeap<Reverse<(u64, u32, u32)>>,
    /// Slots to give up their way back, about in order.
    unsettled: VecDeque<(u64, u32, u32)>,
    /// Slots without an open session, the first closed first.
    spare: VecDeque<(u32, u32)>,
    counts: Counts,
    next_number: u64,
    now: u64,
    /// Since when there was somebody to hear.
    heard_since: u64,
    /// The sessions of an id before a fact, to compare with.
    before: SessionsOfId,
}

/// Where the session of an event is to be looked for.
#[derive(Debug, Clone, Copy)]
pub struct Sought {
    server: ServerNumber,
    hash: u64,
}

/// Where the session of an interim is that repeats the one before.
#[derive(Debug, Clone, Copy)]
pub struct Repeated(u32);

impl Sessions {
    /// None yet.
    pub fn new(settings: Settings) -> Sessions {
        Sessions { settings, ..Sessions::default() }
    }

    /// Takes the event of the record with this sequence.
    pub fn take(&mut self, sequence: u64, event: &Event<'_>, changes: &mut Vec<Change>) {
        self.take_sought(sequence, event, (None, Fingerprint::NONE), changes);
    }

    /// The same, where [`Sessions::seek`] said this of the event, and what repeats it is known by this fingerprint.
    pub fn take_sought(
        &mut self,
        sequence: u64,
        event: &Event<'_>,
        (sought, interim): (Option<Sought>, Fingerprint),
        changes: &mut Vec<Change>,
    ) {
        self.hear(event.arrival_unix_ns);
        let kind = event.classified.kind;
        let reason = restart(event);
        if !(kind == Kind::Person && event.status.is_of_session()) && reason.is_none() {
            self.counts.passed_by += 1;
            return;
        }
        let Some(id) = session_id(event).or(reason.map(|_| Cow::Borrowed(""))) else {
            self.counts.unidentified += 1;
            return;
        };
        let (server, is_surplus) = match sought {
            Some(Sought { server, .. }) => (server, false),
            None => self.servers.of(event, self.settings.servers_max),
        };
        self.counts.server_surplus += u64::from(is_surplus);
        let changes_before = changes.len();
        match reason {
            Some(reason) => self.restart(sequence, server, &Fact::boot(event.time.unix_ns, reason), changes),
            None => {
                let hash = sought.map_or_else(|| self.slots.hash(server, &id), |sought| sought.hash);
                // What says or counts something else besides is to be looked at each time.
                let is_plain = event.terminate_cause.is_none() && event.attributes.is_empty() && !is_surplus;
                let interim = if is_plain { interim } else { Fingerprint::NONE };
                self.session(sequence, (server, hash, &id), (event, interim), changes);
            }
        }
        self.counts.without_change += u64::from(changes.len() == changes_before);
    }

    /// Where the session of an event is to be looked for: for whoever is about to take several events, and has what they
    /// are about brought near first. `None`: it is not to be known so cheaply.
    pub fn seek(&self, event: &Event<'_>) -> Option<Sought> {
        let server = self.servers.peek(event)?;
        Some(Sought { server, hash: self.slots.hash(server, event.session_id.as_deref()?) })
    }

    /// The session that this event is probably about, if there is one.
    pub fn peek(&self, sought: Sought, event: &Event<'_>) -> Option<&Session> {
        let Sought { server, hash } = sought;
        let number = self.slots.find(hash, server, event.session_id.as_deref()?)?;
        self.slots.get(number).history.newest()
    }

    /// Where the session is of an interim that says what the one before it in this session said, as this one's decoder
    /// would find. `None`: it is to be decoded.
    pub fn repeated(&self, interim: &Interim) -> Option<Repeated> {
        self.slots.find_interim(interim.fingerprint).map(Repeated)
    }

    /// The session that it is about.
    pub fn peek_repeated(&self, Repeated(number): Repeated) -> Option<&Session> {
        self.slots.peek(number)?.history.newest()
    }

    /// Takes an interim as [`Sessions::take`] would take its event, where [`Sessions::repeated`] said this of it, if that
    /// is still so: what came since may be another session's, or have changed this one. Whether it did; else nothing was
    /// done.
    pub fn take_interim(
        &mut self,
        sequence: u64,
        interim: &Interim,
        Repeated(number): Repeated,
        changes: &mut Vec<Change>,
    ) -> bool {
        let slot = self.slots.peek(number).filter(|slot| slot.is_interim(interim.fingerprint));
        let Some(newest) = slot.and_then(|slot| slot.history.newest()) else { return false };
        let fact = Fact::of_interim(interim, newest.details.clone());
        self.hear(interim.arrival_unix_ns);
        let changes_before = changes.len();
        self.put(Some(sequence), number, (fact, interim.fingerprint), changes);
        self.counts.without_change += u64::from(changes.len() == changes_before);
        true
    }

    /// Lets the time go on: closes what fell silent, forgets what closed long ago.
    pub fn advance(&mut self, now_unix_ns: u64, changes: &mut Vec<Change>) {
        self.hear(now_unix_ns);
        for at in 0.. {
            if at % NEAR == 0 {
                self.bring_unsettled_near();
            }
            let Some((due, number, used)) = self.unsettled.pop_front() else { break };
            if due > self.now {
                self.unsettled.push_front((due, number, used));
                break;
            }
            let Some(slot) = self.slots.queued(number, used) else { continue };
            if slot.history.forget_rewind(now_unix_ns) {
                slot.is_unsettled = false;
                self.mark_active(number);
            } else {
                self.unsettled.push_back((self.now.saturating_add(LATE), number, used));
            }
        }
        while let Some(&Reverse((due, number, used))) = self.due.peek() {
            if due > self.now {
                break;
            }
            self.due.pop();
            if self.slots.queued(number, used).is_some_and(|slot| slot.due == due) {
                self.look_at(number, changes);
            }
        }
    }

    /// Ids that are followed, with open or closed sessions.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether none is followed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// VPN servers seen.
    pub fn server_count(&self) -> usize {
        self.servers.len()
    }

    /// A VPN server by its number.
    pub fn server(&self, number: ServerNumber) -> Option<&Server> {
        self.servers.get(number).map(|known| &known.server)
    }

    /// What was done with events so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Every session that is known, with its VPN server and Acct-Session-Id.
    pub fn iter(&self) -> impl Iterator<Item = (ServerNumber, &str, &Session)> {
        self.slots.iter().flat_map(|(_, slot)| {
            slot.history.sessions.iter().map(|session| (slot.server, &*slot.id, session))
        })
    }

    fn hear(&mut self, now: u64) {
        let went_on = now > self.now.saturating_add(UNHEARD);
        let went_back = now.saturating_add(LATE) < self.now;
        if went_on || went_back {
            self.heard_since = now;
        }
        self.now = now;
    }

    fn session(
        &mut self,
        sequence: u64,
        (server, hash, id): (ServerNumber, u64, &str),
        (event, interim): (&Event<'_>, Fingerprint),
        changes: &mut Vec<Change>,
    ) {
        let number = self.slots.find(hash, server, id).unwrap_or_else(|| {
            self.make_room(sequence, changes);
            self.slots.add(hash, server, id)
        });
        let history = &self.slots.get(number).history;
        // Those of the session first, as of an interim that is not decoded: which of equal ones it is shows in what is tied
        // to them.
        let known = history.newest().map(|session| &session.details).into_iter();
        let same = known.chain(history.pending_details()).find(|details| details.are_of(event));
        let details = same.map_or_else(|| Details::of(event), Details::clone);
        if let Some(fact) = Fact::of(event, details) {
            self.put(Some(sequence), number, (fact, interim), changes);
        }
    }

    fn restart(&mut self, sequence: u64, server: ServerNumber, fact: &Fact, changes: &mut Vec<Change>) {
        let known = self.servers.known(server);
        if !known.boot(fact) {
            return;
        }
        for number in known.active.clone() {
            self.put(Some(sequence), number, (fact.clone(), Fingerprint::NONE), changes);
        }
    }

    /// Puts a fact where it belongs among those of its id. What repeats it is known by this fingerprint.
    fn put(
        &mut self,
        sequence: Option<u64>,
        number: u32,
        (fact, interim): (Fact, Fingerprint),
        changes: &mut Vec<Change>,
    ) {
        let unknown_after = self.settings.unknown_after_s.saturating_mul(SECOND);
        let slot = self.slots.get_mut(number);
        let history = &mut slot.history;
        self.before.clone_from(&history.sessions);
        let mut is_between = false;
        // An inactive slot has not heard of restarts since.
        if slot.active_at == INACTIVE {
            let since = history.settled_until().max(fact.time.saturating_sub(LATE));
            for boot in self.servers.known(slot.server).boots.iter().filter(|boot| boot.time > since) {
                is_between |= history.take(boot.clone(), unknown_after) == Taken::Between;
            }
        }
        let taken = history.take(fact, unknown_after);
        is_between |= taken == Taken::Between;
        if is_between {
            history.again(unknown_after);
        }
        let interim = match taken {
            _ if is_between => Fingerprint::NONE,
            Taken::Copy => slot.interim,
            // Only where the session says now what it said.
            _ if history.is_repeated() => interim,
            _ => Fingerprint::NONE,
        };
        history.settle(unknown_after);
        if !slot.is_unsettled {
            slot.is_unsettled = true;
            self.unsettled.push_back((self.now.saturating_add(LATE), number, slot.used));
        }
        self.slots.set_interim(number, interim);
        self.tell(sequence, number, changes);
        self.mark_active(number);
        self.queue(number);
    }

    /// Tells what changed since `before`.
    fn tell(&mut self, sequence: Option<u64>, number: u32, changes: &mut Vec<Change>) {
        let slot = self.slots.get_mut(number);
        let (server, id) = (slot.server, &slot.id);
        let push = |happening, session: &Session, has_moved| {
            let session = session.clone();
            let session_id = Arc::clone(id);
            changes.push(Change { sequence, happening, has_moved, server, session_id, session });
        };
        differences(&self.before, &mut slot.history.sessions, &mut self.next_number, push);
    }
}

/// Whether an event says that its VPN server starts or stops, and with which reason its sessions end.
fn restart(event: &Event<'_>) -> Option<EndReason> {
    let is_old_form = event.session_id.as_deref() == Some("00000000")
        && event.user.is_none()
        && event.counters.session_seconds.is_none();
    match event.status {
        Status::AccountingOn => Some(EndReason::ServerStarted),
        Status::AccountingOff => Some(EndReason::ServerStopped),
        Status::Start if is_old_form => Some(EndReason::ServerStarted),
        Status::Stop if is_old_form => Some(EndReason::ServerStopped),
        _ => None,
    }
}

/// Acct-Session-Id, or what stands for it: it begins with a NUL, which no decoded text holds.
fn session_id<'e>(event: &'e Event<'_>) -> Option<Cow<'e, str>> {
    if let Some(id) = &event.session_id {
        return Some(Cow::Borrowed(id));
    }
    let user = event.user.as_ref()?;
    let remote = event.remote.map(|remote| remote.address.to_string()).unwrap_or_default();
    Some(Cow::Owned(format!("\0{}\0{remote}", user.key)))
}
