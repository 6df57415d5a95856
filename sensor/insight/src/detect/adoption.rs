//! What many users begin to use these days, and how much is new just now: the context that keeps a provider's move, a
//! mass home office or another database from raising an alert for everybody, and that tells what is new for the whole
//! organisation.
//!
//! Bounds: [`VALUES_MAX`] values of 48 octets, of which those not adopted for two days leave at midnight, countries and
//! networks only after half a year. When full, new values are not followed: they count as adopted by nobody, which is
//! the riskier. Distinct users are estimated by linear counting in 64 bits a day: to within a fifth up to 100, at most 266.
//! How much is new: of the last six hours, a user counted once as long as 64 others did not come in between, so that
//! somebody who floods with new values does not make new values usual.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::people::hash;
use crate::profile::{Feature, Value};

/// Values that are followed.
const VALUES_MAX: usize = 65_536;
const KEPT_LONG_S: u32 = 180 * 86_400;
const KEPT_SHORT_S: u32 = 2 * 86_400;
/// Users that are remembered for each feature, so that each counts once.
const RECENT: usize = 64;
const HOURS: usize = 6;
const FEATURES: usize = Feature::ALL.len();

/// A value that somebody began to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Adopted {
    feature: u8,
    first: u32,
    last: u32,
    day: u16,
    /// Users, a bit each by hash: today's and yesterday's.
    users: [u64; 2],
}

/// What was new in the last hours, of one feature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Rate {
    hour: u32,
    seen: [u32; HOURS],
    new: [u32; HOURS],
    recent: Vec<u32>,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Adoptions {
    values: BTreeMap<u64, Adopted>,
    rates: [Rate; FEATURES],
    /// Connections while another session of the user seems open elsewhere.
    open: Rate,
    /// The first connection of all, seconds since 1970; 0: none yet, or by no clock that was right.
    pub(super) first: u32,
}

/// How it stands with one value.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Adoption {
    /// Other users who began to use it today or yesterday, about.
    pub(super) users: f64,
    /// Of all that users began to use, the part that is this value: 0 to 1.
    pub(super) share: f64,
    /// Nobody began to use it in half a year.
    pub(super) is_first: bool,
}

fn key(feature: Feature, value: Value<'_>) -> u64 {
    let tag = 16 + feature as u8;
    match value {
        Value::Text(text) => hash(tag, text.as_bytes()),
        Value::Network(asn) => hash(tag, &asn.to_be_bytes()),
        Value::Kinds(kinds) => hash(tag, kinds.to_string().as_bytes()),
        Value::Prefix(prefix) => hash(tag, prefix.to_string().as_bytes()),
    }
}

/// How many set the bits, if each set one at random.
fn estimate(bits: u64) -> f64 {
    let zeros = bits.count_zeros().max(1);
    (64.0 / f64::from(zeros)).ln() * 64.0
}

impl Adoptions {
    /// Today's and yesterday's users of a value, and how it stands; `user`: does not count.
    pub(super) fn of(&self, feature: Feature, value: Value<'_>, user: u64, unix_s: u32) -> Adoption {
        let Some(adopted) = self.values.get(&key(feature, value)) else {
            return Adoption { is_first: true, ..Adoption::default() };
        };
        let users = estimate(adopted.users_on(day(unix_s)) & !bit(user));
        let all = self.rates[feature as usize].news();
        Adoption { users, share: (users / all.max(users).max(1.0)).min(1.0), is_first: false }
    }

    /// Somebody begins to use a value.
    pub(super) fn adopt(&mut self, feature: Feature, value: Value<'_>, user: u64, unix_s: u32) {
        let is_full = self.values.len() >= VALUES_MAX;
        let key = key(feature, value);
        if is_full && !self.values.contains_key(&key) {
            return;
        }
        let today = day(unix_s);
        let new = Adopted { feature: feature as u8, first: unix_s, last: unix_s, day: today, users: [0; 2] };
        let adopted = self.values.entry(key).or_insert(new);
        if today > adopted.day {
            adopted.users = [0, adopted.users_on_day(today - 1)];
            adopted.day = today;
        }
        let at = usize::from(adopted.day - today.min(adopted.day));
        if let Some(users) = adopted.users.get_mut(at) {
            *users |= bit(user);
        }
        adopted.last = adopted.last.max(unix_s);
    }

    /// A connection of a user who is known for a while has a value of this feature; it is new to the user or not.
    pub(super) fn count(&mut self, feature: Feature, user: u64, is_new: bool, unix_s: u32) {
        self.rates[feature as usize].count(user, is_new, unix_s);
    }

    /// A connection of a user began while another session seemed open elsewhere, or not.
    pub(super) fn count_open(&mut self, user: u64, is_open: bool, unix_s: u32) {
        self.open.count(user, is_open, unix_s);
    }

    /// Of all connections of the last hours, the part during which another session seemed open elsewhere: 0 to 1. Where
    /// ends are lost, it is high. `calm`: connections of an ordinary time that are counted with them.
    pub(super) fn open_rate(&self, calm: f64) -> f64 {
        self.open.part(calm)
    }

    /// Of all connections of the last hours, the part that had a new value of this feature: 0 to 1.
    pub(super) fn rate(&self, feature: Feature, calm: f64) -> f64 {
        self.rates[feature as usize].part(calm)
    }

    /// A user is forgotten: of the bits that many share nothing tells who they are.
    pub(super) fn forget(&mut self, user: u64) {
        let rates = self.rates.iter_mut().chain([&mut self.open]);
        rates.for_each(|rate| rate.recent.retain(|other| *other != user as u32));
    }

    /// The time goes on from midnight of one day to that of another. Where nobody was heard in between for longer than what
    /// is first for all is learned, and it was not learned before (a clock that told no time yet, a sensor that was off), it
    /// begins anew: nobody listened on those days.
    pub(super) fn go_over(&mut self, before: u32, now: u32, learning_days: u16) {
        let learning_s = u32::from(learning_days) * 86_400;
        let is_silent = now.saturating_sub(before) > learning_s;
        if is_silent && before < self.first.saturating_add(learning_s) {
            self.first = 0;
        }
    }

    /// The clock was ahead: nothing happened from then on.
    pub(super) fn forget_from(&mut self, end: u32) {
        if self.first >= end {
            self.first = 0;
        }
        self.values.retain(|_, adopted| adopted.last < end);
        for rate in self.rates.iter_mut().chain([&mut self.open]) {
            if rate.hour >= end / 3600 {
                *rate = Rate::default();
            }
        }
    }

    /// Another day: what nobody adopts any more leaves.
    pub(super) fn forget_old(&mut self, now: u32) {
        self.values.retain(|_, adopted| {
            let is_long = matches!(adopted.feature, feature if feature == Feature::Country as u8 || feature == Feature::Network as u8);
            let kept = if is_long { KEPT_LONG_S } else { KEPT_SHORT_S };
            adopted.last.saturating_add(kept) >= now
        });
    }
}

impl Adopted {
    fn users_on_day(&self, day: u16) -> u64 {
        let at = usize::from(self.day.saturating_sub(day));
        if day > self.day { 0 } else { self.users.get(at).copied().unwrap_or(0) }
    }

    /// Of this day and the one before.
    fn users_on(&self, day: u16) -> u64 {
        self.users_on_day(day) | self.users_on_day(day.saturating_sub(1))
    }
}

impl Rate {
    fn go_to(&mut self, hour: u32) {
        if hour <= self.hour {
            return;
        }
        for passed in (self.hour.max(hour.saturating_sub(HOURS as u32)) + 1)..=hour {
            let at = passed as usize % HOURS;
            (self.seen[at], self.new[at]) = (0, 0);
        }
        self.hour = hour;
    }

    /// Where an hour is counted, if it is one of the last.
    fn place(&self, hour: u32) -> Option<usize> {
        (hour <= self.hour && self.hour - hour < HOURS as u32).then_some(hour as usize % HOURS)
    }

    fn count(&mut self, user: u64, is_new: bool, unix_s: u32) {
        self.go_to(unix_s / 3600);
        let Some(at) = self.place(unix_s / 3600) else { return };
        self.seen[at] = self.seen[at].saturating_add(1);
        let user = user as u32;
        if is_new && !self.recent.contains(&user) {
            if self.recent.len() >= RECENT {
                self.recent.remove(0);
            }
            self.recent.push(user);
            self.new[at] = self.new[at].saturating_add(1);
        }
    }

    fn part(&self, calm: f64) -> f64 {
        (self.news() / (self.seen() + calm.max(1.0))).min(1.0)
    }

    fn seen(&self) -> f64 {
        self.seen.iter().copied().map(f64::from).sum()
    }

    fn news(&self) -> f64 {
        self.new.iter().copied().map(f64::from).sum()
    }
}

fn day(unix_s: u32) -> u16 {
    (unix_s / 86_400) as u16
}

fn bit(user: u64) -> u64 {
    1 << (user >> 58)
}
