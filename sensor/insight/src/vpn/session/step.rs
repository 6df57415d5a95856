//! The rules: what one fact does to the sessions of one id, facts taken in the order of their times. Pure; called by
//! `rewind` only. The rules in words are in the module's documentation.

use super::{
    LATE,
    details::Details,
    fact::{COPY_APART, Fact, Report, SECOND},
    history::SessionsOfId,
    model::{End, EndReason, Session, StartSource},
    volume::Volume,
};

/// Sessions of one id that are kept: the open one, and those before it for their late messages.
pub(super) const SESSIONS_OF_ID_MAX: usize = 4;
/// Farthest that a Start and `time - Acct-Session-Time` of later messages lie apart: ns. VPN servers count from
/// authentication or from the tunnel, whichever; a log-in takes less than a minute.
const START_APART: u64 = 60 * SECOND;
/// Farthest that two Starts of one session lie apart: ns (one VPN server tells two sensors).
const SAME_START: u64 = 600 * SECOND;
/// Messages nearer than this are no interims in turn: seconds.
const GAP_MIN: u64 = 10;

/// Takes one fact. `sessions` are in the order of their starts; at most [`SESSIONS_OF_ID_MAX`] remain.
pub(super) fn step(sessions: &mut SessionsOfId, fact: &Fact, unknown_after: u64) {
    match (fact.report, &fact.details) {
        (Report::Boot(reason), _) => boot(sessions, fact.time, reason),
        (Report::Start, Some(details)) => start(sessions, fact, details),
        (Report::Interim | Report::Stop, Some(details)) => {
            match place_of(sessions, fact, details, unknown_after) {
                Some(at) => goes_on(sessions, at, fact, details),
                None => add(sessions, fact, details),
            }
        }
        (_, None) => {}
    }
}

fn boot(sessions: &mut [Session], time: u64, reason: EndReason) {
    for session in sessions {
        if session.told_end.is_none() && session.start_unix_ns < time && session.last_seen_unix_ns <= time {
            session.told_end = Some(End { unix_ns: time, reason, cause: None });
        }
    }
}

fn start(sessions: &mut SessionsOfId, fact: &Fact, details: &Details) {
    match sessions.iter().rposition(|session| is_start_of(session, fact, details)) {
        Some(at) => {
            let session = &mut sessions[at];
            session.start_unix_ns = match session.start_source {
                StartSource::Start => session.start_unix_ns.min(fact.time),
                // Without a time of its own a Start cannot make the session begin later than it is known to.
                _ if fact.has_time => fact.time,
                _ => session.start_unix_ns.min(fact.time),
            };
            session.start_source = StartSource::Start;
            absorb(session, fact, details);
        }
        None => add(sessions, fact, details),
    }
}

/// Whether a Start is the Start of a session that is known.
fn is_start_of(session: &Session, fact: &Fact, details: &Details) -> bool {
    if !session.details.may_share_user(details) {
        return false;
    }
    let apart = fact.time.abs_diff(session.start_unix_ns);
    let stopped = session.told_end.filter(|end| end.reason == EndReason::Stop);
    // Overtaken by its own Stop, and nothing says when it was sent.
    let is_overtaken =
        !fact.has_time && stopped.is_some_and(|end| fact.time <= end.unix_ns.saturating_add(LATE));
    // Once the VPN server restarted, what starts behind it is another.
    let restarted = session.told_end.filter(|end| end.reason != EndReason::Stop);
    if restarted.is_some_and(|end| fact.time >= end.unix_ns) {
        return false;
    }
    match session.start_source {
        StartSource::Start => {
            apart <= COPY_APART
                || is_overtaken
                || (apart <= SAME_START
                    && session.told_end.is_none()
                    && !session.has_progress
                    && session.details.may_share_addresses(details))
        }
        StartSource::SessionTime => apart <= slack(fact) || is_overtaken,
        StartSource::FirstSeen => {
            fact.time <= session.start_unix_ns.saturating_add(slack(fact)) || is_overtaken
        }
    }
}

/// How far a fact's time may be off from what is known of the start.
fn slack(fact: &Fact) -> u64 {
    if fact.has_time { START_APART } else { LATE }
}

/// Which session an Interim or Stop belongs to; `None`: one not known yet.
fn place_of(sessions: &[Session], fact: &Fact, details: &Details, unknown_after: u64) -> Option<usize> {
    let shares_user = |session: &Session| session.details.may_share_user(details);
    if let Some(began) = fact.began() {
        let exact = sessions.iter().enumerate().filter(|(_, session)| {
            shares_user(session)
                && session.start_source != StartSource::FirstSeen
                && session.start_unix_ns.abs_diff(began) <= slack(fact)
                && !began_behind_end(session, began)
        });
        let nearest = exact.min_by_key(|(_, session)| session.start_unix_ns.abs_diff(began));
        if let Some((at, _)) = nearest {
            return Some(at);
        }
    }
    let (at, session) = sessions.iter().enumerate().rev().find(|(_, session)| {
        shares_user(session) && session.start_unix_ns <= fact.time.saturating_add(slack(fact))
    })?;
    let is_same = match (session.told_end, fact.began()) {
        (Some(_), Some(began)) => !began_behind_end(session, began),
        (None, Some(began)) => began <= session.last_seen_unix_ns.saturating_add(slack(fact)),
        (Some(end), None) => {
            let is_soon = fact.time <= end.unix_ns.saturating_add(LATE);
            match end.reason {
                EndReason::ServerStarted | EndReason::ServerStopped => {
                    (fact.report == Report::Stop && is_soon) || session.volume.goes_on_in(fact)
                }
                _ => is_soon,
            }
        }
        (None, None) => fact.time <= session.last_seen_unix_ns.saturating_add(unknown_after),
    };
    is_same.then_some(at)
}

/// Whether what began then is not this session, since this one was over.
fn began_behind_end(session: &Session, began: u64) -> bool {
    session
        .told_end
        .is_some_and(|end| began.saturating_add(COPY_APART) >= end.unix_ns.max(session.start_unix_ns + 1))
        && began.abs_diff(session.start_unix_ns) > COPY_APART
}

fn goes_on(sessions: &mut [Session], at: usize, fact: &Fact, details: &Details) {
    let is_newest = at + 1 == sessions.len();
    let session = &mut sessions[at];
    if session.start_source != StartSource::Start {
        if let Some(began) = fact.began() {
            // Of several estimates the earliest: late messages without a time make it too late, none too early.
            if began <= session.start_unix_ns {
                session.start_unix_ns = began;
                session.start_source = StartSource::SessionTime;
            }
        } else if session.start_source == StartSource::FirstSeen {
            session.start_unix_ns = session.start_unix_ns.min(fact.time);
        }
    }
    absorb(session, fact, details);
    let ended = session.told_end;
    if fact.report == Report::Stop {
        end_by_stop(session, fact);
    } else if is_newest
        && let Some(end) = ended
        && matches!(end.reason, EndReason::ServerStarted | EndReason::ServerStopped)
        && fact.time > end.unix_ns
    {
        // It outlived what was said to have ended it.
        session.told_end = None;
    }
}

fn end_by_stop(session: &mut Session, fact: &Fact) {
    let told = session.told_end.filter(|end| end.reason == EndReason::Stop);
    let is_better = match told {
        None => true,
        Some(end) if fact.has_time == session.end_has_time => fact.time > end.unix_ns,
        Some(_) => fact.has_time,
    };
    if is_better {
        let cause = fact.cause.or(told.and_then(|end| end.cause));
        session.told_end = Some(End { unix_ns: fact.time, reason: EndReason::Stop, cause });
        session.end_has_time = fact.has_time;
    }
}

/// What every message of a session adds to it.
fn absorb(session: &mut Session, fact: &Fact, details: &Details) {
    let is_late = fact.time < session.last_seen_unix_ns;
    session.details = if is_late {
        Details::filled(&session.details, details)
    } else {
        Details::filled(details, &session.details)
    };
    if !is_late && fact.report != Report::Stop {
        let gap = (fact.time - session.last_seen_unix_ns) / SECOND;
        if gap >= GAP_MIN {
            session.gaps = [session.gaps[1], u32::try_from(gap).unwrap_or(u32::MAX)];
        }
    }
    session.volume.take(fact, session.session_seconds);
    session.session_seconds = session.session_seconds.max(fact.seconds.unwrap_or(0));
    session.has_progress |= fact.shows_progress();
    session.last_seen_unix_ns = session.last_seen_unix_ns.max(fact.time);
}

/// A session that was not known.
fn add(sessions: &mut SessionsOfId, fact: &Fact, details: &Details) {
    let (start_unix_ns, start_source) = match (fact.report, fact.began()) {
        (Report::Start, _) => (fact.time, StartSource::Start),
        (_, Some(began)) => (began, StartSource::SessionTime),
        (_, None) => (fact.time, StartSource::FirstSeen),
    };
    let mut session = Session {
        number: 0,
        start_unix_ns,
        start_source,
        last_seen_unix_ns: fact.time,
        details: details.clone(),
        session_seconds: 0,
        volume: Volume::default(),
        told_end: None,
        presumed_end: None,
        end_has_time: false,
        has_progress: false,
        gaps: [0; 2],
    };
    absorb(&mut session, fact, details);
    if fact.report == Report::Stop {
        end_by_stop(&mut session, fact);
    }
    let at = sessions.partition_point(|other| other.start_unix_ns <= start_unix_ns);
    let replaced = |unix_ns| Some(End { unix_ns, reason: EndReason::Replaced, cause: None });
    if let Some(newer) = sessions.get(at) {
        session.told_end = session.told_end.or(replaced(newer.start_unix_ns));
    }
    for older in &mut sessions[..at] {
        older.told_end = older.told_end.or(replaced(start_unix_ns));
    }
    // Most ids have one session, and there are a million: nothing is kept for a second.
    sessions.reserve_exact(1);
    sessions.insert(at, session);
    if sessions.len() > SESSIONS_OF_ID_MAX {
        sessions.remove(0);
    }
}
