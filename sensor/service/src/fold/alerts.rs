//! Alerts, as the fold has them: what is raised, what folds into what is open, what people decided. All that happened to
//! them is in the outcome's notices; only open ones are kept here.
//!
//! One user has one open alert. A connection for the same reasons folds into it without a word; a new place, device or
//! reason (`keys`) makes it grow, and it is told again, or listed as held back: `gathering`. That holds for places that the score
//! has no reason of their own for, too: in a country that is new to a user one town is as strange as the next
//! (`whereabouts`). It is called after the strongest that it has, which may have come later than the first. What an open
//! alert was told with adds nothing to the score of the next connection. Its connections do not teach the profile; those of
//! the user that raise nothing do, and are kept beside it until it is closed: if it was an attacker's, they may have been too.
//!
//! An address from which many come has one open alert for all of them: `crowd`. What closing one does to profiles:
//! `closing`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use insight::detect::{Assessment, Reason, Thresholds, Told};
use policy::Detecting;
use serde::{Deserialize, Serialize};

use super::learning::End;
use crate::alert::{
    Alert, COMMENTS_MAX, Comment, Connection, News, Notice, REASONS_MAX, Severity, Verdict, words,
};

/// Alerts that are open at once; beyond, the one that nothing happened to for longest is closed as unclear. At 4 KB each,
/// 80 MB.
const OPEN_MAX: usize = 20_000;
/// Sessions that may go on and are known to have been told of for what they have become: half a megabyte when it is saved.
const MUCH_MAX: usize = 10_000;

/// What an alert was told with, and what it gathers. One notice may add eight: a country, a place, a network, a device and a
/// rule, and where the connection came from with what.
const KEYS_MAX: usize = 8 * REASONS_MAX;

const DAY_NS: u64 = 86_400_000_000_000;

/// All of them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Alerts {
    open: BTreeMap<u64, Open>,
    /// Open ones by whom or what they are about. Made again from `open` when read.
    #[serde(skip)]
    subjects: HashMap<String, u64>,
    /// Sessions that teach nothing, since their alert is open; those that are over are not in it.
    held: BTreeMap<u64, u64>,
    /// Sessions that teach nothing more either: the alert that they were of, or came behind, was closed, and not as usual.
    /// Those that are over go with their Stop and as a day begins: it has as many as are open, and those of one day.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    rejected: BTreeSet<u64>,
    /// Of those, the ones that had taught the profile in part or whole when their alert was closed as unclear, and what they
    /// had not taught.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    partly: BTreeMap<u64, u8>,
    /// How sessions ended whose lessons may have to be taken back, as profiles learned it; by session.
    #[serde(default)]
    ends: BTreeMap<u64, End>,
    raised: u64,
    notices: u64,
    /// Notices of the day that are to be sent.
    today: (u64, u32),
    strangers: Strangers,
    #[serde(default)]
    urgent: Urgent,
    /// Sessions of which it was told how much they have become: not again, whatever became of the alert, also where one
    /// that was over for want of a sign of life goes on; until its Stop. The newest [`MUCH_MAX`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    much: BTreeMap<u64, Told>,
    /// Of those, the ones whose alert was closed as usual: how they end teaches.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    expected: BTreeSet<u64>,
    #[serde(skip)]
    changed: Vec<Alert>,
    #[serde(skip)]
    told: Vec<Notice>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Open {
    subject: String,
    alert: Alert,
    keys: Vec<String>,
    /// Whether where its connections came from is among the keys: not in checkpoints of before that was news.
    #[serde(default)]
    has_whereabouts: bool,
    /// Those of its sessions that have taught nothing; of a user's at most [`whereabouts::UNTAUGHT_MAX`], of an address's as many as it has
    /// connections.
    untaught: BTreeSet<u64>,
    /// What its sessions have not taught, those that were told of later than as they began among them; as many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    withheld: BTreeMap<u64, Withheld>,
    /// Other connections of the user that taught the profile meanwhile; at most [`whereabouts::TAUGHT_MAX`].
    taught: Vec<Connection>,
    /// Of a user's: the newest connections from each place and network with each device that the alert does not list any
    /// more, the oldest first; at most [`crate::alert::UNLISTED_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unlisted: Vec<Connection>,
    /// So often it was sent as it grew, the first time among them. Checkpoints of before that was counted do not have it.
    #[serde(default)]
    sent: Option<u32>,
    /// Of an alert about an address.
    crowd: Option<Crowd>,
    #[serde(default)]
    gathering: Gathering,
    /// Whether a session is among its own that somebody said not to be usual: closing it is for people alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_rejected: bool,
}

/// A connection that detections were asked about.
#[derive(Clone)]
pub(crate) struct Case<'c> {
    /// The user's key, or the VPN server for what is about none; an address takes what is about many.
    pub(crate) subject: &'c str,
    pub(crate) user: Option<&'c str>,
    pub(crate) user_original: Option<&'c str>,
    /// How late it is, ns.
    pub(crate) now: u64,
    /// It is of those that nobody wants to hear of.
    pub(crate) is_excluded: bool,
    /// The profile knows nothing of it yet.
    pub(crate) is_unknown: bool,
    /// How much of it people are to be told.
    pub(crate) detecting: &'c Detecting,
    pub(crate) connection: Connection,
}

/// Whether news of an alert is sent; all of it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// So many of a day are, and all of high severity: what comes from connections.
    UpTo(u32),
    /// It is, and takes nothing of the day's away: what people did themselves.
    Always,
    /// It is where the alert was told of, and takes nothing of the day's away: what the service did since nobody else does.
    IfTold,
}

impl Sending {
    /// How it is sent that this one is closed.
    fn of_closed(self, open: &Open) -> Sending {
        // What people wrote was sent, whatever the day's bound was.
        let was_told = open.sent.is_none_or(|sent| sent > 0) || !open.alert.comments.is_empty();
        match self {
            Sending::IfTold if was_told => Sending::Always,
            other => other,
        }
    }
}

impl Alerts {
    /// Behind a checkpoint.
    pub(super) fn restored(mut self) -> Alerts {
        self.strangers.restore();
        // Those of before were about one address of IPv6. The oldest of a line is the line's; others keep what they have.
        let mut lines: BTreeSet<String> = BTreeSet::new();
        for open in self.open.values_mut() {
            let line = open.crowd.as_ref().and(open.alert.address).map(crowd::subject);
            if let Some(line) = line.filter(|line| lines.insert(line.clone())) {
                open.subject = line;
            }
        }
        self.subjects = self.open.iter().map(|(number, open)| (open.subject.clone(), *number)).collect();
        for open in self.open.values_mut().filter(|open| open.crowd.is_none() && !open.has_whereabouts) {
            let known: Vec<String> = open.alert.connections.iter().flat_map(whereabouts).collect();
            open.keys.extend(known);
            open.has_whereabouts = true;
        }
        for open in self.open.values_mut() {
            open.sent.get_or_insert(open.alert.revision);
        }
        self
    }

    /// Whether this session teaches nothing now.
    pub(super) fn holds(&self, session: u64) -> bool {
        self.held.contains_key(&session) || self.rejected.contains(&session)
    }

    /// Whether the profile has nothing of a session that was rejected, whatever was known of it.
    fn has_nothing_of(&self, session: u64) -> bool {
        self.rejected.contains(&session) && !self.partly.contains_key(&session)
    }

    /// A session is over; one that was for want of a sign of life may go on.
    pub(super) fn release(&mut self, session: u64) {
        self.held.remove(&session);
    }

    /// A session does not go on, nor is anything more told of it.
    pub(super) fn finish(&mut self, session: u64) {
        self.rejected.remove(&session);
        self.partly.remove(&session);
        self.much.remove(&session);
        self.expected.remove(&session);
    }

    /// One session turned out to be another: what was said of it holds for that.
    pub(super) fn merge(&mut self, session: u64, into: u64) {
        if self.rejected.contains(&session) && self.rejected.insert(into) {
            let what = self.partly.get(&session).copied();
            what.map(|what| self.partly.insert(into, what));
        }
        if let Some(number) = self.held.get(&session).copied() {
            self.held.entry(into).or_insert(number);
        }
    }

    /// What was told of how much a session has become.
    pub(super) fn told_of(&self, session: u64) -> Told {
        self.much.get(&session).copied().unwrap_or_default()
    }

    /// A session was told of.
    pub(super) fn note_told(&mut self, session: u64, assessment: &Assessment) {
        let mut told = self.told_of(session);
        told.note(assessment);
        if told == Told::default() {
            return;
        }
        // Whoever was told of just now is not the one to leave.
        if !self.much.contains_key(&session)
            && self.much.len() >= MUCH_MAX
            && let Some((gone, _)) = self.much.pop_first()
        {
            self.expected.remove(&gone);
        }
        self.much.insert(session, told);
        self.expected.remove(&session);
    }

    /// Takes an assessment: what an open alert says already goes out of its score, and it stays an alert only if it is
    /// news. Tells whether its connection is held back from the profile.
    pub(super) fn take(&mut self, case: Case<'_>, assessment: &mut Assessment) -> bool {
        match self.crowd_of(&case, assessment) {
            Some(address) if crowd::is_urgent_by_itself(&case, assessment) => {
                self.join_and_take(address, case, assessment);
                true
            }
            Some(address) => {
                self.join(address, case, assessment);
                true
            }
            None => {
                self.strangers.see(&case, assessment);
                self.take_own(case, assessment)
            }
        }
    }

    /// Takes it into the alert of its user, or of its VPN server.
    fn take_own(&mut self, case: Case<'_>, assessment: &mut Assessment) -> bool {
        let known = self.subjects.get(case.subject).copied();
        let mut fresh: Vec<String> = match known.and_then(|number| self.open.get(&number)) {
            Some(open) => {
                let counted = |reason: &&Reason| open.keys.iter().any(|key| counts_as(key, reason));
                // Beside a rule, what the score says is the same by either of its names.
                let is_beside = |reason: &Reason| reason.detection.is_by_score() && reason.alert.is_none();
                let said = |reason: &&Reason| {
                    open.keys.contains(&key(reason)) || (is_beside(reason) && counted(reason))
                };
                let twice: f64 =
                    assessment.reasons.iter().filter(counted).map(|reason| reason.log_ratio).sum();
                assessment.score -= twice;
                let fresh = assessment.reasons.iter().filter(|reason| is_news(reason) && !said(reason));
                fresh.map(key).collect()
            }
            None => assessment.reasons.iter().map(key).collect(),
        };
        let session = case.connection.session;
        if !assessment.is_alert || case.is_excluded {
            assessment.is_alert = false;
            // What is said of a session that is over, or of one that is held back, teaches nothing more.
            if let Some(open) = known.and_then(|number| self.open.get_mut(&number))
                && case.is_unknown
                && !self.held.contains_key(&session)
            {
                open.note_taught(case.connection);
            }
            return false;
        }
        let is_rejected = self.rejected.contains(&session);
        let is_unknown = case.is_unknown || self.has_nothing_of(session);
        let is_of_user = case.user.is_some();
        fresh.extend(news_of(&case.connection, assessment));
        let number = match known {
            Some(number) => {
                assessment.is_alert = self.grow(number, case, assessment, fresh);
                number
            }
            None => self.raise(case, assessment, fresh),
        };
        // What is about a VPN server is of no session.
        if is_of_user {
            if let Some(open) = self.open.get_mut(&number) {
                if is_unknown {
                    open.note_untaught(session);
                }
                open.has_rejected |= is_rejected;
            }
            self.held.insert(session, number);
        }
        true
    }

    fn raise(&mut self, case: Case<'_>, assessment: &Assessment, keys: Vec<String>) -> u64 {
        if self.open.len() >= OPEN_MAX {
            self.make_room(&case, |_| true);
        }
        self.raised += 1;
        let number = self.raised;
        let alert = words::raised(number, &case, assessment);
        self.subjects.insert(case.subject.to_owned(), number);
        let subject = case.subject.to_owned();
        self.open.insert(number, Open::new(subject, alert.clone(), keys));
        self.tell(News::New, alert, Sending::UpTo(case.detecting.notices_per_day));
        number
    }

    /// Of those that are meant, the one that nothing happened to for longest is closed.
    fn make_room(&mut self, case: &Case<'_>, is_meant: impl Fn(&Open) -> bool) {
        let meant = self.open.iter().filter(|(_, open)| is_meant(open));
        let oldest = meant.min_by_key(|(number, open)| (open.alert.changed_unix_ns, **number));
        if let Some(number) = oldest.map(|(number, _)| *number) {
            let by = "no room for more open alerts";
            self.close(number, Verdict::Unclear, by, case.now, Sending::UpTo(case.detecting.notices_per_day));
        }
    }

    /// Takes a connection into an open alert. Whether that is news, told or held back: what is fresh in it, that it is more
    /// urgent, or that people's rules know it only now.
    fn grow(&mut self, number: u64, case: Case<'_>, assessment: &Assessment, mut fresh: Vec<String>) -> bool {
        let Some(severity) = self.open.get(&number).map(|open| open.alert.severity) else { return false };
        let Detecting { notices_per_day, notices_per_alert, .. } = *case.detecting;
        let has_room = self.has_room(notices_per_day, case.now, severity.max(assessment.severity));
        let Some(open) = self.open.get_mut(&number) else { return false };
        fresh.retain(|key| !open.keys.contains(key));
        open.list(case.connection);
        let alert = &mut open.alert;
        let is_gathered = |key: &String| open.gathering.has(key);
        let is_more_urgent = assessment.severity > alert.severity;
        let joins =
            |reason: &Reason| Some(key(reason)).is_some_and(|key| fresh.contains(&key) && !is_gathered(&key));
        let name = words::stronger(alert, assessment, joins);
        let external_id = alert.external_id.or_else(|| words::external_id(assessment));
        // What is called as theirs is known as theirs, whichever rule speaks.
        let external_id = external_id.or_else(|| name?.external_id());
        let is_known_now = external_id != alert.external_id;
        alert.external_id = external_id;
        // What the day has no room for is gathered, however seldom this one was sent: it is one row, not one for each.
        let has_notices = open.sent.unwrap_or_default() < notices_per_alert;
        let is_news = is_known_now || is_more_urgent || (has_notices && !fresh.is_empty());
        let is_told = is_news && has_room;
        if !is_told {
            fresh.retain(|key| !is_gathered(key));
        }
        if !is_told && fresh.is_empty() && !is_known_now && !is_more_urgent {
            // It says from how many places.
            words::say(alert, &open.unlisted);
            self.changed.push(alert.clone());
            return false;
        }
        if let Some(name) = name {
            words::rename(alert, name);
        }
        for new in assessment.reasons.iter().filter(|reason| fresh.contains(&key(reason))).map(words::reason)
        {
            if !alert.reasons.iter().any(|listed| listed.is_same(&new)) {
                alert.reasons.push(new);
            }
        }
        alert.reasons.sort_by(|one, other| other.weight.total_cmp(&one.weight));
        alert.reasons.truncate(REASONS_MAX);
        alert.score = alert.score.max(assessment.score);
        alert.severity = alert.severity.max(assessment.severity);
        words::say(alert, &open.unlisted);
        if is_told {
            (alert.revision, alert.changed_unix_ns) = (alert.revision + 1, case.now);
        }
        let alert = alert.clone();
        // As many as there are kinds of reasons, places and devices of one user; what is not kept is told again. A day that
        // is over does not make the next connection riskier: only beyond what one alert tells a reason counts again.
        if is_told || has_notices {
            let room = KEYS_MAX.saturating_sub(open.keys.len()).min(fresh.len());
            open.keys.extend(fresh.drain(..room));
        }
        if !is_told {
            open.gathering.note(fresh);
            self.gather(number, case.now);
            return true;
        }
        self.tell(News::Updated, alert, Sending::UpTo(notices_per_day));
        true
    }

    /// Somebody wrote something about an open alert.
    pub(super) fn comment(&mut self, number: u64, comment: Comment) {
        let Some(open) = self.open.get_mut(&number) else { return };
        let alert = &mut open.alert;
        // Taken again after a crash.
        if alert.comments.contains(&comment) || alert.comments.len() >= COMMENTS_MAX {
            return;
        }
        (alert.revision, alert.changed_unix_ns) = (alert.revision + 1, comment.unix_ns);
        alert.comments.push(comment);
        let alert = alert.clone();
        self.tell(News::Updated, alert, Sending::Always);
    }

    /// Open ones below high severity that nothing happened to since then, by number; but for those with a session that
    /// was of an alert before which was closed, and not as usual.
    pub(super) fn left_alone_since(&self, unix_ns: u64) -> Vec<u64> {
        let is_left = |open: &Open| {
            open.alert.severity < Severity::High
                && open.alert.changed_unix_ns <= unix_ns
                && !open.has_rejected
        };
        self.open.iter().filter(|(_, open)| is_left(open)).map(|(number, _)| *number).collect()
    }

    /// What happened since this was asked last: alerts as they stand, and notices of them.
    pub(super) fn take_changes(&mut self) -> (Vec<Alert>, Vec<Notice>) {
        (std::mem::take(&mut self.changed), std::mem::take(&mut self.told))
    }

    /// Those that nobody has closed.
    pub(super) fn open_by_severity(&self) -> [u64; 4] {
        let mut count = [0; 4];
        self.open.values().for_each(|open| count[open.alert.severity as usize] += 1);
        count
    }

    /// How many changes there are.
    pub(super) fn changes(&self) -> usize {
        self.changed.len() + self.told.len()
    }

    fn tell(&mut self, news: News, mut alert: Alert, sending: Sending) {
        self.notices += 1;
        let is_held = match sending {
            Sending::UpTo(notices_per_day) => !self.is_within(notices_per_day, &alert),
            Sending::Always => false,
            Sending::IfTold => true,
        };
        match is_held && news != News::Closed {
            true => self.say_held(&mut alert),
            false => self.end_gathering(&mut alert),
        }
        if let (Sending::UpTo(_), false, Some(open)) = (sending, is_held, self.open.get_mut(&alert.number)) {
            *open.sent.get_or_insert_default() += 1;
        }
        self.changed.push(alert.clone());
        self.told.push(Notice { sequence: self.notices, news, is_held, alert });
    }

    /// Whether one more of its day is sent; all of high severity are.
    fn is_within(&mut self, notices_per_day: u32, alert: &Alert) -> bool {
        let is_within = self.has_room(notices_per_day, alert.changed_unix_ns, alert.severity);
        self.today.1 += u32::from(is_within && alert.severity < Severity::High);
        is_within
    }

    /// Whether one more would be.
    fn has_room(&mut self, notices_per_day: u32, unix_ns: u64, severity: Severity) -> bool {
        let day = unix_ns / DAY_NS;
        // Around midnight a VPN server's clock may be in either day: no day begins twice. A clock that was ahead by more is
        // another matter: it must not count all days until then as one.
        if day > self.today.0 || self.today.0 - day > 1 {
            self.today = (day, 0);
        }
        severity == Severity::High || self.today.1 < notices_per_day
    }

    /// What was not touched since is kept no longer.
    pub(super) fn forget_before(&mut self, unix_ns: u64) {
        self.drop_those(|open| open.alert.changed_unix_ns < unix_ns);
    }

    /// Another day: who came days before it to an address is of no alert any more.
    pub(super) fn forget_old(&mut self, now: u64, thresholds: &Thresholds) {
        self.strangers.forget_before(now, thresholds);
        self.forget_ends();
    }

    /// A person goes out; so does what names that person. Of an alert about several the others stay.
    pub(super) fn forget(&mut self, names: impl Fn(&str) -> bool) {
        self.strangers.forget(&names);
        for open in self.open.values_mut() {
            open.keys.retain(|key| !names(key));
            open.gathering.forget(&names);
            open.unlisted.retain(|connection| !connection.names(&names));
            open.taught.retain(|connection| !connection.names(&names));
        }
        let of_several = self.open.values_mut().filter(|open| open.crowd.is_some());
        for open in of_several.filter(|open| open.names(&names)) {
            let (gone, is_left) = open.forget(&names);
            self.held.retain(|session, _| !gone.contains(session));
            if !is_left {
                open.alert.users.clear();
            }
        }
        self.drop_those(|open| match &open.crowd {
            Some(_) => open.alert.users.is_empty(),
            None => open.alert.names(&names),
        });
        self.forget_ends();
    }

    fn drop_those(&mut self, is_meant: impl Fn(&Open) -> bool) {
        let Alerts { open, subjects, held, .. } = self;
        for (number, open) in open.extract_if(.., |_, open| is_meant(open)) {
            subjects.remove(&open.subject);
            held.retain(|_, alert| *alert != number);
        }
    }
}

impl Open {
    fn new(subject: String, alert: Alert, keys: Vec<String>) -> Open {
        Open {
            subject,
            alert,
            keys,
            has_whereabouts: true,
            untaught: BTreeSet::new(),
            withheld: BTreeMap::new(),
            taught: Vec::new(),
            unlisted: Vec::new(),
            sent: Some(0),
            crowd: None,
            gathering: Gathering::default(),
            has_rejected: false,
        }
    }
}

mod closing;
mod crowd;
mod gathering;
mod keys;
mod whereabouts;
mod withheld;

pub(super) use closing::{Lesson, Lessons};
use crowd::{Crowd, Strangers};
use gathering::{Gathering, Urgent, Worth};
use keys::{counts_as, is_news, key};
use whereabouts::{news_of, whereabouts};
use withheld::Withheld;

#[cfg(test)]
mod tests;
