//! What stands. Conditions say at each look what is so; the edges become messages: raised once, repeated seldom while it
//! lasts, over once.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    Now, Round,
    condition::{Condition, lasting, moment},
};
use crate::{alert::Severity, export::format::Health};

/// So many stand at once; more are not told until others are over. As many messages are written at one look at most.
pub const STANDING_MAX: usize = 512;

/// What one condition says at one look.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) condition: Condition,
    /// What it is about; empty for what is about the sensor as a whole.
    pub(super) subject: String,
    pub(super) severity: Severity,
    /// Since when, ns since 1970 UTC.
    pub(super) since_unix_ns: u64,
    /// What and where, in sentences, without since when.
    pub(super) message: String,
    /// What to do, a sentence each, without the runbook.
    pub(super) advice: Vec<String>,
}

/// What stands: something is wrong, was told, and is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// What.
    pub condition: Condition,
    /// What it is about: a client, a sink; empty where it is about the sensor as a whole.
    pub subject: String,
    /// How urgent.
    pub severity: Severity,
    /// Since when, ns since 1970 UTC.
    pub since_unix_ns: u64,
    /// When it was told last, ns since 1970 UTC.
    pub told_unix_ns: u64,
    /// In sentences, as it was told last, without since when.
    pub message: String,
    /// What to do about it, a sentence each.
    pub advice: Vec<String>,
}

/// All that stands.
#[derive(Debug, Default)]
pub(super) struct Board {
    standing: BTreeMap<(Condition, String), Standing>,
}

impl Board {
    pub(super) fn new(standing: Vec<Standing>) -> Board {
        let keyed = |standing: Standing| ((standing.condition, standing.subject.clone()), standing);
        Board { standing: standing.into_iter().take(STANDING_MAX).map(keyed).collect() }
    }

    pub(super) fn standing(&self) -> impl Iterator<Item = &Standing> {
        self.standing.values()
    }

    /// Takes what a look came to; what is to be told of it.
    pub(super) fn take(&mut self, round: Round, now: Now) -> Vec<Health> {
        let mut told = Vec::new();
        let mut held: BTreeSet<(Condition, String)> = round.held.into_iter().collect();
        held.extend(round.findings.iter().map(|finding| (finding.condition, finding.subject.clone())));
        // What is over first: it makes room.
        let is_over = |key: &(Condition, String)| !round.undecided.contains(&key.0) && !held.contains(key);
        for (_, standing) in self.standing.extract_if(.., |key, _| is_over(key)) {
            told.push(over(&standing, now));
        }
        for finding in round.findings {
            let is_full = self.standing.len() >= STANDING_MAX;
            match self.standing.entry((finding.condition, finding.subject.clone())) {
                Entry::Vacant(place) if !is_full => {
                    let standing = place.insert(raised(finding, now));
                    told.push(message(standing, now));
                }
                Entry::Vacant(_) => {}
                Entry::Occupied(mut place) => {
                    let standing = place.get_mut();
                    let is_worse = finding.severity > standing.severity;
                    let age = Duration::from_nanos(now.unix_ns.saturating_sub(standing.told_unix_ns));
                    if is_worse || age >= Condition::repeat(finding.severity) {
                        let since_unix_ns = standing.since_unix_ns.min(finding.since_unix_ns);
                        *standing = raised(Finding { since_unix_ns, ..finding }, now);
                        told.push(message(standing, now));
                    }
                }
            }
        }
        told
    }
}

fn raised(finding: Finding, now: Now) -> Standing {
    let Finding { condition, subject, severity, since_unix_ns, message, mut advice } = finding;
    advice.push(condition.runbook());
    Standing { condition, subject, severity, since_unix_ns, told_unix_ns: now.unix_ns, message, advice }
}

fn message(standing: &Standing, now: Now) -> Health {
    Health {
        unix_ns: now.unix_ns,
        name: standing.condition.name().to_owned(),
        severity: standing.severity,
        is_over: false,
        about: about(standing),
        message: format!("{} Since {}.", standing.message, moment(standing.since_unix_ns)),
        advice: standing.advice.clone(),
    }
}

fn over(standing: &Standing, now: Now) -> Health {
    let lasted = Duration::from_nanos(now.unix_ns.saturating_sub(standing.since_unix_ns));
    let since = moment(standing.since_unix_ns);
    let sentence = standing.condition.over(&standing.subject);
    Health {
        unix_ns: now.unix_ns,
        name: standing.condition.name().to_owned(),
        severity: standing.severity,
        is_over: true,
        about: about(standing),
        message: format!("{sentence} It lasted {}, since {since}.", lasting(lasted)),
        advice: Vec::new(),
    }
}

fn about(standing: &Standing) -> Option<String> {
    Some(standing.subject.clone()).filter(|subject| !subject.is_empty())
}
