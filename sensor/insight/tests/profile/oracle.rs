//! Against a list of everything: below the bounds all counts, firsts and lasts are the same, users and population alike.

use std::collections::BTreeMap;

use insight::profile::{Feature, Observation, Value};
use proptest::prelude::*;

use crate::{DAY_S, MONDAY, ns, profiles};

const USERS: [&str; 3] = ["alice", "bob", "carol"];
const TEXTS: [&str; 4] = ["one", "two", "three", "four"];

/// One thing that happens: days go by, or somebody connects so many days ago.
#[derive(Debug, Clone)]
enum Step {
    Days(u32),
    Connect { user: usize, ago: u32, second: u32, values: [Option<usize>; 4] },
}

fn step() -> impl Strategy<Value = Step> {
    let value = || proptest::option::weighted(0.8, 0..4usize);
    prop_oneof![
        1 => (1..8u32).prop_map(Step::Days),
        4 => (0..3usize, prop_oneof![4 => Just(0u32), 1 => 0..40u32], 0..DAY_S, [value(), value(), value(), value()])
            .prop_map(|(user, ago, second, values)| Step::Connect { user, ago, second, values }),
    ]
}

/// Of one value: when it was seen, and when first since it came into the window.
#[derive(Debug, Default)]
struct Seen {
    times: Vec<u32>,
    first: u32,
}

#[derive(Debug, Default)]
struct Naive {
    users: BTreeMap<usize, (u32, Vec<u32>)>,
    values: BTreeMap<(usize, usize, usize), Seen>,
}

impl Naive {
    /// Forgets what is no longer within the window.
    fn forget(&mut self, today: u32) {
        let oldest = (today - 29) * DAY_S;
        for (_, times) in self.users.values_mut() {
            times.retain(|time| *time >= oldest);
        }
        self.values.retain(|_, seen| {
            seen.times.retain(|time| *time >= oldest);
            !seen.times.is_empty()
        });
    }
}

const FEATURES: [Feature; 4] = [Feature::Country, Feature::Place, Feature::Device, Feature::Network];

fn value(feature: usize, at: usize) -> Value<'static> {
    if feature == 3 { Value::Network(at as u32) } else { Value::Text(TEXTS[at]) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_counts_are_those_of_a_list(steps in proptest::collection::vec(step(), 1..120), reload in 0..120usize) {
        let mut today = MONDAY;
        let mut profiles = profiles(today);
        let mut naive = Naive::default();
        for (at, step) in steps.into_iter().enumerate() {
            if at == reload {
                profiles = insight::profile::Profiles::load(Default::default(), &profiles.save(Vec::new())).unwrap();
            }
            match step {
                Step::Days(days) => {
                    today += days;
                    profiles.advance(ns(today * DAY_S));
                    naive.forget(today);
                }
                Step::Connect { user, ago, second, values } => {
                    let unix_s = (today - ago) * DAY_S + second;
                    let text = |feature: usize| values[feature].map(|at| TEXTS[at]);
                    profiles.learn(&Observation {
                        user: USERS[user],
                        start_unix_ns: ns(unix_s),
                        is_connection: true,
                        country: text(0),
                        place: text(1),
                        device: text(2),
                        network: values[3].map(|at| at as u32),
                        ..Observation::default()
                    });
                    let (first, times) = naive.users.entry(user).or_insert((unix_s, Vec::new()));
                    *first = unix_s.min(*first);
                    // Told so late, it says since when there is somebody, and nothing else.
                    if ago >= 30 {
                        continue;
                    }
                    times.push(unix_s);
                    for (feature, at) in values.iter().enumerate() {
                        let Some(at) = at else { continue };
                        let seen = naive.values.entry((user, feature, *at)).or_default();
                        seen.first = if seen.times.is_empty() { unix_s } else { seen.first.min(unix_s) };
                        seen.times.push(unix_s);
                    }
                }
            }
            for (user, (first, times)) in &naive.users {
                let profile = profiles.get(USERS[*user]).unwrap();
                prop_assert_eq!(profile.first_unix_s(), *first);
                prop_assert_eq!(profile.connections() as usize, times.len());
                let mut hours = [0u8; 168];
                let mut marks: Vec<u32> = times.iter().map(|time| time / 3600).collect();
                marks.sort_unstable();
                marks.dedup();
                marks.iter().for_each(|hour| hours[(*hour as usize + 72) % 168] += 1);
                prop_assert_eq!(profile.hours(), hours);
            }
            for (feature, name) in FEATURES.into_iter().enumerate() {
                for (user, name_of) in USERS.iter().enumerate() {
                    for at in 0..TEXTS.len() {
                        let usual = profiles.get(name_of).and_then(|profile| profile.value(name, value(feature, at)));
                        let seen = naive.values.get(&(user, feature, at));
                        let expected = seen.map(|seen| {
                            let mut days: Vec<u32> = seen.times.iter().map(|time| time / DAY_S).collect();
                            days.sort_unstable();
                            // Of a day at most fifteen.
                            let counted = days.chunk_by(|one, other| one == other);
                            let connections: usize = counted.clone().map(|day| day.len().min(15)).sum();
                            (connections as u32, counted.count() as u32, seen.first, *seen.times.iter().max().unwrap())
                        });
                        let said = usual.map(|usual| {
                            (usual.connections, usual.days, usual.first_unix_s, usual.last_unix_s)
                        });
                        prop_assert_eq!(said, expected, "{:?} {} {}", name, user, at);
                    }
                }
            }
        }
        // Everybody is looked at: now the sums are as exact.
        today += 1;
        profiles.advance(ns(today * DAY_S));
        naive.forget(today);
        let everybody = profiles.everybody();
        let sum: usize = naive.users.values().map(|(_, times)| times.len()).sum();
        prop_assert_eq!(everybody.connections(), sum as u64);
        for (feature, name) in FEATURES.into_iter().enumerate() {
            for at in 0..TEXTS.len() {
                let share = everybody.share(name, value(feature, at));
                let users = naive.values.keys().filter(|key| (key.1, key.2) == (feature, at)).count();
                prop_assert_eq!(share.users as usize, users);
            }
        }
    }
}
