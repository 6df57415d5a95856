//! The sessions of one Acct-Session-Id, and the way back by five minutes: a fact that comes late is put where it
//! belongs and what followed is taken again. So the order of arrival does not matter where facts carry their times.
//! Called by [`Sessions`](super::Sessions) only.

use serde::Deserialize;
use smallvec::SmallVec;

use super::{
    Details, LATE,
    fact::Fact,
    model::{Change, Happening, Session},
    step::step,
    written::Read,
};

/// Most facts of one id that can be taken again. An id has a Start, a Stop and some interims in five minutes; two
/// sensors make the same facts. Beyond, the oldest are settled early.
const PENDING_MAX: usize = 32;

/// Sessions of one id in the order of their starts. Nearly always it is one, and that lies where the list is: a million of
/// them would each be another allocation, and another wait for memory.
pub(super) type SessionsOfId = SmallVec<[Session; 1]>;

/// The sessions of one id. How it is written down is in `written`.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "Read")]
pub(super) struct History {
    /// As they are now.
    pub(super) sessions: SessionsOfId,
    /// While facts may still come between those that came.
    pub(super) rewind: Option<Box<Rewind>>,
    /// Time of the newest settled fact.
    pub(super) settled_until: u64,
}

/// Where to begin again. Nearly all ids have one session, and one fact in five minutes: these lie in the one allocation
/// that each Interim-Update makes and the next five minutes give back.
#[derive(Debug)]
pub(super) struct Rewind {
    /// Before any pending fact.
    pub(super) settled: SessionsOfId,
    /// In their order.
    pub(super) pending: SmallVec<[Fact; 1]>,
}

/// What became of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is there already.
    Copy,
    /// The sessions are up to date.
    Newest,
    /// [`History::again`] must follow.
    Between,
}

impl History {
    /// Takes a fact where it belongs.
    pub(super) fn take(&mut self, fact: Fact, unknown_after: u64) -> Taken {
        let sessions = &self.sessions;
        let rewind = self
            .rewind
            .get_or_insert_with(|| Box::new(Rewind { settled: sessions.clone(), pending: SmallVec::new() }));
        if let Some(at) = rewind.pending.iter().rposition(|other| other.is_copy_of(&fact)) {
            if rewind.pending[at].time <= fact.time {
                return Taken::Copy;
            }
            // The earliest of the copies tells the time best.
            rewind.pending.remove(at);
        }
        rewind.pending.reserve_exact(1);
        let at = rewind.pending.partition_point(|other| other.order(&fact).is_le());
        if at == rewind.pending.len() {
            step(&mut self.sessions, &fact, unknown_after);
            rewind.pending.push(fact);
            Taken::Newest
        } else {
            rewind.pending.insert(at, fact);
            Taken::Between
        }
    }

    /// Takes all pending facts again.
    pub(super) fn again(&mut self, unknown_after: u64) {
        if let Some(rewind) = &self.rewind {
            self.sessions.clone_from(&rewind.settled);
            for fact in &rewind.pending {
                step(&mut self.sessions, fact, unknown_after);
            }
        }
    }

    /// Settles what lies too far back for anything to come before it.
    pub(super) fn settle(&mut self, unknown_after: u64) {
        let Some(rewind) = &mut self.rewind else { return };
        let Some(newest) = rewind.pending.last().map(|fact| fact.time) else { return };
        let horizon = newest.saturating_sub(LATE);
        let surplus = rewind.pending.len().saturating_sub(PENDING_MAX);
        let settled = rewind.pending.partition_point(|fact| fact.time < horizon).max(surplus);
        for fact in rewind.pending.drain(..settled) {
            self.settled_until = self.settled_until.max(fact.time);
            step(&mut rewind.settled, &fact, unknown_after);
        }
    }

    /// Gives the way back up once nothing can come before the newest fact; whether it did.
    pub(super) fn forget_rewind(&mut self, now: u64) -> bool {
        let newest = self.rewind.as_ref().map(|rewind| rewind.pending.last().map_or(0, |fact| fact.time));
        let is_over = newest.is_none_or(|newest| newest.saturating_add(LATE) <= now);
        if is_over {
            self.settled_until = self.settled_until.max(newest.unwrap_or(0));
            self.rewind = None;
            self.sessions.shrink_to_fit();
        }
        is_over
    }

    /// Takes out what is of a person. The numbers of the sessions that were; whether nothing of anybody else is left.
    pub(super) fn forget(&mut self, is_of: impl Fn(&Details) -> bool) -> (Vec<u64>, bool) {
        let forgotten = self.sessions.iter().filter(|session| is_of(&session.details));
        let numbers = forgotten.map(|session| session.number).collect();
        self.sessions.retain(|session| !is_of(&session.details));
        if let Some(rewind) = &mut self.rewind {
            rewind.settled.retain(|session| !is_of(&session.details));
            rewind.pending.retain(|fact| !fact.details.as_ref().is_some_and(&is_of));
        }
        (numbers, self.sessions.is_empty())
    }

    /// Whether anything in it is of a person.
    pub(super) fn knows(&self, is_of: impl Fn(&Details) -> bool) -> bool {
        let of_facts = self.pending_details().any(&is_of);
        let settled = self.rewind.iter().flat_map(|rewind| &rewind.settled);
        of_facts || self.sessions.iter().chain(settled).any(|session| is_of(&session.details))
    }

    /// Whether facts can still be put between those that came.
    pub(super) fn has_rewind(&self) -> bool {
        self.rewind.is_some()
    }

    /// Time of the newest settled fact, ns; 0: none yet.
    pub(super) fn settled_until(&self) -> u64 {
        self.settled_until
    }

    /// Details as facts brought them, the newest first.
    pub(super) fn pending_details(&self) -> impl Iterator<Item = &Details> {
        let pending = self.rewind.iter().flat_map(|rewind| rewind.pending.iter().rev());
        pending.filter_map(|fact| fact.details.as_ref())
    }

    /// Whether the newest session says what the newest fact said that can be taken again.
    pub(super) fn is_repeated(&self) -> bool {
        let said = self.pending_details().next().zip(self.newest());
        said.is_some_and(|(fact, Session { details, .. })| fact.is_same(details) || fact == details)
    }

    /// The session that may be open: the newest.
    pub(super) fn newest(&self) -> Option<&Session> {
        self.sessions.last()
    }

    /// Whether any of its sessions is not over.
    pub(super) fn is_open(&self) -> bool {
        self.sessions.iter().any(|session| session.end().is_none())
    }
}

/// Gives the sessions in `new` the numbers they had in `old`, or new ones, and says what changed, and whether the address
/// outside the tunnel did.
pub(super) fn differences(
    old: &[Session],
    new: &mut [Session],
    next_number: &mut u64,
    mut tell: impl FnMut(Happening, &Session, bool),
) {
    let known = |number: u64| old.iter().find(|session| session.number == number);
    for at in 0..new.len() {
        if known(new[at].number).is_none() {
            new[at].number = number_before(&new[at], old, new);
        }
        let before = known(new[at].number);
        let session = &mut new[at];
        // Silence is broken by a newer message, not by an older one that came late.
        session.presumed_end = before.and_then(|before| before.presumed_end).filter(|_| {
            session.told_end.is_none()
                && before.is_some_and(|before| before.last_seen_unix_ns == session.last_seen_unix_ns)
        });
        let happening = match before {
            None => {
                *next_number += 1;
                session.number = *next_number;
                Happening::Opened
            }
            Some(before) if before == session => continue,
            Some(before) => match (before.end(), session.end()) {
                (None, Some(_)) => Happening::Closed,
                (Some(_), None) => Happening::Reopened,
                _ => Happening::Updated,
            },
        };
        let remotes = before.and_then(|before| before.details.remote()).zip(session.details.remote());
        tell(happening, session, remotes.is_some_and(|(before, now)| before != now));
    }
    for gone in old.iter().filter(|old| new.iter().all(|session| session.number != old.number)) {
        let heir = new.iter().find(|session| may_be_one(session, gone));
        // Without one it left as the oldest of too many.
        if let Some(heir) = heir {
            tell(Happening::Merged { into: heir.number }, gone, false);
        }
    }
}

/// Whether both can be one session, seen with more and with less known.
fn may_be_one(one: &Session, other: &Session) -> bool {
    one.details.may_share_user(&other.details)
        && one.start_unix_ns <= other.last_seen_unix_ns.saturating_add(LATE)
        && other.start_unix_ns <= one.last_seen_unix_ns.saturating_add(LATE)
}

/// The number that a session without one had: that of the same user's whose start is nearest, if no other session
/// without a number is nearer to it; 0: it is new.
fn number_before(session: &Session, old: &[Session], new: &[Session]) -> u64 {
    let distance = |one: &Session, other: &Session| one.start_unix_ns.abs_diff(other.start_unix_ns);
    let is_numbered = |session: &Session| old.iter().any(|old| old.number == session.number);
    let free = old.iter().filter(|old| {
        let mut rivals = new.iter().filter(|rival| !is_numbered(rival) && may_be_one(rival, old));
        may_be_one(session, old)
            && new.iter().all(|other| other.number != old.number)
            && rivals.all(|rival| distance(rival, old) >= distance(session, old))
    });
    free.min_by_key(|old| distance(old, session)).map_or(0, |old| old.number)
}

impl Change {
    /// Whether it is about a session that is over now.
    pub fn is_over(&self) -> bool {
        self.session.end().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fact::Report, *};

    #[test]
    fn few_facts_can_be_taken_again_however_many_come() {
        let mut history = History::default();
        for seconds in 0..1000u32 {
            let mut fact = Fact::boot(u64::from(seconds), super::super::EndReason::ServerStarted);
            (fact.report, fact.details) = (Report::Interim, Some(Details::default()));
            fact.seconds = Some(seconds);
            history.take(fact, 0);
            history.settle(0);
            assert!(history.rewind.as_ref().is_some_and(|rewind| rewind.pending.len() <= PENDING_MAX));
        }
        assert_eq!(history.settled_until(), 999 - PENDING_MAX as u64);
    }
}
