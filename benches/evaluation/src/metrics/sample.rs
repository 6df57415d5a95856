//! What is compared: attackers, and genuine users' days.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use crate::{
    attackers::Model,
    event::Event,
    label::{Label, Truth},
    organisation::{DAY_S, LEARNING_DAYS},
};

/// How often a user connects, by the days with a genuine connection in all of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Frequency {
    /// More than three days a week.
    Daily,
    /// More than one and a half.
    SeveralDays,
    /// More than one in two weeks.
    Weekly,
    /// More than one in five weeks.
    SeveralWeeks,
    /// Less.
    LessThanMonthly,
}

impl Frequency {
    /// All.
    pub const ALL: [Frequency; 5] = [
        Frequency::Daily,
        Frequency::SeveralDays,
        Frequency::Weekly,
        Frequency::SeveralWeeks,
        Frequency::LessThanMonthly,
    ];

    fn of(days: usize, past_days: i64) -> Frequency {
        let a_week = days as f64 * 7.0 / past_days.max(1) as f64;
        let at_least = [3.0, 1.5, 0.5, 0.2].iter().position(|least| a_week > *least);
        Frequency::ALL[at_least.unwrap_or(4)]
    }

    /// A few words.
    pub fn name(self) -> &'static str {
        match self {
            Frequency::Daily => "daily",
            Frequency::SeveralDays => "several days a week",
            Frequency::Weekly => "weekly",
            Frequency::SeveralWeeks => "every few weeks",
            Frequency::LessThanMonthly => "less than monthly",
        }
    }
}

/// Attackers of whom a figure tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// All.
    Overall,
    /// Those of one model.
    Model(Model),
    /// Those whose victim connects that often.
    Frequency(Frequency),
    /// All, by their first Start only.
    FirstStart,
}

impl Group {
    /// All groups; a group's place in here is its place in results.
    pub fn all() -> Vec<Group> {
        let models = Model::ALL.into_iter().map(Group::Model);
        let frequencies = Frequency::ALL.into_iter().map(Group::Frequency);
        [Group::Overall, Group::FirstStart].into_iter().chain(models).chain(frequencies).collect()
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Group::Overall => f.pad("overall"),
            Group::Model(model) => f.pad(model.name()),
            Group::Frequency(frequency) => f.pad(frequency.name()),
            Group::FirstStart => f.pad("by the first Start"),
        }
    }
}

/// One organisation's past as it is counted.
pub struct Past<'a> {
    /// Accounts.
    pub users: usize,
    /// Days of the past.
    pub days: i64,
    /// Its events.
    pub events: &'a [Event],
    /// Its labels.
    pub labels: &'a [Label],
    /// A score for each label.
    pub scores: &'a [f64],
}

/// A user of whom something is counted.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) organisation: usize,
    pub(super) frequency: Frequency,
}

/// A genuine Start after the days of learning.
#[derive(Clone, Debug)]
pub(super) struct Genuine {
    pub(super) user: usize,
    pub(super) score: f64,
    /// Whether it is the highest of its user's day.
    pub(super) is_highest: bool,
}

/// An attacker.
#[derive(Clone, Debug)]
pub(super) struct Attacker {
    pub(super) user: usize,
    pub(super) model: Option<Model>,
    /// Time in seconds and score of each Start, in the order of time; not empty.
    pub(super) starts: Vec<(i64, f64)>,
}

impl Attacker {
    pub(super) fn highest(&self) -> f64 {
        self.starts.iter().map(|(_, score)| *score).fold(f64::NEG_INFINITY, f64::max)
    }
}

/// All that is compared.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub(super) users: Vec<User>,
    pub(super) genuine: Vec<Genuine>,
    pub(super) attackers: Vec<Attacker>,
    /// Users times days of which something is counted, over all organisations: what a budget of alerts is a share of.
    pub(super) user_days: f64,
    organisations: usize,
}

impl Sample {
    /// Adds an organisation. Starts before the end of the days of learning, counted from the first event, are left out.
    pub fn add(&mut self, past: &Past<'_>) {
        let begin_s = past.events.first().map_or(0, |event| event.time.as_second().div_euclid(DAY_S) * DAY_S);
        self.user_days += past.users as f64 * (past.days - LEARNING_DAYS).max(0) as f64;
        let organisation = self.organisations;
        self.organisations += 1;

        let mut active: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
        let at_s =
            |label: &Label| past.events.get(label.n - 1).map_or(0, |event| event.time.as_second() - begin_s);
        for label in past.labels {
            let days = active.entry(&label.user).or_default();
            if label.label == Truth::Genuine {
                days.insert(at_s(label) / DAY_S);
            }
        }
        let mut users = HashMap::new();
        for (name, days) in &active {
            users.insert(*name, self.users.len());
            self.users.push(User { organisation, frequency: Frequency::of(days.len(), past.days) });
        }
        let mut highest: HashMap<(usize, i64), usize> = HashMap::new();
        let mut attackers: BTreeMap<&str, Attacker> = BTreeMap::new();
        for (label, score) in past.labels.iter().zip(past.scores) {
            let (at_s, score) = (at_s(label), *score);
            let user = users[&*label.user];
            if at_s < LEARNING_DAYS * DAY_S {
                continue;
            }
            match (label.label, &label.attacker) {
                (Truth::Genuine, _) => {
                    let at = self.genuine.len();
                    let day = highest.entry((user, at_s / DAY_S)).or_insert(at);
                    let is_highest = *day == at || score > self.genuine[*day].score;
                    if is_highest && *day != at {
                        self.genuine[*day].is_highest = false;
                        *day = at;
                    }
                    self.genuine.push(Genuine { user, score, is_highest });
                }
                (Truth::Attack, name) => {
                    let name = name.as_deref().unwrap_or(&label.user);
                    let attacker = attackers.entry(name).or_insert_with(|| Attacker {
                        user,
                        model: label.model,
                        starts: Vec::new(),
                    });
                    attacker.starts.push((at_s, score));
                }
            }
        }
        self.attackers.extend(attackers.into_values());
    }

    /// How many attackers, genuine Starts and users' days with a genuine Start are compared.
    pub fn counts(&self) -> (usize, usize, usize) {
        let days = self.genuine.iter().filter(|genuine| genuine.is_highest).count();
        (self.attackers.len(), self.genuine.len(), days)
    }

    /// Users times days.
    pub fn user_days(&self) -> f64 {
        self.user_days
    }

    /// Scores of users' days, and of attackers by their model, for showing how they are spread.
    pub fn spread(&self, model: Option<Model>) -> Vec<f64> {
        match model {
            None => self.genuine.iter().filter(|it| it.is_highest).map(|it| it.score).collect(),
            Some(model) => {
                self.attackers.iter().filter(|it| it.model == Some(model)).map(Attacker::highest).collect()
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::event::Status;

    /// One organisation with a genuine Start or an attacker's for each of these: user, day, score, attacker.
    pub(in crate::metrics) fn sample(
        users: usize,
        days: i64,
        starts: &[(&str, i64, f64, Option<&str>)],
    ) -> Sample {
        let event = |at_s: i64, user: &str| Event {
            time: jiff::Timestamp::from_second(at_s).unwrap(),
            status: Status::Start,
            client: "asa".to_owned(),
            session: at_s.to_string(),
            user: user.to_owned(),
            address: "80.128.0.1".parse().unwrap(),
            device: None,
            software: None,
            input_octets: None,
            output_octets: None,
            nas: None,
        };
        // The first day is that of the first event.
        let mut events = vec![event(0, "nobody")];
        let mut labels = Vec::new();
        for (number, (user, day, _, attacker)) in starts.iter().enumerate() {
            events.push(event(day * DAY_S + number as i64, user));
            labels.push(Label {
                n: number + 2,
                user: (*user).to_owned(),
                label: if attacker.is_some() { Truth::Attack } else { Truth::Genuine },
                attacker: attacker.map(str::to_owned),
                model: attacker.map(|_| Model::Naive),
                difficulties: Vec::new(),
            });
        }
        let scores: Vec<_> = starts.iter().map(|(_, _, score, _)| *score).collect();
        let mut sample = Sample::default();
        sample.add(&Past { users, days, events: &events, labels: &labels, scores: &scores });
        sample
    }

    #[test]
    fn genuine_use_counts_by_the_highest_of_a_day_and_an_attacker_by_the_highest_of_all() {
        let sample = sample(
            10,
            40,
            &[
                ("a", 0, 9.0, None),
                ("a", 31, 1.0, None),
                ("a", 31, 3.0, None),
                ("a", 31, 2.0, None),
                ("a", 32, 0.5, None),
                ("b", 31, 4.0, Some("x")),
                ("b", 35, 7.0, Some("x")),
            ],
        );
        let mut days = sample.spread(None);
        days.sort_by(f64::total_cmp);
        // The Start of day 0 is learned from; 9 is nowhere.
        assert_eq!(days, [0.5, 3.0]);
        assert_eq!(sample.spread(Some(Model::Naive)), [7.0]);
        assert_eq!(sample.counts(), (1, 4, 2));
        assert_eq!(sample.user_days(), 100.0);
    }

    #[test]
    fn frequencies_go_by_days_and_not_by_connections() {
        assert_eq!(Frequency::of(40, 70), Frequency::Daily);
        assert_eq!(Frequency::of(20, 70), Frequency::SeveralDays);
        assert_eq!(Frequency::of(10, 70), Frequency::Weekly);
        assert_eq!(Frequency::of(3, 70), Frequency::SeveralWeeks);
        assert_eq!(Frequency::of(2, 70), Frequency::LessThanMonthly);
        assert_eq!(Frequency::of(0, 70), Frequency::LessThanMonthly);
        assert_eq!(Frequency::of(4, 7), Frequency::Daily);
    }
}
