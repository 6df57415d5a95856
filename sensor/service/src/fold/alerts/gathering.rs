//! News of an alert that is not told piece by piece: beyond the notices that one alert has (`notices_per_alert`) or a day
//! sends (`notices_per_day`), and of an address between two doublings of its users. It is listed as held back, in one notice that says how much of it there is and since
//! when, and that grows until the alert is told of the next time; the alert itself has it at once.
//!
//! Bounds: between two notices that are told there is one that gathers, so that an alert has twice as many rows as it is
//! told, at the most. What is gathered of high severity is sent within `high_within`, an hour, since none of that is held back: a flood
//! that goes on costs two rows an hour, 200 KB a day of a user's alert; that of an address, with rows of up to 140 KB, gathers as
//! many pieces as it lists users and reasons. Keys of what was gathered are as many as those of what was told, the newest.

use std::collections::BTreeSet;

use policy::Detecting;
use serde::{Deserialize, Serialize};

use super::{Alerts, KEYS_MAX, Open, Sending};
use crate::alert::{Alert, HeldBack, News, Notice, Severity};

/// What an open alert gathers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Gathering {
    /// The notice that grows.
    sequence: Option<u64>,
    /// By what gathered reasons are known: each is news once.
    keys: Vec<String>,
}

impl Gathering {
    pub(super) fn has(&self, key: &String) -> bool {
        self.keys.contains(key)
    }

    /// What is not kept, the oldest, is gathered again.
    pub(super) fn note(&mut self, keys: Vec<String>) {
        self.keys.extend(keys);
        self.keys.drain(..self.keys.len().saturating_sub(KEYS_MAX));
    }

    /// A person goes out.
    pub(super) fn forget(&mut self, names: &impl Fn(&str) -> bool) {
        self.keys.retain(|key| !names(key));
    }
}

/// Numbers of the alerts of high severity that gather.
pub(super) type Urgent = BTreeSet<u64>;

/// What a connection that an alert takes in is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    Nothing,
    /// It is listed as held back.
    Gathering,
    /// People are told.
    Telling,
}

impl Alerts {
    /// One more piece of news of an open alert is held back.
    pub(super) fn gather(&mut self, number: u64, now: u64) {
        let Some(open) = self.open.get_mut(&number) else { return };
        let sequence = *open.gathering.sequence.get_or_insert_with(|| {
            self.notices += 1;
            self.notices
        });
        let alert = &mut open.alert;
        alert.changed_unix_ns = now;
        alert.held_back.get_or_insert(HeldBack { count: 0, since_unix_ns: now }).count += 1;
        if alert.severity == Severity::High {
            self.urgent.insert(number);
        }
        let alert = alert.clone();
        // As it stood before is of no more use: an alert about an address is large.
        match self.changed.last_mut().filter(|last| last.number == number) {
            Some(last) => last.clone_from(&alert),
            None => self.changed.push(alert.clone()),
        }
        let notice = Notice { sequence, news: News::Updated, is_held: true, alert };
        match self.told.last_mut().filter(|last| last.sequence == sequence) {
            Some(last) => *last = notice,
            None => self.told.push(notice),
        }
    }

    /// An alert that was told of has a row by itself, which is not sent. What is gathered from here on begins another one,
    /// and counts on.
    pub(super) fn say_held(&mut self, alert: &mut Alert) {
        let none = HeldBack { count: 0, since_unix_ns: alert.changed_unix_ns };
        alert.held_back.get_or_insert(none).count += 1;
        if let Some(Open { alert: kept, gathering, .. }) = self.open.get_mut(&alert.number) {
            (kept.held_back, gathering.sequence) = (alert.held_back, None);
        }
    }

    /// An alert is told of as it stands, with what it gathered: from here on it gathers anew.
    pub(super) fn end_gathering(&mut self, alert: &mut Alert) {
        alert.held_back = None;
        self.urgent.remove(&alert.number);
        if let Some(Open { alert, gathering, .. }) = self.open.get_mut(&alert.number) {
            (alert.held_back, gathering.sequence) = (None, None);
        }
    }

    /// The time goes on: what was gathered of high severity is told.
    pub(in crate::fold) fn tell_gathered(&mut self, now: u64, detecting: &Detecting) {
        let within_ns = u64::from(detecting.high_within_s) * 1_000_000_000;
        let is_due = |number: &u64| match self.open.get(number).and_then(|open| open.alert.held_back) {
            // A clock that was far ahead is none to wait for.
            Some(held) => now.abs_diff(held.since_unix_ns) >= within_ns,
            None => true,
        };
        let due: Vec<u64> = self.urgent.iter().copied().filter(is_due).collect();
        for number in due {
            self.urgent.remove(&number);
            let Some(Open { alert, .. }) = self.open.get_mut(&number) else { continue };
            (alert.revision, alert.changed_unix_ns) = (alert.revision + 1, now);
            let alert = alert.clone();
            self.tell(News::Updated, alert, Sending::Always);
        }
    }
}

#[cfg(test)]
mod tests;
