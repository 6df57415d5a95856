//! Counters that should not grow: while one does, and for a while behind that, something stands.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use super::{Now, Standing};

/// What is counted, by what it is about.
#[derive(Debug, Default)]
pub(super) struct Growth {
    counters: HashMap<String, Counter>,
}

#[derive(Debug)]
struct Counter {
    value: Option<u64>,
    growing: Option<Growing>,
}

/// A counter that grew lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Growing {
    /// When it began, ns since 1970 UTC.
    pub(super) since_unix_ns: u64,
    /// When it grew last, by the clock that nobody sets.
    last: Duration,
}

impl Growth {
    pub(super) fn resume(&mut self, standing: &Standing, now: Now) {
        let growing = Growing { since_unix_ns: standing.since_unix_ns, last: now.running };
        let counter = Counter { value: None, growing: Some(growing) };
        self.counters.insert(standing.subject.clone(), counter);
    }

    /// Takes the counter's value; whether it grew within `over_after`. `first` is what it was before it was looked at.
    pub(super) fn look(
        &mut self,
        subject: &str,
        value: u64,
        first: u64,
        now: Now,
        over_after: Duration,
    ) -> Option<Growing> {
        if !self.counters.contains_key(subject) {
            self.counters.insert(subject.to_owned(), Counter { value: None, growing: None });
        }
        let counter = self.counters.get_mut(subject)?;
        let before = counter.value.replace(value).unwrap_or(first);
        match &mut counter.growing {
            Some(growing) if value > before => growing.last = now.running,
            Some(growing) if now.running.saturating_sub(growing.last) >= over_after => counter.growing = None,
            Some(_) => {}
            None if value > before => {
                counter.growing = Some(Growing { since_unix_ns: now.unix_ns, last: now.running });
            }
            None => {}
        }
        counter.growing
    }

    /// Forgets all others.
    pub(super) fn keep_only(&mut self, subjects: &HashSet<&str>) {
        self.counters.retain(|subject, _| subjects.contains(subject.as_str()));
    }
}
