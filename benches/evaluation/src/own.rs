//! What the product's own thresholds do, rather than a budget of alerts.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    attackers::Model,
    label::Truth,
    organisation::{LEARNING_DAYS, Organisation},
};

/// Of how many so many are told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Those.
    pub told: usize,
    /// All.
    pub of: usize,
}

impl Told {
    fn add(&mut self, is_told: bool) {
        self.of += 1;
        self.told += usize::from(is_told);
    }
}

/// Starts that are alerts, or make one grow, and attackers with one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OwnThresholds {
    /// Genuine Starts, after the days of learning.
    pub genuine: Told,
    /// Days of users on which a genuine Start was told of, of all days of all users.
    pub days: Told,
    /// Attackers' Starts.
    pub attacks: Told,
    /// Attackers by model.
    pub attackers: BTreeMap<Model, Told>,
}

impl OwnThresholds {
    /// Adds a past, with whether each labelled Start is an alert.
    pub(crate) fn add(&mut self, past: &Organisation, alerts: &[bool]) {
        let mut attackers: BTreeMap<&str, (Option<Model>, bool)> = BTreeMap::new();
        let mut days = BTreeSet::new();
        for (label, alert) in past.labels.iter().zip(alerts) {
            match label.label {
                Truth::Attack => {
                    self.attacks.add(*alert);
                    let name = label.attacker.as_deref().unwrap_or(&label.user);
                    attackers.entry(name).or_insert((label.model, false)).1 |= alert;
                }
                Truth::Genuine => {
                    let Some(day) = past.counted_day(label.n) else { continue };
                    self.genuine.add(*alert);
                    if *alert {
                        days.insert((&*label.user, day));
                    }
                }
            }
        }
        self.days.told += days.len();
        self.days.of += past.summary.users * (past.summary.days - LEARNING_DAYS).max(0) as usize;
        for (model, is_told) in attackers.into_values() {
            if let Some(model) = model {
                self.attackers.entry(model).or_default().add(is_told);
            }
        }
    }
}
