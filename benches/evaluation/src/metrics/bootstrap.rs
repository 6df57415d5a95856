//! Intervals: users are drawn anew, with repetition, within each organisation; each brings her days and her attackers.

use crate::chance::Chance;

use super::{
    curve::{BUDGETS, Curves, GRID, Ranked},
    early::Early,
    sample::{Group, Sample},
};

/// A figure with the interval that 95 in 100 drawings lie in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Of the users as they are.
    pub value: f64,
    /// 2.5 in 100 drawings are below.
    pub low: f64,
    /// 2.5 in 100 are above.
    pub high: f64,
}

impl Estimate {
    /// A value with the interval of these drawings, of which those that are no number are left out.
    pub(super) fn of(value: f64, mut drawn: Vec<f64>) -> Estimate {
        drawn.retain(|value| value.is_finite());
        drawn.sort_by(f64::total_cmp);
        let at = |share: f64| drawn.get((share * drawn.len() as f64) as usize).copied().unwrap_or(value);
        Estimate { value, low: at(0.025), high: at(0.975) }
    }
}

/// All figures of one way to score.
#[derive(Clone, Debug)]
pub struct Figures {
    /// By group, in the order of [`Group::all`].
    pub groups: Vec<(Group, GroupFigures)>,
    /// Scores from which on the budgets are used up.
    pub thresholds: [f64; 3],
    /// The beginning of the curve over all attackers, exactly.
    pub early: Early,
}

/// Those of one group of attackers.
#[derive(Clone, Debug)]
pub struct GroupFigures {
    /// How many attackers.
    pub attackers: usize,
    /// The area under the ROC curve.
    pub auc: Estimate,
    /// The mean recall at false-positive rates from 0 to 0.01.
    pub partial: Estimate,
    /// Recall at 0.1, 1 and 10 alerts for 1,000 users a day.
    pub recall: [Estimate; 3],
    /// Precision there, at one attack in 100,000 connections.
    pub precision: [Estimate; 3],
    /// Recall at the grid's false-positive rates.
    pub roc: Vec<Estimate>,
}

impl Figures {
    /// Those of a group.
    pub fn of(&self, group: Group) -> Option<&GroupFigures> {
        self.groups.iter().find(|(of, _)| *of == group).map(|(_, figures)| figures)
    }
}

/// The figures of a sample, with intervals from so many drawings. The same seed gives the same intervals.
pub fn figures(sample: &Sample, drawings: usize, seed: u64) -> Figures {
    let ranked = Ranked::new(sample);
    let whole = ranked.curves(&vec![1; sample.users.len()]);
    let drawn: Vec<_> = (0..drawings)
        .map(|number| ranked.curves(&draw(sample, &mut Chance::of(seed, "bootstrap", number as u64))))
        .collect();
    let estimate =
        |read: &dyn Fn(&Curves) -> f64| Estimate::of(read(&whole), drawn.iter().map(read).collect());
    let groups = Group::all()
        .into_iter()
        .enumerate()
        .map(|(at, group)| {
            let attackers = sample.attackers.iter().filter(|attacker| match group {
                Group::Overall | Group::FirstStart => true,
                Group::Model(model) => attacker.model == Some(model),
                Group::Frequency(frequency) => sample.users[attacker.user].frequency == frequency,
            });
            let figures = GroupFigures {
                attackers: attackers.count(),
                auc: estimate(&|curves| curves.auc[at]),
                partial: estimate(&|curves| curves.partial[at]),
                recall: budgets(|budget| estimate(&|curves| curves.recall[at][budget])),
                precision: budgets(|budget| estimate(&|curves| curves.precision[at][budget])),
                roc: (0..GRID).map(|point| estimate(&|curves| curves.roc[at][point])).collect(),
            };
            (group, figures)
        })
        .collect();
    Figures { groups, thresholds: whole.thresholds, early: Early::new(sample) }
}

fn budgets(read: impl Fn(usize) -> Estimate) -> [Estimate; BUDGETS.len()] {
    std::array::from_fn(read)
}

/// How often each user is drawn: from each organisation as many users as it has.
pub(super) fn draw(sample: &Sample, chance: &mut Chance) -> Vec<u32> {
    let mut times = vec![0; sample.users.len()];
    let mut from = 0;
    while from < sample.users.len() {
        let organisation = sample.users[from].organisation;
        let count = sample.users[from..].iter().take_while(|user| user.organisation == organisation).count();
        for _ in 0..count {
            times[from + chance.index(count)] += 1;
        }
        from += count;
    }
    times
}

#[cfg(test)]
mod tests {
    use super::{super::sample::tests::sample, *};

    #[test]
    fn intervals_hold_the_value_and_come_out_the_same() {
        let names: Vec<_> = (0..40).map(|number| format!("user{number:02}")).collect();
        let mut starts = Vec::new();
        for (number, name) in names.iter().enumerate() {
            starts.push((name.as_str(), 31, (number % 7) as f64, None));
            starts.push((name.as_str(), 32, (number % 5) as f64 + 2.5, Some(name.as_str())));
        }
        let sample = sample(40, 50, &starts);
        let one = figures(&sample, 200, 1);
        let overall = one.of(Group::Overall).unwrap();
        assert!(overall.auc.low < overall.auc.value && overall.auc.value < overall.auc.high);
        assert!(overall.auc.high - overall.auc.low < 0.3);
        assert_eq!(overall.attackers, 40);
        assert_eq!(figures(&sample, 200, 1).of(Group::Overall).unwrap().auc, overall.auc);
        assert_ne!(figures(&sample, 200, 2).of(Group::Overall).unwrap().auc, overall.auc);
    }

    #[test]
    fn as_many_users_are_drawn_as_there_are() {
        let sample = sample(3, 50, &[("a", 31, 1.0, None), ("b", 31, 1.0, None), ("c", 31, 1.0, None)]);
        let times = draw(&sample, &mut Chance::of(1, "drawn", 0));
        assert_eq!(times.iter().sum::<u32>(), 3);
    }
}
